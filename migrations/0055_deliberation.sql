-- The board: personas, what they are asked, what they contribute, how they vote.

create table deliberation.personas (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    code text not null,
    name text not null,
    kind text not null default 'expert',
    expertise text not null,
    system_prompt text not null,
    is_active boolean not null default true,
    builtin_code text,
    builtin_version integer,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint personas_pkey primary key (organization_id, id),
    constraint personas_code_key unique (organization_id, code),
    constraint personas_builtin_code_key unique (organization_id, builtin_code),
    constraint personas_code_check check (length(code) between 1 and 50),
    constraint personas_name_check check (length(name) between 1 and 255),
    constraint personas_kind_check check (kind in ('expert', 'moderator', 'researcher', 'meta')),
    constraint personas_expertise_check check (length(expertise) <= 500),
    constraint personas_system_prompt_check check (length(system_prompt) <= 100000),
    constraint personas_builtin_code_check check (length(builtin_code) between 1 and 100),
    constraint personas_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1)
);
comment on table deliberation.personas is 'A member of the board: an expert, a moderator, a researcher, or the one who sums up.';
comment on column deliberation.personas.organization_id is 'The organization that the persona belongs to.';
comment on column deliberation.personas.id is 'The persona.';
comment on column deliberation.personas.code is 'Its stable word, once in an organization, such as growth_hacker.';
comment on column deliberation.personas.name is 'Its name, such as Zara Morales.';
comment on column deliberation.personas.kind is 'expert, moderator, researcher or meta.';
comment on column deliberation.personas.expertise is 'What it knows about.';
comment on column deliberation.personas.system_prompt is 'What the model is told to be.';
comment on column deliberation.personas.is_active is 'Whether it can be chosen.';
comment on column deliberation.personas.builtin_code is 'Which built-in persona it is a copy of; null for one of the organization''s own.';
comment on column deliberation.personas.builtin_version is 'Which version of the built-in persona it was copied from.';
comment on column deliberation.personas.created_by is 'Who made it.';
comment on column deliberation.personas.created_at is 'When it was made.';
comment on column deliberation.personas.updated_at is 'When it last changed.';
comment on column deliberation.personas.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint personas_pkey on deliberation.personas is 'A persona is known within its organization.';
comment on constraint personas_code_key on deliberation.personas is 'A word is given once in an organization.';
comment on constraint personas_builtin_code_key on deliberation.personas is 'An organization has one copy of each built-in persona.';
comment on constraint personas_code_check on deliberation.personas is 'A word has 1 to 50 characters.';
comment on constraint personas_name_check on deliberation.personas is 'A name has 1 to 255 characters.';
comment on constraint personas_kind_check on deliberation.personas is 'The kinds of persona.';
comment on constraint personas_expertise_check on deliberation.personas is 'An expertise has at most 500 characters.';
comment on constraint personas_system_prompt_check on deliberation.personas is 'A prompt has at most 100000 characters.';
comment on constraint personas_builtin_code_check on deliberation.personas is 'A code has 1 to 100 characters.';
comment on constraint personas_builtin_version_check on deliberation.personas is 'A copy of a built-in persona, and nothing else, has its version.';
create index personas_created_at_idx on deliberation.personas (organization_id, created_at desc, id);
select kernel.tenant_table('deliberation.personas');

create table deliberation.deliberations (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    problem_statement text not null,
    problem_context jsonb,
    status text not null default 'active',
    phase text not null default 'problem_decomposition',
    total_cost numeric(20, 10) not null default 0,
    total_tokens bigint not null default 0,
    max_cost numeric(20, 10),
    round_number integer not null default 0,
    max_rounds integer not null default 10,
    recommendation jsonb,
    failure text,
    completed_at timestamptz,
    killed_at timestamptz,
    killed_by uuid,
    kill_reason text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint deliberations_pkey primary key (organization_id, id),
    constraint deliberations_problem_statement_check check (length(problem_statement) between 1 and 50000),
    constraint deliberations_problem_context_check check (jsonb_typeof(problem_context) <> 'null'),
    constraint deliberations_status_check check (status in ('active', 'paused', 'completed', 'failed', 'killed')),
    constraint deliberations_phase_check check (phase in ('problem_decomposition', 'information_gaps', 'persona_selection', 'initial_round', 'deliberation', 'moderator_intervention', 'voting', 'synthesis', 'meta_synthesis', 'completed')),
    constraint deliberations_total_cost_check check (total_cost >= 0),
    constraint deliberations_total_tokens_check check (total_tokens >= 0),
    constraint deliberations_max_cost_check check (max_cost >= 0),
    constraint deliberations_round_number_check check (round_number >= 0),
    constraint deliberations_max_rounds_check check (max_rounds between 1 and 100),
    constraint deliberations_recommendation_check check (jsonb_typeof(recommendation) = 'object'),
    constraint deliberations_failure_check check (length(failure) <= 5000),
    constraint deliberations_kill_reason_check check (length(kill_reason) <= 500)
);
comment on table deliberation.deliberations is 'A hard question that one person put to the board.';
comment on column deliberation.deliberations.organization_id is 'The organization that the deliberation belongs to.';
comment on column deliberation.deliberations.id is 'The deliberation.';
comment on column deliberation.deliberations.user_id is 'The person whose question it is, who alone sees it.';
comment on column deliberation.deliberations.problem_statement is 'The question.';
comment on column deliberation.deliberations.problem_context is 'What else the board should know.';
comment on column deliberation.deliberations.status is 'active, paused, completed, failed or killed.';
comment on column deliberation.deliberations.phase is 'Where it is: problem_decomposition, information_gaps, persona_selection, initial_round, deliberation, moderator_intervention, voting, synthesis, meta_synthesis or completed.';
comment on column deliberation.deliberations.total_cost is 'What it cost so far, in USD.';
comment on column deliberation.deliberations.total_tokens is 'How many tokens it took so far.';
comment on column deliberation.deliberations.max_cost is 'What it may cost, in USD; then it goes on to vote and synthesis. Null for the organization''s limit.';
comment on column deliberation.deliberations.round_number is 'The present round; 0 before the first.';
comment on column deliberation.deliberations.max_rounds is 'How many rounds there may be, 1 to 100.';
comment on column deliberation.deliberations.recommendation is 'What the board recommends: the winner, its share, the dissent, the synthesis.';
comment on column deliberation.deliberations.failure is 'Why it failed.';
comment on column deliberation.deliberations.completed_at is 'When it came to its recommendation.';
comment on column deliberation.deliberations.killed_at is 'When it was killed.';
comment on column deliberation.deliberations.killed_by is 'The user who killed it.';
comment on column deliberation.deliberations.kill_reason is 'Why it was killed.';
comment on column deliberation.deliberations.created_at is 'When it was made.';
comment on column deliberation.deliberations.updated_at is 'When it last changed.';
comment on column deliberation.deliberations.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint deliberations_pkey on deliberation.deliberations is 'A deliberation is known within its organization.';
comment on constraint deliberations_problem_statement_check on deliberation.deliberations is 'A question has 1 to 50000 characters.';
comment on constraint deliberations_problem_context_check on deliberation.deliberations is 'A context is something.';
comment on constraint deliberations_status_check on deliberation.deliberations is 'The states of a deliberation.';
comment on constraint deliberations_phase_check on deliberation.deliberations is 'The phases of a deliberation.';
comment on constraint deliberations_total_cost_check on deliberation.deliberations is 'A cost is not negative.';
comment on constraint deliberations_total_tokens_check on deliberation.deliberations is 'A count is not negative.';
comment on constraint deliberations_max_cost_check on deliberation.deliberations is 'A limit is not negative.';
comment on constraint deliberations_round_number_check on deliberation.deliberations is 'Rounds count from 1.';
comment on constraint deliberations_max_rounds_check on deliberation.deliberations is 'There are 1 to 100 rounds.';
comment on constraint deliberations_recommendation_check on deliberation.deliberations is 'A recommendation is a JSON object.';
comment on constraint deliberations_failure_check on deliberation.deliberations is 'A failure has at most 5000 characters.';
comment on constraint deliberations_kill_reason_check on deliberation.deliberations is 'A reason has at most 500 characters.';
create index deliberations_created_at_idx on deliberation.deliberations (organization_id, created_at desc, id);
create index deliberations_user_id_idx on deliberation.deliberations (organization_id, user_id, created_at desc);
create index deliberations_status_idx on deliberation.deliberations (organization_id, status, created_at desc);

-- active <-> paused; it is completed, fails or is killed. What failed may be resumed at its last finished step.
create function deliberation.deliberations_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('active', 'paused'), ('active', 'completed'), ('active', 'failed'), ('active', 'killed'),
        ('paused', 'active'), ('paused', 'failed'), ('paused', 'killed'), ('failed', 'active'),
        ('failed', 'killed'))
    then
        raise exception 'a deliberation that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'deliberations_status_step', schema = 'deliberation',
                  table = 'deliberations', column = 'status';
    end if;
    if current_user = 'ephor_app' and new.status <> old.status and new.status in ('completed', 'failed') then
        raise exception 'a deliberation becomes % by itself', new.status
            using errcode = 'check_violation', constraint = 'deliberations_status_step', schema = 'deliberation',
                  table = 'deliberations', column = 'status', hint = 'pause it, go on with it, or kill it';
    end if;
    if new.status = 'completed' and old.status <> 'completed' then
        new.completed_at := clock_timestamp();
        new.phase := 'completed';
    elsif new.status = 'killed' and old.status <> 'killed' then
        new.killed_at := clock_timestamp();
        new.killed_by := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.killed_by);
    end if;
    return new;
end $$;
comment on function deliberation.deliberations_step() is 'Refuses steps that the state machine of deliberations does not have, and notes when it ended and who killed it.';
create trigger step before update of status on deliberation.deliberations for each row execute function deliberation.deliberations_step();
select kernel.tenant_table('deliberation.deliberations', masked => '{problem_statement,problem_context,recommendation}');

-- One's own alone; a holding reads nobody's. An administrator reaches the others' through ephor_system, after the permission check.
create policy deliberations_own on deliberation.deliberations as restrictive to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid)
    with check (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
revoke select on deliberation.deliberations from ephor_reach;
-- What it costs and where it is, the board says; a person asks, pauses, goes on and kills.
revoke insert, update on deliberation.deliberations from ephor_app;
grant insert (organization_id, id, user_id, problem_statement, problem_context, max_cost, max_rounds) on deliberation.deliberations to ephor_app;
grant update (status, max_cost, max_rounds, kill_reason) on deliberation.deliberations to ephor_app;

-- A part is its deliberation's owner's, whoever writes it. Its persona is named by id, by word, or both.
create function deliberation.part_fill() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.user_id := coalesce(
        (select d.user_id from deliberation.deliberations as d
          where d.organization_id = new.organization_id and d.id = new.deliberation_id),
        new.user_id);
    new.persona_id := coalesce(new.persona_id,
        (select p.id from deliberation.personas as p
          where p.organization_id = new.organization_id and p.code = new.persona_code));
    new.persona_code := coalesce(new.persona_code,
        (select p.code from deliberation.personas as p
          where p.organization_id = new.organization_id and p.id = new.persona_id));
    return new;
end $$;
comment on function deliberation.part_fill() is 'Gives a contribution or a vote to the person whose deliberation it is part of, and names its persona by id and word.';

create table deliberation.contributions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    deliberation_id uuid not null,
    user_id uuid not null,
    persona_id uuid not null,
    persona_code text not null,
    content text not null,
    round_number integer not null,
    phase text not null,
    cost numeric(20, 10) not null default 0,
    tokens bigint not null default 0,
    model text not null,
    created_at timestamptz not null default now(),
    constraint contributions_pkey primary key (organization_id, id),
    constraint contributions_deliberation_id_fkey foreign key (organization_id, deliberation_id) references deliberation.deliberations (organization_id, id) on delete cascade,
    constraint contributions_persona_id_fkey foreign key (organization_id, persona_id) references deliberation.personas (organization_id, id) on delete restrict,
    constraint contributions_persona_code_check check (length(persona_code) between 1 and 50),
    constraint contributions_content_check check (length(content) <= 200000),
    constraint contributions_round_number_check check (round_number >= 0),
    constraint contributions_phase_check check (phase in ('initial_round', 'deliberation', 'moderator_intervention')),
    constraint contributions_cost_check check (cost >= 0),
    constraint contributions_tokens_check check (tokens >= 0),
    constraint contributions_model_check check (length(model) between 1 and 300)
);
comment on table deliberation.contributions is 'What a persona said in a round.';
comment on column deliberation.contributions.organization_id is 'The organization that the contribution belongs to.';
comment on column deliberation.contributions.id is 'The contribution.';
comment on column deliberation.contributions.deliberation_id is 'The deliberation.';
comment on column deliberation.contributions.user_id is 'The person whose deliberation it is, who alone sees it; filled in from the deliberation.';
comment on column deliberation.contributions.persona_id is 'The persona that said it; filled in from its word when left out.';
comment on column deliberation.contributions.persona_code is 'The persona''s word at that time; filled in from the persona when left out.';
comment on column deliberation.contributions.content is 'What it said.';
comment on column deliberation.contributions.round_number is 'The round that it was said in.';
comment on column deliberation.contributions.phase is 'initial_round, deliberation or moderator_intervention.';
comment on column deliberation.contributions.cost is 'What it cost, in USD.';
comment on column deliberation.contributions.tokens is 'How many tokens it took.';
comment on column deliberation.contributions.model is 'The model that said it, as its provider calls it.';
comment on column deliberation.contributions.created_at is 'When it was said.';
comment on constraint contributions_pkey on deliberation.contributions is 'A contribution is known within its organization.';
comment on constraint contributions_deliberation_id_fkey on deliberation.contributions is 'A contribution is a part of its deliberation and goes with it.';
comment on constraint contributions_persona_id_fkey on deliberation.contributions is 'The persona must be one of the organization; it cannot be deleted while what it said is kept.';
comment on constraint contributions_persona_code_check on deliberation.contributions is 'A word has 1 to 50 characters.';
comment on constraint contributions_content_check on deliberation.contributions is 'A contribution has at most 200000 characters.';
comment on constraint contributions_round_number_check on deliberation.contributions is 'Rounds count from 1; 0 is before the first.';
comment on constraint contributions_phase_check on deliberation.contributions is 'The phases in which personas speak.';
comment on constraint contributions_cost_check on deliberation.contributions is 'A cost is not negative.';
comment on constraint contributions_tokens_check on deliberation.contributions is 'A count is not negative.';
comment on constraint contributions_model_check on deliberation.contributions is 'A model has 1 to 300 characters.';
create index contributions_created_at_idx on deliberation.contributions (organization_id, created_at desc, id);
create index contributions_deliberation_id_idx on deliberation.contributions (organization_id, deliberation_id, round_number, created_at);
create index contributions_persona_id_idx on deliberation.contributions (organization_id, persona_id);
create index contributions_user_id_idx on deliberation.contributions (organization_id, user_id, created_at desc);

create trigger fill before insert or update on deliberation.contributions for each row execute function deliberation.part_fill();
select kernel.tenant_table('deliberation.contributions', masked => '{content}', writable => false);

-- One's own alone; a holding reads nobody's. An administrator reaches the others' through ephor_system, after the permission check.
create policy contributions_own on deliberation.contributions as restrictive to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid)
    with check (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
revoke select on deliberation.contributions from ephor_reach;

create table deliberation.votes (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    deliberation_id uuid not null,
    user_id uuid not null,
    persona_id uuid not null,
    persona_code text not null,
    vote_choice text not null,
    reasoning text not null,
    confidence double precision,
    weight double precision not null default 1,
    created_at timestamptz not null default now(),
    constraint votes_pkey primary key (organization_id, id),
    constraint votes_deliberation_id_fkey foreign key (organization_id, deliberation_id) references deliberation.deliberations (organization_id, id) on delete cascade,
    constraint votes_persona_id_fkey foreign key (organization_id, persona_id) references deliberation.personas (organization_id, id) on delete restrict,
    constraint votes_persona_code_check check (length(persona_code) between 1 and 50),
    constraint votes_persona_id_key unique (organization_id, deliberation_id, persona_id, vote_choice),
    constraint votes_vote_choice_check check (length(vote_choice) between 1 and 100),
    constraint votes_reasoning_check check (length(reasoning) <= 50000),
    constraint votes_confidence_check check (confidence between 0 and 1),
    constraint votes_weight_check check (weight >= 0 and weight < 'Infinity')
);
comment on table deliberation.votes is 'What a persona recommends in the end.';
comment on column deliberation.votes.organization_id is 'The organization that the vote belongs to.';
comment on column deliberation.votes.id is 'The vote.';
comment on column deliberation.votes.deliberation_id is 'The deliberation.';
comment on column deliberation.votes.user_id is 'The person whose deliberation it is, who alone sees it; filled in from the deliberation.';
comment on column deliberation.votes.persona_id is 'The persona that votes; filled in from its word when left out.';
comment on column deliberation.votes.persona_code is 'The persona''s word at that time; filled in from the persona when left out.';
comment on column deliberation.votes.vote_choice is 'yes, no, abstain, conditional, or the option that it chose.';
comment on column deliberation.votes.reasoning is 'Why.';
comment on column deliberation.votes.confidence is 'How sure it is, 0 to 1.';
comment on column deliberation.votes.weight is 'How much its vote counts, from 0.';
comment on column deliberation.votes.created_at is 'When it voted.';
comment on constraint votes_pkey on deliberation.votes is 'A vote is known within its organization.';
comment on constraint votes_deliberation_id_fkey on deliberation.votes is 'A vote is a part of its deliberation and goes with it.';
comment on constraint votes_persona_id_fkey on deliberation.votes is 'The persona must be one of the organization; it cannot be deleted while what it said is kept.';
comment on constraint votes_persona_code_check on deliberation.votes is 'A word has 1 to 50 characters.';
comment on constraint votes_persona_id_key on deliberation.votes is 'A persona makes a choice once in a deliberation.';
comment on constraint votes_vote_choice_check on deliberation.votes is 'A choice has 1 to 100 characters.';
comment on constraint votes_reasoning_check on deliberation.votes is 'A reasoning has at most 50000 characters.';
comment on constraint votes_confidence_check on deliberation.votes is 'A confidence is between 0 and 1.';
comment on constraint votes_weight_check on deliberation.votes is 'A weight is a number from 0.';
create index votes_created_at_idx on deliberation.votes (organization_id, created_at desc, id);
create index votes_persona_id_idx on deliberation.votes (organization_id, persona_id);
create index votes_user_id_idx on deliberation.votes (organization_id, user_id, created_at desc);

create trigger fill before insert or update on deliberation.votes for each row execute function deliberation.part_fill();
select kernel.tenant_table('deliberation.votes', masked => '{reasoning}', writable => false);

-- One's own alone; a holding reads nobody's. An administrator reaches the others' through ephor_system, after the permission check.
create policy votes_own on deliberation.votes as restrictive to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid)
    with check (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
revoke select on deliberation.votes from ephor_reach;
