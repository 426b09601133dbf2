-- The registry: models, their versions, data sets.

create table registry.models (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text not null default '',
    model_type text not null,
    status text not null default 'draft',
    semantic_version text not null default '1.0.0',
    schema jsonb not null default '{}',
    metadata jsonb not null default '{}',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint models_pkey primary key (organization_id, id),
    constraint models_name_key unique (organization_id, name),
    constraint models_name_check check (length(name) between 1 and 200),
    constraint models_description_check check (length(description) <= 10000),
    constraint models_model_type_check check (model_type in ('classification', 'regression', 'clustering', 'recommendation')),
    constraint models_status_check check (status in ('draft', 'active', 'deprecated', 'archived')),
    constraint models_semantic_version_check check (semantic_version ~ '^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$'),
    constraint models_schema_check check (jsonb_typeof(schema) = 'object'),
    constraint models_metadata_check check (jsonb_typeof(metadata) = 'object')
);
comment on table registry.models is 'A model that the organization uses or builds.';
comment on column registry.models.organization_id is 'The organization that the model belongs to.';
comment on column registry.models.id is 'The model.';
comment on column registry.models.name is 'Its name, once in an organization.';
comment on column registry.models.description is 'What it does and for whom.';
comment on column registry.models.model_type is 'classification, regression, clustering or recommendation.';
comment on column registry.models.status is 'draft, active, deprecated or archived.';
comment on column registry.models.semantic_version is 'The version that is in force, such as 1.2.0.';
comment on column registry.models.schema is 'Its inputs and outputs.';
comment on column registry.models.metadata is 'Whatever else its owner wants kept with it.';
comment on column registry.models.created_by is 'Who registered it.';
comment on column registry.models.created_at is 'When it was registered.';
comment on column registry.models.updated_at is 'When it last changed.';
comment on column registry.models.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint models_pkey on registry.models is 'A model is known within its organization.';
comment on constraint models_name_key on registry.models is 'A name is given once in an organization.';
comment on constraint models_name_check on registry.models is 'A name has 1 to 200 characters.';
comment on constraint models_description_check on registry.models is 'A description has at most 10000 characters.';
comment on constraint models_model_type_check on registry.models is 'The types of model.';
comment on constraint models_status_check on registry.models is 'The states of a model.';
comment on constraint models_semantic_version_check on registry.models is 'A semantic version: three numbers with dots between.';
comment on constraint models_schema_check on registry.models is 'The schema is a JSON object.';
comment on constraint models_metadata_check on registry.models is 'The metadata are a JSON object.';
create index models_created_at_idx on registry.models (organization_id, created_at desc, id);
create index models_status_idx on registry.models (organization_id, status, created_at desc);

-- draft -> active -> deprecated -> archived; what is deprecated may be taken up again, what was never used may go.
create function registry.models_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('draft', 'active'), ('draft', 'archived'), ('active', 'deprecated'), ('deprecated', 'active'),
        ('deprecated', 'archived'))
    then
        raise exception 'a model that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'models_status_step', schema = 'registry',
                  table = 'models', column = 'status';
    end if;
    return new;
end $$;
comment on function registry.models_step() is 'Refuses steps that the state machine of models does not have.';
create trigger step before update of status on registry.models for each row execute function registry.models_step();
select kernel.tenant_table('registry.models');

create table registry.model_versions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    model_id uuid not null,
    semantic_version text not null,
    status text not null default 'active',
    changes jsonb not null default '{}',
    snapshot jsonb not null default '{}',
    metadata jsonb not null default '{}',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    constraint model_versions_pkey primary key (organization_id, id),
    constraint model_versions_model_id_fkey foreign key (organization_id, model_id)
        references registry.models (organization_id, id) on delete cascade,
    constraint model_versions_semantic_version_key unique (organization_id, model_id, semantic_version),
    constraint model_versions_semantic_version_check check (semantic_version ~ '^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$'),
    constraint model_versions_status_check check (status in ('draft', 'active', 'deprecated', 'archived'))
);
comment on table registry.model_versions is 'What a model was at one version: made whenever what it is changes, and never changed.';
comment on column registry.model_versions.organization_id is 'The organization that the version belongs to.';
comment on column registry.model_versions.id is 'The version.';
comment on column registry.model_versions.model_id is 'The model.';
comment on column registry.model_versions.semantic_version is 'Its number, such as 1.2.0.';
comment on column registry.model_versions.status is 'The model''s state at that version.';
comment on column registry.model_versions.changes is 'What changed from the version before.';
comment on column registry.model_versions.snapshot is 'What the model was: what a roll-back restores.';
comment on column registry.model_versions.metadata is 'Whatever else its author wants kept with it.';
comment on column registry.model_versions.created_by is 'Who changed the model.';
comment on column registry.model_versions.created_at is 'When.';
comment on constraint model_versions_pkey on registry.model_versions is 'A version is known within its organization.';
comment on constraint model_versions_model_id_fkey on registry.model_versions is 'A version is a part of its model and goes with it.';
comment on constraint model_versions_semantic_version_key on registry.model_versions is 'A number is given once for a model.';
comment on constraint model_versions_semantic_version_check on registry.model_versions is 'A semantic version: three numbers with dots between.';
comment on constraint model_versions_status_check on registry.model_versions is 'The states of a model.';
select kernel.tenant_table('registry.model_versions');
revoke update, delete on registry.model_versions from ephor_app;

-- Whenever what a model is changes, its version is kept: by trigger, so that no way of changing it can forget.
create function registry.model_version_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' or new.semantic_version <> old.semantic_version then
        insert into registry.model_versions (
            organization_id, model_id, semantic_version, status, changes, snapshot, created_by)
        values (
            new.organization_id, new.id, new.semantic_version, new.status,
            case when tg_op = 'INSERT' then '{}'::jsonb else (
                select coalesce(jsonb_object_agg(n.key, jsonb_build_object('from', o.value, 'to', n.value)), '{}')
                  from jsonb_each(jsonb_build_object('model_type', new.model_type, 'schema', new.schema, 'metadata', new.metadata)) as n
                  join jsonb_each(jsonb_build_object('model_type', old.model_type, 'schema', old.schema, 'metadata', old.metadata)) as o
                    on o.key = n.key and o.value <> n.value) end,
            jsonb_build_object('model_type', new.model_type, 'schema', new.schema, 'metadata', new.metadata),
            coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.created_by));
    end if;
    return null;
end $$;
comment on function registry.model_version_keep() is 'Keeps what a model was at each of its versions.';
create trigger keep_version after insert or update on registry.models
    for each row execute function registry.model_version_keep();

create table registry.datasets (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text not null default '',
    status text not null default 'uploading',
    source_format text not null default 'csv',
    source_name text not null default '',
    schema jsonb not null default '[]',
    statistics jsonb not null default '{}',
    row_count bigint,
    storage_path text,
    size_bytes bigint,
    sha256 text,
    metadata jsonb not null default '{}',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint datasets_pkey primary key (organization_id, id),
    constraint datasets_name_check check (length(name) between 1 and 200),
    constraint datasets_description_check check (length(description) <= 10000),
    constraint datasets_status_check check (status in ('uploading', 'ready', 'archived')),
    constraint datasets_source_format_check check (source_format in ('csv', 'ndjson', 'json', 'parquet')),
    constraint datasets_row_count_check check (row_count >= 0),
    constraint datasets_size_bytes_check check (size_bytes >= 0),
    constraint datasets_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint datasets_ready_check check (
        status = 'uploading' or (row_count is not null and storage_path is not null and size_bytes is not null and sha256 is not null))
);
comment on table registry.datasets is 'A data set: a table, stored as Parquet, with its schema and profile.';
comment on column registry.datasets.organization_id is 'The organization that the data set belongs to.';
comment on column registry.datasets.id is 'The data set.';
comment on column registry.datasets.name is 'A name for people.';
comment on column registry.datasets.description is 'What is in it and where it comes from.';
comment on column registry.datasets.status is 'uploading, ready or archived.';
comment on column registry.datasets.source_format is 'The format that it was uploaded in: csv, ndjson, json or parquet.';
comment on column registry.datasets.source_name is 'The name of the uploaded file.';
comment on column registry.datasets.schema is 'Its columns: name, type, nullable.';
comment on column registry.datasets.statistics is 'Its profile: per column nulls, distinct values, range, quantiles, top values.';
comment on column registry.datasets.row_count is 'How many rows it has.';
comment on column registry.datasets.storage_path is 'Where it is in the object store.';
comment on column registry.datasets.size_bytes is 'How large it is there, in bytes.';
comment on column registry.datasets.sha256 is 'SHA-256 of the stored Parquet file, in hexadecimal.';
comment on column registry.datasets.metadata is 'Whatever else its owner wants kept with it, such as an attribution.';
comment on column registry.datasets.created_by is 'Who uploaded it.';
comment on column registry.datasets.created_at is 'When.';
comment on column registry.datasets.updated_at is 'When it last changed.';
comment on column registry.datasets.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint datasets_pkey on registry.datasets is 'A data set is known within its organization.';
comment on constraint datasets_name_check on registry.datasets is 'A name has 1 to 200 characters.';
comment on constraint datasets_description_check on registry.datasets is 'A description has at most 10000 characters.';
comment on constraint datasets_status_check on registry.datasets is 'The states of a data set.';
comment on constraint datasets_source_format_check on registry.datasets is 'The formats that can be uploaded.';
comment on constraint datasets_row_count_check on registry.datasets is 'A count is not negative.';
comment on constraint datasets_size_bytes_check on registry.datasets is 'A size is not negative.';
comment on constraint datasets_sha256_check on registry.datasets is 'A SHA-256 hash in lower-case hexadecimal.';
comment on constraint datasets_ready_check on registry.datasets is 'What is stored says where, how much, and with which hash.';
create index datasets_created_at_idx on registry.datasets (organization_id, created_at desc, id);
create index datasets_status_idx on registry.datasets (organization_id, status, created_at desc);
select kernel.tenant_table('registry.datasets', masked => '{statistics}');
