//! `[server.tls]`: a certificate's chain and its key, in two PEM files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, SecondsFormat};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, crypto::aws_lc_rs::default_provider};
use webpki::{EndEntityCert, Error as CertError, KeyUsage};

use super::reader::Section;
use crate::domain::clock::UnixSeconds;

/// No certificate chain is longer, in bytes.
const FILE_MAX_BYTES: u64 = 1024 * 1024;
/// Later than any certificate ends: the last second of the year 9999.
const FAR_FUTURE: u64 = 253_402_300_799;

/// Where a listener's certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that lead to its root, in that order: PEM.
    pub cert_file: PathBuf,
    /// Its private key: PEM.
    pub key_file: PathBuf,
}

/// A certificate with the key that fits it. Its `Debug` shows no key.
#[derive(Clone, Debug)]
pub struct Pair {
    /// What a listener shows and signs with.
    pub certified: Arc<CertifiedKey>,
    /// The last second at which it is valid.
    pub not_after: UnixSeconds,
}

/// Why two files are no certificate to serve with: which of the two, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {text}")]
pub struct TlsFault {
    /// `cert_file` or `key_file`.
    pub key: &'static str,
    /// What is wrong and what would be right. Nothing of a key.
    pub text: String,
}

/// What the two files hold, not looked at yet.
pub struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl TlsFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// A fault for each file that cannot be read.
    pub fn read(&self) -> Result<Contents, Vec<TlsFault>> {
        let read = |key, path: &Path| bounded(path).map_err(|error| unreadable(key, path, &error));
        match (read("cert_file", &self.cert_file), read("key_file", &self.key_file)) {
            (Ok(cert), Ok(key)) => Ok(Contents { cert, key }),
            (cert, key) => Err(cert.err().into_iter().chain(key.err()).collect()),
        }
    }
}

/// The certificates of a file, for who is to trust them.
///
/// # Errors
/// The file cannot be read, or is not PEM.
pub fn certificates(cert_file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let cert = bounded(cert_file).map_err(|error| unreadable("cert_file", cert_file, &error))?;
    Contents { cert, key: Vec::new() }.chain()
}

/// A name that a certificate is for; none where it is for addresses only.
#[must_use]
pub fn a_name(cert: &CertificateDer<'_>) -> Option<String> {
    let cert = EndEntityCert::try_from(cert).ok()?;
    // Any name does for a wildcard.
    cert.valid_dns_names().next().map(|name| name.replacen('*', "slo-hub", 1))
}

fn unreadable(key: &'static str, path: &Path, error: &std::io::Error) -> TlsFault {
    TlsFault { key, text: format!("cannot read {}: {error}", path.display()) }
}

fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(std::io::Error::other("it is over 1 MiB"));
    }
    Ok(bytes)
}

impl Contents {
    /// A name for what the files hold: other contents have another.
    #[must_use]
    pub fn print(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(&(self.cert.len() as u64).to_be_bytes());
        context.update(&self.cert);
        context.update(&self.key);
        let mut print = [0; 32];
        print.copy_from_slice(context.finish().as_ref());
        print
    }

    /// The pair that the files hold, where it can be served with at `now`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn pair(&self, now: UnixSeconds) -> Result<Pair, Vec<TlsFault>> {
        let (chain, key) = match (self.chain(), self.key()) {
            (Ok(chain), Ok(key)) => (chain, key),
            (chain, key) => return Err(chain.err().into_iter().chain(key.err()).collect()),
        };
        let own = chain[0].clone();
        let certified = CertifiedKey::from_der(chain, key, &default_provider());
        let (times, fits) = (times(&own, now), certified.map_err(|error| misfit(&error)));
        match (times, fits) {
            (Ok(not_after), Ok(certified)) => Ok(Pair { certified: Arc::new(certified), not_after }),
            (times, fits) => {
                let mut faults: Vec<TlsFault> = times.err().into_iter().chain(fits.err()).collect();
                faults.dedup();
                Err(faults)
            }
        }
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
        let wrong = |text: &str| TlsFault { key: "cert_file", text: text.to_owned() };
        let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&self.cert).collect();
        let chain = chain.map_err(|_| wrong("is not whole PEM; it may have been cut off"))?;
        if chain.is_empty() {
            return Err(wrong("holds no certificate: it must be PEM, -----BEGIN CERTIFICATE-----"));
        }
        Ok(chain)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        let wrong = |text: &str| TlsFault { key: "key_file", text: text.to_owned() };
        let is_locked = self.key.windows(9).any(|window| window == b"ENCRYPTED");
        PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| match error {
            _ if is_locked => wrong("is locked by a pass phrase; store it without one, readable by the hub alone"),
            PemError::NoItemsFound => wrong("holds no private key: it must be PEM, -----BEGIN PRIVATE KEY-----"),
            _ => wrong("is not whole PEM; it may have been cut off"),
        })
    }
}

/// The certificate's end, where it is valid now.
fn times(cert: &CertificateDer<'_>, now: UnixSeconds) -> Result<UnixSeconds, TlsFault> {
    let wrong = |text: String| Err(TlsFault { key: "cert_file", text });
    let Ok(cert) = EndEntityCert::try_from(cert) else { return wrong(UNREADABLE.to_owned()) };
    match judged_at(&cert, u64::try_from(now.0).unwrap_or(0)) {
        CertError::CertExpired { not_after, .. } => wrong(format!("the certificate expired at {}", date(not_after))),
        CertError::CertNotValidYet { not_before, .. } => {
            wrong(format!("the certificate is not valid before {}; is this machine's clock right?", date(not_before)))
        }
        _ => Ok(match judged_at(&cert, FAR_FUTURE) {
            CertError::CertExpired { not_after, .. } => seconds(not_after),
            _ => seconds(at(FAR_FUTURE)),
        }),
    }
}

/// Validity is looked at before anything else, so without any root to trust the answer is
/// about the time, or that nobody is trusted.
fn judged_at(cert: &EndEntityCert<'_>, seconds: u64) -> CertError {
    let judged = cert.verify_for_usage(&[], &[], &[], at(seconds), KeyUsage::server_auth(), None, None);
    judged.err().unwrap_or(CertError::UnknownIssuer)
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

fn seconds(at: UnixTime) -> UnixSeconds {
    UnixSeconds(i64::try_from(at.as_secs()).unwrap_or(i64::MAX))
}

fn date(at: UnixTime) -> String {
    let date = DateTime::from_timestamp(seconds(at).0, 0);
    date.map_or_else(|| "a time beyond years".to_owned(), |date| date.to_rfc3339_opts(SecondsFormat::Secs, true))
}

const UNREADABLE: &str = "the first certificate is no X.509 certificate that can be read";

fn misfit(error: &TlsError) -> TlsFault {
    match error {
        TlsError::InconsistentKeys(_) => TlsFault {
            key: "key_file",
            text: "does not fit the first certificate in cert_file; that must be the hub's own, then those that lead to its root".to_owned(),
        },
        TlsError::InvalidCertificate(_) => TlsFault { key: "cert_file", text: UNREADABLE.to_owned() },
        _ => TlsFault { key: "key_file", text: "must be an RSA key of 2048 bits or more, P-256, P-384, P-521 or Ed25519".to_owned() },
    }
}

impl Pair {
    /// Its end as people write it: RFC 3339, UTC.
    #[must_use]
    pub fn valid_until(&self) -> String {
        date(at(u64::try_from(self.not_after.0).unwrap_or(0)))
    }

    /// Whether the certificate is for that host: a name, or an address.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let (Some(cert), Ok(name)) = (self.certified.cert.first(), ServerName::try_from(host)) else { return false };
        EndEntityCert::try_from(cert).is_ok_and(|cert| cert.verify_is_valid_for_subject_name(&name).is_ok())
    }
}

/// Reads `[server.tls]` or `[server.admin_tls]`. The files are looked at where the hub is
/// about to be served, or that is asked about: `now` is then the time. Other commands need
/// not be allowed to read a key.
pub(super) fn tls(server: &mut Section<'_>, name: &'static str, host: Option<&str>) -> Option<TlsFiles> {
    if !server.has(name) {
        return server.no_section(name);
    }
    let mut section = server.section(name);
    let base = section.reader.base();
    let (cert, key) = (section.required_text("cert_file"), section.required_text("key_file"));
    let files = cert.zip(key).map(|(cert, key)| TlsFiles { cert_file: base.join(cert), key_file: base.join(key) });
    if let (Some(files), Some(now)) = (&files, section.reader.serving_at()) {
        match files.read().and_then(|contents| contents.pair(now)) {
            Err(faults) => faults.iter().for_each(|fault| section.fault(fault.key, &fault.text)),
            Ok(pair) => {
                if let Some(host) = host.filter(|host| !pair.is_for(host)) {
                    let text =
                        format!("the certificate is not for {host}, which public_url names: browsers will refuse it");
                    section.reader.caution(&section.key("cert_file"), text);
                }
            }
        }
    }
    section.finish();
    files
}
