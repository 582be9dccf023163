//! `slo-hub backup`: a copy of everything the hub knows, while it runs.

use std::path::Path;
use std::process::ExitCode;

use url::Url;

use super::{block_on, trouble};
use crate::config::{Config, StoreUrl};
use crate::store::{BackedUp, back_up};

/// What of a server's address `pg_dump` needs and nobody has to hide.
const OPEN_PARAMETERS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host"];

pub(super) fn run(path: &Path, to: &Path) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(path, &faults),
    };
    if config.store.url.file().is_none() {
        complain!(
            "slo-hub: store.url names a PostgreSQL database. Its own tool copies it, also while hubs run:\n\n  {}\n\n\
             The password comes from ~/.pgpass or PGPASSWORD. Guard the copy as you guard keys.",
            pg_dump(&config.store.url, to)
        );
        return ExitCode::FAILURE;
    }
    match block_on(back_up(config.store.url.reveal(), to)) {
        Ok(Ok(BackedUp { bytes, logouts, sessions })) => {
            say!("{}: {bytes} bytes, whole; logouts: {logouts}, sessions: {sessions}", to.display());
            say!("It holds the keys of the hub's own tokens: guard it as you guard keys.");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

/// The command, as a shell takes it, without a password.
fn pg_dump(url: &StoreUrl, to: &Path) -> String {
    // It shows neither the password nor what stands behind the `?`.
    let mut shown = url.to_string();
    let parameters = Url::parse(url.reveal()).ok();
    let parameters = parameters.iter().flat_map(Url::query_pairs);
    let open = parameters.filter(|(name, _)| OPEN_PARAMETERS.contains(&&**name));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(open).finish();
    if !query.is_empty() {
        // PostgreSQL reads %20, and no +, as a space.
        shown = format!("{shown}?{}", query.replace('+', "%20"));
    }
    format!("pg_dump --format=custom --file={} {}", quoted(&to.display().to_string()), quoted(&shown))
}

/// One word, whatever a shell would make of what is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_a_server_shows_no_password_and_goes_the_guarded_way() {
        let url = "postgres://hub:hunter2@db/hub?sslmode=verify-full&sslrootcert=Cargo.toml&options=-chunter%3D2";
        let url = StoreUrl::parse(url, Path::new(".")).unwrap();
        assert_eq!(
            pg_dump(&url, Path::new("it's.dump")),
            r"pg_dump --format=custom --file='it'\''s.dump' 'postgres://hub@db/hub?sslmode=verify-full&sslrootcert=Cargo.toml'"
        );
    }
}
