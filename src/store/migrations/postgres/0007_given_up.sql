-- For whoever looks at what was given up: the latest first, without a walk over all that was
-- ever posted.
create index outbox_given_up on outbox (good_until) where state = 2;
create index issuer_ends_given_up on issuer_ends (good_until) where state = 2;
