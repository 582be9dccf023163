//! `openapi.json` and `asyncapi.json`: they are what is written, what they say is so, and
//! what is so they say.

mod answers;
mod codes;
mod frames;
mod routes;
mod schemas;
mod schemathesis;
mod written;

pub use frames::is_a_documented_frame;

use serde_json::Value;

/// What issuers, apps and browsers call.
pub const OPENAPI: &str = include_str!("../../../src/http/specifications/openapi.json");
/// What administrators call.
pub const ADMIN_OPENAPI: &str = include_str!("../../../src/http/specifications/admin-openapi.json");
/// The channel `slo.v1`.
pub const ASYNCAPI: &str = include_str!("../../../src/http/specifications/asyncapi.json");

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
