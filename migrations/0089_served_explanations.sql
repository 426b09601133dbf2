-- Models as files: an artefact of a version, kept in the object store, that explanations are computed from. Explanations are asked
-- for and run as jobs; their values lie in the object store, and a digest of them in the row.

create table registry.model_artifacts (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    model_id uuid not null,
    model_version_id uuid not null,
    file_name text not null,
    format text not null,
    size_bytes bigint not null,
    sha256 text not null,
    storage_path text not null,
    features jsonb not null default '[]',
    outputs integer not null default 1,
    trees integer not null default 0,
    link text not null default 'identity',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    constraint model_artifacts_pkey primary key (organization_id, id),
    constraint model_artifacts_model_id_fkey foreign key (organization_id, model_id)
        references registry.models (organization_id, id) on delete restrict,
    constraint model_artifacts_model_version_id_fkey foreign key (organization_id, model_version_id)
        references registry.model_versions (organization_id, id) on delete restrict,
    constraint model_artifacts_model_version_id_key unique (organization_id, model_version_id),
    constraint model_artifacts_file_name_check check (length(file_name) between 1 and 200),
    constraint model_artifacts_format_check check (format in ('xgboost_json', 'xgboost_ubjson', 'lightgbm_text', 'sklearn_json', 'onnx')),
    constraint model_artifacts_size_bytes_check check (size_bytes > 0),
    constraint model_artifacts_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint model_artifacts_storage_path_check check (length(storage_path) between 1 and 500),
    constraint model_artifacts_features_check check (jsonb_typeof(features) = 'array'),
    constraint model_artifacts_outputs_check check (outputs >= 0),
    constraint model_artifacts_trees_check check (trees >= 0),
    constraint model_artifacts_link_check check (link in ('identity', 'logistic', 'exponential', 'softmax', 'sign'))
);
comment on table registry.model_artifacts is 'The file of a model''s version, as its training program wrote it: what explanations are computed from. It is read, and never run.';
comment on column registry.model_artifacts.organization_id is 'The organization that the artefact belongs to.';
comment on column registry.model_artifacts.id is 'The artefact.';
comment on column registry.model_artifacts.model_id is 'The model.';
comment on column registry.model_artifacts.model_version_id is 'The version of the model whose file it is.';
comment on column registry.model_artifacts.file_name is 'The name under which the file was sent.';
comment on column registry.model_artifacts.format is 'How it is written: xgboost_json, xgboost_ubjson, lightgbm_text, sklearn_json or onnx; told by its content.';
comment on column registry.model_artifacts.size_bytes is 'Its size in bytes.';
comment on column registry.model_artifacts.sha256 is 'SHA-256 of the file, in hexadecimal; audited, so that a changed file is found out.';
comment on column registry.model_artifacts.storage_path is 'Where it lies in the object store.';
comment on column registry.model_artifacts.features is 'The names of the features, in the order of a row''s values.';
comment on column registry.model_artifacts.outputs is 'How many numbers it predicts for a row: one, or one for each class.';
comment on column registry.model_artifacts.trees is 'How many trees it has; 0 of a model that is none of trees.';
comment on column registry.model_artifacts.link is 'How predictions follow from the model''s sums: identity, logistic, exponential, softmax or sign.';
comment on column registry.model_artifacts.created_by is 'Who uploaded it.';
comment on column registry.model_artifacts.created_at is 'When it was uploaded.';
comment on constraint model_artifacts_pkey on registry.model_artifacts is 'An artefact is known within its organization.';
comment on constraint model_artifacts_model_id_fkey on registry.model_artifacts is 'The model must be one of the organization; it cannot be deleted while a file of it is kept.';
comment on constraint model_artifacts_model_version_id_fkey on registry.model_artifacts is 'The version must be one of the organization; it cannot be deleted while its file is kept.';
comment on constraint model_artifacts_model_version_id_key on registry.model_artifacts is 'A version has one file: another file is another version.';
comment on constraint model_artifacts_file_name_check on registry.model_artifacts is 'A name has 1 to 200 characters.';
comment on constraint model_artifacts_format_check on registry.model_artifacts is 'The formats that are read.';
comment on constraint model_artifacts_size_bytes_check on registry.model_artifacts is 'A file is not empty.';
comment on constraint model_artifacts_sha256_check on registry.model_artifacts is 'A SHA-256 hash in lower-case hexadecimal.';
comment on constraint model_artifacts_storage_path_check on registry.model_artifacts is 'A path has 1 to 500 characters.';
comment on constraint model_artifacts_features_check on registry.model_artifacts is 'The names are a JSON array.';
comment on constraint model_artifacts_outputs_check on registry.model_artifacts is 'A count is not negative.';
comment on constraint model_artifacts_trees_check on registry.model_artifacts is 'A count is not negative.';
comment on constraint model_artifacts_link_check on registry.model_artifacts is 'The ways from sums to predictions.';
create index model_artifacts_model_id_idx on registry.model_artifacts (organization_id, model_id, created_at desc);
create index model_artifacts_created_at_idx on registry.model_artifacts (organization_id, created_at desc, id);
select kernel.tenant_table('registry.model_artifacts');
-- What is stored never changes.
revoke update on registry.model_artifacts from ephor_app;

alter table assurance.model_explanations
    add column artifact_id uuid,
    add column row_count bigint,
    add column summary jsonb,
    add column values_path text,
    add column values_bytes bigint,
    add column values_sha256 text,
    add constraint model_explanations_artifact_id_fkey foreign key (organization_id, artifact_id)
        references registry.model_artifacts (organization_id, id) on delete restrict,
    add constraint model_explanations_row_count_check check (row_count >= 0),
    add constraint model_explanations_summary_check check (jsonb_typeof(summary) = 'object'),
    add constraint model_explanations_values_path_check check (length(values_path) between 1 and 500),
    add constraint model_explanations_values_bytes_check check (values_bytes > 0),
    add constraint model_explanations_values_sha256_check check (values_sha256 ~ '^[0-9a-f]{64}$'),
    add constraint model_explanations_values_check check (
        (values_path is null) = (values_bytes is null) and (values_path is null) = (values_sha256 is null)
        and (values_path is null) = (summary is null) and (values_path is null or status = 'completed')),
    -- What was imported names no artefact.
    add constraint model_explanations_found_check check (
        status <> 'completed' or artifact_id is null or values_path is not null);
comment on column assurance.model_explanations.artifact_id is 'The file of the model that it is computed from; null of an explanation that was imported.';
comment on column assurance.model_explanations.row_count is 'How many rows it is made of, once it is completed.';
comment on column assurance.model_explanations.summary is 'A digest of the values, of bounded size: what the pages show. Null of an explanation that was imported.';
comment on column assurance.model_explanations.values_path is 'Where the values lie in the object store, as Parquet.';
comment on column assurance.model_explanations.values_bytes is 'The size of the stored values, in bytes.';
comment on column assurance.model_explanations.values_sha256 is 'SHA-256 of the stored values, in hexadecimal; audited, so that changed values are found out.';
comment on constraint model_explanations_artifact_id_fkey on assurance.model_explanations is 'The file must be one of the organization; it cannot be deleted while an explanation needs it.';
comment on constraint model_explanations_row_count_check on assurance.model_explanations is 'A count is not negative.';
comment on constraint model_explanations_summary_check on assurance.model_explanations is 'A JSON object.';
comment on constraint model_explanations_values_path_check on assurance.model_explanations is 'A path has 1 to 500 characters.';
comment on constraint model_explanations_values_bytes_check on assurance.model_explanations is 'A stored file is not empty.';
comment on constraint model_explanations_values_sha256_check on assurance.model_explanations is 'A SHA-256 hash in lower-case hexadecimal.';
comment on constraint model_explanations_values_check on assurance.model_explanations is 'Values come with their size, their hash and their digest, and only what is completed has them.';
comment on constraint model_explanations_found_check on assurance.model_explanations is 'What Ephor completed has values.';
-- A cascade would leave the values behind: they lie outside of the database, and only a deletion that is told takes them along.
alter table assurance.model_explanations
    drop constraint model_explanations_analysis_id_fkey,
    add constraint model_explanations_analysis_id_fkey foreign key (organization_id, analysis_id)
        references assurance.bias_analyses (organization_id, id) on delete set null (analysis_id);
comment on constraint model_explanations_analysis_id_fkey on assurance.model_explanations is 'The analysis must be one of the organization; an explanation outlives it, as its values lie outside of the database.';
create index model_explanations_artifact_id_idx on assurance.model_explanations (organization_id, artifact_id);

-- The digest holds values of single rows, as the columns before it do: the trail holds the values' hash.
drop trigger audit_insert on assurance.model_explanations;
drop trigger audit_update on assurance.model_explanations;
drop trigger audit_delete on assurance.model_explanations;
drop trigger audit_truncate on assurance.model_explanations;
select audit.watch('assurance.model_explanations', masked => '{shap_values,lime_explanation,feature_importance,global_explanations,summary}');
