-- Text keys of the tables since 0013 are compared by their bytes too, for the reason that 0013 names.
do $$
declare key record;
begin
    for key in
        select distinct c.oid::regclass as place, a.attname as name
        from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey::smallint[])
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and i.indisunique
        and a.atttypid = 'text'::regtype and a.attcollation = 'pg_catalog.default'::regcollation
        and c.relname <> 'schema_migrations' and (c.relname, a.attname) <> ('calls', 'slot')
        order by 1, 2
    loop
        execute format('alter table %s alter column %I type text collate "C"', key.place, key.name);
    end loop;
end $$;
