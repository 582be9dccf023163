//! The issuers' keys: cached, rotated, withdrawn, and not to be had.

use std::time::Duration;

use serde_json::json;
use slo_hub::oidc::keys::KEYS_ARE_OLD;

use crate::hub::{NOTES, TestHub};
use crate::stories::{id_token, logout_token};
use crate::support::issuer::Serving;
use crate::tab::Tab;
use crate::wait::until;

/// Longer than the pause between two fetches of one issuer's keys.
const COOL: Duration = Duration::from_secs(31);

/// Waits for what the hub does by itself, behind the answer; fails after ten seconds.
async fn until_recorded(hub: &TestHub, count: usize) {
    until(&format!("{count} logouts are recorded"), async || (hub.recorded().await == count).then_some(())).await;
}

#[tokio::test]
async fn a_token_whose_keys_cannot_be_had_is_503_and_judged_when_they_come() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    hub.issuer.rotate_keys();
    hub.issuer.fail_with(503);
    let token = logout_token(&hub, &ada, "notes");

    hub.receives(&token).await.refused(503, "temporarily_unavailable", "keys_unavailable");
    assert_eq!(hub.recorded().await, 0);

    hub.issuer.fail_with(200);
    // Long after the token has expired: it counts as of its arrival.
    hub.advance(Duration::from_secs(3600));
    hub.running.hub.judge_parked().await;

    tab.logged_out().await;
    assert_eq!(hub.recorded().await, 1);
    let again = hub.receives(&token).await;
    assert_eq!(again.json()["code"], "iat_too_old", "by now it is an old token");
}

#[tokio::test]
async fn a_parked_token_survives_a_restart() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.issuer.rotate_keys();
    hub.issuer.fail_with(503);
    hub.receives(&logout_token(&hub, &ada, "notes")).await.refused(503, "temporarily_unavailable", "keys_unavailable");
    hub.issuer.fail_with(200);

    let hub = hub.restart().await;
    until_recorded(&hub, 1).await;
}

#[tokio::test]
async fn an_unknown_kid_is_refused_only_after_a_fetch_later_than_the_token() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let token = hub.issuer.logout_token(&ada, "notes").kid("nobodys".to_owned()).sign();

    hub.receives(&token).await.refused(503, "temporarily_unavailable", "keys_unavailable");
    hub.advance(COOL);
    hub.running.hub.judge_parked().await;

    hub.receives(&token).await.refused(400, "invalid_request", "kid_invalid");
    assert_eq!(hub.recorded().await, 0);
    hub.advance(COOL);
    let other = hub.issuer.logout_token(&ada, "notes").kid("nobodys".to_owned()).sign();
    hub.receives(&other).await.refused(400, "invalid_request", "kid_invalid");
}

#[tokio::test]
async fn a_flood_of_unknown_kids_costs_the_issuer_one_fetch_in_thirty_seconds() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let before = hub.issuer.key_requests();
    for n in 0..50 {
        let token = hub.issuer.logout_token(&ada, "notes").kid(format!("flood-{n}")).sign();
        hub.receives(&token).await.expect(503);
    }
    assert_eq!(hub.issuer.key_requests(), before, "the start's own fetch was a moment ago");
    hub.advance(COOL);
    for n in 0..50 {
        let token = hub.issuer.logout_token(&ada, "notes").kid(format!("flood-again-{n}")).sign();
        hub.receives(&token).await;
    }
    assert_eq!(hub.issuer.key_requests(), before + 1);
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
}

#[tokio::test]
async fn what_could_never_pass_is_not_kept_while_keys_are_away() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.issuer.rotate_keys();
    hub.issuer.fail_with(503);
    let token = hub.issuer.logout_token(&ada, "notes").with("nonce", json!("n")).sign();
    hub.receives(&token).await.expect(503);
    assert_eq!(hub.running.hub.store.parked(None).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_new_key_is_found_when_a_token_names_it() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.issuer.rotate_keys();
    hub.advance(COOL);
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
}

#[tokio::test]
async fn the_last_good_keys_serve_while_the_issuer_is_down() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    hub.issuer.fail_with(500);
    hub.advance(Duration::from_secs(24 * 3600));
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_no_key_once_the_set_was_read_again() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let signed_before = hub.issuer.logout_token(&ada, "notes");
    hub.issuer.rotate_keys();
    hub.advance(COOL);
    hub.receives(&logout_token(&hub, &hub.issuer.sign_in("grace"), "notes")).await.expect(200);
    hub.advance(COOL);
    hub.receives(&signed_before.sign()).await.refused(400, "invalid_request", "kid_invalid");
}

#[tokio::test]
async fn a_key_that_was_published_beside_the_one_that_signs_may_be_withdrawn() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let old = hub.issuer.kid();
    let signed_before = hub.issuer.logout_token(&ada, "notes");
    hub.issuer.sign_with_es256();
    hub.advance(COOL);
    hub.receives(&logout_token(&hub, &hub.issuer.sign_in("grace"), "notes")).await.expect(200);
    hub.receives(&signed_before.clone().sign()).await.expect(200);
    hub.issuer.withdraw(&old);
    hub.advance(KEYS_ARE_OLD + COOL);
    // Keys of that age are fetched anew, behind the answer to whoever needs them.
    let fetches = hub.issuer.key_requests();
    hub.receives(&logout_token(&hub, &hub.issuer.sign_in("linus"), "notes")).await.expect(200);
    until("keys are fetched", async || (hub.issuer.key_requests() > fetches).then_some(())).await;
    hub.advance(COOL);
    let late = (KEYS_ARE_OLD + COOL + COOL).as_secs().try_into().unwrap();
    let by_the_old = signed_before.with("jti", json!("another")).moved("iat", late).moved("exp", late);
    hub.receives(&by_the_old.sign()).await.refused(400, "invalid_request", "kid_invalid");
}

#[tokio::test]
async fn an_issuer_that_talks_nonsense_or_never_ends_loses_no_logout() {
    for how in [Serving::Garbage, Serving::Late(Duration::from_secs(60))] {
        let hub = TestHub::start().await;
        hub.issuer.rotate_keys();
        hub.issuer.serves(how);
        hub.advance(COOL);
        let token = logout_token(&hub, &hub.issuer.sign_in("ada"), "notes");
        hub.receives(&token).await.refused(503, "temporarily_unavailable", "keys_unavailable");
        hub.issuer.serves(Serving::Well);
        hub.advance(COOL);
        hub.receives(&logout_token(&hub, &hub.issuer.sign_in("grace"), "notes")).await.expect(200);
        until_recorded(&hub, 2).await;
    }
}

#[tokio::test]
async fn an_unknown_kind_of_key_beside_a_good_one_changes_nothing() {
    let hub = TestHub::start().await;
    hub.issuer.publish(json!({"kty": "AKP", "kid": "future", "alg": "ML-DSA-44", "pub": "x"}));
    hub.issuer.publish(json!({"kty": "RSA", "kid": "broken"}));
    hub.issuer.publish(json!("nonsense"));
    hub.issuer.rotate_keys();
    hub.advance(COOL);
    hub.receives(&logout_token(&hub, &hub.issuer.sign_in("ada"), "notes")).await.expect(200);
}

#[tokio::test]
async fn a_key_of_another_kind_does_not_fit_the_alg() {
    let hub = TestHub::start().await;
    hub.issuer.sign_with_es256();
    hub.advance(COOL);
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let confused = hub.issuer.logout_token(&ada, "notes").header("alg", json!("RS256")).sign();
    hub.receives(&confused).await.refused(400, "invalid_request", "alg_not_allowed");
    let nameless = hub.issuer.logout_token(&ada, "notes").without_header("kid").sign();
    hub.receives(&nameless).await.expect(200);
}

#[tokio::test]
async fn without_a_kid_there_must_be_one_key_only() {
    let hub = TestHub::start().await;
    let ada = hub.issuer.sign_in("ada");
    let mut second = crate::support::issuer::rsa_jwk(
        "second",
        &aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap(),
    );
    second["kid"] = json!("second");
    hub.issuer.publish(second);
    hub.issuer.rotate_keys();
    hub.advance(COOL);
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    let nameless = hub.issuer.logout_token(&ada, "notes").without_header("kid").sign();
    hub.receives(&nameless).await.refused(400, "invalid_request", "kid_missing");
}

#[tokio::test]
async fn two_issuers_may_name_their_keys_alike() {
    let hub = TestHub::start().await;
    let ada = hub.other.sign_in("ada");
    let kid = hub.issuer.kid();
    // The first issuer's key name, and its key, on a token of the second.
    let forged = hub.issuer.logout_token(&ada, "notes").with("iss", json!(hub.other.url())).kid(kid).sign();
    let answer = hub.receives(&forged).await;
    assert_ne!(answer.status, 200, "{answer:?}");
    hub.receives(&hub.other.logout_token(&ada, "notes").sign()).await.expect(200);
}

#[tokio::test]
async fn metadata_that_names_another_issuer_is_not_believed() {
    let hub = TestHub::start_prepared(|issuer| issuer.claim_to_be(issuer.url().trim_end_matches('/'))).await;
    let token = logout_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    hub.receives(&token).await.refused(503, "temporarily_unavailable", "keys_unavailable");
}

#[tokio::test]
async fn an_issuer_that_starts_a_moment_after_the_hub_is_asked_again_soon() {
    let hub = TestHub::start_without_keys().await;
    let ada = hub.issuer.sign_in("ada");
    let token = logout_token(&hub, &ada, "notes");
    hub.receives(&token).await.refused(503, "temporarily_unavailable", "keys_unavailable");
    hub.issuer.fail_with(200);
    hub.receives(&token).await.refused(503, "temporarily_unavailable", "keys_unavailable");
    hub.advance(Duration::from_secs(6));
    hub.receives(&token).await.expect(200);
}
