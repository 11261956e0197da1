//! What other people's programs are told, so that they upload here: ready-made settings and
//! scripts with an address and a token in them. It takes nothing in itself.

pub mod api;
mod script;
mod sharex;

pub use script::upload_script;
pub use sharex::{Link, Style, uploader};
