-- Two tables with everything that the engine has to deal with.
create schema shelf;
grant usage on schema shelf to ephor_app, ephor_reach, ephor_system, ephor_backup;

create table shelf.makers (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    created_at timestamptz not null default now(),
    constraint makers_pkey primary key (organization_id, id),
    constraint makers_name_key unique (organization_id, name)
);

create table shelf.items (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    maker_id uuid,
    name text not null,
    description text not null default '',
    status text not null default 'draft',
    score numeric(5, 2),
    weight double precision,
    count integer not null default 0,
    is_public boolean not null default false,
    tags text[] not null default '{}',
    metadata jsonb not null default '{}',
    secret text,
    due_on date,
    created_by uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint items_pkey primary key (organization_id, id),
    constraint items_name_key unique (organization_id, name),
    constraint items_maker_fkey foreign key (organization_id, maker_id) references shelf.makers (organization_id, id) on delete restrict,
    constraint items_name_check check (name = btrim(name) and length(name) between 1 and 50),
    constraint items_description_check check (length(description) <= 1000),
    constraint items_status_check check (status in ('draft', 'active', 'retired')),
    constraint items_score_check check (score between 0 and 100),
    constraint items_metadata_check check (jsonb_typeof(metadata) = 'object')
);
create index items_maker_idx on shelf.items (organization_id, maker_id);
create index items_created_at_idx on shelf.items (organization_id, created_at desc, id);
comment on table shelf.items is 'Things on a shelf.';
comment on column shelf.items.name is 'What it is called.';
comment on constraint items_name_check on shelf.items is 'A name has 1 to 50 characters and no blanks at its ends.';

create function shelf.items_step() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if old.status = 'retired' and new.status <> 'retired' then
        raise exception 'an item that is retired stays so'
            using errcode = 'check_violation', constraint = 'items_status_step', column = 'status';
    end if;
    return new;
end $$;
create trigger step before update of status on shelf.items for each row execute function shelf.items_step();

create table shelf.notes (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    item_id uuid not null,
    body text not null,
    created_at timestamptz not null default now(),
    constraint notes_pkey primary key (organization_id, id),
    constraint notes_item_fkey foreign key (organization_id, item_id) references shelf.items (organization_id, id) on delete cascade
);

select kernel.tenant_table('shelf.makers');
select kernel.tenant_table('shelf.items', masked => '{secret}');
select kernel.tenant_table('shelf.notes');
revoke select on shelf.items from ephor_app, ephor_reach;
grant select (organization_id, id, maker_id, name, description, status, score, weight, count, is_public, tags, metadata,
    due_on, created_by, created_at, updated_at, version) on shelf.items to ephor_app, ephor_reach;
