//! The fields of a request one by one, whatever its body is written in: a form, an urlencoded text
//! or a JSON object. A value may be a whole file, and is read in pieces.

use super::{
    json::LARGE,
    layers::{HEARD_OUT, read_body},
    multipart::{Field, Parts},
    urlencoded::Pairs,
};
use crate::base::{Error, Result};
use bytes::Bytes;
use futures_util::StreamExt;
use poem::{
    Body,
    http::{HeaderMap, header},
};
use serde_json::{Map, Value};

/// The longest value that is read as a text, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;
/// How many fields a request may have.
const MOST: usize = 200;

/// The fields of one request, in the order they arrive.
pub struct Fields {
    body: Written,
    seen: usize,
}

enum Written {
    Form { parts: Box<Parts>, current: Option<Box<Field>> },
    Pairs(Box<Pairs>),
    Json { rest: std::vec::IntoIter<(String, String)>, current: Option<String> },
    Nothing,
}

/// What is known of a field before its value is read.
pub struct Head {
    pub name: String,
    /// Of a file, as the client spelled it: not to be trusted.
    pub filename: Option<String>,
}

impl Fields {
    /// # Errors
    /// `Malformed` for a body that is none of the three; `TooLarge` for JSON, which is read whole.
    pub async fn of(headers: &HeaderMap, body: Body) -> Result<Self> {
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
        let content_type = text(header::CONTENT_TYPE).unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = match &*kind {
            "multipart/form-data" => {
                let parts = Box::new(Parts::new(content_type, body.into_bytes_stream())?);
                Written::Form { parts, current: None }
            }
            "application/x-www-form-urlencoded" => {
                Written::Pairs(Box::new(Pairs::new(body.into_bytes_stream())))
            }
            "application/json" => {
                let bytes = read_body(body, text(header::CONTENT_LENGTH), LARGE).await?;
                Written::Json { rest: members(&bytes)?.into_iter(), current: None }
            }
            _ => {
                let mut stream = std::pin::pin!(body.into_bytes_stream());
                if stream.next().await.is_some() {
                    return Err(Error::Malformed(
                        "the body must be a form, urlencoded or JSON".to_owned(),
                    ));
                }
                Written::Nothing
            }
        };
        Ok(Self { body, seen: 0 })
    }

    /// The next field, or `None` after the last. What was not read of the one before is skipped.
    pub async fn next(&mut self) -> Result<Option<Head>> {
        while self.chunk().await?.is_some() {}
        self.seen += 1;
        if self.seen > MOST {
            return Err(Error::Malformed(format!("a request may have {MOST} fields at most")));
        }
        let plain = |name: String| Head { name, filename: None };
        Ok(match &mut self.body {
            Written::Form { parts, current } => {
                *current = None;
                let field = parts.next_field().await?;
                *current = field.map(Box::new);
                current
                    .as_ref()
                    .map(|f| Head { name: f.name.clone(), filename: f.filename.clone() })
            }
            Written::Pairs(pairs) => pairs.next().await?.map(plain),
            Written::Json { rest, current } => rest.next().map(|(name, value)| {
                *current = Some(value);
                plain(name)
            }),
            Written::Nothing => None,
        })
    }

    /// The next bytes of the field's value, or `None` after its last.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match &mut self.body {
            Written::Form { current: Some(field), .. } => loop {
                match field.chunk().await? {
                    // What has come so far may be nothing.
                    Some(chunk) if chunk.is_empty() => {}
                    chunk => return Ok(chunk),
                }
            },
            Written::Pairs(pairs) => pairs.chunk().await,
            Written::Json { current, .. } => {
                Ok(current.take().filter(|text| !text.is_empty()).map(Bytes::from))
            }
            Written::Form { current: None, .. } | Written::Nothing => Ok(None),
        }
    }

    /// The field's value, whole.
    ///
    /// # Errors
    /// `TooLarge` where it is longer than a text is; `Malformed` where it is none.
    pub async fn text(&mut self) -> Result<String> {
        let mut text = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            text.extend_from_slice(&chunk);
            if text.len() > LONGEST_TEXT {
                return Err(Error::TooLarge { field: "form", allowed: LONGEST_TEXT as u64 });
            }
        }
        String::from_utf8(text).map_err(|_| Error::Malformed("a field is not UTF-8".to_owned()))
    }

    /// Reads on though nobody wants the rest, unless its end is far away: many clients listen only
    /// when they have said everything.
    pub async fn hear_out(mut self) {
        let mut heard = 0;
        while heard < HEARD_OUT {
            match self.chunk().await {
                Ok(Some(chunk)) => heard += chunk.len(),
                Ok(None) if matches!(self.next().await, Ok(Some(_))) => {}
                _ => break,
            }
        }
    }
}

/// The members of a JSON object as texts. What is neither text, number nor switch says nothing
/// here; a list of texts is written with commas.
fn members(bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let object: Map<String, Value> = serde_json::from_slice(bytes)
        .map_err(|e| Error::Malformed(format!("the body is no JSON object: {e}")))?;
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(list) => {
            let words: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            Some(words?.join(","))
        }
        Value::Null | Value::Object(_) => None,
    };
    Ok(object.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(content_type: &str, body: &'static str) -> Vec<(String, Option<String>, String)> {
        let headers = [(header::CONTENT_TYPE, content_type.parse().unwrap())];
        let body = Body::from_string(body.to_owned());
        let mut fields = Fields::of(&headers.into_iter().collect(), body).await.unwrap();
        let mut all = Vec::new();
        while let Some(head) = fields.next().await.unwrap() {
            all.push((head.name, head.filename, fields.text().await.unwrap()));
        }
        all
    }

    #[tokio::test]
    async fn three_ways_to_write_the_same() {
        let form = "--X\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\nk\r\n--X\r\n\
            content-disposition: form-data; name=\"nsfw\"\r\n\r\n1\r\n--X--\r\n";
        let expected =
            [("key".to_owned(), None, "k".to_owned()), ("nsfw".to_owned(), None, "1".to_owned())];
        assert_eq!(read("multipart/form-data; boundary=X", form).await, expected);
        assert_eq!(read("application/x-www-form-urlencoded", "key=k&nsfw=1").await, expected);
        let json = r#"{"key": "k", "nsfw": 1, "more": {}, "none": null}"#;
        assert_eq!(read("application/json; charset=utf-8", json).await, expected);
        assert!(read("", "").await.is_empty());
    }

    #[tokio::test]
    async fn a_body_of_another_kind_is_refused() {
        let headers = [(header::CONTENT_TYPE, "text/plain".parse().unwrap())];
        let body = Body::from_string("key=k".to_owned());
        assert!(Fields::of(&headers.into_iter().collect(), body).await.is_err());
    }

    #[tokio::test]
    async fn too_many_fields_and_too_long_texts_are_refused() {
        let many = "a=1&".repeat(300);
        let headers: HeaderMap =
            [(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap())]
                .into_iter()
                .collect();
        let mut fields = Fields::of(&headers, Body::from_string(many)).await.unwrap();
        let mut seen = 0;
        while let Ok(Some(_)) = fields.next().await {
            seen += 1;
        }
        assert_eq!(seen, MOST);
        let long = format!("a={}", "x".repeat(LONGEST_TEXT + 1));
        let mut fields = Fields::of(&headers, Body::from_string(long)).await.unwrap();
        fields.next().await.unwrap();
        assert!(matches!(fields.text().await, Err(Error::TooLarge { .. })));
    }
}
