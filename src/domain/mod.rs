//! Nouns and rules: no input or output, nothing asynchronous, no clock calls.

pub mod app;
pub mod clock;
pub mod ids;
pub mod json;
pub mod logout;
pub mod redirect;
pub mod secret;
pub mod signing_key;
pub mod sweep;
pub mod via;
