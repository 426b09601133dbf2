-- Full-text search in large organizations. Under row-level security a filter by words never uses an index, for its
-- operator is not leakproof: each row of the organization is read. What may grow large has an index of its words beside
-- the organization's mark, and one function looks it up with a policy of its own. It answers ids alone, of the
-- organization that the transaction is in, and whoever asked reads those rows under row-level security again.

grant usage on schema kernel to ephor_search;

-- The organization's mark stands before each word, so that one look-up finds the organization's rows. Marks of two
-- organizations may be alike: the function compares the organization itself, too.
create function search.mark(p_organization uuid) returns text
    language sql immutable parallel safe as $$
    select pg_catalog.right(p_organization::text, 8) || ':'
$$;
comment on function search.mark(uuid) is 'What stands before each word of an organization''s rows in the indexes of words.';

create function search.document(p_organization uuid, p_text text) returns tsvector
    language sql immutable parallel safe as $$
    select pg_catalog.array_to_tsvector(array(
        select search.mark(p_organization) || pg_catalog.left(w.lexeme, 300)
        from pg_catalog.unnest(pg_catalog.to_tsvector('pg_catalog.simple'::pg_catalog.regconfig, p_text)) as w))
$$;
comment on function search.document(uuid, text) is 'The words of a text, each behind its organization''s mark.';

create index models_words_idx on registry.models
    using gin (search.document(organization_id, coalesce(name, '') || ' ' || coalesce(description, '')));
create index risk_items_words_idx on risk.risk_items
    using gin (search.document(organization_id, coalesce(title, '') || ' ' || coalesce(description, '') || ' ' || coalesce(system_details, '')));
create index work_items_words_idx on workforce.work_items
    using gin (search.document(organization_id, coalesce(title, '') || ' ' || coalesce(description, '')));
create index messages_words_idx on workforce.messages
    using gin (search.document(organization_id, coalesce(subject, '') || ' ' || coalesce(content, '')));
create index policy_violations_words_idx on guard.policy_violations
    using gin (search.document(organization_id, coalesce(violation_type, '') || ' ' || coalesce(description, '') || ' ' || coalesce(resolution_notes, '')));
create index github_scan_results_words_idx on discovery.github_scan_results
    using gin (search.document(organization_id, coalesce(repository_name, '') || ' ' || coalesce(repository_url, '')));

grant usage on schema registry, risk, workforce, guard, discovery to ephor_search;
create policy models_search on registry.models for select to ephor_search using (true);
create policy risk_items_search on risk.risk_items for select to ephor_search using (true);
create policy work_items_search on workforce.work_items for select to ephor_search using (true);
create policy messages_search on workforce.messages for select to ephor_search using (true);
create policy policy_violations_search on guard.policy_violations for select to ephor_search using (true);
create policy github_scan_results_search on discovery.github_scan_results for select to ephor_search using (true);
grant select (organization_id, id, name, description) on registry.models to ephor_search;
grant select (organization_id, id, title, description, system_details) on risk.risk_items to ephor_search;
grant select (organization_id, id, title, description) on workforce.work_items to ephor_search;
grant select (organization_id, id, subject, content) on workforce.messages to ephor_search;
grant select (organization_id, id, violation_type, description, resolution_notes) on guard.policy_violations to ephor_search;
grant select (organization_id, id, repository_name, repository_url) on discovery.github_scan_results to ephor_search;

-- Null says: look at the rows themselves. That is so for what has no index of words, for words that the index cannot
-- look up (only exclusions, exclusions of phrases), and when more rows match than were asked for, for then a page is full
-- after a few rows.
create function search.ids(p_kind text, p_query text, p_limit integer) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
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
            found := array(select t.id from registry.models as t where t.organization_id = here
                and search.document(t.organization_id, coalesce(t.name, '') || ' ' || coalesce(t.description, '')) @@ words limit p_limit + 1);
        when 'risk.risk_items' then
            found := array(select t.id from risk.risk_items as t where t.organization_id = here
                and search.document(t.organization_id, coalesce(t.title, '') || ' ' || coalesce(t.description, '') || ' ' || coalesce(t.system_details, '')) @@ words limit p_limit + 1);
        when 'workforce.work_items' then
            found := array(select t.id from workforce.work_items as t where t.organization_id = here
                and search.document(t.organization_id, coalesce(t.title, '') || ' ' || coalesce(t.description, '')) @@ words limit p_limit + 1);
        when 'workforce.messages' then
            found := array(select t.id from workforce.messages as t where t.organization_id = here
                and search.document(t.organization_id, coalesce(t.subject, '') || ' ' || coalesce(t.content, '')) @@ words limit p_limit + 1);
        when 'guard.policy_violations' then
            found := array(select t.id from guard.policy_violations as t where t.organization_id = here
                and search.document(t.organization_id, coalesce(t.violation_type, '') || ' ' || coalesce(t.description, '') || ' ' || coalesce(t.resolution_notes, '')) @@ words limit p_limit + 1);
        when 'discovery.github_scan_results' then
            found := array(select t.id from discovery.github_scan_results as t where t.organization_id = here
                and search.document(t.organization_id, coalesce(t.repository_name, '') || ' ' || coalesce(t.repository_url, '')) @@ words limit p_limit + 1);
        else
            return null;
    end case;
    return case when cardinality(found) <= p_limit then found end;
end $$;
comment on function search.ids(text, text, integer) is
    'The ids of the organization''s rows that may hold the words of a full-text query, at most so many; null when the rows themselves are to be looked at. The kind is the table''s name.';

do $$
declare
    f record;
begin
    for f in select p.oid::regprocedure as signature from pg_proc p where p.pronamespace = 'search'::regnamespace loop
        execute format('revoke all on function %s from public', f.signature);
        execute format('alter function %s owner to ephor_search', f.signature);
    end loop;
end $$;
-- Who writes rows computes their words.
grant execute on function search.mark(uuid), search.document(uuid, text) to ephor_app, ephor_system, ephor_owner, ephor_migrator, ephor_backup, ephor_reach;
grant execute on function search.ids(text, text, integer) to ephor_app, ephor_system;
