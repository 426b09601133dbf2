-- The whole of assurance: explanations, monitors and their alerts, and what imported analyses need.

alter table assurance.bias_analyses
    add column source_format text,
    add column origin text not null default 'ephor',
    add constraint bias_analyses_source_format_check check (source_format in ('csv', 'ndjson', 'json', 'parquet')),
    add constraint bias_analyses_origin_check check (origin in ('ephor', 'imported'));
comment on column assurance.bias_analyses.source_format is 'The format of an uploaded file: csv, ndjson, json or parquet; null when nothing was uploaded.';
comment on column assurance.bias_analyses.origin is 'ephor: Ephor ran it. imported: another system did, and its result is kept as it came.';
comment on constraint bias_analyses_source_format_check on assurance.bias_analyses is 'The formats that can be uploaded.';
comment on constraint bias_analyses_origin_check on assurance.bias_analyses is 'Who ran the analysis.';
-- Only what Ephor ran itself can be held to have a result, a hash and an outcome.
alter table assurance.bias_analyses drop constraint bias_analyses_completed_check;
alter table assurance.bias_analyses add constraint bias_analyses_completed_check check (
    status <> 'completed' or origin = 'imported'
    or (metrics is not null and metrics_sha256 is not null and outcome is not null));
comment on constraint bias_analyses_completed_check on assurance.bias_analyses is 'What Ephor completed has a result, its hash and an outcome.';
alter table assurance.bias_analyses alter column parameters set default '{}';
create index bias_analyses_created_by_idx on assurance.bias_analyses (organization_id, created_by);
create index bias_analyses_analysis_type_idx on assurance.bias_analyses (organization_id, analysis_type);
create index bias_analyses_compliance_score_idx on assurance.bias_analyses (organization_id, compliance_score);
create index bias_analyses_model_status_idx on assurance.bias_analyses (organization_id, model_id, status, created_at desc);

alter table assurance.bias_analysis_results alter column attribute set default '';
alter table assurance.bias_analysis_results alter column sample_size set default 0;
comment on column assurance.bias_analysis_results.attribute is 'The protected attribute, or several joined by a cross for an intersection; empty when an imported result does not say.';
comment on column assurance.bias_analysis_results.sample_size is 'How many rows the value rests on; 0 when an imported result does not say.';
create index bias_analysis_results_created_at_idx on assurance.bias_analysis_results (organization_id, created_at desc, id);

create table assurance.model_explanations (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    model_id uuid not null,
    dataset_id uuid,
    analysis_id uuid,
    explanation_type text not null,
    parameters jsonb not null default '{}',
    status text not null default 'queued',
    job_id uuid,
    progress double precision not null default 0,
    progress_message text not null default '',
    shap_values jsonb not null default '{}',
    lime_explanation jsonb not null default '{}',
    feature_importance jsonb not null default '{}',
    global_explanations jsonb not null default '{}',
    failure text,
    metadata jsonb not null default '{}',
    started_at timestamptz,
    completed_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint model_explanations_pkey primary key (organization_id, id),
    constraint model_explanations_model_id_fkey foreign key (organization_id, model_id) references registry.models (organization_id, id) on delete restrict,
    constraint model_explanations_dataset_id_fkey foreign key (organization_id, dataset_id) references registry.datasets (organization_id, id) on delete restrict,
    constraint model_explanations_analysis_id_fkey foreign key (organization_id, analysis_id) references assurance.bias_analyses (organization_id, id) on delete cascade,
    constraint model_explanations_explanation_type_check check (explanation_type in ('shap', 'lime', 'permutation', 'global')),
    constraint model_explanations_status_check check (status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
    constraint model_explanations_progress_check check (progress between 0 and 1),
    constraint model_explanations_progress_message_check check (length(progress_message) <= 500),
    constraint model_explanations_parameters_check check (jsonb_typeof(parameters) = 'object'),
    constraint model_explanations_shap_values_check check (jsonb_typeof(shap_values) in ('object', 'array')),
    constraint model_explanations_lime_explanation_check check (jsonb_typeof(lime_explanation) in ('object', 'array')),
    constraint model_explanations_feature_importance_check check (jsonb_typeof(feature_importance) in ('object', 'array')),
    constraint model_explanations_global_explanations_check check (jsonb_typeof(global_explanations) in ('object', 'array')),
    constraint model_explanations_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint model_explanations_failure_check check (length(failure) between 1 and 10000),
    constraint model_explanations_failed_check check (status <> 'failed' or failure is not null),
    constraint model_explanations_completed_check check ((status in ('completed', 'failed', 'cancelled')) = (completed_at is not null))
);
comment on table assurance.model_explanations is 'An explanation of a model: what moves its predictions, for single rows or as a whole.';
comment on column assurance.model_explanations.organization_id is 'The organization that the explanation belongs to.';
comment on column assurance.model_explanations.id is 'The explanation.';
comment on column assurance.model_explanations.model_id is 'The model that is explained.';
comment on column assurance.model_explanations.dataset_id is 'The data set on which it is explained; null when an imported explanation does not say.';
comment on column assurance.model_explanations.analysis_id is 'The bias analysis that it goes with, if any.';
comment on column assurance.model_explanations.explanation_type is 'The method: shap, lime, permutation or global.';
comment on column assurance.model_explanations.parameters is 'The specification: columns, rows to explain, sample, seed.';
comment on column assurance.model_explanations.status is 'queued, running, completed, failed or cancelled.';
comment on column assurance.model_explanations.job_id is 'The job that runs it, in ops.jobs.';
comment on column assurance.model_explanations.progress is 'How far it is, from 0 to 1.';
comment on column assurance.model_explanations.progress_message is 'What it is doing, in words.';
comment on column assurance.model_explanations.shap_values is 'Shapley values: what each feature added to single predictions.';
comment on column assurance.model_explanations.lime_explanation is 'Local linear models around single predictions, with their fit.';
comment on column assurance.model_explanations.feature_importance is 'What the model loses when a feature is permuted, with intervals.';
comment on column assurance.model_explanations.global_explanations is 'What moves the model over all rows, such as mean absolute Shapley values and partial dependence.';
comment on column assurance.model_explanations.failure is 'Why it failed and what to do, when it did.';
comment on column assurance.model_explanations.metadata is 'Whatever else its owner wants kept with it.';
comment on column assurance.model_explanations.started_at is 'When its work began.';
comment on column assurance.model_explanations.completed_at is 'When it came to its end, whichever.';
comment on column assurance.model_explanations.created_by is 'Who asked for it.';
comment on column assurance.model_explanations.created_at is 'When it was asked for.';
comment on column assurance.model_explanations.updated_at is 'When it last changed.';
comment on column assurance.model_explanations.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint model_explanations_pkey on assurance.model_explanations is 'An explanation is known within its organization.';
comment on constraint model_explanations_model_id_fkey on assurance.model_explanations is 'The model must be one of the organization; it cannot be deleted while an explanation of it is kept.';
comment on constraint model_explanations_dataset_id_fkey on assurance.model_explanations is 'The data set must be one of the organization; it cannot be deleted while an explanation on it is kept.';
comment on constraint model_explanations_analysis_id_fkey on assurance.model_explanations is 'An explanation beside an analysis is a part of it and goes with it.';
comment on constraint model_explanations_explanation_type_check on assurance.model_explanations is 'The methods of explanation.';
comment on constraint model_explanations_status_check on assurance.model_explanations is 'The states of an explanation.';
comment on constraint model_explanations_progress_check on assurance.model_explanations is 'Progress is a fraction.';
comment on constraint model_explanations_progress_message_check on assurance.model_explanations is 'A line, not a log.';
comment on constraint model_explanations_parameters_check on assurance.model_explanations is 'A JSON object.';
comment on constraint model_explanations_shap_values_check on assurance.model_explanations is 'A JSON object or array.';
comment on constraint model_explanations_lime_explanation_check on assurance.model_explanations is 'A JSON object or array.';
comment on constraint model_explanations_feature_importance_check on assurance.model_explanations is 'A JSON object or array.';
comment on constraint model_explanations_global_explanations_check on assurance.model_explanations is 'A JSON object or array.';
comment on constraint model_explanations_metadata_check on assurance.model_explanations is 'A JSON object.';
comment on constraint model_explanations_failure_check on assurance.model_explanations is 'A reason has 1 to 10000 characters.';
comment on constraint model_explanations_failed_check on assurance.model_explanations is 'What failed says why.';
comment on constraint model_explanations_completed_check on assurance.model_explanations is 'What has come to its end says when.';
create index model_explanations_model_id_idx on assurance.model_explanations (organization_id, model_id);
create index model_explanations_dataset_id_idx on assurance.model_explanations (organization_id, dataset_id);
create index model_explanations_analysis_id_idx on assurance.model_explanations (organization_id, analysis_id);
create index model_explanations_explanation_type_idx on assurance.model_explanations (organization_id, explanation_type);
create index model_explanations_status_idx on assurance.model_explanations (organization_id, status, created_at desc);
create index model_explanations_created_at_idx on assurance.model_explanations (organization_id, created_at desc, id);

-- An end is an end; a worker that died is followed by another, hence running may become queued.
create function assurance.model_explanations_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and old.status <> new.status and (old.status, new.status) not in (
        ('queued', 'running'), ('queued', 'failed'), ('queued', 'cancelled'), ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled'), ('running', 'queued'))
    then
        raise exception 'an explanation that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'model_explanations_status_step', schema = 'assurance',
                  table = 'model_explanations', column = 'status';
    end if;
    if new.status = 'running' then
        new.started_at := coalesce(new.started_at, clock_timestamp());
    elsif new.status in ('completed', 'failed', 'cancelled') then
        new.completed_at := coalesce(new.completed_at, clock_timestamp());
    end if;
    if new.status = 'completed' then
        new.progress := 1;
    end if;
    return new;
end $$;
comment on function assurance.model_explanations_step() is 'Keeps explanations to their state machine, and stamps when they began and ended.';
create trigger step before insert or update on assurance.model_explanations for each row execute function assurance.model_explanations_step();
select kernel.tenant_table('assurance.model_explanations', masked => '{shap_values,lime_explanation,feature_importance,global_explanations}');

create table assurance.monitors (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text not null default '',
    kind text not null,
    status text not null default 'active',
    model_id uuid,
    reference_dataset_id uuid,
    current_dataset_id uuid,
    reference_from timestamptz,
    reference_until timestamptz,
    window_seconds bigint,
    minimum_rows bigint not null default 1,
    schedule text,
    on_arrival boolean not null default false,
    metric text,
    threshold double precision,
    severity text not null default 'medium',
    parameters jsonb not null default '{}',
    next_run_at timestamptz,
    last_run_at timestamptz,
    last_outcome text,
    last_result jsonb not null default '{}',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint monitors_pkey primary key (organization_id, id),
    constraint monitors_name_key unique (organization_id, name),
    constraint monitors_name_check check (length(name) between 1 and 200),
    constraint monitors_description_check check (length(description) <= 10000),
    constraint monitors_model_id_fkey foreign key (organization_id, model_id) references registry.models (organization_id, id) on delete restrict,
    constraint monitors_reference_dataset_id_fkey foreign key (organization_id, reference_dataset_id) references registry.datasets (organization_id, id) on delete restrict,
    constraint monitors_current_dataset_id_fkey foreign key (organization_id, current_dataset_id) references registry.datasets (organization_id, id) on delete restrict,
    constraint monitors_kind_check check (kind in ('bias_drift', 'performance_degradation', 'data_quality', 'compliance_violation')),
    constraint monitors_status_check check (status in ('active', 'paused', 'archived')),
    constraint monitors_reference_check check (reference_from < reference_until),
    constraint monitors_window_seconds_check check (window_seconds between 60 and 31622400),
    constraint monitors_minimum_rows_check check (minimum_rows >= 1),
    constraint monitors_schedule_check check (length(schedule) <= 100 and schedule ~ '^\S+( \S+){4}$'),
    constraint monitors_metric_check check (length(metric) between 1 and 100),
    constraint monitors_threshold_check check (threshold >= 0 and threshold < 'Infinity'),
    constraint monitors_severity_check check (severity in ('low', 'medium', 'high', 'critical')),
    constraint monitors_parameters_check check (jsonb_typeof(parameters) = 'object'),
    constraint monitors_last_result_check check (jsonb_typeof(last_result) = 'object'),
    constraint monitors_last_outcome_check check (last_outcome in ('pass', 'warning', 'fail'))
);
comment on table assurance.monitors is 'A watch over a model or a data set: a reference window against the current one, on a schedule or when rows arrive.';
comment on column assurance.monitors.organization_id is 'The organization that the monitor belongs to.';
comment on column assurance.monitors.id is 'The monitor.';
comment on column assurance.monitors.name is 'Its name, once in an organization.';
comment on column assurance.monitors.description is 'What it watches for and why.';
comment on column assurance.monitors.kind is 'What it looks for: bias_drift, performance_degradation, data_quality or compliance_violation.';
comment on column assurance.monitors.status is 'active, paused or archived.';
comment on column assurance.monitors.model_id is 'The model that it watches, when it is registered.';
comment on column assurance.monitors.reference_dataset_id is 'The data set that the current window is held against.';
comment on column assurance.monitors.current_dataset_id is 'The data set of the current window; null when rows are pushed to it.';
comment on column assurance.monitors.reference_from is 'The beginning of the reference window; null for all rows.';
comment on column assurance.monitors.reference_until is 'The end of the reference window, exclusive; null for all rows.';
comment on column assurance.monitors.window_seconds is 'How long the current window is, in seconds, counted back from the run; null for all rows.';
comment on column assurance.monitors.minimum_rows is 'With fewer rows in the current window nothing is judged.';
comment on column assurance.monitors.schedule is 'When it runs, as a cron expression of five fields in UTC; null when it runs on arrival or by hand.';
comment on column assurance.monitors.on_arrival is 'Does it run when rows arrive?';
comment on column assurance.monitors.metric is 'The metric that is watched, under the name of the field; null for all of its kind.';
comment on column assurance.monitors.threshold is 'How far the metric may be from its reference; null for the kind''s own.';
comment on column assurance.monitors.severity is 'The severity of its alerts: low, medium, high or critical.';
comment on column assurance.monitors.parameters is 'The specification beyond this: columns, protected attributes, tests.';
comment on column assurance.monitors.next_run_at is 'When it runs next, if it runs on a schedule.';
comment on column assurance.monitors.last_run_at is 'When it last ran.';
comment on column assurance.monitors.last_outcome is 'What came of the last run: pass, warning or fail.';
comment on column assurance.monitors.last_result is 'What the last run measured.';
comment on column assurance.monitors.created_by is 'Who made it.';
comment on column assurance.monitors.created_at is 'When it was made.';
comment on column assurance.monitors.updated_at is 'When it last changed.';
comment on column assurance.monitors.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint monitors_pkey on assurance.monitors is 'A monitor is known within its organization.';
comment on constraint monitors_name_key on assurance.monitors is 'A name is given once in an organization.';
comment on constraint monitors_name_check on assurance.monitors is 'A name has 1 to 200 characters.';
comment on constraint monitors_description_check on assurance.monitors is 'A description has at most 10000 characters.';
comment on constraint monitors_model_id_fkey on assurance.monitors is 'The model must be one of the organization; it cannot be deleted while it is watched.';
comment on constraint monitors_reference_dataset_id_fkey on assurance.monitors is 'The reference must be a data set of the organization; it cannot be deleted while a monitor needs it.';
comment on constraint monitors_current_dataset_id_fkey on assurance.monitors is 'The current rows must be a data set of the organization; it cannot be deleted while a monitor needs it.';
comment on constraint monitors_kind_check on assurance.monitors is 'What can be looked for.';
comment on constraint monitors_status_check on assurance.monitors is 'The states of a monitor.';
comment on constraint monitors_reference_check on assurance.monitors is 'A window ends after it begins.';
comment on constraint monitors_window_seconds_check on assurance.monitors is 'A window is a minute to a year long.';
comment on constraint monitors_minimum_rows_check on assurance.monitors is 'At least one row is needed.';
comment on constraint monitors_schedule_check on assurance.monitors is 'Five fields with one space between.';
comment on constraint monitors_metric_check on assurance.monitors is 'A metric''s name has 1 to 100 characters.';
comment on constraint monitors_threshold_check on assurance.monitors is 'A threshold is a number that is not negative.';
comment on constraint monitors_severity_check on assurance.monitors is 'The severities of an alert.';
comment on constraint monitors_parameters_check on assurance.monitors is 'A JSON object.';
comment on constraint monitors_last_result_check on assurance.monitors is 'A JSON object.';
comment on constraint monitors_last_outcome_check on assurance.monitors is 'The outcomes of a run.';
create index monitors_model_id_idx on assurance.monitors (organization_id, model_id);
create index monitors_reference_dataset_id_idx on assurance.monitors (organization_id, reference_dataset_id);
create index monitors_current_dataset_id_idx on assurance.monitors (organization_id, current_dataset_id);
create index monitors_status_idx on assurance.monitors (organization_id, status, next_run_at);
create index monitors_created_at_idx on assurance.monitors (organization_id, created_at desc, id);

create function assurance.monitors_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and old.status <> new.status and (old.status, new.status) not in (
        ('active', 'paused'), ('paused', 'active'), ('active', 'archived'), ('paused', 'archived'))
    then
        raise exception 'a monitor that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'monitors_status_step', schema = 'assurance',
                  table = 'monitors', column = 'status';
    end if;
    if new.status <> 'active' or new.schedule is null
        or tg_op = 'UPDATE' and new.schedule is distinct from old.schedule and new.next_run_at is not distinct from old.next_run_at
    then
        -- the scheduler works it out anew
        new.next_run_at := null;
    end if;
    return new;
end $$;
comment on function assurance.monitors_step() is 'Keeps monitors to their state machine; what does not run has no next run.';
create trigger step before insert or update on assurance.monitors for each row execute function assurance.monitors_step();
select kernel.tenant_table('assurance.monitors');

create table assurance.monitoring_alerts (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    monitor_id uuid,
    model_id uuid,
    alert_type text not null,
    severity text not null,
    message text not null,
    details jsonb not null default '{}',
    dedup_key text,
    occurrences integer not null default 1,
    last_seen_at timestamptz not null default now(),
    status text not null default 'open',
    acknowledged_by uuid,
    acknowledged_at timestamptz,
    closed_by uuid,
    closed_at timestamptz,
    close_reason text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint monitoring_alerts_pkey primary key (organization_id, id),
    constraint monitoring_alerts_monitor_id_fkey foreign key (organization_id, monitor_id) references assurance.monitors (organization_id, id) on delete restrict,
    constraint monitoring_alerts_model_id_fkey foreign key (organization_id, model_id) references registry.models (organization_id, id) on delete restrict,
    constraint monitoring_alerts_alert_type_check check (alert_type in ('bias_drift', 'performance_degradation', 'data_quality', 'compliance_violation')),
    constraint monitoring_alerts_severity_check check (severity in ('low', 'medium', 'high', 'critical')),
    constraint monitoring_alerts_message_check check (length(message) between 1 and 10000),
    constraint monitoring_alerts_details_check check (jsonb_typeof(details) = 'object'),
    constraint monitoring_alerts_dedup_key_check check (length(dedup_key) between 1 and 500),
    constraint monitoring_alerts_occurrences_check check (occurrences >= 1),
    constraint monitoring_alerts_status_check check (status in ('open', 'acknowledged', 'closed')),
    constraint monitoring_alerts_acknowledged_check check (status <> 'acknowledged' or acknowledged_at is not null),
    constraint monitoring_alerts_closed_check check ((status = 'closed') = (closed_at is not null)),
    constraint monitoring_alerts_close_reason_check check (length(close_reason) between 1 and 2000)
);
comment on table assurance.monitoring_alerts is 'Something that a monitor or a policy found wrong, told once while it lasts.';
comment on column assurance.monitoring_alerts.organization_id is 'The organization that the alert belongs to.';
comment on column assurance.monitoring_alerts.id is 'The alert.';
comment on column assurance.monitoring_alerts.monitor_id is 'The monitor that raised it; null when it came otherwise.';
comment on column assurance.monitoring_alerts.model_id is 'The model that it concerns, if any.';
comment on column assurance.monitoring_alerts.alert_type is 'bias_drift, performance_degradation, data_quality or compliance_violation.';
comment on column assurance.monitoring_alerts.severity is 'low, medium, high or critical.';
comment on column assurance.monitoring_alerts.message is 'What is wrong, in a sentence.';
comment on column assurance.monitoring_alerts.details is 'The metric, its value, its reference, its threshold, the group.';
comment on column assurance.monitoring_alerts.dedup_key is 'What it is about, such as monitor, metric and group: of alerts with one key a single one is open or acknowledged. Null: never deduplicated.';
comment on column assurance.monitoring_alerts.occurrences is 'How often it was found while it lasted.';
comment on column assurance.monitoring_alerts.last_seen_at is 'When it was last found.';
comment on column assurance.monitoring_alerts.status is 'open, acknowledged or closed.';
comment on column assurance.monitoring_alerts.acknowledged_by is 'The user who acknowledged it.';
comment on column assurance.monitoring_alerts.acknowledged_at is 'When it was acknowledged; set with the status.';
comment on column assurance.monitoring_alerts.closed_by is 'Who closed it; the system when the metric recovered.';
comment on column assurance.monitoring_alerts.closed_at is 'When it was closed; set with the status.';
comment on column assurance.monitoring_alerts.close_reason is 'Why it was closed, such as that the metric recovered.';
comment on column assurance.monitoring_alerts.created_at is 'When it was raised.';
comment on column assurance.monitoring_alerts.updated_at is 'When it last changed.';
comment on column assurance.monitoring_alerts.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint monitoring_alerts_pkey on assurance.monitoring_alerts is 'An alert is known within its organization.';
comment on constraint monitoring_alerts_monitor_id_fkey on assurance.monitoring_alerts is 'The monitor must be one of the organization; one that raised alerts is archived, not deleted.';
comment on constraint monitoring_alerts_model_id_fkey on assurance.monitoring_alerts is 'The model must be one of the organization; it cannot be deleted while alerts about it are kept.';
comment on constraint monitoring_alerts_alert_type_check on assurance.monitoring_alerts is 'The types of alert.';
comment on constraint monitoring_alerts_severity_check on assurance.monitoring_alerts is 'The severities of an alert.';
comment on constraint monitoring_alerts_message_check on assurance.monitoring_alerts is 'A message has 1 to 10000 characters.';
comment on constraint monitoring_alerts_details_check on assurance.monitoring_alerts is 'A JSON object.';
comment on constraint monitoring_alerts_dedup_key_check on assurance.monitoring_alerts is 'A key has 1 to 500 characters.';
comment on constraint monitoring_alerts_occurrences_check on assurance.monitoring_alerts is 'It was found at least once.';
comment on constraint monitoring_alerts_status_check on assurance.monitoring_alerts is 'The states of an alert.';
comment on constraint monitoring_alerts_acknowledged_check on assurance.monitoring_alerts is 'What is acknowledged says when.';
comment on constraint monitoring_alerts_closed_check on assurance.monitoring_alerts is 'What is closed, and nothing else, says when.';
comment on constraint monitoring_alerts_close_reason_check on assurance.monitoring_alerts is 'A reason has 1 to 2000 characters.';
create unique index monitoring_alerts_dedup_key_idx on assurance.monitoring_alerts (organization_id, dedup_key) where status <> 'closed';
comment on index assurance.monitoring_alerts_dedup_key_idx is 'What is wrong is told once while it lasts.';
create index monitoring_alerts_monitor_id_idx on assurance.monitoring_alerts (organization_id, monitor_id);
create index monitoring_alerts_model_id_idx on assurance.monitoring_alerts (organization_id, model_id);
create index monitoring_alerts_alert_type_idx on assurance.monitoring_alerts (organization_id, alert_type);
create index monitoring_alerts_status_idx on assurance.monitoring_alerts (organization_id, status, severity);
create index monitoring_alerts_open_idx on assurance.monitoring_alerts (organization_id, severity, created_at desc) where status = 'open';
create index monitoring_alerts_created_at_idx on assurance.monitoring_alerts (organization_id, created_at desc, id);

-- Who steps is who the transaction acts for: it cannot be claimed to be another.
create function assurance.monitoring_alerts_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and old.status <> new.status and (old.status, new.status) not in (
        ('open', 'acknowledged'), ('open', 'closed'), ('acknowledged', 'closed'))
    then
        raise exception 'an alert that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'monitoring_alerts_status_step', schema = 'assurance',
                  table = 'monitoring_alerts', column = 'status';
    end if;
    if new.status = 'acknowledged' and (tg_op = 'INSERT' or old.status <> 'acknowledged') then
        new.acknowledged_at := coalesce(case when tg_op = 'INSERT' then new.acknowledged_at end, clock_timestamp());
        new.acknowledged_by := coalesce(case when tg_op = 'INSERT' then new.acknowledged_by end, nullif(current_setting('ephor.actor_id', true), '')::uuid, new.acknowledged_by);
    elsif new.status = 'closed' and (tg_op = 'INSERT' or old.status <> 'closed') then
        new.closed_at := coalesce(case when tg_op = 'INSERT' then new.closed_at end, clock_timestamp());
        new.closed_by := coalesce(case when tg_op = 'INSERT' then new.closed_by end, nullif(current_setting('ephor.actor_id', true), '')::uuid, new.closed_by);
    end if;
    return new;
end $$;
comment on function assurance.monitoring_alerts_step() is 'Keeps alerts to their state machine, and stamps who acknowledged and closed them, and when.';
create trigger step before insert or update on assurance.monitoring_alerts for each row execute function assurance.monitoring_alerts_step();
select kernel.tenant_table('assurance.monitoring_alerts');

-- An imported analysis needs no result of Ephor's own to be completed: so requests cannot make one.
create function assurance.bias_analyses_origin() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.origin = 'imported' and current_user = 'ephor_app' then
        raise exception 'an analysis is imported by the import alone'
            using errcode = 'check_violation', constraint = 'bias_analyses_origin', schema = 'assurance',
                  table = 'bias_analyses', column = 'origin';
    end if;
    return new;
end $$;
comment on function assurance.bias_analyses_origin() is 'Refuses imported analyses to whoever serves requests.';
create trigger bias_analyses_origin before insert or update of origin on assurance.bias_analyses
    for each row execute function assurance.bias_analyses_origin();
