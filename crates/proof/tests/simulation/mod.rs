//! Trials whose truth is known, judged by the rules of the library: how often they are wrong, and how often they see what is
//! there. `examples/simulate.rs` runs them 10⁵ times, `tests/simulated.rs` less often.

use wellfit_policy::Mode;
use wellfit_proof::{
    Crossed, Design, Measured, PairResult, Paired, Pairs, Technique, Verdict, judge, settled_after,
    sign_flip_p,
};
use wellfit_rng::{Rng, Stream};

/// The distribution of a difference with mean 0 and standard deviation 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Normal,
    /// Exponential, moved: skewness 2.
    Skewed,
    /// Lognormal with σ = 1, moved and scaled: skewness 6.2.
    VerySkewed,
    /// The difference of two such: symmetric, with heavy tails. What a pair has whose arms differ by chance alone, however
    /// skewed their results are.
    Heavy,
    /// Normal, rounded to whole standard deviations: ties and zeros, as of accuracies on few images.
    Coarse,
}

impl Shape {
    pub const ALL: [Self; 5] = [Self::Normal, Self::Heavy, Self::Coarse, Self::Skewed, Self::VerySkewed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Skewed => "skewness 2",
            Self::VerySkewed => "skewness 6.2",
            Self::Heavy => "symmetric, heavy tails",
            Self::Coarse => "normal, rounded to 1 sd",
        }
    }

    pub fn draw(self, rng: &mut Rng) -> f64 {
        let e = std::f64::consts::E;
        match self {
            Self::Normal => f64::from(rng.normal()),
            Self::Skewed => -(1.0 - rng.uniform_f64(0.0, 1.0)).ln() - 1.0,
            Self::VerySkewed => (f64::from(rng.normal()).exp() - e.sqrt()) / (e * (e - 1.0)).sqrt(),
            Self::Heavy => {
                (Self::VerySkewed.draw(rng) - Self::VerySkewed.draw(rng)) / std::f64::consts::SQRT_2
            }
            Self::Coarse => f64::from(rng.normal()).round() / (1.0_f64 + 1.0 / 12.0).sqrt(),
        }
    }
}

/// A share of repetitions.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    pub count: u32,
    pub of: u32,
}

impl Share {
    pub fn value(self) -> f64 {
        f64::from(self.count) / f64::from(self.of)
    }
}

/// How many of the repetitions have it. Each has random numbers of its own; `key` tells scenarios apart.
pub fn share(repetitions: u32, key: u64, mut holds: impl FnMut(&mut Rng) -> bool) -> Share {
    let count = (0..repetitions).filter(|&at| holds(&mut Rng::new(key, Stream::Noise, at, 0))).count();
    Share { count: count as u32, of: repetitions }
}

fn technique(place: usize) -> Technique {
    Technique { name: format!("technique-{place}"), settings: wellfit_proof::Settings::new() }
}

/// A trial of `techniques` techniques in units of a difference's standard deviation.
pub fn design(pairs: Pairs, techniques: usize, delta: f64) -> Design {
    Design { pairs, delta, ..Design::new("score", Mode::Max, (0..techniques).map(technique).collect()) }
}

pub fn fixed(seeds: usize) -> Pairs {
    Pairs::Fixed { seeds, grown_to: None }
}

/// Pairs with such differences.
pub fn pairs(rng: &mut Rng, shape: Shape, effect: f64, count: usize) -> Vec<PairResult> {
    let pair = |treated| PairResult { treated, ..PairResult::default() };
    (0..count).map(|_| pair(effect + shape.draw(rng))).collect()
}

fn verdict(design: &Design, pairs: Vec<PairResult>) -> Verdict {
    let measured = [Measured { name: design.judged()[0].clone(), pairs }];
    judge("simulated", design, &measured).expect("finite results").techniques[0].verdict
}

/// How often the verdict of a design is one of `wanted`, with such differences.
pub fn verdicts(repetitions: u32, design: &Design, shape: Shape, effect: f64, wanted: &[Verdict]) -> Share {
    let key = 1 + design.last_pair() as u64;
    share(repetitions, key, |rng| {
        wanted.contains(&verdict(design, pairs(rng, shape, effect, design.last_pair())))
    })
}

pub const FOUND: [Verdict; 2] = [Verdict::Helps, Verdict::Hurts];

/// How often the t test alone, and the sign-flip test alone, find something in nothing.
pub fn tests_alone(repetitions: u32, shape: Shape, count: usize) -> [Share; 2] {
    let paired = |rng: &mut Rng| {
        Paired::new((0..count).map(|_| shape.draw(rng)).collect()).expect("finite differences")
    };
    let key = 100 + count as u64;
    [
        share(repetitions, key, |rng| paired(rng).t_p() <= 0.05),
        share(repetitions, key, |rng| sign_flip_p(&paired(rng)) <= 0.05),
    ]
}

/// How often a t test after each pair from the 5th to `last` finds something in nothing, the error that a trial until sure
/// avoids.
pub fn peeking(repetitions: u32, last: usize) -> Share {
    share(repetitions, 200, |rng| {
        let all: Vec<f64> = (0..last).map(|_| Shape::Normal.draw(rng)).collect();
        (5..=last).any(|count| Paired::new(all[..count].to_vec()).expect("finite").t_p() <= 0.05)
    })
}

/// How often a trial of `seeds` pairs finds something in nothing, then or, when it did not, after growing to `grown` pairs.
pub fn growing(repetitions: u32, shape: Shape, seeds: usize, grown: usize) -> Share {
    let (first, mut second) = (design(fixed(seeds), 1, 0.5), design(fixed(seeds), 1, 0.5));
    second.grow(grown).expect("more pairs");
    share(repetitions, 300, |rng| {
        let all = pairs(rng, shape, 0.0, grown);
        let look = verdict(&first, all[..seeds].to_vec());
        FOUND.contains(&look) || (look == Verdict::NoEvidence && FOUND.contains(&verdict(&second, all)))
    })
}

/// How often any of `count` techniques that share a baseline is found though none does anything.
pub fn family(repetitions: u32, plan: Pairs, count: usize) -> Share {
    family_of(repetitions, &design(plan, count, 0.5))
}

/// The same of a design.
pub fn family_of(repetitions: u32, design: &Design) -> Share {
    let count = design.techniques.len();
    share(repetitions, 400 + count as u64, |rng| {
        let baseline: Vec<f64> = (0..design.last_pair()).map(|_| Shape::Normal.draw(rng)).collect();
        let measured: Vec<Measured> = design
            .judged()
            .into_iter()
            .map(|name| {
                let pair = |&baseline: &f64| PairResult {
                    baseline,
                    treated: Shape::Normal.draw(rng),
                    ..PairResult::default()
                };
                Measured { name, pairs: baseline.iter().map(pair).collect() }
            })
            .collect();
        let outcome = judge("simulated", design, &measured).expect("finite results");
        outcome.techniques.iter().any(|judged| FOUND.contains(&judged.verdict))
    })
}

/// The mean number of pairs of a trial until sure.
pub fn mean_pairs(repetitions: u32, at_most: usize, effect: f64) -> f64 {
    let design = design(Pairs::UntilSure { at_most }, 1, 0.5);
    let mut total = 0;
    let _ = share(repetitions, 500, |rng| {
        let all = pairs(rng, Shape::Normal, effect, at_most);
        total += settled_after(&design, &all).expect("finite results").unwrap_or(at_most);
        true
    });
    total as f64 / f64::from(repetitions)
}

/// How much a difference varies between seeds, between images, and in what neither explains.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub seeds: f64,
    pub images: f64,
    pub rest: f64,
}

/// The differences of so many seeds and images whose true mean is 0.
fn table(rng: &mut Rng, seeds: usize, images: usize, spread: Spread) -> Vec<Vec<f64>> {
    let of_image: Vec<f64> = (0..images).map(|_| spread.images * Shape::Normal.draw(rng)).collect();
    let mut row = || {
        let of_seed = spread.seeds * Shape::Normal.draw(rng);
        of_image.iter().map(|image| of_seed + image + spread.rest * Shape::Normal.draw(rng)).collect()
    };
    (0..seeds).map(|_| row()).collect()
}

fn mean(row: &[f64]) -> f64 {
    row.iter().sum::<f64>() / row.len() as f64
}

/// How often the interval over seeds alone and the crossed one hold the true difference of all seeds and images.
pub fn coverage(repetitions: u32, seeds: usize, images: usize, spread: Spread) -> [Share; 2] {
    let mut over_seeds = 0;
    let crossed = share(repetitions, 600, |rng| {
        let table = table(rng, seeds, images, spread);
        let means = table.iter().map(|row| mean(row)).collect();
        let alone = Paired::new(means).expect("finite means").t_interval(0.05);
        over_seeds += u32::from(alone.low <= 0.0 && 0.0 <= alone.high);
        let interval = Crossed::new(&table).expect("a whole table").interval(0.05);
        interval.low <= 0.0 && 0.0 <= interval.high
    });
    [Share { count: over_seeds, of: repetitions }, crossed]
}

/// The same of the crossed interval of a trial until sure, 5 to 30 pairs, wherever it stopped.
pub fn coverage_until_sure(repetitions: u32, images: usize, spread: Spread) -> Share {
    let design = design(Pairs::UntilSure { at_most: 30 }, 1, 0.05);
    share(repetitions, 700, |rng| {
        let pair =
            |row: Vec<f64>| PairResult { treated: mean(&row), per_image: Some(row), ..PairResult::default() };
        let pairs = table(rng, 30, images, spread).into_iter().map(pair).collect();
        let measured = [Measured { name: design.judged()[0].clone(), pairs }];
        let outcome = judge("simulated", &design, &measured).expect("finite results");
        outcome.techniques[0].interval_new_images.is_none_or(|[low, high]| low <= 0.0 && 0.0 <= high)
    })
}
