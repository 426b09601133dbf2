-- Publishing the instance log's checkpoints, and archiving past months of the trail.

create table audit.publications (
    destination text not null,
    published_size bigint,
    published_at timestamptz,
    attempted_at timestamptz not null,
    attempts integer not null default 0,
    fault text,
    constraint publications_pkey primary key (destination),
    constraint publications_destination_check check (length(destination) between 1 and 300),
    constraint publications_published_check check ((published_size is null) = (published_at is null) and published_size > 0),
    constraint publications_attempts_check check (attempts >= 0),
    constraint publications_fault_check check (length(fault) <= 1000)
);
comment on table audit.publications is 'How far the instance log''s checkpoints were published, by destination.';
comment on column audit.publications.destination is 'Where to: the host and port of the web hook.';
comment on column audit.publications.published_size is 'The size of the newest checkpoint that was taken there; null for none yet.';
comment on column audit.publications.published_at is 'When that was.';
comment on column audit.publications.attempted_at is 'When it was last tried.';
comment on column audit.publications.attempts is 'How often it was tried in vain since.';
comment on column audit.publications.fault is 'Why it failed the last time; null when it did not.';
comment on constraint publications_pkey on audit.publications is 'One record for each destination.';
comment on constraint publications_destination_check on audit.publications is 'A destination has 1 to 300 characters.';
comment on constraint publications_published_check on audit.publications is 'What was published has a size and a time.';
comment on constraint publications_attempts_check on audit.publications is 'A count is not negative.';
comment on constraint publications_fault_check on audit.publications is 'A reason has at most 1000 characters.';

create table audit.archives (
    month date not null,
    object text not null,
    sha256 bytea not null,
    content_hash bytea not null,
    byte_count bigint not null,
    row_count bigint not null,
    archived_at timestamptz not null,
    dropped_at timestamptz,
    constraint archives_pkey primary key (month),
    constraint archives_month_check check (month = date_trunc('month', month)::date),
    constraint archives_object_check check (length(object) between 1 and 1000),
    constraint archives_sha256_check check (octet_length(sha256) = 32 and octet_length(content_hash) = 32),
    constraint archives_byte_count_check check (byte_count > 0),
    constraint archives_row_count_check check (row_count >= 0)
);
comment on table audit.archives is 'Months of the trail that were written to the object store. What an archive is trusted by is the entry of action archive in each organization''s trail.';
comment on column audit.archives.month is 'The first day of the month.';
comment on column audit.archives.object is 'The archive''s path in the object store.';
comment on column audit.archives.sha256 is 'The SHA-256 of its bytes.';
comment on column audit.archives.content_hash is 'The SHA-256 of organization, entry and leaf hash of each of its rows, in their order.';
comment on column audit.archives.byte_count is 'How long it is, in bytes.';
comment on column audit.archives.row_count is 'How many entries it holds.';
comment on column audit.archives.archived_at is 'When it was written, and read back.';
comment on column audit.archives.dropped_at is 'When the month was dropped from the database; null while it is still there.';
comment on constraint archives_pkey on audit.archives is 'A month is archived once.';
comment on constraint archives_month_check on audit.archives is 'A month is named by its first day.';
comment on constraint archives_object_check on audit.archives is 'A path has 1 to 1000 characters.';
comment on constraint archives_sha256_check on audit.archives is 'A SHA-256 hash has 32 bytes.';
comment on constraint archives_byte_count_check on audit.archives is 'An archive is not empty.';
comment on constraint archives_row_count_check on audit.archives is 'A count is not negative.';

do $$
declare
    tab text;
begin
    foreach tab in array array['publications', 'archives'] loop
        execute format('alter table audit.%I enable row level security, force row level security', tab);
        execute format('create policy owner_all on audit.%I to ephor_owner using (true) with check (true)', tab);
        execute format('create policy migrator_all on audit.%I to ephor_migrator using (true) with check (true)', tab);
        execute format('create policy sealer_all on audit.%I to ephor_sealer using (true) with check (true)', tab);
        execute format('create policy backup_read on audit.%I for select to ephor_backup using (true)', tab);
        execute format('grant select on audit.%I to ephor_sealer, ephor_backup', tab);
    end loop;
end $$;
grant insert, update on audit.publications to ephor_sealer;
grant insert, delete on audit.archives to ephor_sealer;

-- An archive may be replaced until its month is dropped: then it is all that there is.
create function audit.keep_archive() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.dropped_at is not null then
        raise exception 'the archive of % is all that there is of that month', to_char(old.month, 'YYYY-MM') using errcode = '55000';
    end if;
    return coalesce(new, old);
end $$;
comment on function audit.keep_archive() is 'Refuses to forget or change the record of an archive whose month was dropped.';
revoke all on function audit.keep_archive() from public;
create trigger keep before update or delete on audit.archives for each row execute function audit.keep_archive();

-- Nobody's event may pass for the record of an archive, as none may for an erasure.
create or replace function audit.check_event(action text, entity_type text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if action is null or entity_type is null
        or action !~ '^[a-z][a-z0-9_.]{0,99}$' or entity_type !~ '^[a-z][a-z0-9_.]{0,99}$' then
        raise exception 'An audit event needs an action and an entity type of 1 to 100 lower-case letters, digits, dots and underscores, not % and %',
            coalesce(quote_literal(action), 'null'), coalesce(quote_literal(entity_type), 'null') using errcode = '22023';
    end if;
    if action in ('insert', 'update', 'delete', 'erase', 'archive') then
        raise exception 'The action % is written by Ephor itself; name the event otherwise', quote_literal(action) using errcode = '22023';
    end if;
end
$$;

create function audit.months() returns table (month date, part text)
language sql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
    select (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(\d{4}-\d{2}-\d{2})'))[1]::date, c.relname::text
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit.audit_logs'::regclass and pg_get_expr(c.relpartbound, c.oid) like 'FOR VALUES FROM%'
    order by 1
$$;
comment on function audit.months() is 'The months of the trail that are in the database, and the partitions that hold them.';
revoke all on function audit.months() from public;
grant execute on function audit.months() to ephor_sealer;

create function audit.month_drop(wanted date) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
    first constant timestamptz := wanted::timestamptz;
    past constant timestamptz := wanted::timestamptz + interval '1 month';
    kept audit.archives;
    partition_name text;
    present bigint;
    tenant record;
    before jsonb;
begin
    perform pg_advisory_xact_lock(hashtextextended('ephor months of audit.audit_logs', 0));
    select a.* into kept from audit.archives a where a.month = wanted for update;
    if kept.month is null then
        raise exception 'audit.month_drop: % is not archived', wanted using errcode = '55000';
    end if;
    if kept.dropped_at is not null then
        return 0;
    end if;
    if wanted >= date_trunc('month', now())::date then
        raise exception 'audit.month_drop: % is not past', wanted using errcode = '22023';
    end if;
    if exists (select from audit.months() m where m.month < wanted) then
        raise exception 'audit.month_drop: an older month is still there' using errcode = '55000';
    end if;
    select m.part into partition_name from audit.months() m where m.month = wanted;
    if partition_name is null then
        raise exception 'audit.month_drop: there is no %', wanted using errcode = '55000';
    end if;
    -- From here on nothing is written into it: what is counted is what goes.
    execute format('lock table audit.%I in access exclusive mode', partition_name);
    select count(*) into present from audit.audit_logs l where l.created_at >= first and l.created_at < past;
    if present <> kept.row_count then
        raise exception 'audit.month_drop: % holds % entries, and its archive %', wanted, present, kept.row_count using errcode = '55000';
    end if;
    if exists (select from audit.seal_queue q where q.entry_id in (
        select l.id from audit.audit_logs l where l.created_at >= first and l.created_at < past
            and l.organization_id = q.organization_id)) then
        raise exception 'audit.month_drop: % holds entries that are not sealed', wanted using errcode = '55000';
    end if;
    -- Each trail says itself what of it was archived, the newest record all that the older ones said.
    for tenant in
        select l.organization_id, count(*) as entries from audit.audit_logs l
        where l.created_at >= first and l.created_at < past group by l.organization_id
    loop
        select l.body::jsonb -> 'details' -> 'archived' into before from audit.audit_logs l
        where l.organization_id = tenant.organization_id and l.action = 'archive' and l.body is not null
        order by l.id desc limit 1;
        perform audit.append(tenant.organization_id, 'system', '00000000-0000-7000-8000-000000000002', 'archive', 'audit.audit_logs', null,
            '"details":' || jsonb_build_object('archived', coalesce(before, '[]') || jsonb_build_array(jsonb_build_object(
                'month', to_char(wanted, 'YYYY-MM'), 'entries', tenant.entries, 'object', kept.object,
                'sha256', encode(kept.sha256, 'hex'))))::text);
    end loop;
    execute format('alter table audit.audit_logs detach partition audit.%I', partition_name);
    execute format('drop table audit.%I', partition_name);
    update audit.archives a set dropped_at = now() where a.month = wanted;
    return present;
end $$;
comment on function audit.month_drop(date) is 'Drops a past month of the trail whose archive was written and read back, the oldest first, and records it in each organization''s trail; says how many entries went. Tiles, bundles and checkpoints stay.';
revoke all on function audit.month_drop(date) from public;
grant execute on function audit.month_drop(date) to ephor_sealer;
