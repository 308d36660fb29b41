-- outside a transaction
create index concurrently if not exists bets_by_round on bets (round_ref, bet_id);
