-- The guard: policies and their versions, what they decided, what was violated, and what the guards saw.

create table guard.policies (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    code text not null,
    name text not null,
    description text,
    enforcement_type text not null default 'fairness_check',
    rules jsonb not null,
    is_active boolean not null default true,
    priority integer not null default 100,
    revision integer not null default 1,
    last_modified_by uuid,
    metadata jsonb not null default '{}',
    builtin_code text,
    builtin_version integer,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint policies_pkey primary key (organization_id, id),
    constraint policies_code_check check (length(code) between 1 and 100),
    constraint policies_code_key unique (organization_id, code),
    constraint policies_name_check check (length(name) between 1 and 255),
    constraint policies_description_check check (length(description) <= 20000),
    constraint policies_enforcement_type_check check (length(enforcement_type) between 1 and 50),
    constraint policies_rules_check check (jsonb_typeof(rules) in ('array', 'object')),
    constraint policies_priority_check check (priority between 0 and 1000000),
    constraint policies_revision_check check (revision >= 1),
    constraint policies_metadata_check check (jsonb_typeof(metadata) = 'object'),
    constraint policies_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint policies_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1),
    constraint policies_builtin_code_key unique (organization_id, builtin_code)
);
comment on table guard.policies is 'A rule about what AI may do: evaluated on findings of guards, metrics of fairness, or the request.';
comment on column guard.policies.organization_id is 'The organization that the policy belongs to.';
comment on column guard.policies.id is 'The policy.';
comment on column guard.policies.code is 'Its stable code, once in an organization.';
comment on column guard.policies.name is 'A name for people.';
comment on column guard.policies.description is 'What it is for.';
comment on column guard.policies.enforcement_type is 'What it enforces, such as fairness_check.';
comment on column guard.policies.rules is 'Its rules: conditions, and the decision, severity and message that they yield.';
comment on column guard.policies.is_active is 'Whether it is evaluated.';
comment on column guard.policies.priority is 'Which of two equally severe decisions counts: the one of the smaller number.';
comment on column guard.policies.revision is 'Which version of its rules is in force; counted by the database.';
comment on column guard.policies.last_modified_by is 'Who changed it last.';
comment on column guard.policies.metadata is 'Whatever else is kept with it.';
comment on column guard.policies.builtin_code is 'Which built-in entry it is a copy of; null for one of the organization''s own.';
comment on column guard.policies.builtin_version is 'Which version of the built-in entry it was copied from.';
comment on column guard.policies.created_by is 'Who made it: a person, an assistant or Ephor itself.';
comment on column guard.policies.created_at is 'When it was made.';
comment on column guard.policies.updated_at is 'When it last changed.';
comment on column guard.policies.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint policies_pkey on guard.policies is 'The policy is known within its organization.';
comment on constraint policies_code_check on guard.policies is 'The code has 1 to 100 characters.';
comment on constraint policies_code_key on guard.policies is 'A code is given once in an organization.';
comment on constraint policies_name_check on guard.policies is 'The name has 1 to 255 characters.';
comment on constraint policies_description_check on guard.policies is 'The description has at most 20000 characters.';
comment on constraint policies_enforcement_type_check on guard.policies is 'The enforcement type has 1 to 50 characters.';
comment on constraint policies_rules_check on guard.policies is 'The rules: a JSON array or object.';
comment on constraint policies_priority_check on guard.policies is 'The priority: 0 to 1000000.';
comment on constraint policies_revision_check on guard.policies is 'The revision is at least 1.';
comment on constraint policies_metadata_check on guard.policies is 'The metadata: a JSON object.';
comment on constraint policies_builtin_code_check on guard.policies is 'The code of a built-in entry has 1 to 100 characters.';
comment on constraint policies_builtin_version_check on guard.policies is 'A copy of a built-in entry, and nothing else, has its version.';
comment on constraint policies_builtin_code_key on guard.policies is 'An organization has one copy of each built-in entry.';
create index policies_created_at_idx on guard.policies (organization_id, created_at desc, id);
create index policies_is_active_idx on guard.policies (organization_id, is_active, priority);
select kernel.tenant_table('guard.policies');

create table guard.policy_versions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    policy_id uuid not null,
    revision integer not null,
    name text not null,
    enforcement_type text not null,
    rules jsonb not null,
    priority integer not null,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    constraint policy_versions_pkey primary key (organization_id, id),
    constraint policy_versions_policy_id_fkey foreign key (organization_id, policy_id)
        references guard.policies (organization_id, id) on delete cascade,
    constraint policy_versions_revision_check check (revision >= 1),
    constraint policy_versions_revision_key unique (organization_id, policy_id, revision),
    constraint policy_versions_name_check check (length(name) between 1 and 255),
    constraint policy_versions_enforcement_type_check check (length(enforcement_type) between 1 and 50),
    constraint policy_versions_rules_check check (jsonb_typeof(rules) in ('array', 'object')),
    constraint policy_versions_priority_check check (priority between 0 and 1000000)
);
comment on table guard.policy_versions is 'What a policy''s rules were at one revision: kept whenever they change, and never changed.';
comment on column guard.policy_versions.organization_id is 'The organization that the version belongs to.';
comment on column guard.policy_versions.id is 'The version.';
comment on column guard.policy_versions.policy_id is 'The policy.';
comment on column guard.policy_versions.revision is 'Its number, from 1.';
comment on column guard.policy_versions.name is 'The policy''s name at that revision.';
comment on column guard.policy_versions.enforcement_type is 'What it enforced.';
comment on column guard.policy_versions.rules is 'Its rules.';
comment on column guard.policy_versions.priority is 'Its priority.';
comment on column guard.policy_versions.created_by is 'Who changed it: a person, an assistant or Ephor itself.';
comment on column guard.policy_versions.created_at is 'When it was changed.';
comment on constraint policy_versions_pkey on guard.policy_versions is 'The version is known within its organization.';
comment on constraint policy_versions_policy_id_fkey on guard.policy_versions is 'A version is a part of its policy and goes with it.';
comment on constraint policy_versions_revision_check on guard.policy_versions is 'The revision is at least 1.';
comment on constraint policy_versions_revision_key on guard.policy_versions is 'A number is given once for a policy.';
comment on constraint policy_versions_name_check on guard.policy_versions is 'The name has 1 to 255 characters.';
comment on constraint policy_versions_enforcement_type_check on guard.policy_versions is 'The enforcement type has 1 to 50 characters.';
comment on constraint policy_versions_rules_check on guard.policy_versions is 'The rules: a JSON array or object.';
comment on constraint policy_versions_priority_check on guard.policy_versions is 'The priority: 0 to 1000000.';
create index policy_versions_created_at_idx on guard.policy_versions (organization_id, created_at desc, id);
select kernel.tenant_table('guard.policy_versions');

revoke insert, update, delete on guard.policy_versions from ephor_app;
grant insert on guard.policy_versions to ephor_app;

-- The revision follows from what changes: nobody can set it, and no way of changing rules can forget it.
create function guard.policies_revise() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.revision := old.revision + (
        (old.rules, old.enforcement_type, old.priority) is distinct from (new.rules, new.enforcement_type, new.priority))::integer;
    new.last_modified_by := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.last_modified_by);
    return new;
end $$;
comment on function guard.policies_revise() is 'Counts the revisions of a policy''s rules, and notes who changed it.';
create trigger revise before update on guard.policies for each row execute function guard.policies_revise();

create function guard.policy_version_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into guard.policy_versions (
        organization_id, policy_id, revision, name, enforcement_type, rules, priority, created_by)
    values (
        new.organization_id, new.id, new.revision, new.name, new.enforcement_type, new.rules, new.priority,
        coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.created_by));
    return null;
end $$;
comment on function guard.policy_version_keep() is 'Keeps what a policy''s rules were at each of its revisions.';
create trigger keep_first after insert on guard.policies for each row execute function guard.policy_version_keep();
create trigger keep_version after update on guard.policies for each row
    when (old.revision <> new.revision) execute function guard.policy_version_keep();

create table guard.policy_decisions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    code text,
    user_id uuid,
    policy_id uuid,
    policy_revision integer,
    subject_type text,
    subject_id uuid,
    event_type text not null,
    event_status text not null,
    enforcement_type text,
    policy_name text,
    decision text,
    enforcement_passed boolean,
    violations jsonb,
    warnings jsonb,
    fairness_metrics jsonb,
    compliance_metrics jsonb,
    user_email text,
    ip_address text,
    user_agent text,
    context_data jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint policy_decisions_pkey primary key (organization_id, id),
    constraint policy_decisions_code_check check (length(code) between 1 and 100),
    constraint policy_decisions_code_key unique (organization_id, code),
    constraint policy_decisions_policy_id_fkey foreign key (organization_id, policy_id)
        references guard.policies (organization_id, id) on delete restrict,
    constraint policy_decisions_policy_revision_check check (policy_revision >= 1),
    constraint policy_decisions_subject_type_check check (length(subject_type) between 1 and 100),
    constraint policy_decisions_event_type_check check (length(event_type) between 1 and 100),
    constraint policy_decisions_event_status_check check (length(event_status) between 1 and 50),
    constraint policy_decisions_enforcement_type_check check (length(enforcement_type) between 1 and 50),
    constraint policy_decisions_policy_name_check check (length(policy_name) between 1 and 255),
    constraint policy_decisions_decision_check check (decision in ('allow', 'deny', 'review_required')),
    constraint policy_decisions_violations_check check (jsonb_typeof(violations) in ('array', 'object')),
    constraint policy_decisions_warnings_check check (jsonb_typeof(warnings) in ('array', 'object')),
    constraint policy_decisions_fairness_metrics_check check (jsonb_typeof(fairness_metrics) in ('array', 'object')),
    constraint policy_decisions_compliance_metrics_check check (jsonb_typeof(compliance_metrics) in ('array', 'object')),
    constraint policy_decisions_user_email_check check (length(user_email) <= 255),
    constraint policy_decisions_ip_address_check check (length(ip_address) <= 45),
    constraint policy_decisions_user_agent_check check (length(user_agent) <= 500),
    constraint policy_decisions_context_data_check check (jsonb_typeof(context_data) in ('array', 'object'))
);
comment on table guard.policy_decisions is 'What the policies decided about one event: who, what, which policy, why. Written by Ephor alone.';
comment on column guard.policy_decisions.organization_id is 'The organization that the decision belongs to.';
comment on column guard.policy_decisions.id is 'The decision.';
comment on column guard.policy_decisions.code is 'The decision''s number in the system that it came from, once in an organization.';
comment on column guard.policy_decisions.user_id is 'The user whose request it was, when there is one.';
comment on column guard.policy_decisions.policy_id is 'The policy that decided; null when none applied.';
comment on column guard.policy_decisions.policy_revision is 'The revision of the policy''s rules that decided.';
comment on column guard.policy_decisions.subject_type is 'What it was about, such as guard_operation or bias_analysis.';
comment on column guard.policy_decisions.subject_id is 'The row that it was about, of the kind that subject_type says.';
comment on column guard.policy_decisions.event_type is 'What happened, such as gateway_request.';
comment on column guard.policy_decisions.event_status is 'How it went on, such as completed.';
comment on column guard.policy_decisions.enforcement_type is 'What the policy enforces.';
comment on column guard.policy_decisions.policy_name is 'The policy''s name at the time.';
comment on column guard.policy_decisions.decision is 'allow, deny or review_required; null when nothing was decided.';
comment on column guard.policy_decisions.enforcement_passed is 'Whether the event kept to the policy.';
comment on column guard.policy_decisions.violations is 'What was violated.';
comment on column guard.policy_decisions.warnings is 'What was doubtful.';
comment on column guard.policy_decisions.fairness_metrics is 'The metrics of fairness that the decision rests on.';
comment on column guard.policy_decisions.compliance_metrics is 'The metrics of compliance that it rests on.';
comment on column guard.policy_decisions.user_email is 'The user''s e-mail address at the time.';
comment on column guard.policy_decisions.ip_address is 'Where the request came from.';
comment on column guard.policy_decisions.user_agent is 'With what it was made.';
comment on column guard.policy_decisions.context_data is 'Whatever else the decision rests on.';
comment on column guard.policy_decisions.created_at is 'When it was taken.';
comment on column guard.policy_decisions.updated_at is 'When it last changed.';
comment on column guard.policy_decisions.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint policy_decisions_pkey on guard.policy_decisions is 'The decision is known within its organization.';
comment on constraint policy_decisions_code_check on guard.policy_decisions is 'The code has 1 to 100 characters.';
comment on constraint policy_decisions_code_key on guard.policy_decisions is 'A code is given once in an organization.';
comment on constraint policy_decisions_policy_id_fkey on guard.policy_decisions is 'The policy must be one of the organization; one that has decided is switched off, not deleted.';
comment on constraint policy_decisions_policy_revision_check on guard.policy_decisions is 'The policy revision is at least 1.';
comment on constraint policy_decisions_subject_type_check on guard.policy_decisions is 'The subject type has 1 to 100 characters.';
comment on constraint policy_decisions_event_type_check on guard.policy_decisions is 'The event type has 1 to 100 characters.';
comment on constraint policy_decisions_event_status_check on guard.policy_decisions is 'The event status has 1 to 50 characters.';
comment on constraint policy_decisions_enforcement_type_check on guard.policy_decisions is 'The enforcement type has 1 to 50 characters.';
comment on constraint policy_decisions_policy_name_check on guard.policy_decisions is 'The policy name has 1 to 255 characters.';
comment on constraint policy_decisions_decision_check on guard.policy_decisions is 'The words for decision.';
comment on constraint policy_decisions_violations_check on guard.policy_decisions is 'The violations: a JSON array or object.';
comment on constraint policy_decisions_warnings_check on guard.policy_decisions is 'The warnings: a JSON array or object.';
comment on constraint policy_decisions_fairness_metrics_check on guard.policy_decisions is 'The fairness metrics: a JSON array or object.';
comment on constraint policy_decisions_compliance_metrics_check on guard.policy_decisions is 'The compliance metrics: a JSON array or object.';
comment on constraint policy_decisions_user_email_check on guard.policy_decisions is 'The user email has at most 255 characters.';
comment on constraint policy_decisions_ip_address_check on guard.policy_decisions is 'The ip address has at most 45 characters.';
comment on constraint policy_decisions_user_agent_check on guard.policy_decisions is 'The user agent has at most 500 characters.';
comment on constraint policy_decisions_context_data_check on guard.policy_decisions is 'The context data: a JSON array or object.';
create index policy_decisions_policy_id_idx on guard.policy_decisions (organization_id, policy_id);
create index policy_decisions_created_at_idx on guard.policy_decisions (organization_id, created_at desc, id);
create index policy_decisions_event_type_idx on guard.policy_decisions (organization_id, event_type, created_at desc);
create index policy_decisions_decision_idx on guard.policy_decisions (organization_id, decision, created_at desc);
create index policy_decisions_user_id_idx on guard.policy_decisions (organization_id, user_id, created_at desc);
create index policy_decisions_subject_id_idx on guard.policy_decisions (organization_id, subject_type, subject_id);
select kernel.tenant_table('guard.policy_decisions', writable => false);

create table guard.policy_violations (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    decision_id uuid not null,
    policy_id uuid not null,
    user_id uuid,
    violation_type text not null,
    severity text not null,
    description text,
    status text not null default 'open',
    assigned_to uuid,
    resolution_notes text,
    resolved_at timestamptz,
    resolved_by uuid,
    impact_score numeric(5, 2),
    remediation_required boolean not null default false,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint policy_violations_pkey primary key (organization_id, id),
    constraint policy_violations_decision_id_fkey foreign key (organization_id, decision_id)
        references guard.policy_decisions (organization_id, id) on delete restrict,
    constraint policy_violations_policy_id_fkey foreign key (organization_id, policy_id)
        references guard.policies (organization_id, id) on delete restrict,
    constraint policy_violations_violation_type_check check (length(violation_type) between 1 and 100),
    constraint policy_violations_severity_check check (severity in ('low', 'medium', 'high', 'critical')),
    constraint policy_violations_description_check check (length(description) <= 20000),
    constraint policy_violations_status_check check (status in ('open', 'triaged', 'investigating', 'resolved', 'dismissed')),
    constraint policy_violations_resolution_notes_check check (length(resolution_notes) between 1 and 20000),
    constraint policy_violations_resolved_check check (status not in ('resolved', 'dismissed') or resolution_notes is not null),
    constraint policy_violations_impact_score_check check (impact_score between 0 and 100),
    constraint policy_violations_metadata_check check (jsonb_typeof(metadata) = 'object')
);
comment on table guard.policy_violations is 'A policy that was violated: opened by a decision, looked into and resolved by people.';
comment on column guard.policy_violations.organization_id is 'The organization that the violation belongs to.';
comment on column guard.policy_violations.id is 'The violation.';
comment on column guard.policy_violations.decision_id is 'The decision that opened it.';
comment on column guard.policy_violations.policy_id is 'The policy that was violated.';
comment on column guard.policy_violations.user_id is 'The user whose request it was, when there is one.';
comment on column guard.policy_violations.violation_type is 'What kind of violation it is.';
comment on column guard.policy_violations.severity is 'How severe it is: low, medium, high or critical.';
comment on column guard.policy_violations.description is 'What was violated.';
comment on column guard.policy_violations.status is 'open, triaged, investigating, resolved or dismissed.';
comment on column guard.policy_violations.assigned_to is 'The user who looks into it.';
comment on column guard.policy_violations.resolution_notes is 'How it was resolved or why it was dismissed; needed for either.';
comment on column guard.policy_violations.resolved_at is 'When it was resolved or dismissed.';
comment on column guard.policy_violations.resolved_by is 'Who resolved or dismissed it.';
comment on column guard.policy_violations.impact_score is 'How much it weighs, 0 to 100.';
comment on column guard.policy_violations.remediation_required is 'Whether something has to be put right.';
comment on column guard.policy_violations.metadata is 'Whatever else is kept with it.';
comment on column guard.policy_violations.created_at is 'When it was opened.';
comment on column guard.policy_violations.updated_at is 'When it last changed.';
comment on column guard.policy_violations.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint policy_violations_pkey on guard.policy_violations is 'The violation is known within its organization.';
comment on constraint policy_violations_decision_id_fkey on guard.policy_violations is 'A violation rests on its decision, which is kept as long.';
comment on constraint policy_violations_policy_id_fkey on guard.policy_violations is 'The policy must be one of the organization; one that was violated is switched off, not deleted.';
comment on constraint policy_violations_violation_type_check on guard.policy_violations is 'The violation type has 1 to 100 characters.';
comment on constraint policy_violations_severity_check on guard.policy_violations is 'The words for severity.';
comment on constraint policy_violations_description_check on guard.policy_violations is 'The description has at most 20000 characters.';
comment on constraint policy_violations_status_check on guard.policy_violations is 'The words for status.';
comment on constraint policy_violations_resolution_notes_check on guard.policy_violations is 'The resolution notes has 1 to 20000 characters.';
comment on constraint policy_violations_resolved_check on guard.policy_violations is 'What is resolved or dismissed says how or why.';
comment on constraint policy_violations_impact_score_check on guard.policy_violations is 'The impact score: 0 to 100.';
comment on constraint policy_violations_metadata_check on guard.policy_violations is 'The metadata: a JSON object.';
create index policy_violations_decision_id_idx on guard.policy_violations (organization_id, decision_id);
create index policy_violations_policy_id_idx on guard.policy_violations (organization_id, policy_id);
create index policy_violations_created_at_idx on guard.policy_violations (organization_id, created_at desc, id);
create index policy_violations_status_idx on guard.policy_violations (organization_id, status, created_at desc);
create index policy_violations_severity_idx on guard.policy_violations (organization_id, severity, status);
select kernel.tenant_table('guard.policy_violations');

-- Ephor opens them; people may only change what they find out.
revoke insert, delete on guard.policy_violations from ephor_app;

-- open -> triaged | investigating -> resolved | dismissed; who ended it and when is stamped here.
create function guard.policy_violations_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('open', 'triaged'), ('open', 'investigating'), ('triaged', 'investigating'),
        ('triaged', 'resolved'), ('triaged', 'dismissed'), ('investigating', 'triaged'),
        ('investigating', 'resolved'), ('investigating', 'dismissed'))
    then
        raise exception 'a violation that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'policy_violations_status_step', schema = 'guard',
                  table = 'policy_violations', column = 'status';
    end if;
    if old.status <> new.status and new.status in ('resolved', 'dismissed') then
        new.resolved_at := now();
        new.resolved_by := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    end if;
    return new;
end $$;
comment on function guard.policy_violations_step() is 'Refuses steps that the state machine of policy violations does not have, and stamps those that it takes.';
create trigger step before update of status on guard.policy_violations for each row execute function guard.policy_violations_step();

create table guard.guard_operations (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    guard_name text not null,
    operation_type text not null,
    input_data jsonb,
    output_data jsonb,
    processing_time_ms double precision,
    success boolean default true,
    error_message text,
    user_reference text,
    session_reference text,
    created_at timestamptz not null default now(),
    constraint guard_operations_pkey primary key (organization_id, id, created_at),
    constraint guard_operations_guard_name_check check (length(guard_name) between 1 and 50),
    constraint guard_operations_operation_type_check check (length(operation_type) between 1 and 100),
    constraint guard_operations_input_data_check check (jsonb_typeof(input_data) in ('array', 'object', 'string')),
    constraint guard_operations_output_data_check check (jsonb_typeof(output_data) in ('array', 'object', 'string')),
    constraint guard_operations_processing_time_ms_check check (processing_time_ms >= 0),
    constraint guard_operations_error_message_check check (length(error_message) <= 10000),
    constraint guard_operations_user_reference_check check (length(user_reference) <= 100),
    constraint guard_operations_session_reference_check check (length(session_reference) <= 100)
) partition by range (created_at);
comment on table guard.guard_operations is 'One call of a guard: what went in, what came out, how long it took. Written by Ephor alone.';
comment on column guard.guard_operations.organization_id is 'The organization that the operation belongs to.';
comment on column guard.guard_operations.id is 'The operation.';
comment on column guard.guard_operations.guard_name is 'The guard: bias, trust, token, context, health or security, or one of another system.';
comment on column guard.guard_operations.operation_type is 'What it did, such as scan or redact.';
comment on column guard.guard_operations.input_data is 'What it was given, redacted as the organization''s policy says.';
comment on column guard.guard_operations.output_data is 'What it found, redacted likewise.';
comment on column guard.guard_operations.processing_time_ms is 'How long it took, in milliseconds.';
comment on column guard.guard_operations.success is 'Whether it could answer.';
comment on column guard.guard_operations.error_message is 'Why it could not.';
comment on column guard.guard_operations.user_reference is 'Whose request it was: a user''s id, or what the calling system calls the user.';
comment on column guard.guard_operations.session_reference is 'The session or conversation, as the calling system calls it.';
comment on column guard.guard_operations.created_at is 'When it was done.';
comment on constraint guard_operations_pkey on guard.guard_operations is 'The operation is known within its organization, and by its time.';
comment on constraint guard_operations_guard_name_check on guard.guard_operations is 'The guard name has 1 to 50 characters.';
comment on constraint guard_operations_operation_type_check on guard.guard_operations is 'The operation type has 1 to 100 characters.';
comment on constraint guard_operations_input_data_check on guard.guard_operations is 'The input data: a JSON array, object or string.';
comment on constraint guard_operations_output_data_check on guard.guard_operations is 'The output data: a JSON array, object or string.';
comment on constraint guard_operations_processing_time_ms_check on guard.guard_operations is 'The processing time ms is at least 0.';
comment on constraint guard_operations_error_message_check on guard.guard_operations is 'The error message has at most 10000 characters.';
comment on constraint guard_operations_user_reference_check on guard.guard_operations is 'The user reference has at most 100 characters.';
comment on constraint guard_operations_session_reference_check on guard.guard_operations is 'The session reference has at most 100 characters.';
create index guard_operations_created_at_idx on guard.guard_operations (organization_id, created_at desc, id);
create index guard_operations_guard_name_idx on guard.guard_operations (organization_id, guard_name, created_at desc);
create index guard_operations_session_reference_idx on guard.guard_operations (organization_id, session_reference);
select kernel.tenant_table('guard.guard_operations', audited => false, writable => false);
select kernel.partition_by_month('guard.guard_operations');

create table guard.guard_metrics (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    guard_name text not null,
    metric_type text not null,
    metric_value double precision,
    metric_data jsonb,
    measured_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    constraint guard_metrics_pkey primary key (organization_id, id),
    constraint guard_metrics_guard_name_check check (length(guard_name) between 1 and 50),
    constraint guard_metrics_metric_type_check check (length(metric_type) between 1 and 100),
    constraint guard_metrics_metric_data_check check (jsonb_typeof(metric_data) in ('array', 'object', 'string'))
);
comment on table guard.guard_metrics is 'A number that sums up the operations of a guard. Written by Ephor alone.';
comment on column guard.guard_metrics.organization_id is 'The organization that the metric belongs to.';
comment on column guard.guard_metrics.id is 'The metric.';
comment on column guard.guard_metrics.guard_name is 'The guard.';
comment on column guard.guard_metrics.metric_type is 'What was measured, such as latency_p99_ms.';
comment on column guard.guard_metrics.metric_value is 'The number, in the unit that metric_type says.';
comment on column guard.guard_metrics.metric_data is 'What belongs to the number, such as its parts.';
comment on column guard.guard_metrics.measured_at is 'The time that it is about.';
comment on column guard.guard_metrics.created_at is 'When it was stored.';
comment on constraint guard_metrics_pkey on guard.guard_metrics is 'The metric is known within its organization.';
comment on constraint guard_metrics_guard_name_check on guard.guard_metrics is 'The guard name has 1 to 50 characters.';
comment on constraint guard_metrics_metric_type_check on guard.guard_metrics is 'The metric type has 1 to 100 characters.';
comment on constraint guard_metrics_metric_data_check on guard.guard_metrics is 'The metric data: a JSON array, object or string.';
create index guard_metrics_created_at_idx on guard.guard_metrics (organization_id, created_at desc, id);
create index guard_metrics_guard_name_idx on guard.guard_metrics (organization_id, guard_name, measured_at desc);
select kernel.tenant_table('guard.guard_metrics', audited => false, writable => false);
