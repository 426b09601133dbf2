-- Saved views: what somebody looks for in a list again and again, under a name.

create table identity.saved_views (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    resource text not null,
    name text not null,
    filters jsonb not null default '{}',
    search text,
    sort text,
    columns text[] not null default '{}',
    is_shared boolean not null default false,
    is_default boolean not null default false,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint saved_views_pkey primary key (organization_id, id),
    constraint saved_views_name_key unique (organization_id, created_by, resource, name),
    constraint saved_views_member_fkey foreign key (organization_id, created_by)
        references identity.organization_members (organization_id, user_id) on delete cascade,
    constraint saved_views_resource_check check (resource ~ '^[a-z][a-z0-9_-]{0,62}$'),
    constraint saved_views_name_check check (name = btrim(name) and length(name) between 1 and 100),
    constraint saved_views_filters_check check (jsonb_typeof(filters) = 'object' and length(filters::text) <= 8000),
    constraint saved_views_search_check check (length(search) between 1 and 500),
    constraint saved_views_sort_check check (length(sort) between 1 and 500),
    constraint saved_views_columns_check check (
        array_position(columns, null) is null and cardinality(columns) <= 100
        and array_to_string(columns, ' ') ~ '^([a-z][a-z0-9_]{0,62}( |$))*$')
);
-- One list's views, and a member's for the foreign key.
create index saved_views_resource_idx on identity.saved_views (organization_id, resource, name, id);
create index saved_views_created_at_idx on identity.saved_views (organization_id, created_at desc, id);
create unique index saved_views_default_idx on identity.saved_views (organization_id, created_by, resource) where is_default;

comment on table identity.saved_views is 'What a member looks for in a list again and again: filters, search, order and columns under a name. Its maker alone changes it; colleagues see it once it is shared.';
comment on column identity.saved_views.organization_id is 'The organization.';
comment on column identity.saved_views.id is 'The view''s id.';
comment on column identity.saved_views.resource is 'The resource that is listed, by its place below /v1/, such as models.';
comment on column identity.saved_views.name is 'What the view is called; its maker has one of a name for each resource.';
comment on column identity.saved_views.filters is 'The filters by column, each as in a list''s address: {"status": "eq.active"}.';
comment on column identity.saved_views.search is 'Words that the text must hold; null for any.';
comment on column identity.saved_views.sort is 'The order, as in a list''s address: -created_at,name. Null for the resource''s own.';
comment on column identity.saved_views.columns is 'The columns to show, in their order; empty for the usual ones.';
comment on column identity.saved_views.is_shared is 'Whether all members of the organization see it.';
comment on column identity.saved_views.is_default is 'Whether the list opens with it, for its maker; one view of a resource at most.';
comment on column identity.saved_views.created_by is 'The member who made it and whose it is.';
comment on column identity.saved_views.created_at is 'When it was made.';
comment on column identity.saved_views.updated_at is 'When it was last changed.';
comment on column identity.saved_views.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint saved_views_pkey on identity.saved_views is 'A view is found by its id within its organization.';
comment on constraint saved_views_name_key on identity.saved_views is 'You have a view of this name for this list already.';
comment on constraint saved_views_member_fkey on identity.saved_views is 'The membership of whoever made it; with it the view goes.';
comment on constraint saved_views_resource_check on identity.saved_views is 'A resource is a word of lower-case letters, digits, hyphens and underscores.';
comment on constraint saved_views_name_check on identity.saved_views is 'A name has 1 to 100 characters and no blanks at its ends.';
comment on constraint saved_views_filters_check on identity.saved_views is 'Filters are a JSON object of at most 8000 characters.';
comment on constraint saved_views_search_check on identity.saved_views is 'A search has 1 to 500 characters.';
comment on constraint saved_views_sort_check on identity.saved_views is 'An order has 1 to 500 characters.';
comment on constraint saved_views_columns_check on identity.saved_views is 'At most 100 columns, each by its name.';
comment on index identity.saved_views_resource_idx is 'Serves the views of one list.';
comment on index identity.saved_views_created_at_idx is 'Serves the newest views.';
comment on index identity.saved_views_default_idx is 'A list opens with one view.';

-- What becomes the default takes that from what was it.
create function identity.saved_views_default() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update identity.saved_views v set is_default = false
    where v.organization_id = new.organization_id and v.created_by = new.created_by and v.resource = new.resource
      and v.is_default and v.id <> new.id;
    return new;
end $$;
comment on function identity.saved_views_default() is 'Keeps one default for each member and list: what becomes it takes it from another.';
revoke all on function identity.saved_views_default() from public;
create trigger one_default before insert or update of is_default on identity.saved_views
    for each row when (new.is_default) execute function identity.saved_views_default();

select kernel.tenant_table('identity.saved_views');
-- One's own and what is shared; only one's own is changed.
create policy saved_views_seen on identity.saved_views as restrictive for select to ephor_app
    using (is_shared or created_by = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy saved_views_made on identity.saved_views as restrictive for insert to ephor_app
    with check (created_by = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy saved_views_changed on identity.saved_views as restrictive for update to ephor_app
    using (created_by = nullif(current_setting('ephor.actor_id', true), '')::uuid)
    with check (created_by = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy saved_views_deleted on identity.saved_views as restrictive for delete to ephor_app
    using (created_by = nullif(current_setting('ephor.actor_id', true), '')::uuid);
revoke select on identity.saved_views from ephor_reach;
