//! Buffers that start on a cache line.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::Real;

/// One cache line, and the width of the widest vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; 8]);

/// A growable buffer whose first element lies on a 64-byte boundary. It keeps its memory when it gets shorter.
#[derive(Clone)]
pub struct AlignedVec<T> {
    lines: Vec<Line>,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Real> AlignedVec<T> {
    const PER_LINE: usize = size_of::<Line>() / size_of::<T>();

    /// No elements, no memory.
    pub const fn new() -> Self {
        Self { lines: Vec::new(), len: 0, element: PhantomData }
    }

    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let mut zeros = Self::new();
        zeros.resize(len);
        zeros
    }

    /// Makes the length `len`: the first elements stay, new ones are zero. Allocates only when the buffer was never that
    /// long.
    pub fn resize(&mut self, len: usize) {
        let lines = len.div_ceil(Self::PER_LINE);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line([0; 8]));
        }
        let old = std::mem::replace(&mut self.len, len);
        if old < len {
            self[old..].fill(T::ZERO);
        }
    }
}

/// The bytes of `elements`, to keep there what is no number.
pub fn bytes_mut<T: Real>(elements: &mut [T]) -> &mut [u8] {
    // SAFETY: the memory of f32 and f64 is initialised bytes, any bytes are one of them, and the borrow is unique.
    unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), size_of_val(elements)) }
}

/// The bytes of `elements`, see [`bytes_mut`].
pub fn bytes<T: Real>(elements: &[T]) -> &[u8] {
    // SAFETY: the memory of f32 and f64 is initialised bytes.
    unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
}

impl<T: Real> Default for AlignedVec<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> Deref for AlignedVec<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `lines` holds at least `len` elements of initialised memory, every bit pattern is a number (`Real` is
        // f32 or f64), and a line is aligned for both.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: Real> DerefMut for AlignedVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl<T: Real> fmt::Debug for AlignedVec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

impl<T: Real> PartialEq for AlignedVec<T> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T: Real> From<&[T]> for AlignedVec<T> {
    fn from(elements: &[T]) -> Self {
        let mut copy = Self::zeros(elements.len());
        copy.copy_from_slice(elements);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_starts_on_a_cache_line() {
        for len in [1, 15, 16, 17, 1000] {
            assert_eq!(AlignedVec::<f32>::zeros(len).as_ptr() as usize % 64, 0);
            assert_eq!(AlignedVec::<f64>::zeros(len).as_ptr() as usize % 64, 0);
        }
    }

    #[test]
    fn an_element_that_comes_back_after_shrinking_is_zero() {
        let mut v = AlignedVec::from(&[1.0f32, 2.0, 3.0][..]);
        v.resize(1);
        v.resize(4);
        assert_eq!(v[..], [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn memory_is_kept_when_the_length_shrinks() {
        let mut v = AlignedVec::<f64>::zeros(100);
        let before = v.as_ptr();
        v.resize(3);
        v.resize(100);
        assert_eq!(v.as_ptr(), before);
    }

    #[test]
    fn an_empty_buffer_is_an_empty_slice() {
        assert!(AlignedVec::<f32>::default().is_empty());
    }
}
