-- Row feeds are stored on a schedule too, beside the count of their rows; what was stored very often of late is put off.

alter table assurance.row_feeds
    add column schedule text,
    add column next_flush_at timestamptz,
    add constraint row_feeds_schedule_check check (length(schedule) <= 100 and schedule ~ '^\S+( \S+){4}$');
comment on column assurance.row_feeds.schedule is 'When what waits is stored and analysed, as a cron expression of five fields in UTC; null to go by the count alone.';
comment on column assurance.row_feeds.next_flush_at is 'When what waits is stored next, by the schedule, or because it was stored so often that it was put off; null when neither says.';
comment on column assurance.row_feeds.analyse_after is 'After how many new rows they are stored as a data set and analysed; null to do so by the schedule or by hand, and when keep_rows are waiting.';
comment on constraint row_feeds_schedule_check on assurance.row_feeds is 'Five fields with one space between.';

create function assurance.row_feeds_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status <> 'active' and new.schedule is not null
        or tg_op = 'UPDATE' and new.schedule is distinct from old.schedule and new.next_flush_at is not distinct from old.next_flush_at
    then
        -- the scheduler works it out anew; without a schedule it says until when rows were put off, which stays
        new.next_flush_at := null;
    end if;
    return new;
end $$;
comment on function assurance.row_feeds_step() is 'A row feed that is paused, or has another schedule, has no next time until it is worked out.';
create trigger step before insert or update of status, schedule on assurance.row_feeds
    for each row execute function assurance.row_feeds_step();

drop trigger touch on assurance.row_feeds;
create trigger touch before update of name, description, status, model_id, analyse_after, schedule, keep_rows, parameters, columns, token_prefix on assurance.row_feeds
    for each row execute function kernel.touch_version();
grant select (schedule, next_flush_at) on assurance.row_feeds to ephor_app, ephor_reach, ephor_system;
grant insert (schedule) on assurance.row_feeds to ephor_app;
grant update (schedule, next_flush_at) on assurance.row_feeds to ephor_app;

create index row_feeds_due_idx on assurance.row_feeds (organization_id, next_flush_at) where status = 'active' and (schedule is not null or next_flush_at is not null);
comment on index assurance.row_feeds_due_idx is 'Serves the scheduler''s search for what is due, over all organizations: small, for few rows have a schedule or were put off.';

-- Ids alone: what a row feed holds is read within its organization.
create function ops.row_feeds_due(p_now timestamptz, p_limit integer) returns table (organization_id uuid, feed_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select f.organization_id, f.id
      from assurance.row_feeds as f
      join identity.organizations as o on o.id = f.organization_id and o.is_active
     where f.status = 'active' and (f.schedule is not null or f.next_flush_at is not null)
       and (f.next_flush_at is null or f.next_flush_at <= p_now)
     order by f.next_flush_at nulls first, f.organization_id, f.id
     limit greatest(least(p_limit, 1000), 0)
$$;
comment on function ops.row_feeds_due(timestamptz, integer) is 'The active row feeds that are to be stored, or whose next time is not yet worked out: organization and id, the longest due first.';
revoke execute on function ops.row_feeds_due(timestamptz, integer) from public;
grant execute on function ops.row_feeds_due(timestamptz, integer) to ephor_system;
