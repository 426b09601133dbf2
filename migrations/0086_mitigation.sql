-- Mitigations: computed from the data set of a bias analysis, kept as artefacts, and applied to data sets, of which
-- each application makes a new one.

create table assurance.mitigation_artifacts (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    analysis_id uuid not null,
    dataset_id uuid not null,
    kind text not null,
    fairness_constraint text not null,
    parameters jsonb not null,
    status text not null default 'queued',
    job_id uuid,
    row_count bigint,
    artifact jsonb,
    artifact_sha256 text,
    expected jsonb,
    failure text,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    started_at timestamptz,
    completed_at timestamptz,
    version integer not null default 1,
    constraint mitigation_artifacts_pkey primary key (organization_id, id),
    constraint mitigation_artifacts_analysis_id_fkey foreign key (organization_id, analysis_id)
        references assurance.bias_analyses (organization_id, id) on delete cascade,
    constraint mitigation_artifacts_dataset_id_fkey foreign key (organization_id, dataset_id)
        references registry.datasets (organization_id, id) on delete restrict,
    constraint mitigation_artifacts_name_check check (length(name) between 1 and 200),
    constraint mitigation_artifacts_kind_check check (kind in ('reweighing', 'threshold', 'reject_option')),
    constraint mitigation_artifacts_fairness_constraint_check check (
        fairness_constraint in ('demographic_parity', 'equal_opportunity', 'false_positive_rate_parity', 'equalized_odds')),
    constraint mitigation_artifacts_parameters_check check (jsonb_typeof(parameters) = 'object'),
    constraint mitigation_artifacts_status_check check (status in ('queued', 'running', 'completed', 'failed')),
    constraint mitigation_artifacts_row_count_check check (row_count >= 0),
    constraint mitigation_artifacts_artifact_check check (jsonb_typeof(artifact) = 'object'),
    constraint mitigation_artifacts_artifact_sha256_check check (artifact_sha256 ~ '^[0-9a-f]{64}$'),
    constraint mitigation_artifacts_expected_check check (jsonb_typeof(expected) = 'object'),
    constraint mitigation_artifacts_failure_check check (length(failure) between 1 and 10000),
    constraint mitigation_artifacts_completed_check check (
        (status = 'completed') = (artifact is not null)
        and (artifact is null) = (artifact_sha256 is null) and (artifact is null) = (expected is null)),
    constraint mitigation_artifacts_failed_check check (status <> 'failed' or failure is not null),
    constraint mitigation_artifacts_ended_check check ((status in ('completed', 'failed')) = (completed_at is not null))
);
comment on table assurance.mitigation_artifacts is 'A mitigation: weights or thresholds by group that were computed from the data set of a bias analysis, to be applied to others.';
comment on column assurance.mitigation_artifacts.organization_id is 'The organization that the mitigation belongs to.';
comment on column assurance.mitigation_artifacts.id is 'The mitigation.';
comment on column assurance.mitigation_artifacts.name is 'A name for people.';
comment on column assurance.mitigation_artifacts.analysis_id is 'The bias analysis whose finding it is to mend.';
comment on column assurance.mitigation_artifacts.dataset_id is 'The data set that it is computed from: that of the analysis.';
comment on column assurance.mitigation_artifacts.kind is 'How it works: reweighing, threshold or reject_option.';
comment on column assurance.mitigation_artifacts.fairness_constraint is 'What is to be equal between groups; reweighing makes base rates equal, whatever this says.';
comment on column assurance.mitigation_artifacts.parameters is 'The specification: columns, method, constraint, objective, tolerance, seed.';
comment on column assurance.mitigation_artifacts.status is 'queued, running, completed or failed.';
comment on column assurance.mitigation_artifacts.job_id is 'The job that computes it, in ops.jobs.';
comment on column assurance.mitigation_artifacts.row_count is 'How many rows were read.';
comment on column assurance.mitigation_artifacts.artifact is 'The artefact, as ephor mitigate apply takes it. Its hash is in the audit trail.';
comment on column assurance.mitigation_artifacts.artifact_sha256 is 'SHA-256 of artifact::text, in hexadecimal; audited, so that a changed artefact is found out.';
comment on column assurance.mitigation_artifacts.expected is 'What it did on the data that it was made from: disparities and accuracy, before and after; each group''s are in the artefact.';
comment on column assurance.mitigation_artifacts.failure is 'Why it failed and what to do, when it did.';
comment on column assurance.mitigation_artifacts.created_by is 'Who asked for it.';
comment on column assurance.mitigation_artifacts.created_at is 'When it was asked for.';
comment on column assurance.mitigation_artifacts.updated_at is 'When the row last changed.';
comment on column assurance.mitigation_artifacts.started_at is 'When its work began.';
comment on column assurance.mitigation_artifacts.completed_at is 'When it came to its end, whichever.';
comment on column assurance.mitigation_artifacts.version is 'Counts the changes, for optimistic locking.';
comment on constraint mitigation_artifacts_pkey on assurance.mitigation_artifacts is 'A mitigation is known within its organization.';
comment on constraint mitigation_artifacts_analysis_id_fkey on assurance.mitigation_artifacts is 'A mitigation belongs to its analysis and goes with it.';
comment on constraint mitigation_artifacts_dataset_id_fkey on assurance.mitigation_artifacts is 'The data set must be one of the organization; it cannot be deleted while a mitigation from it is kept.';
comment on constraint mitigation_artifacts_name_check on assurance.mitigation_artifacts is 'A name has 1 to 200 characters.';
comment on constraint mitigation_artifacts_kind_check on assurance.mitigation_artifacts is 'The methods.';
comment on constraint mitigation_artifacts_fairness_constraint_check on assurance.mitigation_artifacts is 'What can be made equal.';
comment on constraint mitigation_artifacts_parameters_check on assurance.mitigation_artifacts is 'The specification is a JSON object.';
comment on constraint mitigation_artifacts_status_check on assurance.mitigation_artifacts is 'The states of a mitigation.';
comment on constraint mitigation_artifacts_row_count_check on assurance.mitigation_artifacts is 'A count is not negative.';
comment on constraint mitigation_artifacts_artifact_check on assurance.mitigation_artifacts is 'The artefact is a JSON object.';
comment on constraint mitigation_artifacts_artifact_sha256_check on assurance.mitigation_artifacts is 'A SHA-256 hash in lower-case hexadecimal.';
comment on constraint mitigation_artifacts_expected_check on assurance.mitigation_artifacts is 'What is expected is a JSON object.';
comment on constraint mitigation_artifacts_failure_check on assurance.mitigation_artifacts is 'A reason has 1 to 10000 characters.';
comment on constraint mitigation_artifacts_completed_check on assurance.mitigation_artifacts is 'What is completed has an artefact with its hash and what is expected of it; nothing else has.';
comment on constraint mitigation_artifacts_failed_check on assurance.mitigation_artifacts is 'What failed says why.';
comment on constraint mitigation_artifacts_ended_check on assurance.mitigation_artifacts is 'What came to its end says when, and nothing else does.';
create index mitigation_artifacts_analysis_id_idx on assurance.mitigation_artifacts (organization_id, analysis_id, created_at desc);
create index mitigation_artifacts_dataset_id_idx on assurance.mitigation_artifacts (organization_id, dataset_id);
create index mitigation_artifacts_created_at_idx on assurance.mitigation_artifacts (organization_id, created_at desc, id);

create table assurance.mitigation_applications (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    artifact_id uuid not null,
    dataset_id uuid,
    column_name text not null,
    row_id_column text,
    status text not null default 'queued',
    job_id uuid,
    result_dataset_id uuid,
    before_analysis_id uuid,
    after_analysis_id uuid,
    row_count bigint,
    report jsonb,
    note text not null default '',
    failure text,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    started_at timestamptz,
    completed_at timestamptz,
    version integer not null default 1,
    constraint mitigation_applications_pkey primary key (organization_id, id),
    constraint mitigation_applications_artifact_id_fkey foreign key (organization_id, artifact_id)
        references assurance.mitigation_artifacts (organization_id, id) on delete cascade,
    constraint mitigation_applications_dataset_id_fkey foreign key (organization_id, dataset_id)
        references registry.datasets (organization_id, id) on delete set null (dataset_id),
    constraint mitigation_applications_result_dataset_id_fkey foreign key (organization_id, result_dataset_id)
        references registry.datasets (organization_id, id) on delete set null (result_dataset_id),
    constraint mitigation_applications_before_analysis_id_fkey foreign key (organization_id, before_analysis_id)
        references assurance.bias_analyses (organization_id, id) on delete set null (before_analysis_id),
    constraint mitigation_applications_after_analysis_id_fkey foreign key (organization_id, after_analysis_id)
        references assurance.bias_analyses (organization_id, id) on delete set null (after_analysis_id),
    constraint mitigation_applications_name_check check (length(name) between 1 and 200),
    constraint mitigation_applications_column_name_check check (length(column_name) between 1 and 200),
    constraint mitigation_applications_row_id_column_check check (length(row_id_column) between 1 and 1000),
    constraint mitigation_applications_status_check check (status in ('queued', 'running', 'completed', 'failed')),
    constraint mitigation_applications_row_count_check check (row_count >= 0),
    constraint mitigation_applications_report_check check (jsonb_typeof(report) = 'object'),
    constraint mitigation_applications_note_check check (length(note) <= 10000),
    constraint mitigation_applications_failure_check check (length(failure) between 1 and 10000),
    constraint mitigation_applications_completed_check check ((status = 'completed') = (report is not null)),
    constraint mitigation_applications_failed_check check (status <> 'failed' or failure is not null),
    constraint mitigation_applications_ended_check check ((status in ('completed', 'failed')) = (completed_at is not null))
);
comment on table assurance.mitigation_applications is 'A mitigation that was applied to a data set: the new data set with one more column, and the analyses of it before and after.';
comment on column assurance.mitigation_applications.organization_id is 'The organization that the application belongs to.';
comment on column assurance.mitigation_applications.id is 'The application.';
comment on column assurance.mitigation_applications.name is 'The name that the new data set is given.';
comment on column assurance.mitigation_applications.artifact_id is 'The mitigation that is applied.';
comment on column assurance.mitigation_applications.dataset_id is 'The data set that it is applied to; null once that is deleted.';
comment on column assurance.mitigation_applications.column_name is 'The column that it adds.';
comment on column assurance.mitigation_applications.row_id_column is 'The column that draws follow, so that a row is decided alike wherever it stands; null for the row''s number.';
comment on column assurance.mitigation_applications.status is 'queued, running, completed or failed.';
comment on column assurance.mitigation_applications.job_id is 'The job that applies it, in ops.jobs.';
comment on column assurance.mitigation_applications.result_dataset_id is 'The new data set; null before it is there, and once it is deleted.';
comment on column assurance.mitigation_applications.before_analysis_id is 'The bias analysis of the data as they were; null where there are no labels, and once it is deleted.';
comment on column assurance.mitigation_applications.after_analysis_id is 'The bias analysis of the data with the new column; null where there are no labels, and once it is deleted.';
comment on column assurance.mitigation_applications.row_count is 'How many rows the new data set has.';
comment on column assurance.mitigation_applications.report is 'What was done: rows by what became of them, and disparities before and after, where there are labels.';
comment on column assurance.mitigation_applications.note is 'Why it was not analysed, if it was not.';
comment on column assurance.mitigation_applications.failure is 'Why it failed and what to do, when it did.';
comment on column assurance.mitigation_applications.created_by is 'Who asked for it.';
comment on column assurance.mitigation_applications.created_at is 'When it was asked for.';
comment on column assurance.mitigation_applications.updated_at is 'When the row last changed.';
comment on column assurance.mitigation_applications.started_at is 'When its work began.';
comment on column assurance.mitigation_applications.completed_at is 'When it came to its end, whichever.';
comment on column assurance.mitigation_applications.version is 'Counts the changes, for optimistic locking.';
comment on constraint mitigation_applications_pkey on assurance.mitigation_applications is 'An application is known within its organization.';
comment on constraint mitigation_applications_artifact_id_fkey on assurance.mitigation_applications is 'An application belongs to its mitigation and goes with it; its data set and analyses stay.';
comment on constraint mitigation_applications_dataset_id_fkey on assurance.mitigation_applications is 'The data set that was read may go.';
comment on constraint mitigation_applications_result_dataset_id_fkey on assurance.mitigation_applications is 'The data set that was made may go.';
comment on constraint mitigation_applications_before_analysis_id_fkey on assurance.mitigation_applications is 'An analysis may go.';
comment on constraint mitigation_applications_after_analysis_id_fkey on assurance.mitigation_applications is 'An analysis may go.';
comment on constraint mitigation_applications_name_check on assurance.mitigation_applications is 'A name has 1 to 200 characters.';
comment on constraint mitigation_applications_column_name_check on assurance.mitigation_applications is 'A new column''s name has 1 to 200 characters.';
comment on constraint mitigation_applications_row_id_column_check on assurance.mitigation_applications is 'A column''s name has 1 to 1000 characters.';
comment on constraint mitigation_applications_status_check on assurance.mitigation_applications is 'The states of an application.';
comment on constraint mitigation_applications_row_count_check on assurance.mitigation_applications is 'A count is not negative.';
comment on constraint mitigation_applications_report_check on assurance.mitigation_applications is 'The report is a JSON object.';
comment on constraint mitigation_applications_note_check on assurance.mitigation_applications is 'A note has at most 10000 characters.';
comment on constraint mitigation_applications_failure_check on assurance.mitigation_applications is 'A reason has 1 to 10000 characters.';
comment on constraint mitigation_applications_completed_check on assurance.mitigation_applications is 'What is completed has a report, and nothing else has.';
comment on constraint mitigation_applications_failed_check on assurance.mitigation_applications is 'What failed says why.';
comment on constraint mitigation_applications_ended_check on assurance.mitigation_applications is 'What came to its end says when, and nothing else does.';
create index mitigation_applications_artifact_id_idx on assurance.mitigation_applications (organization_id, artifact_id, created_at desc);
create index mitigation_applications_dataset_id_idx on assurance.mitigation_applications (organization_id, dataset_id);
create index mitigation_applications_result_dataset_id_idx on assurance.mitigation_applications (organization_id, result_dataset_id);
create index mitigation_applications_before_analysis_id_idx on assurance.mitigation_applications (organization_id, before_analysis_id);
create index mitigation_applications_after_analysis_id_idx on assurance.mitigation_applications (organization_id, after_analysis_id);
create index mitigation_applications_created_at_idx on assurance.mitigation_applications (organization_id, created_at desc, id);

-- The state machine of both: an end is an end, and nothing runs before it was queued.
create function assurance.mitigations_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status is distinct from new.status
        and (old.status, new.status) not in (
            ('queued', 'running'), ('queued', 'failed'),
            ('running', 'completed'), ('running', 'failed'),
            -- a worker died and another will begin anew
            ('running', 'queued'))
    then
        raise exception 'what is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = tg_table_name || '_status_step',
                  schema = 'assurance', table = tg_table_name, column = 'status';
    end if;
    return new;
end $$;
comment on function assurance.mitigations_step() is 'Refuses steps that the state machine of mitigations and their applications does not have.';

create trigger mitigation_artifacts_step before update of status on assurance.mitigation_artifacts
    for each row execute function assurance.mitigations_step();
create trigger mitigation_applications_step before update of status on assurance.mitigation_applications
    for each row execute function assurance.mitigations_step();

-- Groups and their rates are what an analysis' metrics are: the trail holds the artefact's hash.
select kernel.tenant_table('assurance.mitigation_artifacts', masked => '{artifact}');
select kernel.tenant_table('assurance.mitigation_applications', masked => '{report}');
