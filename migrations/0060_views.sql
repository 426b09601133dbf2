-- What the required documents promise as views and functions, made right: counts that no join multiplies, a score that
-- is the engine's own, and how the installation itself is doing.

-- The compliance score --------------------------------------------------------------------------------------------

create function assurance.compliance_number(given jsonb, name text) returns numeric
    language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
    case coalesce(jsonb_typeof(given), 'null')
        when 'null' then
            return null;
        when 'number' then
            return least(greatest(given::numeric, -1e30), 1e30);
        when 'string' then
            if given #>> '{}' ~ '^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,4})?$' then
                return least(greatest((given #>> '{}')::numeric, -1e30), 1e30);
            end if;
        else
    end case;
    raise exception 'calculate_compliance_score: % is %, not a number', name, left(given::text, 100)
        using errcode = '22023';
end $$;
comment on function assurance.compliance_number(jsonb, text) is 'A number of calculate_compliance_score: a JSON number, a string that holds one, or nothing. Beyond 1e30 either way it counts as that.';

-- Score = max(0, 100 - 100 x sum of max(0, value - threshold)): the same as compliance_score in ephor-fairness.
-- Numbers are summed as they are written in decimal, and rounded half away from zero to two decimals once at the end.
create function assurance.calculate_compliance_score(
    bias_metrics jsonb,
    thresholds jsonb default '{"demographic_parity": 0.1, "equalized_odds": 0.1}'
) returns numeric(5, 2)
    language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    name text;
    entry jsonb;
    value numeric;
    threshold numeric;
    beyond numeric := 0;
    scored boolean := false;
begin
    if coalesce(jsonb_typeof(bias_metrics), 'null') = 'null' then
        return null;
    end if;
    if coalesce(jsonb_typeof(thresholds), 'null') not in ('object', 'null') then
        raise exception 'calculate_compliance_score: thresholds are a JSON object of numbers by metric, not %',
            left(thresholds::text, 100) using errcode = '22023';
    end if;
    if jsonb_typeof(bias_metrics) not in ('object', 'array') then
        raise exception 'calculate_compliance_score: metrics are a JSON object of numbers by metric, or an array of objects with value and threshold, not %',
            left(bias_metrics::text, 100) using errcode = '22023';
    end if;
    for name, entry in
        select m.key, m.value
          from jsonb_each(case jsonb_typeof(bias_metrics) when 'object' then bias_metrics else '{}' end) as m
        union all
        select coalesce(e ->> 'id', ''), e
          from jsonb_array_elements(case jsonb_typeof(bias_metrics) when 'array' then bias_metrics else '[]' end) as e
    loop
        if jsonb_typeof(bias_metrics) = 'array' and jsonb_typeof(entry) <> 'object' then
            raise exception 'calculate_compliance_score: an array holds objects with value and threshold, not %',
                left(entry::text, 100) using errcode = '22023';
        end if;
        value := assurance.compliance_number(
            case jsonb_typeof(entry) when 'object' then entry -> 'value' else entry end, name);
        -- What is undefined is left out, neither good nor bad.
        continue when value is null;
        scored := true;
        threshold := coalesce(
            assurance.compliance_number(
                case jsonb_typeof(entry) when 'object' then entry -> 'threshold' end, 'the threshold of ' || name),
            assurance.compliance_number(thresholds -> name, 'the threshold of ' || name),
            0.1);
        beyond := beyond + greatest(value - threshold, 0);
    end loop;
    return case when scored then round(greatest(100 - 100 * beyond, 0), 2) end;
end $$;
comment on function assurance.calculate_compliance_score(jsonb, jsonb) is
    'The compliance score, 0 to 100: 100 minus 100 times what the metrics exceed their thresholds by, rounded once to two decimals. Metrics are an object of numbers by name, or an array of objects with id, value and threshold as in the scored part of an analysis; a metric without threshold has 0.1. What is null is left out; null when nothing is left.';
revoke execute on function assurance.compliance_number(jsonb, text),
    assurance.calculate_compliance_score(jsonb, jsonb) from public;
grant execute on function assurance.compliance_number(jsonb, text),
    assurance.calculate_compliance_score(jsonb, jsonb) to ephor_app, ephor_reach, ephor_system, ephor_backup, ephor_migrator;

-- For organizations ----------------------------------------------------------------------------------------------

create view assurance.model_performance_summary with (security_invoker = true) as
select m.organization_id,
       m.id,
       m.name,
       a.total_analyses,
       a.avg_compliance_score,
       a.best_compliance_score,
       a.worst_compliance_score,
       a.completed_analyses,
       a.failed_analyses,
       a.last_analysis_date
  from registry.models as m
 cross join lateral (
       select count(*) as total_analyses,
              round(avg(b.compliance_score) filter (where b.status = 'completed'), 2) as avg_compliance_score,
              max(b.compliance_score) filter (where b.status = 'completed') as best_compliance_score,
              min(b.compliance_score) filter (where b.status = 'completed') as worst_compliance_score,
              count(*) filter (where b.status = 'completed') as completed_analyses,
              count(*) filter (where b.status = 'failed') as failed_analyses,
              max(b.created_at) as last_analysis_date
         from assurance.bias_analyses as b
        where b.organization_id = m.organization_id and b.model_id = m.id) as a;
comment on view assurance.model_performance_summary is 'How each model did in its bias analyses; a model without any has counts of 0.';
comment on column assurance.model_performance_summary.organization_id is 'The organization that the model belongs to.';
comment on column assurance.model_performance_summary.id is 'The model.';
comment on column assurance.model_performance_summary.name is 'Its name.';
comment on column assurance.model_performance_summary.total_analyses is 'How many analyses of it there are, in whatever state.';
comment on column assurance.model_performance_summary.avg_compliance_score is 'The mean score of the completed ones, 0 to 100, rounded to two decimals; null when none has a score.';
comment on column assurance.model_performance_summary.best_compliance_score is 'The highest score of the completed ones, 0 to 100.';
comment on column assurance.model_performance_summary.worst_compliance_score is 'The lowest score of the completed ones, 0 to 100.';
comment on column assurance.model_performance_summary.completed_analyses is 'How many were completed.';
comment on column assurance.model_performance_summary.failed_analyses is 'How many failed.';
comment on column assurance.model_performance_summary.last_analysis_date is 'When the newest was asked for; null when there is none.';

create view assurance.organization_dashboard with (security_invoker = true) as
select o.id as organization_id,
       o.name as organization_name,
       (select count(*) from registry.models as m where m.organization_id = o.organization_id) as total_models,
       a.total_analyses,
       a.avg_compliance_score,
       m.critical_alerts,
       m.high_alerts,
       (select count(*) from identity.organization_members as p
         where p.organization_id = o.organization_id and p.is_active) as total_members
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
comment on view assurance.organization_dashboard is 'An organization at a glance; each count is taken by itself.';
comment on column assurance.organization_dashboard.organization_id is 'The organization.';
comment on column assurance.organization_dashboard.organization_name is 'Its name.';
comment on column assurance.organization_dashboard.total_models is 'How many models are registered.';
comment on column assurance.organization_dashboard.total_analyses is 'How many bias analyses were completed.';
comment on column assurance.organization_dashboard.avg_compliance_score is 'Their mean score, 0 to 100, rounded to two decimals; null when none has a score.';
comment on column assurance.organization_dashboard.critical_alerts is 'How many critical alerts of monitors nobody has acknowledged.';
comment on column assurance.organization_dashboard.high_alerts is 'How many high alerts of monitors nobody has acknowledged.';
comment on column assurance.organization_dashboard.total_members is 'How many people are active members.';

grant select on assurance.model_performance_summary, assurance.organization_dashboard
    to ephor_app, ephor_reach, ephor_system, ephor_backup;

-- For who runs the installation: nothing of this is a tenant's, and no tenant reads it --------------------------------

create view ops.table_sizes with (security_invoker = true) as
select n.nspname::text as schema_name,
       c.relname::text as table_name,
       s.partitions,
       s.row_estimate,
       s.dead_row_estimate,
       s.table_bytes,
       s.index_bytes,
       s.total_bytes,
       pg_size_pretty(s.total_bytes) as size,
       s.last_vacuum,
       s.last_analyze
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
 cross join lateral (
       select count(*) filter (where l.relispartition) as partitions,
              coalesce(sum(coalesce(nullif(l.reltuples, -1)::bigint, t.n_live_tup, 0)), 0)::bigint as row_estimate,
              coalesce(sum(t.n_dead_tup), 0)::bigint as dead_row_estimate,
              coalesce(sum(pg_table_size(l.oid)), 0)::bigint as table_bytes,
              coalesce(sum(pg_indexes_size(l.oid)), 0)::bigint as index_bytes,
              coalesce(sum(pg_total_relation_size(l.oid)), 0)::bigint as total_bytes,
              -- Of several partitions the one that waits longest tells.
              min(greatest(t.last_vacuum, t.last_autovacuum)) as last_vacuum,
              min(greatest(t.last_analyze, t.last_autoanalyze)) as last_analyze
         from (select p.relid::oid as oid from pg_partition_tree(c.oid) as p where p.isleaf and c.relkind = 'p'
               union all
               select c.oid where c.relkind = 'r') as leaf
         join pg_class as l on l.oid = leaf.oid
         left join pg_stat_user_tables as t on t.relid = leaf.oid) as s
 where c.relkind in ('r', 'p') and not c.relispartition
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema';
comment on view ops.table_sizes is 'How large each table is; a partitioned table with all its partitions. Of the whole installation.';
comment on column ops.table_sizes.schema_name is 'The table''s schema.';
comment on column ops.table_sizes.table_name is 'The table.';
comment on column ops.table_sizes.partitions is 'How many partitions it has; 0 when it is not partitioned.';
comment on column ops.table_sizes.row_estimate is 'About how many rows it has.';
comment on column ops.table_sizes.dead_row_estimate is 'About how many dead rows wait for vacuum.';
comment on column ops.table_sizes.table_bytes is 'Bytes of its rows, with what is stored out of line.';
comment on column ops.table_sizes.index_bytes is 'Bytes of its indexes.';
comment on column ops.table_sizes.total_bytes is 'Bytes of all of it.';
comment on column ops.table_sizes.size is 'The same for people, such as 12 MB.';
comment on column ops.table_sizes.last_vacuum is 'When it was last vacuumed; of partitions, the longest ago.';
comment on column ops.table_sizes.last_analyze is 'When its statistics were last taken; of partitions, the longest ago.';

create view ops.table_partitions with (security_invoker = true) as
select n.nspname::text as schema_name,
       p.relname::text as table_name,
       c.relname::text as partition_name,
       pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' as is_default,
       (substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \(''([^'']+)''')::timestamptz at time zone 'UTC')::date as month,
       -- The default partition comes and goes: what was counted as it was written is nearer than what was sampled.
       case when pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' then coalesce(t.n_live_tup, 0)
            else coalesce(nullif(c.reltuples, -1)::bigint, t.n_live_tup, 0) end as row_estimate,
       pg_total_relation_size(c.oid) as total_bytes
  from pg_inherits as i
  join pg_class as p on p.oid = i.inhparent and p.relkind = 'p'
  join pg_class as c on c.oid = i.inhrelid and c.relkind in ('r', 'p')
  join pg_namespace as n on n.oid = p.relnamespace
  left join pg_stat_user_tables as t on t.relid = c.oid
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema';
comment on view ops.table_partitions is 'The months of each table that is partitioned, and its default partition, which should be empty. Of the whole installation.';
comment on column ops.table_partitions.schema_name is 'The table''s schema.';
comment on column ops.table_partitions.table_name is 'The table.';
comment on column ops.table_partitions.partition_name is 'The partition.';
comment on column ops.table_partitions.is_default is 'Whether it takes rows of months that have no partition.';
comment on column ops.table_partitions.month is 'The first day of its month, in UTC; null for the default partition.';
comment on column ops.table_partitions.row_estimate is 'About how many rows it has; in a default partition, more than 0 means that a month is missing.';
comment on column ops.table_partitions.total_bytes is 'Bytes of its rows and indexes.';

-- pg_stat_statements may come after Ephor, or go, or be made and yet not be loaded: so it is looked for at each reading,
-- and nothing here depends on it. That also lets a backup be restored where the extension is missing.
create function ops.slow_queries_hint() returns text
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    home constant text := (
        select format('%I', n.nspname)
          from pg_extension as e join pg_namespace as n on n.oid = e.extnamespace
         where e.extname = 'pg_stat_statements');
begin
    if home is not null then
        execute format('select from %s.pg_stat_statements limit 1', home);
        return null;
    end if;
    return 'Slow queries are not recorded: add pg_stat_statements to shared_preload_libraries, restart PostgreSQL, then let a superuser run "create extension pg_stat_statements" and "grant pg_read_all_stats to ephor_owner" in this database.';
exception when object_not_in_prerequisite_state or insufficient_privilege or undefined_table then
    return 'Slow queries are not recorded: pg_stat_statements was made in this database but is not loaded; add it to shared_preload_libraries and restart PostgreSQL.';
end $$;
comment on function ops.slow_queries_hint() is 'What to do for slow queries to be recorded; null when they are.';

-- Runs as the owner, who may be given the right to see the text of everybody's queries; a run-time role inherits nothing.
create function ops.slow_queries_read() returns table (
    query text, calls bigint, rows bigint, total_time double precision, mean_time double precision,
    max_time double precision, stddev_time double precision)
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    hint constant text := ops.slow_queries_hint();
begin
    if hint is not null then
        raise notice '%', hint;
        return;
    end if;
    return query execute format(
        'select s.query, s.calls, s.rows, s.total_exec_time, s.mean_exec_time, s.max_exec_time, s.stddev_exec_time
           from %I.pg_stat_statements as s
          where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
            and s.mean_exec_time > 100',
        (select n.nspname from pg_extension as e join pg_namespace as n on n.oid = e.extnamespace
          where e.extname = 'pg_stat_statements'));
end $$;
comment on function ops.slow_queries_read() is 'What the view of slow queries shows; with a notice that says what to do when nothing is recorded.';
revoke execute on function ops.slow_queries_hint(), ops.slow_queries_read() from public;
grant execute on function ops.slow_queries_hint(), ops.slow_queries_read() to ephor_system, ephor_backup;

create view ops.slow_queries with (security_invoker = true) as
select s.query, s.calls, s.rows, s.total_time, s.mean_time, s.max_time, s.stddev_time
  from ops.slow_queries_read() as s;
comment on view ops.slow_queries is 'Queries that take more than 100 ms on average, from pg_stat_statements; empty when that is absent, see ops.slow_queries_hint(). Of the whole installation.';
comment on column ops.slow_queries.query is 'The query, with its constants taken out.';
comment on column ops.slow_queries.calls is 'How often it was run.';
comment on column ops.slow_queries.rows is 'How many rows it gave or changed, in all.';
comment on column ops.slow_queries.total_time is 'How long it ran in all, in milliseconds.';
comment on column ops.slow_queries.mean_time is 'How long it runs on average, in milliseconds.';
comment on column ops.slow_queries.max_time is 'How long it ran at most, in milliseconds.';
comment on column ops.slow_queries.stddev_time is 'By how much that varies: the standard deviation, in milliseconds.';

grant select on ops.table_sizes, ops.table_partitions, ops.slow_queries to ephor_system, ephor_backup;
