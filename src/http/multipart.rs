//! `multipart/form-data` (RFC 7578) as a stream: a file in a form is never whole in memory, nor
//! written anywhere on its way to the one who asked for it.

use crate::base::{Error, Result};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

/// The longest text that a field may hold, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;
/// How many parts a form may have.
const MOST_PARTS: usize = 200;
/// How far the parser may read ahead of what it hands out. It keeps the head of a part in memory
/// until it ends, and some never end.
const LOOKAHEAD: u64 = 64 * 1024;

/// The parts of a form, in the order they arrive.
pub struct Parts {
    parser: multer::Multipart<'static>,
    meter: Arc<Meter>,
    seen: usize,
}

pub enum Part {
    Text { name: String, value: String },
    File(Box<FilePart>),
}

/// A file in a form. It must be read before the next part is asked for.
pub struct FilePart {
    pub name: String,
    /// As the client spelled it: not to be trusted.
    pub filename: String,
    rest: Field,
}

/// A part whose value was not read yet. It must be read before the next part is asked for.
pub struct Field {
    pub name: String,
    /// As the client spelled it: not to be trusted. Only of files.
    pub filename: Option<String>,
    field: multer::Field<'static>,
    meter: Arc<Meter>,
}

#[derive(Default)]
struct Meter {
    read: AtomicU64,
    handed_out: AtomicU64,
}

impl Parts {
    /// # Errors
    /// `Malformed` where the content type names no boundary.
    pub fn new<S>(content_type: &str, body: S) -> Result<Self>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    {
        let boundary = multer::parse_boundary(content_type)
            .map_err(|e| Error::Malformed(format!("the form cannot be read: {e}")))?;
        let meter = Arc::new(Meter::default());
        let watching = meter.clone();
        let watched = body.map(move |chunk| chunk.and_then(|bytes| watching.let_in(bytes)));
        Ok(Self { parser: multer::Multipart::new(one_by_one(watched), boundary), meter, seen: 0 })
    }

    /// The next part, or `None` after the last. A part with a file name is a file; every other is
    /// text and is read whole.
    pub async fn next(&mut self) -> Result<Option<Part>> {
        let Some(mut field) = self.next_field().await? else { return Ok(None) };
        let name = field.name.clone();
        if let Some(filename) = field.filename.clone() {
            return Ok(Some(Part::File(Box::new(FilePart { name, filename, rest: field }))));
        }
        let mut text = Vec::new();
        while let Some(chunk) = field.chunk().await? {
            text.extend_from_slice(&chunk);
            if text.len() > LONGEST_TEXT {
                return Err(Error::TooLarge { field: "form", allowed: LONGEST_TEXT as u64 });
            }
        }
        let value = String::from_utf8(text)
            .map_err(|_| Error::Malformed(format!("the field `{name}` is not UTF-8")))?;
        Ok(Some(Part::Text { name, value }))
    }

    /// The next part, or `None` after the last, whose value is for the caller to read: in some
    /// forms a text is a whole file.
    pub async fn next_field(&mut self) -> Result<Option<Field>> {
        let Some(field) = self.parser.next_field().await.map_err(broken)? else {
            return Ok(None);
        };
        self.seen += 1;
        if self.seen > MOST_PARTS {
            return Err(Error::Malformed(format!("a form may have {MOST_PARTS} parts at most")));
        }
        // What was read up to here was the head of this part, which is done with now.
        self.meter.catch_up();
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        Ok(Some(Field { name, filename, field, meter: self.meter.clone() }))
    }
}

/// The parser takes all that a stream has ready before it hands anything on: a client that is
/// faster than the disk would fill the memory. So the stream says "not yet" after each chunk.
fn one_by_one<S: Stream + Send + 'static>(body: S) -> impl Stream<Item = S::Item> + Send + 'static {
    let mut body = Box::pin(body);
    let mut has_given = false;
    futures_util::stream::poll_fn(move |cx| {
        if std::mem::take(&mut has_given) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = body.as_mut().poll_next(cx);
        has_given = matches!(next, Poll::Ready(Some(_)));
        next
    })
}

impl FilePart {
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.rest.chunk().await
    }
}

impl Field {
    /// The next bytes of the value, or `None` after its last.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let chunk = self.field.chunk().await.map_err(broken)?;
        if let Some(bytes) = &chunk {
            self.meter.hand_out(bytes);
        }
        Ok(chunk)
    }
}

impl Meter {
    fn let_in(&self, bytes: Bytes) -> std::io::Result<Bytes> {
        let read = self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if read.saturating_sub(self.handed_out.load(Ordering::Relaxed)) > LOOKAHEAD {
            return Err(std::io::Error::other("the head of a part does not end"));
        }
        Ok(bytes)
    }

    fn hand_out(&self, bytes: &Bytes) {
        self.handed_out.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    fn catch_up(&self) {
        self.handed_out.fetch_max(self.read.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

fn broken(error: multer::Error) -> Error {
    Error::Malformed(format!("the form cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn parts(body: Vec<u8>) -> Parts {
        let chunks: Vec<_> = body.chunks(500).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        Parts::new("multipart/form-data; boundary=X", stream::iter(chunks)).unwrap()
    }

    #[tokio::test]
    async fn texts_and_files_come_in_order() {
        let form = "--X\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nSea\r\n\
            --X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n\
            bytes\r\n--X--\r\n";
        let mut parts = parts(form.into());
        let Some(Part::Text { name, value }) = parts.next().await.unwrap() else { panic!() };
        assert_eq!((&*name, &*value), ("title", "Sea"));
        let Some(Part::File(mut file)) = parts.next().await.unwrap() else { panic!() };
        assert_eq!((&*file.name, &*file.filename), ("file", "a.jpg"));
        let mut bytes = Vec::new();
        while let Some(chunk) = file.chunk().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        assert_eq!(bytes, b"bytes");
        drop(file);
        assert!(parts.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_head_that_never_ends_is_cut_off() {
        let mut form = b"--X\r\ncontent-disposition: form-data; name=\"".to_vec();
        form.resize(4 * 1024 * 1024, b'x');
        assert!(matches!(parts(form).next().await, Err(Error::Malformed(_))));
    }

    #[tokio::test]
    async fn a_long_text_and_a_torn_form_are_refused() {
        let mut form = b"--X\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\n".to_vec();
        form.resize(200_000, b'x');
        assert!(matches!(parts(form).next().await, Err(Error::TooLarge { .. })));
        let torn = b"--X\r\ncontent-disposition: form-data; name=\"t\"\r\n\r\nabc".to_vec();
        assert!(parts(torn).next().await.is_err());
        assert!(Parts::new("multipart/form-data", stream::empty()).is_err());
    }

    #[tokio::test]
    async fn a_large_file_is_never_far_ahead_of_its_reader() {
        let mut form =
            b"--X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
                .to_vec();
        let head = form.len();
        form.resize(head + 8 * 1024 * 1024, b'x');
        form.extend_from_slice(b"\r\n--X--\r\n");
        let chunks: Vec<_> =
            form.chunks(64 * 1024).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        let mut parts =
            Parts::new("multipart/form-data; boundary=X", stream::iter(chunks)).unwrap();
        let Some(Part::File(mut file)) = parts.next().await.unwrap() else { panic!() };
        let mut size = 0;
        while let Some(chunk) = file.chunk().await.unwrap() {
            size += chunk.len();
        }
        assert_eq!(size, 8 * 1024 * 1024);
    }
}
