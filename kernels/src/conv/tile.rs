//! The micro-kernel: a tile of the result in registers, whose rows read from addresses in a table.

use crate::gemm::tile::{Finish, finish_chains, load_chains, store_chains};
use crate::{Isa, Kernel, Real, Simd};

/// How the rows of a tile find their elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Each has an address of its own for every step, where a run of elements begins. Rows of rhs are padded to whole vectors.
    Apart,
    /// All have one address for every step, and element `skip` + i from there is that of row i.
    Adjacent {
        /// Elements before the first row.
        skip: usize,
    },
}

/// Tiles of one height, one below the other, of `cols` ≤ 2 · LANES columns.
#[derive(Clone, Copy)]
pub(super) struct Tiles<T> {
    pub tiles: usize,
    /// Addresses that a row reads from, one after the other.
    pub steps: usize,
    /// Elements that it reads from each.
    pub run: usize,
    pub rows: Rows,
    /// The address of step t is at `lhs + t · lhs_stride`, that of row i of [`Rows::Apart`] i behind it.
    pub lhs: *const *const T,
    pub lhs_stride: usize,
    /// Row p, for step p / run, starts at `rhs + p · rhs_stride`.
    pub rhs: *const T,
    pub rhs_stride: usize,
    pub cols: usize,
    /// The addresses of the rows of the result.
    pub out: *const *mut T,
    /// Columns of the result before these.
    pub col: usize,
    /// Whether chains start from the old result instead of zero.
    pub from_out: bool,
    pub finish: Option<Finish<T>>,
}

impl<T: Real> Tiles<T> {
    /// Computes the tiles, each `height` rows high.
    ///
    /// # Safety
    /// All addresses that the fields promise are valid for reads, those of `out` for reads and writes of `cols` elements from
    /// `col` on, which nothing else accesses meanwhile. `height` and `cols` are at most those of the tile shape of `isa`.
    pub unsafe fn run(self, isa: Isa, height: usize, lanes: usize) {
        macro_rules! by_rows {
            ($($rows:literal)*) => {
                match (height, self.cols > lanes) {
                    $(
                        ($rows, true) => T::dispatch(isa, Column::<T, $rows, 2>(self)),
                        ($rows, false) => T::dispatch(isa, Column::<T, $rows, 1>(self)),
                    )*
                    _ => unreachable!("no tile has {height} rows"),
                }
            };
        }
        by_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    }
}

/// Only [`Tiles::run`] makes one, whose caller promised what its fields say.
struct Column<T, const ROWS: usize, const VECTORS: usize>(Tiles<T>);

impl<T: Real, const ROWS: usize, const VECTORS: usize> Kernel<T> for Column<T, ROWS, VECTORS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        // Taller tiles than the registers hold are never asked for; not compiling them halves the code.
        if ROWS > const { crate::gemm::tile::tile_rows::<T, S>() } {
            unreachable!("a tile of {ROWS} rows does not fit into registers");
        }
        let tiles = self.0;
        let tail = tiles.cols - (VECTORS - 1) * S::LANES;
        for tile in 0..tiles.tiles {
            let first = tile * ROWS;
            let mut chains = [[simd.splat(T::ZERO); VECTORS]; ROWS];
            // SAFETY: `Tiles::run` was promised all of these.
            unsafe {
                let row = |i: usize| (*tiles.out.add(first + i)).wrapping_add(tiles.col);
                if tiles.from_out {
                    load_chains(simd, &mut chains, row, tail);
                } else {
                    for i in 0..ROWS {
                        (0..VECTORS).for_each(|v| simd.prefetch(row(i).wrapping_add(v * S::LANES)));
                    }
                }
                match (tiles.rows, tail == S::LANES) {
                    (Rows::Apart, _) => {
                        chain::<T, S, ROWS, VECTORS, false, true>(simd, &tiles, first, tail, &mut chains);
                    }
                    (Rows::Adjacent { .. }, true) => {
                        chain::<T, S, ROWS, VECTORS, true, true>(simd, &tiles, first, tail, &mut chains);
                    }
                    (Rows::Adjacent { .. }, false) => {
                        chain::<T, S, ROWS, VECTORS, true, false>(simd, &tiles, first, tail, &mut chains);
                    }
                }
                if let Some(finish) = tiles.finish {
                    finish_chains(simd, &mut chains, finish, tail);
                }
                store_chains(simd, &chains, row, tail);
            }
        }
    }
}

/// chains\[i\]\[v\] += lhs\[i, p\] · rhs\[p, v\] for p = 0, 1, …, steps · run − 1.
///
/// # Safety
/// As [`Tiles::run`], for the tile whose first row is `first`.
#[inline(always)]
unsafe fn chain<
    T: Real,
    S: Simd<T>,
    const ROWS: usize,
    const VECTORS: usize,
    const ADJACENT: bool,
    const WHOLE_VECTORS: bool,
>(
    simd: S,
    tiles: &Tiles<T>,
    first: usize,
    tail: usize,
    chains: &mut [[S::V; VECTORS]; ROWS],
) {
    let mut b = tiles.rhs;
    let skip = if let Rows::Adjacent { skip } = tiles.rows { skip } else { 0 };
    let mut table = tiles.lhs.wrapping_add(if ADJACENT { 0 } else { first });
    for _ in 0..tiles.steps {
        // SAFETY: the caller promises the table, the elements it points to and the rows of rhs.
        unsafe {
            let addresses: [*const T; ROWS] =
                std::array::from_fn(|i| if ADJACENT { (*table).wrapping_add(skip + first + i) } else { *table.add(i) });
            for c in 0..tiles.run {
                let mut rhs = [simd.splat(T::ZERO); VECTORS];
                for (v, x) in rhs.iter_mut().enumerate() {
                    let b = b.wrapping_add(v * S::LANES);
                    *x = if WHOLE_VECTORS || v + 1 < VECTORS {
                        simd.load_ptr(b)
                    } else {
                        simd.load_ptr_partial(b, tail)
                    };
                }
                for (address, row) in addresses.iter().zip(chains.iter_mut()) {
                    let element = simd.splat(*address.add(c));
                    for (x, b) in row.iter_mut().zip(rhs) {
                        *x = simd.fma(element, b, *x);
                    }
                }
                b = b.wrapping_add(tiles.rhs_stride);
            }
        }
        table = table.wrapping_add(tiles.lhs_stride);
    }
}
