-- An administrator's word that every session which began by T is over: of a whole
-- issuer, of one app there or of one person. It is a rule first: whoever comes with a
-- token that it covers is told, whether or not the hub had ever seen the session. And it
-- is work: every session that the hub knows gets a logout of its own, page by page, and
-- `stage` and `after` say how far that came. They move in the transaction that writes
-- the page's logouts, so no session is skipped and none is counted twice.
create table sweeps (
    seq integer not null primary key autoincrement,
    id text not null,
    issuer text not null,
    sub text, -- null: everybody's sessions
    client_id text, -- null: whatever they used
    covers_until integer not null, -- unix seconds
    reason text not null,
    ordered_at integer not null, -- unix milliseconds
    expected_sessions integer not null,
    expected_people integer not null,
    expected_apps integer not null,
    stage text not null,
    after text not null,
    sessions_ended integer not null default 0,
    logouts_recorded integer not null default 0,
    finished_at integer, -- unix milliseconds
    constraint sweep_id_is_unique unique (id),
    constraint sweep_names_a_person_or_an_app check (sub is null or client_id is null),
    constraint sweep_stage_is_known check (stage in ('sessions', 'people', 'done')),
    constraint sweep_that_is_done_has_a_time check ((stage = 'done') = (finished_at is not null))
) strict;

-- For whoever comes with a token.
create index sweeps_by_issuer on sweeps (issuer, covers_until);

-- For going on.
create index sweeps_under_way on sweeps (seq) where stage <> 'done';
