//! Progress of training: a bar on a terminal, a line for each epoch elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::interrupt;
use super::output::{colour, note};
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
    bar: Option<ProgressBar>,
}

impl RunProgress {
    /// Progress of a run that is alone.
    pub fn new(config: &TrainSettings, terminal: bool) -> Self {
        Self::labelled(String::new(), config, terminal.then(|| styled(ProgressBar::new(0))))
    }

    /// Progress of one of several runs, called `name`, among the bars of `all` if there is a terminal.
    pub fn among(all: Option<&MultiProgress>, name: &str, config: &TrainSettings) -> Self {
        Self::labelled(format!("{name}: "), config, all.map(|all| styled(all.add(ProgressBar::new(0)))))
    }

    fn labelled(label: String, config: &TrainSettings, bar: Option<ProgressBar>) -> Self {
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

fn styled(bar: ProgressBar) -> ProgressBar {
    let template = if colour() {
        "{prefix}epoch {msg} {bar:24.cyan/blue} {pos}/{len}"
    } else {
        "{prefix}epoch {msg} {bar:24} {pos}/{len}"
    };
    let style = ProgressStyle::with_template(template).expect("the template is fixed").progress_chars("━╸─");
    bar.with_style(style)
}

impl Callback<f32> for RunProgress {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if let Event::EpochDone { improved: Some(improved), .. } = event {
            self.waited = if improved { 0 } else { self.waited + 1 };
        }
        match (event, &self.bar) {
            (Event::StepDone { epoch, step, steps, loss }, Some(bar)) => {
                if step == 1 {
                    bar.set_prefix(self.label.clone());
                    bar.set_length(steps as u64);
                }
                bar.set_message(format!("{epoch}/{}  loss {}", self.epochs, significant(loss, 4)));
                bar.set_position(step as u64);
            }
            (Event::EpochDone { record, names, .. }, Some(bar)) => bar.println(self.line(record, names)),
            (Event::EpochDone { record, names, .. }, None) => note(&self.line(record, names)),
            (Event::StepDone { .. }, None) => {}
        }
        if interrupt::is_asked() { Flow::Interrupt } else { Flow::Continue }
    }

    fn on_note(&mut self, sentence: &str) {
        let line = format!("{}{sentence}", self.label);
        match &self.bar {
            Some(bar) => bar.println(line),
            None => note(&line),
        }
    }
}

impl Drop for RunProgress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
