-- Erasure, the archive of a person's data and forgotten passwords, against who would use them on others.

-- A reset proves the address: where nobody had, what stands in the account is not known to be its owner's.
grant update (is_active, revoked_at, revoked_by) on identity.api_keys to ephor_door;
create or replace function door.password_reset(p_token_hash bytea, p_new_hash text, p_account bytea, p_request text,
    out state text, out user_id uuid, out ended bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person identity.users;
    place uuid;
    before text[];
begin
    ended := 0;
    state := 'unknown';
    select u.* into person
    from identity.user_tokens t
    join identity.users u on u.id = t.user_id and u.email = t.email and u.is_active and u.deleted_at is null
    where t.token_hash = p_token_hash and t.purpose = 'reset_password' and u.password_hash is not null
    for update of u;
    if not found then
        return;
    end if;
    place := door.place_of(person.id);
    before := door.act('user', person.id, place, p_request);
    update identity.user_tokens t set used_at = now()
    where t.token_hash = p_token_hash and t.used_at is null and t.expires_at > now();
    if found then
        update identity.users u set password_hash = p_new_hash, password_changed_at = now(),
            email_verified_at = coalesce(u.email_verified_at, now())
        where u.id = person.id;
        -- Whoever opened the account had not shown that the address is theirs: nothing of theirs opens it any more.
        if person.email_verified_at is null then
            delete from identity.user_identities i where i.user_id = person.id;
            delete from identity.user_totp f where f.user_id = person.id;
            update identity.api_keys k set is_active = false, revoked_at = now(), revoked_by = person.id
            where k.user_id = person.id and k.is_active;
            perform door.second_factor_changed(person.id);
        end if;
        update identity.sessions s set is_active = false, ended_at = now() where s.user_id = person.id and s.is_active;
        get diagnostics ended = row_count;
        delete from identity.log_in_attempts a where a.kind = 'account' and a.subject_hash = p_account;
        perform audit.record_for(place, 'user', person.id, 'password_reset', 'identity.users', person.id,
            jsonb_build_object('sessions', ended));
        user_id := person.id;
        state := 'ok';
    end if;
    perform door.context(before);
end $$;

-- The archive of a person's data --------------------------------------------------------------------------

create or replace function identity.held() returns table (place text, organization_id uuid, data jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    -- Ids by which rows refer to the person: the account's and its memberships'.
    ids constant uuid[] := person || array(select m.id from identity.organization_members m where m.user_id = person);
    -- Of organizations that the person is no longer in, they learn where they are named, and not what the rows say.
    homes constant uuid[] := array(select m.organization_id from identity.organization_members m where m.user_id = person and m.is_active
        -- Where a second factor is asked for, nothing is shown without one.
        and not door.second_factor_due(m.organization_id, person));
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

create or replace function door.data_export_request(out state text, out export_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    select e.id into export_id from identity.data_exports e
    where e.user_id = who and e.state in ('pending', 'ready') and e.created_at > now() - interval '1 hour';
    -- To collect all that is held on a person is much work: once an hour will do.
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
comment on function door.data_export_request() is 'Begins an archive of what is held on the actor, in place of the one before. state is ok, pending (one is being made, or was within the hour) or unknown.';

-- Erasing ---------------------------------------------------------------------------------------------

-- What a body is searched for: an address in lower case, as JSON writes it, and all of it: m@example.org is not in
-- tom@example.org.
create or replace function identity.personal_words(addresses text[]) returns text[]
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(distinct lower(to_json(a.address)::text)), '{}')
    from unnest(addresses) as a(address) where a.address like '%@%'
$$;
comment on function identity.personal_words(text[]) is 'E-mail addresses as values of their own in the bodies of audit entries, in lower case.';

create or replace function identity.erase_actor(out entries bigint, out organizations bigint)
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
    where e.email like '%@%'
      -- An address that nobody proved may be anybody's.
      and exists (select from identity.users u where u.id = person and u.email_verified_at is not null);
    emails := coalesce(emails, '{}');
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
    delete from ops.jobs j where j.organization_id = any (homes) and j.organization_id <> platform and j.state in ('completed', 'failed', 'cancelled')
        and (j.created_by = person or exists (select from unnest(addresses) as w
             where position(w in lower(concat(j.payload, j.result, j.error, j.message))) > 0));
    update ops.jobs j set context = j.context - 'request' where j.organization_id = any (homes) and j.created_by = person;
    delete from ops.outbox o where o.organization_id = any (homes) and o.organization_id <> platform and o.handed_at is not null
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
               -- Of the platform's own trail nobody has more than what is about them.
               or (organization <> platform
                   and (exists (select from unnest(addresses) as w where position(w in lower(l.body)) > 0)
                        or ((l.actor_id = person or exists (select from unnest(ids) as i where position(i::text in l.body) > 0))
                            and exists (select from unnest(words) as w where position(w in lower(l.body)) > 0)))));
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
