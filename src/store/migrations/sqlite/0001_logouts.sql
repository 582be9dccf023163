-- One row per logout. Rows are only ever added; a repeat raises `is_final` and
-- `covers_until` of one that is there. `seq` is the place in the log that back
-- ends follow: `autoincrement`, so that no place is ever given out twice, not
-- even after old rows were forgotten.
create table logouts (
    seq integer not null primary key autoincrement,
    id text not null,
    issuer text not null,
    scope text not null,
    sid text,
    sub text,
    source text not null,
    client_id text,
    reason text,
    is_final integer not null,
    covers_until integer not null, -- unix seconds
    occurred_at integer not null, -- unix milliseconds
    recorded_at integer not null, -- unix milliseconds
    constraint logout_id_is_unique unique (id),
    constraint logout_scope_is_known check (scope in ('session', 'user')),
    constraint logout_of_a_session_names_it check ((scope = 'session') = (sid is not null)),
    constraint logout_of_a_user_names_them check (scope = 'session' or sub is not null),
    constraint logout_is_final_or_not check (is_final in (0, 1))
) strict;

-- Each logout stands in exactly one of these two.
create index logouts_by_session on logouts (issuer, sid, covers_until) where scope = 'session';
create index logouts_by_user on logouts (issuer, sub, covers_until) where scope = 'user';

-- For whoever follows one issuer's log.
create index logouts_by_issuer on logouts (issuer, seq);

-- For forgetting.
create index logouts_by_age on logouts (recorded_at);
