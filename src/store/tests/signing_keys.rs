//! The keys of the hub's own tokens: one maker, whoever asks.

use futures_util::future::join_all;

use super::*;
use crate::domain::signing_key::{PUBLISHED_AFTER_SECONDS, PrivateKey, SigningKey};

const NEVER: UnixSeconds = UnixSeconds(i64::MIN);

fn key(kid: &str, signs_from: i64) -> SigningKey {
    SigningKey {
        kid: kid.to_owned(),
        private: PrivateKey::new(kid.as_bytes()),
        made_at: UnixSeconds(signs_from - 10),
        signs_from: UnixSeconds(signs_from),
        signs_until: None,
    }
}

fn until(moment: i64, key: SigningKey) -> SigningKey {
    SigningKey { signs_until: Some(UnixSeconds(moment)), ..key }
}

#[tokio::test]
async fn of_many_who_want_the_first_key_one_makes_it_and_all_get_it() {
    let store = TestStore::open().await;
    let elsewhere = Store::open(&store.url, &store.tasks).await.unwrap();
    let asks = (0..20).map(|number| {
        let hub: &Store = if number % 2 == 0 { &store } else { &elsewhere };
        hub.add_signing_key(key(&format!("k{number}"), 1000), NEVER)
    });
    let answers: Vec<_> = join_all(asks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers[0].len(), 1);
    assert!(answers.iter().all(|keys| *keys == answers[0]), "{answers:?}");
    assert_eq!(store.signing_keys().await.unwrap(), answers[0]);
}

#[tokio::test]
async fn a_key_takes_over_from_the_newest_and_from_no_other() {
    let store = TestStore::open().await;
    store.add_signing_key(key("a", 1000), NEVER).await.unwrap();
    store.add_signing_key(key("b", 2000), UnixSeconds(1000)).await.unwrap();
    let refused = store.add_signing_key(key("c", 2500), UnixSeconds(1999)).await.unwrap();
    assert_eq!(refused, [until(2000, key("a", 1000)), key("b", 2000)], "one that is later is there");
    let third = store.add_signing_key(key("c", 3000), UnixSeconds(2000)).await.unwrap();
    assert_eq!(third, [until(2000, key("a", 1000)), until(3000, key("b", 2000)), key("c", 3000)]);
    assert_eq!(store.after_a_crash().await.signing_keys().await.unwrap(), third);
}

#[tokio::test]
async fn a_key_in_the_place_of_all_others_leaves_none_of_them() {
    let store = TestStore::open().await;
    store.add_signing_key(key("a", 1000), NEVER).await.unwrap();
    store.add_signing_key(key("b", 2000), UnixSeconds(1000)).await.unwrap();
    assert_eq!(store.replace_signing_keys(key("c", 1500)).await.unwrap(), [key("c", 1500)]);
    assert_eq!(store.signing_keys().await.unwrap(), [key("c", 1500)]);
}

#[tokio::test]
async fn a_key_is_forgotten_once_it_is_no_longer_published() {
    let store = TestStore::open().await;
    store.add_signing_key(key("a", 1000), NEVER).await.unwrap();
    store.add_signing_key(key("b", 2000), UnixSeconds(1000)).await.unwrap();
    let gone = UnixSeconds(2000 + PUBLISHED_AFTER_SECONDS);
    store.forget(UnixMillis(0), gone.plus(-1).into()).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap().len(), 2);
    store.forget(UnixMillis(0), gone.into()).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap(), [key("b", 2000)]);
}
