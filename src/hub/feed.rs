//! A back end follows every logout of its issuer, in order, from where it left off.
//!
//! The bell only says that there is something new; the store says what. So nothing
//! is skipped, and nothing is queued for a reader that is slow.

use std::sync::Arc;

use tokio::sync::watch;

use super::Hub;
use super::denied::{Denied, RequestFault};
use crate::channels::Notice;
use crate::domain::app::App;
use crate::domain::ids::LogoutId;

/// How many logouts are read at a time.
const PAGE: u32 = 64;

/// One back end's place in the log of its issuer.
pub struct Feed {
    hub: Arc<Hub>,
    app: Arc<App>,
    bell: watch::Receiver<u64>,
    position: i64,
}

impl Hub {
    /// Opens a feed just after the logout named `after`; at the beginning for an empty
    /// name; at the end without one.
    ///
    /// # Errors
    /// [`RequestFault::UnknownCursor`] for a name that the log does not have;
    /// [`Denied::Store`].
    pub async fn follow(self: &Arc<Self>, app: Arc<App>, after: Option<&str>) -> Result<Feed, Denied> {
        // The bell first: what is recorded from here on will ring it.
        let bell = self.channels.bell(&app.issuer);
        let position = match after {
            None => self.store.last_position(&app.issuer).await?,
            Some("") => 0,
            Some(name) => {
                let id = LogoutId::parse(name).map_err(|_| RequestFault::UnknownCursor)?;
                self.store.position_of(&app.issuer, id).await?.ok_or(RequestFault::UnknownCursor)?
            }
        };
        Ok(Feed { hub: Arc::clone(self), app, bell, position })
    }
}

impl Feed {
    /// Whose feed this is.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// The next logouts, in order; waits until there are some.
    ///
    /// # Errors
    /// [`Denied::Store`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: the place moves on only with what
    /// is returned.
    pub async fn next(&mut self) -> Result<Vec<Arc<Notice>>, Denied> {
        loop {
            self.bell.mark_unchanged();
            let page = self.hub.store.logouts_after(&self.app.issuer, self.position, PAGE).await?;
            if let Some((last, _)) = page.last() {
                self.position = *last;
                return Ok(page.into_iter().map(|(_, logout)| Arc::new(Notice::of(logout))).collect());
            }
            // The sender lives as long as the hub.
            if self.bell.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
