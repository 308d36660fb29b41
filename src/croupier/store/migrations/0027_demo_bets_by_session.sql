-- outside a transaction
-- goes with 0026
create index concurrently if not exists demo_bets_by_session on demo_bets (session_id);
