//! `slo-hub completions` and `slo-hub man`, as the programs take them that read them.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const COMMANDS: [&str; 8] = ["backup", "check", "doctor", "drill", "healthcheck", "init", "keys", "serve"];

fn slo_hub(words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_slo-hub")).args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// What a program says of a file; `None` where there is no such program.
fn says_of(program: &str, words: &[&str], file: &Path) -> Option<Output> {
    let output = Command::new(program).args(words).arg(file).output();
    if output.is_err() {
        eprintln!("there is no {program} here: {} is not shown to it", file.display());
    }
    output.ok()
}

#[test]
fn bash_loads_the_completions_and_completes_every_command() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("slo-hub");
    std::fs::write(&script, slo_hub(&["completions", "bash"]).stdout).unwrap();
    let ask = "source \"$0\" && complete=$(complete -p slo-hub) && complete=${complete#*-F } && \
               COMP_WORDS=(slo-hub '') COMP_CWORD=1 && ${complete% *} slo-hub '' slo-hub && echo \"${COMPREPLY[@]}\"";
    let Some(output) = says_of("bash", &["-euc", ask], &script) else { return };
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{said}{:?}", output.stderr);
    let offered: Vec<_> = said.lines().last().unwrap_or_default().split(' ').collect();
    for command in COMMANDS {
        assert!(offered.contains(&command), "{command} is not offered: {said}");
    }
}

#[test]
fn zsh_and_fish_can_read_their_completions() {
    let folder = TempDir::new().unwrap();
    for (shell, words) in [("zsh", ["-n"]), ("fish", ["--no-execute"])] {
        let script = folder.path().join(shell);
        let text = slo_hub(&["completions", shell]).stdout;
        assert!(String::from_utf8_lossy(&text).contains("healthcheck"));
        std::fs::write(&script, text).unwrap();
        if let Some(output) = says_of(shell, &words, &script) {
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
    }
}

#[test]
fn every_command_has_a_page_in_the_manual_that_groff_has_nothing_against() {
    let folder = TempDir::new().unwrap();
    slo_hub(&["man", "--to", folder.path().to_str().unwrap()]);
    let main = folder.path().join("slo-hub.1");
    for page in COMMANDS.map(|command| folder.path().join(format!("slo-hub-{command}.1"))).iter().chain([&main]) {
        assert!(page.is_file(), "{} is not there", page.display());
        let Some(output) = says_of("groff", &["-man", "-Tutf8", "-ww"], page) else { continue };
        let warned = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && warned.is_empty(), "{}: {warned}", page.display());
        assert!(!output.stdout.is_empty());
    }
}
