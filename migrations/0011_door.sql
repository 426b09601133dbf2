-- The door: what must be asked before a scope exists, and the few things that a scope of one
-- organization cannot do. Each function is SECURITY DEFINER of ephor_door (which cannot log in and
-- has policies on these tables alone), has a fixed search_path, answers in one shape whether or not
-- it found anything, and puts the caller's context back as it found it.

grant usage on schema door to ephor_door;
grant usage on schema kernel to ephor_door;
grant usage on schema audit to ephor_door;

-- Who acts and where, for the audit trail. Answers what was set before, which the caller puts back
-- before it returns: a door function must not leave its transaction in another organization. (A SET
-- clause would do that by itself, but only a superuser may write one for these settings.)
create function door.act(p_actor_type text, p_actor uuid, p_organization uuid, p_request text) returns text[]
language plpgsql as $$
declare
    before constant text[] := array[
        coalesce(current_setting('ephor.organization_id', true), ''), coalesce(current_setting('ephor.actor_type', true), ''),
        coalesce(current_setting('ephor.actor_id', true), ''), coalesce(current_setting('ephor.request', true), '')];
begin
    perform door.context(array[p_organization::text, p_actor_type, p_actor::text, coalesce(p_request, '')]);
    return before;
end $$;
comment on function door.act(text, uuid, uuid, text) is 'Sets who acts and where, for the audit trail, and answers the context to put back.';

create function door.context(p_context text[]) returns void
language plpgsql as $$
begin
    execute format('set local ephor.organization_id = %L', p_context[1]);
    execute format('set local ephor.actor_type = %L', p_context[2]);
    execute format('set local ephor.actor_id = %L', p_context[3]);
    execute format('set local ephor.request = %L', p_context[4]);
end $$;
comment on function door.context(text[]) is 'Puts a context back: organization, actor type, actor, request.';

create function door.roles_install(p_organization uuid, p_roles jsonb) returns void
language sql as $$
    insert into identity.roles (organization_id, name, description, permissions, builtin_code, builtin_version)
    select p_organization, r.name, r.description,
           array(select jsonb_array_elements_text(r.permissions)), r.code, r.version
    from jsonb_to_recordset(p_roles) as r(code text, version integer, name text, description text, permissions jsonb)
$$;
comment on function door.roles_install(uuid, jsonb) is 'Copies the built-in roles, which the binary holds, into an organization.';

-- Makes an organization with its roles and its owner. Its slug gets a suffix if it is taken.
create function door.organization_open(p_organization uuid, p_name text, p_slug text, p_kind text, p_parent uuid, p_owner uuid, p_roles jsonb)
returns uuid
language plpgsql as $$
declare
    slug text := p_slug;
    member uuid := kernel.uuidv7();
begin
    loop
        insert into identity.organizations (id, name, slug, kind, parent_id, created_by)
        values (p_organization, p_name, slug, p_kind, p_parent, p_owner)
        on conflict on constraint organizations_slug_key do nothing;
        exit when found;
        slug := rtrim(left(p_slug, 54), '-') || '-' || left(md5(gen_random_uuid()::text), 8);
    end loop;
    perform door.roles_install(p_organization, p_roles);
    insert into identity.organization_members
        (organization_id, id, user_id, role_id, email, full_name, avatar_url, is_active, joined_at, created_by)
    select p_organization, member, u.id, r.id, u.email, u.full_name, u.avatar_url, true, now(), u.id
    from identity.users u
    join identity.roles r on r.organization_id = p_organization and r.builtin_code = 'owner'
    where u.id = p_owner;
    return member;
end $$;
comment on function door.organization_open(uuid, text, text, text, uuid, uuid, jsonb) is 'Makes an organization with its roles and its owner.';

-- 1. Sign-up ------------------------------------------------------------------------------------------

create function door.sign_up(
    p_email text, p_password_hash text, p_full_name text, p_consent boolean,
    p_organization_name text, p_slug text, p_kind text, p_roles jsonb, p_request text,
    out state text, out user_id uuid, out organization_id uuid, out member_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    new_user uuid := kernel.uuidv7();
    before text[];
begin
    if p_kind not in ('standalone', 'holding') then
        raise exception 'one signs up with a standalone organization or a holding'
            using errcode = 'check_violation', constraint = 'organizations_kind_check',
                  schema = 'identity', table = 'organizations';
    end if;
    organization_id := kernel.uuidv7();
    -- Somebody who was added by an administrator, but never chose a password, is not an account yet.
    select u.id into user_id from identity.users u where u.email = p_email and u.password_hash is null and u.is_active for update;
    before := door.act('user', coalesce(user_id, new_user), organization_id, p_request);
    if user_id is not null then
        update identity.users u set password_hash = p_password_hash, password_changed_at = now(), full_name = p_full_name,
            gdpr_consent_at = case when p_consent then now() end
        where u.id = sign_up.user_id;
    else
        insert into identity.users (id, email, full_name, password_hash, password_changed_at, gdpr_consent_at)
        values (new_user, p_email, p_full_name, p_password_hash, now(), case when p_consent then now() end)
        on conflict (email) do nothing returning id into user_id;
    end if;
    if user_id is null then
        state := 'taken';
        organization_id := null;
        perform door.context(before);
        return;
    end if;
    member_id := door.organization_open(organization_id, p_organization_name, p_slug, p_kind, null, user_id, p_roles);
    perform door.context(before);
    state := 'ok';
end $$;
comment on function door.sign_up(text, text, text, boolean, text, text, text, jsonb, text) is 'Makes a user, an organization with its built-in roles, and the user its owner, in one step. state is ok or taken.';

-- 2. Log-in ---------------------------------------------------------------------------------------------

create function door.user_by_email(p_email text, out user_id uuid, out password_hash text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select u.id, u.password_hash
    from (values (p_email)) as asked(email)
    left join identity.users u on u.email = asked.email and u.is_active and u.deleted_at is null
$$;
comment on function door.user_by_email(text) is 'An account''s id and password hash, for log-in. One row always; its columns are null for an unknown address.';

-- Counts an attempt for each subject, and answers those that are over their limit, if any.
create function door.attempt(p_kinds text[], p_subjects bytea[], p_limits integer[], p_window interval)
returns table (kind text, retry_after integer)
language sql security definer set search_path = pg_catalog, pg_temp as $$
    -- Counted before the password is looked at, so that attempts at the same moment cannot pass the limit
    -- together; subjects are counted in a fixed order, so that they cannot wait for one another.
    with counted as (
        insert into identity.log_in_attempts as a (kind, subject_hash)
        select s.kind, s.subject from unnest(p_kinds, p_subjects) as s(kind, subject) order by 1, 2
        on conflict (kind, subject_hash) do update set
            attempts = case when a.window_started_at <= now() - p_window then 1 else least(a.attempts, 1000000) + 1 end,
            window_started_at = case when a.window_started_at <= now() - p_window then now() else a.window_started_at end
        returning a.kind, a.attempts, a.window_started_at)
    select c.kind, greatest(ceil(extract(epoch from c.window_started_at + p_window - now())), 1)::integer
    from counted c join unnest(p_kinds, p_limits) as l(kind, most) on l.kind = c.kind
    where c.attempts > l.most
$$;
comment on function door.attempt(text[], bytea[], integer[], interval) is 'Counts an attempt per account and address, and answers those that have had too many, with the seconds after which another makes sense.';

-- Recorded where the person was last, or else in the platform organization: one entry in every case.
create function door.log_in_refused(p_user uuid, p_reason text, p_request text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    platform constant uuid := '00000000-0000-7000-8000-000000000000';
    place uuid;
    before text[];
begin
    select m.organization_id into place from identity.organization_members m
    where m.user_id = p_user and m.is_active
    order by (select max(s.created_at) from identity.sessions s
              where s.user_id = p_user and s.current_organization_id = m.organization_id) desc nulls last, m.joined_at, m.id
    limit 1;
    before := door.act('system', platform, coalesce(place, platform), p_request);
    perform audit.record_for(coalesce(place, platform), 'system', platform, 'log_in_refused', 'identity.users', p_user,
        jsonb_build_object('reason', p_reason));
    perform door.context(before);
end $$;
comment on function door.log_in_refused(uuid, text, text) is 'Records that somebody failed to log in; the user is null for an unknown address, which is not kept.';

create function door.session_create(
    p_user uuid, p_password_hash text, p_organization uuid, p_token_hash bytea, p_ip inet, p_user_agent text,
    p_idle interval, p_absolute interval, p_account bytea, p_request text,
    out state text, out session_id uuid, out organization_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before text[];
begin
    -- The hash that was verified must still be the account's: a password changed meanwhile does not log in.
    perform 1 from identity.users u
    where u.id = p_user and u.is_active and u.deleted_at is null and u.password_hash = p_password_hash for update;
    if not found then
        state := 'unknown';
        return;
    end if;
    -- Where one asked to go, else where one was last, else where one has been longest.
    select m.organization_id into session_create.organization_id
    from identity.organization_members m
    join identity.organizations o on o.id = m.organization_id and o.is_active
    where m.user_id = p_user and m.is_active and (p_organization is null or m.organization_id = p_organization)
    order by (select max(s.created_at) from identity.sessions s
              where s.user_id = p_user and s.current_organization_id = m.organization_id) desc nulls last, m.joined_at, m.id
    limit 1;
    if session_create.organization_id is null then
        state := 'no_organization';
        return;
    end if;
    before := door.act('user', p_user, session_create.organization_id, p_request);
    update identity.users u set last_login_at = now() where u.id = p_user;
    delete from identity.log_in_attempts a where a.kind = 'account' and a.subject_hash = p_account;
    insert into identity.sessions (user_id, current_organization_id, token_hash, ip_address, user_agent, expires_at)
    values (p_user, session_create.organization_id, p_token_hash, p_ip, p_user_agent, now() + p_absolute)
    returning id into session_id;
    insert into identity.session_activity (id, user_id, idle_expires_at)
    values (session_id, p_user, now() + least(p_idle, p_absolute));
    perform audit.record_for(session_create.organization_id, 'user', p_user, 'log_in', 'identity.sessions', session_id, '{}');
    perform door.context(before);
    state := 'ok';
end $$;
comment on function door.session_create(uuid, text, uuid, bytea, inet, text, interval, interval, bytea, text) is 'Opens a session for somebody whose password was verified against the given hash. state is ok, unknown or no_organization.';

-- 3. Each request -------------------------------------------------------------------------------------------

-- A member's permissions and reach, unless the caller knows them as of the present version.
create function door.membership(p_organization uuid, p_user uuid, p_known bigint)
returns table (member_id uuid, role_id uuid, membership_version bigint, permissions text[], readable uuid[])
language sql stable rows 1 as $$
    select m.id, m.role_id, v.value,
           case when v.value is distinct from p_known then r.permissions end,
           case when v.value is distinct from p_known then
               case when o.kind = 'holding'
                    then array(select s.id from identity.organizations s where s.parent_id = o.id and s.is_active order by s.id)
                    else '{}'::uuid[] end end
    from identity.organization_members m
    join identity.organizations o on o.id = m.organization_id and o.is_active
    join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id
    join identity.membership_versions v on v.organization_id = m.organization_id
    join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
    where m.organization_id = p_organization and m.user_id = p_user and m.is_active
$$;
comment on function door.membership(uuid, uuid, bigint) is 'What an active member may do and read. Permissions and reach are null when p_known is the present version.';

create function door.session_lookup(p_token_hash bytea, p_known bigint,
    out session_id uuid, out user_id uuid, out organization_id uuid, out member_id uuid, out role_id uuid,
    out csrf_secret bytea, out expires_at timestamptz, out touch_due boolean, out rotation_age double precision,
    out membership_version bigint, out permissions text[], out readable uuid[])
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select s.id, s.user_id, s.current_organization_id, m.member_id, m.role_id, s.csrf_secret, s.expires_at,
           a.last_seen_at <= now() - interval '1 minute',
           case when s.token_hash = p_token_hash then extract(epoch from now() - s.rotated_at)::double precision end,
           m.membership_version, m.permissions, m.readable
    into session_id, user_id, organization_id, member_id, role_id, csrf_secret, expires_at,
         touch_due, rotation_age, membership_version, permissions, readable
    from identity.sessions s
    join identity.session_activity a on a.id = s.id and a.idle_expires_at > now()
    cross join lateral door.membership(s.current_organization_id, s.user_id, p_known) m
    where (s.token_hash = p_token_hash
           or (s.previous_token_hash = p_token_hash and s.rotated_at > now() - interval '1 minute'))
      and s.is_active and s.expires_at > now();
end $$;
comment on function door.session_lookup(bytea, bigint) is 'Who a session cookie stands for, where, and with which permissions. One row always; its columns are null for a session that is unknown, ended or expired, or whose member may not act.';

create function door.session_touch(p_token_hash bytea, p_new_token_hash bytea, p_idle interval, out rotated boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before text[];
begin
    update identity.session_activity a
    set last_seen_at = now(), idle_expires_at = least(now() + p_idle, s.expires_at)
    from identity.sessions s
    where s.token_hash = p_token_hash and s.is_active and s.expires_at > now()
      and a.id = s.id and a.idle_expires_at > now();
    rotated := found and p_new_token_hash is not null;
    if rotated then
        select door.act('user', s.user_id, s.current_organization_id, null) into before
        from identity.sessions s where s.token_hash = p_token_hash;
        update identity.sessions s
        set previous_token_hash = s.token_hash, token_hash = p_new_token_hash, rotated_at = now()
        where s.token_hash = p_token_hash and s.is_active;
        rotated := found;
        perform door.context(before);
    end if;
end $$;
comment on function door.session_touch(bytea, bytea, interval) is 'Notes that a session is in use and, given a new hash, replaces its secret; the old one works for one more minute.';

create function door.session_switch(p_token_hash bytea, p_organization uuid, p_new_token_hash bytea, p_request text, out switched boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    session identity.sessions;
    before text[];
begin
    select s.* into session
    from identity.sessions s
    join identity.session_activity a on a.id = s.id and a.idle_expires_at > now()
    where s.token_hash = p_token_hash and s.is_active and s.expires_at > now()
      and exists (select 1 from door.membership(p_organization, s.user_id, null))
    for update of s;
    switched := found;
    if switched then
        before := door.act('user', session.user_id, p_organization, p_request);
        update identity.sessions s set current_organization_id = p_organization, token_hash = p_new_token_hash,
            previous_token_hash = null, rotated_at = now()
        where s.id = session.id;
        perform audit.record_for(p_organization, 'user', session.user_id, 'session_switch', 'identity.sessions', session.id,
            jsonb_build_object('from', session.current_organization_id));
        perform door.context(before);
    end if;
end $$;
comment on function door.session_switch(bytea, uuid, bytea, text) is 'Moves a session to another organization of which its person is an active member, and replaces its secret.';

create function door.session_end(p_token_hash bytea, p_everywhere boolean, p_request text, out ended bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid;
    place uuid;
    session uuid;
    before text[];
begin
    ended := 0;
    select s.id, s.user_id, s.current_organization_id into session, who, place from identity.sessions s
    where (s.token_hash = p_token_hash or s.previous_token_hash = p_token_hash) and s.is_active;
    if found then
        before := door.act('user', who, place, p_request);
        update identity.sessions s set is_active = false, ended_at = now()
        where s.user_id = who and s.is_active
          and (p_everywhere or s.token_hash = p_token_hash or s.previous_token_hash = p_token_hash);
        get diagnostics ended = row_count;
        perform audit.record_for(place, 'user', who, case when p_everywhere then 'log_out_everywhere' else 'log_out' end,
            'identity.sessions', session, jsonb_build_object('sessions', ended));
        perform door.context(before);
    end if;
end $$;
comment on function door.session_end(bytea, boolean, text) is 'Logs out: ends the session, or all sessions of its person, and answers how many ended.';

create function door.api_key_lookup(p_organization uuid, p_key uuid, p_key_hash bytea, p_known bigint,
    out user_id uuid, out member_id uuid, out role_id uuid, out key_permissions text[],
    out membership_version bigint, out permissions text[], out readable uuid[])
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select k.user_id, m.member_id, m.role_id, k.permissions, m.membership_version, m.permissions, m.readable
    into user_id, member_id, role_id, key_permissions, membership_version, permissions, readable
    from identity.api_keys k
    cross join lateral door.membership(k.organization_id, k.user_id, p_known) m
    where k.organization_id = p_organization and k.id = p_key and k.key_hash = p_key_hash
      and k.is_active and (k.expires_at is null or k.expires_at > now());
end $$;
comment on function door.api_key_lookup(uuid, uuid, bytea, bigint) is 'For whom an API key acts and with which permissions. One row always; its columns are null for a key that is unknown, revoked or expired, or whose member may not act.';

create function door.api_keys_used(p_organizations uuid[], p_keys uuid[], p_counts bigint[], p_last timestamptz[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into identity.api_key_usage as total (organization_id, id, usage_count, last_used_at)
    select k.organization_id, k.id, u.count, u.last
    from unnest(p_organizations, p_keys, p_counts, p_last) as u(organization, key, count, last)
    join identity.api_keys k on k.organization_id = u.organization and k.id = u.key
    where u.count > 0 order by 1, 2
    on conflict (organization_id, id) do update set
        usage_count = total.usage_count + excluded.usage_count,
        last_used_at = greatest(total.last_used_at, excluded.last_used_at)
$$;
comment on function door.api_keys_used(uuid[], uuid[], bigint[], timestamptz[]) is 'Adds up a batch of API keys'' uses.';

-- 4. Joining an organization ---------------------------------------------------------------------------------

-- Within a scope: the organization and the actor are those of the transaction.
create function door.member_add(p_email text, p_full_name text, p_role uuid, p_token_hash bytea, p_valid interval,
    out state text, out member_id uuid, out used bigint, out most integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    person uuid;
begin
    -- The lock makes two members added at once count one another.
    select o.max_users into most from identity.organizations o where o.id = place and o.is_active for update;
    if not found then
        state := 'no_organization';
        return;
    end if;
    select count(*) into used from identity.organization_members m
    where m.organization_id = place and (m.is_active or m.joined_at is null);
    if used >= most then
        state := 'full';
        return;
    end if;
    insert into identity.users (email, full_name) values (p_email, p_full_name) on conflict (email) do nothing;
    select u.id into person from identity.users u where u.email = p_email;
    insert into identity.organization_members (organization_id, user_id, role_id, email, full_name, created_by)
    values (place, person, p_role, p_email, p_full_name, who)
    on conflict (organization_id, user_id) do nothing returning id into member_id;
    if member_id is null then
        state := 'member_already';
        return;
    end if;
    insert into identity.member_joins (organization_id, member_id, token_hash, expires_at, created_by)
    values (place, member_id, p_token_hash, now() + p_valid, who);
    state := 'ok';
end $$;
comment on function door.member_add(text, text, uuid, bytea, interval) is 'Adds a person to the transaction''s organization, with a one-time link to join it. The answer is the same whether or not the person has an account. state is ok, member_already, full (used of most places) or no_organization.';

create function door.member_link(p_member uuid, p_token_hash bytea, p_valid interval, out renewed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    delete from identity.member_joins j where j.organization_id = place and j.member_id = p_member;
    insert into identity.member_joins (organization_id, member_id, token_hash, expires_at, created_by)
    select place, m.id, p_token_hash, now() + p_valid, who from identity.organization_members m
    where m.organization_id = place and m.id = p_member and m.joined_at is null;
    renewed := found;
end $$;
comment on function door.member_link(uuid, bytea, interval) is 'Replaces the one-time link of somebody who has not joined the transaction''s organization yet.';

create function door.join_lookup(p_organization uuid, p_member uuid, p_token_hash bytea,
    out user_id uuid, out email text, out full_name text, out password_hash text, out organization_name text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select u.id, u.email, m.full_name, u.password_hash, o.name
    from (values (p_organization, p_member)) as asked(organization, member)
    left join (identity.member_joins j
               join identity.organization_members m on m.organization_id = j.organization_id and m.id = j.member_id and m.joined_at is null
               join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
               join identity.organizations o on o.id = j.organization_id and o.is_active)
        on j.organization_id = asked.organization and j.member_id = asked.member
       and j.token_hash = p_token_hash and j.expires_at > now()
$$;
comment on function door.join_lookup(uuid, uuid, bytea) is 'Whom a join link is for, and where to. One row always; its columns are null for a link that is unknown, used or expired.';

-- Of an account with a password, the caller verified it against p_old_hash; an account without gets p_new_hash.
create function door.join_accept(p_organization uuid, p_member uuid, p_token_hash bytea,
    p_old_hash text, p_new_hash text, p_full_name text, p_consent boolean, p_request text, out state text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person identity.users;
    before text[];
begin
    select u.* into person
    from identity.organization_members m
    join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
    join identity.organizations o on o.id = m.organization_id and o.is_active
    where m.organization_id = p_organization and m.id = p_member and m.joined_at is null
    for update of u, m;
    if not found or person.password_hash is distinct from p_old_hash
       or (p_old_hash is null) <> (p_new_hash is not null) then
        state := 'unknown';
        return;
    end if;
    before := door.act('user', person.id, p_organization, p_request);
    delete from identity.member_joins j
    where j.organization_id = p_organization and j.member_id = p_member and j.token_hash = p_token_hash and j.expires_at > now();
    if not found then
        perform door.context(before);
        state := 'unknown';
        return;
    end if;
    if p_new_hash is not null then
        update identity.users u set password_hash = p_new_hash, password_changed_at = now(),
            full_name = coalesce(p_full_name, u.full_name), gdpr_consent_at = case when p_consent then now() end
        where u.id = person.id;
    end if;
    update identity.organization_members m set joined_at = now(), is_active = true,
        email = u.email, full_name = u.full_name, avatar_url = u.avatar_url
    from identity.users u
    where m.organization_id = p_organization and m.id = p_member and u.id = m.user_id;
    perform audit.record_for(p_organization, 'user', person.id, 'member_join', 'identity.organization_members', p_member, '{}');
    perform door.context(before);
    state := 'ok';
end $$;
comment on function door.join_accept(uuid, uuid, bytea, text, text, text, boolean, text) is 'Uses up a join link: the person becomes an active member, and sets a password if the account has none. state is ok or unknown.';

-- 5. What a person does across their organizations ------------------------------------------------------------

create function door.my_organizations()
returns table (organization_id uuid, name text, slug text, kind text, parent_id uuid, member_id uuid, role_id uuid, role_name text, role_code text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select o.id, o.name, o.slug, o.kind, o.parent_id, m.id, r.id, r.name, r.builtin_code
    from identity.organization_members m
    join identity.organizations o on o.id = m.organization_id and o.is_active
    join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id
    where m.user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid and m.is_active
    order by o.name, o.id
$$;
comment on function door.my_organizations() is 'The organizations of which the transaction''s actor is an active member.';

create function door.subsidiary_create(p_name text, p_slug text, p_roles jsonb, out state text, out organization_id uuid, out member_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    holding identity.organizations;
begin
    select o.* into holding from identity.organizations o where o.id = place and o.is_active for update;
    if not found or not exists (select 1 from door.membership(place, who, null)) then
        state := 'no_organization';
        return;
    end if;
    if holding.kind = 'subsidiary' then
        state := 'subsidiary';
        return;
    end if;
    if holding.kind = 'standalone' then
        update identity.organizations o set kind = 'holding' where o.id = place;
    end if;
    organization_id := kernel.uuidv7();
    member_id := door.organization_open(organization_id, p_name, p_slug, 'subsidiary', place, who, p_roles);
    -- The holding reads further now.
    update identity.membership_versions v set value = v.value + 1 where v.organization_id = place;
    state := 'ok';
end $$;
comment on function door.subsidiary_create(text, text, jsonb) is 'Opens a subsidiary of the transaction''s organization, with the actor as its owner; a standalone organization becomes a holding. state is ok, subsidiary (which cannot have subsidiaries) or no_organization.';

create function door.profile_update(p_full_name text, p_first_name text, p_last_name text, p_avatar_url text, out updated boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    update identity.users u set full_name = p_full_name, first_name = p_first_name, last_name = p_last_name, avatar_url = p_avatar_url
    where u.id = who and u.is_active and u.deleted_at is null;
    updated := found;
    update identity.organization_members m set full_name = u.full_name, email = u.email, avatar_url = u.avatar_url
    from identity.users u
    where u.id = who and m.user_id = u.id and m.joined_at is not null
      and (m.full_name, m.email, m.avatar_url) is distinct from (u.full_name, u.email, u.avatar_url);
end $$;
comment on function door.profile_update(text, text, text, text) is 'Changes the actor''s own name and picture, and the copies that their organizations show: the one function that keeps them current.';

create function door.password_change(p_old_hash text, p_new_hash text, p_keep_session uuid, out changed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    update identity.users u set password_hash = p_new_hash, password_changed_at = now()
    where u.id = who and u.is_active and u.password_hash = p_old_hash;
    changed := found;
    if changed then
        update identity.sessions s set is_active = false, ended_at = now()
        where s.user_id = who and s.is_active and s.id is distinct from p_keep_session;
        perform audit.record('password_change', 'identity.users', who, '{}');
    end if;
end $$;
comment on function door.password_change(text, text, uuid) is 'Replaces the actor''s password, whose old hash the caller verified, and ends their other sessions.';

-- 6. Tidying up -------------------------------------------------------------------------------------------------

create function door.sweep(out sessions bigint, out attempts bigint, out links bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before text[];
begin
    before := door.act('system', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000000', null);
    delete from identity.sessions s where s.id in (
        select o.id from identity.sessions o
        where least(o.expires_at, coalesce(o.ended_at, o.expires_at)) < now() - interval '30 days'
        order by o.expires_at limit 1000 for update skip locked);
    get diagnostics sessions = row_count;
    delete from identity.log_in_attempts a where a.window_started_at < now() - interval '1 day';
    get diagnostics attempts = row_count;
    delete from identity.member_joins j where j.expires_at < now() - interval '30 days';
    get diagnostics links = row_count;
    perform door.context(before);
end $$;
comment on function door.sweep() is 'Deletes sessions that ended and links that expired a month ago, and the counts of attempts of yesterday; at most a thousand sessions at a time.';

-- Who may call what -----------------------------------------------------------------------------------------------

do $$
declare
    f record;
begin
    for f in
        select p.oid::regprocedure as signature, p.prosecdef as definer
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'door'
    loop
        execute format('alter function %s owner to ephor_door', f.signature);
        execute format('revoke all on function %s from public', f.signature);
        if f.definer then
            execute format('grant execute on function %s to ephor_app', f.signature);
        end if;
    end loop;
end $$;
