//! Plain loops, compiled for each instruction set.

/// Compile a function of plain loops once for each instruction set and call the one in use: compilers
/// vectorise such loops to whatever width they may use. What the function calls must be inlined into it. A type in angle
/// brackets is an [`Element`](crate::vector::Element).
#[macro_export]
macro_rules! vectorized {
    (
        $(#[$meta:meta])* $vis:vis fn $name:ident $(<$element:ident>)? ($($arg:ident: $type:ty),* $(,)?)
        $(-> $result:ty)? $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name $(<$element: $crate::vector::Element>)? ($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable $(<$element: $crate::vector::Element>)? ($($arg: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2 $(<$element: $crate::vector::Element>)? ($($arg: $type),*) $(-> $result)? {
                portable($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            fn avx512 $(<$element: $crate::vector::Element>)? ($($arg: $type),*) $(-> $result)? {
                portable($($arg),*)
            }
            match $crate::vector::InstructionSet::current() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the instruction set was detected on this machine.
                $crate::vector::InstructionSet::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                $crate::vector::InstructionSet::Avx2 => unsafe { avx2($($arg),*) },
                _ => portable($($arg),*),
            }
        }
    };
}
