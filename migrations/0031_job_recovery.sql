-- A worker, or its database, may die between the moment when the queue gives out a job and the moment when the worker
-- takes it: the job waits on, and the queue gives it to nobody else for hours.

create or replace function ops.recover(silence interval, lost interval) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    recovered integer;
begin
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

    -- A job that is due, but that the queue holds for nobody to take: given out and never begun, or lost. Handing over
    -- twice does no harm: the first worker to take it has it.
    with stray as (
        update ops.jobs as j set run_after = j.run_after
        where j.state = 'queued' and greatest(j.updated_at, j.run_after) < clock_timestamp() - silence
            and not exists (
                select from graphile_worker._private_jobs as q
                where q.key = j.id::text and q.locked_at is null and q.attempts < q.max_attempts)
        returning j.organization_id, j.id)
    insert into ops.outbox (organization_id, id, kind, subject_id)
    select organization_id, kernel.uuidv7(), 'job', id from stray;
    update ops.outbox set handed_at = null where handed_at < clock_timestamp() - lost;
    return recovered;
end $$;
comment on function ops.recover(interval, interval) is 'Puts jobs back whose worker gave no sign of life for the first time, hands over jobs again that are due for as long and that nobody can take, and events that were not handled within the second. Says how many workers'' jobs it found.';
