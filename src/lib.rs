//! slo-hub: one logout, and every app on every domain signs out.
//!
//! A company has several web apps on different domains behind one OpenID provider.
//! Signing in once works everywhere; signing out does not. The hub takes logouts from
//! apps and back-channel notifications from the provider, writes them down, and pushes
//! them over authenticated channels to every app of the session.
//!
//! # The promise
//! **A logout that was acknowledged reaches every app of that session, however long it
//! slept, and can be proved.** Two orders keep it, and each has its test:
//!
//! - on the logout path: *commit, then push, then answer*;
//! - on the subscribe path: *register, then read the facts, then answer*.
//!
//! In between a logout may arrive twice, never not at all.
//!
//! # The life of one logout
//! 1. [`http::backchannel_logout`] takes the form and the raw token in it.
//! 2. [`hub::receive_logout`] has [`oidc`] verify it: only a verified token has claims.
//! 3. [`store`] writes, in one transaction: the token's name, so that it counts once; the
//!    fact; a line of the receipt for every app known to use the session; what is to be
//!    posted to apps' back ends.
//! 4. After the commit, [`channels`] tells every open channel that the fact covers; then
//!    comes the answer.
//! 5. [`ws`] writes the frame (or [`http::events`] does); the SDK signs the app out and
//!    acknowledges; the receipt says so.
//! 6. [`delivery`] finds what is to be posted, and posts it until it is taken, on its own
//!    time.
//! 7. An app that was away subscribes when it wakes, and [`hub::subscribe`] finds the fact.
//!
//! An administrator's logout of many ([`hub::admin_logout`]) is one row: a rule that holds
//! for whoever comes from then on. [`hub::sweeping`] gives every session that the hub knows
//! a logout of its own, and steps 4 to 7 are the same.
//!
//! # The way of a browser
//! [`hub::end_session`] leads it: from an app's link, past the page that shows every app
//! signing out ([`hub::signing_out`], [`hub::progress`]), through the apps that can only be
//! visited, to the provider and home. [`hub::ask_who`] learns who it is where the link
//! does not say; [`hub::seal`] sees to it that what leaves comes back in the same browser.
//! A person who looks at their own sessions is signed in by [`hub::own_sign_in`], and sees
//! and ends what [`hub::my_sessions`] lists.
//!
//! # Sessions that end by themselves
//! [`hub::sessions`] notes what is seen of every session, and [`hub::session_life`] ends
//! those that nobody uses, or that grew too old, by the same way as any other logout.
//! [`domain::session_life`] has the rules.
//!
//! # A logout that is only played
//! [`hub::drill`] asks every open channel of a session to answer as it would to a logout, and
//! signs nobody out.
//!
//! # The rooms, from the ground up
//! A module names only rooms below its own, never a neighbour; `tests/architecture.rs`
//! holds that.
//!
//! - [`domain`]: nouns and rules. No input or output, nothing asynchronous, no clock.
//! - [`tasks`], [`telemetry`], [`config`]: background work, logs and traces, the one TOML file.
//! - [`oidc`]: what the specifications say about tokens, keys and providers.
//!   [`listener`]: connections, with deadlines for everything.
//! - [`store`]: the facts, in SQLite; the only room that knows of a database.
//!   [`channels`]: who is listening, in memory.
//! - [`metrics`]: what is counted.
//! - [`hub`]: the verbs, one use case a file. [`delivery`], beside it: posts what waits
//!   in the store's outbox to apps' back ends, and ends sessions at their issuers;
//!   neither calls the other. [`doctor`]: looks at what lies around the hub.
//! - [`web`]: what every edge needs. Who is calling, and how they are told no.
//! - [`http`], [`ws`], [`pages`], [`console`]: the edges. Take bytes, call one verb, answer.
//! - [`app`]: builds every part once. [`cli`]: the commands.

pub mod app;
pub mod channels;
pub mod cli;
pub mod config;
pub mod console;
pub mod delivery;
pub mod doctor;
pub mod domain;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod http;
pub mod hub;
pub mod listener;
pub mod metrics;
pub mod oidc;
pub mod pages;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod web;
pub mod ws;
