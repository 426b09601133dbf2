-- Retention for every table of high rate: a past month of each organization becomes a Parquet file in the object store,
-- and only what lies there as it is here is dropped. The trail says which bytes each file had.

-- The tables ------------------------------------------------------------------------------------------------------------

create function ops.month_tables() returns table (place regclass, name text)
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select c.oid::regclass, n.nspname || '.' || c.relname
      from pg_partitioned_table as p
      join pg_class as c on c.oid = p.partrelid
      join pg_namespace as n on n.oid = c.relnamespace
     where c.relowner = 'ephor_owner'::regrole and p.partstrat = 'r'
       -- Its archives are of a form of their own: proofs are read out of them.
       and (n.nspname, c.relname) <> ('audit', 'audit_logs')
     order by 2
$$;
comment on function ops.month_tables() is 'The tables that are partitioned by month, save the audit trail.';

-- What an erasure blanks here it could not blank in a file: so no file ever holds it.
create function ops.archive_columns(tbl regclass) returns table (name text, kind text, is_nullable boolean, is_left_out boolean)
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select a.attname::text, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
           exists (select from (values ('guard.guard_operations', 'user_reference')) as personal (place, attribute)
                    where to_regclass(personal.place) = tbl and personal.attribute = a.attname)
      from pg_attribute as a
     where a.attrelid = tbl and a.attnum > 0 and not a.attisdropped
     order by a.attnum
$$;
comment on function ops.archive_columns(regclass) is 'The columns of a table with their types, and which of them an archive leaves out because an erasure blanks them.';

create function ops.archive_select(tbl regclass) returns text
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    kept text;
begin
    if not exists (select from ops.month_tables() m where m.place = tbl) then
        raise exception 'ops.archive_select: % is no table whose months are archived so', tbl using errcode = '42809';
    end if;
    -- Text is exact for what JSON or its readers would round or take apart.
    select string_agg(case when c.kind in ('smallint', 'integer', 'bigint', 'boolean', 'real', 'double precision', 'date', 'timestamp with time zone')
               then format('r.%I', c.name) else format('r.%I::text as %I', c.name, c.name) end, ', ')
      into kept
      from ops.archive_columns(tbl) as c where not c.is_left_out;
    return format('select r.organization_id, r.id, r.created_at, l.line, hashtextextended(l.line, 0) as digest
        from %s as r cross join lateral (select row_to_json(x)::text as line from (select %s) as x) as l', tbl, kept);
end $$;
comment on function ops.archive_select(regclass) is 'The query of a table''s rows as an archive holds them: a line of JSON each, and a number by which a change is noticed. Made of names of the catalog alone.';

create function ops.month_rows(tbl regclass, first date, after_id uuid, after_time timestamptz, many integer)
    returns table (id uuid, created_at timestamptz, line text, digest bigint)
    language plpgsql stable
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1 set datestyle = 'ISO, YMD' as $$
declare
    organization constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
begin
    if organization is null then
        raise exception 'ops.month_rows needs a transaction with an organization' using errcode = '55000';
    end if;
    return query execute format(
        'select a.id, a.created_at, a.line, a.digest from (%s) as a
          where a.organization_id = $1 and a.created_at >= $2 and a.created_at < $3
            and ($4 is null or (a.id, a.created_at) > ($4, $5))
          order by a.id, a.created_at limit $6', ops.archive_select(tbl))
    using organization, first::timestamptz, first::timestamptz + interval '1 month', after_id, after_time, many;
end $$;
comment on function ops.month_rows(regclass, date, uuid, timestamptz, integer) is 'Rows of a month of the transaction''s organization as an archive holds them, in the order of their ids, after the one given.';

-- The archives ----------------------------------------------------------------------------------------------------------

create table ops.archives (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    source_table text not null,
    month date not null,
    part integer not null default 1,
    object text not null,
    sha256 text not null,
    byte_count bigint not null,
    row_count bigint not null,
    row_digest text not null,
    left_out text[] not null default '{}',
    dropped_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint archives_pkey primary key (organization_id, id),
    constraint archives_part_key unique (organization_id, source_table, month, part),
    constraint archives_source_table_check check (length(source_table) between 3 and 130),
    constraint archives_month_check check (month = date_trunc('month', month)::date),
    constraint archives_part_check check (part > 0),
    constraint archives_object_check check (length(object) between 1 and 1000),
    constraint archives_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint archives_byte_count_check check (byte_count > 0),
    constraint archives_row_count_check check (row_count > 0),
    constraint archives_row_digest_check check (row_digest ~ '^-?[0-9]{1,40}$')
);
comment on table ops.archives is 'Months of tables of high rate that were written to the object store as Parquet, a file for each organization. Made by retention alone; the organization''s trail tells of each.';
comment on column ops.archives.organization_id is 'The organization whose rows it holds.';
comment on column ops.archives.id is 'The archive.';
comment on column ops.archives.source_table is 'The table that the rows are of, such as gateway.cost_transactions.';
comment on column ops.archives.month is 'The first day of the month.';
comment on column ops.archives.part is '1, and more for rows that came after the month had been archived.';
comment on column ops.archives.object is 'The file''s path in the object store.';
comment on column ops.archives.sha256 is 'The SHA-256 of the file, in hexadecimal.';
comment on column ops.archives.byte_count is 'How long the file is, in bytes.';
comment on column ops.archives.row_count is 'How many rows it holds.';
comment on column ops.archives.row_digest is 'The sum of a number for each row, by which a change between writing and dropping is noticed.';
comment on column ops.archives.left_out is 'Columns that it does not hold, because an erasure could not reach them there.';
comment on column ops.archives.dropped_at is 'When the rows were dropped from the database; null while they are still there.';
comment on column ops.archives.created_at is 'When it was written, and read back.';
comment on column ops.archives.updated_at is 'When this record was last changed.';
comment on constraint archives_pkey on ops.archives is 'An archive is known within its organization.';
comment on constraint archives_part_key on ops.archives is 'A part of a month of a table is archived once.';
comment on constraint archives_source_table_check on ops.archives is 'A table is named with its schema.';
comment on constraint archives_month_check on ops.archives is 'A month is named by its first day.';
comment on constraint archives_part_check on ops.archives is 'Parts are counted from 1.';
comment on constraint archives_object_check on ops.archives is 'A path has 1 to 1000 characters.';
comment on constraint archives_sha256_check on ops.archives is 'A SHA-256 has 64 hexadecimal digits.';
comment on constraint archives_byte_count_check on ops.archives is 'A file is not empty.';
comment on constraint archives_row_count_check on ops.archives is 'No file is written for nothing.';
comment on constraint archives_row_digest_check on ops.archives is 'A sum is a whole number.';
create index archives_month_idx on ops.archives (organization_id, month desc, id);
select kernel.tenant_table('ops.archives', writable => false);

-- An archive may be replaced until its rows are dropped: then it is all that there is of them.
create function ops.archives_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.dropped_at is not null then
        raise exception 'the archive % is all that there is of its rows', old.object using errcode = '55000';
    end if;
    return coalesce(new, old);
end $$;
comment on function ops.archives_keep() is 'Refuses to forget or change the record of an archive whose rows were dropped.';
revoke all on function ops.archives_keep() from public;
create trigger keep before update or delete on ops.archives for each row execute function ops.archives_keep();

create function ops.archives_list(p_limit integer)
    returns table (id uuid, organization_id uuid, source_table text, month date, part integer, object text, sha256 text,
        byte_count bigint, row_count bigint, row_digest text, dropped_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select a.id, a.organization_id, a.source_table, a.month, a.part, a.object, a.sha256, a.byte_count, a.row_count, a.row_digest,
           a.dropped_at
      from ops.archives a
     order by a.month desc, a.source_table, a.organization_id, a.part
     limit p_limit
$$;
comment on function ops.archives_list(integer) is 'The archives of all organizations, the newest months first.';

create function ops.month_tenants(tbl regclass, first date)
    returns table (organization_id uuid, row_count bigint, row_digest text)
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1 set datestyle = 'ISO, YMD' as $$
begin
    return query execute format(
        'select coalesce(a.organization_id, k.organization_id), coalesce(a.row_count, 0), coalesce(a.row_digest, ''0'')
           from (select i.organization_id, count(*) as row_count, sum(i.digest::numeric)::text as row_digest
                   from (%s) as i where i.created_at >= $1 and i.created_at < $2 group by 1) as a
           full join (select w.organization_id from ops.archives as w
                       where w.source_table = $3 and w.month = $4 and w.dropped_at is null) as k
             on k.organization_id = a.organization_id
          order by 1', ops.archive_select(tbl))
    using first::timestamptz, first::timestamptz + interval '1 month',
          (select m.name from ops.month_tables() as m where m.place = tbl), first;
end $$;
comment on function ops.month_tenants(regclass, date) is 'The organizations that have rows of a month, or an archive of it that was not followed by dropping: how many rows, and the sum of the numbers by which a change of any is noticed.';

-- Dropping --------------------------------------------------------------------------------------------------------------

-- A month of all organizations goes at once, by its partition: no dead rows, no vacuum. It waits for readers, but not
-- long: everybody else would wait behind it.
create or replace function kernel.drop_month(tbl regclass, month date) returns text
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
    first constant date := date_trunc('month', month)::date;
    parent record;
    part record;
    tenant record;
    total bigint := 0;
begin
    select m.name, m.place into parent from ops.month_tables() m where m.place = tbl;
    if parent is null and tbl = 'audit.audit_logs'::regclass then
        raise exception 'kernel.drop_month: the audit trail''s months go by audit.month_drop' using errcode = '42809';
    end if;
    if parent is null then
        raise exception 'kernel.drop_month: % is no table of Ephor that is partitioned by month', tbl using errcode = '42809';
    end if;
    if month is null or first >= date_trunc('month', now())::date then
        raise exception 'kernel.drop_month: % is not past', coalesce(to_char(first, 'YYYY-MM'), 'null') using errcode = '22023';
    end if;
    -- What is compared must be what is there once writers are locked out, not what was when the transaction began.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'kernel.drop_month needs a transaction that reads what is committed' using errcode = '25001';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('ephor months of ' || tbl, 0));
    -- The partition is known by its bounds, not by its name.
    select c.oid::regclass as it, n.nspname || '.' || c.relname as name
      into part
      from pg_inherits as i
      join pg_class as c on c.oid = i.inhrelid
      join pg_namespace as n on n.oid = c.relnamespace
     where i.inhparent = tbl
       and pg_get_expr(c.relpartbound, c.oid) = format(
               'FOR VALUES FROM (%L) TO (%L)', first::timestamptz, (first + interval '1 month')::timestamptz);
    if part is null then
        return null;
    end if;
    -- From here on nobody writes into it: what is compared is what goes. Readers are not kept waiting for that.
    execute format('lock table %s in share mode', part.it);
    for tenant in
        select m.organization_id, m.row_count, m.row_digest, k.id as archive, k.row_count as kept_count, k.row_digest as kept_digest,
               k.part, k.byte_count, k.object, k.sha256
          from ops.month_tenants(tbl, first) as m
          left join ops.archives as k
            on k.organization_id = m.organization_id and k.source_table = parent.name and k.month = first and k.dropped_at is null
    loop
        if (tenant.row_count, tenant.row_digest) is distinct from (tenant.kept_count, tenant.kept_digest) then
            raise exception 'kernel.drop_month: % of % is not archived as it is: organization % has % rows, and its archive %',
                to_char(first, 'YYYY-MM'), parent.name, tenant.organization_id, tenant.row_count,
                coalesce(tenant.kept_count, 0) using errcode = '55000';
        end if;
        total := total + tenant.row_count;
        -- Each trail says itself what was archived: by that its file is trusted.
        perform audit.append(tenant.organization_id, null, null, 'archive', parent.name, tenant.archive,
            '"details":' || jsonb_build_object('table', parent.name, 'month', to_char(first, 'YYYY-MM'), 'part', tenant.part,
                'rows', tenant.row_count, 'bytes', tenant.byte_count, 'object', tenant.object,
                'sha256', tenant.sha256)::text);
    end loop;
    update ops.archives as k set dropped_at = now()
     where k.source_table = parent.name and k.month = first and k.dropped_at is null;
    execute format('alter table %s detach partition %s', tbl, part.it);
    execute format('drop table %s', part.it);
    -- Of no one tenant: booked, as changes of global rows are, under the platform organization.
    perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, 'month_dropped', parent.name, null,
        jsonb_build_object('partition', part.name, 'month', to_char(first, 'YYYY-MM'), 'rows', total));
    return part.name;
end $$;
comment on function kernel.drop_month(regclass, date) is
    'Drops the partition of a past month from a table that is partitioned by month, save the audit trail, if each organization''s rows of it are archived as they are, and records it in each one''s trail; gives the partition''s name, or nothing when there is none.';

revoke all on function ops.month_tables(), ops.archive_columns(regclass), ops.archive_select(regclass),
    ops.month_rows(regclass, date, uuid, timestamptz, integer), ops.month_tenants(regclass, date), ops.archives_list(integer) from public;
grant execute on function ops.month_tables(), ops.archive_columns(regclass), ops.archive_select(regclass),
    ops.month_rows(regclass, date, uuid, timestamptz, integer), ops.month_tenants(regclass, date), ops.archives_list(integer) to ephor_system;

-- The trail -------------------------------------------------------------------------------------------------------------

-- Records of other tables' archives say nothing of the trail's own months.
create or replace function audit.month_drop(wanted date) returns bigint
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
        where l.organization_id = tenant.organization_id and l.action = 'archive' and l.entity_type = 'audit.audit_logs'
            and l.body is not null
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
