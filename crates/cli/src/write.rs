//! Writing files: all of the content or nothing.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use crate::exit::Fault;
use crate::read::plain;

/// The file beside an output that gets its Secrets.
pub(crate) fn secrets(path: &Path) -> PathBuf {
    match path.extension() {
        Some(extension) => {
            let mut name = OsString::from("secrets.");
            name.push(extension);
            path.with_extension(name)
        }
        None => path.with_extension("secrets"),
    }
}

/// Whether an output is or becomes a file, in contrast to a device or a pipe.
pub(crate) fn is_file(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

/// As [`write`], for what nobody else should read: a new file is its owner's.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), Fault> {
    put(path, text, true)
}

/// Puts `text` into a file through a temporary file beside it. A file that holds it
/// already is left alone, so that its time of change keeps its meaning.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Fault> {
    put(path, text, false)
}

fn put(path: &Path, text: &str, private: bool) -> Result<(), Fault> {
    try_write(path, text.as_bytes(), private).map_err(|error| {
        Fault::new(format!(
            "cannot write `{}`: {}",
            path.display(),
            plain(&error)
        ))
    })
}

fn try_write(path: &Path, content: &[u8], private: bool) -> io::Result<()> {
    // What a link points to is replaced, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let old = match fs::metadata(&target) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(old) = &old {
        if old.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !old.is_file() {
            // A device or a pipe cannot be replaced.
            return OpenOptions::new()
                .write(true)
                .open(&target)?
                .write_all(content);
        }
        if old.len() == content.len() as u64 && holds(&target, content).unwrap_or(false) {
            return Ok(());
        }
    }
    let temporary = beside(&target)?;
    let result = fill(&temporary, content, old.as_ref(), private)
        .and_then(|()| fs::rename(&temporary, &target));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

/// Whether a file has this content. Read in parts: it may be long.
fn holds(path: &Path, content: &[u8]) -> io::Result<bool> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut rest = content;
    loop {
        let part = file.fill_buf()?;
        if part.is_empty() {
            return Ok(rest.is_empty());
        }
        let Some(after) = rest.strip_prefix(part) else {
            return Ok(false);
        };
        let length = part.len();
        rest = after;
        file.consume(length);
    }
}

/// A name in the same directory, hence on the same file system.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    Ok(target.with_file_name(temporary))
}

fn fill(path: &Path, content: &[u8], old: Option<&fs::Metadata>, private: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut file = options.open(path)?;
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::tests::Tree;

    #[test]
    fn replaces_and_leaves_nothing_behind() {
        let tree = Tree::new(&[("out.yaml", "old")]);
        let path = tree.path("out.yaml");
        write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(tree.path("")).unwrap().count(), 1);
    }

    #[test]
    fn same_content_is_not_written() {
        let tree = Tree::new(&[("out.yaml", "same")]);
        let path = tree.path("out.yaml");
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        write(&path, "same").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn private_files_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let tree = Tree::new(&[("a.yaml", "")]);
        let path = tree.path("secret.yaml");
        write_secret(&path, "x").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_modes_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let tree = Tree::new(&[("real.yaml", "old")]);
        let real = tree.path("real.yaml");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, tree.path("link.yaml")).unwrap();
        write(&tree.path("link.yaml"), "new").unwrap();
        assert!(tree.path("link.yaml").is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }

    #[test]
    fn secrets_stand_beside() {
        for (path, expected) in [
            ("out/gateway.yaml", "out/gateway.secrets.yaml"),
            ("gateway", "gateway.secrets"),
        ] {
            assert_eq!(secrets(Path::new(path)), Path::new(expected));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_of_secrets_is_its_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let tree = Tree::new(&[("gateway.yaml", "")]);
        let path = tree.path("gateway.secrets.yaml");
        write_secret(&path, "x").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn failures_name_the_path() {
        let fault = write(Path::new("no/such/directory/out.yaml"), "x").unwrap_err();
        assert!(
            fault.message.contains("no/such/directory/out.yaml"),
            "{fault:?}"
        );
        let tree = Tree::new(&[("a/b.yaml", "")]);
        assert!(write(&tree.path("a"), "x").is_err());
    }
}
