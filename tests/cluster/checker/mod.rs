//! Whether a history keeps what the hub promises. A pure function: the same history, the
//! same verdict. `docs/testing-several-nodes.md` says the rules in words.

mod log;
mod people;
#[cfg(test)]
mod tests;
mod view;

use std::fmt::{self, Display, Formatter};

use self::view::View;
use crate::history::{Entry, Whom};

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Connected when the faults were over, it was given time, and heard nothing.
    LiveButUntold { tab: u32, connection: u32, report: u32 },
    /// At the very end it still does not know.
    NeverTold { tab: u32, report: u32 },
    /// `subscribed`, though an acknowledged logout had ended that sign-in before it asked.
    LetInAfterLogout { tab: u32, connection: u32, report: u32 },
    /// Nothing was broken any more, and yet it got no answer.
    NeverBack { tab: u32 },
    /// The log does not have it.
    ToldOfNothing { tab: u32, connection: u32, id: String },
    /// The log has it, or it was told, and nobody had asked for it by then.
    NobodyReported { id: String },
    /// The event is about another session.
    OtherSession { tab: u32, connection: u32, id: String },
    /// Two events on one connection.
    ToldTwice { tab: u32, connection: u32, id: String },
    /// `subscribed` after the event, on the same connection.
    Revived { tab: u32, connection: u32 },
    /// Acknowledged, and not in the log.
    Lost { report: u32, id: Option<String> },
    /// The log has a second logout where there was nothing left to end.
    RecordedTwice { whom: Whom, id: String },
    /// The log has the same logout twice.
    LoggedTwice { id: String },
    /// A follower was not given what comes next.
    Skipped { follower: u32, id: String, instead_of: String },
    /// A follower was given what it had.
    FedTwice { follower: u32, id: String },
    /// A follower never got to the end of the log.
    Behind { follower: u32, by: usize },
    /// What was right was called wrong: 4xx, or a close that says "stay away".
    Blamed { whom: String, what: String },
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::LiveButUntold { tab, connection, report } => write!(
                f,
                "tab {tab} was connected ({connection}) while nothing was broken, and was not told of the logout that report {report} was acknowledged for"
            ),
            Self::NeverTold { tab, report } => {
                write!(f, "tab {tab} was never told of the logout that report {report} was acknowledged for")
            }
            Self::LetInAfterLogout { tab, connection, report } => write!(
                f,
                "tab {tab} was let in (connection {connection}) after report {report} of its logout had been acknowledged"
            ),
            Self::NeverBack { tab } => write!(f, "tab {tab} got no answer from a cluster in which nothing was broken"),
            Self::ToldOfNothing { tab, connection, id } => {
                write!(f, "tab {tab} was told (connection {connection}) of logout {id}, which the log does not have")
            }
            Self::NobodyReported { id } => write!(f, "nobody had reported logout {id}"),
            Self::OtherSession { tab, connection, id } => {
                write!(f, "tab {tab} was told (connection {connection}) of logout {id}, which is of another session")
            }
            Self::ToldTwice { tab, connection, id } => {
                write!(f, "tab {tab} was told twice on connection {connection}, the second time of logout {id}")
            }
            Self::Revived { tab, connection } => {
                write!(
                    f,
                    "tab {tab} was told on connection {connection} that its session is over, and then that it is not"
                )
            }
            Self::Lost { report, id: Some(id) } => {
                write!(f, "report {report} was acknowledged as logout {id}, which the log does not have")
            }
            Self::Lost { report, id: None } => {
                write!(f, "report {report} was acknowledged, and the log has no such logout")
            }
            Self::RecordedTwice { whom, id } => {
                write!(f, "logout {id} of {whom:?} was recorded although one before it had ended everything")
            }
            Self::LoggedTwice { id } => write!(f, "the log has logout {id} twice"),
            Self::Skipped { follower, id, instead_of } => {
                write!(f, "follower {follower} was given logout {id} when {instead_of} came next")
            }
            Self::FedTwice { follower, id } => write!(f, "follower {follower} was given logout {id} twice"),
            Self::Behind { follower, by } => write!(f, "follower {follower} was never given the last {by} logouts"),
            Self::Blamed { whom, what } => write!(f, "{whom} did nothing wrong and was told {what}"),
        }
    }
}

/// Every promise that a history breaks.
pub fn check(entries: &[Entry]) -> Vec<Violation> {
    let view = View::of(entries);
    let mut found = people::check(&view);
    found.extend(log::check(&view));
    found
}

/// The tabs that are connected at the end of an unfinished history and have not been told
/// of a logout that ends them.
pub fn untold(entries: &[Entry]) -> Vec<Violation> {
    people::live_but_untold(&View::of(entries), entries.len())
}
