-- When each part of Ephor was looked at last, beside how it was found.

-- ops.system_health is audited, so it is written when a part becomes better or worse, and no more. Signs of life come each
-- minute of each process: they have a table of their own, of which nothing is audited.
create table ops.heartbeats (
    service_name text not null,
    beat_at timestamptz not null default now(),
    silence interval,
    fault_at timestamptz,
    constraint heartbeats_pkey primary key (service_name),
    constraint heartbeats_service_name_check check (length(service_name) between 1 and 100),
    constraint heartbeats_silence_check check (silence > interval '0')
);
comment on table ops.heartbeats is 'When each part of Ephor gave its last sign of life, in whichever process. Of the whole installation, not of a tenant. Signs of life, hence not audited: what a part turns into is, in ops.system_health.';
comment on column ops.heartbeats.service_name is 'The part, as in ops.system_health.';
comment on column ops.heartbeats.beat_at is 'When its last sign of life was written.';
comment on column ops.heartbeats.silence is 'After how long without one it is silent; null: none is expected, as it works when it is asked to, or was stopped.';
comment on column ops.heartbeats.fault_at is 'When it last told that something went wrong; it is well again once it has not for a while.';
comment on constraint heartbeats_pkey on ops.heartbeats is 'One line for each part.';
comment on constraint heartbeats_service_name_check on ops.heartbeats is 'A part has a name, of at most 100 letters.';
comment on constraint heartbeats_silence_check on ops.heartbeats is 'Some time has to pass.';
alter table ops.heartbeats enable row level security;
alter table ops.heartbeats force row level security;
create policy global_system on ops.heartbeats to ephor_system using (true) with check (true);
create policy global_owner on ops.heartbeats to ephor_owner using (true) with check (true);
create policy global_migrator on ops.heartbeats to ephor_migrator using (true) with check (true);
create policy global_backup on ops.heartbeats for select to ephor_backup using (true);
grant select on ops.heartbeats to ephor_system, ephor_backup;
grant insert, update on ops.heartbeats to ephor_system;

comment on table ops.system_health is 'How each part of Ephor was found when that last changed for better or worse; ops.heartbeats says when it was looked at last. Of the whole installation, not of a tenant.';
comment on column ops.system_health.last_check is 'When it was found to have become so. It was found the same since, up to beat_at of ops.heartbeats.';
