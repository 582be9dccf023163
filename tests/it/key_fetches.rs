//! When an issuer is asked for its keys, who waits for the answer, and what becomes of
//! a bad one.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use slo_hub::oidc::fault::{TokenFault, VerifyError};
use slo_hub::oidc::keys::CALLER_PATIENCE;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::rig::{KEYS, METADATA, Reply, Rig, ScriptedIssuer, key_set, p256};

const COOL: u64 = 31;
const OLD: u64 = 10 * 60 + 1;

fn held(document: Value) -> (Arc<Semaphore>, Reply) {
    let gate = Arc::new(Semaphore::new(0));
    (Arc::clone(&gate), Reply::Held(gate, document))
}

/// Every way in which an answer may be no key set.
fn bad_answers(rig: &Rig) -> Vec<(&'static str, Reply)> {
    let good = key_set(&[&rig.key]);
    let mut huge = good.clone();
    huge["padding"] = json!("x".repeat(300 * 1024));
    vec![
        ("an error", Reply::Text(500, good.to_string())),
        ("not modified", Reply::Text(304, String::new())),
        ("a redirect", Reply::Redirect("/elsewhere")),
        ("no JSON", Reply::Text(200, "<html>".to_owned())),
        ("half of it", Reply::Text(200, good.to_string()[..40].to_owned())),
        ("too much", Reply::Json(huge)),
        ("no keys", Reply::Json(json!({ "keys": [] }))),
        ("another document", Reply::Json(json!([good]))),
        ("keys of an unknown type only", Reply::Json(json!({ "keys": [{ "kty": "AKP", "kid": "first" }] }))),
    ]
}

#[tokio::test]
async fn all_who_wait_share_one_fetch() {
    let rig = Rig::start().await;
    let (gate, reply) = held(key_set(&[&rig.key]));
    rig.issuer.answers(KEYS, reply);
    let token = rig.logout_token();
    let all = join_all((0..50).map(|_| rig.verify(&token)));
    let release = async {
        rig.until("the fetch has begun", |rig| rig.issuer.asked(KEYS) == 1).await;
        gate.add_permits(50);
    };
    let (verdicts, ()) = tokio::join!(all, release);
    assert!(verdicts.iter().all(Result::is_ok));
    assert_eq!((rig.issuer.asked(METADATA), rig.issuer.asked(KEYS)), (1, 1));
}

#[tokio::test]
async fn a_fetch_goes_on_when_who_asked_for_it_has_left() {
    let rig = Rig::start().await;
    let (gate, reply) = held(key_set(&[&rig.key]));
    rig.issuer.answers(KEYS, reply);
    let token = rig.logout_token();
    tokio::select! {
        verdict = rig.verify(&token) => panic!("{verdict:?} before there were keys"),
        () = rig.until("the fetch has begun", |rig| rig.issuer.asked(KEYS) == 1) => {}
    }
    let mut fetched = rig.keys.fetched();
    gate.add_permits(1);
    fetched.changed().await.unwrap();
    assert!(rig.keys.has_keys(&rig.id()));
    assert_eq!(rig.code(&token).await, None);
}

#[tokio::test]
async fn nobody_waits_longer_than_two_seconds_for_a_slow_issuer() {
    let rig = Rig::start().await;
    rig.issuer.answers(KEYS, Reply::Never);
    let began = Instant::now();
    assert_eq!(rig.code(&rig.logout_token()).await, Some("keys_unavailable"));
    let waited = began.elapsed();
    // The hub's own callers are to be answered within three.
    assert!(waited >= CALLER_PATIENCE && waited < Duration::from_secs(3), "{waited:?}");
}

#[tokio::test]
async fn nothing_is_asked_before_it_is_needed_and_a_start_waits_for_nobody() {
    let rig = Rig::start().await;
    assert_eq!(rig.issuer.asked(METADATA), 0);
    rig.issuer.answers(METADATA, Reply::Never);
    rig.keys.prefetch_all();
    assert!(!rig.keys.has_keys(&rig.id()));
}

#[tokio::test]
async fn what_is_no_key_set_brings_no_keys() {
    let shared = Rig::start().await;
    for (what, reply) in bad_answers(&shared) {
        let rig = Rig::start().await;
        rig.issuer.answers(KEYS, reply);
        rig.issuer.answers("/elsewhere", Reply::Json(key_set(&[&rig.key])));
        assert_eq!(rig.code(&rig.logout_token()).await, Some("keys_unavailable"), "{what}");
        assert_eq!(rig.issuer.asked("/elsewhere"), 0, "{what}");
        assert_eq!((rig.health().fetches_ok, rig.health().fetches_failed), (0, 1), "{what}");
    }
}

#[tokio::test]
async fn the_last_good_set_is_kept_whatever_becomes_of_the_issuer() {
    let rig = Rig::start().await;
    assert_eq!(rig.code(&rig.logout_token()).await, None);
    for (n, (what, reply)) in bad_answers(&rig).into_iter().enumerate() {
        rig.issuer.answers(KEYS, reply);
        rig.advance(OLD);
        assert_eq!(rig.code(&rig.logout_token()).await, None, "{what}");
        let failed = u64::try_from(n).unwrap() + 1;
        rig.until(what, |rig| rig.health().fetches_failed == failed).await;
        assert_eq!(rig.code(&rig.logout_token()).await, None, "{what}");
    }
}

#[tokio::test]
async fn old_keys_that_are_in_use_are_fetched_anew_behind_the_answer() {
    let rig = Rig::start().await;
    assert_eq!(rig.code(&rig.logout_token()).await, None);
    rig.advance(OLD - 2);
    assert_eq!(rig.code(&rig.logout_token()).await, None);
    assert_eq!(rig.issuer.asked(KEYS), 1);

    let second = p256("second");
    let (gate, reply) = held(key_set(&[&second]));
    rig.issuer.answers(KEYS, reply);
    rig.advance(2);
    let before = rig.logout_token();
    assert_eq!(rig.code(&before).await, None, "nobody waits for it");
    let mut fetched = rig.keys.fetched();
    gate.add_permits(2);
    fetched.changed().await.unwrap();
    assert_eq!(rig.health().keys_age, Some(Duration::ZERO));
    assert_eq!(rig.code(&rig.logout_token_by(&second)).await, None);
    rig.advance(COOL);
    assert_eq!(rig.code(&rig.logout_token()).await, Some("kid_invalid"), "the first key was withdrawn");
}

#[tokio::test]
async fn metadata_is_read_again_after_an_hour_and_after_a_failure() {
    let rig = Rig::start().await;
    let use_keys = async |fetches: u64| {
        assert_eq!(rig.code(&rig.logout_token()).await, None);
        rig.until("a fetch", |rig| rig.health().fetches_ok + rig.health().fetches_failed == fetches).await;
    };
    use_keys(1).await;
    rig.advance(OLD);
    use_keys(2).await;
    assert_eq!((rig.issuer.asked(METADATA), rig.issuer.asked(KEYS)), (1, 2));
    rig.advance(3600);
    use_keys(3).await;
    assert_eq!((rig.issuer.asked(METADATA), rig.issuer.asked(KEYS)), (2, 3));

    let second = p256("second");
    rig.issuer.answers(KEYS, Reply::Text(404, String::new()));
    rig.issuer.answers(METADATA, Reply::Json(rig.issuer.metadata("/moved")));
    rig.issuer.answers("/moved", Reply::Json(key_set(&[&second])));
    rig.advance(OLD);
    use_keys(4).await;
    assert_eq!(rig.health().fetches_failed, 1);
    rig.advance(COOL);
    assert_eq!(rig.code(&rig.logout_token_by(&second)).await, None);
    assert_eq!((rig.issuer.asked(METADATA), rig.issuer.asked("/moved")), (3, 1));
}

#[tokio::test]
async fn a_kid_is_unknown_only_by_a_fetch_that_began_after_the_token_came() {
    let rig = Rig::start().await;
    let stranger = rig.logout_token().kid("nobodys".to_owned());
    // The first fetch is made for this very token, so it has the last word.
    assert_eq!(rig.code(&stranger).await, Some("kid_invalid"));

    // One that comes now would need another.
    let came = rig.keys.arrival();
    assert_eq!(rig.code(&stranger).await, Some("keys_unavailable"));
    let from_disk = rig.keys.arrival_of_parked(came.at);
    rig.advance(1);
    assert_eq!(rig.issuer.asked(KEYS), 1);

    rig.advance(COOL);
    let token = stranger.sign();
    let verdict = rig.verify_as_of(&token, from_disk).await.err();
    assert_eq!(verdict, Some(VerifyError::Refused(TokenFault::KidInvalid)));
    let verdict = rig.verify_as_of(&token, came).await.err();
    assert_eq!(verdict, Some(VerifyError::Refused(TokenFault::KidInvalid)));
    assert_eq!(rig.issuer.asked(KEYS), 2);
}

#[tokio::test]
async fn a_token_kept_on_disk_is_not_judged_by_a_fetch_from_before_it_came() {
    let rig = Rig::start().await;
    assert_eq!(rig.code(&rig.logout_token()).await, None);
    rig.advance(1);
    let came = rig.keys.arrival_of_parked(rig.keys.arrival().at);
    let second = p256("second");
    let token = rig.logout_token_by(&second).sign();
    assert_eq!(rig.verify_as_of(&token, came).await.err(), Some(VerifyError::KeysUnavailable));
    rig.issuer.answers(KEYS, Reply::Json(key_set(&[&rig.key, &second])));
    rig.advance(COOL);
    assert!(rig.verify_as_of(&token, came).await.is_ok());
}

#[tokio::test]
async fn a_fetch_that_was_under_way_may_bring_the_key_but_cannot_deny_it() {
    for (has_key, code) in [(true, None), (false, Some("keys_unavailable"))] {
        let rig = Rig::start().await;
        let second = p256("second");
        let published = if has_key { key_set(&[&rig.key, &second]) } else { key_set(&[&rig.key]) };
        let (gate, reply) = held(published);
        rig.issuer.answers(KEYS, reply);
        rig.keys.prefetch_all();
        rig.until("the fetch has begun", |rig| rig.issuer.asked(KEYS) == 1).await;
        let token = rig.logout_token_by(&second);
        let (verdict, ()) = tokio::join!(rig.code(&token), async { gate.add_permits(1) });
        assert_eq!(verdict, code);
    }
}

#[tokio::test]
async fn a_flood_of_unknown_kids_is_one_fetch_in_thirty_seconds_be_the_issuer_up_or_down() {
    let rig = Rig::start().await;
    for round in 1..=4 {
        for n in 0..100 {
            assert!(rig.code(&rig.logout_token().kid(format!("flood-{n}"))).await.is_some());
        }
        assert_eq!(rig.issuer.asked(KEYS), round);
        if round == 2 {
            rig.issuer.answers(KEYS, Reply::Text(500, String::new()));
        }
        rig.advance(30);
    }
    assert_eq!(rig.code(&rig.logout_token()).await, None);
}

#[tokio::test]
async fn a_bad_signature_by_a_known_key_asks_nobody() {
    let rig = Rig::start().await;
    assert_eq!(rig.code(&rig.logout_token()).await, None);
    rig.advance(COOL);
    let forger = p256("first");
    assert_eq!(rig.code(&rig.logout_token_by(&forger)).await, Some("bad_signature"));
    assert_eq!(rig.issuer.asked(KEYS), 1);
}

#[tokio::test]
async fn a_token_without_kid_gets_a_second_look_where_one_can_be_had_at_once() {
    let rig = Rig::start().await;
    assert_eq!(rig.code(&rig.logout_token().without_header("kid")).await, None);
    let second = p256("second");
    rig.issuer.answers(KEYS, Reply::Json(key_set(&[&second])));
    let rotated = rig.logout_token_by(&second).without_header("kid");
    assert_eq!(rig.code(&rotated).await, Some("bad_signature"), "a fetch was a moment ago");
    rig.advance(COOL);
    assert_eq!(rig.code(&rotated).await, None);
    let third = p256("third");
    rig.issuer.answers(KEYS, Reply::Json(key_set(&[&second, &third])));
    rig.advance(COOL);
    let by_third = rig.logout_token_by(&third).without_header("kid");
    assert_eq!(rig.code(&by_third).await, Some("kid_missing"));
}

#[tokio::test]
async fn a_kid_that_names_a_key_for_something_else_is_refused_and_asks_nobody() {
    let rig = Rig::start().await;
    let mut encrypts = rig.key.jwk();
    encrypts["kid"] = json!("encrypts");
    encrypts["use"] = json!("enc");
    let modulus = URL_SAFE_NO_PAD.encode([0xff; 1024 / 8]);
    let small = json!({ "kty": "RSA", "kid": "small", "n": modulus, "e": "AQAB" });
    let future = json!({ "kty": "AKP", "kid": "future", "alg": "ML-DSA-44", "pub": "x" });
    rig.issuer.answers(KEYS, Reply::Json(json!({ "keys": [encrypts, small, future, null, rig.key.jwk()] })));
    assert_eq!(rig.code(&rig.logout_token()).await, None);
    rig.advance(COOL);
    for (kid, alg) in [("encrypts", "ES256"), ("small", "RS256"), ("future", "ES256"), ("first", "RS256")] {
        let token = rig.logout_token().kid(kid.to_owned()).header("alg", json!(alg));
        assert_eq!(rig.code(&token).await, Some("alg_not_allowed"), "{kid}");
    }
    assert_eq!(rig.issuer.asked(KEYS), 1);
}

#[tokio::test]
async fn two_issuers_with_one_kid_have_each_their_own_key() {
    let (first, second) = (p256("k"), p256("k"));
    let other = ScriptedIssuer::start("127.0.0.1", &second).await;
    let rig = Rig::with(ScriptedIssuer::start("localhost", &first).await, Arc::clone(&first), Some(&other));
    let of_other = |key| rig.logout_token_by(key).with("iss", json!(other.url));
    assert_eq!(rig.code(&rig.logout_token_by(&first)).await, None);
    assert_eq!(rig.code(&of_other(&second)).await, None);
    assert_eq!(rig.code(&rig.logout_token_by(&second)).await, Some("bad_signature"));
    assert_eq!(rig.code(&of_other(&first)).await, Some("bad_signature"));
    // `shop` is an app of the first issuer only.
    assert_eq!(rig.code(&of_other(&second).with("aud", json!("shop"))).await, Some("aud_not_allowed"));
}

#[tokio::test]
async fn names_below_localhost_are_this_machine() {
    for host in ["localhost", "tenant.localhost", "127.0.0.1"] {
        let rig = Rig::at(host).await;
        assert_eq!(rig.code(&rig.logout_token()).await, None, "{host}");
    }
}

#[tokio::test]
async fn metadata_is_had_at_once_or_fetched_or_not_to_be_had() {
    let rig = Rig::start().await;
    assert!(rig.keys.metadata(&rig.id()).is_none());
    let metadata = rig.keys.metadata_or_fetch(&rig.id()).await.unwrap();
    assert_eq!(metadata.end_session_endpoint.as_ref().unwrap().path(), "/end");
    assert!(rig.keys.metadata(&rig.id()).is_some());

    let down = Rig::start().await;
    down.issuer.answers(METADATA, Reply::Text(503, String::new()));
    assert!(down.keys.metadata_or_fetch(&down.id()).await.is_none());

    // The metadata counts even where the keys are not to be had.
    let half = Rig::start().await;
    half.issuer.answers(KEYS, Reply::Text(503, String::new()));
    assert!(half.keys.metadata_or_fetch(&half.id()).await.is_some());
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused_be_it_by_one_slash() {
    let rig = Rig::start().await;
    let mut other = rig.issuer.metadata(KEYS);
    other["issuer"] = json!(rig.issuer.url.trim_end_matches('/'));
    rig.issuer.answers(METADATA, Reply::Json(other));
    assert_eq!(rig.code(&rig.logout_token()).await, Some("keys_unavailable"));
    assert_eq!(rig.issuer.asked(KEYS), 0);
}
