-- An organization at a glance has an id, as every row has that is listed.

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
 cross join lateral (
       select count(*) as total_analyses, round(avg(b.compliance_score), 2) as avg_compliance_score
         from assurance.bias_analyses as b
        where b.organization_id = o.organization_id and b.status = 'completed') as a
 cross join lateral (
       select count(*) filter (where w.severity = 'critical') as critical_alerts,
              count(*) filter (where w.severity = 'high') as high_alerts
         from assurance.monitoring_alerts as w
        where w.organization_id = o.organization_id and w.status = 'open') as m;
comment on column assurance.organization_dashboard.id is 'The organization''s id once more: each has one row.';
