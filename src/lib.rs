//! Vitrina: media hosting in one binary. The rooms, from the ground up; an arrow may only point
//! down, from a room to one of a lower floor (`tests/it/house.rs` holds them to it).
//!
//! What is fuzzed stands on the two lowest floors, so the others are left out then: building them
//! for the fuzzer takes several minutes.

// Floor 1: the words that every room uses.
pub mod base;

// Floor 2: tools that know nothing of media hosting.
pub mod archive;
pub mod av;
pub mod cache;
pub mod config;
pub mod db;
pub mod http;
pub mod imaging;
pub mod outward;
pub mod storage;

// Floor 3: whose data it is, and how pages are shown.
#[cfg(not(fuzzing))]
pub mod tenancy;
#[cfg(not(fuzzing))]
pub mod web;

// Floors 4 to 6: who is calling, what the site's rules are, what goes on behind, and the media
// themselves.
#[cfg(not(fuzzing))]
pub mod accounts;
#[cfg(not(fuzzing))]
pub mod jobs;
#[cfg(not(fuzzing))]
pub mod site;

#[cfg(not(fuzzing))]
pub mod media;

// Floor 7: how media are arranged, whole sites, saved and moved, and uploads that come in pieces.
#[cfg(not(fuzzing))]
pub mod albums;
#[cfg(not(fuzzing))]
pub mod transfer;
#[cfg(not(fuzzing))]
pub mod tus;

// The top: the contracts, the work behind the scenes, and the whole, wired.
#[cfg(not(fuzzing))]
pub mod api;
#[cfg(not(fuzzing))]
pub mod operator;
#[cfg(not(fuzzing))]
pub mod worker;

#[cfg(not(fuzzing))]
pub mod compat;
#[cfg(not(fuzzing))]
pub mod docs;

#[cfg(not(fuzzing))]
pub mod app;

#[cfg(not(fuzzing))]
pub mod server;

#[cfg(not(fuzzing))]
pub mod cli;
