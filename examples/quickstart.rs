//! An autoencoder of drawn footwear, its codes and its reconstructions.
//!
//! ```sh
//! cargo run --release --example quickstart
//! ```

use std::error::Error;

use narrows::data::Dataset;
use narrows::loss::Loss;
use narrows::nn::Activation::{Relu, Sigmoid};
use narrows::nn::{Autoencoder, dense};
use narrows::optim::Nadam;
use narrows::tasks::Trainer;

fn main() -> Result<(), Box<dyn Error>> {
    let data = Dataset::open("footwear")?.classes(["Sandal", "Sneaker", "Ankle boot"])?.split([5, 1, 1], 2026)?;
    let net = Autoencoder::new(data.shape())
        .encoder([dense(256, Relu), dense(50, Relu)])
        .decoder([dense(256, Relu), dense(784, Sigmoid)]);
    let run = Trainer::new(net, Loss::Bce)
        .optimizer(Nadam::keras(1e-3))
        .batch(256)
        .epochs(5)
        .early_stopping(5, 1e-2)
        .seed(2026)
        .fit(&data)?;
    let codes = run.encode(data.test())?;
    let images = run.decode(codes.view())?;
    println!("{} codes of {} numbers, decoded to {} pixels each", codes.nrows(), codes.ncols(), images.ncols());
    println!("{} epochs, test MSE {:.4}", run.history.epochs.len(), run.evaluate(data.test())?.mse);
    Ok(())
}
