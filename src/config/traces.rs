//! `[traces]`: where spans are sent, where they are.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::reader::Section;
use super::url::stays_here;
use crate::domain::secret::Secret;

/// What a collector's own path is (OTLP 1.x, "OTLP/HTTP Request").
const TRACES_PATH: &str = "/v1/traces";
/// No name of a node is longer, in bytes.
const NODE_MAX_BYTES: usize = 128;
/// What the request says itself.
const OWN_HEADERS: [&str; 4] = ["content-type", "content-length", "host", "transfer-encoding"];

/// Where spans are sent, and how many.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The collector's whole address, the path for traces included.
    pub url: Url,
    /// What goes along with every request. Its `Debug` shows no value.
    pub headers: HeaderMap,
    /// The share of the traces begun here that is kept, from 0 to 1.
    pub sample: f64,
    /// What this node is called, where the file says so.
    pub node: Option<String>,
}

/// Reads `[traces]`; without that table no spans are made.
pub(super) fn traces(root: &mut Section<'_>) -> Option<Traces> {
    if !root.has("traces") {
        return root.no_section("traces");
    }
    let mut section = root.section("traces");
    let endpoint = section.required_text("endpoint");
    let url = endpoint.and_then(|text| collector(&text).map_err(|wrong| section.fault("endpoint", wrong)).ok());
    let headers = section.secret("headers", "headers_file");
    let headers = headers.map_or_else(HeaderMap::new, |text| read_headers(&section, &text));
    let sample = section.share("sample", 1.0);
    let node = section.text("node");
    if node.as_ref().is_some_and(|node| node.trim().is_empty() || node.len() > NODE_MAX_BYTES) {
        section.fault("node", format!("must have 1 to {NODE_MAX_BYTES} bytes"));
    }
    if let Some(url) = url.as_ref().filter(|_| !headers.is_empty())
        && url.scheme() == "http"
        && !stays_here(url)
    {
        section.reader.caution(
            &section.key("endpoint"),
            "the collector's headers travel unencrypted; https:// keeps them secret",
        );
    }
    section.finish();
    Some(Traces { url: url?, headers, sample, node })
}

/// A collector may stand in a private network without TLS: nothing of users is sent to it.
fn collector(text: &str) -> Result<Url, &'static str> {
    let mut url = Url::parse(text).map_err(|_| "is no address; write it like https://otel.example.com:4318")?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("must begin with https:// or http://; the hub speaks OTLP over HTTP, not gRPC");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password; put them into headers_file");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must have no query and no fragment");
    }
    let path = url.path().trim_end_matches('/');
    if path.ends_with(TRACES_PATH) {
        return Err("must end before /v1/traces, which the hub adds");
    }
    let path = format!("{path}{TRACES_PATH}");
    url.set_path(&path);
    Ok(url)
}

/// A header a line, `name: value`. A fault names the line, and nothing that stands in it.
fn read_headers(section: &Section<'_>, text: &Secret) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (index, line) in text.reveal().lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match header(line) {
            Some((name, _)) if OWN_HEADERS.contains(&name.as_str()) => {
                section.fault("headers", format!("line {}: is a header that the hub writes itself", index + 1));
            }
            Some((name, value)) => drop(headers.append(name, value)),
            None => section.fault("headers", format!("line {}: must be a header, name: value", index + 1)),
        }
    }
    headers
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let mut value = HeaderValue::from_str(value.trim()).ok().filter(|value| !value.is_empty())?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, ConfigFaults};
    use super::*;

    const LEAST: &str = "[server]\npublic_url = 'https://logout.example'\n[[issuers]]\nissuer = 'https://acme.example/'\n\
                         [[apps]]\nclient_id = 'notes'\norigins = ['https://notes.example']\n";

    fn config(table: &str, env: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::parse(&format!("{LEAST}{table}"), env, Path::new("/etc/slo-hub"))
    }

    fn traces_of(table: &str) -> Traces {
        config(table, &[]).unwrap_or_else(|faults| panic!("{faults}")).traces.unwrap()
    }

    fn fault(keys: &str) -> String {
        config(&format!("[traces]\n{keys}"), &[]).expect_err("it has a fault").to_string()
    }

    #[test]
    fn without_the_table_there_are_no_traces() {
        assert!(config("", &[]).unwrap().traces.is_none());
        assert_eq!(fault(""), "traces.endpoint: is missing");
    }

    #[test]
    fn the_collectors_path_is_added_to_whatever_stands_before_it() {
        let traces = traces_of("[traces]\nendpoint = 'https://otel.example.com:4318'");
        assert_eq!(traces.url.as_str(), "https://otel.example.com:4318/v1/traces");
        assert_eq!((traces.sample, traces.headers.len(), traces.node), (1.0, 0, None));
        let traces = traces_of("[traces]\nendpoint = 'http://10.0.0.7/otlp/'");
        assert_eq!(traces.url.as_str(), "http://10.0.0.7/otlp/v1/traces");
    }

    #[test]
    fn an_address_that_no_collector_can_have_says_what_would_be_right() {
        let of = |endpoint: &str| fault(&format!("endpoint = '{endpoint}'"));
        assert!(of("otel.example.com").starts_with("traces.endpoint: is no address"));
        assert!(of("grpc://otel.example.com:4317").starts_with("traces.endpoint: must begin with https://"));
        assert!(of("https://otel.example.com/v1/traces").starts_with("traces.endpoint: must end before /v1/traces"));
        assert!(of("https://otel.example.com/?key=hunter-2").starts_with("traces.endpoint: must have no query"));
        let said = of("https://ada:hunter-2@otel.example.com");
        assert!(said.starts_with("traces.endpoint: must not hold a user name") && !said.contains("hunter-2"), "{said}");
    }

    #[test]
    fn the_environment_can_switch_traces_on() {
        let env = [("SLO_HUB__TRACES__ENDPOINT", "http://localhost:4318"), ("SLO_HUB__TRACES__SAMPLE", "0.25")];
        let traces = config("", &env).unwrap().traces.unwrap();
        assert_eq!((traces.url.as_str(), traces.sample), ("http://localhost:4318/v1/traces", 0.25));
    }

    #[test]
    fn a_share_is_a_number_from_nothing_to_all() {
        let of = |value: &str| fault(&format!("endpoint = 'http://localhost:4318'\nsample = {value}"));
        for value in ["1.5", "-0.1", "nan", "'0.5'", "2"] {
            assert_eq!(of(value), "traces.sample: must be a number from 0 to 1", "{value}");
        }
        let table = "[traces]\nendpoint = 'http://localhost:4318'\nsample = ";
        let samples = ["0", "1", "0.5"].map(|value| traces_of(&format!("{table}{value}")).sample);
        assert_eq!(samples.map(|sample| format!("{sample:.1}")), ["0.0", "1.0", "0.5"]);
    }

    #[test]
    fn headers_are_secret_and_a_bad_one_is_named_by_its_line() {
        let with = |headers: &str| format!("endpoint = 'https://otel.example.com'\nheaders = \"\"\"\n{headers}\"\"\"");
        let traces = traces_of(&format!("[traces]\n{}", with("Authorization: Bearer hunter-2\nx-team: slo\n")));
        assert_eq!(traces.headers["authorization"], "Bearer hunter-2");
        assert_eq!(traces.headers["x-team"], "slo");
        assert!(!format!("{traces:?}").contains("hunter-2"), "{traces:?}");
        assert_eq!(fault(&with("a: b\nhunter-2\n")), "traces.headers: line 2: must be a header, name: value");
        let own = fault(&with("Content-Type: text/plain\n"));
        assert_eq!(own, "traces.headers: line 1: is a header that the hub writes itself");
        assert!(fault("endpoint = 'https://otel.example.com'\nnode = ''").starts_with("traces.node: must have 1 to"));
    }

    #[test]
    fn headers_that_leave_the_machine_without_tls_are_a_caution() {
        let with = |endpoint: &str| config(&format!("[traces]\nendpoint = '{endpoint}'\nheaders = 'a: b'"), &[]);
        let cautions = with("http://otel.example.com:4318").unwrap().cautions;
        assert!(cautions[0].starts_with("traces.endpoint: the collector's headers travel unencrypted"), "{cautions:?}");
        assert!(with("http://127.0.0.1:4318").unwrap().cautions.is_empty());
        assert!(with("https://otel.example.com:4318").unwrap().cautions.is_empty());
    }
}
