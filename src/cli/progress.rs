//! Progress of training: a line for each epoch, and on a terminal a bar.

use super::bars::Bar;
use super::interrupt;
use super::output::note;
use narrows::figures::number::significant;
use narrows::train::{Callback, EpochRecord, Event, Flow, TrainSettings};

/// The progress of one run.
pub struct RunProgress {
    label: String,
    epochs: usize,
    patience: Option<usize>,
    bar: Bar,
}

impl RunProgress {
    /// Progress of a run whose lines begin with `label`.
    pub fn new(label: String, config: &TrainSettings) -> Self {
        let patience = config.early_stopping.as_ref().map(|stopping| stopping.patience);
        RunProgress { label, epochs: config.max_epochs, patience, bar: Bar::new() }
    }

    fn line(&self, record: &EpochRecord, names: &[String], waited: usize) -> String {
        let validation = if record.val_loss.is_nan() {
            String::new()
        } else {
            format!("  val_loss {}", significant(record.val_loss, 4))
        };
        // Those of single numbers of a code (kl_0, kl_1, …) would fill the line, and without validation images there are none of them.
        let is_left_out = |name: &str| {
            name.ends_with(|c: char| c.is_ascii_digit()) || (name.starts_with("val_") && record.val_loss.is_nan())
        };
        let scalars = names.iter().zip(&record.scalars).filter(|(name, _)| !is_left_out(name));
        let scalars: String = scalars.map(|(name, value)| format!("  {name} {}", significant(*value, 3))).collect();
        let mark = match self.patience {
            Some(patience) if waited > 0 => format!("  patience {waited}/{patience}"),
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
        match event {
            Event::StepDone { epoch, step, steps, loss } if self.bar.is_drawn() => {
                let before = format!("{}epoch {epoch}/{}  loss {}", self.label, self.epochs, significant(loss, 4));
                self.bar.show(&before, step as u64, steps as u64, format!("{step}/{steps}"));
            }
            Event::StepDone { .. } => {}
            Event::EpochDone { record, names, waited, .. } => note(&self.line(record, names, waited)),
        }
        if interrupt::is_asked() { Flow::Interrupt } else { Flow::Continue }
    }

    fn on_note(&mut self, sentence: &str) {
        note(&format!("{}{sentence}", self.label));
    }
}
