//! Downloads of public sets: resumed where they broke off, and in place only when the payload is the published one.
//!
//! A download goes to `NAME.partial` beside its target, is checked against the catalogue's SHA-256 and only then
//! renamed. A broken connection leaves the partial file, and the next attempt, also of a later call, asks for the rest
//! with a Range request (RFC 9110, section 14). Mirrors compress differently, so a file resumed from another mirror may
//! turn out wrong: it is then fetched once more from its beginning before the mirror is given up.

mod transfer;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::catalog::{CatalogFile, CatalogSet};
use super::error::{DataError, Fault};
use super::payload::{Payload, stored};
use super::verify::{FileStatus, compare, verify_file};
use crate::files::{FileError, create_folder, sync_folder_of};
use transfer::{Outcome, Transfer};

/// How patient a download is, and where it goes.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// The longest that connecting to a mirror may take, TLS included.
    pub connect: Duration,
    /// The longest that a mirror may send nothing.
    pub stall: Duration,
    /// Addresses of folders, tried in order, instead of the catalogue's mirrors.
    pub mirrors: Option<Vec<String>>,
    /// Whether the proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`, …) is used.
    pub proxy: bool,
}

impl Default for FetchOptions {
    fn default() -> FetchOptions {
        FetchOptions { connect: Duration::from_secs(10), stall: Duration::from_secs(30), mirrors: None, proxy: true }
    }
}

/// How far the download of a file is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// Bytes that are there, those of an earlier attempt included.
    pub bytes: u64,
    /// Bytes that there will be, if the mirror said so.
    pub total: Option<u64>,
    /// The mirror that sends them.
    pub mirror: &'a str,
}

/// What was done for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The file.
    pub file: String,
    /// The mirror it was downloaded from; none where it was there, the published one, and nothing was asked of any mirror.
    pub mirror: Option<String>,
}

/// Downloads the files of `set` that are missing or wrong in its `folder`, which is created if need be.
///
/// Files that are the published ones are left alone. Refused from a mirror: a status other than 200 or 206, a body more
/// than 1 MiB larger than the payload, a payload with another SHA-256, a pause longer than the options allow. If every
/// mirror fails, the error names each with its reason.
pub fn fetch(
    set: &CatalogSet,
    folder: &Path,
    options: &FetchOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Fetched>, DataError> {
    let made: Vec<&Path> = folder.ancestors().take_while(|one| !one.exists()).collect();
    create_folder(folder)?;
    let fetched = fetch_files(set, folder, options, progress);
    if fetched.is_err() {
        // One that has something in it stays.
        made.into_iter().for_each(|one| drop(fs::remove_dir(one)));
    }
    fetched
}

fn fetch_files(
    set: &CatalogSet,
    folder: &Path,
    options: &FetchOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Fetched>, DataError> {
    let transfer = Transfer::new(options);
    let mut results = Vec::with_capacity(set.files.len());
    for file in &set.files {
        let report = verify_file(set, file, folder);
        results.push(match report.status {
            FileStatus::Ok => Fetched { file: report.file, mirror: None },
            _ => fetch_file(&transfer, set, file, folder, options, progress)?,
        });
    }
    Ok(results)
}

fn fetch_file(
    transfer: &Transfer,
    set: &CatalogSet,
    file: &CatalogFile,
    folder: &Path,
    options: &FetchOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, DataError> {
    let name = set.published_name(file);
    let mut partial = Partial::open(folder.join(format!("{name}.partial")))?;
    let mut attempts = Vec::new();
    for mirror in options.mirrors.as_ref().unwrap_or(&set.mirrors) {
        let url = format!("{mirror}{name}");
        match fetch_from(transfer, &url, file, &mut partial, &mut |bytes, total| {
            progress(Progress { file: &name, bytes, total, mirror });
        })? {
            Ok(()) => {
                let target = folder.join(&name);
                partial.put_in_place(&target)?;
                if let Some(wrong) = stored(folder, &file.name).filter(|path| *path != target) {
                    let found = format!("it is there, but {} is read before it and is wrong", wrong.display());
                    let remedy = format!("remove {}", wrong.display());
                    return Err(Fault::new(found, remedy).doing(format!("use {}", target.display())).into());
                }
                return Ok(Fetched { file: name, mirror: Some(mirror.clone()) });
            }
            Err(reason) => attempts.push(format!("{url}: {reason}")),
        }
    }
    partial.leave()?;
    Err(Fault::new(format!("every mirror failed: {}", attempts.join("; ")), "").doing(format!("fetch {name}")).into())
}

/// One mirror: at most one resumption after a broken body, and one new start after a resumed file turned out wrong.
fn fetch_from(
    transfer: &Transfer,
    url: &str,
    file: &CatalogFile,
    partial: &mut Partial,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Result<(), String>, DataError> {
    let (mut may_resume, mut may_restart) = (true, true);
    loop {
        let resumed = partial.size()? > 0;
        match transfer.run(url, file.bytes, partial, progress)? {
            Outcome::Complete => match partial.check(file)? {
                FileStatus::Ok => return Ok(Ok(())),
                wrong => {
                    partial.clear()?;
                    if !(resumed && may_restart) {
                        return Ok(Err(wrong.to_string()));
                    }
                    may_restart = false;
                }
            },
            Outcome::Broken(_) if may_resume => may_resume = false,
            Outcome::Broken(reason) | Outcome::Refused(reason) => return Ok(Err(reason)),
        }
    }
}

/// The unfinished file. It is locked, so that two processes do not write it at once.
pub(crate) struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    fn open(path: PathBuf) -> Result<Partial, DataError> {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(FileError::on("create", &path))?;
        // The second condition: the other process finished, and renamed the file, between the opening and the lock.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) || !path.exists() {
            let fault = Fault::new("another process is writing that file", "wait for it to end");
            return Err(fault.doing(format!("fetch to {}", path.display())).into());
        }
        Ok(Partial { path, file })
    }

    /// Bytes that are there.
    pub(crate) fn size(&self) -> Result<u64, DataError> {
        Ok(self.file.metadata().map_err(FileError::on("read", &self.path))?.len())
    }

    /// Throws away what is there.
    pub(crate) fn clear(&mut self) -> Result<(), DataError> {
        Ok(self.file.set_len(0).map_err(FileError::on("write", &self.path))?)
    }

    /// The file, at its end, for appending; and its path, for errors.
    pub(crate) fn end(&mut self) -> Result<(&mut File, &Path), DataError> {
        self.file.seek(SeekFrom::End(0)).map_err(FileError::on("write", &self.path))?;
        Ok((&mut self.file, &self.path))
    }

    /// Compares the payload with the catalogue.
    pub(crate) fn check(&mut self, file: &CatalogFile) -> Result<FileStatus, DataError> {
        self.file.rewind().map_err(FileError::on("read", &self.path))?;
        let reader = self.file.try_clone().map_err(FileError::on("read", &self.path))?;
        Ok(compare(file, Payload::from_file(reader, &self.path, "a file of the set")))
    }

    fn put_in_place(self, target: &Path) -> Result<(), DataError> {
        self.file.sync_all().map_err(FileError::on("write", &self.path))?;
        fs::rename(&self.path, target).map_err(FileError::on("write", target))?;
        Ok(sync_folder_of(target)?)
    }

    /// Keeps what can be resumed; an empty file is removed.
    fn leave(self) -> Result<(), DataError> {
        if self.size()? == 0 {
            fs::remove_file(&self.path).map_err(FileError::on("remove", &self.path))?;
        }
        Ok(())
    }
}
