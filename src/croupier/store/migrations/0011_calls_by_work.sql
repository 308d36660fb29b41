-- The sweep looks at the head of each line: a casino's calls of one kind of work. What one look costs does not depend on
-- how many wait behind. `work` says what core.work says.
alter table calls add column work text not null generated always as (
    case when step = 'claim_due' then 'none' when step in ('info', 'close') then 'ask'
        when slot = 'stake' then 'stake' else 'owed' end) stored;
drop index calls_ready;
create index calls_by_work on calls (casino_id, work, ready_ms, subject_id);
