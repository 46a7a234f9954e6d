//! Code for both kinds of numbers, compiled in this crate.
//!
//! A generic function is compiled anew in every crate that calls it, tests included, and a kernel is a lot of code: each of
//! its loops for each instruction set. What [`for_both!`] makes is generic too, but calls one of two functions that are not.

use std::any::TypeId;
use std::mem::ManuallyDrop;
use wellfit_simd::Element;

/// `for_both! { name(task: Task) body }` is `fn name<E: Element>(task: Task<'_, E>) { body }`, where `body` may name `E` too.
macro_rules! for_both {
    ($(#[$doc:meta])* $name:ident($task:ident: $type:ident) $body:expr) => {
        $(#[$doc])*
        pub(crate) fn $name<N: wellfit_simd::Element>(task: $type<'_, N>) {
            #[inline(never)]
            fn of_f32($task: $type<'_, f32>) {
                #[allow(dead_code, reason = "not every body names it")]
                type E = f32;
                $body
            }
            #[inline(never)]
            fn of_bf16($task: $type<'_, wellfit_simd::Bf16>) {
                #[allow(dead_code, reason = "not every body names it")]
                type E = wellfit_simd::Bf16;
                $body
            }
            // SAFETY: a task of these numbers is a task of `N`.
            unsafe {
                if $crate::both::are::<N, f32>() {
                    of_f32($crate::both::same(task));
                } else {
                    assert!($crate::both::are::<N, wellfit_simd::Bf16>(), "no third kind of numbers");
                    of_bf16($crate::both::same(task));
                }
            }
        }
    };
}
pub(crate) use for_both;

/// Whether numbers of kind `N` are those of kind `M`.
pub(crate) fn are<N: Element, M: Element>() -> bool {
    TypeId::of::<N>() == TypeId::of::<M>()
}

/// A value of a type that has two names.
///
/// # Safety
/// Both are the same type.
pub(crate) unsafe fn same<A, B>(a: A) -> B {
    const { assert!(size_of::<A>() == size_of::<B>()) };
    let a = ManuallyDrop::new(a);
    // SAFETY: `a` is a `B`, and is not used again.
    unsafe { (&raw const *a).cast::<B>().read() }
}
