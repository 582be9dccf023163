//! What was answered, and the file that comes of it: the documented configuration with the
//! answers in their places. So its comments are those of every other hub.

use std::path::Path;

use toml::Value;
use url::Url;

use crate::config::{Config, DEFAULT_FILE};

/// The file with the administrators' token, beside the configuration.
pub(super) const TOKEN_FILE: &str = "admin-token";

/// Said in place of the documented configuration's own first line.
const FIRST_LINE: &str = "# slo-hub's configuration, begun by `slo-hub init`: every key, with its default.";

/// What `slo-hub init` asks for. The default is a valid example.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) issuer: String,
    pub(super) public_url: String,
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) origins: Vec<String>,
    pub(super) store_url: String,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            issuer: "https://acme.eu.auth0.com/".to_owned(),
            public_url: "https://logout.example.com".to_owned(),
            name: "Notes".to_owned(),
            client_id: "spa-notes".to_owned(),
            origins: vec!["https://notes.example".to_owned()],
            store_url: "sqlite://slo-hub.db".to_owned(),
        }
    }
}

impl Answers {
    /// The configuration's text.
    pub(super) fn file(&self) -> String {
        let text = |text: &str| Value::from(text).to_string();
        let texts = |texts: Vec<String>| Value::from(texts).to_string();
        let bye = self.origins.iter().map(|origin| format!("{origin}/")).collect();
        let values = [
            ("# admin_token_file", text(TOKEN_FILE)),
            ("public_url", text(&self.public_url)),
            ("url", text(&self.store_url)),
            ("issuer", text(&self.issuer)),
            ("client_id", text(&self.client_id)),
            ("name", text(&self.name)),
            ("origins", texts(self.origins.clone())),
            ("post_logout_redirect_uris", texts(bye)),
        ];
        let lines = DEFAULT_FILE.lines().enumerate().map(|(index, line)| {
            let is_value = |(key, _): &&(&str, String)| line.strip_prefix(*key).is_some_and(|it| it.starts_with(" = "));
            match values.iter().find(is_value) {
                _ if index == 0 => FIRST_LINE.to_owned(),
                Some((key, value)) => format!("{} = {value}", key.trim_start_matches("# ")),
                None => line.to_owned(),
            }
        });
        lines.map(|line| line + "\n").collect()
    }

    /// What the hub itself would say against one key's value: the same as `slo-hub check`.
    pub(super) fn fault(&self, key: &str) -> Option<String> {
        let parsed = Config::parse(&self.file(), std::iter::empty(), Path::new("."));
        let faults = parsed.err()?;
        let (line, rest) = faults.lines().iter().find_map(|line| Some((line, line.strip_prefix(key)?)))?;
        // Of a list it is one entry: the number says which.
        Some(rest.strip_prefix(": ").unwrap_or(line).to_owned())
    }
}

/// An Auth0 tenant's issuer, from its domain or from an address that was copied.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn issuer_of(domain: &str) -> Result<String, String> {
    let address = if domain.contains("://") { domain.to_owned() } else { format!("https://{domain}") };
    let url = Url::parse(&address).ok().filter(|url| url.path() == "/" && url.query().is_none());
    let url = url.ok_or("must be a domain alone, such as acme.eu.auth0.com")?;
    let host = url.host_str().unwrap_or_default();
    if !host.contains('.') && host != "localhost" {
        return Err("is no whole domain; Auth0's dashboard shows it, such as acme.eu.auth0.com".to_owned());
    }
    // Url's own text is in lower case and ends in a slash, as Auth0's iss does.
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_stands_in_the_file_and_everything_else_is_the_documented_default() {
        let answers = Answers {
            issuer: "https://other.us.auth0.com/".to_owned(),
            public_url: "https://bye.example".to_owned(),
            name: "Ada's \"Shop\" \\ ü".to_owned(),
            client_id: "abc\"1".to_owned(),
            origins: vec!["https://shop.example".to_owned(), "https://www.shop.example".to_owned()],
            store_url: "sqlite:///var/lib/slo-hub/slo-hub.db".to_owned(),
        };
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join(TOKEN_FILE), "t".repeat(43)).unwrap();
        let read = |text: &str| Config::parse(text, std::iter::empty(), folder.path()).unwrap();
        let (config, default) = (read(&answers.file()), read(DEFAULT_FILE));
        assert_eq!(config.server.public_url.as_str(), answers.public_url);
        assert!(config.server.admin_token.is_some_and(|token| token.matches(&"t".repeat(43))));
        assert_eq!(config.store.url.reveal(), answers.store_url);
        assert_eq!(config.issuers[0].issuer.as_str(), answers.issuer);
        let app = &config.apps[0];
        assert_eq!((app.name.as_str(), app.client_id.as_str()), (answers.name.as_str(), answers.client_id.as_str()));
        assert_eq!(app.issuer, config.issuers[0].issuer);
        let origins: Vec<_> = app.origins.iter().map(crate::domain::app::Origin::as_str).collect();
        assert_eq!(origins, answers.origins);
        assert_eq!(format!("{:?}", config.limits), format!("{:?}", default.limits));
        assert_eq!(config.server.listen, default.server.listen);
        for line in DEFAULT_FILE.lines().filter(|line| line.starts_with("# ")).skip(1) {
            let is_kept = answers.file().contains(line) || line.starts_with("# admin_token_file");
            assert!(is_kept, "{line} is not in the file");
        }
    }

    #[test]
    fn a_bad_answer_is_judged_as_check_would() {
        let fault = |change: fn(&mut Answers), key| {
            let mut answers = Answers::default();
            change(&mut answers);
            answers.fault(key)
        };
        assert_eq!(fault(|_| {}, "server.public_url"), None);
        let said = fault(|answers| answers.public_url = "http://bye.example".to_owned(), "server.public_url");
        assert!(said.as_ref().is_some_and(|said| said.starts_with("must be https")), "{said:?}");
        let said = fault(|answers| answers.origins.push("https://a.example/path".to_owned()), "apps[0].origins");
        assert!(said.as_ref().is_some_and(|said| said.starts_with("apps[0].origins[1]: ")), "{said:?}");
    }

    #[test]
    fn a_tenant_is_known_by_its_domain_however_it_was_copied() {
        for text in ["acme.eu.auth0.com", "https://acme.eu.auth0.com", "https://Acme.EU.auth0.com/"] {
            assert_eq!(issuer_of(text).as_deref(), Ok("https://acme.eu.auth0.com/"));
        }
        for text in ["acme", "https://manage.auth0.com/dashboard/eu/acme", "acme.eu.auth0.com?x", "a b", ""] {
            assert!(issuer_of(text).is_err(), "{text}");
        }
    }
}
