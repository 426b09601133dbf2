-- What every table stands on: ids, touch triggers, and the one template of tenancy.

create schema kernel;
comment on schema kernel is 'What every table stands on.';
grant usage on schema kernel to ephor_app, ephor_reach, ephor_system, ephor_sealer, ephor_door, ephor_search,
    ephor_migrator, ephor_backup;

-- One schema for each context, and those of store itself.
do $$
declare
    context record;
begin
    for context in
        select * from (values
            ('identity', 'People, organizations, members, roles, sessions and keys.'),
            ('registry', 'What is governed: models, their versions, data sets.'),
            ('assurance', 'Bias analyses and their results.'),
            ('ops', 'Jobs, events and the state of the system.'),
            ('door', 'What may be called before there is a scope.'),
            ('search', 'Full-text search beyond what row-level security lets an index do.')) as listed (name, about)
    loop
        execute format('create schema %I', context.name);
        execute format('comment on schema %I is %L', context.name, context.about);
        execute format('grant usage on schema %I to ephor_app, ephor_reach, ephor_system, ephor_sealer, ephor_door,
            ephor_search, ephor_migrator, ephor_backup', context.name);
    end loop;
end $$;
-- A function can be given only to a role that could have made it.
grant create on schema identity, door to ephor_door;
grant create on schema search to ephor_search;

create table kernel.migrations (
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    constraint migrations_pkey primary key (name)
);
comment on table kernel.migrations is 'The migrations that this database has seen.';
comment on column kernel.migrations.name is 'The file''s name.';
comment on column kernel.migrations.sha256 is 'SHA-256 of the file, in hexadecimal.';
comment on column kernel.migrations.applied_at is 'When it was applied.';
comment on constraint migrations_pkey on kernel.migrations is 'A migration is applied once.';
grant select on kernel.migrations to ephor_app, ephor_system, ephor_backup;

-- RFC 9562, version 7: 48 bits of milliseconds, 12 bits of the millisecond's fraction, the rest by chance.
create function kernel.uuidv7() returns uuid
    language sql volatile parallel safe set search_path = pg_catalog as $$
    select encode(
        set_byte(
            set_byte(
                overlay(uuid_send(gen_random_uuid()) placing substring(int8send((micros / 1000)::bigint) from 3)
                    from 1 for 6),
                6, 112 + ((micros % 1000) * 4096 / 1000 / 256)::integer),
            7, ((micros % 1000) * 4096 / 1000 % 256)::integer),
        'hex')::uuid
    from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros) as now
$$;
comment on function kernel.uuidv7() is 'A new UUIDv7: ids sort by the time they were made.';

create function kernel.touch() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    new.updated_at := clock_timestamp();
    return new;
end $$;
comment on function kernel.touch() is 'Keeps updated_at.';

create function kernel.touch_version() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    new.updated_at := clock_timestamp();
    new.version := old.version + 1;
    return new;
end $$;
comment on function kernel.touch_version() is 'Keeps updated_at and version.';

-- Makes a table a tenant's: row-level security, grants, touch trigger, audit. The policies are literally the ones
-- that the planner folds into a one-time filter: an equality on a setting, no function of ours, no sub-select.
create function kernel.tenant_table(
    tbl regclass, masked text[] default '{}', audited boolean default true, writable boolean default true
) returns void
    language plpgsql set search_path = pg_catalog as $$
declare
    columns text[] := (
        select array_agg(attname::text) from pg_attribute
        where attrelid = tbl and attnum > 0 and not attisdropped);
    key text[] := (
        select array_agg(a.attname::text order by k.position)
        from pg_constraint c, unnest(c.conkey) with ordinality as k (number, position), pg_attribute a
        where c.conrelid = tbl and c.contype = 'p' and a.attrelid = tbl and a.attnum = k.number);
    here constant text := 'organization_id = nullif(current_setting(''ephor.organization_id'', true), '''')::uuid';
    reach constant text := 'organization_id = any (nullif(current_setting(''ephor.readable'', true), '''')::uuid[])';
begin
    if key is null or key not in ('{organization_id,id}', '{organization_id,id,created_at}') then
        raise exception 'the primary key of % is %, not (organization_id, id[, created_at])', tbl, key;
    end if;
    execute format('alter table %s enable row level security', tbl);
    execute format('alter table %s force row level security', tbl);
    execute format('create policy tenant_app on %s to ephor_app using (%s) with check (%s)', tbl, here, here);
    execute format('create policy tenant_system on %s to ephor_system using (%s) with check (%s)', tbl, here, here);
    execute format('create policy tenant_reach on %s for select to ephor_reach using (%s)', tbl, reach);
    execute format('create policy tenant_owner on %s to ephor_owner using (true) with check (true)', tbl);
    execute format('create policy tenant_migrator on %s to ephor_migrator using (true) with check (true)', tbl);
    execute format('create policy tenant_backup on %s for select to ephor_backup using (true)', tbl);
    execute format('grant select on %s to ephor_app, ephor_reach, ephor_system, ephor_backup', tbl);
    execute format('grant insert, update, delete on %s to ephor_system', tbl);
    if writable then
        execute format('grant insert, update, delete on %s to ephor_app', tbl);
    end if;
    if columns @> '{updated_at,version}' then
        execute format('create trigger touch before update on %s for each row execute function kernel.touch_version()', tbl);
    elsif columns @> '{updated_at}' then
        execute format('create trigger touch before update on %s for each row execute function kernel.touch()', tbl);
    end if;
    if audited then
        perform audit.watch(tbl, masked);
    end if;
end $$;
comment on function kernel.tenant_table(regclass, text[], boolean, boolean) is
    'Makes a table a tenant''s: row-level security, grants, touch trigger, audit.';
revoke execute on function kernel.tenant_table(regclass, text[], boolean, boolean) from public;
