-- Background work: jobs, the outbox that leads to them, and the state of the system. A request only inserts; one relay
-- per database hands over what is committed, so that no request pays for a NOTIFY.

create table ops.jobs (
    organization_id uuid not null,
    id uuid not null,
    kind text not null,
    payload jsonb not null default '{}',
    subject_id uuid,
    state text not null default 'queued',
    progress double precision not null default 0,
    message text,
    cancel_requested boolean not null default false,
    attempts integer not null default 0,
    max_attempts integer not null default 3,
    run_after timestamptz not null default now(),
    worker text,
    heartbeat_at timestamptz,
    result jsonb,
    error text,
    context jsonb not null default '{}',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint jobs_pkey primary key (organization_id, id),
    constraint jobs_kind_check check (kind ~ '^[a-z][a-z0-9_.]{0,99}$'),
    constraint jobs_state_check check (state in ('queued', 'running', 'completed', 'failed', 'cancelled')),
    constraint jobs_progress_check check (progress between 0 and 1),
    constraint jobs_message_check check (length(message) <= 500),
    constraint jobs_attempts_check check (attempts >= 0),
    constraint jobs_max_attempts_check check (max_attempts between 1 and 100),
    constraint jobs_finished_at_check check ((state in ('completed', 'failed', 'cancelled')) = (finished_at is not null))
);
comment on table ops.jobs is 'Background work of an organization, done at least once.';
comment on column ops.jobs.organization_id is 'The tenant for which it is done.';
comment on column ops.jobs.id is 'The job, a UUIDv7.';
comment on column ops.jobs.kind is 'What is to be done; the word by which workers know it.';
comment on column ops.jobs.payload is 'What to do it with.';
comment on column ops.jobs.subject_id is 'What it is about, such as the bias analysis that it runs.';
comment on column ops.jobs.state is 'How far it is: queued, running, completed, failed or cancelled.';
comment on column ops.jobs.progress is 'The part that is done, 0 to 1.';
comment on column ops.jobs.message is 'What is being done at the moment, for people.';
comment on column ops.jobs.cancel_requested is 'Somebody wants it stopped.';
comment on column ops.jobs.attempts is 'How often it was begun.';
comment on column ops.jobs.max_attempts is 'How often it is begun at most.';
comment on column ops.jobs.run_after is 'Not to be begun before.';
comment on column ops.jobs.worker is 'The worker that runs it, or ran it last.';
comment on column ops.jobs.heartbeat_at is 'When its worker last gave a sign of life.';
comment on column ops.jobs.result is 'What came of it.';
comment on column ops.jobs.error is 'Why the last attempt failed.';
comment on column ops.jobs.context is 'What its creator was allowed to do, and the request that created it.';
comment on column ops.jobs.created_by is 'The user, assistant or part of the system that wants it done.';
comment on column ops.jobs.created_at is 'When it was created.';
comment on column ops.jobs.updated_at is 'When it last changed.';
comment on column ops.jobs.started_at is 'When it was begun for the first time.';
comment on column ops.jobs.finished_at is 'When it came to its end.';
comment on constraint jobs_pkey on ops.jobs is 'A job is named by its organization and id.';
comment on constraint jobs_kind_check on ops.jobs is 'A kind is a word of lower-case letters, digits, dots and underscores.';
comment on constraint jobs_state_check on ops.jobs is 'The five states of a job.';
comment on constraint jobs_progress_check on ops.jobs is 'A part of the whole.';
comment on constraint jobs_message_check on ops.jobs is 'A line, not a log.';
comment on constraint jobs_attempts_check on ops.jobs is 'A count.';
comment on constraint jobs_max_attempts_check on ops.jobs is 'At least one attempt, and not for ever.';
comment on constraint jobs_finished_at_check on ops.jobs is 'What has come to its end says when.';
create index jobs_created_idx on ops.jobs (organization_id, created_at desc, id);
create index jobs_subject_idx on ops.jobs (organization_id, subject_id) where subject_id is not null;
-- Small, because jobs end: the relay reads all of it to find dead workers in every organization.
create index jobs_open_idx on ops.jobs (organization_id, state, heartbeat_at) where state in ('queued', 'running');
comment on index ops.jobs_created_idx is 'Serves the newest jobs of an organization.';
comment on index ops.jobs_subject_idx is 'Serves the jobs of one thing.';
comment on index ops.jobs_open_idx is 'Serves the search for jobs whose worker died.';
select kernel.tenant_table('ops.jobs', audited => false, writable => false);
grant insert (organization_id, id, kind, payload, subject_id, max_attempts, run_after, context, created_by)
    on ops.jobs to ephor_app;
grant update (state, cancel_requested, finished_at) on ops.jobs to ephor_app;

create function ops.job_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.state <> old.state and not (
        (old.state = 'queued' and new.state in ('running', 'cancelled', 'failed'))
        or (old.state = 'running' and new.state in ('queued', 'completed', 'failed', 'cancelled')))
    then
        raise exception 'a job that is % cannot become %', old.state, new.state
            using errcode = 'check_violation', constraint = 'jobs_state_step', schema = 'ops', table = 'jobs';
    end if;
    return new;
end $$;
comment on function ops.job_step() is 'Keeps jobs to their states'' order: an end is an end.';
create trigger step before update of state on ops.jobs for each row execute function ops.job_step();

create table ops.outbox (
    organization_id uuid not null,
    id uuid not null,
    kind text not null,
    subject_id uuid,
    event jsonb,
    due_at timestamptz,
    handed_at timestamptz,
    created_at timestamptz not null default now(),
    constraint outbox_pkey primary key (organization_id, id),
    constraint outbox_kind_check check (kind in ('job', 'job_update', 'job_cancel', 'event')),
    constraint outbox_event_check check ((kind = 'event') = (event is not null)),
    constraint outbox_subject_id_check check (kind = 'event' or subject_id is not null)
) with (
    -- It turns over all the time: vacuum by count.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000
);
comment on table ops.outbox is 'What is committed and has yet to be handed over: jobs to the queue, events to those whom they concern, news to those who watch.';
comment on column ops.outbox.organization_id is 'The tenant in which it happened.';
comment on column ops.outbox.id is 'The message, a UUIDv7: messages are handed over in this order.';
comment on column ops.outbox.kind is 'A job to run, news of a job, a job to cancel, or an event of the domain.';
comment on column ops.outbox.subject_id is 'The job, when it is about one.';
comment on column ops.outbox.event is 'The event, as its type in kernel is written.';
comment on column ops.outbox.due_at is 'When the job is to be run, if not at once.';
comment on column ops.outbox.handed_at is 'When an event was handed to the queue; it is deleted when it has been handled.';
comment on column ops.outbox.created_at is 'When it was written.';
comment on constraint outbox_pkey on ops.outbox is 'A message is named by its organization and id.';
comment on constraint outbox_kind_check on ops.outbox is 'The four kinds of message.';
comment on constraint outbox_event_check on ops.outbox is 'An event, and nothing else, carries one.';
comment on constraint outbox_subject_id_check on ops.outbox is 'What is about a job names it.';
select kernel.tenant_table('ops.outbox', audited => false, writable => false);
grant insert on ops.outbox to ephor_app;

create table ops.system_health (
    id uuid not null default kernel.uuidv7(),
    service_name text not null,
    status text not null,
    health_data jsonb not null default '{}',
    last_check timestamptz not null default now(),
    constraint system_health_pkey primary key (id),
    constraint system_health_service_name_key unique (service_name),
    constraint system_health_service_name_check check (length(service_name) between 1 and 100),
    constraint system_health_status_check check (status in ('healthy', 'degraded', 'unhealthy'))
);
comment on table ops.system_health is 'How each part of Ephor was when it last changed for better or worse. Of the whole installation, not of a tenant.';
comment on column ops.system_health.id is 'The part''s record.';
comment on column ops.system_health.service_name is 'The part, such as relay.';
comment on column ops.system_health.status is 'healthy, degraded or unhealthy.';
comment on column ops.system_health.health_data is 'What is known beyond the status.';
comment on column ops.system_health.last_check is 'When it was found to be so.';
comment on constraint system_health_pkey on ops.system_health is 'One record for each part.';
comment on constraint system_health_service_name_key on ops.system_health is 'A part is recorded once.';
comment on constraint system_health_service_name_check on ops.system_health is 'A part has a name, of at most 100 letters.';
comment on constraint system_health_status_check on ops.system_health is 'The three states of health.';
alter table ops.system_health enable row level security;
alter table ops.system_health force row level security;
create policy global_app on ops.system_health for select to ephor_app using (true);
create policy global_system on ops.system_health to ephor_system using (true) with check (true);
create policy global_owner on ops.system_health to ephor_owner using (true) with check (true);
create policy global_migrator on ops.system_health to ephor_migrator using (true) with check (true);
create policy global_backup on ops.system_health for select to ephor_backup using (true);
grant select on ops.system_health to ephor_app, ephor_system, ephor_backup;
grant insert, update on ops.system_health to ephor_system;
select audit.watch('ops.system_health', global => true);

-- The relay works for all tenants, but what it sees of them are ids: so it needs no policy, only these two functions.
create function ops.relay(batch integer) returns integer
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

    -- The key makes handing over twice the same as once.
    perform graphile_worker.add_jobs(
        array(
            select distinct on (key) row(
                case kind when 'job' then 'ephor.job' else 'ephor.event' end,
                json_build_object('organization_id', organization_id, 'id', key),
                null, due_at, 25, key::text, 0, null)::graphile_worker.job_spec
            from (select t.*, case kind when 'job' then subject_id else id end as key from unnest(taken) as t) as k
            where kind in ('job', 'event')
            order by key, id desc),
        true)
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
comment on function ops.relay(integer) is 'Hands over the oldest messages of the outbox, at most as many as given: jobs and events to the queue, news to the channel ephor_live. Says how many.';

create function ops.recover(silence interval, lost interval) returns integer
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

    -- What waits for long may have been lost by the queue; handing over twice does no harm.
    with waiting as (
        update ops.jobs set run_after = run_after
        where state = 'queued' and greatest(updated_at, run_after) < clock_timestamp() - lost
        returning organization_id, id)
    insert into ops.outbox (organization_id, id, kind, subject_id)
    select organization_id, kernel.uuidv7(), 'job', id from waiting;
    update ops.outbox set handed_at = null where handed_at < clock_timestamp() - lost;
    return recovered;
end $$;
comment on function ops.recover(interval, interval) is 'Puts jobs back whose worker gave no sign of life for the first time, and hands over again what waits longer than the second. Says how many workers'' jobs it found.';
revoke all on all functions in schema ops from public;
grant execute on function ops.relay(integer), ops.recover(interval, interval) to ephor_system;
