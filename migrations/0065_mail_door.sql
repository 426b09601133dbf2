-- The door for those who come with a link from a mail: invitations, new passwords, proven addresses.

-- Where a person was last, or has been longest: the organization in whose trail it stands what they do before a scope exists.
create function door.place_of(p_user uuid) returns uuid
language sql stable as $$
    select coalesce(
        (select m.organization_id from identity.organization_members m
         where m.user_id = p_user and m.is_active
         order by (select max(s.created_at) from identity.sessions s
                   where s.user_id = p_user and s.current_organization_id = m.organization_id) desc nulls last, m.joined_at, m.id
         limit 1),
        '00000000-0000-7000-8000-000000000000')
$$;
comment on function door.place_of(uuid) is 'The organization where a person was last; the platform''s for who belongs to none.';

-- Somebody who was added to an organization, but never chose a password or came in otherwise, is not an account yet.
create function door.is_account(p_user uuid) returns boolean
language sql stable as $$
    select exists (select from identity.users u where u.id = p_user and (u.password_hash is not null or not u.is_active or u.deleted_at is not null))
        or exists (select from identity.user_identities i where i.user_id = p_user)
        or exists (select from identity.organization_members m where m.user_id = p_user and m.joined_at is not null)
$$;
comment on function door.is_account(uuid) is 'Whether somebody uses the account already, so that a link alone must not get into it.';

-- 1. Tokens that are mailed ------------------------------------------------------------------------------------

create function door.mail_token_make(p_user uuid, p_purpose text, p_token_hash bytea, p_valid interval, p_request text,
    out email text, out full_name text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person identity.users;
    before text[];
begin
    -- A new password is for who has one; an address is proven once.
    select u.* into person from identity.users u
    where u.id = p_user and u.is_active and u.deleted_at is null
      and case p_purpose when 'verify_email' then u.email_verified_at is null else u.password_hash is not null end
    for update;
    if not found then
        return;
    end if;
    before := door.act('system', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000000', p_request);
    -- The newest mail is the one that works.
    delete from identity.user_tokens t where t.user_id = person.id and t.purpose = p_purpose and t.used_at is null;
    insert into identity.user_tokens (user_id, purpose, email, token_hash, expires_at)
    values (person.id, p_purpose, person.email, p_token_hash, now() + p_valid);
    perform door.context(before);
    email := person.email;
    full_name := person.full_name;
end $$;
comment on function door.mail_token_make(uuid, text, bytea, interval, text) is 'Makes a one-time token to be mailed to a person, in place of earlier ones, and answers where to. One row always; its columns are null for who is not to get such a mail.';

create function door.mail_address(p_user uuid, out email text, out full_name text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select u.email, u.full_name
    from (values (p_user)) as asked(id)
    left join identity.users u on u.id = asked.id and u.is_active and u.deleted_at is null
$$;
comment on function door.mail_address(uuid) is 'Where to write to a person. One row always; its columns are null for an account that is gone.';

create function door.mail_token_lookup(p_token_hash bytea, p_purpose text, out user_id uuid, out email text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select u.id, u.email
    from (values (p_token_hash, p_purpose)) as asked(hash, purpose)
    left join (identity.user_tokens t
               join identity.users u on u.id = t.user_id and u.email = t.email and u.is_active and u.deleted_at is null)
        on t.token_hash = asked.hash and t.purpose = asked.purpose and t.used_at is null and t.expires_at > now()
$$;
comment on function door.mail_token_lookup(bytea, text) is 'Whom a mailed token is for. One row always; its columns are null for a token that is unknown, used or expired.';

create function door.password_reset(p_token_hash bytea, p_new_hash text, p_account bytea, p_request text,
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
comment on function door.password_reset(bytea, text, bytea, text) is 'Uses up a mailed token: the password is replaced, all sessions end, and the address is proven. state is ok or unknown.';

create function door.email_verify(p_token_hash bytea, p_request text, out state text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person identity.users;
    place uuid;
    before text[];
begin
    state := 'unknown';
    select u.* into person
    from identity.user_tokens t
    join identity.users u on u.id = t.user_id and u.email = t.email and u.is_active and u.deleted_at is null
    where t.token_hash = p_token_hash and t.purpose = 'verify_email'
    for update of u;
    if not found then
        return;
    end if;
    place := door.place_of(person.id);
    before := door.act('user', person.id, place, p_request);
    update identity.user_tokens t set used_at = now()
    where t.token_hash = p_token_hash and t.used_at is null and t.expires_at > now();
    if found then
        update identity.users u set email_verified_at = coalesce(u.email_verified_at, now()) where u.id = person.id;
        perform audit.record_for(place, 'user', person.id, 'email_verify', 'identity.users', person.id, '{}');
        state := 'ok';
    end if;
    perform door.context(before);
end $$;
comment on function door.email_verify(bytea, text) is 'Uses up a mailed token: the person has proven their address. state is ok or unknown.';

-- 2. Invitations -----------------------------------------------------------------------------------------------

create function door.invitation_lookup(p_organization uuid, p_invitation uuid, p_token_hash bytea,
    out email text, out organization_name text, out role_name text, out team_name text, out expires_at timestamptz, out has_account boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select i.email, o.name, r.name, t.name, i.expires_at,
           case when i.id is not null then coalesce((select door.is_account(u.id) from identity.users u where u.email = i.email), false) end
    from (values (p_organization, p_invitation)) as asked(organization, invitation)
    left join (identity.team_invitations i
               join identity.organizations o on o.id = i.organization_id and o.is_active
               join identity.roles r on r.organization_id = i.organization_id
                    and (r.id = i.role_id or i.role_id is null and r.builtin_code = 'member')
               left join identity.teams t on t.organization_id = i.organization_id and t.id = i.team_id and t.deleted_at is null)
        on i.organization_id = asked.organization and i.id = asked.invitation
       and i.token_hash = p_token_hash and i.status = 'pending' and i.expires_at > now()
$$;
comment on function door.invitation_lookup(uuid, uuid, bytea) is 'What an invitation offers. One row always; its columns are null for one that is unknown, used, revoked or expired.';

-- With a new password, whoever holds the link becomes an account; without, it is the transaction's actor who accepts.
create function door.invitation_accept(p_organization uuid, p_invitation uuid, p_token_hash bytea,
    p_new_hash text, p_full_name text, p_consent boolean, p_request text,
    out state text, out user_id uuid, out member_id uuid, out used bigint, out most integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    invitation identity.team_invitations;
    membership identity.organization_members;
    person identity.users;
    is_new boolean := false;
    role uuid;
    before text[];
begin
    -- The lock makes people who join at once count one another.
    select o.max_users into most from identity.organizations o where o.id = p_organization and o.is_active for update;
    if found then
        select i.* into invitation from identity.team_invitations i
        where i.organization_id = p_organization and i.id = p_invitation and i.token_hash = p_token_hash
          and i.status = 'pending' and i.expires_at > now()
        for update;
    end if;
    if not found then
        state := 'unknown';
        return;
    end if;
    if p_new_hash is null then
        select u.* into person from identity.users u
        where u.id = who and u.is_active and u.deleted_at is null and u.email = invitation.email for update;
        if not found then
            state := 'other_person';
            return;
        end if;
    else
        select u.* into person from identity.users u where u.email = invitation.email for update;
        is_new := not found;
        if not is_new and door.is_account(person.id) then
            state := 'has_account';
            return;
        end if;
        if is_new then
            person.id := kernel.uuidv7();
        end if;
    end if;
    select m.* into membership from identity.organization_members m
    where m.organization_id = p_organization and m.user_id = person.id for update;
    if membership.joined_at is not null and not membership.is_active then
        state := 'inactive';
        return;
    end if;
    if membership.id is null then
        select count(*) into used from identity.organization_members m
        where m.organization_id = p_organization and (m.is_active or m.joined_at is null);
        if used >= most then
            state := 'full';
            return;
        end if;
    end if;
    select r.id into role from identity.roles r
    where r.organization_id = p_organization
      and (r.id = invitation.role_id or invitation.role_id is null and r.builtin_code = 'member');

    before := door.act('user', person.id, p_organization, p_request);
    if is_new then
        insert into identity.users (id, email, full_name, password_hash, password_changed_at, gdpr_consent_at, email_verified_at)
        values (person.id, invitation.email, p_full_name, p_new_hash, now(), case when p_consent then now() end,
            case when invitation.by_mail then now() end)
        on conflict (email) do nothing;
        if not found then
            -- Somebody signed up with the address at the same moment.
            perform door.context(before);
            state := 'has_account';
            return;
        end if;
    elsif p_new_hash is not null then
        update identity.users u set password_hash = p_new_hash, password_changed_at = now(), full_name = p_full_name,
            gdpr_consent_at = case when p_consent then now() end,
            email_verified_at = case when invitation.by_mail then coalesce(u.email_verified_at, now()) else u.email_verified_at end
        where u.id = person.id;
    elsif invitation.by_mail and person.email_verified_at is null then
        update identity.users u set email_verified_at = now() where u.id = person.id;
    end if;
    if membership.id is null then
        insert into identity.organization_members
            (organization_id, user_id, role_id, email, full_name, avatar_url, is_active, joined_at, created_by)
        select p_organization, u.id, role, u.email, u.full_name, u.avatar_url, true, now(), invitation.created_by
        from identity.users u where u.id = person.id
        returning id into member_id;
    elsif membership.joined_at is null then
        delete from identity.member_joins j where j.organization_id = p_organization and j.member_id = membership.id;
        update identity.organization_members m set joined_at = now(), is_active = true, role_id = role,
            email = u.email, full_name = u.full_name, avatar_url = u.avatar_url
        from identity.users u
        where m.organization_id = p_organization and m.id = membership.id and u.id = m.user_id;
        member_id := membership.id;
    else
        -- Joined otherwise meanwhile: the role that they have by now stays.
        member_id := membership.id;
    end if;
    insert into identity.team_members (organization_id, team_id, member_id, role, created_by)
    select p_organization, t.id, invitation_accept.member_id, invitation.team_role, invitation.created_by
    from identity.teams t
    where t.organization_id = p_organization and t.id = invitation.team_id and t.deleted_at is null
    on conflict on constraint team_members_member_id_key do nothing;
    update identity.team_invitations i set status = 'accepted', accepted_by = person.id
    where i.organization_id = p_organization and i.id = p_invitation;
    perform audit.record_for(p_organization, 'user', person.id, 'member_join', 'identity.organization_members', member_id,
        jsonb_build_object('invitation', p_invitation));
    perform door.context(before);
    user_id := person.id;
    state := 'ok';
end $$;
comment on function door.invitation_accept(uuid, uuid, bytea, text, text, boolean, text) is 'Uses up an invitation: the person becomes an active member, and one of the team. state is ok, unknown, has_account (who has one signs in to accept), other_person (the invitation is for another address), inactive (the member was deactivated) or full (used of most places).';

-- 3. An account without a password, whose person comes in otherwise, is nobody's to take over ----------------------

create or replace function door.sign_up(
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
    select u.id into user_id from identity.users u where u.email = p_email and u.is_active and not door.is_account(u.id) for update;
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

create or replace function door.join_accept(p_organization uuid, p_member uuid, p_token_hash bytea,
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
       or (p_old_hash is null) <> (p_new_hash is not null)
       or p_old_hash is null and door.is_account(person.id) then
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

-- 4. Tidying up ------------------------------------------------------------------------------------------------

create or replace function door.sweep(out sessions bigint, out attempts bigint, out links bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before text[];
    tokens bigint;
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
    delete from identity.user_tokens t where t.expires_at < now() - interval '30 days';
    get diagnostics tokens = row_count;
    links := links + tokens;
    perform door.context(before);
end $$;
comment on function door.sweep() is 'Deletes sessions that ended and links and mailed tokens that expired a month ago, and the counts of attempts of yesterday; at most a thousand sessions at a time.';

do $$
declare
    f record;
begin
    for f in
        select p.oid::regprocedure as signature, p.prosecdef as definer
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'door' and p.proname in ('place_of', 'is_account', 'mail_token_make', 'mail_address',
            'mail_token_lookup', 'password_reset', 'email_verify', 'invitation_lookup', 'invitation_accept')
    loop
        execute format('alter function %s owner to ephor_door', f.signature);
        execute format('revoke all on function %s from public', f.signature);
        if f.definer then
            execute format('grant execute on function %s to ephor_app', f.signature);
        end if;
    end loop;
end $$;

-- Mails to people are jobs of no organization but the platform's: they end with the others.
create or replace function ops.cleanup_all(out organizations bigint, out deleted bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    organization uuid;
begin
    organizations := 0;
    deleted := 0;
    execute 'set local ephor.actor_type = ''system''';
    execute 'set local ephor.actor_id = ''00000000-0000-7000-8000-000000000001''';
    for organization in select o.id from identity.organizations as o order by o.id loop
        execute format('set local ephor.organization_id = %L', organization);
        deleted := deleted + (select coalesce(sum(c.deleted), 0) from ops.cleanup_expired() as c);
        organizations := organizations + 1;
    end loop;
    execute 'set local ephor.organization_id = ''00000000-0000-7000-8000-000000000000''';
    deleted := deleted + (select coalesce(sum(c.deleted), 0) from ops.cleanup_expired() as c);
    -- The context was this function's alone.
    execute 'set local ephor.organization_id = ''''';
    execute 'set local ephor.actor_type = ''''';
    execute 'set local ephor.actor_id = ''''';
end $$;
comment on function ops.cleanup_all() is 'Runs ops.cleanup_expired() for each organization, and for the platform''s own; says for how many organizations, and how many rows went.';
