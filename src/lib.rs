//! Vitrina: media hosting in one binary. The rooms, from the ground up; an arrow may only point
//! down, from a room to one of a lower floor (`tests/it/house.rs` holds them to it).

// Floor 1: the words that every room uses.
pub mod base;

// Floor 2: tools that know nothing of media hosting.
pub mod archive;
pub mod cache;
pub mod config;
pub mod db;
pub mod http;
pub mod imaging;
pub mod outward;
pub mod storage;

// Floor 3: whose data it is, and how pages are shown.
pub mod tenancy;
pub mod web;

// Floors 4 to 6: who is calling, what the site's rules are, and the media themselves.
pub mod accounts;
pub mod site;

pub mod media;

// Floor 7: whole sites, saved and moved.
pub mod transfer;

// The top: the contracts, the work behind the scenes, and the whole, wired.
pub mod api;
pub mod operator;
pub mod worker;

pub mod compat;
pub mod docs;

pub mod app;

pub mod server;

pub mod cli;
