//! A network of its own for the control plane, joined to the worker's by sockets in the file system.
//!
//! Envoy Gateway listens on ports such as 8080 on every address. In the worker's network those
//! belong to pods and Services, so it gets another one. Two ports are carried across: that of the
//! API server, and that by which Envoys fetch their configuration.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Runtime;

use super::netlink;

/// API server and xDS.
const PORTS: [u16; 2] = [6443, 18000];

/// The network of the control plane; it lives as long as the process in it.
pub(crate) struct Network {
    holder: Child,
    _runtime: Runtime,
}

impl Network {
    /// Makes the network and carries the ports into the present one.
    pub(crate) fn start() -> Result<Self> {
        let holder = Command::new("unshare")
            .args(["--net", "--"])
            .arg(std::env::current_exe()?)
            .arg("conformance-relay")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot run unshare; install util-linux")?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while !PORTS.iter().all(|port| socket(*port).exists()) {
            if Instant::now() > deadline {
                bail!("the network of the control plane does not come up");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let runtime = Runtime::new()?;
        for port in PORTS {
            let path = socket(port);
            let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)))?;
            runtime.spawn(async move {
                while let Ok((near, _)) = listener.accept().await {
                    let path = path.clone();
                    tokio::spawn(async move { join(near, UnixStream::connect(path).await?).await });
                }
            });
        }
        Ok(Self {
            holder,
            _runtime: runtime,
        })
    }

    /// `program`, to be run in this network.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", self.holder.id()))
            .arg("--")
            .arg(program);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// The far end: runs in the control plane's network until it is killed.
pub(crate) fn serve() -> Result<()> {
    netlink::prepare_loopback()?;
    Runtime::new()?.block_on(async {
        let mut tasks = Vec::new();
        for port in PORTS {
            let listener = UnixListener::bind(socket(port))?;
            tasks.push(tokio::spawn(async move {
                while let Ok((near, _)) = listener.accept().await {
                    tokio::spawn(async move {
                        join(near, TcpStream::connect(("127.0.0.1", port)).await?).await
                    });
                }
            }));
        }
        for task in tasks {
            task.await?;
        }
        Ok(())
    })
}

pub(crate) async fn join<A, B>(mut near: A, mut far: B) -> std::io::Result<()>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    copy_bidirectional(&mut near, &mut far).await.map(drop)
}

/// In the private shared memory: the name of a socket may not be long.
fn socket(port: u16) -> PathBuf {
    PathBuf::from(format!("/dev/shm/control-plane-{port}.sock"))
}
