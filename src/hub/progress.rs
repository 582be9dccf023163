//! How far the apps of a logout are, for people.
//!
//! Nothing is called signed out that has not said so.

use serde::Serialize;

use crate::domain::app::{App, BackchannelToken, Directory};
use crate::domain::ids::Issuer;
use crate::domain::via::Via;
use crate::store::{Delivery, DeliveryStatus};

/// How far one app is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppState {
    /// It has been told, or is just being told, and may answer any moment.
    SigningOut,
    /// Its turn comes when the browser moves on.
    Next,
    /// It has confirmed.
    SignedOut,
    /// It is closed; it will be told as soon as it is opened.
    Later,
    /// It was told and has not confirmed, or could not be told.
    Unconfirmed,
}

impl AppState {
    /// The one word for it, for the page's style sheet and script.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SigningOut => "signing-out",
            Self::Next => "next",
            Self::SignedOut => "signed-out",
            Self::Later => "later",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// The words for it, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SigningOut | Self::Next => "signing out…",
            Self::SignedOut => "signed out",
            Self::Later => "will sign out when it is opened again",
            Self::Unconfirmed => "not confirmed",
        }
    }
}

/// One app, as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppProgress {
    /// Its `client_id`.
    pub client_id: String,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub state: AppState,
    /// The words for that.
    pub words: &'static str,
}

impl AppProgress {
    /// Whoever has not confirmed by now is shown so.
    pub fn give_up(&mut self) {
        if self.state == AppState::SigningOut {
            self.state = AppState::Unconfirmed;
            self.words = self.state.words();
        }
    }
}

/// The words for an app whose back end was to hear of it from the issuer, which has sent it
/// nothing.
const UNTOLD: &str = "not told, may still be signed in";

/// From where on its way a browser looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has yet to go to the apps of the redirect chain and to the issuer.
    BeforeIssuer,
    /// It has been there.
    AfterIssuer,
    /// Nothing is waited for any more.
    Over,
}

/// What is known of a logout's apps beside the rows of its receipt, by `client_id`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The app that the person came from. It stands first.
    pub asked: Option<&'a str>,
    /// The apps that were seen in the session, by the issuer at least: they are part of it,
    /// whether or not there was a way to tell them.
    pub used: &'a [String],
}

/// Every app of the logout, by name.
#[must_use]
pub fn progress(
    directory: &Directory,
    issuer: &Issuer,
    rows: &[Delivery],
    known: Known<'_>,
    moment: Moment,
) -> Vec<AppProgress> {
    let (feeds, rows): (Vec<_>, Vec<_>) = rows.iter().partition(|row| is_feed(directory, issuer, row));
    let mut ids: Vec<&str> = rows.iter().map(|row| row.client_id.as_str()).collect();
    ids.extend(known.used.iter().map(String::as_str));
    if moment == Moment::BeforeIssuer {
        let chained = directory.apps_of(issuer).filter(|app| app.chain_logout_uri.is_some());
        ids.extend(chained.map(|app| app.client_id.as_str()));
    }
    ids.sort_unstable();
    ids.dedup();
    let one = |client_id: &str| {
        let app = directory.app(issuer, client_id);
        let is_own = |row: &&&Delivery| row.client_id.as_str() == client_id;
        let own: Vec<&Delivery> = rows.iter().filter(is_own).copied().collect();
        let back = BackHalf {
            app: app.map(AsRef::as_ref),
            row: own.iter().copied().find(|row| row.via == Via::Backchannel),
            feed: feeds.iter().find(is_own).copied(),
            is_used: known.used.iter().any(|used| used == client_id),
        };
        let is_asked = known.asked == Some(client_id);
        let state = match state_of(&back, &own, moment) {
            // The page that was told there is the very one that the person has just left.
            AppState::SigningOut | AppState::Unconfirmed if is_asked && only_told(&own) => AppState::Later,
            state => state,
        };
        let name = app.map_or_else(|| client_id.to_owned(), |app| app.name.clone());
        let words = match state {
            AppState::Later if is_asked => "you came from here",
            AppState::Unconfirmed if back.is_untold() => UNTOLD,
            _ => state.words(),
        };
        AppProgress { client_id: client_id.to_owned(), name, state, words }
    };
    let mut apps: Vec<_> = ids.into_iter().map(one).collect();
    apps.sort_by_key(|app| (Some(app.client_id.as_str()) != known.asked, app.name.to_lowercase()));
    apps
}

/// An app is where the less done of its two halves is: what runs in the browser, and its
/// back end. (A back end that has ended its session clears no page, nor the other way.)
fn state_of(back: &BackHalf<'_>, rows: &[&Delivery], moment: Moment) -> AppState {
    let front: Vec<_> = rows.iter().filter(|row| row.via != Via::Backchannel).collect();
    let front = front_half(back.app, &front, moment);
    let state = [front, back.state(moment)].into_iter().flatten().min_by_key(|state| rank(*state));
    state.unwrap_or(AppState::Later)
}

/// Whether that is a back end which follows the log of its issuer: no app that the
/// person has used. Where the issuer names no sessions, a page of an app with a secret
/// looks the same.
fn is_feed(directory: &Directory, issuer: &Issuer, row: &Delivery) -> bool {
    let has_secret = || directory.app(issuer, row.client_id.as_str()).is_some_and(|app| app.secret.is_some());
    row.via == Via::WebSocket && !row.is_of_session && has_secret()
}

/// Whether all that is known of an app is that a channel of its was told.
fn only_told(rows: &[&Delivery]) -> bool {
    let is_channel = |row: &Delivery| matches!(row.via, Via::WebSocket | Via::Sse);
    rows.iter().all(|row| is_channel(row) && row.status == DeliveryStatus::Delivered)
}

/// Less done first.
fn rank(state: AppState) -> u8 {
    match state {
        AppState::SigningOut => 0,
        AppState::Next => 1,
        AppState::Unconfirmed => 2,
        AppState::Later => 3,
        AppState::SignedOut => 4,
    }
}

/// In the browser one confirmation is enough: a tab clears what all of them share.
fn front_half(app: Option<&App>, rows: &[&&Delivery], moment: Moment) -> Option<AppState> {
    let has = |via: Via, status: DeliveryStatus| rows.iter().any(|row| row.via == via && row.status == status);
    let any = |status: DeliveryStatus| rows.iter().any(|row| row.status == status);
    let is_chained = rows.iter().any(|row| row.via == Via::Chain);
    let awaits_chain =
        moment == Moment::BeforeIssuer && !is_chained && app.is_some_and(|app| app.chain_logout_uri.is_some());
    // Whoever sees this has come back from the chain without the app's word.
    let is_under_way = any(DeliveryStatus::Delivered) || has(Via::Frontchannel, DeliveryStatus::Pending);
    if any(DeliveryStatus::Acknowledged) {
        Some(AppState::SignedOut)
    } else if is_under_way && moment != Moment::Over {
        Some(AppState::SigningOut)
    } else if awaits_chain {
        Some(AppState::Next)
    } else if is_under_way {
        Some(AppState::Unconfirmed)
    } else if has(Via::WebSocket, DeliveryStatus::Pending) {
        Some(AppState::Later)
    } else if rows.is_empty() {
        None
    } else {
        Some(AppState::Unconfirmed)
    }
}

/// What is known of an app's back end.
struct BackHalf<'a> {
    app: Option<&'a App>,
    /// What is, or was, to be posted to it.
    row: Option<&'a Delivery>,
    /// What it says by the log that it follows.
    feed: Option<&'a Delivery>,
    /// Whether the app was seen in the session.
    is_used: bool,
}

impl BackHalf<'_> {
    /// `None` where nobody knows of a back end that has to do with it.
    fn state(&self, moment: Moment) -> Option<AppState> {
        match self.row.map(|row| row.status) {
            Some(DeliveryStatus::Acknowledged) => Some(AppState::SignedOut),
            Some(DeliveryStatus::Failed) => Some(AppState::Unconfirmed),
            _ if self.has_said_so() => Some(AppState::SignedOut),
            None if !self.is_used || !self.waits_for_issuer() => None,
            Some(DeliveryStatus::Pending | DeliveryStatus::Delivered) | None => Some(match moment {
                Moment::Over => AppState::Unconfirmed,
                // There is no token of the issuer's to be passed on yet.
                Moment::BeforeIssuer if self.is_untold() => AppState::Next,
                Moment::BeforeIssuer | Moment::AfterIssuer => AppState::SigningOut,
            }),
        }
    }

    /// Whoever follows the log confirms a logout once it has ended its own sessions. That
    /// stands in for a token that nobody has sent; what became of one that was is known
    /// better.
    fn has_said_so(&self) -> bool {
        let has_acknowledged = self.feed.is_some_and(|feed| feed.status == DeliveryStatus::Acknowledged);
        has_acknowledged && self.row.is_none_or(|_| self.has_nothing_to_post())
    }

    /// Whether what is to be posted waits for a token of the issuer's.
    fn has_nothing_to_post(&self) -> bool {
        let is_first = |row: &Delivery| row.attempts == 0 && row.status == DeliveryStatus::Pending;
        self.waits_for_issuer() && self.row.is_some_and(is_first)
    }

    /// Whether it takes the issuer's own tokens alone.
    fn waits_for_issuer(&self) -> bool {
        let takes = |app: &App| app.backchannel_logout_token == BackchannelToken::Issuer;
        self.app.is_some_and(|app| takes(app) && (self.row.is_some() || app.backchannel_logout_uri.is_some()))
    }

    /// Whether it waits for a token of the issuer's, which has not come.
    fn is_untold(&self) -> bool {
        let is_expected = self.row.is_none() && self.is_used && self.waits_for_issuer();
        (is_expected || self.has_nothing_to_post()) && !self.has_said_so()
    }
}

/// Whether there is something to be waited for here.
#[must_use]
pub fn is_under_way(apps: &[AppProgress]) -> bool {
    apps.iter().any(|app| app.state == AppState::SigningOut)
}

#[cfg(test)]
mod tests;
