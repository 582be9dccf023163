//! What a fuzzer may throw at what comes back by way of a browser, and what must hold of
//! what is taken.

use super::chain::Stop;
use super::flight::Flight;
use super::seal::{Purpose, Seal};
use crate::domain::clock::UnixSeconds;
use crate::domain::ids::{ClientId, Issuer, Sid, Subject};
use crate::domain::logout::SignIn;
use crate::oidc::resume_ticket::ResumeTickets;

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
const PURPOSES: [Purpose; 7] = [
    Purpose::Confirmation,
    Purpose::Chain,
    Purpose::SignedIn,
    Purpose::Frame,
    Purpose::OwnSignIn,
    Purpose::ProveAgain,
    Purpose::EndSessions,
];

/// What the hub seals and a stranger edits. Lines: a purpose, a browser, a name, edits.
/// It opens as it was made, for this purpose and browser, and in no other way.
pub(crate) fn sealed(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (purpose, browser, name, edits) = (line(), line(), line(), line());
    let purpose = PURPOSES[usize::from(purpose.first().copied().unwrap_or_default()) % PURPOSES.len()];
    let (browser, name) = (String::from_utf8_lossy(browser), String::from_utf8_lossy(name).replace('.', "_"));
    let (seal, until) = (Seal::new([7; 32]), NOW.plus(600));

    let made = seal.state(purpose, &browser, &name, until);
    assert_eq!(seal.name_in(&made, purpose, &browser, NOW), Some(name.as_str()), "it opens as it was made");
    assert_eq!(seal.name_in(&made, purpose, &browser, until), None, "it is good for ever");
    for other in PURPOSES.into_iter().filter(|other| *other != purpose) {
        assert_eq!(seal.name_in(&made, other, &browser, NOW), None, "it is good for another purpose");
    }
    assert_eq!(seal.name_in(&made, purpose, &format!("{browser}x"), NOW), None, "it is any browser's");
    assert_eq!(Seal::new([8; 32]).name_in(&made, purpose, &browser, NOW), None, "it is any hub's");
    if let Some(edited) = edited(&made, edits) {
        assert_eq!(seal.name_in(&edited, purpose, &browser, NOW), None, "{edited} is taken for {made}");
    }
    ticket(&name, edits);
}

/// A resume ticket, and what becomes of it.
fn ticket(name: &str, edits: &[u8]) {
    let text = |text: &str, or: &str| if Subject::parse(text).is_ok() { text.to_owned() } else { or.to_owned() };
    let sign_in = SignIn {
        issuer: Issuer::parse("https://acme.example/").expect("an issuer"),
        client_id: ClientId::parse("notes").expect("a name"),
        sub: Subject::parse(&text(name, "ada")).expect("a name"),
        sid: Sid::parse(name).ok(),
        issued_at: NOW,
        auth_time: None,
    };
    let tickets = ResumeTickets::new([7; 32]);
    let made = tickets.issue(&sign_in, NOW.plus(600));
    assert_eq!(tickets.authentic(&made).as_ref(), Some(&sign_in), "it says what it was made for");
    assert_eq!(ResumeTickets::new([8; 32]).authentic(&made), None, "it is any hub's");
    if let Some(edited) = edited(&made, edits) {
        assert_eq!(tickets.authentic(&edited), None, "{edited} is taken for {made}");
    }
}

/// The text after those edits: each two bytes say where and what, and a third how. `None`
/// where it is what it was.
fn edited(made: &str, edits: &[u8]) -> Option<String> {
    let mut bytes = made.as_bytes().to_vec();
    for edit in edits.chunks_exact(3) {
        // From the end, where the seal is.
        let at = bytes.len() - usize::from(edit[0]).min(bytes.len());
        match edit[2] % 4 {
            0 => bytes.insert(at, edit[1]),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = edit[1],
            3 => bytes.truncate(at),
            _ => {}
        }
    }
    String::from_utf8(bytes).ok().filter(|text| text != made)
}

/// What a text that no hub made is worth: nothing.
pub(crate) fn forged(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let seal = Seal::new([7; 32]);
    for purpose in PURPOSES {
        assert_eq!(seal.name_in(text, purpose, "browser", NOW), None, "a forgery is taken");
    }
    assert_eq!(ResumeTickets::new([7; 32]).authentic(text), None, "a forgery is taken");
    kept(text);
}

/// What was kept of a browser on its way, as another version of the hub may have written
/// it: it is read or refused, and what is read is written the same.
fn kept(text: &str) {
    if let Ok(flight) = serde_json::from_str::<Flight>(text) {
        let written = serde_json::to_string(&flight).expect("it can be written");
        let again: Flight = serde_json::from_str(&written).expect("what was written can be read");
        assert_eq!(serde_json::to_string(&again).ok(), Some(written));
        assert!(flight.issuer().is_err() || !flight.issuer.is_empty());
        let _ = (flight.moment(), flight.logout(), flight.sid());
    }
    let _ = serde_json::from_str::<Stop>(text);
}
