//! Damage of the kinds that break parsers.

use wellfit_rng::{Rng, Stream};

use crate::Target;

/// Inputs grow to twice the longest seed, but at least to this.
const ROOM: usize = 4096;

/// Input `number`: a file of the pool after a few mutations.
pub(crate) fn mutated(target: &Target<'_>, pool: &[Vec<u8>], number: u32) -> Vec<u8> {
    let mut dice = Dice(Rng::new(0, Stream::Noise, 0, number));
    let mut bytes = pool[dice.below(pool.len())].clone();
    let longest = target.seeds.iter().map(Vec::len).max().unwrap_or(0);
    // Mostly one or two changes: more are rarely understood by the parser at all.
    let changes = 1 + [0, 0, 0, 1, 1, 2, 4, 8][dice.below(8)];
    for _ in 0..changes {
        mutate(&mut bytes, &mut dice, target.tokens, pool);
    }
    bytes.truncate((2 * longest).max(ROOM));
    if dice.below(4) > 0 {
        (target.repair)(&mut bytes);
    }
    bytes
}

struct Dice(Rng);

impl Dice {
    /// A number below `bound`; 0 if there is none.
    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { self.0.below(bound.min(u32::MAX as usize) as u32) as usize }
    }

    /// A number below `bound`, more often a small one.
    fn small(&mut self, bound: usize) -> usize {
        let bound = 1 + self.below(bound);
        self.below(bound)
    }

    /// A range of `length` numbers, mostly a short one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        let count = if self.below(4) == 0 { self.below(length) } else { self.below(16) };
        start..(start + count).min(length)
    }
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice, tokens: &[&[u8]], pool: &[Vec<u8>]) {
    let at = dice.below(bytes.len());
    match dice.below(12) {
        _ if bytes.is_empty() => bytes.push(dice.below(256) as u8),
        0 | 1 => bytes[at] ^= 1 << dice.below(8),
        2 => bytes[at] = dice.below(256) as u8,
        3 => bytes[at] = bytes[at].wrapping_add(dice.below(33) as u8).wrapping_sub(16),
        4 | 5 => extreme(bytes, at, dice),
        6 => drop(bytes.drain(dice.range(bytes.len()))),
        7 => {
            let copy = bytes[dice.range(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
        8 => bytes.truncate(at),
        9 => {
            let other = &pool[dice.below(pool.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(&other[dice.below(other.len())..]);
        }
        10 if !tokens.is_empty() => token(bytes, at, dice, tokens),
        _ => {
            let (byte, count) = (bytes[at], dice.small(600));
            bytes.splice(at..at, std::iter::repeat_n(byte, count));
        }
    }
}

/// Put a number at the edge of its range where a length or a count might be, in either byte order.
fn extreme(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    let width = [1, 2, 4, 8][dice.below(4)];
    let length = bytes.len() as u64;
    let edge = match dice.below(9) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => u64::MAX >> (65 - 8 * width),
        4 => (u64::MAX >> (65 - 8 * width)) + 1,
        5 => length,
        6 => length.wrapping_sub(1),
        7 => u64::MAX - length,
        _ => 1 << dice.below(64),
    };
    let little = edge.to_le_bytes();
    let swap = dice.below(2) == 0;
    for (i, byte) in bytes[at..].iter_mut().take(width).enumerate() {
        *byte = little[if swap { width - 1 - i } else { i }];
    }
}

/// Insert a token, over what is there or beside it, now and then very often in a row (nesting).
fn token(bytes: &mut Vec<u8>, at: usize, dice: &mut Dice, tokens: &[&[u8]]) {
    let token = tokens[dice.below(tokens.len())];
    let count = if dice.below(8) == 0 { dice.small(800) } else { 1 };
    let over = if dice.below(2) == 0 { token.len() } else { 0 };
    let end = (at + over).min(bytes.len());
    bytes.splice(at..end, token.repeat(count));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::as_it_is;

    #[test]
    fn inputs_follow_from_their_number_and_differ() {
        let seeds = [b"a small file of some kind".to_vec(), vec![0; 40]];
        let target = Target { name: "", seeds: &seeds, tokens: &[b"token"], repair: as_it_is };
        let inputs: Vec<_> = (0..2000).map(|number| mutated(&target, &seeds, number)).collect();
        assert!((0..2000).all(|number| mutated(&target, &seeds, number) == inputs[number as usize]));
        let different: std::collections::HashSet<_> = inputs.iter().collect();
        assert!(different.len() > 1500, "{}", different.len());
        assert!(inputs.iter().any(|input| input.windows(5).any(|part| part == b"token")));
    }
}
