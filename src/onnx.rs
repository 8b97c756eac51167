//! Trained models as ONNX files (<https://onnx.ai/onnx/repo-docs/IR.html>), for runtimes of other makers.
//!
//! A graph takes and gives rows of values, as the program's own arrays are: images [batch, height · width · channels], codes
//! [batch, code]. ONNX convolves images [batch, channels, height, width]; rows become that before the first layer that needs it,
//! and rows again before the first that needs those. Layers that act only while training are left out. The same model gives the
//! same bytes.

use std::fmt::Display;

use crate::files::protobuf::Message;
use crate::loss::{KL_EPSILON, Loss};
use crate::nn::{Activation, Autoencoder, Layer, Param, Placed, Sequential, Windows};

/// Versions of the format and of its operators, of 2022: every runtime since then reads them.
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 17;
const FLOAT: i64 = 1;
const INT64: i64 = 7;

/// The encoder: "images" [batch, pixels] → "codes" [batch, code], of a variational model their means.
pub fn encoder(model: &Autoencoder, params: &[f32]) -> Vec<u8> {
    let mut graph = Graph::new(params, "images");
    graph.layers(model.encoder());
    graph.finish("encoder", ("images", model.features()), ("codes", model.code_size()))
}

/// The decoder as `narrows decode` applies it: "codes" [batch, code] → "images" [batch, pixels].
pub fn decoder(model: &Autoencoder, params: &[f32], loss: Loss) -> Vec<u8> {
    let mut graph = Graph::new(params, "codes");
    graph.decoder(model, loss);
    graph.finish("decoder", ("codes", model.code_size()), ("images", model.features()))
}

/// Both: "images" [batch, pixels] → "reconstructions" [batch, pixels].
pub fn autoencoder(model: &Autoencoder, params: &[f32], loss: Loss) -> Vec<u8> {
    let mut graph = Graph::new(params, "images");
    graph.layers(model.encoder());
    graph.decoder(model, loss);
    if loss == Loss::Kl {
        graph.as_distribution("images");
    }
    graph.finish("autoencoder", ("images", model.features()), ("reconstructions", model.features()))
}

/// How the values of a sample lie at one place of a graph.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// [batch, values].
    Rows,
    /// [batch, channels, height, width].
    Channels,
}

/// A graph being written, a chain of nodes but for the end of a distribution.
struct Graph<'a> {
    params: &'a [f32],
    message: Message,
    tensors: Message,
    nodes: usize,
    /// The name of what the last node gave, and its form.
    value: String,
    form: Form,
}

impl<'a> Graph<'a> {
    fn new(params: &'a [f32], input: &str) -> Self {
        let (message, tensors) = (Message::new(), Message::new());
        Graph { params, message, tensors, nodes: 0, value: input.to_owned(), form: Form::Rows }
    }

    /// Applies an operator to the last value and to tensors by their names.
    fn node(&mut self, operator: &str, tensors: &[String], attributes: impl IntoIterator<Item = Message>) {
        let first = std::mem::take(&mut self.value);
        self.value = self.node_of(operator, std::iter::once(&first).chain(tensors), attributes);
    }

    fn node_of<'b>(
        &mut self,
        operator: &str,
        inputs: impl IntoIterator<Item = &'b String>,
        attributes: impl IntoIterator<Item = Message>,
    ) -> String {
        let name = format!("{operator}_{}", self.nodes);
        self.nodes += 1;
        let node = inputs.into_iter().fold(Message::new(), |node, input| node.bytes(1, input));
        let node = node.bytes(2, &name).bytes(3, &name).bytes(4, operator);
        let node = attributes.into_iter().fold(node, |node, attribute| node.message(5, attribute));
        self.message = std::mem::take(&mut self.message).message(1, node);
        name
    }

    /// Adds a tensor; its name.
    fn tensor(&mut self, name: impl Display, kind: i64, dims: &[usize], bytes: Vec<u8>) -> String {
        let name = name.to_string();
        let dims = dims.iter().map(|&dim| dim as i64);
        let tensor = Message::new().ints(1, dims).int(2, kind).bytes(8, &name).bytes(9, bytes);
        self.tensors = std::mem::take(&mut self.tensors).message(5, tensor);
        name
    }

    fn whole_numbers(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(format!("numbers_{}", self.nodes), INT64, &[values.len()], bytes)
    }

    fn floats(&mut self, name: impl Display, dims: &[usize], values: impl IntoIterator<Item = f32>) -> String {
        let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
        self.tensor(name, FLOAT, dims, bytes)
    }

    /// A tensor of the model, its values as they are.
    fn param(&mut self, param: &Param, dims: &[usize]) -> String {
        self.floats(&param.name, dims, param.of(self.params).iter().copied())
    }

    fn vector(&mut self, param: &Param) -> String {
        self.param(param, &[param.len()])
    }

    /// Kernels [height, width, a, b] as [b, a, height, width]: both kinds of convolution want them so.
    fn kernel(&mut self, param: &Param) -> String {
        let [height, width, a, b] = *param.shape.dims() else { unreachable!("a kernel has four dimensions") };
        let params = param.of(self.params);
        let at = |i: usize| {
            let (col, row, from, to) = (i % width, i / width % height, i / width / height % a, i / width / height / a);
            params[((row * width + col) * a + from) * b + to]
        };
        self.floats(&param.name, &[b, a, height, width], (0..params.len()).map(at))
    }

    fn reshape(&mut self, dims: &[usize]) {
        let dims: Vec<i64> = std::iter::once(-1).chain(dims.iter().map(|&dim| dim as i64)).collect();
        let dims = self.whole_numbers(&dims);
        self.node("Reshape", &[dims], []);
    }

    fn rows(&mut self, values: usize) {
        if self.form == Form::Channels {
            self.node("Transpose", &[], [ints("perm", [0, 2, 3, 1])]);
            self.reshape(&[values]);
            self.form = Form::Rows;
        }
    }

    fn channels(&mut self, [height, width]: [usize; 2], channels: usize) {
        if self.form == Form::Rows {
            self.reshape(&[height, width, channels]);
            self.node("Transpose", &[], [ints("perm", [0, 3, 1, 2])]);
            self.form = Form::Channels;
        }
    }

    fn activation(&mut self, activation: Activation) {
        match activation {
            Activation::Linear => {}
            Activation::Relu => self.node("Relu", &[], []),
            Activation::LeakyRelu { slope } => self.node("LeakyRelu", &[], [float("alpha", slope)]),
            Activation::Elu { alpha } => self.node("Elu", &[], [float("alpha", alpha)]),
            Activation::Tanh => self.node("Tanh", &[], []),
            Activation::Sigmoid => self.node("Sigmoid", &[], []),
            Activation::Softplus => self.node("Softplus", &[], []),
        }
    }

    fn layers(&mut self, part: &Sequential) {
        let mut input = part.input().len();
        for placed in part.layers() {
            self.layer(placed, input);
            self.activation(placed.layer.applied().unwrap_or(Activation::Linear));
            input = placed.output.len();
        }
        self.rows(input);
    }

    /// A layer without its activation, on samples of `input` values.
    fn layer(&mut self, placed: &Placed, input: usize) {
        match (placed.layer, placed.windows) {
            (Layer::Dense { .. }, _) => {
                self.rows(input);
                let [weight, bias] = [&placed.params[0], &placed.params[1]];
                let tensors = [self.param(weight, weight.shape.dims()), self.vector(bias)];
                self.node("Gemm", &tensors, []);
            }
            (layer, Windows::Convolution(of)) => {
                let is_transposed = matches!(layer, Layer::ConvTranspose { .. });
                let (size, channels) =
                    if is_transposed { (of.output, of.output_channels) } else { (of.image, of.image_channels) };
                self.channels(size, channels);
                let tensors = [self.kernel(&placed.params[0]), self.vector(&placed.params[1])];
                let (windows, beyond) = windows([of.image, of.output, of.kernel, of.stride, of.padding]);
                let mut attributes = Vec::from(windows);
                if is_transposed {
                    attributes.push(ints("output_padding", beyond.map(|beyond| (-beyond).max(0))));
                }
                self.node(if is_transposed { "ConvTranspose" } else { "Conv" }, &tensors, attributes);
            }
            (layer, Windows::Pooling(of)) => {
                let size = if matches!(layer, Layer::Upsample { .. }) { of.output } else { of.image };
                self.channels(size, of.channels);
                let (windows, _) = windows([of.image, of.output, of.window, of.stride, of.padding]);
                match layer {
                    Layer::MaxPool { .. } => self.node("MaxPool", &[], windows),
                    Layer::AveragePool { .. } => self.node("AveragePool", &[], windows),
                    Layer::GlobalAverage => self.node("GlobalAveragePool", &[], []),
                    Layer::Upsample { factor } => {
                        let scales = [1.0, 1.0, factor as f32, factor as f32];
                        let scales = self.floats(format!("scales_{}", self.nodes), &[4], scales);
                        let attributes = [
                            text("mode", "nearest"),
                            text("coordinate_transformation_mode", "asymmetric"),
                            text("nearest_mode", "floor"),
                        ];
                        self.node("Resize", &[String::new(), scales], attributes);
                    }
                    _ => {
                        let [rows, cols] = of.padding.map(|pixels| pixels as i64);
                        let border = self.whole_numbers(&[0, 0, rows, cols, 0, 0, rows, cols]);
                        self.node("Pad", &[border], []);
                    }
                }
            }
            (Layer::BatchNorm { edition, .. }, _) => {
                let channels = placed.params[0].len();
                match *placed.output.dims() {
                    [height, width, _] => self.channels([height, width], channels),
                    _ => {
                        self.rows(input);
                        self.reshape(&[channels]);
                    }
                }
                let tensors: Vec<String> = placed.params.iter().map(|param| self.vector(param)).collect();
                self.node("BatchNormalization", &tensors, [float("epsilon", edition.epsilon())]);
                if self.form == Form::Rows {
                    self.reshape(&[input]);
                }
            }
            // What follows may count the values of a sample in another way.
            (Layer::Flatten | Layer::Reshape { .. }, _) => self.rows(input),
            _ => {}
        }
    }

    fn decoder(&mut self, model: &Autoencoder, loss: Loss) {
        self.layers(model.decoder());
        if loss == Loss::BceLogits {
            self.activation(Activation::Sigmoid);
        }
    }

    /// The last value made positive and scaled to the sum of `target` in each row, as [`crate::loss::reconstruction`] does.
    fn as_distribution(&mut self, target: &str) {
        self.node("Relu", &[], []);
        let epsilon = self.floats("epsilon", &[], [KL_EPSILON as f32]);
        self.node("Add", &[epsilon], []);
        let columns = self.whole_numbers(&[1]);
        let sums = [self.value.clone(), target.to_owned()].map(|of| self.node_of("ReduceSum", [&of, &columns], []));
        let factor = self.node_of("Div", [&sums[1], &sums[0]], []);
        self.node("Mul", &[factor], []);
    }

    /// The whole file.
    fn finish(mut self, name: &str, input: (&str, usize), output: (&str, usize)) -> Vec<u8> {
        let last = Message::new().bytes(1, &self.value).bytes(2, output.0).bytes(3, output.0).bytes(4, "Identity");
        self.message = self.message.message(1, last);
        let mut graph = self.message.into_bytes();
        graph.extend(Message::new().bytes(2, name).into_bytes());
        graph.extend(self.tensors.into_bytes());
        graph.extend(Message::new().message(11, rows(input)).message(12, rows(output)).into_bytes());
        let model = Message::new().int(1, IR_VERSION).bytes(2, "narrows").bytes(3, env!("CARGO_PKG_VERSION"));
        model.bytes(7, graph).message(8, Message::new().bytes(1, "").int(2, OPERATORS)).into_bytes()
    }
}

/// What an input or an output is: rows of so many numbers.
fn rows((name, values): (&str, usize)) -> Message {
    let batch = Message::new().bytes(2, "batch");
    let shape = Message::new().message(1, batch).message(1, Message::new().int(1, values as i64));
    let tensor = Message::new().int(1, FLOAT).message(2, shape);
    Message::new().bytes(1, name).message(2, Message::new().message(1, tensor))
}

/// The attributes of the windows of a convolution or a pool, and how far the windows reach beyond the lower and right edges of an image;
/// negative where pixels remain.
fn windows([image, output, kernel, stride, padding]: [[usize; 2]; 5]) -> ([Message; 3], [i64; 2]) {
    let beyond = [0, 1].map(|dim| {
        let reach = (output[dim] - 1) * stride[dim] + kernel[dim];
        reach as i64 - (image[dim] + padding[dim]) as i64
    });
    let pair = |pixels: [usize; 2]| pixels.map(|pixels| pixels as i64);
    let ([above, left], [below, right]) = (pair(padding), beyond.map(|pixels| pixels.max(0)));
    let pads = ints("pads", [above, left, below, right]);
    ([ints("kernel_shape", pair(kernel)), ints("strides", pair(stride)), pads], beyond)
}

fn ints<const N: usize>(name: &str, values: [i64; N]) -> Message {
    values.into_iter().fold(Message::new().bytes(1, name).int(20, 7), |message, value| message.int(8, value))
}

fn float(name: &str, value: f64) -> Message {
    Message::new().bytes(1, name).float(2, value as f32).int(20, 1)
}

fn text(name: &str, value: &str) -> Message {
    Message::new().bytes(1, name).bytes(4, value).int(20, 3)
}
