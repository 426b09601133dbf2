-- The second factor at work: enrolled, confirmed, asked for at log-in, and required by organizations.
--
-- identity.user_totp holds the secret encrypted: the key is the server's, not the database's.

comment on column identity.user_totp.secret is 'What the codes are computed from, encrypted with a key that the database does not have. No run-time role but the door reads it.';

alter table identity.organizations add column require_second_factor boolean not null default false;
comment on column identity.organizations.require_second_factor is 'Whether its members need a second factor: those who have none may do nothing in it until they have set one up.';
grant update (require_second_factor) on identity.organizations to ephor_app;

create function door.second_factor_due(p_organization uuid, p_user uuid) returns boolean
language sql stable as $$
    select exists (select 1 from identity.organizations o where o.id = p_organization and o.require_second_factor)
       and not exists (select 1 from identity.user_totp t where t.user_id = p_user and t.confirmed_at is not null)
$$;
comment on function door.second_factor_due(uuid, uuid) is 'Does the organization require a second factor that the person has not?';

-- A member's permissions and reach, as before; none of either where a second factor is missing.
create or replace function door.membership(p_organization uuid, p_user uuid, p_known bigint)
returns table (member_id uuid, role_id uuid, membership_version bigint, permissions text[], readable uuid[])
language sql stable rows 1 as $$
    select m.id, m.role_id, v.value,
           case when v.value is distinct from p_known then
               case when door.second_factor_due(o.id, p_user) then '{}'::text[] else r.permissions end end,
           case when v.value is distinct from p_known then
               case when o.kind = 'holding' and not door.second_factor_due(o.id, p_user)
                    then array(select s.id from identity.organizations s where s.parent_id = o.id and s.is_active order by s.id)
                    else '{}'::uuid[] end end
    from identity.organization_members m
    join identity.organizations o on o.id = m.organization_id and o.is_active
    join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id
    join identity.membership_versions v on v.organization_id = m.organization_id
    join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
    where m.organization_id = p_organization and m.user_id = p_user and m.is_active
$$;

-- A person's second factor came or went: what servers remember of them is out of date.
create function door.second_factor_changed(p_user uuid) returns void
language sql as $$
    update identity.membership_versions v set value = v.value + 1
    where v.organization_id in (
        select m.organization_id from identity.organization_members m where m.user_id = p_user order by 1)
$$;
comment on function door.second_factor_changed(uuid) is 'Counts up the versions of a person''s organizations, whose permissions may hang on the second factor.';

-- Within a scope: one's own ---------------------------------------------------------------------------

create function door.totp_state(out secret bytea, out confirmed_at timestamptz, out recovery_codes_left integer, out has_password boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.secret, t.confirmed_at, cardinality(t.recovery_code_hashes), u.password_changed_at is not null
    from (values (nullif(current_setting('ephor.actor_id', true), '')::uuid)) as asked(person)
    left join identity.users u on u.id = asked.person
    left join identity.user_totp t on t.user_id = asked.person
$$;
comment on function door.totp_state() is 'The actor''s second factor: its encrypted secret, since when it is confirmed, and how many recovery codes are left. One row always.';

create function door.totp_begin(p_secret bytea, out state text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    insert into identity.user_totp as t (user_id, secret)
    select u.id, p_secret from identity.users u where u.id = who and u.is_active
    on conflict (user_id) do update set secret = excluded.secret, last_used_step = null, recovery_code_hashes = '{}'
    where t.confirmed_at is null;
    state := case when found then 'ok' else 'confirmed' end;
end $$;
comment on function door.totp_begin(bytea) is 'Gives the actor a secret to be confirmed, in place of one that was not. state is ok, or confirmed for somebody who has a second factor.';

create function door.totp_confirm(p_secret bytea, p_step bigint, p_recovery bytea[], p_keep_session uuid, out confirmed boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    update identity.user_totp t set confirmed_at = now(), last_used_step = p_step, recovery_code_hashes = p_recovery
    where t.user_id = who and t.secret = p_secret and t.confirmed_at is null;
    confirmed := found;
    if confirmed then
        -- Sessions that were opened without it end.
        update identity.sessions s set is_active = false, ended_at = now()
        where s.user_id = who and s.is_active and s.id is distinct from p_keep_session;
        perform door.second_factor_changed(who);
        perform audit.record('second_factor_on', 'identity.users', who, '{}');
    end if;
end $$;
comment on function door.totp_confirm(bytea, bigint, bytea[], uuid) is 'Puts the actor''s second factor into force, after a right code, and ends their other sessions.';

-- Uses up a code: a step that is later than the last one, or a recovery code that is left.
create function door.totp_use(p_user uuid, p_step bigint, p_recovery bytea) returns boolean
language plpgsql as $$
begin
    if p_step is not null then
        update identity.user_totp t set last_used_step = p_step
        where t.user_id = p_user and t.confirmed_at is not null and (t.last_used_step is null or t.last_used_step < p_step);
    else
        update identity.user_totp t set recovery_code_hashes = array_remove(t.recovery_code_hashes, p_recovery)
        where t.user_id = p_user and t.confirmed_at is not null and p_recovery = any (t.recovery_code_hashes);
    end if;
    return found;
end $$;
comment on function door.totp_use(uuid, bigint, bytea) is 'Uses up a code of a second factor, by its step or as a recovery code''s hash; false for one that was used or never was.';

create function door.totp_recovery(p_step bigint, p_recovery bytea[], out replaced boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    replaced := p_step is not null and door.totp_use(who, p_step, null);
    if replaced then
        update identity.user_totp t set recovery_code_hashes = p_recovery where t.user_id = who;
        perform audit.record('recovery_codes_replaced', 'identity.users', who, '{}');
    end if;
end $$;
comment on function door.totp_recovery(bigint, bytea[]) is 'Replaces the actor''s recovery codes, and uses up the code that it was asked with.';

-- With the hash of the password that was verified, or with a code.
create function door.totp_off(p_password_hash text, p_step bigint, p_recovery bytea, out state text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    proven boolean;
begin
    if p_password_hash is not null then
        proven := exists (select 1 from identity.users u where u.id = who and u.password_hash = p_password_hash);
    else
        proven := door.totp_use(who, p_step, p_recovery);
    end if;
    if not proven then
        state := 'refused';
        return;
    end if;
    delete from identity.user_totp t where t.user_id = who;
    state := case when found then 'ok' else 'none' end;
    perform door.second_factor_changed(who);
    perform audit.record('second_factor_off', 'identity.users', who, '{}');
end $$;
comment on function door.totp_off(text, bigint, bytea) is 'Takes the actor''s second factor away, proven by password or by a code. state is ok, none or refused.';

-- Before a scope: log-in --------------------------------------------------------------------------------

create function door.totp_of(p_user uuid, out secret bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select t.secret from (values (p_user)) as asked(person)
    left join identity.user_totp t on t.user_id = asked.person and t.confirmed_at is not null
$$;
comment on function door.totp_of(uuid) is 'The encrypted secret of a person''s confirmed second factor, for log-in. One row always.';

-- Where one asked to go, else where one was last, else where one has been longest.
create function door.session_open(
    p_user uuid, p_organization uuid, p_token_hash bytea, p_ip inet, p_user_agent text,
    p_idle interval, p_absolute interval, p_account bytea, p_details jsonb, p_request text,
    out state text, out session_id uuid, out organization_id uuid)
language plpgsql as $$
declare
    before text[];
begin
    select m.organization_id into session_open.organization_id
    from identity.organization_members m
    join identity.organizations o on o.id = m.organization_id and o.is_active
    where m.user_id = p_user and m.is_active and (p_organization is null or m.organization_id = p_organization)
    order by (select max(s.created_at) from identity.sessions s
              where s.user_id = p_user and s.current_organization_id = m.organization_id) desc nulls last, m.joined_at, m.id
    limit 1;
    if session_open.organization_id is null then
        state := 'no_organization';
        return;
    end if;
    before := door.act('user', p_user, session_open.organization_id, p_request);
    update identity.users u set last_login_at = now() where u.id = p_user;
    delete from identity.log_in_attempts a where a.kind = 'account' and a.subject_hash = p_account;
    insert into identity.sessions (user_id, current_organization_id, token_hash, ip_address, user_agent, expires_at)
    values (p_user, session_open.organization_id, p_token_hash, p_ip, p_user_agent, now() + p_absolute)
    returning id into session_id;
    insert into identity.session_activity (id, user_id, idle_expires_at)
    values (session_id, p_user, now() + least(p_idle, p_absolute));
    perform audit.record_for(session_open.organization_id, 'user', p_user, 'log_in', 'identity.sessions', session_id, p_details);
    perform door.context(before);
    state := 'ok';
end $$;
comment on function door.session_open(uuid, uuid, bytea, inet, text, interval, interval, bytea, jsonb, text) is 'Opens a session for somebody who proved who they are.';

create or replace function door.session_create(
    p_user uuid, p_password_hash text, p_organization uuid, p_token_hash bytea, p_ip inet, p_user_agent text,
    p_idle interval, p_absolute interval, p_account bytea, p_request text,
    out state text, out session_id uuid, out organization_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- The hash that was verified must still be the account's: a password changed meanwhile does not log in.
    perform 1 from identity.users u
    where u.id = p_user and u.is_active and u.deleted_at is null and u.password_hash = p_password_hash for update;
    if not found then
        state := 'unknown';
        return;
    end if;
    if exists (select 1 from identity.user_totp t where t.user_id = p_user and t.confirmed_at is not null) then
        state := 'second_factor';
        return;
    end if;
    select o.state, o.session_id, o.organization_id into state, session_id, organization_id
    from door.session_open(p_user, p_organization, p_token_hash, p_ip, p_user_agent, p_idle, p_absolute, p_account, '{}', p_request) o;
end $$;
comment on function door.session_create(uuid, text, uuid, bytea, inet, text, interval, interval, bytea, text) is 'Opens a session for somebody whose password was verified against the given hash. state is ok, unknown, second_factor (nothing was opened: a code is asked for) or no_organization.';

-- Of the two proofs of the first step one is given: the hash of the password that was verified, or the
-- identity elsewhere that was. The second step's is a TOTP step, or the hash of a recovery code.
create function door.session_create_proven(
    p_user uuid, p_password_hash text, p_identity uuid, p_step bigint, p_recovery bytea,
    p_organization uuid, p_token_hash bytea, p_ip inet, p_user_agent text,
    p_idle interval, p_absolute interval, p_account bytea, p_request text,
    out state text, out session_id uuid, out organization_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    details jsonb := '{}';
    platform constant uuid := '00000000-0000-7000-8000-000000000000';
    before text[];
    used boolean;
begin
    perform 1 from identity.users u
    where u.id = p_user and u.is_active and u.deleted_at is null
      and ((p_identity is null and u.password_hash = p_password_hash)
           or exists (select 1 from identity.user_identities i where i.id = p_identity and i.user_id = u.id))
    for update;
    if not found then
        state := 'unknown';
        return;
    end if;
    if exists (select 1 from identity.user_totp t where t.user_id = p_user and t.confirmed_at is not null) then
        if p_step is null and p_recovery is null then
            state := 'second_factor';
            return;
        end if;
        before := door.act('user', p_user, platform, p_request);
        used := door.totp_use(p_user, p_step, p_recovery);
        perform door.context(before);
        if not used then
            state := 'wrong_code';
            return;
        end if;
        details := jsonb_build_object('second_factor', case when p_step is null then 'recovery_code' else 'totp' end);
    end if;
    if p_identity is not null then
        details := details || jsonb_build_object('identity', p_identity);
    end if;
    select o.state, o.session_id, o.organization_id into state, session_id, organization_id
    from door.session_open(p_user, p_organization, p_token_hash, p_ip, p_user_agent, p_idle, p_absolute, p_account, details, p_request) o;
end $$;
comment on function door.session_create_proven(uuid, text, uuid, bigint, bytea, uuid, bytea, inet, text, interval, interval, bytea, text) is 'Opens a session for somebody who proved who they are, by password or elsewhere, and by a code if they have a second factor, which is used up. state is ok, unknown, second_factor, wrong_code or no_organization.';

-- Who may call what -----------------------------------------------------------------------------------------

do $$
declare
    f record;
begin
    for f in
        select p.oid::regprocedure as signature, p.prosecdef as definer
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'door' and p.proname in ('second_factor_due', 'second_factor_changed', 'totp_state', 'totp_begin',
            'totp_confirm', 'totp_use', 'totp_recovery', 'totp_off', 'totp_of', 'session_open', 'session_create_proven')
    loop
        execute format('alter function %s owner to ephor_door', f.signature);
        execute format('revoke all on function %s from public', f.signature);
        if f.definer then
            execute format('grant execute on function %s to ephor_app', f.signature);
        end if;
    end loop;
end $$;
