//! `[server.console]`: what browsers call the console, and who may sign in to it by name.

use super::reader::{Reader, Section};
use super::url::PublicUrl;
use crate::domain::app::IssuerSettings;
use crate::domain::ids::Issuer;

/// The section's name, as faults say it.
const SECTION: &str = "server.console";

/// Claims that every token of the hub's own client has, or whose value nobody can know ahead.
const OF_EVERYBODY: [&str; 9] = ["iss", "aud", "azp", "iat", "exp", "nbf", "auth_time", "nonce", "at_hash"];

/// The console.
#[derive(Clone, Debug, Default)]
pub struct ConsoleSettings {
    /// What operators' browsers call it, where that is not the admin listener itself.
    pub url: Option<PublicUrl>,
    /// Who signs in at an issuer, besides who has the administrators' token.
    pub login: Option<ConsoleLogin>,
}

/// Who signs in to the console at an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleLogin {
    /// Where: one at which the hub has a client of its own.
    pub issuer: Issuer,
    /// The claim of the ID token that makes an operator.
    pub claim: String,
    /// The claim has to be one of these, or a list that holds one of them.
    pub values: Vec<String>,
    /// Where browsers come back to.
    url: PublicUrl,
}

impl ConsoleLogin {
    /// Where the issuer sends browsers back to; it has to be registered there.
    #[must_use]
    pub fn callback_url(&self) -> String {
        format!("{}/console/sign-in/callback", self.url)
    }

    /// Where browsers begin, so that they come back with the cookie that they left with.
    #[must_use]
    pub fn begin_url(&self) -> String {
        format!("{}/console/sign-in/issuer", self.url)
    }
}

/// The section before the issuers are known.
pub(super) struct Written {
    url: Option<PublicUrl>,
    has_url: bool,
    issuer: Option<String>,
    claim: Option<String>,
    values: Option<Vec<String>>,
}

pub(super) fn written(mut section: Section<'_>) -> Written {
    let text = section.text("url");
    let has_url = text.is_some();
    let url = text.and_then(|text| PublicUrl::parse(&text).map_err(|wrong| section.fault("url", wrong)).ok());
    let written = Written {
        url,
        has_url,
        issuer: section.text("issuer"),
        claim: section.text("claim"),
        values: section.texts("values"),
    };
    section.finish();
    written
}

impl Written {
    /// Checks it against the issuers; what is wrong is kept as a fault.
    pub(super) fn read(self, reader: &Reader, issuers: &[IssuerSettings]) -> ConsoleSettings {
        let url = self.url.clone();
        ConsoleSettings { url, login: self.login(reader, issuers) }
    }

    fn login(self, reader: &Reader, issuers: &[IssuerSettings]) -> Option<ConsoleLogin> {
        let fault = |key: &str, text: &str| reader.fault(&format!("{SECTION}.{key}"), text);
        let (claim, values) = match (self.claim, self.values) {
            (Some(claim), Some(values)) => (claim, values),
            (Some(_), None) => {
                fault("values", "is missing beside claim: the values that make an operator");
                return None;
            }
            (None, Some(_)) => {
                fault("claim", "is missing beside values: the claim of the ID token that has one of them");
                return None;
            }
            (None, None) => {
                if self.issuer.is_some() {
                    fault("issuer", "is of use beside claim and values only");
                }
                return None;
            }
        };
        if claim.trim().is_empty() {
            fault("claim", "is empty");
        } else if OF_EVERYBODY.contains(&claim.as_str()) {
            fault("claim", "tells operators from nobody; name a claim that your issuer gives to operators only");
        }
        if values.is_empty() {
            fault("values", "is empty, so nobody could sign in; leave claim and values out for that");
        }
        for (index, _) in values.iter().enumerate().filter(|(_, value)| value.trim().is_empty()) {
            fault(&format!("values[{index}]"), "is empty");
        }
        if !self.has_url {
            fault("url", "is missing beside claim: the issuer sends browsers back to it");
        }
        let issuer = login_issuer(self.issuer.as_deref(), issuers).map_err(|(key, text)| fault(key, text)).ok()?;
        Some(ConsoleLogin { issuer, claim, values, url: self.url? })
    }
}

/// The issuer that is named; else the only one at which the hub has a client.
fn login_issuer(named: Option<&str>, issuers: &[IssuerSettings]) -> Result<Issuer, (&'static str, &'static str)> {
    let mut with_client = issuers.iter().filter(|it| it.client.is_some());
    let Some(named) = named else {
        let only = with_client
            .next()
            .ok_or(("claim", "needs a client of the hub's own: client_id and client_secret in [[issuers]]"))?;
        return match with_client.next() {
            None => Ok(only.issuer.clone()),
            Some(_) => Err(("issuer", "is missing: the hub has a client of its own at several [[issuers]]; name one")),
        };
    };
    let found = issuers.iter().find(|it| it.issuer.as_str() == named);
    let found = found.ok_or(("issuer", "is none of [[issuers]]; write it as it stands there"))?;
    match found.client {
        Some(_) => Ok(found.issuer.clone()),
        None => Err(("issuer", "needs a client of the hub's own there: client_id and client_secret in [[issuers]]")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, ConfigFaults};

    const CLIENT: &str = "client_id = 'slo-hub'\nclient_secret = 's'\n";
    const ALL: &str = "url = 'https://console.example'\nclaim = 'https://acme.example/roles'\nvalues = ['slo-admin']\n";

    /// A configuration with that console, and these settings of its two issuers.
    fn parse(console: &str, acme: &str, other: &str) -> Result<Config, ConfigFaults> {
        let text = format!(
            "[server]\npublic_url = 'https://logout.example'\n[server.console]\n{console}[[issuers]]\nissuer = \
             'https://acme.example/'\n{acme}[[issuers]]\nissuer = 'https://other.example/'\n{other}[[apps]]\nclient_id \
             = 'notes'\nissuer = 'https://acme.example/'\norigins = ['https://notes.example']\n"
        );
        Config::parse(&text, std::iter::empty(), Path::new("."))
    }

    #[track_caller]
    fn login(console: &str, acme: &str, other: &str) -> Option<ConsoleLogin> {
        parse(console, acme, other).unwrap_or_else(|faults| panic!("{faults}")).server.console.login
    }

    #[test]
    fn the_issuer_with_the_hubs_client_is_the_one_that_operators_sign_in_at() {
        let only = login(ALL, "", CLIENT).unwrap();
        assert_eq!(only.issuer.as_str(), "https://other.example/");
        assert_eq!(
            (only.claim.as_str(), only.values.as_slice()),
            ("https://acme.example/roles", &["slo-admin".to_owned()][..])
        );
        assert_eq!(only.callback_url(), "https://console.example/console/sign-in/callback");
        let named = format!("{ALL}issuer = 'https://acme.example/'\n");
        assert_eq!(login(&named, CLIENT, CLIENT).unwrap().issuer.as_str(), "https://acme.example/");
        assert_eq!(login("url = 'https://console.example'\n", CLIENT, ""), None);
        assert_eq!(login("", CLIENT, ""), None);
    }

    #[test]
    fn half_a_sign_in_is_a_fault_that_names_the_key() {
        let without = |line: &str| ALL.split_inclusive('\n').filter(|own| !own.starts_with(line)).collect::<String>();
        let with = |line: &str| format!("{}{line}\n", without(line.split(' ').next().unwrap()));
        for (console, acme, other, said) in [
            (without("values"), CLIENT, "", "values: is missing beside claim"),
            (without("claim"), CLIENT, "", "claim: is missing beside values"),
            (without("url"), CLIENT, "", "url: is missing beside claim"),
            (with("url = 'http://console.example'"), CLIENT, "", "url: must be https"),
            (with("claim = ' '"), CLIENT, "", "claim: is empty"),
            (with("claim = 'aud'"), CLIENT, "", "claim: tells operators from nobody"),
            (with("claim = ['roles']"), CLIENT, "", "claim: must be a text"),
            (with("values = []"), CLIENT, "", "values: is empty, so nobody"),
            (with("values = ['slo-admin', '']"), CLIENT, "", "values[1]: is empty"),
            (with("values = 'slo-admin'"), CLIENT, "", "values: must be a list"),
            (ALL.to_owned(), "", "", "claim: needs a client of the hub's own"),
            (ALL.to_owned(), CLIENT, CLIENT, "issuer: is missing"),
            (with("issuer = 'https://acme.example'"), CLIENT, "", "issuer: is none of [[issuers]]"),
            (with("issuer = 'https://other.example/'"), CLIENT, "", "issuer: needs a client of the hub's own there"),
            ("issuer = 'https://acme.example/'\n".to_owned(), CLIENT, "", "issuer: is of use beside claim"),
            (with("role = 'x'"), CLIENT, "", "role: is no key"),
        ] {
            let faults = parse(&console, acme, other).expect_err(said);
            assert!(faults.lines()[0].starts_with(&format!("server.console.{said}")), "{said}: {faults}");
        }
    }
}
