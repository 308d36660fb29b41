-- A signing key that leaked is revoked: it verifies nothing any more, and the row stays, with who said so and why.
alter table signing_keys
    add column revoked_ms    bigint,
    add column revoked_by    text,
    add column revoke_reason text,
    add constraint revoked_is_retired check (revoked_ms is null or retired_ms is not null);

-- A casino's secret is rotated with an overlap. Access tokens from before `tokens_from_s` (Unix seconds) are refused.
alter table casinos
    add column old_secret          bytea,      -- sealed; valid beside the new one during a rotation
    add column old_secret_until_ms bigint,
    add column tokens_from_s       bigint not null default 0,
    add column closed_ms           bigint;     -- since when nothing that it sends is believed; null: it is open

alter table providers add column closed_ms bigint;

create function check_key_moves() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.kid into bad from olds o left join news n on n.kid = o.kid
    where n.kid is null or o.alg <> n.alg or o.public_jwk <> n.public_jwk or o.created_ms <> n.created_ms
       or (o.retired_ms is not null and n.retired_ms is distinct from o.retired_ms)
       or (o.revoked_ms is not null and (n.revoked_ms, n.revoked_by, n.revoke_reason)
           is distinct from (o.revoked_ms, o.revoked_by, o.revoke_reason))
    limit 1;
    if bad is not null then
        raise exception 'illegal change of signing key %', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger moves after update on signing_keys referencing old table as olds new table as news
    for each statement execute function check_key_moves();
create trigger never_deleted before delete or truncate on signing_keys
    for each statement execute function refuse_delete();
