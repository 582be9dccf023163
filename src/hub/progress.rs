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

/// Every app of the logout, by name. `asked` is the app that the person came from; it
/// stands first.
#[must_use]
pub fn progress(
    directory: &Directory,
    issuer: &Issuer,
    rows: &[Delivery],
    asked: Option<&str>,
    moment: Moment,
) -> Vec<AppProgress> {
    let rows: Vec<_> = rows.iter().filter(|row| !is_feed(directory, issuer, row)).collect();
    let mut ids: Vec<&str> = rows.iter().map(|row| row.client_id.as_str()).collect();
    if moment == Moment::BeforeIssuer {
        let chained = directory.apps_of(issuer).filter(|app| app.chain_logout_uri.is_some());
        ids.extend(chained.map(|app| app.client_id.as_str()));
    }
    ids.sort_unstable();
    ids.dedup();
    let one = |client_id: &str| {
        let app = directory.app(issuer, client_id);
        let own: Vec<&Delivery> = rows.iter().copied().filter(|row| row.client_id.as_str() == client_id).collect();
        let is_asked = asked == Some(client_id);
        let state = match state_of(app.map(AsRef::as_ref), &own, moment) {
            // The page that was told there is the very one that the person has just left.
            AppState::SigningOut | AppState::Unconfirmed if is_asked && only_told(&own) => AppState::Later,
            state => state,
        };
        let name = app.map_or_else(|| client_id.to_owned(), |app| app.name.clone());
        let words = if is_asked && state == AppState::Later { "you came from here" } else { state.words() };
        AppProgress { client_id: client_id.to_owned(), name, state, words }
    };
    let mut apps: Vec<_> = ids.into_iter().map(one).collect();
    apps.sort_by_key(|app| (Some(app.client_id.as_str()) != asked, app.name.to_lowercase()));
    apps
}

/// An app is where the less done of its two halves is: what runs in the browser, and its
/// back end. (A back end that has ended its session clears no page, nor the other way.)
fn state_of(app: Option<&App>, rows: &[&Delivery], moment: Moment) -> AppState {
    let (back, front): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.via == Via::Backchannel);
    let front = front_half(app, &front, moment);
    let back = back.first().map(|row| back_half(app, row, moment));
    let state = [front, back].into_iter().flatten().min_by_key(|state| rank(*state));
    state.unwrap_or(AppState::Later)
}

/// Whether that is a back end which follows the log of its issuer: no app that the
/// person has used.
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

/// Before the browser has been to the issuer, there is no token of the issuer's to be
/// passed on.
fn back_half(app: Option<&App>, row: &Delivery, moment: Moment) -> AppState {
    let waits_for_token = app.is_some_and(|app| app.backchannel_logout_token == BackchannelToken::Issuer);
    match row.status {
        DeliveryStatus::Acknowledged => AppState::SignedOut,
        DeliveryStatus::Failed => AppState::Unconfirmed,
        DeliveryStatus::Pending | DeliveryStatus::Delivered => match moment {
            Moment::Over => AppState::Unconfirmed,
            Moment::BeforeIssuer if waits_for_token && row.attempts == 0 => AppState::Next,
            Moment::BeforeIssuer | Moment::AfterIssuer => AppState::SigningOut,
        },
    }
}

/// Whether there is something to be waited for here.
#[must_use]
pub fn is_under_way(apps: &[AppProgress]) -> bool {
    apps.iter().any(|app| app.state == AppState::SigningOut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::UnixMillis;
    use crate::domain::ids::ClientId;
    use crate::domain::secret::Secret;
    use DeliveryStatus::{Acknowledged, Delivered, Failed, Pending};
    use Moment::{AfterIssuer, BeforeIssuer, Over};
    use Via::{Backchannel, Chain, Frontchannel, WebSocket};

    fn issuer() -> Issuer {
        Issuer::parse("https://acme.example/").unwrap()
    }

    fn app(client_id: &str, token: BackchannelToken, chain: Option<&str>) -> App {
        App {
            name: client_id.to_uppercase(),
            backchannel_logout_token: token,
            chain_logout_uri: chain.map(|uri| uri.parse().unwrap()),
            ..App::bare(issuer(), client_id)
        }
    }

    fn directory() -> Directory {
        let chained = app("legacy", BackchannelToken::Issuer, Some("https://legacy.example/logout"));
        let others = [app("notes", BackchannelToken::Issuer, None), app("desk", BackchannelToken::Hub, None)];
        Directory::new(vec![], others.into_iter().chain([chained]).collect())
    }

    fn row(client_id: &str, via: Via, status: DeliveryStatus) -> Delivery {
        Delivery {
            client_id: ClientId::parse(client_id).unwrap(),
            via,
            status,
            attempts: 0,
            updated_at: UnixMillis(0),
            error: None,
            is_of_session: true,
        }
    }

    /// How far Notes is with these rows.
    fn notes(rows: &[(Via, DeliveryStatus)], moment: Moment) -> AppState {
        state("notes", rows, moment)
    }

    fn state(client_id: &str, rows: &[(Via, DeliveryStatus)], moment: Moment) -> AppState {
        let rows: Vec<_> = rows.iter().map(|(via, status)| row(client_id, *via, *status)).collect();
        let apps = progress(&directory(), &issuer(), &rows, None, moment);
        apps.iter().find(|app| app.client_id == client_id).unwrap().state
    }

    #[test]
    fn nothing_but_a_confirmation_is_called_signed_out() {
        for moment in [BeforeIssuer, AfterIssuer, Over] {
            for via in [WebSocket, Via::Sse, Frontchannel, Backchannel, Chain] {
                for status in [Pending, Failed, Delivered] {
                    assert_ne!(notes(&[(via, status)], moment), AppState::SignedOut, "{via:?} {status:?}");
                }
                assert_eq!(notes(&[(via, Acknowledged)], moment), AppState::SignedOut, "{via:?}");
            }
        }
    }

    #[test]
    fn whoever_was_told_is_waited_for_until_it_is_over() {
        assert_eq!(notes(&[(WebSocket, Delivered)], BeforeIssuer), AppState::SigningOut);
        assert_eq!(notes(&[(Frontchannel, Pending)], BeforeIssuer), AppState::SigningOut);
        assert_eq!(notes(&[(WebSocket, Delivered)], Over), AppState::Unconfirmed);
        assert_eq!(notes(&[(Frontchannel, Pending)], Over), AppState::Unconfirmed);
    }

    #[test]
    fn a_closed_app_signs_out_later_also_where_its_frame_could_not() {
        assert_eq!(notes(&[(WebSocket, Pending)], Over), AppState::Later);
        assert_eq!(notes(&[(WebSocket, Pending), (Frontchannel, Failed)], Over), AppState::Later);
        assert_eq!(notes(&[(Frontchannel, Failed)], Over), AppState::Unconfirmed);
    }

    #[test]
    fn in_the_browser_one_confirmation_is_enough() {
        assert_eq!(notes(&[(WebSocket, Acknowledged), (Frontchannel, Failed)], BeforeIssuer), AppState::SignedOut);
        assert_eq!(notes(&[(WebSocket, Pending), (Frontchannel, Acknowledged)], BeforeIssuer), AppState::SignedOut);
    }

    #[test]
    fn a_back_end_confirms_for_no_page_and_a_page_for_no_back_end() {
        assert_eq!(notes(&[(WebSocket, Pending), (Backchannel, Acknowledged)], Over), AppState::Later);
        assert_eq!(notes(&[(WebSocket, Acknowledged), (Backchannel, Failed)], Over), AppState::Unconfirmed);
        assert_eq!(notes(&[(WebSocket, Acknowledged), (Backchannel, Pending)], AfterIssuer), AppState::SigningOut);
        assert_eq!(notes(&[(WebSocket, Acknowledged), (Backchannel, Acknowledged)], Over), AppState::SignedOut);
    }

    #[test]
    fn a_back_end_that_waits_for_the_issuers_token_is_not_waited_for_before_it() {
        assert_eq!(state("notes", &[(Backchannel, Pending)], BeforeIssuer), AppState::Next);
        assert_eq!(state("notes", &[(Backchannel, Pending)], AfterIssuer), AppState::SigningOut);
        assert_eq!(state("desk", &[(Backchannel, Pending)], BeforeIssuer), AppState::SigningOut);
        assert_eq!(state("desk", &[(Backchannel, Pending)], Over), AppState::Unconfirmed);
    }

    #[test]
    fn an_app_of_the_chain_has_its_turn_when_the_browser_moves_on() {
        assert_eq!(state("legacy", &[], BeforeIssuer), AppState::Next);
        assert_eq!(state("legacy", &[(WebSocket, Pending)], BeforeIssuer), AppState::Next);
        assert_eq!(state("legacy", &[(WebSocket, Acknowledged)], BeforeIssuer), AppState::SignedOut);
        for without_a_word in [Pending, Failed] {
            assert_eq!(state("legacy", &[(Chain, without_a_word)], BeforeIssuer), AppState::Unconfirmed);
        }
        assert!(
            progress(&directory(), &issuer(), &[], None, Over).is_empty(),
            "one that nobody visited is no part of it"
        );
    }

    #[test]
    fn a_back_end_that_follows_the_log_is_no_app_of_the_persons() {
        let feed = App { secret: Some(Secret::new("a secret")), ..App::bare(issuer(), "audit") };
        let directory = Directory::new(vec![], vec![feed]);
        let row = Delivery { is_of_session: false, ..row("audit", WebSocket, Delivered) };
        assert!(progress(&directory, &issuer(), &[row], None, Over).is_empty());
    }

    #[test]
    fn the_app_that_the_person_came_from_is_neither_called_closed_nor_waited_for() {
        let of = |status, moment| {
            let rows = ["notes", "desk"].map(|id| row(id, WebSocket, status));
            let apps = progress(&directory(), &issuer(), &rows, Some("notes"), moment);
            [apps[0].words, apps[1].words]
        };
        assert_eq!(of(Pending, Over), ["you came from here", "will sign out when it is opened again"]);
        assert_eq!(of(Delivered, BeforeIssuer), ["you came from here", "signing out…"]);
        assert_eq!(of(Delivered, Over), ["you came from here", "not confirmed"]);
        assert_eq!(of(Acknowledged, Over), ["signed out", "signed out"]);
    }

    #[test]
    fn the_app_that_the_person_came_from_stands_first_and_the_others_by_name() {
        let rows = ["notes", "desk", "gone"].map(|id| row(id, WebSocket, Pending));
        let names = |asked| {
            let apps = progress(&directory(), &issuer(), &rows, asked, Over);
            apps.into_iter().map(|app| app.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Some("notes")), ["NOTES", "DESK", "gone"]);
        assert_eq!(names(None), ["DESK", "gone", "NOTES"]);
    }
}
