-- Bias analyses of whatever a model predicts: yes or no, numbers, one class of several, the order of lists.

alter table assurance.bias_analyses
    add column task text not null default 'binary',
    add constraint bias_analyses_task_check check (task in ('binary', 'regression', 'multiclass', 'ranking')),
    add constraint bias_analyses_task_type_check check (task = 'binary' or analysis_type = 'comprehensive');
comment on column assurance.bias_analyses.task is 'What the model predicts: binary (yes or no), regression (numbers), multiclass (one class of several) or ranking (the order of lists). Parameters and result are of its shape.';
comment on constraint bias_analyses_task_check on assurance.bias_analyses is 'The tasks that are analysed.';
comment on constraint bias_analyses_task_type_check on assurance.bias_analyses is 'Types tell apart what is looked for in yes or no; analyses of other tasks look for all that there is.';
comment on column assurance.bias_analyses.compliance_score is '0 to 100: 100 minus what the scored disparities exceed their thresholds by. Null when none is defined, and for other tasks than binary.';

create index bias_analyses_task_idx on assurance.bias_analyses (organization_id, task);
