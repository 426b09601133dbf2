//! When something runs: a cron expression of five fields, in UTC.
//!
//! Minute, hour, day of the month, month, day of the week. Each is `*`, a number, a range `a-b`, a step
//! `*/n`, `a/n` or `a-b/n`, or a list of these with commas; months and days of the week have their English
//! names of three letters too, and Sunday is 0 or 7. When both days are restricted, either is enough, as in
//! every cron since Vixie's (crontab(5)).

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};

/// How far ahead a run is looked for. A 29th of February that must be a Sunday too (`0 0 29 2 */7`) comes after forty years at
/// the latest.
const HORIZON_DAYS: u32 = 41 * 366;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, names: &[] },
    Field { name: "hour", first: 0, last: 23, names: &[] },
    Field { name: "day of the month", first: 1, last: 31, names: &[] },
    Field { name: "month", first: 1, last: 12, names: &MONTHS },
    Field { name: "day of the week", first: 0, last: 7, names: &WEEKDAYS },
];

/// When something runs, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// A bit for each value that is met.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Neither the day of the month nor that of the week is `*`: one of them is enough.
    either_day: bool,
}

impl Schedule {
    /// Reads an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, a sentence each.
    pub fn parse(expression: &str) -> Result<Self, Vec<String>> {
        let parts: Vec<&str> = expression.split_ascii_whitespace().collect();
        let Ok(parts) = <[&str; 5]>::try_from(parts) else {
            return Err(vec![
                "A schedule has five fields: minute, hour, day of the month, month, day of the week"
                    .to_owned(),
            ]);
        };
        let mut faults = Vec::new();
        let mut sets = [0_u64; 5];
        for ((set, part), field) in sets.iter_mut().zip(parts).zip(&FIELDS) {
            match field.set(part) {
                Ok(values) => *set = values,
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let [minutes, hours, days, months, weekdays] = sets;
        // Sunday has two numbers.
        let weekdays = (weekdays | (weekdays >> 7)) & 0x7f;
        let [_, _, day, _, weekday] = parts;
        let either_day = !day.starts_with('*') && !weekday.starts_with('*');
        let schedule = Self { minutes, hours, days, months, weekdays, either_day };
        if schedule.next_after(DateTime::UNIX_EPOCH).is_none() {
            return Err(vec![
                "None of its months has such a day, so it would never run".to_owned(),
            ]);
        }
        Ok(schedule)
    }

    /// The first minute after `moment` that is met; never `moment` itself.
    pub fn next_after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let minute = moment.with_second(0)?.with_nanosecond(0)?;
        let from = minute.checked_add_signed(chrono::TimeDelta::minutes(1))?;
        let mut day = from.date_naive();
        let mut earliest = (from.hour(), from.minute());
        for _ in 0..HORIZON_DAYS {
            if self.meets(day)
                && let Some((hour, minute)) = self.first_from(earliest)
            {
                return Some(day.and_hms_opt(hour, minute, 0)?.and_utc());
            }
            day = day.succ_opt()?;
            earliest = (0, 0);
        }
        None
    }

    /// The last minute that is met, neither before `first` nor after `moment`; `first` itself, if no later one is.
    pub fn last_until(&self, first: DateTime<Utc>, moment: DateTime<Utc>) -> DateTime<Utc> {
        let mut last = first;
        let mut back = chrono::TimeDelta::minutes(1);
        // Twice as far each time: few minutes are passed over on the way back to `moment`.
        while let Some(start) = moment.checked_sub_signed(back).filter(|start| *start > first) {
            if let Some(met) = self.next_after(start).filter(|met| *met <= moment) {
                last = met;
                break;
            }
            back = back + back;
        }
        while let Some(met) = self.next_after(last).filter(|met| *met <= moment) {
            last = met;
        }
        last
    }

    fn meets(&self, day: NaiveDate) -> bool {
        let in_month = has(self.days, day.day());
        let in_week = has(self.weekdays, day.weekday().num_days_from_sunday());
        let right_day = if self.either_day { in_month || in_week } else { in_month && in_week };
        has(self.months, day.month()) && right_day
    }

    /// The first hour and minute of a day, not before the given ones.
    fn first_from(&self, (hour, minute): (u32, u32)) -> Option<(u32, u32)> {
        if has(self.hours, hour)
            && let Some(minute) = least(self.minutes, minute)
        {
            return Some((hour, minute));
        }
        Some((least(self.hours, hour + 1)?, least(self.minutes, 0)?))
    }
}

fn has(set: u64, value: u32) -> bool {
    set >> value & 1 == 1
}

/// The least member that is not below `from`.
fn least(set: u64, from: u32) -> Option<u32> {
    let above = set.checked_shr(from)?;
    (above != 0).then(|| above.trailing_zeros() + from)
}

impl Field {
    /// The values that a part of the expression names, a bit each.
    fn set(&self, part: &str) -> Result<u64, String> {
        part.split(',').try_fold(0, |set, item| Ok(set | self.item(part, item)?))
    }

    fn item(&self, part: &str, item: &str) -> Result<u64, String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((low, high)) => (self.value(part, low)?, self.value(part, high)?),
            None => {
                let low = self.value(part, range)?;
                (low, if step.is_some() { self.last } else { low })
            }
        };
        if low > high {
            return Err(self.wrong(part, &format!("the range `{range}` ends before it begins")));
        }
        let step = match step.map(str::parse::<u32>) {
            None => 1,
            Some(Ok(step)) if step > 0 && step <= self.last => step,
            Some(_) => {
                let most = self.last;
                return Err(self.wrong(part, &format!("a step is a whole number from 1 to {most}")));
            }
        };
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        Ok((low..=high).step_by(step).fold(0, |set, value| set | 1 << value))
    }

    fn value(&self, part: &str, text: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(place) => u32::try_from(place).ok().map(|place| place + self.first),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            None => None,
        };
        value.filter(|value| (self.first..=self.last).contains(value)).ok_or_else(|| {
            let Self { first, last, .. } = self;
            self.wrong(part, &format!("`{text}` is not a number from {first} to {last}"))
        })
    }

    fn wrong(&self, part: &str, what: &str) -> String {
        format!("The {} is `{part}`: {what}", self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn next(expression: &str, after: &str) -> String {
        let next = Schedule::parse(expression).unwrap().next_after(at(after)).unwrap();
        next.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    #[test]
    fn the_next_run_is_the_first_minute_that_is_met() {
        for (expression, after, expected) in [
            ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
            ("* * * * *", "2026-01-01T00:00:59.999Z", "2026-01-01T00:01:00Z"),
            ("*/15 * * * *", "2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"),
            ("5/20 * * * *", "2026-01-01T00:46:00Z", "2026-01-01T01:05:00Z"),
            ("0 6 * * *", "2026-12-31T06:00:00Z", "2027-01-01T06:00:00Z"),
            ("30 2,14 * * mon-fri", "2026-01-02T14:30:00Z", "2026-01-05T02:30:00Z"),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            // Neither day is restricted by itself where one begins with `*`: both must be met.
            ("0 0 29 2 */7", "2026-01-01T00:00:00Z", "2032-02-29T00:00:00Z"),
            ("0 0 29 2 */7", "2088-03-01T00:00:00Z", "2128-02-29T00:00:00Z"),
            ("0 0 */31 2 1", "1971-02-02T00:00:00Z", "1982-02-01T00:00:00Z"),
            ("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"),
            ("0 0 * JAN,jul 7", "2026-01-26T00:00:00Z", "2026-07-05T00:00:00Z"),
            // Both days restricted: either is enough. 2026-01-05 is a Monday.
            ("0 0 13 * 1", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("0 0 13 * 1", "2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z"),
        ] {
            assert_eq!(next(expression, after), expected, "{expression} after {after}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_place() {
        let faults = Schedule::parse("60 24 0 dec-jan 1/0").unwrap_err();
        assert_eq!(
            faults,
            [
                "The minute is `60`: `60` is not a number from 0 to 59",
                "The hour is `24`: `24` is not a number from 0 to 23",
                "The day of the month is `0`: `0` is not a number from 1 to 31",
                "The month is `dec-jan`: the range `dec-jan` ends before it begins",
                "The day of the week is `1/0`: a step is a whole number from 1 to 7",
            ]
        );
        for wrong in [
            "",
            "* * * *",
            "* * * * * *",
            "@daily",
            ", * * * *",
            "+1 * * * *",
            "1- * * * *",
            "* * * * 8",
            "*/60 * * * *",
            "99999999999999999999 * * * *",
            "ä * * * *",
            "0 0 31 2 *",
            "0 0 30,31 feb *",
        ] {
            assert!(Schedule::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_met_is_passed_over(
            minute in 0_u32..60, hour in 0_u32..24, day in 1_u32..29, weekday in 0_u32..8,
            step in 1_u32..24, start in 0_i64..4_000_000_000,
        ) {
            let expression = format!("{minute} */{step} {day} * {weekday}");
            let expression = if hour % 2 == 0 { expression } else { format!("{minute} {hour} * * {weekday}") };
            let schedule = Schedule::parse(&expression).unwrap();
            let start = DateTime::from_timestamp(start, 0).unwrap();
            let next = schedule.next_after(start).unwrap();
            prop_assert!(next > start && next.second() == 0 && next.minute() == minute);
            // Whatever lies between is not met: from any moment before it, it is next.
            let between = start + (next - start) / 2;
            prop_assert_eq!(schedule.next_after(between), Some(next));
            // Looked back at from before the one after it, it is the last.
            let after = schedule.next_after(next).unwrap();
            prop_assert_eq!(schedule.last_until(next, next), next);
            let late = after - chrono::TimeDelta::seconds(1);
            prop_assert_eq!(schedule.last_until(start, late), next);
            prop_assert_eq!(schedule.last_until(next, after), after);
            prop_assert_eq!(schedule.last_until(start, start), start);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", fields in "[0-9*,/a-z -]{0,40}") {
            let _ = Schedule::parse(&text);
            let _ = Schedule::parse(&fields);
        }
    }
}
