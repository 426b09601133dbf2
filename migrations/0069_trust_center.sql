-- The trust centre: what anybody may read of an organization's posts, and how often they are read.

-- How often a post was read. Apart from the posts because it counts without being a change of theirs, hence is not
-- audited and disturbs nobody who edits; added up in batches.
create table content.post_views (
    organization_id uuid not null,
    id uuid not null,
    view_count bigint not null,
    last_viewed_at timestamptz not null,
    constraint post_views_pkey primary key (organization_id, id),
    constraint post_views_post_fkey foreign key (organization_id, id) references content.posts (organization_id, id) on delete cascade,
    constraint post_views_view_count_check check (view_count >= 0)
);
comment on table content.post_views is 'How often a post was read in the trust centre. Apart from the posts because it counts without being a change of theirs, hence is not audited; added up in batches.';
comment on column content.post_views.organization_id is 'The organization.';
comment on column content.post_views.id is 'The post.';
comment on column content.post_views.view_count is 'How often it was read, with what the post had been read before it came here, to within seconds.';
comment on column content.post_views.last_viewed_at is 'When it was last read.';
comment on constraint post_views_pkey on content.post_views is 'A post has one count.';
comment on constraint post_views_post_fkey on content.post_views is 'The post, whose end ends the count.';
comment on constraint post_views_view_count_check on content.post_views is 'A count is not negative.';
comment on column content.posts.view_count is 'How often it had been read where it came from; what is read here is counted on from there in post_views.';
create index post_views_last_viewed_at_idx on content.post_views (organization_id, last_viewed_at desc, id);
select kernel.tenant_table('content.post_views', audited => false, writable => false);
revoke insert, update, delete on content.post_views from ephor_system;

-- An address made of a title: the letters of the Latin alphabet without their marks, digits, and hyphens.
create function content.slug_of(p_title text) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    -- In small letters last: whatever the database's locale, these are of the Latin alphabet then.
    select nullif(btrim(left(regexp_replace(
        lower(regexp_replace(
            normalize(replace(replace(replace(replace(replace(p_title, 'ß', 'ss'), 'æ', 'ae'), 'Æ', 'ae'), 'ø', 'o'), 'Ø', 'o'), nfkd),
            '[\u0300-\u036f]', '', 'g')),
        '[^a-z0-9]+', '-', 'g'), 200), '-'), '')
$$;
comment on function content.slug_of(text) is 'An address made of a title: small Latin letters, digits and hyphens; null when nothing is left of it.';
revoke all on function content.slug_of(text) from public;
grant execute on function content.slug_of(text) to ephor_app, ephor_system, ephor_door, ephor_migrator;

create or replace function content.posts_stamp() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    plain text;
begin
    if tg_op = 'INSERT' then
        new.author_id := coalesce(new.author_id, new.created_by);
    end if;
    if new.status = 'published' and new.published_at is null then
        new.published_at := now();
    end if;
    if new.status = 'archived' then
        new.archived_at := coalesce(new.archived_at, now());
    else
        new.archived_at := null;
    end if;
    if new.status = 'published' and new.slug is null then
        plain := content.slug_of(new.title);
        -- Two posts of one title published at the same moment see one another.
        perform pg_advisory_xact_lock(hashtextextended(new.organization_id || ' ' || coalesce(plain, ''), 0));
        if plain is null or exists (
            select from content.posts p where p.organization_id = new.organization_id and p.slug = plain and p.id <> new.id)
        then
            -- The end of the id keeps two posts of one title apart.
            plain := concat_ws('-', plain, right(new.id::text, 12));
        end if;
        new.slug := plain;
    end if;
    return new;
end $$;

-- What the door shows: of organizations that are there, whose tier has a trust centre, what is published and has an
-- address. Nothing else is told apart from what never was.
grant usage on schema content to ephor_door;
create policy posts_door on content.posts for select to ephor_door using (true);
create policy post_views_door on content.post_views to ephor_door using (true) with check (true);
grant select on content.posts to ephor_door;
grant select, insert, update on content.post_views to ephor_door;

create function door.trust_center_of(p_slug text) returns uuid
language sql stable as $$
    select o.id
    from identity.organizations o
    left join billing.subscription_tiers t on t.id = door.tier_in_force(o.id)
    where o.slug = p_slug and o.is_active and (t.id is null or t.features ?| array['trust_center', '*'])
$$;
comment on function door.trust_center_of(text) is 'The organization whose trust centre has this address, if it may have one.';

create function door.trust_center(p_organization text, p_tag text, p_limit integer,
    out organization_name text, out changed_at timestamptz, out posts jsonb)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    with place as (select door.trust_center_of(p_organization) as id),
    shown as (
        select p.id, p.title, p.slug, p.summary, left(p.content, 600) as opening, p.tags, p.is_featured, p.published_at, p.updated_at
        from content.posts p join place on p.organization_id = place.id
        where p.status = 'published' and p.slug is not null and p.published_at <= now() and (p_tag is null or p_tag = any (p.tags))
        order by p.is_featured desc, p.published_at desc, p.id limit p_limit),
    -- A post that is taken back changes the page too.
    newest as (
        select max(p.updated_at) as at from content.posts p join place on p.organization_id = place.id where p.published_at is not null)
    select case when listed.posts is not null then o.name end, case when listed.posts is not null then newest.at end, listed.posts
    from place
    left join identity.organizations o on o.id = place.id
    cross join newest
    cross join (select jsonb_agg(to_jsonb(s) order by s.is_featured desc, s.published_at desc, s.id) as posts from shown s) as listed
$$;
comment on function door.trust_center(text, text, integer) is 'What an organization has published: the featured first, then the newest. One row always; its columns are null for an organization that is not there, has no trust centre, or has published nothing.';

create function door.trust_center_post(p_organization text, p_slug text,
    out organization_id uuid, out organization_name text, out post_id uuid, out title text, out content text, out summary text,
    out tags text[], out published_at timestamptz, out updated_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select p.organization_id, case when p.id is not null then o.name end, p.id, p.title, p.content, p.summary, p.tags, p.published_at, p.updated_at
    from (select door.trust_center_of(p_organization) as id) as place
    left join identity.organizations o on o.id = place.id
    left join content.posts p
        on p.organization_id = place.id and p.slug = p_slug and p.status = 'published' and p.published_at <= now()
$$;
comment on function door.trust_center_post(text, text) is 'A published post, by its address. One row always; its columns are null for what is not there or not published.';

create function door.posts_viewed(p_organizations uuid[], p_posts uuid[], p_counts bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into content.post_views as total (organization_id, id, view_count, last_viewed_at)
    select p.organization_id, p.id, p.view_count + v.views, now()
    from unnest(p_organizations, p_posts, p_counts) as v(organization, post, views)
    join content.posts p on p.organization_id = v.organization and p.id = v.post
    where v.views > 0 order by 1, 2
    on conflict (organization_id, id) do update set
        view_count = total.view_count + excluded.view_count
            - (select p.view_count from content.posts p where p.organization_id = excluded.organization_id and p.id = excluded.id),
        last_viewed_at = greatest(total.last_viewed_at, excluded.last_viewed_at)
$$;
comment on function door.posts_viewed(uuid[], uuid[], bigint[]) is 'Adds up a batch of posts'' readings.';

do $$
declare
    f record;
begin
    for f in
        select p.oid::regprocedure as signature, p.prosecdef as called
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'door' and p.proname in ('trust_center_of', 'trust_center', 'trust_center_post', 'posts_viewed')
    loop
        execute format('alter function %s owner to ephor_door', f.signature);
        execute format('revoke all on function %s from public', f.signature);
        if f.called then
            execute format('grant execute on function %s to ephor_app', f.signature);
        end if;
    end loop;
end $$;
