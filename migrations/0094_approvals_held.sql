-- What an approval stands on, held: whose delegation it is, who lowers a risk, what was looked at, and who above may vote.

-- 1. Delegations -----------------------------------------------------------------------------------------------------

-- A delegation lends a right, so only whose right it is makes it larger. Whoever else may change delegations, an owner too,
-- only makes one smaller: in a subsidiary it may be the holding's right that is lent.
create or replace function workforce.approval_delegations_check() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    larger text;
begin
    if (new.delegator_id, new.delegate_id) is distinct from (old.delegator_id, old.delegate_id) then
        raise exception 'who delegates to whom cannot be changed'
            using errcode = 'check_violation', constraint = 'approval_delegations_parties_check', schema = 'workforce',
                  table = 'approval_delegations', column = 'delegate_id', hint = 'end this delegation and make another';
    end if;
    if current_user in ('ephor_app', 'ephor_system')
        and nullif(current_setting('ephor.actor_id', true), '')::uuid is distinct from old.delegator_id
    then
        larger := case
            when new.ends_at > old.ends_at then 'ends_at'
            when new.starts_at < old.starts_at then 'starts_at'
            when new.is_active and not old.is_active then 'is_active'
            when not coalesce(new.risk_levels, '{0,1,2,3,4,5}') <@ coalesce(old.risk_levels, '{0,1,2,3,4,5}') then 'risk_levels'
        end;
        if larger is not null then
            raise exception 'only whose right it is may make a delegation longer or wider, or revive it'
                using errcode = 'check_violation', constraint = 'approval_delegations_larger_check', schema = 'workforce',
                      table = 'approval_delegations', column = larger, hint = 'whose right it is can delegate it anew';
        end if;
    end if;
    return new;
end $$;
comment on function workforce.approval_delegations_check() is 'Keeps who delegates to whom, and lets nobody but who delegates make a delegation longer or wider, or revive it.';
