-- What is offered beside a changed copy of built-in data is looked at, and accepted or declined.

alter table ops.builtin_copies
    add column declined_version integer,
    add column offer_status text generated always as (case
        when offered_version is null then null
        when offered_version = declined_version then 'declined'
        else 'open' end) stored,
    add constraint builtin_copies_declined_version_check check (declined_version >= 1),
    add constraint builtin_copies_offer_status_check check (offer_status in ('open', 'declined'));
comment on column ops.builtin_copies.declined_version is 'The newest offered version that was declined here; the one after it is offered again.';
comment on column ops.builtin_copies.offer_status is 'What became of the offered version: open, or declined; null when none is offered.';
comment on constraint builtin_copies_declined_version_check on ops.builtin_copies is 'Versions count from 1.';
comment on constraint builtin_copies_offer_status_check on ops.builtin_copies is 'What becomes of an offer.';
create index builtin_copies_row_idx on ops.builtin_copies (organization_id, entity, row_id);

create function ops.builtin_offer(
    p_entity text, p_row uuid,
    out held_version integer, out offered_version integer, out status text, out copied jsonb, out here jsonb, out offered jsonb)
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    -- Both are written by the table's own types, so that only what differs looks different.
    execute format($sql$
        select c.builtin_version, c.offered_version, c.offer_status, c.content,
               ops.json_part(to_jsonb(t), k.columns), ops.json_part(to_jsonb(jsonb_populate_record(null::%1$s, c.offered)), k.columns)
          from ops.builtin_copies as c
          join %1$s as t on t.organization_id = c.organization_id and t.id = c.row_id
          cross join lateral (select array_agg(named.key) as columns from jsonb_object_keys(c.offered) as named (key)) as k
         where c.organization_id = $1 and c.entity = $2 and c.row_id = $3 and c.offered is not null
        $sql$, p_entity::regclass)
        into held_version, offered_version, status, copied, here, offered
        using nullif(current_setting('ephor.organization_id', true), '')::uuid, p_entity, p_row;
end $$;
comment on function ops.builtin_offer(text, uuid) is 'The version that is offered beside a row of the transaction''s organization: its columns as they were copied, as they are here, and as they are offered. One row always; its columns are null when nothing is offered.';

create function ops.builtin_offer_accept(p_entity text, p_row uuid, p_version integer) returns boolean
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    organization constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    entity constant regclass := p_entity::regclass;
    note record;
    columns text[];
    list text;
    prefixed text;
    taken jsonb;
begin
    select c.id, c.offered, c.offered_version into note
      from ops.builtin_copies as c
     where c.organization_id = organization and c.entity = p_entity and c.row_id = p_row and c.offered_version = p_version
       for update;
    if not found then
        return false;
    end if;
    select array_agg(c), string_agg(quote_ident(c), ', ' order by c), string_agg('p.' || quote_ident(c), ', ' order by c)
      into columns, list, prefixed from jsonb_object_keys(note.offered) as named (c);
    execute format($sql$
        update %1$s as t set (builtin_version, %2$s) = (
            select $3, %3$s from jsonb_populate_record(null::%1$s, $4) as p)
         where t.organization_id = $1 and t.id = $2
        returning ops.json_part(to_jsonb(t), $5)
        $sql$, entity, list, prefixed)
        into taken using organization, p_row, note.offered_version, note.offered, columns;
    if taken is null then
        return false;
    end if;
    update ops.builtin_copies as c
       set builtin_version = note.offered_version, content = taken, offered = null, offered_version = null, declined_version = null
     where c.organization_id = organization and c.id = note.id;
    return true;
end $$;
comment on function ops.builtin_offer_accept(text, uuid, integer) is 'Gives a changed copy the columns of the version that is offered beside it, so that it follows the next ones again. False when that version is not offered.';

create function ops.builtin_offer_decline(p_entity text, p_row uuid, p_version integer) returns boolean
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update ops.builtin_copies as c set declined_version = c.offered_version
     where c.organization_id = nullif(current_setting('ephor.organization_id', true), '')::uuid
       and c.entity = p_entity and c.row_id = p_row and c.offered_version = p_version and c.offer_status = 'open';
    return found;
end $$;
comment on function ops.builtin_offer_decline(text, uuid, integer) is 'Silences the version that is offered beside a changed copy; the next one is offered again. False when that version is not offered, or was declined.';

revoke all on function ops.builtin_offer(text, uuid), ops.builtin_offer_accept(text, uuid, integer),
    ops.builtin_offer_decline(text, uuid, integer) from public;
grant execute on function ops.builtin_offer(text, uuid), ops.json_part(jsonb, text[]) to ephor_app, ephor_system;
grant execute on function ops.builtin_offer_accept(text, uuid, integer), ops.builtin_offer_decline(text, uuid, integer) to ephor_system;
