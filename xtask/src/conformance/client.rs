//! The client: an HTTP/1.1 of our own, so that a request is sent byte for byte.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use super::cases::{Request, Scheme};
use super::netlink::{CLIENT, GATEWAY};
use super::pki::Pair;

/// Envoy Gateway opens privileged ports of a listener this much higher.
pub(crate) const PORT_SHIFT: u16 = 10_000;
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// 0 when there was no answer.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// Why there was no answer.
    pub(crate) error: Option<String>,
    /// The certificate that was presented: in base64, later the name of its Secret.
    #[serde(default)]
    pub(crate) certificate: Option<String>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        super::header_value(&self.headers, name)
    }
}

/// Sends `request` once and reads the whole answer.
pub(crate) async fn send(request: &Request, certificate: Option<&Pair>) -> Answer {
    let exchange = async {
        match tokio::time::timeout(TIME_LIMIT, attempt(request, certificate)).await {
            Ok(outcome) => outcome,
            Err(_) => bail!("no answer within {TIME_LIMIT:?}"),
        }
    };
    exchange.await.unwrap_or_else(|error| Answer {
        error: Some(format!("{error:#}")),
        ..Answer::default()
    })
}

async fn attempt(request: &Request, certificate: Option<&Pair>) -> Result<Answer> {
    let socket = TcpSocket::new_v4()?;
    let source = request.source_ip.unwrap_or(IpAddr::V4(CLIENT));
    socket
        .bind(SocketAddr::new(source, 0))
        .with_context(|| format!("cannot send from {source}"))?;
    let port = match request.scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let stream = socket
        .connect(SocketAddr::new(IpAddr::V4(GATEWAY), port + PORT_SHIFT))
        .await
        .context("cannot connect")?;
    stream.set_nodelay(true)?;
    match request.scheme {
        Scheme::Http => exchange(stream, request).await,
        Scheme::Https => {
            let name = server_name(&request.host)?;
            let connector = TlsConnector::from(Arc::new(tls_config(certificate)?));
            let stream = connector
                .connect(name, stream)
                .await
                .context("TLS handshake")?;
            let presented = stream.get_ref().1.peer_certificates();
            let presented = presented.and_then(<[_]>::first).map(|c| BASE64.encode(c));
            let mut answer = exchange(stream, request).await?;
            answer.certificate = presented;
            Ok(answer)
        }
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    // The name indicated is the host without its port.
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, _)| name)
        .to_owned();
    ServerName::try_from(name).map_err(|_| anyhow!("{host} cannot be a server name"))
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: &Request,
) -> Result<Answer> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let head = head(request);
    let body = vec![b'x'; request.body_size.unwrap_or(0)];
    let mut answer = {
        // An answer may come, and the connection end, before the body is sent.
        let sending = async {
            writer.write_all(head.as_bytes()).await?;
            writer.write_all(&body).await?;
            writer.flush().await
        };
        let receiving = receive(&mut reader, &request.method);
        tokio::pin!(sending, receiving);
        tokio::select! {
            biased;
            received = &mut receiving => received?,
            _ = &mut sending => (&mut receiving).await?,
        }
    };
    if answer.status == 101 {
        // A tunnel must carry bytes, not only promise to.
        let mut echoed = [0; 4];
        let tunnel = async {
            writer.write_all(b"\x81\x82..").await?;
            writer.flush().await?;
            reader.read_exact(&mut echoed).await
        };
        if tunnel.await.is_err() || echoed != *b"\x81\x82.." {
            answer.error = Some("the WebSocket tunnel carries nothing".to_owned());
        }
    }
    Ok(answer)
}

fn head(request: &Request) -> String {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    if !request
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("host"))
    {
        let _ = write!(head, "Host: {}\r\n", request.host);
    }
    for (name, value) in &request.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if let Some(size) = request.body_size {
        let _ = write!(head, "Content-Length: {size}\r\n");
    }
    head.push_str("\r\n");
    head
}

async fn receive<R: AsyncRead + Unpin>(reader: &mut R, method: &str) -> Result<Answer> {
    let mut buffer = Vec::new();
    loop {
        let (answer, used) = read_head(reader, &mut buffer).await?;
        buffer.drain(..used);
        // 100 Continue and its like announce the answer.
        if (100..200).contains(&answer.status) && answer.status != 101 {
            continue;
        }
        let has_body = method != "HEAD" && !matches!(answer.status, 101 | 204 | 304);
        if has_body {
            skip_body(reader, &answer, buffer).await?;
        }
        return Ok(answer);
    }
}

async fn read_head<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut Vec<u8>,
) -> Result<(Answer, usize)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text: String = buffer[..end].iter().copied().map(char::from).collect();
            let mut lines = text.split("\r\n");
            let first = lines.next().unwrap_or_default();
            let status = first
                .split(' ')
                .nth(1)
                .and_then(|code| code.parse().ok())
                .ok_or_else(|| anyhow!("not a status line: {first:?}"))?;
            let headers = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            return Ok((
                Answer {
                    status,
                    headers,
                    ..Answer::default()
                },
                end + 4,
            ));
        }
        if reader
            .read_buf(buffer)
            .await
            .context("the connection broke")?
            == 0
        {
            bail!("the connection was closed without an answer");
        }
    }
}

/// Reads the body, so that the answer is known to be complete; its bytes are not compared.
async fn skip_body<R: AsyncRead + Unpin>(
    reader: &mut R,
    answer: &Answer,
    mut buffer: Vec<u8>,
) -> Result<()> {
    if answer
        .header("transfer-encoding")
        .is_some_and(|value| value.contains("chunked"))
    {
        // Chunks are only followed to find the last one.
        loop {
            let line_end = loop {
                if let Some(end) = buffer.windows(2).position(|window| window == b"\r\n") {
                    break end;
                }
                fill(reader, &mut buffer).await?;
            };
            let line = String::from_utf8_lossy(&buffer[..line_end]).into_owned();
            let size =
                usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)?;
            let total = line_end + 2 + size + 2;
            while buffer.len() < total {
                fill(reader, &mut buffer).await?;
            }
            buffer.drain(..total);
            if size == 0 {
                return Ok(());
            }
        }
    }
    if let Some(length) = answer.header("content-length") {
        let length: usize = length.parse()?;
        while buffer.len() < length {
            fill(reader, &mut buffer).await?;
        }
        return Ok(());
    }
    while reader.read_buf(&mut buffer).await? > 0 {}
    Ok(())
}

async fn fill<R: AsyncRead + Unpin>(reader: &mut R, buffer: &mut Vec<u8>) -> Result<()> {
    if reader.read_buf(buffer).await? == 0 {
        bail!("the body ends early");
    }
    Ok(())
}

fn tls_config(certificate: Option<&Pair>) -> Result<ClientConfig> {
    let builder = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate));
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes())?];
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())?;
            builder.with_client_auth_cert(chain, key)?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificates are made for the run and self-signed; which one is presented is compared later.
#[derive(Debug)]
struct AnyCertificate;

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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
