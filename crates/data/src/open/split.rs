//! Setting a share of each class aside for validation.

use wellfit_rng::{Rng, Stream};

use crate::error::DataError;

/// Positions for training and for validation, both ascending; each class gives the same share.
///
/// Of a class with n images, `round(n · val_fraction)` go to validation, but at least one and at most n − 1
/// of them; the only image of a class stays in training. Which ones is a pure function of `seed`.
///
/// # Errors
/// If `val_fraction` is not between 0 and 1 (both excluded), a label is not below `classes`, or no class
/// has two images.
pub fn stratified(
    labels: &[u32],
    classes: usize,
    val_fraction: f64,
    seed: u64,
) -> Result<(Vec<u32>, Vec<u32>), DataError> {
    if !(val_fraction > 0.0 && val_fraction < 1.0) {
        let problem = format!("the validation share must lie between 0 and 1, not {val_fraction}");
        return Err(DataError::Invalid(problem));
    }
    let mut members = vec![Vec::new(); classes];
    for (position, &label) in (0..).zip(labels) {
        let class = members.get_mut(label as usize).ok_or_else(|| {
            DataError::Invalid(format!("label {label} of image {position} is not one of {classes} classes"))
        })?;
        class.push(position);
    }
    let (mut train, mut val) = (Vec::new(), Vec::new());
    for (class, mut positions) in (0..).zip(members) {
        Rng::new(seed, Stream::Split, 0, class).shuffle(&mut positions);
        let (kept, set_aside) =
            positions.split_at(positions.len() - val_count(positions.len(), val_fraction));
        train.extend_from_slice(kept);
        val.extend_from_slice(set_aside);
    }
    if val.is_empty() {
        return Err(DataError::Invalid(
            "no class has two images, so none can be set aside for validation".into(),
        ));
    }
    train.sort_unstable();
    val.sort_unstable();
    Ok((train, val))
}

fn val_count(n: usize, fraction: f64) -> usize {
    if n < 2 { 0 } else { ((n as f64 * fraction).round() as usize).clamp(1, n - 1) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(labels: &[u32], positions: &[u32], class: u32) -> usize {
        positions.iter().filter(|&&p| labels[p as usize] == class).count()
    }

    #[test]
    fn each_class_gives_its_share() {
        let labels: Vec<u32> = (0..1000).map(|i| u32::from(i % 10 == 0)).collect();
        let (train, val) = stratified(&labels, 2, 0.15, 0).unwrap();
        assert_eq!((count(&labels, &val, 0), count(&labels, &val, 1)), (135, 15));
        assert_eq!(train.len(), 850);
        assert_ne!(val, stratified(&labels, 2, 0.15, 1).unwrap().1, "the seed must matter");
        assert_ne!(val, (850..1000).collect::<Vec<u32>>(), "the choice must be random");
    }

    #[test]
    fn nonsense_is_refused() {
        for fraction in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY] {
            let error = stratified(&[0, 0, 1, 1], 2, fraction, 0).unwrap_err().to_string();
            assert!(error.contains(&fraction.to_string()), "{error}");
        }
        assert!(stratified(&[0, 2], 2, 0.5, 0).unwrap_err().to_string().contains("label 2 of image 1"));
        assert!(stratified(&[0, 1], 2, 0.5, 0).unwrap_err().to_string().contains("two images"));
    }

    proptest! {
        #[test]
        fn a_split_is_a_partition_with_every_class_in_both_parts(
            labels in prop::collection::vec(0..5_u32, 2..200),
            fraction in 0.001..0.999_f64,
            seed: u64,
        ) {
            let result = stratified(&labels, 5, fraction, seed);
            prop_assume!(result.is_ok());
            let (train, val) = result.unwrap();
            let mut all = [train.clone(), val.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len() as u32).collect::<Vec<_>>());
            prop_assert!(train.is_sorted() && val.is_sorted());
            for class in 0..5 {
                let (in_train, in_val) = (count(&labels, &train, class), count(&labels, &val, class));
                let n = in_train + in_val;
                prop_assert!(n == 0 || in_train > 0);
                prop_assert!(n < 2 || in_val > 0);
                let exact = n as f64 * fraction;
                prop_assert!(n < 2 || (in_val as f64 - exact).abs() <= 1.0, "{in_val} for {exact}");
            }
            prop_assert_eq!(stratified(&labels, 5, fraction, seed).unwrap(), (train, val));
        }
    }
}
