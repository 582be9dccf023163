-- What the hub has seen of each session: one row for all tokens that differ in
-- `iat` alone. Columns of the key cannot be null, so '' is a token without a
-- `sid`, and -1 one without an `auth_time`.
create table seen_tokens (
    issuer text not null,
    sid text not null,
    sub text not null,
    client_id text not null,
    auth_time integer not null,
    earliest_iat integer not null, -- unix seconds, as all times here
    latest_iat integer not null,
    first_seen_at integer not null,
    last_seen_at integer not null,
    constraint seen_tokens_key primary key (issuer, sid, sub, client_id, auth_time),
    constraint seen_tokens_iats_in_order check (earliest_iat <= latest_iat)
) strict, without rowid;

create index seen_tokens_by_subject on seen_tokens (issuer, sub);

-- For forgetting.
create index seen_tokens_by_age on seen_tokens (last_seen_at);
