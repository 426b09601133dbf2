-- Passwords that came with their people from another system are hashed anew at the first log-in.

create function door.password_rehash(p_user uuid, p_old_hash text, p_new_hash text, p_request text, out state text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place uuid;
    before text[];
begin
    place := door.place_of(p_user);
    before := door.act('user', p_user, place, p_request);
    -- The password stays the same, so neither sessions nor the time of its last change are touched.
    update identity.users u set password_hash = p_new_hash
    where u.id = p_user and u.password_hash = p_old_hash and u.is_active and u.deleted_at is null;
    state := case when found then 'ok' else 'changed' end;
    if found then
        perform audit.record_for(place, 'user', p_user, 'password_rehash', 'identity.users', p_user, '{}');
    end if;
    perform door.context(before);
end $$;
comment on function door.password_rehash(uuid, text, text, text) is
    'Replaces the hash of a password that another system had made, once the password has been verified against it. state is ok, or changed if the hash is another by now.';

alter function door.password_rehash(uuid, text, text, text) owner to ephor_door;
revoke all on function door.password_rehash(uuid, text, text, text) from public;
grant execute on function door.password_rehash(uuid, text, text, text) to ephor_app;

comment on column identity.users.password_hash is
    'argon2id hash in PHC format, or what was imported: bcrypt ($2b$…) or scrypt in PHC format, until the next log-in; null while no password is set. No run-time role but the door reads it.';
