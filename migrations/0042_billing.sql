-- Billing: what can be bought, what an organization has bought, and what it used. Stripe leads where it is
-- connected; these tables mirror it, whatever the order in which its events arrive.
--
-- Global tables: subscription_tiers, products, prices. The others are tenants'.

create table billing.subscription_tiers (
    id uuid not null default kernel.uuidv7(),
    code text,
    name text not null,
    description text,
    price_monthly numeric(20, 10) not null default 0,
    price_yearly numeric(20, 10) not null default 0,
    features jsonb not null default '[]',
    limits jsonb not null default '{}',
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint subscription_tiers_pkey primary key (id),
    constraint subscription_tiers_code_key unique (code),
    constraint subscription_tiers_code_check check (code ~ '^[a-z][a-z0-9_]{0,49}$'),
    constraint subscription_tiers_name_check check (length(name) between 1 and 100),
    constraint subscription_tiers_description_check check (length(description) <= 4000),
    constraint subscription_tiers_price_monthly_check check (price_monthly >= 0),
    constraint subscription_tiers_price_yearly_check check (price_yearly >= 0),
    constraint subscription_tiers_features_check check (jsonb_typeof(features) = 'array'),
    constraint subscription_tiers_limits_check check (jsonb_typeof(limits) = 'object')
);
comment on table billing.subscription_tiers is 'A tier that organizations subscribe to: its features and limits.';
comment on column billing.subscription_tiers.id is 'The tier.';
comment on column billing.subscription_tiers.code is 'The stable word of a built-in tier: free, pro or enterprise; null for others.';
comment on column billing.subscription_tiers.name is 'Its name, as people read it.';
comment on column billing.subscription_tiers.description is 'Whom it is for.';
comment on column billing.subscription_tiers.price_monthly is 'The price of a month, in US dollars.';
comment on column billing.subscription_tiers.price_yearly is 'The price of a year, in US dollars.';
comment on column billing.subscription_tiers.features is 'The features that it has: a JSON array of words; * stands for all.';
comment on column billing.subscription_tiers.limits is 'How much may be used: a JSON object of numbers by name; null for no limit, and what is not named is not limited.';
comment on column billing.subscription_tiers.is_active is 'Whether it may be subscribed to.';
comment on column billing.subscription_tiers.created_at is 'When it was made.';
comment on column billing.subscription_tiers.updated_at is 'When it was last changed.';
comment on column billing.subscription_tiers.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint subscription_tiers_pkey on billing.subscription_tiers is 'A tier is found by its id.';
comment on constraint subscription_tiers_code_key on billing.subscription_tiers is 'A word names one tier.';
comment on constraint subscription_tiers_code_check on billing.subscription_tiers is 'A word has 1 to 50 lower-case letters, digits and underscores.';
comment on constraint subscription_tiers_name_check on billing.subscription_tiers is 'A name has 1 to 100 characters.';
comment on constraint subscription_tiers_description_check on billing.subscription_tiers is 'A description has at most 4000 characters.';
comment on constraint subscription_tiers_price_monthly_check on billing.subscription_tiers is 'A price is not negative.';
comment on constraint subscription_tiers_price_yearly_check on billing.subscription_tiers is 'A price is not negative.';
comment on constraint subscription_tiers_features_check on billing.subscription_tiers is 'Features are a JSON array.';
comment on constraint subscription_tiers_limits_check on billing.subscription_tiers is 'Limits are a JSON object.';


alter table billing.subscription_tiers enable row level security, force row level security;
create policy global_app on billing.subscription_tiers for select to ephor_app using (true);
create policy global_reach on billing.subscription_tiers for select to ephor_reach using (true);
create policy global_system on billing.subscription_tiers to ephor_system using (true) with check (true);
create policy global_owner on billing.subscription_tiers to ephor_owner using (true) with check (true);
create policy global_migrator on billing.subscription_tiers to ephor_migrator using (true) with check (true);
create policy global_backup on billing.subscription_tiers for select to ephor_backup using (true);
grant select on billing.subscription_tiers to ephor_app, ephor_reach, ephor_system, ephor_backup;
grant insert, update, delete on billing.subscription_tiers to ephor_system;
grant select, insert, update, delete on billing.subscription_tiers to ephor_migrator;
create trigger touch before update on billing.subscription_tiers for each row execute function kernel.touch_version();
select audit.watch('billing.subscription_tiers', global => true);

insert into billing.subscription_tiers (id, code, name, description, price_monthly, price_yearly, features, limits) values
    ('00000000-0000-7000-8000-000000000101', 'free', 'Free', 'To try all that matters, for a small team.', 0, 0,
     '["registry", "bias_analyses", "guards", "audit"]',
     '{"members": 5, "requests_per_minute": 60, "requests_per_month": 10000, "bias_analyses_per_month": 50, "assistants": 1, "deliberations_per_month": 5}'),
    ('00000000-0000-7000-8000-000000000102', 'pro', 'Pro', 'For an organization that governs its AI every day. Its price is the operator''s to set.', 0, 0,
     '["registry", "bias_analyses", "guards", "audit", "risk", "compliance", "discovery", "gateway", "assistants", "deliberations", "trust_center"]',
     '{"members": 50, "requests_per_minute": 600, "requests_per_month": 1000000, "bias_analyses_per_month": 2000, "assistants": 10, "deliberations_per_month": 200}'),
    ('00000000-0000-7000-8000-000000000103', 'enterprise', 'Enterprise', 'For a holding and its subsidiaries, without limits. Its price is the operator''s to set.', 0, 0,
     '["*"]',
     '{"members": null, "requests_per_minute": null, "requests_per_month": null, "bias_analyses_per_month": null, "assistants": null, "deliberations_per_month": null}');

alter table identity.organizations
    add constraint organizations_subscription_tier_id_fkey foreign key (subscription_tier_id)
        references billing.subscription_tiers (id) on delete restrict;
comment on constraint organizations_subscription_tier_id_fkey on identity.organizations is 'The tier; one that an organization has cannot be deleted.';
create index organizations_subscription_tier_id_idx on identity.organizations (subscription_tier_id);

create table billing.products (
    id uuid not null default kernel.uuidv7(),
    title text not null,
    description text,
    subscription_tier_id uuid,
    stripe_product_id text,
    features jsonb,
    metadata jsonb,
    archived boolean not null default false,
    deleted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint products_pkey primary key (id),
    constraint products_stripe_product_id_key unique (stripe_product_id),
    constraint products_subscription_tier_id_fkey foreign key (subscription_tier_id) references billing.subscription_tiers (id) on delete restrict,
    constraint products_title_check check (length(title) between 1 and 200),
    constraint products_description_check check (length(description) <= 4000),
    constraint products_stripe_product_id_check check (length(stripe_product_id) between 1 and 255),
    constraint products_features_check check (jsonb_typeof(features) in ('array', 'object')),
    constraint products_metadata_check check (jsonb_typeof(metadata) = 'object')
);
comment on table billing.products is 'What is sold, as Stripe knows it.';
comment on column billing.products.id is 'The product.';
comment on column billing.products.title is 'Its name, as people read it.';
comment on column billing.products.description is 'What it is.';
comment on column billing.products.subscription_tier_id is 'The tier that whoever buys it gets; null when it is no tier.';
comment on column billing.products.stripe_product_id is 'Its id at Stripe.';
comment on column billing.products.features is 'What it offers, as Stripe shows it: a JSON array or object.';
comment on column billing.products.metadata is 'Whatever else is kept with it at Stripe: a JSON object.';
comment on column billing.products.archived is 'Whether it is no longer sold; who has it keeps it.';
comment on column billing.products.deleted is 'Whether it was deleted at Stripe.';
comment on column billing.products.created_at is 'When it was made.';
comment on column billing.products.updated_at is 'When it was last changed.';
comment on column billing.products.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint products_pkey on billing.products is 'A product is found by its id.';
comment on constraint products_stripe_product_id_key on billing.products is 'A product at Stripe is one product here.';
comment on constraint products_subscription_tier_id_fkey on billing.products is 'The tier; one that is sold cannot be deleted.';
comment on constraint products_title_check on billing.products is 'A title has 1 to 200 characters.';
comment on constraint products_description_check on billing.products is 'A description has at most 4000 characters.';
comment on constraint products_stripe_product_id_check on billing.products is 'A Stripe id has 1 to 255 characters.';
comment on constraint products_features_check on billing.products is 'Features are a JSON array or object.';
comment on constraint products_metadata_check on billing.products is 'Metadata are a JSON object.';

create index products_subscription_tier_id_idx on billing.products (subscription_tier_id);

alter table billing.products enable row level security, force row level security;
create policy global_app on billing.products for select to ephor_app using (true);
create policy global_reach on billing.products for select to ephor_reach using (true);
create policy global_system on billing.products to ephor_system using (true) with check (true);
create policy global_owner on billing.products to ephor_owner using (true) with check (true);
create policy global_migrator on billing.products to ephor_migrator using (true) with check (true);
create policy global_backup on billing.products for select to ephor_backup using (true);
grant select on billing.products to ephor_app, ephor_reach, ephor_system, ephor_backup;
grant insert, update, delete on billing.products to ephor_system;
grant select, insert, update, delete on billing.products to ephor_migrator;
create trigger touch before update on billing.products for each row execute function kernel.touch_version();
select audit.watch('billing.products', global => true);

create table billing.prices (
    id uuid not null default kernel.uuidv7(),
    product_id uuid,
    stripe_product_id text,
    amount numeric(20, 10) not null,
    currency text not null default 'USD',
    interval_count integer not null default 0,
    interval_unit text,
    stripe_price_id text,
    active boolean not null default true,
    deleted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint prices_pkey primary key (id),
    constraint prices_stripe_price_id_key unique (stripe_price_id),
    constraint prices_product_id_fkey foreign key (product_id) references billing.products (id) on delete cascade,
    constraint prices_stripe_product_id_check check (length(stripe_product_id) between 1 and 255),
    constraint prices_stripe_price_id_check check (length(stripe_price_id) between 1 and 255),
    constraint prices_amount_check check (amount >= 0),
    constraint prices_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint prices_interval_count_check check (interval_count between 0 and 99999),
    constraint prices_interval_unit_check check (interval_unit in ('day', 'week', 'month', 'year'))
);
comment on table billing.prices is 'What a product costs, and how often.';
comment on column billing.prices.id is 'The price.';
comment on column billing.prices.product_id is 'The product; null until Stripe has told of it.';
comment on column billing.prices.stripe_product_id is 'The product''s id at Stripe, by which a price finds its product.';
comment on column billing.prices.amount is 'How much is paid each time, in the currency.';
comment on column billing.prices.currency is 'The currency: three letters of ISO 4217.';
comment on column billing.prices.interval_count is 'How many units of time one payment is good for; 0 when it is paid once.';
comment on column billing.prices.interval_unit is 'The unit of time: day, week, month or year; null when it is paid once.';
comment on column billing.prices.stripe_price_id is 'Its id at Stripe.';
comment on column billing.prices.active is 'Whether it may be chosen.';
comment on column billing.prices.deleted is 'Whether it was deleted at Stripe.';
comment on column billing.prices.created_at is 'When it was made.';
comment on column billing.prices.updated_at is 'When it was last changed.';
comment on column billing.prices.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint prices_pkey on billing.prices is 'A price is found by its id.';
comment on constraint prices_stripe_price_id_key on billing.prices is 'A price at Stripe is one price here.';
comment on constraint prices_product_id_fkey on billing.prices is 'A price is a part of its product and goes with it.';
comment on constraint prices_stripe_product_id_check on billing.prices is 'A Stripe id has 1 to 255 characters.';
comment on constraint prices_stripe_price_id_check on billing.prices is 'A Stripe id has 1 to 255 characters.';
comment on constraint prices_amount_check on billing.prices is 'An amount is not negative.';
comment on constraint prices_currency_check on billing.prices is 'A currency has three capital letters.';
comment on constraint prices_interval_count_check on billing.prices is 'A number of units is 0 to 99999.';
comment on constraint prices_interval_unit_check on billing.prices is 'The units of time.';

create index prices_product_id_idx on billing.prices (product_id);
create index prices_stripe_product_id_idx on billing.prices (stripe_product_id);

alter table billing.prices enable row level security, force row level security;
create policy global_app on billing.prices for select to ephor_app using (true);
create policy global_reach on billing.prices for select to ephor_reach using (true);
create policy global_system on billing.prices to ephor_system using (true) with check (true);
create policy global_owner on billing.prices to ephor_owner using (true) with check (true);
create policy global_migrator on billing.prices to ephor_migrator using (true) with check (true);
create policy global_backup on billing.prices for select to ephor_backup using (true);
grant select on billing.prices to ephor_app, ephor_reach, ephor_system, ephor_backup;
grant insert, update, delete on billing.prices to ephor_system;
grant select, insert, update, delete on billing.prices to ephor_migrator;
create trigger touch before update on billing.prices for each row execute function kernel.touch_version();
select audit.watch('billing.prices', global => true);

-- Stripe tells of prices and products in any order: whichever comes second joins the two.
create function billing.price_finds_product() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.product_id is null and new.stripe_product_id is not null then
        select p.id into new.product_id from billing.products p where p.stripe_product_id = new.stripe_product_id;
    end if;
    return new;
end $$;
comment on function billing.price_finds_product() is 'Gives a price its product, when that is known already.';
create trigger product before insert or update of stripe_product_id on billing.prices
    for each row execute function billing.price_finds_product();
create function billing.product_finds_prices() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update billing.prices p set product_id = new.id
    where p.stripe_product_id = new.stripe_product_id and p.product_id is null;
    return null;
end $$;
comment on function billing.product_finds_prices() is 'Gives a product the prices that came before it.';
create trigger prices after insert or update of stripe_product_id on billing.products
    for each row execute function billing.product_finds_prices();
revoke all on function billing.price_finds_product(), billing.product_finds_prices() from public;

create table billing.subscriptions (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    subscription_tier_id uuid,
    status text not null default 'active',
    stripe_subscription_id text,
    stripe_customer_id text,
    stripe_product_id text,
    stripe_price_id text,
    current_period_start timestamptz,
    current_period_end timestamptz,
    cancel_at_period_end boolean not null default false,
    canceled_at timestamptz,
    paused_at timestamptz,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint subscriptions_pkey primary key (organization_id, id),
    constraint subscriptions_stripe_subscription_id_key unique (organization_id, stripe_subscription_id),
    constraint subscriptions_subscription_tier_id_fkey foreign key (subscription_tier_id) references billing.subscription_tiers (id) on delete restrict,
    constraint subscriptions_status_check check (status in ('active', 'trialing', 'past_due', 'unpaid', 'paused', 'inactive', 'canceled')),
    constraint subscriptions_stripe_subscription_id_check check (length(stripe_subscription_id) between 1 and 255),
    constraint subscriptions_stripe_customer_id_check check (length(stripe_customer_id) between 1 and 255),
    constraint subscriptions_stripe_product_id_check check (length(stripe_product_id) between 1 and 255),
    constraint subscriptions_stripe_price_id_check check (length(stripe_price_id) between 1 and 255),
    constraint subscriptions_current_period_check check (current_period_end >= current_period_start),
    constraint subscriptions_metadata_check check (jsonb_typeof(metadata) = 'object')
);
comment on table billing.subscriptions is 'What an organization subscribes to, and until when.';
comment on column billing.subscriptions.organization_id is 'The organization.';
comment on column billing.subscriptions.id is 'The subscription.';
comment on column billing.subscriptions.subscription_tier_id is 'The tier; null when it is for a product that is no tier.';
comment on column billing.subscriptions.status is 'trialing, active, past_due, unpaid, paused, inactive or canceled.';
comment on column billing.subscriptions.stripe_subscription_id is 'Its id at Stripe; null when it is not billed there.';
comment on column billing.subscriptions.stripe_customer_id is 'Who pays, by the id at Stripe.';
comment on column billing.subscriptions.stripe_product_id is 'What is bought, by the id at Stripe.';
comment on column billing.subscriptions.stripe_price_id is 'What it costs, by the id at Stripe.';
comment on column billing.subscriptions.current_period_start is 'When the present period began.';
comment on column billing.subscriptions.current_period_end is 'When the present period ends.';
comment on column billing.subscriptions.cancel_at_period_end is 'Whether it ends with the present period.';
comment on column billing.subscriptions.canceled_at is 'When it was cancelled, or its end was asked for.';
comment on column billing.subscriptions.paused_at is 'When it was paused; null while it is not.';
comment on column billing.subscriptions.metadata is 'Whatever else is kept with it at Stripe: a JSON object.';
comment on column billing.subscriptions.created_at is 'When it was made.';
comment on column billing.subscriptions.updated_at is 'When it was last changed.';
comment on column billing.subscriptions.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint subscriptions_pkey on billing.subscriptions is 'A subscription is known within its organization.';
comment on constraint subscriptions_stripe_subscription_id_key on billing.subscriptions is 'A subscription at Stripe is one subscription here.';
comment on constraint subscriptions_subscription_tier_id_fkey on billing.subscriptions is 'The tier; one that is subscribed to cannot be deleted.';
comment on constraint subscriptions_status_check on billing.subscriptions is 'The states of a subscription.';
comment on constraint subscriptions_stripe_subscription_id_check on billing.subscriptions is 'A Stripe id has 1 to 255 characters.';
comment on constraint subscriptions_stripe_customer_id_check on billing.subscriptions is 'A Stripe id has 1 to 255 characters.';
comment on constraint subscriptions_stripe_product_id_check on billing.subscriptions is 'A Stripe id has 1 to 255 characters.';
comment on constraint subscriptions_stripe_price_id_check on billing.subscriptions is 'A Stripe id has 1 to 255 characters.';
comment on constraint subscriptions_current_period_check on billing.subscriptions is 'A period ends after it began.';
comment on constraint subscriptions_metadata_check on billing.subscriptions is 'Metadata are a JSON object.';

create index subscriptions_created_at_idx on billing.subscriptions (organization_id, created_at desc, id);
create index subscriptions_status_idx on billing.subscriptions (organization_id, status, current_period_end);
create index subscriptions_subscription_tier_id_idx on billing.subscriptions (subscription_tier_id);


-- What is live changes as its payments do; what was cancelled is never taken up again: that is a new subscription.
create function billing.subscriptions_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('trialing', 'active'), ('trialing', 'past_due'), ('trialing', 'unpaid'), ('trialing', 'paused'), ('trialing', 'inactive'), ('active', 'past_due'), ('active', 'unpaid'), ('active', 'paused'), ('active', 'inactive'), ('past_due', 'active'), ('past_due', 'unpaid'), ('past_due', 'paused'), ('past_due', 'inactive'), ('unpaid', 'active'), ('unpaid', 'past_due'), ('unpaid', 'paused'), ('unpaid', 'inactive'), ('paused', 'active'), ('paused', 'past_due'), ('paused', 'unpaid'), ('paused', 'inactive'), ('inactive', 'active'), ('inactive', 'past_due'), ('inactive', 'unpaid'), ('inactive', 'paused'), ('inactive', 'trialing'), ('paused', 'trialing'), ('trialing', 'canceled'), ('active', 'canceled'), ('past_due', 'canceled'), ('unpaid', 'canceled'), ('paused', 'canceled'), ('inactive', 'canceled'))
    then
        raise exception 'a subscription that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'subscriptions_status_step', schema = 'billing',
                  table = 'subscriptions', column = 'status';
    end if;
    if new.status = 'canceled' then
        new.canceled_at := coalesce(new.canceled_at, now());
    end if;
    if new.status = 'paused' then
        new.paused_at := coalesce(new.paused_at, now());
    elsif old.status = 'paused' then
        new.paused_at := null;
    end if;
    return new;
end $$;
comment on function billing.subscriptions_step() is 'Refuses steps that the state machine of subscriptions does not have, and stamps those that it has.';
revoke all on function billing.subscriptions_step() from public;
create trigger step before update of status on billing.subscriptions for each row execute function billing.subscriptions_step();

select kernel.tenant_table('billing.subscriptions', writable => false);

create table billing.payment_methods (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    stripe_payment_method_id text not null,
    type text not null,
    is_default boolean not null default false,
    brand text,
    last4 text,
    exp_month integer,
    exp_year integer,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint payment_methods_pkey primary key (organization_id, id),
    constraint payment_methods_stripe_payment_method_id_key unique (organization_id, stripe_payment_method_id),
    constraint payment_methods_stripe_payment_method_id_check check (length(stripe_payment_method_id) between 1 and 255),
    constraint payment_methods_type_check check (length(type) between 1 and 50),
    constraint payment_methods_brand_check check (length(brand) <= 50),
    constraint payment_methods_last4_check check (length(last4) <= 4),
    constraint payment_methods_exp_month_check check (exp_month between 1 and 12),
    constraint payment_methods_exp_year_check check (exp_year between 2000 and 2200)
);
comment on table billing.payment_methods is 'How an organization pays. Numbers of cards and accounts stay at Stripe.';
comment on column billing.payment_methods.organization_id is 'The organization.';
comment on column billing.payment_methods.id is 'The payment method.';
comment on column billing.payment_methods.stripe_payment_method_id is 'Its id at Stripe.';
comment on column billing.payment_methods.type is 'Its kind in the words of Stripe, such as card or us_bank_account.';
comment on column billing.payment_methods.is_default is 'Whether it is charged unless another is named; one is at most.';
comment on column billing.payment_methods.brand is 'The brand of a card, such as visa.';
comment on column billing.payment_methods.last4 is 'The last four digits.';
comment on column billing.payment_methods.exp_month is 'The month in which a card expires, 1 to 12.';
comment on column billing.payment_methods.exp_year is 'The year in which a card expires.';
comment on column billing.payment_methods.created_at is 'When it was made.';
comment on column billing.payment_methods.updated_at is 'When it was last changed.';
comment on column billing.payment_methods.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint payment_methods_pkey on billing.payment_methods is 'A payment method is known within its organization.';
comment on constraint payment_methods_stripe_payment_method_id_key on billing.payment_methods is 'A payment method at Stripe is one here.';
comment on constraint payment_methods_stripe_payment_method_id_check on billing.payment_methods is 'A Stripe id has 1 to 255 characters.';
comment on constraint payment_methods_type_check on billing.payment_methods is 'A kind has 1 to 50 characters.';
comment on constraint payment_methods_brand_check on billing.payment_methods is 'A brand has at most 50 characters.';
comment on constraint payment_methods_last4_check on billing.payment_methods is 'At most four digits are kept.';
comment on constraint payment_methods_exp_month_check on billing.payment_methods is 'A month is 1 to 12.';
comment on constraint payment_methods_exp_year_check on billing.payment_methods is 'A year has four digits.';

create index payment_methods_created_at_idx on billing.payment_methods (organization_id, created_at desc, id);
create unique index payment_methods_default_idx on billing.payment_methods (organization_id) where is_default;

-- What becomes the default takes that from what was it.
create function billing.payment_methods_default() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update billing.payment_methods m set is_default = false
    where m.organization_id = new.organization_id and m.is_default and m.id <> new.id;
    return new;
end $$;
comment on function billing.payment_methods_default() is 'Keeps one default at most: what becomes it takes it from another.';
revoke all on function billing.payment_methods_default() from public;
create trigger one_default before insert or update of is_default on billing.payment_methods
    for each row when (new.is_default) execute function billing.payment_methods_default();
select kernel.tenant_table('billing.payment_methods', writable => false);

create table billing.invoices (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    subscription_id uuid,
    stripe_invoice_id text,
    invoice_number text not null,
    currency text not null default 'USD',
    amount_due numeric(20, 10) not null,
    amount_paid numeric(20, 10) not null default 0,
    amount_remaining numeric(20, 10) not null,
    status text not null default 'draft',
    due_date timestamptz,
    paid_at timestamptz,
    refunded_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint invoices_pkey primary key (organization_id, id),
    constraint invoices_stripe_invoice_id_key unique (organization_id, stripe_invoice_id),
    constraint invoices_invoice_number_key unique (organization_id, invoice_number),
    constraint invoices_subscription_id_fkey foreign key (organization_id, subscription_id) references billing.subscriptions (organization_id, id) on delete restrict,
    constraint invoices_stripe_invoice_id_check check (length(stripe_invoice_id) between 1 and 255),
    constraint invoices_invoice_number_check check (length(invoice_number) between 1 and 100),
    constraint invoices_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint invoices_amount_paid_check check (amount_paid >= 0),
    constraint invoices_amount_remaining_check check (amount_remaining >= 0),
    constraint invoices_status_check check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
    constraint invoices_refunded_at_check check (refunded_at is null or status = 'paid')
);
comment on table billing.invoices is 'What an organization was charged.';
comment on column billing.invoices.organization_id is 'The organization.';
comment on column billing.invoices.id is 'The invoice.';
comment on column billing.invoices.subscription_id is 'The subscription that it is for; null when it is for none.';
comment on column billing.invoices.stripe_invoice_id is 'Its id at Stripe.';
comment on column billing.invoices.invoice_number is 'Its number, as it is printed; once in an organization.';
comment on column billing.invoices.currency is 'The currency: three letters of ISO 4217.';
comment on column billing.invoices.amount_due is 'What is to be paid, in the currency.';
comment on column billing.invoices.amount_paid is 'What was paid, in the currency.';
comment on column billing.invoices.amount_remaining is 'What is still to be paid, in the currency.';
comment on column billing.invoices.status is 'draft, open, paid, void or uncollectible.';
comment on column billing.invoices.due_date is 'When it is to be paid.';
comment on column billing.invoices.paid_at is 'When it was paid.';
comment on column billing.invoices.refunded_at is 'When what was paid was given back.';
comment on column billing.invoices.created_at is 'When it was made.';
comment on column billing.invoices.updated_at is 'When it was last changed.';
comment on column billing.invoices.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint invoices_pkey on billing.invoices is 'An invoice is known within its organization.';
comment on constraint invoices_stripe_invoice_id_key on billing.invoices is 'An invoice at Stripe is one invoice here.';
comment on constraint invoices_invoice_number_key on billing.invoices is 'A number is given once in an organization.';
comment on constraint invoices_subscription_id_fkey on billing.invoices is 'The subscription; one with invoices cannot be deleted.';
comment on constraint invoices_stripe_invoice_id_check on billing.invoices is 'A Stripe id has 1 to 255 characters.';
comment on constraint invoices_invoice_number_check on billing.invoices is 'A number has 1 to 100 characters.';
comment on constraint invoices_currency_check on billing.invoices is 'A currency has three capital letters.';
comment on constraint invoices_amount_paid_check on billing.invoices is 'What was paid is not negative.';
comment on constraint invoices_amount_remaining_check on billing.invoices is 'What remains is not negative.';
comment on constraint invoices_status_check on billing.invoices is 'The states of an invoice.';
comment on constraint invoices_refunded_at_check on billing.invoices is 'Only what was paid is given back.';

create index invoices_created_at_idx on billing.invoices (organization_id, created_at desc, id);
create index invoices_status_idx on billing.invoices (organization_id, status, due_date);
create index invoices_subscription_id_idx on billing.invoices (organization_id, subscription_id);


-- draft -> open -> paid | void | uncollectible; a debt that was given up may still be paid or voided, and a draft of nothing is paid at once.
create function billing.invoices_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('draft', 'open'), ('draft', 'paid'), ('draft', 'void'), ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'), ('uncollectible', 'paid'), ('uncollectible', 'void'))
    then
        raise exception 'an invoice that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'invoices_status_step', schema = 'billing',
                  table = 'invoices', column = 'status';
    end if;
    if old.status <> 'paid' and new.status = 'paid' then
        new.paid_at := coalesce(new.paid_at, now());
    end if;
    return new;
end $$;
comment on function billing.invoices_step() is 'Refuses steps that the state machine of invoices does not have, and stamps those that it has.';
revoke all on function billing.invoices_step() from public;
create trigger step before update of status on billing.invoices for each row execute function billing.invoices_step();

select kernel.tenant_table('billing.invoices', writable => false);

create table billing.usage_records (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    endpoint text not null,
    request_count bigint not null default 1,
    response_time_ms integer,
    status_code integer,
    user_id uuid,
    api_key_id uuid,
    created_at timestamptz not null default now(),
    constraint usage_records_pkey primary key (organization_id, id, created_at),
    constraint usage_records_endpoint_check check (length(endpoint) between 1 and 255),
    constraint usage_records_request_count_check check (request_count >= 0),
    constraint usage_records_response_time_ms_check check (response_time_ms >= 0),
    constraint usage_records_status_code_check check (status_code between 100 and 599)
) partition by range (created_at);
comment on table billing.usage_records is 'Requests to the API, as they are metered. Of high rate, hence not audited row by row.';
comment on column billing.usage_records.organization_id is 'The organization.';
comment on column billing.usage_records.id is 'The record.';
comment on column billing.usage_records.endpoint is 'The route that was called.';
comment on column billing.usage_records.request_count is 'How many requests the record stands for.';
comment on column billing.usage_records.response_time_ms is 'How long the answer took, in milliseconds; the mean when there were several requests.';
comment on column billing.usage_records.status_code is 'The HTTP status of the answer, 100 to 599.';
comment on column billing.usage_records.user_id is 'The user who asked; null when it is not known.';
comment on column billing.usage_records.api_key_id is 'The API key that was used; null for none.';
comment on column billing.usage_records.created_at is 'When it was recorded.';
comment on constraint usage_records_pkey on billing.usage_records is 'A record is named by its organization, id and time.';
comment on constraint usage_records_endpoint_check on billing.usage_records is 'A route has 1 to 255 characters.';
comment on constraint usage_records_request_count_check on billing.usage_records is 'A count is not negative.';
comment on constraint usage_records_response_time_ms_check on billing.usage_records is 'A time is not negative.';
comment on constraint usage_records_status_code_check on billing.usage_records is 'An HTTP status is 100 to 599.';

create index usage_records_created_at_idx on billing.usage_records (organization_id, created_at desc, id);
create index usage_records_endpoint_idx on billing.usage_records (organization_id, endpoint, created_at desc);
select kernel.tenant_table('billing.usage_records', audited => false, writable => false);
select kernel.partition_by_month('billing.usage_records');

create view billing.usage_by_day with (security_invoker = true) as
select organization_id,
       (created_at at time zone 'UTC')::date as day,
       endpoint,
       sum(request_count)::bigint as request_count,
       coalesce(sum(request_count) filter (where status_code >= 400), 0)::bigint as failed_count,
       sum(response_time_ms::double precision * request_count) filter (where response_time_ms is not null)
           / nullif(sum(request_count) filter (where response_time_ms is not null), 0)::double precision as mean_response_time_ms
from billing.usage_records
group by 1, 2, 3;
comment on view billing.usage_by_day is 'Usage by day and route.';
comment on column billing.usage_by_day.organization_id is 'The organization.';
comment on column billing.usage_by_day.day is 'The day, in UTC.';
comment on column billing.usage_by_day.endpoint is 'The route that was called.';
comment on column billing.usage_by_day.request_count is 'How many requests there were.';
comment on column billing.usage_by_day.failed_count is 'How many of them were answered with a status of 400 or more.';
comment on column billing.usage_by_day.mean_response_time_ms is 'How long an answer took in the mean, in milliseconds; null when no time was measured.';
grant select on billing.usage_by_day to ephor_app, ephor_reach, ephor_system, ephor_backup;
