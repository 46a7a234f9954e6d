//! Sums over threads: the same bits for any number of them.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::thread;
use wellfit_cluster::{Group, Link, Lost, NOTHING, Wire, threads};

/// Eight processes' numbers, of which the sum depends on the order: large and small ones, zeros of both signs.
fn pieces(length: usize) -> Vec<Vec<f32>> {
    let number = |piece: usize, place: usize| match (piece * 31 + place * 17) % 11 {
        0 => -0.0,
        1 => 1e8,
        n => (n as f32 - 5.3) * 0.731,
    };
    (0..8).map(|piece| (0..length).map(|place| number(piece, place)).collect()).collect()
}

/// The sum of neighbours, of neighbouring pairs, and so on.
fn tree(pieces: &[Vec<f32>]) -> Vec<f32> {
    let [left, right] = match pieces {
        [only] => return only.clone(),
        more => [&more[..more.len() / 2], &more[more.len() / 2..]].map(tree),
    };
    left.iter().zip(right).map(|(left, right)| left + right).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// What each of `size` threads gets of `work`.
fn each<R: Send>(size: usize, work: impl Fn(Link) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let work = &work;
        let begin = |group: Box<dyn Group>| scope.spawn(move || work(Link::new(group).unwrap()));
        let threads: Vec<_> = threads(size).into_iter().map(begin).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_sum_has_the_same_bits_for_any_number_of_processes() {
    for length in [0, 1, 5, 8, 1000] {
        let pieces = pieces(length);
        let expected = bits(&tree(&pieces));
        for size in [1, 2, 4, 8] {
            let sums = each(size, |link| {
                let own = 8 / size;
                link.sum(tree(&pieces[link.rank() * own..][..own])).wait().unwrap()
            });
            sums.iter().for_each(|sum| assert_eq!(bits(sum), expected, "{length} numbers, {size} processes"));
        }
    }
    let naive =
        pieces(1000).into_iter().reduce(|a, b| a.iter().zip(b).map(|(a, b)| a + b).collect()).unwrap();
    assert_ne!(bits(&naive), bits(&tree(&pieces(1000))), "the order must matter here");
}

/// So a process without images takes no part, and one whose places are its own puts them together by a sum.
#[test]
fn nothing_changes_no_sum() {
    let own = [0.0, -0.0, 1.5, f32::MIN_POSITIVE / 4.0, f32::INFINITY];
    let sums = each(4, |link| {
        let values = if link.rank() == 2 { own.to_vec() } else { vec![NOTHING; own.len()] };
        link.sum(values).wait().unwrap()
    });
    sums.iter().for_each(|sum| assert_eq!(bits(sum), bits(&own)));
}

/// To eight binary digits: what is given, and the sum.
#[test]
fn rounded_sums_are_the_same_for_all() {
    let values = |rank: usize| [256.0, 1.0, 3.0, 0.5, 1e-3].map(|value: f32| value * (rank + 1) as f32);
    let sums = each(2, |link| link.sum_over(values(link.rank()).to_vec(), Wire::Bf16).wait().unwrap());
    assert_eq!(bits(&sums[0]), bits(&sums[1]));
    assert_eq!(sums[0][..4], [768.0, 3.0, 9.0, 1.5], "exact where eight digits are enough");
    let far = (f64::from(sums[0][4]) - 3e-3).abs() / 3e-3;
    assert!(far > 0.0 && far < 2.0_f64.powi(-7), "two roundings of 2⁻⁸ at most: {far}");
}

#[test]
fn all_hear_what_the_first_says_in_the_order_it_was_asked_for() {
    let heard = each(4, |link| {
        let pending = link.sum(vec![1.0]);
        let said = link.broadcast(if link.rank() == 0 { b"first".to_vec() } else { Vec::new() }).unwrap();
        (pending.wait().unwrap(), said)
    });
    assert_eq!(heard, vec![(vec![4.0], b"first".to_vec()); 4]);
}

#[test]
fn the_others_hear_of_one_that_is_gone() {
    let ends = each(4, |link| match link.rank() {
        1 => Ok(Vec::new()),
        _ => link.sum(vec![0.0; 8]).wait(),
    });
    assert!(ends.iter().enumerate().all(|(rank, end)| end.is_err() == (rank != 1)), "{ends:?}");
    assert!(Lost { rank: 1 }.to_string().contains("process 1"));
}
