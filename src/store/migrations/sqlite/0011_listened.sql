-- Whether the app has ever opened a channel with such a token. One that has not,
-- and has a back end, is told there and is not waited for on a channel. Of rows
-- that were there before nobody knows, so they are waited for as they were.
alter table seen_tokens add column has_listened integer not null default 1
    constraint seen_token_has_listened_or_not check (has_listened in (0, 1));
