-- The whole registry: AI systems and the models they use, the catalogue of frontier models with its alerts, and what
-- models and data sets lacked.

create table registry.frontier_models (
    id uuid not null default kernel.uuidv7(),
    model_id text not null,
    name text not null,
    provider text not null,
    release_date timestamptz,
    description text,
    capabilities text[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint frontier_models_pkey primary key (id),
    constraint frontier_models_model_id_key unique (model_id),
    constraint frontier_models_model_id_check check (length(model_id) between 1 and 200),
    constraint frontier_models_name_check check (length(name) between 1 and 200),
    constraint frontier_models_provider_check check (length(provider) between 1 and 200),
    constraint frontier_models_description_check check (length(description) <= 10000),
    constraint frontier_models_capabilities_check check (cardinality(capabilities) <= 100 and array_position(capabilities, null) is null)
);
comment on table registry.frontier_models is 'A frontier model of some provider: one catalogue for the whole installation, not of a tenant.';
comment on column registry.frontier_models.id is 'The frontier model.';
comment on column registry.frontier_models.model_id is 'The provider''s identifier of it, once in the catalogue, such as claude-opus-4.';
comment on column registry.frontier_models.name is 'A name for people.';
comment on column registry.frontier_models.provider is 'Who offers it, such as Anthropic.';
comment on column registry.frontier_models.release_date is 'When it was released, if that is known.';
comment on column registry.frontier_models.description is 'What it is good for.';
comment on column registry.frontier_models.capabilities is 'What it can do, such as vision or tools; at most 100 words.';
comment on column registry.frontier_models.created_at is 'When it entered the catalogue.';
comment on column registry.frontier_models.updated_at is 'When it last changed.';
comment on column registry.frontier_models.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint frontier_models_pkey on registry.frontier_models is 'A frontier model is known by its id.';
comment on constraint frontier_models_model_id_key on registry.frontier_models is 'A model stands in the catalogue once.';
comment on constraint frontier_models_model_id_check on registry.frontier_models is 'An identifier has 1 to 200 characters.';
comment on constraint frontier_models_name_check on registry.frontier_models is 'A name has 1 to 200 characters.';
comment on constraint frontier_models_provider_check on registry.frontier_models is 'A provider''s name has 1 to 200 characters.';
comment on constraint frontier_models_description_check on registry.frontier_models is 'A description has at most 10000 characters.';
comment on constraint frontier_models_capabilities_check on registry.frontier_models is 'At most 100 capabilities, none of them null.';

create index frontier_models_created_at_idx on registry.frontier_models (created_at desc, id);
create index frontier_models_provider_idx on registry.frontier_models (provider, name);
alter table registry.frontier_models enable row level security;
alter table registry.frontier_models force row level security;
create policy global_app on registry.frontier_models for select to ephor_app using (true);
create policy global_reach on registry.frontier_models for select to ephor_reach using (true);
create policy global_system on registry.frontier_models to ephor_system using (true) with check (true);
create policy global_owner on registry.frontier_models to ephor_owner using (true) with check (true);
create policy global_migrator on registry.frontier_models to ephor_migrator using (true) with check (true);
create policy global_backup on registry.frontier_models for select to ephor_backup using (true);
grant select on registry.frontier_models to ephor_app, ephor_reach, ephor_system, ephor_backup;
grant insert, update, delete on registry.frontier_models to ephor_system;
create trigger touch before update on registry.frontier_models for each row execute function kernel.touch_version();
select audit.watch('registry.frontier_models', global => true);

-- What a model is an instance of leads from an alert to the AI systems that it concerns.
alter table registry.models
    add column frontier_model_id uuid,
    add constraint models_frontier_model_id_fkey foreign key (frontier_model_id) references registry.frontier_models (id) on delete restrict;
comment on column registry.models.frontier_model_id is 'The frontier model that it is or is made from, if any: its alerts concern the AI systems that use this model.';
comment on constraint models_frontier_model_id_fkey on registry.models is 'The frontier model must stand in the catalogue; it stays there while a model refers to it.';
create index models_frontier_model_id_idx on registry.models (frontier_model_id);
create index models_created_by_idx on registry.models (organization_id, created_by);
create index models_model_type_idx on registry.models (organization_id, status, model_type);
-- Most models that a registered AI system uses today write or embed.
alter table registry.models drop constraint models_model_type_check;
alter table registry.models add constraint models_model_type_check
    check (model_type in ('classification', 'regression', 'clustering', 'recommendation', 'generation', 'embedding'));
comment on constraint models_model_type_check on registry.models is 'The types of model.';
comment on column registry.models.model_type is 'classification, regression, clustering, recommendation, generation or embedding.';

create index model_versions_created_at_idx on registry.model_versions (organization_id, created_at desc, id);
alter table registry.model_versions
    add constraint model_versions_changes_check check (jsonb_typeof(changes) = 'object'),
    add constraint model_versions_snapshot_check check (jsonb_typeof(snapshot) = 'object'),
    add constraint model_versions_metadata_check check (jsonb_typeof(metadata) = 'object');
comment on constraint model_versions_changes_check on registry.model_versions is 'The changes are a JSON object.';
comment on constraint model_versions_snapshot_check on registry.model_versions is 'The snapshot is a JSON object.';
comment on constraint model_versions_metadata_check on registry.model_versions is 'The metadata are a JSON object.';

-- A data set may also be a reference to what lies elsewhere: Ephor then knows its place, and the rest once it has read it.
alter table registry.datasets
    add column storage text not null default 'managed',
    add constraint datasets_storage_check check (storage in ('managed', 'reference'));
comment on column registry.datasets.storage is 'managed: Ephor stores it as Parquet. reference: it lies in someone else''s object store and Ephor only reads it.';
comment on constraint datasets_storage_check on registry.datasets is 'The two ways of keeping a data set.';
alter table registry.datasets drop constraint datasets_ready_check;
alter table registry.datasets add constraint datasets_ready_check check (
    status = 'uploading' or storage = 'reference'
    or (row_count is not null and storage_path is not null and size_bytes is not null and sha256 is not null));
comment on constraint datasets_ready_check on registry.datasets is 'What Ephor stores says where, how much, and with which hash.';
comment on column registry.datasets.storage_path is 'Where it is in the object store; for a reference, its address.';
create index datasets_created_by_idx on registry.datasets (organization_id, created_by);

create table registry.ai_systems (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text,
    status text not null default 'planned',
    owner_id uuid,
    risk_level text,
    risk_answers jsonb not null default '{}',
    classified_by uuid,
    classified_at timestamptz,
    system_version text,
    deployed_at timestamptz,
    retired_at timestamptz,
    metadata jsonb not null default '{}',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint ai_systems_pkey primary key (organization_id, id),
    constraint ai_systems_name_key unique (organization_id, name),
    constraint ai_systems_name_check check (length(name) between 1 and 200),
    constraint ai_systems_description_check check (length(description) <= 10000),
    constraint ai_systems_status_check check (status in ('planned', 'development', 'testing', 'active', 'suspended', 'retired')),
    constraint ai_systems_risk_level_check check (risk_level in ('prohibited', 'high', 'limited', 'minimal')),
    constraint ai_systems_risk_answers_check check (jsonb_typeof(risk_answers) = 'object'),
    constraint ai_systems_classified_check check (risk_level is null or classified_at is not null),
    constraint ai_systems_retired_check check ((status = 'retired') = (retired_at is not null)),
    constraint ai_systems_system_version_check check (length(system_version) between 1 and 100),
    constraint ai_systems_metadata_check check (jsonb_typeof(metadata) = 'object')
);
comment on table registry.ai_systems is 'An AI system that the organization builds, uses or offers.';
comment on column registry.ai_systems.organization_id is 'The organization that the AI system belongs to.';
comment on column registry.ai_systems.id is 'The AI system.';
comment on column registry.ai_systems.name is 'Its name, once in an organization.';
comment on column registry.ai_systems.description is 'What it does, for whom, and with what effect on people.';
comment on column registry.ai_systems.status is 'planned, development, testing, active, suspended or retired.';
comment on column registry.ai_systems.owner_id is 'The user who answers for it.';
comment on column registry.ai_systems.risk_level is 'Its level under the EU AI Act: prohibited, high, limited or minimal; null until it is classified.';
comment on column registry.ai_systems.risk_answers is 'The answers to the questionnaire from which the risk level follows: question to answer.';
comment on column registry.ai_systems.classified_by is 'Who last set the risk level.';
comment on column registry.ai_systems.classified_at is 'When the risk level was last set.';
comment on column registry.ai_systems.system_version is 'The version that is in use, as its makers write it.';
comment on column registry.ai_systems.deployed_at is 'When it was first put into use.';
comment on column registry.ai_systems.retired_at is 'When it was taken out of use for good.';
comment on column registry.ai_systems.metadata is 'Whatever else its owner wants kept with it.';
comment on column registry.ai_systems.created_by is 'Who registered it.';
comment on column registry.ai_systems.created_at is 'When it was registered.';
comment on column registry.ai_systems.updated_at is 'When it last changed.';
comment on column registry.ai_systems.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint ai_systems_pkey on registry.ai_systems is 'An AI system is known within its organization.';
comment on constraint ai_systems_name_key on registry.ai_systems is 'A name is given once in an organization.';
comment on constraint ai_systems_name_check on registry.ai_systems is 'A name has 1 to 200 characters.';
comment on constraint ai_systems_description_check on registry.ai_systems is 'A description has at most 10000 characters.';
comment on constraint ai_systems_status_check on registry.ai_systems is 'The states of an AI system.';
comment on constraint ai_systems_risk_level_check on registry.ai_systems is 'The risk levels of the EU AI Act.';
comment on constraint ai_systems_risk_answers_check on registry.ai_systems is 'A JSON object.';
comment on constraint ai_systems_classified_check on registry.ai_systems is 'A risk level says when it was set.';
comment on constraint ai_systems_retired_check on registry.ai_systems is 'What is retired, and nothing else, says since when.';
comment on constraint ai_systems_system_version_check on registry.ai_systems is 'A version has 1 to 100 characters.';
comment on constraint ai_systems_metadata_check on registry.ai_systems is 'A JSON object.';

create index ai_systems_created_at_idx on registry.ai_systems (organization_id, created_at desc, id);
create index ai_systems_status_idx on registry.ai_systems (organization_id, status, created_at desc);
create index ai_systems_risk_level_idx on registry.ai_systems (organization_id, risk_level, status);
create index ai_systems_owner_id_idx on registry.ai_systems (organization_id, owner_id);

-- A system that turns out to be prohibited is recorded as what it is, but none is put into use.
create function registry.ai_systems_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and old.status <> new.status and (old.status, new.status) not in (
        ('planned', 'development'), ('planned', 'testing'), ('planned', 'active'), ('planned', 'retired'), ('development', 'testing'), ('development', 'active'), ('development', 'retired'), ('testing', 'development'), ('testing', 'active'), ('testing', 'retired'), ('active', 'suspended'), ('active', 'retired'), ('suspended', 'active'), ('suspended', 'development'), ('suspended', 'retired'))
    then
        raise exception 'an AI system that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'ai_systems_status_step', schema = 'registry',
                  table = 'ai_systems', column = 'status';
    end if;
    if tg_op = 'UPDATE' and old.status <> new.status and new.status = 'active' and new.risk_level = 'prohibited' then
        raise exception 'an AI system whose risk level is prohibited cannot be put into use'
            using errcode = 'check_violation', constraint = 'ai_systems_status_step', schema = 'registry',
                  table = 'ai_systems', column = 'status';
    end if;
    if tg_op = 'INSERT' or new.risk_level is distinct from old.risk_level then
        if new.risk_level is null then
            new.classified_at := null;
            new.classified_by := null;
        elsif tg_op = 'UPDATE' or new.classified_at is null then
            new.classified_at := clock_timestamp();
            new.classified_by := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.classified_by);
        end if;
    end if;
    if new.status = 'active' then
        new.deployed_at := coalesce(new.deployed_at, case when tg_op = 'UPDATE' then clock_timestamp() end);
    elsif new.status = 'retired' then
        new.retired_at := coalesce(new.retired_at, clock_timestamp());
    end if;
    return new;
end $$;
comment on function registry.ai_systems_step() is 'Keeps AI systems to their state machine, keeps prohibited ones out of use, and stamps when they were classified, deployed and retired.';
create trigger step before insert or update on registry.ai_systems for each row execute function registry.ai_systems_step();
select kernel.tenant_table('registry.ai_systems');

create table registry.ai_system_models (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    ai_system_id uuid not null,
    model_id uuid not null,
    purpose text not null default '',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint ai_system_models_pkey primary key (organization_id, id),
    constraint ai_system_models_model_id_key unique (organization_id, ai_system_id, model_id),
    constraint ai_system_models_ai_system_id_fkey foreign key (organization_id, ai_system_id) references registry.ai_systems (organization_id, id) on delete cascade,
    constraint ai_system_models_model_id_fkey foreign key (organization_id, model_id) references registry.models (organization_id, id) on delete restrict,
    constraint ai_system_models_purpose_check check (length(purpose) <= 1000)
);
comment on table registry.ai_system_models is 'A model that an AI system uses.';
comment on column registry.ai_system_models.organization_id is 'The organization that the link belongs to.';
comment on column registry.ai_system_models.id is 'The link.';
comment on column registry.ai_system_models.ai_system_id is 'The AI system.';
comment on column registry.ai_system_models.model_id is 'The model that it uses.';
comment on column registry.ai_system_models.purpose is 'What it uses the model for.';
comment on column registry.ai_system_models.created_by is 'Who linked them.';
comment on column registry.ai_system_models.created_at is 'When they were linked.';
comment on column registry.ai_system_models.updated_at is 'When the link last changed.';
comment on column registry.ai_system_models.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint ai_system_models_pkey on registry.ai_system_models is 'A link is known within its organization.';
comment on constraint ai_system_models_model_id_key on registry.ai_system_models is 'A system is linked to a model once.';
comment on constraint ai_system_models_ai_system_id_fkey on registry.ai_system_models is 'A link is a part of its AI system and goes with it.';
comment on constraint ai_system_models_model_id_fkey on registry.ai_system_models is 'A model that an AI system uses cannot be deleted.';
comment on constraint ai_system_models_purpose_check on registry.ai_system_models is 'A purpose has at most 1000 characters.';
create index ai_system_models_model_id_idx on registry.ai_system_models (organization_id, model_id);
create index ai_system_models_created_at_idx on registry.ai_system_models (organization_id, created_at desc, id);
select kernel.tenant_table('registry.ai_system_models');

create table registry.frontier_alert_configs (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    frontier_model_id uuid not null,
    category text not null,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint frontier_alert_configs_pkey primary key (organization_id, id),
    constraint frontier_alert_configs_category_key unique (organization_id, created_by, frontier_model_id, category),
    constraint frontier_alert_configs_frontier_model_id_fkey foreign key (frontier_model_id) references registry.frontier_models (id) on delete restrict,
    constraint frontier_alert_configs_category_check check (category in ('security', 'feature', 'compliance', 'ethics', 'deprecation'))
);
comment on table registry.frontier_alert_configs is 'A member''s subscription to one kind of news about one frontier model.';
comment on column registry.frontier_alert_configs.organization_id is 'The organization that the subscription belongs to.';
comment on column registry.frontier_alert_configs.id is 'The subscription.';
comment on column registry.frontier_alert_configs.frontier_model_id is 'The frontier model.';
comment on column registry.frontier_alert_configs.category is 'The kind of news: security, feature, compliance, ethics or deprecation.';
comment on column registry.frontier_alert_configs.created_by is 'The user who subscribed.';
comment on column registry.frontier_alert_configs.created_at is 'When they subscribed.';
comment on column registry.frontier_alert_configs.updated_at is 'When it last changed.';
comment on column registry.frontier_alert_configs.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint frontier_alert_configs_pkey on registry.frontier_alert_configs is 'A subscription is known within its organization.';
comment on constraint frontier_alert_configs_category_key on registry.frontier_alert_configs is 'A member subscribes to the same thing once.';
comment on constraint frontier_alert_configs_frontier_model_id_fkey on registry.frontier_alert_configs is 'The frontier model must stand in the catalogue; it stays there while someone subscribes to it.';
comment on constraint frontier_alert_configs_category_check on registry.frontier_alert_configs is 'The kinds of news.';
create index frontier_alert_configs_frontier_model_id_idx on registry.frontier_alert_configs (frontier_model_id);
create index frontier_alert_configs_subject_idx on registry.frontier_alert_configs (organization_id, frontier_model_id, category);
create index frontier_alert_configs_created_at_idx on registry.frontier_alert_configs (organization_id, created_at desc, id);
select kernel.tenant_table('registry.frontier_alert_configs');

create table registry.frontier_alerts (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    alert_config_id uuid,
    frontier_model_id uuid,
    category text,
    title text not null,
    description text,
    url text,
    date_published timestamptz not null default now(),
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint frontier_alerts_pkey primary key (organization_id, id),
    constraint frontier_alerts_url_key unique (organization_id, url),
    constraint frontier_alerts_alert_config_id_fkey foreign key (organization_id, alert_config_id) references registry.frontier_alert_configs (organization_id, id) on delete set null (alert_config_id),
    constraint frontier_alerts_frontier_model_id_fkey foreign key (frontier_model_id) references registry.frontier_models (id) on delete restrict,
    constraint frontier_alerts_category_check check (category in ('security', 'feature', 'compliance', 'ethics', 'deprecation')),
    constraint frontier_alerts_title_check check (length(title) between 1 and 500),
    constraint frontier_alerts_description_check check (length(description) <= 10000),
    constraint frontier_alerts_url_check check (length(url) between 1 and 2000),
    constraint frontier_alerts_metadata_check check (jsonb_typeof(metadata) = 'object')
);
comment on table registry.frontier_alerts is 'News about a frontier model, told once in an organization.';
comment on column registry.frontier_alerts.organization_id is 'The organization that the alert belongs to.';
comment on column registry.frontier_alerts.id is 'The alert.';
comment on column registry.frontier_alerts.alert_config_id is 'The subscription that brought it; null when it came otherwise or the subscription ended.';
comment on column registry.frontier_alerts.frontier_model_id is 'The frontier model that it is about; taken from the subscription when not given.';
comment on column registry.frontier_alerts.category is 'The kind of news: security, feature, compliance, ethics or deprecation; taken from the subscription when not given.';
comment on column registry.frontier_alerts.title is 'What happened, in a line.';
comment on column registry.frontier_alerts.description is 'What happened, in full.';
comment on column registry.frontier_alerts.url is 'Where to read more; an address is told of once in an organization.';
comment on column registry.frontier_alerts.date_published is 'When it was published.';
comment on column registry.frontier_alerts.metadata is 'Whatever else its source told.';
comment on column registry.frontier_alerts.created_at is 'When it came in.';
comment on constraint frontier_alerts_pkey on registry.frontier_alerts is 'An alert is known within its organization.';
comment on constraint frontier_alerts_url_key on registry.frontier_alerts is 'The same address is told of once.';
comment on constraint frontier_alerts_alert_config_id_fkey on registry.frontier_alerts is 'The subscription is one of the organization; an alert outlives it.';
comment on constraint frontier_alerts_frontier_model_id_fkey on registry.frontier_alerts is 'The frontier model must stand in the catalogue; it stays there while alerts about it are kept.';
comment on constraint frontier_alerts_category_check on registry.frontier_alerts is 'The kinds of news.';
comment on constraint frontier_alerts_title_check on registry.frontier_alerts is 'A title has 1 to 500 characters.';
comment on constraint frontier_alerts_description_check on registry.frontier_alerts is 'A description has at most 10000 characters.';
comment on constraint frontier_alerts_url_check on registry.frontier_alerts is 'An address has 1 to 2000 characters.';
comment on constraint frontier_alerts_metadata_check on registry.frontier_alerts is 'A JSON object.';
create index frontier_alerts_alert_config_id_idx on registry.frontier_alerts (organization_id, alert_config_id);
create index frontier_alerts_frontier_model_id_idx on registry.frontier_alerts (frontier_model_id);
create index frontier_alerts_created_at_idx on registry.frontier_alerts (organization_id, created_at desc, id);
create index frontier_alerts_date_published_idx on registry.frontier_alerts (organization_id, date_published desc);

create function registry.frontier_alerts_subject() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.alert_config_id is not null and (new.frontier_model_id is null or new.category is null) then
        select coalesce(new.frontier_model_id, c.frontier_model_id), coalesce(new.category, c.category)
          into new.frontier_model_id, new.category
          from registry.frontier_alert_configs as c
         where c.organization_id = new.organization_id and c.id = new.alert_config_id;
    end if;
    return new;
end $$;
comment on function registry.frontier_alerts_subject() is 'An alert is about what its subscription is about, unless it says otherwise.';
create trigger subject before insert on registry.frontier_alerts
    for each row execute function registry.frontier_alerts_subject();
select kernel.tenant_table('registry.frontier_alerts');
