-- Two ways for a job to wait for hours. A worker, or its database, may die between the moment when the queue gives out
-- a job and the moment when the worker takes it: the queue gives it to nobody else. Or the clock goes back: what was
-- due a moment ago is due in the future.

create or replace function ops.relay(batch integer) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    taken ops.outbox[];
    handed integer;
    part text;
begin
    select array_agg(o order by o.id) into taken
    from (select * from ops.outbox where handed_at is null order by id limit batch) as o;
    handed := coalesce(cardinality(taken), 0);
    if handed = 0 then
        return 0;
    end if;

    -- The key makes handing over twice the same as once. What is due at once is due by every clock, also by one that
    -- goes back before a worker is free.
    perform graphile_worker.add_jobs(
        array(
            select distinct on (key) row(
                case kind when 'job' then 'ephor.job' else 'ephor.event' end,
                json_build_object('organization_id', organization_id, 'id', key),
                null, coalesce(due_at, 'epoch'), 25, key::text, 0, null)::graphile_worker.job_spec
            from (select t.*, case kind when 'job' then subject_id else id end as key from unnest(taken) as t) as k
            where kind in ('job', 'event')
            order by key, id desc),
        false)
    where exists (select from unnest(taken) as t where t.kind in ('job', 'event'));

    update ops.outbox as o set handed_at = clock_timestamp()
    from unnest(taken) as t
    where o.organization_id = t.organization_id and o.id = t.id and t.kind = 'event';
    delete from ops.outbox as o
    using unnest(taken) as t
    where o.organization_id = t.organization_id and o.id = t.id and t.kind <> 'event';

    -- One notification for as many as fit into one (8000 bytes).
    for part in
        select json_agg(json_build_object('organization', organization_id, 'kind', kind, 'id', id, 'subject', subject_id))::text
        from (select n.*, (row_number() over () - 1) / 30 as page
              from (select t.organization_id,
                           case t.kind when 'event' then t.event ->> 'type' when 'job_cancel' then 'job_cancel' else 'job' end as kind,
                           case t.kind when 'event' then t.id else t.subject_id end as id,
                           j.subject_id
                    from unnest(taken) as t
                    left join ops.jobs as j on j.organization_id = t.organization_id and j.id = t.subject_id
                    group by 1, 2, 3, 4
                    order by min(t.id::text)) as n) as news
        group by page
        order by page
    loop
        perform pg_notify('ephor_live', part);
    end loop;
    return handed;
end $$;

create or replace function ops.recover(silence interval, lost interval) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    recovered integer;
begin
    -- Signs of life from the future are from before the clock went back.
    update ops.jobs set heartbeat_at = clock_timestamp() where state = 'running' and heartbeat_at > clock_timestamp();

    -- A job whose worker died is begun again. Was that its last attempt, then it is handed over once more, for its
    -- handler to be told; if a worker dies of even that, it has failed.
    with dead as (
        update ops.jobs
        set state = case when attempts <= max_attempts then 'queued' else 'failed' end,
            finished_at = case when attempts <= max_attempts then null else clock_timestamp() end,
            error = 'The worker that ran it died.',
            run_after = clock_timestamp()
        where state = 'running' and heartbeat_at < clock_timestamp() - silence
        returning organization_id, id, state)
    insert into ops.outbox (organization_id, id, kind, subject_id)
    select organization_id, kernel.uuidv7(), case state when 'queued' then 'job' else 'job_update' end, id from dead;
    get diagnostics recovered = row_count;

    -- A job that is due, but that the queue holds for nobody to take: given out and never begun, or lost. Or one that
    -- was put off, and then the clock went back. Handing over twice does no harm: the first worker to take it has it.
    with stray as (
        update ops.jobs as j set run_after = least(j.run_after, clock_timestamp())
        where j.state = 'queued' and (
            j.updated_at > clock_timestamp() + silence
            or greatest(j.updated_at, j.run_after) < clock_timestamp() - silence
                and not exists (
                    select from graphile_worker._private_jobs as q
                    where q.key = j.id::text and q.locked_at is null and q.attempts < q.max_attempts))
        returning j.organization_id, j.id)
    insert into ops.outbox (organization_id, id, kind, subject_id)
    select organization_id, kernel.uuidv7(), 'job', id from stray;
    update ops.outbox set handed_at = null where handed_at < clock_timestamp() - lost;
    return recovered;
end $$;
comment on function ops.recover(interval, interval) is 'Puts jobs back whose worker gave no sign of life for the first time, hands over jobs again that are due for as long and that nobody can take, and events that were not handled within the second. Says how many workers'' jobs it found.';
