//! Certificates for tests, and who trusts them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What the hub of these tests is called.
pub const HOST: &str = "logout.example";

/// Who signs certificates, and a folder with one of them and its key.
pub struct Office {
    root: String,
    issuer: Issuer<'static, KeyPair>,
    pub folder: TempDir,
}

/// A certificate and its key, as PEM.
pub struct Papers {
    pub cert: String,
    pub key: String,
}

impl Office {
    /// An office that has written papers for [`HOST`].
    pub fn open() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        let office = Self { root, issuer: Issuer::new(params, key), folder: TempDir::new().unwrap() };
        office.write(&office.papers(HOST));
        office
    }

    /// Papers for a name, valid from 1975 to 4096.
    pub fn papers(&self, name: &str) -> Papers {
        self.papers_for(name, 1975, 4096)
    }

    /// Papers for a name, valid from the beginning of one year to that of another.
    pub fn papers_for(&self, name: &str, from: i32, to: i32) -> Papers {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let key = KeyPair::generate().unwrap();
        Papers { cert: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }

    /// The certificate of a file with the root behind it, for who trusts nobody else.
    pub fn write_with_root(&self, papers: &Papers) {
        self.write(&Papers { cert: papers.cert.clone() + &self.root, key: papers.key.clone() });
    }

    pub fn write(&self, papers: &Papers) {
        fs::write(self.cert_file(), &papers.cert).unwrap();
        fs::write(self.key_file(), &papers.key).unwrap();
    }

    pub fn cert_file(&self) -> impl AsRef<Path> + use<> {
        self.folder.path().join("hub.pem")
    }

    pub fn key_file(&self) -> impl AsRef<Path> + use<> {
        self.folder.path().join("hub.key")
    }

    /// The configuration's table of that name for these papers.
    pub fn table(&self, name: &str) -> String {
        let file = |path: &Path| path.display().to_string();
        let (cert, key) = (file(self.cert_file().as_ref()), file(self.key_file().as_ref()));
        format!("[server.{name}]\ncert_file = \"{cert}\"\nkey_file = \"{key}\"\n")
    }

    /// A client that trusts this office, and finds [`HOST`] there.
    pub fn client(&self, addr: SocketAddr) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.root.as_bytes()).unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).resolve(HOST, addr);
        client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    /// A line to that address, by TLS of whichever version.
    pub async fn connect(&self, addr: SocketAddr) -> TlsStream<TcpStream> {
        self.connect_by(addr, &[&TLS13, &TLS12]).await.unwrap()
    }

    /// The same by these versions only.
    pub async fn connect_by(
        &self,
        addr: SocketAddr,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let root = <rustls::pki_types::CertificateDer as rustls::pki_types::pem::PemObject>::from_pem_slice;
        roots.add(root(self.root.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = TcpStream::connect(addr).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(HOST).unwrap(), stream).await
    }
}

/// The certificate that the other side shows.
pub fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}
