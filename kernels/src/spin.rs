//! Fork and join between threads that stay awake.
//!
//! A training step is dozens of products and passes of 10 to 500 µs with nothing between them. A pool that puts idle threads
//! to sleep pays about 10 µs to wake one for each of them: at batch 32 two threads of a rayon pool were slower than one
//! (257 against 193 ms an epoch of the footwear model). [`with_spinning_threads`] keeps the threads of the caller's rayon pool spinning for
//! as long as a piece of work lasts; [`join`] hands them the second of two closures through one atomic word, which takes
//! about 0.1 µs. Outside of `with_spinning_threads`, `join` is that of rayon.
//!
//! ```text
//! ready  ...00101   bit i set: the job in slot i waits for a thread; whoever clears the bit runs it
//! free   ...11010   bit i set: slot i holds nothing
//! ```

use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Jobs that may wait at once; more are run by who made them.
const SLOTS: usize = 64;

/// Looks for work before an idle thread offers its core to others: about 50 µs, longer than any gap within a step.
const SPINS: u32 = 1 << 11;
/// Offers before an idle thread sleeps between looks: a gap this long is no gap within a step.
const YIELDS: u32 = 1 << 12;
/// How long it sleeps then.
const NAP: Duration = Duration::from_micros(50);

/// A closure on the stack of the thread that waits for it.
#[derive(Clone, Copy)]
struct Job {
    run: unsafe fn(*mut ()),
    closure: *mut (),
}

/// On a cache line of its own: the waiting thread reads `done` while others work.
#[repr(align(128))]
struct Slot {
    job: UnsafeCell<Job>,
    done: AtomicBool,
}

struct SpinPool {
    ready: AtomicU64,
    free: AtomicU64,
    dismissed: AtomicBool,
    slots: [Slot; SLOTS],
}

// SAFETY: the job of a slot is written by the thread that took its bit from `free` and read by the one that took its bit from
// `ready`, which the first set afterwards (release, acquire); never by two at a time.
unsafe impl Sync for SpinPool {}

thread_local! {
    /// The spinning pool that this thread works in, alive for as long as it is set; null outside.
    static POOL: Cell<*const SpinPool> = const { Cell::new(ptr::null()) };
    /// Whether it is to share no work.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with the other threads of the caller's rayon pool awake, so that [`join`] costs next to nothing within it.
/// They do nothing else meanwhile: what `work` gives to rayon itself is run by the caller alone, and what waits for every
/// thread of the pool, as `rayon::broadcast` does, waits for ever. Outside a pool of several threads this is `work()`.
pub fn with_spinning_threads<R>(work: impl FnOnce() -> R) -> R {
    let leader = rayon::current_thread_index();
    if leader.is_none() || rayon::current_num_threads() < 2 || !POOL.get().is_null() {
        return work();
    }
    // More threads than cores would take each other's time.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = SpinPool::new();
    rayon::in_place_scope(|scope| {
        scope.spawn_broadcast(|_, context| {
            let rank = if Some(context.index()) < leader { context.index() + 1 } else { context.index() };
            if Some(context.index()) != leader && rank < cores {
                pool.serve();
            }
        });
        let _dismissal = Dismissal(&pool);
        let _membership = Membership::enter(&pool);
        work()
    })
}

/// Runs `work` in this thread alone, whatever pool it is in; the others wait.
pub fn alone<R>(work: impl FnOnce() -> R) -> R {
    let _solitude = Solitude(ALONE.replace(true));
    work()
}

/// Runs `a` and `b`, perhaps at the same time. A panic in either is passed on when both have ended.
pub fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    if ALONE.get() {
        a();
        return b();
    }
    let pool = POOL.get();
    if pool.is_null() {
        rayon::join(a, b);
        return;
    }
    // SAFETY: a pool outlives the membership of every thread in it.
    unsafe { &*pool }.join(a, b);
}

/// Threads that work may be split over: those of the rayon pool that the caller runs in, or the caller alone.
pub(crate) fn threads() -> usize {
    if rayon::current_thread_index().is_some() && !ALONE.get() { rayon::current_num_threads() } else { 1 }
}

/// Whether the other threads are awake: then handing work on costs 90 ns instead of 10 µs.
pub(crate) fn is_awake() -> bool {
    !POOL.get().is_null()
}

impl SpinPool {
    fn new() -> Self {
        unsafe fn nothing(_: *mut ()) {}
        let slot = |_| Slot {
            job: UnsafeCell::new(Job { run: nothing, closure: ptr::null_mut() }),
            done: AtomicBool::new(false),
        };
        SpinPool {
            ready: AtomicU64::new(0),
            free: AtomicU64::new(u64::MAX),
            dismissed: AtomicBool::new(false),
            slots: std::array::from_fn(slot),
        }
    }

    fn join<B: FnOnce() + Send>(&self, a: impl FnOnce(), b: B) {
        let Some(index) = self.take_free() else {
            a();
            return b();
        };
        let mut pending = Pending { closure: Some(b), panic: None };
        let slot = &self.slots[index];
        let bit = 1 << index;
        slot.done.store(false, Ordering::Relaxed);
        // SAFETY: the slot was free, so no other thread reads it before `ready` says so.
        unsafe { *slot.job.get() = Job { run: Pending::<B>::run, closure: (&raw mut pending).cast() } };
        self.ready.fetch_or(bit, Ordering::Release);
        let outcome = catch_unwind(AssertUnwindSafe(a));
        if self.ready.fetch_and(!bit, Ordering::AcqRel) & bit != 0 {
            // SAFETY: nobody else took the job, and now nobody can.
            unsafe { Pending::<B>::run((&raw mut pending).cast()) };
        } else {
            let mut spins = 0;
            while !slot.done.load(Ordering::Acquire) {
                // Whoever took the job may have cut it into more: on a core that others use too, it would be late with them.
                if self.run_one() {
                    spins = 0;
                    continue;
                }
                spins += 1;
                // Or it may be waiting for this very core.
                if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
            }
        }
        self.free.fetch_or(bit, Ordering::Release);
        if let Some(panic) = outcome.err().or(pending.panic) {
            resume_unwind(panic);
        }
    }

    fn take_free(&self) -> Option<usize> {
        let mut free = self.free.load(Ordering::Relaxed);
        while free != 0 {
            let lowest = free & free.wrapping_neg();
            match self.free.compare_exchange_weak(free, free & !lowest, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(lowest.trailing_zeros() as usize),
                Err(now) => free = now,
            }
        }
        None
    }

    /// Runs one job that waits, if there is one.
    fn run_one(&self) -> bool {
        let ready = self.ready.load(Ordering::Relaxed);
        let lowest = ready & ready.wrapping_neg();
        if lowest == 0 || self.ready.fetch_and(!lowest, Ordering::Acquire) & lowest == 0 {
            return false;
        }
        let slot = &self.slots[lowest.trailing_zeros() as usize];
        // SAFETY: clearing the bit made the job this thread's; it was written before the bit was set, and its closure lives
        // until `done` is set.
        unsafe {
            let job = *slot.job.get();
            (job.run)(job.closure);
        }
        slot.done.store(true, Ordering::Release);
        true
    }

    /// Runs jobs until the pool is dismissed.
    fn serve(&self) {
        let _membership = Membership::enter(self);
        let mut idle = 0;
        while !self.dismissed.load(Ordering::Acquire) {
            if self.run_one() {
                idle = 0;
                continue;
            }
            idle += 1;
            match idle {
                0..SPINS => std::hint::spin_loop(),
                SPINS..YIELDS => std::thread::yield_now(),
                _ => {
                    idle = YIELDS;
                    std::thread::sleep(NAP);
                }
            }
        }
    }
}

/// The second closure of a join, and what became of it.
struct Pending<B> {
    closure: Option<B>,
    panic: Option<Box<dyn std::any::Any + Send>>,
}

impl<B: FnOnce() + Send> Pending<B> {
    /// Runs the closure and keeps its panic.
    ///
    /// # Safety
    /// `pending` points to a live `Pending<B>` that no other thread accesses meanwhile.
    unsafe fn run(pending: *mut ()) {
        // SAFETY: as the caller promises.
        let pending = unsafe { &mut *pending.cast::<Self>() };
        if let Some(closure) = pending.closure.take() {
            pending.panic = catch_unwind(AssertUnwindSafe(closure)).err();
        }
    }
}

/// Sets the pool of a thread, and back.
struct Membership(*const SpinPool);

impl Membership {
    fn enter(pool: &SpinPool) -> Self {
        Membership(POOL.replace(pool))
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        POOL.set(self.0);
    }
}

/// Ends [`alone`], whether its work returned or panicked.
struct Solitude(bool);

impl Drop for Solitude {
    fn drop(&mut self) {
        ALONE.set(self.0);
    }
}

/// Ends the pool, whether its work returned or panicked.
struct Dismissal<'a>(&'a SpinPool);

impl Drop for Dismissal<'_> {
    fn drop(&mut self) {
        self.0.dismissed.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    fn count(from: usize, to: usize, seen: &[AtomicUsize]) {
        if to - from > 1 {
            let middle = from + (to - from) / 2;
            join(|| count(from, middle, seen), || count(middle, to, seen));
        } else {
            seen[from].fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn every_leaf_of_a_recursion_runs_once_with_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            let seen: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
            pool(threads).install(|| with_spinning_threads(|| (0..20).for_each(|_| count(0, seen.len(), &seen))));
            assert!(seen.iter().all(|seen| seen.load(Ordering::Relaxed) == 20), "{threads} threads");
        }
    }

    #[test]
    fn both_closures_run_at_the_same_time() {
        // Each waits for the other: one thread alone would never return.
        let (left, right) = (AtomicBool::new(false), AtomicBool::new(false));
        let meet = |mine: &AtomicBool, other: &AtomicBool| {
            mine.store(true, Ordering::Release);
            while !other.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
        };
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
            pool(2).install(|| with_spinning_threads(|| join(|| meet(&left, &right), || meet(&right, &left))));
        }
    }

    #[test]
    fn a_thread_that_waits_for_another_takes_up_what_that_one_has_cut() {
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
            return;
        }
        let (begun, met) = (AtomicBool::new(false), AtomicBool::new(false));
        let wait_for = |flag: &AtomicBool| {
            while !flag.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
        };
        // Of two threads the second takes the right side and waits in it for what only the first, which waits for it, can do.
        let right = || {
            begun.store(true, Ordering::Release);
            join(|| wait_for(&met), || met.store(true, Ordering::Release));
        };
        pool(2).install(|| with_spinning_threads(|| join(|| wait_for(&begun), right)));
    }

    #[test]
    fn alone_both_closures_run_in_the_calling_thread() {
        pool(3).install(|| {
            with_spinning_threads(|| {
                let caller = std::thread::current().id();
                let here = || assert_eq!(std::thread::current().id(), caller);
                alone(|| (0..100).for_each(|_| join(here, here)));
                let caught = catch_unwind(|| alone(|| panic!("planted")));
                assert!(caught.is_err() && threads() == 3, "solitude ends with its work");
            });
        });
    }

    #[test]
    fn a_panic_in_either_closure_is_passed_on_and_the_pool_ends() {
        for first in [true, false] {
            let caught = catch_unwind(|| {
                let fail = |now: bool| assert!(!now, "planted");
                pool(2).install(|| with_spinning_threads(|| join(|| fail(first), || fail(!first))));
            });
            assert!(caught.is_err());
        }
        assert!(POOL.get().is_null());
    }

    #[test]
    fn more_jobs_than_slots_are_run_by_who_made_them() {
        let runs = AtomicUsize::new(0);
        fn nest(depth: usize, runs: &AtomicUsize) {
            runs.fetch_add(1, Ordering::Relaxed);
            if depth > 0 {
                let count = || {
                    runs.fetch_add(1, Ordering::Relaxed);
                };
                join(|| nest(depth - 1, runs), count);
            }
        }
        pool(2).install(|| with_spinning_threads(|| nest(200, &runs)));
        assert_eq!(runs.into_inner(), 401);
    }

    #[test]
    fn without_a_pool_the_work_is_done_by_the_caller() {
        let runs = AtomicUsize::new(0);
        let add = || {
            runs.fetch_add(1, Ordering::Relaxed);
        };
        assert_eq!(with_spinning_threads(|| 7), 7);
        join(add, add);
        assert_eq!(runs.into_inner(), 2);
    }
}
