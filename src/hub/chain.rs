//! The redirect chain: apps that can only be signed out in a window of their own, one
//! after the other.

use std::sync::Arc;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Hub;
use super::denied::Denied;
use super::flight::{Flight, Leg, Next, Stuck};
use super::progress::{AppState, Moment};
use super::report_logout::unguessable;
use super::seal::Purpose;
use super::signing_out::OnPage;
use crate::domain::app::App;
use crate::domain::ids::ClientId;
use crate::domain::via::Via;
use crate::store::{Delivery, DeliveryStatus};

/// Why a confirmation is missing, for the receipt.
const NEVER_CAME_BACK: &str = "the browser did not come back from the app";
const NO_ANSWER: &str = "the app did not confirm in time";

/// A browser that is at an app of the chain.
#[derive(Serialize, Deserialize)]
pub(super) struct Stop {
    page: String,
    client_id: String,
}

impl Hub {
    /// Goes on from the page: to the next app of the chain; after the last one to the
    /// issuer; and when it has been there, to the end.
    ///
    /// The page's name stays good until the browser leaves for the issuer. So whoever
    /// comes back to the page because an app of the chain kept them goes on with the
    /// next one.
    ///
    /// # Errors
    /// [`Stuck`].
    pub async fn go_on(self: &Arc<Self>, page: &str, browser: &str) -> Result<Next, Stuck> {
        let at = self.on_page(page, browser).await?;
        self.give_up(&at).await;
        if !at.flight.has_returned
            && let Some(app) = self.next_in_chain(&at)
        {
            return self.send_to(&app, page, &at, browser).await;
        }
        // Gone for whoever comes second: a browser leaves once.
        let flight: Flight = self.take_kept(Leg::Page, page).await?;
        if flight.has_returned {
            return self.arrive(&flight).await;
        }
        let answered = at.rows.iter().filter(|row| row.via == Via::Backchannel && !is_open(row));
        let answered = answered.map(|row| row.client_id.as_str().to_owned()).collect();
        self.depart(Flight { answered, ..flight }).await
    }

    /// An app of the chain sends the browser back: it has ended its session.
    ///
    /// # Errors
    /// [`Stuck::NotThisBrowsers`] for a state that was altered or is another browser's;
    /// [`Stuck::NoFlight`] for one that was used before.
    pub async fn back_from_chain(self: &Arc<Self>, state: &str, browser: &str) -> Result<Next, Stuck> {
        let name = self.seal.name_in(state, Purpose::Chain, browser, self.clock.now().floor());
        let stop: Stop = self.take_kept(Leg::Chain, name.ok_or(Stuck::NotThisBrowsers)?).await?;
        let flight: Flight = self.look_at(Leg::Page, &stop.page).await?;
        if let (Some(id), Ok(client_id)) = (flight.logout(), ClientId::parse(&stop.client_id)) {
            let key = flight.delivery(id, client_id, Via::Chain)?;
            let now = self.clock.now();
            match self.store.acknowledged(key, now).await {
                Ok(_) => self.metrics.acknowledged(Via::Chain, id, now),
                Err(error) => tracing::warn!(error = %error, logout.id = %id, "could not note a confirmation"),
            }
        }
        self.go_on(&stop.page, browser).await
    }

    /// Frames that have not answered and apps that never sent the browser back will not
    /// be waited for.
    async fn give_up(&self, at: &OnPage) {
        let now = self.clock.now();
        let noting = at.rows.iter().filter(|row| is_open(row)).filter_map(|row| {
            let why = match row.via {
                Via::Frontchannel => NO_ANSWER,
                Via::Chain => NEVER_CAME_BACK,
                Via::WebSocket | Via::Sse | Via::Backchannel => return None,
            };
            let key = at.flight.delivery(at.logout, row.client_id.clone(), row.via).ok()?;
            Some(self.store.unconfirmed(key, why, now))
        });
        // All together, so that they are one commit.
        for noted in join_all(noting).await {
            if let Err(error) = noted {
                tracing::warn!(error = %error, logout.id = %at.logout, "could not note that an app has not confirmed");
            }
        }
    }

    /// An app that has confirmed in another way is spared; one that was tried is not
    /// tried again.
    fn next_in_chain(&self, at: &OnPage) -> Option<Arc<App>> {
        let apps = self.progress_of(&at.flight, &at.issuer, &at.rows, Moment::BeforeIssuer);
        let is_next = |app: &App| {
            let state = apps.iter().find(|one| one.client_id == app.client_id.as_str()).map(|one| one.state);
            let was_tried = at.rows.iter().any(|row| row.via == Via::Chain && row.client_id == app.client_id);
            !was_tried && state != Some(AppState::SignedOut)
        };
        let mut chained = self.directory.apps_of(&at.issuer).filter(|app| app.chain_logout_uri.is_some());
        chained.find(|app| is_next(app)).cloned()
    }

    async fn send_to(&self, app: &App, page: &str, at: &OnPage, browser: &str) -> Result<Next, Stuck> {
        let name = unguessable();
        let state = self.seal.state(Purpose::Chain, browser, &name, self.back_by());
        let mut return_to = Url::parse(self.rules.public_url.as_str()).map_err(|_| Stuck::NoFlight)?;
        return_to.set_path("/logout/chain");
        return_to.query_pairs_mut().append_pair("state", &state);
        let mut url = app.chain_logout_uri.clone().ok_or(Stuck::NoFlight)?;
        url.query_pairs_mut().append_pair("return_to", return_to.as_str());
        let stop = Stop { page: page.to_owned(), client_id: app.client_id.as_str().to_owned() };
        self.keep_as(&name, Leg::Chain, &stop).await?;
        let key = at.flight.delivery(at.logout, app.client_id.clone(), Via::Chain)?;
        self.store.telling(key, self.clock.now()).await.map_err(Denied::Store)?;
        Ok(Next::Elsewhere(url))
    }
}

fn is_open(row: &Delivery) -> bool {
    matches!(row.status, DeliveryStatus::Pending | DeliveryStatus::Delivered)
}
