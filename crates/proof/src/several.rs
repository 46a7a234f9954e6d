//! Several techniques in one trial: the chance that any of them is found by mistake stays at α.

/// Holm's adjusted p-values (Holm 1979; statsmodels' `multipletests(method="holm")`), in the order given: a technique is found
/// where its own is at most α. The m-th smallest of k is multiplied by k - m + 1 and is no less than the one before it.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, place) in order.into_iter().enumerate() {
        largest = largest.max(p[place] * (p.len() - rank) as f64).min(1.0);
        adjusted[place] = largest;
    }
    adjusted
}

/// The α of each technique's interval, so that all of `count` intervals hold together with confidence 1 - `alpha`: α/k
/// (Bonferroni; Dunn 1961). The same for e-values: k/α instead of 1/α (Vovk & Wang 2021, arXiv:1912.06116).
#[must_use]
pub fn bonferroni(alpha: f64, count: usize) -> f64 {
    alpha / count.max(1) as f64
}
