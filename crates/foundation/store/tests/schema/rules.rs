//! The rules, each a query that returns what breaks it.

/// What all rules speak of.
pub const COMMON: &str = "
with ours as (
    select oid, nspname from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('information_schema', 'public', 'graphile_worker')),
runtime (role) as (
    values ('ephor_app'), ('ephor_reach'), ('ephor_system'), ('ephor_sealer'), ('ephor_door'), ('ephor_search'), ('ephor_backup')),
serving (role) as (values ('ephor_app'), ('ephor_reach'), ('ephor_system')),
tables as (
    select c.* from pg_class c join ours on ours.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition),
tenants as (
    select t.*, a.attnum as tenant, a.attnotnull as tenant_not_null, format_type(a.atttypid, null) as tenant_type
    from tables t join pg_attribute a on a.attrelid = t.oid and a.attname = 'organization_id' and not a.attisdropped),
functions as (
    select p.*, o.rolname as owner from pg_proc p join ours on ours.oid = p.pronamespace join pg_roles o on o.oid = p.proowner)
";

/// Name and query.
pub const RULES: &[(&str, &str)] = &[
    // Row-level security ----------------------------------------------------------------------
    (
        "row-level security is enabled and forced",
        "select oid::regclass::text from tables where not (relrowsecurity and relforcerowsecurity)",
    ),
    (
        "a table has a policy",
        "select oid::regclass::text from tables where not exists (select from pg_policy where polrelid = tables.oid)",
    ),
    (
        "a table without organization_id is one of the listed global ones",
        "select oid::regclass::text from tables where oid not in (select oid from tenants)",
    ),
    (
        // The planner folds exactly this equality into a one-time filter.
        "the app's and the system's policies are the one equality",
        "select p.polrelid::regclass || '.' || p.polname
         from pg_policy p join tenants t on t.oid = p.polrelid
         where p.polpermissive
           and exists (select from pg_roles r where r.oid = any (p.polroles) and r.rolname in ('ephor_app', 'ephor_system'))
           and (coalesce(pg_get_expr(p.polqual, p.polrelid), '(organization_id = (NULLIF(current_setting(''ephor.organization_id''::text, true), ''''::text))::uuid)')
                <> '(organization_id = (NULLIF(current_setting(''ephor.organization_id''::text, true), ''''::text))::uuid)'
             or coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid))
                <> '(organization_id = (NULLIF(current_setting(''ephor.organization_id''::text, true), ''''::text))::uuid)')",
    ),
    (
        "a reach policy is for reading, by the one array",
        "select p.polrelid::regclass || '.' || p.polname
         from pg_policy p
         where exists (select from pg_roles r where r.oid = any (p.polroles) and r.rolname = 'ephor_reach')
           and (p.polcmd <> 'r' or pg_get_expr(p.polqual, p.polrelid)
                <> '(organization_id = ANY ((NULLIF(current_setting(''ephor.readable''::text, true), ''''::text))::uuid[]))')",
    ),
    (
        "a policy of public or of nobody is none",
        "select polrelid::regclass || '.' || polname from pg_policy where 0 = any (polroles)
         and polrelid in (select oid from tables)",
    ),
    (
        // Citus refuses sub-selects in policies; a function per row costs seconds.
        "a policy holds no sub-select and no function of ours",
        "select polrelid::regclass || '.' || polname from pg_policy
         where polrelid in (select oid from tables)
           and coalesce(pg_get_expr(polqual, polrelid), '') || coalesce(pg_get_expr(polwithcheck, polrelid), '')
               ~* '(select|[a-z_]+\\.[a-z_]+\\()'",
    ),
    // The ways around ----------------------------------------------------------------------
    (
        "a partition is not granted",
        "select c.oid::regclass || ' to ' || role from pg_class c join ours on ours.oid = c.relnamespace, runtime
         where c.relispartition and c.relkind in ('r', 'p')
           and has_table_privilege(role, c.oid, 'select, insert, update, delete')
           and not (role = 'ephor_backup' and not has_table_privilege(role, c.oid, 'insert, update, delete'))",
    ),
    (
        "a partition has row-level security of its own",
        "select c.oid::regclass::text from pg_class c join ours on ours.oid = c.relnamespace
         where c.relispartition and c.relkind in ('r', 'p') and not c.relrowsecurity",
    ),
    (
        "a view is its invoker's",
        "select c.oid::regclass::text from pg_class c join ours on ours.oid = c.relnamespace
         where c.relkind = 'v' and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on'], false)",
    ),
    (
        "there is no materialised view and no foreign table",
        "select c.oid::regclass::text from pg_class c join ours on ours.oid = c.relnamespace where c.relkind in ('m', 'f')",
    ),
    (
        "a SECURITY DEFINER function has a fixed search_path",
        "select oid::regprocedure::text from functions where prosecdef
         and not exists (select from unnest(proconfig) as setting
                         where setting in ('search_path=pg_catalog, pg_temp', 'search_path=pg_catalog,pg_temp'))",
    ),
    (
        "a SECURITY DEFINER function is executable by named roles alone",
        "select oid::regprocedure::text from functions where prosecdef
         and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) as granted where granted.grantee = 0)",
    ),
    (
        // The owner sees every tenant: what runs as it and can be called is listed, with its reason.
        "a SECURITY DEFINER function of the owner is listed",
        "select distinct oid::regprocedure::text from functions, runtime
         where prosecdef and owner = 'ephor_owner' and prorettype <> 'trigger'::regtype and has_function_privilege(role, oid, 'execute')",
    ),
    (
        "a SECURITY DEFINER function of the door is in schema door",
        "select oid::regprocedure::text from functions
         where prosecdef and owner = 'ephor_door' and pronamespace <> 'door'::regnamespace and prorettype <> 'trigger'::regtype",
    ),
    ("no function of ours is LEAKPROOF", "select oid::regprocedure::text from functions where proleakproof"),
    (
        // A cached plan of one served another tenant's rows.
        "a function that reads a setting is not IMMUTABLE",
        "select oid::regprocedure::text from functions
         where provolatile = 'i' and coalesce(prosrc, '') || coalesce(pg_get_function_sqlbody(oid), '') ~* 'current_setting'",
    ),
    (
        "there is no sequence: ids do not tell how many others have",
        "select c.oid::regclass::text from pg_class c join ours on ours.oid = c.relnamespace where c.relkind = 'S'",
    ),
    (
        "no run-time role may truncate, refer to or put triggers on a table",
        "select t.oid::regclass || ' to ' || role from tables t, runtime
         where has_table_privilege(role, t.oid, 'truncate, references, trigger')",
    ),
    (
        "nothing is granted to public",
        "select c.oid::regclass::text from pg_class c join ours on ours.oid = c.relnamespace, aclexplode(c.relacl) as granted
         where granted.grantee = 0",
    ),
    (
        "a run-time role can neither bypass nor own nor become an owner",
        "select role from runtime join pg_roles on rolname = role
         where rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
            or exists (select from tables where relowner = pg_roles.oid)
            or pg_has_role(role, 'ephor_owner', 'member') or pg_has_role(role, 'ephor_migrator', 'member')",
    ),
    (
        // Policies of roles that are inherited are joined by OR.
        "a run-time role inherits from no other",
        "select m.member::regrole || ' from ' || m.roleid::regrole
         from pg_auth_members m join pg_roles r on r.oid = m.member
         where r.rolname in (select role from runtime) and r.rolinherit",
    ),
    (
        "set_config is nobody's who serves",
        "select role from serving where has_function_privilege(role, 'pg_catalog.set_config(text, text, boolean)', 'execute')",
    ),
    (
        "schema public is empty and closed",
        "select c.oid::regclass::text from pg_class c where c.relnamespace = 'public'::regnamespace
         union all
         select 'create by ' || role from runtime where has_schema_privilege(role, 'public', 'create')",
    ),
    (
        "the queue and the migrations are closed to who serves requests",
        "select 'schema graphile_worker to ' || role from (values ('ephor_app'), ('ephor_reach'), ('ephor_door')) as r (role)
         where to_regnamespace('graphile_worker') is null or has_schema_privilege(role, 'graphile_worker', 'usage')
         union all
         select c.oid::regclass || ' to ' || role from pg_class c, (values ('ephor_app'), ('ephor_reach'), ('ephor_door')) as r (role)
         where c.relnamespace = to_regnamespace('graphile_worker') and c.relkind in ('r', 'p')
           and has_table_privilege(role, c.oid, 'select, insert, update, delete')
         union all
         select 'kernel.migrations to ' || role from serving where has_table_privilege(role, 'kernel.migrations', 'insert, update, delete')",
    ),
    // Keys that include the tenant: no oracle, and room to grow ---------------------------------
    (
        "organization_id is a uuid and never null",
        "select oid::regclass::text from tenants where not tenant_not_null or tenant_type <> 'uuid'",
    ),
    (
        "a tenant's table has the primary key (organization_id, id[, created_at])",
        "select t.oid::regclass::text from tenants t
         where not exists (
             select from pg_constraint c
             where c.conrelid = t.oid and c.contype = 'p'
               and (select array_agg(a.attname::text order by k.n) from unnest(c.conkey) with ordinality as k (number, n)
                    join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number)
                   in ('{organization_id,id}', '{organization_id,id,created_at}'))",
    ),
    (
        "organization_id comes first in every index",
        // In an index of words it stands before each word.
        "select i.indexrelid::regclass::text from pg_index i join tenants t on t.oid = i.indrelid
         where (i.indkey::int2[])[0] <> t.tenant
           and pg_get_indexdef(i.indexrelid) not like '%USING gin (search.document(organization_id, %'",
    ),
    (
        "organization_id comes first in every foreign key between tenants' tables",
        "select f.conrelid::regclass || '.' || f.conname
         from pg_constraint f join tenants t on t.oid = f.conrelid join tenants t2 on t2.oid = f.confrelid
         where f.contype = 'f' and f.conparentid = 0 and not (f.conkey[1] = t.tenant and f.confkey[1] = t2.tenant)",
    ),
    (
        "no foreign key leads from a global table to a tenant's",
        "select f.conrelid::regclass || '.' || f.conname from pg_constraint f
         where f.contype = 'f' and f.conrelid in (select oid from tables) and f.conrelid not in (select oid from tenants)
           and f.confrelid in (select oid from tenants)",
    ),
    (
        "a foreign key has an index",
        "select f.conrelid::regclass || '.' || f.conname from pg_constraint f
         where f.contype = 'f' and f.conparentid = 0 and f.conrelid in (select oid from tables)
           and not exists (
               select from pg_index i
               where i.indrelid = f.conrelid
                 and (select array_agg(k order by k) from unnest((i.indkey::int2[])[0:cardinality(f.conkey) - 1]) as k)
                     = (select array_agg(k order by k) from unnest(f.conkey) as k))",
    ),
    (
        "the partition key is in the primary key",
        "select p.partrelid::regclass::text from pg_partitioned_table p join tables t on t.oid = p.partrelid
         where not exists (select from pg_constraint c where c.conrelid = p.partrelid and c.contype = 'p'
                           and c.conkey @> p.partattrs::int2[])",
    ),
    (
        "no foreign key leads to a partitioned table",
        "select f.conrelid::regclass || '.' || f.conname from pg_constraint f
         where f.contype = 'f' and f.confrelid in (select partrelid from pg_partitioned_table)",
    ),
    // Audit ---------------------------------------------------------------------------------------
    (
        "every change is audited",
        "select t.oid::regclass::text from tables t
         where (select count(*) from pg_trigger g where g.tgrelid = t.oid and not g.tgisinternal
                and g.tgname in ('audit_insert', 'audit_update', 'audit_delete', 'audit_truncate') and g.tgenabled <> 'D') <> 4",
    ),
    // Names and descriptions ------------------------------------------------------------------
    (
        "a table and a view have a comment",
        "select c.oid::regclass::text from pg_class c join ours on ours.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm') and obj_description(c.oid, 'pg_class') is null",
    ),
    (
        "a column has a comment",
        "select c.oid::regclass || '.' || a.attname from pg_class c join ours on ours.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relkind in ('r', 'p', 'v') and not c.relispartition and col_description(c.oid, a.attnum) is null",
    ),
    (
        "a constraint has a comment",
        "select c.conrelid::regclass || '.' || c.conname from pg_constraint c
         where c.conrelid in (select oid from tables) and c.contype in ('c', 'p', 'u', 'f', 'x')
           and obj_description(c.oid, 'pg_constraint') is null",
    ),
    (
        "a schema and a function have a comment",
        "select nspname::text from ours where obj_description(oid, 'pg_namespace') is null
         union all
         select oid::regprocedure::text from functions where obj_description(oid, 'pg_proc') is null",
    ),
    (
        "a constraint is named table_column_kind",
        "select c.conrelid::regclass || '.' || c.conname from pg_constraint c join tables t on t.oid = c.conrelid
         where c.contype in ('c', 'p', 'u', 'f', 'x')
           and (c.conname !~ ('^' || t.relname || '_')
             or c.conname !~ (case c.contype when 'p' then '_pkey$' when 'u' then '_key$' when 'f' then '_fkey$'
                              when 'x' then '_excl$' else '_check$' end)
             or c.conname ~ '_check[0-9]+$|_fkey[0-9]+$|_key[0-9]+$')",
    ),
    (
        "times know their zone",
        "select c.oid::regclass || '.' || a.attname from tables c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
         where a.atttypid in ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype, 'json'::regtype, 'money'::regtype)",
    ),
];
