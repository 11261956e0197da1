//! Other people's contracts, kept at arm's length: thin translations to our own verbs, so that
//! scripts which speak them run after a change of address and key.

mod answers;
mod guard;
pub mod tenants;
pub mod uploads;
mod words;
