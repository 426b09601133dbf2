-- A look-up of words keeps one plan that suits every organization. After five look-ups in a connection PostgreSQL planned for
-- an organization of average size: it found the organization's rows by an index of their own, too, and joined both. Of a
-- large organization that read 200 000 entries of an index, 10 ms where 0.3 ms do. The index of words holds the
-- organization's mark, so that it alone is to be asked: `is not distinct from` is no condition that another index serves.

-- Null says: look at the rows themselves. That is so for what has no index of words, for words that the index cannot
-- look up (only exclusions, exclusions of phrases), and when more rows match than were asked for, for then a page is full
-- after a few rows.
create or replace function search.ids(p_kind text, p_query text, p_limit integer) returns uuid[]
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    here constant uuid := nullif(current_setting('ephor.organization_id', true), '')::uuid;
    asked constant text := to_tsquery('simple', p_query)::text;
    words tsquery;
    found uuid[];
begin
    if here is null or asked = '' or (asked like '%!%' and asked like '%<%') or length(asked) > 1000 then
        return null;
    end if;
    -- Each word gets the mark. Words of a phrase only have to be there: the rows themselves tell the rest.
    words := regexp_replace(
        regexp_replace(asked, '<(-|\d+)>', '&', 'g'),
        '''((?:[^'']|'''')*)''', '''' || search.mark(here) || '\1''', 'g')::tsquery;
    if querytree(words) in ('', 'T') then
        return null;
    end if;
    case p_kind
        when 'registry.models' then
            found := array(select t.id from registry.models as t where t.organization_id is not distinct from here
                and search.document(t.organization_id, coalesce(t.name, '') || ' ' || coalesce(t.description, '')) @@ words limit p_limit + 1);
        when 'risk.risk_items' then
            found := array(select t.id from risk.risk_items as t where t.organization_id is not distinct from here
                and search.document(t.organization_id, coalesce(t.title, '') || ' ' || coalesce(t.description, '') || ' ' || coalesce(t.system_details, '')) @@ words limit p_limit + 1);
        when 'workforce.work_items' then
            found := array(select t.id from workforce.work_items as t where t.organization_id is not distinct from here
                and search.document(t.organization_id, coalesce(t.title, '') || ' ' || coalesce(t.description, '')) @@ words limit p_limit + 1);
        when 'workforce.messages' then
            found := array(select t.id from workforce.messages as t where t.organization_id is not distinct from here
                and search.document(t.organization_id, coalesce(t.subject, '') || ' ' || coalesce(t.content, '')) @@ words limit p_limit + 1);
        when 'guard.policy_violations' then
            found := array(select t.id from guard.policy_violations as t where t.organization_id is not distinct from here
                and search.document(t.organization_id, coalesce(t.violation_type, '') || ' ' || coalesce(t.description, '') || ' ' || coalesce(t.resolution_notes, '')) @@ words limit p_limit + 1);
        when 'discovery.github_scan_results' then
            found := array(select t.id from discovery.github_scan_results as t where t.organization_id is not distinct from here
                and search.document(t.organization_id, coalesce(t.repository_name, '') || ' ' || coalesce(t.repository_url, '')) @@ words limit p_limit + 1);
        else
            return null;
    end case;
    return case when cardinality(found) <= p_limit then found end;
end $$;
comment on function search.ids(text, text, integer) is
    'The ids of the organization''s rows that may hold the words of a full-text query, at most so many; null when the rows themselves are to be looked at. The kind is the table''s name.';
