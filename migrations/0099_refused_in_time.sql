-- Votes from a holding without the second factor that is required, and hashes of passwords that would open nothing.

-- 1. A subsidiary that requires a second factor gets it from whoever votes from the holding, too -----------------------

create function door.second_factor_missing(out missing boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select door.second_factor_due(
        nullif(current_setting('ephor.organization_id', true), '')::uuid,
        nullif(current_setting('ephor.actor_id', true), '')::uuid)
$$;
comment on function door.second_factor_missing() is 'Does the transaction''s organization require a second factor that its actor has not? Of whoever acts there without a membership, whose permissions would be empty.';
revoke all on function door.second_factor_missing() from public;
grant execute on function door.second_factor_missing() to ephor_app;
alter function door.second_factor_missing() owner to ephor_door;

-- As before, but for the right that comes from above: a member's own is kept from them by door.membership.
create or replace function door.approver_standing(p_user uuid,
    out is_approver boolean, out is_owner boolean, out has_holding boolean, out is_approver_above boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    with place as (
        select o.id, o.parent_id from identity.organizations o
        where o.id = nullif(current_setting('ephor.organization_id', true), '')::uuid),
    held as (
        select m.organization_id, r.builtin_code = 'owner' as owns,
               r.permissions && array['*', '*:*', '*:create', 'approval_votes:*', 'approval_votes:create'] as approves
        from identity.organization_members m
        join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id
        join identity.users u on u.id = m.user_id and u.is_active and u.deleted_at is null
        join identity.organizations o on o.id = m.organization_id and o.is_active
        where m.user_id = p_user and m.is_active
          and m.organization_id in (select p.id from place p union all select p.parent_id from place p))
    select exists (select from held h join place p on p.id = h.organization_id where h.approves),
           exists (select from held h join place p on p.id = h.organization_id where h.owns),
           exists (select from place p where p.parent_id is not null),
           exists (select from held h join place p on p.parent_id = h.organization_id
                   where h.approves and not door.second_factor_due(p.id, p_user))
$$;
comment on function door.approver_standing(uuid) is 'What somebody may decide in the transaction''s organization: as an active member whose role may vote on approvals, as an active owner, and as an active member of the holding above whose role there may, with a second factor if the organization requires one. One row always, false of whoever is not there.';

-- 2. Imported hashes ---------------------------------------------------------------------------------------------------

-- What is not computed opens no account, and at log-in its person hears of a wrong password only: it is said to who
-- imports it. The bounds are those of log-in; those of argon2 hang on the configuration, and are kept there alone.
create function identity.users_password_hash_check() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    cost constant integer := substring(new.password_hash from '^\$2[abxy]\$([0-9]{2})\$');
    asked constant numeric[] := regexp_match(new.password_hash, '^\$scrypt\$ln=([0-9]{1,9}),r=([0-9]{1,9}),p=([0-9]{1,9})\$');
    fault text;
begin
    if tg_op = 'UPDATE' and new.password_hash is not distinct from old.password_hash then
        return new; -- it was there before this was asked for
    end if;
    fault := case
        when cost > 14 then
            format('a bcrypt hash of cost %s is not computed at log-in: at most 14 is', cost)
        when 128 * power(2::numeric, least(asked[1], 64)) * asked[2] * greatest(asked[3], 1) > 134217728 then
            format('an scrypt hash of ln=%s, r=%s, p=%s is not computed at log-in: at most 128 MiB, gone through once, are',
                asked[1], asked[2], asked[3])
    end;
    if fault is not null then
        raise exception '%', fault
            using errcode = 'check_violation', constraint = 'users_password_hash_check', schema = 'identity', table = 'users',
                  column = 'password_hash',
                  hint = 'bring the person over with `!` in its place, which fits no password, and hand over a link for a new one: ephor admin password-link';
    end if;
    return new;
end $$;
comment on function identity.users_password_hash_check() is 'Refuses a hash of bcrypt or scrypt that asks for more than log-in computes: its account would have a password that never fits.';
revoke all on function identity.users_password_hash_check() from public;
create trigger users_password_hash before insert or update of password_hash on identity.users
    for each row execute function identity.users_password_hash_check();
