-- Content: the posts of an organization's trust centre.

create table content.posts (
    organization_id uuid not null,
    id uuid not null default kernel.uuidv7(),
    title text not null,
    content text not null,
    summary text,
    status text not null default 'draft',
    is_featured boolean not null default false,
    slug text,
    tags text[] not null default '{}',
    view_count bigint not null default 0,
    author_id uuid not null default nullif(current_setting('ephor.actor_id', true), '')::uuid,
    published_at timestamptz,
    archived_at timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version integer not null default 1,
    constraint posts_pkey primary key (organization_id, id),
    constraint posts_slug_key unique (organization_id, slug),
    constraint posts_title_check check (length(title) between 1 and 255),
    constraint posts_content_check check (length(content) <= 500000),
    constraint posts_summary_check check (length(summary) <= 500),
    constraint posts_status_check check (status in ('draft', 'published', 'archived')),
    constraint posts_slug_check check (slug ~ '^[A-Za-z0-9]([A-Za-z0-9_-]{0,253}[A-Za-z0-9])?$'),
    constraint posts_tags_check check (array_position(tags, null) is null and cardinality(tags) <= 100 and length(array_to_string(tags, ',')) <= 2000),
    constraint posts_view_count_check check (view_count >= 0),
    constraint posts_archived_at_check check ((status = 'archived') = (archived_at is not null))
);
comment on table content.posts is 'A post of the organization''s trust centre.';
comment on column content.posts.organization_id is 'The organization.';
comment on column content.posts.id is 'The post.';
comment on column content.posts.title is 'Its title.';
comment on column content.posts.content is 'What it says, in Markdown.';
comment on column content.posts.summary is 'What it says, in a sentence or two.';
comment on column content.posts.status is 'draft, published or archived; everybody may read what is published.';
comment on column content.posts.is_featured is 'Whether it is shown before the others.';
comment on column content.posts.slug is 'Its name in addresses, once in an organization; made from the title when it is published without one.';
comment on column content.posts.tags is 'The words that it is found under.';
comment on column content.posts.view_count is 'How often it was read; added up in batches.';
comment on column content.posts.author_id is 'The user who wrote it.';
comment on column content.posts.published_at is 'When it was first published.';
comment on column content.posts.archived_at is 'When it was archived; null while it is not.';
comment on column content.posts.created_by is 'The user who made it.';
comment on column content.posts.created_at is 'When it was made.';
comment on column content.posts.updated_at is 'When it was last changed.';
comment on column content.posts.version is 'Counts its changes; an update names the version that it changes.';
comment on constraint posts_pkey on content.posts is 'A post is known within its organization.';
comment on constraint posts_slug_key on content.posts is 'A slug names one post of an organization.';
comment on constraint posts_title_check on content.posts is 'A title has 1 to 255 characters.';
comment on constraint posts_content_check on content.posts is 'A post has at most 500000 characters.';
comment on constraint posts_summary_check on content.posts is 'A summary has at most 500 characters.';
comment on constraint posts_status_check on content.posts is 'The states of a post.';
comment on constraint posts_slug_check on content.posts is 'A slug has 1 to 255 letters, digits, hyphens and underscores, and begins and ends with a letter or digit.';
comment on constraint posts_tags_check on content.posts is 'There are at most 100 tags, of 2000 characters together.';
comment on constraint posts_view_count_check on content.posts is 'A count is not negative.';
comment on constraint posts_archived_at_check on content.posts is 'What is archived says when.';

create index posts_created_at_idx on content.posts (organization_id, created_at desc, id);
create index posts_published_idx on content.posts (organization_id, published_at desc, id) where status = 'published';
create index posts_author_id_idx on content.posts (organization_id, author_id);

-- Whoever makes a post is its author unless it says otherwise; what is published or archived says when.
create function content.posts_stamp() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
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
    -- The end of the id keeps two posts of one title apart.
    if tg_op = 'UPDATE' and new.status = 'published' and new.slug is null then
        new.slug := concat_ws('-',
            nullif(btrim(left(regexp_replace(lower(new.title), '[^a-z0-9]+', '-', 'g'), 200), '-'), ''),
            right(new.id::text, 8));
    end if;
    return new;
end $$;
comment on function content.posts_stamp() is 'Stamps a post with its author, its times and, when it is published, an address.';
revoke all on function content.posts_stamp() from public;


-- draft -> published -> archived; what is out may be taken back, and what is archived taken up again.
create function content.posts_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> new.status and (old.status, new.status) not in (
        ('draft', 'published'), ('draft', 'archived'), ('published', 'draft'), ('published', 'archived'), ('archived', 'draft'), ('archived', 'published'))
    then
        raise exception 'a post that is % cannot become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'posts_status_step', schema = 'content',
                  table = 'posts', column = 'status';
    end if;
    return new;
end $$;
comment on function content.posts_step() is 'Refuses steps that the state machine of posts does not have.';
revoke all on function content.posts_step() from public;
create trigger step before update of status on content.posts for each row execute function content.posts_step();

-- Fires after the step was allowed: triggers fire in the order of their names.
create trigger step_stamp before insert or update on content.posts for each row execute function content.posts_stamp();
select kernel.tenant_table('content.posts');
-- Views are counted by the system, not by whoever edits.
revoke insert, update on content.posts from ephor_app;
grant insert (organization_id, id, title, content, summary, status, is_featured, slug, tags, author_id, created_by)
    on content.posts to ephor_app;
grant update (title, content, summary, status, is_featured, slug, tags, author_id) on content.posts to ephor_app;
