//! Spaces: a run of which some values vary, and how they are searched.

use super::document::{Entry, Node, Table, Value, join};
use super::error::{ConfigError, Place, did_you_mean, refused};
use super::list::joined;
use super::source::{Source, read_run};
use super::{RunConfig, read, write};
use crate::search::{Domain, Parameter, Point, SearchSettings, Space};
use crate::settings::{Counts, Fault, Length, settings};
use crate::spelling::nearest;

/// Keys of which each makes a table a parameter; no other table of a configuration has them.
pub(super) const MARKS: [&str; 5] = ["low", "high", "int", "choices", "same"];
const ENDS: Length =
    Length { least: 2, most: 2, accepted: "the least and the largest integer, as in { int = [16, 256] }" };
const ACCEPTED: &str = "one of { low = 1e-4, high = 1e-1, log = true }, { int = [16, 256] }, { choices = [32, 64] } and { same = \"another.key\" }, \
                        and where it is conditional, when = { \"a.key\" = [\"a choice\"] }";

settings! {
    /// A number that varies.
    struct Range {
        /// The least.
        low: f64 = 0.0, required "the least value, as in low = 1e-4";
        /// The largest.
        high: f64 = 0.0, required "the largest value, as in high = 1e-1";
        /// Whether evenly in the logarithm.
        log: bool = false;
    }
}

settings! {
    /// An integer that varies.
    struct Integers {
        /// The least and the largest.
        int: Vec<u64> = Vec::new(), in (ENDS, Counts::new(0, 1 << 53)), required "the least and the largest, as in int = [16, 256]";
        /// Whether evenly in the logarithm.
        log: bool = false;
    }
}

/// A run of which some values vary, and how the best of them are searched.
///
/// A value varies where a table stands in its place:
///
/// ```toml
/// [search]
/// trials = 50
/// samplers = ["tpe"]
///
/// [optimizer]
/// name = { choices = ["adam", "sgd"] }
/// learning_rate = { low = 1e-4, high = 1e-1, log = true }
/// momentum = { low = 0.0, high = 0.99, when = { "optimizer.name" = ["sgd"] } }
///
/// [train]
/// batch_size = { int = [16, 512], log = true }
/// ```
///
/// `same = "another.key"` takes the value of that one. Where the condition of a value is not met, its key is absent. In a dotted key, a number
/// counts the items of a list from 0.
#[derive(Clone, Debug)]
pub struct SearchConfig {
    /// How it is searched.
    pub settings: SearchSettings,
    /// What is searched; the names of parameters are dotted keys.
    pub space: Space,
    /// The configuration with its parameters as they stand there.
    table: Table,
    file: Place,
    varied: Vec<Varied>,
    text: String,
    identity: String,
}

/// Where a parameter stands, and what its choices are.
#[derive(Clone, Debug)]
struct Varied {
    path: Vec<String>,
    place: Place,
    choices: Vec<Node>,
    /// Where its value stands too.
    same: Vec<Vec<String>>,
}

impl SearchConfig {
    /// Reads and checks a space: each end of each range and each choice, beside one value of all others. `origin` is what messages call the text.
    pub fn from_toml(text: &str, origin: &str) -> Result<SearchConfig, ConfigError> {
        Source::parse(text, origin)?.into_search()
    }

    /// The space as TOML, which reads back as the same.
    pub fn to_toml(&self) -> &str {
        &self.text
    }

    /// All that a trial depends on, besides its number and who suggests and gives up: the text without how many trials are made by whom.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The run at a point of the space.
    pub fn run(&self, point: &Point) -> Result<RunConfig, ConfigError> {
        let mut table = self.table.clone();
        for (number, varied) in self.varied.iter().enumerate() {
            for path in std::iter::once(&varied.path).chain(&varied.same) {
                match point[number] {
                    Some(value) => {
                        table.put(path, Node { value: self.value(number, value), place: varied.place.clone() })?
                    }
                    None => table.take(path),
                }
            }
        }
        read_run(&table, &self.file)
    }

    /// The run in the middle of each range, with the first of all choices.
    pub fn middle_run(&self) -> Result<RunConfig, ConfigError> {
        self.run(&self.space.active(|number| middle(self.space.parameters()[number].domain)))
    }

    /// A value of a parameter as TOML on one line.
    pub fn word(&self, parameter: usize, value: f64) -> String {
        self.value(parameter, value).to_toml()
    }

    fn value(&self, parameter: usize, value: f64) -> Value {
        match self.space.parameters()[parameter].domain {
            Domain::Float { .. } => Value::Float(value),
            Domain::Int { .. } => Value::Integer((value as i64).to_string(), Some(value as i64)),
            Domain::Choices(_) => self.varied[parameter].choices[value as usize].value.clone(),
        }
    }

    /// Reads the run at both ends of each range and at each choice; of the others, those that it depends on have the first choice that
    /// gives it a meaning, and all else the middle.
    fn check(&self) -> Result<(), ConfigError> {
        let parameters = self.space.parameters();
        for (number, parameter) in parameters.iter().enumerate() {
            let mut given: Vec<(usize, f64)> = Vec::new();
            let mut open = vec![number];
            while let Some(one) = open.pop() {
                for (name, choices) in &parameters[one].when {
                    let other = parameters.iter().position(|parameter| parameter.name == *name).unwrap_or(one);
                    given.push((other, choices[0] as f64));
                    open.push(other);
                }
            }
            let values = match parameter.domain {
                Domain::Float { low, high, .. } => vec![low, high],
                Domain::Int { low, high, .. } => vec![low as f64, high as f64],
                Domain::Choices(count) => (0..count).map(|choice| choice as f64).collect(),
            };
            for value in values {
                self.run(&self.space.active(|at| {
                    let given = given.iter().find(|(other, _)| *other == at).map(|(_, value)| *value);
                    if at == number { value } else { given.unwrap_or_else(|| middle(parameters[at].domain)) }
                }))?;
            }
        }
        Ok(())
    }
}

fn middle(domain: Domain) -> f64 {
    if let Domain::Choices(_) = domain { 0.0 } else { domain.at(0.5) }
}

impl Source {
    /// The space that this describes. Refused where nothing varies.
    pub fn into_search(self) -> Result<SearchConfig, ConfigError> {
        self.read_with_quick(read_search)
    }
}

fn read_search(source: Source) -> Result<SearchConfig, ConfigError> {
    let Source { mut table, file, .. } = source;
    let text = write::text(&table);
    let mut same = table.clone();
    ["trials", "samplers", "pruners"].iter().for_each(|key| same.take(&["search", key].map(str::to_owned)));
    // A space without [search] is that of one in which nothing else stands.
    if matches!(same.get("search").map(|entry| &entry.node.value), Some(Value::Table(table)) if table.entries.is_empty())
    {
        same.remove("search");
    }
    let identity = write::text(&same);
    let mut settings = SearchSettings::default();
    if let Some(Entry { node, .. }) = table.remove("search") {
        let given = node.table("search", "a table [search]")?;
        read::read(&mut settings, given, "search", &node.place)?;
    }
    let mut found = Vec::new();
    for entry in &table.entries {
        find(&entry.node, vec![entry.key.clone()], &mut found);
    }
    let (mut parameters, mut varied, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for (path, table, place) in found {
        let key = path.join(".");
        if key == "name" {
            let accepted = "one name for all trials, as in name = \"search\"";
            return Err(refused(place, &key, "a value that varies", accepted));
        }
        match table.get("same") {
            Some(entry) if table.entries.len() == 1 => same.push((path, entry.node.clone())),
            Some(entry) => {
                let found = "beside other keys";
                return Err(refused(&entry.key_place, &join(&key, "same"), found, "{ same = \"another.key\" } alone"));
            }
            None => {
                let (domain, choices) = domain(table, &key, place)?;
                parameters.push(Parameter::new(key, domain));
                varied.push(Varied { path, place: place.clone(), choices, same: Vec::new() });
            }
        }
    }
    for number in 0..parameters.len() {
        let Some(Value::Table(own)) = table.at(&varied[number].path).map(|node| &node.value) else { continue };
        let Some(entry) = own.get("when") else { continue };
        parameters[number].when = conditions(entry, &varied[number].path, &parameters, &varied)?;
    }
    for (path, node) in same {
        let key = join(&path.join("."), "same");
        let names = || parameters.iter().map(|parameter| parameter.name.as_str());
        let Value::String(other) = &node.value else {
            return Err(refused(&node.place, &key, node.value.describe(), "the dotted key of a value that varies"));
        };
        let Some(number) = names().position(|name| name == other) else {
            let accepted = format!("the dotted key of a value that varies{}", did_you_mean(nearest(other, names())));
            return Err(refused(&node.place, &key, node.value.describe(), accepted));
        };
        varied[number].same.push(path);
    }
    let space = Space::new(parameters).map_err(|Fault { key, found, accepted }| {
        let at = varied.iter().find(|one| one.path.join(".") == key);
        match at {
            Some(one) => refused(&one.place, &key, found, accepted),
            None => ConfigError::new(&file, format!("this is {found}; accepted: {accepted}, such as {ACCEPTED}")),
        }
    })?;
    let search = SearchConfig { settings, space, table, file, varied, text, identity };
    search.check()?;
    Ok(search)
}

/// Adds every table that stands for a parameter, with its path and place.
fn find<'a>(node: &'a Node, path: Vec<String>, found: &mut Vec<(Vec<String>, &'a Table, &'a Place)>) {
    let below = |key: &str| path.iter().cloned().chain([key.to_owned()]).collect();
    match &node.value {
        Value::Table(table) if MARKS.iter().any(|mark| table.get(mark).is_some()) => {
            found.push((path, table, &node.place))
        }
        Value::Table(table) => table.entries.iter().for_each(|entry| find(&entry.node, below(&entry.key), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| find(item, below(&number.to_string()), found));
        }
        _ => {}
    }
}

fn domain(table: &Table, key: &str, place: &Place) -> Result<(Domain, Vec<Node>), ConfigError> {
    let mut own = table.clone();
    own.remove("when");
    if let Some(choices) = own.remove("choices") {
        if let Some(other) = own.entries.first() {
            return Err(refused(
                &other.key_place,
                &join(key, &other.key),
                "given beside choices",
                "a list of choices alone, and when",
            ));
        }
        let Value::Array(items) = choices.node.value else {
            let found = choices.node.value.describe();
            return Err(refused(
                &choices.node.place,
                &join(key, "choices"),
                found,
                "a list of values, such as [32, 64]",
            ));
        };
        for (number, item) in items.iter().enumerate() {
            if items[..number].iter().any(|other| other.value.same(&item.value)) {
                let found = format!("a list with {} twice", item.value.to_toml());
                return Err(refused(&item.place, &join(key, "choices"), found, "every choice once"));
            }
        }
        return Ok((Domain::Choices(items.len()), items));
    }
    if own.get("int").is_some() {
        let mut integers = Integers::default();
        read::read(&mut integers, &own, key, place)?;
        let [low, high] = [integers.int[0], integers.int[1]].map(|end| end as i64);
        return Ok((Domain::Int { low, high, log: integers.log }, Vec::new()));
    }
    let mut range = Range::default();
    read::read(&mut range, &own, key, place)?;
    Ok((Domain::Float { low: range.low, high: range.high, log: range.log }, Vec::new()))
}

/// What `when` says: the names of parameters, and of each the numbers of its choices.
fn conditions(
    entry: &Entry,
    path: &[String],
    parameters: &[Parameter],
    varied: &[Varied],
) -> Result<Vec<(String, Vec<usize>)>, ConfigError> {
    let key = join(&path.join("."), "when");
    let accepted = "a table of keys that vary and their choices, such as { \"optimizer.name\" = [\"sgd\"] }";
    let table = entry.node.table(&key, accepted)?;
    if path.last().is_some_and(|last| last.parse::<usize>().is_ok()) {
        let accepted = "a condition on a value within the item; an item of a list is always there";
        return Err(refused(&entry.key_place, &key, "given for an item of a list", accepted));
    }
    let mut conditions = Vec::new();
    for Entry { key: name, key_place, node } in &table.entries {
        let key = format!("{key}.{name:?}");
        let names = || parameters.iter().map(|parameter| parameter.name.as_str());
        let Some(number) = names().position(|one| one == name).filter(|&number| !varied[number].choices.is_empty())
        else {
            let hint = did_you_mean(nearest(name, names()).filter(|nearest| nearest != name));
            return Err(refused(
                key_place,
                &key,
                "no key with choices",
                format!("a key that varies among choices{hint}"),
            ));
        };
        let choices = &varied[number].choices;
        let Value::Array(items) = &node.value else {
            return Err(refused(&node.place, &key, node.value.describe(), "a list of its choices"));
        };
        let mut numbers = Vec::new();
        for item in items {
            let Some(choice) = choices.iter().position(|choice| choice.value.same(&item.value)) else {
                let all = joined(choices.iter().map(|choice| choice.value.to_toml()), "and");
                return Err(refused(&item.place, &key, item.value.describe(), format!("choices of {name}: {all}")));
            };
            numbers.push(choice);
        }
        conditions.push((name.clone(), numbers));
    }
    Ok(conditions)
}

impl Table {
    /// Takes away what stands at the dotted key `path`, if it is a key of a table.
    fn take(&mut self, path: &[String]) {
        match path {
            [] => {}
            [key] => drop(self.remove(key)),
            [key, rest @ ..] => {
                self.entries.iter_mut().filter(|entry| entry.key == *key).for_each(|entry| entry.node.take(rest));
            }
        }
    }
}

impl Node {
    fn take(&mut self, path: &[String]) {
        match (&mut self.value, path) {
            (Value::Table(table), _) => table.take(path),
            (Value::Array(items), [key, rest @ ..]) => {
                if let Some(item) = key.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                    item.take(rest);
                }
            }
            _ => {}
        }
    }
}
