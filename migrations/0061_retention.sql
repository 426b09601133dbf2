-- What is deleted when it has served: called by a scheduled job. What precedes a scope (ended sessions, expired links
-- and tokens, the counts of log-in attempts) is swept by door.sweep. The audit trail is archived before any of it goes,
-- so nothing here touches it.

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
comment on function door.sweep() is 'Deletes sessions that ended and links and tokens that expired a month ago, and the counts of attempts of yesterday; at most a thousand sessions at a time.';

create function ops.cleanup_expired() returns table (kind text, deleted bigint, kept bigint)
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    organization constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    analysis uuid;
begin
    if organization is null then
        raise exception 'ops.cleanup_expired needs a transaction with an organization' using errcode = '55000';
    end if;

    -- What was never accepted says so; the row stays, as who was asked is part of the organization's history.
    update identity.team_invitations as i set status = 'expired'
     where i.organization_id = organization and i.status = 'pending' and i.expires_at <= now();

    kind := 'assurance.bias_analyses';
    deleted := 0;
    kept := 0;
    -- One by one: what something else refers to, such as a report, is kept, and keeps nothing else from going.
    for analysis in
        select b.id from assurance.bias_analyses as b
         where b.organization_id = organization and b.status = 'failed'
           and coalesce(b.completed_at, b.created_at) < now() - interval '30 days'
         order by b.created_at
         limit 1000
    loop
        begin
            delete from assurance.bias_analyses as b where b.organization_id = organization and b.id = analysis;
            deleted := deleted + 1;
        exception when foreign_key_violation then
            kept := kept + 1;
        end;
    end loop;
    return next;

    kind := 'ops.jobs';
    kept := 0;
    delete from ops.jobs as j
     where j.organization_id = organization and j.state in ('completed', 'failed', 'cancelled')
       and j.finished_at < now() - interval '30 days';
    get diagnostics deleted = row_count;
    return next;

    kind := 'ops.outbox';
    delete from ops.outbox as o
     where o.organization_id = organization and o.handed_at < now() - interval '7 days';
    get diagnostics deleted = row_count;
    return next;
end $$;
comment on function ops.cleanup_expired() is
    'Marks invitations that expired, and deletes of the transaction''s organization: bias analyses that failed 30 days ago, unless something refers to them (at most a thousand at a time), jobs that ended 30 days ago, and messages that were handed over 7 days ago. Says for each how many went and how many were kept.';
revoke execute on function ops.cleanup_expired() from public;
grant execute on function ops.cleanup_expired() to ephor_system;

-- A month of all organizations goes at once, by its partition: no dead rows, no vacuum. It waits for readers, but not
-- long: everybody else would wait behind it.
create function kernel.drop_month(tbl regclass, month date) returns text
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
    first constant date := date_trunc('month', month)::date;
    parent record;
    part record;
begin
    select n.nspname || '.' || c.relname as name, c.relowner
      into parent
      from pg_class as c
      join pg_namespace as n on n.oid = c.relnamespace
      join pg_partitioned_table as p on p.partrelid = c.oid
     where c.oid = tbl and c.relowner = 'ephor_owner'::regrole and p.partstrat = 'r';
    if parent is null then
        raise exception 'kernel.drop_month: % is no table of Ephor that is partitioned by month', tbl using errcode = '42809';
    end if;
    if parent.name = 'audit.audit_logs' then
        raise exception 'kernel.drop_month: the audit trail is archived before a month of it is dropped' using errcode = '42809';
    end if;
    if month is null or first >= date_trunc('month', now())::date then
        raise exception 'kernel.drop_month: % is not past', coalesce(to_char(first, 'YYYY-MM'), 'null') using errcode = '22023';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('ephor months of ' || tbl, 0));
    -- The partition is known by its bounds, not by its name.
    select c.oid::regclass as it, n.nspname || '.' || c.relname as name, greatest(c.reltuples, 0)::bigint as row_estimate
      into part
      from pg_inherits as i
      join pg_class as c on c.oid = i.inhrelid
      join pg_namespace as n on n.oid = c.relnamespace
     where i.inhparent = tbl
       and pg_get_expr(c.relpartbound, c.oid) = format(
               'FOR VALUES FROM (%L) TO (%L)', first::timestamptz, (first + interval '1 month')::timestamptz);
    if part is null then
        return null;
    end if;
    execute format('alter table %s detach partition %s', tbl, part.it);
    execute format('drop table %s', part.it);
    -- Of no one tenant: booked, as changes of global rows are, under the platform organization.
    perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, 'month_dropped', parent.name, null,
        jsonb_build_object('partition', part.name, 'month', to_char(first, 'YYYY-MM'), 'row_estimate', part.row_estimate));
    return part.name;
end $$;
comment on function kernel.drop_month(regclass, date) is
    'Drops the partition of a past month, with its rows of all organizations, from a table that is partitioned by month, save the audit trail, and records it; gives the partition''s name, or nothing when there is none.';
revoke execute on function kernel.drop_month(regclass, date) from public;
grant execute on function kernel.drop_month(regclass, date) to ephor_system;
