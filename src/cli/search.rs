//! `narrows search`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use super::CliError;
use super::args::SearchArguments;
use super::bars::Bar;
use super::output::{duration, json, note, path_json, say, table};
use super::{interrupt, machine, source, study};
use serde_json::{Map, Value, json};

use narrows::config::SearchConfig;
use narrows::data::data_dirs;
use narrows::figures::number::{counted, significant};
use narrows::files::argument;
use narrows::run::{Machine, Trials};
use narrows::search::{End, Outcome, Point, Running};
use narrows::study::is_small;
use narrows::study::search::{Arm, SEARCH, SearchObserver, SearchResult, run_search};
use narrows::train::{Callback, Event, Flow};

/// Searches a space, or goes on with a search.
pub fn run(arguments: SearchArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let data_dirs = data_dirs(arguments.machine.data_dir.as_deref());
    let (config, out) = configure(&arguments)?;
    let result = make(config, &out, arguments.jobs.map(usize::from), machine, &data_dirs)?;
    json(|| to_json(&result, &out));
    if result.interrupted {
        say!("\n`narrows search --resume {}` goes on.", argument(&out));
        return Err(CliError::Interrupted);
    }
    Ok(())
}

/// Makes every trial of `config` that `out` does not hold already, and says what was found.
pub fn make(
    config: SearchConfig,
    out: &Path,
    jobs: Option<usize>,
    machine: Machine,
    data_dirs: &[PathBuf],
) -> Result<SearchResult, CliError> {
    let middle = config.middle_run()?;
    let prepared = Trials::new(&config, data_dirs, out)?.prepare(&middle)?;
    let jobs = jobs.unwrap_or(if is_small(&middle, &prepared) { machine.threads } else { 1 });
    let settings = &config.settings;
    // More jobs than the window would have nothing to do.
    let jobs = jobs.min(settings.window).min(settings.trials);
    super::data::describe(&prepared.loaded);
    let arms = settings.arms().len();
    say!(
        "\nSearch: {} of {}, {}{}, {jobs} at a time, on {} ({})\n",
        counted(config.space.len(), "parameter"),
        middle.name,
        counted(settings.trials, "trial"),
        if arms > 1 { format!(" of each of {arms} samplers and pruners") } else { String::new() },
        counted(machine.threads, "thread"),
        machine.context.isa.name(),
    );
    interrupt::listen();
    let progress = SearchProgress::new(&config);
    let result = run_search(config.clone(), data_dirs, out, machine, jobs, &progress)?;
    drop(progress);
    conclude(&result, out);
    Ok(result)
}

/// What the arguments ask for, and where to.
fn configure(arguments: &SearchArguments) -> Result<(SearchConfig, PathBuf), CliError> {
    let (source, begun) = match (&arguments.config, &arguments.resume) {
        (Some(name), _) => (source::find(name)?.0, None),
        (None, Some(folder)) => {
            let file = folder.join(SEARCH);
            if !file.is_file() {
                let folder = folder.display();
                return Err(CliError::Usage(format!(
                    "{folder} has no {SEARCH}; the folder that `narrows search` wrote is expected"
                )));
            }
            (source::read(&file)?, Some(folder))
        }
        (None, None) => unreachable!("one of them is required"),
    };
    let source = if arguments.quick { source.quick()? } else { source };
    let list = |key: &str, values: &[String]| {
        let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        (!values.is_empty()).then(|| format!("search.{key}=[{}]", values.join(", ")))
    };
    let further = [
        arguments.trials.map(|trials| format!("search.trials={trials}")),
        arguments.seed.map(|seed| format!("search.seed={seed}")),
        list("samplers", &arguments.sampler),
        list("pruners", &arguments.pruner),
    ];
    let settings: Vec<String> = arguments.set.iter().cloned().chain(further.into_iter().flatten()).collect();
    let config = source::settle(source, &settings, None)?.into_search()?;
    let out = match (begun, &arguments.out) {
        (Some(folder), _) => folder.clone(),
        (None, Some(out)) => out.clone(),
        (None, None) => study::first_free(&Path::new("runs").join(format!("{}-search", config.middle_run()?.name))),
    };
    if begun.is_none() && out.join(SEARCH).exists() {
        let (shown, resume) = (out.display(), argument(&out));
        return Err(CliError::Usage(format!(
            "{shown} already holds a search ({SEARCH}); nothing was changed. `narrows search --resume {resume}` goes on with it, another \
             search needs another folder (--out)"
        )));
    }
    Ok((config, out))
}

/// What is done and left of a sampler's trials.
struct SearchProgress<'a> {
    config: &'a SearchConfig,
    state: Mutex<State>,
}

struct State {
    began: Instant,
    label: String,
    /// Trials that are done, and those of them that were made now.
    done: [usize; 2],
    best: Option<(usize, f64)>,
    bar: Option<Bar>,
}

impl<'a> SearchProgress<'a> {
    fn new(config: &'a SearchConfig) -> Self {
        let state = State { began: Instant::now(), label: String::new(), done: [0; 2], best: None, bar: None };
        SearchProgress { config, state: Mutex::new(state) }
    }
}

impl State {
    /// What is left at the pace so far.
    fn left(&self, all: usize) -> String {
        let [done, now] = self.done;
        let left = all.saturating_sub(done);
        if now == 0 || left == 0 {
            return String::new();
        }
        let seconds = self.began.elapsed().as_secs_f64() / now as f64 * left as f64;
        format!("about {} left", duration(seconds))
    }
}

impl SearchObserver for SearchProgress<'_> {
    fn arm(&self, arm: Arm, made: usize) {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        if made > 0 {
            note(&format!("{}: {} made before, kept", arm.name(), counted(made, "trial")));
        }
        *state = State { began: Instant::now(), label: arm.name(), done: [made, 0], best: None, bar: Some(Bar::new()) };
    }

    fn begin(&self, running: &Running<'_>) -> Box<dyn Callback<f32>> {
        let label = self.state.lock().expect("nobody panics while holding it").label.clone();
        Box::new(TrialProgress { label: format!("{label}: trial {}", running.number), bar: Bar::new() })
    }

    fn winner(&self) -> Box<dyn Callback<f32>> {
        note("the best trial is made as a run of its own");
        Box::new(TrialProgress { label: "the best trial".to_owned(), bar: Bar::new() })
    }

    fn end(&self, number: usize, point: &Point, outcome: &Outcome) {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        let settings = &self.config.settings;
        let sign = settings.direction.sign();
        state.done = state.done.map(|done| done + 1);
        if let Some(value) = outcome.value()
            && state.best.is_none_or(|(_, best)| sign * value < sign * best)
        {
            state.best = Some((number, value));
        }
        let epochs = counted(outcome.reports.len(), settings.step());
        let what = match &outcome.end {
            End::Complete(value) => format!("{} {}", settings.objective, significant(*value, 5)),
            End::Pruned => format!("pruned after {epochs}"),
            End::Failed(reason) => format!("failed: {reason}"),
        };
        let names = self
            .config
            .space
            .parameters()
            .iter()
            .map(|parameter| parameter.name.rsplit('.').next().unwrap_or_default());
        let values = names.zip(point).enumerate().filter_map(|(parameter, (name, value))| {
            Some(format!("{name} {}", self.config.word(parameter, (*value)?)))
        });
        let best =
            state.best.map_or(String::new(), |(at, best)| format!("; best {} (trial {at})", significant(best, 5)));
        let left = state.left(settings.trials);
        let tail = if left.is_empty() { best.clone() } else { format!("{best}; {left}") };
        let values = values.collect::<Vec<_>>().join(", ");
        note(&format!("{}: trial {number}: {what} ({values}){tail}", state.label));
        if let Some(bar) = &state.bar {
            let before = format!("{}{best}", state.label);
            let (done, all) = (state.done[0], settings.trials);
            bar.show(&before, done as u64, all as u64, format!("{done}/{all} {left}"));
        }
    }

    fn note(&self, sentence: &str) {
        note(sentence);
    }

    fn is_interrupted(&self) -> bool {
        interrupt::is_asked()
    }
}

/// A bar for a trial under way.
struct TrialProgress {
    label: String,
    bar: Bar,
}

impl Callback<f32> for TrialProgress {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if let Event::StepDone { epoch, step, steps, loss } = event
            && self.bar.is_drawn()
        {
            let before = format!("{}, epoch {epoch}  loss {}", self.label, significant(loss, 4));
            self.bar.show(&before, step as u64, steps as u64, format!("{step}/{steps}"));
        }
        if interrupt::is_asked() { Flow::Interrupt } else { Flow::Continue }
    }

    fn on_note(&mut self, sentence: &str) {
        note(&format!("{}: {sentence}", self.label));
    }
}

/// What was found, for other programs.
pub fn to_json(result: &SearchResult, out: &Path) -> Value {
    let best = result.best().map(|(arm, trial)| {
        let names = result.config.space.parameters().iter().map(|parameter| parameter.name.clone());
        let word = |(number, value): (usize, &Option<f64>)| value.map(|value| result.config.word(number, value));
        let values: Map<String, Value> = names.zip(trial.point.iter().enumerate().map(word).map(Value::from)).collect();
        json!({
            "sampler": arm.name(),
            "trial": trial.number,
            "objective": trial.value(),
            "values": values,
            "test": result.test,
        })
    });
    let objective = &result.config.settings.objective;
    json!({ "folder": path_json(out), "objective": objective, "interrupted": result.interrupted, "best": best })
}

fn conclude(result: &SearchResult, out: &Path) {
    let settings = &result.config.settings;
    let rows: Vec<Vec<String>> = result
        .arms
        .iter()
        .map(|one| {
            let outcomes = || one.search.trials().iter().filter_map(|trial| trial.result.as_ref());
            let count = |state: &str| outcomes().filter(|outcome| outcome.state() == state).count().to_string();
            let best = one.search.best().and_then(|best| best.value());
            let epochs: usize = outcomes().map(|outcome| outcome.reports.len()).sum();
            vec![
                one.arm.name(),
                count("complete"),
                count("pruned"),
                count("failed"),
                epochs.to_string(),
                best.map_or("-".to_owned(), |best| significant(best, 5)),
            ]
        })
        .collect();
    let best = format!("best {}", settings.objective);
    say!("");
    let steps = format!("{}s", settings.step());
    table(&["sampler", "complete", "pruned", "failed", &steps, &best], &rows);
    for one in result.arms.iter().filter(|one| one.search.trials().len() < settings.trials && !result.interrupted) {
        say!("\n{}: the grid has {} and no more.", one.arm.name(), counted(one.search.trials().len(), "point"));
    }
    say!("\nSearch folder: {}", out.display());
    say!("  {:<16}how the search went and what matters: open it in a browser", "report.html");
    say!("  {:<16}a row for each trial", "trials.csv");
    if result.best().is_some() {
        let whose = if result.is_best_written { "the best trial" } else { "an earlier best trial" };
        say!("  {:<16}the configuration of {whose}, for `narrows train`", "best.toml");
    }
    if let Some(test) = &result.test {
        say!("  {:<16}the best trial as a run; its test images chose nothing", "best/");
        let figures = ["loss", "mse", "nrmse", "accuracy"]
            .iter()
            .filter_map(|key| test[key].as_f64().map(|value| format!("{key} {}", significant(value, 4))));
        say!("\nThe best trial on the test images: {}", figures.collect::<Vec<_>>().join(", "));
    }
}
