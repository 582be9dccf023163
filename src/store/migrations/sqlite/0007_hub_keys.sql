-- The hub's own secrets, made by whichever node came first.
create table hub_keys (
    name text not null,
    secret blob not null,
    created_at integer not null, -- unix milliseconds
    constraint hub_keys_key primary key (name),
    constraint hub_key_is_whole check (length(secret) = 32)
) strict, without rowid;
