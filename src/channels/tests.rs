use super::*;
use crate::domain::clock::UnixMillis;
use crate::domain::ids::{ClientId, Subject};
use crate::domain::logout::Source;

pub(super) fn sign_in(issuer: &str, sub: &str, sid: &str) -> SignIn {
    SignIn {
        issuer: Issuer::parse(issuer).unwrap(),
        client_id: ClientId::parse("notes").unwrap(),
        sub: Subject::parse(sub).unwrap(),
        sid: Some(Sid::parse(sid).unwrap()),
        issued_at: UnixSeconds(100),
        auth_time: None,
    }
}

fn notice(target: LogoutTarget) -> Arc<Notice> {
    let logout = Logout {
        id: LogoutId::new(UnixMillis(0), 1),
        target,
        source: Source::App,
        is_final: true,
        covers_until: UnixSeconds(200),
        client_id: None,
        reason: None,
        occurred_at: UnixMillis(0),
        recorded_at: UnixMillis(0),
    };
    Arc::new(Notice { logout, event: Bytes::from_static(b"{}") })
}

fn of_session(who: &SignIn) -> Arc<Notice> {
    notice(LogoutTarget::Session { key: who.session().unwrap(), sub: None })
}

#[test]
fn only_the_session_that_ended_is_told() {
    let channels = Channels::default();
    let ada = sign_in("https://a/", "ada", "laptop");
    let open = |who: SignIn| channels.register(who, 9).unwrap();
    let (mine, mine_too) = (open(ada.clone()), open(ada.clone()));
    let others = [
        open(sign_in("https://a/", "ada", "phone")),
        open(sign_in("https://a/", "grace", "desk")),
        open(sign_in("https://b/", "ada", "laptop")),
    ];

    assert_eq!(channels.push(&of_session(&ada), &[]), 2);

    assert!(mine.told().is_some() && mine_too.told().is_some());
    assert!(others.iter().all(|other| other.told().is_none()));
}

#[test]
fn a_user_logout_tells_the_sessions_that_began_before_it() {
    let channels = Channels::default();
    let old = channels.register(sign_in("https://a/", "ada", "laptop"), 9).unwrap();
    let new = channels.register(sign_in("https://a/", "ada", "phone"), 9).unwrap();
    let starts = [(Sid::parse("laptop").unwrap(), UnixSeconds(200)), (Sid::parse("phone").unwrap(), UnixSeconds(201))];

    assert_eq!(channels.push(&notice(LogoutTarget::User(old.sign_in().subject())), &starts), 1);

    assert!(old.told().is_some() && new.told().is_none());
}

#[test]
fn a_channel_is_told_once() {
    let channels = Channels::default();
    let ada = sign_in("https://a/", "ada", "laptop");
    let _open = channels.register(ada.clone(), 9).unwrap();
    assert_eq!(channels.push(&of_session(&ada), &[]), 1);
    assert_eq!(channels.push(&of_session(&ada), &[]), 0);
}

#[test]
fn a_session_has_a_bounded_number_of_channels_and_a_closed_one_makes_room() {
    let channels = Channels::default();
    let ada = sign_in("https://a/", "ada", "laptop");
    let first = channels.register(ada.clone(), 2).unwrap();
    let _second = channels.register(ada.clone(), 2).unwrap();
    assert!(channels.register(ada.clone(), 2).is_err());
    drop(first);
    assert!(channels.register(ada, 2).is_ok());
}

#[tokio::test]
async fn of_what_idle_sign_out_is_up_to_a_channel_hears_the_latest_and_a_logout_goes_first() {
    let channels = Channels::default();
    let ada = sign_in("https://a/", "ada", "laptop");
    let (key, open) = (ada.session().unwrap(), channels.register(ada.clone(), 2).unwrap());
    channels.signal(&key, IdleSignal::Warning { seconds_left: 60 });
    channels.signal(&key, IdleSignal::Cancelled);
    assert!(matches!(open.heard().await, Heard::Idle(IdleSignal::Cancelled)));
    channels.signal(&key, IdleSignal::Cancelled);
    assert_eq!(channels.push(&of_session(&ada), &[]), 1);
    assert!(matches!(open.heard().await, Heard::LoggedOut(_)));
}

#[tokio::test]
async fn a_channel_that_takes_anothers_place_hears_what_that_one_had_not() {
    let channels = Channels::default();
    let ada = sign_in("https://a/", "ada", "laptop");
    let open = || channels.register(ada.clone(), 9).unwrap();
    let (first, second) = (open(), open());
    first.signal(IdleSignal::Cancelled);
    second.take_over(&first);
    assert!(matches!(second.heard().await, Heard::Idle(IdleSignal::Cancelled)));
    let third = open();
    second.signal(IdleSignal::Cancelled);
    third.signal(IdleSignal::Warning { seconds_left: 9 });
    third.take_over(&second);
    assert!(matches!(third.heard().await, Heard::Idle(IdleSignal::Warning { seconds_left: 9 })));
}

#[test]
fn apps_of_one_session_share_the_texts_of_its_names() {
    let channels = Channels::default();
    let open = || channels.register(sign_in("https://a/", "ada", "laptop"), 2).unwrap();
    let (first, second) = (open(), open());
    let texts = |of: &Subscription| {
        let of = of.sign_in();
        [of.issuer.as_str(), of.sub.as_str(), of.sid.as_ref().unwrap().as_str()].map(str::as_ptr)
    };
    assert_eq!(texts(&first), texts(&second));
}

#[test]
fn a_closed_channel_leaves_nothing_behind() {
    let channels = Channels::default();
    drop(channels.register(sign_in("https://a/", "ada", "laptop"), 2).unwrap());
    assert!(channels.0.by_session.is_empty() && channels.0.by_subject.is_empty());
}
