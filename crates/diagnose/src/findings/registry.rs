//! All rules.

use super::finding::Ruled;
use super::look::Look;
use super::name::Name;
use super::{
    batch_norm, convergence, data, divergence, double_softmax, generalization, layers, not_learning,
    overfitting, rate, spikes, stopping, underfitting, validation, waiting,
};

/// A rule: curves to a finding, or to what it lacks.
pub type Rule = fn(&Look<'_>) -> Ruled;

/// The rule of each finding, the weightiest first; `healthy` is what is left.
pub const RULES: &[(Name, Rule)] = &[
    (Name::Diverged, divergence::diverged),
    (Name::NotLearning, not_learning::not_learning),
    (Name::DoubleSoftmax, double_softmax::double_softmax),
    (Name::ExplodingGradients, layers::exploding),
    (Name::VanishingGradients, layers::vanishing),
    (Name::DeadUnits, layers::dead_units),
    (Name::LrTooHigh, rate::too_high),
    (Name::Duplicates, data::duplicates),
    (Name::BatchNormStatistics, batch_norm::statistics),
    (Name::Overfitting, overfitting::overfitting),
    (Name::Overconfident, overfitting::overconfident),
    (Name::Underfitting, underfitting::underfitting),
    (Name::LrTooLow, rate::too_low),
    (Name::LossSpikes, spikes::spikes),
    (Name::StoppedTooEarly, stopping::too_early),
    (Name::StillImproving, convergence::still_improving),
    (Name::Plateau, convergence::plateau),
    (Name::GeneralizationGap, generalization::gap),
    (Name::ValidationAboveTrain, validation::above_train),
    (Name::LabelErrors, data::label_errors),
    (Name::ClassImbalance, data::imbalance),
    (Name::ValidationTooSmall, validation::too_small),
    (Name::WaitingForData, waiting::waiting),
];

/// What explains a finding: where one of these is found as well, the finding is only its consequence and is left out.
#[must_use]
pub const fn explained_by(name: Name) -> &'static [Name] {
    match name {
        Name::Overfitting | Name::Overconfident | Name::NotLearning => &[Name::Diverged],
        Name::LossSpikes => &[Name::Diverged, Name::NotLearning, Name::LrTooHigh],
        Name::Underfitting | Name::StillImproving => {
            &[Name::Diverged, Name::NotLearning, Name::DoubleSoftmax, Name::LrTooLow]
        }
        Name::Plateau => &[
            Name::LrTooHigh,
            Name::Diverged,
            Name::NotLearning,
            Name::DoubleSoftmax,
            Name::Underfitting,
            Name::Overfitting,
            Name::Overconfident,
            Name::StoppedTooEarly,
            Name::StillImproving,
        ],
        Name::LrTooLow => &[Name::NotLearning, Name::Diverged],
        Name::StoppedTooEarly => &[Name::Diverged, Name::NotLearning, Name::Overfitting, Name::Overconfident],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_its_rule_in_the_order_of_names() {
        let names: Vec<Name> = RULES.iter().map(|(name, _)| *name).chain([Name::Healthy]).collect();
        assert_eq!(names, Name::ALL);
    }
}
