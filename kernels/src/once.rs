//! Generic functions that are compiled in this crate, once for each type of elements.
//!
//! A generic function is otherwise compiled anew in every crate and every test that calls it, with all the vector code below it.

/// Declares public functions over `T: Real`. The body of each is compiled here, for `f32` and for `f64`; a caller's crate compiles
/// no more than the call. The trait that carries them is a part of [`Real`](crate::Real).
macro_rules! once {
    ($($(#[$meta:meta])* pub fn $name:ident<T: Real>($($arg:ident: $ty:ty),* $(,)?) $(-> $output:ty)? $body:block)*) => {
        /// The functions of this module for one type of elements.
        #[doc(hidden)]
        pub trait Compiled<T> {
            $(
                #[allow(missing_docs, clippy::too_many_arguments)]
                #[track_caller]
                fn $name($($arg: $ty),*) $(-> $output)?;
            )*
        }

        $crate::once::once! { @for f32 $($name($($arg: $ty),*) ($($output)?) $body)* }
        $crate::once::once! { @for f64 $($name($($arg: $ty),*) ($($output)?) $body)* }

        $(
            $(#[$meta])*
            #[inline]
            #[track_caller]
            pub fn $name<T: $crate::Real>($($arg: $ty),*) $(-> $output)? {
                <T as Compiled<T>>::$name($($arg),*)
            }
        )*
    };
    (@for $of:ident $($name:ident($($arg:ident: $ty:ty),*) ($($output:ty)?) $body:block)*) => {
        const _: () = {
            type T = $of;
            impl Compiled<T> for T {
                $(
                    #[track_caller]
                    fn $name($($arg: $ty),*) $(-> $output)? $body
                )*
            }
        };
    };
}
pub(crate) use once;
