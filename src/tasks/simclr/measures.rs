//! What a run of pairs of views asks of them: figures, tables and pictures.

use narrows_kernels::AlignedVec;
use ndarray::Array2;
use serde_json::{Value, json};

use super::Simclr;
use crate::data::{Samples, Splits};
use crate::nn::{Draws, Sequential, summarise};
use crate::tape::Arena;
use crate::tasks::measures::shown_images;
use crate::tasks::trainable::{Cell, Content, Picture, Table, Trainable, Weights};
use crate::train::{Metrics, Task};

/// Images in `views.png`.
const SHOWN: usize = 15;

impl Trainable for Simclr {
    fn init(&self, seed: u64) -> AlignedVec<f32> {
        Simclr::init(self, seed)
    }

    fn description(&self) -> String {
        self.layout.describe_layers(self.encoder.layers().iter().chain(self.head.layers()))
    }

    fn summary(&self) -> String {
        summarise("simclr", self.encoder.input(), &[("encoder", &self.encoder), ("head", &self.head)])
    }

    fn networks(&self) -> Vec<&Sequential> {
        vec![&self.encoder, &self.head]
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

    /// The first test images, and two views of each below.
    fn pictures(&self, _: Weights<'_>, loaded: &Splits) -> Vec<Picture> {
        let images = shown_images(loaded, SHOWN);
        if images.is_empty() {
            return Vec::new();
        }
        let (count, features) = (images.len(), images.features());
        let mut all = vec![0.0; 3 * count * features];
        let (originals, views) = all.split_at_mut(count * features);
        images.gather(images.indices, originals);
        self.views(images, Draws::default(), views);
        let all = Array2::from_shape_vec((3 * count, features), all).expect("three rows of images");
        let content = Content::Images { images: all, beside: count, columns: Vec::new() };
        vec![Picture { file: "views.png", holds: "the first test images above two views of each", content }]
    }

    fn encoder(&self) -> Option<&Sequential> {
        Some(&self.encoder)
    }
}
