-- Months for every table of high rate, in the one way that the audit trail has had for itself.

-- The contexts that are to come.
do $$
declare
    context record;
begin
    for context in
        select * from (values
            ('risk', 'What can go wrong, how it is mitigated, and what already went wrong.'),
            ('compliance', 'Frameworks, controls, evidence, assessments and reports.'),
            ('guard', 'Policies, what they decided, and what the guards saw.'),
            ('gateway', 'Calls of models: credit, cost, conversations and what is doubtful in them.'),
            ('workforce', 'AI assistants, their work, and who approves of it.'),
            ('deliberation', 'The board of AI personas: questions, contributions, votes.'),
            ('discovery', 'AI that is found in repositories.'),
            ('billing', 'Tiers, subscriptions, invoices and usage.'),
            ('content', 'Posts of the organization''s trust centre.')) as listed (name, about)
    loop
        execute format('create schema %I', context.name);
        execute format('comment on schema %I is %L', context.name, context.about);
        execute format('grant usage on schema %I to ephor_app, ephor_reach, ephor_system, ephor_sealer, ephor_door,
            ephor_search, ephor_migrator, ephor_backup', context.name);
    end loop;
end $$;

-- A partition is nobody's but the owner's and the backup's (pg_dump reads partitions one by one):
-- whoever reads past the table reads past its policies.
create function kernel.shut_partition(part regclass, about text) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format('alter table %s enable row level security', part);
    execute format('create policy backup_read on %s for select to ephor_backup using (true)', part);
    execute format('grant select on %s to ephor_backup', part);
    execute format('comment on table %s is %L', part, about);
end $$;
comment on function kernel.shut_partition(regclass, text) is 'Closes a partition to all but its owner and the backup, and says what it is for.';
revoke execute on function kernel.shut_partition(regclass, text) from public;

-- An insert never fails for want of a month: the default partition takes it, and the month that is
-- made later takes the rows over, in the transaction that makes it.
create function kernel.months_ahead(tbl regclass, months integer) returns integer
    language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    home constant text := (select nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = tbl);
    name constant text := (select relname from pg_class where oid = tbl);
    spilt timestamptz[];
    month timestamptz;
    part text;
    made integer := 0;
begin
    if months not between 0 and 120 then
        raise exception 'kernel.months_ahead: % months; give 0 to 120', months using errcode = '22023';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('ephor months of ' || tbl, 0));
    execute format('select array_agg(distinct date_trunc(''month'', created_at)) from %I.%I', home, name || '_default') into spilt;
    for month in
        select m from generate_series(date_trunc('month', now()),
                                      date_trunc('month', now()) + make_interval(months => months),
                                      interval '1 month') as m
        union
        select unnest(spilt)
        order by 1
    loop
        part := name || to_char(month, '_YYYY_MM');
        continue when to_regclass(format('%I.%I', home, part)) is not null;
        -- Made beside its parent and then attached: that lock lets writers go on.
        execute format('create table %I.%I (like %s including all)', home, part, tbl);
        perform kernel.shut_partition(format('%I.%I', home, part)::regclass, 'Rows of ' || to_char(month, 'FMMonth YYYY') || '.');
        execute format(
            'with moved as (delete from %I.%I where created_at >= %L and created_at < %L returning *)
             insert into %I.%I select * from moved',
            home, name || '_default', month, month + interval '1 month', home, part);
        execute format(
            'alter table %s attach partition %I.%I for values from (%L) to (%L)',
            tbl, home, part, month, month + interval '1 month');
        made := made + 1;
    end loop;
    return made;
end $$;
comment on function kernel.months_ahead(regclass, integer) is
    'Makes the partitions of a table for this month, the given number of months after it, and any month of which its default partition holds rows; says how many it made.';
revoke execute on function kernel.months_ahead(regclass, integer) from public;

create function kernel.partition_by_month(tbl regclass) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    home constant text := (select nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = tbl);
    name constant text := (select relname from pg_class where oid = tbl);
begin
    execute format('create table %I.%I (like %s including all)', home, name || '_default', tbl);
    perform kernel.shut_partition(format('%I.%I', home, name || '_default')::regclass,
        'Takes rows of a month whose partition is missing; should be empty.');
    execute format('alter table %s attach partition %I.%I default', tbl, home, name || '_default');
    perform kernel.months_ahead(tbl, 3);
end $$;
comment on function kernel.partition_by_month(regclass) is
    'Gives a table that is partitioned by range of created_at its default partition and its first months; call it last, when indexes and triggers are made.';
revoke execute on function kernel.partition_by_month(regclass) from public;

create function ops.months_ahead(months integer default 3) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return (
        select coalesce(sum(kernel.months_ahead(p.partrelid, months)), 0)
          from (select p.partrelid
                  from pg_partitioned_table p
                  join pg_class c on c.oid = p.partrelid
                 where c.relowner = 'ephor_owner'::regrole
                 order by p.partrelid) as p);
end $$;
comment on function ops.months_ahead(integer) is 'Makes the months of all tables that are partitioned by month; says how many partitions it made.';
revoke execute on function ops.months_ahead(integer) from public;
grant execute on function ops.months_ahead(integer) to ephor_system, ephor_sealer;

drop function audit.months_ahead(integer);
drop function audit.shut_partition(regclass, text);
