//! Convolution and transposed convolution: every pixel of the result gathers what it is made of.
//!
//! ```text
//! for each block of pixels of the result                a table of addresses, one for each pixel and tap
//!   for each panel of weights                           taps · channels · (2 vectors) from the L2 cache
//!     for each tile of pixels                           rows · (2 vectors) of the result in registers
//! ```

use std::ops::Range;

use super::Convolution;
use super::axis::{Axis, Bordered, Grid, lines};
use super::tile::{Rows, Tiles};
use crate::gemm::blocked::tile_heights;
use crate::gemm::pack::Pack;
use crate::gemm::parallel::{each, parts};
use crate::gemm::product::{Bias, Source};
use crate::gemm::scratch::{with_addresses, with_scratch};
use crate::gemm::tile::{Finish, TileShape};
use crate::{Accumulate, Activation, Epilogue, Isa, Real};

/// Pixels of a block: five tiles of AVX-512, whose addresses for nine taps are 5 KB.
pub(super) const BLOCK_TILES: usize = 5;
/// Channels below which images are copied with their borders: an address for each tap and pixel costs as much as about so many
/// multiply-adds of a tile.
const FEW_CHANNELS: usize = 5;
/// Bytes that all phases read and write of a chunk of samples: half an L2 cache of 1 MiB.
const CHUNK_BYTES: usize = 512 << 10;

/// The pixels of a result that read alike, and what they read.
#[derive(Clone, Copy)]
pub(super) struct Gather<T> {
    pub samples: usize,
    pub grid: Grid<T>,
    /// Elements of the source that a tap reads.
    pub run: usize,
    /// See [`tap`](Self::tap).
    weight: *const T,
    pub weight_row_stride: usize,
    pub weight_col_stride: usize,
    kernel_width: usize,
    pub out: *mut T,
    /// Height and width of an image of the result.
    pub size: [usize; 2],
    /// Channels of a pixel of the result.
    pub cols: usize,
    pub accumulate: Accumulate,
    pub bias: Option<*const T>,
    pub activation: Activation,
}

// SAFETY: the pointers stem from slices of `Send + Sync` numbers; parts given to different threads write disjoint elements.
unsafe impl<T: Real> Send for Gather<T> {}
// SAFETY: as above.
unsafe impl<T: Real> Sync for Gather<T> {}

impl<T: Real> Gather<T> {
    /// The convolution of x, whose output and what is done with its elements are still to be set.
    pub fn forward(of: &Convolution, samples: usize, x: &[T], weight: &[T]) -> Self {
        Gather {
            samples,
            grid: Grid {
                axes: [0, 1].map(|dim| Axis::forward(of, dim)),
                source: x.as_ptr(),
                stride: of.image_channels,
            },
            run: of.image_channels,
            weight: weight.as_ptr(),
            weight_row_stride: of.output_channels,
            weight_col_stride: 1,
            kernel_width: of.kernel[1],
            out: std::ptr::null_mut(),
            size: of.output,
            cols: of.output_channels,
            accumulate: Accumulate::Overwrite,
            bias: None,
            activation: Activation::Linear,
        }
    }

    /// Calls `compute` with the same convolution: one that reads copies with borders where there are few channels.
    pub fn bordered(of: &Convolution, samples: usize, x: &[T], weight: &[T], compute: impl FnOnce(Self)) {
        let gather = Self::forward(of, samples, x, weight);
        if of.kernel[1] == 1 || of.image_channels >= FEW_CHANNELS {
            return compute(gather);
        }
        let bordered = Bordered::of(of);
        with_scratch(samples * bordered.rows() * bordered.row_len(), |copy| {
            bordered.copy(x, copy);
            let grid = Grid { axes: bordered.axes(of), source: copy.as_ptr(), ..gather.grid };
            compute(Gather { grid, run: of.kernel[1] * of.image_channels, kernel_width: 1, ..gather });
        });
    }

    /// With the elements of `out` as its result.
    #[track_caller]
    pub fn into(self, epilogue: &Epilogue<'_, T>, out: &mut [T], accumulate: Accumulate) -> Self {
        let bias = bias_of(epilogue, self.cols);
        Gather { out: out.as_mut_ptr(), accumulate, bias, activation: epilogue.activation, ..self }
    }

    /// The transposed convolution of y on the pixels of these axes, see [`Axis::transposed`], whose result is still to be set.
    pub fn transposed(of: &Convolution, samples: usize, axes: [Axis; 2], y: &[T], weight: &[T]) -> Self {
        Gather {
            grid: Grid { axes, source: y.as_ptr(), stride: of.output_channels },
            run: of.output_channels,
            weight_row_stride: 1,
            weight_col_stride: of.output_channels,
            size: of.image,
            cols: of.image_channels,
            ..Self::forward(of, samples, y, weight)
        }
    }

    /// The same on other pixels.
    pub fn on(self, axes: [Axis; 2]) -> Self {
        Gather { grid: Grid { axes, ..self.grid }, ..self }
    }

    fn pixels(&self) -> usize {
        self.samples * self.grid.pixels()
    }

    pub fn run(self, isa: Isa) {
        self.run_phases(isa, 1, &|_| self.grid.axes);
    }

    /// Computes the pixels of all phases; `axes` gives those of each. What the phases read and write of a few samples stays in the L2 cache.
    pub fn run_phases(self, isa: Isa, phases: usize, axes: &(impl Fn(usize) -> [Axis; 2] + Sync)) {
        let most = (0..phases).map(|phase| self.on(axes(phase)).pixels()).max().unwrap_or(0);
        if most * self.cols == 0 {
            return;
        }
        let chunks = match phases {
            1 => 1,
            _ => (most * (self.run + phases * self.cols) * size_of::<T>()).div_ceil(CHUNK_BYTES),
        };
        self.with_packed(isa, phases, axes, |shape, packed, parts| {
            let panels = self.cols.div_ceil(shape.cols());
            let chunks = chunks.max(parts).min(most.div_ceil(shape.rows));
            let col_parts = (parts / chunks).clamp(1, panels);
            let units = chunks * phases * col_parts;
            let parts = parts.min(units);
            each(0, parts, &|part: usize| {
                for unit in units * part / parts..units * (part + 1) / parts {
                    let (chunk, phase, col) = (unit / col_parts / phases, unit / col_parts % phases, unit % col_parts);
                    let gather = self.on(axes(phase));
                    let pixels = gather.pixels() * chunk / chunks..gather.pixels() * (chunk + 1) / chunks;
                    let panels = panels * col / col_parts..panels * (col + 1) / col_parts;
                    gather.part(isa, shape, packed(phase), pixels, panels);
                }
            });
        });
    }

    /// Computes `rows` of the result of one sample, [rows, width, cols], into `out`.
    pub fn rows(
        &self,
        isa: Isa,
        shape: TileShape,
        packed: Packed<T>,
        sample: usize,
        rows: Range<usize>,
        out: &mut [T],
    ) {
        let [height, width] = self.size;
        assert!(rows.end <= height && out.len() == rows.len() * width * self.cols, "rows of the result");
        let first = (sample * height + rows.start) * width;
        let out = out.as_mut_ptr().wrapping_sub(first * self.cols);
        let panels = 0..self.cols.div_ceil(shape.cols());
        Gather { out, ..*self }.part(isa, shape, packed, first..first + rows.len() * width, panels);
    }

    /// Packs the weights of all phases, and calls `compute` with those of each and the number of parts to compute in.
    pub fn with_packed(
        &self,
        isa: Isa,
        phases: usize,
        axes: &(impl Fn(usize) -> [Axis; 2] + Sync),
        compute: impl FnOnce(TileShape, &(dyn Fn(usize) -> Packed<T> + Sync), usize),
    ) {
        let shape = TileShape::of::<T>(isa);
        let panels = self.cols.div_ceil(shape.cols());
        let on = |phase: usize| self.on(axes(phase));
        let depth = |phase: usize| on(phase).grid.taps() * self.run;
        let before = |phase: usize| panels * shape.cols() * (0..phase).map(depth).sum::<usize>();
        with_scratch(before(phases), |elements| {
            let all = Packed { elements: elements.as_mut_ptr(), panel_len: 0 };
            let packed = |phase: usize| all.of(before(phase), depth(phase) * shape.cols());
            let parts = parts((0..phases).map(|phase| on(phase).pixels() * depth(phase) * self.cols).sum());
            let pack = |panel: usize| {
                let (phase, panel) = (panel / panels, panel % panels);
                on(phase).pack(isa, shape, panel, packed(phase));
            };
            if parts > 1 {
                each(0, phases * panels, &pack)
            } else {
                (0..phases * panels).for_each(pack)
            }
            compute(shape, &packed, parts);
        });
    }

    /// Columns of a panel.
    fn panel(&self, shape: TileShape, panel: usize) -> Range<usize> {
        panel * shape.cols()..((panel + 1) * shape.cols()).min(self.cols)
    }

    /// The matrix [run, cols] that tap (t, u) of these axes multiplies with.
    pub fn tap(&self, [rows, columns]: &[Axis; 2], t: usize, u: usize) -> *const T {
        let tap = (rows.tap + rows.tap_step * t) * self.kernel_width + columns.tap + columns.tap_step * u;
        self.weight.wrapping_add(tap * self.run * self.cols)
    }

    /// Packs the columns of the weights that make a panel, in the order of taps and channels, each row padded to whole vectors.
    fn pack(&self, isa: Isa, shape: TileShape, panel: usize, packed: Packed<T>) {
        let cols = self.panel(shape, panel);
        let stride = cols.len().next_multiple_of(shape.lanes);
        let [rows, columns] = &self.grid.axes;
        let mut target = packed.elements.wrapping_add(panel * packed.panel_len);
        for t in 0..rows.taps {
            for u in 0..columns.taps {
                let weight = self.tap(&self.grid.axes, t, u);
                // Transposed: `Pack` cuts rows into strips.
                let source = Source {
                    ptr: weight.wrapping_add(cols.start * self.weight_col_stride),
                    row_stride: self.weight_col_stride,
                    col_stride: self.weight_row_stride,
                };
                T::dispatch(isa, Pack { source, strips: 1, height: cols.len(), depth: self.run, stride, target });
                target = target.wrapping_add(self.run * stride);
            }
        }
    }

    /// Computes the columns of `panels` of `pixels`, which are numbered through the grid of the axes.
    fn part(&self, isa: Isa, shape: TileShape, packed: Packed<T>, pixels: Range<usize>, panels: Range<usize>) {
        let block = BLOCK_TILES * shape.rows;
        let steps = self.grid.taps();
        let addresses = (steps + 1) * block;
        with_scratch(self.run, |zeros: &mut [T]| {
            zeros.fill(T::ZERO);
            with_addresses(addresses, |table: &mut [*const T]| {
                let (table, out) = table.split_at_mut(steps * block);
                for start in pixels.clone().step_by(block) {
                    let rows = block.min(pixels.end - start);
                    for (tap, entries) in table.chunks_exact_mut(block).enumerate() {
                        self.grid.addresses(start, tap, zeros.as_ptr(), &mut entries[..rows]);
                    }
                    self.targets(start, &mut out[..rows]);
                    for panel in panels.clone() {
                        self.multiply(isa, shape, packed, panel, rows, (table, block), out);
                    }
                }
            });
        });
    }

    /// The addresses of the pixels of the result from number `start` on.
    fn targets(&self, start: usize, out: &mut [*const T]) {
        let [rows, columns] = &self.grid.axes;
        let mut out = out.iter_mut();
        for line in lines(start, out.len(), self.grid.axes) {
            let row = line.sample * self.size[0] + rows.first + rows.step * line.row;
            let first = row * self.size[1] + columns.first;
            for col in line.col..line.col + line.count {
                if let Some(entry) = out.next() {
                    *entry = self.out.wrapping_add((first + columns.step * col) * self.cols).cast_const();
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn multiply(
        &self,
        isa: Isa,
        shape: TileShape,
        packed: Packed<T>,
        panel: usize,
        rows: usize,
        (table, block): (&[*const T], usize),
        out: &[*const T],
    ) {
        let cols = self.panel(shape, panel);
        let finish = Finish {
            bias: self.bias.map_or(Bias::None, |bias| Bias::Columns(bias.wrapping_add(cols.start))),
            activation: self.activation,
        };
        let mut done = 0;
        for (tiles, height) in tile_heights(rows, shape.rows) {
            if tiles == 0 {
                continue;
            }
            let tiles = Tiles {
                tiles,
                steps: self.grid.taps(),
                run: self.run,
                rows: Rows::Apart,
                lhs: table.as_ptr().wrapping_add(done),
                lhs_stride: block,
                rhs: packed.elements.wrapping_add(panel * packed.panel_len),
                cols: cols.len(),
                out: out.as_ptr().wrapping_add(done).cast(),
                col: cols.start,
                from_out: self.accumulate == Accumulate::Add,
                finish: Some(finish),
            };
            // SAFETY: the table has an address for each of `rows` pixels and each tap, of `run` elements of the source or of
            // zeros; the panel was packed with taps · run rows; the pixels lie in the result, which is borrowed uniquely, and
            // each of their elements is given to one thread; the bias has an element for each column.
            unsafe { tiles.run(isa, height, shape.lanes) };
            done += tiles.tiles * height;
        }
    }
}

/// Packed weights, panel after panel.
#[derive(Clone, Copy)]
pub(super) struct Packed<T> {
    elements: *mut T,
    panel_len: usize,
}

impl<T> Packed<T> {
    /// Panels of this length, from so many elements on.
    fn of(self, start: usize, panel_len: usize) -> Self {
        Packed { elements: self.elements.wrapping_add(start), panel_len }
    }
}

// SAFETY: different panels are written by different threads, and read when all are written.
unsafe impl<T: Real> Send for Packed<T> {}
// SAFETY: as above.
unsafe impl<T: Real> Sync for Packed<T> {}

#[track_caller]
fn bias_of<T>(epilogue: &Epilogue<'_, T>, channels: usize) -> Option<*const T> {
    epilogue.bias.map(|bias| {
        assert!(bias.len() == channels, "a bias of {} elements cannot be added to {channels} channels", bias.len());
        bias.as_ptr()
    })
}
