-- A cashback that was cancelled on a no to a call turns out to have been paid and spent: one decision enters it as paid
-- and as kept (decision 0028).
insert into state_moves values ('cashback', 'cancelled', 'kept');
