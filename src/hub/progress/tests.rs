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

fn came_from(asked: &str) -> Known<'_> {
    Known { asked: Some(asked), used: &[] }
}

/// How far Notes is with these rows.
fn notes(rows: &[(Via, DeliveryStatus)], moment: Moment) -> AppState {
    state("notes", rows, moment)
}

fn state(client_id: &str, rows: &[(Via, DeliveryStatus)], moment: Moment) -> AppState {
    let rows: Vec<_> = rows.iter().map(|(via, status)| row(client_id, *via, *status)).collect();
    let apps = progress(&directory(), &issuer(), &rows, Known::default(), moment);
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
        progress(&directory(), &issuer(), &[], Known::default(), Over).is_empty(),
        "one that nobody visited is no part of it"
    );
}

#[test]
fn a_back_end_that_follows_the_log_is_no_app_of_the_persons() {
    let feed = App { secret: Some(Secret::new("a secret")), ..App::bare(issuer(), "audit") };
    let directory = Directory::new(vec![], vec![feed]);
    let row = Delivery { is_of_session: false, ..row("audit", WebSocket, Delivered) };
    assert!(progress(&directory, &issuer(), &[row], Known::default(), Over).is_empty());
}

#[test]
fn the_app_that_the_person_came_from_is_neither_called_closed_nor_waited_for() {
    let of = |status, moment| {
        let rows = ["notes", "desk"].map(|id| row(id, WebSocket, status));
        let apps = progress(&directory(), &issuer(), &rows, came_from("notes"), moment);
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
    let names = |known| {
        let apps = progress(&directory(), &issuer(), &rows, known, Over);
        apps.into_iter().map(|app| app.name).collect::<Vec<_>>()
    };
    assert_eq!(names(came_from("notes")), ["NOTES", "DESK", "gone"]);
    assert_eq!(names(Known::default()), ["DESK", "gone", "NOTES"]);
}

/// How an app is that was seen in the session, at the issuer at least: its state and words.
fn used(app: App, row: Option<Delivery>, moment: Moment) -> (AppState, &'static str) {
    let used = [app.client_id.as_str().to_owned()];
    let directory = Directory::new(vec![], vec![app]);
    let rows: Vec<_> = row.into_iter().collect();
    let apps = progress(&directory, &issuer(), &rows, Known { asked: None, used: &used }, moment);
    assert_eq!(apps.len(), 1, "{apps:?}");
    (apps[0].state, apps[0].words)
}

fn portal() -> App {
    App {
        backchannel_logout_uri: Some("https://portal.example/slo".parse().unwrap()),
        ..app("portal", BackchannelToken::Issuer, None)
    }
}

#[test]
fn an_app_of_the_session_that_the_issuer_sends_no_token_for_is_shown_and_not_called_signed_out() {
    assert_eq!(used(portal(), None, AfterIssuer).0, AppState::SigningOut);
    assert_eq!(used(portal(), None, Over), (AppState::Unconfirmed, UNTOLD));
    let waiting = row("portal", Backchannel, Pending);
    assert_eq!(used(portal(), Some(waiting.clone()), Over), (AppState::Unconfirmed, UNTOLD));
    let tried = Delivery { attempts: 1, ..waiting };
    assert_eq!(used(portal(), Some(tried), Over), (AppState::Unconfirmed, "not confirmed"));
    let told = row("portal", Backchannel, Acknowledged);
    assert_eq!(used(portal(), Some(told), Over).0, AppState::SignedOut);
}

#[test]
fn a_back_end_that_follows_the_log_confirms_for_itself_whatever_the_issuer_sends() {
    let portal = || App { secret: Some(Secret::new("a secret")), ..portal() };
    let says = |status| Some(Delivery { is_of_session: false, ..row("portal", WebSocket, status) });
    assert_eq!(used(portal(), says(Acknowledged), Over).0, AppState::SignedOut);
    assert_eq!(used(portal(), says(Delivered), Over), (AppState::Unconfirmed, UNTOLD));
}

#[test]
fn a_page_confirms_for_no_back_end_that_was_told_also_where_the_issuer_names_no_sessions() {
    let page = Delivery { is_of_session: false, ..row("portal", WebSocket, Acknowledged) };
    let says = |token, status, attempts| {
        let portal = App { secret: Some(Secret::new("a secret")), backchannel_logout_token: token, ..portal() };
        let back_end = Delivery { attempts, is_of_session: false, ..row("portal", Backchannel, status) };
        let rows = [page.clone(), back_end];
        progress(&Directory::new(vec![], vec![portal]), &issuer(), &rows, Known::default(), Over)[0].state
    };
    for token in [BackchannelToken::Issuer, BackchannelToken::Hub] {
        assert_eq!(says(token, Failed, 3), AppState::Unconfirmed, "{token:?}");
        assert_eq!(says(token, Failed, 0), AppState::Unconfirmed, "given up before it was tried: {token:?}");
        assert_eq!(says(token, Pending, 1), AppState::Unconfirmed, "it is being told: {token:?}");
        assert_eq!(says(token, Acknowledged, 1), AppState::SignedOut, "{token:?}");
    }
    assert_eq!(says(BackchannelToken::Hub, Pending, 0), AppState::Unconfirmed, "the hub has yet to tell it");
    assert_eq!(says(BackchannelToken::Issuer, Pending, 0), AppState::SignedOut, "nobody tells it but the log");
}

#[test]
fn an_app_of_the_session_without_a_back_end_is_told_when_it_is_opened() {
    assert_eq!(used(app("notes", BackchannelToken::Issuer, None), None, Over).0, AppState::Later);
}
