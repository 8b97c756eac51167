//! The micro-kernel: a tile of C in registers, and the chain over k that runs through it.

use std::mem::MaybeUninit;

use super::product::{Bias, Source, Target};
use crate::{Activation, Isa, Kernel, Real, Simd};

/// Vectors of a full row of a tile. With two of them each broadcast element of lhs feeds two multiply-adds.
pub(crate) const TILE_VECTORS: usize = 2;
/// Tiles of few rows and more vectors, for operands that are read in place: two vectors are too few chains for the multipliers.
/// [`TileColumn::run`] has the same list.
const WIDE_TILES: [(usize, usize); 5] = [(1, 8), (1, 4), (2, 4), (3, 3), (4, 3)];
/// Steps of a chain that are written out one after the other: counting them and moving addresses on would be a sixth of the
/// instructions, and where another program runs on the same core, there are too few of them.
pub(crate) const UNROLLED: usize = 4;
/// Steps of a chain below which nothing is fetched ahead: there fetching is a part of the work that counts. 784 · 32 · 256 on two threads
/// 181 → 193 GFLOP/s, 256 · 50 · 256 182 → 194; with no fetching at all 256 · 784 · 256 113 → 107 on one (Zen 4, AVX-512, f32).
const SHORT_CHAIN: usize = 64;
/// Rows of the tallest tile of any instruction set.
pub(crate) const MAX_TILE_ROWS: usize = 14;

/// The largest tile of an instruction set: two vectors by as many rows as leave registers for two vectors of rhs and one
/// broadcast element of lhs. 14 × 2 for AVX-512 (28 accumulators), 6 × 2 for AVX2 (12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TileShape {
    pub rows: usize,
    pub lanes: usize,
}

impl TileShape {
    pub fn of<T: Real>(isa: Isa) -> Self {
        struct Shape;
        impl<T: Real> Kernel<T> for Shape {
            type Output = TileShape;
            #[inline(always)]
            fn run<S: Simd<T>>(self, _: S) -> TileShape {
                TileShape { rows: tile_rows::<T, S>(), lanes: S::LANES }
            }
        }
        T::dispatch(isa, Shape)
    }

    pub fn cols(self) -> usize {
        TILE_VECTORS * self.lanes
    }

    /// Columns of a tile of `rows` rows that begins `left` columns before the end, where operands are read in place.
    pub fn wide_cols(self, rows: usize, left: usize) -> usize {
        let fits = |&&(tile_rows, vectors): &&(usize, usize)| tile_rows == rows && (vectors - 1) * self.lanes < left;
        let vectors = WIDE_TILES.iter().find(fits).map_or(TILE_VECTORS, |&(_, vectors)| vectors);
        left.min(vectors * self.lanes)
    }
}

pub(crate) const fn tile_rows<T, S: Simd<T>>() -> usize {
    let rows = (S::REGISTERS - TILE_VECTORS - 1) / TILE_VECTORS;
    if rows < MAX_TILE_ROWS { rows } else { MAX_TILE_ROWS }
}

/// What follows the last element of a chain.
#[derive(Clone, Copy)]
pub(crate) struct Finish<T> {
    pub bias: Bias<T>,
    pub activation: Activation,
}

/// A column of tiles of the same height, `tiles · rows_per_tile` rows by `cols` columns of C: at most 2 · LANES, or as many as
/// [`TileShape::wide_cols`] says.
#[derive(Clone, Copy)]
pub(crate) struct TileColumn<T> {
    pub tiles: usize,
    pub k: usize,
    /// Element (i, p) of the first tile.
    pub lhs: Source<T>,
    /// From a tile's first element to the next tile's.
    pub lhs_tile_stride: usize,
    /// Row p starts at `rhs + p · rhs_stride`.
    pub rhs: *const T,
    pub rhs_stride: usize,
    /// Whether rows of rhs are padded to whole vectors.
    pub rhs_padded: bool,
    pub cols: usize,
    pub out: Target<T>,
    /// Whether chains start from C instead of zero.
    pub from_out: bool,
    pub finish: Option<Finish<T>>,
}

impl<T: Real> TileColumn<T> {
    /// Computes the tiles, each `rows` high.
    ///
    /// # Safety
    /// `lhs` is valid for reads of [tiles · rows, k], `rhs` for [k, cols] (whole vectors where padded), `out` for reads and
    /// writes of [tiles · rows, cols], biases for their rows or columns; nothing else accesses `out` meanwhile. `rows`
    /// is at most that of [`TileShape::of`] for `isa`, and `lanes` its lanes.
    pub unsafe fn run(self, isa: Isa, rows: usize, lanes: usize) {
        macro_rules! by_shape {
            ($(($tile_rows:literal, $vectors:literal))*; $($rows:literal)*) => {
                match (rows, self.cols.div_ceil(lanes)) {
                    $(($tile_rows, $vectors) => T::dispatch(isa, Tiles::<T, $tile_rows, $vectors>(self)),)*
                    $(
                        ($rows, 2) => T::dispatch(isa, Tiles::<T, $rows, 2>(self)),
                        ($rows, 1) => T::dispatch(isa, Tiles::<T, $rows, 1>(self)),
                    )*
                    (rows, vectors) => unreachable!("no tile has {rows} rows of {vectors} vectors"),
                }
            };
        }
        by_shape!((1, 8) (1, 4) (2, 4) (3, 3) (4, 3); 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    }
}

struct Tiles<T, const ROWS: usize, const VECTORS: usize>(TileColumn<T>);

impl<T: Real, const ROWS: usize, const VECTORS: usize> Kernel<T> for Tiles<T, ROWS, VECTORS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        // Taller tiles than the registers hold are never asked for; not compiling them halves the code.
        if ROWS > const { tile_rows::<T, S>() } {
            unreachable!("a tile of {ROWS} rows does not fit into registers");
        }
        let column = self.0;
        for tile in 0..column.tiles {
            let lhs = Source { ptr: column.lhs.ptr.wrapping_add(tile * column.lhs_tile_stride), ..column.lhs };
            let row = tile * ROWS;
            let out = Target { ptr: column.out.at(row, 0), ..column.out };
            let finish = column.finish.map(|Finish { bias, activation }| Finish { bias: bias.at(row, 0), activation });
            // SAFETY: `TileColumn::run` was promised all tiles.
            unsafe {
                if out.col_stride == 1 {
                    tile_in_place::<T, S, ROWS, VECTORS>(simd, &column, lhs, out, finish);
                } else {
                    tile_through_copy::<T, S, ROWS, VECTORS>(simd, &column, lhs, out, finish);
                }
            }
        }
    }
}

/// A tile whose rows are not contiguous in C is gathered, computed and scattered.
///
/// # Safety
/// As [`TileColumn::run`], for one tile.
#[inline(always)]
unsafe fn tile_through_copy<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    column: &TileColumn<T>,
    lhs: Source<T>,
    out: Target<T>,
    finish: Option<Finish<T>>,
) {
    // Room for the widest vector of any instruction set.
    const { assert!(S::LANES <= 16) };
    let mut copy = [const { MaybeUninit::<[[T; 16]; VECTORS]>::uninit() }; ROWS];
    let copy = Target { ptr: copy.as_mut_ptr().cast::<T>(), row_stride: VECTORS * 16, col_stride: 1 };
    let cols = column.cols;
    // SAFETY: ROWS · cols elements of both matrices, and what the caller promises.
    unsafe {
        if column.from_out {
            transfer::<T, S>(simd, out.transposed(), copy.transposed(), cols, ROWS);
        }
        tile_in_place::<T, S, ROWS, VECTORS>(simd, column, lhs, copy, finish);
        transfer::<T, S>(simd, copy, out, ROWS, cols);
    }
}

/// Copies [rows, cols] elements between a matrix whose rows are contiguous and one whose columns preferably are.
///
/// # Safety
/// Both matrices are valid for [rows, cols] elements; `from.col_stride` is 1 or `to.row_stride` is.
#[inline(always)]
unsafe fn transfer<T: Real, S: Simd<T>>(simd: S, from: Target<T>, to: Target<T>, rows: usize, cols: usize) {
    // SAFETY: every block lies inside both matrices.
    unsafe {
        if from.col_stride == 1 && to.row_stride == 1 {
            for i in (0..rows).step_by(S::LANES) {
                let height = (rows - i).min(S::LANES);
                for j in (0..cols).step_by(S::LANES) {
                    let width = (cols - j).min(S::LANES);
                    simd.transpose_ptr(
                        from.at(i, j),
                        from.row_stride,
                        (height, width),
                        to.at(i, j),
                        to.col_stride,
                        height,
                    );
                }
            }
        } else {
            for i in 0..rows {
                for j in 0..cols {
                    *to.at(i, j) = *from.at(i, j);
                }
            }
        }
    }
}

/// # Safety
/// As [`TileColumn::run`], for one tile, with `out.col_stride` = 1.
#[inline(always)]
unsafe fn tile_in_place<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    column: &TileColumn<T>,
    lhs: Source<T>,
    out: Target<T>,
    finish: Option<Finish<T>>,
) {
    // Lanes of the last vector that exist in C.
    let tail = column.cols - (VECTORS - 1) * S::LANES;
    let row = |i: usize| out.at(i, 0);
    let mut chains = [[simd.splat(T::ZERO); VECTORS]; ROWS];
    // SAFETY: the caller promises the elements of the tile.
    unsafe {
        if column.from_out {
            load_chains(simd, &mut chains, row, tail);
        }

        // While the chains run, fetch what is touched next: the elements that they will be stored to, or, where these were
        // just loaded, those of the tile below.
        if column.k >= SHORT_CHAIN {
            let mut c = if column.from_out { out.at(ROWS, 0) } else { out.ptr };
            for _ in 0..ROWS {
                for v in 0..VECTORS {
                    simd.prefetch(c.wrapping_add(v * S::LANES));
                }
                c = c.wrapping_add(out.row_stride);
            }
        }

        let lhs_adjacent = lhs.row_stride == 1;
        match (lhs_adjacent, column.rhs_padded || tail == S::LANES) {
            (true, true) => chain::<T, S, ROWS, VECTORS, true, true>(simd, column, lhs, tail, &mut chains),
            (true, false) => chain::<T, S, ROWS, VECTORS, true, false>(simd, column, lhs, tail, &mut chains),
            (false, true) => chain::<T, S, ROWS, VECTORS, false, true>(simd, column, lhs, tail, &mut chains),
            (false, false) => chain::<T, S, ROWS, VECTORS, false, false>(simd, column, lhs, tail, &mut chains),
        }

        if let Some(finish) = finish {
            finish_chains(simd, &mut chains, finish, tail);
        }
        store_chains(simd, &chains, row, tail);
    }
}

/// Starts the chains from the elements of C, of which row i begins at `row(i)` and whose last vector has `tail` elements.
///
/// # Safety
/// Every row is valid for reads of its elements.
#[inline(always)]
pub(crate) unsafe fn load_chains<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    chains: &mut [[S::V; VECTORS]; ROWS],
    row: impl Fn(usize) -> *mut T,
    tail: usize,
) {
    for (i, chains) in chains.iter_mut().enumerate() {
        for (v, x) in chains.iter_mut().enumerate() {
            let c = row(i).wrapping_add(v * S::LANES);
            // SAFETY: the caller promises the elements.
            *x = unsafe { if v + 1 < VECTORS { simd.load_ptr(c) } else { simd.load_ptr_partial(c, tail) } };
        }
    }
}

/// Stores the chains to the elements of C, see [`load_chains`].
///
/// # Safety
/// Every row is valid for writes of its elements.
#[inline(always)]
pub(crate) unsafe fn store_chains<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    chains: &[[S::V; VECTORS]; ROWS],
    row: impl Fn(usize) -> *mut T,
    tail: usize,
) {
    for (i, chains) in chains.iter().enumerate() {
        for (v, &x) in chains.iter().enumerate() {
            let c = row(i).wrapping_add(v * S::LANES);
            // SAFETY: the caller promises the elements.
            unsafe {
                if v + 1 < VECTORS {
                    simd.store_ptr(c, x);
                } else {
                    simd.store_ptr_partial(c, x, tail);
                }
            }
        }
    }
}

/// Adds the bias and applies an activation that is linear on either side of zero.
///
/// # Safety
/// The bias is valid for reads of its elements.
#[inline(always)]
pub(crate) unsafe fn finish_chains<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    chains: &mut [[S::V; VECTORS]; ROWS],
    Finish { bias, activation }: Finish<T>,
    tail: usize,
) {
    // SAFETY: the caller promises the elements of the bias.
    unsafe {
        match bias {
            Bias::None => {}
            Bias::Columns(bias) => {
                for v in 0..VECTORS {
                    let b = bias.wrapping_add(v * S::LANES);
                    let b = if v + 1 < VECTORS { simd.load_ptr(b) } else { simd.load_ptr_partial(b, tail) };
                    for row in chains.iter_mut() {
                        row[v] = simd.add(row[v], b);
                    }
                }
            }
            Bias::Rows(bias) => {
                for (i, row) in chains.iter_mut().enumerate() {
                    let b = simd.splat(*bias.add(i));
                    for x in row {
                        *x = simd.add(*x, b);
                    }
                }
            }
        }
    }
    match activation {
        Activation::Relu => {
            let zero = simd.splat(T::ZERO);
            for x in chains.as_flattened_mut() {
                *x = simd.max(zero, *x);
            }
        }
        Activation::LeakyRelu { slope } => {
            let (zero, slope) = (simd.splat(T::ZERO), simd.splat(T::from_f64(slope)));
            for x in chains.as_flattened_mut() {
                *x = simd.select(simd.lt(zero, *x), *x, simd.mul(slope, *x));
            }
        }
        // The others are too long for registers that are full; they are applied to finished rows.
        _ => {}
    }
}

/// chains\[i\]\[v\] += lhs\[i, p\] · rhs\[p, v\] for p = 0, 1, …, k − 1.
///
/// # Safety
/// As [`TileColumn::run`], for one tile.
#[inline(always)]
unsafe fn chain<
    T: Real,
    S: Simd<T>,
    const ROWS: usize,
    const VECTORS: usize,
    const LHS_ADJACENT: bool,
    const WHOLE_VECTORS: bool,
>(
    simd: S,
    column: &TileColumn<T>,
    lhs: Source<T>,
    tail: usize,
    chains: &mut [[S::V; VECTORS]; ROWS],
) {
    // Rows or columns of lhs are adjacent.
    let (row_stride, col_stride) = if LHS_ADJACENT { (1, lhs.col_stride) } else { (lhs.row_stride, 1) };
    let rhs_stride = column.rhs_stride;
    let (mut a, mut b, mut left) = (lhs.ptr, column.rhs, column.k);
    // SAFETY: the caller promises row p of rhs and column p of lhs.
    unsafe {
        // Of a tall tile the compiler would read the elements of all these steps at once, which only memory has room for: 80 instead
        // of 113 GFLOP/s at 256 · 784 · 256 (Zen 4, AVX-512, f32, one core).
        let unrolled = const { if ROWS <= 6 { UNROLLED } else { 1 } };
        while left >= unrolled {
            for _ in 0..unrolled {
                step::<T, S, ROWS, VECTORS, WHOLE_VECTORS>(simd, |i| *a.wrapping_add(i * row_stride), b, tail, chains);
                a = a.wrapping_add(col_stride);
                b = b.wrapping_add(rhs_stride);
            }
            left -= unrolled;
        }
        while left > 0 {
            step::<T, S, ROWS, VECTORS, WHOLE_VECTORS>(simd, |i| *a.wrapping_add(i * row_stride), b, tail, chains);
            a = a.wrapping_add(col_stride);
            b = b.wrapping_add(rhs_stride);
            left -= 1;
        }
    }
}

/// chains\[i\]\[v\] += lhs(i) · rhs\[v\], where the last vector of rhs has `tail` elements unless it is whole.
///
/// # Safety
/// `rhs` is valid for reads of its elements.
#[inline(always)]
pub(crate) unsafe fn step<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize, const WHOLE_VECTORS: bool>(
    simd: S,
    lhs: impl Fn(usize) -> T,
    rhs: *const T,
    tail: usize,
    chains: &mut [[S::V; VECTORS]; ROWS],
) {
    let mut vectors = [simd.splat(T::ZERO); VECTORS];
    for (v, x) in vectors.iter_mut().enumerate() {
        let rhs = rhs.wrapping_add(v * S::LANES);
        // SAFETY: as the caller promises.
        *x = unsafe {
            if WHOLE_VECTORS || v + 1 < VECTORS { simd.load_ptr(rhs) } else { simd.load_ptr_partial(rhs, tail) }
        };
    }
    for (i, row) in chains.iter_mut().enumerate() {
        let element = simd.splat(lhs(i));
        for (x, b) in row.iter_mut().zip(vectors) {
            *x = simd.fma(element, b, *x);
        }
    }
}
