-- For who runs the installation: how it is, who uses it, and the few things that no organization can do for itself.
-- Granted to ephor_system alone: what serves requests of tenants cannot ask. Each change leaves an entry in the trail of
-- the platform's own organization, and where it concerns one organization, in that organization's too.

-- How it is -----------------------------------------------------------------------------------------------------------

create function ops.platform_status() returns jsonb
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
comment on function ops.platform_status() is 'How the installation is: database, migrations, jobs, outbox, sealing. Counts over all organizations, none of them by name.';

-- Organizations -------------------------------------------------------------------------------------------------------

create function ops.organizations_list(p_organization uuid default null)
    returns table (id uuid, name text, slug text, kind text, parent_id uuid, is_active boolean, tier text,
        max_users integer, max_assistants integer, monthly_cost_limit numeric, members bigint, models bigint,
        datasets bigint, dataset_bytes numeric, audit_entries bigint, last_entry_at timestamptz, created_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select o.id, o.name, o.slug, o.kind, o.parent_id, o.is_active, t.name, o.max_users, o.max_assistants,
           o.monthly_cost_limit, m.members, r.models, d.datasets, d.bytes, coalesce(c.last_sequence_number, 0), c.created_at,
           o.created_at
      from identity.organizations o
      left join billing.subscription_tiers t on t.id = o.subscription_tier_id
     cross join lateral (select count(*) as members from identity.organization_members m
                          where m.organization_id = o.id and m.is_active) m
     cross join lateral (select count(*) as models from registry.models r where r.organization_id = o.id) r
     cross join lateral (select count(*) as datasets, coalesce(sum(d.size_bytes), 0) as bytes
                           from registry.datasets d where d.organization_id = o.id) d
      left join lateral (select c.last_sequence_number, c.created_at from audit.audit_checkpoints c
                          where c.organization_id = o.id order by c.last_sequence_number desc limit 1) c on true
     where p_organization is null or o.id = p_organization
     order by o.name, o.id
$$;
comment on function ops.organizations_list(uuid) is 'All organizations, or one, with how much each keeps. audit_entries are the sealed ones.';

create function ops.organization_set(p_organization uuid, p_change jsonb, p_reason text, out changed boolean)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_change = '{}' or exists (
        select from jsonb_object_keys(p_change) as k (key)
        where k.key not in ('is_active', 'subscription_tier_id', 'max_users', 'max_assistants', 'monthly_cost_limit'))
    then
        raise exception 'ops.organization_set: % is no change that it makes', p_change using errcode = '22023';
    end if;
    update identity.organizations o set
        is_active = case when p_change ? 'is_active' then (p_change ->> 'is_active')::boolean else o.is_active end,
        subscription_tier_id = case when p_change ? 'subscription_tier_id' then (p_change ->> 'subscription_tier_id')::uuid else o.subscription_tier_id end,
        max_users = case when p_change ? 'max_users' then (p_change ->> 'max_users')::integer else o.max_users end,
        max_assistants = case when p_change ? 'max_assistants' then (p_change ->> 'max_assistants')::integer else o.max_assistants end,
        monthly_cost_limit = case when p_change ? 'monthly_cost_limit' then (p_change ->> 'monthly_cost_limit')::numeric else o.monthly_cost_limit end
    where o.organization_id = p_organization;
    changed := found;
    if changed then
        perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, 'organization_set',
            'identity.organizations', p_organization, jsonb_build_object('change', p_change, 'reason', p_reason));
    end if;
end $$;
comment on function ops.organization_set(uuid, jsonb, text) is 'Suspends or reactivates an organization, or sets its tier and limits; says whether there is such an organization.';

-- People --------------------------------------------------------------------------------------------------------------

create function ops.users_list(p_words text, p_user uuid, p_limit integer)
    returns table (id uuid, email text, full_name text, is_active boolean, is_superuser boolean, organizations text[],
        sessions bigint, last_login_at timestamptz, created_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select u.id, u.email, u.full_name, u.is_active, u.is_superuser,
           array(select o.name from identity.organization_members m join identity.organizations o on o.id = m.organization_id
                  where m.user_id = u.id and m.is_active order by o.name),
           (select count(*) from identity.sessions s where s.user_id = u.id and s.is_active and s.expires_at > now()),
           u.last_login_at, u.created_at
      from identity.users u
     where u.deleted_at is null and (p_user is null or u.id = p_user)
       and (p_words is null or strpos(u.email, lower(p_words)) > 0 or strpos(lower(u.full_name), lower(p_words)) > 0)
     order by u.email
     limit p_limit
$$;
comment on function ops.users_list(text, uuid, integer) is 'People by a part of their name or address, or one, with their organizations and open sessions.';

create function ops.user_set(p_user uuid, p_active boolean, p_superuser boolean, p_reason text, out changed boolean, out ended bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    ended := 0;
    update identity.users u set is_active = coalesce(p_active, u.is_active), is_superuser = coalesce(p_superuser, u.is_superuser)
    where u.id = p_user and u.deleted_at is null;
    changed := found;
    if changed then
        -- Who may no longer log in is logged out.
        if p_active is false then
            update identity.sessions s set is_active = false, ended_at = now() where s.user_id = p_user and s.is_active;
            get diagnostics ended = row_count;
        end if;
        perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, 'user_set', 'identity.users', p_user,
            jsonb_strip_nulls(jsonb_build_object('is_active', p_active, 'is_superuser', p_superuser, 'reason', p_reason)));
    end if;
end $$;
comment on function ops.user_set(uuid, boolean, boolean, text) is 'Disables or enables a person, or makes them an administrator of the platform; null leaves as is. A disabled person''s sessions end.';

create function ops.user_sessions_end(p_user uuid, p_reason text, out ended bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update identity.sessions s set is_active = false, ended_at = now() where s.user_id = p_user and s.is_active;
    get diagnostics ended = row_count;
    perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, 'user_sessions_end', 'identity.users', p_user,
        jsonb_build_object('ended', ended, 'reason', p_reason));
end $$;
comment on function ops.user_sessions_end(uuid, text) is 'Ends all sessions of a person; says how many.';

revoke all on function ops.platform_status(), ops.organizations_list(uuid), ops.organization_set(uuid, jsonb, text),
    ops.users_list(text, uuid, integer), ops.user_set(uuid, boolean, boolean, text), ops.user_sessions_end(uuid, text) from public;
grant execute on function ops.platform_status(), ops.organizations_list(uuid), ops.organization_set(uuid, jsonb, text),
    ops.users_list(text, uuid, integer), ops.user_set(uuid, boolean, boolean, text), ops.user_sessions_end(uuid, text) to ephor_system;

-- Why nobody comes in -------------------------------------------------------------------------------------------------

-- Asked only after a log-in or key was refused though it is right: so that its owner learns that it is the
-- organization that is suspended. A wrong password or key never comes this far: the answer is false for it.
create function door.suspended(p_user uuid, p_password_hash text, p_organization uuid, p_key uuid, p_key_hash bytea)
returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select exists (
               select from identity.users u
               join identity.organization_members m on m.user_id = u.id and m.is_active
               join identity.organizations o on o.id = m.organization_id and not o.is_active
               where u.id = p_user and u.password_hash = p_password_hash and u.is_active and u.deleted_at is null
                 and (p_organization is null or m.organization_id = p_organization))
        or exists (
               select from identity.api_keys k
               join identity.organizations o on o.id = k.organization_id and not o.is_active
               where k.organization_id = p_organization and k.id = p_key and k.key_hash = p_key_hash
                 and k.is_active and (k.expires_at is null or k.expires_at > now()))
$$;
comment on function door.suspended(uuid, text, uuid, uuid, bytea) is 'Whether what was refused is right, and only its organization is suspended: for a person whose password was verified, or an API key.';
alter function door.suspended(uuid, text, uuid, uuid, bytea) owner to ephor_door;
revoke all on function door.suspended(uuid, text, uuid, uuid, bytea) from public;
grant execute on function door.suspended(uuid, text, uuid, uuid, bytea) to ephor_app;
