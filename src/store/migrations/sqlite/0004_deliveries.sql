-- The receipt: whom a logout was to reach, by which way, and how far it came.
-- `status` only grows: 0 pending, 1 failed, 2 delivered, 3 acknowledged.
-- `sid` is '' for a back end, which is told once for all sessions.
create table deliveries (
    logout integer not null,
    client_id text not null,
    sid text not null,
    via text not null,
    status integer not null,
    attempts integer not null,
    updated_at integer not null, -- unix milliseconds
    error text,
    constraint deliveries_key primary key (logout, client_id, sid, via),
    constraint delivery_of_a_logout foreign key (logout) references logouts (seq) on delete cascade,
    constraint delivery_status_is_known check (status between 0 and 3),
    constraint delivery_way_is_known check (via in ('websocket', 'sse', 'frontchannel', 'backchannel', 'chain'))
) strict, without rowid;
