-- Log-in elsewhere at work: people whom an OpenID Connect provider vouches for.
--
-- The server has verified the provider's word before it calls these functions. An account that a
-- provider made has a password hash that no password fits, and no password_changed_at: nobody can
-- sign up with its address, and whoever wants a password sets one by e-mail.

-- Gives a person a place in an organization, if its policy and its room allow.
create function door.member_provision(p_user uuid, p_organization uuid, p_role text, out state text)
language plpgsql as $$
declare
    most integer;
    used bigint;
    member identity.organization_members;
begin
    select o.max_users into most from identity.organizations o where o.id = p_organization and o.is_active for update;
    if not found then
        state := 'no_organization';
        return;
    end if;
    select m.* into member from identity.organization_members m
    where m.organization_id = p_organization and m.user_id = p_user for update;
    if found then
        -- Somebody who was suspended stays so; somebody who was added, but has not joined, joins.
        update identity.organization_members m set joined_at = now(), is_active = true,
            email = u.email, full_name = u.full_name, avatar_url = u.avatar_url
        from identity.users u
        where m.organization_id = p_organization and m.id = member.id and m.joined_at is null and u.id = p_user;
        if found then
            delete from identity.member_joins j where j.organization_id = p_organization and j.member_id = member.id;
            perform audit.record_for(p_organization, 'user', p_user, 'member_join', 'identity.organization_members', member.id, '{}');
        end if;
        state := 'ok';
        return;
    end if;
    select count(*) into used from identity.organization_members m
    where m.organization_id = p_organization and (m.is_active or m.joined_at is null);
    if used >= most then
        state := 'full';
        return;
    end if;
    insert into identity.organization_members
        (organization_id, user_id, role_id, email, full_name, avatar_url, is_active, joined_at, created_by)
    select p_organization, u.id, r.id, u.email, u.full_name, u.avatar_url, true, now(), u.id
    from identity.users u
    join identity.roles r on r.organization_id = p_organization and r.builtin_code = p_role
    where u.id = p_user;
    state := case when found then 'ok' else 'no_organization' end;
    if found then
        perform audit.record_for(p_organization, 'user', p_user, 'member_join', 'identity.organization_members', m.id, '{}')
        from identity.organization_members m where m.organization_id = p_organization and m.user_id = p_user;
    end if;
end $$;
comment on function door.member_provision(uuid, uuid, text) is 'Makes a person an active member, unless they are or were suspended. state is ok, full or no_organization.';

-- First the identity, which is known or not; then the address, which the caller passes only if the provider
-- verified it and the policy accepts it; then a new account, if an organization is named to be its place.
create function door.identity_admit(
    p_provider text, p_subject text, p_email text, p_full_name text, p_password_hash text,
    p_link_accounts boolean, p_link_to uuid, p_organization text, p_role text, p_request text,
    out state text, out user_id uuid, out identity_id uuid, out account_email text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    platform constant uuid := '00000000-0000-7000-8000-000000000000';
    place uuid;
    person identity.users;
    found_identity identity.user_identities;
    before text[];
begin
    -- One first log-in at a time for a subject.
    perform pg_advisory_xact_lock(hashtextextended('identity ' || p_provider || ' ' || p_subject, 0));
    select i.* into found_identity from identity.user_identities i
    where i.provider = p_provider and i.subject = p_subject;
    if found then
        if p_link_to is distinct from found_identity.user_id and p_link_to is not null then
            state := 'linked_elsewhere';
            return;
        end if;
        if not exists (select 1 from identity.users u where u.id = found_identity.user_id and u.is_active and u.deleted_at is null) then
            state := 'suspended';
            return;
        end if;
        before := door.act('user', found_identity.user_id, platform, p_request);
        update identity.user_identities i set last_used_at = now(), email = coalesce(p_email, i.email)
        where i.id = found_identity.id
          and (i.last_used_at is null or i.last_used_at < now() - interval '1 hour' or p_email is distinct from i.email);
        perform door.context(before);
        user_id := found_identity.user_id;
        select u.email into account_email from identity.users u where u.id = found_identity.user_id;
        identity_id := found_identity.id;
        state := 'ok';
        return;
    end if;
    select o.id into place from identity.organizations o where o.slug = p_organization and o.is_active;
    if p_link_to is not null then
        select u.* into person from identity.users u
        where u.id = p_link_to and u.is_active and u.deleted_at is null for update;
        if not found then
            state := 'suspended';
            return;
        end if;
        before := door.act('user', person.id, platform, p_request);
    elsif p_email is null then
        state := 'no_email';
        return;
    else
        select u.* into person from identity.users u where u.email = p_email for update;
        if found then
            if not person.is_active or person.deleted_at is not null then
                state := 'suspended';
                return;
            end if;
            -- An account with a password, or with an identity elsewhere, is somebody's already: it is joined
            -- only where the operator says so and both sides have verified the address.
            if (person.password_hash is not null
                or exists (select 1 from identity.user_identities i where i.user_id = person.id))
               and not (p_link_accounts and person.email_verified_at is not null) then
                state := 'account_exists';
                return;
            end if;
            before := door.act('user', person.id, platform, p_request);
            update identity.users u set email_verified_at = coalesce(u.email_verified_at, now()),
                password_hash = coalesce(u.password_hash, p_password_hash),
                full_name = case when u.password_hash is null then p_full_name else u.full_name end
            where u.id = person.id;
        elsif place is null or p_role is null then
            state := 'unknown';
            return;
        else
            person.id := kernel.uuidv7();
            before := door.act('user', person.id, platform, p_request);
            insert into identity.users (id, email, full_name, password_hash, email_verified_at)
            values (person.id, p_email, p_full_name, p_password_hash, now());
        end if;
    end if;
    insert into identity.user_identities (user_id, provider, subject, email, last_used_at)
    values (person.id, p_provider, p_subject, p_email, now()) returning id into identity_id;
    perform audit.record_for(platform, 'user', person.id, 'identity_link', 'identity.user_identities', identity_id,
        jsonb_build_object('provider', p_provider));
    user_id := person.id;
    account_email := coalesce(person.email, p_email);
    state := 'ok';
    if p_link_to is null and place is not null and p_role is not null then
        perform door.act('user', person.id, place, p_request);
        select p.state into state from door.member_provision(person.id, place, p_role) p;
    end if;
    perform door.context(before);
    if state <> 'ok' then
        -- The answer leaves nothing behind: the caller's transaction is this call alone.
        raise exception 'the organization has no room' using errcode = 'check_violation',
            constraint = 'organizations_' || state, schema = 'identity', table = 'organizations';
    end if;
end $$;
comment on function door.identity_admit(text, text, text, text, text, boolean, uuid, text, text, text) is 'The account of somebody whom a provider vouches for: known, linked by verified address, or made by policy. state is ok, suspended, linked_elsewhere, no_email, account_exists or unknown.';

-- Each request with a provider's token.
create function door.identity_lookup(p_provider text, p_subject text, p_organization text, p_known bigint,
    out linked boolean, out user_id uuid, out organization_id uuid, out member_id uuid, out role_id uuid,
    out membership_version bigint, out permissions text[], out readable uuid[])
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select true, i.user_id, o.id, m.member_id, m.role_id, m.membership_version, m.permissions, m.readable
    into linked, user_id, organization_id, member_id, role_id, membership_version, permissions, readable
    from identity.user_identities i
    left join identity.organizations o on o.is_active and (o.slug = p_organization or o.id::text = p_organization)
    left join lateral door.membership(o.id, i.user_id, p_known) m on true
    where i.provider = p_provider and i.subject = p_subject;
    linked := coalesce(linked, false);
end $$;
comment on function door.identity_lookup(text, text, text, bigint) is 'For whom a provider''s token acts in an organization, by its slug or id. One row always; member_id is null for somebody who may not act there.';

-- Within a scope: one's own.
create function door.identity_unlink(p_identity uuid, out state text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    person identity.users;
begin
    select u.* into person from identity.users u where u.id = who for update;
    if person.password_changed_at is null and not exists (
        select 1 from identity.user_identities i where i.user_id = who and i.id <> p_identity) then
        state := 'last_way';
        return;
    end if;
    delete from identity.user_identities i where i.id = p_identity and i.user_id = who;
    state := case when found then 'ok' else 'unknown' end;
    if found then
        perform audit.record('identity_unlink', 'identity.user_identities', p_identity, '{}');
    end if;
end $$;
comment on function door.identity_unlink(uuid) is 'Ends one of the actor''s log-ins elsewhere, unless it is their only way in. state is ok, unknown or last_way.';

-- Who may call what -----------------------------------------------------------------------------------------

do $$
declare
    f record;
begin
    for f in
        select p.oid::regprocedure as signature, p.prosecdef as definer
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'door' and p.proname in ('member_provision', 'identity_admit', 'identity_lookup', 'identity_unlink')
    loop
        execute format('alter function %s owner to ephor_door', f.signature);
        execute format('revoke all on function %s from public', f.signature);
        if f.definer then
            execute format('grant execute on function %s to ephor_app', f.signature);
        end if;
    end loop;
end $$;
