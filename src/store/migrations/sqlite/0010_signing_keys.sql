-- The key pairs that sign the hub's own logout tokens.
create table signing_keys (
    kid text not null,
    private_key blob not null, -- PKCS#8
    made_at integer not null, -- unix seconds, as in tokens
    signs_from integer not null,
    signs_until integer, -- null: no other has been made yet
    constraint signing_keys_key primary key (kid),
    constraint signing_key_times check (made_at <= signs_from and signs_from <= signs_until)
) strict, without rowid;
