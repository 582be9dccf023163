//! An app was told, and says that it has ended its own session.

use std::sync::Arc;

use super::Hub;
use super::denied::Denied;
use crate::domain::app::App;
use crate::domain::ids::LogoutId;
use crate::domain::logout::SignIn;
use crate::domain::via::Via;
use crate::store::{DeliveryKey, DeliveryNews};

impl Hub {
    /// Notes that the event of a logout has been written to an app's channel. In the
    /// background: nobody waits for a receipt.
    pub fn note_told(self: &Arc<Self>, id: LogoutId, sign_in: &SignIn, via: Via) {
        self.note_delivery(DeliveryNews::told(delivery(id, sign_in, via), self.clock.now()));
    }

    /// Notes that the events of a page of logouts have been written to a back end's
    /// feed. In the background, and all together, so that they are one commit.
    pub fn note_fed(self: &Arc<Self>, page: &[LogoutId], app: &App) {
        let (issuer, client_id, at) = (app.issuer.clone(), app.client_id.clone(), self.clock.now());
        let key = |logout: &LogoutId| DeliveryKey {
            issuer: issuer.clone(),
            logout: *logout,
            client_id: client_id.clone(),
            sid: None,
            via: Via::WebSocket,
        };
        let news: Vec<_> = page.iter().map(|logout| DeliveryNews::told(key(logout), at)).collect();
        let hub = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = hub.store.note_deliveries(news).await {
                tracing::warn!(error = %error, "could not note what a back end was told");
            }
        });
    }

    /// An app has ended the local session that a logout covers; or it answers a rehearsal,
    /// which is noted nowhere.
    ///
    /// # Errors
    /// [`Denied::NotFound`] for a logout that is not the caller's own; [`Denied::Store`].
    pub async fn acknowledge(self: &Arc<Self>, id: LogoutId, sign_in: &SignIn, via: Via) -> Result<(), Denied> {
        if self.channels.rehearsed(id, sign_in, self.clock.uptime()) {
            return Ok(());
        }
        let logout = self.store.find_logout(id).await?.map(|(logout, _)| logout);
        if logout.is_none() {
            self.say_answered(id, sign_in);
        }
        logout.filter(|logout| logout.concerns(sign_in)).ok_or(Denied::NotFound)?;
        self.write_ack(id, sign_in, via).await
    }

    /// The same, of a logout that the caller's own channel was told of.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub async fn write_ack(self: &Arc<Self>, id: LogoutId, sign_in: &SignIn, via: Via) -> Result<(), Denied> {
        self.put_ack(delivery(id, sign_in, via)).await
    }

    /// A back end has ended its sessions for a logout of its issuer.
    ///
    /// # Errors
    /// [`Denied::NotFound`] for a logout of another issuer; [`Denied::Store`].
    pub async fn acknowledge_for(self: &Arc<Self>, id: LogoutId, app: &App) -> Result<(), Denied> {
        let logout = self.store.find_logout(id).await?.map(|(logout, _)| logout);
        logout.filter(|logout| *logout.target.issuer() == app.issuer).ok_or(Denied::NotFound)?;
        let (issuer, client_id) = (app.issuer.clone(), app.client_id.clone());
        self.put_ack(DeliveryKey { logout: id, issuer, client_id, sid: None, via: Via::WebSocket }).await
    }

    async fn put_ack(self: &Arc<Self>, key: DeliveryKey) -> Result<(), Denied> {
        let (via, logout, now) = (key.via, key.logout, self.clock.now());
        self.write_delivery(DeliveryNews::acknowledged(key, now)).await?;
        self.metrics.acknowledged(via, logout, now);
        Ok(())
    }
}

/// The receipt's row for one app's session.
fn delivery(id: LogoutId, sign_in: &SignIn, via: Via) -> DeliveryKey {
    let (issuer, client_id) = (sign_in.issuer.clone(), sign_in.client_id.clone());
    DeliveryKey { logout: id, issuer, client_id, sid: sign_in.sid.clone(), via }
}
