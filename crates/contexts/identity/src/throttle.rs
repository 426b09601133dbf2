//! Limits on attempts, per account and per address. The database counts, so that all replicas
//! agree; each replica remembers who is blocked, so that hammering does not reach the database.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ephor_kernel::{Code, Problem, RequestContext, Scope, UserId};
use tokio::time::Instant;

use crate::{
    email::Email,
    identity::{Identity, database},
    secrets::sha256,
};

/// How many blocked subjects a replica remembers; at that number it asks the database again.
const BOUND: usize = 20_000;

/// User names that somebody may ask for within an hour: whether one is taken tells of somebody else.
pub(crate) const USER_NAMES_PER_HOUR: u32 = 10;

/// What is counted: `identity.log_in_attempts.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Attempt {
    Account,
    Address,
    SignUp,
    Join,
    Mail,
    MailAddress,
}

impl Attempt {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::SignUp => "sign_up",
            Self::Join => "join",
            Self::Mail => "mail",
            Self::MailAddress => "mail_address",
        }
    }
}

type Subject = (Attempt, [u8; 32]);

/// Who is blocked, and until when, as this replica knows.
#[derive(Default)]
pub(crate) struct Blocked(Mutex<HashMap<Subject, Instant>>);

impl Blocked {
    fn seconds_left(&self, subjects: &[(Subject, u32)], now: Instant) -> Option<u64> {
        let blocked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = subjects
            .iter()
            .filter_map(|(subject, _)| blocked.get(subject))
            .map(|until| until.saturating_duration_since(now))
            .max()
            .filter(|left| !left.is_zero())?;
        Some(left.as_secs().max(1))
    }

    fn block(&self, subject: Subject, until: Instant) {
        let mut blocked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if blocked.len() >= BOUND {
            blocked.clear();
        }
        blocked.insert(subject, until);
    }
}

/// What an account is counted by.
pub(crate) fn account_subject(email: &Email) -> [u8; 32] {
    sha256(email.as_str().as_bytes())
}

/// What an address is counted by: IPv6 by its network of 64 bits, which one caller has whole.
fn address_subject(ip: IpAddr) -> [u8; 32] {
    match ip.to_canonical() {
        IpAddr::V4(ip) => sha256(&ip.octets()),
        IpAddr::V6(ip) => sha256(&ip.octets()[..8]),
    }
}

impl Identity {
    /// Counts a log-in; refuses it when the account or the address had too many lately.
    pub(crate) async fn count_log_in(
        &self,
        request: &RequestContext,
        email: &Email,
    ) -> Result<(), Problem> {
        let config = self.config();
        let mut subjects =
            vec![((Attempt::Account, account_subject(email)), config.log_ins_per_account)];
        if let Some(ip) = request.ip {
            subjects.push(((Attempt::Address, address_subject(ip)), config.log_ins_per_address));
        }
        self.count(&subjects).await
    }

    /// Counts a mail that somebody asks for; refuses it when the recipient or the caller's address
    /// had too many lately. Whether the recipient has an account makes no difference.
    pub(crate) async fn count_mail(
        &self,
        request: &RequestContext,
        email: &Email,
    ) -> Result<(), Problem> {
        let config = self.config();
        let mut subjects =
            vec![((Attempt::Mail, account_subject(email)), config.mails_per_account)];
        if let Some(ip) = request.ip {
            subjects.push(((Attempt::MailAddress, address_subject(ip)), config.mails_per_address));
        }
        self.count(&subjects).await
    }

    /// Counts an attempt of a kind that is limited per address only.
    pub(crate) async fn count_from_address(
        &self,
        request: &RequestContext,
        kind: Attempt,
        most: u32,
    ) -> Result<(), Problem> {
        match request.ip {
            Some(ip) => self.count(&[((kind, address_subject(ip)), most)]).await,
            None => Ok(()),
        }
    }

    /// Counts a code of a second factor; refuses it when the person or the address had too many lately.
    pub(crate) async fn count_second_factor(
        &self,
        request: &RequestContext,
        user: UserId,
    ) -> Result<(), Problem> {
        let config = self.config();
        let subject = sha256(format!("second factor of {user}").as_bytes());
        let mut subjects = vec![((Attempt::Account, subject), config.log_ins_per_account)];
        if let Some(ip) = request.ip {
            subjects.push(((Attempt::Address, address_subject(ip)), config.log_ins_per_address));
        }
        self.count(&subjects).await
    }

    /// Counts a user name that somebody wants to have; refuses it when they asked for too many within
    /// the hour, whether they got them or not.
    pub(crate) async fn count_user_name(&self, scope: &Scope) -> Result<(), Problem> {
        let subject = sha256(format!("user name of {}", scope.principal().uuid()).as_bytes());
        self.count_within(&[((Attempt::Account, subject), USER_NAMES_PER_HOUR)], 3600.0).await
    }

    async fn count(&self, subjects: &[(Subject, u32)]) -> Result<(), Problem> {
        self.count_within(subjects, self.config().window_seconds()).await
    }

    async fn count_within(
        &self,
        subjects: &[(Subject, u32)],
        window_seconds: f64,
    ) -> Result<(), Problem> {
        let parts = self.parts();
        let now = Instant::now();
        if let Some(left) = parts.blocked.seconds_left(subjects, now) {
            return Err(too_many(left));
        }
        let kinds: Vec<String> =
            subjects.iter().map(|((kind, _), _)| kind.as_str().to_owned()).collect();
        let hashes: Vec<Vec<u8>> = subjects.iter().map(|((_, hash), _)| hash.to_vec()).collect();
        let limits: Vec<i32> =
            subjects.iter().map(|(_, most)| i32::try_from(*most).unwrap_or(i32::MAX)).collect();
        let mut door = parts.store.door().await?;
        let blocked = sqlx::query!(
            r#"select kind as "kind!", retry_after as "retry_after!"
               from door.attempt($1, $2, $3, make_interval(secs => $4))"#,
            &kinds,
            &hashes,
            &limits,
            window_seconds,
        )
        .fetch_all(door.conn())
        .await
        .map_err(database)?;
        let mut longest = None;
        for row in &blocked {
            let left = u64::try_from(row.retry_after).unwrap_or(1).max(1);
            longest = longest.max(Some(left));
            if let Some((subject, _)) =
                subjects.iter().find(|((kind, _), _)| kind.as_str() == row.kind)
            {
                parts.blocked.block(*subject, now + Duration::from_secs(left));
            }
        }
        longest.map_or(Ok(()), |left| Err(too_many(left)))
    }
}

fn too_many(seconds: u64) -> Problem {
    Problem::new(
        Code::RateLimited,
        format!("There were too many attempts; try again in {seconds} seconds"),
    )
    .retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_one_address() {
        let subject = |text: &str| text.parse().map(address_subject).ok();
        assert_eq!(subject("2001:db8::1"), subject("2001:db8::ffff:2"));
        assert_ne!(subject("2001:db8::1"), subject("2001:db8:0:1::1"));
        assert_eq!(subject("::ffff:192.0.2.1"), subject("192.0.2.1"));
        assert_ne!(subject("192.0.2.1"), subject("192.0.2.2"));
    }

    #[test]
    fn a_block_ends() {
        let (blocked, now) = (Blocked::default(), Instant::now());
        let subject = (Attempt::Account, [7; 32]);
        blocked.block(subject, now + Duration::from_secs(30));
        assert_eq!(blocked.seconds_left(&[(subject, 1)], now), Some(30));
        let later = now + Duration::from_secs(31);
        assert_eq!(blocked.seconds_left(&[(subject, 1)], later), None);
        assert_eq!(blocked.seconds_left(&[((Attempt::Join, [7; 32]), 1)], now), None);
    }
}
