-- What each node has to tell its own open channels: every logout, in the order of the commits,
-- and whatever made one final or later. Triggers write it, so that no statement can forget to.
-- A node reads on from where it was; the bell only says that it is worth looking.
create table news (
    n bigint not null generated always as identity primary key,
    logout bigint not null,
    sid text collate "C" not null, -- '' but for the end of a session that this logout answers for
    at timestamptz not null default clock_timestamp()
);

-- For forgetting.
create index news_by_age on news (at);

-- What one node at a time does, and until when it is that one's.
create table leases (
    name text collate "C" not null,
    holder text collate "C" not null,
    good_until timestamptz not null,
    constraint leases_key primary key (name)
);

-- Nodes whose tables are in one schema hear each other, and nobody else.
create function ring(what text) returns void language sql as $$
    select pg_notify('slo_' || md5(current_schema()), what)
$$;

create function tell_logouts() returns trigger language plpgsql as $$
begin
    insert into news (logout, sid) select seq, '' from after_it order by seq;
    if found then
        perform ring('news');
    end if;
    return null;
end
$$;

create function tell_changed_logouts() returns trigger language plpgsql as $$
begin
    insert into news (logout, sid)
    select a.seq, '' from after_it a join before_it b using (seq)
    where a.is_final <> b.is_final or a.covers_until <> b.covers_until
    order by a.seq;
    if found then
        perform ring('news');
    end if;
    return null;
end
$$;

create function tell_session_ends() returns trigger language plpgsql as $$
begin
    insert into news (logout, sid) select logout, sid from after_it order by logout;
    if found then
        perform ring('news');
    end if;
    return null;
end
$$;

create function ring_receipts() returns trigger language plpgsql as $$
begin
    perform ring('receipts');
    return null;
end
$$;

create function ring_outbox() returns trigger language plpgsql as $$
begin
    if exists (select 1 from after_it) then
        perform ring('outbox');
    end if;
    return null;
end
$$;

create function ring_sweeps() returns trigger language plpgsql as $$
begin
    perform ring(case new.stage when 'done' then 'swept' else 'sweeps' end);
    return null;
end
$$;

create trigger tell_new after insert on logouts
    referencing new table as after_it for each statement execute function tell_logouts();
create trigger tell_changed after update on logouts
    referencing old table as before_it new table as after_it
    for each statement execute function tell_changed_logouts();
create trigger tell_new after insert on session_ends
    referencing new table as after_it for each statement execute function tell_session_ends();
create trigger tell_changed after update on session_ends
    referencing new table as after_it for each statement execute function tell_session_ends();
create trigger ring_bell after insert or update on deliveries
    for each statement execute function ring_receipts();
create trigger ring_bell after update on issuer_ends
    for each statement execute function ring_receipts();
create trigger ring_new after insert on outbox
    referencing new table as after_it for each statement execute function ring_outbox();
create trigger ring_new after insert on issuer_ends
    referencing new table as after_it for each statement execute function ring_outbox();
create trigger ring_new after insert on sweeps for each row execute function ring_sweeps();
create trigger ring_done after update on sweeps
    for each row when (old.stage <> 'done' and new.stage = 'done') execute function ring_sweeps();
