//! The metric sequences of the golden traces.

pub const SEQUENCES: u64 = 300;
const LENGTH: usize = 24;

/// Knuth's MMIX generator, its upper bits; the same in `parity/policy.py`.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound) as i64
    }
}

/// `LENGTH` metrics of one of ten kinds; `parity/policy.py` says what they are.
pub fn sequence(index: u64) -> Vec<f64> {
    const SPECIAL: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let mut draw = Lcg(index);
    let mut level = 64 + draw.below(64);
    let value_at = |epoch| {
        let value = draw.below(128) as f64 / 64.0;
        match index % 10 {
            1 => {
                level -= if draw.below(4) == 0 { draw.below(8) } else { 0 };
                level as f64 / 64.0
            }
            2 => {
                level -= draw.below(12);
                (level + draw.below(9) - 4) as f64 / 64.0
            }
            3 => {
                level += draw.below(12);
                (level + draw.below(9) - 132) as f64 / 64.0
            }
            4 => *SPECIAL.get(draw.below(8) as usize).unwrap_or(&value),
            5 => -value,
            6 => draw.below(40) as f64 / 10.0,
            7 => 1.0 + draw.below(64) as f64 / f64::from(1 << 26),
            8 if epoch < 1 + (index / 30 % 3) as usize => SPECIAL[(index / 10 % 3) as usize],
            9 => (draw.below(3) - 1) as f64 / 64.0,
            _ => value,
        }
    };
    (0..LENGTH).map(value_at).collect()
}
