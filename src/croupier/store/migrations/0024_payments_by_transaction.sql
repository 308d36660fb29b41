-- outside a transaction
create index concurrently if not exists payments_by_transaction on payments (partner_tx) where partner_tx is not null;
