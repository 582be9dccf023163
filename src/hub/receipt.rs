//! The receipt: which apps were told of a logout, by which way, and which confirmed.

use serde::Serialize;

use super::Hub;
use super::caller::{Person, Proof};
use super::denied::Denied;
use super::event::{LogoutView, rfc3339};
use crate::domain::app::App;
use crate::domain::ids::LogoutId;
use crate::domain::logout::{Logout, Source};
use crate::domain::via::Via;
use crate::store::IssuerEnd;

/// A logout and its deliveries, as the API tells of them.
#[derive(Serialize)]
pub struct Receipt {
    #[serde(flatten)]
    logout: LogoutView,
    notified: usize,
    deliveries: Vec<DeliveryView>,
    /// Only where the hub has taken it upon itself to end the session there.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_session: Option<IssuerSessionView>,
}

#[derive(Serialize)]
struct IssuerSessionView {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<IssuerEnd> for IssuerSessionView {
    fn from(end: IssuerEnd) -> Self {
        match end {
            IssuerEnd::Pending(error) => Self { status: "pending", error },
            IssuerEnd::Ended => Self { status: "ended", error: None },
            IssuerEnd::Failed(why) => Self { status: "failed", error: Some(why) },
        }
    }
}

#[derive(Serialize)]
struct DeliveryView {
    client_id: String,
    name: String,
    via: &'static str,
    status: &'static str,
    attempts: u32,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Hub {
    /// The receipt of a person's own logout: of the session that asks, or of another one
    /// that they have ended from the list of their sessions.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when there is none, or it is not theirs; [`Denied::Store`].
    pub async fn receipt_for(&self, id: LogoutId, person: &Person) -> Result<Receipt, Denied> {
        let subject = person.sign_in.subject();
        // A resume ticket is for its own session only.
        let may_see_others = person.proof == Proof::IdToken;
        let is_from_list = |logout: &Logout| {
            let is_theirs = *logout.target.issuer() == subject.issuer && logout.target.sub() == Some(&subject.sub);
            logout.source == Source::SessionApi && is_theirs
        };
        self.receipt(id, |logout| logout.concerns(&person.sign_in) || (may_see_others && is_from_list(logout))).await
    }

    /// The receipt of any logout of a back end's issuer.
    ///
    /// # Errors
    /// [`Denied::NotFound`], [`Denied::Store`].
    pub async fn receipt_for_back_end(&self, id: LogoutId, app: &App) -> Result<Receipt, Denied> {
        self.receipt(id, |logout| *logout.target.issuer() == app.issuer).await
    }

    /// The receipt of any logout.
    ///
    /// # Errors
    /// [`Denied::NotFound`], [`Denied::Store`].
    pub async fn receipt_for_administrator(&self, id: LogoutId) -> Result<Receipt, Denied> {
        self.receipt(id, |_| true).await
    }

    async fn receipt(&self, id: LogoutId, may_see: impl Fn(&Logout) -> bool) -> Result<Receipt, Denied> {
        // Before the logout itself: what it calls ended is final there.
        let issuer_session = self.store.issuer_end(id).await?.map(IssuerSessionView::from);
        let found = self.store.find_logout(id).await?.map(|(logout, _)| logout);
        let logout = found.filter(may_see).ok_or(Denied::NotFound)?;
        let rows = self.receipt_of(id).await?;
        // How many channels heard of it: each told one is an attempt of its row. Posts
        // to back ends and frames are no channels.
        let channels = rows.iter().filter(|row| matches!(row.via, Via::WebSocket | Via::Sse));
        let notified = usize::try_from(channels.map(|row| row.attempts).sum::<u32>()).unwrap_or(0);
        let name_of = |client_id: &str| {
            let app = self.directory.app(logout.target.issuer(), client_id);
            app.map_or_else(|| client_id.to_owned(), |app| app.name.clone())
        };
        let deliveries: Vec<_> = rows
            .into_iter()
            .map(|row| DeliveryView {
                name: name_of(row.client_id.as_str()),
                client_id: row.client_id.as_str().to_owned(),
                via: row.via.as_str(),
                status: row.status.as_str(),
                attempts: row.attempts,
                updated_at: rfc3339(row.updated_at),
                error: row.error,
            })
            .collect();
        Ok(Receipt { logout: LogoutView::from(&logout), notified, deliveries, issuer_session })
    }
}
