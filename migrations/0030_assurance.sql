-- Assurance: bias analyses and what they found.

create table assurance.bias_analyses (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text not null default '',
    data_source text not null default 'dataset',
    dataset_id uuid,
    model_id uuid,
    analysis_type text not null,
    parameters jsonb not null,
    status text not null default 'queued',
    job_id uuid,
    progress double precision not null default 0,
    progress_message text not null default '',
    outcome text,
    compliance_score numeric(5, 2),
    row_count bigint,
    failed_count integer,
    warning_count integer,
    metrics jsonb,
    metrics_sha256 text,
    recommendations jsonb not null default '[]',
    failure text,
    metadata jsonb not null default '{}',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    started_at timestamptz,
    completed_at timestamptz,
    version integer not null default 1,
    constraint bias_analyses_pkey primary key (organization_id, id),
    constraint bias_analyses_dataset_id_fkey foreign key (organization_id, dataset_id)
        references registry.datasets (organization_id, id) on delete restrict,
    constraint bias_analyses_model_id_fkey foreign key (organization_id, model_id)
        references registry.models (organization_id, id) on delete restrict,
    constraint bias_analyses_name_check check (length(name) between 1 and 200),
    constraint bias_analyses_description_check check (length(description) <= 10000),
    constraint bias_analyses_data_source_check check (data_source in ('dataset', 'upload', 'webhook')),
    constraint bias_analyses_source_check check (data_source <> 'dataset' or dataset_id is not null),
    constraint bias_analyses_analysis_type_check check (
        analysis_type in ('demographic_parity', 'equalized_odds', 'individual_fairness', 'comprehensive')),
    constraint bias_analyses_parameters_check check (jsonb_typeof(parameters) = 'object'),
    constraint bias_analyses_status_check check (
        status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
    constraint bias_analyses_progress_check check (progress between 0 and 1),
    constraint bias_analyses_outcome_check check (outcome in ('pass', 'warning', 'fail')),
    constraint bias_analyses_compliance_score_check check (compliance_score between 0 and 100),
    constraint bias_analyses_row_count_check check (row_count >= 0),
    constraint bias_analyses_metrics_sha256_check check (metrics_sha256 ~ '^[0-9a-f]{64}$'),
    constraint bias_analyses_completed_check check (
        status <> 'completed' or (metrics is not null and metrics_sha256 is not null and outcome is not null)),
    constraint bias_analyses_failed_check check (status <> 'failed' or failure is not null)
);

comment on table assurance.bias_analyses is 'A bias analysis: what was asked for, how far it is, what it found.';
comment on column assurance.bias_analyses.organization_id is 'The organization that the analysis belongs to.';
comment on column assurance.bias_analyses.id is 'The analysis.';
comment on column assurance.bias_analyses.name is 'A name for people.';
comment on column assurance.bias_analyses.description is 'What the analysis is for.';
comment on column assurance.bias_analyses.data_source is 'Where the rows come from: a registered data set, an uploaded file, or rows pushed to a webhook.';
comment on column assurance.bias_analyses.dataset_id is 'The data set that is analysed, when it is a registered one.';
comment on column assurance.bias_analyses.model_id is 'The model whose predictions are analysed, when it is registered.';
comment on column assurance.bias_analyses.analysis_type is 'Which disparities count for the score: demographic_parity, equalized_odds, individual_fairness or comprehensive.';
comment on column assurance.bias_analyses.parameters is 'The specification: label, prediction, score, protected attributes, thresholds, confidence, seed.';
comment on column assurance.bias_analyses.status is 'queued, running, completed, failed or cancelled.';
comment on column assurance.bias_analyses.job_id is 'The job that runs it, in ops.jobs.';
comment on column assurance.bias_analyses.progress is 'How far it is, from 0 to 1.';
comment on column assurance.bias_analyses.progress_message is 'What it is doing, in words.';
comment on column assurance.bias_analyses.outcome is 'The worst status of its scored metrics: pass, warning or fail. Set when completed.';
comment on column assurance.bias_analyses.compliance_score is '0 to 100: 100 minus what the scored disparities exceed their thresholds by. Null when none is defined.';
comment on column assurance.bias_analyses.row_count is 'How many rows were read.';
comment on column assurance.bias_analyses.failed_count is 'How many metrics are beyond their threshold, noise allowed for.';
comment on column assurance.bias_analyses.warning_count is 'How many metrics are beyond their threshold, but within noise.';
comment on column assurance.bias_analyses.metrics is 'The whole result: groups, disparities, intervals, curves. Its hash is in the audit trail.';
comment on column assurance.bias_analyses.metrics_sha256 is 'SHA-256 of metrics::text, in hexadecimal; audited, so that a changed result is found out.';
comment on column assurance.bias_analyses.recommendations is 'What to do about it, most effective first, each with its evidence.';
comment on column assurance.bias_analyses.failure is 'Why it failed and what to do, when it did.';
comment on column assurance.bias_analyses.metadata is 'Whatever else its owner wants kept with it.';
comment on column assurance.bias_analyses.created_by is 'Who asked for it.';
comment on column assurance.bias_analyses.created_at is 'When it was asked for.';
comment on column assurance.bias_analyses.updated_at is 'When the row last changed.';
comment on column assurance.bias_analyses.started_at is 'When its work began.';
comment on column assurance.bias_analyses.completed_at is 'When it came to its end, whichever.';
comment on column assurance.bias_analyses.version is 'Counts the changes, for optimistic locking.';
comment on constraint bias_analyses_pkey on assurance.bias_analyses is 'An analysis is known within its organization.';
comment on constraint bias_analyses_dataset_id_fkey on assurance.bias_analyses is 'The data set must be one of the organization; it cannot be deleted while an analysis of it is kept.';
comment on constraint bias_analyses_model_id_fkey on assurance.bias_analyses is 'The model must be one of the organization; it cannot be deleted while an analysis of it is kept.';
comment on constraint bias_analyses_name_check on assurance.bias_analyses is 'A name has 1 to 200 characters.';
comment on constraint bias_analyses_description_check on assurance.bias_analyses is 'A description has at most 10000 characters.';
comment on constraint bias_analyses_data_source_check on assurance.bias_analyses is 'The sources that rows can come from.';
comment on constraint bias_analyses_source_check on assurance.bias_analyses is 'An analysis of a data set names the data set.';
comment on constraint bias_analyses_analysis_type_check on assurance.bias_analyses is 'The types of analysis.';
comment on constraint bias_analyses_parameters_check on assurance.bias_analyses is 'The specification is a JSON object.';
comment on constraint bias_analyses_status_check on assurance.bias_analyses is 'The states of an analysis.';
comment on constraint bias_analyses_progress_check on assurance.bias_analyses is 'Progress is a fraction.';
comment on constraint bias_analyses_outcome_check on assurance.bias_analyses is 'The outcomes of an analysis.';
comment on constraint bias_analyses_compliance_score_check on assurance.bias_analyses is 'A score is between 0 and 100.';
comment on constraint bias_analyses_row_count_check on assurance.bias_analyses is 'A count is not negative.';
comment on constraint bias_analyses_metrics_sha256_check on assurance.bias_analyses is 'A SHA-256 hash in lower-case hexadecimal.';
comment on constraint bias_analyses_completed_check on assurance.bias_analyses is 'What is completed has a result, its hash and an outcome.';
comment on constraint bias_analyses_failed_check on assurance.bias_analyses is 'What failed says why.';

create index bias_analyses_dataset_id_idx on assurance.bias_analyses (organization_id, dataset_id);
create index bias_analyses_model_id_idx on assurance.bias_analyses (organization_id, model_id);
create index bias_analyses_created_at_idx on assurance.bias_analyses (organization_id, created_at desc, id);
create index bias_analyses_status_idx on assurance.bias_analyses (organization_id, status, created_at desc);

-- The state machine: an end is an end, and nothing runs before it was queued.
create function assurance.bias_analyses_step() returns trigger
    language plpgsql set search_path = pg_catalog as $$
begin
    if old.status is distinct from new.status
        and (old.status, new.status) not in (
            ('queued', 'running'), ('queued', 'failed'), ('queued', 'cancelled'),
            ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled'),
            -- a worker died and another will begin anew
            ('running', 'queued'))
    then
        raise exception 'a bias analysis that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'bias_analyses_status_step',
                  schema = 'assurance', table = 'bias_analyses', column = 'status';
    end if;
    return new;
end $$;
comment on function assurance.bias_analyses_step() is 'Refuses steps that the state machine of bias analyses does not have.';

create trigger bias_analyses_step before update of status on assurance.bias_analyses
    for each row execute function assurance.bias_analyses_step();

select kernel.tenant_table('assurance.bias_analyses', masked => '{metrics}');

create table assurance.bias_analysis_results (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    analysis_id uuid not null,
    position integer not null,
    metric_name text not null,
    metric_description text,
    attribute text not null,
    demographic_group text,
    score double precision,
    interval_low double precision,
    interval_high double precision,
    threshold double precision,
    status text,
    sample_size bigint not null,
    undefined_reason text,
    additional_data jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint bias_analysis_results_pkey primary key (organization_id, id),
    constraint bias_analysis_results_analysis_id_fkey foreign key (organization_id, analysis_id)
        references assurance.bias_analyses (organization_id, id) on delete cascade,
    constraint bias_analysis_results_position_key unique (organization_id, analysis_id, position),
    constraint bias_analysis_results_status_check check (status in ('pass', 'warning', 'fail')),
    constraint bias_analysis_results_sample_size_check check (sample_size >= 0),
    constraint bias_analysis_results_defined_check check (score is not null or undefined_reason is not null)
);

comment on table assurance.bias_analysis_results is 'One disparity that an analysis measured against its threshold.';
comment on column assurance.bias_analysis_results.organization_id is 'The organization that the result belongs to.';
comment on column assurance.bias_analysis_results.id is 'The result.';
comment on column assurance.bias_analysis_results.analysis_id is 'The analysis that it is part of.';
comment on column assurance.bias_analysis_results.position is 'Its place in the report, from 0.';
comment on column assurance.bias_analysis_results.metric_name is 'The metric, under the name of the field: demographic_parity_difference.';
comment on column assurance.bias_analysis_results.metric_description is 'A sentence that says what the number means.';
comment on column assurance.bias_analysis_results.attribute is 'The protected attribute, or several joined by a cross for an intersection.';
comment on column assurance.bias_analysis_results.demographic_group is 'The group that fares worst, when there is one.';
comment on column assurance.bias_analysis_results.score is 'The metric''s value; null when it is undefined.';
comment on column assurance.bias_analysis_results.interval_low is 'The lower bound of its confidence interval.';
comment on column assurance.bias_analysis_results.interval_high is 'The upper bound of its confidence interval.';
comment on column assurance.bias_analysis_results.threshold is 'The threshold that it was held against, when there is one.';
comment on column assurance.bias_analysis_results.status is 'pass, warning (beyond the threshold, but within noise) or fail; null when it is not judged.';
comment on column assurance.bias_analysis_results.sample_size is 'How many rows the value rests on.';
comment on column assurance.bias_analysis_results.undefined_reason is 'Why there is no value.';
comment on column assurance.bias_analysis_results.additional_data is 'Whatever else belongs to the value, such as the pair of groups that it compares.';
comment on column assurance.bias_analysis_results.created_at is 'When it was stored.';
comment on constraint bias_analysis_results_pkey on assurance.bias_analysis_results is 'A result is known within its organization.';
comment on constraint bias_analysis_results_analysis_id_fkey on assurance.bias_analysis_results is 'A result is a part of its analysis and goes with it.';
comment on constraint bias_analysis_results_position_key on assurance.bias_analysis_results is 'Each place in a report is taken once, so that a repeated run cannot store a result twice.';
comment on constraint bias_analysis_results_status_check on assurance.bias_analysis_results is 'The statuses of a metric.';
comment on constraint bias_analysis_results_sample_size_check on assurance.bias_analysis_results is 'A count is not negative.';
comment on constraint bias_analysis_results_defined_check on assurance.bias_analysis_results is 'A value that is missing says why.';

create index bias_analysis_results_status_idx on assurance.bias_analysis_results (organization_id, status, metric_name);

select kernel.tenant_table('assurance.bias_analysis_results');
