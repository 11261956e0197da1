//! Everything the product promises, over HTTP. One binary, so that it is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

mod access;
mod av;
mod cli;
mod cli_hosting;
mod cli_upkeep;
mod colours;
mod compat;
mod contract;
mod crash;
mod decoding;
mod delivery;
#[cfg(feature = "svg")]
mod drawings;
mod ffmpeg;
mod files;
mod films;
mod first_run;
mod hostile;
mod hosts;
mod house;
mod imaging;
mod isolation;
mod jobs;
mod jobs_api;
mod jobs_killed;
mod limits;
mod listing;
mod log;
mod looks;
mod media;
mod moving;
mod open_tenants;
mod operator;
mod operator_access;
mod operator_plans;
mod operator_signed;
mod operator_surface;
mod pages;
mod processes;
mod regeneration;
mod remote;
mod renderings;
mod sign_in;
mod storages;
mod told;
mod transcoding;
mod transfer;
mod transfer_killed;
mod tus;
mod upload;
mod upload_bytes;
mod watermark;
