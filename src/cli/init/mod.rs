//! `slo-hub init`: a configuration for an Auth0 tenant, after three questions.

mod answers;

use std::fs::{self, OpenOptions};
use std::io::{self, Write, stdin, stdout};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::answers::{Answers, TOKEN_FILE, issuer_of};
use super::{ConfigFile, check, trouble};

#[derive(Debug, clap::Args)]
pub(super) struct Init {
    #[command(flatten)]
    file: ConfigFile,
    /// The Auth0 tenant's domain, or its custom domain: acme.eu.auth0.com.
    #[arg(long)]
    domain: Option<String>,
    /// What browsers and Auth0 will call the hub: <https://logout.example.com>.
    #[arg(long)]
    public_url: Option<String>,
    /// The first app's name, as people know it.
    #[arg(long, value_name = "NAME")]
    app_name: Option<String>,
    /// The first app's Client ID at Auth0.
    #[arg(long)]
    client_id: Option<String>,
    /// The origins of the first app's pages, parted by commas: <https://notes.example>.
    #[arg(long, value_delimiter = ',')]
    origins: Option<Vec<String>>,
    /// The SQLite file; not asked for [default: slo-hub.db, beside the configuration]
    #[arg(long, value_name = "FILE")]
    database: Option<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
enum InitTrouble {
    #[error("{} is there already, and is not overwritten", .0.display())]
    Exists(PathBuf),
    #[error("{flag} {wrong}")]
    Flag { flag: &'static str, wrong: String },
    #[error("standard input ended before every question was answered; every answer can be a flag, too")]
    NobodyAnswers,
    #[error("{}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the operating system gives no random bytes")]
    NoRandomness,
    #[error("{0}")]
    Io(#[from] io::Error),
}

pub(super) fn run(wish: &Init) -> ExitCode {
    let path = &wish.file.config;
    let answers = match begin(wish) {
        Ok(answers) => answers,
        Err(error) => return trouble(&error),
    };
    say!("\n{}", path.display());
    let token = path.with_file_name(TOKEN_FILE);
    say!("{}: 32 random bytes, for administrators and /metrics; readable by you alone\n", token.display());
    let checked = check::run(path);
    if checked == ExitCode::SUCCESS {
        say!("\n{}", next_steps(path, &answers));
    }
    checked
}

/// Asks, and writes both files.
fn begin(wish: &Init) -> Result<Answers, InitTrouble> {
    let path = &wish.file.config;
    let token = path.with_file_name(TOKEN_FILE);
    for path in [path, &token] {
        if path.symlink_metadata().is_ok() {
            return Err(InitTrouble::Exists(path.clone()));
        }
    }
    let answers = ask_all(wish)?;
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| InitTrouble::NoRandomness)?;
    write_new(&token, &format!("{}\n", URL_SAFE_NO_PAD.encode(bytes)), 0o600)?;
    // It names the file with the token, and holds no secret itself.
    write_new(path, &answers.file(), 0o644).inspect_err(|_| drop(fs::remove_file(&token)))?;
    Ok(answers)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), InitTrouble> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|source| InitTrouble::Write { path: path.to_owned(), source })
}

/// One thing that is asked for.
struct Question {
    flag: &'static str,
    prompt: &'static str,
    /// The key that `slo-hub check` would name.
    key: &'static str,
    /// Puts an answer in its place, or says what is wrong with it.
    put: fn(&mut Answers, &str) -> Result<(), String>,
}

const QUESTIONS: [Question; 5] = [
    Question {
        flag: "--domain",
        prompt: "1. Your Auth0 tenant's domain, or its custom domain (acme.eu.auth0.com): ",
        key: "issuers[0].issuer",
        put: |answers, text| issuer_of(text).map(|issuer| answers.issuer = issuer),
    },
    Question {
        flag: "--public-url",
        prompt: "2. What browsers and Auth0 will call the hub (https://logout.example.com): ",
        key: "server.public_url",
        put: |answers, text| {
            text.trim_end_matches('/').clone_into(&mut answers.public_url);
            Ok(())
        },
    },
    Question {
        flag: "--app-name",
        prompt: "3. The first app; others follow in the file. Its name, as people know it (Notes): ",
        key: "apps[0].name",
        put: |answers, text| {
            text.clone_into(&mut answers.name);
            Ok(())
        },
    },
    Question {
        flag: "--client-id",
        prompt: "   Its Client ID at Auth0: ",
        key: "apps[0].client_id",
        put: |answers, text| {
            text.clone_into(&mut answers.client_id);
            Ok(())
        },
    },
    Question {
        flag: "--origins",
        prompt: "   The origins of its pages, parted by commas (https://notes.example): ",
        key: "apps[0].origins",
        put: |answers, text| {
            let origins = text.split(',').map(|origin| origin.trim().trim_end_matches('/'));
            answers.origins = origins.filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
            Ok(())
        },
    },
];

impl Question {
    fn take(&self, answers: &Answers, text: &str) -> Result<Answers, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is needed".to_owned());
        }
        let mut answered = answers.clone();
        (self.put)(&mut answered, text)?;
        answered.fault(self.key).map_or(Ok(answered), Err)
    }

    /// Until the answer is a good one.
    fn ask(&self, answers: &Answers) -> Result<Answers, InitTrouble> {
        loop {
            print!("{}", self.prompt);
            stdout().flush()?;
            let mut line = String::new();
            if stdin().read_line(&mut line)? == 0 {
                say!();
                return Err(InitTrouble::NobodyAnswers);
            }
            match self.take(answers, &line) {
                Ok(answered) => return Ok(answered),
                Err(wrong) => say!("   That {wrong}."),
            }
        }
    }
}

/// A flag that is wrong is said before anything is asked.
fn ask_all(wish: &Init) -> Result<Answers, InitTrouble> {
    let origins = wish.origins.as_ref().map(|origins| origins.join(","));
    let flags = [&wish.domain, &wish.public_url, &wish.app_name, &wish.client_id, &origins];
    let mut answers = Answers::default();
    if let Some(file) = &wish.database {
        answers.store_url = format!("sqlite://{file}");
        let fault = answers.fault("store.url");
        fault.map_or(Ok(()), |wrong| Err(InitTrouble::Flag { flag: "--database", wrong }))?;
    }
    for (question, text) in QUESTIONS.iter().zip(flags) {
        if let Some(text) = text {
            let answered = question.take(&answers, text);
            answers = answered.map_err(|wrong| InitTrouble::Flag { flag: question.flag, wrong })?;
        }
    }
    for (question, _) in QUESTIONS.iter().zip(flags).filter(|(_, text)| text.is_none()) {
        answers = question.ask(&answers)?;
    }
    Ok(answers)
}

fn next_steps(path: &Path, answers: &Answers) -> String {
    let (path, hub) = (path.display(), &answers.public_url);
    format!(
        "Next:
  1. At Auth0, in the settings of every application that the hub serves, enter:
       Back-Channel Logout URI         {hub}/backchannel-logout
       Back-Channel Logout Initiators  Selected initiators, session-revoked among them
       Allowed Logout URLs             {hub}/logout/callback
  2. Start the hub, where {hub} leads to it:
       slo-hub serve --config {path}
  3. See whether everything around it is as logouts need it:
       slo-hub doctor --config {path}"
    )
}
