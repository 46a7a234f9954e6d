//! What is wrong with the images: `duplicates`, `label-errors`, `class-imbalance`.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, percent, short};
use super::name::Name;
use crate::thresholds::{CLASS_RATIO, DUPLICATES, LABEL_ERRORS, LEAST_SHARE};
use wellfit_policy::classification::wilson;

/// The rule of `duplicates`: images of the validation part are in the training part, too.
pub fn duplicates(look: &Look<'_>) -> Ruled {
    let found = look.know(look.facts().duplicates, "a search for duplicates (`wellfit probe RUN`)")?;
    let images = look.know(look.facts().n_val, "the number of validation images (--n-val)")?;
    let share = found as f64 / images as f64;
    if share.is_nan() || share < DUPLICATES.value {
        return Ok(None);
    }
    let sentence = format!(
        "{found} of {images} validation images are in the training part, too: validation is too good."
    );
    Ok(Some(Finding::new(Name::Duplicates, None, sentence).evident(
        "share of the validation images",
        share,
        DUPLICATES,
    )))
}

/// The rule of `label-errors`.
pub fn label_errors(look: &Look<'_>) -> Ruled {
    let found =
        look.know(look.facts().label_suspects, "answers to images out of sample (`wellfit probe RUN`)")?;
    let images = look.know(look.facts().n_val, "the number of validation images (--n-val)")?;
    let share = found as f64 / images as f64;
    if share.is_nan() || share < LABEL_ERRORS.value {
        return Ok(None);
    }
    let sentence = format!("{found} of {images} labels are probably wrong: look at these images.");
    Ok(Some(Finding::new(Name::LabelErrors, None, sentence).evident(
        "share of the images",
        share,
        LABEL_ERRORS,
    )))
}

/// The rule of `class-imbalance`: a class is rare, and its images are answered worse than the mean of the classes.
pub fn imbalance(look: &Look<'_>) -> Ruled {
    let counts =
        look.know(look.facts().class_counts.as_ref(), "the number of training images of each class")?;
    let answers = look.know(look.facts().class_answers.as_ref(), "the answers of each class")?;
    let all = counts.iter().sum::<u64>() as f64;
    let Some((rarest, &few)) = counts.iter().enumerate().min_by_key(|(_, count)| **count) else {
        return Ok(None);
    };
    let many = counts.iter().copied().max().unwrap_or(0);
    let share = few as f64 / all * counts.len() as f64;
    let ratio = many as f64 / few.max(1) as f64;
    let rare = share < LEAST_SHARE.value || ratio > CLASS_RATIO.value;
    let Some(&(right, images)) = answers.get(rarest).filter(|(_, images)| rare && *images > 0) else {
        return Ok(None);
    };
    let of = answers.iter().filter(|(_, images)| *images > 0);
    let recalls: Vec<f64> = of.map(|(right, images)| *right as f64 / *images as f64).collect();
    let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
    let high = wilson(right, images).high;
    if high >= mean {
        return Ok(None);
    }
    let sentence = format!(
        "A class with {few} training images (the largest has {many}) is answered right in {} of its images, the mean of the \
         classes is {}.",
        percent(right as f64 / images as f64),
        percent(mean)
    );
    Ok(Some(
        Finding::new(Name::ClassImbalance, None, sentence)
            .evident("least share of a class, times the classes", share, LEAST_SHARE)
            .evident("largest class over the smallest", ratio, CLASS_RATIO)
            .evident_by(
                "recall of the rarest class, upper end of its interval",
                high,
                mean,
                "the mean of the classes",
            )
            .excluding(format!("not chance: the interval ends at {}", short(high)))
            .advise([look.advise(Flag::ClassWeights, "balanced")]),
    ))
}
