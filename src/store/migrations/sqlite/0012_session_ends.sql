-- The end of a session that was known to be over by a logout of its person: a fact,
-- but no logout of its own, so it has no place in the log and no receipt. `logout` is
-- the one that answers for it.
create table session_ends (
    issuer text not null,
    sid text not null,
    logout integer not null,
    is_final integer not null,
    covers_until integer not null, -- unix seconds
    constraint session_ends_key primary key (issuer, sid, logout),
    constraint session_end_of_a_logout foreign key (logout) references logouts (seq) on delete cascade,
    constraint session_end_is_final_or_not check (is_final in (0, 1))
) strict, without rowid;

-- For forgetting a logout with its facts.
create index session_ends_by_logout on session_ends (logout, covers_until);
