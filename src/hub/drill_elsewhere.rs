//! A drill at several nodes: each has its own channels rehearse, and says how that went.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Hub;
use super::drill::{ANSWER_WITHIN, Turnout};
use super::other_nodes::Message;
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, Subject, SubjectKey};
use crate::domain::logout::LogoutTarget;

/// How long what another node says may be on its way, beyond its apps' own time.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// Who rehearses just now: one drill at a time.
#[derive(Default)]
pub struct Rehearsing {
    turn: tokio::sync::Mutex<()>,
    awaited: Mutex<Option<(String, mpsc::UnboundedSender<Part>)>>,
}

impl Rehearsing {
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// What another node has to say of the drill that goes on here, if it does.
    pub(super) fn take(&self, part: Part) {
        if let Some((_, parts)) = self.awaited().as_ref().filter(|(id, _)| *id == part.id) {
            parts.send(part).ok();
        }
    }

    fn awaited(&self) -> MutexGuard<'_, Option<(String, mpsc::UnboundedSender<Part>)>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What other nodes are asked to rehearse.
#[derive(Serialize, Deserialize)]
pub(super) struct Call {
    id: String,
    issuer: String,
    sid: Option<String>,
    sub: Option<String>,
}

/// What one node has to say of one app; of none, when that was all.
#[derive(Serialize, Deserialize)]
pub(super) struct Part {
    id: String,
    app: Option<(String, Turnout)>,
}

impl Call {
    fn of(id: LogoutId, target: &LogoutTarget) -> Self {
        let (sid, sub) = match target {
            LogoutTarget::Session { key, .. } => (Some(key.sid.as_str().to_owned()), None),
            LogoutTarget::User(key) => (None, Some(key.sub.as_str().to_owned())),
        };
        Self { id: id.to_string(), issuer: target.issuer().as_str().to_owned(), sid, sub }
    }

    fn target(&self) -> Option<LogoutTarget> {
        let issuer = Issuer::parse(&self.issuer).ok()?;
        match (&self.sid, &self.sub) {
            (Some(sid), _) => {
                Some(LogoutTarget::Session { key: SessionKey { issuer, sid: Sid::parse(sid).ok()? }, sub: None })
            }
            (None, Some(sub)) => Some(LogoutTarget::User(SubjectKey { issuer, sub: Subject::parse(sub).ok()? })),
            (None, None) => None,
        }
    }
}

/// What other nodes will say of a drill.
pub(super) struct Elsewhere {
    nodes: usize,
    parts: mpsc::UnboundedReceiver<Part>,
    until: Instant,
}

impl Hub {
    /// Has every other node rehearse too. Whoever cannot be asked is away.
    pub(super) async fn rehearse_elsewhere(&self, target: &LogoutTarget) -> Option<Elsewhere> {
        let nodes = self.store.other_nodes().await.ok().filter(|nodes| *nodes > 0)?;
        let call = Call::of(self.new_logout_id(), target);
        let (sender, parts) = mpsc::unbounded_channel();
        *self.rehearsing.awaited() = Some((call.id.clone(), sender));
        self.say(&Message::Rehearse(call));
        Some(Elsewhere { nodes, parts, until: Instant::now() + ANSWER_WITHIN + ON_ITS_WAY })
    }

    /// Another node has called for a rehearsal.
    pub(super) fn play(self: &Arc<Self>, call: Call) {
        let Some(target) = call.target() else { return };
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            let turnouts = hub.rehearse_here(&target).await;
            let apps = turnouts.into_iter().map(|(client_id, turnout)| Some((client_id.as_str().to_owned(), turnout)));
            // The last one says that this was all.
            let parts = apps.chain([None]).map(|app| Message::Rehearsed(Part { id: call.id.clone(), app }));
            hub.say_in_order(&parts.collect::<Vec<_>>());
        });
    }
}

impl Elsewhere {
    /// Adds what the other nodes say, until all have said it, or have had their time.
    pub(super) async fn add_to(mut self, turnouts: &mut HashMap<ClientId, Turnout>) {
        while self.nodes > 0 {
            let Ok(Some(part)) = timeout_at(self.until, self.parts.recv()).await else { return };
            let Some((client_id, turnout)) = part.app else {
                self.nodes -= 1;
                continue;
            };
            if let Ok(client_id) = ClientId::parse(&client_id) {
                turnouts.entry(client_id).or_default().add(turnout);
            }
        }
    }
}
