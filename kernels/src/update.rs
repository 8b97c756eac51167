//! Optimizer updates: parameters and moments changed in one pass over flat slices.
//!
//! Each structure holds the scalars of one step in `f64`; they are rounded to `T` once. What the optimizers mean by them, in
//! which dialect, is the caller's affair: here stand the equations, in which w is a parameter, g its gradient, and every
//! line is evaluated with the old values of what stands right of the arrow, in the order of the lines. Every one begins with
//! the decay of the weights
//!
//! ```text
//! g ← g + coupled·w          w ← keep·w
//! ```
//!
//! and leaves g itself as it was. "Moves n" counts the elements read and written for each parameter. Long slices are
//! split over the threads of the current rayon pool; nothing is allocated. Every function panics when its slices differ in length.

use crate::elementwise::drive::{Elementwise, elementwise};
use crate::once::once;
use crate::{Isa, Real, Simd};

/// What decays the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    /// λ of an L2 penalty: λ·w is added to the gradient.
    pub coupled: f64,
    /// What is kept of the parameter before the step: 1 − ηλ of decoupled decay.
    pub keep: f64,
}

impl Decay {
    /// No decay.
    pub const NONE: Decay = Decay { coupled: 0.0, keep: 1.0 };
}

/// w ← w − `rate`·g. Moves 3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Decay of the weights.
    pub decay: Decay,
    /// η.
    pub rate: f64,
}

/// v ← `momentum`·v + `gradient`·g; w ← w + `step`·v, or, with Nesterov's look-ahead, w ← w + `step`·(`momentum`·v +
/// `look_ahead`·g) of the new v. Moves 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum {
    /// Decay of the weights.
    pub decay: Decay,
    /// μ.
    pub momentum: f64,
    /// What the velocity takes of the gradient.
    pub gradient: f64,
    /// What the parameter takes of the velocity.
    pub step: f64,
    /// What the look-ahead takes of the gradient; none without Nesterov.
    pub look_ahead: Option<f64>,
}

/// m ← m + `take_m`·(g − m); v ← v + `take_v`·(g² − v); w ← w − (`step_m`·m + `step_g`·g) / (`root`·√v + `epsilon`).
/// Moves 7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the weights.
    pub decay: Decay,
    /// 1 − β₁.
    pub take_m: f64,
    /// 1 − β₂.
    pub take_v: f64,
    /// What the step takes of m.
    pub step_m: f64,
    /// What the step takes of g, 0 but for Nadam.
    pub step_g: f64,
    /// The factor of √v.
    pub root: f64,
    /// ε.
    pub epsilon: f64,
}

/// a ← a + g²; w ← w − `rate`·g / (√(a + `inside`) + `outside`). Moves 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// Decay of the weights.
    pub decay: Decay,
    /// η.
    pub rate: f64,
    /// ε under the root.
    pub inside: f64,
    /// ε beside the root.
    pub outside: f64,
}

/// a ← a + `take`·(g² − a); Δ = √(d + `epsilon`) / √(a + `epsilon`) · g; d ← d + `take`·(Δ² − d); w ← w − `rate`·Δ. Moves 7.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adadelta {
    /// Decay of the weights.
    pub decay: Decay,
    /// 1 − ρ.
    pub take: f64,
    /// η.
    pub rate: f64,
    /// ε.
    pub epsilon: f64,
}

/// v ← v + `take`·(g² − v); centred: c ← c + `take`·(g − c), D = √(max(v − c², 0) + `inside`) + `outside`, else
/// D = √(v + `inside`) + `outside`; w ← w − `rate`·g/D, or, with momentum, b ← `momentum`·b + `gradient`·g/D;
/// w ← w − `rate`·b. Moves 5, and 2 more for each of c and b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// Decay of the weights.
    pub decay: Decay,
    /// 1 − ρ.
    pub take: f64,
    /// What the parameter takes of g/D or of b.
    pub rate: f64,
    /// μ; read only with momentum.
    pub momentum: f64,
    /// What b takes of g/D; read only with momentum.
    pub gradient: f64,
    /// ε under the root.
    pub inside: f64,
    /// ε beside the root.
    pub outside: f64,
}

/// A rule whose scalars are of type T already.
macro_rules! rounded {
    ($name:ident { $($field:ident),* }) => {
        #[derive(Clone, Copy)]
        struct $name<T> { coupled: T, keep: T, $($field: T),* }
        impl<T: Real> $name<T> {
            #[allow(clippy::too_many_arguments)]
            fn new(decay: Decay, $($field: f64),*) -> Self {
                let (coupled, keep) = (T::from_f64(decay.coupled), T::from_f64(decay.keep));
                $name { coupled, keep, $($field: T::from_f64($field)),* }
            }

            /// (w, g) after the decay.
            #[inline(always)]
            fn decayed<S: Simd<T>>(&self, simd: S, w: S::V, g: S::V) -> (S::V, S::V) {
                (simd.mul(w, simd.splat(self.keep)), simd.fma(simd.splat(self.coupled), w, g))
            }
        }
    };
}

rounded!(SgdRule { rate });
rounded!(MomentumRule { momentum, gradient, step });
rounded!(NesterovRule { momentum, gradient, step, look_ahead });
rounded!(AdamRule { take_m, take_v, step_m, root, epsilon });
rounded!(NadamRule { take_m, take_v, step_m, step_g, root, epsilon });
rounded!(AdagradRule { rate, inside, outside });
rounded!(AdadeltaRule { take, rate, epsilon });
rounded!(RmsPropRule { take, rate, inside, outside });

/// old + take · (new − old).
#[inline(always)]
fn towards<T: Real, S: Simd<T>>(simd: S, old: S::V, new: S::V, take: T) -> S::V {
    simd.fma(simd.splat(take), simd.sub(new, old), old)
}

macro_rules! rule {
    ($name:ident<$outputs:literal>, $rule:ident, $simd:ident, $g:ident, [$w:ident $(, $old:ident)*] => $body:expr) => {
        impl<T: Real> Elementwise<T, 1, $outputs> for $name<T> {
            const READS_OUTPUTS: bool = true;
            #[inline(always)]
            fn apply<S: Simd<T>>(
                self,
                $simd: S,
                [g]: [S::V; 1],
                [w $(, $old)*]: [S::V; $outputs],
            ) -> [S::V; $outputs] {
                let $rule = self;
                let ($w, $g) = self.decayed($simd, w, g);
                $body
            }
        }
    };
}

rule!(SgdRule<1>, rule, simd, g, [w] => [simd.fnma(simd.splat(rule.rate), g, w)]);
rule!(MomentumRule<2>, rule, simd, g, [w, v] => {
    let v = simd.fma(simd.splat(rule.momentum), v, simd.mul(simd.splat(rule.gradient), g));
    [simd.fma(simd.splat(rule.step), v, w), v]
});
rule!(NesterovRule<2>, rule, simd, g, [w, v] => {
    let v = simd.fma(simd.splat(rule.momentum), v, simd.mul(simd.splat(rule.gradient), g));
    let ahead = simd.fma(simd.splat(rule.momentum), v, simd.mul(simd.splat(rule.look_ahead), g));
    [simd.fma(simd.splat(rule.step), ahead, w), v]
});
rule!(AdamRule<3>, rule, simd, g, [w, m, v] => {
    let m = towards(simd, m, g, rule.take_m);
    let v = towards(simd, v, simd.mul(g, g), rule.take_v);
    let root = simd.fma(simd.splat(rule.root), simd.sqrt(v), simd.splat(rule.epsilon));
    [simd.fnma(simd.splat(rule.step_m), simd.div(m, root), w), m, v]
});
rule!(NadamRule<3>, rule, simd, g, [w, m, v] => {
    let m = towards(simd, m, g, rule.take_m);
    let v = towards(simd, v, simd.mul(g, g), rule.take_v);
    let root = simd.fma(simd.splat(rule.root), simd.sqrt(v), simd.splat(rule.epsilon));
    let step = simd.fma(simd.splat(rule.step_m), m, simd.mul(simd.splat(rule.step_g), g));
    [simd.sub(w, simd.div(step, root)), m, v]
});
rule!(AdagradRule<2>, rule, simd, g, [w, a] => {
    let a = simd.fma(g, g, a);
    let root = simd.add(simd.sqrt(simd.add(a, simd.splat(rule.inside))), simd.splat(rule.outside));
    [simd.fnma(simd.splat(rule.rate), simd.div(g, root), w), a]
});
rule!(AdadeltaRule<3>, rule, simd, g, [w, a, d] => {
    let epsilon = simd.splat(rule.epsilon);
    let a = towards(simd, a, simd.mul(g, g), rule.take);
    let ratio = simd.div(simd.sqrt(simd.add(d, epsilon)), simd.sqrt(simd.add(a, epsilon)));
    let delta = simd.mul(ratio, g);
    let d = towards(simd, d, simd.mul(delta, delta), rule.take);
    [simd.fnma(simd.splat(rule.rate), delta, w), a, d]
});
rule!(RmsPropRule<2>, rule, simd, g, [w, v] => {
    let v = towards(simd, v, simd.mul(g, g), rule.take);
    [simd.fnma(simd.splat(rule.rate), rule.normalized(simd, g, v), w), v]
});

impl<T: Real> RmsPropRule<T> {
    /// g / (√(variance + inside) + outside).
    #[inline(always)]
    fn normalized<S: Simd<T>>(&self, simd: S, g: S::V, variance: S::V) -> S::V {
        let root = simd.sqrt(simd.add(variance, simd.splat(self.inside)));
        simd.div(g, simd.add(root, simd.splat(self.outside)))
    }

    /// (c, max(v − c², 0)) of the new c; rounding may put c² above v where the gradient is constant.
    #[inline(always)]
    fn centred<S: Simd<T>>(&self, simd: S, g: S::V, v: S::V, c: S::V) -> (S::V, S::V) {
        let c = towards(simd, c, g, self.take);
        (c, simd.max(simd.splat(T::ZERO), simd.fnma(c, c, v)))
    }
}

/// RMSprop centred by the mean gradient c.
#[derive(Clone, Copy)]
struct Centred<T>(RmsPropRule<T>);
/// RMSprop with a momentum buffer b.
#[derive(Clone, Copy)]
struct WithMomentum<T> {
    rule: RmsPropRule<T>,
    momentum: T,
    gradient: T,
}
/// Both.
#[derive(Clone, Copy)]
struct CentredWithMomentum<T>(WithMomentum<T>);

impl<T: Real> WithMomentum<T> {
    /// (w, b) after a step of `normalized`.
    #[inline(always)]
    fn step<S: Simd<T>>(&self, simd: S, w: S::V, b: S::V, normalized: S::V) -> (S::V, S::V) {
        let b = simd.fma(simd.splat(self.momentum), b, simd.mul(simd.splat(self.gradient), normalized));
        (simd.fnma(simd.splat(self.rule.rate), b, w), b)
    }
}

impl<T: Real> Elementwise<T, 1, 3> for Centred<T> {
    const READS_OUTPUTS: bool = true;
    #[inline(always)]
    fn apply<S: Simd<T>>(self, simd: S, [g]: [S::V; 1], [w, v, c]: [S::V; 3]) -> [S::V; 3] {
        let rule = self.0;
        let (w, g) = rule.decayed(simd, w, g);
        let v = towards(simd, v, simd.mul(g, g), rule.take);
        let (c, variance) = rule.centred(simd, g, v, c);
        [simd.fnma(simd.splat(rule.rate), rule.normalized(simd, g, variance), w), v, c]
    }
}

impl<T: Real> Elementwise<T, 1, 3> for WithMomentum<T> {
    const READS_OUTPUTS: bool = true;
    #[inline(always)]
    fn apply<S: Simd<T>>(self, simd: S, [g]: [S::V; 1], [w, v, b]: [S::V; 3]) -> [S::V; 3] {
        let (w, g) = self.rule.decayed(simd, w, g);
        let v = towards(simd, v, simd.mul(g, g), self.rule.take);
        let (w, b) = self.step(simd, w, b, self.rule.normalized(simd, g, v));
        [w, v, b]
    }
}

impl<T: Real> Elementwise<T, 1, 4> for CentredWithMomentum<T> {
    const READS_OUTPUTS: bool = true;
    #[inline(always)]
    fn apply<S: Simd<T>>(self, simd: S, [g]: [S::V; 1], [w, v, c, b]: [S::V; 4]) -> [S::V; 4] {
        let rule = self.0.rule;
        let (w, g) = rule.decayed(simd, w, g);
        let v = towards(simd, v, simd.mul(g, g), rule.take);
        let (c, variance) = rule.centred(simd, g, v, c);
        let (w, b) = self.0.step(simd, w, b, rule.normalized(simd, g, variance));
        [w, v, c, b]
    }
}

once! {
    /// One step of [`Sgd`].
    pub fn sgd<T: Real>(isa: Isa, by: &Sgd, params: &mut [T], grads: &[T]) {
        elementwise(isa, SgdRule::new(by.decay, by.rate), [grads], [params]);
    }

    /// One step of [`Momentum`].
    pub fn momentum<T: Real>(isa: Isa, by: &Momentum, params: &mut [T], grads: &[T], velocity: &mut [T]) {
        let outputs = [params, velocity];
        match by.look_ahead {
            None => elementwise(isa, MomentumRule::new(by.decay, by.momentum, by.gradient, by.step), [grads], outputs),
            Some(ahead) => {
                let rule = NesterovRule::new(by.decay, by.momentum, by.gradient, by.step, ahead);
                elementwise(isa, rule, [grads], outputs);
            }
        }
    }

    /// One step of [`Adam`]: AdamW and Nadam too.
    pub fn adam<T: Real>(isa: Isa, by: &Adam, params: &mut [T], grads: &[T], m: &mut [T], v: &mut [T]) {
        let outputs = [params, m, v];
        if by.step_g == 0.0 {
            let rule = AdamRule::new(by.decay, by.take_m, by.take_v, by.step_m, by.root, by.epsilon);
            elementwise(isa, rule, [grads], outputs);
        } else {
            let rule = NadamRule::new(by.decay, by.take_m, by.take_v, by.step_m, by.step_g, by.root, by.epsilon);
            elementwise(isa, rule, [grads], outputs);
        }
    }

    /// One step of [`Adagrad`].
    pub fn adagrad<T: Real>(isa: Isa, by: &Adagrad, params: &mut [T], grads: &[T], squares: &mut [T]) {
        elementwise(isa, AdagradRule::new(by.decay, by.rate, by.inside, by.outside), [grads], [params, squares]);
    }

    /// One step of [`Adadelta`].
    pub fn adadelta<T: Real>(
        isa: Isa,
        by: &Adadelta,
        params: &mut [T],
        grads: &[T],
        squares: &mut [T],
        squared_deltas: &mut [T],
    ) {
        let rule = AdadeltaRule::new(by.decay, by.take, by.rate, by.epsilon);
        elementwise(isa, rule, [grads], [params, squares, squared_deltas]);
    }

    /// One step of [`RmsProp`]: centred where there is a `mean`, with momentum where there is a `buffer`.
    pub fn rms_prop<T: Real>(
        isa: Isa,
        by: &RmsProp,
        params: &mut [T],
        grads: &[T],
        squares: &mut [T],
        mean: Option<&mut [T]>,
        buffer: Option<&mut [T]>,
    ) {
        let rule = RmsPropRule::new(by.decay, by.take, by.rate, by.inside, by.outside);
        let (momentum, gradient) = (T::from_f64(by.momentum), T::from_f64(by.gradient));
        let with_momentum = WithMomentum { rule, momentum, gradient };
        match (mean, buffer) {
            (None, None) => elementwise(isa, rule, [grads], [params, squares]),
            (Some(mean), None) => elementwise(isa, Centred(rule), [grads], [params, squares, mean]),
            (None, Some(buffer)) => elementwise(isa, with_momentum, [grads], [params, squares, buffer]),
            (Some(mean), Some(buffer)) => {
                elementwise(isa, CentredWithMomentum(with_momentum), [grads], [params, squares, mean, buffer]);
            }
        }
    }
}
