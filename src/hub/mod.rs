//! The verbs: what can be asked of the hub, one use case a file.
//!
//! Two orders are kept everywhere. On the logout path *commit, then push, then
//! answer*; on the subscribe path *register, then read the facts, then answer*. In
//! between a logout may arrive twice, never not at all.

pub mod acknowledge;
pub mod admin_logout;
pub mod ask_who;
pub mod back_ends;
pub mod caller;
mod chain;
pub mod console_sign_in;
pub mod delivery_notes;
pub mod denied;
pub mod drill;
pub mod drill_elsewhere;
pub mod end_session;
pub mod end_session_wish;
pub mod ended_sessions;
pub mod event;
pub mod feed;
mod flight;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
pub mod housekeeping;
mod issuer_end;
mod issuer_list;
mod lapse;
mod ledger;
pub mod letters;
pub mod log_book;
pub mod my_sessions;
mod other_nodes;
pub mod overview;
pub mod own_questions;
pub mod own_sign_in;
pub mod progress;
pub mod readings;
pub mod receipt;
pub mod receive_logout;
pub mod record;
pub mod report_logout;
pub mod seal;
pub mod session_life;
pub mod session_state;
pub mod sessions;
mod sighting;
pub mod signing_keys;
pub mod signing_out;
pub mod subscribe;
pub mod sweeping;
pub mod tries;

use std::sync::Arc;
use std::time::Duration;

use self::back_ends::BackEnds;
use self::delivery_notes::DeliveryNotes;
use crate::channels::Channels;
use crate::config::PublicUrl;
use crate::domain::app::Directory;
use crate::domain::clock::Clock;
use crate::metrics::Metrics;
use crate::oidc::code_flow::CodeFlow;
use crate::oidc::keys::IssuerKeys;
use crate::oidc::management::Managements;
use crate::oidc::own_logout_token::OwnLogoutTokens;
use crate::oidc::resume_ticket::ResumeTickets;
use crate::oidc::verifier::Verifier;
use crate::store::Store;
use crate::tasks::Tasks;
use crate::telemetry::LogHash;
use drill_elsewhere::Rehearsing;
use seal::Seal;
use session_life::SessionLife;
use sweeping::Sweeping;
use tries::Tries;

/// What of the configuration the verbs need.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What browsers and issuers call this hub.
    pub public_url: PublicUrl,
    /// How long a resume ticket lives, counted from when it was given.
    pub resume_ttl: Duration,
    /// How many channels one session may have open.
    pub max_connections_per_session: usize,
    /// How old a logout token may be; also how late a report may be and still be
    /// about a logout that is already recorded.
    pub logout_token_max_age: Duration,
    /// How far clocks may be apart.
    pub clock_skew: Duration,
    /// How long facts are kept.
    pub retention: Duration,
}

/// Everything a verb works with. Built once, in `app`.
pub struct Hub {
    /// Who is registered.
    pub directory: Arc<Directory>,
    /// Which of them take logout tokens at their back ends.
    pub back_ends: BackEnds,
    /// Turns raw tokens into verified ones.
    pub verifier: Verifier,
    /// The issuers' keys and metadata.
    pub keys: Arc<IssuerKeys>,
    /// The hub's own tickets.
    pub tickets: ResumeTickets,
    /// The hub's own logout tokens.
    pub own_tokens: Arc<OwnLogoutTokens>,
    /// The Management API of the issuers that have one configured.
    pub management: Managements,
    /// Asks issuers who is signed in.
    pub code_flow: CodeFlow,
    /// Seals what leaves the hub in a browser and has to come back.
    pub seal: Seal,
    /// The facts.
    pub store: Store,
    /// How often a browser came back from the issuer with an answer to one question.
    pub own_answers: Tries,
    /// Who is listening.
    pub channels: Channels,
    /// What apps were told and have confirmed, and is not written down yet.
    pub delivery_notes: DeliveryNotes,
    /// What was just seen of sessions, and when they end by themselves.
    pub life: SessionLife,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Work that shutdown waits for.
    pub tasks: Tasks,
    /// Names sessions in logs without showing them.
    pub log_hash: LogHash,
    /// Administrators' sweeps, which go on in the background.
    pub sweeping: Sweeping,
    /// Who rehearses a logout: one at a time.
    pub rehearsing: Rehearsing,
    /// The rules of this hub.
    pub rules: Rules,
}
