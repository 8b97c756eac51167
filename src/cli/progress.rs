//! Progress of training: a bar on a terminal, a line for each epoch elsewhere.

use super::bars::{Bar, Bars};
use super::interrupt;
use super::output::note;
use narrows::figures::number::significant;
use narrows::train::TrainSettings;
use narrows::train::{Callback, EpochRecord, Event, Flow};

/// The progress of one run.
pub struct RunProgress {
    label: String,
    epochs: usize,
    patience: Option<usize>,
    /// Epochs since the last that early stopping took as better.
    waited: usize,
    bar: Option<Bar>,
}

impl RunProgress {
    /// Progress of a run that is alone.
    pub fn new(config: &TrainSettings, terminal: bool) -> Self {
        Self::labelled(String::new(), config, terminal.then(|| Bars::default().add()))
    }

    /// Progress of one of several runs, called `name`, among the bars of `all` if there is a terminal.
    pub fn among(all: Option<&Bars>, name: &str, config: &TrainSettings) -> Self {
        Self::labelled(format!("{name}: "), config, all.map(Bars::add))
    }

    fn labelled(label: String, config: &TrainSettings, bar: Option<Bar>) -> Self {
        let patience = config.early_stopping.as_ref().map(|stopping| stopping.patience);
        RunProgress { label, epochs: config.max_epochs, patience, waited: 0, bar }
    }

    fn line(&self, record: &EpochRecord, names: &[String]) -> String {
        let validation = if record.val_loss.is_nan() {
            String::new()
        } else {
            format!("  val_loss {}", significant(record.val_loss, 4))
        };
        // Those of single numbers of a code (kl_0, kl_1, …) would fill the line.
        let scalars =
            names.iter().zip(&record.scalars).filter(|(name, _)| !name.ends_with(|c: char| c.is_ascii_digit()));
        let scalars: String = scalars.map(|(name, value)| format!("  {name} {}", significant(*value, 3))).collect();
        let mark = match self.patience {
            Some(patience) if self.waited > 0 => format!("  patience {}/{patience}", self.waited),
            _ => String::new(),
        };
        format!(
            "{}epoch {:>3}/{}  loss {}{validation}{scalars}  {:.2} s{mark}",
            self.label,
            record.epoch,
            self.epochs,
            significant(record.loss, 4),
            record.seconds,
        )
    }
}

impl Callback<f32> for RunProgress {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if let Event::EpochDone { improved: Some(improved), .. } = event {
            self.waited = if improved { 0 } else { self.waited + 1 };
        }
        match (event, &self.bar) {
            (Event::StepDone { epoch, step, steps, loss }, Some(bar)) => {
                let before = format!("{}epoch {epoch}/{}  loss {}", self.label, self.epochs, significant(loss, 4));
                bar.show(&before, step as u64, steps as u64, &format!("{step}/{steps}"));
            }
            (Event::EpochDone { record, names, .. }, Some(bar)) => bar.print(&self.line(record, names)),
            (Event::EpochDone { record, names, .. }, None) => note(&self.line(record, names)),
            (Event::StepDone { .. }, None) => {}
        }
        if interrupt::is_asked() { Flow::Interrupt } else { Flow::Continue }
    }

    fn on_note(&mut self, sentence: &str) {
        let line = format!("{}{sentence}", self.label);
        match &self.bar {
            Some(bar) => bar.print(&line),
            None => note(&line),
        }
    }
}
