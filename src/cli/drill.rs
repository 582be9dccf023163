//! `slo-hub drill`: rehearses a logout with the apps of a session, by way of the hub that
//! runs. It signs nobody out.

use std::fmt::Write;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::running_hub::{HubTrouble, RunningHub, unless_dash};
use super::{ConfigFile, block_on, trouble};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Drill {
    #[command(flatten)]
    file: ConfigFile,
    /// At which issuer; may be left out where one is configured.
    #[arg(long)]
    issuer: Option<String>,
    #[command(flatten)]
    whom: Whom,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    // Names are the issuer's, and may begin with a hyphen.
    /// The apps of one session. `-` reads it from standard input, so that no list of processes shows it.
    #[arg(long, allow_hyphen_values = true)]
    sid: Option<String>,
    /// The apps of every session of one person. `-` as above.
    #[arg(long, allow_hyphen_values = true)]
    sub: Option<String>,
}

/// What the hub says of a drill.
#[derive(Deserialize)]
struct Report {
    apps: Vec<Line>,
}

/// One app, and one way by which a logout would reach it.
#[derive(Deserialize)]
struct Line {
    name: String,
    via: String,
    status: String,
    #[serde(default)]
    channels: u64,
    #[serde(default)]
    answered: u64,
    milliseconds: Option<u64>,
}

/// What came of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Every open app answered.
    Heard,
    /// Some did not.
    Silent,
    /// None was open: nothing was rehearsed.
    Empty,
}

pub(super) fn run(wish: &Drill) -> ExitCode {
    let config = match Config::load(&wish.file.config) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(&wish.file.config, &faults),
    };
    match block_on(carry_out(wish, &config)) {
        Ok(Ok(Verdict::Heard)) => ExitCode::SUCCESS,
        Ok(Ok(Verdict::Silent | Verdict::Empty)) => ExitCode::FAILURE,
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

async fn carry_out(wish: &Drill, config: &Config) -> Result<Verdict, HubTrouble> {
    let hub = RunningHub::of(config)?;
    let members = [
        ("issuer", wish.issuer.clone()),
        ("sid", wish.whom.sid.as_deref().map(|sid| unless_dash(sid, "the sid")).transpose()?),
        ("sub", wish.whom.sub.as_deref().map(|sub| unless_dash(sub, "the sub")).transpose()?),
    ];
    let body: Map<_, _> =
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))).collect();
    let report: Report = hub.post("/api/v1/admin/drills", &body).await?;
    print!("{}", table(&report.apps));
    say!("{}", summary(&report.apps));
    Ok(verdict(&report.apps))
}

/// A line for each: the app, how it went, and how long its slowest answer took.
fn table(lines: &[Line]) -> String {
    let hows: Vec<_> = lines.iter().map(how).collect();
    let width = |texts: &mut dyn Iterator<Item = &str>| texts.map(|text| text.chars().count()).max().unwrap_or(0);
    let (names, how_long) = (width(&mut lines.iter().map(|line| &*line.name)), width(&mut hows.iter().map(|it| &**it)));
    let mut table = String::new();
    for (line, how) in lines.iter().zip(&hows) {
        let took = line.milliseconds.map(|took| format!("{took} ms")).unwrap_or_default();
        let text = format!("{:names$}  {how:how_long$}  {took:>8}", line.name);
        // Writing to a String does not fail.
        let _never = writeln!(table, "{}", text.trim_end());
    }
    table
}

fn how(line: &Line) -> String {
    let Line { channels, answered, .. } = line;
    match (line.status.as_str(), line.via.as_str()) {
        ("acknowledged", _) if *channels > 1 => format!("acknowledged, in {channels} places"),
        ("acknowledged", _) => "acknowledged".to_owned(),
        ("silent", _) if *channels > 1 => {
            format!("silent in {} of {channels} places", channels.saturating_sub(*answered))
        }
        ("silent", _) => "silent".to_owned(),
        ("away", _) => "away: not open just now".to_owned(),
        (_, "backchannel") => "not rehearsed: back channel, see slo-hub doctor".to_owned(),
        (_, "frontchannel") => "not rehearsed: frame on the logout page, see slo-hub doctor".to_owned(),
        _ => "not rehearsed: redirect chain, see slo-hub doctor".to_owned(),
    }
}

fn summary(lines: &[Line]) -> String {
    let acknowledged = lines.iter().filter(|line| line.status == "acknowledged").count();
    let open = acknowledged + lines.iter().filter(|line| line.status == "silent").count();
    match open {
        0 => "No app is open there, so nothing was rehearsed.".to_owned(),
        1 => format!("{acknowledged} of 1 open app acknowledged. Nobody was signed out."),
        _ => format!("{acknowledged} of {open} open apps acknowledged. Nobody was signed out."),
    }
}

fn verdict(lines: &[Line]) -> Verdict {
    let has = |status: &str| lines.iter().any(|line| line.status == status);
    match (has("silent"), has("acknowledged")) {
        (true, _) => Verdict::Silent,
        (false, true) => Verdict::Heard,
        (false, false) => Verdict::Empty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, via: &str, status: &str, (channels, answered): (u64, u64), milliseconds: Option<u64>) -> Line {
        let (name, via, status) = (name.to_owned(), via.to_owned(), status.to_owned());
        Line { name, via, status, channels, answered, milliseconds }
    }

    #[test]
    fn the_table_says_of_every_app_how_it_went_and_how_fast() {
        let lines = [
            line("Notes", "channel", "acknowledged", (1, 1), Some(12)),
            line("Shop", "channel", "silent", (3, 2), Some(4031)),
            line("Kiosk", "channel", "away", (0, 0), None),
            line("Portal", "backchannel", "not_rehearsed", (0, 0), None),
        ];
        let expected = "\
Notes   acknowledged                                        12 ms
Shop    silent in 1 of 3 places                           4031 ms
Kiosk   away: not open just now
Portal  not rehearsed: back channel, see slo-hub doctor
";
        assert_eq!(table(&lines), expected);
        assert_eq!(summary(&lines), "1 of 2 open apps acknowledged. Nobody was signed out.");
        assert_eq!(verdict(&lines), Verdict::Silent);
        assert_eq!((verdict(&lines[..1]), verdict(&lines[2..])), (Verdict::Heard, Verdict::Empty));
    }
}
