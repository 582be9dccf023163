-- A sweep may leave thousands of sessions to be ended at their issuer. Whoever signs out
-- by themselves is not to wait behind them.
alter table issuer_ends add column is_swept integer not null default 0
    constraint issuer_end_is_swept_or_not check (is_swept in (0, 1));

update issuer_ends set is_swept = 1
where state = 0 and logout in (
    select l.seq from sweeps w
    join logouts l on l.issuer = w.issuer and l.occurred_at = w.ordered_at
    where l.source = 'admin'
);

drop index issuer_ends_in_line;
create index issuer_ends_in_line on issuer_ends (issuer, is_swept, due_at) where state = 0;

-- A sweep counts before anybody knows how much it ends: what is expected of it is noted
-- when it has been counted, and is never known where the hub was killed before.
alter table sweeps add column is_counted integer not null default 1
    constraint sweep_is_counted_or_not check (is_counted in (0, 1));
