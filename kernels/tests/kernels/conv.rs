//! Convolutions have the bits of nested loops over `mul_add`, whatever the instruction set and the threads; pooling keeps to its
//! rules.

use narrows_kernels::conv::pool::{Pooling, max_pool, max_pool_at, max_pool_transposed, sum_pool, sum_pool_transposed};
use narrows_kernels::conv::{Convolution, convolve, convolve_max_pool, convolve_transposed, weight_gradient};
use narrows_kernels::{Accumulate, Activation, Epilogue, Isa, Real, reference, with_spinning_threads};

use super::gemm::{Numbers, first_difference, on_every_isa};

/// Images [height, width, channels] with a kernel, stride and padding, the output as large as padding on both sides gives.
fn of(image: [usize; 3], outputs: usize, kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Convolution {
    let output = [0, 1].map(|d| (image[d] + 2 * padding[d]).saturating_sub(kernel[d]) / stride[d] + 1);
    Convolution {
        image: [image[0], image[1]],
        image_channels: image[2],
        output,
        output_channels: outputs,
        kernel,
        stride,
        padding,
    }
}

/// Kernels of one pixel, larger than the image, strides larger than the kernel, odd sizes, one channel, channels around the widths
/// of tiles (14 and 6 rows; 32, 16, 8 and 2 columns).
fn cases() -> Vec<(usize, Convolution)> {
    let mut cases = vec![
        (1, of([1, 1, 1], 1, [1, 1], [1, 1], [0, 0])),
        (3, of([5, 4, 3], 2, [1, 1], [1, 1], [0, 0])),
        (2, of([2, 3, 2], 3, [5, 5], [1, 1], [2, 2])),
        (2, of([9, 8, 2], 5, [2, 1], [3, 4], [0, 0])),
        (2, of([7, 9, 1], 33, [3, 3], [1, 1], [1, 1])),
        (2, of([7, 5, 33], 1, [3, 3], [2, 2], [1, 1])),
        (3, of([6, 7, 5], 8, [3, 2], [2, 1], [1, 0])),
        (1, of([9, 11, 4], 7, [4, 3], [3, 2], [3, 2])),
        (0, of([5, 5, 2], 3, [3, 3], [1, 1], [1, 1])),
        // Keras's `same` for an even image and stride 2: padding only below and to the right.
        (2, Convolution { output: [4, 4], ..of([8, 8, 3], 6, [3, 3], [2, 2], [0, 0]) }),
        // An output that reaches beyond what the padding gives on the other side.
        (2, Convolution { output: [9, 2], ..of([6, 6, 2], 4, [3, 3], [1, 1], [1, 1]) }),
    ];
    for channels in [5, 6, 7, 13, 14, 15, 29] {
        cases.push((2, of([5, 6, channels], 9, [3, 3], [1, 1], [1, 1])));
        cases.push((1, of([4, 3, channels], 33, [2, 2], [2, 2], [0, 0])));
    }
    for outputs in [1, 2, 15, 16, 17, 31, 32, 33, 65] {
        cases.push((2, of([4, 5, 3], outputs, [3, 3], [1, 1], [1, 1])));
        cases.push((1, of([5, 4, 15], outputs, [3, 3], [2, 2], [1, 1])));
    }
    // Enough work for several threads, and pixels for several blocks of them.
    cases.push((4, of([14, 14, 16], 40, [3, 3], [1, 1], [1, 1])));
    // Few channels of the result: forwards, by the images, with taps in some phases alone, and more rows than planes have at a time.
    cases.push((2, of([70, 50, 40], 2, [3, 3], [1, 1], [1, 1])));
    cases.push((2, of([61, 45, 1], 40, [4, 4], [2, 2], [1, 1])));
    cases.push((2, of([7, 9, 1], 3, [2, 2], [3, 3], [0, 0])));
    cases.push((3, of([12, 25, 3], 4, [5, 3], [2, 1], [2, 0])));
    cases.push((70, of([8, 8, 2], 16, [3, 3], [2, 2], [1, 1])));
    cases
}

/// The three products of a case, by `isa` and by definition.
fn check<T: Real>(
    isa: Isa,
    samples: usize,
    of: &Convolution,
    accumulate: Accumulate,
    special: bool,
    activation: Activation,
) {
    let mut numbers = Numbers(samples as u64 + of.weights() as u64 * 31 + of.image_len() as u64);
    let mut fill = |len: usize| -> Vec<T> {
        (0..len).map(|_| if special { numbers.special() } else { numbers.element() }).collect()
    };
    let (x, y, w) = (fill(samples * of.image_len()), fill(samples * of.output_len()), fill(of.weights()));
    let (to_image, to_output) = (fill(of.image_channels), fill(of.output_channels));
    let nan = |len: usize| vec![T::from_f64(f64::NAN); len];
    let old = |elements: &[T]| if accumulate == Accumulate::Add { elements.to_vec() } else { nan(elements.len()) };
    let compare = |what: &str, actual: &[T], expected: &[T]| {
        if let Some(difference) = first_difference(actual, expected) {
            panic!("{} {} {what} {of:?}, {samples} samples: {difference}", T::NAME, isa.name());
        }
    };

    let epilogue = Epilogue { bias: Some(&to_output[..]), activation };
    let (mut actual, mut expected) = (old(&y), old(&y));
    convolve(isa, of, &x, &w, epilogue, &mut actual, accumulate);
    reference::convolve(of, &x, &w, epilogue, &mut expected, accumulate);
    compare("convolution", &actual, &expected);

    let epilogue = Epilogue { bias: Some(&to_image[..]), activation };
    let (mut actual, mut expected) = (old(&x), old(&x));
    convolve_transposed(isa, of, &y, &w, epilogue, &mut actual, accumulate);
    reference::convolve_transposed(of, &y, &w, epilogue, &mut expected, accumulate);
    compare("transposed convolution", &actual, &expected);

    let (mut actual, mut expected) = (old(&w), old(&w));
    weight_gradient(isa, of, &x, &y, &mut actual, accumulate);
    reference::weight_gradient(of, &x, &y, &mut expected, accumulate);
    compare("weight gradient", &actual, &expected);
}

fn all<T: Real>(isa: Isa) {
    for (samples, of) in cases() {
        for accumulate in [Accumulate::Overwrite, Accumulate::Add] {
            check::<T>(isa, samples, &of, accumulate, false, Activation::Relu);
        }
        check::<T>(isa, samples, &of, Accumulate::Overwrite, true, Activation::Sigmoid);
    }
}

#[test]
fn convolutions_have_the_bits_of_the_definition() {
    on_every_isa(all::<f32>, all::<f64>);
}

#[test]
fn threads_do_not_change_a_bit() {
    for threads in [2, 3, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| with_spinning_threads(|| all::<f32>(Isa::detect())));
        pool.install(|| all::<f32>(Isa::detect()));
    }
}

/// A transposed convolution is the derivative of the convolution: ⟨y, x ∗ w⟩ = ⟨xᵀ(y, w), x⟩ = ⟨wᵀ(x, y), w⟩. Small integers make
/// the sums exact.
#[test]
fn the_derivatives_are_adjoint_to_the_convolution() {
    for (samples, of) in cases() {
        let mut numbers = Numbers(7);
        let mut fill = |len: usize| -> Vec<f64> { (0..len).map(|_| (numbers.next() % 9) as f64 - 4.0).collect() };
        let (x, y, w) = (fill(samples * of.image_len()), fill(samples * of.output_len()), fill(of.weights()));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (mut forward, mut back, mut weights) = (vec![0.0; y.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        let isa = Isa::detect();
        convolve(isa, &of, &x, &w, Epilogue::NONE, &mut forward, Accumulate::Overwrite);
        convolve_transposed(isa, &of, &y, &w, Epilogue::NONE, &mut back, Accumulate::Overwrite);
        weight_gradient(isa, &of, &x, &y, &mut weights, Accumulate::Overwrite);
        assert_eq!(dot(&y, &forward), dot(&back, &x), "{of:?}");
        assert_eq!(dot(&y, &forward), dot(&weights, &w), "{of:?}");
    }
}

#[test]
#[should_panic(expected = "do not fit")]
fn lengths_that_do_not_fit_are_refused() {
    let of = of([4, 4, 1], 2, [3, 3], [1, 1], [1, 1]);
    convolve(Isa::detect(), &of, &[0.0f32; 17], &[0.0; 18], Epilogue::NONE, &mut [0.0; 32], Accumulate::Overwrite);
}

/// Each of the products is 0 or small modulo 2⁶⁴, so that the lengths would fit.
#[test]
fn extents_that_no_memory_has_room_for_are_refused() {
    let small = of([4, 4, 1], 1, [1, 2], [1, 1], [0, 0]);
    let cases = [
        (Convolution { kernel: [1 << 32; 2], ..small }, [16, 0, 12]),
        (Convolution { image: [1 << 32; 2], ..small }, [0, 2, 12]),
        (Convolution { output: [1 << 32; 2], ..small }, [16, 2, 0]),
        (Convolution { image: [1, 1], output: [1, 1 << 62], ..small }, [4, 2, 0]),
        (Convolution { output: [1, 4], stride: [1, usize::MAX / 3 + 1], ..small }, [16, 2, 4]),
    ];
    for (of, lengths) in cases {
        let refused = std::panic::catch_unwind(|| {
            let [x, w, mut y] = lengths.map(|len| vec![0.0f32; len]);
            convolve(Isa::detect(), &of, &x, &w, Epilogue::NONE, &mut y, Accumulate::Overwrite);
        });
        let message = *refused.expect_err("a refusal").downcast::<String>().unwrap();
        assert!(message.starts_with("no memory has room for"), "{message}");
    }
}

#[test]
#[should_panic(expected = "a kernel, a stride and channels are at least 1")]
fn images_without_channels_are_refused() {
    let of = of([4, 4, 0], 2, [3, 3], [1, 1], [1, 1]);
    convolve(Isa::detect(), &of, &[0.0f32; 0], &[0.0; 0], Epilogue::NONE, &mut [0.0; 32], Accumulate::Overwrite);
}

#[test]
fn a_result_without_pixels_is_no_work() {
    for channels in [1, 40] {
        let of = Convolution { output: [4, 0], ..of([4, 4, channels], channels, [1, 1], [1, 1], [0, 0]) };
        let (isa, x, mut w) = (Isa::detect(), vec![1.0f32; of.image_len()], vec![1.0; of.weights()]);
        convolve(isa, &of, &x, &w, Epilogue::NONE, &mut [], Accumulate::Overwrite);
        weight_gradient(isa, &of, &x, &[], &mut w, Accumulate::Overwrite);
        assert!(w.iter().all(|&w| w == 0.0));
        let of = Convolution { image: of.output, output: of.image, ..of };
        convolve_transposed(isa, &of, &x, &w, Epilogue::NONE, &mut [], Accumulate::Overwrite);
    }
}

fn pooling(image: [usize; 2], channels: usize, window: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Pooling {
    let output = [0, 1].map(|d| (image[d] + 2 * padding[d] - window[d]) / stride[d] + 1);
    Pooling { image, output, channels, window, stride, padding }
}

#[test]
fn the_first_maximum_wins_and_nan_spreads() {
    let of = pooling([2, 2], 4, [2, 2], [2, 2], [0, 0]);
    let nan = f32::NAN;
    // Four channels: a tie, a NaN behind the largest, two NaNs, all −∞.
    let x = [
        [1.0, 5.0, nan, -f32::INFINITY],
        [3.0, 9.0, 2.0, -f32::INFINITY],
        [3.0, nan, nan, -f32::INFINITY],
        [0.0, 7.0, 1.0, -f32::INFINITY],
    ];
    for isa in Isa::available() {
        let (mut y, mut offsets) = ([0.0; 4], [9; 4]);
        max_pool(isa, &of, x.as_flattened(), &mut y, &mut offsets);
        assert_eq!(first_difference(&y, &[3.0, nan, nan, -f32::INFINITY]), None);
        assert_eq!(offsets, [1, 2, 0, 0]);
    }
}

#[test]
fn of_a_window_of_minus_infinity_the_first_pixel_inside_is_the_maximum() {
    let of = pooling([2, 2], 1, [2, 2], [1, 1], [1, 1]);
    for isa in Isa::available() {
        let (mut y, mut offsets, mut gradient) = ([0.0; 9], [9; 9], [f32::NAN; 4]);
        max_pool(isa, &of, &[-f32::INFINITY; 4], &mut y, &mut offsets);
        assert_eq!((y, offsets), ([-f32::INFINITY; 9], [3, 2, 2, 1, 0, 0, 1, 0, 0]));
        max_pool_transposed(isa, &of, &[1.0; 9], &offsets, &mut gradient);
        assert_eq!(gradient, [4.0, 2.0, 2.0, 1.0]);
    }
}

#[test]
#[should_panic(expected = "a window of maxima has at most 256 positions")]
fn maxima_of_windows_with_more_positions_than_a_byte_counts_are_refused() {
    let of = pooling([17, 17], 1, [17, 17], [1, 1], [0, 0]);
    max_pool(Isa::detect(), &of, &[0.0f32; 289], &mut [0.0], &mut [0]);
}

/// Windows that overlap, that leave pixels out, that reach over the edges.
fn poolings() -> [Pooling; 5] {
    [
        pooling([6, 6], 5, [2, 2], [2, 2], [0, 0]),
        pooling([7, 7], 17, [2, 2], [2, 2], [0, 0]),
        pooling([7, 8], 3, [3, 3], [2, 1], [1, 1]),
        pooling([9, 5], 2, [2, 2], [3, 3], [0, 0]),
        pooling([4, 4], 16, [4, 4], [1, 1], [0, 0]),
    ]
}

/// The places in the images that one element of the output is pooled from.
fn window(of: &Pooling, index: usize) -> impl Iterator<Item = usize> {
    let (pixel, c) = (index / of.channels, index % of.channels);
    let (n, i, j) = (pixel / of.output[1] / of.output[0], pixel / of.output[1] % of.output[0], pixel % of.output[1]);
    (0..of.window[0] * of.window[1]).filter_map(move |position| {
        let row = (i * of.stride[0] + position / of.window[1]).checked_sub(of.padding[0])?;
        let col = (j * of.stride[1] + position % of.window[1]).checked_sub(of.padding[1])?;
        let inside = row < of.image[0] && col < of.image[1];
        inside.then_some(((n * of.image[0] + row) * of.image[1] + col) * of.channels + c)
    })
}

#[test]
fn pooled_maxima_are_those_of_the_windows_and_their_gradients_go_back_to_them() {
    for of in poolings() {
        let mut numbers = Numbers(3);
        let samples = 40;
        let (reads, writes) = (of.image[0] * of.image[1] * of.channels, of.output[0] * of.output[1] * of.channels);
        // Few values, so that there are ties.
        let x: Vec<f32> = (0..samples * reads).map(|_| (numbers.next() % 5) as f32).collect();
        let g: Vec<f32> = (0..samples * writes).map(|_| (numbers.next() % 9) as f32 - 4.0).collect();
        let (mut y, mut offsets) = (vec![f32::NAN; samples * writes], vec![0; samples * writes]);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        pool.install(|| max_pool(Isa::detect(), &of, &x, &mut y, &mut offsets));
        let (mut expected, mut back) = (vec![0.0; samples * writes], vec![0.0; samples * reads]);
        for (index, expected) in expected.iter_mut().enumerate() {
            let at = window(&of, index).reduce(|best, at| if x[at] > x[best] { at } else { best }).unwrap();
            *expected = x[at];
            back[at] += g[index];
        }
        assert_eq!(y, expected, "{of:?}");
        let (mut gradient, mut again) = (vec![f32::NAN; x.len()], vec![f32::NAN; y.len()]);
        pool.install(|| max_pool_transposed(Isa::detect(), &of, &g, &offsets, &mut gradient));
        assert_eq!(gradient, back, "{of:?}");
        pool.install(|| max_pool_at(Isa::detect(), &of, &x, &offsets, &mut again));
        assert_eq!(again, expected, "{of:?}");
    }
}

/// The maxima of a convolution computed a few rows at a time are those of the whole, with their places.
#[test]
fn maxima_of_a_convolution_have_the_bits_of_convolving_first() {
    let activation = Activation::LeakyRelu { slope: 0.25 };
    for pool in poolings() {
        for (channels, samples) in [(1, 5), (6, 3)] {
            let image = [pool.image[0], pool.image[1], channels];
            let of = of(image, pool.channels, [3, 3], [1, 1], [1, 1]);
            let mut numbers = Numbers(channels as u64);
            let mut fill = |len: usize| -> Vec<f32> { (0..len).map(|_| numbers.special()).collect() };
            let (x, w, bias) = (fill(samples * of.image_len()), fill(of.weights()), fill(pool.channels));
            let mut whole = vec![0.0; samples * of.output_len()];
            let len = samples * pool.output[0] * pool.output[1] * pool.channels;
            convolve(Isa::detect(), &of, &x, &w, Epilogue::NONE, &mut whole, Accumulate::Overwrite);
            let (mut expected, mut places) = (vec![0.0; len], vec![0; len]);
            max_pool(Isa::detect(), &pool, &whole, &mut expected, &mut places);
            for (index, x) in expected.iter_mut().enumerate() {
                *x += bias[index % pool.channels];
                *x = if *x > 0.0 { *x } else { *x * 0.25 };
            }
            let epilogue = Epilogue { bias: Some(&bias[..]), activation };
            for threads in [1, 3] {
                let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                for isa in Isa::available() {
                    let (mut y, mut offsets) = (vec![f32::NAN; len], vec![9; len]);
                    workers.install(|| {
                        with_spinning_threads(|| {
                            convolve_max_pool(isa, &of, &pool, &x, &w, epilogue, &mut y, &mut offsets);
                        });
                    });
                    assert_eq!(first_difference(&y, &expected), None, "{pool:?} {of:?} {}", isa.name());
                    assert_eq!(offsets, places, "{pool:?} {of:?} {}", isa.name());
                }
            }
        }
    }
}

#[test]
fn sums_are_those_of_the_windows_and_go_back_to_them() {
    // The last is the mean of a whole image.
    for of in poolings().into_iter().chain([pooling([28, 28], 2, [28, 28], [1, 1], [0, 0])]) {
        let mut numbers = Numbers(5);
        let (reads, writes) = (of.image[0] * of.image[1] * of.channels, of.output[0] * of.output[1] * of.channels);
        let x: Vec<f64> = (0..3 * reads).map(|_| (numbers.next() % 9) as f64 - 4.0).collect();
        let g: Vec<f64> = (0..3 * writes).map(|_| (numbers.next() % 9) as f64 - 4.0).collect();
        let (mut sums, mut spread) = (vec![0.0; g.len()], vec![0.0; x.len()]);
        for index in 0..g.len() {
            for at in window(&of, index) {
                sums[index] += 0.5 * x[at];
                spread[at] += 0.5 * g[index];
            }
        }
        for isa in Isa::available() {
            let (mut y, mut back) = (vec![f64::NAN; g.len()], vec![f64::NAN; x.len()]);
            sum_pool(isa, &of, 0.5, &x, &mut y);
            sum_pool_transposed(isa, &of, 0.5, &g, &mut back);
            assert_eq!((y, back), (sums.clone(), spread.clone()), "{of:?} {}", isa.name());
        }
    }
}
