//! The body of a request that brings bytes: `application/offset+octet-stream`, read as it comes.

use poem::{Body, Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
};

pub(super) const CONTENT_TYPE: &str = "application/offset+octet-stream";

/// Bytes of an upload, if the request brings any.
pub(super) struct Piece(pub Option<Body>);

impl<'a> ApiExtractor<'a> for Piece {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchema { format: Some("binary"), ..MetaSchema::new("string") };
        let schema = MetaSchemaRef::Inline(Box::new(schema));
        let content = vec![MetaMediaType { content_type: CONTENT_TYPE, schema }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let kind = request.header(header::CONTENT_TYPE).unwrap_or_default();
        let is_piece = kind.split(';').next().unwrap_or_default().trim() == CONTENT_TYPE;
        Ok(Self(if is_piece { Some(body.take()?) } else { None }))
    }
}
