-- Rules that could be walked around: who approves, which risk is judged, what an AI system begins as, who publishes, and
-- what a month's limit counts.

-- 1. Approvals -----------------------------------------------------------------------------------------------------

-- A member of the organization does not see the holding's members, nor who left: the door does, of the transaction's own
-- organization and the holding above it, and answers with nothing but what somebody may decide.
create function door.approver_standing(p_user uuid,
    out is_approver boolean, out is_owner boolean, out has_holding boolean, out is_approver_above boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    with place as (
        select o.id, o.parent_id from identity.organizations o
        where o.id = nullif(current_setting('ephor.organization_id', true), '')::uuid),
    held as (
        select m.organization_id, r.builtin_code = 'owner' as owns,
               r.permissions && array['*', '*:*', '*:create', 'approval_votes:*', 'approval_votes:create'] as approves
        from identity.organization_members m
        join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id
        join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
        join identity.organizations o on o.id = m.organization_id and o.is_active
        where m.user_id = p_user and m.is_active
          and m.organization_id in (select p.id from place p union all select p.parent_id from place p))
    select exists (select from held h join place p on p.id = h.organization_id where h.approves),
           exists (select from held h join place p on p.id = h.organization_id where h.owns),
           exists (select from place p where p.parent_id is not null),
           exists (select from held h join place p on p.parent_id = h.organization_id where h.approves)
$$;
comment on function door.approver_standing(uuid) is 'What somebody may decide in the transaction''s organization: as an active member whose role may vote on approvals, as an active owner, and as an active member of the holding above whose role there may. One row always, false of whoever is not there.';
revoke all on function door.approver_standing(uuid) from public;
grant execute on function door.approver_standing(uuid) to ephor_app, ephor_system;
alter function door.approver_standing(uuid) owner to ephor_door;

create function workforce.authority_fault(p_risk integer, p_user uuid) returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select case
        when p_risk = 5 and not s.is_owner then 'at risk level 5 an owner decides'
        when p_risk = 4 and s.has_holding and not s.is_approver_above then 'at risk level 4 an approver of the holding decides'
        when p_risk = 4 and not s.has_holding and not s.is_owner then 'at risk level 4 an owner decides'
        when p_risk < 4 and not s.is_approver then 'an active member who may vote on approvals decides'
    end
    from door.approver_standing(p_user) as s
$$;
comment on function workforce.authority_fault(integer, uuid) is 'Why somebody may not decide on work of a risk level in the transaction''s organization; null when they may.';

-- A vote counts only of somebody who may decide: not the requester, in time, named if any are named, by a delegation
-- that is in force. Whose right it is must have that right now: a delegation ends with it. Rows that are brought over from
-- elsewhere are not asked for it: of those people some have long left.
create or replace function workforce.approval_votes_check() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    asked workforce.approvals;
    given workforce.approval_delegations;
    fault text;
begin
    -- The lock lets two approvers at the same moment count one after the other.
    select * into asked from workforce.approvals as a
     where a.organization_id = new.organization_id and a.id = new.approval_id for update;
    if not found then
        return new; -- the foreign key says so
    end if;
    if current_user = 'ephor_app' then
        new.approver_id := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.approver_id);
    end if;
    new.authority_id := new.approver_id;
    if new.delegation_id is not null then
        select * into given from workforce.approval_delegations as d
         where d.organization_id = new.organization_id and d.id = new.delegation_id;
        if not found then
            return new; -- the foreign key says so
        end if;
        new.authority_id := given.delegator_id;
    end if;

    fault := case
        when asked.status not in ('pending', 'escalated') then format('the approval is %s already', asked.status)
        when asked.expires_at < clock_timestamp() then 'the approval is past its time'
        when asked.requested_by in (new.approver_id, new.authority_id) then 'the requester never approves their own'
        when new.delegation_id is not null and given.delegate_id <> new.approver_id then 'the delegation is somebody else''s'
        when new.delegation_id is not null and not (
            given.is_active and clock_timestamp() >= given.starts_at and clock_timestamp() < given.ends_at)
            then 'the delegation is not in force'
        when new.delegation_id is not null and not asked.risk_level = any (coalesce(given.risk_levels, '{0,1,2,3,4,5}'))
            then format('the delegation is not for risk level %s', asked.risk_level)
        when new.authority_id <> all (asked.approver_ids) then 'the approval is for others to decide'
        when current_user in ('ephor_app', 'ephor_system') then workforce.authority_fault(asked.risk_level, new.authority_id)
    end;
    if fault is not null then
        raise exception '%', fault
            using errcode = 'check_violation', constraint = 'approval_votes_authority_check', schema = 'workforce',
                  table = 'approval_votes', column = 'approver_id';
    end if;
    return new;
end $$;

-- Approved and rejected follow from votes alone, and nothing is approved when its time is over.
create or replace function workforce.approvals_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    votes bigint;
    first_vote timestamptz;
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'approved'), ('pending', 'rejected'), ('pending', 'escalated'),
        ('pending', 'expired'), ('escalated', 'approved'), ('escalated', 'rejected'),
        ('escalated', 'expired'))
    then
        raise exception 'an approval that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'approvals_status_step', schema = 'workforce',
                  table = 'approvals', column = 'status';
    end if;
    if new.status = 'approved' and old.status <> 'approved' then
        if new.expires_at < clock_timestamp() then
            raise exception 'the approval is past its time: it could be decided until %', new.expires_at
                using errcode = 'check_violation', constraint = 'approvals_expires_at_step', schema = 'workforce',
                      table = 'approvals', column = 'status', hint = 'ask for another approval';
        end if;
        select count(*), min(v.created_at) into votes, first_vote
          from workforce.approval_votes as v
         where v.organization_id = new.organization_id and v.approval_id = new.id and v.decision = 'approve';
        if votes < new.required_votes
            and not (new.risk_level = 3 and votes >= 1 and first_vote <= clock_timestamp() - interval '24 hours')
        then
            raise exception 'the approval has % of % votes', votes, new.required_votes
                using errcode = 'check_violation', constraint = 'approvals_votes_check', schema = 'workforce',
                      table = 'approvals', column = 'status', hint = 'approve it with a vote';
        end if;
        select v.approver_id into new.approved_by
          from workforce.approval_votes as v
         where v.organization_id = new.organization_id and v.approval_id = new.id and v.decision = 'approve'
         order by v.created_at desc, v.id desc limit 1;
        new.approved_at := clock_timestamp();
    elsif new.status = 'rejected' and old.status <> 'rejected' then
        select v.approver_id, v.reason into new.rejected_by, new.rejected_reason
          from workforce.approval_votes as v
         where v.organization_id = new.organization_id and v.approval_id = new.id and v.decision = 'reject'
         order by v.created_at desc, v.id desc limit 1;
        if not found then
            raise exception 'nobody voted against the approval'
                using errcode = 'check_violation', constraint = 'approvals_votes_check', schema = 'workforce',
                      table = 'approvals', column = 'status', hint = 'reject it with a vote and a reason';
        end if;
        new.rejected_at := clock_timestamp();
    elsif new.status = 'escalated' and old.status <> 'escalated' then
        new.escalation_count := greatest(new.escalation_count, old.escalation_count + 1);
        new.escalated_at := clock_timestamp();
    elsif new.status = 'expired' and old.status <> 'expired' and new.expires_at > clock_timestamp() then
        raise exception 'the approval can be decided until %', new.expires_at
            using errcode = 'check_violation', constraint = 'approvals_expires_at_step', schema = 'workforce',
                  table = 'approvals', column = 'status';
    end if;
    return new;
end $$;

-- 2. The risk that is judged ---------------------------------------------------------------------------------------

-- The greatest risk that is spoken of: what the work had before this change, what it would have, and its assistant's.
create or replace function workforce.work_items_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    risk integer;
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('backlog', 'in_progress'), ('backlog', 'awaiting_approval'), ('backlog', 'cancelled'),
        ('in_progress', 'backlog'), ('in_progress', 'awaiting_approval'), ('in_progress', 'completed'),
        ('in_progress', 'failed'), ('in_progress', 'cancelled'), ('awaiting_approval', 'in_progress'),
        ('awaiting_approval', 'completed'), ('awaiting_approval', 'failed'),
        ('awaiting_approval', 'cancelled'))
    then
        raise exception 'work that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'work_items_status_step', schema = 'workforce',
                  table = 'work_items', column = 'status';
    end if;
    if new.status is distinct from old.status then
        if new.status in ('in_progress', 'completed') then
            select greatest(coalesce(old.risk_level, 0), coalesce(new.risk_level, 0), max(a.risk_tier)) into risk
              from workforce.assistants as a
             where a.organization_id = new.organization_id and a.id in (old.assistant_id, new.assistant_id);
            if (risk >= 2 or old.status = 'awaiting_approval') and not exists (
                select from workforce.approvals as p
                 where p.organization_id = new.organization_id and p.work_item_id = new.id
                   and p.status = 'approved' and p.risk_level >= risk)
                or old.status = 'awaiting_approval' and exists (
                select from workforce.approvals as p
                 where p.organization_id = new.organization_id and p.work_item_id = new.id
                   and p.status in ('pending', 'escalated'))
            then
                raise exception 'work of risk level % needs an approval before it goes on', risk
                    using errcode = 'check_violation', constraint = 'work_items_approval_step', schema = 'workforce',
                          table = 'work_items', column = 'status', hint = 'ask for an approval of the work';
            end if;
        end if;
        if new.status = 'in_progress' then
            new.started_at := coalesce(new.started_at, clock_timestamp());
        elsif new.status in ('completed', 'failed', 'cancelled') then
            new.completed_at := coalesce(new.completed_at, clock_timestamp());
        end if;
    end if;
    return new;
end $$;

-- Who lowers a risk decides as who approves it does: so it takes the same right, and it is too late once an approval was
-- asked for or the work began. Raising it is open to all who may change it.
create function workforce.work_items_risk() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    fault text;
begin
    if current_user not in ('ephor_app', 'ephor_system') or coalesce(new.risk_level, 0) >= coalesce(old.risk_level, 0) then
        return new;
    end if;
    fault := case
        when old.status <> 'backlog' then format('the risk level of work that is %s cannot be lowered', old.status)
        when exists (
            select from workforce.approvals as p where p.organization_id = old.organization_id and p.work_item_id = old.id)
            then 'the risk level of work for which an approval was asked cannot be lowered'
        else workforce.authority_fault(old.risk_level, nullif(current_setting('ephor.actor_id', true), '')::uuid)
    end;
    if fault is not null then
        raise exception '%', fault
            using errcode = 'check_violation', constraint = 'work_items_risk_level_step', schema = 'workforce',
                  table = 'work_items', column = 'risk_level', hint = 'ask for an approval of the work, or make other work';
    end if;
    return new;
end $$;
comment on function workforce.work_items_risk() is 'Lets the risk level of work be lowered only before an approval of it is asked for, and by those alone who may decide at that level.';
create trigger risk before update of risk_level on workforce.work_items
    for each row execute function workforce.work_items_risk();

create function workforce.assistants_risk() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    fault text;
begin
    if current_user not in ('ephor_app', 'ephor_system') or new.risk_tier >= old.risk_tier then
        return new;
    end if;
    fault := case
        when exists (
            select from workforce.work_items as w
             where w.organization_id = old.organization_id and w.assistant_id = old.id
               and (w.status in ('in_progress', 'awaiting_approval') or w.status = 'backlog' and exists (
                    select from workforce.approvals as p
                     where p.organization_id = w.organization_id and p.work_item_id = w.id and p.status in ('pending', 'escalated'))))
            then 'the risk tier of an assistant cannot be lowered while its work is under way or waits for an approval'
        else workforce.authority_fault(old.risk_tier, nullif(current_setting('ephor.actor_id', true), '')::uuid)
    end;
    if fault is not null then
        raise exception '%', fault
            using errcode = 'check_violation', constraint = 'assistants_risk_tier_step', schema = 'workforce',
                  table = 'assistants', column = 'risk_tier';
    end if;
    return new;
end $$;
comment on function workforce.assistants_risk() is 'Lets the risk tier of an assistant be lowered only between its work, and by those alone who may decide at that level.';
create trigger risk before update of risk_tier on workforce.assistants
    for each row execute function workforce.assistants_risk();

-- Work begins in the backlog, an approval undecided, and a delegation is one's own: the application says nothing else of new rows.
revoke insert on workforce.work_items, workforce.approvals, workforce.approval_delegations from ephor_app;
grant insert (organization_id, id, assistant_id, title, description, priority, risk_level, estimated_cost, context, due_at, created_by)
    on workforce.work_items to ephor_app;
grant insert (organization_id, id, work_item_id, title, description, risk_level, approver_ids, expires_at, context)
    on workforce.approvals to ephor_app;
grant insert (organization_id, id, delegate_id, risk_levels, starts_at, ends_at, reason)
    on workforce.approval_delegations to ephor_app;

-- 3. AI systems ------------------------------------------------------------------------------------------------------

-- A system that turns out to be prohibited is recorded as what it is, but none is put into use, nor registered as in use.
-- A new one is what one step from planned leads to: what is in use already is registered as that.
create or replace function registry.ai_systems_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and old.status <> new.status and (old.status, new.status) not in (
        ('planned', 'development'), ('planned', 'testing'), ('planned', 'active'), ('planned', 'retired'), ('development', 'testing'), ('development', 'active'), ('development', 'retired'), ('testing', 'development'), ('testing', 'active'), ('testing', 'retired'), ('active', 'suspended'), ('active', 'retired'), ('suspended', 'active'), ('suspended', 'development'), ('suspended', 'retired'))
    then
        raise exception 'an AI system that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'ai_systems_status_step', schema = 'registry',
                  table = 'ai_systems', column = 'status';
    end if;
    -- What is brought over from elsewhere is taken as it is.
    if tg_op = 'INSERT' and current_user = 'ephor_app' and new.status not in ('planned', 'development', 'testing', 'active', 'retired') then
        raise exception 'an AI system that is new cannot be %', new.status
            using errcode = 'check_violation', constraint = 'ai_systems_status_step', schema = 'registry',
                  table = 'ai_systems', column = 'status', hint = 'register it as active first';
    end if;
    if new.status = 'active' and new.risk_level = 'prohibited'
        and (tg_op = 'UPDATE' and old.status <> new.status or tg_op = 'INSERT' and current_user = 'ephor_app')
    then
        raise exception 'an AI system whose risk level is prohibited cannot be put into use'
            using errcode = 'check_violation', constraint = 'ai_systems_status_step', schema = 'registry',
                  table = 'ai_systems', column = 'status';
    end if;
    if tg_op = 'INSERT' or new.risk_level is distinct from old.risk_level then
        if new.risk_level is null then
            new.classified_at := null;
            new.classified_by := null;
        elsif tg_op = 'UPDATE' or new.classified_at is null then
            new.classified_at := clock_timestamp();
            new.classified_by := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.classified_by);
        end if;
    end if;
    if new.status = 'active' then
        new.deployed_at := coalesce(new.deployed_at, case when tg_op = 'UPDATE' then clock_timestamp() end);
    elsif new.status = 'retired' then
        new.retired_at := coalesce(new.retired_at, clock_timestamp());
    end if;
    return new;
end $$;

-- 4. Posts -----------------------------------------------------------------------------------------------------------

-- A new post is a draft: to publish one is to change it, which takes the permission to.
revoke insert (status) on content.posts from ephor_app;

-- 5. What a month's limits count ---------------------------------------------------------------------------------------

-- What was made counts, whether it is still there or not.
alter table billing.usage_counts
    add column bias_analysis_count bigint not null default 0,
    add column deliberation_count bigint not null default 0,
    add constraint usage_counts_bias_analysis_count_check check (bias_analysis_count >= 0),
    add constraint usage_counts_deliberation_count_check check (deliberation_count >= 0);
comment on table billing.usage_counts is 'What an organization used in a month and its limits are held against: requests of its API, added up in batches, and analyses and deliberations that were asked for, whether or not they were deleted since.';
comment on column billing.usage_counts.created_at is 'When the first of it was counted.';
comment on column billing.usage_counts.bias_analysis_count is 'How many bias analyses were asked for.';
comment on column billing.usage_counts.deliberation_count is 'How many deliberations were asked for.';
comment on constraint usage_counts_bias_analysis_count_check on billing.usage_counts is 'A count is not negative.';
comment on constraint usage_counts_deliberation_count_check on billing.usage_counts is 'A count is not negative.';

insert into billing.usage_counts as total (organization_id, month, bias_analysis_count, deliberation_count)
select made.organization_id, date_trunc('month', now() at time zone 'UTC')::date,
       count(*) filter (where made.is_analysis), count(*) filter (where not made.is_analysis)
from (select b.organization_id, b.created_at, true as is_analysis from assurance.bias_analyses b
      union all select d.organization_id, d.created_at, false from deliberation.deliberations d) as made
where made.created_at >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'
group by 1
on conflict (organization_id, month) do update set
    bias_analysis_count = excluded.bias_analysis_count, deliberation_count = excluded.deliberation_count;

create function door.month_add(p_organization uuid, p_word text, p_made bigint) returns void
language sql as $$
    insert into billing.usage_counts as total (organization_id, month, bias_analysis_count, deliberation_count)
    values (p_organization, date_trunc('month', now() at time zone 'UTC')::date,
            case when p_word = 'bias_analyses_per_month' then p_made else 0 end,
            case when p_word = 'deliberations_per_month' then p_made else 0 end)
    on conflict (organization_id, month) do update set
        bias_analysis_count = total.bias_analysis_count + excluded.bias_analysis_count,
        deliberation_count = total.deliberation_count + excluded.deliberation_count, updated_at = now()
$$;
comment on function door.month_add(uuid, text, bigint) is 'Adds what was made to the month''s count, which is never taken from.';
revoke all on function door.month_add(uuid, text, bigint) from public;
alter function door.month_add(uuid, text, bigint) owner to ephor_door;

create or replace function door.limit_hold(p_organization uuid, p_word text, p_added bigint, p_schema text, p_table text, p_invited boolean default true)
returns void
language plpgsql as $$
declare
    tier text;
    allowed numeric;
    used bigint;
    more text;
    own boolean;
    this_month constant date := date_trunc('month', now() at time zone 'UTC')::date;
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
            used := (select c.bias_analysis_count from billing.usage_counts c where c.organization_id = p_organization and c.month = this_month);
        when 'deliberations_per_month' then
            used := (select c.deliberation_count from billing.usage_counts c where c.organization_id = p_organization and c.month = this_month);
    end case;
    if coalesce(used, 0) <= allowed then
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

-- The count's row is locked until the transaction ends, so two at the same moment count one another, limit or none.
create or replace function door.limit_keep() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    word constant text := tg_argv[0];
    since constant timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
begin
    if word like '%\_per\_month' then
        -- What was made elsewhere and earlier, and is brought over, is no use of this month.
        perform door.month_add(a.organization_id, word, a.made)
        from (select organization_id, count(*) as made from added where created_at >= since group by 1 order by 1) as a;
    end if;
    perform door.limit_hold(a.organization_id, word, a.made, tg_table_schema, tg_table_name)
    from (select organization_id, count(*) as made from added group by 1 order by 1) as a;
    return null;
end $$;

-- They were granted to count living rows.
revoke select (organization_id, id, created_at) on assurance.bias_analyses, deliberation.deliberations from ephor_door;
drop policy bias_analyses_door on assurance.bias_analyses;
drop policy deliberations_door on deliberation.deliberations;
