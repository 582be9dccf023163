//! The hub's own certificates, where it ends TLS itself.

use std::os::unix::fs::MetadataExt as _;

use super::Doctor;
use super::finding::{Chapter, Finding};
use crate::config::tls::{Pair, TlsFiles};
use crate::domain::clock::UnixSeconds;

/// Certificates that end sooner should have been renewed: ACME clients do at thirty days.
const SOON_SECONDS: i64 = 14 * 24 * 3600;
/// A file's mode: others may read it.
const OTHERS_READ: u32 = 0o004;

pub(super) fn examine(doctor: &Doctor<'_>) -> Vec<Chapter> {
    let (server, now) = (&doctor.config.server, doctor.clock.now().floor());
    let public = server.tls.as_ref().map(|files| chapter("[server.tls]", files, Some(server.public_url.host()), now));
    let admin = server.admin_tls.as_ref().map(|files| chapter("[server.admin_tls]", files, None, now));
    public.into_iter().chain(admin).collect()
}

fn chapter(title: &str, files: &TlsFiles, host: Option<&str>, now: UnixSeconds) -> Chapter {
    let mut findings = match files.read().and_then(|contents| contents.pair(now)) {
        Ok(pair) => of_pair(&pair, host, now),
        Err(faults) => faults
            .into_iter()
            .map(|fault| {
                let why = "new connections get no certificate, or keep an old one";
                Finding::wrong(fault.to_string(), why, "mend it; the hub takes it within ten seconds")
            })
            .collect(),
    };
    findings.extend(mode(files));
    Chapter { title: title.to_owned(), findings }
}

fn of_pair(pair: &Pair, host: Option<&str>, now: UnixSeconds) -> Vec<Finding> {
    let until = pair.valid_until();
    let mut findings = vec![if pair.not_after.0 - now.0 < SOON_SECONDS {
        Finding::careful(
            format!("the certificate ends at {until}"),
            "from then on no browser and no issuer connects",
            "renew it; see that the ACME client runs, and that it writes to these files",
        )
    } else {
        Finding::fine(format!("the key fits the certificate, which is valid until {until}"))
    }];
    if let Some(host) = host.filter(|host| !pair.is_for(host)) {
        let why = format!("server.public_url names {host}");
        findings.push(Finding::careful("the certificate is for other names", why, format!("get one for {host}")));
    }
    findings
}

fn mode(files: &TlsFiles) -> Option<Finding> {
    let mode = std::fs::metadata(&files.key_file).ok()?.mode();
    let path = files.key_file.display();
    Some(if mode & OTHERS_READ == 0 {
        Finding::fine("the key is not readable by everyone")
    } else {
        Finding::wrong(
            format!("{path} is readable by everyone (mode {:o})", mode & 0o777),
            "whoever has an account here can speak for this hub",
            format!("chmod o= {path}, and get a certificate with another key"),
        )
    })
}
