//! Certificates as files: what `slo-hub check` says of them, and what happens when they change.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use slo_hub::config::Config;
use slo_hub::domain::clock::{Clock, SystemClock};
use slo_hub::listener::tls::Look;
use tempfile::TempDir;
use tokio::process::Command;

use crate::certificates::{HOST, Office, Papers, shown};
use crate::hub::{Answer, NOTES, TestHub};
use crate::process::{HubProcess, config};
use crate::stories::id_token;
use crate::support::issuer::TestIssuer;
use crate::tab::Tab;
use crate::wait::until;

const APPS: &str = "[[issuers]]\nissuer = 'https://acme.example/'\n\
                    [[apps]]\nclient_id = 'notes'\nname = 'Notes'\norigins = ['https://notes.example']\n";

/// What is said of a configuration with that certificate: faults, or cautions.
fn said(office: &Office, public_url: &str) -> (Vec<String>, Vec<String>) {
    let text = format!("[server]\npublic_url = '{public_url}'\n{}{APPS}", office.table("tls"));
    let now = SystemClock::start().now().floor();
    match Config::parse_at(&text, std::iter::empty(), Path::new("/"), Some(now)) {
        Ok(config) => (Vec::new(), config.cautions),
        Err(faults) => (faults.lines().to_vec(), Vec::new()),
    }
}

fn faults(office: &Office) -> String {
    said(office, "https://logout.example").0.join("\n")
}

#[test]
fn a_certificate_that_fits_is_taken_without_a_word() {
    let office = Office::open();
    assert_eq!(said(&office, "https://logout.example"), (vec![], vec![]));
    assert_eq!(said(&office, "https://logout.example:8443"), (vec![], vec![]));
    office.write(&office.papers("*.acme.example"));
    assert_eq!(said(&office, "https://logout.acme.example"), (vec![], vec![]));
    office.write(&office.papers("192.0.2.7"));
    assert_eq!(said(&office, "https://192.0.2.7"), (vec![], vec![]));
    office.write(&office.papers("2001:db8::7"));
    assert_eq!(said(&office, "https://[2001:db8::7]:8443"), (vec![], vec![]));
}

#[test]
fn a_certificate_for_another_name_is_cautioned_against() {
    let office = Office::open();
    let (faults, cautions) = said(&office, "https://bye.example");
    assert_eq!(faults, Vec::<String>::new());
    assert!(cautions[0].starts_with("server.tls.cert_file: the certificate is not for bye.example"), "{cautions:?}");
}

#[test]
fn everything_that_is_wrong_with_the_files_is_said_at_once() {
    let office = Office::open();
    let good = office.papers(HOST);
    let (cert, key) = (office.cert_file(), office.key_file());
    fs::remove_file(&cert).unwrap();
    fs::remove_file(&key).unwrap();
    let missing = faults(&office);
    assert!(
        missing.contains("server.tls.cert_file: cannot read ") && missing.contains("server.tls.key_file: cannot read "),
        "{missing}"
    );

    let with = |cert: &str, key: &str| {
        office.write(&Papers { cert: cert.to_owned(), key: key.to_owned() });
        faults(&office)
    };
    let neither = with("not PEM", "not PEM");
    assert!(
        neither.contains("cert_file: holds no certificate") && neither.contains("key_file: holds no private key"),
        "{neither}"
    );
    let half = with(&good.cert[..good.cert.len() / 2], &good.key[..good.key.len() / 2]);
    assert!(half.contains("cert_file: is not whole PEM") && half.contains("key_file: is not whole PEM"), "{half}");
    let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(with(rubbish, &good.key).contains("cert_file: the first certificate is no X.509 certificate"));
    let locked = good.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert!(with(&good.cert, &locked).contains("key_file: is locked by a pass phrase"));
    let other = office.papers(HOST);
    assert!(with(&good.cert, &other.key).contains("key_file: does not fit the first certificate"));
    let swapped = with(&good.key, &good.cert);
    assert!(swapped.contains("cert_file: holds no") && swapped.contains("key_file: holds no"), "{swapped}");

    let expired = office.papers_for(HOST, 1990, 2000);
    let both = with(&expired.cert, &other.key);
    assert!(
        both.contains("cert_file: the certificate expired at 2000-01-01T00:00:00Z") && both.contains("does not fit"),
        "{both}"
    );
    let early = office.papers_for(HOST, 3000, 3001);
    assert!(with(&early.cert, &early.key).contains("is not valid before 3000-01-01T00:00:00Z"));
    for text in [missing, neither, half, both] {
        assert!(!text.contains(&good.key[40..80]) && !text.contains("PRIVATE KEY-----\nM"), "no key is shown: {text}");
    }
}

#[test]
fn half_a_table_names_what_is_missing_and_plain_http_does_not_go_with_tls() {
    let now = SystemClock::start().now().floor();
    let faults = |server: &str| {
        let text = format!("[server]\n{server}\n{APPS}");
        Config::parse_at(&text, std::iter::empty(), Path::new("/"), Some(now)).unwrap_err().to_string()
    };
    let half = faults("public_url = 'https://logout.example'\n[server.tls]\ncert_file = '/none'\nkeyfile = 'x'");
    assert!(half.contains("server.tls.key_file: is missing"), "{half}");
    assert!(half.contains("server.tls.keyfile: is no key; did you mean key_file?"), "{half}");
    let plain = faults("public_url = 'http://localhost'\n[server.tls]\ncert_file = '/none'\nkey_file = '/none'");
    assert!(plain.contains("server.public_url: must begin with https://"), "{plain}");
}

#[tokio::test]
async fn the_command_check_says_it_and_other_commands_need_no_key() {
    let office = Office::open();
    let file = office.folder.path().join("slo-hub.toml");
    let admin = "admin_listen = '127.0.0.1:1'\nadmin_token = 'admin-token-0123456789'";
    let tls = "[server.tls]\ncert_file = 'hub.pem'\nkey_file = 'hub.key'\n";
    fs::write(&file, format!("[server]\npublic_url = 'https://bye.example'\n{admin}\n{tls}{APPS}")).unwrap();
    let run = async |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        let output = command.args(words).arg("--config").arg(&file).output().await.unwrap();
        (output.status.code(), [output.stdout, output.stderr].concat())
    };
    let (code, text) = run(&["check"]).await;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("careful: server.tls.cert_file: the certificate is not for bye.example"), "{text}");
    fs::remove_file(office.key_file()).unwrap();
    let (code, text) = run(&["check"]).await;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("1 problem") && text.contains("server.tls.key_file: cannot read"), "{text}");
    let (_, text) = run(&["keys", "list"]).await;
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("key_file"), "{text}");
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_open_ones_live_on() {
    let office = Office::open();
    let hub = TestHub::start_with(&office.table("tls")).await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let line = office.connect(hub.addr()).await;
    let first = shown(&line);
    let mut tab = Tab::over(line, NOTES).await;
    tab.subscribe(&token).await;
    assert_eq!(tab.frame().await["type"], "subscribed");
    assert_eq!(hub.running.look_at_certificates(), [Look::Same]);

    office.write(&office.papers(HOST));
    assert_eq!(hub.running.look_at_certificates(), [Look::Renewed]);
    assert_ne!(shown(&office.connect(hub.addr()).await), first);
    tab.heard_nothing(&token).await;
    hub.running.stop().await;
    assert_eq!(tab.closed().await.0, 1012);
}

#[tokio::test]
async fn the_metrics_say_when_the_certificate_expires_that_is_shown() {
    let office = Office::open();
    office.write(&office.papers_for(HOST, 2020, 2100));
    let hub = TestHub::start_with(&office.table("admin_tls")).await;
    let says = async |until: i64| {
        let url = format!("https://{HOST}:{}/metrics", hub.running.admin_addr.port());
        let text = Answer::of(office.client(hub.running.admin_addr).get(url)).await.text;
        let line = format!("slo_hub_certificate_expiry_timestamp_seconds{{listener=\"admin\"}} {until}\n");
        assert!(text.contains(&line), "{line}: {text}");
        assert!(!text.contains("expiry_timestamp_seconds{listener=\"public\"}"), "it speaks no TLS: {text}");
        assert!(text.contains("slo_hub_connections_turned_away_total{listener=\"public\"} 0\n"), "{text}");
    };
    says(4_102_444_800).await;
    office.write(&office.papers_for(HOST, 1990, 2000));
    assert!(matches!(&hub.running.look_at_certificates()[..], [Look::Kept(_)]));
    says(4_102_444_800).await;
    office.write(&office.papers_for(HOST, 2020, 2101));
    assert_eq!(hub.running.look_at_certificates(), [Look::Renewed]);
    says(4_133_980_800).await;
}

#[tokio::test]
async fn what_is_half_written_does_not_fit_or_has_expired_is_not_shown_and_the_old_one_is() {
    let office = Office::open();
    let hub = TestHub::start_with(&office.table("tls")).await;
    let first = shown(&office.connect(hub.addr()).await);
    let (next, expired) = (office.papers(HOST), office.papers_for(HOST, 1990, 2000));
    let kept = |papers: Papers, why: &str| {
        office.write(&papers);
        let looked = hub.running.look_at_certificates();
        assert!(matches!(&looked[..], [Look::Kept(said)] if said.contains(why)), "{why}: {looked:?}");
    };
    kept(Papers { cert: next.cert.clone(), key: office.papers(HOST).key }, "does not fit");
    kept(Papers { cert: next.cert[..200].to_owned(), key: next.key.clone() }, "not whole PEM");
    kept(Papers { cert: String::new(), key: String::new() }, "holds no certificate");
    kept(expired, "expired");
    fs::remove_file(office.cert_file()).unwrap();
    assert!(matches!(&hub.running.look_at_certificates()[..], [Look::Kept(said)] if said.contains("cannot read")));
    assert_eq!(shown(&office.connect(hub.addr()).await), first, "through all of it");

    office.write(&next);
    assert_eq!(hub.running.look_at_certificates(), [Look::Renewed], "it is tried again");
    assert_ne!(shown(&office.connect(hub.addr()).await), first);
}

#[tokio::test]
async fn the_files_are_looked_at_every_ten_seconds() {
    let office = Office::open();
    let hub = TestHub::start_with(&office.table("tls")).await;
    let first = shown(&office.connect(hub.addr()).await);
    office.write(&office.papers(HOST));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    let is_new = async || (shown(&office.connect(hub.addr()).await) != first).then_some(());
    until("the new certificate is shown", is_new).await;
}

#[tokio::test]
async fn a_hub_that_hears_sighup_looks_at_once_and_lives_on() {
    let (office, issuer, folder) = (Office::open(), TestIssuer::start().await, TempDir::new().unwrap());
    let hub = HubProcess::start_from(folder.path(), |port, admin_port| {
        let text = config(issuer.url(), port, admin_port);
        text.replace("public_url = \"http:", "public_url = \"https:") + &office.table("tls")
    });
    let hub = hub.await;
    let first = shown(&office.connect(hub.addr()).await);
    office.write(&office.papers(HOST));
    let began = tokio::time::Instant::now();
    hub.hangs_up();
    let is_new = async || (shown(&office.connect(hub.addr()).await) != first).then_some(());
    until("the new certificate is shown", is_new).await;
    assert!(began.elapsed() < Duration::from_secs(5), "not only by the next look: {:?}", began.elapsed());
}

#[tokio::test]
async fn commands_reach_a_hub_whose_admin_listener_speaks_tls() {
    let office = Office::open();
    for name in [HOST, "*.example.com", "127.0.0.1"] {
        office.write_with_root(&office.papers(name));
        let token = "admin_token = 'admin-token-0123456789'";
        let hub = TestHub::start_with(&format!("{token}\n{}", office.table("admin_tls"))).await;
        let admin = format!("admin_listen = '{}'\n{token}", hub.running.admin_addr);
        let apps = APPS.replace("https://acme.example/", hub.issuer.url());
        let text =
            format!("[server]\npublic_url = 'https://bye.example'\n{admin}\n{}{apps}", office.table("admin_tls"));
        let file = office.folder.path().join("slo-hub.toml");
        fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        command.args(["logout", "--sub", "ada", "--dry-run", "--issuer", hub.issuer.url(), "--config"]).arg(&file);
        let output = command.output().await.unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{name}: {said}");
    }
}

#[tokio::test]
async fn the_doctor_looks_at_the_certificate_and_who_may_read_its_key() {
    let office = Office::open();
    let file = office.folder.path().join("slo-hub.toml");
    let text = format!("[server]\npublic_url = 'https://logout.invalid'\n{}{APPS}", office.table("tls"));
    fs::write(&file, text.replace("acme.example", "acme.invalid")).unwrap();
    let visit = async |mode: u32| {
        fs::set_permissions(office.key_file(), fs::Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
        let output = command.args(["doctor", "--config"]).arg(&file).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let open = visit(0o644).await;
    assert!(open.contains("✗") && open.contains("hub.key is readable by everyone (mode 644)"), "{open}");
    assert!(open.contains("✓ the key fits the certificate, which is valid until 4096-01-01T00:00:00Z"), "{open}");
    assert!(open.contains("! the certificate is for other names"), "{open}");
    office.write(&office.papers_for(HOST, 1990, 2000));
    let tight = visit(0o600).await;
    assert!(tight.contains("✓ the key is not readable by everyone"), "{tight}");
    assert!(tight.contains("✗ cert_file: the certificate expired at 2000-01-01T00:00:00Z"), "{tight}");
}
