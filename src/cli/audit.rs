//! `slo-hub audit`: the audit trail, written out and checked, also while hubs run.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{ConfigFile, block_on, trouble};
use crate::config::Config;
use crate::domain::audit::{AuditRow, Broken, NoRow, NotedHead, TrailCheck, Verified};
use crate::domain::digest::{from_hex, hex};
use crate::store::{AuditTrail, TrailError};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Audit {
    /// Write the trail as JSON Lines: a row a line, with all that a check needs.
    Export {
        #[command(flatten)]
        file: ConfigFile,
        /// Begin at this place.
        #[arg(long, value_name = "PLACE", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
        from: i64,
        /// Write to a new file, not to standard output.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Check that no row was changed, removed, put in or moved; exit 1 and say where the first one was.
    Verify {
        #[command(flatten)]
        file: ConfigFile,
        /// A file that was exported, or `-` for standard input; without it, the trail in the database.
        #[arg(value_name = "FILE")]
        exported: Option<PathBuf>,
        /// The hash of a row that was noted before: it must still be there.
        #[arg(long, value_name = "HASH", requires = "place", value_parser = parse_hash)]
        head: Option<Hash>,
        /// The place of that row.
        #[arg(long, value_name = "N", requires = "head")]
        place: Option<i64>,
    },
}

/// A hash on the command line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash([u8; 32]);

fn parse_hash(text: &str) -> Result<Hash, &'static str> {
    from_hex(&text.to_ascii_lowercase()).map(Hash).ok_or("must be 64 hex digits")
}

/// Why a command ends without success.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Trail(#[from] TrailError),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("place {place}: line {line} is {fault}")]
    Line { place: i64, line: usize, fault: NoRow },
    #[error("the trail ends too early, or was emptied: {0} logouts of the database are not in it")]
    Missing(u64),
    #[error("there is no row in it: nothing was checked")]
    NoRows,
    #[error("cannot read {0}: {1}")]
    Read(String, io::Error),
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

pub(super) fn run(wish: &Audit) -> ExitCode {
    match wish {
        Audit::Export { file, from, to } => with_trail(file, *from, async |trail| export(trail, to.as_deref()).await),
        Audit::Verify { file, exported, head, place } => {
            let noted = head.zip(*place).map(|(Hash(hash), place)| NotedHead { place, hash });
            match exported {
                None => with_trail(file, 1, async |trail| {
                    say(&verify_store(trail, noted).await?, noted);
                    Ok(())
                }),
                Some(path) => ended(verify_file(path, noted).map(|verified| say(&verified, noted))),
            }
        }
    }
}

/// Opens the trail of the configured database, and does the work.
fn with_trail(
    file: &ConfigFile,
    from: i64,
    work: impl AsyncFnOnce(&mut AuditTrail) -> Result<(), Failure>,
) -> ExitCode {
    let config = match Config::load(&file.config) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(&file.config, &faults),
    };
    if let Some(path) = config.store.url.file().filter(|path| !path.exists()) {
        complain!("slo-hub: there is no database at {}: the hub makes it when it starts", path.display());
        return ExitCode::FAILURE;
    }
    let done = block_on(async {
        let mut trail = AuditTrail::open(config.store.url.reveal(), from).await?;
        work(&mut trail).await
    });
    done.map_or_else(|error| trouble(&error), ended)
}

fn ended(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => trouble(&failure),
    }
}

async fn export(trail: &mut AuditTrail, to: Option<&Path>) -> Result<(), Failure> {
    let mut out: Box<dyn Write> = match to {
        // For its owner alone, like the database; and no earlier export is lost.
        Some(path) => Box::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::new(&mut out);
    let (mut rows, mut last) = (0_u64, None);
    loop {
        let page = trail.next_page().await?;
        for row in &page {
            writeln!(out, "{}", row.to_line())?;
        }
        rows += page.len() as u64;
        let Some(row) = page.into_iter().next_back() else { break };
        last = Some(row);
    }
    out.flush()?;
    let end = last.map_or_else(String::new, |row| format!("\nthe last: {}", as_noted(row.place, &row.hash)));
    complain!("{rows} rows{end}");
    Ok(())
}

async fn verify_store(trail: &mut AuditTrail, noted: Option<NotedHead>) -> Result<Verified, Failure> {
    let mut check = TrailCheck::with(noted);
    loop {
        let page = trail.next_page().await?;
        if page.is_empty() {
            break;
        }
        page.iter().try_for_each(|row| check.take(row))?;
    }
    let verified = check.end(true)?;
    match trail.missing_logouts().await? {
        0 => Ok(verified),
        missing => Err(Failure::Missing(missing)),
    }
}

fn verify_file(path: &Path, noted: Option<NotedHead>) -> Result<Verified, Failure> {
    let unreadable = |error| Failure::Read(path.display().to_string(), error);
    let lines: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(std::fs::File::open(path).map_err(unreadable)?))
    };
    let mut check = TrailCheck::with(noted);
    for (number, text) in lines.lines().enumerate() {
        let no_row = |fault| Failure::Line { place: check.last_place() + 1, line: number + 1, fault };
        let row = AuditRow::from_line(&text.map_err(unreadable)?).map_err(no_row)?;
        check.take(&row)?;
    }
    // A part of the trail may begin anywhere.
    let verified = check.end(false)?;
    if verified.rows == 0 { Err(Failure::NoRows) } else { Ok(verified) }
}

fn say(verified: &Verified, noted: Option<NotedHead>) {
    let Verified { rows, first, head, has_beginning } = verified;
    if *rows == 0 {
        say!("the trail is empty");
        return;
    }
    say!("the trail is whole: {rows} rows, places {first} to {}", head.place);
    match (*first > 1, has_beginning) {
        (true, true) => say!("what came before was forgotten by the hub, as the trail itself says"),
        (true, false) => say!("what came before is not here: nothing is known of it"),
        (false, _) => {}
    }
    if let Some(noted) = noted {
        say!("the row that was noted, place {}, is in it as it was", noted.place);
    }
    say!("the last: {}", as_noted(head.place, &head.hash));
}

/// As it can be given to a later check.
fn as_noted(place: i64, hash: &[u8; 32]) -> String {
    format!("--place {place} --head {}", hex(hash))
}
