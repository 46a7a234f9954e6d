//! What often helps, whether a finding says so or not.

use super::advised::Treatment;
use crate::check::UsualRates;
use crate::options::{AugmentName, ClassWeights, LrSetting, RunSpec};

/// Other rates, in shares of the present one, the nearest first: the rate matters most (Bengio 2012, arXiv:1206.5533).
const RATES: [f64; 4] = [1.0 / 3.0, 3.0, 0.1, 10.0];

/// The techniques of common use that a run of these settings does not have. Other rates where none are `advised`, a usual one
/// where the present one is not; class weights where the classes are `uneven`.
pub(super) fn usual(spec: &RunSpec, advised: &[Treatment], uneven: bool) -> Vec<Treatment> {
    let mut found = Vec::new();
    if let LrSetting::Rate(now) = spec.lr {
        let (known, scale) = (UsualRates::of(spec), spec.lr_scale());
        if !known.holds(now * scale) {
            found.push(format!("lr={}", known.typical));
        }
        if !advised.iter().any(|one| setting(&one.technique) == "lr") {
            let rates = RATES.map(|factor| format!("{:.2e}", now * factor).parse().unwrap_or(now));
            found.extend(rates.into_iter().filter(|lr| known.holds(lr * scale)).map(|lr| format!("lr={lr}")));
        }
    }
    for (is_off, name) in [
        (spec.schedule.is_constant() && !spec.lr_scheduler, "schedule=cosine"),
        (spec.label_smoothing == 0.0, "label-smoothing=0.1"),
        (uneven && spec.class_weights == ClassWeights::None, "class-weights=balanced"),
        (!spec.hflip, "hflip"),
        (matches!(spec.augment, None | Some(AugmentName::None)), "augment=light"),
        (spec.weight_decay == 0.0, "weight-decay=1e-4"),
    ] {
        found.extend(is_off.then(|| name.to_owned()));
    }
    let new = |name: &String| advised.iter().all(|one| one.technique != *name);
    let treatment = |technique| Treatment { technique, findings: Vec::new() };
    found.into_iter().filter(new).map(treatment).collect()
}

/// The setting that a technique is about.
pub(super) fn setting(technique: &str) -> &str {
    technique.split_once('=').map_or(technique, |(setting, _)| setting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{DataKind, Options};
    use std::ffi::OsStr;

    fn names(settings: &[(&str, &str)], advised: &[&str], uneven: bool) -> Vec<String> {
        let mut options = Options::default();
        settings.iter().for_each(|(name, value)| options.set(name, OsStr::new(value)).unwrap());
        let spec = options.decide(DataKind::Idx { pixels: 28 }).unwrap();
        let of = |name: &&str| Treatment { technique: (*name).to_owned(), findings: Vec::new() };
        let advised: Vec<Treatment> = advised.iter().map(of).collect();
        usual(&spec, &advised, uneven).into_iter().map(|one| one.technique).collect()
    }

    #[test]
    fn what_the_settings_lack_is_tried() {
        let rates = ["lr=0.00333", "lr=0.03", "lr=0.001", "lr=0.1"];
        let rest = ["label-smoothing=0.1", "hflip", "augment=light", "weight-decay=1e-4"];
        assert_eq!(names(&[("lr", "0.01")], &[], false), [&rates[..], &rest].concat());
        let uneven = names(
            &[("lr", "0.01"), ("hflip", "true"), ("schedule", "constant")],
            &["lr=0.5", "augment=light"],
            true,
        );
        assert_eq!(
            uneven,
            ["schedule=cosine", "label-smoothing=0.1", "class-weights=balanced", "weight-decay=1e-4"]
        );
        // Far from where the optimiser trains there is a way back.
        assert_eq!(names(&[("lr", "1e-9")], &["lr=1e-8"], false)[0], "lr=0.001");
        assert_eq!(names(&[("lr", "0.1")], &[], false)[..2], ["lr=0.0333", "lr=0.01"]);
    }
}
