-- Tickets that are good once and for a short time, such as `continue_url`'s.
-- Only a digest is kept, so the file alone opens nothing.
create table tickets (
    digest blob not null,
    kind text not null,
    payload text not null,
    logout_id text, -- the logout that was answered together with the ticket
    expires_at integer not null, -- unix milliseconds
    constraint tickets_key primary key (digest),
    constraint ticket_digest_is_whole check (length(digest) = 32)
) strict, without rowid;

-- For forgetting.
create index tickets_by_age on tickets (expires_at);
