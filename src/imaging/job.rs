//! What can be asked of a decoder, and what comes of it, wherever the work is done.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::probe::{Facts, Purpose};
use super::render::{render_fresh, resize_fresh, to_png_fresh};
use super::turn::turn_fresh;
use super::{Error, Limits, Probe, Rendered, Rendition, VariantSpec, Watermark};

/// A piece of work, without the file that it is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Op {
    Render { specs: Vec<VariantSpec> },
    Resize { width: u32, quality: u8, mark: Option<Watermark> },
    ToPng,
    Turn,
}

/// A piece of work as it is handed to a decoding process, beside the path of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub op: Op,
    /// The picture that is meant. A file that shows another one is refused.
    pub facts: Facts,
    pub limits: Limits,
    /// What the work may take, beyond what the process has to begin with.
    pub memory_bytes: u64,
}

/// What was made. The pictures themselves travel beside the rest, as they are no text.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Made {
    Variants(Rendered),
    Picture(Rendition),
    /// The same picture in other bytes; empty where there are none.
    Bytes {
        #[serde(skip)]
        bytes: Vec<u8>,
    },
}

/// Why nothing was made, as far as it can be told to another process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Fault {
    Damaged(String),
    AnimatedResize,
    Encode(String),
    Io { os: Option<i32>, text: String },
}

impl Op {
    pub(super) fn purpose(&self) -> Purpose<'_> {
        match self {
            Self::Render { specs } => Purpose::Render(specs),
            Self::Resize { width, .. } => Purpose::Resize { width: *width },
            Self::ToPng => Purpose::ToPng,
            Self::Turn => Purpose::Turn,
        }
    }

    /// The picture that goes with the work, beside the one that it is about.
    pub(super) fn picture(&self) -> Option<&Vec<u8>> {
        match self {
            Self::Resize { mark, .. } => mark.as_ref().map(|mark| &mark.png),
            _ => None,
        }
    }

    /// Puts it back.
    pub(super) fn put_picture(&mut self, bytes: Vec<u8>) {
        if let Self::Resize { mark: Some(mark), .. } = self {
            mark.png = bytes;
        }
    }

    /// Does the work on a file that has been probed just now, for as long as it takes.
    pub(super) fn run(&self, path: &Path, probe: &Probe) -> Result<Made, Error> {
        Ok(match self {
            Self::Render { specs } => Made::Variants(render_fresh(path, probe, specs)?),
            Self::Resize { width, quality, mark } => {
                Made::Picture(resize_fresh(path, probe, *width, *quality, mark.as_ref())?)
            }
            Self::ToPng => Made::Bytes { bytes: to_png_fresh(path, probe)? },
            Self::Turn => Made::Bytes { bytes: turn_fresh(path, probe)?.unwrap_or_default() },
        })
    }
}

impl Made {
    /// Where the bytes of the pictures are, in a fixed order.
    fn pictures(&mut self) -> Vec<&mut Vec<u8>> {
        match self {
            Self::Variants(made) => made.renditions.iter_mut().map(|r| &mut r.bytes).collect(),
            Self::Picture(picture) => vec![&mut picture.bytes],
            Self::Bytes { bytes } => vec![bytes],
        }
    }

    /// Parts the pictures from the rest.
    pub(super) fn take_pictures(&mut self) -> Vec<Vec<u8>> {
        self.pictures().into_iter().map(std::mem::take).collect()
    }

    /// Puts them back; `false` if they are not as many as were taken.
    pub(super) fn put_pictures(&mut self, pictures: Vec<Vec<u8>>) -> bool {
        let places = self.pictures();
        let fits = places.len() == pictures.len();
        places.into_iter().zip(pictures).for_each(|(place, bytes)| *place = bytes);
        fits
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Damaged(reason) => Self::Damaged(reason),
            Error::AnimatedResize => Self::AnimatedResize,
            Error::Encode(reason) => Self::Encode(reason),
            Error::Io(cause) => Self::Io { os: cause.raw_os_error(), text: cause.to_string() },
            // The picture has passed the probe once, so this is another one.
            _ => Self::Damaged("it has changed since it was looked at".to_owned()),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(reason) => Self::Damaged(reason),
            Fault::AnimatedResize => Self::AnimatedResize,
            Fault::Encode(reason) => Self::Encode(reason),
            Fault::Io { os: Some(code), .. } => Self::Io(std::io::Error::from_raw_os_error(code)),
            Fault::Io { os: None, text } => Self::Io(std::io::Error::other(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    fn picture(name: &str, bytes: &[u8]) -> Rendition {
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        Rendition { name, format: Format::Jpeg, width: 1, height: 2, bytes }
    }

    #[test]
    fn pictures_are_parted_and_put_back() {
        let renditions = vec![picture("a", b"one"), picture("b", b"two")];
        let mut made = Made::Variants(Rendered {
            renditions,
            placeholder: vec![7],
            color: [1, 2, 3],
            phash: 5,
        });
        let taken = made.take_pictures();
        assert_eq!(taken, [b"one".to_vec(), b"two".to_vec()]);
        let text = serde_json::to_string(&made).unwrap();
        assert!(!text.contains("bytes"), "{text}");
        let mut again: Made = serde_json::from_str(&text).unwrap();
        assert!(!again.put_pictures(vec![Vec::new()]));
        assert!(again.put_pictures(taken));
        let Made::Variants(rendered) = again else { panic!("{again:?}") };
        assert_eq!(rendered.renditions[1].bytes, b"two");
        assert_eq!((rendered.placeholder, rendered.color), (vec![7], [1, 2, 3]));
    }

    #[test]
    fn faults_come_back_as_the_errors_they_were() {
        let there_and_back = |error: Error| Error::from(Fault::from(error));
        let full = std::io::Error::from_raw_os_error(28);
        assert!(
            matches!(there_and_back(full.into()), Error::Io(e) if e.raw_os_error() == Some(28))
        );
        let damaged = there_and_back(Error::damaged("it ends in the middle"));
        assert_eq!(damaged.to_string(), "is damaged: it ends in the middle");
        assert!(matches!(there_and_back(Error::AnimatedResize), Error::AnimatedResize));
        assert!(matches!(there_and_back(Error::TooSlow), Error::Damaged(_)));
    }
}
