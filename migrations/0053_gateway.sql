-- The gateway: credit, cost, conversations, and what is doubtful in them.

create table gateway.provider_credit_pools (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    provider text not null,
    monthly_budget numeric(20, 10) not null,
    balance numeric(20, 10) not null default 0,
    reserved numeric(20, 10) not null default 0,
    reset_day_of_month integer not null default 1,
    period_started_at timestamptz not null default now(),
    alert_level text not null generated always as (case
        when monthly_budget <= 0 then 'none'
        when balance - reserved <= monthly_budget * 0.05 then 'stopped'
        when balance - reserved <= monthly_budget * 0.10 then 'red'
        when balance - reserved <= monthly_budget * 0.25 then 'orange'
        when balance - reserved <= monthly_budget * 0.50 then 'yellow'
        else 'none' end) stored,
    alert_threshold_50 boolean not null default false,
    alert_threshold_75 boolean not null default false,
    alert_threshold_90 boolean not null default false,
    override_until timestamptz,
    override_by uuid,
    override_reason text,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint provider_credit_pools_pkey primary key (organization_id, id),
    constraint provider_credit_pools_provider_key unique (organization_id, provider),
    constraint provider_credit_pools_provider_check check (provider in ('openai', 'anthropic', 'openrouter', 'local')),
    constraint provider_credit_pools_monthly_budget_check check (monthly_budget >= 0),
    constraint provider_credit_pools_balance_check check (balance >= 0),
    constraint provider_credit_pools_reserved_check check (reserved between 0 and balance),
    constraint provider_credit_pools_reset_day_of_month_check check (reset_day_of_month between 1 and 31),
    constraint provider_credit_pools_alert_level_check check (alert_level in ('none', 'yellow', 'orange', 'red', 'stopped')),
    constraint provider_credit_pools_override_reason_check check (length(override_reason) between 1 and 2000),
    constraint provider_credit_pools_override_check check (num_nonnulls(override_until, override_by, override_reason) in (0, 3))
);
comment on table gateway.provider_credit_pools is 'What the organization may spend with one provider in a month, and what is left of it.';
comment on column gateway.provider_credit_pools.organization_id is 'The organization that the pool belongs to.';
comment on column gateway.provider_credit_pools.id is 'The pool.';
comment on column gateway.provider_credit_pools.provider is 'openai, anthropic, openrouter or local.';
comment on column gateway.provider_credit_pools.monthly_budget is 'What may be spent in a month, in USD.';
comment on column gateway.provider_credit_pools.balance is 'What is left of this month''s budget, in USD, including what is reserved.';
comment on column gateway.provider_credit_pools.reserved is 'What calls in flight have set aside of the balance, in USD.';
comment on column gateway.provider_credit_pools.reset_day_of_month is 'The day on which the balance becomes the budget again, 1 to 31; a shorter month takes its last day.';
comment on column gateway.provider_credit_pools.period_started_at is 'When the present month of the pool began.';
comment on column gateway.provider_credit_pools.alert_level is 'How much of the budget is spent or reserved: none, yellow (from 50 %), orange (75 %), red (90 %) or stopped (95 %).';
comment on column gateway.provider_credit_pools.alert_threshold_50 is 'Whether this month''s alert at 50 % was sent.';
comment on column gateway.provider_credit_pools.alert_threshold_75 is 'Whether this month''s alert at 75 % was sent.';
comment on column gateway.provider_credit_pools.alert_threshold_90 is 'Whether this month''s alert at 90 % was sent.';
comment on column gateway.provider_credit_pools.override_until is 'Until when calls go on although the pool is stopped.';
comment on column gateway.provider_credit_pools.override_by is 'The user who let them go on.';
comment on column gateway.provider_credit_pools.override_reason is 'Why.';
comment on column gateway.provider_credit_pools.created_by is 'Who opened the pool.';
comment on column gateway.provider_credit_pools.created_at is 'When it was made.';
comment on column gateway.provider_credit_pools.updated_at is 'When it last changed.';
comment on column gateway.provider_credit_pools.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint provider_credit_pools_pkey on gateway.provider_credit_pools is 'A pool is known within its organization.';
comment on constraint provider_credit_pools_provider_key on gateway.provider_credit_pools is 'An organization has one pool for a provider.';
comment on constraint provider_credit_pools_provider_check on gateway.provider_credit_pools is 'The providers.';
comment on constraint provider_credit_pools_monthly_budget_check on gateway.provider_credit_pools is 'A budget is not negative.';
comment on constraint provider_credit_pools_balance_check on gateway.provider_credit_pools is 'A balance is never negative: nothing is overspent.';
comment on constraint provider_credit_pools_reserved_check on gateway.provider_credit_pools is 'No more is reserved than is left.';
comment on constraint provider_credit_pools_reset_day_of_month_check on gateway.provider_credit_pools is 'A day of the month.';
comment on constraint provider_credit_pools_alert_level_check on gateway.provider_credit_pools is 'The levels of alert.';
comment on constraint provider_credit_pools_override_reason_check on gateway.provider_credit_pools is 'A reason has 1 to 2000 characters.';
comment on constraint provider_credit_pools_override_check on gateway.provider_credit_pools is 'An override says until when, by whom and why.';
create index provider_credit_pools_created_at_idx on gateway.provider_credit_pools (organization_id, created_at desc, id);
create index provider_credit_pools_alert_level_idx on gateway.provider_credit_pools (organization_id, alert_level);

-- A pool that somebody opens is full. A change of the budget changes what is left by as much, and never below what is reserved.
-- What is left moves by calls alone, so the application's role names neither.
create function gateway.provider_credit_pools_fill() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        if current_user = 'ephor_app' then
            new.balance := new.monthly_budget;
        end if;
    elsif new.monthly_budget <> old.monthly_budget and new.balance = old.balance then
        new.balance := greatest(old.balance + new.monthly_budget - old.monthly_budget, old.reserved);
    end if;
    if tg_op = 'UPDATE' and new.override_until is distinct from old.override_until then
        new.override_by := case when new.override_until is not null
            then coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.override_by) end;
        new.override_reason := case when new.override_until is not null then new.override_reason end;
    end if;
    return new;
end $$;
comment on function gateway.provider_credit_pools_fill() is 'Fills a new pool, lets the balance follow the budget, and notes who let calls go on.';
create trigger fill before insert or update on gateway.provider_credit_pools
    for each row execute function gateway.provider_credit_pools_fill();
select kernel.tenant_table('gateway.provider_credit_pools');

-- What is left is the gateway's to say.
revoke insert, update on gateway.provider_credit_pools from ephor_app;
grant insert (organization_id, id, provider, monthly_budget, reset_day_of_month, created_by) on gateway.provider_credit_pools to ephor_app;
grant update (monthly_budget, reset_day_of_month, override_until, override_reason) on gateway.provider_credit_pools to ephor_app;

create table gateway.conversation_logs (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    assistant_id uuid,
    work_item_id uuid,
    actor_id uuid,
    channel text not null,
    external_id text,
    messages jsonb not null,
    cost_amount numeric(20, 10),
    token_count bigint,
    is_redacted boolean not null default false,
    started_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz not null default now(),
    constraint conversation_logs_pkey primary key (organization_id, id, created_at),
    constraint conversation_logs_channel_check check (length(channel) between 1 and 100),
    constraint conversation_logs_external_id_check check (length(external_id) <= 500),
    constraint conversation_logs_messages_check check (jsonb_typeof(messages) = 'array'),
    constraint conversation_logs_cost_amount_check check (cost_amount >= 0),
    constraint conversation_logs_token_count_check check (token_count >= 0),
    constraint conversation_logs_ended_at_check check (ended_at >= started_at)
) partition by range (created_at);
comment on table gateway.conversation_logs is 'What an assistant or a member and a model said to one another: kept by the organization''s rules of retention and redaction, a month in a partition.';
comment on column gateway.conversation_logs.organization_id is 'The organization that the conversation belongs to.';
comment on column gateway.conversation_logs.id is 'The conversation.';
comment on column gateway.conversation_logs.assistant_id is 'The assistant that spoke; null when a person or a program called the gateway.';
comment on column gateway.conversation_logs.work_item_id is 'The work that it was for.';
comment on column gateway.conversation_logs.actor_id is 'The user or assistant on whose behalf the gateway was called.';
comment on column gateway.conversation_logs.channel is 'Where it took place: telegram, slack, email, internal, api or a name of the organization''s own.';
comment on column gateway.conversation_logs.external_id is 'What the channel calls it, such as a chat''s number.';
comment on column gateway.conversation_logs.messages is 'Its messages in order, each an object with role and content.';
comment on column gateway.conversation_logs.cost_amount is 'What it cost, in USD.';
comment on column gateway.conversation_logs.token_count is 'How many tokens went in and out.';
comment on column gateway.conversation_logs.is_redacted is 'Whether something was taken out of the messages before they were stored.';
comment on column gateway.conversation_logs.started_at is 'When it began.';
comment on column gateway.conversation_logs.ended_at is 'When it ended; null while it goes on.';
comment on column gateway.conversation_logs.created_at is 'When it was stored.';
comment on constraint conversation_logs_pkey on gateway.conversation_logs is 'A conversation is known within its organization, by its id and when it was stored.';
comment on constraint conversation_logs_channel_check on gateway.conversation_logs is 'A channel has 1 to 100 characters.';
comment on constraint conversation_logs_external_id_check on gateway.conversation_logs is 'An outside name has at most 500 characters.';
comment on constraint conversation_logs_messages_check on gateway.conversation_logs is 'Messages are a list.';
comment on constraint conversation_logs_cost_amount_check on gateway.conversation_logs is 'A cost is not negative.';
comment on constraint conversation_logs_token_count_check on gateway.conversation_logs is 'A count is not negative.';
comment on constraint conversation_logs_ended_at_check on gateway.conversation_logs is 'Nothing ends before it began.';
create index conversation_logs_created_at_idx on gateway.conversation_logs (organization_id, created_at desc, id);
create index conversation_logs_assistant_idx on gateway.conversation_logs (organization_id, assistant_id, created_at desc);
create index conversation_logs_work_item_idx on gateway.conversation_logs (organization_id, work_item_id);
select kernel.tenant_table('gateway.conversation_logs', audited => false, writable => false);
select kernel.partition_by_month('gateway.conversation_logs');

create table gateway.cost_transactions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    assistant_id uuid,
    work_item_id uuid,
    actor_id uuid,
    conversation_log_id uuid,
    conversation_log_created_at timestamptz,
    provider text not null,
    model text not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    cost_amount numeric(20, 10) not null,
    settlement text not null default 'settled',
    prices jsonb not null default '{}',
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint cost_transactions_pkey primary key (organization_id, id, created_at),
    constraint cost_transactions_provider_check check (length(provider) between 1 and 100),
    constraint cost_transactions_model_check check (length(model) between 1 and 300),
    constraint cost_transactions_input_tokens_check check (input_tokens >= 0),
    constraint cost_transactions_output_tokens_check check (output_tokens >= 0),
    constraint cost_transactions_cost_amount_check check (cost_amount >= 0),
    constraint cost_transactions_settlement_check check (settlement in ('settled', 'unsettled')),
    constraint cost_transactions_conversation_log_check check ((conversation_log_id is null) = (conversation_log_created_at is null)),
    constraint cost_transactions_prices_check check (jsonb_typeof(prices) = 'object'),
    constraint cost_transactions_metadata_check check (jsonb_typeof(metadata) = 'object')
) partition by range (created_at);
comment on table gateway.cost_transactions is 'What one call of a model cost. A month in a partition.';
comment on column gateway.cost_transactions.organization_id is 'The organization that the transaction belongs to.';
comment on column gateway.cost_transactions.id is 'The transaction.';
comment on column gateway.cost_transactions.assistant_id is 'The assistant that called; null when a person or a program did.';
comment on column gateway.cost_transactions.work_item_id is 'The work that it was for.';
comment on column gateway.cost_transactions.actor_id is 'The user or assistant on whose behalf the gateway was called.';
comment on column gateway.cost_transactions.conversation_log_id is 'The conversation that the call is part of, in gateway.conversation_logs.';
comment on column gateway.cost_transactions.conversation_log_created_at is 'When that conversation was stored: with its id, its key.';
comment on column gateway.cost_transactions.provider is 'Who was called: openai, anthropic, openrouter, local.';
comment on column gateway.cost_transactions.model is 'The model, as its provider calls it.';
comment on column gateway.cost_transactions.input_tokens is 'Tokens sent.';
comment on column gateway.cost_transactions.output_tokens is 'Tokens received.';
comment on column gateway.cost_transactions.cost_amount is 'What it cost, in USD.';
comment on column gateway.cost_transactions.settlement is 'settled, or unsettled: charged at the worst case until the provider''s count is known.';
comment on column gateway.cost_transactions.prices is 'The prices that it was reckoned by: id and hash of the price list, USD per million tokens.';
comment on column gateway.cost_transactions.metadata is 'Whatever else is known of the call.';
comment on column gateway.cost_transactions.created_at is 'When it was made.';
comment on constraint cost_transactions_pkey on gateway.cost_transactions is 'A transaction is known within its organization, by its id and when it was made.';
comment on constraint cost_transactions_provider_check on gateway.cost_transactions is 'A provider has 1 to 100 characters.';
comment on constraint cost_transactions_model_check on gateway.cost_transactions is 'A model has 1 to 300 characters.';
comment on constraint cost_transactions_input_tokens_check on gateway.cost_transactions is 'A count is not negative.';
comment on constraint cost_transactions_output_tokens_check on gateway.cost_transactions is 'A count is not negative.';
comment on constraint cost_transactions_cost_amount_check on gateway.cost_transactions is 'A cost is not negative.';
comment on constraint cost_transactions_settlement_check on gateway.cost_transactions is 'Known or charged at the worst case.';
comment on constraint cost_transactions_conversation_log_check on gateway.cost_transactions is 'A conversation is named by id and time.';
comment on constraint cost_transactions_prices_check on gateway.cost_transactions is 'Prices are a JSON object.';
comment on constraint cost_transactions_metadata_check on gateway.cost_transactions is 'The metadata are a JSON object.';
create index cost_transactions_created_at_idx on gateway.cost_transactions (organization_id, created_at desc, id);
create index cost_transactions_assistant_idx on gateway.cost_transactions (organization_id, assistant_id, created_at desc);
create index cost_transactions_work_item_idx on gateway.cost_transactions (organization_id, work_item_id);
create index cost_transactions_provider_idx on gateway.cost_transactions (organization_id, provider, created_at desc);
select kernel.tenant_table('gateway.cost_transactions', audited => false, writable => false);
select kernel.partition_by_month('gateway.cost_transactions');

-- No foreign key leads to a partitioned table, so a conversation is looked up when it is named; later it may go by
-- retention, and what names it stays.
create function gateway.conversation_log_check() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    stored timestamptz;
begin
    if new.conversation_log_id is null then
        return new;
    end if;
    select l.created_at into stored
      from gateway.conversation_logs as l
     where l.organization_id = new.organization_id and l.id = new.conversation_log_id
       and l.created_at = coalesce(new.conversation_log_created_at, l.created_at)
     limit 1;
    if stored is null then
        raise exception 'conversation % is not there', new.conversation_log_id
            using errcode = 'foreign_key_violation', constraint = tg_table_name || '_conversation_log_id_fkey',
                  schema = tg_table_schema, table = tg_table_name, column = 'conversation_log_id';
    end if;
    new.conversation_log_created_at := stored;
    return new;
end $$;
comment on function gateway.conversation_log_check() is 'A conversation that is named is one of the organization; its time is filled in.';
create trigger conversation_log before insert on gateway.cost_transactions
    for each row execute function gateway.conversation_log_check();

create table gateway.hallucination_flags (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    assistant_id uuid not null,
    work_item_id uuid,
    conversation_log_id uuid,
    conversation_log_created_at timestamptz,
    detection_method text not null,
    severity text not null default 'yellow',
    confidence_score double precision,
    flagged_content text,
    status text not null default 'pending',
    reviewed_by uuid,
    reviewed_at timestamptz,
    notes text,
    created_by uuid not null default coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, '00000000-0000-7000-8000-000000000003'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint hallucination_flags_pkey primary key (organization_id, id),
    constraint hallucination_flags_detection_method_check check (detection_method in ('confidence', 'fact_check', 'pattern', 'human')),
    constraint hallucination_flags_severity_check check (severity in ('yellow', 'red')),
    constraint hallucination_flags_confidence_score_check check (confidence_score between 0 and 1),
    constraint hallucination_flags_flagged_content_check check (length(flagged_content) <= 100000),
    constraint hallucination_flags_status_check check (status in ('pending', 'reviewed', 'false_positive', 'confirmed')),
    constraint hallucination_flags_notes_check check (length(notes) <= 10000),
    constraint hallucination_flags_conversation_log_check check ((conversation_log_id is null) = (conversation_log_created_at is null))
);
comment on table gateway.hallucination_flags is 'Something that an assistant said and that may not be so.';
comment on column gateway.hallucination_flags.organization_id is 'The organization that the flag belongs to.';
comment on column gateway.hallucination_flags.id is 'The flag.';
comment on column gateway.hallucination_flags.assistant_id is 'The assistant that said it.';
comment on column gateway.hallucination_flags.work_item_id is 'The work that it was said in.';
comment on column gateway.hallucination_flags.conversation_log_id is 'The conversation that it was said in, in gateway.conversation_logs.';
comment on column gateway.hallucination_flags.conversation_log_created_at is 'When that conversation was stored: with its id, its key; filled in when left out.';
comment on column gateway.hallucination_flags.detection_method is 'How it was found: confidence, fact_check, pattern or human.';
comment on column gateway.hallucination_flags.severity is 'yellow (to be reviewed) or red (the assistant is suspended).';
comment on column gateway.hallucination_flags.confidence_score is 'How sure the finding is, 0 to 1.';
comment on column gateway.hallucination_flags.flagged_content is 'What was said.';
comment on column gateway.hallucination_flags.status is 'pending, reviewed, false_positive or confirmed.';
comment on column gateway.hallucination_flags.reviewed_by is 'The user who looked at it.';
comment on column gateway.hallucination_flags.reviewed_at is 'When.';
comment on column gateway.hallucination_flags.notes is 'What they found.';
comment on column gateway.hallucination_flags.created_by is 'Who flagged it: a user, an assistant or the system.';
comment on column gateway.hallucination_flags.created_at is 'When it was made.';
comment on column gateway.hallucination_flags.updated_at is 'When it last changed.';
comment on column gateway.hallucination_flags.version is 'Counts the changes of the row, for optimistic locking.';
comment on constraint hallucination_flags_pkey on gateway.hallucination_flags is 'A flag is known within its organization.';
comment on constraint hallucination_flags_detection_method_check on gateway.hallucination_flags is 'The ways of finding it.';
comment on constraint hallucination_flags_severity_check on gateway.hallucination_flags is 'To be reviewed, or grave enough to suspend.';
comment on constraint hallucination_flags_confidence_score_check on gateway.hallucination_flags is 'A confidence is between 0 and 1.';
comment on constraint hallucination_flags_flagged_content_check on gateway.hallucination_flags is 'What was said has at most 100000 characters.';
comment on constraint hallucination_flags_status_check on gateway.hallucination_flags is 'The states of a flag.';
comment on constraint hallucination_flags_notes_check on gateway.hallucination_flags is 'Notes have at most 10000 characters.';
comment on constraint hallucination_flags_conversation_log_check on gateway.hallucination_flags is 'A conversation is named by id and time.';
create index hallucination_flags_created_at_idx on gateway.hallucination_flags (organization_id, created_at desc, id);
create index hallucination_flags_assistant_idx on gateway.hallucination_flags (organization_id, assistant_id, created_at desc);
create index hallucination_flags_work_item_idx on gateway.hallucination_flags (organization_id, work_item_id);
create index hallucination_flags_status_idx on gateway.hallucination_flags (organization_id, status, created_at desc);

-- pending -> reviewed | false_positive | confirmed; who only looked at it may still judge it. The judge is whoever acts.
create function gateway.hallucination_flags_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'reviewed'), ('pending', 'false_positive'), ('pending', 'confirmed'),
        ('reviewed', 'false_positive'), ('reviewed', 'confirmed'))
    then
        raise exception 'a flag that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'hallucination_flags_status_step', schema = 'gateway',
                  table = 'hallucination_flags', column = 'status';
    end if;
    if old.status <> new.status then
        new.reviewed_at := clock_timestamp();
        new.reviewed_by := coalesce(nullif(current_setting('ephor.actor_id', true), '')::uuid, new.reviewed_by);
    end if;
    return new;
end $$;
comment on function gateway.hallucination_flags_step() is 'Refuses steps that the state machine of hallucination flags does not have, and notes who judged and when.';
create trigger step before update of status on gateway.hallucination_flags for each row execute function gateway.hallucination_flags_step();
create trigger conversation_log before insert on gateway.hallucination_flags
    for each row execute function gateway.conversation_log_check();
select kernel.tenant_table('gateway.hallucination_flags', masked => '{flagged_content}');
