-- outside a transaction
create index concurrently if not exists sessions_by_time on sessions (opened_ms, session_id);
