-- Monitors run by themselves: what is due, over all organizations.

create index monitors_due_idx on assurance.monitors (organization_id, next_run_at) where status = 'active' and schedule is not null;
comment on index assurance.monitors_due_idx is 'Serves the scheduler''s search for what is due, over all organizations: small, for few rows run on a schedule.';

-- Ids alone: what a monitor is about is read within its organization.
create function ops.monitors_due(p_now timestamptz, p_limit integer) returns table (organization_id uuid, monitor_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select m.organization_id, m.id
      from assurance.monitors as m
      join identity.organizations as o on o.id = m.organization_id and o.is_active
     where m.status = 'active' and m.schedule is not null
       and (m.next_run_at is null or m.next_run_at <= p_now)
     order by m.next_run_at nulls first, m.organization_id, m.id
     limit greatest(least(p_limit, 1000), 0)
$$;
comment on function ops.monitors_due(timestamptz, integer) is 'The active monitors whose next run is due or not yet worked out: organization and id, the longest due first.';
revoke execute on function ops.monitors_due(timestamptz, integer) from public;
grant execute on function ops.monitors_due(timestamptz, integer) to ephor_system;

comment on column assurance.monitors.last_result is 'What the last run measured: rows, findings, notes; or, under error, why it could not be done.';
comment on column assurance.monitors.parameters is 'The specification beyond this: time_column, columns, analysis, thresholds, confidence, seed.';
comment on column assurance.monitors.threshold is 'How far the metric may be from its reference; for compliance_violation the least score; null for the kind''s own.';
