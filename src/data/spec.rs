//! Which images a run sees, and how they are divided and scaled.

use crate::settings::{Counts, Fault, Length, TableForm, Text, at_least, settings};

/// As many as there are labels, which are bytes.
const CLASSES: Length =
    Length { least: 0, most: 256, accepted: "an array of class names or numbers, such as [\"Sandal\", 7]" };
const CLASS: Text = Text { or_number: true, ..Text::not_empty("the name of a class, or its number of at least 0") };
/// Products of a part and a number of images stay far within 64 bits.
const PART: Counts = Counts::new(0, 1_000_000_000);

settings! {
    /// Which images a run sees.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DataSpec {
        /// A catalogued set (`fashion-mnist`, `mnist`, …), `footwear` (which the program draws), or a path.
        pub set: String = String::new(),
            in Text::not_empty("the name of a data set or a path, as a string"),
            required "a name or a path, as in set = \"fashion-mnist\"";
        /// The array to read where `set` is a MATLAB file; without, the one named `X` or `ff`.
        pub variable: Option<String> = None, in Text::not_empty("the name of an array, as in variable = \"ff\"");
        /// The classes to keep, by name or by number in decimal; empty keeps all.
        pub classes: Vec<String> = Vec::new(), in (CLASSES, CLASS);
        /// `true` joins the published training and test part and splits the whole in three; `false` splits the published
        /// training part in two and tests on the published test part.
        pub merge: bool = false;
        /// The parts; 5 : 1 where absent, pooled 5 : 1 : 1.
        pub split: SplitSpec = SplitSpec { train: 5, validation: 1, ..SplitSpec::default() },
            in TableForm::new("a table such as { train = 5, validation = 1, test = 1 }");
        /// Divides all images that are not for testing into so many folds, the same for every model: one is validated on, the others
        /// are trained on, whatever the split says of these two parts.
        pub folds: Option<usize> = None, in Counts::new(2, 1000);
        /// The number of the fold that is validated on, from 0 on.
        pub fold: usize = 0, if |data| data.folds.is_some(),
            else "given without data.folds", "a number of folds beside it, as in folds = 5";
        /// Trains on so many images only, with each class by its share: a smaller number takes a part of what a larger one does.
        pub train_images: Option<usize> = None, in at_least(1);
        /// Keep only the first so many images of each part, after splitting.
        pub limit: Option<usize> = None, in at_least(1);
        /// How grey levels become values.
        pub scaling: Scaling = Scaling::Unit;
        /// How many images of each class to draw. Only the drawn set reads it.
        pub per_class: usize = 7000, in Counts::new(1, 100_000);
    }
    settle settle;
}

settings! {
    /// How grey levels become values.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Scaling {
        /// level / 255
        Unit = "unit",
        /// (level / 255 − mean) / standard deviation of all training pixels, then from the extremes of those to [0, 1]; levels that
        /// training images do not reach lie outside.
        StandardMinMax = "standard-min-max",
    }
}

settings! {
    /// Sizes of the parts, relative to each other: 5, 1, 1 are five sevenths, one seventh and one seventh.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SplitSpec {
        /// Part to train on; at least 1.
        pub train: u64 = 1, in PART, required "a part, as in train = 5";
        /// Part to validate on.
        pub validation: u64 = 0, in PART;
        /// Part to test on; 0 where the published test part is not pooled.
        pub test: u64 = 0, in PART;
        /// Whether every part has the same share of each class.
        pub stratified: bool = true;
        /// How many samples that follow each other, such as frames of a film, are drawn together; at the end of a part they may be
        /// divided. 1 draws each by itself.
        pub block: usize = 1, in at_least(1);
    }
    settle settle;
}

impl DataSpec {
    fn settle(&mut self, given: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        if self.merge && !given("split") {
            self.split.test = 1;
        }
        if !self.merge && self.split.test > 0 {
            let found = format!("the integer {} while data.merge is false", self.split.test);
            let accepted = "0 or no such key, since the published test part is then the test set; or data.merge = true";
            return Err(Fault::new("split.test", found, accepted));
        }
        if let Some(folds) = self.folds.filter(|&folds| folds > 0 && self.fold >= folds) {
            let found = format!("the integer {} of {folds} folds", self.fold);
            return Err(Fault::new("fold", found, format!("a number from 0 to {}", folds - 1)));
        }
        match self.classes.iter().enumerate().find(|(at, class)| self.classes[..*at].contains(class)) {
            Some((_, class)) => {
                Err(Fault::new("classes", format!("a list that has {class:?} twice"), "every class at most once"))
            }
            None => Ok(()),
        }
    }
}

impl SplitSpec {
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        let SplitSpec { train, validation, test, .. } = self;
        if *train == 0 {
            return Err(Fault::new(
                "",
                format!("{train} : {validation} : {test}"),
                "parts of which train is at least 1",
            ));
        }
        Ok(())
    }
}
