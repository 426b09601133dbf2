-- An address is proven by its owner's session; members and invitations go by one limit; an erasure that failed shows.

-- 1. Proving an address ------------------------------------------------------------------------------------------

-- The link alone shows that somebody reads the mails, not whose account it is: an account that somebody else opened on
-- the address would be proven by its victim. So it is the transaction's actor who proves their own account's address.
create or replace function door.email_verify(p_token_hash bytea, p_request text, out state text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    person identity.users;
    place uuid;
    before text[];
begin
    state := 'unknown';
    select u.* into person
    from identity.user_tokens t
    join identity.users u on u.id = t.user_id and u.email = t.email and u.is_active and u.deleted_at is null
    where t.token_hash = p_token_hash and t.purpose = 'verify_email' and t.used_at is null and t.expires_at > now()
    for update of u;
    if not found then
        return;
    end if;
    if person.id is distinct from who then
        state := 'other_person';
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
comment on function door.email_verify(bytea, text) is 'Uses up a mailed token of the actor''s own account: they have proven its address. state is ok, unknown, or other_person (the link is for another account).';

-- 2. One limit for members -----------------------------------------------------------------------------------------

-- Who takes up room: members who are active or have yet to join, and whoever is invited besides.
create function door.members_counted(p_organization uuid, p_invited boolean) returns bigint
language sql volatile as $$
    select (select count(*) from identity.organization_members m
            where m.organization_id = p_organization and (m.is_active or m.joined_at is null))
         + (select count(*) from identity.team_invitations i
            where p_invited and i.organization_id = p_organization and i.status = 'pending' and i.expires_at > now()
              and not exists (select from identity.organization_members m
                              where m.organization_id = p_organization and m.email = i.email and (m.is_active or m.joined_at is null)))
$$;
comment on function door.members_counted(uuid, boolean) is 'How many members an organization has, those who have yet to join among them; with open invitations to others, if asked.';

-- p_invited: whether open invitations count, too. Whoever takes up the room that an invitation holds is no more than before.
create function door.limit_hold(p_organization uuid, p_word text, p_added bigint, p_schema text, p_table text, p_invited boolean default true)
returns void
language plpgsql as $$
declare
    tier text;
    allowed numeric;
    used bigint;
    more text;
    own boolean;
    since constant timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
    until constant timestamptz := (date_trunc('month', now() at time zone 'UTC') + interval '1 month') at time zone 'UTC';
    monthly constant boolean := p_word like '%\_per\_month';
begin
    select f.tier_name, (f.limits ->> p_word)::numeric into tier, allowed from door.limits_in_force(array[p_organization]) f;
    if allowed is null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended(p_organization || ' ' || p_word, 0));
    case p_word
        when 'members' then
            used := door.members_counted(p_organization, p_invited);
        when 'assistants' then
            select count(*) into used from workforce.assistants a where a.organization_id = p_organization;
        when 'bias_analyses_per_month' then
            select count(*) into used from assurance.bias_analyses b where b.organization_id = p_organization and b.created_at >= since;
        when 'deliberations_per_month' then
            select count(*) into used from deliberation.deliberations d where d.organization_id = p_organization and d.created_at >= since;
    end case;
    if used <= allowed then
        return;
    end if;
    -- What the operator set for this organization alone, no other tier raises.
    select case p_word when 'members' then o.max_users is not null when 'assistants' then o.max_assistants is not null else false end
    into own from identity.organizations o where o.id = p_organization;
    if not own then
        select t.name into more from billing.subscription_tiers t
        where t.is_active and ((t.limits ->> p_word) is null or (t.limits ->> p_word)::numeric > allowed)
        order by (t.limits ->> p_word)::numeric nulls last, t.price_monthly, t.id limit 1;
    end if;
    raise exception 'the limit % is reached', p_word
        using errcode = 'EPL01', schema = p_schema, table = p_table, detail = jsonb_build_object(
            'name', p_word, 'limit', floor(allowed), 'used', greatest(used - p_added, 0),
            'plan', case when not own then tier end, 'upgrade', more,
            'retry_after', case when monthly then ceil(extract(epoch from until - now())) end);
end $$;
comment on function door.limit_hold(uuid, text, bigint, text, text, boolean) is 'Refuses what is more than an organization''s limit allows, of which so many were just added. Two at the same moment count one another.';

create or replace function door.limit_keep() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform door.limit_hold(a.organization_id, tg_argv[0], a.made, tg_table_schema, tg_table_name)
    from (select organization_id, count(*) as made from added group by 1 order by 1) as a;
    return null;
end $$;

create function door.limit_keep_members() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- Where all who come were invited, only members count: the first to come take the room.
    perform door.limit_hold(a.organization_id, 'members', a.made, tg_table_schema, tg_table_name, a.strangers)
    from (select n.organization_id, count(*) as made,
                 bool_or(not exists (select from identity.team_invitations i
                                     where i.organization_id = n.organization_id and i.email = n.email
                                       and i.status = 'pending' and i.expires_at > now())) as strangers
          from added n group by 1 order by 1) as a;
    return null;
end $$;
comment on function door.limit_keep_members() is 'Refuses members beyond what the organization''s limit allows.';

create or replace function door.limit_keep_active() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform door.limit_hold(a.organization_id, 'members', a.made, tg_table_schema, tg_table_name)
    from (select n.organization_id, count(*) as made
          from added n join before_it o on o.organization_id = n.organization_id and o.id = n.id
          where (n.is_active or n.joined_at is null) and not (o.is_active or o.joined_at is null)
          group by 1 order by 1) as a;
    return null;
end $$;

create function door.limit_keep_invited() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform door.limit_hold(a.organization_id, 'members', a.made, tg_table_schema, tg_table_name)
    from (select organization_id, count(*) as made from added where status = 'pending' and expires_at > now() group by 1 order by 1) as a;
    return null;
end $$;
comment on function door.limit_keep_invited() is 'Refuses to invite more than the organization''s limit has room for.';

drop trigger limit_keep on identity.organization_members;
create trigger limit_keep after insert on identity.organization_members
    referencing new table as added for each statement execute function door.limit_keep_members();
create trigger limit_keep after insert on identity.team_invitations
    referencing new table as added for each statement execute function door.limit_keep_invited();

-- Those who add members leave the counting to the table.
drop function door.member_add(text, text, uuid, bytea, interval);
create function door.member_add(p_email text, p_full_name text, p_role uuid, p_token_hash bytea, p_valid interval,
    out state text, out member_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    who constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    person uuid;
begin
    if not exists (select from identity.organizations o where o.id = place and o.is_active) then
        state := 'no_organization';
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
comment on function door.member_add(text, text, uuid, bytea, interval) is 'Adds a person to the transaction''s organization, with a one-time link to join it. The answer is the same whether or not the person has an account. state is ok, member_already or no_organization.';

create or replace function door.member_provision(p_user uuid, p_organization uuid, p_role text, out state text)
language plpgsql as $$
declare
    member identity.organization_members;
begin
    if not exists (select from identity.organizations o where o.id = p_organization and o.is_active) then
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
comment on function door.member_provision(uuid, uuid, text) is 'Makes a person an active member, unless they are or were suspended. state is ok or no_organization.';

drop function door.invitation_accept(uuid, uuid, bytea, text, text, boolean, text);
create function door.invitation_accept(p_organization uuid, p_invitation uuid, p_token_hash bytea,
    p_new_hash text, p_full_name text, p_consent boolean, p_request text,
    out state text, out user_id uuid, out member_id uuid)
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
    select i.* into invitation from identity.team_invitations i
    join identity.organizations o on o.id = i.organization_id and o.is_active
    where i.organization_id = p_organization and i.id = p_invitation and i.token_hash = p_token_hash
      and i.status = 'pending' and i.expires_at > now()
    for update of i;
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
comment on function door.invitation_accept(uuid, uuid, bytea, text, text, boolean, text) is 'Uses up an invitation: the person becomes an active member, and one of the team. state is ok, unknown, has_account (who has one signs in to accept), other_person (the invitation is for another address) or inactive (the member was deactivated).';

do $$
declare
    f record;
begin
    for f in
        select p.oid::regprocedure as signature, p.prosecdef and p.prorettype <> 'trigger'::regtype as called
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'door' and p.proname in ('members_counted', 'limit_hold', 'limit_keep_members', 'limit_keep_invited',
            'member_add', 'invitation_accept')
    loop
        execute format('revoke all on function %s from public', f.signature);
        if f.called then
            execute format('grant execute on function %s to ephor_app', f.signature);
        end if;
        execute format('alter function %s owner to ephor_door', f.signature);
    end loop;
end $$;

-- 3. Erasures ------------------------------------------------------------------------------------------------------

create table identity.erasures (
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    state text not null default 'pending',
    fault text,
    ended_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint erasures_pkey primary key (id),
    constraint erasures_user_id_key unique (user_id),
    constraint erasures_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade,
    constraint erasures_state_check check (state in ('pending', 'done', 'failed')),
    constraint erasures_fault_check check ((state = 'failed') = (fault is not null) and length(fault) <= 1000),
    constraint erasures_ended_at_check check ((state = 'pending') = (ended_at is null))
);
comment on table identity.erasures is 'What became of a person''s wish to be erased: kept, so that one that failed is not forgotten. It says nothing of the person but their id.';
comment on column identity.erasures.id is 'The erasure''s id.';
comment on column identity.erasures.user_id is 'The person, of whom this id is left.';
comment on column identity.erasures.state is 'pending, done or failed.';
comment on column identity.erasures.fault is 'Why it failed.';
comment on column identity.erasures.ended_at is 'When it was done, or given up.';
comment on column identity.erasures.created_at is 'When it was asked for.';
comment on column identity.erasures.updated_at is 'When it was last changed.';
comment on column identity.erasures.version is 'Counts its changes.';
comment on constraint erasures_pkey on identity.erasures is 'An erasure is found by its id.';
comment on constraint erasures_user_id_key on identity.erasures is 'A person is erased once.';
comment on constraint erasures_user_id_fkey on identity.erasures is 'The account that is erased.';
comment on constraint erasures_state_check on identity.erasures is 'The states of an erasure.';
comment on constraint erasures_fault_check on identity.erasures is 'What failed says why, in at most 1000 characters.';
comment on constraint erasures_ended_at_check on identity.erasures is 'What is at its end says when.';
create index erasures_open_idx on identity.erasures (state, created_at) where state <> 'done';

alter table identity.erasures enable row level security, force row level security;
-- The job acts for the person.
create policy erasures_system on identity.erasures to ephor_system
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid)
    with check (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy erasures_migrator on identity.erasures to ephor_owner, ephor_migrator using (true) with check (true);
create policy erasures_backup on identity.erasures for select to ephor_backup using (true);
create policy erasures_door on identity.erasures to ephor_door using (true) with check (true);
grant select on identity.erasures to ephor_system, ephor_backup;
grant update (state, fault, ended_at) on identity.erasures to ephor_system;
grant select, insert, update, delete on identity.erasures to ephor_migrator, ephor_door;
create trigger touch before update on identity.erasures for each row execute function kernel.touch_version();
select audit.watch('identity.erasures', global => true);

create or replace function door.erasure_request(p_password_hash text, out state text, out organizations text[])
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
    insert into identity.erasures (user_id) values (who)
    on conflict (user_id) do update set state = 'pending', fault = null, ended_at = null;
    perform audit.record('erasure_request', 'identity.users', who, '{}');
    state := 'ok';
end $$;

-- Those that were asked for before, and are not done: failed ones among them.
insert into identity.erasures (user_id, state, fault, ended_at, created_at)
select u.id, case when j.state in ('queued', 'running') then 'pending' else 'failed' end,
       case when j.state in ('queued', 'running') then null else left(coalesce(j.error, 'It failed; why is not known any more.'), 1000) end,
       case when j.state in ('queued', 'running') then null else now() end, asked.at
from identity.users u
cross join lateral (
    select min(l.created_at) as at from audit.audit_logs l
    where l.action = 'erasure_request' and l.entity_type = 'identity.users' and l.entity_id = u.id
      and l.organization_id in (select m.organization_id from identity.organization_members m where m.user_id = u.id
                                union all select '00000000-0000-7000-8000-000000000000')) as asked
left join lateral (
    select j.state, j.error from ops.jobs j
    where j.kind = 'identity.erasure' and j.payload ->> 'user' = u.id::text
    order by j.created_at desc, j.id limit 1) as j on true
where not u.is_active and u.deleted_at is null and asked.at is not null;

create function ops.erasures_list()
    returns table (user_id uuid, email text, state text, fault text, asked_at timestamptz, ended_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select e.user_id, u.email, e.state, e.fault, e.created_at, e.ended_at
      from identity.erasures e join identity.users u on u.id = e.user_id
     where e.state <> 'done'
     order by e.created_at, e.id
$$;
comment on function ops.erasures_list() is 'People who asked to be erased and are not yet, the first who asked first.';

create function ops.erasures_open(out waiting bigint, out failed bigint, out waiting_seconds double precision)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select count(*) filter (where e.state = 'pending'), count(*) filter (where e.state = 'failed'),
           extract(epoch from now() - min(e.updated_at) filter (where e.state = 'pending'))::double precision
      from identity.erasures e where e.state <> 'done'
$$;
comment on function ops.erasures_open() is 'How many people asked to be erased and are not yet: those whose erasure waits, for how long the oldest does, and those whose erasure failed.';

create function ops.erasure_retry(p_user uuid, p_reason text, out changed boolean)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update identity.erasures e set state = 'pending', fault = null, ended_at = null
    where e.user_id = p_user and e.state <> 'done';
    changed := found;
    if changed then
        perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, 'erasure_retry', 'identity.users', p_user,
            jsonb_build_object('reason', p_reason));
    end if;
end $$;
comment on function ops.erasure_retry(uuid, text) is 'Has an erasure wait again that failed, or whose job was lost; says whether there is one. The caller asks for the job.';

revoke all on function ops.erasures_list(), ops.erasures_open(), ops.erasure_retry(uuid, text) from public;
grant execute on function ops.erasures_list(), ops.erasures_open(), ops.erasure_retry(uuid, text) to ephor_system;

create or replace function ops.platform_status() returns jsonb
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select jsonb_build_object(
        'database', jsonb_build_object(
            'version', current_setting('server_version'),
            'started_at', pg_postmaster_start_time(),
            'bytes', pg_database_size(current_database()),
            'connections', (select count(*) from pg_stat_activity a where a.datname = current_database()),
            'max_connections', current_setting('max_connections')::integer),
        'migrations', (
            select jsonb_build_object('count', count(*), 'last', max(m.name), 'applied_at', max(m.applied_at))
            from kernel.migrations m),
        'organizations', (
            select jsonb_build_object('active', count(*) filter (where o.is_active), 'suspended', count(*) filter (where not o.is_active))
            from identity.organizations o),
        'users', (select count(*) from identity.users u where u.is_active and u.deleted_at is null),
        'jobs', (
            select jsonb_build_object(
                'queued', count(*) filter (where j.state = 'queued'),
                'running', count(*) filter (where j.state = 'running'),
                'failed', count(*) filter (where j.state = 'failed' and j.finished_at > now() - interval '1 day'),
                'waiting_seconds', extract(epoch from now() - min(greatest(j.created_at, j.run_after)) filter (where j.state = 'queued' and j.run_after <= now())))
            from ops.jobs j),
        'erasures', (select to_jsonb(e) from ops.erasures_open() e),
        'outbox', (
            select jsonb_build_object('waiting', count(*), 'waiting_seconds', extract(epoch from now() - min(o.created_at)))
            from ops.outbox o where o.handed_at is null),
        'sealing', jsonb_build_object(
            'queued', (select count(*) from audit.seal_queue),
            'waiting_seconds', (
                select extract(epoch from now() - min(l.created_at))
                from (select q.organization_id, q.entry_id from audit.seal_queue q order by q.entry_id limit 1) oldest
                join audit.audit_logs l on l.organization_id = oldest.organization_id and l.id = oldest.entry_id),
            'last_checkpoint_at', (select max(c.created_at) from audit.audit_checkpoints c)),
        'spilt', (
            select coalesce(jsonb_agg(p.schema_name || '.' || p.table_name), '[]')
            from ops.table_partitions p where p.is_default and p.row_estimate > 0))
$$;
