//! Where exactly a rule begins and ends, and what a verified token says.

use serde_json::{Value, json};
use slo_hub::domain::clock::UnixSeconds;
use slo_hub::domain::ids::ClientId;
use slo_hub::domain::logout::{LogoutTarget, Scope};
use slo_hub::oidc::logout_token::RawLogoutToken;

use crate::rig::{KEYS, METADATA, Reply, Rig, START};

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn a_logout_tokens_times_are_judged_to_the_second_with_the_clock_skew() {
    let rig = Rig::start().await;
    for (claim, offset, code) in [
        ("iat", 60, None),
        ("iat", 61, Some("iat_future")),
        ("iat", -660, None),
        ("iat", -661, Some("iat_too_old")),
        ("iat", i64::MAX - START, Some("iat_future")),
        ("iat", -START, Some("iat_too_old")),
        ("exp", -59, None),
        ("exp", -60, Some("expired")),
        ("exp", DAY + 60, None),
        ("exp", DAY + 61, Some("lifetime_too_long")),
        ("nbf", 60, None),
        ("nbf", 61, Some("nbf_future")),
        ("nbf", -START, None),
    ] {
        let token = rig.logout_token().with(claim, json!(START + offset));
        assert_eq!(rig.code(&token).await, code, "{claim} {offset:+}");
    }
    for (claim, value, code) in [
        ("iat", json!(1e300), Some("iat_future")),
        ("iat", json!(-1e300), Some("iat_too_old")),
        ("exp", json!(u64::MAX), Some("lifetime_too_long")),
        ("exp", json!(1_799_999_940.9), Some("expired")),
    ] {
        assert_eq!(rig.code(&rig.logout_token().with(claim, value)).await, code, "{claim}");
    }
}

#[tokio::test]
async fn an_id_token_may_live_long_and_an_expired_one_is_marked_not_refused() {
    let rig = Rig::start().await;
    for (exp, is_expired) in [(-59, false), (-60, true), (-400 * DAY, true), (10 * 365 * DAY, false)] {
        let token = rig.id_token().with("iat", json!(START - 500 * DAY)).with("exp", json!(START + exp));
        let token = rig.verify_id(&token).await.unwrap();
        assert_eq!((token.is_expired(), token.expires_at()), (is_expired, UnixSeconds(START + exp)));
    }
    for (claim, offset, code) in [("iat", 61, "iat_future"), ("nbf", 61, "nbf_future")] {
        assert_eq!(rig.id_code(&rig.id_token().with(claim, json!(START + offset))).await, Some(code));
    }
    assert_eq!(rig.id_code(&rig.id_token().without("exp")).await, Some("exp_missing"));
    assert_eq!(rig.id_code(&rig.id_token().without("iat")).await, Some("iat_missing"));
}

#[tokio::test]
async fn a_token_is_judged_as_of_its_arrival() {
    let rig = Rig::start().await;
    let token = rig.logout_token().sign();
    let came = rig.keys.arrival();
    rig.advance(3600);
    assert!(rig.verify_as_of(&token, came).await.is_ok());
    assert!(rig.verify_as_of(&token, rig.keys.arrival()).await.is_err());
}

#[tokio::test]
async fn a_sid_means_one_session_and_a_sub_alone_every_session() {
    let rig = Rig::start().await;
    let target = async |token| rig.verify(&token).await.unwrap().target();
    let both = target(rig.logout_token()).await;
    assert_eq!((both.scope(), both.sub().unwrap().as_str()), (Scope::Session, "ada"));
    let sid_alone = target(rig.logout_token().without("sub")).await;
    assert!(matches!(&sid_alone, LogoutTarget::Session { key, sub: None } if key.sid.as_str() == "laptop"));
    let sub_alone = target(rig.logout_token().without("sid")).await;
    assert!(matches!(&sub_alone, LogoutTarget::User(key) if key.sub.as_str() == "ada" && key.issuer == rig.id()));
}

#[tokio::test]
async fn a_verified_logout_token_says_what_it_said() {
    let rig = Rig::start().await;
    let raw = rig.logout_token().with("aud", json!(["notes", "shop", "hub"])).with("azp", json!("hub")).sign();
    let token = rig.verify_as_of(&raw, rig.keys.arrival()).await.unwrap();
    assert_eq!(token.issuer(), &rig.id());
    assert_eq!(token.audiences().iter().map(ClientId::as_str).collect::<Vec<_>>(), ["notes", "shop", "hub"]);
    assert_eq!((token.issued_at(), token.expires_at()), (UnixSeconds(START), Some(UnixSeconds(START + 120))));
    assert_eq!((token.jti().as_str(), token.raw()), ("1", raw.as_str()));
}

#[tokio::test]
async fn the_same_token_signed_twice_has_one_digest_and_two_texts() {
    let rig = Rig::start().await;
    // An ECDSA signature is never the same twice.
    let (once, twice) = (rig.logout_token().sign(), rig.logout_token().sign());
    assert_ne!(once, twice);
    let digest = async |raw: &str| rig.verify_as_of(raw, rig.keys.arrival()).await.unwrap().digest();
    assert_eq!(digest(&once).await, digest(&twice).await);
    assert_ne!(digest(&once).await, digest(&rig.logout_token().with("jti", json!("2")).sign()).await);
    // Nobody can take a place on disk in a token's name without having the token.
    assert_ne!(RawLogoutToken::new(&once).digest(), RawLogoutToken::new(&twice).digest());
}

#[tokio::test]
async fn a_jti_of_any_length_counts_and_is_told_apart() {
    let rig = Rig::start().await;
    let jti = async |text: String| {
        rig.verify(&rig.logout_token().with("jti", json!(text))).await.unwrap().jti().as_str().to_owned()
    };
    assert_eq!(jti("x".repeat(255)).await, "x".repeat(255));
    let (long, longer, odd) = (jti("x".repeat(256)).await, jti("x".repeat(257)).await, jti("a\nb".to_owned()).await);
    assert!(long != longer && long != odd);
    assert_eq!(long, jti("x".repeat(256)).await);
}

#[tokio::test]
async fn debug_output_of_a_token_tells_nothing() {
    let rig = Rig::start().await;
    let raw = rig.logout_token().sign();
    let token = rig.verify_as_of(&raw, rig.keys.arrival()).await.unwrap();
    let id = rig.verify_id(&rig.id_token()).await.unwrap();
    for text in [format!("{token:?}"), format!("{:?}", RawLogoutToken::new(&raw)), format!("{id:?}")] {
        for secret in ["ada", "laptop", &raw[..20]] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_is_that_of_the_app_the_token_was_made_for() {
    let rig = Rig::start().await;
    let both = || rig.id_token().with("aud", json!(["notes", "shop"]));
    for (what, token, client_id) in [
        ("one aud", rig.id_token(), "notes"),
        ("one aud in an array", rig.id_token().with("aud", json!(["notes"])), "notes"),
        ("one aud, twice", rig.id_token().with("aud", json!(["notes", "notes"])), "notes"),
        ("one aud and azp", rig.id_token().with("azp", json!("notes")), "notes"),
        ("two auds and azp", both().with("azp", json!("shop")), "shop"),
    ] {
        let token = rig.verify_id(&token).await.unwrap();
        assert_eq!(token.sign_in().client_id.as_str(), client_id, "{what}");
    }
    for (what, token) in [
        ("two auds without azp", both()),
        ("an azp that is not among them", rig.id_token().with("azp", json!("shop"))),
        ("an azp of a stranger", both().with("azp", json!("stranger"))),
        ("a stranger beside the app", rig.id_token().with("aud", json!(["notes", "x"])).with("azp", json!("notes"))),
        ("the hub's own client", rig.id_token().with("aud", json!("hub"))),
        (
            "the hub's own client beside the app",
            both().with("aud", json!(["notes", "hub"])).with("azp", json!("notes")),
        ),
        ("an empty aud", rig.id_token().with("aud", json!(""))),
    ] {
        assert_eq!(rig.id_code(&token).await, Some("aud_not_allowed"), "{what}");
    }
}

#[tokio::test]
async fn a_sign_in_has_the_sid_and_auth_time_that_its_token_has() {
    let rig = Rig::start().await;
    let token = rig.verify_id(&rig.id_token().with("auth_time", json!(START - 5))).await.unwrap();
    assert_eq!(token.sign_in().auth_time, Some(UnixSeconds(START - 5)));
    assert_eq!(token.sign_in().sid.as_ref().unwrap().as_str(), "laptop");
    let bare = rig.verify_id(&rig.id_token().without("sid")).await.unwrap();
    assert_eq!((bare.sign_in().sid.clone(), bare.sign_in().auth_time), (None, None));
    for value in [json!(null), json!("now"), json!([1])] {
        assert_eq!(rig.id_code(&rig.id_token().with("auth_time", value)).await, Some("claim_type"));
    }
}

#[tokio::test]
async fn another_kind_of_token_is_no_id_token() {
    let rig = Rig::start().await;
    let marks: [(&str, Value); 8] = [
        ("events", json!({})),
        ("events", json!(null)),
        ("scope", json!("openid profile")),
        ("scp", json!(["read"])),
        ("gty", json!("client-credentials")),
        ("token_use", json!("access")),
        ("typ", json!("Bearer")),
        ("typ", json!("bearer")),
    ];
    for (claim, value) in marks {
        let token = rig.id_token().with(claim, value);
        assert_eq!(rig.id_code(&token).await, Some("not_an_id_token"), "{claim}");
    }
    for typ in [json!("at+jwt"), json!(null), json!(5)] {
        assert_eq!(rig.id_code(&rig.id_token().header("typ", typ)).await, Some("typ_not_allowed"));
    }
    for typ in [json!("logout+jwt"), json!("application/Logout+JWT")] {
        assert_eq!(rig.id_code(&rig.id_token().header("typ", typ)).await, Some("not_an_id_token"));
    }
    for claim in ["nonce", "at_hash", "c_hash"] {
        for value in [json!(5), json!(null), json!(["x"])] {
            assert_eq!(rig.id_code(&rig.id_token().with(claim, value)).await, Some("claim_type"), "{claim}");
        }
        assert_eq!(rig.id_code(&rig.id_token().with(claim, json!("x"))).await, None, "{claim}");
    }
    for (claim, value) in [("token_use", json!("id")), ("typ", json!("ID"))] {
        assert_eq!(rig.id_code(&rig.id_token().with(claim, value)).await, None, "{claim}");
    }
    assert_eq!(rig.id_code(&rig.logout_token()).await, Some("not_an_id_token"));
    assert_eq!(rig.code(&rig.id_token()).await, Some("events_missing"));
}

#[tokio::test]
async fn only_a_token_that_could_still_pass_is_worth_waiting_for() {
    let rig = Rig::start().await;
    rig.issuer.answers(METADATA, Reply::Text(503, String::new()));
    let worth = |raw: &str| RawLogoutToken::new(raw).worth_waiting_for(&rig.verifier, rig.keys.arrival());
    let good = rig.logout_token();
    let raw = good.sign();
    assert!(worth(&raw));
    let forged = format!("{}.AAAA", raw.rsplit_once('.').unwrap().0);
    assert!(worth(&forged), "nobody can tell yet");
    for bad in [
        format!("{}.", raw.rsplit_once('.').unwrap().0),
        good.clone().header("alg", json!("none")).sign(),
        good.clone().header("typ", json!("at+jwt")).sign(),
        good.clone().with("nonce", json!(null)).sign(),
        good.clone().with("iss", json!("https://evil.example/")).sign(),
        good.clone().with("aud", json!("stranger")).sign(),
        good.clone().with("exp", json!(START - 3600)).sign(),
    ] {
        assert!(!worth(&bad), "{bad}");
    }
    let claims = |raw: &str| RawLogoutToken::new(raw).claimed_issuer(&rig.directory);
    assert_eq!(claims(&raw), Some(rig.id()));
    assert_eq!(claims(&good.with("iss", json!("https://evil.example/")).sign()), None);
    assert_eq!(rig.issuer.asked(KEYS), 0);
}
