//! What every test stands on: a real server, people who speak to it, and pictures made by code.

mod client;
pub(crate) mod ffmpeg;
pub(crate) mod films;
pub(crate) mod pictures;
pub(crate) mod s3;
mod server;
mod tenant;

pub(crate) use client::{Answer, Client};
pub(crate) use server::{TestServer, config, database, files_under};
pub(crate) use tenant::{TestTenant, path_of};
