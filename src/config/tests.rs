use super::*;
use crate::domain::app::{BackchannelToken, SigningAlg};

const LEAST: &str = "[server]\npublic_url = 'https://logout.example'\n[[issuers]]\nissuer = 'https://acme.example/'\n\
                     [[apps]]\nclient_id = 'notes'\nname = 'Notes'\norigins = ['https://notes.example']\n";

fn parse(text: &str) -> Result<Config, ConfigFaults> {
    Config::parse(text, std::iter::empty(), Path::new("/etc/slo-hub"))
}

fn with_env(env: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(LEAST, env, Path::new("/etc/slo-hub"))
}

/// The faults of the least configuration with one line changed or added.
fn faults(from: &str, to: &str) -> String {
    let text = LEAST.replacen(from, to, 1);
    assert_ne!(text, LEAST, "{from} is not in the configuration");
    parse(&text).expect_err("it has a fault").to_string()
}

#[test]
fn the_default_file_is_valid_and_says_the_real_defaults() {
    let file = parse(DEFAULT_FILE).unwrap_or_else(|faults| panic!("{faults}"));
    let least = parse(LEAST).unwrap();
    assert_eq!(file.server.listen, least.server.listen);
    assert_eq!(file.server.admin_listen, least.server.admin_listen);
    assert_eq!(format!("{:?}", file.server.trusted_proxies), format!("{:?}", least.server.trusted_proxies));
    assert_eq!(format!("{:?}", file.store), format!("{:?}", least.store));
    assert_eq!(format!("{:?}", file.session), format!("{:?}", least.session));
    assert_eq!(format!("{:?}", file.limits), format!("{:?}", least.limits));
    assert_eq!(file.issuers[0].signing_algs, least.issuers[0].signing_algs);
    assert_eq!(file.apps[0].backchannel_logout_token, least.apps[0].backchannel_logout_token);
    assert_eq!(file.apps[0].allow_no_origin, least.apps[0].allow_no_origin);
}

#[test]
fn the_default_file_mentions_every_key() {
    let code =
        [include_str!("mod.rs"), include_str!("apps.rs"), include_str!("tls.rs"), include_str!("traces.rs")].join("\n");
    let words: Vec<&str> = code.split('"').collect();
    let is_key = |word: &&&str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
    };
    let asked_for = code.match_indices("(\"").map(|(at, _)| code[at + 2..].split('"').next().unwrap());
    let keys: Vec<&str> = asked_for.filter(|word| is_key(&word)).collect();
    assert!(keys.len() > 30 && words.len() > keys.len(), "{keys:?}");
    for key in keys {
        assert!(DEFAULT_FILE.contains(key), "the default file does not mention {key}");
    }
}

#[test]
fn every_problem_is_reported_at_once_with_its_key() {
    let text = "[server]\npublic_url = 'http://logout.example'\nlisten = 'here'\nsurprise = 1\n[store]\nretention_days = 0\n\
                [[issuers]]\nissuer = 'http://acme.example/'\nsigning_algs = ['HS256', 'none']\n\
                [[apps]]\nclient_id = ''\norigins = ['https://a.example/', '*']\n";
    let faults = parse(text).unwrap_err();
    for key in [
        "server.public_url: must be https",
        "server.listen: must be an address with a port",
        "server.surprise: is no key",
        "store.retention_days: must be a whole number from 1",
        "issuers[0].issuer: must be https",
        "issuers[0].signing_algs: \"HS256\" is not taken",
        "issuers[0].signing_algs: \"none\" is not taken",
        "apps[0].client_id: is empty",
        "apps[0].origins[0]: must be an exact origin",
        "apps[0].origins[1]: is no address",
    ] {
        assert!(faults.lines().iter().any(|line| line.starts_with(key)), "{key} is not in\n{faults}");
    }
}

#[test]
fn an_empty_file_says_what_is_needed() {
    let text = parse("").unwrap_err().to_string();
    for key in ["server.public_url: is missing", "issuers: is missing", "apps: is missing"] {
        assert!(text.contains(key), "{text}");
    }
}

#[test]
fn a_key_that_is_nearly_right_is_told_what_it_may_mean() {
    assert_eq!(faults("[server]\n", "[server]\ntrusted_proxy = []\n"), "server.trusted_proxy: is no key");
    assert_eq!(faults("[server]\n", "[server]\nlsiten = ''\n"), "server.lsiten: is no key; did you mean listen?");
    assert_eq!(
        faults("name = 'Notes'", "name = 'Notes'\nClient_id='x'"),
        "apps[0].Client_id: is no key; did you mean client_id?"
    );
}

#[test]
fn the_consoles_address_is_an_origin_that_browsers_can_trust() {
    let with = |url: &str| format!("[server]\nconsole = {{ url = '{url}' }}\n");
    let found = parse(&LEAST.replace("[server]\n", &with("https://console.example"))).unwrap().server.console.url;
    assert_eq!(found.unwrap().as_str(), "https://console.example");
    assert!(faults("[server]\n", &with("http://console.example")).starts_with("server.console.url: must be https"));
    assert!(faults("[server]\n", &with("https://console.example/x")).starts_with("server.console.url: must be an"));
    assert!(parse(LEAST).unwrap().server.console.url.is_none());
}

#[test]
fn a_value_of_the_wrong_kind_says_which_kind_is_right() {
    assert!(faults("[server]\n", "[server]\nlisten = 8080\n").contains("server.listen: must be a text in quotes"));
    assert!(faults("[server]\n", "limits = 1\n[server]\n").contains("limits: must be a table: [limits]"));
    assert!(
        faults("origins = ['https://notes.example']", "origins = 'https://notes.example'")
            .contains("apps[0].origins: must be a list")
    );
    assert!(
        faults("[server]\n", "[limits]\nclock_skew_seconds = -1\n[server]\n")
            .contains("limits.clock_skew_seconds: must be a whole number")
    );
    assert!(
        faults("name = 'Notes'", "name = 'Notes'\nallow_no_origin = 'yes'")
            .contains("apps[0].allow_no_origin: must be true or false")
    );
    assert!(parse("[server").unwrap_err().to_string().contains("not TOML"));
    for line in ["secret = \"hunter2", "secret = hunter2", "secret = 'a' hunter2", "\"hunter2\" \"\""] {
        let fault = parse(&format!("[[apps]]\n{line}\n")).unwrap_err().to_string();
        assert!(fault.contains("line 2, column") && !fault.contains("hunter2"), "{fault}");
    }
}

#[test]
fn insecure_is_refused() {
    assert!(
        faults("[server]\n", "[server]\nadmin_listen = '0.0.0.0:8081'\n").contains("server.admin_token: is needed")
    );
    assert!(
        faults("[server]\n", "[server]\nadmin_listen = '127.0.0.1:8080'\n").contains("is the same address as listen")
    );
    for (from, to, key) in [
        ("'https://logout.example'", "'https://logout.example/path'", "server.public_url"),
        ("'https://logout.example'", "'https://ada@logout.example'", "server.public_url"),
        ("'https://logout.example'", "'ftp://logout.example'", "server.public_url"),
        ("'https://acme.example/'", "'http://acme.example/'", "issuers[0].issuer"),
        ("'https://acme.example/'", "'https://acme.example/?x'", "issuers[0].issuer"),
        ("'https://notes.example'", "'http://notes.example'", "apps[0].origins[0]"),
        (
            "name = 'Notes'",
            "name = 'Notes'\npost_logout_redirect_uris = ['http://n.example/']",
            "apps[0].post_logout_redirect_uris[0]",
        ),
        ("name = 'Notes'", "name = 'Notes'\nchain_logout_uri = 'javascript:alert(1)'", "apps[0].chain_logout_uri"),
        ("name = 'Notes'", "name = 'Notes'\nbackchannel_logout_token = 'both'", "apps[0].backchannel_logout_token"),
        ("name = 'Notes'", "name = 'Notes'\nsecret = ''", "apps[0].secret"),
        ("origins = ['https://notes.example']", "", "apps[0].origins"),
        (
            "name = 'Notes'",
            "name = 'Notes'\npost_logout_redirect_uris = ['com.example.app:/bye']",
            "apps[0].post_logout_redirect_uris[0]",
        ),
        ("[server]", "[server]\ntrusted_proxies = ['0.0.0.0/0']", "server.trusted_proxies[0]"),
    ] {
        let text = faults(from, to);
        assert!(text.starts_with(key), "{to}: {text}");
    }
}

#[test]
fn an_app_is_called_by_its_client_id_where_it_has_no_name() {
    assert_eq!(parse(&LEAST.replace("name = 'Notes'\n", "")).unwrap().apps[0].name, "notes");
}

#[test]
fn a_native_app_may_be_sent_back_to_a_scheme_of_its_own() {
    let line = "allow_no_origin = true\npost_logout_redirect_uris = ['com.example.app:/bye']\nname = 'Notes'";
    assert!(parse(&LEAST.replace("name = 'Notes'", line)).is_ok());
}

#[test]
fn http_is_for_this_machine() {
    for host in ["localhost:4000", "hub.localhost", "127.0.0.1:1", "[::1]:2"] {
        let text = LEAST.replace("https://logout.example", &format!("http://{host}"));
        assert!(parse(&text).is_ok(), "{host}");
    }
}

#[test]
fn an_app_without_an_issuer_belongs_to_the_only_one() {
    assert_eq!(parse(LEAST).unwrap().apps[0].issuer.as_str(), "https://acme.example/");
    let two = LEAST.replace("[[apps]]", "[[issuers]]\nissuer = 'https://b.example/'\n[[apps]]");
    assert!(parse(&two).unwrap_err().to_string().contains("apps[0].issuer: is missing"));
    let slash = faults("name = 'Notes'", "name = 'Notes'\nissuer = 'https://acme.example'");
    assert!(slash.contains("byte for byte"), "{slash}");
}

#[test]
fn what_stands_twice_is_refused() {
    let twice = format!("{LEAST}[[apps]]\nclient_id = 'notes'\nname = 'Again'\norigins = ['https://b.example']\n");
    assert!(parse(&twice).unwrap_err().to_string().contains("apps[1].client_id: stands twice"));
    let twice = LEAST.replace("[[apps]]", "[[issuers]]\nissuer = 'https://acme.example/'\n[[apps]]");
    assert!(parse(&twice).unwrap_err().to_string().contains("issuers[1].issuer: stands twice"));
}

#[test]
fn the_environment_is_laid_over_the_file() {
    let config = with_env(&[
        ("SLO_HUB__SERVER__LISTEN", "0.0.0.0:9"),
        ("SLO_HUB__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1"),
        ("SLO_HUB__LIMITS__CLOCK_SKEW_SECONDS", "7"),
        ("SLO_HUB__APPS__0__SECRET", "0123456789abcdef"),
        ("SLO_HUB__APPS__0__ALLOW_NO_ORIGIN", "true"),
        ("SLO_HUB__ISSUERS__0__SIGNING_ALGS", "ES256"),
        ("SLO_HUB_LOG", "debug"),
        ("OTHER", "x"),
    ])
    .unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:9");
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.limits.clock_skew, Duration::from_secs(7));
    assert!(config.apps[0].secret.as_ref().unwrap().matches("0123456789abcdef"));
    assert!(config.apps[0].allow_no_origin);
    assert_eq!(config.issuers[0].signing_algs, [SigningAlg::ES256]);
    assert_eq!(config.apps[0].backchannel_logout_token, BackchannelToken::Issuer);
}

#[test]
fn a_variable_that_names_nothing_is_a_fault_too() {
    for (name, said) in [
        ("SLO_HUB__SERVER__LSITEN", "server.lsiten: is no key"),
        ("SLO_HUB__APPS__7__NAME", "SLO_HUB__APPS__7__NAME: names no key"),
        ("SLO_HUB__", "SLO_HUB__: names no key"),
        ("SLO_HUB__LIMITS__CLOCK_SKEW_SECONDS", "limits.clock_skew_seconds: must be a whole number"),
    ] {
        let text = with_env(&[(name, "x")]).unwrap_err().to_string();
        assert!(text.starts_with(said), "{name}: {text}");
    }
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes-secret"), "0123456789abcdef\n").unwrap();
    let parse = |line: &str| {
        let text = LEAST.replace("name = 'Notes'", &format!("name = 'Notes'\n{line}"));
        Config::parse(&text, std::iter::empty(), folder.path())
    };
    let config = parse("secret_file = 'notes-secret'").unwrap();
    assert!(config.apps[0].secret.as_ref().unwrap().matches("0123456789abcdef"));
    let missing = parse("secret_file = 'nowhere'").unwrap_err().to_string();
    assert!(missing.starts_with("apps[0].secret_file: cannot read the file"), "{missing}");
    let both = parse("secret_file = 'notes-secret'\nsecret = '0123456789abcdef'").unwrap_err().to_string();
    assert!(both.contains("apps[0].secret: stands here and in secret_file"), "{both}");
}

#[test]
fn a_relative_database_lies_beside_the_configuration() {
    assert_eq!(parse(LEAST).unwrap().store.url.reveal(), "sqlite:///etc/slo-hub/slo-hub.db");
    let absolute = LEAST.replace("[server]", "[store]\nurl = 'sqlite:///var/lib/hub.db'\n[server]");
    assert_eq!(parse(&absolute).unwrap().store.url.reveal(), "sqlite:///var/lib/hub.db");
    for (url, said) in [
        ("postgres://hub@127.0.0.1", "must name one database"),
        ("mysql://db", "must be sqlite://<path>"),
        ("sqlite://:memory:", "must name a file"),
        ("sqlite://", "must name a file"),
    ] {
        let text = faults("[server]", &format!("[store]\nurl = '{url}'\n[server]"));
        assert!(text.contains(said), "{url}: {text}");
    }
}

#[test]
fn facts_outlive_resume_tickets() {
    let text = faults("[server]", "[store]\nretention_days = 2\n[server]");
    assert!(text.contains("store.retention_days: must not be shorter"), "{text}");
}

#[test]
fn a_fault_is_one_line_whatever_stands_in_the_file() {
    let faults = parse("[server]\n\"a\\nb\" = 1\n\"\\u001b[2J\" = 2\n").unwrap_err();
    for line in ["server.a\\nb: is no key", "server.\\u{1b}[2J: is no key"] {
        assert!(faults.lines().iter().any(|own| own == line), "{line} is not in\n{faults}");
    }
}

#[test]
fn short_secrets_and_a_token_that_crosses_a_network_readable_are_cautioned_against() {
    let text = |listen: &str, token: &str, secret: &str, more: &str| {
        format!(
            "[server]\npublic_url = 'https://bye.example'\nadmin_listen = '{listen}'\nadmin_token = '{token}'\n{more}\n\
             [[issuers]]\nissuer = 'https://acme.example/'\n\
             [[apps]]\nclient_id = 'desk'\nname = 'Desk'\nsecret = '{secret}'\n"
        )
    };
    let cautions = |text: &str| Config::parse(text, std::iter::empty(), Path::new("/")).unwrap().cautions;
    let long = "a-secret-of-16-b";
    assert_eq!(cautions(&text("127.0.0.1:8081", long, long, "")), Vec::<String>::new());
    let found = cautions(&text("0.0.0.0:8081", &long[1..], &long[1..], ""));
    let begins = |line: usize, with: &str| assert!(found[line].starts_with(with), "{found:?}");
    assert_eq!(found.len(), 3, "{found:?}");
    begins(0, "server.admin_token: is shorter than 16 bytes");
    begins(2, "server.admin_listen: is not a loopback address and speaks plain HTTP");
    begins(1, "apps[0].secret: is shorter than 16 bytes");
    assert!(!found.concat().contains(&long[1..]), "no secret is said");
    let by_proxy = "[server.console]\nurl = 'https://ops.example'";
    assert_eq!(cautions(&text("0.0.0.0:8081", long, long, by_proxy)), Vec::<String>::new());
}
