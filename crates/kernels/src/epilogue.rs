//! What is done to a tile of sums before it is written: [`Epilogue`] says what, `Store` does it, in registers.

use crate::norm::{BlockMoments, TileMoments};
use wellfit_simd::vector::{CACHE_LINE, Element, Simd};

/// What is done to a value, a sum of a convolution or an element of a tensor, before it is written:
/// y = relu(scale·value + bias + residual), each part being optional. By default nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a, E: Element = f32> {
    /// One factor a channel, `[C]`.
    pub scale: Option<&'a [f32]>,
    /// One addend a channel, `[C]`.
    pub bias: Option<&'a [f32]>,
    /// Added, in the output's shape, `[…, C]`.
    pub residual: Option<&'a [E]>,
    /// max(·, 0) at the end; NaN stays NaN.
    pub relu: bool,
}

/// Where a tile of sums is stored and how: an [`Epilogue`] in the form that the inner loops use, with pointers.
///
/// `out = relu(scale·sum + bias + addend)`, or 0 where `passed` is not positive; everything but the sum is optional.
/// The moments of what was written are taken as well, if asked for.
#[derive(Clone, Copy)]
pub(crate) struct Store<'a, E: Element> {
    /// The output's first number.
    pub out: *mut E,
    /// One factor a column.
    pub scale: Option<&'a [f32]>,
    /// One addend a column.
    pub bias: Option<&'a [f32]>,
    /// Numbers in the output's layout, added; null for none. The output itself makes a product accumulate.
    pub addend: *const E,
    /// max(·, 0) at the end; NaN stays NaN.
    pub relu: bool,
    /// Numbers in the output's layout: 0 is written where they are not positive. Null for none.
    pub passed: *const E,
    /// Write past the caches, where the machine can: see [`past_caches`].
    pub past_caches: bool,
    /// Where the moments of each block of rows go.
    pub moments: Option<&'a BlockMoments>,
}

/// More bytes than a third-level cache keeps for the next layer.
const LARGE: usize = 1 << 25;

/// Whether an output of so many `numbers`, in rows of `channels`, is to be written past the caches: it is large, and
/// its rows are whole cache lines. What is written there need not be read before.
pub(crate) fn past_caches<E>(numbers: usize, channels: usize) -> bool {
    numbers * size_of::<E>() > LARGE
        && (channels * size_of::<E>()).is_multiple_of(CACHE_LINE * size_of::<f32>())
}

// SAFETY: the pointers are to memory borrowed for the whole product; each row writes its own output, and
// reads of `addend` and `passed` are of that same row.
unsafe impl<E: Element> Sync for Store<'_, E> {}

impl<'a, E: Element> Store<'a, E> {
    /// Only write the sums.
    pub(crate) fn plain(out: *mut E) -> Self {
        Self::new(out, Epilogue::default())
    }

    /// Write the sums after an [`Epilogue`].
    pub(crate) fn new(out: *mut E, epilogue: Epilogue<'a, E>) -> Self {
        let Epilogue { scale, bias, residual, relu } = epilogue;
        Self {
            out,
            scale,
            bias,
            addend: residual.map_or(std::ptr::null(), <[E]>::as_ptr),
            relu,
            passed: std::ptr::null(),
            past_caches: false,
            moments: None,
        }
    }

    #[inline(always)]
    fn streams<S: Simd>(&self) -> bool {
        S::STREAMS && self.past_caches
    }

    /// Fetch the cache line at `place` of the output, and of what is added, ahead: a tile there is about to be computed.
    #[inline(always)]
    pub(crate) fn prefetch<S: Simd>(&self, place: usize) {
        if !self.streams::<S>() {
            S::prefetch_write(self.out.wrapping_add(place).cast());
        }
        for read in [self.addend, self.passed] {
            if !read.is_null() {
                S::prefetch_read(read.wrapping_add(place).cast());
            }
        }
    }

    /// To be called at the end of a task, before anybody reads what it wrote.
    #[inline(always)]
    pub(crate) fn fence<S: Simd>(&self) {
        if self.streams::<S>() {
            S::stream_fence();
        }
    }

    /// Write a tile whose `V` vectors from column `column` on are all real; row r goes to `places[r] + column`.
    ///
    /// Its size is known to the compiler, so the sums stay in registers until they are stored.
    ///
    /// # Safety
    /// `V · LANES` numbers from each of these places on must lie within the output (and `addend` and `passed`), and from
    /// `column` on within `scale` and `bias`. The machine must have `S`.
    #[inline(always)]
    pub(crate) unsafe fn tile<S: Simd, const M: usize, const V: usize>(
        &self,
        values: [[S::Vector; V]; M],
        places: &[usize; M],
        column: usize,
        moments: &mut TileMoments<S, V>,
    ) {
        // SAFETY: promised by the caller.
        unsafe {
            let written = self.part::<S, M, V, true>(values, places, (column, V * S::LANES));
            if self.moments.is_some() {
                moments.add(&written);
            }
        }
    }

    /// The same, row by row, for fewer rows than a tile has, or where only the first `real` columns exist. The sums are
    /// replaced by what is written.
    ///
    /// # Safety
    /// As for `tile`, for `real` numbers.
    #[inline(always)]
    pub(crate) unsafe fn edge<S: Simd, const V: usize>(
        &self,
        sums: &mut [[S::Vector; V]],
        places: &[usize],
        (column, real): (usize, usize),
        moments: &mut TileMoments<S, V>,
    ) {
        // SAFETY: promised by the caller.
        unsafe {
            for (sums, &place) in sums.iter_mut().zip(places) {
                // Masked stores are slow on some machines.
                [*sums] = if real == V * S::LANES {
                    self.part::<S, 1, V, true>([*sums], &[place], (column, real))
                } else {
                    self.part::<S, 1, V, false>([*sums], &[place], (column, real))
                };
            }
            if self.moments.is_some() {
                moments.add(sums);
            }
        }
    }

    /// `tile`, where `WHOLE`, or a row of `edge`. Gives what was written.
    ///
    /// # Safety
    /// As for those.
    #[inline(always)]
    unsafe fn part<S: Simd, const M: usize, const V: usize, const WHOLE: bool>(
        &self,
        mut values: [[S::Vector; V]; M],
        places: &[usize; M],
        (column, real): (usize, usize),
    ) -> [[S::Vector; V]; M] {
        let lanes = |v: usize| real.saturating_sub(v * S::LANES).min(S::LANES);
        // SAFETY: promised by the caller.
        unsafe {
            self.scale_and_shift::<S, M, V, WHOLE>(&mut values, (column, real));
            if !self.addend.is_null() {
                for (values, &place) in values.iter_mut().zip(places) {
                    for (v, value) in values.iter_mut().enumerate() {
                        let addend = self.addend.add(place + column + v * S::LANES);
                        *value = S::add(*value, load::<S, E, WHOLE>(addend, lanes(v)));
                    }
                }
            }
            if self.relu {
                each(&mut values, |value, _| S::relu(value));
            }
            if !self.passed.is_null() {
                for (values, &place) in values.iter_mut().zip(places) {
                    for (v, value) in values.iter_mut().enumerate() {
                        let passed = self.passed.add(place + column + v * S::LANES);
                        *value = S::where_positive(load::<S, E, WHOLE>(passed, lanes(v)), *value);
                    }
                }
            }
            for (values, &place) in values.iter().zip(places) {
                for (v, &value) in values.iter().enumerate() {
                    let place = self.out.add(place + column + v * S::LANES);
                    if !WHOLE {
                        E::store_first::<S>(place, lanes(v), value);
                    } else if self.streams::<S>() {
                        E::stream::<S>(place, value);
                    } else {
                        E::store::<S>(place, value);
                    }
                }
            }
        }
        values
    }

    /// # Safety
    /// As for `part`.
    #[inline(always)]
    unsafe fn scale_and_shift<S: Simd, const M: usize, const V: usize, const WHOLE: bool>(
        &self,
        values: &mut [[S::Vector; V]; M],
        (column, real): (usize, usize),
    ) {
        // SAFETY: promised by the caller.
        unsafe {
            let of = |values: &[f32]| {
                let mut vectors = [S::splat(0.0); V];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let lanes = real.saturating_sub(v * S::LANES).min(S::LANES);
                    *vector = load::<S, f32, WHOLE>(values.as_ptr().add(column + v * S::LANES), lanes);
                }
                vectors
            };
            match (self.scale.map(of), self.bias.map(of)) {
                (Some(scale), Some(bias)) => each(values, |x, v| S::multiply_add(x, scale[v], bias[v])),
                (Some(scale), None) => each(values, |x, v| S::multiply(x, scale[v])),
                (None, Some(bias)) => each(values, |x, v| S::add(x, bias[v])),
                (None, None) => {}
            }
        }
    }
}

/// A vector, or its first lanes where it is not `WHOLE`.
///
/// # Safety
/// These numbers must be readable; the machine must have `S`.
#[inline(always)]
unsafe fn load<S: Simd, E: Element, const WHOLE: bool>(place: *const E, lanes: usize) -> S::Vector {
    // SAFETY: promised by the caller.
    unsafe { if WHOLE { E::load::<S>(place) } else { E::load_first::<S>(place, lanes) } }
}

/// Change every vector of a tile; the function also gets the vector's number in its row. (`array::map` would not be
/// inlined into a function that has the instructions for vectors, and pass them through memory.)
#[inline(always)]
fn each<T: Copy, const M: usize, const V: usize>(values: &mut [[T; V]; M], f: impl Fn(T, usize) -> T) {
    for row in values {
        for (v, value) in row.iter_mut().enumerate() {
            *value = f(*value, v);
        }
    }
}
