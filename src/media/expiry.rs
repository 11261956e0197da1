//! How long something is to live: `3600000` (milliseconds), `PT1H` (ISO 8601) or `1h`.

use crate::base::{Error, Result};
use jiff::{SignedDuration, Span};

/// A hundred years: what is to live longer need not expire.
const LONGEST_MS: i64 = 100 * 365 * 86_400_000;

/// Milliseconds.
///
/// # Errors
/// `Invalid` where the text is no duration, or one that is over before it began.
pub fn parse(text: &str) -> Result<i64> {
    let text = text.trim();
    let ms = match text.parse::<i64>() {
        Ok(ms) => Some(ms),
        Err(_) => text.parse::<Span>().ok().and_then(|span| {
            // A day is 24 hours and a week seven of them; months differ in length.
            let days = i64::from(span.get_days()) + 7 * i64::from(span.get_weeks());
            let whole = span.get_years() == 0 && span.get_months() == 0;
            let rest: SignedDuration = span.days(0).weeks(0).try_into().ok().filter(|_| whole)?;
            i64::try_from(rest.as_millis()).ok()?.checked_add(days.checked_mul(86_400_000)?)
        }),
    };
    check(ms.ok_or_else(|| {
        Error::invalid("expires_in", "must be milliseconds or a duration like `PT1H` or `30d`")
    })?)
}

pub fn check(ms: i64) -> Result<i64> {
    match ms {
        1..=LONGEST_MS => Ok(ms),
        _ => Err(Error::invalid("expires_in", "must be from 1 ms to 100 years")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_spellings() {
        assert_eq!(parse("1500").unwrap(), 1_500);
        assert_eq!(parse("PT1H").unwrap(), 3_600_000);
        assert_eq!(parse("P1DT1M").unwrap(), 86_460_000);
        assert_eq!(parse("30d").unwrap(), 30 * 86_400_000);
        for bad in ["", "0", "-5", "soon", "P1M", "-PT1H", "99999999999999999", "1e9"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
