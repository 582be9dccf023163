-- One row that a readiness check rewrites, to prove that a commit is possible.
-- The ballast makes it take the room that a logout takes: on a disk with one
-- page left, a smaller write would still succeed.
create table pulse (
    one integer not null primary key,
    beats integer not null,
    ballast blob not null,
    constraint pulse_is_one_row check (one = 1)
) strict;

insert into pulse (one, beats, ballast) values (1, 0, x'');
