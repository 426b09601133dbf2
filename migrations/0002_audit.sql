-- The audit trail. Statement triggers write one entry for each changed row, in the transaction
-- that changed it; each entry carries a salted leaf hash, and is queued for the sealer, which
-- drains the queue into one RFC 6962 Merkle tree per organization with signed checkpoints.
-- docs/audit.md tells the whole of it.

create schema if not exists audit;
comment on schema audit is 'The tamper-evident record of every change and security event.';
revoke all on schema audit from public;
grant usage on schema audit
    to ephor_app, ephor_reach, ephor_system, ephor_sealer, ephor_door, ephor_migrator, ephor_backup;

-- ---------------------------------------------------------------------------------------------
-- Entries

-- Without check constraints: PostgreSQL parses each anew for every statement, a third of what an
-- entry costs. Only the functions below write here, and what they write has these forms: an unknown
-- kind of actor fails in them. The verifier relies on none of it.
create table audit.audit_logs (
    organization_id uuid not null,
    id uuid not null,
    created_at timestamptz not null,
    actor_type text not null,
    actor_id uuid not null,
    action text not null,
    entity_type text not null,
    entity_id uuid,
    body text,
    salt bytea,
    integrity_hash bytea not null,
    erased_by uuid,
    body_hash bytea,
    constraint audit_logs_pkey primary key (organization_id, id, created_at)
) partition by range (created_at);

comment on table audit.audit_logs is 'Who did what to which thing, when and from where: one entry for each changed row or security event. Append-only; partitioned by month.';
comment on column audit.audit_logs.organization_id is 'The tenant to which the entry belongs; changes to global rows are booked under the platform organization.';
comment on column audit.audit_logs.id is 'The entry, a UUIDv7: entries sort by the time they were written.';
comment on column audit.audit_logs.created_at is 'When the change was made, to the microsecond.';
comment on column audit.audit_logs.actor_type is 'What kind of actor did it: user, assistant, system, or platform (the operator).';
comment on column audit.audit_logs.actor_id is 'The user, the assistant or the part of the system that did it.';
comment on column audit.audit_logs.action is 'What was done: insert, update or delete of a row, or the name of an event such as login.';
comment on column audit.audit_logs.entity_type is 'What it was done to: a table with its schema, or the kind of thing that an event is about.';
comment on column audit.audit_logs.entity_id is 'Which one of them; empty when the event is about no particular one.';
comment on column audit.audit_logs.body is 'JSON of old and new values, request and details, as the very text that was hashed. Empty once erased.';
comment on column audit.audit_logs.salt is '32 random bytes hashed in front of the body, so that an erased body cannot be guessed from its hash. Empty once erased.';
comment on column audit.audit_logs.integrity_hash is 'The entry''s leaf in the organization''s Merkle tree: SHA-256(0x00, header, SHA-256(salt, body)).';
comment on column audit.audit_logs.erased_by is 'The entry that records the erasure of this one''s body.';
comment on column audit.audit_logs.body_hash is 'SHA-256(salt, body), kept when the body is erased so that the leaf can still be computed.';
comment on constraint audit_logs_pkey on audit.audit_logs is 'An entry is named by its organization and id; the time selects the partition.';

create index audit_logs_entity_idx on audit.audit_logs (organization_id, entity_id, id);
create index audit_logs_entity_type_idx on audit.audit_logs (organization_id, entity_type, id);
create index audit_logs_actor_idx on audit.audit_logs (organization_id, actor_id, id);
create index audit_logs_action_idx on audit.audit_logs (organization_id, action, id);
comment on index audit.audit_logs_entity_idx is 'Serves the history of one thing.';
comment on index audit.audit_logs_entity_type_idx is 'Serves the history of all things of one kind.';
comment on index audit.audit_logs_actor_idx is 'Serves what one actor did.';
comment on index audit.audit_logs_action_idx is 'Serves all events of one name.';

-- Months. An insert never fails for want of one: the default partition takes it, and the month
-- that is made later takes the rows over.

-- A partition is nobody's but the owner's and the backup's (pg_dump reads partitions one by one):
-- whoever reads past the table reads past its policies.
create function audit.shut_partition(part regclass, about text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('alter table %s enable row level security', part);
    execute format('create policy backup_read on %s for select to ephor_backup using (true)', part);
    execute format('grant select on %s to ephor_backup', part);
    execute format('comment on table %s is %L', part, about);
    execute (select format('comment on constraint %I on %s is %L', conname, part, 'An entry is named by its organization, id and time.')
             from pg_constraint where conrelid = part and contype = 'p');
end
$$;
comment on function audit.shut_partition(regclass, text) is 'Closes a partition of the entries to all but its owner and the backup, and says what it is for.';

create table audit.audit_logs_default (like audit.audit_logs including all);
select audit.shut_partition('audit.audit_logs_default', 'Takes entries of a month whose partition is missing; should be empty.');
alter table audit.audit_logs attach partition audit.audit_logs_default default;

create function audit.months_ahead(months integer default 3) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    month timestamptz;
    part text;
    made integer := 0;
begin
    if months not between 0 and 120 then
        raise exception 'audit.months_ahead: % months; give 0 to 120', months using errcode = '22023';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('ephor audit months', 0));
    for month in
        select m from generate_series(date_trunc('month', now()),
                                      date_trunc('month', now()) + make_interval(months => months),
                                      interval '1 month') as m
        union
        select distinct date_trunc('month', d.created_at) from audit.audit_logs_default as d
        order by 1
    loop
        part := 'audit_logs_' || to_char(month, 'YYYY_MM');
        continue when to_regclass(format('audit.%I', part)) is not null;
        -- Made beside its parent and then attached: that lock lets writers go on.
        execute format('create table audit.%I (like audit.audit_logs including all)', part);
        perform audit.shut_partition(format('audit.%I', part)::regclass, 'Entries of ' || to_char(month, 'FMMonth YYYY') || '.');
        execute format(
            'with moved as (delete from audit.audit_logs_default
                             where created_at >= %L and created_at < %L returning *)
             insert into audit.%I select * from moved',
            month, month + interval '1 month', part);
        execute format(
            'alter table audit.audit_logs attach partition audit.%I for values from (%L) to (%L)',
            part, month, month + interval '1 month');
        made := made + 1;
    end loop;
    return made;
end
$$;
comment on function audit.months_ahead(integer) is 'Makes the partitions of this month, of the given number of months after it, and of any month of which the default partition holds entries; says how many it made.';
revoke all on function audit.months_ahead(integer) from public;
grant execute on function audit.months_ahead(integer) to ephor_system, ephor_sealer;

-- ---------------------------------------------------------------------------------------------
-- What the sealer keeps

create table audit.seal_queue (
    organization_id uuid not null,
    entry_id uuid not null,
    integrity_hash bytea not null
) with (
    -- It turns over every second: vacuum by count, at full speed.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 1000000,
    autovacuum_vacuum_cost_delay = 0
);
comment on table audit.seal_queue is 'Entries that are written but not yet in their organization''s tree. It has no key on purpose: one statement reads it whole, and an index would cost every write.';
comment on column audit.seal_queue.organization_id is 'The tenant whose tree the entry goes into.';
comment on column audit.seal_queue.entry_id is 'The entry.';
comment on column audit.seal_queue.integrity_hash is 'Its leaf hash.';

create table audit.tiles (
    organization_id uuid not null,
    level smallint not null,
    position bigint not null,
    hashes bytea not null,
    constraint tiles_pkey primary key (organization_id, level, position),
    constraint tiles_level_check check (level between 0 and 63),
    constraint tiles_position_check check (position >= 0),
    constraint tiles_hashes_check
        check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0)
);
alter table audit.tiles alter column hashes set storage external;
comment on table audit.tiles is 'The Merkle trees, as C2SP tlog-tiles of height 8: each row is up to 256 consecutive hashes of one level.';
comment on column audit.tiles.organization_id is 'Whose tree it is; the instance''s own log has the id 00000000-0000-7000-8000-000000000010.';
comment on column audit.tiles.level is 'The tile''s level: 0 holds leaf hashes, 1 the roots of full tiles of level 0, and so on.';
comment on column audit.tiles.position is 'Which tile of its level, from 0.';
comment on column audit.tiles.hashes is 'The hashes, 32 bytes each, from left to right; 256 of them once the tile is full.';
comment on constraint tiles_pkey on audit.tiles is 'A tile is named by tree, level and position.';
comment on constraint tiles_level_check on audit.tiles is 'tlog-tiles allows 64 levels.';
comment on constraint tiles_position_check on audit.tiles is 'Tiles are counted from 0.';
comment on constraint tiles_hashes_check on audit.tiles is 'One to 256 whole hashes.';

create table audit.entry_bundles (
    organization_id uuid not null,
    position bigint not null,
    entries bytea not null,
    first_entry uuid not null,
    last_entry uuid not null,
    constraint entry_bundles_pkey primary key (organization_id, position),
    constraint entry_bundles_position_check check (position >= 0),
    constraint entry_bundles_entries_check
        check (octet_length(entries) between 16 and 4096 and octet_length(entries) % 16 = 0),
    constraint entry_bundles_last_entry_check check (first_entry <= last_entry)
);
alter table audit.entry_bundles alter column entries set storage external;
comment on table audit.entry_bundles is 'Which entry each leaf belongs to: beside every level 0 tile, the ids of its entries.';
comment on column audit.entry_bundles.organization_id is 'Whose tree it is.';
comment on column audit.entry_bundles.position is 'The level 0 tile that it goes with.';
comment on column audit.entry_bundles.entries is 'The ids of the entries, 16 bytes each, in the order of their leaves.';
comment on column audit.entry_bundles.first_entry is 'The least of the ids: with last_entry, finds the bundle of an entry.';
comment on column audit.entry_bundles.last_entry is 'The greatest of the ids.';
comment on constraint entry_bundles_pkey on audit.entry_bundles is 'A bundle is named by tree and position.';
comment on constraint entry_bundles_position_check on audit.entry_bundles is 'Bundles are counted from 0.';
comment on constraint entry_bundles_entries_check on audit.entry_bundles is 'One to 256 whole ids.';
comment on constraint entry_bundles_last_entry_check on audit.entry_bundles is 'The range of ids is not empty.';

create table audit.audit_checkpoints (
    organization_id uuid not null,
    id uuid not null,
    partition_name text not null,
    last_sequence_number bigint not null,
    root_hash bytea not null,
    signature bytea not null,
    note text not null,
    created_at timestamptz not null,
    verified_at timestamptz,
    constraint audit_checkpoints_pkey primary key (organization_id, id),
    constraint audit_checkpoints_sequence_key unique (organization_id, last_sequence_number),
    constraint audit_checkpoints_last_sequence_number_check check (last_sequence_number > 0),
    constraint audit_checkpoints_root_hash_check check (octet_length(root_hash) = 32),
    constraint audit_checkpoints_signature_check check (octet_length(signature) = 68)
);
comment on table audit.audit_checkpoints is 'Signed statements of what a tree held at a size: each proves every entry up to its last one.';
comment on column audit.audit_checkpoints.organization_id is 'Whose tree it is.';
comment on column audit.audit_checkpoints.id is 'The checkpoint, a UUIDv7.';
comment on column audit.audit_checkpoints.partition_name is 'The month''s partition that holds the newest of its entries.';
comment on column audit.audit_checkpoints.last_sequence_number is 'The number of its last entry, counted from 1, which is the size of the tree.';
comment on column audit.audit_checkpoints.root_hash is 'The tree''s root: the cumulative hash of all its entries.';
comment on column audit.audit_checkpoints.signature is 'Key id (4 bytes) and Ed25519 signature (64 bytes), as in the note.';
comment on column audit.audit_checkpoints.note is 'The checkpoint as a C2SP signed note: origin, size, root and signature.';
comment on column audit.audit_checkpoints.created_at is 'When it was signed.';
comment on column audit.audit_checkpoints.verified_at is 'When all entries up to here were last recomputed and found to be as signed.';
comment on constraint audit_checkpoints_pkey on audit.audit_checkpoints is 'A checkpoint is named by organization and id.';
comment on constraint audit_checkpoints_sequence_key on audit.audit_checkpoints is 'One checkpoint for each size of a tree: two would be a fork.';
comment on constraint audit_checkpoints_last_sequence_number_check on audit.audit_checkpoints is 'An empty tree is not signed.';
comment on constraint audit_checkpoints_root_hash_check on audit.audit_checkpoints is 'A SHA-256 hash has 32 bytes.';
comment on constraint audit_checkpoints_signature_check on audit.audit_checkpoints is 'Key id and Ed25519 signature have 68 bytes.';

create index audit_checkpoints_created_at_idx on audit.audit_checkpoints (created_at);
comment on index audit.audit_checkpoints_created_at_idx is 'Serves the instance log, which takes what was signed since its last entry.';

create index audit_checkpoints_verified_at_idx on audit.audit_checkpoints (organization_id, verified_at)
    where verified_at is not null;
comment on index audit.audit_checkpoints_verified_at_idx is 'Serves the time of the last verification.';

create table audit.instance (
    id uuid not null,
    created_at timestamptz not null default now(),
    constraint instance_pkey primary key (id)
);
comment on table audit.instance is 'This installation: one row, which names the instance log.';
comment on column audit.instance.id is 'The installation, in the origin line of the instance log''s checkpoints.';
comment on column audit.instance.created_at is 'When the database was made.';
comment on constraint instance_pkey on audit.instance is 'The installation''s name.';
insert into audit.instance (id) values (gen_random_uuid());

create table audit.instance_entries (
    position bigint not null,
    checkpoint text not null,
    created_at timestamptz not null,
    constraint instance_entries_pkey primary key (position),
    constraint instance_entries_position_check check (position >= 0)
);
comment on table audit.instance_entries is 'The instance log: changed roots of all organizations, at most once a minute. Only its checkpoints leave the installation, so nothing of a tenant does.';
comment on column audit.instance_entries.position is 'The leaf''s index in the instance log, from 0.';
comment on column audit.instance_entries.checkpoint is 'The text of an organization''s checkpoint (origin, size, root), without its signature: the leaf''s data.';
comment on column audit.instance_entries.created_at is 'When it was entered.';
comment on constraint instance_entries_pkey on audit.instance_entries is 'One entry for each leaf.';
comment on constraint instance_entries_position_check on audit.instance_entries is 'Leaves are counted from 0.';

create index instance_entries_origin_idx on audit.instance_entries (split_part(checkpoint, E'\n', 1), position);
comment on index audit.instance_entries_origin_idx is 'Finds the newest entry of one organization, by the origin line.';

create table audit.seal_keys (
    id uuid not null,
    public_key text not null,
    rotation_note text,
    created_at timestamptz not null,
    constraint seal_keys_pkey primary key (id),
    constraint seal_keys_public_key_key unique (public_key)
);
comment on table audit.seal_keys is 'Public keys with which checkpoints were signed. Trust does not come from here: it comes from a key that the verifier holds, and rotation notes lead from it to the others.';
comment on column audit.seal_keys.id is 'The key''s record, a UUIDv7.';
comment on column audit.seal_keys.public_key is 'The key, as a C2SP note verifier key.';
comment on column audit.seal_keys.rotation_note is 'The note, signed by the key before and by this one, that hands over; empty for the first key.';
comment on column audit.seal_keys.created_at is 'Since when it signs.';
comment on constraint seal_keys_pkey on audit.seal_keys is 'A key''s record.';
comment on constraint seal_keys_public_key_key on audit.seal_keys is 'A key is recorded once.';

-- ---------------------------------------------------------------------------------------------
-- Who may do what. Entries come from the functions below alone, which run as the owner; tiles,
-- checkpoints and the emptying of the queue belong to the sealer alone.

do $$
declare
    tab text;
begin
    foreach tab in array array['audit_logs', 'seal_queue', 'tiles', 'entry_bundles', 'audit_checkpoints'] loop
        execute format('alter table audit.%I enable row level security', tab);
        execute format('alter table audit.%I force row level security', tab);
        execute format('create policy app_read on audit.%I for select to ephor_app
            using (organization_id = nullif(current_setting(''ephor.organization_id'', true), '''')::uuid)', tab);
        execute format('create policy system_read on audit.%I for select to ephor_system
            using (organization_id = nullif(current_setting(''ephor.organization_id'', true), '''')::uuid)', tab);
        execute format('create policy reach_read on audit.%I for select to ephor_reach
            using (organization_id = any (nullif(current_setting(''ephor.readable'', true), '''')::uuid[]))', tab);
        execute format('create policy owner_all on audit.%I to ephor_owner using (true) with check (true)', tab);
        execute format('create policy migrator_all on audit.%I to ephor_migrator using (true) with check (true)', tab);
        execute format('create policy backup_read on audit.%I for select to ephor_backup using (true)', tab);
        execute format('grant select on audit.%I
            to ephor_app, ephor_system, ephor_reach, ephor_sealer, ephor_backup', tab);
    end loop;
    foreach tab in array array['instance', 'instance_entries', 'seal_keys'] loop
        execute format('alter table audit.%I enable row level security', tab);
        execute format('alter table audit.%I force row level security', tab);
        execute format('create policy owner_all on audit.%I to ephor_owner using (true) with check (true)', tab);
        execute format('create policy migrator_all on audit.%I to ephor_migrator using (true) with check (true)', tab);
        execute format('create policy sealer_read on audit.%I for select to ephor_sealer using (true)', tab);
        execute format('create policy backup_read on audit.%I for select to ephor_backup using (true)', tab);
        execute format('grant select on audit.%I to ephor_sealer, ephor_backup', tab);
    end loop;
end
$$;

create policy sealer_read on audit.audit_logs for select to ephor_sealer using (true);
create policy sealer_read on audit.seal_queue for select to ephor_sealer using (true);
create policy sealer_drain on audit.seal_queue for delete to ephor_sealer using (true);
create policy sealer_all on audit.tiles to ephor_sealer using (true) with check (true);
create policy sealer_all on audit.entry_bundles to ephor_sealer using (true) with check (true);
create policy sealer_all on audit.audit_checkpoints to ephor_sealer using (true) with check (true);
create policy sealer_append on audit.instance_entries for insert to ephor_sealer with check (true);
create policy sealer_append on audit.seal_keys for insert to ephor_sealer with check (true);
grant delete on audit.seal_queue to ephor_sealer;
grant insert, update on audit.tiles, audit.entry_bundles to ephor_sealer;
grant insert on audit.audit_checkpoints, audit.instance_entries, audit.seal_keys to ephor_sealer;
grant update (verified_at) on audit.audit_checkpoints to ephor_sealer;

-- ---------------------------------------------------------------------------------------------
-- Leaves. The same bytes as `ephor_seal::leaf`; tests/vectors/leaf.json there holds both to it.

create function audit.header_middle(micros bigint, actor_type text, actor_id uuid, action text, entity_type text)
returns bytea language sql immutable parallel safe
return int8send(micros)
    || case actor_type
           when 'user' then '\x01'::bytea
           when 'assistant' then '\x02'::bytea
           when 'system' then '\x03'::bytea
           when 'platform' then '\x04'::bytea
       end
    || uuid_send(actor_id)
    || int2send(octet_length(convert_to(action, 'UTF8'))::smallint) || convert_to(action, 'UTF8')
    || int2send(octet_length(convert_to(entity_type, 'UTF8'))::smallint) || convert_to(entity_type, 'UTF8');
comment on function audit.header_middle(bigint, text, uuid, text, text) is 'The part of a leaf''s header that all rows of one statement share: time, actor, action, entity type.';

create function audit.leaf_hash(organization_id uuid, id uuid, middle bytea, entity_id uuid, body_hash bytea)
returns bytea language sql immutable parallel safe
return sha256('\x0001'::bytea || uuid_send(organization_id) || uuid_send(id) || middle
    || uuid_send(coalesce(entity_id, '00000000-0000-0000-0000-000000000000'::uuid)) || body_hash);
comment on function audit.leaf_hash(uuid, uuid, bytea, uuid, bytea) is 'The leaf hash of an entry: SHA-256(0x00, header, SHA-256(salt, body)), the header being version 1.';

-- Who asks, and from where: the text of the member "request" of a body, or nothing. A connection
-- that brought no context is named by its log-in.
create function audit.request_text() returns text language sql stable
return case
    when coalesce(current_setting('ephor.request', true), '') <> ''
        then convert_from(decode(current_setting('ephor.request', true), 'hex'), 'UTF8')::jsonb::text
    when coalesce(current_setting('ephor.actor_type', true), '') = ''
        then jsonb_build_object('login', session_user)::text
    end;
comment on function audit.request_text() is 'Address, user agent and request id of the present transaction as JSON, or its log-in when it has no context.';

-- ---------------------------------------------------------------------------------------------
-- The trigger of tenant tables without masked columns. Arguments: the table's name, the action, and
-- in hexadecimal the header's part for both.
--
-- An expression costs by its number of functions, each of which PostgreSQL looks up and checks for
-- every statement: hence hexadecimal text, which one `concat` joins, for the parts of header and id.
-- A table may have columns of any name: so variables are qualified beside its rows, and rows are
-- written `n.*`.

create function audit.trail() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
<<ours>>
declare
    table_name constant text := tg_argv[0];
    action_word constant text := tg_argv[1];
    written_at constant timestamptz := clock_timestamp();
    micros constant bigint := extract(epoch from written_at) * 1000000;
    -- The first half of a UUIDv7: milliseconds, version, and in the next 12 bits the fraction.
    half_id constant text := lpad(to_hex(micros / 1000 * 65536 + 28672 + micros % 1000 * 4096 / 1000), 16, '0');
    actor_word constant text := coalesce(nullif(current_setting('ephor.actor_type', true), ''), 'platform');
    actor constant uuid := coalesce(nullif(current_setting('ephor.actor_id', true), ''), '00000000-0000-7000-8000-000000000003');
    middle constant text := concat(lpad(to_hex(micros), 16, '0'),
        case actor_word when 'user' then '01' when 'assistant' then '02' when 'system' then '03' when 'platform' then '04'
            else 'no such kind of actor' end,
        actor, tg_argv[2]);
    ending constant text := concat(',"request":' || audit.request_text(), '}');
begin
    if tg_op = 'INSERT' then
        with entry as (
            insert into audit.audit_logs
                (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
            select e.organization_id, e.id, written_at, actor_word, actor, action_word, table_name, e.entity_id, e.body, e.salt,
                   sha256(decode(replace(concat('0001', e.organization_id, e.id, middle, e.entity_id), '-', ''), 'hex')
                       || sha256(e.salt || convert_to(e.body, 'UTF8')))
            from (select n.organization_id, n.id as entity_id,
                         (ours.half_id || substr(gen_random_uuid()::text, 20))::uuid as id,
                         decode(replace(concat(gen_random_uuid(), gen_random_uuid()), '-', ''), 'hex') as salt,
                         concat('{"new":', row_to_json(n.*), ours.ending) as body
                  from new_rows as n) as e
            returning organization_id, id, integrity_hash)
        insert into audit.seal_queue (organization_id, entry_id, integrity_hash)
        select organization_id, id, integrity_hash from entry;
    elsif tg_op = 'UPDATE' then
        -- A full join can't become a nested loop, whatever the planner believes of the row count.
        with entry as (
            insert into audit.audit_logs
                (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
            select e.organization_id, e.id, written_at, actor_word, actor, action_word, table_name, e.entity_id, e.body, e.salt,
                   sha256(decode(replace(concat('0001', e.organization_id, e.id, middle, e.entity_id), '-', ''), 'hex')
                       || sha256(e.salt || convert_to(e.body, 'UTF8')))
            from (select coalesce(n.organization_id, o.organization_id) as organization_id, coalesce(n.id, o.id) as entity_id,
                         (ours.half_id || substr(gen_random_uuid()::text, 20))::uuid as id,
                         decode(replace(concat(gen_random_uuid(), gen_random_uuid()), '-', ''), 'hex') as salt,
                         concat('{"old":', coalesce(row_to_json(o.*), 'null'), ',"new":', coalesce(row_to_json(n.*), 'null'), ours.ending) as body
                  from old_rows as o
                  full join new_rows as n on n.organization_id = o.organization_id and n.id = o.id) as e
            returning organization_id, id, integrity_hash)
        insert into audit.seal_queue (organization_id, entry_id, integrity_hash)
        select organization_id, id, integrity_hash from entry;
    else
        with entry as (
            insert into audit.audit_logs
                (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
            select e.organization_id, e.id, written_at, actor_word, actor, action_word, table_name, e.entity_id, e.body, e.salt,
                   sha256(decode(replace(concat('0001', e.organization_id, e.id, middle, e.entity_id), '-', ''), 'hex')
                       || sha256(e.salt || convert_to(e.body, 'UTF8')))
            from (select o.organization_id, o.id as entity_id,
                         (ours.half_id || substr(gen_random_uuid()::text, 20))::uuid as id,
                         decode(replace(concat(gen_random_uuid(), gen_random_uuid()), '-', ''), 'hex') as salt,
                         concat('{"old":', row_to_json(o.*), ours.ending) as body
                  from old_rows as o) as e
            returning organization_id, id, integrity_hash)
        insert into audit.seal_queue (organization_id, entry_id, integrity_hash)
        select organization_id, id, integrity_hash from entry;
    end if;
    return null;
end
$$;
comment on function audit.trail() is 'Writes an audit entry for each row that a statement inserted, updated or deleted in a tenant table, and queues it for the sealer.';

-- A masked value is never written, but that it changed is: ,"masked":["column", …].
create function audit.masked_changes(old_row jsonb, new_row jsonb, mask jsonb) returns text
language sql immutable parallel safe
return coalesce((select ',"masked":' || jsonb_agg(k order by k)::text
                 from jsonb_object_keys(mask) as k
                 where old_row -> k is distinct from new_row -> k), '');
comment on function audit.masked_changes(jsonb, jsonb, jsonb) is 'Names the masked columns whose values differ, as a member of an entry''s body.';

-- The same, row by row, for tables with masked columns and for the few global tables, which have no
-- organization and may have any primary key. Arguments: the table's name; the JSON object that hides
-- its masked columns; the columns of the primary key; the column that is the entity's id; the
-- organization under which all is booked, or nothing when it is the row's own.
create function audit.trail_by_row() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    mask constant jsonb := tg_argv[1];
    key_columns constant text[] := tg_argv[2];
    entity_column constant text := nullif(tg_argv[3], '');
    booked_under constant uuid := nullif(tg_argv[4], '');
    row_before jsonb;
    row_after jsonb;
begin
    for row_before, row_after in execute
        case tg_op
            when 'INSERT' then 'select null::jsonb, to_jsonb(n.*) from new_rows as n'
            when 'DELETE' then 'select to_jsonb(o.*), null::jsonb from old_rows as o'
            else 'select o.r, n.r
                  from (select to_jsonb(t.*) as r, audit.key_of(to_jsonb(t.*), $1) as k from old_rows as t) as o
                  full join (select to_jsonb(t.*) as r, audit.key_of(to_jsonb(t.*), $1) as k from new_rows as t) as n
                  on n.k = o.k'
        end using key_columns
    loop
        perform audit.append(
            coalesce(booked_under, (coalesce(row_after, row_before) ->> 'organization_id')::uuid),
            null, null, lower(tg_op), tg_argv[0],
            (coalesce(row_after, row_before) ->> entity_column)::uuid,
            concat_ws(',',
                '"old":' || coalesce((row_before || mask)::text, case when tg_op = 'UPDATE' then 'null' end),
                '"new":' || coalesce((row_after || mask)::text, case when tg_op = 'UPDATE' then 'null' end))
            || case when tg_op = 'UPDATE' then audit.masked_changes(row_before, row_after, mask) else '' end);
    end loop;
    return null;
end
$$;
comment on function audit.trail_by_row() is 'Writes an audit entry for each row that a statement changed in a table with masked columns, or in a global table.';

create function audit.key_of(from_row jsonb, key_columns text[]) returns jsonb
language sql immutable parallel safe
return (select jsonb_agg(from_row -> k order by k) from unnest(key_columns) as k);
comment on function audit.key_of(jsonb, text[]) is 'The values of a row''s primary key, by which old and new rows are paired.';

-- One entry from its parts; the body's members are JSON text. Everything but the statement
-- trigger, which does the same for many rows at once, ends here.
create function audit.append(
    organization uuid, actor_word text, actor uuid, action_word text, entity_word text, entity uuid, members text)
returns uuid language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    written_at constant timestamptz := clock_timestamp();
    micros constant bigint := extract(epoch from written_at) * 1000000;
    entry constant uuid := encode(int8send(((micros / 1000) << 16) | 28672 | ((micros % 1000) * 4096 / 1000))
        || substr(uuid_send(gen_random_uuid()), 9), 'hex')::uuid;
    who_type constant text := coalesce(actor_word, nullif(current_setting('ephor.actor_type', true), ''), 'platform');
    who constant uuid := coalesce(actor, nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003');
    salt constant bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    body constant text := '{' || concat_ws(',', nullif(members, ''), '"request":' || audit.request_text()) || '}';
    leaf constant bytea := audit.leaf_hash(organization, entry,
        audit.header_middle(micros, who_type, who, action_word, entity_word), entity,
        sha256(salt || convert_to(body, 'UTF8')));
begin
    insert into audit.audit_logs
        (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt, integrity_hash)
    values (organization, entry, written_at, who_type, who, action_word, entity_word, entity, body, salt, leaf);
    insert into audit.seal_queue (organization_id, entry_id, integrity_hash) values (organization, entry, leaf);
    return entry;
end
$$;
comment on function audit.append(uuid, text, uuid, text, text, uuid, text) is 'Writes and queues one entry; an actor of null means the transaction''s own.';

create function audit.check_event(action text, entity_type text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if action is null or entity_type is null
        or action !~ '^[a-z][a-z0-9_.]{0,99}$' or entity_type !~ '^[a-z][a-z0-9_.]{0,99}$' then
        raise exception 'An audit event needs an action and an entity type of 1 to 100 lower-case letters, digits, dots and underscores, not % and %',
            coalesce(quote_literal(action), 'null'), coalesce(quote_literal(entity_type), 'null') using errcode = '22023';
    end if;
    if action in ('insert', 'update', 'delete', 'erase') then
        raise exception 'The action % is written by Ephor itself; name the event otherwise', quote_literal(action) using errcode = '22023';
    end if;
end
$$;
comment on function audit.check_event(text, text) is 'Refuses events without a proper name, and those that would pass for a row''s change or an erasure.';

create function audit.record(action text, entity_type text, entity_id uuid, details jsonb) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    organization constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
begin
    if organization is null then
        raise exception 'audit.record needs a transaction with an organization' using errcode = '55000';
    end if;
    perform audit.check_event(action, entity_type);
    return audit.append(organization, null, null, action, entity_type, entity_id, '"details":' || details::text);
end
$$;
comment on function audit.record(text, text, uuid, jsonb) is 'Records an event that changes no row (log-out, export, refusal …) in the transaction''s organization; gives the entry''s id.';

create function audit.record_for(
    organization uuid, actor_type text, actor_id uuid, action text, entity_type text, entity_id uuid, details jsonb)
returns uuid language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if organization is null then
        raise exception 'audit.record_for needs an organization' using errcode = '22004';
    end if;
    perform audit.check_event(action, entity_type);
    return audit.append(organization, actor_type, actor_id, action, entity_type, entity_id, '"details":' || details::text);
end
$$;
comment on function audit.record_for(uuid, text, uuid, text, text, uuid, jsonb) is 'Records an event for a named organization and actor: for the door, which acts before there is a scope.';

create function audit.refuse_truncate() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '% is audited: truncate would leave no trace; use delete', tg_argv[0] using errcode = '55000';
end
$$;
comment on function audit.refuse_truncate() is 'Refuses TRUNCATE, which tells no trigger what it removed.';

-- ---------------------------------------------------------------------------------------------
-- Erasure

create function audit.erase(entries uuid[], reason text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    organization constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    wanted constant uuid[] := array(select distinct e from unnest(entries) as e where e is not null order by e);
    found uuid[];
    eraser uuid;
begin
    if organization is null then
        raise exception 'audit.erase needs a transaction with an organization' using errcode = '55000';
    end if;
    if cardinality(wanted) = 0 or coalesce(btrim(reason), '') = '' then
        raise exception 'audit.erase needs at least one entry and a reason' using errcode = '22023';
    end if;
    select array_agg(l.id order by l.id) into found
    from (select id from audit.audit_logs
          where organization_id = organization and id = any (wanted)
            and erased_by is null and action <> 'erase'
          for update) as l;
    if found is distinct from wanted then
        raise exception 'audit.erase: not there, erased already, or itself the record of an erasure: %',
            array_to_string(array(select unnest(wanted) except select unnest(found)), ', ') using errcode = '22023';
    end if;
    eraser := audit.append(organization, null, null, 'erase', 'audit.audit_logs', null,
        '"details":' || jsonb_build_object('erased', wanted, 'reason', reason)::text);
    update audit.audit_logs
    set body_hash = sha256(salt || convert_to(body, 'UTF8')), body = null, salt = null, erased_by = eraser
    where organization_id = organization and id = any (wanted);
    return eraser;
end
$$;
comment on function audit.erase(uuid[], text) is 'Erases the bodies of entries of the transaction''s organization, which stay in the tree by their hashes; gives the entry that records the erasure.';

-- ---------------------------------------------------------------------------------------------
-- Watching a table

create function audit.watch(tbl regclass, masked text[] default '{}', global boolean default false) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    table_name constant text := (select n.nspname || '.' || c.relname
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where c.oid = tbl);
    unknown text;
    key_columns text[];
    entity_column text;
    action_word text;
    transition text;
    arguments text;
begin
    select string_agg(m, ', ') into unknown
    from unnest(masked) as m
    where not exists (select from pg_attribute where attrelid = tbl and attname = m and attnum > 0 and not attisdropped);
    if unknown is not null then
        raise exception 'audit.watch: % has no column %', table_name, unknown using errcode = '42703';
    end if;
    select array_agg(a.attname::text order by a.attnum) into key_columns
    from pg_index as i join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = tbl and i.indisprimary;
    if key_columns is null then
        raise exception 'audit.watch: % has no primary key by which to pair old and new rows', table_name using errcode = '42P16';
    end if;
    select attname into entity_column from pg_attribute
    where attrelid = tbl and attname = 'id' and atttypid = 'uuid'::regtype and not attisdropped;
    if not global and (select count(*) from pg_attribute
        where attrelid = tbl and attname in ('organization_id', 'id') and atttypid = 'uuid'::regtype and attnotnull) <> 2 then
        raise exception 'audit.watch: % needs organization_id and id, uuid and not null; a table without them is watched with global => true', table_name using errcode = '42P16';
    end if;
    foreach action_word in array array['insert', 'update', 'delete'] loop
        transition := concat(
            case when action_word <> 'insert' then ' old table as old_rows' end,
            case when action_word <> 'delete' then ' new table as new_rows' end);
        if global or masked <> '{}' then
            arguments := format('trail_by_row(%L, %L, %L, %L, %L)', table_name,
                coalesce((select jsonb_object_agg(m, '***') from unnest(masked) as m), '{}'),
                key_columns, coalesce(entity_column, ''),
                case when global then '00000000-0000-7000-8000-000000000000' else '' end);
        else
            arguments := format('trail(%L, %L, %L)', table_name, action_word, encode(
                int2send(octet_length(convert_to(action_word, 'UTF8'))::smallint) || convert_to(action_word, 'UTF8')
                || int2send(octet_length(convert_to(table_name, 'UTF8'))::smallint) || convert_to(table_name, 'UTF8'), 'hex'));
        end if;
        execute format('create trigger %I after %s on %s referencing%s for each statement execute function audit.%s',
            'audit_' || action_word, action_word, tbl, transition, arguments);
    end loop;
    execute format('create trigger audit_truncate before truncate on %s
        for each statement execute function audit.refuse_truncate(%L)', tbl, table_name);
end
$$;
comment on function audit.watch(regclass, text[], boolean) is 'Makes every change of a table leave an audit entry. Values of masked columns are written as ***; global tables are booked under the platform organization.';

-- ---------------------------------------------------------------------------------------------
-- Reading

create view audit.audit_log_entries with (security_invoker = true) as
select organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id,
       body::jsonb -> 'old' as old_values,
       body::jsonb -> 'new' as new_values,
       body::jsonb -> 'details' as details,
       body::jsonb -> 'request' ->> 'ip' as ip_address,
       body::jsonb -> 'request' ->> 'user_agent' as user_agent,
       body::jsonb -> 'request' ->> 'request_id' as request_id,
       integrity_hash, erased_by
from audit.audit_logs;
comment on view audit.audit_log_entries is 'The entries with their bodies taken apart.';
comment on column audit.audit_log_entries.organization_id is 'The tenant to which the entry belongs.';
comment on column audit.audit_log_entries.id is 'The entry.';
comment on column audit.audit_log_entries.created_at is 'When the change was made.';
comment on column audit.audit_log_entries.actor_type is 'What kind of actor did it.';
comment on column audit.audit_log_entries.actor_id is 'Who did it.';
comment on column audit.audit_log_entries.action is 'What was done.';
comment on column audit.audit_log_entries.entity_type is 'What kind of thing it was done to.';
comment on column audit.audit_log_entries.entity_id is 'Which one of them.';
comment on column audit.audit_log_entries.old_values is 'The row before the change.';
comment on column audit.audit_log_entries.new_values is 'The row after the change.';
comment on column audit.audit_log_entries.details is 'What an event tells beyond its name.';
comment on column audit.audit_log_entries.ip_address is 'The address from which it was asked.';
comment on column audit.audit_log_entries.user_agent is 'The program with which it was asked, at most 500 bytes.';
comment on column audit.audit_log_entries.request_id is 'The request that did it.';
comment on column audit.audit_log_entries.integrity_hash is 'The entry''s leaf in the tree.';
comment on column audit.audit_log_entries.erased_by is 'The entry that records the erasure of this one''s body.';
grant select on audit.audit_log_entries to ephor_app, ephor_system, ephor_reach;

revoke all on all functions in schema audit from public;
grant execute on function audit.record(text, text, uuid, jsonb) to ephor_app, ephor_system, ephor_door;
grant execute on function audit.record_for(uuid, text, uuid, text, text, uuid, jsonb) to ephor_door;
grant execute on function audit.erase(uuid[], text) to ephor_system;

select audit.months_ahead(3);
