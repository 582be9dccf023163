-- The audit trail: what it means stands with the file's.
create table audit (
    place bigint not null,
    at bigint not null, -- unix milliseconds
    kind text collate "C" not null,
    body text collate "C" not null, -- a JSON object, byte for byte what was hashed
    previous bytea not null,
    hash bytea not null,
    constraint audit_key primary key (place),
    constraint audit_begins_at_1 check (place > 0),
    constraint audit_hashes_are_sha256 check (length(previous) = 32 and length(hash) = 32)
);

-- For forgetting.
create index audit_forgotten on audit (place) where kind = 'forgotten';

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is only ever added to' using errcode = 'restrict_violation';
end
$$;

create function refuse_audit_delete() returns trigger language plpgsql as $$
begin
    if old.place > coalesce((
        select cast(cast(body as jsonb) ->> 'up_to' as bigint) from audit
        where kind = 'forgotten' order by place desc limit 1
    ), 0) then
        raise exception 'the audit trail is only ever added to' using errcode = 'restrict_violation';
    end if;
    return old;
end
$$;

create trigger audit_is_never_changed before update on audit
    for each row execute function refuse_audit_change();
create trigger audit_is_never_emptied before truncate on audit
    for each statement execute function refuse_audit_change();
create trigger audit_is_forgotten_by_the_hub_alone before delete on audit
    for each row execute function refuse_audit_delete();
