-- What people know and change of their own account beside its name; and second factors that were lost.

-- One's own account ---------------------------------------------------------------------------------------------------

comment on column identity.users.username is 'A short name of one''s own choice, or what an imported system had.';
comment on column identity.users.metadata is 'What the person keeps beside, or what an imported system knew: a JSON object.';
-- Of one's own row, as the policy has it.
grant select (stripe_customer_id) on identity.users to ephor_app;

create function door.account_details(p_username text, p_is_named boolean, p_metadata jsonb, out updated boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who constant uuid := nullif(current_setting('ephor.actor_id', true), '')::uuid;
begin
    -- What is not changed stays what it is now: somebody may change the other at the same moment.
    update identity.users u set username = case when p_is_named then p_username else u.username end,
        metadata = coalesce(p_metadata, u.metadata)
    where u.id = who and u.is_active and u.deleted_at is null;
    updated := found;
end $$;
comment on function door.account_details(text, boolean, jsonb) is 'Changes the actor''s own user name, where one is given (null takes it away), and metadata, where there are some; no organization shows them.';
alter function door.account_details(text, boolean, jsonb) owner to ephor_door;
revoke all on function door.account_details(text, boolean, jsonb) from public;
grant execute on function door.account_details(text, boolean, jsonb) to ephor_app;

-- A lost second factor ------------------------------------------------------------------------------------------------

create function ops.user_second_factor_remove(p_user uuid, p_reason text, out removed boolean, out ended bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    ended := 0;
    delete from identity.user_totp f where f.user_id = p_user;
    removed := found;
    if removed then
        -- Where an organization requires one, the person may do nothing from now on until they have set up another.
        update identity.membership_versions v set value = v.value + 1
        where v.organization_id in (select m.organization_id from identity.organization_members m where m.user_id = p_user);
        -- The device that is lost may be signed in.
        update identity.sessions s set is_active = false, ended_at = now() where s.user_id = p_user and s.is_active;
        get diagnostics ended = row_count;
        perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, 'user_second_factor_remove', 'identity.users', p_user,
            jsonb_build_object('ended', ended, 'reason', p_reason));
    end if;
end $$;
comment on function ops.user_second_factor_remove(uuid, text) is 'Takes away the second factor of a person who lost it, and ends their sessions: says whether there was one, and how many sessions ended.';
revoke all on function ops.user_second_factor_remove(uuid, text) from public;
grant execute on function ops.user_second_factor_remove(uuid, text) to ephor_system;
