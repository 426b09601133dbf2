-- What an approval stands on, held: whose delegation it is, who lowers a risk, what was looked at, and who above may vote.

-- 1. Delegations -----------------------------------------------------------------------------------------------------

-- A delegation lends a right, so only whose right it is makes it larger. Whoever else may change delegations, an owner too,
-- only makes one smaller: in a subsidiary it may be the holding's right that is lent.
create or replace function workforce.approval_delegations_check() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    larger text;
begin
    if (new.delegator_id, new.delegate_id) is distinct from (old.delegator_id, old.delegate_id) then
        raise exception 'who delegates to whom cannot be changed'
            using errcode = 'check_violation', constraint = 'approval_delegations_parties_check', schema = 'workforce',
                  table = 'approval_delegations', column = 'delegate_id', hint = 'end this delegation and make another';
    end if;
    if current_user in ('ephor_app', 'ephor_system')
        and nullif(current_setting('ephor.actor_id', true), '')::uuid is distinct from old.delegator_id
    then
        larger := case
            when new.ends_at > old.ends_at then 'ends_at'
            when new.starts_at < old.starts_at then 'starts_at'
            when new.is_active and not old.is_active then 'is_active'
            when not coalesce(new.risk_levels, '{0,1,2,3,4,5}') <@ coalesce(old.risk_levels, '{0,1,2,3,4,5}') then 'risk_levels'
        end;
        if larger is not null then
            raise exception 'only whose right it is may make a delegation longer or wider, or revive it'
                using errcode = 'check_violation', constraint = 'approval_delegations_larger_check', schema = 'workforce',
                      table = 'approval_delegations', column = larger, hint = 'whose right it is can delegate it anew';
        end if;
    end if;
    return new;
end $$;
comment on function workforce.approval_delegations_check() is 'Keeps who delegates to whom, and lets nobody but who delegates make a delegation longer or wider, or revive it.';

-- 2. Lowering a risk -------------------------------------------------------------------------------------------------

-- A member of the organization may not see who else has an account: the door does, and answers with yes or no.
create function door.is_alone(p_user uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select coalesce(bool_and(m.user_id = p_user), false)
    from identity.organization_members m
    join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
    where m.organization_id = nullif(current_setting('ephor.organization_id', true), '')::uuid and m.is_active
$$;
comment on function door.is_alone(uuid) is 'Is somebody the only active member of the transaction''s organization? False of whoever is no member.';
revoke all on function door.is_alone(uuid) from public;
grant execute on function door.is_alone(uuid) to ephor_app, ephor_system;
alter function door.is_alone(uuid) owner to ephor_door;

-- Where an approval may take more than one, or somebody above, one approver's word does not do away with it.
create function workforce.lowering_fault(p_risk integer, p_maker uuid, p_user uuid) returns text
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select case
        when p_risk < 3 then workforce.authority_fault(p_risk, p_user)
        when p_risk = 4 and s.has_holding and not s.is_approver_above then 'a risk of level 4 is lowered by an approver of the holding'
        when not (p_risk = 4 and s.has_holding) and not s.is_owner then format('a risk of level %s is lowered by an owner', p_risk)
        when p_user = p_maker and not door.is_alone(p_user) then format('a risk of level %s is lowered by somebody else than who made it', p_risk)
    end
    from door.approver_standing(p_user) as s
$$;
comment on function workforce.lowering_fault(integer, uuid, uuid) is 'Why somebody may not lower a risk of this level of what p_maker made, in the transaction''s organization; null when they may. Up to level 2 it takes the right to vote; from 3 on an owner, at 4 below a holding an approver of the holding, and never who made it unless there is no other member.';

-- The level that counts is judged: the greater of the work's and its assistant's tier. To give work to an assistant of a lower tier
-- is to lower it, too.
create or replace function workforce.work_items_risk() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    was integer;
    becomes integer;
    fault text;
begin
    if current_user not in ('ephor_app', 'ephor_system')
        or (new.assistant_id = old.assistant_id and coalesce(new.risk_level, 0) >= coalesce(old.risk_level, 0))
    then
        return new;
    end if;
    select coalesce(max(a.risk_tier) filter (where a.id = old.assistant_id), 0),
           coalesce(max(a.risk_tier) filter (where a.id = new.assistant_id), 0)
      into was, becomes
      from workforce.assistants as a
     where a.organization_id = old.organization_id and a.id in (old.assistant_id, new.assistant_id);
    if becomes >= was and coalesce(new.risk_level, 0) >= coalesce(old.risk_level, 0) then
        return new;
    end if;
    fault := case
        when old.status <> 'backlog' then format('the risk level of work that is %s cannot be lowered', old.status)
        when exists (
            select from workforce.approvals as p where p.organization_id = old.organization_id and p.work_item_id = old.id)
            then 'the risk level of work for which an approval was asked cannot be lowered'
        else workforce.lowering_fault(greatest(coalesce(old.risk_level, 0), was), old.created_by,
            nullif(current_setting('ephor.actor_id', true), '')::uuid)
    end;
    if fault is not null then
        raise exception '%', fault
            using errcode = 'check_violation', constraint = 'work_items_risk_level_step', schema = 'workforce',
                  table = 'work_items', column = 'risk_level', hint = 'ask for an approval of the work, or make other work';
    end if;
    return new;
end $$;
comment on function workforce.work_items_risk() is 'Lets the risk level of work be lowered only before an approval of it is asked for, and by those alone who may lower a risk of that level.';
drop trigger risk on workforce.work_items;
create trigger risk before update of risk_level, assistant_id on workforce.work_items
    for each row execute function workforce.work_items_risk();

create or replace function workforce.assistants_risk() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    who constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
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
        -- Work that has not begun is lowered with its assistant: who made either does not do it.
        else coalesce(
            workforce.lowering_fault(old.risk_tier, old.created_by, who),
            (select workforce.lowering_fault(old.risk_tier, who, who)
              where exists (
                select from workforce.work_items as w
                 where w.organization_id = old.organization_id and w.assistant_id = old.id and w.status = 'backlog'
                   and w.created_by = who and coalesce(w.risk_level, 0) < old.risk_tier)))
    end;
    if fault is not null then
        raise exception '%', fault
            using errcode = 'check_violation', constraint = 'assistants_risk_tier_step', schema = 'workforce',
                  table = 'assistants', column = 'risk_tier';
    end if;
    return new;
end $$;
comment on function workforce.assistants_risk() is 'Lets the risk tier of an assistant be lowered only between its work, and by those alone who may lower a risk of that level.';

-- Who made it is not rewritten by who would lower its risk.
revoke update on workforce.work_items, workforce.assistants from ephor_app;
grant update (assistant_id, title, description, status, status_reason, priority, risk_level, estimated_cost, actual_cost, context, result, due_at)
    on workforce.work_items to ephor_app;
grant update (name, slug, description, type, status, status_reason, configuration, capabilities, model_config, risk_tier, max_cost_per_day)
    on workforce.assistants to ephor_app;

-- 3. What was looked at stays as it was looked at ------------------------------------------------------------------------

alter table workforce.approvals drop constraint approvals_status_check;
alter table workforce.approvals add constraint approvals_status_check
    check (status in ('pending', 'approved', 'rejected', 'escalated', 'expired', 'withdrawn'));
comment on constraint approvals_status_check on workforce.approvals is 'The states of an approval.';
comment on column workforce.approvals.status is 'pending, approved, rejected, escalated, expired, or withdrawn: taken back, so that the work can be changed and asked for anew.';

-- Work is not changed while it is looked at, nor is what was approved of.
create function workforce.work_items_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    changed text := case
        when new.assistant_id <> old.assistant_id then 'assistant_id'
        when new.title <> old.title then 'title'
        when new.description is distinct from old.description then 'description'
        when new.context <> old.context then 'context'
        when new.estimated_cost is distinct from old.estimated_cost then 'estimated_cost'
    end;
begin
    if changed is not null and current_user in ('ephor_app', 'ephor_system') and exists (
        select from workforce.approvals as p
         where p.organization_id = old.organization_id and p.work_item_id = old.id
           and p.status in ('pending', 'escalated', 'approved'))
    then
        raise exception '%', case
                when old.status in ('completed', 'failed', 'cancelled')
                    then 'work that was approved of and is over stays as it was approved of'
                else 'what an approval is asked for or was given for cannot be changed: withdraw the approval first (set its status to withdrawn), and ask for another'
            end
            using errcode = 'check_violation', constraint = 'work_items_subject_step', schema = 'workforce',
                  table = 'work_items', column = changed, hint = 'withdraw the approval first, and ask for another';
    end if;
    return new;
end $$;
comment on function workforce.work_items_keep() is 'Keeps what is to be done, by which assistant, with what context and at what cost, while an approval of it is asked for and once it is given.';
create trigger keep before update of assistant_id, title, description, context, estimated_cost on workforce.work_items
    for each row execute function workforce.work_items_keep();

-- Whoever is changing the work is waited for, and waits from here on.
create or replace function workforce.approvals_open() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if current_user = 'ephor_app' then
        perform from workforce.work_items as w
          where w.organization_id = new.organization_id and w.id = new.work_item_id for no key update;
        new.requested_by := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.requested_by);
        new.risk_level := greatest(new.risk_level, workforce.effective_risk(new.organization_id, new.work_item_id));
    end if;
    if new.risk_level = 3 then
        new.required_votes := greatest(new.required_votes, 2);
    end if;
    return new;
end $$;

-- What is asked stays as the first who voted read it.
create or replace function workforce.approvals_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.work_item_id, new.requested_by, new.risk_level, new.required_votes)
            is distinct from (old.work_item_id, old.requested_by, old.risk_level, old.required_votes)
        or ((new.title, new.description, new.context, new.approver_ids, new.expires_at)
                is distinct from (old.title, old.description, old.context, old.approver_ids, old.expires_at)
            and (old.status not in ('pending', 'escalated') or exists (
                select from workforce.approval_votes as v
                 where v.organization_id = old.organization_id and v.approval_id = old.id)))
    then
        raise exception 'what an approval is for cannot be changed'
            using errcode = 'check_violation', constraint = 'approvals_subject_check', schema = 'workforce',
                  table = 'approvals', hint = 'ask for another approval';
    end if;
    return new;
end $$;
comment on function workforce.approvals_keep() is 'Keeps what an approval is for, and all of it once anybody voted or it is decided.';

-- pending -> approved | rejected | escalated | expired | withdrawn; what was escalated can still be decided, expires or is withdrawn,
-- and so is what was approved, as long as the work is not over.
create or replace function workforce.approvals_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    votes bigint;
    first_vote timestamptz;
    work_status text;
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'approved'), ('pending', 'rejected'), ('pending', 'escalated'),
        ('pending', 'expired'), ('pending', 'withdrawn'), ('escalated', 'approved'), ('escalated', 'rejected'),
        ('escalated', 'expired'), ('escalated', 'withdrawn'), ('approved', 'withdrawn'))
    then
        raise exception 'an approval that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'approvals_status_step', schema = 'workforce',
                  table = 'approvals', column = 'status';
    end if;
    if new.status = 'withdrawn' and old.status = 'approved' then
        -- Whoever is ending the work is waited for, and finds the approval gone if they come after.
        select w.status into work_status from workforce.work_items as w
         where w.organization_id = new.organization_id and w.id = new.work_item_id for no key update;
        if work_status in ('completed', 'failed', 'cancelled') then
            raise exception 'the approval of work that is over cannot be withdrawn'
                using errcode = 'check_violation', constraint = 'approvals_status_step', schema = 'workforce',
                      table = 'approvals', column = 'status';
        end if;
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

-- Work that is under way by an approval that is withdrawn waits for another.
create or replace function workforce.approvals_follow() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status = 'approved' then
        update workforce.work_items as w
           set status = 'in_progress'
         where w.organization_id = new.organization_id and w.id = new.work_item_id and w.status = 'awaiting_approval'
           and new.risk_level >= workforce.effective_risk(w.organization_id, w.id)
           and not exists (
                select from workforce.approvals as p
                 where p.organization_id = w.organization_id and p.work_item_id = w.id
                   and p.status in ('pending', 'escalated'));
    elsif new.status = 'rejected' then
        update workforce.work_items as w
           set status = 'cancelled', status_reason = new.rejected_reason
         where w.organization_id = new.organization_id and w.id = new.work_item_id
           and w.status in ('backlog', 'in_progress', 'awaiting_approval');
    elsif new.status = 'withdrawn' then
        update workforce.work_items as w
           set status = 'awaiting_approval'
         where w.organization_id = new.organization_id and w.id = new.work_item_id and w.status = 'in_progress'
           and workforce.effective_risk(w.organization_id, w.id) >= 2
           and not exists (
                select from workforce.approvals as p
                 where p.organization_id = w.organization_id and p.work_item_id = w.id
                   and p.status = 'approved' and p.risk_level >= workforce.effective_risk(w.organization_id, w.id));
    end if;
    return null;
end $$;
comment on function workforce.approvals_follow() is 'Releases the work that is approved, cancels the work that is rejected, and lets work wait again whose approval is withdrawn.';

-- 4. Who above may vote ------------------------------------------------------------------------------------------------

-- A vote at level 4 below a holding is an act of the holding's: its own trail tells of it, too. Whether it counts was decided
-- before; here it is only told.
create policy approvals_door on workforce.approvals for select to ephor_door using (true);
grant select (organization_id, id, risk_level) on workforce.approvals to ephor_door;

create function door.approval_vote_told() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    above uuid;
begin
    select o.parent_id into above
    from identity.organizations o
    join workforce.approvals a on a.organization_id = o.id and a.id = new.approval_id and a.risk_level = 4
    where o.id = new.organization_id;
    if above is not null then
        perform audit.record_for(above, nullif(current_setting('ephor.actor_type', true), ''), new.approver_id, 'voted_below', 'workforce.approval_votes', new.id,
            jsonb_build_object('organization_id', new.organization_id, 'approval_id', new.approval_id,
                'authority_id', new.authority_id, 'decision', new.decision));
    end if;
    return null;
end $$;
comment on function door.approval_vote_told() is 'Tells the holding''s own audit trail of a vote at level 4 in a subsidiary.';
revoke all on function door.approval_vote_told() from public;
-- What is brought over from elsewhere was decided there.
create trigger told after insert on workforce.approval_votes
    for each row when (current_user in ('ephor_app', 'ephor_system')) execute function door.approval_vote_told();
-- Only now: a trigger is made by who may execute its function.
alter function door.approval_vote_told() owner to ephor_door;

-- 5. An organization at a glance ----------------------------------------------------------------------------------------

-- What is not asked for is not computed: PostgreSQL leaves out a join of which nothing is read and which keeps every row once.
create or replace view assurance.organization_dashboard with (security_invoker = true) as
select o.id as organization_id,
       o.name as organization_name,
       (select count(*) from registry.models as m where m.organization_id = o.organization_id) as total_models,
       a.total_analyses,
       a.avg_compliance_score,
       m.critical_alerts,
       m.high_alerts,
       (select count(*) from identity.organization_members as p
         where p.organization_id = o.organization_id and p.is_active) as total_members,
       o.id
  from identity.organizations as o
  left join lateral (
       select count(*) as total_analyses, round(avg(b.compliance_score), 2) as avg_compliance_score
         from assurance.bias_analyses as b
        where b.organization_id = o.organization_id and b.status = 'completed') as a on true
  left join lateral (
       select count(*) filter (where w.severity = 'critical') as critical_alerts,
              count(*) filter (where w.severity = 'high') as high_alerts
         from assurance.monitoring_alerts as w
        where w.organization_id = o.organization_id and w.status = 'open') as m on true;
