//! What a run of pairs of views asks of them: figures, tables and pictures.

use ndarray::Array2;
use serde_json::{Value, json};

use super::Simclr;
use crate::data::{Samples, Splits};
use crate::nn::{Draws, Init, Part, Sequential, summarise};
use crate::tape::Arena;
use crate::tasks::measures::shown_part;
use crate::tasks::trainable::{Cell, Content, Picture, Table, Trainable, Weights};
use crate::train::{Metrics, Task};

/// Images in `views.png`.
const SHOWN: usize = 15;

impl Trainable for Simclr {
    fn parts(&self) -> Vec<Part<'_>> {
        vec![("encoder", &self.encoder), ("head", &self.head)]
    }

    fn initialiser(&self) -> Init {
        self.spec.init
    }

    fn summary(&self) -> String {
        summarise("simclr", self.encoder.input(), &self.parts())
    }

    fn loss_name(&self) -> &'static str {
        self.spec.contrast.name()
    }

    fn loss_label(&self) -> &'static str {
        "contrastive loss (nats per view)"
    }

    /// The loss of views that are the same each time, in batches of the size that validation takes.
    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value {
        let loss = self.validate(weights.context, weights.params, samples, arena, &mut Metrics::default());
        json!({ "images": samples.len(), "loss": loss })
    }

    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table> {
        let row = |(name, figures): &(&'static str, Value)| {
            vec![(*name).into(), (&figures["images"]).into(), Cell::of(figures, "loss", 4)]
        };
        let header = ["", "images", self.loss_name()].map(str::to_owned).to_vec();
        vec![Table { title: String::new(), header, rows: parts.iter().map(row).collect() }]
    }

    fn picture_files(&self, loaded: &Splits) -> Vec<(&'static str, String)> {
        let (part, _) = shown_part(loaded);
        vec![("views.png", format!("the first {part} images above two views of each"))]
    }

    fn pictures(&self, _: Weights<'_>, loaded: &Splits) -> Vec<Picture> {
        let images = shown_part(loaded).1.first(SHOWN);
        let (count, features) = (images.len(), images.features());
        let mut all = vec![0.0; 3 * count * features];
        let (originals, views) = all.split_at_mut(count * features);
        images.data.gather(images.indices, originals);
        self.views(images, Draws::default(), views);
        let all = Array2::from_shape_vec((3 * count, features), all).expect("three rows of images");
        let content = Content::Images { images: all, beside: count, columns: Vec::new() };
        Picture::of(self.picture_files(loaded), [content])
    }

    fn encoder(&self) -> Option<&Sequential> {
        Some(&self.encoder)
    }
}
