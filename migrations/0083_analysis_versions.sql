-- Which version of a model an analysis measured: what a trend over versions is ordered by.

alter table assurance.bias_analyses
    add column model_version_id uuid,
    add constraint bias_analyses_model_version_id_fkey foreign key (organization_id, model_version_id)
        references registry.model_versions (organization_id, id) on delete restrict,
    add constraint bias_analyses_model_version_check check (model_version_id is null or model_id is not null);
comment on column assurance.bias_analyses.model_version_id is 'The model''s version that was in force when the analysis was asked for; null without a model, and for analyses from before versions were noted.';
comment on constraint bias_analyses_model_version_id_fkey on assurance.bias_analyses is 'The version must be one of the organization; it stays while an analysis of it is kept.';
comment on constraint bias_analyses_model_version_check on assurance.bias_analyses is 'A version is a version of a model.';
create index bias_analyses_model_version_id_idx on assurance.bias_analyses (organization_id, model_version_id);

-- By trigger, so that no way of asking for an analysis can forget it, or name a version of another model.
create function assurance.bias_analyses_model_version() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- What another system ran keeps what it said of versions, which is nothing.
    if new.origin <> 'imported' then
        new.model_version_id := (
            select v.id
              from registry.models m
              join registry.model_versions v
                on v.organization_id = m.organization_id and v.model_id = m.id
               and v.semantic_version = m.semantic_version
             where m.organization_id = new.organization_id and m.id = new.model_id);
    end if;
    return new;
end $$;
comment on function assurance.bias_analyses_model_version() is 'Notes which version of its model a new analysis measures.';
create trigger bias_analyses_model_version before insert on assurance.bias_analyses
    for each row execute function assurance.bias_analyses_model_version();
