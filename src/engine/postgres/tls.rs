//! TLS with libpq's meanings of `sslmode` (<https://www.postgresql.org/docs/current/libpq-ssl.html>), by rustls.
//!
//! Promise: `verify-full` checks the certificate's chain and name, `verify-ca` the chain; the weaker modes check
//! nothing, except that `require` with a root certificate checks the chain, as libpq does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::conninfo::{Conninfo, user_file};
use crate::host::Host;

/// How much TLS a connection must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    /// Returns the mode that the parameters ask for; `verify-full` for a server that is not local if they do not.
    pub(super) fn of(conninfo: &Conninfo, is_local: bool) -> Result<Self, String> {
        let is_old_require = conninfo.get("requiressl") == Some("1");
        match conninfo.get("sslmode") {
            None if is_old_require => Ok(Self::Require),
            None if is_local => Ok(Self::Prefer),
            None | Some("verify-full") => Ok(Self::VerifyFull),
            Some("disable") => Ok(Self::Disable),
            Some("allow") => Ok(Self::Allow),
            Some("prefer") => Ok(Self::Prefer),
            Some("require") => Ok(Self::Require),
            Some("verify-ca") => Ok(Self::VerifyCa),
            Some(other) => Err(format!(
                "`{other}` is no sslmode; it is one of disable, allow, prefer, require, verify-ca, verify-full"
            )),
        }
    }
}

/// Makes the TLS side of a connection.
pub(super) fn config(mode: Mode, conninfo: &Conninfo, host: &Host) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = versions(conninfo)?;
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(&versions);
    let builder = builder.map_err(|error| format!("TLS: {error}"))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier(mode, conninfo, host, &provider)?);
    let mut config = match client_certificate(conninfo, host)? {
        Some((chain, key)) => {
            let signer = provider.key_provider.load_private_key(key);
            let signer =
                signer.map_err(|error| format!("the key of the client certificate cannot be used: {error}"))?;
            // Not `with_client_auth_cert`: it refuses certificates of version 1, which servers take.
            let certified = rustls::sign::CertifiedKey::new(chain, signer);
            builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
        }
        None => builder.with_no_client_auth(),
    };
    config.enable_sni = conninfo.get("sslsni") != Some("0");
    if conninfo.get("sslnegotiation") == Some("direct") {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(config)
}

fn versions(conninfo: &Conninfo) -> Result<Vec<&'static rustls::SupportedProtocolVersion>, String> {
    let number = |keyword: &str, default: u8| match conninfo.get(keyword) {
        None => Ok(default),
        Some("TLSv1" | "TLSv1.1" | "TLSv1.2") => Ok(2),
        Some("TLSv1.3") => Ok(3),
        Some(other) => Err(format!("`{keyword}={other}`: TLSv1.2 and TLSv1.3 are supported")),
    };
    let (least, most) = (number("ssl_min_protocol_version", 2)?, number("ssl_max_protocol_version", 3)?);
    let all = [(2, &rustls::version::TLS12), (3, &rustls::version::TLS13)];
    Ok(all.into_iter().filter(|(number, _)| (least..=most).contains(number)).map(|(_, version)| version).collect())
}

fn verifier(
    mode: Mode,
    conninfo: &Conninfo,
    host: &Host,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let named = conninfo.get("sslrootcert");
    let file = named.map(PathBuf::from).or_else(|| user_file("root.crt", host).filter(|file| file.exists()));
    let checks_chain = match mode {
        Mode::VerifyCa | Mode::VerifyFull => true,
        // libpq: "if a root CA file exists, the behavior of sslmode=require will be the same as that of verify-ca".
        Mode::Require => file.is_some(),
        Mode::Disable | Mode::Allow | Mode::Prefer => false,
    };
    if !checks_chain {
        return Ok(Arc::new(AnyCertificate(provider.clone())));
    }
    let roots = match file {
        Some(file) if named != Some("system") => roots_in(&file)?,
        _ => system_roots()?,
    };
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let inner = inner.build().map_err(|error| format!("the root certificates cannot be used: {error}"))?;
    Ok(match mode {
        Mode::VerifyFull => inner,
        _ => Arc::new(AnyName(inner)),
    })
}

fn roots_in(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    if roots.is_empty() {
        return Err(format!("there is no certificate in {}", file.display()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this machine has no root certificates; name a file with `sslrootcert=`".into());
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| format!("cannot read {}: {error}", file.display()))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(conninfo: &Conninfo, host: &Host) -> Result<Option<Identity>, String> {
    let file = |keyword: &str, name: &str| match conninfo.get(keyword) {
        Some(named) => Some(PathBuf::from(named)),
        None => user_file(name, host).filter(|file| file.exists()),
    };
    let Some(certificate) = file("sslcert", "postgresql.crt") else { return Ok(None) };
    // As libpq does: a certificate that is not there is none; the server says whether it needs one.
    if !certificate.exists() {
        return Ok(None);
    }
    let key = file("sslkey", "postgresql.key");
    let key = key.ok_or_else(|| format!("there is a certificate {}, but no key", certificate.display()))?;
    refuse_open_key(&key)?;
    let read = PrivateKeyDer::from_pem_file(&key);
    let read = read.map_err(|error| {
        format!("cannot read the key {} (encrypted ones are not supported): {error}", key.display())
    })?;
    Ok(Some((certificates(&certificate)?, read)))
}

/// A key of one's own must not be open to anybody else; root's may be open to its group.
#[cfg(unix)]
fn refuse_open_key(key: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(key).map_err(|error| format!("cannot read the key {}: {error}", key.display()))?;
    let forbidden = if metadata.uid() == 0 { 0o027 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        return Err(format!("the key {0} may be read by others; run `chmod 600 {0}`", key.display()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_key(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Checks the chain, but takes any name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The chain is checked before the name, so a wrong name means a right chain.
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Takes any certificate: the modes that only encrypt.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
