-- What one node at a time does, in one table: 'leader'; 'issuer …', whose whole line is one
-- node's, because an issuer limits how much it is asked; and 'node …', for being there.
-- All are gone by `good_until`: nodes take theirs anew within seconds.
drop table issuer_lines;
truncate leases;
alter table leases
    alter column good_until type bigint using 0; -- by database_time()

-- Says the trigger's own word.
create function ring_bell() returns trigger language plpgsql as $$
begin
    perform ring(tg_argv[0]);
    return null;
end
$$;

create or replace trigger ring_bell after insert or update on deliveries
    for each statement execute function ring_bell('receipts');
create or replace trigger ring_bell after update on issuer_ends
    for each statement execute function ring_bell('receipts');

drop trigger ring_new on sweeps;
create trigger ring_new after insert on sweeps for each statement execute function ring_bell('sweeps');
drop trigger ring_done on sweeps;
create trigger ring_done after update on sweeps
    for each row when (old.stage <> 'done' and new.stage = 'done') execute function ring_bell('swept');

drop function ring_receipts();
drop function ring_sweeps();
