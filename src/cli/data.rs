//! `narrows data`.

use std::path::{Path, PathBuf};

use super::CliError;
use super::args::{DataCommand, Drawn};
use super::bars::Bar;
use super::machine::check_data_dir;
use super::output::{note, say, table};
use narrows::data::draw::{DEFAULT_PER_CLASS, faces};
use narrows::data::{
    Catalog, CatalogSet, DRAWN_FACES, DRAWN_SET, FetchOptions, Fetched, FileStatus, Progress, Published, Samples,
    Splits, data_dirs, fetch, load, locate, verify,
};
use narrows::figures::number::counted;
use narrows::files::{argument, create_folder};
use narrows::run::{OpenRun, RunError};

/// Lists, verifies, fetches or draws data sets, in `data_dir` where it is given.
pub fn run(command: DataCommand, data_dir: Option<&Path>) -> Result<(), CliError> {
    // The others make the folder.
    if !matches!(command, DataCommand::Fetch { .. } | DataCommand::Make { .. }) {
        check_data_dir(data_dir)?;
    }
    let directories = data_dirs(data_dir);
    match command {
        DataCommand::List => list(&directories),
        DataCommand::Verify { names } => verify_sets(&names, &directories),
        DataCommand::Fetch { names } => fetch_sets(&names, &directories),
        DataCommand::Make { set, per_class, seed, out } => {
            let name = if set == Drawn::Footwear { DRAWN_SET } else { DRAWN_FACES };
            let out = out.unwrap_or_else(|| first(&directories).join(name));
            match (set, per_class) {
                (Drawn::Footwear, per_class) => {
                    let per_class = per_class.map_or(DEFAULT_PER_CLASS, |n| n as usize);
                    make(&Published::footwear(seed, per_class)?, &out)
                }
                (Drawn::DrawnFaces, None) => make(&Published::faces(seed)?, &out),
                (Drawn::DrawnFaces, Some(_)) => Err(CliError::Usage(format!(
                    "--per-class is for footwear: {DRAWN_FACES} has no classes and always {} frames",
                    faces::FRAMES
                ))),
            }
        }
        DataCommand::Export { run, out } => export(&run, &out, &directories),
    }
}

fn first(directories: &[PathBuf]) -> &Path {
    directories.first().map_or(Path::new("data"), PathBuf::as_path)
}

fn list(directories: &[PathBuf]) -> Result<(), CliError> {
    let catalog = Catalog::builtin();
    let width = catalog.sets.iter().map(|set| set.name.len()).max().unwrap_or(0);
    for set in &catalog.sets {
        let place = match locate(directories, set) {
            Ok(folder) => format!("in {}", folder.display()),
            Err(_) => format!("absent: `narrows data fetch {}`", set.name),
        };
        say!("{:<width$}  {} ({})\n{:<width$}  {place}", set.name, set.title, set.licence, "");
    }
    for (name, title) in [
        (DRAWN_SET, "Sandals, sneakers and ankle boots drawn by the program"),
        (DRAWN_FACES, "2,000 frames of one face drawn by the program, pose and expression varying smoothly"),
    ] {
        say!("{name:<width$}  {title}\n{:<width$}  built in", "");
    }
    Ok(())
}

fn verify_sets(names: &[String], directories: &[PathBuf]) -> Result<(), CliError> {
    let catalog = Catalog::builtin();
    let sets: Vec<(&CatalogSet, PathBuf)> = if names.is_empty() {
        catalog.sets.iter().filter_map(|set| locate(directories, set).ok().map(|folder| (set, folder))).collect()
    } else {
        let found = names.iter().map(|name| {
            let set = catalog.find(name)?;
            let folder = locate(directories, set).unwrap_or_else(|_| set.folder_in(first(directories)));
            Ok((set, folder))
        });
        found.collect::<Result<_, CliError>>()?
    };
    if sets.is_empty() {
        say!("No catalogued set is here; `narrows data list` names them.");
    }
    let mut bad = 0;
    for (set, folder) in sets {
        say!("{} in {}", set.name, folder.display());
        for report in verify(set, &folder) {
            say!("  {:<28} {}", report.file, report.status);
            bad += usize::from(report.status != FileStatus::Ok);
        }
    }
    match bad {
        0 => Ok(()),
        _ => Err(CliError::Failed(format!("{bad} of the files are not what was published; fetch them again"))),
    }
}

fn fetch_sets(names: &[String], directories: &[PathBuf]) -> Result<(), CliError> {
    let catalog = Catalog::builtin();
    let sets = names.iter().map(|name| catalog.find(name)).collect::<Result<Vec<_>, _>>()?;
    for set in sets {
        let folder = set.folder_in(first(directories));
        let mut shown = None;
        let fetched = fetch(set, &folder, &FetchOptions::default(), &mut |progress| show(&mut shown, progress));
        drop(shown);
        for Fetched { file, mirror } in fetched? {
            match mirror {
                None => say!("{file}: already there and whole"),
                Some(mirror) => say!("{file}: fetched from {mirror} and verified"),
            }
        }
        say!("{} is in {}", set.name, folder.display());
    }
    Ok(())
}

/// A bar for each file on a terminal, a line elsewhere; `shown` is the file that was shown last, and its bar.
fn show(shown: &mut Option<(String, Bar)>, progress: Progress<'_>) {
    let known = shown.take().filter(|(file, _)| file == progress.file);
    let is_new = known.is_none();
    let (file, bar) = shown.insert(known.unwrap_or_else(|| (progress.file.to_owned(), Bar::new())));
    if is_new && !bar.is_drawn() {
        note(&format!("{file}: from {}", progress.mirror));
    }
    let done = progress.bytes as f64 / 1e6;
    let of = progress.total.map_or(String::new(), |total| format!("/{:.1}", total as f64 / 1e6));
    let after = format!("{done:.1}{of} MB, {:.1} MB/s", done / bar.seconds().max(1e-3));
    bar.show(file, progress.bytes, progress.total.unwrap_or(0), after);
}

fn make(published: &Published, out: &Path) -> Result<(), CliError> {
    create_for_images(out)?;
    let (train, test) = published.parts();
    load::save(out, &train, test.as_ref())?;
    let classes = match train.class_names.as_slice() {
        [] => String::new(),
        names => format!(" of {}", names.join(", ")),
    };
    let (count, tested) = (train.len(), test.map_or(0, |test| test.len()));
    let [height, width, _] = train.shape();
    say!("{} pictures{classes} of {height}×{width} pixels in {}", count + tested, out.display());
    say!("{count} are for training and {tested} for testing. Train on them with `--set data.set={}`.", argument(out));
    Ok(())
}

fn export(run: &Path, out: &Path, directories: &[PathBuf]) -> Result<(), CliError> {
    let run = OpenRun::open(run, directories)?;
    create_for_images(out)?;
    let loaded = &run.prepared.loaded;
    for ((name, part), prefix) in loaded.parts().into_iter().zip(["train", "validation", "t10k"]) {
        if !part.is_empty() {
            load::save_part(out, prefix, &loaded.data.subset(part.indices))?;
            say!(
                "{name}: {} in {}",
                counted(part.len(), "image"),
                out.join(format!("{prefix}-images-idx3-ubyte")).display()
            );
        }
    }
    Ok(())
}

/// Creates the folder `out`, or takes it if it holds no images, labels or names of classes, packed or not.
fn create_for_images(out: &Path) -> Result<(), CliError> {
    let of_part = |prefix: &str| ["images-idx3-ubyte", "labels-idx1-ubyte"].map(|kind| format!("{prefix}-{kind}"));
    let names = ["train", "validation", "t10k"].into_iter().flat_map(of_part);
    let mut names = names.flat_map(|name| [format!("{name}.gz"), name]).chain([load::CLASS_NAMES.to_owned()]);
    if let Some(found) = names.find(|name| out.join(name).exists()) {
        return Err(CliError::Usage(format!(
            "{} already holds images or names of their classes ({found}); nothing was changed. Give another folder with --out, or remove \
             that one",
            out.display()
        )));
    }
    Ok(create_folder(out).map_err(RunError::Output)?)
}

/// Says what the data are, and how the classes are distributed over the parts.
pub fn describe(loaded: &Splits) {
    let data = &loaded.data;
    let used: usize = loaded.parts().iter().map(|(_, part)| part.len()).sum();
    let of = if used < data.len() { format!(" of {}", data.len()) } else { String::new() };
    let [height, width, channels] = data.shape();
    let colour = if channels == 3 { " in colour" } else { "" };
    say!("{}: {used}{of} images of {height}×{width} pixels{colour}, {}", data.name, loaded.origin);
    let classes = loaded.class_distributions();
    let named = |number: usize| classes.get(number).map_or(&[][..], |(_, counts)| counts);
    let header = ["", "images"].into_iter().chain(named(0).iter().map(|(class, _)| class.as_ref()));
    let row = |(number, (name, part)): (usize, &(&str, Samples<'_>))| {
        let counts = named(number).iter().map(|(_, count)| count.to_string());
        [(*name).to_owned(), part.len().to_string()].into_iter().chain(counts).collect()
    };
    let rows: Vec<Vec<String>> = loaded.parts().iter().enumerate().map(row).collect();
    table(&header.collect::<Vec<&str>>(), &rows);
}
