-- Which node works at what, so that no other does the same meanwhile. A claim is a lease: it
-- ends by itself where its node has died. Only the server's own clock says when, however far
-- the nodes' clocks are apart.
create function database_time() returns bigint -- unix milliseconds
    language sql volatile as $$ select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) $$;

-- A claim is for one attempt, and over as soon as that many are written down.
alter table outbox
    add column claimed_by text collate "C",
    add column claimed_for bigint,
    add column claimed_until bigint; -- by database_time()

-- A claim changes no index: with room on the page none is written.
alter table outbox set (fillfactor = 80);

-- An issuer limits how much it is asked: its whole line is one node's at a time.
create table issuer_lines (
    issuer text collate "C" not null,
    held_by text collate "C" not null,
    held_until bigint not null, -- by database_time()
    constraint issuer_lines_key primary key (issuer)
);
