-- The workforce: AI assistants, their work, who approves of it, and whom they may write to.

create table workforce.assistant_templates (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    slug text not null,
    description text,
    type text not null,
    configuration jsonb not null default '{}',
    capabilities text[],
    model_config jsonb not null default '{}',
    builtin_code text,
    builtin_version integer,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint assistant_templates_pkey primary key (organization_id, id),
    constraint assistant_templates_slug_key unique (organization_id, slug),
    constraint assistant_templates_builtin_code_key unique (organization_id, builtin_code),
    constraint assistant_templates_name_check check (length(name) between 1 and 200),
    constraint assistant_templates_slug_check check (slug ~ '^[a-z0-9][a-z0-9_-]*$' and length(slug) <= 100),
    constraint assistant_templates_description_check check (length(description) <= 10000),
    constraint assistant_templates_type_check check (type in ('executive_cos', 'shared_finance', 'shared_hr', 'shared_it', 'shared_legal', 'company_operations', 'company_finance', 'company_marketing', 'company_customer', 'company_product', 'company_compliance', 'custom')),
    constraint assistant_templates_configuration_check check (jsonb_typeof(configuration) = 'object'),
    constraint assistant_templates_capabilities_check check (array_position(capabilities, null) is null and cardinality(capabilities) <= 200),
    constraint assistant_templates_model_config_check check (jsonb_typeof(model_config) = 'object'),
    constraint assistant_templates_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint assistant_templates_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1)
);
comment on table workforce.assistant_templates is 'What an assistant can be made from: built in, or the organization''s own.';
comment on column workforce.assistant_templates.organization_id is 'The organization that the template belongs to.';
comment on column workforce.assistant_templates.id is 'The template.';
comment on column workforce.assistant_templates.name is 'A name for people.';
comment on column workforce.assistant_templates.slug is 'Its short name in addresses, once in an organization.';
comment on column workforce.assistant_templates.description is 'What such an assistant does.';
comment on column workforce.assistant_templates.type is 'The part it plays: executive_cos, shared_finance, shared_hr, shared_it, shared_legal, company_operations, company_finance, company_marketing, company_customer, company_product, company_compliance or custom.';
comment on column workforce.assistant_templates.configuration is 'How it works: instructions, tone, hours.';
comment on column workforce.assistant_templates.capabilities is 'The tools that it may use, and no others; null for none.';
comment on column workforce.assistant_templates.model_config is 'Which model it thinks with: provider, model, parameters.';
comment on column workforce.assistant_templates.builtin_code is 'Which built-in template it is a copy of; null for one of the organization''s own.';
comment on column workforce.assistant_templates.builtin_version is 'Which version of the built-in template it was copied from.';
comment on column workforce.assistant_templates.created_by is 'Who made it.';
comment on column workforce.assistant_templates.created_at is 'When it was made.';
comment on column workforce.assistant_templates.updated_at is 'When it last changed.';
comment on column workforce.assistant_templates.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint assistant_templates_pkey on workforce.assistant_templates is 'A template is known within its organization.';
comment on constraint assistant_templates_slug_key on workforce.assistant_templates is 'A short name is given once in an organization.';
comment on constraint assistant_templates_builtin_code_key on workforce.assistant_templates is 'An organization has one copy of each built-in template.';
comment on constraint assistant_templates_name_check on workforce.assistant_templates is 'A name has 1 to 200 characters.';
comment on constraint assistant_templates_slug_check on workforce.assistant_templates is 'Lower-case letters, digits, hyphens and underscores, at most 100.';
comment on constraint assistant_templates_description_check on workforce.assistant_templates is 'A description has at most 10000 characters.';
comment on constraint assistant_templates_type_check on workforce.assistant_templates is 'The parts that an assistant can play.';
comment on constraint assistant_templates_configuration_check on workforce.assistant_templates is 'A configuration is a JSON object.';
comment on constraint assistant_templates_capabilities_check on workforce.assistant_templates is 'At most 200 tools.';
comment on constraint assistant_templates_model_config_check on workforce.assistant_templates is 'The choice of model is a JSON object.';
comment on constraint assistant_templates_builtin_code_check on workforce.assistant_templates is 'A code has 1 to 100 characters.';
comment on constraint assistant_templates_builtin_version_check on workforce.assistant_templates is 'A copy of a built-in template, and nothing else, has its version.';
create index assistant_templates_created_at_idx on workforce.assistant_templates (organization_id, created_at desc, id);
select kernel.tenant_table('workforce.assistant_templates');

create table workforce.assistants (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    template_id uuid,
    name text not null,
    slug text not null,
    description text,
    type text not null,
    status text not null default 'inactive',
    status_reason text,
    configuration jsonb not null default '{}',
    configuration_version integer not null default 1,
    capabilities text[],
    model_config jsonb not null default '{"provider": "openai", "model": "gpt-4"}',
    risk_tier integer not null default 2,
    max_cost_per_day numeric(20, 10) not null default 10,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint assistants_pkey primary key (organization_id, id),
    constraint assistants_template_id_fkey foreign key (organization_id, template_id) references workforce.assistant_templates (organization_id, id) on delete restrict,
    constraint assistants_slug_key unique (organization_id, slug),
    constraint assistants_name_check check (length(name) between 1 and 200),
    constraint assistants_slug_check check (slug ~ '^[a-z0-9][a-z0-9_-]*$' and length(slug) <= 100),
    constraint assistants_description_check check (length(description) <= 10000),
    constraint assistants_type_check check (type in ('executive_cos', 'shared_finance', 'shared_hr', 'shared_it', 'shared_legal', 'company_operations', 'company_finance', 'company_marketing', 'company_customer', 'company_product', 'company_compliance', 'custom')),
    constraint assistants_status_check check (status in ('inactive', 'active', 'suspended', 'error')),
    constraint assistants_status_reason_check check (length(status_reason) <= 2000),
    constraint assistants_configuration_check check (jsonb_typeof(configuration) = 'object'),
    constraint assistants_configuration_version_check check (configuration_version >= 1),
    constraint assistants_capabilities_check check (array_position(capabilities, null) is null and cardinality(capabilities) <= 200),
    constraint assistants_model_config_check check (jsonb_typeof(model_config) = 'object'),
    constraint assistants_risk_tier_check check (risk_tier between 0 and 5),
    constraint assistants_max_cost_per_day_check check (max_cost_per_day >= 0)
);
comment on table workforce.assistants is 'An AI assistant that is governed like staff.';
comment on column workforce.assistants.organization_id is 'The organization that the assistant belongs to.';
comment on column workforce.assistants.id is 'The assistant.';
comment on column workforce.assistants.template_id is 'The template that it was made from.';
comment on column workforce.assistants.name is 'A name for people.';
comment on column workforce.assistants.slug is 'Its short name in addresses, once in an organization.';
comment on column workforce.assistants.description is 'What it does.';
comment on column workforce.assistants.type is 'The part it plays: executive_cos, shared_finance, shared_hr, shared_it, shared_legal, company_operations, company_finance, company_marketing, company_customer, company_product, company_compliance or custom.';
comment on column workforce.assistants.status is 'inactive, active, suspended or error.';
comment on column workforce.assistants.status_reason is 'Why it is suspended or in error.';
comment on column workforce.assistants.configuration is 'How it works: instructions, tone, hours.';
comment on column workforce.assistants.configuration_version is 'Counts the changes of what it is; each is kept in workforce.assistant_versions.';
comment on column workforce.assistants.capabilities is 'The tools that it may use, and no others; null for none.';
comment on column workforce.assistants.model_config is 'Which model it thinks with: provider, model, parameters.';
comment on column workforce.assistants.risk_tier is 'How risky what it does is at least, 0 to 5.';
comment on column workforce.assistants.max_cost_per_day is 'What it may spend in a day, in USD.';
comment on column workforce.assistants.created_by is 'Who made it.';
comment on column workforce.assistants.created_at is 'When it was made.';
comment on column workforce.assistants.updated_at is 'When it last changed.';
comment on column workforce.assistants.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint assistants_pkey on workforce.assistants is 'An assistant is known within its organization.';
comment on constraint assistants_template_id_fkey on workforce.assistants is 'The template must be one of the organization; it cannot be deleted while an assistant made from it is kept.';
comment on constraint assistants_slug_key on workforce.assistants is 'A short name is given once in an organization.';
comment on constraint assistants_name_check on workforce.assistants is 'A name has 1 to 200 characters.';
comment on constraint assistants_slug_check on workforce.assistants is 'Lower-case letters, digits, hyphens and underscores, at most 100.';
comment on constraint assistants_description_check on workforce.assistants is 'A description has at most 10000 characters.';
comment on constraint assistants_type_check on workforce.assistants is 'The parts that an assistant can play.';
comment on constraint assistants_status_check on workforce.assistants is 'The states of an assistant.';
comment on constraint assistants_status_reason_check on workforce.assistants is 'A reason has at most 2000 characters.';
comment on constraint assistants_configuration_check on workforce.assistants is 'A configuration is a JSON object.';
comment on constraint assistants_configuration_version_check on workforce.assistants is 'Versions count from 1.';
comment on constraint assistants_capabilities_check on workforce.assistants is 'At most 200 tools.';
comment on constraint assistants_model_config_check on workforce.assistants is 'The choice of model is a JSON object.';
comment on constraint assistants_risk_tier_check on workforce.assistants is 'A tier is between 0 and 5.';
comment on constraint assistants_max_cost_per_day_check on workforce.assistants is 'A cap is not negative.';
create index assistants_created_at_idx on workforce.assistants (organization_id, created_at desc, id);
create index assistants_template_id_idx on workforce.assistants (organization_id, template_id);
create index assistants_status_idx on workforce.assistants (organization_id, status, created_at desc);

-- inactive <-> active; what is active may be suspended or fail, and comes back from either.
create function workforce.assistants_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('inactive', 'active'), ('active', 'inactive'), ('active', 'suspended'), ('active', 'error'),
        ('suspended', 'active'), ('suspended', 'inactive'), ('error', 'active'), ('error', 'inactive'),
        ('error', 'suspended'))
    then
        raise exception 'an assistant that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'assistants_status_step', schema = 'workforce',
                  table = 'assistants', column = 'status';
    end if;
    if new.status in ('inactive', 'active') then
        new.status_reason := null;
    end if;
    return new;
end $$;
comment on function workforce.assistants_step() is 'Refuses steps that the state machine of assistants does not have, and forgets the reason once it is over.';
create trigger step before update of status on workforce.assistants for each row execute function workforce.assistants_step();

-- Whatever changes what an assistant is counts its configuration on.
create function workforce.assistants_configured() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.configuration_version := old.configuration_version;
    if (new.configuration, new.capabilities, new.model_config, new.risk_tier, new.max_cost_per_day)
        is distinct from (old.configuration, old.capabilities, old.model_config, old.risk_tier, old.max_cost_per_day)
    then
        new.configuration_version := old.configuration_version + 1;
    end if;
    return new;
end $$;
comment on function workforce.assistants_configured() is 'Counts the changes of what an assistant is.';
create trigger configured before update on workforce.assistants
    for each row execute function workforce.assistants_configured();
select kernel.tenant_table('workforce.assistants');

create table workforce.assistant_versions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    assistant_id uuid not null,
    configuration_version integer not null,
    configuration jsonb not null,
    capabilities text[],
    model_config jsonb not null,
    risk_tier integer not null,
    max_cost_per_day numeric(20, 10) not null,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    constraint assistant_versions_pkey primary key (organization_id, id),
    constraint assistant_versions_assistant_id_fkey foreign key (organization_id, assistant_id) references workforce.assistants (organization_id, id) on delete cascade,
    constraint assistant_versions_configuration_version_key unique (organization_id, assistant_id, configuration_version),
    constraint assistant_versions_configuration_version_check check (configuration_version >= 1),
    constraint assistant_versions_configuration_check check (jsonb_typeof(configuration) = 'object'),
    constraint assistant_versions_model_config_check check (jsonb_typeof(model_config) = 'object'),
    constraint assistant_versions_risk_tier_check check (risk_tier between 0 and 5)
);
comment on table workforce.assistant_versions is 'What an assistant was at one version of its configuration: made whenever that changes, and never changed. Writing a version''s values back to the assistant rolls it back.';
comment on column workforce.assistant_versions.organization_id is 'The organization that the version belongs to.';
comment on column workforce.assistant_versions.id is 'The version.';
comment on column workforce.assistant_versions.assistant_id is 'The assistant.';
comment on column workforce.assistant_versions.configuration_version is 'Which version, from 1.';
comment on column workforce.assistant_versions.configuration is 'How it worked.';
comment on column workforce.assistant_versions.capabilities is 'The tools that it could use; null for none.';
comment on column workforce.assistant_versions.model_config is 'Which model it thought with.';
comment on column workforce.assistant_versions.risk_tier is 'How risky what it did was at least, 0 to 5.';
comment on column workforce.assistant_versions.max_cost_per_day is 'What it could spend in a day, in USD.';
comment on column workforce.assistant_versions.created_by is 'Who changed it.';
comment on column workforce.assistant_versions.created_at is 'When.';
comment on constraint assistant_versions_pkey on workforce.assistant_versions is 'A version is known within its organization.';
comment on constraint assistant_versions_assistant_id_fkey on workforce.assistant_versions is 'A version is a part of its assistant and goes with it.';
comment on constraint assistant_versions_configuration_version_key on workforce.assistant_versions is 'A version is kept once.';
comment on constraint assistant_versions_configuration_version_check on workforce.assistant_versions is 'Versions count from 1.';
comment on constraint assistant_versions_configuration_check on workforce.assistant_versions is 'A configuration is a JSON object.';
comment on constraint assistant_versions_model_config_check on workforce.assistant_versions is 'The choice of model is a JSON object.';
comment on constraint assistant_versions_risk_tier_check on workforce.assistant_versions is 'A tier is between 0 and 5.';
create index assistant_versions_created_at_idx on workforce.assistant_versions (organization_id, created_at desc, id);
select kernel.tenant_table('workforce.assistant_versions');

revoke update, delete on workforce.assistant_versions from ephor_app;

-- By trigger, so that no way of changing an assistant can forget.
create function workforce.assistant_version_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' or new.configuration_version <> old.configuration_version then
        insert into workforce.assistant_versions (
            organization_id, assistant_id, configuration_version, configuration, capabilities, model_config,
            risk_tier, max_cost_per_day, created_by)
        values (
            new.organization_id, new.id, new.configuration_version, new.configuration, new.capabilities, new.model_config,
            new.risk_tier, new.max_cost_per_day,
            coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.created_by));
    end if;
    return null;
end $$;
comment on function workforce.assistant_version_keep() is 'Keeps what an assistant was at each version of its configuration.';
create trigger keep_version after insert or update on workforce.assistants
    for each row execute function workforce.assistant_version_keep();

create table workforce.work_items (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    assistant_id uuid not null,
    title text not null,
    description text,
    status text not null default 'backlog',
    status_reason text,
    priority integer not null default 3,
    risk_level integer,
    estimated_cost numeric(20, 10),
    actual_cost numeric(20, 10),
    context jsonb not null default '{}',
    result jsonb,
    started_at timestamptz,
    completed_at timestamptz,
    due_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint work_items_pkey primary key (organization_id, id),
    constraint work_items_assistant_id_fkey foreign key (organization_id, assistant_id) references workforce.assistants (organization_id, id) on delete restrict,
    constraint work_items_title_check check (length(title) between 1 and 500),
    constraint work_items_description_check check (length(description) <= 50000),
    constraint work_items_status_check check (status in ('backlog', 'in_progress', 'awaiting_approval', 'completed', 'failed', 'cancelled')),
    constraint work_items_status_reason_check check (length(status_reason) <= 5000),
    constraint work_items_priority_check check (priority between 1 and 5),
    constraint work_items_risk_level_check check (risk_level between 0 and 5),
    constraint work_items_estimated_cost_check check (estimated_cost >= 0),
    constraint work_items_actual_cost_check check (actual_cost >= 0),
    constraint work_items_context_check check (jsonb_typeof(context) = 'object'),
    constraint work_items_result_check check (jsonb_typeof(result) <> 'null')
);
comment on table workforce.work_items is 'A piece of work for an assistant.';
comment on column workforce.work_items.organization_id is 'The organization that the work belongs to.';
comment on column workforce.work_items.id is 'The work.';
comment on column workforce.work_items.assistant_id is 'The assistant that does it.';
comment on column workforce.work_items.title is 'What is to be done, in a line.';
comment on column workforce.work_items.description is 'What is to be done, at length.';
comment on column workforce.work_items.status is 'backlog, in_progress, awaiting_approval, completed, failed or cancelled.';
comment on column workforce.work_items.status_reason is 'Why it failed or was cancelled.';
comment on column workforce.work_items.priority is '1 (first) to 5 (last).';
comment on column workforce.work_items.risk_level is 'How risky it is, 0 to 5; the greater of this and the assistant''s tier counts.';
comment on column workforce.work_items.estimated_cost is 'What it is thought to cost, in USD.';
comment on column workforce.work_items.actual_cost is 'What it cost, in USD.';
comment on column workforce.work_items.context is 'What the assistant has to know for it.';
comment on column workforce.work_items.result is 'What came of it.';
comment on column workforce.work_items.started_at is 'When the assistant first began.';
comment on column workforce.work_items.completed_at is 'When it came to its end, whichever.';
comment on column workforce.work_items.due_at is 'Until when it should be done.';
comment on column workforce.work_items.created_by is 'Who gave it.';
comment on column workforce.work_items.created_at is 'When it was made.';
comment on column workforce.work_items.updated_at is 'When it last changed.';
comment on column workforce.work_items.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint work_items_pkey on workforce.work_items is 'Work is known within its organization.';
comment on constraint work_items_assistant_id_fkey on workforce.work_items is 'The assistant must be one of the organization; it cannot be deleted while its work is kept.';
comment on constraint work_items_title_check on workforce.work_items is 'A title has 1 to 500 characters.';
comment on constraint work_items_description_check on workforce.work_items is 'A description has at most 50000 characters.';
comment on constraint work_items_status_check on workforce.work_items is 'The states of work.';
comment on constraint work_items_status_reason_check on workforce.work_items is 'A reason has at most 5000 characters.';
comment on constraint work_items_priority_check on workforce.work_items is 'A priority is between 1 and 5.';
comment on constraint work_items_risk_level_check on workforce.work_items is 'A risk level is between 0 and 5.';
comment on constraint work_items_estimated_cost_check on workforce.work_items is 'A cost is not negative.';
comment on constraint work_items_actual_cost_check on workforce.work_items is 'A cost is not negative.';
comment on constraint work_items_context_check on workforce.work_items is 'A context is a JSON object.';
comment on constraint work_items_result_check on workforce.work_items is 'A result is something.';
create index work_items_created_at_idx on workforce.work_items (organization_id, created_at desc, id);
create index work_items_assistant_id_idx on workforce.work_items (organization_id, assistant_id, status);
create index work_items_status_idx on workforce.work_items (organization_id, status, priority, created_at desc);
create index work_items_due_at_idx on workforce.work_items (organization_id, due_at);
select kernel.tenant_table('workforce.work_items');

create table workforce.approvals (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    work_item_id uuid not null,
    title text not null,
    description text,
    risk_level integer not null,
    status text not null default 'pending',
    requested_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    approver_ids uuid[],
    required_votes integer not null default 1,
    approved_by uuid,
    approved_at timestamptz,
    rejected_by uuid,
    rejected_at timestamptz,
    rejected_reason text,
    expires_at timestamptz not null,
    escalation_count integer not null default 0,
    escalated_at timestamptz,
    context jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint approvals_pkey primary key (organization_id, id),
    constraint approvals_work_item_id_fkey foreign key (organization_id, work_item_id) references workforce.work_items (organization_id, id) on delete restrict,
    constraint approvals_title_check check (length(title) between 1 and 500),
    constraint approvals_description_check check (length(description) <= 50000),
    constraint approvals_risk_level_check check (risk_level between 0 and 5),
    constraint approvals_status_check check (status in ('pending', 'approved', 'rejected', 'escalated', 'expired')),
    constraint approvals_approver_ids_check check (array_position(approver_ids, null) is null and cardinality(approver_ids) <= 100),
    constraint approvals_required_votes_check check (required_votes between 1 and 10),
    constraint approvals_requester_check check (approved_by <> requested_by),
    constraint approvals_rejected_reason_check check (length(rejected_reason) <= 5000),
    constraint approvals_escalation_count_check check (escalation_count >= 0),
    constraint approvals_context_check check (jsonb_typeof(context) = 'object')
);
comment on table workforce.approvals is 'A request that somebody approves of work before it goes on.';
comment on column workforce.approvals.organization_id is 'The organization that the approval belongs to.';
comment on column workforce.approvals.id is 'The approval.';
comment on column workforce.approvals.work_item_id is 'The work.';
comment on column workforce.approvals.title is 'What is asked for, in a line.';
comment on column workforce.approvals.description is 'What is asked for, at length.';
comment on column workforce.approvals.risk_level is 'How risky it is, 0 to 5: never less than the work and its assistant.';
comment on column workforce.approvals.status is 'pending, approved, rejected, escalated or expired.';
comment on column workforce.approvals.requested_by is 'The user or assistant that asks; never the one who approves.';
comment on column workforce.approvals.approver_ids is 'The users who may decide; null for all who hold the permission.';
comment on column workforce.approvals.required_votes is 'How many different approvers it takes; at level 3 two, or one and a day.';
comment on column workforce.approvals.approved_by is 'The user whose approval was the last that it took.';
comment on column workforce.approvals.approved_at is 'When it was approved.';
comment on column workforce.approvals.rejected_by is 'The user who rejected it.';
comment on column workforce.approvals.rejected_at is 'When it was rejected.';
comment on column workforce.approvals.rejected_reason is 'Why it was rejected.';
comment on column workforce.approvals.expires_at is 'Until when it can be decided.';
comment on column workforce.approvals.escalation_count is 'How often it was passed on for want of an answer.';
comment on column workforce.approvals.escalated_at is 'When it was last passed on.';
comment on column workforce.approvals.context is 'What the approver has to know: what the assistant would do, with what effect.';
comment on column workforce.approvals.created_at is 'When it was made.';
comment on column workforce.approvals.updated_at is 'When it last changed.';
comment on column workforce.approvals.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint approvals_pkey on workforce.approvals is 'An approval is known within its organization.';
comment on constraint approvals_work_item_id_fkey on workforce.approvals is 'The work must be one of the organization; it cannot be deleted while its approvals are kept.';
comment on constraint approvals_title_check on workforce.approvals is 'A title has 1 to 500 characters.';
comment on constraint approvals_description_check on workforce.approvals is 'A description has at most 50000 characters.';
comment on constraint approvals_risk_level_check on workforce.approvals is 'A risk level is between 0 and 5.';
comment on constraint approvals_status_check on workforce.approvals is 'The states of an approval.';
comment on constraint approvals_approver_ids_check on workforce.approvals is 'At most 100 approvers.';
comment on constraint approvals_required_votes_check on workforce.approvals is 'It takes 1 to 10 approvers.';
comment on constraint approvals_requester_check on workforce.approvals is 'The requester never approves their own.';
comment on constraint approvals_rejected_reason_check on workforce.approvals is 'A reason has at most 5000 characters.';
comment on constraint approvals_escalation_count_check on workforce.approvals is 'A count is not negative.';
comment on constraint approvals_context_check on workforce.approvals is 'A context is a JSON object.';
create index approvals_created_at_idx on workforce.approvals (organization_id, created_at desc, id);
create index approvals_work_item_id_idx on workforce.approvals (organization_id, work_item_id, status);
create index approvals_status_idx on workforce.approvals (organization_id, status, created_at desc);
create index approvals_requested_by_idx on workforce.approvals (organization_id, requested_by);
create index approvals_expires_at_idx on workforce.approvals (organization_id, expires_at);
select kernel.tenant_table('workforce.approvals');

create table workforce.approval_delegations (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    delegator_id uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    delegate_id uuid not null,
    risk_levels integer[],
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    reason text,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint approval_delegations_pkey primary key (organization_id, id),
    constraint approval_delegations_delegate_id_check check (delegator_id <> delegate_id),
    constraint approval_delegations_risk_levels_check check (risk_levels <@ '{0,1,2,3,4,5}'::integer[]),
    constraint approval_delegations_ends_at_check check (ends_at > starts_at),
    constraint approval_delegations_reason_check check (length(reason) <= 2000)
);
comment on table workforce.approval_delegations is 'Somebody decides on approvals in another''s place for a while. What was delegated is not delegated on.';
comment on column workforce.approval_delegations.organization_id is 'The organization that the delegation belongs to.';
comment on column workforce.approval_delegations.id is 'The delegation.';
comment on column workforce.approval_delegations.delegator_id is 'The user whose right it is.';
comment on column workforce.approval_delegations.delegate_id is 'The user who may use it.';
comment on column workforce.approval_delegations.risk_levels is 'The risk levels that it is for; null for all that the delegator may decide.';
comment on column workforce.approval_delegations.starts_at is 'From when.';
comment on column workforce.approval_delegations.ends_at is 'Until when.';
comment on column workforce.approval_delegations.reason is 'Why.';
comment on column workforce.approval_delegations.is_active is 'False once it was called back.';
comment on column workforce.approval_delegations.created_at is 'When it was made.';
comment on column workforce.approval_delegations.updated_at is 'When it last changed.';
comment on column workforce.approval_delegations.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint approval_delegations_pkey on workforce.approval_delegations is 'A delegation is known within its organization.';
comment on constraint approval_delegations_delegate_id_check on workforce.approval_delegations is 'Nobody delegates to themselves.';
comment on constraint approval_delegations_risk_levels_check on workforce.approval_delegations is 'Risk levels are 0 to 5.';
comment on constraint approval_delegations_ends_at_check on workforce.approval_delegations is 'It ends after it began.';
comment on constraint approval_delegations_reason_check on workforce.approval_delegations is 'A reason has at most 2000 characters.';
create index approval_delegations_created_at_idx on workforce.approval_delegations (organization_id, created_at desc, id);
create index approval_delegations_delegator_id_idx on workforce.approval_delegations (organization_id, delegator_id);
create index approval_delegations_delegate_id_idx on workforce.approval_delegations (organization_id, delegate_id, ends_at);

-- Whose right it is and to whom it went stays as it was agreed; a new agreement is a new delegation.
create function workforce.approval_delegations_check() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.delegator_id, new.delegate_id) is distinct from (old.delegator_id, old.delegate_id) then
        raise exception 'who delegates to whom cannot be changed'
            using errcode = 'check_violation', constraint = 'approval_delegations_parties_check', schema = 'workforce',
                  table = 'approval_delegations', column = 'delegate_id', hint = 'end this delegation and make another';
    end if;
    return new;
end $$;
comment on function workforce.approval_delegations_check() is 'Keeps who delegates to whom.';
create trigger parties before update on workforce.approval_delegations
    for each row execute function workforce.approval_delegations_check();
select kernel.tenant_table('workforce.approval_delegations');

create table workforce.approval_votes (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    approval_id uuid not null,
    approver_id uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    delegation_id uuid,
    authority_id uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    decision text not null,
    reason text,
    created_at timestamptz not null default now(),
    constraint approval_votes_pkey primary key (organization_id, id),
    constraint approval_votes_approval_id_fkey foreign key (organization_id, approval_id) references workforce.approvals (organization_id, id) on delete cascade,
    constraint approval_votes_delegation_id_fkey foreign key (organization_id, delegation_id) references workforce.approval_delegations (organization_id, id) on delete restrict,
    constraint approval_votes_approver_id_key unique (organization_id, approval_id, approver_id),
    constraint approval_votes_authority_id_key unique (organization_id, approval_id, authority_id),
    constraint approval_votes_decision_check check (decision in ('approve', 'reject')),
    constraint approval_votes_reason_check check (length(reason) between 1 and 5000),
    constraint approval_votes_rejected_check check (decision <> 'reject' or reason is not null)
);
comment on table workforce.approval_votes is 'What one approver says to a request: made once and never changed.';
comment on column workforce.approval_votes.organization_id is 'The organization that the vote belongs to.';
comment on column workforce.approval_votes.id is 'The vote.';
comment on column workforce.approval_votes.approval_id is 'The approval.';
comment on column workforce.approval_votes.approver_id is 'The user who decides.';
comment on column workforce.approval_votes.delegation_id is 'The delegation by which they decide in another''s place.';
comment on column workforce.approval_votes.authority_id is 'The user whose right it is: the approver, or who delegated to them.';
comment on column workforce.approval_votes.decision is 'approve or reject.';
comment on column workforce.approval_votes.reason is 'Why; a rejection needs one.';
comment on column workforce.approval_votes.created_at is 'When they decided.';
comment on constraint approval_votes_pkey on workforce.approval_votes is 'A vote is known within its organization.';
comment on constraint approval_votes_approval_id_fkey on workforce.approval_votes is 'A vote is a part of its approval and goes with it.';
comment on constraint approval_votes_delegation_id_fkey on workforce.approval_votes is 'The delegation must be one of the organization; it cannot be deleted once it was used.';
comment on constraint approval_votes_approver_id_key on workforce.approval_votes is 'An approver decides once.';
comment on constraint approval_votes_authority_id_key on workforce.approval_votes is 'A right is used once, by whoever has it or by a delegate.';
comment on constraint approval_votes_decision_check on workforce.approval_votes is 'The decisions.';
comment on constraint approval_votes_reason_check on workforce.approval_votes is 'A reason has 1 to 5000 characters.';
comment on constraint approval_votes_rejected_check on workforce.approval_votes is 'A rejection says why.';
create index approval_votes_created_at_idx on workforce.approval_votes (organization_id, created_at desc, id);
create index approval_votes_delegation_id_idx on workforce.approval_votes (organization_id, delegation_id);
select kernel.tenant_table('workforce.approval_votes');

revoke update, delete on workforce.approval_votes from ephor_app;

-- The risk that counts: the greater of the work's and the assistant's.
create function workforce.effective_risk(organization_id uuid, work_item_id uuid) returns integer
    language sql stable set search_path = pg_catalog, pg_temp as $$
    select greatest(coalesce(w.risk_level, 0), a.risk_tier)
      from workforce.work_items as w
      join workforce.assistants as a on a.organization_id = w.organization_id and a.id = w.assistant_id
     where w.organization_id = effective_risk.organization_id and w.id = effective_risk.work_item_id
$$;
comment on function workforce.effective_risk(uuid, uuid) is 'The risk level of work that counts: the greater of its own and its assistant''s tier.';

-- Who asks is noted, and nobody asks for less than the work's risk demands. Rows that are brought over from elsewhere
-- are taken as they are.
create function workforce.approvals_open() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if current_user = 'ephor_app' then
        new.requested_by := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.requested_by);
        new.risk_level := greatest(new.risk_level, workforce.effective_risk(new.organization_id, new.work_item_id));
    end if;
    if new.risk_level = 3 then
        new.required_votes := greatest(new.required_votes, 2);
    end if;
    return new;
end $$;
comment on function workforce.approvals_open() is 'Notes who asks, and sets the risk level and the number of approvers that the work demands.';
create trigger open before insert on workforce.approvals for each row execute function workforce.approvals_open();

-- pending -> approved | rejected | escalated | expired; what was escalated can still be decided, or expires.
-- Approved and rejected follow from votes alone.
create function workforce.approvals_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    votes bigint;
    first_vote timestamptz;
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'approved'), ('pending', 'rejected'), ('pending', 'escalated'),
        ('pending', 'expired'), ('escalated', 'approved'), ('escalated', 'rejected'),
        ('escalated', 'expired'))
    then
        raise exception 'an approval that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'approvals_status_step', schema = 'workforce',
                  table = 'approvals', column = 'status';
    end if;
    if new.status = 'approved' and old.status <> 'approved' then
        select count(*), min(v.created_at) into votes, first_vote
          from workforce.approval_votes as v
         where v.organization_id = new.organization_id and v.approval_id = new.id and v.decision = 'approve';
        if votes < new.required_votes
            and not (new.risk_level = 3 and votes >= 1 and first_vote <= clock_timestamp() - interval '24 hours')
        then
            raise exception 'the approval has % of % votes', votes, new.required_votes
                using errcode = 'check_violation', constraint = 'approvals_votes_check', schema = 'workforce',
                      table = 'approvals', column = 'status', hint = 'approve it with a vote';
        end if;
        select v.approver_id into new.approved_by
          from workforce.approval_votes as v
         where v.organization_id = new.organization_id and v.approval_id = new.id and v.decision = 'approve'
         order by v.created_at desc, v.id desc limit 1;
        new.approved_at := clock_timestamp();
    elsif new.status = 'rejected' and old.status <> 'rejected' then
        select v.approver_id, v.reason into new.rejected_by, new.rejected_reason
          from workforce.approval_votes as v
         where v.organization_id = new.organization_id and v.approval_id = new.id and v.decision = 'reject'
         order by v.created_at desc, v.id desc limit 1;
        if not found then
            raise exception 'nobody voted against the approval'
                using errcode = 'check_violation', constraint = 'approvals_votes_check', schema = 'workforce',
                      table = 'approvals', column = 'status', hint = 'reject it with a vote and a reason';
        end if;
        new.rejected_at := clock_timestamp();
    elsif new.status = 'escalated' and old.status <> 'escalated' then
        new.escalation_count := greatest(new.escalation_count, old.escalation_count + 1);
        new.escalated_at := clock_timestamp();
    elsif new.status = 'expired' and old.status <> 'expired' and new.expires_at > clock_timestamp() then
        raise exception 'the approval can be decided until %', new.expires_at
            using errcode = 'check_violation', constraint = 'approvals_expires_at_step', schema = 'workforce',
                  table = 'approvals', column = 'status';
    end if;
    return new;
end $$;
comment on function workforce.approvals_step() is 'Refuses steps that the state machine of approvals does not have, holds approvals against the votes, and notes who decided and when.';
create trigger step before update of status on workforce.approvals for each row execute function workforce.approvals_step();

-- What was asked for stays what was asked for: an approver approves of that and nothing else.
create function workforce.approvals_keep() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.work_item_id, new.requested_by, new.risk_level, new.required_votes)
            is distinct from (old.work_item_id, old.requested_by, old.risk_level, old.required_votes)
        or (old.status not in ('pending', 'escalated')
            and (new.title, new.description, new.context, new.approver_ids, new.expires_at)
                is distinct from (old.title, old.description, old.context, old.approver_ids, old.expires_at))
    then
        raise exception 'what an approval is for cannot be changed'
            using errcode = 'check_violation', constraint = 'approvals_subject_check', schema = 'workforce',
                  table = 'approvals', hint = 'ask for another approval';
    end if;
    return new;
end $$;
comment on function workforce.approvals_keep() is 'Keeps what an approval is for, and all of it once it is decided.';
create trigger keep before update on workforce.approvals for each row execute function workforce.approvals_keep();

-- A vote counts only of somebody who may decide: not the requester, in time, named if any are named, by a delegation
-- that is in force; at level 5 an owner, at level 4 an approver of the holding, or an owner where there is none.
create function workforce.approval_votes_check() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    asked workforce.approvals;
    given workforce.approval_delegations;
    fault text;
    is_member boolean;
    is_owner boolean;
    has_holding boolean;
begin
    -- The lock lets two approvers at the same moment count one after the other.
    select * into asked from workforce.approvals as a
     where a.organization_id = new.organization_id and a.id = new.approval_id for update;
    if not found then
        return new; -- the foreign key says so
    end if;
    if current_user = 'ephor_app' then
        new.approver_id := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.approver_id);
    end if;
    new.authority_id := new.approver_id;
    if new.delegation_id is not null then
        select * into given from workforce.approval_delegations as d
         where d.organization_id = new.organization_id and d.id = new.delegation_id;
        if not found then
            return new; -- the foreign key says so
        end if;
        new.authority_id := given.delegator_id;
    end if;

    select coalesce(bool_or(m.is_active), false), coalesce(bool_or(m.is_active and r.builtin_code = 'owner'), false)
      into is_member, is_owner
      from identity.organization_members as m
      join identity.roles as r on r.organization_id = m.organization_id and r.id = m.role_id
     where m.organization_id = new.organization_id and m.user_id = new.authority_id;
    select coalesce(bool_or(o.parent_id is not null), false) into has_holding
      from identity.organizations as o where o.organization_id = new.organization_id;

    fault := case
        when asked.status not in ('pending', 'escalated') then format('the approval is %s already', asked.status)
        when asked.expires_at < clock_timestamp() then 'the approval is past its time'
        when asked.requested_by in (new.approver_id, new.authority_id) then 'the requester never approves their own'
        when new.delegation_id is not null and given.delegate_id <> new.approver_id then 'the delegation is somebody else''s'
        when new.delegation_id is not null and not (
            given.is_active and clock_timestamp() >= given.starts_at and clock_timestamp() < given.ends_at)
            then 'the delegation is not in force'
        when new.delegation_id is not null and not asked.risk_level = any (coalesce(given.risk_levels, '{0,1,2,3,4,5}'))
            then format('the delegation is not for risk level %s', asked.risk_level)
        when new.authority_id <> all (asked.approver_ids) then 'the approval is for others to decide'
        when asked.risk_level = 5 and not is_owner then 'at risk level 5 an owner decides'
        when asked.risk_level = 4 and has_holding and is_member then 'at risk level 4 an approver of the holding decides'
        when asked.risk_level = 4 and not has_holding and not is_owner then 'at risk level 4 an owner decides'
    end;
    if fault is not null then
        raise exception '%', fault
            using errcode = 'check_violation', constraint = 'approval_votes_authority_check', schema = 'workforce',
                  table = 'approval_votes', column = 'approver_id';
    end if;
    return new;
end $$;
comment on function workforce.approval_votes_check() is 'Takes the votes of those alone who may decide, and notes whose right they use.';
create trigger authority before insert on workforce.approval_votes
    for each row execute function workforce.approval_votes_check();

-- A vote against ends it; enough votes for it approve.
create function workforce.approval_votes_count() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update workforce.approvals as a
       set status = case new.decision when 'reject' then 'rejected' else 'approved' end
     where a.organization_id = new.organization_id and a.id = new.approval_id and a.status in ('pending', 'escalated')
       and (new.decision = 'reject' or a.required_votes <= (
            select count(*) from workforce.approval_votes as v
             where v.organization_id = a.organization_id and v.approval_id = a.id and v.decision = 'approve'));
    return null;
end $$;
comment on function workforce.approval_votes_count() is 'Decides the approval as soon as the votes do.';
create trigger count_votes after insert on workforce.approval_votes
    for each row execute function workforce.approval_votes_count();

-- backlog -> in_progress -> awaiting_approval -> completed | failed | cancelled; what an assistant began and could not go
-- on with goes back. From risk level 2 on nothing goes on without an approval that covers the risk.
create function workforce.work_items_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    risk integer;
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('backlog', 'in_progress'), ('backlog', 'awaiting_approval'), ('backlog', 'cancelled'),
        ('in_progress', 'backlog'), ('in_progress', 'awaiting_approval'), ('in_progress', 'completed'),
        ('in_progress', 'failed'), ('in_progress', 'cancelled'), ('awaiting_approval', 'in_progress'),
        ('awaiting_approval', 'completed'), ('awaiting_approval', 'failed'),
        ('awaiting_approval', 'cancelled'))
    then
        raise exception 'work that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'work_items_status_step', schema = 'workforce',
                  table = 'work_items', column = 'status';
    end if;
    if new.status is distinct from old.status then
        if new.status in ('in_progress', 'completed') then
            select greatest(coalesce(new.risk_level, 0), a.risk_tier) into risk
              from workforce.assistants as a
             where a.organization_id = new.organization_id and a.id = new.assistant_id;
            if (risk >= 2 or old.status = 'awaiting_approval') and not exists (
                select from workforce.approvals as p
                 where p.organization_id = new.organization_id and p.work_item_id = new.id
                   and p.status = 'approved' and p.risk_level >= risk)
                or old.status = 'awaiting_approval' and exists (
                select from workforce.approvals as p
                 where p.organization_id = new.organization_id and p.work_item_id = new.id
                   and p.status in ('pending', 'escalated'))
            then
                raise exception 'work of risk level % needs an approval before it goes on', risk
                    using errcode = 'check_violation', constraint = 'work_items_approval_step', schema = 'workforce',
                          table = 'work_items', column = 'status', hint = 'ask for an approval of the work';
            end if;
        end if;
        if new.status = 'in_progress' then
            new.started_at := coalesce(new.started_at, clock_timestamp());
        elsif new.status in ('completed', 'failed', 'cancelled') then
            new.completed_at := coalesce(new.completed_at, clock_timestamp());
        end if;
    end if;
    return new;
end $$;
comment on function workforce.work_items_step() is 'Refuses steps that the state machine of work items does not have, lets nothing risky go on unapproved, and notes when work began and ended.';
create trigger step before update of status on workforce.work_items for each row execute function workforce.work_items_step();

-- Approval releases the work at once; rejection cancels it with the reason. Work that waits for another approval, or
-- for one that covers more risk, goes on waiting.
create function workforce.approvals_follow() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status = 'approved' then
        update workforce.work_items as w
           set status = 'in_progress'
         where w.organization_id = new.organization_id and w.id = new.work_item_id and w.status = 'awaiting_approval'
           and new.risk_level >= workforce.effective_risk(w.organization_id, w.id)
           and not exists (
                select from workforce.approvals as p
                 where p.organization_id = w.organization_id and p.work_item_id = w.id
                   and p.status in ('pending', 'escalated'));
    elsif new.status = 'rejected' then
        update workforce.work_items as w
           set status = 'cancelled', status_reason = new.rejected_reason
         where w.organization_id = new.organization_id and w.id = new.work_item_id
           and w.status in ('backlog', 'in_progress', 'awaiting_approval');
    end if;
    return null;
end $$;
comment on function workforce.approvals_follow() is 'Releases the work that is approved and cancels the work that is rejected.';
create trigger follow after update of status on workforce.approvals
    for each row when (old.status is distinct from new.status) execute function workforce.approvals_follow();

create table workforce.communication_policies (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text,
    from_assistant_types text[],
    to_assistant_types text[],
    allowed_channels text[],
    content_rules jsonb not null default '{}',
    rate_limit_per_hour integer not null default 100,
    is_active boolean not null default true,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint communication_policies_pkey primary key (organization_id, id),
    constraint communication_policies_name_key unique (organization_id, name),
    constraint communication_policies_name_check check (length(name) between 1 and 200),
    constraint communication_policies_description_check check (length(description) <= 10000),
    constraint communication_policies_from_assistant_types_check check (from_assistant_types <@ array['executive_cos', 'shared_finance', 'shared_hr', 'shared_it', 'shared_legal', 'company_operations', 'company_finance', 'company_marketing', 'company_customer', 'company_product', 'company_compliance', 'custom']),
    constraint communication_policies_to_assistant_types_check check (to_assistant_types <@ array['executive_cos', 'shared_finance', 'shared_hr', 'shared_it', 'shared_legal', 'company_operations', 'company_finance', 'company_marketing', 'company_customer', 'company_product', 'company_compliance', 'custom']),
    constraint communication_policies_allowed_channels_check check (allowed_channels <@ array['telegram', 'slack', 'email', 'internal']),
    constraint communication_policies_content_rules_check check (jsonb_typeof(content_rules) = 'object'),
    constraint communication_policies_rate_limit_per_hour_check check (rate_limit_per_hour >= 0)
);
comment on table workforce.communication_policies is 'Which assistants may write to which, by which channels. What no policy allows is refused.';
comment on column workforce.communication_policies.organization_id is 'The organization that the policy belongs to.';
comment on column workforce.communication_policies.id is 'The policy.';
comment on column workforce.communication_policies.name is 'A name for people.';
comment on column workforce.communication_policies.description is 'What it is for.';
comment on column workforce.communication_policies.from_assistant_types is 'The types of assistant that may write; null for all.';
comment on column workforce.communication_policies.to_assistant_types is 'The types of assistant that they may write to; null for all.';
comment on column workforce.communication_policies.allowed_channels is 'The channels that they may use: telegram, slack, email, internal; null for none.';
comment on column workforce.communication_policies.content_rules is 'What messages may hold, and what is masked in them.';
comment on column workforce.communication_policies.rate_limit_per_hour is 'How many messages an assistant may write by it in an hour.';
comment on column workforce.communication_policies.is_active is 'Whether it is in force.';
comment on column workforce.communication_policies.created_by is 'Who made it.';
comment on column workforce.communication_policies.created_at is 'When it was made.';
comment on column workforce.communication_policies.updated_at is 'When it last changed.';
comment on column workforce.communication_policies.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint communication_policies_pkey on workforce.communication_policies is 'A policy is known within its organization.';
comment on constraint communication_policies_name_key on workforce.communication_policies is 'A name is given once in an organization.';
comment on constraint communication_policies_name_check on workforce.communication_policies is 'A name has 1 to 200 characters.';
comment on constraint communication_policies_description_check on workforce.communication_policies is 'A description has at most 10000 characters.';
comment on constraint communication_policies_from_assistant_types_check on workforce.communication_policies is 'The types of assistant.';
comment on constraint communication_policies_to_assistant_types_check on workforce.communication_policies is 'The types of assistant.';
comment on constraint communication_policies_allowed_channels_check on workforce.communication_policies is 'The channels.';
comment on constraint communication_policies_content_rules_check on workforce.communication_policies is 'Rules are a JSON object.';
comment on constraint communication_policies_rate_limit_per_hour_check on workforce.communication_policies is 'A limit is not negative.';
create index communication_policies_created_at_idx on workforce.communication_policies (organization_id, created_at desc, id);
select kernel.tenant_table('workforce.communication_policies');

create table workforce.messages (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    from_assistant_id uuid not null,
    to_assistant_id uuid,
    to_address text,
    work_item_id uuid,
    policy_id uuid,
    channel text not null,
    subject text,
    content text not null,
    status text not null default 'pending',
    refusal_rule text,
    failure text,
    delivered_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint messages_pkey primary key (organization_id, id),
    constraint messages_from_assistant_id_fkey foreign key (organization_id, from_assistant_id) references workforce.assistants (organization_id, id) on delete restrict,
    constraint messages_to_assistant_id_fkey foreign key (organization_id, to_assistant_id) references workforce.assistants (organization_id, id) on delete restrict,
    constraint messages_work_item_id_fkey foreign key (organization_id, work_item_id) references workforce.work_items (organization_id, id) on delete restrict,
    constraint messages_policy_id_fkey foreign key (organization_id, policy_id) references workforce.communication_policies (organization_id, id) on delete restrict,
    constraint messages_channel_check check (channel in ('telegram', 'slack', 'email', 'internal')),
    constraint messages_to_address_check check (length(to_address) between 1 and 500),
    constraint messages_subject_check check (length(subject) <= 500),
    constraint messages_content_check check (length(content) <= 100000),
    constraint messages_status_check check (status in ('pending', 'delivered', 'refused', 'failed')),
    constraint messages_refusal_rule_check check (length(refusal_rule) <= 2000),
    constraint messages_refused_check check (status <> 'refused' or refusal_rule is not null),
    constraint messages_failure_check check (length(failure) <= 5000),
    constraint messages_failed_check check (status <> 'failed' or failure is not null)
);
comment on table workforce.messages is 'What an assistant wrote, or wanted to write: delivered, or refused with the rule that refused it.';
comment on column workforce.messages.organization_id is 'The organization that the message belongs to.';
comment on column workforce.messages.id is 'The message.';
comment on column workforce.messages.from_assistant_id is 'The assistant that wrote it.';
comment on column workforce.messages.to_assistant_id is 'The assistant that it was for; null when it was for a person.';
comment on column workforce.messages.to_address is 'Where it went outside, such as an e-mail address or a chat.';
comment on column workforce.messages.work_item_id is 'The work that it was about.';
comment on column workforce.messages.policy_id is 'The policy that allowed or refused it; null when no policy fitted.';
comment on column workforce.messages.channel is 'telegram, slack, email or internal.';
comment on column workforce.messages.subject is 'What it was about, in a line.';
comment on column workforce.messages.content is 'What it said, with what the policy masks taken out.';
comment on column workforce.messages.status is 'pending, delivered, refused or failed.';
comment on column workforce.messages.refusal_rule is 'The rule that refused it.';
comment on column workforce.messages.failure is 'Why it could not be delivered.';
comment on column workforce.messages.delivered_at is 'When it was delivered.';
comment on column workforce.messages.created_at is 'When it was made.';
comment on column workforce.messages.updated_at is 'When it last changed.';
comment on column workforce.messages.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint messages_pkey on workforce.messages is 'A message is known within its organization.';
comment on constraint messages_from_assistant_id_fkey on workforce.messages is 'The writer must be one of the organization; it cannot be deleted while its messages are kept.';
comment on constraint messages_to_assistant_id_fkey on workforce.messages is 'The reader must be one of the organization; it cannot be deleted while messages to it are kept.';
comment on constraint messages_work_item_id_fkey on workforce.messages is 'The work must be one of the organization; it cannot be deleted while messages about it are kept.';
comment on constraint messages_policy_id_fkey on workforce.messages is 'The policy must be one of the organization; it cannot be deleted while what it decided is kept.';
comment on constraint messages_channel_check on workforce.messages is 'The channels.';
comment on constraint messages_to_address_check on workforce.messages is 'An address has 1 to 500 characters.';
comment on constraint messages_subject_check on workforce.messages is 'A subject has at most 500 characters.';
comment on constraint messages_content_check on workforce.messages is 'A message has at most 100000 characters.';
comment on constraint messages_status_check on workforce.messages is 'The states of a message.';
comment on constraint messages_refusal_rule_check on workforce.messages is 'A rule has at most 2000 characters.';
comment on constraint messages_refused_check on workforce.messages is 'What was refused names the rule.';
comment on constraint messages_failure_check on workforce.messages is 'A failure has at most 5000 characters.';
comment on constraint messages_failed_check on workforce.messages is 'What failed says why.';
create index messages_created_at_idx on workforce.messages (organization_id, created_at desc, id);
create index messages_from_assistant_id_idx on workforce.messages (organization_id, from_assistant_id, created_at desc);
create index messages_to_assistant_id_idx on workforce.messages (organization_id, to_assistant_id, created_at desc);
create index messages_work_item_id_idx on workforce.messages (organization_id, work_item_id);
create index messages_policy_id_idx on workforce.messages (organization_id, policy_id);
create index messages_status_idx on workforce.messages (organization_id, status, created_at desc);

-- pending -> delivered | refused | failed; what failed may be tried again.
create function workforce.messages_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'delivered'), ('pending', 'refused'), ('pending', 'failed'), ('failed', 'pending'))
    then
        raise exception 'a message that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'messages_status_step', schema = 'workforce',
                  table = 'messages', column = 'status';
    end if;
    if new.status = 'delivered' and old.status <> 'delivered' then
        new.delivered_at := clock_timestamp();
    end if;
    return new;
end $$;
comment on function workforce.messages_step() is 'Refuses steps that the state machine of messages does not have, and notes when it was delivered.';
create trigger step before update of status on workforce.messages for each row execute function workforce.messages_step();
select kernel.tenant_table('workforce.messages', masked => '{to_address,content}', writable => false);

-- What the gateway keeps of assistants and their work; their tables are younger than the gateway's.
alter table gateway.cost_transactions add constraint cost_transactions_assistant_id_fkey foreign key (organization_id, assistant_id)
    references workforce.assistants (organization_id, id) on delete restrict;
comment on constraint cost_transactions_assistant_id_fkey on gateway.cost_transactions is 'The assistant must be one of the organization; it cannot be deleted while this is kept.';
alter table gateway.cost_transactions add constraint cost_transactions_work_item_id_fkey foreign key (organization_id, work_item_id)
    references workforce.work_items (organization_id, id) on delete restrict;
comment on constraint cost_transactions_work_item_id_fkey on gateway.cost_transactions is 'The work must be one of the organization; it cannot be deleted while this is kept.';
alter table gateway.hallucination_flags add constraint hallucination_flags_assistant_id_fkey foreign key (organization_id, assistant_id)
    references workforce.assistants (organization_id, id) on delete restrict;
comment on constraint hallucination_flags_assistant_id_fkey on gateway.hallucination_flags is 'The assistant must be one of the organization; it cannot be deleted while this is kept.';
alter table gateway.hallucination_flags add constraint hallucination_flags_work_item_id_fkey foreign key (organization_id, work_item_id)
    references workforce.work_items (organization_id, id) on delete restrict;
comment on constraint hallucination_flags_work_item_id_fkey on gateway.hallucination_flags is 'The work must be one of the organization; it cannot be deleted while this is kept.';
