//! How a line of the log looks as JSON. It writes as it goes and keeps nothing; where lines go is
//! not its business.

use std::fmt::{self, Debug, Write};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// One event as one object: its own fields beside the usual ones, and under `span` what is known
/// of the request or task in which it happened.
pub(super) struct Line;

impl<S> FormatEvent<S, Members> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Members>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        to.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut to)?;
        write!(to, "\",\"level\":\"{}\"", event.metadata().level())?;
        Members.format_fields(to.by_ref(), event)?;
        if let Some(span) = context.lookup_current() {
            write!(to, ",\"span\":{{\"name\":\"{}\"", span.name())?;
            if let Some(fields) = span.extensions().get::<FormattedFields<Members>>() {
                to.write_str(&fields.fields)?;
            }
            to.write_char('}')?;
        }
        to.write_str("}\n")
    }
}

/// Fields as members of an object, each behind a comma.
pub(super) struct Members;

impl<'w> FormatFields<'w> for Members {
    fn format_fields<R: RecordFields>(&self, to: Writer<'w>, fields: R) -> fmt::Result {
        let mut writing = Writing { to, outcome: Ok(()) };
        fields.record(&mut writing);
        writing.outcome
    }
}

struct Writing<'w> {
    to: Writer<'w>,
    outcome: fmt::Result,
}

impl Writing<'_> {
    /// Numbers and words of JSON stand for themselves.
    fn plain(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.then(|to| write!(to, ",\"{}\":{value}", field.name()));
    }

    fn quoted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.then(|to| {
            write!(to, ",\"{}\":\"", field.name())?;
            Quoted(to).write_fmt(value)?;
            to.write_char('"')
        });
    }

    fn then(&mut self, write: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.outcome.is_ok() {
            self.outcome = write(&mut self.to);
        }
    }
}

impl Visit for Writing<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.quoted(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.quoted(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no other numbers.
        match value.is_finite() {
            true => self.plain(field, format_args!("{value}")),
            false => self.plain(field, format_args!("null")),
        }
    }
}

/// Text on its way into a JSON string (RFC 8259, section 7).
struct Quoted<'a, 'w>(&'a mut Writer<'w>);

impl Write for Quoted<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_control() || c == '"' || c == '\\') {
            let (before, from) = rest.split_at(at);
            self.0.write_str(before)?;
            let mut letters = from.chars();
            match letters.next() {
                Some(letter @ ('"' | '\\')) => write!(self.0, "\\{letter}")?,
                Some('\n') => self.0.write_str("\\n")?,
                Some(letter) => write!(self.0, "\\u{:04x}", u32::from(letter))?,
                None => {}
            }
            rest = letters.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Kept {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// What is logged meanwhile, line by line.
    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let log = tracing_subscriber::fmt().fmt_fields(Members).event_format(Line);
        tracing::subscriber::with_default(log.with_writer(kept.clone()).finish(), work);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_one_object_with_what_is_known() {
        let lines = logged(|| {
            tracing::info!(status = 200, "answered");
            let span = tracing::info_span!("request", id = %"a1", none = Option::<u8>::None);
            span.in_scope(|| tracing::warn!(ms = 1.5, wrong = f64::NAN, is = true, left = -1, "b"));
        });
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["message"], "answered");
        assert_eq!(lines[0]["status"], 200);
        assert!(lines[0].get("span").is_none());
        assert!(lines[1]["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(lines[1]["span"], json!({ "name": "request", "id": "a1" }));
        let [ms, wrong, is, left] = ["ms", "wrong", "is", "left"].map(|name| &lines[1][name]);
        assert_eq!([ms, wrong, is, left], [&json!(1.5), &Value::Null, &json!(true), &json!(-1)]);
    }

    #[test]
    fn no_text_breaks_out_of_its_line() {
        let text = "a\"b\\c\nd\r\t\u{1}\u{7f}é\u{2028}\"}";
        let lines = logged(|| tracing::error!(text, shown = ?text, "{text}"));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["text"], text);
        assert_eq!(lines[0]["message"], text);
        assert_eq!(lines[0]["shown"], format!("{text:?}"));
    }
}
