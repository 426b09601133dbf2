-- An explanation may be compared with rows of another data set than the one that it explains, such as the training data. Of a
-- model's file it is noted whether its trees say how their training rows went: what cannot be explained without is refused when it
-- is asked for.

alter table assurance.model_explanations
    add column background_dataset_id uuid,
    add constraint model_explanations_background_dataset_id_fkey foreign key (organization_id, background_dataset_id)
        references registry.datasets (organization_id, id) on delete restrict,
    add constraint model_explanations_background_check check (background_dataset_id is null or explanation_type <> 'permutation');
comment on column assurance.model_explanations.background_dataset_id is 'The data set whose rows are compared with, such as the training data; null when they are rows of the data set that is explained.';
comment on constraint model_explanations_background_dataset_id_fkey on assurance.model_explanations is 'The data set must be one of the organization; it cannot be deleted while an explanation that compares with it is kept.';
comment on constraint model_explanations_background_check on assurance.model_explanations is 'Permutation importance compares with no other rows.';
create index model_explanations_background_dataset_id_idx on assurance.model_explanations (organization_id, background_dataset_id);

alter table registry.model_artifacts add column has_covers boolean;
comment on column registry.model_artifacts.has_covers is 'Do its trees say how many training rows went which way, which pairs of features and path-dependent values need? False of a model that is none of trees; null of a file from before this was noted.';
