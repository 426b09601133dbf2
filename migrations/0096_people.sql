-- Whom rows may name: people who act here now.

-- A member of the organization does not see the holding's members: the door does, of the transaction's own organization
-- and the holding above it, and answers with nothing but which of the given people act in them.
create function door.people_known(p_people uuid[]) returns table (user_id uuid, is_member boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select m.user_id, bool_or(m.organization_id = place.id)
    from identity.organizations place
    join identity.organizations o on o.id in (place.id, place.parent_id) and o.is_active
    join identity.organization_members m on m.organization_id = o.id and m.is_active and m.user_id = any (p_people)
    join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
    where place.id = nullif(current_setting('ephor.organization_id', true), '')::uuid
    group by m.user_id
$$;
comment on function door.people_known(uuid[]) is 'Who of the given people may be named in the transaction''s organization: its active members, and those of the holding above (is_member false). Nothing of anybody else.';
revoke all on function door.people_known(uuid[]) from public;
grant execute on function door.people_known(uuid[]) to ephor_app, ephor_system;
alter function door.people_known(uuid[]) owner to ephor_door;
