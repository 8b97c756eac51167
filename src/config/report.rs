//! `[report]`: what the report of a study shows.

use crate::settings::{Counts, Length, Range, TableForm, Text, at_least, settings};

/// As many as a study has runs.
const NAMES: Length = Length { least: 0, most: 1000, accepted: "a list of names of runs" };
const NAME: Text = Text::not_empty("the name of a run, as a string");
const LABELS: Length = Length { least: 0, most: 1000, accepted: "a list of numbers of labels, such as [100, 1000]" };
const GROUPS: Length =
    Length { least: 0, most: 1000, accepted: "a table of lists of runs, such as { optimizer = [\"adam\", \"sgd\"] }" };

settings! {
    /// What the report of a study shows.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ReportConfig {
        /// The heading; the name of the study where absent.
        pub title: Option<String> = None, in Text::not_empty("a heading, as a string that is not empty");
        /// How many images are drawn with their reconstructions.
        pub reconstructions: usize = 15, in Counts::new(1, 1000);
        /// Runs of which the report shows how their layers saturate from epoch to epoch.
        pub saturation: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Runs whose codes are measured: by a classifier, between images, by their Jacobian.
        pub codes: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Runs whose test codes are mapped into a plane, by t-SNE and along their principal components.
        pub maps: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Runs that are held to restore noise, each to every noise that one of them is trained on.
        pub denoising: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Runs of which the one with the lowest validation loss stands for all, each group a kind: an optimizer with several rates, for
        /// instance.
        pub best: Vec<(String, Vec<String>)> = Vec::new(), in (GROUPS, (NAMES, NAME));
        /// How training schemes compare, what their decoders give run backwards, and what the size of the code does; where
        /// absent the report compares losses.
        pub inversion: Option<InversionReport> = None, in TableForm::new("a table [report.inversion]");
        /// What the classifiers of the study reach; where given, the report is about them.
        pub classes: Option<ClassesReport> = None, in TableForm::new("a table [report.classes]");
        /// Images that runs generate, and how close they come to real ones.
        pub generated: Option<GeneratedReport> = None, in TableForm::new("a table [report.generated]");
        /// How well a linear classifier reads the classes from codes.
        pub probe: Option<ProbeReport> = None, in TableForm::new("a table [report.probe]");
    }
}

settings! {
    /// Runs that make images. They are compared with the test images in the features of a classifier.
    #[derive(Clone, Debug, PartialEq)]
    pub struct GeneratedReport {
        /// The run of a classifier, whose codes the features are.
        pub features: String = String::new(), in NAME, required "the run of a classifier, as in features = \"classifier\"";
        /// How many images each run makes.
        pub images: usize = 10_000, in Counts::new(10, 100_000);
        /// Runs whose noise or codes are drawn from N(0, I): generators and variational autoencoders.
        pub standard: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Autoencoders whose codes are drawn from a normal distribution with the mean and covariance of their training codes.
        pub fitted: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Autoencoders whose codes are drawn from such a distribution for each class.
        pub by_class: Vec<String> = Vec::new(), in (NAMES, NAME);
    }
}

settings! {
    /// Runs whose codes a logistic regression reads, beside the same encoders with random weights and the pixels themselves.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ProbeReport {
        /// The runs.
        pub runs: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Numbers of labels to read them with, besides all; as many of each class.
        pub labels: Vec<usize> = Vec::new(), in (LABELS, at_least(2));
    }
}

settings! {
    /// What a study of classifiers compares.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ClassesReport {
        /// The share of the validation images to be classified correctly, for epochs and seconds until then.
        pub reach: f64 = 0.8, in Range::INSIDE;
        /// Runs that differ in how many images they are trained on, each group a way of training.
        pub labels: Vec<(String, Vec<String>)> = Vec::new(), in (GROUPS, (NAMES, NAME));
        /// Runs that are the folds of one model, in their order; models with as many folds are compared fold by fold.
        pub folds: Vec<(String, Vec<String>)> = Vec::new(), in (GROUPS, (NAMES, NAME));
        /// Runs of which the report shows what the test images of each class are taken for.
        pub confusion: Vec<String> = Vec::new(), in (NAMES, NAME);
    }
}

settings! {
    /// What an inversion study compares. Runs are named as they are named in the study.
    #[derive(Clone, Debug, PartialEq)]
    pub struct InversionReport {
        /// Runs that are compared, each group under the heading of what differs between them.
        pub schemes: Vec<(String, Vec<String>)> = Vec::new(), in (GROUPS, (NAMES, NAME));
        /// Runs whose decoder is run backwards on all images.
        pub invert: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// Runs that differ in the size of their code.
        pub compression: Vec<String> = Vec::new(), in (NAMES, NAME);
        /// How many images of each part (the first of them) the runs of `compression` are inverted on; all where absent.
        pub compression_images: Option<usize> = None, in at_least(1);
    }
}

impl ReportConfig {
    /// Every run that is named, with the key that names it; some more than once.
    pub(crate) fn named_runs(&self) -> Vec<(String, &String)> {
        let lists = [
            ("saturation", &self.saturation),
            ("codes", &self.codes),
            ("maps", &self.maps),
            ("denoising", &self.denoising),
        ];
        let mut lists: Vec<_> = lists.map(|(key, runs)| (key.to_owned(), runs)).into();
        lists.extend(self.best.iter().map(|(what, runs)| (format!("best.{what}"), runs)));
        if let Some(inversion) = &self.inversion {
            lists.extend(inversion.schemes.iter().map(|(what, runs)| (format!("inversion.schemes.{what}"), runs)));
            lists.push(("inversion.invert".to_owned(), &inversion.invert));
            lists.push(("inversion.compression".to_owned(), &inversion.compression));
        }
        if let Some(classes) = &self.classes {
            for (key, groups) in [("labels", &classes.labels), ("folds", &classes.folds)] {
                lists.extend(groups.iter().map(|(what, runs)| (format!("classes.{key}.{what}"), runs)));
            }
            lists.push(("classes.confusion".to_owned(), &classes.confusion));
        }
        let generated = self.generated.as_ref();
        if let Some(wanted) = generated {
            let kinds = [("standard", &wanted.standard), ("fitted", &wanted.fitted), ("by_class", &wanted.by_class)];
            lists.extend(kinds.map(|(key, runs)| (format!("generated.{key}"), runs)));
        }
        if let Some(probe) = &self.probe {
            lists.push(("probe.runs".to_owned(), &probe.runs));
        }
        let features = generated.map(|wanted| ("generated.features".to_owned(), &wanted.features));
        lists
            .into_iter()
            .flat_map(|(key, runs)| runs.iter().map(move |run| (key.clone(), run)))
            .chain(features)
            .collect()
    }
}
