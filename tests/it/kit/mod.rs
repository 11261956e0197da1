//! What every test stands on: a real server, people who speak to it, and pictures made by code.

mod client;
pub(crate) mod pictures;
mod server;

pub(crate) use client::{Answer, Client};
pub(crate) use server::{TestServer, files_under};
