//! What is searched: parameters with their ranges, some of them only where others have certain values.

use rand::{Rng as _, RngExt as _};

use crate::rng::Stream;
use crate::settings::Fault;

/// The values of a trial, in the order of the parameters: numbers as they are, a choice as its number; none where the parameter
/// has no meaning beside the others.
pub type Point = Vec<Option<f64>>;

/// Integers are held in `f64`, which has each up to here.
const LARGEST: f64 = 9_007_199_254_740_992.0;
/// More choices than this are a list of values by mistake.
const MOST_CHOICES: usize = 1000;

/// The values that a parameter can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// A number of [low, high]; evenly, or evenly in its logarithm.
    Float {
        /// The least.
        low: f64,
        /// The largest.
        high: f64,
        /// Whether in the logarithm; `low` is then above 0.
        log: bool,
    },
    /// An integer of low, …, high.
    Int {
        /// The least.
        low: i64,
        /// The largest.
        high: i64,
        /// Whether in the logarithm; `low` is then at least 1.
        log: bool,
    },
    /// One of so many, which have no order.
    Choices(usize),
}

impl Domain {
    /// The range in which values are drawn: logarithms of a logarithmic one, half a step beyond both ends of integers; None
    /// for choices.
    pub(super) fn range(&self) -> Option<[f64; 2]> {
        let (low, high) = match *self {
            Domain::Float { low, high, .. } => (low, high),
            Domain::Int { low, high, .. } => (low as f64 - 0.5, high as f64 + 0.5),
            Domain::Choices(_) => return None,
        };
        Some(if self.is_log() { [libm::log(low), libm::log(high)] } else { [low, high] })
    }

    /// The least and the largest value; of choices the numbers of the first and the last.
    pub(super) fn ends(self) -> [f64; 2] {
        match self {
            Domain::Float { low, high, .. } => [low, high],
            Domain::Int { low, high, .. } => [low as f64, high as f64],
            // A single choice counts as two, so that the range is not empty.
            Domain::Choices(count) => [0.0, count.max(2) as f64 - 1.0],
        }
    }

    /// Whether its range is one of logarithms.
    pub fn is_log(&self) -> bool {
        matches!(self, Domain::Float { log: true, .. } | Domain::Int { log: true, .. })
    }

    /// A value as it stands in the range.
    pub(super) fn transform(self, value: f64) -> f64 {
        if self.is_log() { libm::log(value) } else { value }
    }

    /// The value that stands for a number of the range.
    pub(super) fn inverse_transform(self, number: f64) -> f64 {
        let value = if self.is_log() { libm::exp(number) } else { number };
        match self {
            Domain::Float { low, high, .. } => value.clamp(low, high),
            Domain::Int { low, high, .. } => value.round_ties_even().clamp(low as f64, high as f64),
            Domain::Choices(_) => value,
        }
    }

    /// The value at the share `unit` of the domain, from 0 to below 1.
    pub fn at(self, unit: f64) -> f64 {
        match (self, self.range()) {
            (Domain::Choices(count), _) => (unit * count as f64).floor().min(count as f64 - 1.0),
            (_, Some([low, high])) => self.inverse_transform(low + unit * (high - low)),
            (_, None) => f64::NAN,
        }
    }

    /// The share of the domain at which a value lies, from 0 to 1; the first choice is at 0 and the last at 1.
    pub fn share(self, value: f64) -> f64 {
        let [low, high] = self.ends().map(|end| self.transform(end));
        (self.transform(value) - low) / (high - low)
    }

    /// Whether a value is one of its own.
    pub fn accepts(&self, value: f64) -> bool {
        match *self {
            Domain::Float { low, high, .. } => (low..=high).contains(&value),
            Domain::Int { low, high, .. } => value.fract() == 0.0 && (low as f64..=high as f64).contains(&value),
            Domain::Choices(count) => value.fract() == 0.0 && (0.0..count as f64).contains(&value),
        }
    }

    fn check(&self, name: &str) -> Result<(), Fault> {
        let refuse = |found: String, accepted: &str| Err(Fault::new(name, found, accepted));
        match *self {
            Domain::Float { low, high, .. } if !(low.is_finite() && high.is_finite()) => {
                refuse(format!("a range from {low} to {high}"), "finite numbers low and high")
            }
            Domain::Float { low, high, .. } if low >= high => {
                refuse(format!("a range from low = {low} to high = {high}"), "a low below high")
            }
            Domain::Float { low, log: true, .. } if low <= 0.0 => {
                refuse(format!("a logarithmic range from low = {low}"), "a low above 0, or log = false")
            }
            Domain::Float { low, high, .. } if !(high - low).is_finite() => {
                refuse(format!("a range from {low} to {high}"), "numbers whose difference is finite")
            }
            Domain::Int { low, high, .. } if low >= high => {
                refuse(format!("integers from {low} to {high}"), "a first integer below the second")
            }
            Domain::Int { low, log: true, .. } if low < 1 => {
                refuse(format!("logarithmic integers from {low}"), "a first integer of at least 1, or log = false")
            }
            Domain::Int { low, high, .. } if low.unsigned_abs().max(high.unsigned_abs()) as f64 >= LARGEST => {
                refuse(format!("integers from {low} to {high}"), "integers between -2^53 and 2^53")
            }
            Domain::Choices(count) if !(1..=MOST_CHOICES).contains(&count) => {
                refuse(format!("{count} choices"), "1 to 1000 choices")
            }
            _ => Ok(()),
        }
    }
}

/// Something that is varied.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, which no other has.
    pub name: String,
    /// Its values.
    pub domain: Domain,
    /// When it has a meaning: where each of these parameters of choices has one of these choices, by their numbers.
    pub when: Vec<(String, Vec<usize>)>,
}

impl Parameter {
    /// A parameter that always has a meaning.
    pub fn new(name: impl Into<String>, domain: Domain) -> Self {
        Parameter { name: name.into(), domain, when: Vec::new() }
    }

    /// A number from `low` to `high`.
    pub fn float(name: impl Into<String>, low: f64, high: f64) -> Self {
        Parameter::new(name, Domain::Float { low, high, log: false })
    }

    /// An integer from `low` to `high`.
    pub fn int(name: impl Into<String>, low: i64, high: i64) -> Self {
        Parameter::new(name, Domain::Int { low, high, log: false })
    }

    /// One of `count` choices.
    pub fn choices(name: impl Into<String>, count: usize) -> Self {
        Parameter::new(name, Domain::Choices(count))
    }

    /// The same, even in the logarithm.
    pub fn log(mut self) -> Self {
        if let Domain::Float { log, .. } | Domain::Int { log, .. } = &mut self.domain {
            *log = true;
        }
        self
    }

    /// The same, with a meaning only where the parameter `name` has one of `choices`.
    pub fn when(mut self, name: impl Into<String>, choices: impl IntoIterator<Item = usize>) -> Self {
        self.when.push((name.into(), choices.into_iter().collect()));
        self
    }
}

/// Parameters that fit together.
///
/// ```
/// use narrows::search::{Parameter, Space};
/// let space = Space::new([
///     Parameter::choices("optimizer", 2),
///     Parameter::float("rate", 1e-4, 1e-1).log(),
///     Parameter::float("momentum", 0.0, 0.99).when("optimizer", [1]),
/// ])?;
/// let point = space.active(|parameter| space.parameters()[parameter].domain.at(0.0));
/// assert_eq!((point[0], point[2]), (Some(0.0), None)); // The first optimizer has no momentum.
/// # Ok::<(), narrows::settings::Fault>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    parameters: Vec<Parameter>,
    /// Of each parameter its conditions, by the numbers of the parameters.
    when: Vec<Vec<(usize, Vec<usize>)>>,
    /// Every parameter after those that it depends on.
    order: Vec<usize>,
}

impl Space {
    /// Refused: no parameters, names that are not unique, bad ranges, conditions on what is not there or in a circle. The key
    /// of a fault is the parameter's name.
    pub fn new(parameters: impl IntoIterator<Item = Parameter>) -> Result<Space, Fault> {
        let parameters: Vec<Parameter> = parameters.into_iter().collect();
        if parameters.is_empty() {
            return Err(Fault::new("", "a space without parameters", "at least one value that varies"));
        }
        let mut when = Vec::new();
        for (number, parameter) in parameters.iter().enumerate() {
            let name = &parameter.name;
            parameter.domain.check(name)?;
            if parameters[..number].iter().any(|other| other.name == *name) {
                return Err(Fault::new(name, "given twice", "every parameter once"));
            }
            let mut conditions = Vec::new();
            for (other, choices) in &parameter.when {
                let at = parameters.iter().position(|one| one.name == *other);
                let Some((at, Domain::Choices(count))) = at.map(|at| (at, parameters[at].domain)) else {
                    let found = format!("conditional on \"{other}\", which is no parameter with choices");
                    return Err(Fault::new(name, found, "a condition on a parameter with choices"));
                };
                if choices.is_empty() || choices.iter().any(|&choice| choice >= count) {
                    let found = format!("conditional on a value that \"{other}\" never has");
                    return Err(Fault::new(name, found, "at least one of that parameter's choices"));
                }
                conditions.push((at, choices.clone()));
            }
            when.push(conditions);
        }
        let order = ordered(&when).map_err(|number| {
            let found = "conditional on itself, through its own condition or those of others";
            Fault::new(&parameters[number].name, found, "conditions without a circle")
        })?;
        Ok(Space { parameters, when, order })
    }

    /// The parameters, in the order in which they were given.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parameters.len()
    }

    /// Whether there are none; there always are some.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// Gives each parameter that has a meaning the value that `value` has for its number.
    pub fn active(&self, mut value: impl FnMut(usize) -> f64) -> Point {
        let mut point = vec![None; self.len()];
        for &number in &self.order {
            if self.has_meaning(number, &point) {
                point[number] = Some(value(number));
            }
        }
        point
    }

    /// Whether the parameter has a meaning where those that it depends on have these values.
    pub(super) fn has_meaning(&self, number: usize, point: &Point) -> bool {
        self.when[number]
            .iter()
            .all(|(other, choices)| point[*other].is_some_and(|value| choices.contains(&(value as usize))))
    }

    /// Every parameter after those that it depends on.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Parameters that have a meaning always together, group by group.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for number in 0..self.len() {
            match groups.iter_mut().find(|group| self.when[group[0]] == self.when[number]) {
                Some(group) => group.push(number),
                None => groups.push(vec![number]),
            }
        }
        groups
    }

    /// A point of which every value is drawn by itself, evenly from its domain.
    pub(super) fn random(&self, stream: &mut Stream) -> Point {
        // Drawn for each, so that the value of one does not depend on whether another has a meaning.
        let units: Vec<f64> = self.parameters.iter().map(|_| stream.random()).collect();
        self.active(|number| self.parameters[number].domain.at(units[number]))
    }
}

/// The numbers in an order in which each stands behind those of its conditions, or one that is in a circle.
fn ordered(when: &[Vec<(usize, Vec<usize>)>]) -> Result<Vec<usize>, usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < when.len() {
        let is_next =
            |number: &usize| !order.contains(number) && when[*number].iter().all(|(other, _)| order.contains(other));
        let next: Vec<usize> = (0..when.len()).filter(is_next).collect();
        if next.is_empty() {
            return Err((0..when.len()).find(|number| !order.contains(number)).unwrap_or(0));
        }
        order.extend(next);
    }
    Ok(order)
}

/// `count` numbers from 0 on in an order drawn from the stream.
pub(super) fn shuffled(count: usize, stream: &mut Stream) -> Vec<u32> {
    let mut all: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        // Multiply and shift: 64 bits make its unevenness smaller than 2⁻³² for any count here.
        let at = (u128::from(stream.next_u64()) * (last as u128 + 1)) >> 64;
        all.swap(last, at as usize);
    }
    all
}
