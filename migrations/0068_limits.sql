-- Limits: what an organization's tier grants, how much of it is used, and that no more is made.
--
-- The tier in force is that of the live subscription; else the one that the operator gave the organization; for a
-- subsidiary else its holding's; else the default tier, if the operator chose one. Without any of them nothing is
-- limited: who runs Ephor for themselves need not know of tiers.

alter table billing.subscription_tiers add column is_default boolean not null default false;
comment on column billing.subscription_tiers.is_default is 'Whether it is in force for organizations that have no other; the operator chooses it.';
create unique index subscription_tiers_default_idx on billing.subscription_tiers (is_default) where is_default;
comment on column identity.organizations.subscription_tier_id is 'The tier whose features and limits apply to it when it has no live subscription; null for its holding''s, else for the default tier, if there is one.';

-- How many requests an organization made in a month. Apart from usage_records, whose rows are too many to be added up
-- for every request.
create table billing.usage_counts (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    month date not null,
    request_count bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint usage_counts_pkey primary key (organization_id, id),
    constraint usage_counts_month_key unique (organization_id, month),
    constraint usage_counts_month_check check (extract(day from month) = 1),
    constraint usage_counts_request_count_check check (request_count >= 0)
);
comment on table billing.usage_counts is 'How many requests of its API an organization made in a month: what its limit is held against. Added up in batches.';
comment on column billing.usage_counts.organization_id is 'The organization.';
comment on column billing.usage_counts.id is 'The count.';
comment on column billing.usage_counts.month is 'The first day of the month, in UTC.';
comment on column billing.usage_counts.request_count is 'How many requests, to within seconds.';
comment on column billing.usage_counts.created_at is 'When the first of them was counted.';
comment on column billing.usage_counts.updated_at is 'When it was last added to.';
comment on constraint usage_counts_pkey on billing.usage_counts is 'A count is known within its organization.';
comment on constraint usage_counts_month_key on billing.usage_counts is 'A month is counted once.';
comment on constraint usage_counts_month_check on billing.usage_counts is 'A month is called by its first day.';
comment on constraint usage_counts_request_count_check on billing.usage_counts is 'A count is not negative.';

create index usage_counts_created_at_idx on billing.usage_counts (organization_id, created_at desc, id);
select kernel.tenant_table('billing.usage_counts', audited => false, writable => false);
revoke insert, update, delete on billing.usage_counts from ephor_system;

-- What the door needs: it reads what limits are, and counts what is limited.
grant usage on schema billing, workforce, assurance, deliberation to ephor_door;
create policy subscription_tiers_door on billing.subscription_tiers for select to ephor_door using (true);
create policy subscriptions_door on billing.subscriptions for select to ephor_door using (true);
create policy usage_records_door on billing.usage_records to ephor_door using (true) with check (true);
create policy usage_counts_door on billing.usage_counts to ephor_door using (true) with check (true);
create policy assistants_door on workforce.assistants for select to ephor_door using (true);
create policy bias_analyses_door on assurance.bias_analyses for select to ephor_door using (true);
create policy deliberations_door on deliberation.deliberations for select to ephor_door using (true);
grant select on billing.subscription_tiers to ephor_door;
grant select (organization_id, id, subscription_tier_id, status, created_at) on billing.subscriptions to ephor_door;
grant insert on billing.usage_records to ephor_door;
grant select, insert, update on billing.usage_counts to ephor_door;
grant select (organization_id, id) on workforce.assistants to ephor_door;
grant select (organization_id, id, created_at) on assurance.bias_analyses, deliberation.deliberations to ephor_door;

create function door.tier_in_force(p_organization uuid) returns uuid
language sql stable as $$
    with places as (
        select o.id, o.subscription_tier_id, 1 as turn from identity.organizations o where o.id = p_organization
        union all
        select h.id, h.subscription_tier_id, 2
        from identity.organizations o join identity.organizations h on h.id = o.parent_id
        where o.id = p_organization and o.kind = 'subsidiary'),
    found as (
        select p.turn, coalesce(
            (select s.subscription_tier_id from billing.subscriptions s
             where s.organization_id = p.id and s.status in ('active', 'trialing', 'past_due') and s.subscription_tier_id is not null
             order by s.created_at desc, s.id limit 1),
            p.subscription_tier_id) as tier
        from places p)
    select coalesce(
        (select f.tier from found f where f.tier is not null order by f.turn limit 1),
        (select t.id from billing.subscription_tiers t where t.is_default))
$$;
comment on function door.tier_in_force(uuid) is 'The tier that applies to an organization: bought, given, its holding''s, or the default one; null for none.';

-- 16. Limits -----------------------------------------------------------------------------------------------

create function door.limits_in_force(p_organizations uuid[])
returns table (organization_id uuid, tier_code text, tier_name text, features jsonb, limits jsonb, requests bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    -- What the operator set for the organization itself goes before its tier.
    select asked.id, t.code, t.name, t.features,
           coalesce(t.limits, '{}') || jsonb_strip_nulls(jsonb_build_object(
               'members', o.max_users, 'assistants', o.max_assistants, 'cost_per_month', o.monthly_cost_limit)),
           coalesce(c.request_count, 0)
    from unnest(p_organizations) as asked(id)
    left join identity.organizations o on o.id = asked.id
    left join billing.subscription_tiers t on t.id = door.tier_in_force(asked.id)
    left join billing.usage_counts c
        on c.organization_id = asked.id and c.month = date_trunc('month', now() at time zone 'UTC')::date
$$;
comment on function door.limits_in_force(uuid[]) is 'Tier, features, limits and this month''s requests of each organization. One row for each; features are null where nothing is gated, and a limit that is not named or null is none.';

create function door.usage_add(
    p_organizations uuid[], p_endpoints text[], p_statuses integer[], p_users uuid[], p_counts bigint[], p_milliseconds integer[])
returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    with batch as (
        select o.id as organization_id, b.endpoint, b.status, b.actor, b.requests, b.milliseconds
        from unnest(p_organizations, p_endpoints, p_statuses, p_users, p_counts, p_milliseconds)
            as b(organization, endpoint, status, actor, requests, milliseconds)
        join identity.organizations o on o.id = b.organization
        where b.requests > 0),
    recorded as (
        insert into billing.usage_records (organization_id, endpoint, status_code, user_id, request_count, response_time_ms)
        select b.organization_id, b.endpoint, b.status, b.actor, b.requests, b.milliseconds from batch b)
    insert into billing.usage_counts as total (organization_id, month, request_count)
    select b.organization_id, date_trunc('month', now() at time zone 'UTC')::date, sum(b.requests)
    from batch b group by 1 order by 1
    on conflict (organization_id, month) do update set
        request_count = total.request_count + excluded.request_count, updated_at = now()
$$;
comment on function door.usage_add(uuid[], text[], integer[], uuid[], bigint[], integer[]) is 'Records a batch of metered requests, each row so many of one kind with their mean time, and adds them to the month''s count.';

-- What is made is counted where it is made, whoever makes it; two at the same moment count one another.
-- The limit's name is the trigger's argument. What is refused says so in JSON, for the problem that the caller gets.
create function door.limit_keep() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    word constant text := tg_argv[0];
    place uuid;
    added_now bigint;
    tier text;
    allowed numeric;
    used bigint;
    more text;
    since constant timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
    until constant timestamptz := (date_trunc('month', now() at time zone 'UTC') + interval '1 month') at time zone 'UTC';
    monthly constant boolean := word like '%\_per\_month';
begin
    for place, added_now in select a.organization_id, count(*) from added a group by 1 loop
        select f.tier_name, (f.limits ->> word)::numeric into tier, allowed from door.limits_in_force(array[place]) f;
        continue when allowed is null;
        perform pg_advisory_xact_lock(hashtextextended(place || ' ' || word, 0));
        case word
            when 'members' then
                select count(*) into used from identity.organization_members m
                where m.organization_id = place and (m.is_active or m.joined_at is null);
            when 'assistants' then
                select count(*) into used from workforce.assistants a where a.organization_id = place;
            when 'bias_analyses_per_month' then
                select count(*) into used from assurance.bias_analyses b where b.organization_id = place and b.created_at >= since;
            when 'deliberations_per_month' then
                select count(*) into used from deliberation.deliberations d where d.organization_id = place and d.created_at >= since;
        end case;
        continue when used <= allowed;
        select t.name into more from billing.subscription_tiers t
        where t.is_active and ((t.limits ->> word) is null or (t.limits ->> word)::numeric > allowed)
        order by (t.limits ->> word)::numeric nulls last, t.price_monthly, t.id limit 1;
        raise exception 'the limit % is reached', word
            using errcode = 'EPL01', schema = tg_table_schema, table = tg_table_name, detail = jsonb_build_object(
                'name', word, 'limit', floor(allowed), 'used', greatest(used - added_now, 0), 'plan', tier, 'upgrade', more,
                'retry_after', case when monthly then ceil(extract(epoch from until - now())) end);
    end loop;
    return null;
end $$;
comment on function door.limit_keep() is 'Refuses what would be more than the organization''s limit allows.';

create function door.limit_keep_active() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place uuid;
    tier text;
    allowed numeric;
    used bigint;
begin
    for place in
        select distinct n.organization_id
        from added n join before_it o on o.organization_id = n.organization_id and o.id = n.id
        where (n.is_active or n.joined_at is null) and not (o.is_active or o.joined_at is null)
    loop
        select f.tier_name, (f.limits ->> 'members')::numeric into tier, allowed from door.limits_in_force(array[place]) f;
        continue when allowed is null;
        perform pg_advisory_xact_lock(hashtextextended(place || ' members', 0));
        select count(*) into used from identity.organization_members m
        where m.organization_id = place and (m.is_active or m.joined_at is null);
        if used > allowed then
            raise exception 'the limit members is reached'
                using errcode = 'EPL01', schema = tg_table_schema, table = tg_table_name, detail = jsonb_build_object(
                    'name', 'members', 'limit', floor(allowed), 'used', used - 1, 'plan', tier);
        end if;
    end loop;
    return null;
end $$;
comment on function door.limit_keep_active() is 'Refuses to take up members again beyond what the organization''s limit allows.';

do $$
declare
    f record;
begin
    for f in
        select p.oid::regprocedure as signature, p.prosecdef and p.prorettype <> 'trigger'::regtype as called
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'door' and p.proname in ('tier_in_force', 'limits_in_force', 'usage_add', 'limit_keep', 'limit_keep_active')
    loop
        execute format('revoke all on function %s from public', f.signature);
        if f.called then
            execute format('grant execute on function %s to ephor_app', f.signature);
        end if;
    end loop;
end $$;

create trigger limit_keep after insert on identity.organization_members
    referencing new table as added for each statement execute function door.limit_keep('members');
create trigger limit_keep_active after update on identity.organization_members
    referencing old table as before_it new table as added for each statement execute function door.limit_keep_active();
create trigger limit_keep after insert on workforce.assistants
    referencing new table as added for each statement execute function door.limit_keep('assistants');
create trigger limit_keep after insert on assurance.bias_analyses
    referencing new table as added for each statement execute function door.limit_keep('bias_analyses_per_month');
create trigger limit_keep after insert on deliberation.deliberations
    referencing new table as added for each statement execute function door.limit_keep('deliberations_per_month');

do $$
declare
    f regprocedure;
begin
    -- Only now: a trigger is made by who may execute its function.
    for f in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'door' and p.proname in ('tier_in_force', 'limits_in_force', 'usage_add', 'limit_keep', 'limit_keep_active')
    loop
        execute format('alter function %s owner to ephor_door', f);
    end loop;
end $$;
