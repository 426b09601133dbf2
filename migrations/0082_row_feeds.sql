-- Row feeds: rows that programs push to an address with a token in it, and what they become: data sets, and bias
-- analyses of them. A batch is acknowledged once it is committed here, so that what was acknowledged outlives a
-- server that dies, and stands in every backup; a job makes data sets of it.

create table assurance.row_feeds (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text not null default '',
    status text not null default 'active',
    model_id uuid,
    dataset_id uuid,
    analysis_id uuid,
    columns jsonb not null default '[]',
    analyse_after integer,
    keep_rows integer not null default 100000,
    parameters jsonb,
    token_hash bytea,
    token_prefix text not null default '',
    token_made_at timestamptz not null default now(),
    rows_received bigint not null default 0,
    rows_rejected bigint not null default 0,
    rows_waiting bigint not null default 0,
    bytes_waiting bigint not null default 0,
    last_received_at timestamptz,
    last_stored_at timestamptz,
    rows_stored bigint not null default 0,
    flush_job_id uuid,
    last_failure text not null default '',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint row_feeds_pkey primary key (organization_id, id),
    constraint row_feeds_name_key unique (organization_id, name),
    constraint row_feeds_name_check check (length(name) between 1 and 200),
    constraint row_feeds_description_check check (length(description) <= 10000),
    constraint row_feeds_status_check check (status in ('active', 'paused')),
    constraint row_feeds_model_id_fkey foreign key (organization_id, model_id) references registry.models (organization_id, id) on delete restrict,
    constraint row_feeds_dataset_id_fkey foreign key (organization_id, dataset_id) references registry.datasets (organization_id, id) on delete set null (dataset_id),
    constraint row_feeds_analysis_id_fkey foreign key (organization_id, analysis_id) references assurance.bias_analyses (organization_id, id) on delete set null (analysis_id),
    constraint row_feeds_columns_check check (jsonb_typeof(columns) = 'array' and jsonb_array_length(columns) <= 500),
    constraint row_feeds_analyse_after_check check (analyse_after between 1 and 1000000),
    constraint row_feeds_keep_rows_check check (keep_rows between 1 and 1000000),
    constraint row_feeds_parameters_check check (jsonb_typeof(parameters) = 'object'),
    constraint row_feeds_token_hash_check check (length(token_hash) = 32),
    constraint row_feeds_token_prefix_check check (length(token_prefix) <= 20),
    constraint row_feeds_counts_check check (rows_received >= 0 and rows_rejected >= 0 and rows_waiting >= 0 and bytes_waiting >= 0 and rows_stored >= 0),
    constraint row_feeds_last_failure_check check (length(last_failure) <= 2000)
);
comment on table assurance.row_feeds is 'An address with a token, to which programs push rows; they become data sets, and are analysed when there are enough.';
comment on column assurance.row_feeds.organization_id is 'The organization that the row feed belongs to.';
comment on column assurance.row_feeds.id is 'The row feed.';
comment on column assurance.row_feeds.name is 'Its name, once in an organization.';
comment on column assurance.row_feeds.description is 'What pushes the rows, and what they are of.';
comment on column assurance.row_feeds.status is 'active or paused; a paused row feed takes nothing in.';
comment on column assurance.row_feeds.model_id is 'The model whose predictions the rows hold, when it is registered.';
comment on column assurance.row_feeds.dataset_id is 'The data set that the newest rows were stored as; null before the first.';
comment on column assurance.row_feeds.analysis_id is 'The bias analysis that was last asked for; null before the first.';
comment on column assurance.row_feeds.columns is 'What a row has: a list of names with their types (text, integer, number, boolean). Empty until the first batch fixes it, unless it was given.';
comment on column assurance.row_feeds.analyse_after is 'After how many new rows they are stored as a data set and analysed; null to do so by hand, and when keep_rows are waiting.';
comment on column assurance.row_feeds.keep_rows is 'How many of the newest rows a data set holds at most, in whole batches; rows that were never stored are never left out.';
comment on column assurance.row_feeds.parameters is 'The specification of the bias analyses; null to store data sets only.';
comment on column assurance.row_feeds.token_hash is 'SHA-256 of the token''s secret; null when it was revoked. No run-time role but the door reads it.';
comment on column assurance.row_feeds.token_prefix is 'The token''s first characters, by which to tell it from others.';
comment on column assurance.row_feeds.token_made_at is 'When the token was made.';
comment on column assurance.row_feeds.rows_received is 'How many rows were taken in.';
comment on column assurance.row_feeds.rows_rejected is 'How many rows of refused batches were wrong.';
comment on column assurance.row_feeds.rows_waiting is 'How many rows are in no data set yet.';
comment on column assurance.row_feeds.bytes_waiting is 'How much these take, in bytes.';
comment on column assurance.row_feeds.last_received_at is 'When rows were last taken in.';
comment on column assurance.row_feeds.last_stored_at is 'When rows were last stored as a data set.';
comment on column assurance.row_feeds.rows_stored is 'How many rows the newest data set holds.';
comment on column assurance.row_feeds.flush_job_id is 'The job that is to store what waits, in ops.jobs; null when none is.';
comment on column assurance.row_feeds.last_failure is 'Why rows could not be stored or analysed the last time; empty when they could.';
comment on column assurance.row_feeds.created_by is 'Who made it.';
comment on column assurance.row_feeds.created_at is 'When it was made.';
comment on column assurance.row_feeds.updated_at is 'When its settings last changed.';
comment on column assurance.row_feeds.version is 'Counts the changes of its settings, for optimistic locking; rows that come in are none.';
comment on constraint row_feeds_pkey on assurance.row_feeds is 'A row feed is known within its organization.';
comment on constraint row_feeds_name_key on assurance.row_feeds is 'A name is given once in an organization.';
comment on constraint row_feeds_name_check on assurance.row_feeds is 'A name has 1 to 200 characters.';
comment on constraint row_feeds_description_check on assurance.row_feeds is 'A description has at most 10000 characters.';
comment on constraint row_feeds_status_check on assurance.row_feeds is 'The states of a row feed.';
comment on constraint row_feeds_model_id_fkey on assurance.row_feeds is 'A model that a row feed names stays.';
comment on constraint row_feeds_dataset_id_fkey on assurance.row_feeds is 'A data set may go; the row feed makes its own anew.';
comment on constraint row_feeds_analysis_id_fkey on assurance.row_feeds is 'An analysis may go.';
comment on constraint row_feeds_columns_check on assurance.row_feeds is 'The columns are a list of at most 500.';
comment on constraint row_feeds_analyse_after_check on assurance.row_feeds is 'Rows are counted from 1 to 1000000.';
comment on constraint row_feeds_keep_rows_check on assurance.row_feeds is 'A data set of a row feed holds 1 to 1000000 rows.';
comment on constraint row_feeds_parameters_check on assurance.row_feeds is 'The specification is a JSON object.';
comment on constraint row_feeds_token_hash_check on assurance.row_feeds is 'SHA-256 has 32 bytes.';
comment on constraint row_feeds_token_prefix_check on assurance.row_feeds is 'A prefix is short.';
comment on constraint row_feeds_counts_check on assurance.row_feeds is 'What is counted is not negative.';
comment on constraint row_feeds_last_failure_check on assurance.row_feeds is 'A reason has at most 2000 characters.';
create index row_feeds_model_id_idx on assurance.row_feeds (organization_id, model_id);
create index row_feeds_dataset_id_idx on assurance.row_feeds (organization_id, dataset_id);
create index row_feeds_analysis_id_idx on assurance.row_feeds (organization_id, analysis_id);
create index row_feeds_created_at_idx on assurance.row_feeds (organization_id, created_at desc, id);

select kernel.tenant_table('assurance.row_feeds', masked => '{token_hash}');
-- Rows come in all the time: only a change of the settings is one that an editor must know of.
drop trigger touch on assurance.row_feeds;
create trigger touch before update of name, description, status, model_id, analyse_after, keep_rows, parameters, columns, token_prefix on assurance.row_feeds
    for each row execute function kernel.touch_version();
-- Members see all but the token's hash.
revoke select, insert, update on assurance.row_feeds from ephor_app;
revoke select on assurance.row_feeds from ephor_reach, ephor_system;
grant select (organization_id, id, name, description, status, model_id, dataset_id, analysis_id, columns, analyse_after, keep_rows, parameters, token_prefix, token_made_at, rows_received, rows_rejected, rows_waiting, bytes_waiting, last_received_at, last_stored_at, rows_stored, flush_job_id, last_failure, created_by, created_at, updated_at, version)
    on assurance.row_feeds to ephor_app, ephor_reach, ephor_system;
grant insert (organization_id, id, name, description, status, model_id, columns, analyse_after, keep_rows, parameters, token_hash, token_prefix, created_by)
    on assurance.row_feeds to ephor_app;
grant update (name, description, status, model_id, dataset_id, analysis_id, columns, analyse_after, keep_rows, parameters, token_hash, token_prefix, token_made_at, rows_received, rows_rejected, rows_waiting, bytes_waiting, last_received_at, last_stored_at, rows_stored, flush_job_id, last_failure)
    on assurance.row_feeds to ephor_app;

create table assurance.row_feed_batches (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    feed_id uuid not null,
    until_row bigint not null,
    row_count integer not null,
    byte_count integer not null,
    body bytea,
    idempotency_key text,
    request_sha256 bytea not null,
    answer jsonb not null,
    stored_at timestamptz,
    created_at timestamptz not null default now(),
    constraint row_feed_batches_pkey primary key (organization_id, id),
    constraint row_feed_batches_feed_id_fkey foreign key (organization_id, feed_id) references assurance.row_feeds (organization_id, id) on delete cascade,
    constraint row_feed_batches_until_row_key unique (organization_id, feed_id, until_row),
    constraint row_feed_batches_idempotency_key_key unique (organization_id, feed_id, idempotency_key),
    constraint row_feed_batches_until_row_check check (until_row >= row_count),
    constraint row_feed_batches_row_count_check check (row_count >= 1),
    constraint row_feed_batches_byte_count_check check (byte_count >= 0),
    constraint row_feed_batches_body_check check (body is not null or stored_at is not null),
    constraint row_feed_batches_idempotency_key_check check (length(idempotency_key) between 1 and 200),
    constraint row_feed_batches_request_sha256_check check (length(request_sha256) = 32),
    constraint row_feed_batches_answer_check check (jsonb_typeof(answer) = 'object')
);
comment on table assurance.row_feed_batches is 'Rows that were taken in together.';
comment on column assurance.row_feed_batches.organization_id is 'The organization that the batch belongs to.';
comment on column assurance.row_feed_batches.id is 'The batch.';
comment on column assurance.row_feed_batches.feed_id is 'The row feed that took it in.';
comment on column assurance.row_feed_batches.until_row is 'The number of its last row, counted from the row feed''s first: the order in which batches came.';
comment on column assurance.row_feed_batches.row_count is 'How many rows it has.';
comment on column assurance.row_feed_batches.byte_count is 'How much they take, in bytes.';
comment on column assurance.row_feed_batches.body is 'Its rows as lines of JSON arrays, in the order of the row feed''s columns; null once they left the newest rows.';
comment on column assurance.row_feed_batches.idempotency_key is 'What the sender calls the batch, so that it can be sent twice and is taken in once; null when it said nothing.';
comment on column assurance.row_feed_batches.request_sha256 is 'SHA-256 of what was sent, to tell the same batch from another under the same key.';
comment on column assurance.row_feed_batches.answer is 'What was answered, to answer it again.';
comment on column assurance.row_feed_batches.stored_at is 'When it was stored in a data set; null while it waits.';
comment on column assurance.row_feed_batches.created_at is 'When it was taken in.';
comment on constraint row_feed_batches_pkey on assurance.row_feed_batches is 'A batch is known within its organization.';
comment on constraint row_feed_batches_feed_id_fkey on assurance.row_feed_batches is 'A batch is a part of its row feed and goes with it.';
comment on constraint row_feed_batches_until_row_key on assurance.row_feed_batches is 'Batches come one after the other.';
comment on constraint row_feed_batches_idempotency_key_key on assurance.row_feed_batches is 'A batch is taken in once.';
comment on constraint row_feed_batches_until_row_check on assurance.row_feed_batches is 'Rows are counted from 1.';
comment on constraint row_feed_batches_row_count_check on assurance.row_feed_batches is 'A batch has rows.';
comment on constraint row_feed_batches_byte_count_check on assurance.row_feed_batches is 'What is counted is not negative.';
comment on constraint row_feed_batches_body_check on assurance.row_feed_batches is 'Rows stay until they are stored.';
comment on constraint row_feed_batches_idempotency_key_check on assurance.row_feed_batches is 'A key has 1 to 200 characters.';
comment on constraint row_feed_batches_request_sha256_check on assurance.row_feed_batches is 'SHA-256 has 32 bytes.';
comment on constraint row_feed_batches_answer_check on assurance.row_feed_batches is 'An answer is a JSON object.';
create index row_feed_batches_waiting_idx on assurance.row_feed_batches (organization_id, feed_id, until_row) where stored_at is null;

select kernel.tenant_table('assurance.row_feed_batches', masked => '{body}');

-- The door ---------------------------------------------------------------------------------------------

create policy row_feeds_door on assurance.row_feeds for select to ephor_door using (true);
grant usage on schema assurance to ephor_door;
grant select (organization_id, id, status, token_hash) on assurance.row_feeds to ephor_door;

create function door.row_feed_lookup(p_organization uuid, p_feed uuid, p_token_hash bytea, out feed_id uuid, out status text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- Hashes of 256 bits of chance are compared: how long that takes tells nothing of the secret.
    select f.id, f.status into feed_id, status
    from assurance.row_feeds f
    join identity.organizations o on o.id = f.organization_id and o.is_active
    where f.organization_id = p_organization and f.id = p_feed and f.token_hash = p_token_hash;
end $$;
comment on function door.row_feed_lookup(uuid, uuid, bytea) is 'The row feed that a token is of, and its state. One row always; its columns are null for a token that is unknown or revoked, or whose organization is suspended.';
alter function door.row_feed_lookup(uuid, uuid, bytea) owner to ephor_door;
revoke all on function door.row_feed_lookup(uuid, uuid, bytea) from public;
grant execute on function door.row_feed_lookup(uuid, uuid, bytea) to ephor_app;
