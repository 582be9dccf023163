-- The registry: one row for each session that the hub has seen, for the people whose
-- sessions they are and for the clocks that end them. What apps use a session is said
-- by `seen_tokens`, and whether it is over by the logouts.
--
-- `clock` is 0 where the session is not timed, 1 while it is, 2 once its end was
-- recorded; a sign-in after that starts it again. `is_sampled` says that there may have
-- been activity, up to one sample later, which a crash kept from being written.
create table sessions (
    issuer text not null,
    sid text not null,
    id text not null, -- the public name: chance, so that no address holds a sid
    sub text not null,
    auth_time integer not null, -- the latest; unix seconds; -1 where no token had one
    started_at integer not null, -- unix seconds
    first_seen_at integer not null, -- unix milliseconds, as those that follow
    last_seen_at integer not null,
    active_at integer not null,
    clock integer not null,
    is_sampled integer not null,
    user_agent text,
    address text, -- null once it was cut to the network
    network text,
    constraint sessions_key primary key (issuer, sid),
    constraint session_id_is_unique unique (id),
    constraint session_clock_is_known check (clock in (0, 1, 2)),
    constraint session_is_sampled_or_not check (is_sampled in (0, 1))
) strict, without rowid;

create index sessions_by_subject on sessions (issuer, sub);

-- For the clocks.
create index sessions_by_activity on sessions (active_at) where clock = 1;
create index sessions_by_start on sessions (started_at) where clock = 1;

-- For forgetting, and for cutting addresses short.
create index sessions_by_age on sessions (last_seen_at);
create index sessions_with_address on sessions (last_seen_at) where address is not null;

-- What was seen before there was a registry. Its clocks start when it is seen again.
insert into sessions (issuer, sid, id, sub, auth_time, started_at, first_seen_at, last_seen_at, active_at,
                      clock, is_sampled)
select issuer, sid, lower(hex(randomblob(16))), sub, max(auth_time),
       iif(max(auth_time) > -1, max(auth_time), min(earliest_iat)),
       1000 * min(first_seen_at), 1000 * max(last_seen_at), 1000 * max(last_seen_at), 0, 0
from seen_tokens
where sid <> ''
group by issuer, sid;
