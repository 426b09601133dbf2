-- What becomes of policies.

comment on table guard.policies is 'A rule about what AI may do, on findings of guards, metrics of fairness, or the request. Kept with its history; nothing decides by it yet.';
comment on column guard.policies.is_active is 'Whether it is meant to be in force.';
