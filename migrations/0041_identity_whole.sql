-- Identity made whole: log-in elsewhere, second factors, one-time tokens, teams and invitations; and
-- where the ids of imported systems went.
--
-- Global tables: user_identities, user_totp (a person sees their own), user_tokens (only the door).
-- Tenant tables: teams, team_members, team_invitations, ops.imported_ids.

-- What the required systems know of people, organizations and roles beside -------------------------

alter table identity.users
    add column stripe_customer_id text,
    add constraint users_stripe_customer_id_key unique (stripe_customer_id),
    add constraint users_stripe_customer_id_check check (length(stripe_customer_id) between 1 and 255);
comment on column identity.users.stripe_customer_id is 'The person as a customer at Stripe, where an imported system billed people instead of organizations.';
comment on constraint users_stripe_customer_id_key on identity.users is 'A customer at Stripe is one person.';
comment on constraint users_stripe_customer_id_check on identity.users is 'A Stripe id has 1 to 255 characters.';

alter table identity.organizations
    add column subscription_tier_id uuid,
    add column stripe_customer_id text,
    add constraint organizations_stripe_customer_id_check check (length(stripe_customer_id) between 1 and 255);
comment on column identity.organizations.subscription_tier_id is 'The tier whose features and limits apply to it; null for the free one.';
comment on column identity.organizations.stripe_customer_id is 'The organization as a customer at Stripe; null until it first pays.';
comment on constraint organizations_stripe_customer_id_check on identity.organizations is 'A Stripe id has 1 to 255 characters.';

-- Log-in elsewhere ---------------------------------------------------------------------------------

create table identity.user_identities (
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    provider text not null,
    subject text not null,
    email text,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint user_identities_pkey primary key (id),
    constraint user_identities_subject_key unique (provider, subject),
    constraint user_identities_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade,
    constraint user_identities_provider_check check (provider ~ '^[a-z][a-z0-9_-]{0,49}$'),
    constraint user_identities_subject_check check (length(subject) between 1 and 255),
    constraint user_identities_email_check check (length(email) <= 254)
);
comment on table identity.user_identities is 'A person as another service knows them, by which they log in. A person sees their own.';
comment on column identity.user_identities.id is 'The id of the link between person and service.';
comment on column identity.user_identities.user_id is 'The person.';
comment on column identity.user_identities.provider is 'The service that vouches for the person, such as keycloak, clerk, supabase, google, github or linkedin.';
comment on column identity.user_identities.subject is 'The person''s id at that service, which never changes there.';
comment on column identity.user_identities.email is 'The e-mail address that the service last reported.';
comment on column identity.user_identities.last_used_at is 'When the person last logged in this way.';
comment on column identity.user_identities.created_at is 'When it was made.';
comment on column identity.user_identities.updated_at is 'When it was last changed.';
comment on column identity.user_identities.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint user_identities_pkey on identity.user_identities is 'A link is found by its id.';
comment on constraint user_identities_subject_key on identity.user_identities is 'A person at a service is one account here.';
comment on constraint user_identities_user_id_fkey on identity.user_identities is 'The account that is logged in to.';
comment on constraint user_identities_provider_check on identity.user_identities is 'A service is a word of 1 to 50 lower-case letters, digits, hyphens and underscores.';
comment on constraint user_identities_subject_check on identity.user_identities is 'A subject has 1 to 255 characters.';
comment on constraint user_identities_email_check on identity.user_identities is 'An e-mail address has at most 254 characters.';

create index user_identities_user_idx on identity.user_identities (user_id);

alter table identity.user_identities enable row level security, force row level security;
create policy user_identities_migrator on identity.user_identities to ephor_owner, ephor_migrator using (true) with check (true);
create policy user_identities_backup on identity.user_identities for select to ephor_backup using (true);
create policy user_identities_door on identity.user_identities to ephor_door using (true) with check (true);
grant select, insert, update, delete on identity.user_identities to ephor_door, ephor_migrator;
grant select on identity.user_identities to ephor_backup;
create policy user_identities_app on identity.user_identities for select to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
grant select on identity.user_identities to ephor_app;
create trigger touch before update on identity.user_identities for each row execute function kernel.touch_version();
select audit.watch('identity.user_identities', global => true);

-- The second factor --------------------------------------------------------------------------------

create table identity.user_totp (
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    secret bytea not null,
    confirmed_at timestamptz,
    last_used_step bigint,
    recovery_code_hashes bytea[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint user_totp_pkey primary key (id),
    constraint user_totp_user_id_key unique (user_id),
    constraint user_totp_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade,
    constraint user_totp_secret_check check (octet_length(secret) between 16 and 200),
    constraint user_totp_last_used_step_check check (last_used_step >= 0),
    constraint user_totp_recovery_code_hashes_check check (array_position(recovery_code_hashes, null) is null and cardinality(recovery_code_hashes) <= 20)
);
comment on table identity.user_totp is 'A person''s second factor: codes from an authenticator, by time (RFC 6238).';
comment on column identity.user_totp.id is 'The id of the second factor.';
comment on column identity.user_totp.user_id is 'The person.';
comment on column identity.user_totp.secret is 'What the codes are computed from. No run-time role but the door reads it.';
comment on column identity.user_totp.confirmed_at is 'When the person first gave a right code; the factor is not asked for before.';
comment on column identity.user_totp.last_used_step is 'The 30-second step since 1970 of the last code that was accepted; that code and earlier ones are refused.';
comment on column identity.user_totp.recovery_code_hashes is 'SHA-256 hashes of the recovery codes that are left; a used one is taken out. No run-time role but the door reads them.';
comment on column identity.user_totp.created_at is 'When it was made.';
comment on column identity.user_totp.updated_at is 'When it was last changed.';
comment on column identity.user_totp.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint user_totp_pkey on identity.user_totp is 'A second factor is found by its id.';
comment on constraint user_totp_user_id_key on identity.user_totp is 'A person has one such factor.';
comment on constraint user_totp_user_id_fkey on identity.user_totp is 'The account that it protects.';
comment on constraint user_totp_secret_check on identity.user_totp is 'A secret has 16 to 200 bytes.';
comment on constraint user_totp_last_used_step_check on identity.user_totp is 'A step is not negative.';
comment on constraint user_totp_recovery_code_hashes_check on identity.user_totp is 'There are at most 20 recovery codes.';


alter table identity.user_totp enable row level security, force row level security;
create policy user_totp_migrator on identity.user_totp to ephor_owner, ephor_migrator using (true) with check (true);
create policy user_totp_backup on identity.user_totp for select to ephor_backup using (true);
create policy user_totp_door on identity.user_totp to ephor_door using (true) with check (true);
grant select, insert, update, delete on identity.user_totp to ephor_door, ephor_migrator;
grant select on identity.user_totp to ephor_backup;
create policy user_totp_app on identity.user_totp for select to ephor_app
    using (user_id = nullif(current_setting('ephor.actor_id', true), '')::uuid);
grant select (id, user_id, confirmed_at, created_at, updated_at, version) on identity.user_totp to ephor_app;

-- A code works once: the step never goes back, unless the secret is a new one.
create function identity.user_totp_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.secret = old.secret and old.last_used_step is not null
        and (new.last_used_step is null or new.last_used_step < old.last_used_step)
    then
        raise exception 'a code that was used is not accepted again'
            using errcode = 'check_violation', constraint = 'user_totp_last_used_step', schema = 'identity',
                  table = 'user_totp', column = 'last_used_step';
    end if;
    return new;
end $$;
comment on function identity.user_totp_step() is 'Refuses to go back in time, so that no code is accepted twice.';
revoke all on function identity.user_totp_step() from public;
create trigger step before update on identity.user_totp for each row execute function identity.user_totp_step();
create trigger touch before update on identity.user_totp for each row execute function kernel.touch_version();
select audit.watch('identity.user_totp', masked => '{secret,recovery_code_hashes}', global => true);

-- One-time tokens ----------------------------------------------------------------------------------

create table identity.user_tokens (
    id uuid not null default kernel.uuidv7(),
    user_id uuid not null,
    purpose text not null,
    email text not null,
    token_hash bytea not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null default now(),
    constraint user_tokens_pkey primary key (id),
    constraint user_tokens_token_hash_key unique (token_hash),
    constraint user_tokens_user_id_fkey foreign key (user_id) references identity.users (id) on delete cascade,
    constraint user_tokens_purpose_check check (purpose in ('verify_email', 'reset_password')),
    constraint user_tokens_email_check check (email = lower(email) and length(email) between 3 and 254),
    constraint user_tokens_token_hash_check check (octet_length(token_hash) = 32),
    constraint user_tokens_expires_at_check check (expires_at > created_at and expires_at <= created_at + interval '7 days'),
    constraint user_tokens_used_at_check check (used_at between created_at and expires_at)
);
comment on table identity.user_tokens is 'A one-time token that was sent to a person by e-mail, to prove an address or to set a new password. Only the door reads it.';
comment on column identity.user_tokens.id is 'The token''s id.';
comment on column identity.user_tokens.user_id is 'The person.';
comment on column identity.user_tokens.purpose is 'What it is good for: verify_email or reset_password.';
comment on column identity.user_tokens.email is 'The address that it was sent to, which its use proves.';
comment on column identity.user_tokens.token_hash is 'SHA-256 of the token.';
comment on column identity.user_tokens.expires_at is 'Until when it works.';
comment on column identity.user_tokens.used_at is 'When it was used; it works once.';
comment on column identity.user_tokens.created_at is 'When it was made.';
comment on constraint user_tokens_pkey on identity.user_tokens is 'A token is found by its id.';
comment on constraint user_tokens_token_hash_key on identity.user_tokens is 'A token is made once.';
comment on constraint user_tokens_user_id_fkey on identity.user_tokens is 'The account that it is for.';
comment on constraint user_tokens_purpose_check on identity.user_tokens is 'What a token may be good for.';
comment on constraint user_tokens_email_check on identity.user_tokens is 'An e-mail address has 3 to 254 characters, in lower case.';
comment on constraint user_tokens_token_hash_check on identity.user_tokens is 'A SHA-256 hash has 32 bytes.';
comment on constraint user_tokens_expires_at_check on identity.user_tokens is 'A token works for seven days at most.';
comment on constraint user_tokens_used_at_check on identity.user_tokens is 'A token is used before it expires.';

create index user_tokens_user_idx on identity.user_tokens (user_id, purpose);
create index user_tokens_expires_idx on identity.user_tokens (expires_at);

alter table identity.user_tokens enable row level security, force row level security;
create policy user_tokens_migrator on identity.user_tokens to ephor_owner, ephor_migrator using (true) with check (true);
create policy user_tokens_backup on identity.user_tokens for select to ephor_backup using (true);
create policy user_tokens_door on identity.user_tokens to ephor_door using (true) with check (true);
grant select, insert, update, delete on identity.user_tokens to ephor_door, ephor_migrator;
grant select on identity.user_tokens to ephor_backup;

create function identity.user_tokens_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.used_at is not null then
        raise exception 'this token was used already'
            using errcode = 'check_violation', constraint = 'user_tokens_used_at', schema = 'identity',
                  table = 'user_tokens', column = 'used_at';
    end if;
    return new;
end $$;
comment on function identity.user_tokens_step() is 'Refuses a second use of a token.';
revoke all on function identity.user_tokens_step() from public;
create trigger step before update on identity.user_tokens for each row execute function identity.user_tokens_step();
select audit.watch('identity.user_tokens', masked => '{token_hash}', global => true);

-- Teams --------------------------------------------------------------------------------------------

create table identity.teams (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    name text not null,
    description text not null default '',
    owner_id uuid not null default nullif(current_setting('ephor.actor_id', true), '')::uuid,
    deleted_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint teams_pkey primary key (organization_id, id),
    constraint teams_owner_id_fkey foreign key (organization_id, owner_id) references identity.organization_members (organization_id, user_id) on delete restrict,
    constraint teams_name_check check (name = btrim(name) and length(name) between 1 and 200),
    constraint teams_description_check check (length(description) <= 4000)
);
comment on table identity.teams is 'A group of members of an organization.';
comment on column identity.teams.organization_id is 'The organization.';
comment on column identity.teams.id is 'The team.';
comment on column identity.teams.name is 'Its name, once among the teams that are not deleted.';
comment on column identity.teams.description is 'What it is for.';
comment on column identity.teams.owner_id is 'The user who answers for the team.';
comment on column identity.teams.deleted_at is 'When it was dissolved; null while it exists.';
comment on column identity.teams.created_by is 'The user who made it.';
comment on column identity.teams.created_at is 'When it was made.';
comment on column identity.teams.updated_at is 'When it was last changed.';
comment on column identity.teams.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint teams_pkey on identity.teams is 'A team is known within its organization.';
comment on constraint teams_owner_id_fkey on identity.teams is 'The owner is a member of the organization; hand the team over before the membership ends.';
comment on constraint teams_name_check on identity.teams is 'A name has 1 to 200 characters and no blanks at its ends.';
comment on constraint teams_description_check on identity.teams is 'A description has at most 4000 characters.';

create index teams_created_at_idx on identity.teams (organization_id, created_at desc, id);
create index teams_owner_id_idx on identity.teams (organization_id, owner_id);
create unique index teams_name_idx on identity.teams (organization_id, name) where deleted_at is null;
select kernel.tenant_table('identity.teams');

-- New rows belong to whoever makes them unless they say otherwise.
create function identity.team_owner() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.owner_id := coalesce(new.owner_id, new.created_by);
    return new;
end $$;
comment on function identity.team_owner() is 'Whoever makes a team owns it, unless somebody else is named.';
revoke all on function identity.team_owner() from public;
create trigger owner before insert on identity.teams for each row execute function identity.team_owner();

create table identity.team_members (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    team_id uuid not null,
    member_id uuid not null,
    role text not null default 'member',
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint team_members_pkey primary key (organization_id, id),
    constraint team_members_member_id_key unique (organization_id, team_id, member_id),
    constraint team_members_team_id_fkey foreign key (organization_id, team_id) references identity.teams (organization_id, id) on delete cascade,
    constraint team_members_member_id_fkey foreign key (organization_id, member_id) references identity.organization_members (organization_id, id) on delete cascade,
    constraint team_members_role_check check (role in ('owner', 'admin', 'member', 'viewer'))
);
comment on table identity.team_members is 'A member of an organization in one of its teams.';
comment on column identity.team_members.organization_id is 'The organization.';
comment on column identity.team_members.id is 'The membership of the team.';
comment on column identity.team_members.team_id is 'The team.';
comment on column identity.team_members.member_id is 'The member of the organization.';
comment on column identity.team_members.role is 'What the member is in the team: owner, admin, member or viewer.';
comment on column identity.team_members.created_by is 'The user who made it.';
comment on column identity.team_members.created_at is 'When it was made.';
comment on column identity.team_members.updated_at is 'When it was last changed.';
comment on column identity.team_members.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint team_members_pkey on identity.team_members is 'A membership of a team is known within its organization.';
comment on constraint team_members_member_id_key on identity.team_members is 'A member is in a team once.';
comment on constraint team_members_team_id_fkey on identity.team_members is 'The team, whose end ends the membership.';
comment on constraint team_members_member_id_fkey on identity.team_members is 'The member, whose end ends the membership.';
comment on constraint team_members_role_check on identity.team_members is 'What a member may be in a team.';

create index team_members_created_at_idx on identity.team_members (organization_id, created_at desc, id);
create index team_members_member_id_idx on identity.team_members (organization_id, member_id);
select kernel.tenant_table('identity.team_members');

create table identity.team_invitations (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    team_id uuid,
    email text not null,
    role_id uuid,
    team_role text not null default 'member',
    token_hash bytea not null,
    status text not null default 'pending',
    expires_at timestamptz not null default now() + interval '7 days',
    accepted_at timestamptz,
    accepted_by uuid,
    revoked_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint team_invitations_pkey primary key (organization_id, id),
    constraint team_invitations_token_hash_key unique (organization_id, token_hash),
    constraint team_invitations_team_id_fkey foreign key (organization_id, team_id) references identity.teams (organization_id, id) on delete cascade,
    constraint team_invitations_role_id_fkey foreign key (organization_id, role_id) references identity.roles (organization_id, id) on delete restrict,
    constraint team_invitations_email_check check (email = lower(email) and length(email) <= 254 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    constraint team_invitations_team_role_check check (team_role in ('owner', 'admin', 'member', 'viewer')),
    constraint team_invitations_token_hash_check check (octet_length(token_hash) = 32),
    constraint team_invitations_status_check check (status in ('pending', 'accepted', 'revoked', 'expired')),
    constraint team_invitations_expires_at_check check (expires_at > created_at and expires_at <= created_at + interval '7 days'),
    constraint team_invitations_accepted_check check ((status = 'accepted') = (accepted_at is not null) and (accepted_at is null) = (accepted_by is null)),
    constraint team_invitations_revoked_check check ((status = 'revoked') = (revoked_at is not null))
);
comment on table identity.team_invitations is 'An invitation to an organization, and to one of its teams, which a person accepts with a token that works once.';
comment on column identity.team_invitations.organization_id is 'The organization.';
comment on column identity.team_invitations.id is 'The invitation.';
comment on column identity.team_invitations.team_id is 'The team that the person is to join; null for the organization alone.';
comment on column identity.team_invitations.email is 'The address that the invitation is for, in lower case.';
comment on column identity.team_invitations.role_id is 'The role that the person is to have in the organization; null for the built-in member role.';
comment on column identity.team_invitations.team_role is 'What the person is to be in the team: owner, admin, member or viewer.';
comment on column identity.team_invitations.token_hash is 'SHA-256 of the token. No run-time role but the door reads it.';
comment on column identity.team_invitations.status is 'pending, accepted, revoked or expired.';
comment on column identity.team_invitations.expires_at is 'Until when it may be accepted.';
comment on column identity.team_invitations.accepted_at is 'When it was accepted.';
comment on column identity.team_invitations.accepted_by is 'The user who accepted it.';
comment on column identity.team_invitations.revoked_at is 'When it was revoked.';
comment on column identity.team_invitations.created_by is 'The user who made it.';
comment on column identity.team_invitations.created_at is 'When it was made.';
comment on column identity.team_invitations.updated_at is 'When it was last changed.';
comment on column identity.team_invitations.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint team_invitations_pkey on identity.team_invitations is 'An invitation is known within its organization.';
comment on constraint team_invitations_token_hash_key on identity.team_invitations is 'A token is made once.';
comment on constraint team_invitations_team_id_fkey on identity.team_invitations is 'The team, whose end ends the invitation.';
comment on constraint team_invitations_role_id_fkey on identity.team_invitations is 'The role, of the same organization.';
comment on constraint team_invitations_email_check on identity.team_invitations is 'An e-mail address: lower case, one @, no blanks, at most 254 characters.';
comment on constraint team_invitations_team_role_check on identity.team_invitations is 'What a member may be in a team.';
comment on constraint team_invitations_token_hash_check on identity.team_invitations is 'A SHA-256 hash has 32 bytes.';
comment on constraint team_invitations_status_check on identity.team_invitations is 'The states of an invitation.';
comment on constraint team_invitations_expires_at_check on identity.team_invitations is 'An invitation is open for seven days at most.';
comment on constraint team_invitations_accepted_check on identity.team_invitations is 'What is accepted says when and by whom.';
comment on constraint team_invitations_revoked_check on identity.team_invitations is 'What is revoked says when.';

create index team_invitations_created_at_idx on identity.team_invitations (organization_id, created_at desc, id);
create index team_invitations_team_id_idx on identity.team_invitations (organization_id, team_id);
create index team_invitations_role_id_idx on identity.team_invitations (organization_id, role_id);
-- One open invitation at a time for an address and a team.
create unique index team_invitations_open_idx on identity.team_invitations (organization_id, email, team_id)
    nulls not distinct where status = 'pending';


-- pending -> accepted | revoked | expired; an end is an end.
create function identity.team_invitations_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('pending', 'accepted'), ('pending', 'revoked'), ('pending', 'expired'))
    then
        raise exception 'an invitation that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'team_invitations_status_step', schema = 'identity',
                  table = 'team_invitations', column = 'status';
    end if;
    if old.status = 'pending' and new.status = 'accepted' and old.expires_at <= now() then
        raise exception 'this invitation expired'
            using errcode = 'check_violation', constraint = 'team_invitations_expired', schema = 'identity',
                  table = 'team_invitations', column = 'status', hint = 'ask for a new invitation';
    end if;
    if old.status = 'pending' and new.status = 'expired' and old.expires_at > now() then
        raise exception 'this invitation is still open'
            using errcode = 'check_violation', constraint = 'team_invitations_open', schema = 'identity',
                  table = 'team_invitations', column = 'status', hint = 'revoke it instead';
    end if;
    if old.status = 'pending' and new.status = 'accepted' then
        new.accepted_at := coalesce(new.accepted_at, now());
    elsif old.status = 'pending' and new.status = 'revoked' then
        new.revoked_at := coalesce(new.revoked_at, now());
    end if;
    return new;
end $$;
comment on function identity.team_invitations_step() is 'Refuses steps that the state machine of invitations does not have, and stamps those that it has.';
revoke all on function identity.team_invitations_step() from public;
create trigger step before update of status on identity.team_invitations for each row execute function identity.team_invitations_step();

select kernel.tenant_table('identity.team_invitations', masked => '{token_hash}');
-- Members see all but the token's hash, and change the state alone: who accepts is written by the door.
revoke select, insert, update on identity.team_invitations from ephor_app;
revoke select on identity.team_invitations from ephor_reach, ephor_system;
grant select (organization_id, id, team_id, email, role_id, team_role, status, expires_at, accepted_at, accepted_by, revoked_at, created_by, created_at, updated_at, version)
    on identity.team_invitations to ephor_app, ephor_reach, ephor_system;
grant insert (organization_id, id, team_id, email, role_id, team_role, token_hash, created_by)
    on identity.team_invitations to ephor_app;
grant update (status) on identity.team_invitations to ephor_app;

-- What the door needs to accept an invitation.
create policy teams_door on identity.teams to ephor_door using (true) with check (true);
create policy team_members_door on identity.team_members to ephor_door using (true) with check (true);
create policy team_invitations_door on identity.team_invitations to ephor_door using (true) with check (true);
grant select on identity.teams to ephor_door;
grant select, insert on identity.team_members to ephor_door;
grant select, update on identity.team_invitations to ephor_door;

-- Where imported rows went ---------------------------------------------------------------------------

create table ops.imported_ids (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    system text not null,
    source_table text not null,
    source_id text not null,
    target uuid not null,
    created_at timestamptz not null default now(),
    constraint imported_ids_pkey primary key (organization_id, id),
    constraint imported_ids_source_id_key unique (organization_id, system, source_table, source_id),
    constraint imported_ids_system_check check (system in ('aiguards-gateway', 'biasguard-backend', 'auraai', 'fairmind', 'board-of-one', 'awgp')),
    constraint imported_ids_source_table_check check (length(source_table) between 1 and 63),
    constraint imported_ids_source_id_check check (length(source_id) between 1 and 255)
);
comment on table ops.imported_ids is 'The id that a row had in the system that it was imported from.';
comment on column ops.imported_ids.organization_id is 'The organization.';
comment on column ops.imported_ids.id is 'The record.';
comment on column ops.imported_ids.system is 'The system that the row came from.';
comment on column ops.imported_ids.source_table is 'The table that it was in there.';
comment on column ops.imported_ids.source_id is 'Its id there, as text.';
comment on column ops.imported_ids.target is 'Its id here.';
comment on column ops.imported_ids.created_at is 'When it was made.';
comment on constraint imported_ids_pkey on ops.imported_ids is 'A record is known within its organization.';
comment on constraint imported_ids_source_id_key on ops.imported_ids is 'A row is imported into an organization once.';
comment on constraint imported_ids_system_check on ops.imported_ids is 'The systems that can be imported from.';
comment on constraint imported_ids_source_table_check on ops.imported_ids is 'The name of a table has 1 to 63 characters.';
comment on constraint imported_ids_source_id_check on ops.imported_ids is 'An id has 1 to 255 characters.';

create index imported_ids_target_idx on ops.imported_ids (organization_id, target);
create index imported_ids_created_at_idx on ops.imported_ids (organization_id, created_at desc, id);
select kernel.tenant_table('ops.imported_ids', writable => false);
