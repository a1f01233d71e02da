//! Network, mount and pid namespaces of a worker's own, and a root directory to go with them.
//!
//! Everything a worker does to addresses, mounts and processes ends with it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive};

use super::netlink;

/// A command that runs `program` in namespaces of its own; needs no privilege where the
/// kernel lets users make user namespaces.
pub(crate) fn isolated(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--").arg(program);
    command
}

/// Runs inside: addresses, a private root with `/certs` and `/dev/shm`, where names are
/// asked of the worker only.
///
/// The root is a tmpfs with the machine's directories bound into it, so that fixed paths such as
/// `/certs` can exist without touching the machine.
pub(crate) fn enter(directory: &Path) -> Result<()> {
    netlink::prepare_loopback()?;
    let root = directory.join("root");
    fs::create_dir_all(&root)?;
    mount("tmpfs", &root, "tmpfs", MountFlags::empty(), None).context("cannot mount the root")?;
    for entry in fs::read_dir("/")? {
        let entry = entry?;
        let target = root.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, &target)?;
        } else if kind.is_dir() && entry.file_name() != "certs" {
            fs::create_dir(&target)?;
            mount_bind_recursive(entry.path(), &target)
                .with_context(|| format!("cannot bind {}", entry.path().display()))?;
        }
    }
    for private in ["certs", "sds", "envoy-certs"] {
        fs::create_dir(root.join(private))?;
    }
    let shared_memory = root.join("dev/shm");
    mount("tmpfs", &shared_memory, "tmpfs", MountFlags::empty(), None)
        .context("cannot mount /dev/shm")?;
    for (name, text) in [
        ("hosts", "127.0.0.1 localhost\n"),
        (
            "resolv.conf",
            "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
        ),
    ] {
        let ours = directory.join(name);
        fs::write(&ours, text)?;
        let theirs = root.join("etc").join(name);
        if theirs.exists() {
            mount_bind(&ours, &theirs).with_context(|| format!("cannot bind /etc/{name}"))?;
        }
    }
    let here = std::env::current_dir()?;
    rustix::process::chroot(&root).context("cannot change the root")?;
    std::env::set_current_dir(here)?;
    Ok(())
}
