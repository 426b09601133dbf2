//! Signs of life of this process' parts. They are noted in memory as the parts work, and written once a
//! minute, all in one statement: a part may tell as often as it likes. What could not be written is kept
//! until it can be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Background, Store, StoreError};

/// How often signs of life are written.
const EVERY: Duration = Duration::from_mins(1);
/// For how long nothing may go wrong until a part is well again. Longer than [`EVERY`], so that of two
/// processes the one that fails is not talked over by the one that works, minute by minute. Of a part that
/// works rarely the last word counts: its next one may be a day away.
const RECOVERY: Duration = Duration::from_mins(5);
/// How much of what went wrong is kept.
const FAULT_CHARACTERS: usize = 500;

/// What this process' parts told since it was written last. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// By part, what it told.
    signs: BTreeMap<&'static str, Sign>,
    /// Every part that told anything since the start.
    parts: BTreeSet<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sign {
    /// After how long without another it is silent; none if it may be for ever.
    silence: Option<Duration>,
    told: Told,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// It is there; how it is, it records by itself.
    Alive,
    /// It did what it is for.
    Fine,
    /// What went wrong.
    Fault(String),
}

impl Sign {
    /// Does the part work so rarely that its last word counts at once?
    fn is_rare(&self) -> bool {
        self.silence.is_some_and(|silence| silence > RECOVERY)
    }

    /// For how long nothing may go wrong until the part is well again.
    fn recovery(&self) -> Duration {
        if self.is_rare() { Duration::ZERO } else { RECOVERY }
    }

    /// What the part told before anything was written, and then this. A fault is not forgotten for what
    /// went well after it, unless the part works rarely.
    fn then(&mut self, later: Self) {
        let is_last_word = later.is_rare() && later.told != Told::Alive;
        self.silence = later.silence;
        if is_last_word || later.told > self.told {
            self.told = later.told;
        }
    }
}

impl Pulse {
    /// After how long a part is silent that works all the time: some minutes are missed by then.
    pub const SILENCE: Option<Duration> = Some(Duration::from_mins(5));
    /// The same of one that works once a day.
    pub const DAILY_SILENCE: Option<Duration> = Some(Duration::from_hours(26));

    /// The part is there. Expects the next sign within `silence`.
    pub fn alive(&self, part: &'static str, silence: Option<Duration>) {
        self.note(part, silence, Told::Alive);
    }

    /// The part did what it is for.
    pub fn fine(&self, part: &'static str, silence: Option<Duration>) {
        self.note(part, silence, Told::Fine);
    }

    /// Something went wrong; the part lives and goes on.
    pub fn fault(&self, part: &'static str, silence: Option<Duration>, why: &impl Display) {
        let why = why.to_string();
        // A text of PostgreSQL's holds no U+0000.
        let why = why.chars().filter(|letter| *letter != '\0').take(FAULT_CHARACTERS).collect();
        self.note(part, silence, Told::Fault(why));
    }

    /// One or the other.
    pub fn told<T, E: Display>(
        &self,
        part: &'static str,
        silence: Option<Duration>,
        outcome: &Result<T, E>,
    ) {
        match outcome {
            Ok(_) => self.fine(part, silence),
            Err(error) => self.fault(part, silence, error),
        }
    }

    fn note(&self, part: &'static str, silence: Option<Duration>, told: Told) {
        let mut noted = self.noted();
        noted.parts.insert(part);
        let sign = Sign { silence, told };
        match noted.signs.get_mut(part) {
            Some(earlier) => earlier.then(sign),
            None => {
                noted.signs.insert(part, sign);
            }
        }
    }

    /// Everything told since the last time.
    fn take(&self) -> BTreeMap<&'static str, Sign> {
        std::mem::take(&mut self.noted().signs)
    }

    /// Takes back what could not be written. Parts may have told more meanwhile.
    fn give_back(&self, signs: BTreeMap<&'static str, Sign>) {
        let mut noted = self.noted();
        for (part, mut sign) in signs {
            if let Some(later) = noted.signs.remove(part) {
                sign.then(later);
            }
            noted.signs.insert(part, sign);
        }
    }

    fn parts(&self) -> Vec<String> {
        self.noted().parts.iter().map(|part| (*part).to_owned()).collect()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes signs of life until it is shut down. One for a process.
pub struct Heartbeats {
    background: Background,
    store: Store,
}

impl Heartbeats {
    /// Starts writing.
    pub fn start(store: &Store) -> Self {
        let writing = store.clone();
        let background = Background::every("heartbeats", EVERY, move || {
            let store = writing.clone();
            async move {
                if let Err(error) = heartbeats_write(&store).await {
                    tracing::warn!(%error, "signs of life could not be written");
                }
            }
        });
        Self { background, store: store.clone() }
    }

    /// Writes what was told last, and that this process' parts are silent from now on, as they should be.
    /// Those of other processes say otherwise by their next sign of life.
    pub async fn shutdown(self) {
        self.background.shutdown().await;
        let parts = self.store.pulse().parts();
        let ended = sqlx::query!(
            "update ops.heartbeats set silence = null where service_name = any($1)",
            &parts
        )
        .execute(self.store.system_pool())
        .await;
        if let Err(error) = ended {
            tracing::warn!(%error, "the parts of this process will be told to be silent");
        }
    }
}

/// Writes what this process' parts told since the last time: when, and, of those that became better or
/// worse, how they are. What could not be written is kept for the next time.
///
/// # Errors
/// When the database does not answer.
pub async fn heartbeats_write(store: &Store) -> Result<(), StoreError> {
    let signs = store.pulse().take();
    if signs.is_empty() {
        return Ok(());
    }
    let written = write(store, &signs).await;
    if written.is_err() {
        store.pulse().give_back(signs);
    }
    written
}

async fn write(store: &Store, signs: &BTreeMap<&'static str, Sign>) -> Result<(), StoreError> {
    let (mut parts, mut silences) = (Vec::new(), Vec::new());
    let (mut judged, mut faults, mut recoveries) = (Vec::new(), Vec::new(), Vec::new());
    for (part, sign) in signs {
        parts.push((*part).to_owned());
        silences.push(sign.silence.map(|silence| silence.as_secs_f64()));
        judged.push(sign.told != Told::Alive);
        faults.push(match &sign.told {
            Told::Fault(why) => Some(why.clone()),
            Told::Alive | Told::Fine => None,
        });
        recoveries.push(sign.recovery().as_secs_f64());
    }
    sqlx::query!(
        "with beats as (
             select * from unnest($1::text[], $2::double precision[], $3::boolean[], $4::text[], $5::double precision[])
                 as b (service_name, silence, is_judged, fault, recovery)),
         kept as (
             insert into ops.heartbeats as h (service_name, beat_at, silence, fault_at)
             select b.service_name, now(), make_interval(secs => b.silence), case when b.fault is not null then now() end
               from beats b
             on conflict (service_name) do update
                set beat_at = excluded.beat_at, silence = excluded.silence,
                    fault_at = coalesce(excluded.fault_at, h.fault_at)
             returning h.service_name, h.fault_at)
         insert into ops.system_health as known (service_name, status, health_data)
         select b.service_name,
                case when b.fault is not null or k.fault_at > now() - make_interval(secs => b.recovery)
                     then 'degraded' else 'healthy' end,
                case when b.fault is null then '{}'::jsonb else jsonb_build_object('fault', b.fault) end
           from beats b join kept k on k.service_name = b.service_name
          where b.is_judged or not exists (select from ops.system_health s where s.service_name = b.service_name)
         on conflict (service_name) do update
            set status = excluded.status, health_data = excluded.health_data, last_check = now()
          where known.status <> excluded.status",
        &parts,
        &silences as &[Option<f64>],
        &judged,
        &faults as &[Option<String>],
        &recoveries,
    )
    .execute(store.system_pool())
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_kept_until_it_is_written() {
        let pulse = Pulse::default();
        pulse.alive("relay", Pulse::SILENCE);
        pulse.fine("relay", Pulse::SILENCE);
        pulse.fault("sealer", Pulse::SILENCE, &"x".repeat(1000));
        pulse.fine("sealer", Pulse::SILENCE);
        pulse.told("mail", None, &Ok::<_, String>(()));
        let signs = pulse.take();
        assert_eq!(signs["relay"].told, Told::Fine);
        assert_eq!(signs["sealer"].told, Told::Fault("x".repeat(FAULT_CHARACTERS)));
        assert_eq!(signs["mail"], Sign { silence: None, told: Told::Fine });
        assert!(pulse.take().is_empty());
        assert_eq!(pulse.parts(), ["mail", "relay", "sealer"]);
    }

    #[test]
    fn of_what_works_rarely_the_last_word_counts() {
        let pulse = Pulse::default();
        let told = || pulse.take().remove("clean-up").map(|sign| (sign.recovery(), sign.told));
        pulse.fault("clean-up", Pulse::DAILY_SILENCE, &"no disk");
        pulse.alive("clean-up", Pulse::DAILY_SILENCE);
        assert_eq!(told(), Some((Duration::ZERO, Told::Fault("no disk".to_owned()))));
        pulse.fault("clean-up", Pulse::DAILY_SILENCE, &"no disk");
        pulse.fine("clean-up", Pulse::DAILY_SILENCE);
        assert_eq!(told(), Some((Duration::ZERO, Told::Fine)));
        pulse.fine("clean-up", Pulse::SILENCE);
        assert_eq!(told(), Some((RECOVERY, Told::Fine)));
    }

    #[test]
    fn what_was_not_written_comes_before_what_was_told_since() {
        let pulse = Pulse::default();
        pulse.fault("sealer", Pulse::SILENCE, &"no disk");
        pulse.fault("clean-up", Pulse::DAILY_SILENCE, &"no disk");
        pulse.alive("workers", Pulse::SILENCE);
        let signs = pulse.take();
        pulse.fine("sealer", Pulse::SILENCE);
        pulse.fine("clean-up", Pulse::DAILY_SILENCE);
        pulse.fine("mail", None);
        pulse.give_back(signs);
        let signs = pulse.take();
        assert_eq!(signs["sealer"].told, Told::Fault("no disk".to_owned()));
        assert_eq!(signs["clean-up"].told, Told::Fine);
        assert_eq!((&signs["workers"].told, &signs["mail"].told), (&Told::Alive, &Told::Fine));
    }
}
