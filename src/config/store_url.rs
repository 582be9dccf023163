//! Which database keeps the facts, and how it may be spoken of: a password can stand in its
//! address.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use url::{Host, Url};

use crate::domain::secret::Secret;

/// How an address of a server is written.
const IN_FULL: &str = "write it in full: postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=<file>; \
                       in a user's name, a password or a database's name write %40 for @, %2F for /, %23 for # and %3A for :";

/// What an address may say behind its `?`. Whatever else stood there would do nothing.
const PARAMETERS: [&str; 6] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "options"];

/// The address of a database. Only [`StoreUrl::reveal`] shows a password in it.
#[derive(Clone)]
pub struct StoreUrl(Secret);

impl StoreUrl {
    /// Reads `sqlite://<path>`, with relative paths from `base`, or `postgres://…`.
    ///
    /// # Errors
    /// What is wrong, in words that hold nothing of the text.
    pub fn parse(text: &str, base: &Path) -> Result<Self, Cow<'static, str>> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return match path {
                "" | ":memory:" => {
                    Err("must name a file: sqlite://slo-hub.db. A logout must outlive the process".into())
                }
                path => Ok(Self(Secret::new(&format!("sqlite://{}", base.join(path).display())))),
            };
        }
        if !is_of_a_server(text) {
            let text =
                "must be sqlite://<path>, such as sqlite://slo-hub.db, or postgres://user:password@host/database";
            return Err(text.into());
        }
        check(text)?;
        Ok(Self(Secret::new(text)))
    }

    /// All of it, to connect with.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.reveal().strip_prefix("sqlite://").map(Path::new)
    }
}

/// Without a password, and without what stands behind the `?`.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file().is_some() {
            return f.write_str(self.reveal());
        }
        let Ok(mut url) = Url::parse(self.reveal()) else { return f.write_str("postgres://…") };
        // It has a host, or no password either.
        if url.set_password(None).is_err() && url.password().is_some() {
            return f.write_str("postgres://…");
        }
        url.set_query(None);
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Whether an address is one of a server, and none of a file.
#[must_use]
pub fn is_of_a_server(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

fn check(text: &str) -> Result<(), Cow<'static, str>> {
    let url = Url::parse(text).map_err(|_| format!("is no address; {IN_FULL}"))?;
    if url.fragment().is_some() {
        return Err(format!("holds a #, which ends an address; {IN_FULL}").into());
    }
    let database = url.path().trim_start_matches('/');
    if database.is_empty() || database.contains('/') {
        return Err(format!("must name one database; {IN_FULL}").into());
    }
    if url.query_pairs().any(|(name, _)| !PARAMETERS.contains(&&*name)) {
        let known = PARAMETERS.join(", ");
        return Err(format!("holds a parameter that is none of {known}; {IN_FULL}").into());
    }
    check_way(&url)
}

/// How the way to the server is guarded. On another machine somebody has to have thought of it.
fn check_way(url: &Url) -> Result<(), Cow<'static, str>> {
    let parameter = |wanted: &str| url.query_pairs().filter(|(name, _)| name == wanted).last().map(|(_, value)| value);
    match parameter("sslmode").as_deref() {
        Some("disable" | "require") => Ok(()),
        Some("verify-ca" | "verify-full")
            if parameter("sslrootcert").is_some_and(|file| Path::new(&*file).is_file()) =>
        {
            Ok(())
        }
        Some("verify-ca" | "verify-full") => {
            Err("needs sslrootcert=<file> with whom to trust, such as /etc/ssl/certs/ca-certificates.crt".into())
        }
        None if stays_here(url, parameter("host").as_deref()) => Ok(()),
        None => Err("must say how the way to another machine is guarded: sslmode=verify-full with \
                     sslrootcert=<file>; sslmode=disable if the network itself is trusted"
            .into()),
        Some(_) => Err("has an sslmode that is none of verify-full, verify-ca, require (whoever answers is \
                        trusted) and disable; one that TLS can be talked out of protects nothing"
            .into()),
    }
}

/// Whether the server is on this machine: a socket's folder, or a loopback address.
fn stays_here(url: &Url, parameter: Option<&str>) -> bool {
    match (parameter, url.host()) {
        (Some(host), _) => host.starts_with('/') || is_loopback(host),
        (None, Some(Host::Ipv4(address))) => address.is_loopback(),
        (None, Some(Host::Ipv6(address))) => address.is_loopback(),
        // Of this scheme every other host is a name, an IPv4 address too.
        (None, Some(Host::Domain(name))) => name.starts_with("%2F") || is_loopback(name),
        (None, None) => true,
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StoreUrl, Cow<'static, str>> {
        StoreUrl::parse(text, Path::new("/etc/slo-hub"))
    }

    #[test]
    fn a_server_is_named_in_full() {
        for text in [
            "postgres://hub:hunter2@127.0.0.1:5433/hub",
            "postgresql://hub@localhost/hub",
            "postgres://hub@[::1]/hub",
            "postgres:///hub?host=/run/postgresql",
            "postgres://hub@%2Frun%2Fpostgresql/hub",
            "postgres://hub:hunter2@db/hub?sslmode=disable",
            "postgres://hub:hunter2@db/hub?sslmode=verify-full&sslrootcert=Cargo.toml",
            "postgres://hub@localhost/hub?options=-csearch_path%3Dlogouts",
        ] {
            assert_eq!(parse(text).unwrap().reveal(), text);
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_any_of_it() {
        for (text, said) in [
            ("postgres://hub:hunter2@127.0.0.1", "must name one database"),
            ("postgres://hub:hunter2@127.0.0.1/", "must name one database"),
            ("postgres://hub:hun/ter2@127.0.0.1/hub", "is no address"),
            ("postgres://hub:hun#ter2@127.0.0.1/hub", "is no address"),
            ("postgres://hub@127.0.0.1/hub#hunter2", "holds a #"),
            ("postgres://hub@127.0.0.1/hub?passwort=hunter2", "holds a parameter that is none of"),
            ("postgres://hub@127.0.0.1/hub?password=hunter2", "holds a parameter that is none of"),
            ("postgres://hub:hunter2@db/hub", "must say how the way to another machine is guarded"),
            ("postgres://hub:hunter2@10.0.0.7/hub", "must say how the way to another machine is guarded"),
            ("postgres://hub:hunter2@localhost/hub?host=db", "must say how the way to another machine is guarded"),
            ("postgres://hub:hunter2@db/hub?sslmode=prefer", "has an sslmode that is none of"),
            ("postgres://hub:hunter2@db/hub?sslmode=verify-full", "needs sslrootcert"),
            ("postgres://hub:hunter2@db/hub?sslmode=verify-full&sslrootcert=nowhere.pem", "needs sslrootcert"),
            ("mysql://hub:hunter2@db/hub", "must be sqlite://<path>"),
        ] {
            let fault = parse(text).unwrap_err();
            assert!(fault.contains(said), "{text}: {fault}");
            assert!(!fault.contains("hunter2") && !fault.contains("ter2"), "{fault}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (text, shown) in [
            ("postgres://hub:hunter2@db/hub?sslmode=disable", "postgres://hub@db/hub"),
            ("postgres://hub@localhost/hub?options=-chunter%3D2", "postgres://hub@localhost/hub"),
            ("sqlite:///var/lib/hub.db", "sqlite:///var/lib/hub.db"),
        ] {
            let url = parse(text).unwrap();
            assert_eq!((url.to_string(), format!("{url:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }
}
