//! Bounds of what is kept for strangers.

use futures_util::future::join_all;
use slo_hub::domain::clock::UnixMillis;
use slo_hub::domain::ids::Issuer;
use slo_hub::store::{PARKED_MAX, PARKED_MAX_PER_ISSUER, Parked, ParkedToken};

use crate::hub::TestHub;

fn parked(number: i64) -> ParkedToken {
    let issuer = format!("https://issuer-{}.example/", number / PARKED_MAX_PER_ISSUER);
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    ParkedToken { issuer: Issuer::parse(&issuer).unwrap(), digest, token: "x".into(), arrived_at: UnixMillis(number) }
}

#[tokio::test]
async fn all_issuers_together_park_ten_thousand_tokens() {
    let hub = TestHub::start().await;
    let store = &hub.running.hub.store;
    for begin in (0..PARKED_MAX).step_by(1_000) {
        let answers = join_all((begin..begin + 1_000).map(|number| store.park(parked(number)))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(Parked::Kept)), "{begin}");
    }
    assert_eq!(store.park(parked(PARKED_MAX)).await, Ok(Parked::Full), "an issuer that has none yet");
    assert_eq!(i64::try_from(store.parked(None).await.unwrap().len()).unwrap(), PARKED_MAX);
}
