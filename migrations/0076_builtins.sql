-- Built-in data (frameworks, controls, personas, templates) is copied into each organization, and the copies follow
-- new versions as long as nobody changed them.

create table ops.builtin_copies (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    entity text not null,
    builtin_code text not null,
    builtin_version integer not null,
    row_id uuid,
    content jsonb not null,
    offered_version integer,
    offered jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint builtin_copies_pkey primary key (organization_id, id),
    constraint builtin_copies_code_key unique (organization_id, entity, builtin_code),
    constraint builtin_copies_entity_check check (entity ~ '^[a-z_]+\.[a-z_]+$' and length(entity) <= 100),
    constraint builtin_copies_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint builtin_copies_builtin_version_check check (builtin_version >= 1),
    constraint builtin_copies_content_check check (jsonb_typeof(content) = 'object'),
    constraint builtin_copies_offered_check check (
        (offered is null) = (offered_version is null) and jsonb_typeof(offered) = 'object' and offered_version > builtin_version)
);
comment on table ops.builtin_copies is 'What of the built-in data was copied into the organization, as it was copied: so that what nobody changed follows new versions.';
comment on column ops.builtin_copies.organization_id is 'The organization that holds the copy.';
comment on column ops.builtin_copies.id is 'The note of the copy.';
comment on column ops.builtin_copies.entity is 'What was copied, such as deliberation.personas.';
comment on column ops.builtin_copies.builtin_code is 'Which built-in entry it is a copy of.';
comment on column ops.builtin_copies.builtin_version is 'Which version of it the organization holds.';
comment on column ops.builtin_copies.row_id is 'The copy; null when the organization has deleted it: it is not copied again.';
comment on column ops.builtin_copies.content is 'The built-in columns of the copy as they were when it was copied or last followed.';
comment on column ops.builtin_copies.offered_version is 'The newer version that waits because the copy was changed here.';
comment on column ops.builtin_copies.offered is 'What the newer version says, beside which the change can be held.';
comment on column ops.builtin_copies.created_at is 'When it was copied.';
comment on column ops.builtin_copies.updated_at is 'When it last followed, or was offered a version.';
comment on column ops.builtin_copies.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint builtin_copies_pkey on ops.builtin_copies is 'The note is known within its organization.';
comment on constraint builtin_copies_code_key on ops.builtin_copies is 'A built-in entry is copied once into an organization.';
comment on constraint builtin_copies_entity_check on ops.builtin_copies is 'A table, with its schema.';
comment on constraint builtin_copies_builtin_code_check on ops.builtin_copies is 'The code of a built-in entry has 1 to 100 characters.';
comment on constraint builtin_copies_builtin_version_check on ops.builtin_copies is 'Versions count from 1.';
comment on constraint builtin_copies_content_check on ops.builtin_copies is 'The content: a JSON object.';
comment on constraint builtin_copies_offered_check on ops.builtin_copies is 'What is offered is a newer version, as a JSON object.';
create index builtin_copies_created_at_idx on ops.builtin_copies (organization_id, created_at desc, id);
select kernel.tenant_table('ops.builtin_copies', writable => false);

create table ops.builtin_editions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    digest text not null,
    followed_at timestamptz not null default now(),
    constraint builtin_editions_pkey primary key (organization_id, id),
    constraint builtin_editions_organization_key unique (organization_id),
    constraint builtin_editions_digest_check check (digest ~ '^[0-9a-f]{64}$')
);
comment on table ops.builtin_editions is 'Up to which edition of the built-in data the organization''s copies were brought.';
comment on column ops.builtin_editions.organization_id is 'The organization.';
comment on column ops.builtin_editions.id is 'The note.';
comment on column ops.builtin_editions.digest is 'SHA-256 of all built-in data that its copies last followed, in hexadecimal.';
comment on column ops.builtin_editions.followed_at is 'When they did.';
comment on constraint builtin_editions_pkey on ops.builtin_editions is 'The note is known within its organization.';
comment on constraint builtin_editions_organization_key on ops.builtin_editions is 'An organization has one.';
comment on constraint builtin_editions_digest_check on ops.builtin_editions is 'A SHA-256 has 64 hexadecimal digits.';
select kernel.tenant_table('ops.builtin_editions', writable => false);

-- The work is a job of the organization, like all that is done in the background.
create function ops.builtins_request(p_organization uuid) returns uuid
    language sql set search_path = pg_catalog, pg_temp as $$
    with job as (
        insert into ops.jobs (organization_id, id, kind, created_by)
        values (p_organization, kernel.uuidv7(), 'builtins.follow',
                coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000001'))
        returning id)
    insert into ops.outbox (organization_id, id, kind, subject_id)
    select p_organization, kernel.uuidv7(), 'job', id from job
    returning subject_id
$$;
comment on function ops.builtins_request(uuid) is 'Has the built-in data of an organization brought up to date by a worker; answers the job.';

-- Called after the migrations, as the owner, with the digest of what the binary holds.
create function ops.builtins_due(p_held jsonb) returns bigint
    language sql set search_path = pg_catalog, pg_temp as $$
    select count(ops.builtins_request(o.id))
      from identity.organizations as o
     where o.is_active
       and not exists (
           select from ops.builtin_editions as e where e.organization_id = o.id and e.digest = p_held ->> 'digest')
       and not exists (
           select from ops.jobs as j
            where j.organization_id = o.id and j.kind = 'builtins.follow' and j.state = 'queued')
$$;
comment on function ops.builtins_due(jsonb) is 'Requests the upgrade of every organization whose copies are of another edition than the one given; says of how many.';

-- A framework's requirements are copied when the organization wants to be assessed against it: most organizations
-- are held to two or three.
create function compliance.framework_requirements_request() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform ops.builtins_request(new.organization_id);
    return null;
end $$;
comment on function compliance.framework_requirements_request() is 'Has the requirements of a built-in framework copied once it is active.';
create trigger frameworks_requirements after update of is_active on compliance.frameworks
    for each row when (new.is_active and not old.is_active and new.builtin_code is not null)
    execute function compliance.framework_requirements_request();

create function ops.json_part(p_row jsonb, p_columns text[]) returns jsonb
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select jsonb_object_agg(c, p_row -> c) from unnest(p_columns) as c
$$;
comment on function ops.json_part(jsonb, text[]) is 'The named members of a JSON object.';

-- Follows the built-in entries of one table, in the organization of the transaction. `entries` are
-- {code, version, values: {column: value}, references: {column: code}}, all with the same columns; `targets` says
-- to which table each reference points, and `initial` what else a new copy begins with, which is the organization's to
-- change.
create function ops.builtins_follow(
    p_entity text, p_targets jsonb, p_initial jsonb, p_entries jsonb,
    out created bigint, out followed bigint, out kept bigint)
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    organization constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    entity constant regclass := p_entity::regclass;
    held constant text := $held$
        select e.code, e.version, e.values || coalesce(r.ids, '{}') as values
          from jsonb_to_recordset($2) as e (code text, version integer, "values" jsonb, "references" jsonb)
          cross join lateral (
              select jsonb_object_agg(named.key, target.row_id) as ids,
                     count(*) filter (where named.value is not null and target.row_id is null) as missing
                from jsonb_each_text(e.references) as named
                left join ops.builtin_copies as target
                  on target.organization_id = $1 and target.entity = $3 ->> named.key
                 and target.builtin_code = named.value) as r
         where r.missing = 0 $held$;
    columns text[];
    list text;
    prefixed text;
    begun text;
    begun_prefixed text;
    done bigint;
begin
    created := 0;
    followed := 0;
    kept := 0;
    select array_agg(c order by c) into columns
      from (select jsonb_object_keys(p_entries -> 0 -> 'values') union select jsonb_object_keys(p_targets)) as named (c);
    if columns is null then
        return;
    end if;
    select string_agg(quote_ident(c), ', ' order by c), string_agg('p.' || quote_ident(c), ', ' order by c)
      into list, prefixed from unnest(columns) as c;
    select string_agg(quote_ident(c), ', ' order by c), string_agg('p.' || quote_ident(c), ', ' order by c)
      into begun, begun_prefixed from jsonb_object_keys(p_initial) as c;

    -- What was deleted here stays so, and what would hang on it is not copied either.
    execute format($sql$
        update ops.builtin_copies as c set row_id = null, offered = null, offered_version = null
         where c.organization_id = $1 and c.entity = $2 and c.row_id is not null
           and not exists (select from %s as t where t.organization_id = $1 and t.id = c.row_id)
        $sql$, entity) using organization, p_entity;

    -- Parts of the same table follow their wholes, one level at a time.
    loop
        execute format($sql$
            with held as (%1$s),
            made as (
                insert into %2$s as t (organization_id, builtin_code, builtin_version, %3$s)
                select $1, h.code, h.version, %4$s
                  from held as h cross join lateral jsonb_populate_record(null::%2$s, h.values || $6) as p
                 where not exists (
                     select from ops.builtin_copies as c
                      where c.organization_id = $1 and c.entity = $4 and c.builtin_code = h.code)
                on conflict do nothing
                returning t.id, t.builtin_code, t.builtin_version, ops.json_part(to_jsonb(t), $5) as content),
            noted as (
                insert into ops.builtin_copies (organization_id, entity, builtin_code, builtin_version, row_id, content)
                select $1, $4, m.builtin_code, m.builtin_version, m.id, m.content from made as m
                returning 1)
            select count(*) from noted
            $sql$, held, entity, concat_ws(', ', list, begun), concat_ws(', ', prefixed, begun_prefixed))
            into done using organization, p_entries, p_targets, p_entity, columns, p_initial;
        exit when done = 0;
        created := created + done;
    end loop;

    execute format($sql$
        with newer as (
            select h.version, h.values, c.id as note, c.row_id, c.content
              from (%1$s) as h
              join ops.builtin_copies as c on c.organization_id = $1 and c.entity = $4 and c.builtin_code = h.code
             where c.builtin_version < h.version and c.row_id is not null),
        changed as (
            update %2$s as t set (builtin_version, %3$s) = (
                select n.version, %4$s from jsonb_populate_record(null::%2$s, n.values) as p)
              from newer as n
             where t.organization_id = $1 and t.id = n.row_id and ops.json_part(to_jsonb(t), $5) = n.content
            returning n.note, n.version, ops.json_part(to_jsonb(t), $5) as content),
        noted as (
            update ops.builtin_copies as c
               set builtin_version = changed.version, content = changed.content, offered = null, offered_version = null
              from changed
             where c.organization_id = $1 and c.id = changed.note
            returning 1),
        offered as (
            update ops.builtin_copies as c set offered = n.values, offered_version = n.version
              from newer as n
             where c.organization_id = $1 and c.id = n.note and c.offered_version is distinct from n.version
               and not exists (select from changed where changed.note = n.note)
            returning 1)
        select (select count(*) from noted), (select count(*) from newer) - (select count(*) from noted),
               (select count(*) from offered)
        $sql$, held, entity, list, prefixed)
        into followed, kept, done using organization, p_entries, p_targets, p_entity, columns;
end $$;
comment on function ops.builtins_follow(text, jsonb, jsonb, jsonb) is 'Copies the built-in entries that the organization does not have yet, brings the copies that nobody changed to the versions given, and offers these beside the changed ones. Says how many of each.';

revoke all on function ops.builtins_request(uuid), ops.builtins_due(jsonb), ops.json_part(jsonb, text[]),
    ops.builtins_follow(text, jsonb, jsonb, jsonb), compliance.framework_requirements_request() from public;
grant execute on function ops.builtins_request(uuid) to ephor_app, ephor_system;
grant execute on function ops.json_part(jsonb, text[]), ops.builtins_follow(text, jsonb, jsonb, jsonb) to ephor_system;
