-- outside a transaction
create index concurrently if not exists sessions_casino on sessions (casino_id, opened_ms desc, session_id);
