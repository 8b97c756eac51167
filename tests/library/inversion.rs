//! Decoders run backwards: Jacobians against the tape, walks back to the codes they came from, optimal codes against planted
//! ones and against scipy.

use narrows::invert::{Decoder, Dense, InvertError, Optimum, Stop, Tangents, Tolerances, Walk, optimal_codes};
use narrows::loss::Loss;
use narrows::nn::{Autoencoder, Layer, conv, dense, reshape};
use narrows::rng::{Purpose, Stream, stream};
use narrows::tape::{Arena, Tape};
use narrows_kernels::{Activation, Context, GemmEngine, Isa, Real};
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;

use crate::support::numbers;

const ACTIVATIONS: [Activation; 7] = [
    Activation::Linear,
    Activation::LeakyRelu { slope: 0.5 },
    Activation::LeakyRelu { slope: 0.01 },
    Activation::Elu { alpha: 0.8 },
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Softplus,
];

fn normal(count: usize, std: f64, stream: &mut Stream) -> Vec<f64> {
    (0..count).map(|_| std * Distribution::<f64>::sample(&StandardNormal, stream)).collect()
}

/// Random dense layers of these widths, weights N(0, 1/inputs), all with one activation.
fn random_decoder(widths: &[usize], activation: Activation, index: u64) -> Decoder<f64> {
    let mut stream = stream(21, Purpose::Init, index);
    let layers = widths.windows(2).enumerate().map(|(number, pair)| {
        let (inputs, outputs) = (pair[0], pair[1]);
        Dense {
            name: format!("decoder.{number}"),
            weight: normal(inputs * outputs, 1.0 / (inputs as f64).sqrt(), &mut stream),
            bias: normal(outputs, 0.2, &mut stream),
            inputs,
            outputs,
            activation,
        }
    });
    Decoder::new(layers.collect(), Activation::Linear).unwrap()
}

/// The decoder with its numbers rounded to f32.
fn single(decoder: &Decoder<f64>, activation: Activation) -> Decoder<f32> {
    let round = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
    let layers = decoder.layers().iter().map(|dense| Dense {
        name: dense.name.clone(),
        weight: round(&dense.weight),
        bias: round(&dense.bias),
        inputs: dense.inputs,
        outputs: dense.outputs,
        activation,
    });
    Decoder::new(layers.collect(), Activation::Linear).unwrap()
}

fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    norm(a.iter().zip(b).map(|(a, b)| a - b))
}

fn search(decoder: &Decoder<f64>, targets: &[f64], starts: &[f64]) -> Vec<Optimum<f64>> {
    optimal_codes(Context::detect(), decoder, targets, starts, Tolerances::default())
}

/// The Jacobian [count, features, code] by one backward pass of the tape for each output.
fn jacobian_by_tape(decoder: &Decoder<f64>, codes: &[f64]) -> Vec<f64> {
    let (code, features) = (decoder.code_size(), decoder.features());
    let mut rows = Vec::new();
    for z in codes.chunks(code) {
        for output in 0..features {
            let mut arena = Arena::default();
            let mut tape = Tape::new(Context::detect(), &mut arena, &[]);
            let z = tape.constant([1, code], z);
            let mut y = z;
            for dense in decoder.layers() {
                let weight = tape.constant([dense.inputs, dense.outputs], &dense.weight);
                let bias = tape.constant([1, dense.outputs], &dense.bias);
                y = tape.dense(y, weight, bias, dense.activation);
            }
            let y = tape.activate(y, decoder.output());
            let column = tape.slice_columns(y, output, 1);
            let scalar = tape.sum(column);
            let gradient = tape.gradient(scalar, &[z]).unwrap()[0];
            rows.extend_from_slice(tape.value(gradient));
        }
    }
    rows
}

#[test]
fn jacobians_are_those_of_the_tape() {
    for (index, activation) in ACTIVATIONS.into_iter().chain([Activation::Relu]).enumerate() {
        let layers = random_decoder(&[3, 5, 8, 9], activation, index as u64).layers().to_vec();
        let decoder = Decoder::new(layers, [Activation::Linear, Activation::Sigmoid][index % 2]).unwrap();
        let codes = normal(4 * 3, 1.0, &mut stream(22, Purpose::Init, index as u64));
        let expected = jacobian_by_tape(&decoder, &codes);
        let mut tangents = Tangents::default();
        // Twice, with another number of codes between: buffers that are used again must not show.
        tangents.jacobian(Context::detect(), &decoder, &codes[..6]);
        let found = tangents.jacobian(Context::detect(), &decoder, &codes);
        for s in 0..4 {
            for i in 0..9 {
                for j in 0..3 {
                    let (found, expected) = (found[(j * 4 + s) * 9 + i], expected[(s * 9 + i) * 3 + j]);
                    // Three layers, each a chain of at most 8 terms of the size of 1.
                    assert!(
                        (found - expected).abs() <= 1e-14,
                        "{activation:?}: {found} for {expected} at {s}, {i}, {j}"
                    );
                }
            }
        }
    }
}

#[test]
fn walks_from_a_decoder_s_own_output_come_back_to_the_codes() {
    for (index, activation) in ACTIVATIONS.into_iter().enumerate() {
        let decoder = random_decoder(&[4, 12, 30], activation, 100 + index as u64);
        let codes = normal(700 * 4, 0.5, &mut stream(23, Purpose::Init, index as u64));
        let walk = Walk::new(Context::detect(), decoder).unwrap();
        let y = walk.decoder().decode(Context::detect(), &codes);
        let found = walk.invert(&y, f64::EPSILON);
        assert!(found.identifiable.iter().all(|&known| known));
        // Two layers of condition below 10, and slopes above 1/100 (leaky relu), each squared at worst.
        let relative = distance(&found.codes, &codes) / norm(codes.iter().copied());
        println!("{activation:?}: {relative:.1e}");
        assert!(relative <= 1e-10, "{activation:?}: relative error {relative:e}");
        assert!(found.layers.iter().all(|layer| layer.pulled_in == 0 && layer.not_identifiable == 0));
        let size = norm(y.iter().copied());
        assert!(found.layers.iter().all(|layer| layer.residual <= 1e-11 * (1.0 + size)), "{:?}", found.layers);
    }
}

#[test]
fn walks_in_single_precision_come_back_too() {
    let decoder = single(&random_decoder(&[4, 12, 30], Activation::Linear, 150), Activation::LeakyRelu { slope: 0.5 });
    let codes: Vec<f32> = normal(100 * 4, 1.0, &mut stream(24, Purpose::Init, 0)).iter().map(|&z| z as f32).collect();
    let walk = Walk::new(Context::detect(), decoder).unwrap();
    let y = walk.decoder().decode(Context::detect(), &codes);
    let found = walk.invert(&y, f64::from(f32::EPSILON));
    let difference = norm(found.codes.iter().zip(&codes).map(|(a, b)| f64::from(a - b)));
    let relative = difference / norm(codes.iter().map(|&z| f64::from(z)));
    assert!(relative > 0.0 && relative <= 1e-5, "relative error {relative:e}");
}

#[test]
fn relu_is_inverted_on_active_rows_and_samples_without_enough_of_them_get_no_code() {
    let decoder = random_decoder(&[3, 9, 40], Activation::Relu, 200);
    let walk = Walk::new(Context::detect(), decoder).unwrap();
    let codes = normal(400 * 3, 1.0, &mut stream(25, Purpose::Init, 0));
    let mut stages = Vec::new();
    let mut y = codes.clone();
    for dense in walk.decoder().layers() {
        y = Decoder::new(vec![dense.clone()], Activation::Linear).unwrap().decode(Context::detect(), &y);
        stages.push(y.clone());
    }
    let active = |row: &[f64]| row.iter().filter(|&&y| y > 0.0).count();
    let enough: Vec<bool> =
        stages[0].chunks(9).zip(stages[1].chunks(40)).map(|(a, b)| active(a) >= 3 && active(b) >= 9).collect();
    let few = enough.iter().filter(|&&enough| !enough).count();
    assert!(few > 5 && few < 395, "{few} samples of 400 have too few active rows: the test needs both kinds");
    let found = walk.invert(&y, f64::EPSILON);
    assert_eq!(found.identifiable, enough);
    assert_eq!(found.layers.iter().map(|layer| layer.not_identifiable).sum::<usize>(), few);
    for ((found, z), &enough) in found.codes.chunks(3).zip(codes.chunks(3)).zip(&enough) {
        if enough {
            // Three of nine random rows may be nearly dependent.
            assert!(distance(found, z) <= 1e-7 * (1.0 + norm(z.iter().copied())), "{found:?} for {z:?}");
        } else {
            assert_eq!(found, [0.0; 3]);
        }
    }
}

#[test]
fn weights_of_less_rank_than_unknowns_leave_no_code() {
    let mut layers = random_decoder(&[3, 9, 20], Activation::Sigmoid, 206).layers().to_vec();
    let (first, rest) = layers[0].weight.split_at_mut(9);
    rest[..9].copy_from_slice(first);
    let walk = Walk::new(Context::detect(), Decoder::new(layers, Activation::Linear).unwrap()).unwrap();
    let y = walk.decoder().decode(Context::detect(), &[0.5, -0.5, 0.2, 0.1, 0.0, 1.0]);
    let found = walk.invert(&y, f64::EPSILON);
    assert_eq!(found.identifiable, [false, false]);
    assert_eq!(found.layers.iter().map(|layer| layer.not_identifiable).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(found.codes, [0.0; 6]);
}

#[test]
fn samples_without_a_code_are_left_out_below_too() {
    // On two active rows a code of two numbers is found, on fewer none.
    let mut layers = random_decoder(&[2, 2, 6], Activation::Sigmoid, 205).layers().to_vec();
    layers[1].activation = Activation::Relu;
    layers[1].bias = vec![-1.0, -1.0, -1.0, 1.0, 1.0, 1.0];
    let walk = Walk::new(Context::detect(), Decoder::new(layers, Activation::Linear).unwrap()).unwrap();
    let y = walk.decoder().decode(Context::detect(), &[0.5, -0.5]);
    let alone = walk.invert(&y, f64::EPSILON);
    assert_eq!(alone.identifiable, [true]);
    let found = walk.invert(&[vec![0.0; 6], y, vec![0.0; 6]].concat(), f64::EPSILON);
    assert_eq!(found.identifiable, [false, true, false]);
    assert_eq!(found.codes, [&[0.0; 2], &alone.codes[..], &[0.0; 2]].concat());
    assert_eq!(found.layers[0], alone.layers[0]);
    assert_eq!(found.layers[0].pulled_in, 0);
}

#[test]
fn a_sigmoid_that_belongs_to_the_loss_is_undone_and_counted_with_the_last_layer() {
    let layers = random_decoder(&[3, 7], Activation::LeakyRelu { slope: 0.5 }, 210).layers().to_vec();
    let walk = Walk::new(Context::detect(), Decoder::new(layers, Activation::Sigmoid).unwrap()).unwrap();
    let codes = normal(3 * 3, 1.0, &mut stream(26, Purpose::Init, 0));
    let mut y = walk.decoder().decode(Context::detect(), &codes);
    let found = walk.invert(&y, f64::EPSILON);
    assert!(distance(&found.codes, &codes) < 1e-12 && found.layers.len() == 1 && found.layers[0].pulled_in == 0);
    y[0] = 1.5;
    y[8] = 0.0;
    assert_eq!(walk.invert(&y, 1e-3).layers[0].pulled_in, 2);
}

#[test]
fn a_layer_that_narrows_and_weights_that_are_not_finite_are_refused() {
    let decoder = |inputs: usize, outputs: usize, weight: f64| {
        let dense = Dense {
            name: "decoder.1".to_owned(),
            weight: vec![weight; inputs * outputs],
            bias: vec![0.0; outputs],
            inputs,
            outputs,
            activation: Activation::Linear,
        };
        Decoder::new(vec![dense], Activation::Linear)
    };
    let error = decoder(4, 3, 1.0).unwrap_err();
    assert!(error.is_usage());
    assert_eq!(
        error.to_string(),
        "cannot invert the decoder: decoder.1 narrows from 4 to 3 values, so that many codes give the same image and none is \
         identifiable; every layer needs at least as many outputs as inputs"
    );
    let error = Walk::new(Context::detect(), decoder(2, 3, f64::NAN).unwrap()).unwrap_err();
    assert!(matches!(error, InvertError::Factor { .. }));
    assert!(
        error.to_string().starts_with("cannot invert the weight of decoder.1: cannot factor a [3, 2] matrix"),
        "{error}"
    );
}

#[test]
fn layers_that_only_change_the_shape_pass_and_those_that_are_not_dense_are_refused() {
    let decoder = |last: Layer| {
        let layers =
            [dense(3, Activation::Tanh), Layer::Flatten, dense(4, Activation::Sigmoid), reshape(&[2, 2, 1]), last];
        let encoder = [Layer::Flatten, dense(2, Activation::Linear)];
        let model = Autoencoder::new([2, 2, 1]).encoder(encoder).decoder(layers).build().unwrap();
        Decoder::<f64>::of(&model, &model.init(1), Loss::Mse)
    };
    let names: Vec<String> = decoder(Layer::Flatten).unwrap().layers().iter().map(|dense| dense.name.clone()).collect();
    assert_eq!(names, ["decoder.0", "decoder.2"]);
    assert_eq!(
        decoder(conv(1, 3, Activation::Linear)).unwrap_err().to_string(),
        "cannot invert the decoder: decoder.4 is a conv layer; layers that are dense, and dropout, noise, flatten and reshape \
         between them, can be run backwards"
    );
}

#[test]
fn planted_codes_are_recovered() {
    let (count, code) = (400, 6);
    for (index, activation) in ACTIVATIONS.into_iter().enumerate() {
        let decoder = random_decoder(&[code, 24, 60], activation, 300 + index as u64);
        let mut stream = stream(27, Purpose::Init, index as u64);
        let planted = normal(count * code, 1.0, &mut stream);
        let images = decoder.decode(Context::detect(), &planted);
        // As far off as an encoder's codes are on real images: about a fifth of their size.
        let noise = normal(count * code, 0.2, &mut stream);
        let starts: Vec<f64> = planted.iter().zip(&noise).map(|(z, n)| z + n).collect();
        let optima = search(&decoder, &images, &starts);
        let recovered = optima
            .iter()
            .zip(planted.chunks(code))
            .filter(|(optimum, z)| distance(&optimum.code, z) <= 1e-5 * norm(z.iter().copied()));
        let recovered = recovered.count();
        let steps = optima.iter().map(|optimum| optimum.steps).sum::<u32>() as f64 / count as f64;
        println!("{activation:?}: {recovered} of {count}, {steps:.1} steps");
        assert!(100 * recovered >= 99 * count, "{activation:?}: {recovered} of {count} codes recovered");
    }
}

#[test]
fn no_sample_ends_worse_than_it_began_and_minima_are_certified() {
    let (count, code) = (120, 4);
    for (index, activation) in ACTIVATIONS.into_iter().chain([Activation::Relu]).enumerate() {
        let decoder = random_decoder(&[code, 10, 20], activation, 400 + index as u64);
        let mut stream = stream(28, Purpose::Init, index as u64);
        // Images near those that codes give: others send the codes of tanh and sigmoid off to infinity.
        let planted = normal(count * code, 1.0, &mut stream);
        let add = |values: &[f64], noise: Vec<f64>| values.iter().zip(&noise).map(|(v, n)| v + n).collect::<Vec<f64>>();
        let images = decoder.decode(Context::detect(), &planted);
        let images = add(&images, normal(images.len(), 0.05, &mut stream));
        let starts = add(&planted, normal(count * code, 0.2, &mut stream));
        let optima = search(&decoder, &images, &starts);
        let outputs = decoder.decode(Context::detect(), &starts);
        for ((optimum, y), x) in optima.iter().zip(outputs.chunks(20)).zip(images.chunks(20)) {
            let start = 0.5 * distance(y, x).powi(2);
            assert!(optimum.objective <= start * (1.0 + 1e-13));
            let found = decoder.decode(Context::detect(), &optimum.code);
            let objective = 0.5 * distance(&found, x).powi(2);
            assert!((optimum.objective - objective).abs() <= 1e-13 * objective, "the objective is that of the code");
            if optimum.stop == Stop::Gradient {
                let jacobian = jacobian_by_tape(&decoder, &optimum.code);
                let residual: Vec<f64> = found.iter().zip(x).map(|(y, x)| y - x).collect();
                let gradient = (0..code).map(|j| (0..20).map(|i| jacobian[i * code + j] * residual[i]).sum::<f64>());
                assert!((norm(gradient) - optimum.gradient).abs() <= 1e-12, "the certificate is the gradient's norm");
                assert!(optimum.cosine <= Tolerances::default().gradient);
            }
        }
        let certified = optima.iter().filter(|optimum| optimum.stop.is_certificate()).count();
        println!("{activation:?}: {certified} of {count} certified");
        // Of the steepest kinks, those of leaky relu 0.01, two searches stall.
        assert!(100 * certified >= 98 * count, "{activation:?}: {certified} of {count}");
    }
}

#[test]
fn a_linear_decoder_s_optimal_codes_are_the_walk_s() {
    let decoder = random_decoder(&[5, 30], Activation::Linear, 500);
    let images = normal(50 * 30, 1.0, &mut stream(29, Purpose::Init, 0));
    let walked = Walk::new(Context::detect(), decoder.clone()).unwrap().invert(&images, 0.1);
    let optima = search(&decoder, &images, &vec![0.0; 50 * 5]);
    for (optimum, z) in optima.iter().zip(walked.codes.chunks(5)) {
        // A step that gains at most 1e-14 of ½‖r‖² is left out: ‖J·δ‖ ≤ 1e-7·‖r‖, with ‖r‖ about 5 and σ_min of J about 1.
        assert!(distance(&optimum.code, z) <= 2e-6, "{:?} for {z:?}", optimum.code);
    }
}

#[test]
fn a_dead_decoder_ends_at_once() {
    let dense = Dense {
        name: "decoder.0".to_owned(),
        weight: vec![0.0; 6],
        bias: vec![0.5; 3],
        inputs: 2,
        outputs: 3,
        activation: Activation::Sigmoid,
    };
    let decoder = Decoder::new(vec![dense], Activation::Linear).unwrap();
    let optima = search(&decoder, &[0.0, 1.0, 0.5], &[1.0, 2.0]);
    assert_eq!((optima[0].stop, optima[0].steps, &optima[0].code[..]), (Stop::Gradient, 0, &[1.0, 2.0][..]));
    assert!(search(&decoder, &[], &[]).is_empty());
}

#[test]
#[should_panic(expected = "images and the codes to start from")]
fn a_part_of_an_image_is_refused() {
    search(&random_decoder(&[2, 5], Activation::Tanh, 505), &[0.5; 6], &[0.0; 2]);
}

#[test]
fn what_is_not_a_number_is_no_minimum() {
    let decoder = random_decoder(&[2, 5], Activation::Tanh, 510);
    let image = decoder.decode(Context::detect(), &[0.3, -0.4]);
    for bad in [f64::NAN, f64::INFINITY] {
        let spoilt = [&[bad], &image[1..]].concat();
        for (image, start) in [(&spoilt, [0.1, 0.2]), (&image, [f64::NAN, 0.2])] {
            let optimum = &search(&decoder, image, &start)[0];
            assert_eq!((optimum.stop, optimum.steps), (Stop::Step, 0), "{optimum:?}");
        }
    }
    // A finite error whose Jacobian is 0 · ∞.
    let mut layers = random_decoder(&[1, 1, 1], Activation::Sigmoid, 511).layers().to_vec();
    (layers[0].weight, layers[0].activation) = (vec![f64::INFINITY], Activation::Linear);
    let decoder = Decoder::new(layers, Activation::Linear).unwrap();
    let optimum = &search(&decoder, &[0.5], &[1.0])[0];
    assert!(optimum.objective.is_finite() && optimum.cosine.is_nan(), "{optimum:?}");
    assert!(!optimum.stop.is_certificate(), "{optimum:?}");
}

#[test]
fn codes_are_the_same_bits_for_any_threads_instruction_set_and_company() {
    fn bits<T: Real>(codes: &[T]) -> Vec<u64> {
        codes.iter().map(|z| z.bits()).collect()
    }
    let decoder = random_decoder(&[3, 20, 50], Activation::LeakyRelu { slope: 0.5 }, 600);
    let mut stream = stream(30, Purpose::Init, 0);
    let (images, starts) = (normal(1500 * 50, 1.0, &mut stream), normal(1500 * 3, 1.0, &mut stream));
    let compute = |isa, threads, first: usize, count: usize| {
        let context = Context { isa, gemm: GemmEngine::Narrows };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let images = &images[first * 50..(first + count) * 50];
            let starts = &starts[first * 3..(first + count) * 3];
            let walked = Walk::new(context, decoder.clone()).unwrap().invert(images, 1e-3);
            let optima = optimal_codes(context, &decoder, images, starts, Tolerances::default());
            let codes = optima.iter().flat_map(|optimum| bits(&optimum.code));
            (bits(&walked.codes), codes.collect::<Vec<u64>>())
        })
    };
    let expected = compute(Isa::SCALAR, 1, 0, 1500);
    for isa in Isa::available() {
        for threads in [1, 2, 3] {
            assert!(compute(isa, threads, 0, 1500) == expected, "{} with {threads} threads", isa.name());
        }
    }
    let part = compute(Isa::detect(), 2, 1201, 7);
    assert_eq!(part.0, expected.0[1201 * 3..1208 * 3]);
    assert_eq!(part.1, expected.1[1201 * 3..1208 * 3]);
}

fn activation_called(name: &str) -> Activation {
    match name {
        "identity" => Activation::Linear,
        "leaky-relu 0.5" => Activation::LeakyRelu { slope: 0.5 },
        "elu 1" => Activation::Elu { alpha: 1.0 },
        "tanh" => Activation::Tanh,
        "sigmoid" => Activation::Sigmoid,
        "softplus" => Activation::Softplus,
        _ => panic!("no activation is called {name}"),
    }
}

#[test]
fn objectives_are_those_that_scipy_finds() {
    let file: Value = serde_json::from_str(include_str!("../golden/least_squares.json")).unwrap();
    println!("{}", file["source"]);
    let problems = file["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 50);
    for (number, problem) in problems.iter().enumerate() {
        let mut names = Vec::new();
        let layers = problem["layers"].as_array().unwrap().iter().map(|layer| {
            let rows: Vec<Vec<f64>> = layer["weight"].as_array().unwrap().iter().map(numbers).collect();
            names.push(layer["activation"].as_str().unwrap());
            Dense {
                name: "decoder.0".to_owned(),
                bias: numbers(&layer["bias"]),
                inputs: rows.len(),
                outputs: rows[0].len(),
                weight: rows.concat(),
                activation: activation_called(names[names.len() - 1]),
            }
        });
        let decoder = Decoder::new(layers.collect(), Activation::Linear).unwrap();
        let expected = problem["objective"].as_f64().unwrap();
        let found = &search(&decoder, &numbers(&problem["image"]), &numbers(&problem["start"]))[0];
        println!(
            "{number} {names:?}: {:.3e} relative, {} steps, {}",
            found.objective / expected - 1.0,
            found.steps,
            found.stop.name()
        );
        // Ours ends where a step would gain 1e-14 of the objective, 1e-10 at a kink; scipy at 1e-15.
        let tolerance = 1e-9 * expected;
        assert!(
            (found.objective - expected).abs() <= tolerance,
            "problem {number}: {} for {expected}",
            found.objective
        );
    }
}

#[test]
fn minima_at_kinks_have_no_better_neighbours() {
    let (count, code, features) = (100, 4, 20);
    let decoder = random_decoder(&[code, 10, features], Activation::LeakyRelu { slope: 0.5 }, 900);
    let mut stream = stream(31, Purpose::Init, 0);
    let images = normal(count * features, 0.5, &mut stream);
    let optima = search(&decoder, &images, &normal(count * code, 1.0, &mut stream));
    let at_kinks = optima.iter().filter(|optimum| optimum.stop == Stop::Kink).count();
    let mut worse = 0;
    for (optimum, x) in optima.iter().zip(images.chunks(features)) {
        let noise = normal(300 * code, 1e-4, &mut stream);
        let neighbours: Vec<f64> =
            noise.chunks(code).flat_map(|n| optimum.code.iter().zip(n).map(|(z, n)| z + n)).collect();
        let outputs = decoder.decode(Context::detect(), &neighbours);
        let best = outputs.chunks(features).map(|y| 0.5 * distance(y, x).powi(2)).fold(f64::INFINITY, f64::min);
        worse += usize::from(best < optimum.objective * (1.0 - 1e-9));
    }
    println!("{at_kinks} of {count} end at kinks, {worse} have a better neighbour");
    // When steps took no account of kinks, 60 of these had one.
    assert!(at_kinks >= 40 && worse == 0, "{at_kinks} at kinks, {worse} have a better neighbour");
}
