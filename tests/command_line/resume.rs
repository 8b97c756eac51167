//! A run that was interrupted anywhere and resumed ends in the bits of one that was not.

use std::path::Path;

use crate::support::{Place, without_seconds};
use narrows::config::{RunConfig, Source};
use narrows::run::checkpoint::{Identity, Store, decode};
use narrows::run::{Found, Machine, Prepared, RunFolder, RunResult, execute, find_run, prepare};
use narrows::train::{Callback, Cursor, EpochRecord, Event, Flow, Stop};
use narrows_kernels::{Context, Isa};

/// 15 training images in batches of 4: epochs of four steps, the last one of three images.
const CONFIG: &str = r#"
name = "toys"
seed = 3
[data]
set = "toys"
merge = true
[model]
encoder = [{ noise = 0.1 }, { dense = 6, activation = "tanh" }, { dropout = 0.2 }, { dense = 3 }]
decoder = [{ dense = "input", activation = "sigmoid" }]
code_penalty = { l1 = 1e-3 }
[train]
loss = "bce"
batch_size = 4
max_epochs = 6
early_stopping = { patience = 2, min_delta = 1e-4, restore_best = true }
checkpoint = { every_epochs = 1, every_steps = 1 }
[optimizer]
name = "adam"
learning_rate = 3e-2
schedule = { plateau = "val_loss", factor = 0.5, patience = 1 }
"#;

/// Interrupts after so many steps of this process, and keeps what it is told.
#[derive(Default)]
struct Interrupter {
    after: Option<usize>,
    steps: usize,
    notes: Vec<String>,
}

impl Callback<f32> for Interrupter {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if let Event::StepDone { .. } = event {
            self.steps += 1;
        }
        if self.after.is_some_and(|after| self.steps >= after) { Flow::Interrupt } else { Flow::Continue }
    }

    fn on_note(&mut self, sentence: &str) {
        self.notes.push(sentence.to_owned());
    }
}

fn toys(settings: &[&str]) -> (Place, RunConfig, Prepared) {
    let place = Place::with_toys();
    let text = CONFIG.replace("\"toys\"\nmerge", &format!("{:?}\nmerge", place.path("toys")));
    // A variational model has a penalty on its code already.
    let is_variational = settings.iter().any(|setting| setting.starts_with("model.variational"));
    let text = if is_variational { text.replace("code_penalty = { l1 = 1e-3 }", "") } else { text };
    let source = Source::parse(&text, "resume").unwrap();
    let config = settings.iter().fold(source, |source, setting| source.set(setting).unwrap()).into_run().unwrap();
    let prepared = prepare(&config, &[]).unwrap();
    (place, config, prepared)
}

fn machine(isa: Isa, threads: usize) -> Machine {
    Machine { context: Context { isa, ..Context::detect() }, threads }
}

/// Goes on with the run in `path` until it ends or `after` steps are done.
fn go_on(
    path: &Path,
    (config, prepared): (&RunConfig, &Prepared),
    machine: Machine,
    after: Option<usize>,
) -> (RunResult, Vec<String>) {
    let folder = RunFolder::take(path).unwrap();
    let mut listener = Interrupter { after, ..Default::default() };
    let executed = machine.run(|| execute(config, prepared, machine, &folder, &mut listener)).unwrap().unwrap();
    (executed, listener.notes)
}

/// What must not depend on interruptions: the hash of the weights, the history without times, and the names of the files.
fn result(path: &Path, executed: &RunResult) -> (String, Vec<Vec<String>>, Vec<String>) {
    assert!(!matches!(executed.outcome.stop, Stop::Interrupted { .. }));
    let history = std::fs::read_to_string(path.join("history.csv")).unwrap();
    let mut names: Vec<String> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    (executed.weights_sha256.clone(), without_seconds(&history), names)
}

/// Interrupts the run after each of these numbers of steps, one after the other, and compares its end.
fn holds(what: &str, settings: &[&str], after: &[&[usize]]) {
    let (place, config, prepared) = toys(settings);
    let usual = machine(Isa::detect(), 1);
    let whole = place.path("whole");
    let (executed, _) = go_on(&whole, (&config, &prepared), usual, None);
    let expected = result(&whole, &executed);
    for (number, after) in after.iter().enumerate() {
        let path = place.path(&format!("broken-{number}"));
        for &steps in *after {
            let (executed, _) = go_on(&path, (&config, &prepared), usual, Some(steps));
            assert!(matches!(executed.outcome.stop, Stop::Interrupted { .. }), "{what}: the run ended by itself");
        }
        let (executed, notes) = go_on(&path, (&config, &prepared), usual, None);
        assert!(notes.iter().any(|note| note.starts_with("resumed in epoch")), "{notes:?}");
        assert_eq!(result(&path, &executed), expected, "{what}: interrupted after {after:?}");
    }
}

#[test]
fn running_statistics_of_convolutional_runs_go_on() {
    let encoder = r#"model.encoder=[{ conv = 3, activation = "relu" }, { batch-norm = "keras" }, { max-pool = 2 }, { dense = 3 }]"#;
    let decoder = r#"model.decoder=[{ dense = 4 }, { reshape = [2, 2, 1] }, { conv-transpose = 2, stride = 2 }, { batch-norm = "pytorch" }, { conv = 1, activation = "sigmoid" }]"#;
    holds("convolutional", &[encoder, decoder], &[&[1, 1, 5], &[7]]);
}

#[test]
fn every_optimizer_goes_on_to_the_same_bits() {
    for name in ["sgd", "adam", "adamw", "nadam", "adagrad", "adadelta", "rmsprop"] {
        for semantics in ["keras", "pytorch"] {
            let (name, semantics) = (format!("optimizer.name={name}"), format!("optimizer.semantics={semantics}"));
            holds(&format!("{name} {semantics}"), &[&name, &semantics], &[&[6], &[1, 4]]);
        }
    }
}

#[test]
fn every_step_is_one_from_which_a_run_can_go_on() {
    let each: Vec<[usize; 1]> = (1..=14).map(|steps| [steps]).collect();
    let each: Vec<&[usize]> = each.iter().map(|steps| &steps[..]).collect();
    holds("each step", &[], &each);
}

#[test]
fn momentum_clipping_schedules_and_the_absence_of_early_stopping_change_nothing() {
    let sgd = ["optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.nesterov=true", "optimizer.clip_norm=0.1"];
    holds("sgd with momentum", &sgd, &[&[5], &[1; 7]]);
    let plain = ["train.early_stopping=false", "optimizer.schedule={cosine = 6, floor = 0.0}"];
    holds("no early stopping", &plain, &[&[4], &[11, 3, 1]]);
    // Waits from the first epoch on, and restores it.
    let never_better = ["train.early_stopping.min_delta=10.0", "train.loss=mse"];
    holds("the first epoch is the best", &never_better, &[&[5], &[4, 4]]);
}

#[test]
fn what_an_epoch_has_seen_of_the_code_survives_an_interruption_within_it() {
    for (what, settings) in [
        ("sparse", ["model.code_penalty={ kl = 1e-2, rho = 0.2 }"]),
        ("variational", ["model.variational={ beta = 0.5, warmup_epochs = 2 }"]),
        ("contractive", ["model.contractive={ weight = 1e-2 }"]),
        ("denoising", ["model.corruption={ gaussian = 0.2 }"]),
    ] {
        holds(what, &settings, &[&[1], &[2, 3], &[6]]);
    }
}

#[test]
fn threads_and_instruction_sets_may_change_on_the_way() {
    let (place, config, prepared) = toys(&["model.encoder=[{dense = 300}, {dropout = 0.1}]", "train.batch_size=7"]);
    let run = (&config, &prepared);
    let whole = place.path("whole");
    let (executed, _) = go_on(&whole, run, machine(Isa::SCALAR, 1), None);
    let expected = result(&whole, &executed);
    for (number, isa) in Isa::available().into_iter().enumerate() {
        let path = place.path(&format!("mixed-{number}"));
        go_on(&path, run, machine(isa, 2), Some(2));
        go_on(&path, run, machine(Isa::detect(), 1), Some(3));
        let (executed, _) = go_on(&path, run, machine(isa, 3), None);
        assert_eq!(result(&path, &executed), expected, "{}", isa.name());
        println!("{}: the same bits", isa.name());
    }
}

#[test]
fn the_bits_do_not_depend_on_when_checkpoints_are_written() {
    let mut results = Vec::new();
    for checkpoint in ["false", "{ every_epochs = 1 }", "{ every_steps = 1 }", "{ every_steps = 3, every_epochs = 2 }"]
    {
        let (place, config, prepared) = toys(&[&format!("train.checkpoint={checkpoint}")]);
        let path = place.path("run");
        let (executed, _) = go_on(&path, (&config, &prepared), machine(Isa::detect(), 1), None);
        let (weights, history, mut names) = result(&path, &executed);
        // Without checkpoints it keeps no state at its end either.
        assert_eq!(names.contains(&"checkpoint".to_owned()), checkpoint != "false");
        names.retain(|name| name != "checkpoint");
        results.push((weights, history, names));
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{results:?}");
}

#[test]
fn a_finished_run_is_read_back_as_it_was_made() {
    let (place, config, prepared) = toys(&[]);
    let path = place.path("run");
    let folder = RunFolder::take(&path).unwrap();
    assert!(matches!(find_run(&folder, &config, &prepared).unwrap(), Found::Absent));
    drop(folder);
    go_on(&path, (&config, &prepared), machine(Isa::detect(), 1), Some(5));
    let folder = RunFolder::take(&path).unwrap();
    assert!(matches!(find_run(&folder, &config, &prepared).unwrap(), Found::Begun));
    drop(folder);
    let (made, _) = go_on(&path, (&config, &prepared), machine(Isa::detect(), 1), None);
    let folder = RunFolder::take(&path).unwrap();
    let Found::Finished(read) = find_run(&folder, &config, &prepared).unwrap() else { panic!("it is finished") };
    assert_eq!(read.evaluations, made.evaluations);
    assert_eq!(read.weights_sha256, made.weights_sha256);
    assert_eq!((read.outcome.stop, read.outcome.best), (made.outcome.stop, made.outcome.best));
    assert_eq!((&read.outcome.params, read.outcome.restored_best), (&made.outcome.params, made.outcome.restored_best));
    assert_eq!(without_seconds(&read.outcome.history.to_csv()), without_seconds(&made.outcome.history.to_csv()));
    let other = RunConfig { seed: 4, ..config.clone() };
    let refused = find_run(&folder, &other, &prepared).unwrap_err().to_string();
    assert!(refused.contains("seed was 3 when it was begun, and is 4 now"), "{refused}");
}

/// An interrupted run, and the bytes of its two checkpoints.
fn interrupted() -> (Place, RunConfig, Prepared, [Vec<u8>; 2]) {
    let (place, config, prepared) = toys(&[]);
    go_on(&place.path("run"), (&config, &prepared), machine(Isa::detect(), 1), Some(7));
    let bytes = ["last", "previous"].map(|name| place.read(&format!("run/checkpoint/{name}.safetensors")));
    (place, config, prepared, bytes)
}

#[test]
fn a_damaged_checkpoint_is_refused_and_the_one_before_it_used() {
    let (place, config, prepared, [last, previous]) = interrupted();
    let store = Store::new(place.path("run/checkpoint"));
    let whole = place.path("whole");
    let (executed, _) = go_on(&whole, (&config, &prepared), machine(Isa::detect(), 1), None);
    let expected = result(&whole, &executed);
    let (newest, before) = (decode(&last).unwrap(), decode(&previous).unwrap());
    assert_ne!(newest.state.cursor, before.state.cursor);
    let refuses = |what: &str, bytes: &[u8]| {
        assert!(decode(bytes).is_err(), "{what}");
        place.write("run/checkpoint/last.safetensors", bytes);
        let stored = store.read(1 << 30);
        let [refused] = &stored.refused[..] else { panic!("{what}: {:?}", stored.refused) };
        assert!(refused.starts_with("cannot use ") && refused.contains("last.safetensors: it"), "{what}: {refused}");
        assert_eq!(stored.checkpoint.unwrap().1, before, "{what}");
    };
    for at in (0..10).map(|tenth| tenth * last.len() / 10) {
        let mut damaged = last.clone();
        damaged[at] ^= 1;
        refuses(&format!("byte {at}"), &damaged);
        refuses(&format!("cut to {at} bytes"), &last[..at]);
    }
    refuses("one byte more", &[&last[..], &[0]].concat());
    refuses("text", b"epoch,loss\n");

    let (executed, notes) = go_on(&place.path("run"), (&config, &prepared), machine(Isa::detect(), 1), None);
    assert!(
        notes[0].contains("last.safetensors: it is no whole safetensors file")
            && notes[0].contains("previous.safetensors"),
        "{notes:?}"
    );
    assert_eq!(result(&place.path("run"), &executed), expected);
}

#[test]
fn without_a_whole_checkpoint_the_run_is_left_alone() {
    let (place, config, prepared, [last, previous]) = interrupted();
    let shorten = |name: &str, bytes: &[u8]| place.write(name, &bytes[..bytes.len() - 1]);
    shorten("run/checkpoint/last.safetensors", &last);
    shorten("run/checkpoint/previous.safetensors", &previous);
    let folder = RunFolder::take(&place.path("run")).unwrap();
    let usual = machine(Isa::detect(), 1);
    let refused = usual.run(|| execute(&config, &prepared, usual, &folder, &mut ())).unwrap().unwrap_err().to_string();
    for word in ["cannot resume", "last.safetensors", "previous.safetensors", "remove the folder checkpoint"] {
        assert!(refused.contains(word), "{refused}");
    }
    assert_eq!(place.read("run/checkpoint/previous.safetensors").len(), previous.len() - 1);
}

#[test]
fn a_checkpoint_of_another_run_is_refused_by_its_key() {
    let (place, config, prepared, _) = interrupted();
    let usual = machine(Isa::detect(), 1);
    let refused = |config: &RunConfig, prepared: &Prepared| {
        let folder = RunFolder::take(&place.path("run")).unwrap();
        usual.run(|| execute(config, prepared, usual, &folder, &mut ())).unwrap().unwrap_err().to_string()
    };
    let mut other = config.clone();
    other.train.batch_size = 5;
    let said = refused(&other, &prepared);
    assert!(said.contains("train.batch_size was 4 when it was begun, and is 5 now"), "{said}");
    let mut altered = place.read("toys/train-images-idx3-ubyte");
    *altered.last_mut().unwrap() ^= 1;
    place.write("toys/train-images-idx3-ubyte", &altered);
    let said = refused(&config, &prepare(&config, &[]).unwrap());
    assert!(said.contains("data was SHA-256 ") && said.contains("put back the files"), "{said}");
}

#[test]
fn a_checkpoint_of_another_version_is_refused() {
    let (place, config, prepared, [last, _]) = interrupted();
    let checkpoint = decode(&last).unwrap();
    let identity = Identity { version: "0.0.9".to_owned(), ..checkpoint.identity };
    Store::new(place.path("run/checkpoint")).write(&identity, &checkpoint.state).unwrap();
    let folder = RunFolder::take(&place.path("run")).unwrap();
    let usual = machine(Isa::detect(), 1);
    let refused = usual.run(|| execute(&config, &prepared, usual, &folder, &mut ())).unwrap().unwrap_err().to_string();
    assert!(refused.contains("version was 0.0.9 when it was begun, and is "), "{refused}");
}

/// A variational model has a column for each number of its code: 20,000 epochs of 128 numbers are 22 MB of history.
#[test]
fn a_long_run_of_a_large_variational_code_resumes_from_its_checkpoint() {
    let encoder = r#"model.encoder=[{ dense = 128 }]"#;
    let (place, config, prepared) = toys(&[encoder, "model.variational={}", "train.max_epochs=20001"]);
    let path = place.path("run");
    go_on(&path, (&config, &prepared), machine(Isa::detect(), 1), Some(7));
    let last = path.join("checkpoint/last.safetensors");
    let mut checkpoint = decode(&std::fs::read(&last).unwrap()).unwrap();
    let state = &mut checkpoint.state;
    let steps = prepared.loaded.train().len().div_ceil(config.train.batch_size) as u64;
    let first = state.history.epochs[0].clone();
    assert_eq!(first.scalars.len(), 3 + 128);
    state.history.epochs = (1..=20_000).map(|epoch| EpochRecord { epoch, ..first.clone() }).collect();
    state.cursor = Cursor { epoch: 20_001, step: 0 };
    (state.sums, state.metrics) = Default::default();
    state.phases[0].updates = 20_000 * steps;
    state.phases[0].rate.epoch = 20_000;
    Store::new(path.join("checkpoint")).write(&checkpoint.identity, state).unwrap();
    let (executed, notes) = go_on(&path, (&config, &prepared), machine(Isa::detect(), 1), None);
    assert_eq!(notes, ["resumed in epoch 20001 after step 0"]);
    assert_eq!(executed.outcome.history.epochs.len(), 20_001);
}
