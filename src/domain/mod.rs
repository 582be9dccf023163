//! Nouns and rules: no input or output, nothing asynchronous, no clock calls.

pub mod app;
pub mod audit;
pub mod clock;
pub(crate) mod coded;
pub mod device;
pub mod digest;
pub mod ids;
pub mod json;
pub mod logout;
pub mod redirect;
pub mod retry_after;
pub mod secret;
pub mod session_life;
pub mod signing_key;
pub mod sweep;
pub mod via;
