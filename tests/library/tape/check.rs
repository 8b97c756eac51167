//! Operations of one's own, and what the check of gradients says of a wrong one.

use narrows::rng::{Purpose, stream};
use narrows::tape::check::{Input, check_gradients};
use narrows::tape::{Call, Function, Operand, Shape, Tape, Var};
use narrows_kernels::Context;

fn input() -> Input {
    Input::random([2, 3], 0.3, 1.0, &mut stream(5, Purpose::Init, 0))
}

/// `weight` · x ∘ y, with the gradient of `of_x` · x ∘ y for x.
struct Product {
    weight: f64,
    of_x: f64,
}

impl Function<f64> for Product {
    fn name(&self) -> &'static str {
        "weighted product"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        assert!(inputs[0] == inputs[1], "weighted product of {} and {}", inputs[0], inputs[1]);
        inputs[0]
    }

    fn forward(&self, _: Context, inputs: &[Operand<'_, f64>], output: &mut [f64]) {
        for (out, (x, y)) in output.iter_mut().zip(inputs[0].data.iter().zip(inputs[1].data)) {
            *out = self.weight * x * y;
        }
    }

    fn vjp(&self, tape: &mut Tape<'_, f64>, call: Call<'_>, grad: Var, input: usize) -> Var {
        let product = tape.mul(grad, call.inputs[1 - input]);
        tape.scale(product, if input == 0 { self.of_x } else { self.weight })
    }
}

#[test]
fn a_function_of_one_s_own_has_gradients_of_gradients() {
    static PRODUCT: Product = Product { weight: 3.0, of_x: 3.0 };
    let inputs = [input(), Input::random([2, 3], 0.3, 1.0, &mut stream(6, Purpose::Init, 0))];
    check_gradients(Context::detect(), &inputs, |tape, x| tape.apply(&PRODUCT, x)).unwrap();
    check_gradients(Context::detect(), &inputs[..1], |tape, x| {
        let square = tape.apply(&PRODUCT, &[x[0], x[0]]);
        let sum = tape.sum(square);
        // As a factor of itself, and of a value that is used again.
        let scaled = tape.mul_scalar(x[0], sum);
        tape.apply(&PRODUCT, &[scaled, square])
    })
    .unwrap();
}

#[test]
fn a_wrong_product_is_caught() {
    static WRONG: Product = Product { weight: 2.0, of_x: 3.0 };
    let inputs = [input(), input()];
    let mismatch = check_gradients(Context::detect(), &inputs, |tape, x| tape.apply(&WRONG, x)).unwrap_err();
    assert_eq!((mismatch.kind, mismatch.input), ("gradient", 0));
    assert!((mismatch.analytic / mismatch.numeric - 1.5).abs() < 1e-6, "{mismatch}");
}

#[test]
#[should_panic(expected = "every input influences the output")]
fn an_input_without_influence_is_refused() {
    check_gradients(Context::detect(), &[input(), input()], |tape, x| tape.square(x[0])).unwrap();
}
