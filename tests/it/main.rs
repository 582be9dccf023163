//! The integration tests: the real app, a real database (SQLite, or
//! PostgreSQL where `scripts/with-postgres` gives one), real sockets, issuers with real
//! keys, and a clock that is moved by hand.

#![expect(unreachable_pub, reason = "a test binary has no outside; its modules are public to one another")]
#![expect(clippy::unwrap_used, reason = "a helper that panics shows the whole exchange")]

#[path = "../support/mod.rs"]
mod support;

mod account;
mod active_sessions;
mod admin;
mod admin_cli;
mod admin_counts;
mod admin_faults;
mod admin_sweeps;
mod algorithms;
mod ask_who;
mod attacks;
mod audit;
mod audit_files;
mod back_end;
mod backup;
mod browser;
mod certificates;
mod chain;
mod channel;
mod clock_trouble;
mod close_codes;
mod console;
mod console_operator;
mod console_screens;
mod crowded;
mod delivery;
mod delivery_crash;
mod delivery_crowd;
mod delivery_nodes;
mod delivery_retries;
mod doctor;
mod drill;
mod drill_cli;
mod durability;
mod edges;
mod floods;
mod frames;
mod heads;
mod healthcheck;
mod hostile;
mod hub;
mod init;
mod issuer_ends;
mod key_fetches;
mod keys;
mod logouts;
mod management;
mod management_fake;
mod management_hurry;
mod migrate;
mod monitoring;
mod nodes;
mod nodes_talk;
mod on_a_server;
mod operators;
mod orders;
mod own_tokens;
mod papers;
mod process;
mod receipts;
mod receiver;
mod records;
mod redirect;
mod registry;
mod reports;
mod rig;
mod service_manager;
mod session_life;
mod sessions_api;
mod sessions_at_issuer;
mod sessions_codes;
mod sessions_page;
mod sessions_sign_in;
mod signing_keys;
mod signing_out;
mod socket_memory;
mod specifications;
mod sse;
mod stored_limits;
mod stories;
mod tab;
mod tls;
mod tls_files;
mod tls_memory;
mod token_limits;
mod token_rules;
mod wait;
mod websocket_rules;
mod wire_files;
