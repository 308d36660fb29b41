-- A payment that was taken as accepted without the casino's own number for it (by a person, or because its cancel showed
-- it) may be given that number later, once; from then on it stays.
create or replace function check_payment_moves() returns trigger language plpgsql as $$
declare bad text;
begin
    select o.subject_id || ' ' || o.kind || ': ' || o.state || ' to ' || n.state into bad
    from olds o join news n on n.subject_id = o.subject_id and n.kind = o.kind
    where (o.state <> n.state and not exists (select from state_moves m
               where m.thing = 'payment' and m.from_state = o.state and m.to_state = n.state))
       or o.amount <> n.amount or o.tax is distinct from n.tax or o.player_id <> n.player_id
       or (n.state = 'expired' and n.kind <> 'stake')
       or (o.state = 'accepted' and o.partner_tx is not null and o.partner_tx is distinct from n.partner_tx)
    limit 1;
    if bad is not null then
        raise exception 'illegal move of payment %', bad using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
