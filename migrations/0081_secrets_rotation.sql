-- Rotation of the key with which the server encrypts what it must read back. Each encrypted value names its key: after
-- its form (one byte, 2) come the eight bytes of the key's id; values of form 1, from before, name none.
--
-- Where such values stand is listed here, and nowhere else: whoever adds a column of them adds it to both functions, with
-- the purpose that the server seals them for.
comment on column identity.user_totp.secret is 'What the codes are computed from, encrypted with a key that the database does not have, and whose id it names. No run-time role but the door reads it; a rotation of the key replaces it.';

-- The next values, by place and id, that another key encrypted than the one whose id is given; all for null.
create function ops.sealed_values(p_key bytea, p_place text, p_after uuid, p_limit integer)
    returns table (place text, id uuid, purpose text, sealed bytea)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select v.place, v.id, v.purpose, v.sealed
      from (select 'identity.user_totp' as place, t.id, 'totp ' || t.user_id as purpose, t.secret as sealed
              from identity.user_totp t) as v
     where (v.place, v.id) > (p_place, p_after)
       and (p_key is null or substr(v.sealed, 1, 9) <> '\x02'::bytea || p_key)
     order by v.place, v.id
     limit p_limit
$$;
comment on function ops.sealed_values(bytea, text, uuid, integer) is 'Encrypted values that another key than the given one encrypted, or all, after one of them: where, whose, for what purpose, and the bytes, which nobody opens without the key.';

create function ops.sealed_replace(p_place text, p_id uuid, p_old bytea, p_new bytea, out replaced boolean)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    case p_place
        when 'identity.user_totp' then
            update identity.user_totp t set secret = p_new where t.id = p_id and t.secret = p_old;
    end case;
    replaced := found;
end $$;
comment on function ops.sealed_replace(text, uuid, bytea, bytea) is 'Puts an encrypted value in the place of the one that it was made from; false if that has changed meanwhile.';

create function ops.sealed_counts() returns table (key bytea, number bigint)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select case when substr(v.sealed, 1, 1) = '\x02'::bytea then substr(v.sealed, 2, 8) end, count(*)
      from ops.sealed_values(null, '', '00000000-0000-0000-0000-000000000000', null) as v
     group by 1 order by 1
$$;
comment on function ops.sealed_counts() is 'How many values each key encrypted, by its id; null for those that name none.';

create function ops.secrets_record(p_action text, p_details jsonb) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_action not in ('secrets_key_prepare', 'secrets_key_make', 'secrets_key_rotate', 'secrets_key_forget') then
        raise exception 'ops.secrets_record: % is nothing that it records', p_action using errcode = '22023';
    end if;
    perform audit.record_for('00000000-0000-7000-8000-000000000000', null, null, p_action, 'ops.secrets_key', null, p_details);
end $$;
comment on function ops.secrets_record(text, jsonb) is 'Tells in the platform''s trail what became of the key that encrypts: by its id, never the key.';

revoke all on function ops.sealed_values(bytea, text, uuid, integer), ops.sealed_replace(text, uuid, bytea, bytea),
    ops.sealed_counts(), ops.secrets_record(text, jsonb) from public;
grant execute on function ops.sealed_values(bytea, text, uuid, integer), ops.sealed_replace(text, uuid, bytea, bytea),
    ops.sealed_counts(), ops.secrets_record(text, jsonb) to ephor_system;
