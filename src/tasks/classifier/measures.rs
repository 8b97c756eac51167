//! What a run of a classifier asks of it: figures, tables and pictures.

use serde_json::{Value, json};

use super::ClassifierTask;
use super::tally::{MOST_TOP, Tally, largest, log_probability};
use crate::data::{Samples, Splits};
use crate::nn::{Init, Part, Sequential, summarise};
use crate::tape::Arena;
use crate::tasks::measures::shown_part;
use crate::tasks::trainable::{Cell, Content, Origin, Picture, Table, Trainable, Weights};

/// Images in `hardest.png`.
const HARDEST: usize = 10;

impl Trainable for ClassifierTask {
    fn parts(&self) -> Vec<Part<'_>> {
        vec![("encoder", &self.encoder), ("head", &self.head)]
    }

    fn initialiser(&self) -> Init {
        self.init
    }

    fn origin(&self) -> Option<Origin<'_>> {
        self.encoder_from.as_deref().map(|run| Origin { run, prefix: "encoder" })
    }

    fn summary(&self) -> String {
        summarise("classifier", self.encoder.input(), &self.parts())
    }

    fn loss_name(&self) -> &'static str {
        "cross-entropy"
    }

    fn loss_label(&self) -> &'static str {
        "cross-entropy (nats per image)"
    }

    /// images; loss, without smoothing; accuracy; top, the shares of images whose class is among the one, two, three, … largest scores;
    /// confusion, for each class how many of its images had their largest score at each class.
    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value {
        let (mut sum, mut tally) = (0.0, Tally::new(self.classes.len()));
        self.each_batch(weights.context, weights.params, samples, arena, |loss, scores, labels| {
            sum += loss * labels.len() as f64;
            tally.add(scores, labels);
        });
        let mut figures = tally.to_json();
        figures["loss"] = json!(sum / samples.len() as f64);
        figures
    }

    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table> {
        let shown: Vec<usize> = [2, 3, 5].into_iter().filter(|&k| k < self.classes.len() && k <= MOST_TOP).collect();
        let row = |(name, figures): &(&'static str, Value)| {
            let [loss, accuracy] = ["loss", "accuracy"].map(|key| Cell::of(figures, key, 4));
            let mut row = vec![(*name).into(), (&figures["images"]).into(), loss, accuracy];
            row.extend(shown.iter().map(|k| Cell::Number(figures["top"][k - 1].as_f64().unwrap_or(f64::NAN), 4)));
            row
        };
        let mut header = ["", "images", self.loss_name(), "accuracy"].map(str::to_owned).to_vec();
        header.extend(shown.iter().map(|k| format!("top {k}")));
        let mut tables = vec![Table { title: String::new(), header, rows: parts.iter().map(row).collect() }];
        if let Some((name, figures)) = parts.last() {
            let numbered = self.classes.iter().enumerate();
            let row = |(number, class): (usize, &String)| {
                let mut row: Vec<Cell> = vec![format!("{number} {class}").into()];
                row.extend((0..self.classes.len()).map(|column| Cell::from(&figures["confusion"][number][column])));
                row
            };
            let title = format!("The {name} images of each class, by the class that has their largest score:");
            let header = std::iter::once(String::new()).chain((0..self.classes.len()).map(|class| class.to_string()));
            tables.push(Table { title, header: header.collect(), rows: numbered.map(row).collect() });
        }
        tables
    }

    fn picture_files(&self, loaded: &Splits) -> Vec<(&'static str, String)> {
        let (part, _) = shown_part(loaded);
        vec![
            ("confusion.png", format!("the {part} images of each class, by the class that has their largest score")),
            (
                "hardest.png",
                format!(
                    "the {part} images whose class has the least probability, and after the arrow what they are taken for"
                ),
            ),
        ]
    }

    fn pictures(&self, weights: Weights<'_>, loaded: &Splits) -> Vec<Picture> {
        let (part, samples) = shown_part(loaded);
        let classes = self.classes.len();
        let mut tally = Tally::new(classes);
        let mut arena = Arena::default();
        // ln p of the right class, the number of the image, the right class and the one of the largest score.
        let mut images: Vec<(f64, usize, [usize; 2])> = Vec::new();
        self.each_batch(weights.context, weights.params, samples, &mut arena, |_, scores, labels| {
            tally.add(scores, labels);
            for (row, &label) in scores.chunks_exact(classes).zip(labels) {
                let label = usize::from(label);
                images.push((log_probability(row, label), images.len(), [label, largest(row)]));
            }
        });
        images.sort_by(|a, b| a.0.total_cmp(&b.0));
        images.truncate(HARDEST);
        let indices: Vec<u32> = images.iter().map(|&(_, number, _)| samples.indices[number]).collect();
        let named = |&(_, _, classes): &(f64, usize, [usize; 2])| {
            let [is, taken] = classes.map(|class| self.classes[class].as_str());
            if is == taken { is.to_owned() } else { format!("{is} → {taken}") }
        };
        let title = format!("{part} images of each class");
        let confusion = Content::Confusion { title, classes: self.classes.clone(), counts: tally.confusion };
        let hardest = Content::Images {
            images: Samples { data: samples.data, indices: &indices }.to_array(),
            beside: HARDEST,
            columns: images.iter().map(named).collect(),
        };
        Picture::of(self.picture_files(loaded), [confusion, hardest])
    }

    fn encoder(&self) -> Option<&Sequential> {
        Some(&self.encoder)
    }
}
