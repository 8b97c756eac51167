//! Buffers for packed operands, kept by each thread from one product to the next.

use std::cell::RefCell;

use crate::{AlignedVec, Real};

thread_local! {
    /// Several, because a thread that waits for a part of one product may be given a part of another.
    static BUFFERS: RefCell<Vec<AlignedVec<f64>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` elements on a 64-byte boundary, of unspecified content.
pub(crate) fn with_scratch<T: Real, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    if len == 0 {
        return f(&mut []);
    }
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    let needed = (len * size_of::<T>()).div_ceil(size_of::<f64>());
    if buffer.len() < needed {
        buffer.resize(needed);
    }
    // SAFETY: the buffer holds at least `len` elements of T in initialised memory; T is f32 or f64, for which every bit
    // pattern is a number and the alignment of f64 suffices.
    let elements = unsafe { std::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<T>(), len) };
    let result = f(elements);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    result
}

/// Calls `f` with `len` addresses, all null.
pub(crate) fn with_addresses<T, R>(len: usize, f: impl FnOnce(&mut [*const T]) -> R) -> R {
    const { assert!(size_of::<*const T>() <= size_of::<f64>()) };
    with_scratch::<f64, R>(len, |scratch| {
        let addresses = scratch.as_mut_ptr().cast::<*const T>();
        // SAFETY: an address is no larger than an f64 and needs no other alignment; all `len` are written before the slice is
        // made, and the scratch is borrowed by it alone.
        let addresses = unsafe {
            (0..len).for_each(|index| addresses.add(index).write(std::ptr::null()));
            std::slice::from_raw_parts_mut(addresses, len)
        };
        f(addresses)
    })
}
