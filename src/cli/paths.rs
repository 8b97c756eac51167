//! The files and folders that a command writes, looked at before anything is computed.

use std::path::{Path, PathBuf};

use super::CliError;
use narrows::files::create_folder;
use narrows::run::{OpenRun, RunError, RunFolder};

/// Whether the name of the file ends so, in any case.
pub fn ends_in(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Refuses a path, if there is one, that ends in none of these, or that is of a file which a run or a study writes; `own` is the name of
/// the one that the command itself writes into a run folder.
pub fn check_target<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
    extensions: &[&str],
    own: &str,
) -> Result<(), CliError> {
    for path in paths {
        let shown = path.display();
        if !extensions.iter().any(|extension| ends_in(path, extension)) {
            let accepted = extensions.join(" or .");
            return Err(CliError::Usage(format!("cannot write {shown}: a name that ends in .{accepted} is expected")));
        }
        if RunFolder::owns(path) && path.file_name().is_some_and(|name| name != own) {
            return Err(CliError::Usage(format!(
                "cannot write {shown}: it is a file of the results in that folder; another name, or another folder, is expected"
            )));
        }
    }
    Ok(())
}

/// Refuses paths of which two are the same, as written or from the root on; `nouns` is what they are paths of.
pub fn must_differ<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, nouns: &str) -> Result<(), CliError> {
    let mut seen = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        if seen.contains(&whole) {
            let path = path.display();
            return Err(CliError::Usage(format!("{path} is named twice; {nouns} that differ are expected")));
        }
        seen.push(whole);
    }
    Ok(())
}

/// `out`, or this name in the run folder.
pub fn or_in_run(out: Option<PathBuf>, run: &OpenRun, name: &str) -> PathBuf {
    out.unwrap_or_else(|| run.path.join(name))
}

/// The folder `out`, or that of the run, which is made where it is not there.
pub fn out_folder(out: Option<PathBuf>, run: &OpenRun) -> Result<PathBuf, CliError> {
    let folder = out.unwrap_or_else(|| run.path.clone());
    create_folder(&folder).map_err(RunError::Output)?;
    Ok(folder)
}
