//! What all threads do during a training step, and how near its products come to the machine's limit.

use serde_json::{Value, json};
use wellfit::simd::parallel;
use wellfit::simd::profile::{self, Profile};

/// The time of all threads in some training steps.
#[derive(Debug)]
pub struct ThreadTime {
    profile: Profile,
    /// Threads × the length of the steps.
    whole: f64,
    /// Multiply-adds a second on registers alone.
    limit: f64,
}

impl ThreadTime {
    /// From what was counted in steps of `seconds` in all.
    pub fn new(profile: Profile, seconds: f64) -> Self {
        let whole = parallel::threads() as f64 * seconds;
        Self { profile, whole, limit: profile::multiply_add_limit() }
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
        let seconds = self.profile.products.as_secs_f64() / parallel::threads() as f64;
        if seconds > 0.0 { self.profile.multiply_adds as f64 / seconds } else { 0.0 }
    }

    /// Seconds of all threads together in one of `steps` steps, as a table.
    pub fn rows(&self, steps: u32, time: fn(f64) -> String) -> Vec<[String; 3]> {
        let row = |(name, seconds): (&str, f64)| {
            [
                name.to_owned(),
                time(seconds / f64::from(steps)),
                format!("{:.1} %", 100.0 * seconds / self.whole),
            ]
        };
        let head = ["", "of all threads", "share"].map(String::from);
        [head].into_iter().chain(self.parts().map(row)).collect()
    }

    /// How fast the products are.
    pub fn sentence(&self) -> String {
        let (rate, limit) = (2e-9 * self.rate(), 2e-9 * self.limit);
        format!(
            "Products run at {rate:.0} GFLOP/s, {:.0} % of the {limit:.0} that this machine reaches without touching \
             memory.",
            100.0 * rate / limit
        )
    }

    /// The same for programs.
    pub fn value(&self, steps: u32) -> Value {
        let part = |(name, seconds): (&str, f64)| {
            (name.to_owned(), json!({ "seconds": seconds / f64::from(steps), "share": seconds / self.whole }))
        };
        let mut value = Value::Object(self.parts().into_iter().map(part).collect());
        value["products"]["gflops"] = json!(2e-9 * self.rate());
        value["products"]["limit_gflops"] = json!(2e-9 * self.limit);
        value
    }
}
