//! What other nodes have recorded is pushed here too: each node tells its own channels.
//!
//! What they say besides is about what stands in no table: that a session is in use while
//! its apps are being warned, and drills.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Hub;
use super::denied::Denied;
use super::drill_elsewhere::{Call, Part};
use crate::channels::Notice;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Issuer, LogoutId, SessionKey, Sid, Subject};
use crate::domain::logout::SignIn;
use crate::store::{News, StoreError};

/// What nodes say to each other. A node of another version may say what this one does not
/// know: that is passed over.
#[derive(Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub(super) enum Message {
    /// A session that is being warned is in use.
    Active { issuer: String, sid: String, at: i64 },
    /// Have your channels rehearse a logout, and say how that went.
    Rehearse(Call),
    /// How it went.
    Rehearsed(Part),
    /// An app has answered a rehearsal by a request, and not at the node that it listens at.
    Answered { id: String, issuer: String, sub: String, sid: Option<String>, client_id: String },
}

impl Hub {
    /// Tells this node's channels what other nodes have committed, for as long as the hub runs.
    pub(super) async fn hear_other_nodes(self: &Arc<Self>) {
        let Some(mut news) = self.store.take_news() else { return };
        while let Some(news) = news.recv().await {
            match news {
                News::Logout(recorded) => drop(self.push_recorded(&recorded)),
                News::SessionEnd { answered, end } => self.push_end(*answered, *end),
                News::SweepOrdered => self.sweeping.wake(),
                News::LookAtAll => self.look_at_all_channels().await,
                News::Said(message) => self.hear(&message),
            }
        }
    }

    /// Says something to every other node, without waiting for that. Nothing depends on it:
    /// what is not heard costs a warning too many, or a line of a drill.
    pub(super) fn say(&self, message: &Message) {
        self.say_in_order(std::slice::from_ref(message));
    }

    /// The same of several things, which are heard in that order.
    pub(super) fn say_in_order(&self, messages: &[Message]) {
        if !self.store.is_shared() {
            return;
        }
        let said: Vec<_> = messages.iter().filter_map(|message| serde_json::to_string(message).ok()).collect();
        let store = self.store.clone();
        self.tasks.spawn(async move {
            for said in said {
                if let Err(error) = store.say(&said).await {
                    tracing::debug!(error = %error, "other nodes could not be told");
                }
            }
        });
    }

    /// A session that is being warned at some node is in use.
    pub(super) fn say_active(&self, key: &SessionKey, at: UnixMillis) {
        let (issuer, sid) = (key.issuer.as_str().to_owned(), key.sid.as_str().to_owned());
        self.say(&Message::Active { issuer, sid, at: at.0 });
    }

    /// An app names what may be its part in a rehearsal, at the node where it listens.
    pub(super) fn say_answered(&self, id: LogoutId, by: &SignIn) {
        self.say(&Message::Answered {
            id: id.to_string(),
            issuer: by.issuer.as_str().to_owned(),
            sub: by.sub.as_str().to_owned(),
            sid: by.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            client_id: by.client_id.as_str().to_owned(),
        });
    }

    fn hear(self: &Arc<Self>, message: &str) {
        match serde_json::from_str(message) {
            Ok(Message::Active { issuer, sid, at }) => {
                let (Ok(issuer), Ok(sid)) = (Issuer::parse(&issuer), Sid::parse(&sid)) else { return };
                let (key, uptime) = (SessionKey { issuer, sid }, self.clock.uptime());
                self.life.ledger.hear(key, UnixMillis(at), uptime, &self.channels);
            }
            Ok(Message::Rehearse(call)) => self.play(call),
            Ok(Message::Rehearsed(part)) => self.rehearsing.take(part),
            Ok(Message::Answered { id, issuer, sub, sid, client_id }) => {
                let by = || {
                    Some(SignIn {
                        issuer: Issuer::parse(&issuer).ok()?,
                        client_id: ClientId::parse(&client_id).ok()?,
                        sub: Subject::parse(&sub).ok()?,
                        sid: sid.as_deref().map(Sid::parse).transpose().ok()?,
                        issued_at: self.clock.now().floor(),
                        auth_time: None,
                    })
                };
                if let (Some(by), Ok(id)) = (by(), LogoutId::parse(&id)) {
                    let _known = self.channels.rehearsed(id, &by, self.clock.uptime());
                }
            }
            Err(_) => tracing::debug!("another node said what this one does not understand"),
        }
    }

    /// Looks at every open channel as if it had just come: what was missed is told now.
    async fn look_at_all_channels(self: &Arc<Self>) {
        for sign_in in self.channels.untold(|_| true) {
            match self.look_at_channel(&sign_in).await {
                Ok(()) | Err(Denied::Store(StoreError::Stopped)) => {}
                Err(error) => tracing::warn!(error = %error, "a channel could not be looked at"),
            }
        }
    }

    async fn look_at_channel(self: &Arc<Self>, sign_in: &SignIn) -> Result<(), Denied> {
        let standing = self.store.standing(sign_in).await?;
        if let Some(logout) = self.heeding_sweeps(sign_in, standing).await?.ended_by {
            self.channels.tell(sign_in, &Arc::new(Notice::of(logout)));
        }
        Ok(())
    }
}
