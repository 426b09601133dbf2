-- Mail: what an invitation knows of its link, and what is counted so that nobody is flooded with mail.

alter table identity.team_invitations
    add column link_made_at timestamptz,
    add column by_mail boolean not null default false,
    add column mailed_at timestamptz,
    drop constraint team_invitations_expires_at_check,
    add constraint team_invitations_expires_at_check
        check (expires_at > created_at and expires_at <= greatest(link_made_at, created_at) + interval '7 days'),
    add constraint team_invitations_mailed_at_check check (mailed_at is null or by_mail);
comment on column identity.team_invitations.link_made_at is 'When the link that works now was made, if it is not the first; it works for seven days from then.';
comment on column identity.team_invitations.by_mail is 'Whether the link goes by e-mail alone, so that whoever uses it proves the address; else an administrator hands it over.';
comment on column identity.team_invitations.mailed_at is 'When the mail server took the mail with the link; null while it did not.';
comment on constraint team_invitations_expires_at_check on identity.team_invitations is 'A link works for seven days at most.';
comment on constraint team_invitations_mailed_at_check on identity.team_invitations is 'Only what goes by e-mail is mailed.';
grant select (link_made_at, by_mail, mailed_at) on identity.team_invitations to ephor_app, ephor_reach, ephor_system;

alter table identity.log_in_attempts
    drop constraint log_in_attempts_kind_check,
    add constraint log_in_attempts_kind_check
        check (kind in ('account', 'address', 'sign_up', 'join', 'mail', 'mail_address'));
comment on column identity.log_in_attempts.kind is 'What is counted: log-ins to an account, log-ins from an address, sign-ups from an address, uses of links from an address, mails to an e-mail address, or mails that an address asked for.';
comment on constraint log_in_attempts_kind_check on identity.log_in_attempts is 'What is counted.';
