//! Reads a TOML table key by key and keeps every fault, so that all of them can be
//! said at once. (serde stops at the first.)

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::domain::clock::UnixSeconds;
use crate::domain::secret::Secret;

/// A secret of so many bytes, made by chance, is not guessed.
const SECRET_BYTES: usize = 16;

/// Everything that is wrong with a configuration: a line each, with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults(Vec<String>);

impl ConfigFaults {
    pub(super) fn one(text: &str) -> Self {
        Self(vec![one_line(text)])
    }

    /// A line for each fault: the key, what is wrong, what would be right.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigFaults {}

/// Names in the file may hold anything, a line break or what a terminal obeys too.
fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// What all sections of one configuration share.
pub(super) struct Reader {
    faults: RefCell<Vec<String>>,
    cautions: RefCell<Vec<String>>,
    serving_at: Option<UnixSeconds>,
    from_env: BTreeSet<String>,
    base: PathBuf,
    /// Files that hold a secret; the configuration itself is the empty path.
    secret_files: RefCell<BTreeSet<PathBuf>>,
}

impl Reader {
    pub(super) fn new(base: &Path, serving_at: Option<UnixSeconds>) -> Self {
        let (faults, cautions) = (RefCell::default(), RefCell::default());
        Self {
            faults,
            cautions,
            serving_at,
            from_env: BTreeSet::new(),
            base: base.to_owned(),
            secret_files: RefCell::default(),
        }
    }

    /// The time, where a hub is to be served with this configuration.
    pub(super) fn serving_at(&self) -> Option<UnixSeconds> {
        self.serving_at
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn fault(&self, key: &str, text: impl fmt::Display) {
        self.faults.borrow_mut().push(one_line(&format!("{key}: {text}")));
    }

    /// What may be meant so, and probably is not.
    pub(super) fn caution(&self, key: &str, text: impl fmt::Display) {
        self.cautions.borrow_mut().push(format!("{key}: {text}"));
    }

    pub(super) fn secret_files(&self) -> Vec<PathBuf> {
        self.secret_files.take().into_iter().collect()
    }

    pub(super) fn cautions(&self) -> Vec<String> {
        self.cautions.take()
    }

    /// Every fault so far, or the value when there is none.
    pub(super) fn result<T>(self, value: Option<T>) -> Result<T, ConfigFaults> {
        let faults = self.faults.into_inner();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(ConfigFaults(faults)),
        }
    }

    /// Lays the environment's values over the file's: `SLO_HUB__SERVER__LISTEN`, and
    /// `SLO_HUB__APPS__0__SECRET` for a table in a list.
    pub(super) fn lay_over(&mut self, table: &mut Table, env: impl Iterator<Item = (String, String)>) {
        for (name, value) in env {
            let Some(path) = name.strip_prefix("SLO_HUB__") else { continue };
            let parts: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            match put(table, &parts, value) {
                Some(key) => drop(self.from_env.insert(key)),
                None => self.fault(&name, "names no key; write SLO_HUB__SECTION__KEY, or SLO_HUB__APPS__0__KEY"),
            }
        }
    }
}

/// Puts a value where the path says; returns the key as faults name it.
fn put(table: &mut Table, parts: &[String], value: String) -> Option<String> {
    let (first, rest) = parts.split_first()?;
    if first.is_empty() {
        return None;
    }
    let Some((second, deeper)) = rest.split_first() else {
        table.insert(first.clone(), Value::String(value));
        return Some(first.clone());
    };
    let Ok(index) = second.parse::<usize>() else {
        let inner = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new())).as_table_mut()?;
        return Some(format!("{first}.{}", put(inner, rest, value)?));
    };
    let list = table.entry(first.clone()).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
    if index == list.len() {
        list.push(Value::Table(Table::new()));
    }
    let inner = list.get_mut(index)?.as_table_mut()?;
    Some(format!("{first}[{index}].{}", put(inner, deeper, value)?))
}

/// A table of the configuration, from which keys are taken one by one.
pub(super) struct Section<'a> {
    pub(super) reader: &'a Reader,
    path: String,
    table: Table,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn root(reader: &'a Reader, table: Table) -> Self {
        Self { reader, path: String::new(), table, known: Vec::new() }
    }

    /// The whole name of a key here: `apps[1].origins`.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn fault(&self, name: &str, text: impl fmt::Display) {
        self.reader.fault(&self.key(name), text);
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.table.remove(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// A table that may be there is not.
    pub(super) fn no_section<T>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        None
    }

    /// A table within; empty where there is none.
    pub(super) fn section(&mut self, name: &'static str) -> Section<'a> {
        let path = self.key(name);
        let table = match self.take(name) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.fault(name, format!("must be a table: [{path}]"));
                Table::new()
            }
        };
        Section { reader: self.reader, path, table, known: Vec::new() }
    }

    /// A list of tables.
    pub(super) fn sections(&mut self, name: &'static str) -> Vec<Section<'a>> {
        let path = self.key(name);
        let items = match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.fault(name, format!("must be a list of tables: [[{path}]]"));
                Vec::new()
            }
        };
        let mut sections = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{path}[{index}]");
            match item {
                Value::Table(table) => {
                    sections.push(Section { reader: self.reader, path, table, known: Vec::new() });
                }
                _ => self.reader.fault(&path, "must be a table"),
            }
        }
        sections
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = match self.take(name)? {
            Value::String(text) => Some(text),
            _ => None,
        };
        if text.is_none() {
            self.fault(name, "must be a text in quotes");
        }
        text
    }

    pub(super) fn required_text(&mut self, name: &'static str) -> Option<String> {
        if !self.has(name) {
            self.known.push(name);
            self.fault(name, "is missing");
            return None;
        }
        let text = self.text(name)?;
        if text.trim().is_empty() {
            self.fault(name, "is empty");
            return None;
        }
        Some(text)
    }

    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        let is_env = self.reader.from_env.contains(&self.key(name));
        match self.take(name) {
            None => default,
            Some(Value::Boolean(flag)) => flag,
            Some(Value::String(text)) if is_env && text == "true" => true,
            Some(Value::String(text)) if is_env && text == "false" => false,
            Some(_) => {
                self.fault(name, "must be true or false");
                default
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, name: &'static str, default: u64, least: u64, most: u64) -> u64 {
        let is_env = self.reader.from_env.contains(&self.key(name));
        let number = match self.take(name) {
            None => return default,
            Some(Value::Integer(number)) => u64::try_from(number).ok(),
            Some(Value::String(text)) if is_env => text.trim().parse().ok(),
            Some(_) => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => number,
            _ => {
                self.fault(name, format!("must be a whole number from {least} to {most}"));
                default
            }
        }
    }

    /// A share of something: a number from 0 to 1.
    pub(super) fn share(&mut self, name: &'static str, default: f64) -> f64 {
        let is_env = self.reader.from_env.contains(&self.key(name));
        let share = match self.take(name) {
            None => return default,
            Some(Value::Float(share)) => Some(share),
            Some(Value::Integer(0)) => Some(0.0),
            Some(Value::Integer(1)) => Some(1.0),
            Some(Value::String(text)) if is_env => text.trim().parse().ok(),
            Some(_) => None,
        };
        share.filter(|share| (0.0..=1.0).contains(share)).unwrap_or_else(|| {
            self.fault(name, "must be a number from 0 to 1");
            default
        })
    }

    /// A list of texts; from the environment, parted by commas.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let is_env = self.reader.from_env.contains(&self.key(name));
        match self.take(name)? {
            Value::String(text) if is_env => {
                Some(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
            }
            Value::Array(items) => {
                let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                if texts.is_none() {
                    self.fault(name, "must be a list of texts in quotes");
                }
                texts
            }
            _ => {
                self.fault(name, "must be a list: [\"…\", \"…\"]");
                None
            }
        }
    }

    /// A secret, given in place or as a file that holds it. What it is, is never said.
    pub(super) fn secret(&mut self, name: &'static str, file_name: &'static str) -> Option<Secret> {
        let in_place = self.text(name);
        let file = self.text(file_name);
        let secret = match (in_place, file) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                self.fault(name, format!("stands here and in {file_name}; give one of them"));
                return None;
            }
            (Some(text), None) => {
                if !self.reader.from_env.contains(&self.key(name)) {
                    self.reader.secret_files.borrow_mut().insert(PathBuf::new());
                }
                text
            }
            (None, Some(file)) => match std::fs::read_to_string(self.reader.base.join(&file)) {
                Ok(text) => {
                    self.reader.secret_files.borrow_mut().insert(self.reader.base.join(&file));
                    text.trim_end_matches(['\r', '\n']).to_owned()
                }
                Err(error) => {
                    self.fault(file_name, format!("cannot read the file: {error}"));
                    return None;
                }
            },
        };
        if secret.is_empty() {
            self.fault(name, "is empty; leave the key out where there is no secret");
            return None;
        }
        Some(Secret::new(&secret))
    }

    /// Says a word of a secret that whoever reaches the hub may guess in time.
    pub(super) fn caution_if_short(&self, name: &'static str, secret: &Secret) {
        if secret.reveal().len() < SECRET_BYTES {
            let text =
                format!("is shorter than {SECRET_BYTES} bytes and may be guessed; make one: openssl rand -base64 32");
            self.reader.caution(&self.key(name), text);
        }
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for name in self.table.keys() {
            let near = self.known.iter().filter(|known| strsim::damerau_levenshtein(known, name) <= 2);
            let near = near.min_by_key(|known| strsim::damerau_levenshtein(known, name));
            match near {
                Some(near) => self.fault(name, format!("is no key; did you mean {near}?")),
                None => self.fault(name, "is no key"),
            }
        }
    }
}
