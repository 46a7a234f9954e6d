//! Which way a metric should go, from its name alone.
//!
//! Tools write the same metric as `val_accuracy`, `eval_top1`, `metrics/mAP50-95(B)`, `Acc@1` or `MulticlassF1Score`. So
//! a name is cut into words, and the words that mean a metric decide, wherever they stand. Words around them, such as a
//! part of the data (`val`, `eval`), a grouping (`metrics/`), an average (`macro`) or a time (`_epoch`), do not matter.
//! A name that says nothing, that speaks of something derived from a metric (`loss_scale`, `acc_std`), or that
//! contradicts itself gets no answer: a guess would turn early stopping upside down.

use crate::{Mode, PolicyError};

/// What is better when larger: phrases of the words that [`words`] gives; `#` is any number. scikit-learn's `neg_…` are
/// losses with a minus in front, its `d2_…` shares of a loss that is explained.
const RISING: &str = "\
    acc, acc norm, accuracy, accuracies, correct, top #, top k, exact match, em, precision, prec, \
    recall, sensitivity, specificity, f 1, f 2, f 0, f beta, fbeta, f score, f measure, p at, r at, tpr, \
    tnr, ppv, npv, true positive, true positives, true negative, true negatives, positive predictive \
    value, negative predictive value, hit, hits, hit rate, pass at, pass rate, success, win rate, \
    informedness, youden, auc, auroc, auprc, aupr, aucpr, roc, average precision, gmean, ap, aps, apm, \
    apl, map, mar, ar at, iou, miou, io u, giou, jaccard, dice, dsc, pq, panoptic quality, mota, idf #, \
    hota, pck, oks, mcc, matthews, kappa, qwk, corr, corrcoef, correlation, pearson, pearsonr, spearman, \
    spearmanr, kendall, kendalltau, r 2, r², r squared, rsquared, explained variance, explained var, \
    similarity, ndcg, dcg, mrr, reciprocal rank, bleu, sacrebleu, rouge, meteor, cider, cide r, spice, \
    chrf, chr f, bertscore, bert score, nist, psnr, ssim, snr, signal to noise ratio, sdr, signal to \
    distortion ratio, signal distortion ratio, sisdr, pesq, stoi, inception score, likelihood, \
    loglikelihood, elbo, reward, rewards, rew, return, returns, fitness, nmi, ami, ari, silhouette, \
    purity, homogeneity, completeness, neg log loss, neg mean squared error, neg mean absolute error, \
    neg root mean squared error, neg median absolute error, neg mean absolute percentage error, neg mean \
    squared log error, neg root mean squared log error, neg max error, neg brier score, neg mean poisson \
    deviance, neg mean gamma deviance, d 2 absolute error, d 2 brier, d 2 log loss, d 2 pinball, d 2 \
    tweedie, signal noise ratio, scale invariant signal noise ratio, scale invariant signal distortion \
    ratio, multi scale structural similarity, intersection over union, squad, image quality index, \
    visual information fidelity, exact, fscore, fmeasure, hmean";

/// What is better when smaller.
const FALLING: &str = "\
    crossentropy, cross entropy, xent, xentropy, ce, bce, nll, negative log likelihood, neg log \
    likelihood, negative loglikelihood, kl, kld, kl divergence, kldiv, js divergence, kullback leibler \
    divergence, hinge, huber, logcosh, log cosh, poisson, deviance, ctc, perplexity, perplexities, ppl, \
    bpc, bpb, bpd, bits per byte, bits per char, bits per character, bits per dim, bits per dimension, \
    mae, mse, rmse, rmsle, msle, mape, smape, wmape, mase, rmspe, medae, nrmse, msd, rmsd, brier, ece, \
    mce, ace, eer, mindcf, min dcf, far, frr, hter, fpr, fnr, fdr, false discovery, false positive, \
    false positives, false negative, false negatives, false alarm, false alarms, miss rate, lamr, \
    incorrect, wrong, mistakes, misclassified, misclassification, wer, cer, ter, mer, der, edit \
    distance, levenshtein, mcd, fid, kid, lpips, chamfer, hausdorff, hd #, assd, cosine distance, earth \
    mover distance, emd, mpjpe, nme, epe, ade, fde, abs rel, absrel, idsw, regret, aic, bic, learned \
    perceptual image patch similarity, deep image structure and texture similarity, jensen shannon \
    divergence, frechet inception distance, hamming distance, minkowski distance, word info lost, edit \
    rate, ranked probability score, fall out, fallout, spectral angle, bits dim, bits token, bits per \
    token";

/// Falling, whatever stands beside them: `dice_loss`, `top1_error`, `loss_iou`.
const PENALTIES: &str = "loss, losses, error, errors, err, errs";

/// What makes another figure of a metric, whose direction nobody knows, where no phrase above has the word.
const DERIVED: &str = "\
    scale, scaler, scaling, weight, weights, norm, std, stdev, stddev, stderr, sem, var, variance, gap, \
    drop, change, delta, diff, difference, ratio, threshold, time, seconds, sec, lr, lambda, patience, \
    counter, minus, neg, negative, negated, inverse, inv, vs, grad, gradient";

/// Words written together with what stands before them, as in `valloss`.
const ENDINGS: &[(&str, Mode)] = &[
    ("loss", Mode::Min),
    ("error", Mode::Min),
    ("accuracy", Mode::Max),
    ("acc", Mode::Max),
    ("auc", Mode::Max),
    ("iou", Mode::Max),
];

/// The direction of a metric of this name, as Keras, Lightning, torchmetrics, scikit-learn, Hugging Face's Trainer, timm,
/// Ultralytics, fastai and W&B write names: with any prefix and suffix, in any case.
///
/// ```
/// use wellfit_policy::{Mode, direction};
/// assert_eq!(direction("eval_top1"), Ok(Mode::Max));
/// assert_eq!(direction("metrics/mAP50-95(B)"), Ok(Mode::Max));
/// assert_eq!(direction("train/dice_loss_epoch"), Ok(Mode::Min));
/// assert!(direction("loss_scale").is_err());
/// ```
///
/// # Errors
/// [`PolicyError::UnknownDirection`] for a name that does not say it.
pub fn direction(name: &str) -> Result<Mode, PolicyError> {
    // W&B puts the run's name in front, which may hold any word.
    let own = name.rsplit(" - ").next().unwrap_or(name);
    let readings = [(own, true), (own, false), (name, true), (name, false)];
    let found = readings.into_iter().map(|(text, by_case)| read(&words(text, by_case)));
    match found.into_iter().find(|reading| *reading != Reading::Nothing) {
        Some(Reading::Known(mode)) => Ok(mode),
        _ => Err(PolicyError::UnknownDirection { monitor: name.to_owned() }),
    }
}

/// What words say of the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Known(Mode),
    /// Nobody can tell.
    Unclear,
    /// None of them means a metric.
    Nothing,
}

/// The words of a name, in lower case: letters and digits apart, `@` as `at`; with `by_case` also cut where an upper-case
/// letter begins a word (`ValLoss`, `BERTScore`).
fn words(name: &str, by_case: bool) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (place, &letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(place + 1);
        let begins = before.is_some_and(|before| {
            let number = before.is_ascii_digit() != letter.is_ascii_digit();
            let case = letter.is_uppercase()
                && (before.is_lowercase() || after.is_some_and(|after| after.is_lowercase()));
            number || (by_case && case)
        });
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter == '@' {
            words.extend(["at".to_owned(), String::new()]);
        } else if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn read(words: &[String]) -> Reading {
    let [mut rising, mut falling, mut penalty] = [false; 3];
    let mut rest = words;
    while let Some((first, others)) = rest.split_first() {
        let [up, down] = [RISING, FALLING].map(|phrases| longest(phrases, rest));
        let taken = up.max(down);
        if taken > 0 {
            rising |= up == taken;
            falling |= down > up;
            rest = &rest[taken..];
            continue;
        }
        match first.as_str() {
            // What follows is where the metric was taken, as in `recall_at_precision`.
            "at" if rising || falling || penalty => break,
            word if listed(PENALTIES, word) => penalty = true,
            word if listed(DERIVED, word) => return Reading::Unclear,
            word => match ENDINGS.iter().find(|(ending, _)| word.ends_with(ending)) {
                Some((_, Mode::Min)) => penalty = true,
                Some((_, Mode::Max)) => rising = true,
                None => {}
            },
        }
        rest = others;
    }
    match (penalty || falling, rising) {
        (true, true) if !penalty => Reading::Unclear,
        (true, _) => Reading::Known(Mode::Min),
        (false, true) => Reading::Known(Mode::Max),
        (false, false) => Reading::Nothing,
    }
}

/// How many words the longest of these phrases has with which `words` begin; 0 without one.
fn longest(phrases: &str, words: &[String]) -> usize {
    let lengths = phrases.split(", ").filter_map(|phrase| {
        let parts = phrase.split(' ');
        let length = parts.clone().count();
        let fits = |(part, word): (&str, &String)| match part {
            "#" => word.starts_with(|first: char| first.is_ascii_digit()),
            part => part == word,
        };
        (length <= words.len() && parts.zip(words).all(fits)).then_some(length)
    });
    lengths.max().unwrap_or(0)
}

fn listed(words: &str, word: &str) -> bool {
    words.split(", ").any(|known| known == word)
}
