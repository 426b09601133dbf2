-- Discovery: where to look for AI in repositories, what was found, and how much of it.
--
-- The tables keep the names under which they were required; a source may be any git repository or a local folder.

create table discovery.github_scan_configs (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null default '',
    source text not null default 'github',
    github_org_name text,
    source_url text,
    credential_ref text,
    schedule_hours integer,
    settings jsonb not null default '{}',
    is_active boolean not null default true,
    status text not null default 'pending',
    job_id uuid,
    failure text,
    last_scan_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint github_scan_configs_pkey primary key (organization_id, id),
    constraint github_scan_configs_name_check check (length(name) <= 200),
    constraint github_scan_configs_source_check check (source in ('github', 'git', 'folder')),
    constraint github_scan_configs_github_org_name_check check (github_org_name ~ '^[^[:space:]/?#@:]{1,100}$'),
    constraint github_scan_configs_source_named_check check (case source when 'github' then github_org_name is not null else source_url is not null end),
    constraint github_scan_configs_source_url_check check (length(source_url) between 1 and 2000 and source_url !~* '^https?://[^/]*@' and source_url !~ '://[^/]*:[^/]*@' and source_url !~ '[[:cntrl:]]' and (source_url !~ '[?#]' or source = 'folder')),
    constraint github_scan_configs_source_folder_check check (source <> 'folder' or source_url ~ '^/' and source_url !~ '(^|/)\.\.(/|$)'),
    constraint github_scan_configs_credential_ref_check check (credential_ref ~ '^[a-z][a-z0-9_-]{0,62}$'),
    constraint github_scan_configs_schedule_hours_check check (schedule_hours between 1 and 8760),
    constraint github_scan_configs_settings_check check (jsonb_typeof(settings) = 'object'),
    constraint github_scan_configs_status_check check (status in ('pending', 'scanning', 'completed', 'failed')),
    constraint github_scan_configs_failure_check check (length(failure) between 1 and 4000)
);
comment on table discovery.github_scan_configs is 'A source to be scanned for AI: an organisation or user of GitHub, a git repository or a folder.';
comment on column discovery.github_scan_configs.organization_id is 'The organization that the configuration belongs to.';
comment on column discovery.github_scan_configs.id is 'The configuration.';
comment on column discovery.github_scan_configs.name is 'A name for people; empty when the source names itself.';
comment on column discovery.github_scan_configs.source is 'What is scanned: github (all repositories of an organisation or user), git (one repository by its URL) or folder (a folder on the server).';
comment on column discovery.github_scan_configs.github_org_name is 'The organisation or user of GitHub whose repositories are scanned; required for source github.';
comment on column discovery.github_scan_configs.source_url is 'The repository''s URL, or the folder''s path; for source github the address of another GitHub server. Never with credentials in it.';
comment on column discovery.github_scan_configs.credential_ref is 'The name under which the operator''s configuration holds the access token; the token itself is never stored.';
comment on column discovery.github_scan_configs.schedule_hours is 'Hours between two scans, 1 to 8760; null when it is scanned only when asked for.';
comment on column discovery.github_scan_configs.settings is 'What is left out and how deep the scan goes.';
comment on column discovery.github_scan_configs.is_active is 'Whether it is scanned by its schedule.';
comment on column discovery.github_scan_configs.status is 'How far its scan is: pending, scanning, completed or failed.';
comment on column discovery.github_scan_configs.job_id is 'The job of the last scan, in ops.jobs.';
comment on column discovery.github_scan_configs.failure is 'Why the last scan failed and what to do, when it did.';
comment on column discovery.github_scan_configs.last_scan_at is 'When a scan was last completed.';
comment on column discovery.github_scan_configs.created_by is 'Who set it up.';
comment on column discovery.github_scan_configs.created_at is 'When it was set up.';
comment on column discovery.github_scan_configs.updated_at is 'When it last changed.';
comment on column discovery.github_scan_configs.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint github_scan_configs_pkey on discovery.github_scan_configs is 'A configuration is known within its organization.';
comment on constraint github_scan_configs_name_check on discovery.github_scan_configs is 'A name has at most 200 characters.';
comment on constraint github_scan_configs_source_check on discovery.github_scan_configs is 'The kinds of source.';
comment on constraint github_scan_configs_github_org_name_check on discovery.github_scan_configs is 'The name of an organisation or user has 1 to 100 characters, without blanks and what separates the parts of a URL.';
comment on constraint github_scan_configs_source_named_check on discovery.github_scan_configs is 'GitHub needs the name of an organisation or user, everything else a URL or path.';
comment on constraint github_scan_configs_source_url_check on discovery.github_scan_configs is 'A URL or path has 1 to 2000 characters and carries neither user, password nor query: credentials go by reference.';
comment on constraint github_scan_configs_source_folder_check on discovery.github_scan_configs is 'A folder is named by its full path, which does not lead upwards.';
comment on constraint github_scan_configs_credential_ref_check on discovery.github_scan_configs is 'The name of a credential has 1 to 63 lower-case letters, digits, underscores and hyphens.';
comment on constraint github_scan_configs_schedule_hours_check on discovery.github_scan_configs is 'Between once an hour and once a year.';
comment on constraint github_scan_configs_settings_check on discovery.github_scan_configs is 'The settings are a JSON object.';
comment on constraint github_scan_configs_status_check on discovery.github_scan_configs is 'The states of a scan.';
comment on constraint github_scan_configs_failure_check on discovery.github_scan_configs is 'A reason has 1 to 4000 characters.';
create index github_scan_configs_created_at_idx on discovery.github_scan_configs (organization_id, created_at desc, id);
create index github_scan_configs_status_idx on discovery.github_scan_configs (organization_id, status, created_at desc);
-- Small: only what has a schedule.
create index github_scan_configs_due_idx on discovery.github_scan_configs (organization_id, last_scan_at)
    where is_active and schedule_hours is not null;
comment on index discovery.github_scan_configs_due_idx is 'Serves the search for sources whose next scan is due.';

-- pending -> scanning -> completed or failed, and then again; a worker that dies leaves the scan pending.
create function discovery.github_scan_configs_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'scanning'), ('pending', 'failed'), ('scanning', 'completed'), ('scanning', 'failed'),
        ('scanning', 'pending'), ('completed', 'pending'), ('completed', 'scanning'), ('failed', 'pending'),
        ('failed', 'scanning'))
    then
        raise exception 'a scan that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'github_scan_configs_status_step', schema = 'discovery',
                  table = 'github_scan_configs', column = 'status';
    end if;
    if old.status <> new.status then
        if new.status = 'completed' then
            new.last_scan_at := clock_timestamp();
        end if;
        -- A reason is that of the scan that failed, not of the ones after it.
        if new.status <> 'failed' then
            new.failure := null;
        end if;
    end if;
    return new;
end $$;
comment on function discovery.github_scan_configs_step() is 'Refuses steps that the state machine of scans does not have, and notes when one was completed.';
create trigger step before update of status on discovery.github_scan_configs
    for each row execute function discovery.github_scan_configs_step();
select kernel.tenant_table('discovery.github_scan_configs');

create table discovery.github_scan_results (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    scan_config_id uuid not null,
    repository_name text not null,
    repository_url text not null,
    commit_sha text,
    has_ai_usage boolean not null default false,
    ai_libraries text[] not null default '{}',
    ai_frameworks text[] not null default '{}',
    ai_models text[] not null default '{}',
    ai_providers text[] not null default '{}',
    confidence_score double precision,
    detection_type text,
    findings jsonb not null default '[]',
    scan_date timestamptz not null default now(),
    added_to_risk boolean not null default false,
    risk_item_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint github_scan_results_pkey primary key (organization_id, id),
    constraint github_scan_results_scan_config_id_fkey foreign key (organization_id, scan_config_id)
        references discovery.github_scan_configs (organization_id, id) on delete cascade,
    constraint github_scan_results_risk_item_id_fkey foreign key (organization_id, risk_item_id)
        references risk.risk_items (organization_id, id) on delete restrict,
    constraint github_scan_results_repository_key unique (organization_id, scan_config_id, scan_date, repository_url),
    constraint github_scan_results_risk_item_id_key unique (organization_id, risk_item_id),
    constraint github_scan_results_repository_name_check check (length(repository_name) between 1 and 500),
    constraint github_scan_results_repository_url_check check (length(repository_url) between 1 and 2000 and repository_url !~* '^https?://[^/]*@' and repository_url !~ '://[^/]*:[^/]*@'),
    constraint github_scan_results_commit_sha_check check (commit_sha ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    constraint github_scan_results_ai_libraries_check check (cardinality(ai_libraries) <= 10000 and array_position(ai_libraries, null) is null),
    constraint github_scan_results_ai_frameworks_check check (cardinality(ai_frameworks) <= 10000 and array_position(ai_frameworks, null) is null),
    constraint github_scan_results_ai_models_check check (cardinality(ai_models) <= 10000 and array_position(ai_models, null) is null),
    constraint github_scan_results_ai_providers_check check (cardinality(ai_providers) <= 10000 and array_position(ai_providers, null) is null),
    constraint github_scan_results_confidence_score_check check (confidence_score between 0 and 1),
    constraint github_scan_results_detection_type_check check (length(detection_type) between 1 and 100),
    constraint github_scan_results_findings_check check (jsonb_typeof(findings) = 'array'),
    constraint github_scan_results_findings_secret_check check (not findings @? '$.** ? (exists(@.secret) || exists(@.token) || exists(@.password) || exists(@.value))'),
    constraint github_scan_results_risk_item_id_check check (risk_item_id is null or added_to_risk)
);
comment on table discovery.github_scan_results is 'What one scan found in one repository.';
comment on column discovery.github_scan_results.organization_id is 'The organization that the result belongs to.';
comment on column discovery.github_scan_results.id is 'The result.';
comment on column discovery.github_scan_results.scan_config_id is 'The source that was scanned.';
comment on column discovery.github_scan_results.repository_name is 'The repository''s name, with its owner when it has one.';
comment on column discovery.github_scan_results.repository_url is 'Where the repository is: a URL, or a path when it is a folder. Never with credentials in it.';
comment on column discovery.github_scan_results.commit_sha is 'The commit that was scanned, in hexadecimal; null when the source has no history.';
comment on column discovery.github_scan_results.has_ai_usage is 'Whether AI is used in it, as far as the scan can tell.';
comment on column discovery.github_scan_results.ai_libraries is 'The AI libraries that were found, such as transformers.';
comment on column discovery.github_scan_results.ai_frameworks is 'The AI frameworks that were found, such as pytorch.';
comment on column discovery.github_scan_results.ai_models is 'The models that are named in it, such as gpt-4o.';
comment on column discovery.github_scan_results.ai_providers is 'The providers that it calls, such as openai.';
comment on column discovery.github_scan_results.confidence_score is 'How sure the finding is, 0 to 1, from independent signals; null when nothing was found or it is not known.';
comment on column discovery.github_scan_results.detection_type is 'The kind of the strongest signal: manifest, lock_file, import, notebook, model_file, configuration, key, prompt, mcp_server, agent or vector_store.';
comment on column discovery.github_scan_results.findings is 'The evidence: kind, name, file and line of each signal. A key that was found is told by mask and hash, never by its value. Not written into the audit trail.';
comment on column discovery.github_scan_results.scan_date is 'The time of the scan; the same for all its results and its summary.';
comment on column discovery.github_scan_results.added_to_risk is 'Whether a risk was opened for it, which happens once.';
comment on column discovery.github_scan_results.risk_item_id is 'The risk that was opened for it; null when none was, or when it was opened elsewhere.';
comment on column discovery.github_scan_results.created_at is 'When it was stored.';
comment on column discovery.github_scan_results.updated_at is 'When it last changed.';
comment on column discovery.github_scan_results.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint github_scan_results_pkey on discovery.github_scan_results is 'A result is known within its organization.';
comment on constraint github_scan_results_scan_config_id_fkey on discovery.github_scan_results is 'A result is a part of its source''s scans and goes with it.';
comment on constraint github_scan_results_risk_item_id_fkey on discovery.github_scan_results is 'The risk must be one of the organization; it is kept as long as the result that it was opened for.';
comment on constraint github_scan_results_repository_key on discovery.github_scan_results is 'A scan has one result for each repository.';
comment on constraint github_scan_results_risk_item_id_key on discovery.github_scan_results is 'A risk is opened for one result.';
comment on constraint github_scan_results_repository_name_check on discovery.github_scan_results is 'A name has 1 to 500 characters.';
comment on constraint github_scan_results_repository_url_check on discovery.github_scan_results is 'A URL or path has 1 to 2000 characters and carries neither user nor password.';
comment on constraint github_scan_results_commit_sha_check on discovery.github_scan_results is 'A commit is named by a SHA-1 or SHA-256 hash in lower-case hexadecimal.';
comment on constraint github_scan_results_ai_libraries_check on discovery.github_scan_results is 'At most 10000 names.';
comment on constraint github_scan_results_ai_frameworks_check on discovery.github_scan_results is 'At most 10000 names.';
comment on constraint github_scan_results_ai_models_check on discovery.github_scan_results is 'At most 10000 names.';
comment on constraint github_scan_results_ai_providers_check on discovery.github_scan_results is 'At most 10000 names.';
comment on constraint github_scan_results_confidence_score_check on discovery.github_scan_results is 'A confidence is between 0 and 1.';
comment on constraint github_scan_results_detection_type_check on discovery.github_scan_results is 'A kind of signal has 1 to 100 characters.';
comment on constraint github_scan_results_findings_check on discovery.github_scan_results is 'The findings are a JSON array.';
comment on constraint github_scan_results_findings_secret_check on discovery.github_scan_results is 'No finding carries the value of a secret: it is told by masked and sha256.';
comment on constraint github_scan_results_risk_item_id_check on discovery.github_scan_results is 'What a risk was opened for is marked so.';
create index github_scan_results_created_at_idx on discovery.github_scan_results (organization_id, created_at desc, id);
create index github_scan_results_scan_date_idx on discovery.github_scan_results (organization_id, scan_date desc, id);
create index github_scan_results_repository_idx on discovery.github_scan_results (organization_id, repository_name, scan_date desc);
create index github_scan_results_unadded_idx on discovery.github_scan_results (organization_id, scan_date desc, id)
    where has_ai_usage and not added_to_risk;
comment on index discovery.github_scan_results_unadded_idx is 'Serves what was found and is no risk yet.';

-- A result becomes a risk once: what was added stays so, under the risk that it was added as.
create function discovery.github_scan_results_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.risk_item_id is not null then
        new.added_to_risk := true;
    end if;
    if old.added_to_risk and (not new.added_to_risk or new.risk_item_id is distinct from old.risk_item_id) then
        raise exception 'a scan result is added to risk once'
            using errcode = 'check_violation', constraint = 'github_scan_results_added_to_risk_step', schema = 'discovery',
                  table = 'github_scan_results', column = 'added_to_risk';
    end if;
    return new;
end $$;
comment on function discovery.github_scan_results_step() is 'Keeps a scan result from being added to risk twice, or from being taken back.';
create trigger step before update of added_to_risk, risk_item_id on discovery.github_scan_results
    for each row execute function discovery.github_scan_results_step();
select kernel.tenant_table('discovery.github_scan_results', masked => '{findings}', writable => false);
-- People decide one thing about a result: that it is a risk.
grant update (added_to_risk, risk_item_id) on discovery.github_scan_results to ephor_app;

create table discovery.github_scan_summaries (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    scan_config_id uuid not null,
    total_repositories integer not null,
    repositories_with_ai integer not null,
    failed_repositories integer not null default 0,
    scan_date timestamptz not null default now(),
    job_id uuid,
    created_at timestamptz not null default now(),
    constraint github_scan_summaries_pkey primary key (organization_id, id),
    constraint github_scan_summaries_scan_config_id_fkey foreign key (organization_id, scan_config_id)
        references discovery.github_scan_configs (organization_id, id) on delete cascade,
    constraint github_scan_summaries_scan_date_key unique (organization_id, scan_config_id, scan_date),
    constraint github_scan_summaries_total_repositories_check check (total_repositories >= 0),
    constraint github_scan_summaries_repositories_with_ai_check check (repositories_with_ai between 0 and total_repositories),
    constraint github_scan_summaries_failed_repositories_check check (failed_repositories >= 0)
);
comment on table discovery.github_scan_summaries is 'How much AI one scan of a source found.';
comment on column discovery.github_scan_summaries.organization_id is 'The organization that the summary belongs to.';
comment on column discovery.github_scan_summaries.id is 'The summary.';
comment on column discovery.github_scan_summaries.scan_config_id is 'The source that was scanned.';
comment on column discovery.github_scan_summaries.total_repositories is 'How many repositories were scanned.';
comment on column discovery.github_scan_summaries.repositories_with_ai is 'How many of them use AI.';
comment on column discovery.github_scan_summaries.failed_repositories is 'How many repositories could not be read, and are not counted in the total.';
comment on column discovery.github_scan_summaries.scan_date is 'The time of the scan; the same for all its results.';
comment on column discovery.github_scan_summaries.job_id is 'The job that scanned, in ops.jobs.';
comment on column discovery.github_scan_summaries.created_at is 'When it was stored.';
comment on constraint github_scan_summaries_pkey on discovery.github_scan_summaries is 'A summary is known within its organization.';
comment on constraint github_scan_summaries_scan_config_id_fkey on discovery.github_scan_summaries is 'A summary is a part of its source''s scans and goes with it.';
comment on constraint github_scan_summaries_scan_date_key on discovery.github_scan_summaries is 'A scan has one summary.';
comment on constraint github_scan_summaries_total_repositories_check on discovery.github_scan_summaries is 'A count is not negative.';
comment on constraint github_scan_summaries_repositories_with_ai_check on discovery.github_scan_summaries is 'No more repositories use AI than were scanned.';
comment on constraint github_scan_summaries_failed_repositories_check on discovery.github_scan_summaries is 'A count is not negative.';
create index github_scan_summaries_created_at_idx on discovery.github_scan_summaries (organization_id, created_at desc, id);
create index github_scan_summaries_scan_date_idx on discovery.github_scan_summaries (organization_id, scan_date desc, id);
select kernel.tenant_table('discovery.github_scan_summaries', writable => false);
