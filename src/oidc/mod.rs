//! What the specifications say about tokens, keys and providers.
//!
//! A raw token has no claims; only a verified one does. What stands between them:
//!
//! - `jose` reads a compact JWS strictly, and holds the rules about its header;
//!   `claims` reads claims strictly, and holds the rules that both kinds of token share.
//! - [`logout_token`] turns a `RawLogoutToken` into a `LogoutToken`, [`id_token`] a
//!   `RawIdToken` into an `IdToken`: one named function a rule. [`verifier`] holds what
//!   they need, and checks signatures.
//! - [`keys`] has the issuers' keys and metadata at hand and asks for newer ones, seldom;
//!   `key_set` reads what an issuer publishes, [`discovery`] where; [`fetch`] is the HTTP
//!   client for it, and [`guard`] says which addresses a name may lead to.
//! - [`code_flow`] is the hub's own way to ask an issuer who is signed in.
//! - [`management`] asks Auth0's Management API: who is signed in, and that it ends.
//! - [`resume_ticket`] is the hub's own kind of token. [`own_logout_token`] makes logout
//!   tokens with the hub as their issuer; `signer` holds one of the keys for that.
//! - [`fault`] names every rule that a token can break.

mod claims;
pub mod code_flow;
pub mod discovery;
pub mod fault;
pub mod fetch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
pub mod guard;
pub mod id_token;
mod jose;
pub mod key_set;
pub mod keys;
pub mod logout_token;
pub mod management;
pub mod own_logout_token;
pub mod resume_ticket;
mod signer;
pub mod verifier;
