//! What all threads do during a training step, and how near its products come to the machine's limit.

use serde_json::{Value, json};
use std::time::Duration;
use wellfit::run::figures::percent;
use wellfit::simd::profile::{self, Profile};
use wellfit::simd::{Bf16, parallel};

/// The time of all threads in some training steps.
#[derive(Debug)]
pub struct ThreadTime {
    profile: Profile,
    /// Threads × the length of the steps.
    whole: f64,
    /// Multiply-adds a second on registers alone, in f32 and in bf16.
    limits: [f64; 2],
    /// Bytes a second that a pass over memory reads and writes at most.
    memory: f64,
}

impl ThreadTime {
    /// From what was counted in steps of `seconds` in all.
    pub fn new(profile: Profile, seconds: f64) -> Self {
        let whole = parallel::threads() as f64 * seconds;
        let limits = [profile::multiply_add_limit::<f32>(), profile::multiply_add_limit::<Bf16>()];
        Self { profile, whole, limits, memory: profile::memory_limit() }
    }

    fn parts(&self) -> [(&'static str, f64); 5] {
        let Profile { products, packing, transforms, elementwise, .. } = self.profile;
        let idle = (self.whole - self.profile.busy().as_secs_f64()).max(0.0);
        [
            ("products", products.as_secs_f64()),
            ("packing", packing.as_secs_f64()),
            ("transforms", transforms.as_secs_f64()),
            ("elementwise", elementwise.as_secs_f64()),
            ("idle", idle),
        ]
    }

    /// Multiply-adds a second, were all threads at products all the time.
    fn rate(&self) -> f64 {
        per_second(self.profile.multiply_adds.iter().sum(), self.profile.products)
    }

    /// Which share of the time of products they would take on registers alone.
    fn share_of_limit(&self) -> f64 {
        let counts = self.profile.multiply_adds.iter().zip(self.limits);
        let least: f64 = counts.map(|(&count, limit)| count as f64 / limit).sum();
        let seconds = self.profile.products.as_secs_f64() / parallel::threads() as f64;
        if seconds > 0.0 { least / seconds } else { 0.0 }
    }

    /// Bytes a second that passes over tensors move, were all threads at them all the time.
    fn bytes_rate(&self) -> f64 {
        per_second(self.profile.bytes, self.profile.passes)
    }

    /// Seconds of all threads together in one of `steps` steps, as a table.
    pub fn rows(&self, steps: u32, time: fn(f64) -> String) -> Vec<[String; 3]> {
        let row = |(name, seconds): (&str, f64)| {
            [name.to_owned(), time(seconds / f64::from(steps)), percent(seconds / self.whole)]
        };
        let head = ["", "of all threads", "share"].map(String::from);
        [head].into_iter().chain(self.parts().map(row)).collect()
    }

    /// How fast products and passes are.
    pub fn sentence(&self) -> String {
        let [single, half] = self.limits.map(|limit| 2e-9 * limit);
        let of_both = match self.profile.multiply_adds {
            [_, 0] => format!("{single:.0}"),
            _ => format!("{single:.0} in f32 and {half:.0} in bf16"),
        };
        format!(
            "Products run at {:.0} GFLOP/s, {:.0} % of the {of_both} that this machine reaches without touching memory.\n\
             Normalisation moves {:.0} GB/s, {:.0} % of the {:.0} that a pass over memory reaches here.",
            2e-9 * self.rate(),
            100.0 * self.share_of_limit(),
            1e-9 * self.bytes_rate(),
            100.0 * self.bytes_rate() / self.memory,
            1e-9 * self.memory,
        )
    }

    /// The same for programs.
    pub fn value(&self, steps: u32) -> Value {
        let part = |(name, seconds): (&str, f64)| {
            (name.to_owned(), json!({ "seconds": seconds / f64::from(steps), "share": seconds / self.whole }))
        };
        let mut value = Value::Object(self.parts().into_iter().map(part).collect());
        value["products"]["gflops"] = json!(2e-9 * self.rate());
        value["products"]["share_of_limit"] = json!(self.share_of_limit());
        value["products"]["limit_gflops"] = json!(2e-9 * self.limits[0]);
        value["products"]["limit_gflops_bf16"] = json!(2e-9 * self.limits[1]);
        value["elementwise"]["normalisation_gb_per_s"] = json!(1e-9 * self.bytes_rate());
        value["elementwise"]["limit_gb_per_s"] = json!(1e-9 * self.memory);
        value
    }
}

/// How much a second, were all threads at it all of their `time`.
fn per_second(count: u64, time: Duration) -> f64 {
    let seconds = time.as_secs_f64() / parallel::threads() as f64;
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
