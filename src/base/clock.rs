//! Time. Everything is UTC; milliseconds inside, RFC 3339 outside.

use jiff::Timestamp;

/// Milliseconds since 1970-01-01T00:00:00Z: the one form in which time is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// Never overflows: a moment too far away is the furthest there is.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    pub fn plus_days(self, days: i64) -> Self {
        self.plus_ms(days.saturating_mul(86_400_000))
    }

    /// RFC 3339 with milliseconds, as in `2026-01-31T09:30:00.000Z`.
    pub fn to_rfc3339(self) -> String {
        format!("{:.3}", self.timestamp())
    }

    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX)
    }

    pub fn system_time(self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + std::time::Duration::from_millis(self.0.max(0).unsigned_abs())
    }
}

/// The only place that asks what time it is.
pub struct Clock;

impl Clock {
    pub fn now() -> Millis {
        Millis(Timestamp::now().as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelled_as_rfc_3339_with_milliseconds() {
        assert_eq!(Millis(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Millis(1_234).to_rfc3339(), "1970-01-01T00:00:01.234Z");
    }

    #[test]
    fn a_moment_beyond_time_is_still_a_moment() {
        assert!(Millis(i64::MAX).plus_ms(1).to_rfc3339().starts_with("9999-"));
    }
}
