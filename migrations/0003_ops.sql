-- Background work and events. Both are appended in the transaction that wants them; a relay, one per database, tells
-- the pages that wait for it, once per batch: a NOTIFY inside a request's transaction would serialise commits.

create table ops.jobs (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    kind text not null,
    payload jsonb not null default '{}',
    subject_id uuid,
    state text not null default 'queued',
    progress double precision not null default 0,
    message text not null default '',
    cancel_requested boolean not null default false,
    attempts integer not null default 0,
    max_attempts integer not null default 5,
    run_after timestamptz not null default now(),
    worker_id uuid,
    heartbeat_at timestamptz,
    error text,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint jobs_pkey primary key (organization_id, id),
    constraint jobs_kind_check check (kind ~ '^[a-z][a-z0-9_]{0,99}$'),
    constraint jobs_state_check check (state in ('queued', 'running', 'completed', 'failed', 'cancelled')),
    constraint jobs_progress_check check (progress between 0 and 1),
    constraint jobs_attempts_check check (attempts >= 0 and max_attempts > 0),
    constraint jobs_running_check check (state <> 'running' or (worker_id is not null and heartbeat_at is not null)),
    constraint jobs_failed_check check (state <> 'failed' or error is not null)
);
comment on table ops.jobs is 'Background work: what is to be done, how far it is, how it ended. Done at least once.';
comment on column ops.jobs.organization_id is 'The organization that the work is for.';
comment on column ops.jobs.id is 'The job.';
comment on column ops.jobs.kind is 'Which handler does it.';
comment on column ops.jobs.payload is 'What the handler is given.';
comment on column ops.jobs.subject_id is 'The row that the work is about, so that pages can wait for it.';
comment on column ops.jobs.state is 'queued, running, completed, failed or cancelled.';
comment on column ops.jobs.progress is 'How far it is, from 0 to 1.';
comment on column ops.jobs.message is 'What it is doing, in words.';
comment on column ops.jobs.cancel_requested is 'Somebody asked to stop it.';
comment on column ops.jobs.attempts is 'How often it was begun.';
comment on column ops.jobs.max_attempts is 'How often it may be begun.';
comment on column ops.jobs.run_after is 'When it may be begun: later after a failed attempt.';
comment on column ops.jobs.worker_id is 'The worker that has it.';
comment on column ops.jobs.heartbeat_at is 'When that worker last gave a sign of life.';
comment on column ops.jobs.error is 'Why it failed.';
comment on column ops.jobs.created_by is 'Who asked for it.';
comment on column ops.jobs.created_at is 'When it was asked for.';
comment on column ops.jobs.updated_at is 'When the row last changed.';
comment on column ops.jobs.started_at is 'When it was first begun.';
comment on column ops.jobs.finished_at is 'When it came to its end, whichever.';
comment on constraint jobs_pkey on ops.jobs is 'A job is known within its organization.';
comment on constraint jobs_kind_check on ops.jobs is 'A kind is a word in lower case.';
comment on constraint jobs_state_check on ops.jobs is 'The states of a job.';
comment on constraint jobs_progress_check on ops.jobs is 'Progress is a fraction.';
comment on constraint jobs_attempts_check on ops.jobs is 'Attempts are counted from 0, and at least one is allowed.';
comment on constraint jobs_running_check on ops.jobs is 'What runs has a worker that gives signs of life.';
comment on constraint jobs_failed_check on ops.jobs is 'What failed says why.';
create index jobs_created_at_idx on ops.jobs (organization_id, created_at desc, id);
create index jobs_subject_id_idx on ops.jobs (organization_id, subject_id);
-- The one index that does not begin with the organization: workers take the oldest job of any.
create index jobs_waiting_idx on ops.jobs (run_after, created_at) where state = 'queued';
create index jobs_running_idx on ops.jobs (heartbeat_at) where state = 'running';
select kernel.tenant_table('ops.jobs', audited => false);
revoke update, delete on ops.jobs from ephor_app;
grant update (cancel_requested, state, finished_at) on ops.jobs to ephor_app;

create table ops.outbox (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    kind text not null,
    payload jsonb not null,
    created_at timestamptz not null default now(),
    constraint outbox_pkey primary key (organization_id, id)
);
comment on table ops.outbox is 'Events on their way: appended in the transaction that made them true, taken by the relay.';
comment on column ops.outbox.organization_id is 'The organization in which it happened.';
comment on column ops.outbox.id is 'The event.';
comment on column ops.outbox.kind is 'What happened.';
comment on column ops.outbox.payload is 'The event itself.';
comment on column ops.outbox.created_at is 'When it happened.';
comment on constraint outbox_pkey on ops.outbox is 'An event is known within its organization.';
create index outbox_created_at_idx on ops.outbox (created_at);
select kernel.tenant_table('ops.outbox', audited => false);
revoke update, delete on ops.outbox from ephor_app;

create table ops.system_health (
    component text not null,
    status text not null,
    message text not null default '',
    details jsonb not null default '{}',
    checked_at timestamptz not null default now(),
    constraint system_health_pkey primary key (component),
    constraint system_health_status_check check (status in ('healthy', 'degraded', 'unhealthy'))
);
comment on table ops.system_health is 'The last known state of each part of the platform; global, and of no tenant.';
comment on column ops.system_health.component is 'The part.';
comment on column ops.system_health.status is 'healthy, degraded or unhealthy.';
comment on column ops.system_health.message is 'What is the matter, in words.';
comment on column ops.system_health.details is 'Figures.';
comment on column ops.system_health.checked_at is 'When it was looked at.';
comment on constraint system_health_pkey on ops.system_health is 'One row for each part.';
comment on constraint system_health_status_check on ops.system_health is 'The states of a part.';
alter table ops.system_health enable row level security;
alter table ops.system_health force row level security;
create policy health_system on ops.system_health to ephor_system using (true) with check (true);
create policy health_owner on ops.system_health to ephor_owner using (true) with check (true);
create policy health_backup on ops.system_health for select to ephor_backup using (true);
grant select, insert, update, delete on ops.system_health to ephor_system;
grant select on ops.system_health to ephor_backup;

-- Workers serve all organizations, but work in one at a time: these functions hand out what is next and say for whom;
-- everything else happens under that organization's scope.
create policy jobs_door on ops.jobs to ephor_door using (true) with check (true);
create policy outbox_door on ops.outbox to ephor_door using (true) with check (true);
grant select, update on ops.jobs to ephor_door;
grant select, insert, delete on ops.outbox to ephor_door;
grant create on schema ops to ephor_door;

create function ops.job_claim(p_worker uuid, p_kinds text[]) returns table (
    organization_id uuid, id uuid, kind text, payload jsonb, subject_id uuid, attempts integer, max_attempts integer,
    created_by uuid)
    language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    update ops.jobs j
       set state = 'running', worker_id = p_worker, heartbeat_at = clock_timestamp(), attempts = j.attempts + 1,
           started_at = coalesce(j.started_at, clock_timestamp())
     where (j.organization_id, j.id) = (
               select w.organization_id, w.id from ops.jobs w
                where w.state = 'queued' and w.run_after <= clock_timestamp() and w.kind = any (p_kinds)
                order by w.run_after, w.created_at
                limit 1 for update skip locked)
    returning j.organization_id, j.id, j.kind, j.payload, j.subject_id, j.attempts, j.max_attempts, j.created_by
$$;
comment on function ops.job_claim(uuid, text[]) is 'Takes the job that waits longest, of any organization, for a worker.';

create function ops.jobs_lost(p_silence interval) returns table (
    organization_id uuid, id uuid, kind text, payload jsonb, subject_id uuid, attempts integer, max_attempts integer,
    created_by uuid, worker_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select organization_id, id, kind, payload, subject_id, attempts, max_attempts, created_by, worker_id
      from ops.jobs where state = 'running' and heartbeat_at < clock_timestamp() - p_silence
     order by heartbeat_at limit 100
$$;
comment on function ops.jobs_lost(interval) is 'Running jobs whose worker gave no sign of life for so long.';

create function ops.outbox_take(p_limit integer) returns table (
    organization_id uuid, id uuid, kind text, payload jsonb)
    language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    delete from ops.outbox o
     where (o.organization_id, o.id) in (
               select t.organization_id, t.id from ops.outbox t order by t.created_at limit p_limit
               for update skip locked)
    returning o.organization_id, o.id, o.kind, o.payload
$$;
comment on function ops.outbox_take(integer) is 'Takes the oldest events, of any organization, for the relay.';

do $$
declare
    signature text;
begin
    foreach signature in array array['job_claim(uuid, text[])', 'jobs_lost(interval)', 'outbox_take(integer)'] loop
        execute format('revoke execute on function ops.%s from public', signature);
        execute format('grant execute on function ops.%s to ephor_system', signature);
        execute format('alter function ops.%s owner to ephor_door', signature);
    end loop;
end $$;
