//! Who runs a server: Postgres refuses root, so root hands it to an unprivileged account.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Accounts that root may hand a server to, the better first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A user and group by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    name: String,
    user: u32,
    group: u32,
}

impl Account {
    /// The account that servers which refuse root run as; `None` when this process is not root.
    pub(crate) fn unprivileged() -> anyhow::Result<Option<Self>> {
        if !root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").context("read the accounts")?;
        let account = UNPRIVILEGED.iter().find_map(|name| Self::find(&passwd, name));
        account.map(Some).with_context(|| format!("find one of the accounts {UNPRIVILEGED:?}"))
    }

    /// Arguments of `setpriv` that change to this account.
    pub(crate) fn setpriv_arguments(&self) -> [String; 3] {
        [format!("--reuid={}", self.user), format!("--regid={}", self.group), "--clear-groups".to_owned()]
    }

    /// Hands a folder to this account.
    pub(crate) fn own(&self, directory: &Path) -> anyhow::Result<()> {
        chown(directory, Some(self.user), Some(self.group))
            .with_context(|| format!("give `{}` to `{}`", directory.display(), self.name))
    }

    fn find(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        let user = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(Self { name: name.to_owned(), user, group })
    }
}

/// Tells whether this process is root.
pub(crate) fn root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The first folder on the way to a path that other accounts may not enter; `None` when the way is open.
/// Parts that do not exist yet are taken as open.
pub(crate) fn barrier(path: &Path) -> Option<PathBuf> {
    let closed = |folder: &&Path| fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o001 == 0);
    path.ancestors().filter(|folder| !folder.as_os_str().is_empty()).find(closed).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn finds_an_account_by_its_whole_name() {
        let passwd = "postgresql:x:7:7::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib:/bin/bash\n";

        let account = Account::find(passwd, "postgres").unwrap();

        assert_eq!((account.user, account.group), (101, 104));
        assert_eq!(Account::find(passwd, "nobody"), None);
    }

    #[test]
    fn barrier_names_the_closed_folder() {
        let directory = tempfile::tempdir().unwrap();
        let closed = directory.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();

        assert_eq!(barrier(&closed.join("not/there")), Some(closed));
        assert_eq!(barrier(directory.path()), None);
    }
}
