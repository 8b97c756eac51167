//! What codes are drawn from, as the command line says it.

use super::super::CliError;
use super::super::args::DistributionArguments;
use narrows::run::{Distribution, OpenRun};
use narrows_kernels::Context;

/// What the arguments ask for. Refuses a run that makes no images of codes, or not of such.
pub fn distribution(
    run: &OpenRun,
    context: Context,
    arguments: DistributionArguments,
) -> Result<Distribution, CliError> {
    let (path, data) = (run.path.display(), &run.prepared.loaded.data);
    if let DistributionArguments { fitted: false, by_class: false } = arguments {
        if run.prepared.task.generator().is_none() {
            run.trained(context)?;
            return Err(CliError::Usage(format!(
                "cannot sample from {path}: it is not variational, so its codes were not trained to follow N(0, I); \
                 --fitted draws from a normal distribution with the mean and covariance of its training codes"
            )));
        }
        return Ok(Distribution::Standard);
    }
    run.trained(context)?;
    if arguments.by_class && data.labels.is_none() {
        return Err(CliError::Usage(format!("cannot sample from {path} by class: {} has no labels", data.name)));
    }
    Ok(if arguments.by_class { Distribution::ByClass } else { Distribution::Fitted })
}
