//! What a fuzzer may throw at a socket, and what must hold of what is read.

use serde_json::Value;

use super::frame::{Incoming, MESSAGE_MAX_BYTES};
use super::rfc6455::{Close, Fault, Limits, Message, Reader};
use crate::domain::secret::Secret;

/// Small, so that a fuzzer gets beyond them.
const LIMITS: Limits = Limits { message_bytes: 1024, fragments: 8 };

/// Frames of a client. The first byte says in what pieces the rest comes: however that is,
/// the same is read of it, and it is what a plain reading of the whole finds.
pub(crate) fn frames(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else { return };
    let whole = read_in(bytes, bytes.len());
    assert_eq!(read_in(bytes, 1), whole, "byte by byte");
    assert_eq!(read_in(bytes, usize::from(size)), whole, "in pieces of {size}");
    assert_eq!(plainly(bytes), whole, "by another reader");
    for message in &whole.0 {
        let length = match message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
            Message::Ping(bytes) | Message::Pong(bytes) => bytes.len() * 8,
            Message::Close(_) => 0,
        };
        assert!(length <= LIMITS.message_bytes as usize, "more than is taken");
    }
    if let Some(Message::Text(text)) = whole.0.last() {
        messages(text.as_bytes());
    }
}

/// Every message up to the first fault, and that.
type Read = (Vec<Message>, Option<Fault>);

fn read_in(bytes: &[u8], size: usize) -> Read {
    let (mut reader, mut messages) = (Reader::default(), Vec::new());
    for piece in bytes.chunks(size.max(1)) {
        reader.feed(piece);
        loop {
            match reader.next(LIMITS) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(fault) => return (messages, Some(fault)),
            }
        }
        // A new reader must do where the old one says that it holds nothing.
        if reader.is_empty() {
            reader = Reader::default();
        }
    }
    (messages, None)
}

/// RFC 6455, section 5.2, of a buffer that is all there: slow and without memory.
fn plainly(bytes: &[u8]) -> Read {
    let (mut messages, mut rest) = (Vec::new(), bytes);
    let mut open: Option<Open> = None;
    loop {
        match plain_frame(rest, &mut open) {
            Ok(Some((message, after))) => {
                messages.extend(message);
                rest = after;
            }
            Ok(None) => return (messages, None),
            Err(fault) => return (messages, Some(fault)),
        }
    }
}

/// A message that is not whole yet.
struct Open {
    is_text: bool,
    bytes: Vec<u8>,
    fragments: u32,
}

type Frame<'a> = Option<(Option<Message>, &'a [u8])>;

fn plain_frame<'a>(bytes: &'a [u8], open: &mut Option<Open>) -> Result<Frame<'a>, Fault> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    let (is_final, opcode) = (first >= 0x80, first & 0xF);
    let is_control = opcode >= 8;
    if first & 0x70 != 0 {
        return Err(Fault::ReservedBits);
    }
    if !matches!(opcode, 0..=2 | 8..=10) {
        return Err(Fault::UnknownOpcode);
    }
    if is_control && !is_final {
        return Err(Fault::FragmentedControl);
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    if second < 0x80 {
        return Err(Fault::Unmasked);
    }
    let short = second - 0x80;
    if is_control && short > 125 {
        return Err(Fault::LongControl);
    }
    let wide = [0, 2, 8][usize::from(short.saturating_sub(125))];
    let Some(length) = bytes.get(2..2 + wide) else { return Ok(None) };
    let length = length.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let least = [0, 126, 65_536][usize::from(short.saturating_sub(125))];
    if wide > 0 && (length < least || length > i64::MAX as u64) {
        return Err(Fault::BadLength);
    }
    let length = if wide == 0 { u64::from(short) } else { length };
    let Some(mask) = bytes.get(2 + wide..6 + wide) else { return Ok(None) };
    let came = &bytes[6 + wide..];
    let payload: Vec<_> = came.iter().take(usize::try_from(length).unwrap_or(usize::MAX)).copied().collect();
    let payload: Vec<_> = payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    let is_whole = payload.len() as u64 == length;
    let after = &came[payload.len()..];
    if is_control {
        return if is_whole { Ok(Some((Some(control(opcode, payload)?), after))) } else { Ok(None) };
    }
    let message = fragment(opcode, is_final && is_whole, length, payload, open)?;
    Ok(is_whole.then_some((message, after)))
}

fn control(opcode: u8, payload: Vec<u8>) -> Result<Message, Fault> {
    if opcode != 8 {
        return Ok(if opcode == 9 { Message::Ping(payload) } else { Message::Pong(payload) });
    }
    if payload.is_empty() {
        return Ok(Message::Close(None));
    }
    let code = payload.get(..2).map(|two| u16::from(two[0]) << 8 | u16::from(two[1]));
    let code = code.filter(|code| (1000..5000).contains(code)).ok_or(Fault::BadClose)?;
    let is_reserved = (1004..=1006).contains(&code) || (1015..3000).contains(&code);
    if is_reserved {
        return Err(Fault::BadClose);
    }
    let reason = String::from_utf8(payload[2..].to_vec()).map_err(|_| Fault::NotUtf8)?;
    Ok(Message::Close(Some(Close { code, reason })))
}

fn fragment(
    opcode: u8,
    is_last: bool,
    length: u64,
    payload: Vec<u8>,
    open: &mut Option<Open>,
) -> Result<Option<Message>, Fault> {
    match (opcode, &open) {
        (0, None) => return Err(Fault::NothingToContinue),
        (1 | 2, Some(_)) => return Err(Fault::Interleaved),
        _ => {}
    }
    let message = open.get_or_insert_with(|| Open { is_text: opcode == 1, bytes: Vec::new(), fragments: 0 });
    message.fragments += 1;
    if message.fragments > LIMITS.fragments {
        return Err(Fault::TooManyFragments);
    }
    if u128::from(length) + message.bytes.len() as u128 > u128::from(LIMITS.message_bytes) {
        return Err(Fault::TooLarge);
    }
    message.bytes.extend(payload);
    if message.is_text {
        // Its end may be missing, while it may still come.
        let is_bad = |error: std::str::Utf8Error| is_last || error.error_len().is_some();
        if str::from_utf8(&message.bytes).is_err_and(is_bad) {
            return Err(Fault::NotUtf8);
        }
    }
    let Some(message) = is_last.then(|| open.take()).flatten() else { return Ok(None) };
    let text = |bytes| String::from_utf8(bytes).map(Message::Text).map_err(|_| Fault::NotUtf8);
    if message.is_text { text(message.bytes).map(Some) } else { Ok(Some(Message::Binary(message.bytes))) }
}

/// A message of the protocol. What is taken is of the type that another reader finds, and
/// what it carries is what stands there; no secret shows in its debug output.
pub(crate) fn messages(text: &[u8]) {
    let Ok(message) = Incoming::read(text) else { return };
    assert!(text.len() <= MESSAGE_MAX_BYTES, "a message of {} bytes is taken", text.len());
    let Ok(Value::Object(members)) = serde_json::from_slice(text) else { panic!("what is no object is taken") };
    let member = |name: &str| members.get(name).and_then(Value::as_str);
    let shown = format!("{message:?}");
    let (kind, secret) = match &message {
        Incoming::Subscribe { token } => {
            assert_eq!(member("token"), Some(token.reveal()));
            assert!(!members.contains_key("client_id") && !members.contains_key("secret"));
            ("subscribe", Some(token))
        }
        Incoming::Follow { client_id, secret, after } => {
            assert_eq!(member("client_id"), Some(client_id.as_str()));
            assert_eq!((member("secret"), member("after")), (Some(secret.reveal()), after.as_deref()));
            assert!(!members.contains_key("token"));
            ("subscribe", Some(secret))
        }
        Incoming::Ack(id) => {
            let named = member("id").and_then(|id| crate::domain::ids::LogoutId::parse(id).ok());
            assert_eq!(*id, named);
            ("ack", None)
        }
        Incoming::Activity => ("activity", None),
    };
    assert_eq!(member("type"), Some(kind));
    // Shorter ones may stand in the names of the message's own members.
    let secret = secret.map(Secret::reveal).filter(|secret| secret.len() > 12);
    let others: usize = members.values().filter_map(Value::as_str).filter(|text| Some(*text) == secret).count();
    if let Some(secret) = secret.filter(|_| others == 1) {
        assert!(!shown.contains(secret), "a secret is shown");
    }
}
