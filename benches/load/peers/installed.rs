//! Which programs are there, and in which version.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a program is; servers are not always on people's `PATH`.
pub fn program(name: &str) -> Result<String, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    let found = found.and_then(|file| file.to_str().map(str::to_owned));
    found.ok_or_else(|| format!("{name} is not installed"))
}

/// The last word of the first line that a command says.
pub fn version(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output().map_err(|fault| format!("{program}: {fault}"))?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let word = said.lines().next().and_then(|line| line.split_ascii_whitespace().next_back());
    let word = word.ok_or_else(|| format!("{program} says no version"))?;
    let number = word.rsplit_once('/').map_or(word, |(_, number)| number);
    Ok(number.trim_start_matches('v').to_owned())
}

/// The version of an npm package that is installed in a folder.
pub fn npm_version(folder: &str, package: &str) -> Result<String, String> {
    let path = Path::new(folder).join("node_modules").join(package).join("package.json");
    let text = std::fs::read_to_string(path).map_err(|_| format!("{package} is not installed (npm ci in {folder})"))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|fault| fault.to_string())?;
    json["version"].as_str().map(str::to_owned).ok_or_else(|| format!("{package} says no version"))
}
