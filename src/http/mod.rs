//! What all endpoints share. It knows no feature and no tenant.

pub mod binary;
pub mod client;
mod compress;
pub mod conditional;
pub mod disposition;
pub mod document;
pub mod fields;
pub mod json;
pub mod layers;
pub mod multipart;
pub mod paging;
pub mod problem;
pub mod range;
pub mod urlencoded;

pub use client::{Client, Proxies};
pub use problem::Problem;
