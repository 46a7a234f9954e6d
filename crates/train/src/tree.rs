//! A sum whose order follows from the number of its terms alone.

use wellfit_kernels::{Buffer, elementwise};

/// The sum of terms that come one after the other: of neighbours first, then of neighbouring pairs, and so on. As
/// [`wellfit_cluster::sum`](fn@wellfit_cluster::sum) goes on with sums of as many terms each, the whole has the same bits wherever the terms
/// are added.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Of 2ⁿ terms each, fewer from one to the next.
    sums: Vec<Buffer>,
    terms: u32,
}

impl Tree {
    /// Take the next term.
    pub fn add(&mut self, term: Buffer) {
        self.sums.push(term);
        self.terms += 1;
        (0..self.terms.trailing_zeros()).for_each(|_| self.join());
    }

    /// The sum; none of no terms.
    pub fn total(mut self) -> Option<Buffer> {
        (1..self.sums.len()).for_each(|_| self.join());
        self.sums.pop()
    }

    fn join(&mut self) {
        if let Some(right) = self.sums.pop()
            && let Some(left) = self.sums.last_mut()
        {
            elementwise::add_to(left, &right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large and small numbers, of which the sum depends on the order.
    fn term(place: usize) -> f32 {
        [1e8, 0.3, -1e8, 0.7, 3e7, -0.1, 2.2][place % 7] * (place + 1) as f32
    }

    fn sum(terms: std::ops::Range<usize>) -> Option<f32> {
        let mut tree = Tree::default();
        terms.for_each(|place| tree.add(Buffer::from_slice(&[term(place)])));
        tree.total().map(|total| total[0])
    }

    #[test]
    fn parts_of_a_tree_are_summed_apart() {
        assert_eq!(sum(0..0), None);
        assert_eq!(sum(0..4), Some((term(0) + term(1)) + (term(2) + term(3))));
        for terms in 1..=8 {
            let half = |from: usize| sum(from.min(terms)..(from + 4).min(terms)).unwrap_or(-0.0);
            assert_eq!(sum(0..terms).map(f32::to_bits), Some((half(0) + half(4)).to_bits()), "{terms}");
        }
    }
}
