-- The logout tokens that were used: the same one again has no effect, and
-- another one under the same `jti` is refused.
create table logout_tokens (
    issuer text not null,
    jti text not null,
    digest blob not null, -- SHA-256 of the whole token
    expires_at integer not null, -- unix seconds
    constraint logout_tokens_key primary key (issuer, jti),
    constraint logout_token_digest_is_whole check (length(digest) = 32)
) strict, without rowid;

-- For forgetting.
create index logout_tokens_by_age on logout_tokens (expires_at);
