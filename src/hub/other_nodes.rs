//! What other nodes have recorded is pushed here too: each node tells its own channels.

use std::sync::Arc;

use super::Hub;
use super::denied::Denied;
use crate::channels::Notice;
use crate::domain::logout::SignIn;
use crate::store::{News, StoreError};

impl Hub {
    /// Tells this node's channels what other nodes have committed, for as long as the hub runs.
    pub(super) async fn hear_other_nodes(self: &Arc<Self>) {
        let Some(mut news) = self.store.take_news() else { return };
        while let Some(news) = news.recv().await {
            match news {
                News::Logout(recorded) => drop(self.push_recorded(&recorded)),
                News::SessionEnd { answered, end } => {
                    let event = Notice::of(*answered).event;
                    let _untold_before = self.channels.push(&Arc::new(Notice { logout: *end, event }), &[]);
                }
                News::SweepOrdered => self.sweeping.wake(),
                News::LookAtAll => self.look_at_all_channels().await,
                News::Said(_) => {}
            }
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
