//! A linear autoencoder trained out comes to the principal components, and never below them.

use std::path::Path;

use narrows::config::Source;
use narrows::invert::PcaFloor;
use narrows::run::{Machine, fit, prepare};
use narrows_kernels::Context;

fn config(size: usize) -> String {
    format!(
        r#"
name = "linear"
seed = 4
[data]
set = "footwear"
per_class = 20
merge = true
split = {{ train = 1, validation = 0, test = 0 }}
scaling = "standard-min-max"
[model]
encoder = [{{ dense = {size} }}]
decoder = [{{ dense = "input" }}]
[train]
loss = "mse"
batch_size = 60
max_epochs = 3000
[optimizer]
name = "adam"
learning_rate = 5e-3
schedule = {{ cosine = 3000, floor = 1e-6 }}
"#
    )
}

#[test]
fn a_linear_autoencoder_comes_within_a_percent_of_the_principal_components_and_never_below() {
    for size in [1, 3, 8] {
        let config = Source::parse(&config(size), "linear.toml").unwrap().into_run().unwrap();
        let prepared = prepare(&config, &[]).unwrap();
        let context = Context::detect();
        let machine = Machine::detect().unwrap();
        let outcome = machine.run(|| fit(&config, &prepared, Path::new(""), context, &mut ())).unwrap().unwrap();
        let loaded = &prepared.loaded;
        let trained = prepared.trained(&outcome.params, context).unwrap();
        let x = loaded.train().to_array::<f32>();
        let y = trained.reconstruct(x.view()).unwrap();
        let squares: f64 = x.iter().zip(&y).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
        // The training pixels go from 0 to 1, so that the range in the NRMSE is 1.
        let nrmse = (squares / x.len() as f64).sqrt();
        let floor = PcaFloor::of(context, loaded.train()).nrmse(loaded.train(), &[size])[0];
        // Reconstructions are f32, whose rounding is 6e-8 of values near 1.
        assert!(nrmse >= floor * (1.0 - 1e-6), "{size}: {nrmse} is below the floor {floor}");
        assert!(nrmse <= 1.01 * floor, "{size}: {nrmse} is not within a percent of {floor}");
    }
}
