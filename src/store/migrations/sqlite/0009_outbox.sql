-- What is still to be posted to apps' back ends. A row goes in with the logout
-- it is about, in one transaction, so no crash lies between the two. One that
-- is done or given up stays, without its token: so the app is known to have had
-- its own of this logout.
-- `state`: 0 waits, 1 done, 2 given up.
-- `sid` is that of the receipt's line which the post moves on; '' for a logout
-- that its app is told of once for all sessions.
create table outbox (
    id integer not null primary key autoincrement,
    logout integer not null,
    issuer text not null,
    client_id text not null,
    sid text not null,
    token text, -- the issuer's own, byte for byte; null where the hub makes one for each attempt
    state integer not null,
    attempts integer not null,
    due_at integer not null, -- unix milliseconds: not to be tried before
    good_until integer not null, -- unix milliseconds: of no use from then on
    constraint outbox_once_for_each_app unique (logout, client_id, sid),
    constraint outbox_of_a_logout foreign key (logout) references logouts (seq) on delete cascade,
    constraint outbox_state_is_known check (state between 0 and 2),
    constraint outbox_forgets_tokens check (state = 0 or token is null)
) strict;

-- Each app's line.
create index outbox_in_line on outbox (issuer, client_id, due_at) where state = 0;

-- For giving up.
create index outbox_by_end on outbox (good_until) where state = 0;
