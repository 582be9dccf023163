//! `slo-hub check`: every problem of a configuration at once.

use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;

pub(super) fn run(path: &Path) -> ExitCode {
    let config = match Config::load_to_serve(path) {
        Ok(config) => config,
        Err(faults) => return super::say_faults(path, &faults),
    };
    say!("{}: valid", path.display());
    say!("  listens on {}, is called {}", config.server.listen, config.server.public_url);
    say!("  keeps facts in {} for {} days", config.store.url, config.store.retention.as_secs() / 86_400);
    for issuer in &config.issuers {
        let apps = config.apps.iter().filter(|app| app.issuer == issuer.issuer);
        let names: Vec<&str> = apps.map(|app| app.name.as_str()).collect();
        let apps = if names.is_empty() { "no apps".to_owned() } else { names.join(", ") };
        say!("  {}: {apps}", issuer.issuer.as_str());
    }
    if let Some(login) = &config.server.console.login {
        println!("  operators sign in at {}, which needs {} as a callback", login.issuer.host(), login.callback_url());
    }
    for line in &config.cautions {
        say!("  careful: {line}");
    }
    ExitCode::SUCCESS
}
