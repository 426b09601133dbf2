-- Compliance: frameworks with their requirements, the controls that serve them, evidence, assessments and reports.

create table compliance.frameworks (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    code text not null,
    name text not null,
    description text not null default '',
    citation text not null default '',
    jurisdiction text not null default '',
    kind text not null default '',
    as_of date,
    sources jsonb not null default '[]',
    licence text not null default '',
    details jsonb not null default '{}',
    is_active boolean not null default true,
    builtin_code text,
    builtin_version integer,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint frameworks_pkey primary key (organization_id, id),
    constraint frameworks_code_check check (length(code) between 1 and 100),
    constraint frameworks_code_key unique (organization_id, code),
    constraint frameworks_name_check check (length(name) between 1 and 300),
    constraint frameworks_description_check check (length(description) <= 20000),
    constraint frameworks_citation_check check (length(citation) <= 1000),
    constraint frameworks_jurisdiction_check check (length(jurisdiction) <= 100),
    constraint frameworks_kind_check check (length(kind) <= 100),
    constraint frameworks_sources_check check (jsonb_typeof(sources) = 'array'),
    constraint frameworks_licence_check check (length(licence) <= 5000),
    constraint frameworks_details_check check (jsonb_typeof(details) = 'object'),
    constraint frameworks_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint frameworks_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1),
    constraint frameworks_builtin_code_key unique (organization_id, builtin_code)
);
comment on table compliance.frameworks is 'A law, standard or catalogue that an organization can be assessed against.';
comment on column compliance.frameworks.organization_id is 'The organization that the framework belongs to.';
comment on column compliance.frameworks.id is 'The framework.';
comment on column compliance.frameworks.code is 'Its stable code, once in an organization, such as eu-ai-act.';
comment on column compliance.frameworks.name is 'Its name.';
comment on column compliance.frameworks.description is 'What it is about.';
comment on column compliance.frameworks.citation is 'How lawyers cite it.';
comment on column compliance.frameworks.jurisdiction is 'Where it applies, such as EU or US-NYC.';
comment on column compliance.frameworks.kind is 'What it is, such as law, certifiable standard or catalogue.';
comment on column compliance.frameworks.as_of is 'The day of which its text is.';
comment on column compliance.frameworks.sources is 'Where its text was taken from and checked against.';
comment on column compliance.frameworks.licence is 'Under what terms its text may be used.';
comment on column compliance.frameworks.details is 'Whatever else belongs to it, such as its time-table, roles and scopes.';
comment on column compliance.frameworks.is_active is 'Whether the organization is assessed against it.';
comment on column compliance.frameworks.builtin_code is 'Which built-in entry it is a copy of; null for one of the organization''s own.';
comment on column compliance.frameworks.builtin_version is 'Which version of the built-in entry it was copied from.';
comment on column compliance.frameworks.created_by is 'Who added it; null for what is built in.';
comment on column compliance.frameworks.created_at is 'When it was added.';
comment on column compliance.frameworks.updated_at is 'When it last changed.';
comment on column compliance.frameworks.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint frameworks_pkey on compliance.frameworks is 'The framework is known within its organization.';
comment on constraint frameworks_code_check on compliance.frameworks is 'The code has 1 to 100 characters.';
comment on constraint frameworks_code_key on compliance.frameworks is 'A code is given once in an organization.';
comment on constraint frameworks_name_check on compliance.frameworks is 'The name has 1 to 300 characters.';
comment on constraint frameworks_description_check on compliance.frameworks is 'The description has at most 20000 characters.';
comment on constraint frameworks_citation_check on compliance.frameworks is 'The citation has at most 1000 characters.';
comment on constraint frameworks_jurisdiction_check on compliance.frameworks is 'The jurisdiction has at most 100 characters.';
comment on constraint frameworks_kind_check on compliance.frameworks is 'The kind has at most 100 characters.';
comment on constraint frameworks_sources_check on compliance.frameworks is 'The sources: a JSON array.';
comment on constraint frameworks_licence_check on compliance.frameworks is 'The licence has at most 5000 characters.';
comment on constraint frameworks_details_check on compliance.frameworks is 'The details: a JSON object.';
comment on constraint frameworks_builtin_code_check on compliance.frameworks is 'The code of a built-in entry has 1 to 100 characters.';
comment on constraint frameworks_builtin_version_check on compliance.frameworks is 'A copy of a built-in entry, and nothing else, has its version.';
comment on constraint frameworks_builtin_code_key on compliance.frameworks is 'An organization has one copy of each built-in entry.';
create index frameworks_created_at_idx on compliance.frameworks (organization_id, created_at desc, id);
select kernel.tenant_table('compliance.frameworks');

create table compliance.requirements (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    framework_id uuid not null,
    parent_id uuid,
    code text not null,
    reference text not null default '',
    title text not null default '',
    text text not null default '',
    kind text not null default '',
    roles jsonb not null default '[]',
    scope text not null default '',
    timing text not null default '',
    applies_from date,
    expected_evidence jsonb not null default '[]',
    position integer not null default 0,
    is_applicable boolean not null default true,
    inapplicable_reason text,
    builtin_code text,
    builtin_version integer,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint requirements_pkey primary key (organization_id, id),
    constraint requirements_framework_id_fkey foreign key (organization_id, framework_id)
        references compliance.frameworks (organization_id, id) on delete cascade,
    constraint requirements_parent_id_fkey foreign key (organization_id, parent_id)
        references compliance.requirements (organization_id, id) on delete cascade,
    constraint requirements_code_check check (length(code) between 1 and 100),
    constraint requirements_code_key unique (organization_id, framework_id, code),
    constraint requirements_reference_check check (length(reference) <= 200),
    constraint requirements_title_check check (length(title) <= 500),
    constraint requirements_text_check check (length(text) <= 20000),
    constraint requirements_kind_check check (length(kind) <= 100),
    constraint requirements_roles_check check (jsonb_typeof(roles) = 'array'),
    constraint requirements_scope_check check (length(scope) <= 100),
    constraint requirements_timing_check check (length(timing) <= 100),
    constraint requirements_expected_evidence_check check (jsonb_typeof(expected_evidence) = 'array'),
    constraint requirements_position_check check (position >= 0),
    constraint requirements_inapplicable_reason_check check (length(inapplicable_reason) between 1 and 5000),
    constraint requirements_applicable_check check (is_applicable or inapplicable_reason is not null),
    constraint requirements_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint requirements_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1),
    constraint requirements_builtin_code_key unique (organization_id, builtin_code)
);
comment on table compliance.requirements is 'One thing that a framework asks for.';
comment on column compliance.requirements.organization_id is 'The organization that the requirement belongs to.';
comment on column compliance.requirements.id is 'The requirement.';
comment on column compliance.requirements.framework_id is 'The framework that asks for it.';
comment on column compliance.requirements.parent_id is 'The requirement that it is a part of, when there is one.';
comment on column compliance.requirements.code is 'Its stable code, once in a framework, such as eu-ai-act:art-9-1.';
comment on column compliance.requirements.reference is 'How lawyers cite it, such as Art. 9(1).';
comment on column compliance.requirements.title is 'Its title.';
comment on column compliance.requirements.text is 'What it asks for.';
comment on column compliance.requirements.kind is 'What it is in its framework, such as obligation, prohibition, clause or criterion.';
comment on column compliance.requirements.roles is 'Whom it binds, such as provider or deployer; empty for everybody.';
comment on column compliance.requirements.scope is 'The systems that it is about, in the word of its framework, such as high_risk.';
comment on column compliance.requirements.timing is 'The entry of its framework''s time-table that it follows.';
comment on column compliance.requirements.applies_from is 'The day from which it applies; null when it always did.';
comment on column compliance.requirements.expected_evidence is 'What usually shows that it is met.';
comment on column compliance.requirements.position is 'Its place in its framework, from 0.';
comment on column compliance.requirements.is_applicable is 'Whether it applies to the organization; what does not is left out of scores.';
comment on column compliance.requirements.inapplicable_reason is 'Why it does not apply.';
comment on column compliance.requirements.builtin_code is 'Which built-in entry it is a copy of; null for one of the organization''s own.';
comment on column compliance.requirements.builtin_version is 'Which version of the built-in entry it was copied from.';
comment on column compliance.requirements.created_by is 'Who added it; null for what is built in.';
comment on column compliance.requirements.created_at is 'When it was added.';
comment on column compliance.requirements.updated_at is 'When it last changed.';
comment on column compliance.requirements.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint requirements_pkey on compliance.requirements is 'The requirement is known within its organization.';
comment on constraint requirements_framework_id_fkey on compliance.requirements is 'A requirement is a part of its framework and goes with it.';
comment on constraint requirements_parent_id_fkey on compliance.requirements is 'A part of a requirement goes with it.';
comment on constraint requirements_code_check on compliance.requirements is 'The code has 1 to 100 characters.';
comment on constraint requirements_code_key on compliance.requirements is 'A code is given once in a framework.';
comment on constraint requirements_reference_check on compliance.requirements is 'The reference has at most 200 characters.';
comment on constraint requirements_title_check on compliance.requirements is 'The title has at most 500 characters.';
comment on constraint requirements_text_check on compliance.requirements is 'The text has at most 20000 characters.';
comment on constraint requirements_kind_check on compliance.requirements is 'The kind has at most 100 characters.';
comment on constraint requirements_roles_check on compliance.requirements is 'The roles: a JSON array.';
comment on constraint requirements_scope_check on compliance.requirements is 'The scope has at most 100 characters.';
comment on constraint requirements_timing_check on compliance.requirements is 'The timing has at most 100 characters.';
comment on constraint requirements_expected_evidence_check on compliance.requirements is 'The expected evidence: a JSON array.';
comment on constraint requirements_position_check on compliance.requirements is 'The position is at least 0.';
comment on constraint requirements_inapplicable_reason_check on compliance.requirements is 'The inapplicable reason has 1 to 5000 characters.';
comment on constraint requirements_applicable_check on compliance.requirements is 'What does not apply says why.';
comment on constraint requirements_builtin_code_check on compliance.requirements is 'The code of a built-in entry has 1 to 100 characters.';
comment on constraint requirements_builtin_version_check on compliance.requirements is 'A copy of a built-in entry, and nothing else, has its version.';
comment on constraint requirements_builtin_code_key on compliance.requirements is 'An organization has one copy of each built-in entry.';
create index requirements_parent_id_idx on compliance.requirements (organization_id, parent_id);
create index requirements_created_at_idx on compliance.requirements (organization_id, created_at desc, id);
create index requirements_position_idx on compliance.requirements (organization_id, framework_id, position);
select kernel.tenant_table('compliance.requirements');

create table compliance.controls (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    code text not null,
    title text not null,
    text text not null default '',
    expected_evidence jsonb not null default '[]',
    owner_id uuid,
    is_active boolean not null default true,
    builtin_code text,
    builtin_version integer,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint controls_pkey primary key (organization_id, id),
    constraint controls_code_check check (length(code) between 1 and 100),
    constraint controls_code_key unique (organization_id, code),
    constraint controls_title_check check (length(title) between 1 and 500),
    constraint controls_text_check check (length(text) <= 20000),
    constraint controls_expected_evidence_check check (jsonb_typeof(expected_evidence) = 'array'),
    constraint controls_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint controls_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1),
    constraint controls_builtin_code_key unique (organization_id, builtin_code)
);
comment on table compliance.controls is 'Something that the organization does so that requirements are met: tested once, reported for many.';
comment on column compliance.controls.organization_id is 'The organization that the control belongs to.';
comment on column compliance.controls.id is 'The control.';
comment on column compliance.controls.code is 'Its stable code, once in an organization, such as ctl:ai-inventory.';
comment on column compliance.controls.title is 'Its title.';
comment on column compliance.controls.text is 'What is done.';
comment on column compliance.controls.expected_evidence is 'What usually shows that it works.';
comment on column compliance.controls.owner_id is 'The user who answers for it.';
comment on column compliance.controls.is_active is 'Whether it is in force; what is not counts for no requirement.';
comment on column compliance.controls.builtin_code is 'Which built-in entry it is a copy of; null for one of the organization''s own.';
comment on column compliance.controls.builtin_version is 'Which version of the built-in entry it was copied from.';
comment on column compliance.controls.created_by is 'Who added it; null for what is built in.';
comment on column compliance.controls.created_at is 'When it was added.';
comment on column compliance.controls.updated_at is 'When it last changed.';
comment on column compliance.controls.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint controls_pkey on compliance.controls is 'The control is known within its organization.';
comment on constraint controls_code_check on compliance.controls is 'The code has 1 to 100 characters.';
comment on constraint controls_code_key on compliance.controls is 'A code is given once in an organization.';
comment on constraint controls_title_check on compliance.controls is 'The title has 1 to 500 characters.';
comment on constraint controls_text_check on compliance.controls is 'The text has at most 20000 characters.';
comment on constraint controls_expected_evidence_check on compliance.controls is 'The expected evidence: a JSON array.';
comment on constraint controls_builtin_code_check on compliance.controls is 'The code of a built-in entry has 1 to 100 characters.';
comment on constraint controls_builtin_version_check on compliance.controls is 'A copy of a built-in entry, and nothing else, has its version.';
comment on constraint controls_builtin_code_key on compliance.controls is 'An organization has one copy of each built-in entry.';
create index controls_created_at_idx on compliance.controls (organization_id, created_at desc, id);
select kernel.tenant_table('compliance.controls');

create table compliance.control_requirements (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    control_id uuid not null,
    requirement_id uuid not null,
    relation text not null default 'supports',
    builtin_code text,
    builtin_version integer,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint control_requirements_pkey primary key (organization_id, id),
    constraint control_requirements_control_id_fkey foreign key (organization_id, control_id)
        references compliance.controls (organization_id, id) on delete cascade,
    constraint control_requirements_requirement_id_fkey foreign key (organization_id, requirement_id)
        references compliance.requirements (organization_id, id) on delete cascade,
    constraint control_requirements_requirement_key unique (organization_id, control_id, requirement_id),
    constraint control_requirements_relation_check check (relation in ('supports', 'satisfies')),
    constraint control_requirements_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint control_requirements_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1),
    constraint control_requirements_builtin_code_key unique (organization_id, builtin_code)
);
comment on table compliance.control_requirements is 'That a control serves a requirement.';
comment on column compliance.control_requirements.organization_id is 'The organization that the link belongs to.';
comment on column compliance.control_requirements.id is 'The link.';
comment on column compliance.control_requirements.control_id is 'The control.';
comment on column compliance.control_requirements.requirement_id is 'The requirement that it serves.';
comment on column compliance.control_requirements.relation is 'supports when the control helps, satisfies when it is enough by itself.';
comment on column compliance.control_requirements.builtin_code is 'Which built-in entry it is a copy of; null for one of the organization''s own.';
comment on column compliance.control_requirements.builtin_version is 'Which version of the built-in entry it was copied from.';
comment on column compliance.control_requirements.created_by is 'Who linked it; null for what is built in.';
comment on column compliance.control_requirements.created_at is 'When it was linked.';
comment on column compliance.control_requirements.updated_at is 'When it last changed.';
comment on column compliance.control_requirements.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint control_requirements_pkey on compliance.control_requirements is 'The link is known within its organization.';
comment on constraint control_requirements_control_id_fkey on compliance.control_requirements is 'The link goes with its control.';
comment on constraint control_requirements_requirement_id_fkey on compliance.control_requirements is 'The link goes with its requirement.';
comment on constraint control_requirements_requirement_key on compliance.control_requirements is 'A control is linked to a requirement once.';
comment on constraint control_requirements_relation_check on compliance.control_requirements is 'The words for relation.';
comment on constraint control_requirements_builtin_code_check on compliance.control_requirements is 'The code of a built-in entry has 1 to 100 characters.';
comment on constraint control_requirements_builtin_version_check on compliance.control_requirements is 'A copy of a built-in entry, and nothing else, has its version.';
comment on constraint control_requirements_builtin_code_key on compliance.control_requirements is 'An organization has one copy of each built-in entry.';
create index control_requirements_requirement_id_idx on compliance.control_requirements (organization_id, requirement_id);
create index control_requirements_created_at_idx on compliance.control_requirements (organization_id, created_at desc, id);
select kernel.tenant_table('compliance.control_requirements');

create table compliance.evidence (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    control_id uuid not null,
    ai_system_id uuid,
    kind text not null,
    title text not null,
    description text not null default '',
    location text,
    sha256 text,
    statement text,
    attested_by uuid,
    query text,
    parameters jsonb not null default '{}',
    result jsonb,
    quality double precision,
    collected_at timestamptz not null default now(),
    valid_until timestamptz,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint evidence_pkey primary key (organization_id, id),
    constraint evidence_control_id_fkey foreign key (organization_id, control_id)
        references compliance.controls (organization_id, id) on delete restrict,
    constraint evidence_ai_system_id_fkey foreign key (organization_id, ai_system_id)
        references registry.ai_systems (organization_id, id) on delete restrict,
    constraint evidence_kind_check check (kind in ('document', 'attestation', 'query')),
    constraint evidence_title_check check (length(title) between 1 and 500),
    constraint evidence_description_check check (length(description) <= 20000),
    constraint evidence_location_check check (length(location) between 1 and 2000),
    constraint evidence_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint evidence_statement_check check (length(statement) between 1 and 20000),
    constraint evidence_query_check check (length(query) between 1 and 100),
    constraint evidence_parameters_check check (jsonb_typeof(parameters) = 'object'),
    constraint evidence_result_check check (jsonb_typeof(result) in ('array', 'object')),
    constraint evidence_quality_check check (quality between 0 and 1),
    constraint evidence_content_check check (case kind when 'document' then location is not null when 'attestation' then statement is not null else query is not null end),
    constraint evidence_valid_until_check check (valid_until > collected_at)
);
comment on table compliance.evidence is 'What shows that a control works: a document, an attestation, or a query of Ephor''s own data.';
comment on column compliance.evidence.organization_id is 'The organization that the evidence belongs to.';
comment on column compliance.evidence.id is 'The evidence.';
comment on column compliance.evidence.control_id is 'The control that it is about.';
comment on column compliance.evidence.ai_system_id is 'The AI system that it is about; null for the whole organization.';
comment on column compliance.evidence.kind is 'document, attestation or query (of Ephor''s own data, asked anew at each assessment).';
comment on column compliance.evidence.title is 'What it is, in a line.';
comment on column compliance.evidence.description is 'What it shows.';
comment on column compliance.evidence.location is 'Where the document is: an address, or its place in the organization''s files.';
comment on column compliance.evidence.sha256 is 'SHA-256 of the document, in hexadecimal.';
comment on column compliance.evidence.statement is 'What is attested.';
comment on column compliance.evidence.attested_by is 'The user who attests it.';
comment on column compliance.evidence.query is 'The word of the query, such as last_analysis_passed.';
comment on column compliance.evidence.parameters is 'What the query is asked with.';
comment on column compliance.evidence.result is 'What the query gave when it was last asked.';
comment on column compliance.evidence.quality is 'How good it is as evidence, 0 to 1; null while nobody has judged it.';
comment on column compliance.evidence.collected_at is 'When it was collected.';
comment on column compliance.evidence.valid_until is 'Until when it counts; null for ever.';
comment on column compliance.evidence.created_by is 'Who added it: a person, an assistant or Ephor itself.';
comment on column compliance.evidence.created_at is 'When it was added.';
comment on column compliance.evidence.updated_at is 'When it last changed.';
comment on column compliance.evidence.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint evidence_pkey on compliance.evidence is 'The evidence is known within its organization.';
comment on constraint evidence_control_id_fkey on compliance.evidence is 'The control must be one of the organization; it cannot be deleted while evidence of it is kept.';
comment on constraint evidence_ai_system_id_fkey on compliance.evidence is 'The AI system must be one of the organization; it cannot be deleted while this is kept.';
comment on constraint evidence_kind_check on compliance.evidence is 'The words for kind.';
comment on constraint evidence_title_check on compliance.evidence is 'The title has 1 to 500 characters.';
comment on constraint evidence_description_check on compliance.evidence is 'The description has at most 20000 characters.';
comment on constraint evidence_location_check on compliance.evidence is 'The location has 1 to 2000 characters.';
comment on constraint evidence_sha256_check on compliance.evidence is 'A SHA-256 hash in lower-case hexadecimal.';
comment on constraint evidence_statement_check on compliance.evidence is 'The statement has 1 to 20000 characters.';
comment on constraint evidence_query_check on compliance.evidence is 'The query has 1 to 100 characters.';
comment on constraint evidence_parameters_check on compliance.evidence is 'The parameters: a JSON object.';
comment on constraint evidence_result_check on compliance.evidence is 'The result: a JSON array or object.';
comment on constraint evidence_quality_check on compliance.evidence is 'The quality: 0 to 1.';
comment on constraint evidence_content_check on compliance.evidence is 'A document says where it is, an attestation what is attested, a query which one.';
comment on constraint evidence_valid_until_check on compliance.evidence is 'Evidence counts for some time.';
create index evidence_control_id_idx on compliance.evidence (organization_id, control_id);
create index evidence_ai_system_id_idx on compliance.evidence (organization_id, ai_system_id);
create index evidence_created_at_idx on compliance.evidence (organization_id, created_at desc, id);
select kernel.tenant_table('compliance.evidence');

create table compliance.assessments (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    framework_id uuid not null,
    subject_type text not null default 'organization',
    ai_system_id uuid,
    model_id uuid,
    name text not null,
    status text not null default 'draft',
    applicable_count integer,
    compliant_count integer,
    partial_count integer,
    score double precision,
    results jsonb not null default '[]',
    notes text not null default '',
    completed_at timestamptz,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint assessments_pkey primary key (organization_id, id),
    constraint assessments_framework_id_fkey foreign key (organization_id, framework_id)
        references compliance.frameworks (organization_id, id) on delete restrict,
    constraint assessments_subject_type_check check (subject_type in ('organization', 'ai_system', 'model')),
    constraint assessments_ai_system_id_fkey foreign key (organization_id, ai_system_id)
        references registry.ai_systems (organization_id, id) on delete restrict,
    constraint assessments_model_id_fkey foreign key (organization_id, model_id)
        references registry.models (organization_id, id) on delete restrict,
    constraint assessments_subject_check check ((subject_type = 'ai_system') = (ai_system_id is not null) and (subject_type = 'model') = (model_id is not null)),
    constraint assessments_name_check check (length(name) between 1 and 300),
    constraint assessments_status_check check (status in ('draft', 'completed')),
    constraint assessments_applicable_count_check check (applicable_count >= 0),
    constraint assessments_compliant_count_check check (compliant_count >= 0),
    constraint assessments_partial_count_check check (partial_count >= 0),
    constraint assessments_counts_check check (compliant_count + partial_count <= applicable_count),
    constraint assessments_score_check check (score between 0 and 1),
    constraint assessments_results_check check (jsonb_typeof(results) = 'array'),
    constraint assessments_notes_check check (length(notes) <= 20000)
);
comment on table compliance.assessments is 'How an organization, AI system or model stands against a framework at one time.';
comment on column compliance.assessments.organization_id is 'The organization that the assessment belongs to.';
comment on column compliance.assessments.id is 'The assessment.';
comment on column compliance.assessments.framework_id is 'The framework.';
comment on column compliance.assessments.subject_type is 'What it is about: the organization, one AI system or one model.';
comment on column compliance.assessments.ai_system_id is 'The AI system that it is about, when it is about one.';
comment on column compliance.assessments.model_id is 'The model that it is about, when it is about one.';
comment on column compliance.assessments.name is 'A name for people.';
comment on column compliance.assessments.status is 'draft while it is worked on, completed when its result stands.';
comment on column compliance.assessments.applicable_count is 'How many requirements apply.';
comment on column compliance.assessments.compliant_count is 'How many are met: mean evidence quality of at least 0.8.';
comment on column compliance.assessments.partial_count is 'How many are met in part: mean evidence quality of at least 0.5.';
comment on column compliance.assessments.score is 'Share of the applicable requirements that are compliant, 0 to 1; null when none applies.';
comment on column compliance.assessments.results is 'For each requirement: its outcome, mean evidence quality and notes.';
comment on column compliance.assessments.notes is 'What else is to be known.';
comment on column compliance.assessments.completed_at is 'When it was completed; null while it is not.';
comment on column compliance.assessments.created_by is 'Who begun it: a person, an assistant or Ephor itself.';
comment on column compliance.assessments.created_at is 'When it was begun.';
comment on column compliance.assessments.updated_at is 'When it last changed.';
comment on column compliance.assessments.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint assessments_pkey on compliance.assessments is 'The assessment is known within its organization.';
comment on constraint assessments_framework_id_fkey on compliance.assessments is 'The framework must be one of the organization; it cannot be deleted while an assessment against it is kept.';
comment on constraint assessments_subject_type_check on compliance.assessments is 'The words for subject type.';
comment on constraint assessments_ai_system_id_fkey on compliance.assessments is 'The AI system must be one of the organization; it cannot be deleted while this is kept.';
comment on constraint assessments_model_id_fkey on compliance.assessments is 'The model must be one of the organization; it cannot be deleted while this is kept.';
comment on constraint assessments_subject_check on compliance.assessments is 'What it is about is named, and nothing else is.';
comment on constraint assessments_name_check on compliance.assessments is 'The name has 1 to 300 characters.';
comment on constraint assessments_status_check on compliance.assessments is 'The words for status.';
comment on constraint assessments_applicable_count_check on compliance.assessments is 'The applicable count is at least 0.';
comment on constraint assessments_compliant_count_check on compliance.assessments is 'The compliant count is at least 0.';
comment on constraint assessments_partial_count_check on compliance.assessments is 'The partial count is at least 0.';
comment on constraint assessments_counts_check on compliance.assessments is 'Nothing is met that does not apply.';
comment on constraint assessments_score_check on compliance.assessments is 'The score: 0 to 1.';
comment on constraint assessments_results_check on compliance.assessments is 'The results: a JSON array.';
comment on constraint assessments_notes_check on compliance.assessments is 'The notes has at most 20000 characters.';
create index assessments_framework_id_idx on compliance.assessments (organization_id, framework_id);
create index assessments_ai_system_id_idx on compliance.assessments (organization_id, ai_system_id);
create index assessments_model_id_idx on compliance.assessments (organization_id, model_id);
create index assessments_created_at_idx on compliance.assessments (organization_id, created_at desc, id);
create index assessments_status_idx on compliance.assessments (organization_id, status, created_at desc);
select kernel.tenant_table('compliance.assessments');

-- draft -> completed; what is completed stands, the next state is another assessment.
create function compliance.assessments_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('draft', 'completed'))
    then
        raise exception 'an assessment that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'assessments_status_step', schema = 'compliance',
                  table = 'assessments', column = 'status';
    end if;
    if old.status <> new.status then
        new.completed_at := now();
    end if;
    return new;
end $$;
comment on function compliance.assessments_step() is 'Refuses steps that the state machine of assessments does not have, and stamps those that it takes.';
create trigger step before update of status on compliance.assessments for each row execute function compliance.assessments_step();

create table compliance.compliance_reports (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    code text,
    name text not null default 'Report',
    report_type text not null,
    subject_type text not null default 'organization',
    ai_system_id uuid,
    model_id uuid,
    framework_id uuid,
    framework text,
    period_start timestamptz,
    period_end timestamptz,
    total_events bigint not null default 0,
    total_violations bigint not null default 0,
    total_warnings bigint not null default 0,
    policies_enforced jsonb,
    compliance_score numeric(5, 2),
    fairness_score numeric(5, 2),
    audit_coverage numeric(5, 2),
    overall_score double precision,
    summary text,
    assessment jsonb,
    findings jsonb,
    recommendations jsonb,
    status text not null default 'pending',
    generated_at timestamptz,
    reviewed_by uuid,
    reviewed_at timestamptz,
    metadata jsonb not null default '{}',
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint compliance_reports_pkey primary key (organization_id, id),
    constraint compliance_reports_code_check check (length(code) between 1 and 100),
    constraint compliance_reports_code_key unique (organization_id, code),
    constraint compliance_reports_name_check check (length(name) between 1 and 300),
    constraint compliance_reports_report_type_check check (report_type in ('audit', 'compliance', 'fairness')),
    constraint compliance_reports_subject_type_check check (subject_type in ('organization', 'ai_system', 'model')),
    constraint compliance_reports_ai_system_id_fkey foreign key (organization_id, ai_system_id)
        references registry.ai_systems (organization_id, id) on delete restrict,
    constraint compliance_reports_model_id_fkey foreign key (organization_id, model_id)
        references registry.models (organization_id, id) on delete restrict,
    constraint compliance_reports_subject_check check ((subject_type = 'ai_system') = (ai_system_id is not null) and (subject_type = 'model') = (model_id is not null)),
    constraint compliance_reports_framework_id_fkey foreign key (organization_id, framework_id)
        references compliance.frameworks (organization_id, id) on delete restrict,
    constraint compliance_reports_framework_check check (length(framework) between 1 and 300),
    constraint compliance_reports_period_check check (period_end >= period_start),
    constraint compliance_reports_total_events_check check (total_events >= 0),
    constraint compliance_reports_total_violations_check check (total_violations >= 0),
    constraint compliance_reports_total_warnings_check check (total_warnings >= 0),
    constraint compliance_reports_policies_enforced_check check (jsonb_typeof(policies_enforced) in ('array', 'object')),
    constraint compliance_reports_compliance_score_check check (compliance_score between 0 and 100),
    constraint compliance_reports_fairness_score_check check (fairness_score between 0 and 100),
    constraint compliance_reports_audit_coverage_check check (audit_coverage between 0 and 100),
    constraint compliance_reports_overall_score_check check (overall_score between 0 and 100),
    constraint compliance_reports_summary_check check (length(summary) <= 50000),
    constraint compliance_reports_assessment_check check (jsonb_typeof(assessment) in ('array', 'object')),
    constraint compliance_reports_findings_check check (jsonb_typeof(findings) in ('array', 'object')),
    constraint compliance_reports_recommendations_check check (jsonb_typeof(recommendations) in ('array', 'object')),
    constraint compliance_reports_status_check check (status in ('pending', 'completed', 'reviewed')),
    constraint compliance_reports_metadata_check check (jsonb_typeof(metadata) = 'object')
);
comment on table compliance.compliance_reports is 'A report for people and auditors: audit, compliance or fairness, over a period.';
comment on column compliance.compliance_reports.organization_id is 'The organization that the report belongs to.';
comment on column compliance.compliance_reports.id is 'The report.';
comment on column compliance.compliance_reports.code is 'The report''s number or code, once in an organization, when it has one.';
comment on column compliance.compliance_reports.name is 'A name for people.';
comment on column compliance.compliance_reports.report_type is 'audit, compliance or fairness.';
comment on column compliance.compliance_reports.subject_type is 'What it is about: the organization, one AI system or one model.';
comment on column compliance.compliance_reports.ai_system_id is 'The AI system that it is about, when it is about one.';
comment on column compliance.compliance_reports.model_id is 'The model that it is about, when it is about one.';
comment on column compliance.compliance_reports.framework_id is 'The framework that it reports on, when it is one of the organization''s.';
comment on column compliance.compliance_reports.framework is 'The name of the framework that it reports on.';
comment on column compliance.compliance_reports.period_start is 'Where its period begins; null for since the beginning.';
comment on column compliance.compliance_reports.period_end is 'Where its period ends; null for until it was made.';
comment on column compliance.compliance_reports.total_events is 'How many events fell into the period.';
comment on column compliance.compliance_reports.total_violations is 'How many violations.';
comment on column compliance.compliance_reports.total_warnings is 'How many warnings.';
comment on column compliance.compliance_reports.policies_enforced is 'The policies that were in force.';
comment on column compliance.compliance_reports.compliance_score is 'How well the requirements were met, 0 to 100.';
comment on column compliance.compliance_reports.fairness_score is 'How fair the analyses found the models, 0 to 100.';
comment on column compliance.compliance_reports.audit_coverage is 'Share of the events whose entry in the trail was verified, 0 to 100.';
comment on column compliance.compliance_reports.overall_score is 'The score over all, 0 to 100.';
comment on column compliance.compliance_reports.summary is 'What it comes to, in words.';
comment on column compliance.compliance_reports.assessment is 'The assessment in full.';
comment on column compliance.compliance_reports.findings is 'What was found.';
comment on column compliance.compliance_reports.recommendations is 'What to do about it.';
comment on column compliance.compliance_reports.status is 'pending, completed (it was made) or reviewed.';
comment on column compliance.compliance_reports.generated_at is 'When it was completed.';
comment on column compliance.compliance_reports.reviewed_by is 'The user who reviewed it.';
comment on column compliance.compliance_reports.reviewed_at is 'When it was reviewed.';
comment on column compliance.compliance_reports.metadata is 'Whatever else is kept with it.';
comment on column compliance.compliance_reports.created_by is 'Who asked for it: a person, an assistant or Ephor itself.';
comment on column compliance.compliance_reports.created_at is 'When it was asked for.';
comment on column compliance.compliance_reports.updated_at is 'When it last changed.';
comment on column compliance.compliance_reports.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint compliance_reports_pkey on compliance.compliance_reports is 'The report is known within its organization.';
comment on constraint compliance_reports_code_check on compliance.compliance_reports is 'The code has 1 to 100 characters.';
comment on constraint compliance_reports_code_key on compliance.compliance_reports is 'A code is given once in an organization.';
comment on constraint compliance_reports_name_check on compliance.compliance_reports is 'The name has 1 to 300 characters.';
comment on constraint compliance_reports_report_type_check on compliance.compliance_reports is 'The words for report type.';
comment on constraint compliance_reports_subject_type_check on compliance.compliance_reports is 'The words for subject type.';
comment on constraint compliance_reports_ai_system_id_fkey on compliance.compliance_reports is 'The AI system must be one of the organization; it cannot be deleted while this is kept.';
comment on constraint compliance_reports_model_id_fkey on compliance.compliance_reports is 'The model must be one of the organization; it cannot be deleted while this is kept.';
comment on constraint compliance_reports_subject_check on compliance.compliance_reports is 'What it is about is named, and nothing else is.';
comment on constraint compliance_reports_framework_id_fkey on compliance.compliance_reports is 'The framework must be one of the organization; it cannot be deleted while a report on it is kept.';
comment on constraint compliance_reports_framework_check on compliance.compliance_reports is 'The framework has 1 to 300 characters.';
comment on constraint compliance_reports_period_check on compliance.compliance_reports is 'A period ends after it begins.';
comment on constraint compliance_reports_total_events_check on compliance.compliance_reports is 'The total events is at least 0.';
comment on constraint compliance_reports_total_violations_check on compliance.compliance_reports is 'The total violations is at least 0.';
comment on constraint compliance_reports_total_warnings_check on compliance.compliance_reports is 'The total warnings is at least 0.';
comment on constraint compliance_reports_policies_enforced_check on compliance.compliance_reports is 'The policies enforced: a JSON array or object.';
comment on constraint compliance_reports_compliance_score_check on compliance.compliance_reports is 'The compliance score: 0 to 100.';
comment on constraint compliance_reports_fairness_score_check on compliance.compliance_reports is 'The fairness score: 0 to 100.';
comment on constraint compliance_reports_audit_coverage_check on compliance.compliance_reports is 'The audit coverage: 0 to 100.';
comment on constraint compliance_reports_overall_score_check on compliance.compliance_reports is 'The overall score: 0 to 100.';
comment on constraint compliance_reports_summary_check on compliance.compliance_reports is 'The summary has at most 50000 characters.';
comment on constraint compliance_reports_assessment_check on compliance.compliance_reports is 'The assessment: a JSON array or object.';
comment on constraint compliance_reports_findings_check on compliance.compliance_reports is 'The findings: a JSON array or object.';
comment on constraint compliance_reports_recommendations_check on compliance.compliance_reports is 'The recommendations: a JSON array or object.';
comment on constraint compliance_reports_status_check on compliance.compliance_reports is 'The words for status.';
comment on constraint compliance_reports_metadata_check on compliance.compliance_reports is 'The metadata: a JSON object.';
create index compliance_reports_ai_system_id_idx on compliance.compliance_reports (organization_id, ai_system_id);
create index compliance_reports_model_id_idx on compliance.compliance_reports (organization_id, model_id);
create index compliance_reports_framework_id_idx on compliance.compliance_reports (organization_id, framework_id);
create index compliance_reports_created_at_idx on compliance.compliance_reports (organization_id, created_at desc, id);
create index compliance_reports_status_idx on compliance.compliance_reports (organization_id, status, created_at desc);
create index compliance_reports_report_type_idx on compliance.compliance_reports (organization_id, report_type, created_at desc);
select kernel.tenant_table('compliance.compliance_reports');

-- pending -> completed -> reviewed; who reviews it and when is stamped here, so that nobody can claim it.
create function compliance.compliance_reports_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'completed'), ('completed', 'reviewed'))
    then
        raise exception 'a report that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'compliance_reports_status_step', schema = 'compliance',
                  table = 'compliance_reports', column = 'status';
    end if;
    if old.status <> new.status and new.status = 'completed' then
        new.generated_at := now();
    elsif old.status <> new.status then
        new.reviewed_at := now();
        new.reviewed_by := nullif(current_setting('ephor.actor_id', true), '')::uuid;
    end if;
    return new;
end $$;
comment on function compliance.compliance_reports_step() is 'Refuses steps that the state machine of compliance reports does not have, and stamps those that it takes.';
create trigger step before update of status on compliance.compliance_reports for each row execute function compliance.compliance_reports_step();
