-- Texts that name things are compared by their bytes. The database's own collation belongs to the system's libraries: a new
-- version of them may order texts anew, and a unique index that was built in the old order then finds nothing, or twice.
do $$
declare key record;
begin
    for key in
        select distinct c.oid::regclass as place, a.attname as name
        from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey::smallint[])
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and i.indisunique
        and a.atttypid = 'text'::regtype and a.attcollation = 'pg_catalog.default'::regcollation
        -- A word of a closed list, and the source of a generated column, which keeps its type.
        and (c.relname, a.attname) <> ('calls', 'slot')
        order by 1, 2
    loop
        execute format('alter table %s alter column %I type text collate "C"', key.place, key.name);
    end loop;
end $$;
