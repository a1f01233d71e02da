//! The backend: an echo server that stands for every Service of a case.
//!
//! It listens on the addresses of pods and Services, so that the address tells which of them was
//! reached, keeps a record of every hit, and answers with what it saw. It speaks HTTP/1.1 with
//! WebSocket, HTTP/2 with prior knowledge, and both over TLS, told apart by the first bytes.

mod answer;
mod h1;
mod h2;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::pki;

/// What a backend saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hit {
    pub(crate) id: u64,
    pub(crate) namespace: String,
    pub(crate) service: String,
    pub(crate) pod: String,
    pub(crate) method: String,
    /// Path and query, byte for byte.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: usize,
    pub(crate) tls: bool,
    pub(crate) sni: Option<String>,
}

/// Who is reached at an address.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) namespace: String,
    pub(crate) service: String,
    /// More than one behind the address of a Service: taken in turn.
    pub(crate) pods: Vec<String>,
}

#[derive(Debug, Default)]
struct Record {
    hits: Mutex<Vec<Hit>>,
    ids: AtomicU64,
    turn: AtomicUsize,
}

/// The connection a request came in by.
#[derive(Debug, Clone)]
struct Connection {
    record: Arc<Record>,
    place: Place,
    tls: bool,
    sni: Option<String>,
}

/// A request as its protocol's reader understood it.
struct Incoming {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: usize,
}

impl Connection {
    fn record(&self, request: Incoming) -> Hit {
        let turn = self.record.turn.fetch_add(1, Ordering::Relaxed);
        let pod = self
            .place
            .pods
            .get(turn % self.place.pods.len().max(1))
            .cloned();
        let hit = Hit {
            id: self.record.ids.fetch_add(1, Ordering::Relaxed) + 1,
            namespace: self.place.namespace.clone(),
            service: self.place.service.clone(),
            pod: pod.unwrap_or_default(),
            method: request.method,
            path: request.path,
            headers: request.headers,
            body: request.body,
            tls: self.tls,
            sni: self.sni.clone(),
        };
        let mut hits = self
            .record
            .hits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        hits.push(hit.clone());
        hit
    }
}

/// The status that a request for this path and query asks for.
pub(crate) fn status_of(path: &str) -> u16 {
    answer::Controls::of(path).status()
}

/// All backends of a worker.
pub(crate) struct Echo {
    runtime: Arc<Runtime>,
    record: Arc<Record>,
    tls: TlsAcceptor,
    listeners: Vec<JoinHandle<()>>,
}

impl Echo {
    pub(crate) fn new(runtime: Arc<Runtime>) -> Result<Self> {
        let pair = pki::self_signed("echo", &["echo.invalid".to_owned()])?;
        let certificate =
            rustls::pki_types::CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())?;
        let mut config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            runtime,
            record: Arc::default(),
            tls: TlsAcceptor::from(Arc::new(config)),
            listeners: Vec::new(),
        })
    }

    /// Listens on every address of `places`.
    pub(crate) fn listen(&mut self, places: &BTreeMap<SocketAddr, Place>) -> Result<()> {
        for (address, place) in places {
            let listener = self
                .runtime
                .block_on(TcpListener::bind(address))
                .with_context(|| format!("cannot listen on {address} for {}", place.service))?;
            let connection = Connection {
                record: Arc::clone(&self.record),
                place: place.clone(),
                tls: false,
                sni: None,
            };
            let tls = self.tls.clone();
            self.listeners.push(self.runtime.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (connection, tls) = (connection.clone(), tls.clone());
                    // A broken connection is the client's business.
                    tokio::spawn(async move { serve(stream, connection, tls).await.ok() });
                }
            }));
        }
        Ok(())
    }

    /// Stops listening; connections that are open end by themselves.
    pub(crate) fn close(&mut self) {
        for listener in self.listeners.drain(..) {
            listener.abort();
            // The port is free only once the task is gone.
            let _ = self.runtime.block_on(listener);
        }
        self.record
            .hits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Takes the hits since the last call.
    pub(crate) fn take_hits(&self) -> Vec<Hit> {
        std::mem::take(
            &mut *self
                .record
                .hits
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// How many hits there are since they were last taken.
    pub(crate) fn pending(&self) -> usize {
        self.record
            .hits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

async fn serve(stream: TcpStream, mut connection: Connection, tls: TlsAcceptor) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(());
    }
    // 22: a TLS handshake record.
    if first[0] != 22 {
        return dispatch(stream, connection).await;
    }
    let stream = tls.accept(stream).await?;
    connection.tls = true;
    connection.sni = stream.get_ref().1.server_name().map(str::to_owned);
    dispatch(stream, connection).await
}

/// Tells HTTP/2 with prior knowledge from HTTP/1.1.
async fn dispatch<S>(mut stream: S, connection: Connection) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut begun = Vec::new();
    while begun.len() < PREFACE.len() && PREFACE.starts_with(&begun) {
        if stream.read_buf(&mut begun).await? == 0 {
            break;
        }
    }
    let is_h2 = begun.starts_with(PREFACE);
    let stream = Rewound { begun, stream };
    if is_h2 {
        h2::serve(stream, connection).await
    } else {
        h1::serve(stream, connection).await
    }
}

/// A stream whose first bytes were already read.
struct Rewound<S> {
    begun: Vec<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        if self.begun.is_empty() {
            return std::pin::Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.begun.len().min(buffer.remaining());
        let rest = self.begun.split_off(count);
        buffer.put_slice(&self.begun);
        self.begun = rest;
        std::task::Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
