//! The micro-kernel: a tile of the result in registers, whose rows read from addresses in a table.

use crate::gemm::tile::{Finish, UNROLLED, finish_chains, load_chains, step, store_chains};
use crate::{Isa, Kernel, Real, Simd};

/// How the rows of a tile find their elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Each has an address of its own for every step, where a run of elements begins.
    Apart,
    /// All of tile j have one address for every step, and element `skip` + j · `apart` + i from there is that of row i. Runs are
    /// of one element.
    Adjacent {
        /// Elements before the first row of the first tile.
        skip: usize,
        /// Elements from a tile to the next.
        apart: usize,
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
    /// The rows, one for each element that is read, one behind the other, each padded to whole vectors.
    pub rhs: *const T,
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
                }
                // While the chains run, fetch what is touched next: the elements that they will be stored to, or, where these
                // were just loaded, those of the next tile.
                if !tiles.from_out || tile + 1 < tiles.tiles {
                    let next = if tiles.from_out { ROWS } else { 0 };
                    for i in next..next + ROWS {
                        (0..VECTORS).for_each(|v| simd.prefetch(row(i).wrapping_add(v * S::LANES)));
                    }
                }
                match tiles.rows {
                    Rows::Apart => chain_apart(simd, &tiles, first, &mut chains),
                    Rows::Adjacent { skip, apart } => chain_adjacent(simd, &tiles, skip + tile * apart, &mut chains),
                }
                if let Some(finish) = tiles.finish {
                    finish_chains(simd, &mut chains, finish, tail);
                }
                store_chains(simd, &chains, row, tail);
            }
        }
    }
}

/// chains\[i\]\[v\] += lhs\[i, p\] · rhs\[p, v\] for p = 0, 1, …, steps · run − 1, with an address for each row.
///
/// # Safety
/// As [`Tiles::run`], for the tile whose first row is `first`.
#[inline(always)]
unsafe fn chain_apart<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    tiles: &Tiles<T>,
    first: usize,
    chains: &mut [[S::V; VECTORS]; ROWS],
) {
    let mut b = tiles.rhs;
    let mut table = tiles.lhs.wrapping_add(first);
    for _ in 0..tiles.steps {
        // SAFETY: the caller promises the table, the elements it points to and the rows of rhs.
        unsafe {
            let mut a: [*const T; ROWS] = std::array::from_fn(|i| *table.wrapping_add(i));
            let mut left = tiles.run;
            while left >= UNROLLED {
                for u in 0..UNROLLED {
                    step::<T, S, ROWS, VECTORS, true>(simd, |i| *a[i].wrapping_add(u), b, S::LANES, chains);
                    b = b.wrapping_add(VECTORS * S::LANES);
                }
                a = a.map(|a| a.wrapping_add(UNROLLED));
                left -= UNROLLED;
            }
            for u in 0..left {
                step::<T, S, ROWS, VECTORS, true>(simd, |i| *a[i].wrapping_add(u), b, S::LANES, chains);
                b = b.wrapping_add(VECTORS * S::LANES);
            }
        }
        table = table.wrapping_add(tiles.lhs_stride);
    }
}

/// The same with one address for all rows, the first of which is `skip` elements behind it, and runs of one element.
///
/// # Safety
/// As [`Tiles::run`].
#[inline(always)]
unsafe fn chain_adjacent<T: Real, S: Simd<T>, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    tiles: &Tiles<T>,
    skip: usize,
    chains: &mut [[S::V; VECTORS]; ROWS],
) {
    let (mut table, mut b, mut left) = (tiles.lhs, tiles.rhs, tiles.steps);
    // SAFETY: the caller promises the table, the elements it points to and the rows of rhs.
    unsafe {
        while left >= UNROLLED {
            for u in 0..UNROLLED {
                let address = (*table.wrapping_add(u)).wrapping_add(skip);
                step::<T, S, ROWS, VECTORS, true>(simd, |i| *address.wrapping_add(i), b, S::LANES, chains);
                b = b.wrapping_add(VECTORS * S::LANES);
            }
            table = table.wrapping_add(UNROLLED);
            left -= UNROLLED;
        }
        for u in 0..left {
            let address = (*table.wrapping_add(u)).wrapping_add(skip);
            step::<T, S, ROWS, VECTORS, true>(simd, |i| *address.wrapping_add(i), b, S::LANES, chains);
            b = b.wrapping_add(VECTORS * S::LANES);
        }
    }
}
