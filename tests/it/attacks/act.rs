//! Sends what a row says, and judges what comes back by what the row expects.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::corpus::{Expect, Frame, Http, Raw, Row, Socket};
use super::line::{Heard, Line};
use super::words::Words;
use crate::certificates::{HOST, Office};
use crate::hub::{Answer, TestHub};

/// How long raw bytes may stay without an end of the connection.
const PATIENCE: Duration = Duration::from_secs(20);
/// How a socket may end after a broken frame: as RFC 6455 has it, or as `slo.v1` does, or
/// without a word.
const BROKEN: [Option<u16>; 6] = [None, Some(1002), Some(1003), Some(1007), Some(1009), Some(4500)];

/// What is wrong with what came back.
pub type Faults = Vec<String>;

/// The hub that a row is sent to.
pub struct Target {
    pub hub: TestHub,
    /// Who vouches for its admin listener, where that has a certificate.
    pub office: Option<Office>,
}

impl Target {
    fn request(&self, http: &Http, path: &str) -> reqwest::RequestBuilder {
        let (hub, method) = (&self.hub, http.method.parse().unwrap());
        match &self.office {
            Some(office) if http.admin => {
                let addr = hub.running.admin_addr;
                office.client(addr).request(method, format!("https://{HOST}:{}{path}", addr.port()))
            }
            _ => hub.http.request(method, if http.admin { hub.admin_url(path) } else { hub.url(path) }),
        }
    }
}

/// Everything that the row sends; also the ids of the hub's answers.
pub async fn play(target: &Target, row: &Row, words: &Words, secrets: &[String]) -> (Faults, Vec<String>) {
    let hub = &target.hub;
    let (mut faults, mut ids) = (Faults::new(), Vec::new());
    if let Some(http) = &row.http {
        let answer = request(target, http, words).await;
        ids.push(answer.header("x-request-id").to_owned());
        faults.extend(judge(&row.expect, http, &answer, secrets, words));
    }
    if let Some(socket) = &row.socket {
        faults.extend(converse(hub.addr(), socket, &row.expect, words).await.err());
    }
    if let Some(raw) = &row.raw {
        let addr = if raw.admin { hub.running.admin_addr } else { hub.addr() };
        faults.extend(write(addr, raw, &row.expect, words).await.err());
    }
    (faults, ids)
}

async fn request(target: &Target, http: &Http, words: &Words) -> Answer {
    let mut request = target.request(http, &words.text(&http.path));
    for (name, value) in &http.headers {
        for line in value.lines() {
            request = request.header(name, words.text(line));
        }
    }
    if let Some(token) = &http.bearer {
        request = request.header("authorization", format!("Bearer {}", words.text(token)));
    }
    if let Some(pair) = &http.basic {
        let (id, secret) = pair.split_once(':').unwrap_or((pair, ""));
        request = request.basic_auth(words.text(id), Some(words.text(secret)));
    }
    if let Some(json) = &http.json {
        request = request.header("content-type", "application/json").body(words.value(json).to_string());
    }
    if let Some(body) = &http.body {
        request = request.body(words.text(body));
    }
    let response = request.send().await.expect("the hub answers");
    let asked = response.url().path().to_owned();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // A stream of events has no end.
    let is_stream = headers.get("content-type").is_some_and(|it| it == "text/event-stream");
    let text = if is_stream { String::new() } else { response.text().await.unwrap() };
    let answer = Answer { status, headers, text };
    answer.is_as_documented(&http.method, &asked);
    answer
}

fn judge(expect: &Expect, http: &Http, answer: &Answer, secrets: &[String], words: &Words) -> Faults {
    let mut faults = Faults::new();
    let mut wrong = |is_so: bool, what: &str| {
        if is_so {
            faults.push(format!("{what}: {} {:?} {}", answer.status, answer.headers, answer.text));
        }
    };
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let says = |member: &str| body[member].as_str().map(str::to_owned);
    let code = expect.code.as_deref();
    let is_code = match code {
        Some(code) if expect.page => answer.text.contains(&format!("<code>{code}</code>")),
        _ => code.is_none() || code == says("code").as_deref() || http.method == "HEAD",
    };
    let is_error = expect.error.is_none() || expect.page || expect.error == says("error") || http.method == "HEAD";
    if expect.status.is_some_and(|status| status != answer.status) || !is_error || !is_code {
        let wanted = [expect.error.as_deref(), code].map(Option::unwrap_or_default).join(" ");
        let got = if body.is_object() { body.to_string() } else { answer.text.clone() };
        let wanted = format!("expected {} {wanted}", expect.status.unwrap_or_default());
        return vec![format!("{wanted}, got {} {got}", answer.status)];
    }
    for text in &expect.holds {
        wrong(!answer.text.contains(&words.text(text)), &format!("it does not hold {text}"));
    }
    for text in &expect.holds_not {
        wrong(answer.text.contains(&words.text(text)), &format!("it holds {text}"));
    }
    for (name, part) in &expect.headers {
        wrong(!answer.header(name).contains(&words.text(part)), &format!("{name} is not {part}"));
    }
    for name in &expect.without {
        wrong(answer.headers.contains_key(name.as_str()), &format!("it has {name}"));
    }
    wrong(answer.header("x-request-id").len() != 26, "it has no X-Request-Id");
    if answer.status < 400 {
        return faults;
    }
    wrong(answer.headers.contains_key("location"), "a refusal sends nobody anywhere");
    wrong(answer.header("cache-control") != "no-store", "a refusal may be kept");
    wrong(answer.headers.contains_key("www-authenticate") != (answer.status == 401), "WWW-Authenticate is for a 401");
    wrong(answer.headers.contains_key("retry-after") != matches!(answer.status, 429 | 503), "Retry-After");
    let is_form = says("error").is_some() && says("error_description").is_some_and(|text| !text.is_empty());
    wrong(!expect.page && http.method != "HEAD" && !is_form, "a refusal has another form");
    let whole = format!("{:?} {}", answer.headers, answer.text);
    wrong(secrets.iter().any(|secret| whole.contains(secret)), "what was sent is echoed");
    faults
}

async fn converse(addr: SocketAddr, socket: &Socket, expect: &Expect, words: &Words) -> Result<(), String> {
    let origin = socket.origin.as_ref().map(|origin| words.text(origin));
    let mut line = Line::open(addr, origin.as_deref()).await?;
    for frame in &socket.frames {
        match frame {
            Frame::Text(text) => line.send(Message::text(words.text(text))).await,
            Frame::Json(value) => line.send(Message::text(words.value(value).to_string())).await,
            Frame::Binary(hex) => line.send(Message::binary(bytes(&words.text(hex)))).await,
            Frame::Bytes(hex) => line.send_bytes(&bytes(&words.text(hex))).await,
            Frame::Hears(kind) => hears(&mut line, kind).await.map(drop)?,
        }
    }
    if let Some(kind) = &expect.says {
        let frame = hears(&mut line, kind).await?;
        for text in &expect.holds {
            if !frame.to_string().contains(&words.text(text)) {
                return Err(format!("it does not hold {text}: {frame}"));
            }
        }
    }
    let Some(close) = expect.close else { return Ok(()) };
    let ended = match (line.hears().await?, expect.code.as_deref()) {
        (Heard::End(ended), _) if close == 0 => Heard::End(ended),
        (Heard::Frame(frame), code) if frame["type"] == "error" && code.is_none_or(|code| frame["code"] == code) => {
            if frame["error_description"].as_str().is_none_or(str::is_empty) {
                return Err(format!("the error has no description: {frame}"));
            }
            line.hears().await?
        }
        (other, Some(code)) => return Err(format!("expected the code {code}, got {other:?}")),
        (other, None) => other,
    };
    match ended {
        Heard::End(ended) if ended == Some(close) || (close == 0 && BROKEN.contains(&ended)) => Ok(()),
        other => Err(format!("expected the close code {close}, got {other:?}")),
    }
}

async fn hears(line: &mut Line, kind: &str) -> Result<Value, String> {
    match line.hears().await? {
        Heard::Frame(frame) if frame["type"] == kind => Ok(frame),
        other => Err(format!("expected a frame of type {kind}, got {other:?}")),
    }
}

/// Bytes from hex.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Bytes past any HTTP library. The connection must end, after the answers that are
/// expected and no other.
async fn write(addr: SocketAddr, raw: &Raw, expect: &Expect, words: &Words) -> Result<(), String> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // One byte a character, so that a row can send what is no text.
    let sent: Vec<u8> = words.text(&raw.send).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    // The hub may hang up before it has taken all.
    stream.write_all(&sent).await.ok();
    if raw.then_silence {
        tokio::time::pause();
    }
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    if raw.then_silence {
        tokio::time::resume();
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let starts = text.match_indices("HTTP/1.1 ");
    let statuses: Vec<u16> = starts.filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok()).collect();
    let wanted = expect.statuses.clone().or(expect.status.map(|status| vec![status]));
    let wanted = wanted.expect("a row of bytes says how they are answered, if by nothing");
    if statuses != wanted {
        return Err(format!("expected the answers {wanted:?}, got {statuses:?}: {text:?}"));
    }
    if ended.is_err() {
        return Err("the connection stays open".to_owned());
    }
    match &expect.code {
        Some(code) if !text.contains(&format!("\"code\":\"{code}\"")) => Err(format!("expected {code}: {text:?}")),
        _ => Ok(()),
    }
}
