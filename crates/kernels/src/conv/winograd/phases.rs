//! The phases of a variant, each with the points of its taps.

/// Call a method once for each phase of a side, with the points down and across its tiles and its number.
macro_rules! each_phase {
    ($plan:expr, $phases:expr, $this:ident.$method:ident::<$simd:ident>($($argument:expr),*)) => {{
        use crate::conv::winograd::choice::Variant;
        use crate::conv::winograd::points::{Four, One, Three, Two};
        match ($plan.variant, $phases) {
            (Variant::Stride1, _) => $this.$method::<$simd, Three, Three>(0, $($argument),*),
            (Variant::Stem, _) => $this.$method::<$simd, Four, Four>(0, $($argument),*),
            (Variant::Stride2, 1) => $this.$method::<$simd, Two, Two>(0, $($argument),*),
            (Variant::Stride2, _) => {
                $this.$method::<$simd, Two, Two>(0, $($argument),*);
                $this.$method::<$simd, Two, One>(1, $($argument),*);
                $this.$method::<$simd, One, Two>(2, $($argument),*);
                $this.$method::<$simd, One, One>(3, $($argument),*);
            }
        }
    }};
}
pub(super) use each_phase;
