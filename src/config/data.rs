//! `[data]`: which images, and which of them train, validate and test.

use super::document::Value;
use super::error::ConfigError;
use super::read::{Field, Reader, refused};
use crate::data::{DataSpec, Scaling, SplitSpec};

const KEYS: &[&str] = &["set", "variable", "classes", "pool", "split", "limit", "scaling", "per_class"];
const SPLIT_KEYS: &[&str] = &["train", "validation", "test", "stratified"];

/// As many as anyone has classes; what is beyond is not a list of classes.
const MOST_CLASSES: usize = 10_000;
/// Products of a part and a number of images stay far within 64 bits.
const LARGEST_PART: u64 = 1_000_000_000;

pub(super) fn read(root: &Reader<'_>) -> Result<DataSpec, ConfigError> {
    let table = root.need("data", "a table [data] with set")?.table(KEYS, "a table [data]")?;
    let field = table.need("set", "a name or a path, as in set = \"fashion-mnist\"")?;
    let set = field.string("the name of a data set or a path, as a string")?;
    if set.is_empty() {
        return Err(field.refuse("the name of a data set or a path"));
    }
    let pool = table.boolean_or("pool", false)?;
    Ok(DataSpec {
        set: set.to_string(),
        variable: table.get("variable").map(|field| read_variable(&field)).transpose()?,
        classes: table.get("classes").map_or(Ok(Vec::new()), |field| read_classes(&field))?,
        pool,
        split: read_split(table.get("split"), pool)?,
        limit: table.get("limit").map(|field| field.count(1)).transpose()?,
        scaling: table.get("scaling").map_or(Ok(Scaling::Unit), |field| field.choice(&Scaling::NAMED))?,
        per_class: table.get("per_class").map_or(Ok(7000), |field| field.count(1))?,
    })
}

fn read_variable(field: &Field<'_>) -> Result<String, ConfigError> {
    let accepted = "the name of an array, as in variable = \"ff\"";
    match field.string(accepted)? {
        "" => Err(field.refuse(accepted)),
        name => Ok(name.to_owned()),
    }
}

fn read_classes(field: &Field<'_>) -> Result<Vec<String>, ConfigError> {
    let accepted = "an array of class names or numbers, such as [\"Sandal\", 7]";
    let mut classes: Vec<String> = Vec::new();
    for item in field.items(accepted, MOST_CLASSES)? {
        let class = match &item.node.value {
            Value::String(name) if !name.is_empty() => name.clone(),
            Value::Integer(_, Some(number)) if *number >= 0 => number.to_string(),
            _ => return Err(item.refuse("the name of a class, or its number of at least 0")),
        };
        classes.push(class);
    }
    // Compared when sorted: quadratic time would be felt at ten thousand classes.
    let mut sorted: Vec<&String> = classes.iter().collect();
    sorted.sort();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(field.refuse_as(format!("a list that has {:?} twice", pair[0]), "every class at most once"));
    }
    Ok(classes)
}

fn read_split(field: Option<Field<'_>>, pool: bool) -> Result<SplitSpec, ConfigError> {
    let Some(field) = field else {
        return Ok(SplitSpec { train: 5, validation: 1, test: u64::from(pool), stratified: true });
    };
    let table = field.table(SPLIT_KEYS, "a table such as { train = 5, validation = 1, test = 1 }")?;
    let part = |key| table.get(key).map_or(Ok(0), |field| field.integer(0, LARGEST_PART));
    table.need("train", "a part, as in train = 5")?;
    let split = SplitSpec {
        train: part("train")?,
        validation: part("validation")?,
        test: part("test")?,
        stratified: table.boolean_or("stratified", true)?,
    };
    if split.train == 0 {
        let SplitSpec { train, validation, test, .. } = split;
        let found = format!("{train} : {validation} : {test}");
        return Err(field.refuse_as(found, "parts of which train is at least 1"));
    }
    if let Some(test) = table.get("test").filter(|_| !pool && split.test > 0) {
        let found = format!("{} while data.pool is false", test.node.value.describe());
        let accepted = "0 or no such key, since the published test part is then the test set; or data.pool = true";
        return Err(refused(&test.node.place, &test.path, found, accepted));
    }
    Ok(split)
}
