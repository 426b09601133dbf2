//! Something that breaks each rule. Roles belong to the whole server: so this must be rolled back.

pub const DDL: &str = "
-- Breaks: security, policy, key, index, foreign key, audit, comments, names, types.
create table registry.bad (
    organization_id uuid, id uuid primary key, at timestamp, model_id uuid, user_id uuid, number serial,
    constraint wrong check (number > 0),
    foreign key (model_id) references registry.bad (id)
);
grant truncate on registry.bad to ephor_app;
grant select on registry.bad to public;
create table registry.bad_global (id uuid primary key, organization uuid, bad_id uuid references registry.bad (id));
create policy anybody on registry.bad using (true);
create policy lax on registry.bad to ephor_app using (organization_id is not null);
create policy far on registry.bad to ephor_reach using (true);
create policy asks on registry.bad to ephor_system using (organization_id in (select id from identity.organizations));

create table registry.bad_parts (organization_id uuid not null, id uuid not null, day date not null) partition by range (day);
create table registry.bad_part partition of registry.bad_parts default;
grant select on registry.bad_part to ephor_app;
create table registry.bad_parts_keyed (organization_id uuid not null, id uuid not null, day date not null,
    primary key (organization_id, id, day)) partition by range (day);
create table registry.bad_to_parts (organization_id uuid not null, id uuid not null, day date not null,
    foreign key (organization_id, id, day) references registry.bad_parts_keyed (organization_id, id, day));

create view registry.bad_view as select * from registry.bad;
create materialized view registry.bad_copy as select * from registry.bad;
create function registry.bad_definer() returns void language sql security definer as 'select 1';
alter function registry.bad_definer() owner to ephor_owner;
create function registry.bad_leak() returns boolean language sql leakproof as 'select true';
create function registry.bad_constant() returns text language sql immutable as $$ select current_setting('ephor.organization_id') $$;
create function registry.bad_door() returns void language sql security definer as 'select 1';
grant create on schema registry to ephor_door;
alter function registry.bad_door() owner to ephor_door;
create schema bad;
create table public.bad (id integer);
grant usage on schema graphile_worker to ephor_app;
grant execute on function pg_catalog.set_config(text, text, boolean) to ephor_app;
alter role ephor_system createdb inherit;
grant ephor_sealer to ephor_system;
";
