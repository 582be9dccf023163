//! The corpus: what a file in `tests/attacks` may say. A word that is no key here is an
//! error, so that nothing stands in a row that is not done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One file: rows that are played on one hub, between controls.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What the rows of this file are about.
    pub about: String,
    /// More of the hub's configuration; see `TestHub::start_with`.
    #[serde(default)]
    pub hub: String,
    /// The admin listener has a certificate: what is asked of it by HTTP goes by TLS.
    #[serde(default)]
    admin_tls: bool,
    /// The token that an operator has signed in to the console with: `${cookie}` and
    /// `${form}` are theirs.
    operator: Option<String>,
    /// Texts that neither log nor metrics nor answers may hold.
    #[serde(default)]
    secrets: Vec<String>,
    /// What every row is, unless it says otherwise: members of a row.
    #[serde(default)]
    each: Map<String, Value>,
    /// Valid requests, which must be taken before the rows and after them.
    controls: Vec<Value>,
    rows: Vec<Value>,
}

/// The file's rows, read.
pub struct Group {
    pub name: String,
    pub hub: String,
    pub admin_tls: bool,
    pub operator: Option<String>,
    pub secrets: Vec<String>,
    pub controls: Vec<Row>,
    pub rows: Vec<Row>,
}

/// One attack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub id: String,
    /// Why it has to end as it does.
    pub why: String,
    /// The requirements that it shows, by their ids in `tests/attacks/standards`.
    #[serde(default)]
    pub shows: Vec<String>,
    /// What `${token}` is.
    #[serde(default)]
    pub token: Token,
    /// The hub's clock is moved on by so many seconds first.
    #[serde(default)]
    pub advance: u64,
    pub http: Option<Http>,
    pub socket: Option<Socket>,
    pub raw: Option<Raw>,
    /// What the issuer serves, in the group about keys.
    pub issuer: Option<Documents>,
    /// What the app's back end does, in the group about deliveries.
    pub back_end: Option<BackEnd>,
    /// What a browser's window is told, in the group about messages. The SDK's tests play it.
    pub message: Option<Message>,
    /// What is changed in a valid file, in the groups about configuration.
    pub config: Option<ConfigChange>,
    #[serde(default)]
    pub expect: Expect,
}

/// A token, right in every way but for what is said here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// `logout` or `id`; `logout` where nothing is said.
    pub kind: Option<String>,
    /// The app it is for; `notes` where nothing is said.
    pub client: Option<String>,
    /// The issuer whose token it is: the first one unless this says `other`.
    pub issuer: Option<String>,
    /// Who signs: the issuer; or `other`, the other issuer under this one's name and
    /// `kid`; or `stranger`, with a key that nobody publishes; or `secret`, an HMAC with
    /// the issuer's published key for a secret.
    pub signed_by: Option<String>,
    #[serde(default)]
    pub header: Map<String, Value>,
    #[serde(default)]
    pub claims: Map<String, Value>,
    #[serde(default)]
    pub drop_header: Vec<String>,
    #[serde(default)]
    pub drop: Vec<String>,
    /// A member, as JSON text, that is put in front of the header's own.
    pub header_first: Option<String>,
    /// The same for the claims.
    pub first: Option<String>,
    /// The header's text, in place of JSON.
    pub header_text: Option<String>,
    /// The claims' text, in place of JSON.
    pub claims_text: Option<String>,
    /// How the three parts stand together; `${h}.${p}.${s}` where nothing is said.
    pub parts: Option<String>,
}

/// A request by a well-behaved client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    #[serde(default = "post")]
    pub method: String,
    pub path: String,
    /// Whether it goes to the admin listener.
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub headers: BTreeMap<String, OneOrMany>,
    pub bearer: Option<String>,
    /// `client_id:secret`.
    pub basic: Option<String>,
    pub body: Option<String>,
    pub json: Option<Value>,
}

fn post() -> String {
    "POST".to_owned()
}

/// A header's value, or its lines.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn lines(&self) -> &[String] {
        match self {
            Self::One(line) => std::slice::from_ref(line),
            Self::Many(lines) => lines,
        }
    }
}

/// A WebSocket, and what is sent on it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Socket {
    /// The page's origin; none for a back end.
    pub origin: Option<String>,
    pub frames: Vec<Frame>,
}

/// One thing that is sent on a socket.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Frame {
    Text(String),
    Json(Value),
    /// A binary message, in hex.
    Binary(String),
    /// Bytes on the connection itself, in hex; blanks count for nothing.
    Bytes(String),
    /// Waits until the hub has said a frame of this type.
    Hears(String),
}

/// Bytes on a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    pub send: String,
    /// Nothing more comes, and the connection stays open: time passes until it is cut.
    #[serde(default)]
    pub then_silence: bool,
    /// Whether it goes to the admin listener.
    #[serde(default)]
    pub admin: bool,
}

/// What an issuer serves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    pub metadata: Option<Reply>,
    pub keys: Option<Reply>,
}

/// One answer of an issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    Json(Value),
    Text(String),
    Status(u16),
    Redirect(String),
    Never,
}

/// An app's back end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackEnd {
    /// Its URI; `${port}` is where this back end listens.
    pub uri: String,
    /// The addresses that its name is found at.
    #[serde(default)]
    pub found_at: Vec<String>,
    /// What it answers, byte for byte.
    pub answers: Option<String>,
    /// Whether it then keeps the connection open and says nothing more.
    #[serde(default)]
    pub then_silence: bool,
    /// Whether anything may come to it at all.
    #[serde(default = "yes")]
    pub is_called: bool,
}

fn yes() -> bool {
    true
}

/// A message between windows, or between tabs: read here so that nothing stands in it that
/// the SDK's tests would not do. They have the words for each member.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "these rows are played elsewhere")]
pub struct Message {
    to: Listener,
    with: Option<Map<String, Value>>,
    data: Option<Value>,
    hostile: Option<String>,
    origin: Option<String>,
    window: Option<String>,
    above: Option<String>,
    top: Option<String>,
    channel: Option<String>,
    of: Option<Map<String, Value>>,
    when: Option<String>,
}

/// What in a browser hears a message.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Listener {
    Frame,
    Tabs,
    Page,
    Storage,
}

/// What is changed in a configuration that is valid.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigChange {
    /// Laid over it member by member; `null` takes a member away.
    pub with: Option<Value>,
    /// The whole file instead.
    pub text: Option<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// How it has to end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub status: Option<u16>,
    /// The status of every answer on the connection; of raw bytes only.
    pub statuses: Option<Vec<u16>>,
    pub error: Option<String>,
    pub code: Option<String>,
    /// The code is that of a page for people.
    #[serde(default)]
    pub page: bool,
    /// The close code of the socket; 0 for one that ends as broken frames end it.
    pub close: Option<u16>,
    /// The type of the frame that the socket is answered with.
    pub says: Option<String>,
    /// What the answer holds.
    #[serde(default)]
    pub holds: Vec<String>,
    /// What the answer does not hold.
    #[serde(default)]
    pub holds_not: Vec<String>,
    /// Headers, and what stands in them.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Headers that are not there.
    #[serde(default)]
    pub without: Vec<String>,
    /// The state of the delivery, and why.
    pub delivery: Option<(String, Option<String>)>,
    /// How a line of the configuration's faults begins.
    pub fault: Option<String>,
}

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/attacks")
}

/// The names of all groups, in order.
pub fn names() -> BTreeSet<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let yaml = files.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    yaml.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Reads a group.
pub fn group(name: &str) -> Group {
    let text = std::fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
    let file: File = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}.yaml: {error}"));
    assert!(!file.about.is_empty() && !file.controls.is_empty(), "{name} has no controls");
    let controls = file.controls.into_iter().map(|row| read(name, &file.each, row, true)).collect();
    let rows: Vec<Row> = file.rows.into_iter().map(|row| read(name, &file.each, row, false)).collect();
    let ids: BTreeSet<_> = rows.iter().map(|row| &row.id).collect();
    assert_eq!(ids.len(), rows.len(), "{name}: an id stands twice");
    let File { hub, admin_tls, operator, secrets, .. } = file;
    Group { name: name.to_owned(), hub, admin_tls, operator, secrets, controls, rows }
}

fn read(name: &str, each: &Map<String, Value>, row: Value, is_control: bool) -> Row {
    let mut whole = Value::Object(each.clone());
    if is_control {
        whole.as_object_mut().unwrap().remove("expect");
    }
    let id = row["id"].as_str().unwrap_or("a row without an id").to_owned();
    let Value::Object(own) = row else { panic!("{name}: a row is no object") };
    for (member, value) in own {
        let into = &mut whole[&member];
        match (member.as_str(), into) {
            // What a file says of all its rows, and a row's own besides.
            ("shows", Value::Array(all)) => all.extend(value.as_array().unwrap().iter().cloned()),
            (_, into) if value.is_null() => *into = Value::Null,
            (_, into) => lay_over(into, value),
        }
    }
    whole.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    serde_json::from_value(whole).unwrap_or_else(|error| panic!("{name}/{id}: {error}"))
}

/// Lays one value over another: objects member by member, anything else whole.
fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (member, value) in over {
                lay_over(under.entry(member).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
