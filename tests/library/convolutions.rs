//! Layers on images: against PyTorch and Keras in f64 and f32, and their gradients against central differences, once and twice.

use narrows::nn::{BatchNorm, Draws, Init, Layer, Layout, Padding, Pass, Sequential, batch_norm};
use narrows::rng::{Purpose, stream};
use narrows::tape::check::Input;
use narrows::tape::{ALL, Activation, Arena, Shape, Tape};
use narrows_kernels::conv::Convolution;
use narrows_kernels::conv::pool::Pooling;
use narrows_kernels::{Accumulate, Context, Real};
use serde::Deserialize;

use crate::gradients::{check, inputs};

#[derive(Deserialize)]
struct Goldens {
    origin: String,
    cases: Vec<Case>,
    pools: Vec<Pool>,
    norms: Vec<Norm>,
}

/// See tests/golden/convolutions.py.
#[derive(Deserialize)]
struct Pool {
    seed: u64,
    image: [usize; 4],
    window: usize,
    stride: usize,
    padding: usize,
    output: [usize; 4],
    y: Vec<f64>,
    gradient: Vec<f64>,
}

/// See tests/golden/convolutions.py.
#[derive(Deserialize)]
struct Norm {
    seed: u64,
    shape: Vec<usize>,
    y: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    running: Vec<[Vec<f64>; 2]>,
    inferred: Vec<f64>,
}

/// See tests/golden/convolutions.py.
#[derive(Deserialize)]
struct Case {
    index: u64,
    kind: String,
    image: [usize; 4],
    filters: usize,
    kernel: usize,
    stride: usize,
    padding: serde_json::Value,
    output_padding: usize,
    output: [usize; 4],
    y: Vec<f64>,
    gradients: Vec<Vec<f64>>,
}

/// Uniform in [−1, 1), as the program that made the goldens draws them.
fn numbers<T: Real>(count: usize, mut state: u64) -> Vec<T> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| T::from_f64(next())).collect()
}

impl Case {
    fn layer(&self) -> Layer {
        let padding = match (self.padding.as_str(), self.padding.as_u64()) {
            (Some("same"), _) => Padding::Same,
            (Some(_), _) => Padding::Valid,
            (None, pixels) => Padding::Pixels(pixels.unwrap() as usize),
        };
        let (filters, kernel, stride, activation) = (self.filters, self.kernel, self.stride, Activation::Linear);
        match self.kind.as_str() {
            "conv" => Layer::Conv { filters, kernel, stride, padding, activation },
            _ => {
                let output_padding = self.output_padding;
                Layer::ConvTranspose { filters, kernel, stride, padding, output_padding, activation }
            }
        }
    }

    /// The largest error of the output and the three gradients, relative to the largest element of each, or where that is less to
    /// √terms / 3, the standard deviation of a sum of so many products of two numbers within [−1, 1): a sum that happens to
    /// cancel is no better known than others.
    fn error<T: Real>(&self) -> f64 {
        let [batch, height, width, channels] = self.image;
        let mut layout = Layout::default();
        // The input is a parameter too, so that its gradient is taken.
        let x = layout.param("input", [batch, height, width, channels]);
        let net = Sequential::new("net", [height, width, channels], &[self.layer()], &mut layout).unwrap();
        let [weight, bias] = &net.layers()[0].params[..] else { panic!("a weight and a bias") };
        let mut params = vec![T::ZERO; layout.len()];
        for (param, seed) in [(&x, 1), (weight, 2), (bias, 3)] {
            param.of_mut(&mut params).copy_from_slice(&numbers(param.len(), 4 * self.index + seed));
        }
        let (mut arena, mut grads) = (Arena::default(), vec![T::from_f64(f64::NAN); params.len()]);
        let mut tape = Tape::new(Context::detect(), &mut arena, &params);
        let on_tape = x.on(&mut tape);
        let y = net.record(&mut tape, on_tape, Pass::Infer);
        assert_eq!(tape.shape(y), Shape::from(self.output), "{} {:?}", self.kind, self.image);
        let value = tape.value(y).to_vec();
        let g = tape.constant(self.output, &numbers(value.len(), 4 * self.index + 4));
        let product = tape.mul(y, g);
        let loss = tape.sum(product);
        tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite).unwrap();
        let found = [&value[..], x.of(&grads), weight.of(&grads), bias.of(&grads)];
        let expected = std::iter::once(&self.y).chain(&self.gradients);
        let pixels = batch * self.output[1] * self.output[2];
        let taps = self.kernel * self.kernel;
        let terms = [taps * channels, taps * self.filters, pixels, pixels];
        let pairs = found.into_iter().zip(expected).zip(terms);
        let errors = pairs.map(|((found, expected), terms)| relative(found, expected, (terms as f64).sqrt() / 3.0));
        errors.fold(0.0, f64::max)
    }
}

impl Pool {
    fn error<T: Real>(&self) -> f64 {
        let [batch, height, width, channels] = self.image;
        let mut layout = Layout::default();
        let x = layout.param("input", [batch, height, width, channels]);
        let padding = Padding::Pixels(self.padding);
        let layer = Layer::MaxPool { window: self.window, stride: Some(self.stride), padding };
        let net = Sequential::new("net", [height, width, channels], &[layer], &mut layout).unwrap();
        let params: Vec<T> = numbers(x.len(), self.seed);
        let (mut arena, mut grads) = (Arena::default(), vec![T::from_f64(f64::NAN); params.len()]);
        let mut tape = Tape::new(Context::detect(), &mut arena, &params);
        let on_tape = x.on(&mut tape);
        let y = net.record(&mut tape, on_tape, Pass::Infer);
        assert_eq!(tape.shape(y), Shape::from(self.output), "{:?}", self.image);
        let value = tape.value(y).to_vec();
        let g = tape.constant(self.output, &numbers(value.len(), self.seed + 1));
        let product = tape.mul(y, g);
        let loss = tape.sum(product);
        tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite).unwrap();
        relative(&value, &self.y, 0.0).max(relative(&grads, &self.gradient, 0.0))
    }
}

impl Norm {
    fn error<T: Real>(&self, edition: BatchNorm) -> f64 {
        let shape = Shape::new(&self.shape);
        let mut layout = Layout::default();
        let x = layout.param("input", shape);
        let sample = Shape::new(&self.shape[1..]);
        let net = Sequential::new("net", sample, &[batch_norm(edition, Activation::Linear)], &mut layout).unwrap();
        let [weight, bias, mean, variance] = &net.layers()[0].params[..] else { panic!("four tensors") };
        let mut params = vec![T::ZERO; layout.len()];
        net.init(Init::GlorotUniform, 1, &mut params);
        weight.of_mut(&mut params).copy_from_slice(&numbers(weight.len(), self.seed));
        bias.of_mut(&mut params).copy_from_slice(&numbers(bias.len(), self.seed + 1));
        let (mut arena, mut grads) = (Arena::default(), vec![T::ZERO; params.len()]);
        let trained = layout.ranges(&["input", "net"]).unwrap();
        let (mut value, mut worst) = (Vec::new(), 0.0f64);
        for (step, running) in (0..).zip(&self.running) {
            let numbers: Vec<f64> = numbers(x.len(), self.seed + 2 + step);
            let inputs = numbers.into_iter().map(|number| T::from_f64(2.0 * number + 0.5));
            x.of_mut(&mut params).iter_mut().zip(inputs).for_each(|(x, input)| *x = input);
            let mut tape = Tape::new(Context::detect(), &mut arena, &params);
            let on_tape = x.on(&mut tape);
            let y = net.record(&mut tape, on_tape, Pass::Train(Draws::default()));
            value = tape.value(y).to_vec();
            let g = tape.constant(shape, &self::numbers(x.len(), self.seed + 5));
            let product = tape.mul(y, g);
            let loss = tape.sum(product);
            tape.backward(loss, &trained, &mut grads, Accumulate::Overwrite).unwrap();
            arena.assign(&mut params);
            for (param, running) in [mean, variance].into_iter().zip(running) {
                worst = worst.max(relative(param.of(&params), running, 0.0));
            }
        }
        let mut tape = Tape::new(Context::detect(), &mut arena, &params);
        let on_tape = x.on(&mut tape);
        let inferred = net.record(&mut tape, on_tape, Pass::Infer);
        let found = [&value[..], x.of(&grads), weight.of(&grads), bias.of(&grads), tape.value(inferred)];
        let expected = std::iter::once(&self.y).chain(&self.gradients).chain([&self.inferred]);
        found.into_iter().zip(expected).map(|(found, expected)| relative(found, expected, 0.0)).fold(worst, f64::max)
    }
}

/// The largest error, divided by the largest expected element or by `floor`, whichever is larger. NaN and other lengths are an
/// infinite error.
fn relative<T: Real>(found: &[T], expected: &[f64], floor: f64) -> f64 {
    let size = expected.iter().fold(floor.max(f64::MIN_POSITIVE), |size, x| size.max(x.abs()));
    let off = found.iter().zip(expected).map(|(a, b)| (a.to_f64() - b).abs() / size);
    let is_whole = found.len() == expected.len() && found.iter().all(|x| x.is_finite());
    if is_whole { off.fold(0.0, f64::max) } else { f64::INFINITY }
}

#[test]
fn the_comparer_sees_what_is_wrong() {
    let good = [1.0, -2.0, 0.0];
    assert_eq!(relative(&good, &good, 0.0), 0.0);
    assert_eq!(relative(&[1.0, -2.0, f64::NAN], &good, 0.0), f64::INFINITY);
    assert_eq!(relative(&good[..2], &good, 0.0), f64::INFINITY);
    assert_eq!(relative(&[1.0, -2.0, 0.5], &good, 0.0), 0.25);
    assert_eq!(relative(&[1.0, -2.0, 0.5], &good, 4.0), 0.125);
    assert_eq!(relative(&[0.0], &[0.0], 0.0), 0.0);
    assert!(relative(&[0.5], &[0.0], 0.0) > 1.0);
    assert_eq!(relative(&[f64::NAN], &[0.0], 4.0), f64::INFINITY);
}

impl Goldens {
    /// The largest error of convolutions, pools and batch normalisations.
    fn worst<T: Real>(&self, edition: BatchNorm) -> [f64; 3] {
        let largest = |errors: &mut dyn Iterator<Item = f64>| errors.fold(0.0, f64::max);
        [
            largest(&mut self.cases.iter().map(Case::error::<T>)),
            largest(&mut self.pools.iter().map(Pool::error::<T>)),
            largest(&mut self.norms.iter().map(|norm| norm.error::<T>(edition))),
        ]
    }
}

#[test]
fn outputs_and_gradients_are_those_of_pytorch_and_keras() {
    for text in [include_str!("../golden/convolutions_pytorch.json"), include_str!("../golden/convolutions_keras.json")]
    {
        let goldens: Goldens = serde_json::from_str(text).unwrap();
        let is_keras = goldens.origin.starts_with("Keras");
        let (edition, counts) =
            if is_keras { (BatchNorm::Keras, [22, 8, 12]) } else { (BatchNorm::Pytorch, [26, 12, 12]) };
        assert_eq!([goldens.cases.len(), goldens.pools.len(), goldens.norms.len()], counts);
        let double = goldens.worst::<f64>(edition);
        let single = goldens.worst::<f32>(edition);
        let said = format!("{}: convolutions, pools, norms {double:?} in f64, {single:?} in f32", goldens.origin);
        println!("{said}");
        assert!(double.iter().all(|&error| error <= 1e-12) && single.iter().all(|&error| error <= 5e-6), "{said}");
    }
}

fn convolution(image: [usize; 3], outputs: usize, stride: usize) -> Convolution {
    Convolution {
        image: [image[0], image[1]],
        image_channels: image[2],
        output: [image[0].div_ceil(stride), image[1].div_ceil(stride)],
        output_channels: outputs,
        kernel: [3, 2],
        stride: [stride; 2],
        padding: [1, 0],
    }
}

#[test]
fn gradients_of_convolutions() {
    for (stride, activation) in [(1, Activation::Linear), (2, Activation::Tanh), (2, Activation::Softplus)] {
        let of = convolution([4, 3, 2], 3, stride);
        let [rows, cols] = of.output;
        let mut stream = stream(31, Purpose::Init, 0);
        let mut random = |shape: &[usize]| Input::random(Shape::new(shape), 0.3, 1.2, &mut stream);
        let (x, y) = (random(&[2, 4, 3, 2]), random(&[2, rows, cols, 3]));
        let (w, b, c) = (random(&[3, 2, 2, 3]), random(&[1, 3]), random(&[1, 2]));
        check(&format!("convolution, {activation}"), &[x, w.clone(), b], |t, v| {
            t.convolve(v[0], v[1], v[2], of, activation)
        });
        check(&format!("transposed convolution, {activation}"), &[y, w, c], |t, v| {
            t.convolve_transposed(v[0], v[1], v[2], of, activation)
        });
    }
}

#[test]
fn gradients_of_pooling() {
    let overlapping =
        Pooling { image: [5, 4], output: [3, 3], channels: 2, window: [3, 2], stride: [2, 1], padding: [1, 0] };
    let apart = Pooling { image: [5, 4], output: [2, 2], channels: 2, window: [2, 2], stride: [2, 2], padding: [0, 0] };
    for of in [overlapping, apart] {
        check("maximum pooling", &inputs(&[[2, 5, 4, 2]]), |t, x| {
            let pooled = t.max_pool(x[0], of);
            t.square(pooled)
        });
        check("sums over windows", &inputs(&[[2, 5, 4, 2]]), |t, x| {
            let pooled = t.sum_pool(x[0], of, 0.7);
            t.square(pooled)
        });
        let [rows, cols] = of.output;
        check("sums back", &inputs(&[[2, rows, cols, 2]]), |t, y| {
            let spread = t.sum_pool_transposed(y[0], of, 0.7);
            t.square(spread)
        });
    }
    check("dropout of channels", &inputs(&[[3, 2, 2, 4]]), |t, x| {
        let kept = t.dropout_channels(x[0], 0.4, |_| stream(1, Purpose::Noise, 7));
        t.square(kept)
    });
}

#[test]
fn gradients_of_the_maxima_of_a_convolution() {
    let of = convolution([5, 4, 2], 3, 1);
    // The last row and column belong to no window.
    let pool = Pooling { image: [5, 4], output: [2, 1], channels: 3, window: [2, 3], stride: [2, 3], padding: [0, 0] };
    for activation in [Activation::Linear, Activation::Relu, Activation::LeakyRelu { slope: 0.3 }] {
        let mut stream = stream(37, Purpose::Init, 0);
        let mut random = |shape: &[usize]| Input::random(Shape::new(shape), 0.3, 1.2, &mut stream);
        let (x, w, b) = (random(&[2, 5, 4, 2]), random(&[3, 2, 2, 3]), random(&[1, 3]));
        check(&format!("maxima of a convolution, {activation}"), &[x, w, b], |t, v| {
            let y = t.convolve_max_pool([v[0], v[1], v[2]], of, pool, activation);
            t.square(y)
        });
    }
}

#[test]
#[should_panic(expected = "cannot be that of the output of")]
fn windows_on_other_images_than_the_convolution_gives_are_refused() {
    let mut arena = Arena::<f32>::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &[]);
    let (x, weight, bias) = (tape.zeros([2, 5, 4, 2]), tape.zeros([3, 2, 2, 3]), tape.zeros([1, 3]));
    let pool = Pooling { image: [4, 4], output: [2, 2], channels: 3, window: [2; 2], stride: [2; 2], padding: [0; 2] };
    tape.convolve_max_pool([x, weight, bias], convolution([5, 4, 2], 3, 1), pool, Activation::Relu);
}

/// Bias and activation after the maxima give the bits of bias and activation before them, forwards and backwards.
#[test]
fn a_convolution_before_a_maximum_pool_is_what_both_are() {
    for activation in [Activation::Linear, Activation::Relu, Activation::LeakyRelu { slope: 0.3 }] {
        let layers = [narrows::nn::conv(5, 3, activation), narrows::nn::max_pool(2)];
        let mut layout = Layout::default();
        let net = Sequential::new("net", [6, 7, 3], &layers, &mut layout).unwrap();
        let params: Vec<f32> = numbers(layout.len(), 5);
        let images: Vec<f32> = numbers(4 * 126, 6);
        let [weight, bias] = &net.layers()[0].params[..] else { panic!("a weight and a bias") };
        let gradients = |apart: bool| {
            let (mut arena, mut grads) = (Arena::default(), vec![0.0; params.len()]);
            let mut tape = Tape::new(Context::detect(), &mut arena, &params);
            let x = tape.constant([4, 6, 7, 3], &images);
            let y = if apart {
                let of = Convolution { padding: [1, 1], kernel: [3, 3], ..convolution([6, 7, 3], 5, 1) };
                let (weight, bias) = (weight.on(&mut tape), bias.on(&mut tape));
                let y = tape.convolve(x, weight, bias, of, activation);
                let (image, output) = ([6, 7], [3, 3]);
                tape.max_pool(
                    y,
                    Pooling { image, output, channels: 5, window: [2; 2], stride: [2; 2], padding: [0; 2] },
                )
            } else {
                net.record(&mut tape, x, Pass::Infer)
            };
            let value = tape.value(y).to_vec();
            let square = tape.square(y);
            let loss = tape.sum(square);
            tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite).unwrap();
            (value, grads)
        };
        let ((apart, by_pixels), (together, by_maxima)) = (gradients(true), gradients(false));
        assert_eq!(apart, together, "{activation}");
        // The sums over pixels leave out zeros; those of the bias run in another order, 36 terms each.
        assert_eq!(weight.of(&by_pixels), weight.of(&by_maxima), "{activation}");
        let scale = bias.of(&by_pixels).iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        let mut pairs = bias.of(&by_pixels).iter().zip(bias.of(&by_maxima));
        assert!(pairs.all(|(a, b)| (a - b).abs() <= 36.0 * f32::EPSILON * scale), "{activation}");
    }
}

/// Of an image and, as a second channel, its negative.
#[test]
fn layers_without_weights_have_the_values_that_are_written_here() {
    let average = Layer::AveragePool { window: 2, stride: Some(1) };
    type Case<'a> = (Layer, [usize; 2], &'a [f64], &'a [f64]);
    let cases: [Case<'_>; 4] = [
        (
            Layer::Upsample { factor: 2 },
            [2, 2],
            &[1.0, 2.0, 3.0, 4.0],
            &[1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 3.0, 3.0, 4.0, 4.0],
        ),
        (
            narrows::nn::zero_pad(1),
            [2, 2],
            &[1.0, 2.0, 3.0, 4.0],
            &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        ),
        (average, [2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[3.0, 4.0]),
        (Layer::GlobalAverage, [2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[3.5]),
    ];
    let both = |values: &[f64]| values.iter().flat_map(|&value| [value, -value]).collect::<Vec<f64>>();
    for (layer, [height, width], image, expected) in cases {
        let net = Sequential::new("net", [height, width, 2], &[layer], &mut Layout::default()).unwrap();
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &[]);
        let x = tape.constant([1, height, width, 2], &both(image));
        let y = net.record(&mut tape, x, Pass::Infer);
        assert_eq!(tape.value(y), both(expected), "{layer:?}");
    }
}

#[test]
fn channels_are_dropped_whole() {
    let mut arena = Arena::<f32>::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &[]);
    let ones = tape.constant([4, 3, 3, 8], &[1.0; 4 * 72]);
    let kept = tape.dropout_channels(ones, 0.5, |block| stream(3, Purpose::Noise, block));
    let mut dropped = 0;
    for sample in tape.value(kept).chunks(72) {
        for channel in 0..8 {
            let values: Vec<f32> = sample.iter().skip(channel).step_by(8).copied().collect();
            assert!(values.iter().all(|&value| value == values[0] && (value == 0.0 || value == 2.0)));
            dropped += usize::from(values[0] == 0.0);
        }
    }
    // 32 draws with chance ½: 16 ± 4 · √8.
    assert!((5..=27).contains(&dropped), "{dropped}");
}

#[test]
fn what_does_not_fit_is_refused_with_the_layer_and_the_shape() {
    let refuse = |input: &[usize], layer: Layer| {
        let refused = Sequential::new("encoder", Shape::new(input), &[layer], &mut Layout::default());
        refused.unwrap_err().to_string()
    };
    let conv =
        Layer::Conv { filters: 2, kernel: 5, stride: 1, padding: Padding::Valid, activation: Activation::Linear };
    assert_eq!(
        refuse(&[784], conv),
        "encoder.0 (conv) is given samples of shape [784]; it takes images [height, width, channels]; put a layer such as \
         { reshape = [3, 3, 256] } before it"
    );
    assert_eq!(
        refuse(&[4, 9, 1], conv),
        "encoder.0 (conv) is given samples of shape [4, 9, 1]; it takes at least 5 pixels in height and width, padding included"
    );
    let around = Layer::MaxPool { window: 3, stride: None, padding: Padding::Pixels(2) };
    assert_eq!(
        refuse(&[6, 6, 1], around),
        "encoder.0 (max-pool) is given samples of shape [6, 6, 1]; it takes a padding of at most half of its window of 3 pixels"
    );
    assert_eq!(
        refuse(&[20, 20, 1], narrows::nn::max_pool(17)),
        "encoder.0 (max-pool) is given samples of shape [20, 20, 1]; it takes windows at most 16 pixels high and wide"
    );
    assert_eq!(
        refuse(&[5], narrows::nn::reshape(&[2, 2, 1])),
        "encoder.0 (reshape) is given samples of shape [5]; it takes samples of 4 values, to make them [2, 2, 1]"
    );
    // 2⁶⁶ weights, which are none modulo 2⁶⁴.
    let wide = Layer::Conv {
        filters: 1 << 16,
        kernel: 1024,
        stride: 1,
        padding: Padding::Same,
        activation: Activation::Linear,
    };
    assert_eq!(
        refuse(&[1, 1, 1 << 30], wide),
        "encoder.0 (conv) is given samples of shape [1, 1, 1073741824]; it takes samples so small that its weight \
         [1024, 1024, 1073741824, 65536] has at most 1099511627776 values"
    );
    let tall = Layer::ConvTranspose {
        filters: 1 << 16,
        kernel: 1024,
        stride: 1024,
        padding: Padding::Same,
        output_padding: 0,
        activation: Activation::Linear,
    };
    assert_eq!(
        refuse(&[1 << 19, 1 << 9, 1], tall),
        "encoder.0 (conv-transpose) is given samples of shape [524288, 512, 1]; it takes samples so small that its output \
         [536870912, 524288, 65536] has at most 2147483648 values"
    );
}
