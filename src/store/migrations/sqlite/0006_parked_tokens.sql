-- Logout tokens that could not be judged yet, because the issuer's keys could
-- not be had. A refused one leaves its digest and the verdict for a while, so
-- that a retry hears the same.
create table parked_tokens (
    digest blob not null,
    issuer text not null,
    token text, -- null once judged
    arrived_at integer not null, -- unix milliseconds
    verdict text, -- null until judged
    judged_at integer, -- unix milliseconds
    constraint parked_tokens_key primary key (digest),
    constraint parked_digest_is_whole check (length(digest) = 32),
    constraint parked_waits_or_is_judged check ((token is null) = (verdict is not null)),
    constraint parked_verdict_has_a_time check ((verdict is null) = (judged_at is null))
) strict, without rowid;

create index parked_tokens_waiting on parked_tokens (issuer, arrived_at) where verdict is null;
create index parked_tokens_judged on parked_tokens (judged_at) where verdict is not null;
