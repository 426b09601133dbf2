-- The daily clean-up, for one organization after the other.

create function ops.cleanup_all(out organizations bigint, out deleted bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    organization uuid;
begin
    organizations := 0;
    deleted := 0;
    execute 'set local ephor.actor_type = ''system''';
    execute 'set local ephor.actor_id = ''00000000-0000-7000-8000-000000000001''';
    for organization in select o.id from identity.organizations as o order by o.id loop
        execute format('set local ephor.organization_id = %L', organization);
        deleted := deleted + (select coalesce(sum(c.deleted), 0) from ops.cleanup_expired() as c);
        organizations := organizations + 1;
    end loop;
    -- The context was this function's alone.
    execute 'set local ephor.organization_id = ''''';
    execute 'set local ephor.actor_type = ''''';
    execute 'set local ephor.actor_id = ''''';
end $$;
comment on function ops.cleanup_all() is 'Runs ops.cleanup_expired() for each organization; says for how many, and how many rows went.';
revoke execute on function ops.cleanup_all() from public;
grant execute on function ops.cleanup_all() to ephor_system;
