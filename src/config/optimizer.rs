//! `[optimizer]`: how a gradient becomes a step, and how the learning rate goes on.

use super::error::{ConfigError, Problem};
use super::read::{Field, NOT_NEGATIVE, POSITIVE, RATE, Reader, Rule};
use super::train::read_monitor;
use crate::optim::{Dialect, OptimizerConfig, OptimizerName, Schedule};

const KEYS: &[&str] = &[
    "name",
    "dialect",
    "learning_rate",
    "schedule",
    "clip_norm",
    "clip_value",
    "weight_decay",
    "momentum",
    "nesterov",
    "dampening",
    "beta_1",
    "beta_2",
    "epsilon",
    "rho",
    "centered",
    "initial_accumulator",
    "lr_decay",
    "momentum_decay",
];

/// How many of [`KEYS`] every optimizer has.
const COMMON: usize = 7;

const SHRINKING: Rule = Rule { accepted: "a number above 0 and below 1", holds: |x| x > 0.0 && x < 1.0 };

pub(super) fn read(root: &Reader<'_>, validates: bool) -> Result<OptimizerConfig, ConfigError> {
    let table = root.need("optimizer", "a table [optimizer] with name")?.table(KEYS, "a table [optimizer]")?;
    let name = table.need("name", "an optimizer, as in name = \"adam\"")?.choice(&OptimizerName::NAMED)?;
    let dialect = table.get("dialect").map_or(Ok(Dialect::Keras), |field| field.choice(&Dialect::NAMED))?;
    let (common, others) = KEYS.split_at(COMMON);
    let own = name.keys(dialect);
    if let Some(field) = others.iter().filter(|key| !own.contains(key)).find_map(|key| table.get(key)) {
        let key = field.path.rsplit('.').next().unwrap_or_default();
        let other = Dialect::NAMED.iter().find(|(_, other)| name.keys(*other).contains(&key));
        let problem = Problem::OptimizerKey {
            key: field.path.clone(),
            optimizer: name.name(),
            dialect: dialect.name(),
            has: [common, own].concat(),
            other_dialect: other.map(|(name, _)| *name),
        };
        return Err(ConfigError::new(&field.node.place, problem));
    }
    let flag = |key| table.get(key).map(|field| field.boolean()).transpose();
    let optimizer = OptimizerConfig {
        name,
        dialect,
        learning_rate: table.number("learning_rate", POSITIVE)?,
        momentum: table.number("momentum", RATE)?,
        nesterov: flag("nesterov")?,
        dampening: table.number("dampening", RATE)?,
        beta_1: table.number("beta_1", RATE)?,
        beta_2: table.number("beta_2", RATE)?,
        // With 0, a weight whose gradient is zero (that of a pixel that is always black) would become 0 / 0.
        epsilon: table.number("epsilon", POSITIVE)?,
        rho: table.number("rho", RATE)?,
        centered: flag("centered")?,
        initial_accumulator: table.number("initial_accumulator", NOT_NEGATIVE)?,
        lr_decay: table.number("lr_decay", NOT_NEGATIVE)?,
        momentum_decay: table.number("momentum_decay", NOT_NEGATIVE)?,
        weight_decay: table.number("weight_decay", NOT_NEGATIVE)?,
        schedule: table.get("schedule").map_or(Ok(Schedule::Constant), |field| read_schedule(&field, validates))?,
        clip_norm: table.number("clip_norm", POSITIVE)?,
        clip_value: table.number("clip_value", POSITIVE)?,
    };
    let still = optimizer.momentum.unwrap_or(0.0) == 0.0;
    if optimizer.nesterov == Some(true) && (still || optimizer.dampening.unwrap_or(0.0) != 0.0) {
        let found = if still { "true while momentum is 0" } else { "true while dampening is not 0" };
        return Err(table.refuse("nesterov", found, "a momentum above 0 and no dampening; or false"));
    }
    if optimizer.clip_norm.is_some() && optimizer.clip_value.is_some() {
        return Err(table.refuse("clip_value", "given beside clip_norm", "one of the two"));
    }
    Ok(optimizer)
}

fn read_schedule(field: &Field<'_>, validates: bool) -> Result<Schedule, ConfigError> {
    let accepted = "\"constant\", { step = 10, factor = 0.5 }, { exponential = 0.95 }, { cosine = 50 } or \
                    { plateau = \"val_loss\", factor = 0.1, patience = 5 }";
    let Some(entries) = field.as_table() else {
        return match field.string(accepted)? {
            "constant" => Ok(Schedule::Constant),
            _ => Err(field.refuse(accepted)),
        };
    };
    let factor = "a factor, as in factor = 0.5";
    let kinds = ["step", "exponential", "cosine", "plateau"].into_iter().filter(|kind| entries.get(kind).is_some());
    match kinds.collect::<Vec<_>>()[..] {
        ["step"] => {
            let table = field.table(&["step", "factor"], accepted)?;
            let every = table.need("step", "a number of epochs")?.count(1)?;
            Ok(Schedule::Step { every, factor: table.need("factor", factor)?.number(POSITIVE)? })
        }
        ["exponential"] => {
            let table = field.table(&["exponential"], accepted)?;
            Ok(Schedule::Exponential { factor: table.need("exponential", factor)?.number(POSITIVE)? })
        }
        ["cosine"] => {
            let table = field.table(&["cosine", "floor"], accepted)?;
            let epochs = table.need("cosine", "a number of epochs")?.count(1)?;
            Ok(Schedule::Cosine { epochs, floor: table.number_or("floor", NOT_NEGATIVE, 0.0)? })
        }
        ["plateau"] => {
            let table = field.table(&["plateau", "factor", "patience", "min_delta", "floor"], accepted)?;
            Ok(Schedule::Plateau {
                monitor: read_monitor(&table, "plateau", validates)?,
                factor: table.need("factor", factor)?.number(SHRINKING)?,
                patience: table.need("patience", "a number of epochs, as in patience = 5")?.count(0)?,
                min_delta: table.number_or("min_delta", NOT_NEGATIVE, 0.0)?,
                floor: table.number_or("floor", NOT_NEGATIVE, 0.0)?,
            })
        }
        [] => {
            field.table(
                &["step", "exponential", "cosine", "plateau", "factor", "patience", "min_delta", "floor"],
                accepted,
            )?;
            Err(field.refuse_as("a table without step, exponential, cosine or plateau", accepted))
        }
        _ => Err(field.refuse_as("a table of several schedules", accepted)),
    }
}
