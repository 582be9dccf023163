-- Sessions that are still to be ended at their issuer, because their logout did not come
-- from there. A row goes in with the logout it is about, in one transaction, so no crash
-- lies between the two; it stays, for the receipt.
-- `state`: 0 waits, 1 ended, 2 given up or refused.
create table issuer_ends (
    logout integer not null primary key,
    issuer text not null,
    is_vouched integer not null, -- whether a token of the session itself said whose it is
    state integer not null,
    attempts integer not null,
    due_at integer not null, -- unix milliseconds: not to be tried before
    good_until integer not null, -- unix milliseconds: given up from then on
    error text, -- why the last attempt came to nothing, in fixed words
    constraint issuer_end_of_a_logout foreign key (logout) references logouts (seq) on delete cascade,
    constraint issuer_end_is_vouched_or_not check (is_vouched in (0, 1)),
    constraint issuer_end_state_is_known check (state between 0 and 2)
) strict;

-- Each issuer's line.
create index issuer_ends_in_line on issuer_ends (issuer, due_at) where state = 0;

-- For giving up.
create index issuer_ends_by_end on issuer_ends (good_until) where state = 0;
