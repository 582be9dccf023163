//! What apps were told and have confirmed, gathered for a moment before it is written down.
//!
//! One logout tells many sockets at once, and each acknowledges. Written down one by one,
//! that costs more than telling them. So news wait a few milliseconds for company and
//! share a command and a commit; logouts wait for nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

use super::Hub;
use crate::domain::ids::LogoutId;
use crate::store::{Delivery, DeliveryNews, StoreError};

/// How long the first of some news waits for others: about as long as a commit takes.
const COMPANY: Duration = Duration::from_millis(10);
/// The most news in one command, so that no logout waits for long behind it.
const AT_ONCE: usize = 2048;
/// How many news may wait. The next is refused at once.
const WAITING_MAX: usize = 128 * 1024;

/// News that wait to be written down.
#[derive(Default)]
pub struct DeliveryNotes {
    gathered: Mutex<Gathered>,
    /// Rung when somebody cannot wait.
    hurry: Notify,
}

#[derive(Default)]
struct Gathered {
    notes: Vec<Note>,
    /// Whether a task is under way that writes them.
    is_seen_to: bool,
}

struct Note {
    /// `None` where somebody only wants to know that those before are written.
    news: Option<DeliveryNews>,
    /// Where somebody waits until it is written.
    reply: Option<oneshot::Sender<Result<(), StoreError>>>,
}

impl DeliveryNotes {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a note; true where nobody sees to them yet.
    fn add(&self, note: Note) -> Result<bool, StoreError> {
        let mut gathered = self.lock();
        if gathered.notes.len() >= WAITING_MAX {
            return Err(StoreError::Overloaded);
        }
        gathered.notes.push(note);
        Ok(!std::mem::replace(&mut gathered.is_seen_to, true))
    }

    /// All that wait. Where there are none, nobody sees to them from here on.
    fn take(&self) -> Vec<Note> {
        let mut gathered = self.lock();
        gathered.is_seen_to = !gathered.notes.is_empty();
        std::mem::take(&mut gathered.notes)
    }

    /// Waits until all that was added before is written, and has that done at once.
    async fn settled(&self) {
        let (reply, answer) = oneshot::channel();
        {
            let mut gathered = self.lock();
            if !gathered.is_seen_to {
                return;
            }
            gathered.notes.push(Note { news: None, reply: Some(reply) });
        }
        self.hurry.notify_one();
        answer.await.ok();
    }
}

impl Hub {
    /// Writes it down soon, and nobody waits for it.
    pub(super) fn note_delivery(self: &Arc<Self>, news: DeliveryNews) {
        if let Err(error) = self.gather(Note { news: Some(news), reply: None }) {
            tracing::warn!(error = %error, "could not note a delivery");
        }
    }

    /// The same; returns once it is on disk.
    pub(super) async fn write_delivery(self: &Arc<Self>, news: DeliveryNews) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.gather(Note { news: Some(news), reply: Some(reply) })?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }

    fn gather(self: &Arc<Self>, note: Note) -> Result<(), StoreError> {
        if self.delivery_notes.add(note)? {
            let hub = Arc::clone(self);
            // Shutdown waits for it, so what was told before is written.
            self.tasks.spawn(async move { hub.write_gathered().await });
        }
        Ok(())
    }

    async fn write_gathered(&self) {
        loop {
            tokio::select! {
                () = sleep(COMPANY) => {}
                () = self.delivery_notes.hurry.notified() => {}
                () = self.tasks.stopping() => {}
            }
            let notes = self.delivery_notes.take();
            if notes.is_empty() {
                return;
            }
            self.write_all(notes).await;
        }
    }

    /// The receipts of logouts, as in the store. What has gathered is written first: whoever
    /// is shown a receipt sees what their apps were told just now.
    ///
    /// # Errors
    /// Why they could not be read.
    pub(super) async fn receipts_of(&self, ids: &[LogoutId]) -> Result<HashMap<LogoutId, Vec<Delivery>>, StoreError> {
        self.delivery_notes.settled().await;
        self.store.deliveries_of(ids).await
    }

    /// The same, of one logout.
    ///
    /// # Errors
    /// Why it could not be read.
    pub(super) async fn receipt_of(&self, id: LogoutId) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.receipts_of(&[id]).await?.remove(&id).unwrap_or_default())
    }

    async fn write_all(&self, mut notes: Vec<Note>) {
        while !notes.is_empty() {
            let rest = notes.split_off(notes.len().min(AT_ONCE));
            self.write_some(std::mem::replace(&mut notes, rest)).await;
        }
    }

    async fn write_some(&self, notes: Vec<Note>) {
        let (news, replies): (Vec<_>, Vec<_>) = notes.into_iter().map(|note| (note.news, note.reply)).unzip();
        let news: Vec<_> = news.into_iter().flatten().collect();
        let count = news.len();
        let written = self.store.note_deliveries(news).await.map(|_| ());
        if let Err(error) = written {
            tracing::warn!(error = %error, count, "could not note deliveries");
        }
        for reply in replies.into_iter().flatten() {
            reply.send(written).ok();
        }
    }
}
