-- Risks: what can go wrong, how it is mitigated, and what already went wrong.

create table risk.risk_items (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    title text not null,
    description text not null default '',
    status text not null default 'open',
    severity text not null,
    impact text not null,
    likelihood text not null,
    category text not null default 'other',
    system_details text,
    ai_system_id uuid,
    owner_id uuid,
    mitigated_at timestamptz,
    closed_at timestamptz,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint risk_items_pkey primary key (organization_id, id),
    constraint risk_items_title_check check (length(title) between 1 and 500),
    constraint risk_items_description_check check (length(description) <= 20000),
    constraint risk_items_status_check check (status in ('open', 'mitigated', 'closed')),
    constraint risk_items_severity_check check (severity in ('low', 'medium', 'high', 'critical')),
    constraint risk_items_impact_check check (impact in ('low', 'medium', 'high')),
    constraint risk_items_likelihood_check check (likelihood in ('low', 'medium', 'high')),
    constraint risk_items_category_check check (length(category) between 1 and 100),
    constraint risk_items_system_details_check check (length(system_details) <= 20000),
    constraint risk_items_ai_system_id_fkey foreign key (organization_id, ai_system_id)
        references registry.ai_systems (organization_id, id) on delete restrict
);
comment on table risk.risk_items is 'Something that can go wrong with AI: how bad, how likely, and what is done about it.';
comment on column risk.risk_items.organization_id is 'The organization that the risk belongs to.';
comment on column risk.risk_items.id is 'The risk.';
comment on column risk.risk_items.title is 'What can go wrong, in a line.';
comment on column risk.risk_items.description is 'What can go wrong, in full.';
comment on column risk.risk_items.status is 'open, mitigated (the last open mitigation was completed) or closed; may be reopened.';
comment on column risk.risk_items.severity is 'How severe it is over all: low, medium, high or critical.';
comment on column risk.risk_items.impact is 'How bad it would be: low, medium or high; a row of the heat map.';
comment on column risk.risk_items.likelihood is 'How likely it is: low, medium or high; a column of the heat map.';
comment on column risk.risk_items.category is 'What kind of risk it is: security, privacy, bias, or a word of the organization''s own.';
comment on column risk.risk_items.system_details is 'What else is to be known of the system that it concerns.';
comment on column risk.risk_items.ai_system_id is 'The AI system that it concerns, when there is one.';
comment on column risk.risk_items.owner_id is 'The user who answers for it.';
comment on column risk.risk_items.mitigated_at is 'When it was mitigated; null while it is open.';
comment on column risk.risk_items.closed_at is 'When it was closed; null while it is not.';
comment on column risk.risk_items.created_by is 'Who recorded it: a person, an assistant or Ephor itself.';
comment on column risk.risk_items.created_at is 'When it was recorded.';
comment on column risk.risk_items.updated_at is 'When it last changed.';
comment on column risk.risk_items.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint risk_items_pkey on risk.risk_items is 'The risk is known within its organization.';
comment on constraint risk_items_title_check on risk.risk_items is 'The title has 1 to 500 characters.';
comment on constraint risk_items_description_check on risk.risk_items is 'The description has at most 20000 characters.';
comment on constraint risk_items_status_check on risk.risk_items is 'The words for status.';
comment on constraint risk_items_severity_check on risk.risk_items is 'The words for severity.';
comment on constraint risk_items_impact_check on risk.risk_items is 'The words for impact.';
comment on constraint risk_items_likelihood_check on risk.risk_items is 'The words for likelihood.';
comment on constraint risk_items_category_check on risk.risk_items is 'The category has 1 to 100 characters.';
comment on constraint risk_items_system_details_check on risk.risk_items is 'The system details has at most 20000 characters.';
comment on constraint risk_items_ai_system_id_fkey on risk.risk_items is 'The AI system must be one of the organization; it cannot be deleted while this is kept.';
create index risk_items_ai_system_id_idx on risk.risk_items (organization_id, ai_system_id);
create index risk_items_created_at_idx on risk.risk_items (organization_id, created_at desc, id);
create index risk_items_status_idx on risk.risk_items (organization_id, status, created_at desc);
create index risk_items_severity_idx on risk.risk_items (organization_id, severity, status);
select kernel.tenant_table('risk.risk_items');

-- open -> mitigated -> closed; what is mitigated or closed may be opened again.
create function risk.risk_items_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('open', 'mitigated'), ('mitigated', 'closed'), ('mitigated', 'open'),
        ('closed', 'open'))
    then
        raise exception 'a risk that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'risk_items_status_step', schema = 'risk',
                  table = 'risk_items', column = 'status';
    end if;
    if old.status <> new.status then
        new.mitigated_at := case new.status when 'open' then null when 'mitigated' then now() else old.mitigated_at end;
        new.closed_at := case when new.status = 'closed' then now() end;
    end if;
    return new;
end $$;
comment on function risk.risk_items_step() is 'Refuses steps that the state machine of risk items does not have, and stamps those that it takes.';
create trigger step before update of status on risk.risk_items for each row execute function risk.risk_items_step();

create table risk.risk_mitigations (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    risk_item_id uuid not null,
    description text not null,
    status text not null default 'planned',
    notes text,
    owner_id uuid,
    due_at timestamptz,
    completed_at timestamptz,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint risk_mitigations_pkey primary key (organization_id, id),
    constraint risk_mitigations_risk_item_id_fkey foreign key (organization_id, risk_item_id)
        references risk.risk_items (organization_id, id) on delete cascade,
    constraint risk_mitigations_description_check check (length(description) between 1 and 20000),
    constraint risk_mitigations_status_check check (status in ('planned', 'in-progress', 'completed', 'rejected')),
    constraint risk_mitigations_notes_check check (length(notes) <= 20000)
);
comment on table risk.risk_mitigations is 'Something that is done to make a risk smaller.';
comment on column risk.risk_mitigations.organization_id is 'The organization that the mitigation belongs to.';
comment on column risk.risk_mitigations.id is 'The mitigation.';
comment on column risk.risk_mitigations.risk_item_id is 'The risk that it makes smaller.';
comment on column risk.risk_mitigations.description is 'What is to be done.';
comment on column risk.risk_mitigations.status is 'planned, in-progress, completed or rejected.';
comment on column risk.risk_mitigations.notes is 'What else is to be known.';
comment on column risk.risk_mitigations.owner_id is 'The user who sees to it.';
comment on column risk.risk_mitigations.due_at is 'When it should be done.';
comment on column risk.risk_mitigations.completed_at is 'When it was completed; null while it is not.';
comment on column risk.risk_mitigations.created_by is 'Who planned it: a person, an assistant or Ephor itself.';
comment on column risk.risk_mitigations.created_at is 'When it was planned.';
comment on column risk.risk_mitigations.updated_at is 'When it last changed.';
comment on column risk.risk_mitigations.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint risk_mitigations_pkey on risk.risk_mitigations is 'The mitigation is known within its organization.';
comment on constraint risk_mitigations_risk_item_id_fkey on risk.risk_mitigations is 'A mitigation is a part of its risk and goes with it.';
comment on constraint risk_mitigations_description_check on risk.risk_mitigations is 'The description has 1 to 20000 characters.';
comment on constraint risk_mitigations_status_check on risk.risk_mitigations is 'The words for status.';
comment on constraint risk_mitigations_notes_check on risk.risk_mitigations is 'The notes has at most 20000 characters.';
create index risk_mitigations_risk_item_id_idx on risk.risk_mitigations (organization_id, risk_item_id);
create index risk_mitigations_created_at_idx on risk.risk_mitigations (organization_id, created_at desc, id);
create index risk_mitigations_status_idx on risk.risk_mitigations (organization_id, status, created_at desc);
select kernel.tenant_table('risk.risk_mitigations');

-- planned -> in-progress -> completed | rejected; a plan may be rejected before it is begun.
create function risk.risk_mitigations_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('planned', 'in-progress'), ('planned', 'rejected'), ('in-progress', 'completed'),
        ('in-progress', 'rejected'))
    then
        raise exception 'a mitigation that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'risk_mitigations_status_step', schema = 'risk',
                  table = 'risk_mitigations', column = 'status';
    end if;
    if old.status <> new.status and new.status = 'completed' then
        new.completed_at := now();
    end if;
    return new;
end $$;
comment on function risk.risk_mitigations_step() is 'Refuses steps that the state machine of risk mitigations does not have, and stamps those that it takes.';
create trigger step before update of status on risk.risk_mitigations for each row execute function risk.risk_mitigations_step();

-- The risk is locked before its mitigations are read: of two that complete at once, the later one sees both.
create function risk.risk_mitigations_settle() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from risk.risk_items as i
      where i.organization_id = new.organization_id and i.id = new.risk_item_id
        for update;
    update risk.risk_items as i set status = 'mitigated'
     where i.organization_id = new.organization_id and i.id = new.risk_item_id and i.status = 'open'
       and not exists (
           select from risk.risk_mitigations as m
            where m.organization_id = new.organization_id and m.risk_item_id = new.risk_item_id
              and m.status in ('planned', 'in-progress'));
    return null;
end $$;
comment on function risk.risk_mitigations_settle() is 'Makes a risk mitigated when its last open mitigation is completed.';
create trigger settle after update of status on risk.risk_mitigations for each row
    when (old.status <> new.status and new.status = 'completed') execute function risk.risk_mitigations_settle();

create table risk.compliance_issues (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    title text not null,
    description text not null default '',
    status text not null default 'open',
    severity text not null,
    ai_system_id uuid,
    risk_item_id uuid,
    origin text not null default 'manual',
    subject_type text,
    subject_id uuid,
    closing_reason text,
    closed_at timestamptz,
    closed_by uuid,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint compliance_issues_pkey primary key (organization_id, id),
    constraint compliance_issues_title_check check (length(title) between 1 and 500),
    constraint compliance_issues_description_check check (length(description) <= 20000),
    constraint compliance_issues_status_check check (status in ('open', 'in-progress', 'closed')),
    constraint compliance_issues_severity_check check (severity in ('low', 'medium', 'high', 'critical')),
    constraint compliance_issues_ai_system_id_fkey foreign key (organization_id, ai_system_id)
        references registry.ai_systems (organization_id, id) on delete restrict,
    constraint compliance_issues_risk_item_id_fkey foreign key (organization_id, risk_item_id)
        references risk.risk_items (organization_id, id) on delete restrict,
    constraint compliance_issues_origin_check check (origin in ('manual', 'loop')),
    constraint compliance_issues_subject_type_check check (length(subject_type) between 1 and 100),
    constraint compliance_issues_subject_id_check check ((subject_type is null) = (subject_id is null)),
    constraint compliance_issues_closing_reason_check check (length(closing_reason) between 1 and 5000),
    constraint compliance_issues_closed_check check (status <> 'closed' or closing_reason is not null)
);
comment on table risk.compliance_issues is 'Something that does not comply: found by a person, or by Ephor when a policy was violated.';
comment on column risk.compliance_issues.organization_id is 'The organization that the issue belongs to.';
comment on column risk.compliance_issues.id is 'The issue.';
comment on column risk.compliance_issues.title is 'What does not comply, in a line.';
comment on column risk.compliance_issues.description is 'What does not comply, in full.';
comment on column risk.compliance_issues.status is 'open, in-progress or closed; may be reopened.';
comment on column risk.compliance_issues.severity is 'How severe it is: low, medium, high or critical.';
comment on column risk.compliance_issues.ai_system_id is 'The AI system that it concerns, when there is one.';
comment on column risk.compliance_issues.risk_item_id is 'The risk that it gave rise to, when there is one.';
comment on column risk.compliance_issues.origin is 'manual when a person opened it, loop when Ephor did.';
comment on column risk.compliance_issues.subject_type is 'What it was opened for, such as policy_violation or bias_analysis.';
comment on column risk.compliance_issues.subject_id is 'The row that it was opened for, of the kind that subject_type says.';
comment on column risk.compliance_issues.closing_reason is 'Why it was closed; needed to close it.';
comment on column risk.compliance_issues.closed_at is 'When it was closed; null while it is not.';
comment on column risk.compliance_issues.closed_by is 'Who closed it.';
comment on column risk.compliance_issues.created_by is 'Who opened it: a person, an assistant or Ephor itself.';
comment on column risk.compliance_issues.created_at is 'When it was opened.';
comment on column risk.compliance_issues.updated_at is 'When it last changed.';
comment on column risk.compliance_issues.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint compliance_issues_pkey on risk.compliance_issues is 'The issue is known within its organization.';
comment on constraint compliance_issues_title_check on risk.compliance_issues is 'The title has 1 to 500 characters.';
comment on constraint compliance_issues_description_check on risk.compliance_issues is 'The description has at most 20000 characters.';
comment on constraint compliance_issues_status_check on risk.compliance_issues is 'The words for status.';
comment on constraint compliance_issues_severity_check on risk.compliance_issues is 'The words for severity.';
comment on constraint compliance_issues_ai_system_id_fkey on risk.compliance_issues is 'The AI system must be one of the organization; it cannot be deleted while this is kept.';
comment on constraint compliance_issues_risk_item_id_fkey on risk.compliance_issues is 'The risk must be one of the organization; it cannot be deleted while an issue refers to it.';
comment on constraint compliance_issues_origin_check on risk.compliance_issues is 'The words for origin.';
comment on constraint compliance_issues_subject_type_check on risk.compliance_issues is 'The subject type has 1 to 100 characters.';
comment on constraint compliance_issues_subject_id_check on risk.compliance_issues is 'What it was opened for is named by kind and id together.';
comment on constraint compliance_issues_closing_reason_check on risk.compliance_issues is 'The closing reason has 1 to 5000 characters.';
comment on constraint compliance_issues_closed_check on risk.compliance_issues is 'What is closed says why.';
create index compliance_issues_ai_system_id_idx on risk.compliance_issues (organization_id, ai_system_id);
create index compliance_issues_risk_item_id_idx on risk.compliance_issues (organization_id, risk_item_id);
create index compliance_issues_created_at_idx on risk.compliance_issues (organization_id, created_at desc, id);
create index compliance_issues_status_idx on risk.compliance_issues (organization_id, status, created_at desc);
create index compliance_issues_subject_id_idx on risk.compliance_issues (organization_id, subject_type, subject_id);
select kernel.tenant_table('risk.compliance_issues');

-- open -> in-progress -> closed with a reason; what is closed may be opened again, and then needs a new reason to close.
create function risk.compliance_issues_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('open', 'in-progress'), ('open', 'closed'), ('in-progress', 'open'),
        ('in-progress', 'closed'), ('closed', 'open'))
    then
        raise exception 'an issue that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'compliance_issues_status_step', schema = 'risk',
                  table = 'compliance_issues', column = 'status';
    end if;
    if old.status <> new.status then
        new.closed_at := case when new.status = 'closed' then now() end;
        new.closed_by := case when new.status = 'closed' then nullif(current_setting('ephor.actor_id', true), '')::uuid end;
        if old.status = 'closed' then
            new.closing_reason := null;
        end if;
    end if;
    return new;
end $$;
comment on function risk.compliance_issues_step() is 'Refuses steps that the state machine of compliance issues does not have, and stamps those that it takes.';
create trigger step before update of status on risk.compliance_issues for each row execute function risk.compliance_issues_step();
