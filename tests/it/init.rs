//! `slo-hub init`: from nothing to a hub that starts.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const FLAGS: [&str; 10] = [
    "--domain",
    "acme.eu.auth0.com",
    "--public-url",
    "https://logout.acme.example/",
    "--app-name",
    "Notes",
    "--client-id",
    "x9-notes",
    "--origins",
    "https://notes.example,https://www.notes.example",
];

fn slo_hub(command: &str, folder: &Path, words: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_slo-hub"));
    child.arg(command).args(words).current_dir(folder);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who refuses at once reads nothing.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

#[track_caller]
fn complains(output: &Output, of: &str) {
    assert!(output.status.code() == Some(1) && said(output).contains(of), "{of} is not in {}", said(output));
}

#[test]
fn three_questions_make_a_configuration_that_check_calls_valid() {
    let folder = TempDir::new().unwrap();
    let answers = "acme.eu.auth0.com\nhttps://logout.acme.example\nAda's \"Notes\"\nx9-notes\nhttps://notes.example\n";
    let output = slo_hub("init", folder.path(), &[], answers);
    assert!(output.status.success(), "{}", said(&output));
    for line in [
        "slo-hub.toml: valid",
        "https://acme.eu.auth0.com/: Ada's \"Notes\"",
        "https://logout.acme.example/backchannel-logout",
        "https://logout.acme.example/logout/callback",
        "slo-hub doctor --config slo-hub.toml",
    ] {
        assert!(said(&output).contains(line), "{line} is not in {}", said(&output));
    }
    let checked = slo_hub("check", folder.path(), &[], "");
    assert!(checked.status.success(), "{}", said(&checked));
}

#[test]
fn the_administrators_token_is_random_and_its_owners_alone() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let token_of = |folder: &TempDir| {
        assert!(slo_hub("init", folder.path(), &FLAGS, "").status.success());
        let path = folder.path().join("admin-token");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::read_to_string(path).unwrap()
    };
    let (token, another) = (token_of(&folder), token_of(&other));
    assert!(token.trim_end().len() == 43 && token != another);
    let config = fs::read_to_string(folder.path().join("slo-hub.toml")).unwrap();
    assert!(config.contains("\nadmin_token_file = \"admin-token\"\n") && !config.contains(token.trim_end()));
}

#[test]
fn a_bad_answer_is_explained_and_asked_for_again() {
    let folder = TempDir::new().unwrap();
    let answers = "acme\nacme.eu.auth0.com\nhttp://logout.acme.example\nhttps://logout.acme.example/hub\n\
                   https://logout.acme.example\n\nNotes\nx9-notes\nhttps://notes.example/app\nhttps://notes.example\n";
    let output = slo_hub("init", folder.path(), &[], answers);
    assert!(output.status.success(), "{}", said(&output));
    for why in ["That is no whole domain", "That must be https", "That must be an origin such as", "That is needed"] {
        assert!(said(&output).contains(why), "{why} is not in {}", said(&output));
    }
    assert_eq!(said(&output).matches("The origins of its pages").count(), 2, "{}", said(&output));
}

#[test]
fn flags_leave_nothing_to_be_asked_and_a_bad_one_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let mut bad = FLAGS;
    bad[3] = "http://logout.acme.example";
    complains(&slo_hub("init", folder.path(), &bad, ""), "--public-url must be https");
    complains(&slo_hub("init", folder.path(), &FLAGS[..6], "x9-notes\n"), "standard input ended");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of what failed");
    let output = slo_hub("init", folder.path(), &FLAGS, "");
    assert!(output.status.success() && !said(&output).contains("1. Your Auth0"), "{}", said(&output));
    let config = fs::read_to_string(folder.path().join("slo-hub.toml")).unwrap();
    for line in [
        "public_url = \"https://logout.acme.example\"",
        "origins = [\"https://notes.example\", \"https://www.notes.example\"]",
        "post_logout_redirect_uris = [\"https://notes.example/\", \"https://www.notes.example/\"]",
    ] {
        assert!(config.contains(line), "{line} is not in {config}");
    }
}

#[test]
fn what_is_there_already_is_kept() {
    for name in ["slo-hub.toml", "admin-token"] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(name), "mine").unwrap();
        complains(&slo_hub("init", folder.path(), &FLAGS, ""), &format!("{name} is there already"));
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
