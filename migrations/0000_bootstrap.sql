-- Run once by a superuser (or a role with CREATEROLE that may create schemas) before the first migration, and again
-- whenever Ephor says so: every statement can be repeated.
--
-- Roles without log-in that own and that act; whoever logs in is a member of the one that it acts as.
do $$
declare
    role text;
begin
    foreach role in array array[
        'ephor_owner', 'ephor_migrator', 'ephor_app', 'ephor_reach', 'ephor_system', 'ephor_sealer',
        'ephor_door', 'ephor_search', 'ephor_backup']
    loop
        if not exists (select from pg_roles where rolname = role) then
            execute format('create role %I nologin nobypassrls', role);
        end if;
    end loop;
end $$;
comment on role ephor_owner is 'Owns every object of Ephor; nobody logs in as it.';
comment on role ephor_migrator is 'Applies migrations, as a member of ephor_owner.';
comment on role ephor_app is 'Serves requests: one organization at a time.';
comment on role ephor_reach is 'Reads for a holding: its own organization and its subsidiaries.';
comment on role ephor_system is 'Works in the background: one organization at a time.';
comment on role ephor_sealer is 'Seals the audit trail.';
comment on role ephor_door is 'Owns the functions of schema door, which run before there is a scope.';
comment on role ephor_search is 'Owns the functions of schema search.';
comment on role ephor_backup is 'Reads everything, for backups.';
-- What a role may become, it becomes by SET ROLE only: an inherited role would bring its policies along, and those are
-- joined by OR. The migrator alone owns, in effect, what its group owns.
alter role ephor_app noinherit;
alter role ephor_system noinherit;
alter role ephor_migrator inherit;
grant ephor_reach to ephor_app;
grant ephor_owner to ephor_migrator;
grant ephor_door, ephor_search to ephor_owner;

-- Nothing may be made in the schema that every path ends in.
revoke create on schema public from public;
do $$
begin
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant create on database %I to ephor_owner', current_database());
end $$;

-- An injected expression could otherwise switch the tenant. SET LOCAL is a statement, not an expression.
do $$
begin
    execute 'revoke execute on function pg_catalog.set_config(text, text, boolean) from public';
    -- Both sides of a backup begin with it; neither serves requests.
    execute 'grant execute on function pg_catalog.set_config(text, text, boolean) to ephor_backup, ephor_migrator, ephor_owner';
exception when insufficient_privilege then
    raise notice 'set_config stays executable by public: only a superuser can revoke it; ephor doctor will say so';
end $$;
