//! The keys of the hub's own tokens: made, kept, replaced, and never shown.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use slo_hub::domain::clock::Clock;
use slo_hub::domain::signing_key::{PUBLISHED_AFTER_SECONDS, PUBLISHED_BEFORE_SECONDS};
use slo_hub::hub::signing_keys::{KeyTrouble, Rotated, Rotation, ready_keys, rotate};
use slo_hub::store::{Store, StoreError};
use slo_hub::tasks::Tasks;
use tempfile::TempDir;

use crate::hub::{Answer, TestHub};
use crate::own_tokens::{client, part, session_logout, verifies};
use crate::process::HubProcess;
use crate::records::{self, Records};
use crate::support::issuer::TestIssuer;

const DAY: u64 = 24 * 3600;

fn token(hub: &TestHub) -> String {
    hub.running.hub.own_tokens.issue(&session_logout(), &client("desk"), hub.clock.now().floor()).unwrap()
}

fn signs_with(hub: &TestHub) -> Value {
    part(&token(hub), 0)["kid"].clone()
}

fn kids(key_set: &Value) -> Vec<&str> {
    key_set["keys"].as_array().unwrap().iter().map(|jwk| jwk["kid"].as_str().unwrap()).collect()
}

fn published(hub: &TestHub) -> Value {
    hub.running.hub.own_tokens.jwks()
}

async fn rotates(hub: &TestHub, how: Rotation) -> Rotated {
    rotate(&hub.running.hub.store, hub.clock.now().floor(), how).await.unwrap()
}

async fn passes(hub: &TestHub, seconds: u64) {
    hub.advance(Duration::from_secs(seconds));
    hub.running.hub.refresh_signing_keys().await.unwrap();
}

#[tokio::test]
async fn the_key_of_the_first_start_is_that_of_every_later_one() {
    let hub = TestHub::start().await;
    let (before, keys) = (token(&hub), published(&hub));
    assert_eq!(kids(&keys).len(), 1);
    let hub = hub.restart().await;
    assert_eq!(published(&hub), keys);
    assert!(verifies(&before, &published(&hub)));
    assert_eq!(signs_with(&hub), part(&before, 0)["kid"]);
}

#[tokio::test]
async fn hubs_that_start_for_the_first_time_together_agree_on_one_key() {
    let (folder, tasks) = (TempDir::new().unwrap(), Tasks::default());
    let mut hubs = Vec::new();
    for _ in 0..4 {
        hubs.push(Store::open(&records::url(folder.path()), &tasks).await.unwrap());
    }
    let now = slo_hub::domain::clock::UnixSeconds(1_800_000_000);
    let keys = futures_util::future::join_all(hubs.iter().map(|store| ready_keys(store, now))).await;
    let first = keys[0].clone().unwrap();
    assert_eq!(first.len(), 1);
    assert!(keys.into_iter().all(|keys| keys.unwrap() == first));
}

/// Whoever checks a token holds a copy of the keys that is at most ten minutes old, and
/// a token that is at most two; and the hub hears of a rotation up to a minute late.
#[tokio::test]
async fn no_rotation_is_noticed_by_anyone_who_keeps_to_the_times() {
    let hub = TestHub::start().await;
    let (mut copies, mut tokens) = (VecDeque::new(), VecDeque::new());
    let mut signed_with = BTreeSet::new();
    for minute in 0..90 {
        passes(&hub, 60).await;
        hub.running.hub.forget_old().await;
        copies.push_back(published(&hub));
        tokens.push_back(token(&hub));
        copies.drain(..copies.len().saturating_sub(11));
        tokens.drain(..tokens.len().saturating_sub(3));
        for token in &tokens {
            assert!(copies.iter().all(|copy| verifies(token, copy)), "in minute {minute}");
            signed_with.insert(part(token, 0)["kid"].to_string());
        }
        // After the hub has looked, so that it will know a minute later. The second as
        // soon as the first has been done.
        if minute == 10 || minute == 25 {
            assert!(rotates(&hub, Rotation::WithOverlap).await.is_new);
        }
    }
    assert_eq!(signed_with.len(), 3);
    assert_eq!(kids(&published(&hub)), [signs_with(&hub)], "the old ones are gone");
    assert_eq!(hub.running.hub.store.signing_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_key_waits_and_an_old_one_stays_to_the_second() {
    let hub = TestHub::start().await;
    let first = signs_with(&hub);
    let second = json!(rotates(&hub, Rotation::WithOverlap).await.key.kid);
    passes(&hub, 0).await;
    assert_eq!(kids(&published(&hub)), [&first, &second]);
    let again = rotates(&hub, Rotation::WithOverlap).await;
    assert_eq!((again.is_new, json!(again.key.kid)), (false, second.clone()), "one that waits is enough");

    hub.advance(Duration::from_secs(PUBLISHED_BEFORE_SECONDS.cast_unsigned() - 1));
    assert_eq!(signs_with(&hub), first);
    hub.advance(Duration::from_secs(1));
    assert_eq!(signs_with(&hub), second);
    hub.advance(Duration::from_secs(PUBLISHED_AFTER_SECONDS.cast_unsigned() - 1));
    assert_eq!(kids(&published(&hub)), [&first, &second]);
    hub.advance(Duration::from_secs(1));
    assert_eq!(kids(&published(&hub)), [&second]);
}

#[tokio::test]
async fn a_key_is_replaced_by_itself_after_ninety_days() {
    let hub = TestHub::start().await;
    let first = signs_with(&hub);
    let ahead = PUBLISHED_BEFORE_SECONDS.cast_unsigned();
    passes(&hub, 90 * DAY - ahead - 1).await;
    assert_eq!(kids(&published(&hub)), [&first]);
    passes(&hub, 1).await;
    passes(&hub, 0).await;
    assert_eq!(kids(&published(&hub)).len(), 2, "once, however often it looks");
    passes(&hub, ahead - 1).await;
    assert_eq!(signs_with(&hub), first);
    passes(&hub, 1).await;
    assert_ne!(signs_with(&hub), first);
    passes(&hub, 89 * DAY).await;
    assert_eq!(kids(&published(&hub)).len(), 1);
}

#[tokio::test]
async fn a_leaked_key_is_gone_at_once_and_so_is_one_that_waited() {
    let hub = TestHub::start().await;
    let leaked = token(&hub);
    let waiting = rotates(&hub, Rotation::WithOverlap).await.key.kid;
    passes(&hub, 0).await;
    let fresh = rotates(&hub, Rotation::Now).await;
    passes(&hub, 0).await;
    assert!(fresh.is_new && fresh.key.kid != waiting);
    assert_eq!(kids(&published(&hub)), [&fresh.key.kid]);
    assert!(!verifies(&leaked, &published(&hub)));
    assert!(verifies(&token(&hub), &published(&hub)));
}

#[tokio::test]
async fn a_store_that_cannot_be_written_delays_a_rotation_and_stops_no_token() {
    let hub = TestHub::start().await;
    hub.advance(Duration::from_secs(90 * DAY));
    let lock = Records::locked(hub.folder.path()).await;
    let refused = hub.running.hub.refresh_signing_keys().await;
    assert_eq!(refused, Err(KeyTrouble::Store(StoreError::Locked)));
    assert!(verifies(&token(&hub), &published(&hub)));
    lock.let_go().await;
    hub.running.hub.refresh_signing_keys().await.unwrap();
    assert_eq!(kids(&published(&hub)).len(), 2);
}

/// `slo-hub keys …`, and what it said.
fn keys(words: &[&str], config: &Path) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    let said = command.arg("keys").args(words).arg("--config").arg(config).output().unwrap();
    let text = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
    (said.status.success(), text)
}

#[tokio::test]
async fn an_operator_rotates_while_the_hub_runs_and_sees_nothing_secret() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let config = folder.path().join("slo-hub.toml");
    let mut hub = HubProcess::start(&issuer, folder.path()).await;
    let key_set = async || Answer::of(hub.http.get(hub.url("/.well-known/jwks.json"))).await;
    let mut shown = vec![key_set().await.text];
    let first = kids(&key_set().await.json())[0].to_owned();
    let mut private = private_spellings(folder.path()).await;

    let (_, listed) = keys(&["list"], &config);
    assert!(listed.lines().count() == 2 && listed.contains(&format!("{first}  current  ")), "{listed}");
    let (done, rotated) = keys(&["rotate"], &config);
    assert!(done && rotated.contains("is published, and signs from"), "{rotated}");
    private.extend(private_spellings(folder.path()).await);
    let second = rotated.split(' ').next().unwrap().to_owned();
    hub.until("both are published", async || kids(&key_set().await.json()) == [&first, &second]).await;
    let (_, with_next) = keys(&["list"], &config);
    assert!(with_next.contains(&format!("{second}  next     ")), "{with_next}");
    shown.extend([listed, rotated, with_next, key_set().await.text]);

    let (done, replaced) = keys(&["rotate", "--now"], &config);
    assert!(done && replaced.contains("signs from now on"), "{replaced}");
    private.extend(private_spellings(folder.path()).await);
    let third = replaced.split(' ').next().unwrap().to_owned();
    hub.until("the new one alone is published", async || kids(&key_set().await.json()) == [&third]).await;
    let (_, last) = keys(&["list"], &config);
    assert!(last.lines().count() == 2 && last.contains(&format!("{third}  current  ")), "{last}");
    shown.extend([replaced, last, key_set().await.text]);

    assert!(hub.terminate().await.success());
    let log = std::fs::read_to_string(folder.path().join("hub.log")).unwrap();
    assert!(log.contains("the signing keys have changed") && log.contains(&third), "{log}");
    shown.push(log);
    assert_eq!(private.len(), (1 + 2 + 1) * 8);
    for (text, secret) in shown.iter().flat_map(|text| private.iter().map(move |secret| (text, secret))) {
        assert!(!text.contains(secret.as_str()), "{secret} is in\n{text}");
    }
}

/// Every key of a hub's records, whole and its private number alone, as either could be shown.
async fn private_spellings(folder: &Path) -> Vec<String> {
    let keys = Records::of(folder).await.bytes("select private_key from signing_keys").await;
    let mut spellings = Vec::new();
    for pkcs8 in keys {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
        let number = pair.private_key().as_be_bytes().unwrap();
        for bytes in [pkcs8.as_slice(), number.as_ref()] {
            let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            let list = format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
            spellings.extend([hex, list, URL_SAFE_NO_PAD.encode(bytes), STANDARD_NO_PAD.encode(bytes)]);
        }
    }
    spellings
}

#[tokio::test]
async fn a_damaged_key_stops_the_start_and_says_how_to_mend_it() {
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let config = folder.path().join("slo-hub.toml");
    let mut hub = HubProcess::start(&issuer, folder.path()).await;
    hub.terminate().await;
    let mut records = Records::of(folder.path()).await;
    let damage = match records {
        Records::File(_) => "update signing_keys set private_key = x'3000'",
        Records::Schema(_) => "update signing_keys set private_key = '\\x3000'",
    };
    assert_eq!(records.run(damage).await, 1);
    drop(records);

    let mut serve = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    let said = serve.args(["serve", "--config"]).arg(&config).output().unwrap();
    let text = String::from_utf8(said.stderr).unwrap();
    assert!(!said.status.success() && text.contains("`slo-hub keys rotate --now` makes new ones"), "{text}");
    assert!(keys(&["rotate", "--now"], &config).0);
    let hub = HubProcess::start(&issuer, folder.path()).await;
    assert_eq!(Answer::of(hub.http.get(hub.url("/.well-known/jwks.json"))).await.status, 200);
}

#[test]
fn looking_for_keys_makes_no_database() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("slo-hub.toml");
    std::fs::write(&config, crate::process::config("https://acme.example/", 1, 2)).unwrap();
    for words in [&["list"][..], &["rotate"], &["rotate", "--now"]] {
        let (done, said) = keys(words, &config);
        assert!(!done && said.contains("there is no database at"), "{said}");
    }
    assert!(!folder.path().join("hub.db").exists());
}
