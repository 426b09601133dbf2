-- Built-in roles follow the binary, as long as nobody changed them.

alter table identity.roles add column builtin_permissions text[];
comment on column identity.roles.builtin_permissions is
    'What the built-in role could do in the version that it was copied from: while permissions are the same, the copy follows new versions.';

create function identity.roles_note_builtin() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.builtin_code is not null and new.builtin_permissions is null then
        new.builtin_permissions := new.permissions;
    end if;
    return new;
end $$;
comment on function identity.roles_note_builtin() is 'Notes what a built-in role could do when it was copied.';
create trigger roles_note_builtin before insert on identity.roles
    for each row execute function identity.roles_note_builtin();

-- A row that was never changed is as it was copied.
update identity.roles set builtin_permissions = permissions where builtin_code is not null and version = 1;

-- Called after the migrations, as the owner, with the roles that the binary holds.
create function identity.roles_upgrade(roles jsonb) returns bigint
    language sql set search_path = pg_catalog, pg_temp as $$
    with held as (
        select r.code, r.version, r.description, array(select jsonb_array_elements_text(r.permissions)) as permissions
          from jsonb_to_recordset(roles) as r (code text, version integer, description text, permissions jsonb)),
    followed as (
        update identity.roles as copy
           set permissions = held.permissions, description = held.description,
               builtin_permissions = held.permissions, builtin_version = held.version
          from held
         where copy.builtin_code = held.code and copy.builtin_version < held.version
           and copy.permissions = copy.builtin_permissions
        returning 1)
    select count(*) from followed
$$;
comment on function identity.roles_upgrade(jsonb) is
    'Brings the copies of built-in roles that nobody changed to the versions given; says how many it changed.';
revoke execute on function identity.roles_upgrade(jsonb) from public;
