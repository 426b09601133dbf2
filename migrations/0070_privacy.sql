-- What is held on a person: handing it to them, and erasing it.
--
-- Global tables: data_exports, data_export_parts (a person sees their own). Which columns hold a person's id is read
-- from the catalog, so that a new table is covered by being there; tests/schema/personal.rs holds the list of the
-- columns that hold more than an id.

create table identity.data_exports (
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    state text not null default 'pending',
    row_count bigint,
    byte_count bigint,
    sha256 bytea,
    fault text,
    expires_at timestamptz not null default now() + interval '7 days',
    completed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint data_exports_pkey primary key (id),
    constraint data_exports_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade,
    constraint data_exports_state_check check (state in ('pending', 'ready', 'failed')),
    constraint data_exports_ready_check check ((state = 'ready') = (sha256 is not null) and (sha256 is null) = (byte_count is null) and (sha256 is null) = (row_count is null)),
    constraint data_exports_row_count_check check (row_count >= 0),
    constraint data_exports_byte_count_check check (byte_count > 0),
    constraint data_exports_sha256_check check (octet_length(sha256) = 32),
    constraint data_exports_fault_check check ((state = 'failed') = (fault is not null) and length(fault) <= 1000),
    constraint data_exports_completed_at_check check ((state = 'pending') = (completed_at is null))
);
comment on table identity.data_exports is 'An archive of all that is held on a person, made because they asked. A person sees their own.';
comment on column identity.data_exports.id is 'The archive''s id.';
comment on column identity.data_exports.user_id is 'The person, who alone may have it.';
comment on column identity.data_exports.state is 'pending, ready or failed.';
comment on column identity.data_exports.row_count is 'How many rows it holds.';
comment on column identity.data_exports.byte_count is 'How long it is, in bytes.';
comment on column identity.data_exports.sha256 is 'Its SHA-256.';
comment on column identity.data_exports.fault is 'Why it could not be made.';
comment on column identity.data_exports.expires_at is 'Until when it can be had; then it is deleted.';
comment on column identity.data_exports.completed_at is 'When it was ready, or given up.';
comment on column identity.data_exports.created_at is 'When it was asked for.';
comment on column identity.data_exports.updated_at is 'When it was last changed.';
comment on column identity.data_exports.version is 'Counts its changes.';
comment on constraint data_exports_pkey on identity.data_exports is 'An archive is found by its id.';
comment on constraint data_exports_user_id_fkey on identity.data_exports is 'The account that it is about.';
comment on constraint data_exports_state_check on identity.data_exports is 'The states of an archive.';
comment on constraint data_exports_ready_check on identity.data_exports is 'What is ready says how much it is and what it hashes to.';
comment on constraint data_exports_row_count_check on identity.data_exports is 'A count is not negative.';
comment on constraint data_exports_byte_count_check on identity.data_exports is 'An archive is not empty.';
comment on constraint data_exports_sha256_check on identity.data_exports is 'A SHA-256 hash has 32 bytes.';
comment on constraint data_exports_fault_check on identity.data_exports is 'What failed says why, in at most 1000 characters.';
comment on constraint data_exports_completed_at_check on identity.data_exports is 'What is at its end says when.';

create index data_exports_user_id_idx on identity.data_exports (user_id, created_at desc);
create index data_exports_expires_at_idx on identity.data_exports (expires_at);
create unique index data_exports_pending_idx on identity.data_exports (user_id) where state = 'pending';

create table identity.data_export_parts (
    id uuid not null default kernel.uuidv7(),
    export_id uuid not null,
    user_id uuid not null,
    number integer not null,
    content bytea not null,
    constraint data_export_parts_pkey primary key (id),
    constraint data_export_parts_number_key unique (export_id, number),
    constraint data_export_parts_export_id_fkey foreign key (export_id) references identity.data_exports (id) on delete cascade,
    constraint data_export_parts_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade,
    constraint data_export_parts_number_check check (number >= 0),
    constraint data_export_parts_content_check check (octet_length(content) between 1 and 1048576)
);
alter table identity.data_export_parts alter column content set storage external;
comment on table identity.data_export_parts is 'The bytes of an archive, in pieces, so that neither writing nor sending it needs it whole in memory.';
comment on column identity.data_export_parts.id is 'The piece''s id.';
comment on column identity.data_export_parts.export_id is 'The archive.';
comment on column identity.data_export_parts.user_id is 'The person, who alone may have it.';
comment on column identity.data_export_parts.number is 'Which piece it is, from 0.';
comment on column identity.data_export_parts.content is 'The bytes.';
comment on constraint data_export_parts_pkey on identity.data_export_parts is 'A piece is found by its id.';
comment on constraint data_export_parts_number_key on identity.data_export_parts is 'An archive has each piece once.';
comment on constraint data_export_parts_export_id_fkey on identity.data_export_parts is 'The archive, whose end ends its pieces.';
comment on constraint data_export_parts_user_id_fkey on identity.data_export_parts is 'The account that it is about.';
comment on constraint data_export_parts_number_check on identity.data_export_parts is 'Pieces are counted from 0.';
comment on constraint data_export_parts_content_check on identity.data_export_parts is 'A piece has 1 byte to 1 MiB.';
create index data_export_parts_user_id_idx on identity.data_export_parts (user_id);

do $$
declare
    tab text;
begin
    foreach tab in array array['data_exports', 'data_export_parts'] loop
        execute format('alter table identity.%I enable row level security, force row level security', tab);
        execute format('create policy %I on identity.%I for select to ephor_app
            using (user_id = nullif(current_setting(''ephor.actor_id'', true), '''')::uuid)', tab || '_app', tab);
        -- The job that makes it acts for the person.
        execute format('create policy %I on identity.%I to ephor_system
            using (user_id = nullif(current_setting(''ephor.actor_id'', true), '''')::uuid)
            with check (user_id = nullif(current_setting(''ephor.actor_id'', true), '''')::uuid)', tab || '_system', tab);
        execute format('create policy %I on identity.%I to ephor_owner, ephor_migrator using (true) with check (true)', tab || '_migrator', tab);
        execute format('create policy %I on identity.%I for select to ephor_backup using (true)', tab || '_backup', tab);
        execute format('create policy %I on identity.%I to ephor_door using (true) with check (true)', tab || '_door', tab);
        execute format('grant select on identity.%I to ephor_app, ephor_system, ephor_backup', tab);
        execute format('grant select, insert, update, delete on identity.%I to ephor_migrator, ephor_door', tab);
    end loop;
end $$;
grant update (state, row_count, byte_count, sha256, fault, completed_at) on identity.data_exports to ephor_system;
grant insert (export_id, user_id, number, content), delete on identity.data_export_parts to ephor_system;
create trigger touch before update on identity.data_exports for each row execute function kernel.touch_version();
select audit.watch('identity.data_exports', global => true);

-- Where a person's id stands --------------------------------------------------------------------------

-- A uuid column that refers to nothing else may hold a person's id, and no two things share one: so all such columns
-- are asked. References to accounts and to memberships are known as such.
create function identity.user_columns() returns table (place regclass, name text, columns text[], arrays text[], shown text[])
language sql stable set search_path = pg_catalog, pg_temp as $$
    with own as (
        select c.oid, n.nspname || '.' || c.relname as name, a.attname::text as col, a.attnum, t.typname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        join pg_type t on t.oid = a.atttypid
        where c.relkind in ('r', 'p') and not c.relispartition and c.relowner = 'ephor_owner'::regrole
          and n.nspname not in ('kernel', 'audit', 'graphile_worker')
          and (n.nspname, c.relname) <> ('identity', 'data_export_parts'))
    select o.oid::regclass, o.name,
           coalesce(array_agg(o.col order by o.attnum) filter (where o.typname = 'uuid' and p.holds), '{}'),
           coalesce(array_agg(o.col order by o.attnum) filter (where o.typname = '_uuid' and p.holds), '{}'),
           -- Secrets and their hashes are nothing that one is told, not even one's own.
           coalesce(array_agg(o.col order by o.attnum) filter (where o.typname not in ('bytea', '_bytea') and o.col <> 'password_hash'), '{}')
    from own o
    cross join lateral (
        select o.col <> 'organization_id' and (o.col <> 'id' or o.name = 'identity.users')
           and not exists (
            select from pg_constraint k
            where k.conrelid = o.oid and k.contype = 'f' and o.attnum = any (k.conkey)
              and k.confrelid not in ('identity.users'::regclass, 'identity.organization_members'::regclass)) as holds) as p
    group by o.oid, o.name
    having bool_or(p.holds and o.typname in ('uuid', '_uuid'))
    order by o.name
$$;
comment on function identity.user_columns() is 'The tables (but the archives'' own pieces) with a column that can hold a person''s id or that of their membership, those columns (single and arrays), and the columns of which a person may be told.';
revoke all on function identity.user_columns() from public;
grant execute on function identity.user_columns() to ephor_system;

-- What is held ----------------------------------------------------------------------------------------

create function identity.held() returns table (place text, organization_id uuid, data jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    -- Ids by which rows refer to the person: the account's and its memberships'.
    ids constant uuid[] := person || array(select m.id from identity.organization_members m where m.user_id = person);
    -- Of organizations that the person is no longer in, they learn where they are named, and not what the rows say.
    homes constant uuid[] := array(select m.organization_id from identity.organization_members m where m.user_id = person and m.is_active);
    tab record;
    matches text;
    tenant text;
begin
    if person is null then
        raise exception 'identity.held needs a transaction with an actor' using errcode = '55000';
    end if;
    for tab in select * from identity.user_columns() loop
        matches := array_to_string(
            array(select format('r.%I = any ($1)', c) from unnest(tab.columns) as c)
            || array(select format('r.%I && $1', c) from unnest(tab.arrays) as c), ' or ');
        tenant := case when exists (
            select from pg_attribute a where a.attrelid = tab.place and a.attname = 'organization_id' and not a.attisdropped)
            then 'r.organization_id' else 'null::uuid' end;
        return query execute format(
            'select %L, %s, case when %s is null or %s = any ($2)
                 then (select jsonb_object_agg(e.key, e.value) from jsonb_each(to_jsonb(r.*)) as e where e.key = any ($3))
                 else (select jsonb_object_agg(e.key, e.value) from jsonb_each(to_jsonb(r.*)) as e where e.key = any ($4)) end
             from %s as r where %s', tab.name, tenant, tenant, tenant, tab.place, matches)
        using ids, homes, tab.shown, array['organization_id', 'id', 'created_at'] || tab.columns || tab.arrays;
    end loop;
    return query
        select 'audit.audit_logs', l.organization_id,
               jsonb_build_object('id', l.id, 'created_at', l.created_at, 'action', l.action, 'entity_type', l.entity_type,
                   'entity_id', l.entity_id, 'body', l.body::jsonb)
        from audit.audit_logs l
        where l.organization_id = any (homes || '00000000-0000-7000-8000-000000000000'::uuid)
          and (l.actor_id = person or l.entity_id = any (ids));
end $$;
comment on function identity.held() is 'Every row that names the transaction''s actor, without secrets: whole where the person is a member, else just that and where they are named; and the entries of the trail by and about them.';
revoke all on function identity.held() from public;
grant execute on function identity.held() to ephor_system;

-- Asking ----------------------------------------------------------------------------------------------

create function door.data_export_request(out state text, out export_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    select e.id into export_id from identity.data_exports e
    where e.user_id = who and e.state = 'pending' and e.created_at > now() - interval '1 hour';
    if found then
        state := 'pending';
        return;
    end if;
    -- One archive at a time: the one before, and one that was never finished, make way.
    delete from identity.data_exports e where e.user_id = who;
    insert into identity.data_exports (user_id)
    select u.id from identity.users u where u.id = who and u.is_active and u.deleted_at is null
    returning id into export_id;
    state := case when export_id is null then 'unknown' else 'ok' end;
end $$;
comment on function door.data_export_request() is 'Begins an archive of what is held on the actor, in place of the one before. state is ok, pending (one is being made) or unknown.';

create function door.data_exports_sweep(out deleted bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before text[];
begin
    before := door.act('system', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000000', null);
    delete from identity.data_exports e where e.expires_at <= now();
    get diagnostics deleted = row_count;
    perform door.context(before);
end $$;
comment on function door.data_exports_sweep() is 'Deletes archives whose time is over; says how many.';

-- The account is closed at once; what it held is erased by the job that follows.
create function door.erasure_request(p_password_hash text, out state text, out organizations text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    perform 1 from identity.users u
    where u.id = who and u.deleted_at is null and u.is_active and u.password_hash = p_password_hash for update;
    if not found then
        state := 'unknown';
        return;
    end if;
    -- The lock makes owners who leave at the same moment see one another.
    perform 1 from identity.membership_versions v
    where v.organization_id in (select m.organization_id from identity.organization_members m where m.user_id = who and m.is_active)
    order by v.organization_id for update;
    select array_agg(o.name order by o.name) into organizations
    from identity.organization_members m
    join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id and r.builtin_code = 'owner'
    join identity.organizations o on o.id = m.organization_id
    where m.user_id = who and m.is_active and not exists (
        select from identity.organization_members a
        join identity.roles b on b.organization_id = a.organization_id and b.id = a.role_id and b.builtin_code = 'owner'
        where a.organization_id = m.organization_id and a.is_active and a.user_id <> who);
    if organizations is not null then
        state := 'last_owner';
        return;
    end if;
    update identity.users u set is_active = false where u.id = who;
    update identity.sessions s set is_active = false, ended_at = now() where s.user_id = who and s.is_active;
    update identity.organization_members m set is_active = false where m.user_id = who and m.is_active;
    perform audit.record('erasure_request', 'identity.users', who, '{}');
    state := 'ok';
end $$;
comment on function door.erasure_request(text) is 'Closes the actor''s account for good, whose password the caller verified against the given hash, before it is erased. state is ok, unknown, or last_owner with the organizations that would have none.';

do $$
declare
    f text;
begin
    foreach f in array array['door.data_export_request()', 'door.data_exports_sweep()', 'door.erasure_request(text)'] loop
        execute format('alter function %s owner to ephor_door', f);
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to ephor_app', f);
    end loop;
end $$;

-- Erasing ---------------------------------------------------------------------------------------------

-- What a body is searched for: an address in lower case, as JSON writes it.
create function identity.personal_words(addresses text[]) returns text[]
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(distinct lower(substr(to_json(a.address)::text, 2, length(to_json(a.address)::text) - 2))), '{}')
    from unnest(addresses) as a(address) where a.address like '%@%'
$$;
comment on function identity.personal_words(text[]) is 'E-mail addresses as they stand in the bodies of audit entries, in lower case.';
revoke all on function identity.personal_words(text[]) from public;

create function identity.erase_actor(out entries bigint, out organizations bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    home constant text := current_setting('ephor.organization_id', true);
    platform constant uuid := '00000000-0000-7000-8000-000000000000';
    -- Nobody reaches further than they belong: else a chosen name would erase what others hold in their trails.
    -- An invitation counts if the address that it was sent to is proven to be theirs.
    homes constant uuid[] := platform
        || array(select m.organization_id from identity.organization_members m where m.user_id = person
                 union select i.organization_id from identity.team_invitations i
                 join identity.users u on u.id = person and u.email_verified_at is not null and lower(i.email) = lower(u.email));
    why constant text := 'a person had their data erased';
    address text;
    emails text[];
    words text[];
    addresses text[];
    ids uuid[];
    things uuid[];
    organization uuid;
    found uuid[];
    part integer;
begin
    entries := 0;
    organizations := 0;
    perform pg_advisory_xact_lock(hashtextextended('ephor erasure ' || person, 0));
    if not exists (select from identity.users u where u.id = person and u.deleted_at is null and not u.is_active) then
        return;
    end if;
    address := 'erased-' || person || '@erased.invalid';

    -- Every name and address that the person has here or had: the account's trail knows the former ones.
    select array_agg(distinct lower(e.email)) into emails
    from (select u.email from identity.users u where u.id = person
          union select i.email from identity.user_identities i where i.user_id = person
          union select t.email from identity.user_tokens t where t.user_id = person
          union select m.email from identity.organization_members m where m.user_id = person
          union select v.value ->> 'email' from audit.audit_logs l
                cross join lateral (values (l.body::jsonb -> 'old'), (l.body::jsonb -> 'new')) as v(value)
                where l.organization_id = platform and l.entity_id = person and l.entity_type = 'identity.users' and l.body is not null
         ) as e(email)
    where e.email like '%@%';
    -- Names as trails write them: the member of that name with that value, and nothing that merely reads like it.
    select array_agg(distinct lower(to_json(n.key)::text || ': ' || to_json(n.value)::text)) into words
    from (select e.key, e.value from identity.users u, jsonb_each_text(to_jsonb(u)) as e(key, value) where u.id = person
          union select e.key, e.value from identity.organization_members m, jsonb_each_text(to_jsonb(m)) as e(key, value)
                where m.user_id = person
          union select e.key, e.value from audit.audit_logs l
                cross join lateral (values (l.body::jsonb -> 'old'), (l.body::jsonb -> 'new')) as v(object)
                cross join lateral jsonb_each_text(case jsonb_typeof(v.object) when 'object' then v.object else '{}' end) as e(key, value)
                where l.organization_id = platform and l.entity_id = person and l.entity_type = 'identity.users' and l.body is not null
         ) as n(key, value)
    where n.key in ('full_name', 'first_name', 'last_name', 'username', 'avatar_url', 'stripe_customer_id') and btrim(n.value) <> '';
    addresses := identity.personal_words(emails);
    ids := person || array(select m.id from identity.organization_members m where m.user_id = person);
    -- What is about the person alone: entries about these say nothing else.
    things := array(
        select person
        union select m.id from identity.organization_members m where m.user_id = person
        union select i.id from identity.user_identities i where i.user_id = person
        union select f.id from identity.user_totp f where f.user_id = person
        union select t.id from identity.user_tokens t where t.user_id = person
        union select s.id from identity.sessions s where s.user_id = person
        union select x.id from identity.data_exports x where x.user_id = person
        union select k.id from identity.api_keys k where k.user_id = person
        union select j.id from identity.member_joins j join identity.organization_members m
              on m.organization_id = j.organization_id and m.id = j.member_id where m.user_id = person
        union select d.id from deliberation.deliberations d where d.user_id = person
        union select c.id from deliberation.contributions c where c.user_id = person
        union select v.id from deliberation.votes v where v.user_id = person
        -- Sessions and links that ended long ago: only their entries are left.
        union select l.entity_id from audit.audit_logs l
              where l.organization_id = platform and l.body is not null
                and l.entity_type in ('identity.sessions', 'identity.user_identities', 'identity.user_tokens', 'identity.user_totp')
                and person::text in (l.body::jsonb -> 'old' ->> 'user_id', l.body::jsonb -> 'new' ->> 'user_id'));

    execute format('set local ephor.organization_id = %L', platform);
    delete from identity.sessions s where s.user_id = person;
    delete from identity.user_identities i where i.user_id = person;
    delete from identity.user_totp f where f.user_id = person;
    delete from identity.user_tokens t where t.user_id = person;
    delete from identity.data_exports x where x.user_id = person;
    update identity.users u set email = address, full_name = 'Erased person', username = null, first_name = null,
        last_name = null, avatar_url = null, password_hash = null, password_changed_at = null, email_verified_at = null,
        is_superuser = false, metadata = '{}', gdpr_consent_at = null, last_login_at = null, stripe_customer_id = null,
        deleted_at = now()
    where u.id = person;

    delete from identity.member_joins j using identity.organization_members m
    where m.user_id = person and j.organization_id = m.organization_id and j.member_id = m.id;
    delete from identity.api_keys k where k.user_id = person;
    update identity.organization_members m set email = address, full_name = 'Erased person', avatar_url = null, is_active = false
    where m.user_id = person;
    update identity.team_invitations i set email = address, status = case i.status when 'pending' then 'revoked' else i.status end
    where i.organization_id = any (homes) and lower(i.email) = any (emails);
    -- A board is its asker's alone: nobody else ever saw it.
    delete from deliberation.deliberations d where d.user_id = person;
    update guard.policy_decisions p set user_email = null, ip_address = null, user_agent = null
    where p.organization_id = any (homes) and (p.user_id = person or lower(p.user_email) = any (emails));
    update guard.guard_operations g set user_reference = 'erased'
    where g.organization_id = any (homes) and lower(g.user_reference) = any (emails || person::text);
    update workforce.messages m set to_address = address
    where m.organization_id = any (homes) and lower(m.to_address) = any (emails);
    -- Jobs keep who asked, and no longer from where; those that are over and name the person go.
    delete from ops.jobs j where j.organization_id = any (homes) and j.state in ('completed', 'failed', 'cancelled')
        and (j.created_by = person or exists (select from unnest(addresses) as w
             where position(w in lower(concat(j.payload, j.result, j.error, j.message))) > 0));
    update ops.jobs j set context = j.context - 'request' where j.organization_id = any (homes) and j.created_by = person;
    delete from ops.outbox o where o.organization_id = any (homes) and o.handed_at is not null
        and exists (select from unnest(addresses) as w where position(w in lower(o.event::text)) > 0);

    -- The bodies of all that the trail says of the person, the changes above included.
    for organization in
        select unnest(homes) order by 1
    loop
        -- A name, which anybody may choose as they like, counts only in an entry by the person or that names their id,
        -- and only where it is told as a name: else one could erase what one did by being called like it.
        select array_agg(l.id) into found from audit.audit_logs l
        where l.organization_id = organization and l.body is not null and l.action <> 'erase'
          and (l.entity_id = any (things)
               or exists (select from unnest(addresses) as w where position(w in lower(l.body)) > 0)
               or ((l.actor_id = person or exists (select from unnest(ids) as i where position(i::text in l.body) > 0))
                   and exists (select from unnest(words) as w where position(w in lower(l.body)) > 0)));
        continue when found is null;
        execute format('set local ephor.organization_id = %L', organization);
        for part in 0 .. (cardinality(found) - 1) / 5000 loop
            perform audit.erase(found[part * 5000 + 1 : (part + 1) * 5000], why);
        end loop;
        perform audit.record_for(organization, null, null, 'person_erased', 'identity.users', person,
            jsonb_build_object('entries', cardinality(found)));
        entries := entries + cardinality(found);
        organizations := organizations + 1;
    end loop;
    execute format('set local ephor.organization_id = %L', home);
end $$;
comment on function identity.erase_actor() is 'Anonymises the transaction''s actor, whose account was closed, in all organizations: account, copies, sessions, keys, tokens, links, boards; and erases the bodies of the audit entries that name them. Says how many, in how many organizations.';
revoke all on function identity.erase_actor() from public;
grant execute on function identity.erase_actor() to ephor_system;
