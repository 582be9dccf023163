//! A drill: a logout is rehearsed. Every open app of a session is told, and says so; it is
//! seen who did, and how fast. Nothing is recorded, and nobody is signed out.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::Hub;
use super::denied::{Denied, RequestFault};
use crate::channels::rehearsal::{Outcome, Rehearsed};
use crate::domain::app::App;
use crate::domain::ids::{ClientId, Issuer, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::LogoutTarget;
use crate::domain::via::Via;

/// How long apps have to answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Whose apps rehearse.
#[derive(Clone, Debug)]
pub enum Cast {
    /// Those of one session.
    Session(Sid),
    /// Those of all sessions of one person.
    Person(Subject),
}

/// How a drill went, as the API tells of it.
#[derive(Debug, Serialize)]
pub struct Drill {
    id: String,
    apps: Vec<Scene>,
}

/// One app, and one way by which a logout would reach it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Scene {
    client_id: String,
    name: String,
    via: &'static str,
    status: Status,
    /// How many channels it had open. Absent for other ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<usize>,
    /// How many of them answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<usize>,
    /// How long the slowest answer took; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Every open channel answered.
    Acknowledged,
    /// One did not.
    Silent,
    /// The app was used in the session, and no page of it is open.
    Away,
    /// This way cannot be tried without signing somebody out.
    NotRehearsed,
}

/// The channels of one app.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Turnout {
    channels: usize,
    answered: usize,
    slowest: Duration,
}

impl Turnout {
    fn count(&mut self, outcome: Outcome, began: Duration) {
        let Outcome::Answered(at) = outcome else {
            self.channels += usize::from(outcome == Outcome::Silent);
            return;
        };
        self.channels += 1;
        self.answered += 1;
        self.slowest = self.slowest.max(at.saturating_sub(began));
    }

    /// As many more, at another node.
    pub(super) fn add(&mut self, other: Self) {
        self.channels += other.channels;
        self.answered += other.answered;
        self.slowest = self.slowest.max(other.slowest);
    }

    fn status(self) -> Status {
        match self {
            Self { channels: 0, .. } => Status::Away,
            Self { channels, answered, .. } if channels == answered => Status::Acknowledged,
            Self { .. } => Status::Silent,
        }
    }

    fn milliseconds(self) -> Option<u64> {
        let milliseconds = u64::try_from(self.slowest.as_millis()).unwrap_or(u64::MAX);
        (self.answered > 0).then_some(milliseconds)
    }
}

impl Hub {
    /// Rehearses a logout with every app that is open, and waits until all have answered, or
    /// have had their time. One drill at a time; another waits for its turn.
    ///
    /// # Errors
    /// [`Denied::Request`] for an issuer that is none of this hub's; [`Denied::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the drill; what an app still says then counts for nothing.
    pub async fn drill(&self, issuer: Option<&Issuer>, cast: Cast) -> Result<Drill, Denied> {
        let issuer = self.issuer_of(issuer)?;
        let used = self.apps_used(&issuer, &cast).await?;
        let kind = if matches!(cast, Cast::Session(_)) { "session" } else { "person" };
        let turnouts = self.rehearse(&target(issuer.clone(), cast)).await;
        let apps = self.directory.apps_of(&issuer);
        let apps: Vec<_> = apps.flat_map(|app| scenes(app, turnouts.get(&app.client_id), &used)).collect();
        let drill = Drill { id: self.new_logout_id().to_string(), apps };
        let silent = drill.apps.iter().filter(|scene| scene.status == Status::Silent).count();
        tracing::info!(
            drill.id = drill.id,
            drill.target = kind,
            apps = turnouts.len(),
            silent,
            "an administrator rehearsed a logout"
        );
        Ok(drill)
    }

    async fn rehearse(&self, target: &LogoutTarget) -> HashMap<ClientId, Turnout> {
        let _one_at_a_time = self.rehearsing.turn().await;
        let elsewhere = self.rehearse_elsewhere(target).await;
        let mut turnouts = self.rehearse_here(target).await;
        if let Some(elsewhere) = elsewhere {
            elsewhere.add_to(&mut turnouts).await;
        }
        turnouts
    }

    /// Has this node's own channels rehearse, and waits for their answers.
    pub(super) async fn rehearse_here(&self, target: &LogoutTarget) -> HashMap<ClientId, Turnout> {
        let (began, until) = (self.clock.uptime(), Instant::now() + ANSWER_WITHIN);
        let channels = self.channels.rehearse(target, || self.new_logout_id());
        let outcomes = channels.into_iter().map(|channel| async move {
            let client_id = channel.sign_in.client_id.clone();
            (client_id, outcome(channel, until).await)
        });
        let mut turnouts: HashMap<_, Turnout> = HashMap::new();
        for (client_id, outcome) in join_all(outcomes).await {
            turnouts.entry(client_id).or_default().count(outcome, began);
        }
        turnouts
    }

    /// The apps that were seen in sessions that are not over.
    async fn apps_used(&self, issuer: &Issuer, cast: &Cast) -> Result<HashSet<ClientId>, Denied> {
        let sessions = match cast {
            Cast::Session(sid) => self.session(issuer, sid).await?.into_iter().collect(),
            Cast::Person(sub) => self.sessions_of(issuer, sub).await?,
        };
        let alive = sessions.into_iter().filter(|session| session.ended_by.is_none());
        Ok(alive.flat_map(|session| session.apps).collect())
    }
}

async fn outcome(channel: Rehearsed, until: Instant) -> Outcome {
    timeout_at(until, channel.outcome()).await.unwrap_or(Outcome::Silent)
}

fn target(issuer: Issuer, cast: Cast) -> LogoutTarget {
    match cast {
        Cast::Session(sid) => LogoutTarget::Session { key: SessionKey { issuer, sid }, sub: None },
        Cast::Person(sub) => LogoutTarget::User(SubjectKey { issuer, sub }),
    }
}

/// What there is to say of one app: of its channels, where it has some or nothing else, and
/// of every other way by which a logout would reach it.
fn scenes(app: &App, turnout: Option<&Turnout>, used: &HashSet<ClientId>) -> Vec<Scene> {
    let turnout = turnout.copied().unwrap_or_default();
    let others = [
        (Via::Backchannel, &app.backchannel_logout_uri),
        (Via::Frontchannel, &app.frontchannel_logout_uri),
        (Via::Chain, &app.chain_logout_uri),
    ];
    let others: Vec<_> = others.into_iter().filter(|(_, uri)| uri.is_some()).map(|(via, _)| via.as_str()).collect();
    let is_listener = turnout.channels > 0 || (used.contains(&app.client_id) && others.is_empty());
    let scene = |via, status| Scene {
        client_id: app.client_id.as_str().to_owned(),
        name: app.name.clone(),
        via,
        status,
        channels: None,
        answered: None,
        milliseconds: None,
    };
    let channel = is_listener.then(|| Scene {
        channels: Some(turnout.channels),
        answered: Some(turnout.answered),
        milliseconds: turnout.milliseconds(),
        ..scene("channel", turnout.status())
    });
    channel.into_iter().chain(others.into_iter().map(|via| scene(via, Status::NotRehearsed))).collect()
}

impl Cast {
    /// The one target that an administrator names.
    ///
    /// # Errors
    /// [`RequestFault::BadCast`] unless it is exactly one.
    pub fn of(sid: Option<Sid>, sub: Option<Subject>) -> Result<Self, RequestFault> {
        match (sid, sub) {
            (Some(sid), None) => Ok(Self::Session(sid)),
            (None, Some(sub)) => Ok(Self::Person(sub)),
            _ => Err(RequestFault::BadCast),
        }
    }
}
