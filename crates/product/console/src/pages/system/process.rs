//! This process, as the system sees it.

/// How much memory the process holds at the moment, in bytes; none where the system does not tell.
pub(super) fn memory() -> Option<u64> {
    resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// A time span as people say it: `3 min`, `2 h 5 min`, `4 d 1 h`.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_read() {
        assert_eq!(span(59.9), "59 s");
        assert_eq!((span(7_500.0), span(90_000.0)), ("2 h 5 min".into(), "1 d 1 h".into()));
        assert_eq!(resident("Name:\tephor\nVmRSS:\t   2048 kB\n"), Some(2_097_152));
        assert_eq!(resident("nothing"), None);
    }
}
