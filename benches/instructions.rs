//! Work whose instructions are counted: `instructions WORKLOAD REPEATS`. See tests/instructions.rs, which runs it under
//! callgrind: a slowdown shows there where timings are too noisy to show it.

use std::path::Path;

use narrows::analysis::Tsne;
use narrows::config::preset;
use narrows::run::{fit, prepare};
use narrows::train::Flow;
use narrows_kernels::{Accumulate, Context, Epilogue, GemmEngine, Isa, MatMut, MatRef, gemm};
use ndarray::Array2;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let workload = arguments.next().unwrap_or_default();
    let repeats: usize = arguments.next().and_then(|repeats| repeats.parse().ok()).unwrap_or(1);
    let isa = Isa::from_env().expect("NARROWS_ISA names an instruction set of this CPU");
    let context = Context { isa, gemm: GemmEngine::Narrows };
    match workload.as_str() {
        "product-64-64-64" => product(context, [64, 64, 64], false, repeats),
        "product-256-32-50-tn" => product(context, [256, 32, 50], true, repeats),
        "step-32" => steps(context, "footwear", 32, repeats),
        "convolutional-step-2" => steps(context, "conv", 2, repeats),
        "variational-step-2" => steps(context, "variational-conv", 2, repeats),
        "map-600-10" => map(context, 600, repeats),
        other => panic!("there is no workload {other:?}"),
    }
}

/// [m, k] · [k, n], the left factor stored transposed or not.
fn product(context: Context, [m, k, n]: [usize; 3], transposed: bool, repeats: usize) {
    let numbers = |len: usize| (0..len).map(|i| (i % 17) as f32 - 8.0).collect::<Vec<f32>>();
    let (lhs, rhs, mut out) = (numbers(m * k), numbers(k * n), vec![0.0; m * n]);
    for _ in 0..repeats {
        let left = if transposed { MatRef::new(&lhs, k, m).transposed() } else { MatRef::new(&lhs, m, k) };
        let (right, into) = (MatRef::new(&rhs, k, n), MatMut::new(&mut out, m, n));
        gemm(context, into, Accumulate::Overwrite, left, right, Epilogue::NONE);
    }
    std::hint::black_box(out);
}

/// Ten iterations of t-SNE on so many codes of eight numbers.
fn map(context: Context, points: usize, repeats: usize) {
    let codes = Array2::from_shape_fn((points, 8), |(i, j)| ((i * 37 + j * j * 11) % 101) as f32 / 101.0);
    let tsne = Tsne { iterations: 10 * repeats, ..Tsne::default() };
    tsne.fit(context, codes.view(), &mut |_, _| Flow::Continue).expect("the codes are finite");
}

/// Training steps of a preset's model on one batch of drawn images: of three classes, one image less than they have.
fn steps(context: Context, name: &str, images: usize, repeats: usize) {
    let settings = [
        "data.set=footwear",
        "data.merge=true",
        &format!("data.per_class={}", (images + 1) / 3),
        &format!("data.split={{ train = {images}, validation = 0, test = 1, stratified = false }}"),
        &format!("train.batch_size={images}"),
        "train.early_stopping=false",
    ];
    let source = preset(name).map(|preset| preset.source()).expect("the preset exists").expect("and parses");
    let source = settings.iter().fold(source, |source, setting| source.set(setting).expect("the key exists"));
    let source = source.set(&format!("train.max_epochs={repeats}")).expect("the key exists");
    let config = source.into_base_run().expect("the settings are valid");
    let prepared = prepare(&config, &[]).expect("drawn images need no folder");
    fit(&config, &prepared, Path::new(""), context, &mut ()).expect("the preset trains");
}
