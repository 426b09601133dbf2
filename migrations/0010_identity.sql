-- Who acts: people, organizations, roles, members, sessions and keys.
--
-- Tenant tables: organizations (its own tenant), roles, organization_members, member_joins, api_keys.
-- Global tables: users, sessions, membership_versions, log_in_attempts. What of them precedes a
-- scope is reached through schema `door` alone (0011_door.sql).

-- Organizations: the tenants ------------------------------------------------------------------

create table identity.organizations (
    id uuid not null default kernel.uuidv7(),
    organization_id uuid not null generated always as (id) stored,
    name text not null,
    slug text not null,
    kind text not null default 'standalone',
    parent_id uuid,
    description text,
    settings jsonb not null default '{}',
    max_users integer,
    max_assistants integer,
    monthly_cost_limit numeric(20, 10),
    is_active boolean not null default true,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint organizations_pkey primary key (organization_id, id),
    constraint organizations_id_key unique (id),
    constraint organizations_slug_key unique (slug),
    constraint organizations_name_check check (name = btrim(name) and length(name) between 1 and 200),
    constraint organizations_slug_check check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    constraint organizations_kind_check check (kind in ('standalone', 'holding', 'subsidiary')),
    constraint organizations_parent_check check ((kind = 'subsidiary') = (parent_id is not null) and parent_id <> id),
    constraint organizations_description_check check (length(description) <= 4000),
    constraint organizations_settings_check check (jsonb_typeof(settings) = 'object'),
    constraint organizations_max_users_check check (max_users >= 1),
    constraint organizations_max_assistants_check check (max_assistants >= 0),
    constraint organizations_monthly_cost_limit_check check (monthly_cost_limit >= 0)
);
create index organizations_parent_id_idx on identity.organizations (parent_id) where parent_id is not null;

comment on table identity.organizations is 'A tenant: whoever governs AI with Ephor. A holding reads its subsidiaries.';
comment on column identity.organizations.id is 'The organization''s id, which every row of its data carries as organization_id.';
comment on column identity.organizations.organization_id is 'The same as id: an organization is its own tenant.';
comment on column identity.organizations.name is 'Its name, as people read it.';
comment on column identity.organizations.slug is 'Its name in addresses: lower-case letters, digits and hyphens; unique in the whole of Ephor.';
comment on column identity.organizations.kind is 'standalone, holding (reads its subsidiaries) or subsidiary (belongs to a holding).';
comment on column identity.organizations.parent_id is 'The holding that a subsidiary belongs to; null for the others.';
comment on column identity.organizations.description is 'What it does, in a few sentences.';
comment on column identity.organizations.settings is 'Its settings: a JSON object.';
comment on column identity.organizations.max_users is 'How many active members it may have; null for no limit.';
comment on column identity.organizations.max_assistants is 'How many AI assistants it may have; null for no limit.';
comment on column identity.organizations.monthly_cost_limit is 'How much its AI may cost in a month, in US dollars; null for no limit.';
comment on column identity.organizations.is_active is 'Whether it may be used: nobody acts in an inactive organization.';
comment on column identity.organizations.created_by is 'The user who made it.';
comment on column identity.organizations.created_at is 'When it was made.';
comment on column identity.organizations.updated_at is 'When it was last changed.';
comment on column identity.organizations.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint organizations_pkey on identity.organizations is 'An organization is found by its id within itself.';
comment on constraint organizations_id_key on identity.organizations is 'An id names one organization.';
comment on constraint organizations_slug_key on identity.organizations is 'A slug names one organization.';
comment on constraint organizations_name_check on identity.organizations is 'A name has 1 to 200 characters and no blanks at its ends.';
comment on constraint organizations_slug_check on identity.organizations is 'A slug has 1 to 63 lower-case letters, digits and hyphens, and neither starts nor ends with a hyphen.';
comment on constraint organizations_kind_check on identity.organizations is 'The kinds of organization.';
comment on constraint organizations_parent_check on identity.organizations is 'A subsidiary, and nothing else, has a parent, which is not itself.';
comment on constraint organizations_description_check on identity.organizations is 'A description has at most 4000 characters.';
comment on constraint organizations_settings_check on identity.organizations is 'Settings are a JSON object.';
comment on constraint organizations_max_users_check on identity.organizations is 'There is room for one member at least.';
comment on constraint organizations_max_assistants_check on identity.organizations is 'A limit is not negative.';
comment on constraint organizations_monthly_cost_limit_check on identity.organizations is 'A limit is not negative.';

select kernel.tenant_table('identity.organizations');
-- Organizations are made through the door. Their members change how they look, not what they are.
revoke insert, update, delete on identity.organizations from ephor_app;
grant update (name, slug, description, settings) on identity.organizations to ephor_app;

-- Users: people, whatever their organizations ---------------------------------------------------

create table identity.users (
    id uuid not null default kernel.uuidv7(),
    email text not null,
    username text,
    full_name text not null,
    first_name text,
    last_name text,
    avatar_url text,
    password_hash text,
    password_changed_at timestamptz,
    email_verified_at timestamptz,
    is_active boolean not null default true,
    is_superuser boolean not null default false,
    metadata jsonb not null default '{}',
    gdpr_consent_at timestamptz,
    last_login_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint users_pkey primary key (id),
    constraint users_email_key unique (email),
    constraint users_username_key unique (username),
    constraint users_email_check check (email = lower(email) and length(email) <= 254 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    constraint users_username_check check (length(username) between 1 and 100),
    constraint users_full_name_check check (full_name = btrim(full_name) and length(full_name) between 1 and 200),
    constraint users_first_name_check check (length(first_name) <= 100),
    constraint users_last_name_check check (length(last_name) <= 100),
    constraint users_avatar_url_check check (avatar_url ~ '^https://' and length(avatar_url) <= 2000),
    constraint users_metadata_check check (jsonb_typeof(metadata) = 'object')
);

comment on table identity.users is 'A person, who may be a member of many organizations. A person sees only their own row; colleagues are read from organization_members.';
comment on column identity.users.id is 'The person''s id: the actor of what they do.';
comment on column identity.users.email is 'The address that the person logs in with, in lower case.';
comment on column identity.users.username is 'A short name, where an imported system had one.';
comment on column identity.users.full_name is 'The person''s name.';
comment on column identity.users.first_name is 'Given name, where it is known apart.';
comment on column identity.users.last_name is 'Family name, where it is known apart.';
comment on column identity.users.avatar_url is 'Address of a picture (https).';
comment on column identity.users.password_hash is 'argon2id hash in PHC format; null while no password is set. No run-time role but the door reads it.';
comment on column identity.users.password_changed_at is 'When the password was last set.';
comment on column identity.users.email_verified_at is 'When the person proved that the address is theirs.';
comment on column identity.users.is_active is 'Whether the person may log in at all.';
comment on column identity.users.is_superuser is 'Whether the person operates the platform, apart from any organization.';
comment on column identity.users.metadata is 'What an imported system knew beside: a JSON object.';
comment on column identity.users.gdpr_consent_at is 'When the person agreed to the processing of their data.';
comment on column identity.users.last_login_at is 'When the person last logged in.';
comment on column identity.users.deleted_at is 'When the person was erased; the row stays, anonymised, for the audit trail.';
comment on column identity.users.created_at is 'When the account was made.';
comment on column identity.users.updated_at is 'When it was last changed.';
comment on column identity.users.version is 'Counts its changes.';
comment on constraint users_pkey on identity.users is 'A person is found by id.';
comment on constraint users_email_key on identity.users is 'An e-mail address belongs to one account.';
comment on constraint users_username_key on identity.users is 'A user name belongs to one account.';
comment on constraint users_email_check on identity.users is 'An e-mail address: lower case, one @, no blanks, at most 254 characters.';
comment on constraint users_username_check on identity.users is 'A user name has 1 to 100 characters.';
comment on constraint users_full_name_check on identity.users is 'A name has 1 to 200 characters and no blanks at its ends.';
comment on constraint users_first_name_check on identity.users is 'A given name has at most 100 characters.';
comment on constraint users_last_name_check on identity.users is 'A family name has at most 100 characters.';
comment on constraint users_avatar_url_check on identity.users is 'A picture''s address starts with https:// and has at most 2000 characters.';
comment on constraint users_metadata_check on identity.users is 'Metadata are a JSON object.';

alter table identity.users enable row level security, force row level security;
create policy users_app on identity.users for select to ephor_app
    using (id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy users_system on identity.users for select to ephor_system
    using (id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy users_migrator on identity.users to ephor_owner, ephor_migrator using (true) with check (true);
create policy users_backup on identity.users for select to ephor_backup using (true);
create policy users_door on identity.users to ephor_door using (true) with check (true);
-- All columns but the password's hash.
grant select (id, email, username, full_name, first_name, last_name, avatar_url, password_changed_at,
    email_verified_at, is_active, is_superuser, metadata, gdpr_consent_at, last_login_at, deleted_at,
    created_at, updated_at, version) on identity.users to ephor_app, ephor_system;
grant select, insert, update on identity.users to ephor_door;
grant select on identity.users to ephor_backup;
grant select, insert, update, delete on identity.users to ephor_migrator;
create trigger users_touch before update on identity.users for each row execute function kernel.touch_version();
select audit.watch('identity.users', masked => '{password_hash,metadata}', global => true);

-- Roles: named sets of permissions --------------------------------------------------------------

create table identity.roles (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text,
    permissions text[] not null default '{}',
    builtin_code text,
    builtin_version integer,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint roles_pkey primary key (organization_id, id),
    constraint roles_name_key unique (organization_id, name),
    constraint roles_builtin_code_key unique (organization_id, builtin_code),
    constraint roles_organization_fkey foreign key (organization_id) references identity.organizations (id) on delete restrict,
    constraint roles_name_check check (name = btrim(name) and length(name) between 1 and 100),
    constraint roles_description_check check (length(description) <= 1000),
    constraint roles_permissions_check check (
        array_position(permissions, null) is null and cardinality(permissions) <= 500
        and array_to_string(permissions, ' ') ~ '^((\*|(\*|[a-z0-9_]+):(\*|[a-z0-9_]+))( |$))*$'),
    constraint roles_builtin_code_check check (builtin_code in ('owner', 'admin', 'manager', 'operator', 'member', 'viewer')),
    constraint roles_builtin_version_check check ((builtin_code is null) = (builtin_version is null) and builtin_version >= 1)
);

comment on table identity.roles is 'A named set of permissions within an organization.';
comment on column identity.roles.organization_id is 'The organization.';
comment on column identity.roles.id is 'The role''s id.';
comment on column identity.roles.name is 'Its name, unique in the organization.';
comment on column identity.roles.description is 'What it is for.';
comment on column identity.roles.permissions is 'What its members may do: resource:action, either of which may be *; a single * means everything.';
comment on column identity.roles.builtin_code is 'Which built-in role it is a copy of: owner, admin, manager, operator, member or viewer; null for a role of the organization''s own.';
comment on column identity.roles.builtin_version is 'Which version of the built-in role it was copied from.';
comment on column identity.roles.created_by is 'The user who made it; null for built-in roles.';
comment on column identity.roles.created_at is 'When it was made.';
comment on column identity.roles.updated_at is 'When it was last changed.';
comment on column identity.roles.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint roles_pkey on identity.roles is 'A role is found by its id within its organization.';
comment on constraint roles_name_key on identity.roles is 'A role''s name is unique in its organization.';
comment on constraint roles_builtin_code_key on identity.roles is 'An organization has one copy of each built-in role.';
comment on constraint roles_organization_fkey on identity.roles is 'The role''s organization.';
comment on constraint roles_name_check on identity.roles is 'A name has 1 to 100 characters and no blanks at its ends.';
comment on constraint roles_description_check on identity.roles is 'A description has at most 1000 characters.';
comment on constraint roles_permissions_check on identity.roles is 'At most 500 permissions, each written resource:action in lower case, with * for any.';
comment on constraint roles_builtin_code_check on identity.roles is 'The built-in roles.';
comment on constraint roles_builtin_version_check on identity.roles is 'A copy of a built-in role, and nothing else, has its version.';

select kernel.tenant_table('identity.roles');

-- Members: people in organizations --------------------------------------------------------------

create table identity.organization_members (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    role_id uuid not null,
    email text not null,
    full_name text not null,
    avatar_url text,
    is_active boolean not null default false,
    joined_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint organization_members_pkey primary key (organization_id, id),
    constraint organization_members_user_key unique (organization_id, user_id),
    constraint organization_members_organization_fkey foreign key (organization_id) references identity.organizations (id) on delete restrict,
    constraint organization_members_user_fkey foreign key (user_id) references identity.users (id) on delete restrict,
    constraint organization_members_role_fkey foreign key (organization_id, role_id) references identity.roles (organization_id, id) on delete restrict,
    constraint organization_members_email_check check (length(email) <= 254),
    constraint organization_members_full_name_check check (length(full_name) between 1 and 200),
    constraint organization_members_joined_check check (joined_at is not null or not is_active)
);
create index organization_members_user_idx on identity.organization_members (user_id);
create index organization_members_role_idx on identity.organization_members (organization_id, role_id);

comment on table identity.organization_members is 'A person''s membership of an organization, with a role.';
comment on column identity.organization_members.organization_id is 'The organization.';
comment on column identity.organization_members.id is 'The membership''s id.';
comment on column identity.organization_members.user_id is 'The person.';
comment on column identity.organization_members.role_id is 'The role that says what the person may do here.';
comment on column identity.organization_members.email is 'The person''s e-mail address: a copy, which Ephor keeps current.';
comment on column identity.organization_members.full_name is 'The person''s name: a copy, which Ephor keeps current; until the person joins, as it was typed by whoever added them.';
comment on column identity.organization_members.avatar_url is 'Address of the person''s picture: a copy, which Ephor keeps current.';
comment on column identity.organization_members.is_active is 'Whether the person may act here: true once they joined, false after they were deactivated.';
comment on column identity.organization_members.joined_at is 'When the person joined; null while the invitation link was not used.';
comment on column identity.organization_members.created_by is 'The user who added them.';
comment on column identity.organization_members.created_at is 'When they were added.';
comment on column identity.organization_members.updated_at is 'When the membership last changed.';
comment on column identity.organization_members.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint organization_members_pkey on identity.organization_members is 'A membership is found by its id within its organization.';
comment on constraint organization_members_user_key on identity.organization_members is 'A person is a member of an organization once.';
comment on constraint organization_members_organization_fkey on identity.organization_members is 'The member''s organization.';
comment on constraint organization_members_user_fkey on identity.organization_members is 'The member''s account.';
comment on constraint organization_members_role_fkey on identity.organization_members is 'The member''s role, of the same organization; a role that somebody has cannot be deleted.';
comment on constraint organization_members_email_check on identity.organization_members is 'An e-mail address has at most 254 characters.';
comment on constraint organization_members_full_name_check on identity.organization_members is 'A name has 1 to 200 characters.';
comment on constraint organization_members_joined_check on identity.organization_members is 'Nobody is active before they joined.';

select kernel.tenant_table('identity.organization_members');
-- Members are added through the door, which also finds or makes the account. Names follow the account.
revoke insert, update on identity.organization_members from ephor_app;
grant update (role_id, is_active) on identity.organization_members to ephor_app;

-- Links with which somebody who was added joins ---------------------------------------------------

create table identity.member_joins (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    member_id uuid not null,
    token_hash bytea not null,
    expires_at timestamptz not null,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    constraint member_joins_pkey primary key (organization_id, id),
    constraint member_joins_member_key unique (organization_id, member_id),
    constraint member_joins_member_fkey foreign key (organization_id, member_id) references identity.organization_members (organization_id, id) on delete cascade,
    constraint member_joins_token_hash_check check (octet_length(token_hash) = 32)
);

comment on table identity.member_joins is 'The one-time link with which somebody who was added to an organization joins it. Only the door reads it.';
comment on column identity.member_joins.organization_id is 'The organization.';
comment on column identity.member_joins.id is 'The link''s id.';
comment on column identity.member_joins.member_id is 'The membership that it completes.';
comment on column identity.member_joins.token_hash is 'SHA-256 of the link''s secret.';
comment on column identity.member_joins.expires_at is 'Until when it works.';
comment on column identity.member_joins.created_by is 'The user who made it.';
comment on column identity.member_joins.created_at is 'When it was made.';
comment on constraint member_joins_pkey on identity.member_joins is 'A link is found by its id within its organization.';
comment on constraint member_joins_member_key on identity.member_joins is 'A membership has one link at a time.';
comment on constraint member_joins_member_fkey on identity.member_joins is 'The membership, whose end ends the link.';
comment on constraint member_joins_token_hash_check on identity.member_joins is 'A SHA-256 hash has 32 bytes.';

select kernel.tenant_table('identity.member_joins', masked => '{token_hash}', writable => false);
revoke select on identity.member_joins from ephor_app, ephor_reach, ephor_system;
revoke insert, update, delete on identity.member_joins from ephor_system;

-- API keys: how programs authenticate -------------------------------------------------------------

create table identity.api_keys (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    name text not null,
    key_prefix text not null,
    key_hash bytea not null,
    permissions text[] not null,
    is_active boolean not null default true,
    revoked_at timestamptz,
    revoked_by uuid,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint api_keys_pkey primary key (organization_id, id),
    constraint api_keys_member_fkey foreign key (organization_id, user_id) references identity.organization_members (organization_id, user_id) on delete cascade,
    constraint api_keys_name_check check (name = btrim(name) and length(name) between 1 and 255),
    constraint api_keys_key_prefix_check check (length(key_prefix) between 4 and 10),
    constraint api_keys_key_hash_check check (octet_length(key_hash) = 32),
    constraint api_keys_permissions_check check (
        array_position(permissions, null) is null and cardinality(permissions) <= 500
        and array_to_string(permissions, ' ') ~ '^((\*|(\*|[a-z0-9_]+):(\*|[a-z0-9_]+))( |$))*$'),
    constraint api_keys_revoked_check check (is_active = (revoked_at is null) and (revoked_by is null or revoked_at is not null))
);
create index api_keys_user_idx on identity.api_keys (organization_id, user_id);

comment on table identity.api_keys is 'A key that a member''s programs authenticate with. Its secret is shown once and never stored.';
comment on column identity.api_keys.organization_id is 'The organization.';
comment on column identity.api_keys.id is 'The key''s id, which is a part of the key.';
comment on column identity.api_keys.user_id is 'The person for whom the key acts.';
comment on column identity.api_keys.name is 'What the key is for.';
comment on column identity.api_keys.key_prefix is 'eph_ and the first six characters of the secret, to tell keys apart by.';
comment on column identity.api_keys.key_hash is 'SHA-256 of the secret. No run-time role but the door reads it.';
comment on column identity.api_keys.permissions is 'What the key may do, and never more than its owner may at that moment.';
comment on column identity.api_keys.is_active is 'False once it is revoked.';
comment on column identity.api_keys.revoked_at is 'When it was revoked.';
comment on column identity.api_keys.revoked_by is 'The user who revoked it.';
comment on column identity.api_keys.expires_at is 'Until when it works; null for no end.';
comment on column identity.api_keys.created_at is 'When it was made.';
comment on column identity.api_keys.updated_at is 'When it was last changed.';
comment on constraint api_keys_pkey on identity.api_keys is 'A key is found by its id within its organization.';
comment on constraint api_keys_member_fkey on identity.api_keys is 'The membership that the key acts under; with it the key ends.';
comment on constraint api_keys_name_check on identity.api_keys is 'A name has 1 to 255 characters and no blanks at its ends.';
comment on constraint api_keys_key_prefix_check on identity.api_keys is 'A prefix has 4 to 10 characters.';
comment on constraint api_keys_key_hash_check on identity.api_keys is 'A SHA-256 hash has 32 bytes.';
comment on constraint api_keys_permissions_check on identity.api_keys is 'At most 500 permissions, each written resource:action in lower case, with * for any.';
comment on constraint api_keys_revoked_check on identity.api_keys is 'A key is revoked or active.';

select kernel.tenant_table('identity.api_keys', masked => '{key_hash}');
-- One's own keys only; an administrator reaches the others' through ephor_system, after the permission check.
create policy api_keys_own on identity.api_keys as restrictive to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid)
    with check (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
revoke select, update, delete on identity.api_keys from ephor_app;
grant select (organization_id, id, user_id, name, key_prefix, permissions, is_active, revoked_at, revoked_by,
    expires_at, created_at, updated_at) on identity.api_keys to ephor_app;
grant update (name, is_active, revoked_at, revoked_by) on identity.api_keys to ephor_app;
revoke select, insert, update, delete on identity.api_keys from ephor_system;
grant select (organization_id, id, user_id, name, key_prefix, permissions, is_active, revoked_at, revoked_by,
    expires_at, created_at, updated_at) on identity.api_keys to ephor_system;
grant update (is_active, revoked_at, revoked_by) on identity.api_keys to ephor_system;
revoke select on identity.api_keys from ephor_reach;

create table identity.api_key_usage (
    organization_id uuid not null,
    id uuid not null,
    last_used_at timestamptz not null,
    usage_count bigint not null,
    constraint api_key_usage_pkey primary key (organization_id, id),
    constraint api_key_usage_key_fkey foreign key (organization_id, id) references identity.api_keys (organization_id, id) on delete cascade,
    constraint api_key_usage_usage_count_check check (usage_count >= 0)
);

comment on table identity.api_key_usage is 'How often an API key was used. Apart from the keys because it counts without being a change of theirs, hence is not audited; added up in batches.';
comment on column identity.api_key_usage.organization_id is 'The organization.';
comment on column identity.api_key_usage.id is 'The key.';
comment on column identity.api_key_usage.last_used_at is 'When it was last used, to within half a minute.';
comment on column identity.api_key_usage.usage_count is 'How many requests were made with it, to within half a minute.';
comment on constraint api_key_usage_pkey on identity.api_key_usage is 'A key has one count.';
comment on constraint api_key_usage_key_fkey on identity.api_key_usage is 'The key, whose end ends the count.';
comment on constraint api_key_usage_usage_count_check on identity.api_key_usage is 'A count is not negative.';

select kernel.tenant_table('identity.api_key_usage', audited => false, writable => false);
revoke insert, update, delete on identity.api_key_usage from ephor_system;

-- Sessions: log-ins in browsers -------------------------------------------------------------------

create table identity.sessions (
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    current_organization_id uuid not null,
    token_hash bytea not null,
    previous_token_hash bytea,
    csrf_secret bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    data jsonb not null default '{}',
    ip_address inet,
    user_agent text,
    is_active boolean not null default true,
    ended_at timestamptz,
    rotated_at timestamptz not null default now(),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint sessions_pkey primary key (id),
    constraint sessions_token_hash_key unique (token_hash),
    constraint sessions_previous_token_hash_key unique (previous_token_hash),
    constraint sessions_user_fkey foreign key (user_id) references identity.users (id) on delete cascade,
    constraint sessions_organization_fkey foreign key (current_organization_id) references identity.organizations (id) on delete cascade,
    constraint sessions_token_hash_check check (octet_length(token_hash) = 32 and octet_length(previous_token_hash) = 32),
    constraint sessions_csrf_secret_check check (octet_length(csrf_secret) = 32),
    constraint sessions_data_check check (jsonb_typeof(data) = 'object'),
    constraint sessions_user_agent_check check (octet_length(user_agent) <= 500),
    constraint sessions_ended_check check (is_active = (ended_at is null))
);
create index sessions_user_idx on identity.sessions (user_id, is_active);
create index sessions_organization_idx on identity.sessions (current_organization_id);
create index sessions_expires_idx on identity.sessions (expires_at);

comment on table identity.sessions is 'A log-in in one browser. A person sees their own.';
comment on column identity.sessions.id is 'The session''s id; it is no secret.';
comment on column identity.sessions.user_id is 'Who is logged in.';
comment on column identity.sessions.current_organization_id is 'The organization in which the person works at the moment.';
comment on column identity.sessions.token_hash is 'SHA-256 of the cookie''s secret. No run-time role but the door reads it.';
comment on column identity.sessions.previous_token_hash is 'The hash before the last rotation, which works for one more minute, for requests under way.';
comment on column identity.sessions.csrf_secret is 'What the tokens in this session''s forms are made of. No run-time role but the door reads it.';
comment on column identity.sessions.data is 'What belongs to the session: a JSON object.';
comment on column identity.sessions.ip_address is 'The address that the person logged in from.';
comment on column identity.sessions.user_agent is 'The browser that the person logged in with, at most 500 bytes.';
comment on column identity.sessions.is_active is 'False once the person logged out or the session was revoked.';
comment on column identity.sessions.ended_at is 'When it was ended.';
comment on column identity.sessions.rotated_at is 'When its secret was last replaced.';
comment on column identity.sessions.expires_at is 'When it ends in any case.';
comment on column identity.sessions.created_at is 'When the person logged in.';
comment on column identity.sessions.updated_at is 'When the row last changed.';
comment on constraint sessions_pkey on identity.sessions is 'A session is found by its id.';
comment on constraint sessions_token_hash_key on identity.sessions is 'A secret opens one session.';
comment on constraint sessions_previous_token_hash_key on identity.sessions is 'A secret opens one session.';
comment on constraint sessions_user_fkey on identity.sessions is 'The account that is logged in.';
comment on constraint sessions_organization_fkey on identity.sessions is 'The organization that the person works in.';
comment on constraint sessions_token_hash_check on identity.sessions is 'A SHA-256 hash has 32 bytes.';
comment on constraint sessions_csrf_secret_check on identity.sessions is 'The secret has 32 bytes.';
comment on constraint sessions_data_check on identity.sessions is 'Data are a JSON object.';
comment on constraint sessions_user_agent_check on identity.sessions is 'A user agent has at most 500 bytes.';
comment on constraint sessions_ended_check on identity.sessions is 'A session is active or ended.';

alter table identity.sessions enable row level security, force row level security;
create policy sessions_app on identity.sessions to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid)
    with check (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy sessions_migrator on identity.sessions to ephor_owner, ephor_migrator using (true) with check (true);
create policy sessions_backup on identity.sessions for select to ephor_backup using (true);
create policy sessions_door on identity.sessions to ephor_door using (true) with check (true);
grant select (id, user_id, current_organization_id, data, ip_address, user_agent, is_active, ended_at, rotated_at,
    expires_at, created_at, updated_at) on identity.sessions to ephor_app;
grant update (is_active, ended_at) on identity.sessions to ephor_app;
grant select, insert, update, delete on identity.sessions to ephor_door;
grant select on identity.sessions to ephor_backup;
grant select, insert, update, delete on identity.sessions to ephor_migrator;
create trigger sessions_touch before update on identity.sessions for each row execute function kernel.touch();
select audit.watch('identity.sessions', masked => '{token_hash,previous_token_hash,csrf_secret}', global => true);

create table identity.session_activity (
    id uuid not null,
    user_id uuid not null,
    last_seen_at timestamptz not null default now(),
    idle_expires_at timestamptz not null,
    constraint session_activity_pkey primary key (id),
    constraint session_activity_session_fkey foreign key (id) references identity.sessions (id) on delete cascade
);

comment on table identity.session_activity is 'When a session was last used. Apart from the sessions because being used is no change of theirs, hence is not audited.';
comment on column identity.session_activity.id is 'The session.';
comment on column identity.session_activity.user_id is 'Who is logged in.';
comment on column identity.session_activity.last_seen_at is 'When it was last used, to within a minute.';
comment on column identity.session_activity.idle_expires_at is 'When it ends if it is not used.';
comment on constraint session_activity_pkey on identity.session_activity is 'A session was last used once.';
comment on constraint session_activity_session_fkey on identity.session_activity is 'The session.';

alter table identity.session_activity enable row level security, force row level security;
create policy session_activity_app on identity.session_activity for select to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
create policy session_activity_migrator on identity.session_activity to ephor_owner, ephor_migrator using (true) with check (true);
create policy session_activity_backup on identity.session_activity for select to ephor_backup using (true);
create policy session_activity_door on identity.session_activity to ephor_door using (true) with check (true);
grant select on identity.session_activity to ephor_app, ephor_backup;
grant select, insert, update, delete on identity.session_activity to ephor_migrator;
grant select, insert, update, delete on identity.session_activity to ephor_door;

-- Membership versions: when a cached membership is out of date --------------------------------------

create table identity.membership_versions (
    organization_id uuid not null,
    value bigint not null default 1,
    constraint membership_versions_pkey primary key (organization_id),
    constraint membership_versions_organization_fkey foreign key (organization_id) references identity.organizations (id) on delete cascade
);

comment on table identity.membership_versions is 'Counts the changes of an organization''s members, roles and reach, so that servers know when what they remember of them is out of date. Derived, hence not audited. Only the door reads it.';
comment on column identity.membership_versions.organization_id is 'The organization.';
comment on column identity.membership_versions.value is 'The count.';
comment on constraint membership_versions_pkey on identity.membership_versions is 'An organization has one count.';
comment on constraint membership_versions_organization_fkey on identity.membership_versions is 'The organization.';

alter table identity.membership_versions enable row level security, force row level security;
create policy membership_versions_migrator on identity.membership_versions to ephor_owner, ephor_migrator using (true) with check (true);
create policy membership_versions_backup on identity.membership_versions for select to ephor_backup using (true);
create policy membership_versions_door on identity.membership_versions to ephor_door using (true) with check (true);
grant select, insert, update, delete on identity.membership_versions to ephor_migrator;
grant select on identity.membership_versions to ephor_backup;
grant select, insert, update on identity.membership_versions to ephor_door;

-- Log-in attempts: so that replicas agree on when it is enough --------------------------------------

create table identity.log_in_attempts (
    kind text not null,
    subject_hash bytea not null,
    attempts integer not null default 1,
    window_started_at timestamptz not null default now(),
    constraint log_in_attempts_pkey primary key (kind, subject_hash),
    constraint log_in_attempts_kind_check check (kind in ('account', 'address', 'sign_up', 'join')),
    constraint log_in_attempts_subject_hash_check check (octet_length(subject_hash) = 32),
    constraint log_in_attempts_attempts_check check (attempts >= 0)
);
create index log_in_attempts_window_idx on identity.log_in_attempts (window_started_at);

comment on table identity.log_in_attempts is 'How often somebody tried to log in lately, per account and per address. Counters only, hence not audited. Only the door reads it.';
comment on column identity.log_in_attempts.kind is 'What is counted: log-ins to an account, log-ins from an address, sign-ups from an address, or uses of join links from an address.';
comment on column identity.log_in_attempts.subject_hash is 'SHA-256 of the account''s e-mail address or of the caller''s address.';
comment on column identity.log_in_attempts.attempts is 'How many attempts were made in the present window.';
comment on column identity.log_in_attempts.window_started_at is 'When the present window began.';
comment on constraint log_in_attempts_pkey on identity.log_in_attempts is 'One count per kind and subject.';
comment on constraint log_in_attempts_kind_check on identity.log_in_attempts is 'What is counted.';
comment on constraint log_in_attempts_subject_hash_check on identity.log_in_attempts is 'A SHA-256 hash has 32 bytes.';
comment on constraint log_in_attempts_attempts_check on identity.log_in_attempts is 'A count is not negative.';

alter table identity.log_in_attempts enable row level security, force row level security;
create policy log_in_attempts_migrator on identity.log_in_attempts to ephor_owner, ephor_migrator using (true) with check (true);
create policy log_in_attempts_backup on identity.log_in_attempts for select to ephor_backup using (true);
create policy log_in_attempts_door on identity.log_in_attempts to ephor_door using (true) with check (true);
grant select, insert, update, delete on identity.log_in_attempts to ephor_migrator;
grant select on identity.log_in_attempts to ephor_backup;
grant select, insert, update, delete on identity.log_in_attempts to ephor_door;

-- What the door needs of the tenant tables ----------------------------------------------------------

create policy organizations_door on identity.organizations to ephor_door using (true) with check (true);
create policy roles_door on identity.roles to ephor_door using (true) with check (true);
create policy organization_members_door on identity.organization_members to ephor_door using (true) with check (true);
create policy member_joins_door on identity.member_joins to ephor_door using (true) with check (true);
create policy api_keys_door on identity.api_keys to ephor_door using (true) with check (true);
create policy api_key_usage_door on identity.api_key_usage to ephor_door using (true) with check (true);
grant select, insert, update on identity.organizations to ephor_door;
grant select, insert on identity.roles to ephor_door;
grant select, insert, update on identity.organization_members to ephor_door;
grant select, insert, delete on identity.member_joins to ephor_door;
grant select on identity.api_keys to ephor_door;
grant select, insert, update on identity.api_key_usage to ephor_door;
grant usage on schema identity to ephor_door;

-- A subsidiary's parent is a holding ----------------------------------------------------------------

create function identity.organization_parent_check() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if new.parent_id is not null and not exists (
        select 1 from identity.organizations parent
        where parent.id = new.parent_id and parent.kind = 'holding' and parent.is_active
    ) then
        raise exception 'the parent of a subsidiary must be an active holding'
            using errcode = 'check_violation', constraint = 'organizations_parent_check',
                  schema = 'identity', table = 'organizations';
    end if;
    if tg_op = 'UPDATE' and old.kind = 'holding' and new.kind <> 'holding' and exists (
        select 1 from identity.organizations child where child.parent_id = new.id
    ) then
        raise exception 'an organization with subsidiaries stays a holding'
            using errcode = 'check_violation', constraint = 'organizations_kind_check',
                  schema = 'identity', table = 'organizations';
    end if;
    return new;
end $$;
comment on function identity.organization_parent_check() is 'A subsidiary''s parent is an active holding, checked by rule because no foreign key joins tenants.';
alter function identity.organization_parent_check() owner to ephor_door;
revoke all on function identity.organization_parent_check() from public;
create trigger organizations_parent before insert or update of kind, parent_id on identity.organizations
    for each row execute function identity.organization_parent_check();

-- Membership changes make cached memberships stale, and leave an owner ---------------------------------

create function identity.membership_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- The row's lock also serialises two owners who demote each other at the same moment.
    insert into identity.membership_versions as v (organization_id)
    select distinct c.organization_id from changed c order by 1
    on conflict (organization_id) do update set value = v.value + 1;
    return null;
end $$;
comment on function identity.membership_changed() is 'Counts up the versions of the organizations whose members or roles changed.';
alter function identity.membership_changed() owner to ephor_door;
revoke all on function identity.membership_changed() from public;

create function identity.last_owner_check() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- Runs after membership_changed, whose lock it relies on (triggers fire in the order of their names).
    if exists (
        select 1 from changed c
        join identity.roles r on r.organization_id = c.organization_id and r.id = c.role_id
        where c.is_active and r.builtin_code = 'owner'
          and not exists (
            select 1 from identity.organization_members m
            join identity.roles o on o.organization_id = m.organization_id and o.id = m.role_id
            where m.organization_id = c.organization_id and m.is_active and o.builtin_code = 'owner')
    ) then
        raise exception 'the last owner of an organization cannot be demoted, deactivated or removed'
            using errcode = 'check_violation', constraint = 'organization_members_last_owner',
                  schema = 'identity', table = 'organization_members',
                  hint = 'make somebody else an owner first';
    end if;
    return null;
end $$;
comment on function identity.last_owner_check() is 'An organization that had an active owner still has one.';
alter function identity.last_owner_check() owner to ephor_door;
revoke all on function identity.last_owner_check() from public;

create trigger organization_members_a_insert after insert on identity.organization_members
    referencing new table as changed for each statement execute function identity.membership_changed();
create trigger organization_members_a_update after update on identity.organization_members
    referencing old table as changed for each statement execute function identity.membership_changed();
create trigger organization_members_a_delete after delete on identity.organization_members
    referencing old table as changed for each statement execute function identity.membership_changed();
create trigger organization_members_b_update after update on identity.organization_members
    referencing old table as changed for each statement execute function identity.last_owner_check();
create trigger organization_members_b_delete after delete on identity.organization_members
    referencing old table as changed for each statement execute function identity.last_owner_check();
create trigger roles_a_update after update on identity.roles
    referencing old table as changed for each statement execute function identity.membership_changed();
create trigger organizations_a_update after update on identity.organizations
    referencing old table as changed for each statement execute function identity.membership_changed();

-- Built-in roles stay; owners keep everything -----------------------------------------------------------

create function identity.role_builtin_check() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        if old.builtin_code is not null then
            raise exception 'a built-in role cannot be deleted'
                using errcode = 'check_violation', constraint = 'roles_builtin', schema = 'identity', table = 'roles';
        end if;
        return old;
    end if;
    if tg_op = 'UPDATE' and old.builtin_code is distinct from new.builtin_code then
        raise exception 'which built-in role this is cannot be changed'
            using errcode = 'check_violation', constraint = 'roles_builtin', schema = 'identity', table = 'roles';
    end if;
    if new.builtin_code = 'owner' and new.permissions <> '{*}' then
        raise exception 'an owner may do everything'
            using errcode = 'check_violation', constraint = 'roles_builtin', schema = 'identity', table = 'roles';
    end if;
    return new;
end $$;
comment on function identity.role_builtin_check() is 'Built-in roles are neither deleted nor exchanged, and an owner may do everything.';
revoke all on function identity.role_builtin_check() from public;
create trigger roles_builtin before insert or update or delete on identity.roles
    for each row execute function identity.role_builtin_check();
