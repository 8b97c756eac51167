//! Speed of convolutions: forward, derivative by the images and derivative by the weights, in GFLOP/s and percent of the FMA peak
//! measured in the same run, beside the same product by copied patches (im2col) and our own GEMM.
//!
//! ```text
//! cargo bench --bench conv -- [--batch N] [--threads N] [--rounds N] [--only PART-OF-A-NAME]
//! ```
//!
//! The layers are those of the presets `conv`, `gan` and `simclr`, and a few more. Ways take turns within a
//! round; medians over the rounds are reported. Before a convolution is timed, its results are compared by their bits: forward and by
//! the weights with those of patches, by the images with the definition, for one image of the batch.

#[path = "harness.rs"]
mod harness;

use std::hint::black_box;
use std::time::Instant;

use harness::{median, peak, random, read_arguments, warm_up};
use narrows_kernels::conv::pool::{Pooling, max_pool, max_pool_transposed};
use narrows_kernels::conv::{Convolution, convolve, convolve_transposed, weight_gradient};
use narrows_kernels::{
    Accumulate, Context, Epilogue, GemmEngine, Isa, MatMut, MatRef, gemm, reference, with_spinning_threads,
};

const fn layer(size: usize, from: usize, to: usize, stride: usize) -> Convolution {
    Convolution {
        image: [size, size],
        image_channels: from,
        output: [size.div_ceil(stride), size.div_ceil(stride)],
        output_channels: to,
        kernel: [3, 3],
        stride: [stride, stride],
        padding: if stride == 1 { [1, 1] } else { [0, 0] },
    }
}

/// A kernel of 4×4 with a stride of 2, as the networks of the preset `gan` have it.
const fn four_by_four(size: usize, from: usize, to: usize) -> Convolution {
    Convolution { kernel: [4, 4], padding: [1, 1], ..layer(size, from, to, 2) }
}

/// The encoder's three, the decoder's (as the convolutions whose derivatives they are), the last one, and two between; those of the presets
/// `gan` and `simclr`.
const LAYERS: [(&str, Convolution); 14] = [
    ("28×28, 1 → 64", layer(28, 1, 64, 1)),
    ("14×14, 64 → 128", layer(14, 64, 128, 1)),
    ("7×7, 128 → 256", layer(7, 128, 256, 1)),
    ("transposed 3×3 → 6×6, 256 → 128", layer(6, 128, 256, 2)),
    ("transposed 6×6 → 12×12, 128 → 64", layer(12, 64, 128, 2)),
    ("transposed 12×12 → 24×24, 64 → 1", layer(24, 1, 64, 2)),
    ("28×28, 1 → 1", layer(28, 1, 1, 1)),
    ("28×28, 64 → 64", layer(28, 64, 64, 1)),
    ("28×28, 16 → 32", layer(28, 16, 32, 1)),
    ("gan: 28×28 by 4×4, 1 → 64", four_by_four(28, 1, 64)),
    ("gan: 14×14 by 4×4, 64 → 128", four_by_four(14, 64, 128)),
    ("simclr: 28×28, 1 → 32", Convolution { padding: [1, 1], ..layer(28, 1, 32, 2) }),
    ("simclr: 14×14, 32 → 64", Convolution { padding: [1, 1], ..layer(14, 32, 64, 2) }),
    ("simclr: 7×7, 64 → 128", Convolution { padding: [1, 1], ..layer(7, 64, 128, 2) }),
];

/// Copies the patches of all pixels of the output, [samples · pixels, kernel · channels].
fn patches(of: &Convolution, samples: usize, x: &[f32], out: &mut [f32]) {
    let channels = of.image_channels;
    let mut rows = out.chunks_exact_mut(channels);
    for n in 0..samples {
        for pixel in 0..of.output[0] * of.output[1] {
            let (i, j) = (pixel / of.output[1], pixel % of.output[1]);
            for tap in 0..of.kernel[0] * of.kernel[1] {
                let row = (i * of.stride[0] + tap / of.kernel[1]).wrapping_sub(of.padding[0]);
                let col = (j * of.stride[1] + tap % of.kernel[1]).wrapping_sub(of.padding[1]);
                let target = rows.next().expect("a row for each tap of each pixel");
                if row < of.image[0] && col < of.image[1] {
                    let from = ((n * of.image[0] + row) * of.image[1] + col) * channels;
                    target.copy_from_slice(&x[from..from + channels]);
                } else {
                    target.fill(0.0);
                }
            }
        }
    }
}

fn timed(f: impl FnOnce()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_secs_f64()
}

fn main() {
    let (mut batch, mut threads, mut rounds, mut only) = (128, 0, 11, String::new());
    read_arguments(|argument, value| {
        match argument {
            "--batch" => batch = value().parse().expect("a number of images"),
            "--threads" => threads = value().parse().expect("a number of threads"),
            "--rounds" => rounds = value().parse().expect("a number of rounds"),
            "--only" => only = value(),
            _ => return false,
        }
        true
    });
    let mut names = LAYERS.iter().map(|(name, _)| *name).chain([POOL]);
    assert!(names.any(|name| name.contains(&only)), "--only {only} is in no name");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    pool.install(|| {
        warm_up();
        let isa = Isa::from_env().unwrap_or_else(|error| panic!("{error}"));
        println!(
            "batch {batch}, {} thread(s), {}; GFLOP/s and percent of the peak",
            rayon::current_num_threads(),
            isa.name()
        );
        for (name, of) in LAYERS.iter().filter(|(name, _)| name.contains(&only)) {
            measure(isa, name, of, batch, rounds);
        }
        if POOL.contains(&only) {
            pools(isa, batch, rounds);
        }
    });
}

const POOL: &str = "maximum pool of 28×28, 64";

/// Maximum pooling of 28×28 images of 64 channels: milliseconds, and gigabytes a second of what has to be read and written.
fn pools(isa: Isa, batch: usize, rounds: usize) {
    let of =
        Pooling { image: [28, 28], output: [14, 14], channels: 64, window: [2, 2], stride: [2, 2], padding: [0, 0] };
    let (images, outputs) = (batch * 28 * 28 * 64, batch * 14 * 14 * 64);
    let x: Vec<f32> = (0..images).map(|at| (at * 7919 % 1009) as f32).collect();
    let (mut y, mut back, mut offsets) = (vec![0.0; outputs], vec![0.0; images], vec![0; outputs]);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        times[0].push(with_spinning_threads(|| timed(|| max_pool(isa, &of, &x, &mut y, &mut offsets))));
        times[1].push(with_spinning_threads(|| {
            timed(|| max_pool_transposed(isa, &of, &y, &offsets, black_box(&mut back)))
        }));
    }
    let bytes = (4 * (images + outputs) + outputs) as f64;
    let [forward, backward] = times.map(median);
    println!(
        "{POOL}: {:.2} ms ({:.1} GB/s), gradient {:.2} ms ({:.1} GB/s)",
        1e3 * forward,
        bytes / forward / 1e9,
        1e3 * backward,
        bytes / backward / 1e9
    );
}

fn measure(isa: Isa, name: &str, of: &Convolution, batch: usize, rounds: usize) {
    let x = random::<f32>(batch * of.image_len(), 1);
    let (w, y) = (random::<f32>(of.weights(), 2), random::<f32>(batch * of.output_len(), 3));
    let (rows, depth, cols) =
        (batch * of.output[0] * of.output[1], of.weights() / of.output_channels, of.output_channels);
    let mut copied = vec![0.0; rows * depth];
    let (mut out, mut by_patches) = (vec![0.0; y.len()], vec![0.0; y.len()]);
    let (mut back, mut gradient) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    let mut gradient_by_patches = vec![0.0; w.len()];
    let context = Context { isa, gemm: GemmEngine::Narrows };
    let (write, plain) = (Accumulate::Overwrite, Epilogue::NONE);
    let mut times = vec![Vec::new(); 5];
    let mut peaks = Vec::new();
    for round in 0..=rounds {
        peaks.push(peak::<f32>(isa));
        let seconds = with_spinning_threads(|| {
            [
                timed(|| convolve(isa, of, &x, &w, plain, &mut out, write)),
                timed(|| {
                    patches(of, batch, &x, &mut copied);
                    let (lhs, rhs) = (MatRef::new(&copied, rows, depth), MatRef::new(&w, depth, cols));
                    gemm(context, MatMut::new(&mut by_patches, rows, cols), write, lhs, rhs, plain);
                }),
                timed(|| convolve_transposed(isa, of, &y, &w, plain, &mut back, write)),
                timed(|| weight_gradient(isa, of, &x, &y, &mut gradient, write)),
                timed(|| {
                    patches(of, batch, &x, &mut copied);
                    let (lhs, rhs) = (MatRef::new(&copied, rows, depth), MatRef::new(&y, rows, cols));
                    let out = MatMut::new(&mut gradient_by_patches, depth, cols);
                    gemm(context, out, write, lhs.transposed(), rhs, plain);
                }),
            ]
        });
        if round == 0 {
            assert!(out == by_patches && gradient == gradient_by_patches, "{name}: other bits than by patches");
            let mut image = vec![0.0; of.image_len()];
            reference::convolve_transposed(of, &y[..of.output_len()], &w, plain, &mut image, write);
            assert!(back[..image.len()] == image, "{name}: other bits than by definition");
            continue;
        }
        times.iter_mut().zip(seconds).for_each(|(times, seconds)| times.push(seconds));
    }
    let peak = median(peaks);
    let flops = 2.0 * (rows * depth * cols) as f64;
    let [forward, forward_copied, image, weights, weights_copied]: [String; 5] = std::array::from_fn(|way| {
        let speed = flops / median(times[way].clone()) / 1e9;
        format!("{speed:6.1} ({:3.0} %)", 100.0 * speed / peak)
    });
    println!(
        "{name:<36} forward {forward}, copied {forward_copied}; by images {image}; by weights {weights}, copied \
         {weights_copied}; peak {peak:.0}"
    );
}
