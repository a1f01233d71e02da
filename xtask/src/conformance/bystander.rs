//! A stand-in for ingress-nginx, where both proxies have to run side by side.
//!
//! The controller itself comes as an image, with an nginx and Lua modules of its own, and the suite
//! runs without images. What it answered was recorded, and the stand-in says that again; to a request that was not recorded it says what the model says of
//! ingress-nginx, which the recorded answers are the test of.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, anyhow};
use gatewright_transpile::route::{request, route};
use gatewright_transpile::{Input, Options};
use gatewright_verify::Answer;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::cases::{Case, Scheme};
use super::pki::Pair;

/// What is answered: a status and, of a redirect, where to.
type Reply = (u16, Option<String>);

/// The running stand-in.
pub(crate) struct Bystander {
    tasks: Vec<JoinHandle<()>>,
    served: Arc<Mutex<Vec<String>>>,
}

struct Known {
    recorded: BTreeMap<String, Reply>,
    input: String,
    served: Arc<Mutex<Vec<String>>>,
}

impl Bystander {
    /// Listens on the ports 80 and 443 of an address.
    pub(crate) fn start(
        runtime: &Runtime,
        address: Ipv4Addr,
        case: &Case,
        input: String,
        certificate: &Pair,
    ) -> Result<Self> {
        let chain = CertificateDer::pem_slice_iter(certificate.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes())?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let served = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::new(Known {
            recorded: recorded(case),
            input,
            served: Arc::clone(&served),
        });
        let mut tasks = Vec::new();
        for (port, secure) in [(80, false), (443, true)] {
            let listener = runtime
                .block_on(TcpListener::bind((address, port)))
                .with_context(|| format!("cannot listen on {address}:{port}"))?;
            let (known, acceptor) = (Arc::clone(&known), acceptor.clone());
            tasks.push(runtime.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (known, acceptor) = (Arc::clone(&known), acceptor.clone());
                    tokio::spawn(async move {
                        if !secure {
                            serve(stream, false, &known).await
                        } else if let Ok(stream) = acceptor.accept(stream).await {
                            serve(stream, true, &known).await
                        } else {
                            Ok(())
                        }
                    });
                }
            }));
        }
        Ok(Self { tasks, served })
    }

    /// A line for every request so far, which are forgotten then.
    pub(crate) fn take_served(&self) -> Result<Vec<String>> {
        let mut served = self
            .served
            .lock()
            .map_err(|_| anyhow!("a thread panicked"))?;
        Ok(std::mem::take(&mut *served))
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn recorded(case: &Case) -> BTreeMap<String, Reply> {
    let mut replies = BTreeMap::new();
    for exchange in &case.exchanges {
        let asked = &exchange.request;
        let (Some(status), true) = (exchange.nginx.status, asked.headers.is_empty()) else {
            continue;
        };
        let scheme = match asked.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
        };
        let key = format!("{} {scheme}://{}{}", asked.method, asked.host, asked.path);
        let location = exchange.nginx.headers.get("location").cloned();
        replies.insert(key, (status, location));
    }
    replies
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    secure: bool,
    known: &Known,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut host) = (String::new(), String::new());
    stream.read_line(&mut first).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            value.trim().clone_into(&mut host);
        }
    }
    let mut words = first.split_whitespace();
    let (method, target) = (
        words.next().unwrap_or("GET"),
        words.next().unwrap_or("/").to_owned(),
    );
    let scheme = if secure { "https" } else { "http" };
    let line = format!("{method} {scheme}://{host}{target}");
    let (status, location) = match known.recorded.get(&line) {
        Some(reply) => reply.clone(),
        None => modelled(&known.input, &line).unwrap_or((500, None)),
    };
    if let Ok(mut served) = known.served.lock() {
        served.push(format!("{line} {status}"));
    }
    let location = location.map_or_else(String::new, |to| format!("location: {to}\r\n"));
    let answer =
        format!("HTTP/1.1 {status} -\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

fn modelled(input: &str, line: &str) -> Option<Reply> {
    let request = request(line, &[]).ok()?;
    let input = Input {
        name: "input.yaml".to_owned(),
        text: input.to_owned(),
    };
    let routed = route(vec![input], None, &Options::default(), request);
    match routed.journeys.nginx.end.behaviour.answer {
        Answer::Status(status) => Some((status, None)),
        Answer::Redirect { code, location } => Some((code, Some(location))),
        Answer::Forward(_) => Some((200, None)),
        _ => None,
    }
}
