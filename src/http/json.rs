//! JSON bodies that may carry a file, and are therefore larger than others. They are read only
//! when the handler asks, which is after the caller is known.

use super::{Problem, layers::read_body};
use poem::{Request, RequestBody, Result, http::header};
use poem_openapi::{
    error::ParseRequestPayloadError,
    payload::{Json, ParsePayload, Payload},
    registry::{MetaSchemaRef, Registry},
    types::{ParseFromJSON, Type},
};

/// The largest JSON body there may be, in bytes: 33 MB of file, as base64.
pub const LARGEST_JSON: u64 = 44 * 1024 * 1024;

/// Like [`Json`], up to [`LARGEST_JSON`].
pub struct LargeJson<T>(pub T);

impl<T: Type> Payload for LargeJson<T> {
    const CONTENT_TYPE: &'static str = <Json<T> as Payload>::CONTENT_TYPE;

    fn check_content_type(content_type: &str) -> bool {
        Json::<T>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for LargeJson<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(req: &Request, body: &mut RequestBody) -> Result<Self> {
        let unreadable = |reason: String| ParseRequestPayloadError { reason };
        let declared = req.header(header::CONTENT_LENGTH);
        let bytes = read_body(body.take()?, declared, LARGEST_JSON).await.map_err(Problem::from)?;
        let value = serde_json::from_slice(&bytes).map_err(|e| unreadable(e.to_string()))?;
        drop(bytes);
        let parsed = T::parse_from_json(Some(value)).map_err(|e| unreadable(e.into_message()))?;
        Ok(Self(parsed))
    }
}
