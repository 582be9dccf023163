-- The audit trail: what happened, in rows that are only ever added, each with the hash of the
-- one before. `place` is 1, 2, 3 and so on, without holes. What old rows are forgotten a
-- row of the kind 'forgotten' says first: up to which place, and the hash there.
create table audit (
    place integer not null primary key,
    at integer not null, -- unix milliseconds
    kind text not null,
    body text not null, -- a JSON object, byte for byte what was hashed
    previous blob not null,
    hash blob not null,
    constraint audit_begins_at_1 check (place > 0),
    constraint audit_hashes_are_sha256 check (length(previous) = 32 and length(hash) = 32)
) strict;

-- For forgetting.
create index audit_forgotten on audit (place) where kind = 'forgotten';

create trigger audit_is_never_changed before update on audit
begin
    select raise(abort, 'the audit trail is only ever added to');
end;

create trigger audit_is_forgotten_by_the_hub_alone before delete on audit
when old.place > coalesce(
    (select json_extract(body, '$.up_to') from audit where kind = 'forgotten' order by place desc limit 1), 0
)
begin
    select raise(abort, 'the audit trail is only ever added to');
end;
