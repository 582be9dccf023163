//! Logout tokens that wait for keys, and the hub's own secrets.

use super::*;
use crate::store::{PARKED_MAX_PER_ISSUER, Parked, ParkedToken};

fn parked(number: u16, arrived_at: i64) -> ParkedToken {
    let mut digest = [0; 32];
    digest[..2].copy_from_slice(&number.to_be_bytes());
    ParkedToken { issuer: acme(), digest, token: format!("token-{number}"), arrived_at: UnixMillis(arrived_at) }
}

const NOW: UnixMillis = UnixMillis(100_000_000);

#[tokio::test]
async fn a_token_waits_until_it_is_taken() {
    let store = TestStore::open().await;
    let token = parked(1, 5);
    assert_eq!(store.park(token.clone()).await.unwrap(), Parked::Kept);
    let again = store.park(ParkedToken { arrived_at: UnixMillis(9), ..token.clone() }).await.unwrap();
    assert_eq!(again, Parked::AlreadyParked { arrived_at: UnixMillis(5) });

    store.park(parked(2, 4)).await.unwrap();
    assert!(store.parked(None).await.unwrap() == [parked(2, 4), token.clone()], "first come first");
    assert!(store.parked(Some(&acme())).await.unwrap().len() == 2);
    assert!(store.parked(Some(&Issuer::parse("https://other.example/").unwrap())).await.unwrap().is_empty());

    store.settle_parked(token.digest, None, NOW).await.unwrap();
    assert!(store.parked(None).await.unwrap() == [parked(2, 4)]);
    assert_eq!(store.park(token).await.unwrap(), Parked::Kept, "nothing is left of it");
}

#[tokio::test]
async fn a_refused_token_hears_the_same_again_for_an_hour() {
    let store = TestStore::open().await;
    let token = parked(1, NOW.0);
    store.park(token.clone()).await.unwrap();
    store.settle_parked(token.digest, Some("bad_signature"), NOW).await.unwrap();
    store.settle_parked(token.digest, Some("other"), NOW).await.unwrap();
    assert!(store.parked(None).await.unwrap().is_empty());
    assert_eq!(store.park(token.clone()).await.unwrap(), Parked::Judged("bad_signature".into()));

    store.forget(UnixMillis(0), NOW.plus_seconds(3600)).await.unwrap();
    assert_eq!(store.park(token.clone()).await.unwrap(), Parked::Judged("bad_signature".into()));
    store.forget(UnixMillis(0), NOW.plus_seconds(3601)).await.unwrap();
    assert_eq!(store.park(token).await.unwrap(), Parked::Kept);
}

#[tokio::test]
async fn one_issuers_strangers_cannot_keep_out_anothers_tokens() {
    let store = TestStore::open().await;
    let many = (0..=PARKED_MAX_PER_ISSUER).map(|number| store.park(parked(u16::try_from(number).unwrap(), number)));
    let answers = futures_util::future::join_all(many).await;
    let (last, kept) = answers.split_last().unwrap();
    assert!(kept.iter().all(|answer| *answer == Ok(Parked::Kept)));
    assert_eq!(*last, Ok(Parked::Full));
    let elsewhere = Issuer::parse("https://other.example/").unwrap();
    let other = ParkedToken { issuer: elsewhere, ..parked(60_000, 0) };
    assert_eq!(store.park(other).await.unwrap(), Parked::Kept);

    store.settle_parked(parked(0, 0).digest, Some("kid_invalid"), NOW).await.unwrap();
    assert_eq!(store.park(parked(50_000, 0)).await.unwrap(), Parked::Kept, "a verdict takes no place");
}

#[tokio::test]
async fn a_token_that_waited_for_a_day_is_dropped() {
    let store = TestStore::open().await;
    store.park(parked(1, NOW.0)).await.unwrap();
    store.forget(UnixMillis(0), NOW.plus_seconds(24 * 3600)).await.unwrap();
    assert_eq!(store.parked(None).await.unwrap().len(), 1);
    store.forget(UnixMillis(0), NOW.plus_seconds(24 * 3600 + 1)).await.unwrap();
    assert!(store.parked(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_secret_is_made_once_whoever_asks() {
    let store = TestStore::open().await;
    let asked = (0..20).map(|_| store.secret("tickets", NOW));
    let secrets: Vec<_> = futures_util::future::join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    assert_ne!(secrets[0], [0; 32]);
    assert_ne!(store.secret("other", NOW).await.unwrap(), secrets[0]);
    assert_eq!(store.after_a_crash().await.secret("tickets", NOW).await.unwrap(), secrets[0]);
}
