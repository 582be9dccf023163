-- One row that a readiness check rewrites, to prove that a commit is possible.
create table pulse (
    one integer not null primary key,
    beats integer not null,
    constraint pulse_is_one_row check (one = 1)
) strict;

insert into pulse (one, beats) values (1, 0);
