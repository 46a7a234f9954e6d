//! The results of an epoch.

use crate::event::Event;
use crate::metric::Metric;
use crate::rows::without_replaced;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use wellfit_base::number;

/// The figures of one epoch: its metrics, and how it was computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Steps done at its end.
    pub step: u64,
    /// What was measured, each under its name.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// The learning rate the epoch trained with.
    #[serde(with = "number")]
    pub lr: f64,
    /// Seconds of the whole epoch.
    #[serde(with = "number")]
    pub seconds: f64,
    /// Seconds of the training pass.
    #[serde(with = "number")]
    pub train_seconds: f64,
    /// Seconds of the validation pass.
    #[serde(with = "number")]
    pub val_seconds: f64,
    /// Seconds that the training pass waited for data.
    #[serde(with = "number")]
    pub data_wait_seconds: f64,
    /// Training samples a second of the training pass.
    #[serde(with = "number")]
    pub images_per_second: f64,
}

/// The values of the metrics. A record of a version that did not measure one of them lacks it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Metrics([Option<f64>; Metric::COUNT]);

/// What every record has had from the first version on.
const REQUIRED: [Metric; 4] =
    [Metric::TRAIN_LOSS, Metric::TRAIN_ACCURACY, Metric::VAL_LOSS, Metric::VAL_ACCURACY];

impl Metrics {
    /// The value of `metric`, where it was measured.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        metric.place().and_then(|place| self.0[place])
    }

    /// Sets the value of `metric`; one that is not in [`Metric::ALL`] is left out.
    pub fn set(&mut self, metric: Metric, value: f64) {
        if let Some(place) = metric.place() {
            self.0[place] = Some(value);
        }
    }

    /// These, and `value` as that of `metric`.
    #[must_use]
    pub fn with(mut self, metric: Metric, value: f64) -> Self {
        self.set(metric, value);
        self
    }

    /// What was measured, in the order of [`Metric::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> {
        Metric::ALL.into_iter().zip(self.0).filter_map(|(metric, value)| Some((metric, value?)))
    }
}

impl FromIterator<(Metric, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (Metric, f64)>>(values: I) -> Self {
        values.into_iter().fold(Self::default(), |metrics, (metric, value)| metrics.with(metric, value))
    }
}

/// A float written to JSON, where NaN and infinities are text.
#[derive(Serialize, Deserialize)]
struct Figure(#[serde(with = "number")] f64);

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (metric, value) in self.iter() {
            map.serialize_entry(metric.name(), &Figure(value))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricsVisitor)
    }
}

struct MetricsVisitor;

impl<'de> Visitor<'de> for MetricsVisitor {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metrics by name")
    }

    /// Names that this version does not know are left out.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
        let mut metrics = Metrics::default();
        while let Some(name) = map.next_key::<String>()? {
            match Metric::named(&name) {
                Some(metric) => metrics.set(metric, map.next_value::<Figure>()?.0),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match REQUIRED.into_iter().find(|&metric| metrics.get(metric).is_none()) {
            Some(missing) => Err(A::Error::missing_field(missing.name())),
            None => Ok(metrics),
        }
    }
}

impl EpochRecord {
    /// Mean loss on the training samples, as they were trained on.
    #[must_use]
    pub fn train_loss(&self) -> f64 {
        self.value(Metric::TRAIN_LOSS)
    }

    /// Share of right answers on the training samples.
    #[must_use]
    pub fn train_accuracy(&self) -> f64 {
        self.value(Metric::TRAIN_ACCURACY)
    }

    /// Mean loss on the validation samples.
    #[must_use]
    pub fn val_loss(&self) -> f64 {
        self.value(Metric::VAL_LOSS)
    }

    /// Share of right answers on the validation samples.
    #[must_use]
    pub fn val_accuracy(&self) -> f64 {
        self.value(Metric::VAL_ACCURACY)
    }

    /// The value of `metric`, NaN where it was not measured.
    #[must_use]
    pub fn value(&self, metric: Metric) -> f64 {
        metric.of(self).unwrap_or(f64::NAN)
    }
}

/// The epochs among `events`, in order; one that was trained again after a resume counts once, as recorded last.
#[must_use]
pub fn epochs(events: &[Event]) -> Vec<EpochRecord> {
    let records = events.iter().filter_map(|event| match event {
        Event::Epoch(record) => Some(*record),
        _ => None,
    });
    without_replaced(records, |record| u64::from(record.epoch))
}

/// The share of the training passes' time, from 0 to 1, in which computing waited for data; 0 before any.
#[must_use]
pub fn data_wait_share(epochs: &[EpochRecord]) -> f64 {
    let total = |of: fn(&EpochRecord) -> f64| epochs.iter().map(of).sum::<f64>();
    let trained = total(|epoch| epoch.train_seconds);
    if trained > 0.0 { total(|epoch| epoch.data_wait_seconds) / trained } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = concat!(
        r#"{"event":"epoch","epoch":2,"step":20,"train_loss":0.5,"train_accuracy":0.75,"val_loss":"NaN","#,
        r#""val_accuracy":0.25,"lr":0.01,"seconds":3.0,"train_seconds":2.0,"val_seconds":1.0,"#,
        r#""data_wait_seconds":0.5,"images_per_second":"inf"}"#
    );

    /// The bytes of the first version, so that what read its lines reads these.
    #[test]
    fn a_line_is_as_it_always_was() {
        let event: Event = serde_json::from_str(LINE).unwrap();
        let Event::Epoch(record) = event else { panic!("{event:?}") };
        assert_eq!((record.train_loss(), record.val_accuracy(), record.lr), (0.5, 0.25, 0.01));
        assert!(record.val_loss().is_nan());
        assert_eq!(serde_json::to_string(&event).unwrap(), LINE);
    }

    #[test]
    fn metrics_of_another_version_are_left_out_and_missing_ones_named() {
        let more = LINE.replace("\"lr\"", "\"val_f1\":{\"macro\":[1]},\"lr\"");
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Event>(&more).unwrap()).unwrap(), LINE);
        let less = LINE.replace("\"val_accuracy\":0.25,", "");
        let problem = serde_json::from_str::<Event>(&less).unwrap_err().to_string();
        assert!(problem.contains("missing field `val_accuracy`"), "{problem}");
    }
}
