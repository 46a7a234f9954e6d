//! Floats in JSON: a number when finite, else one of the strings `"NaN"`, `"inf"`, `"-inf"`.
//!
//! JSON has no such numbers and `serde_json` writes `null` for them, so a run that diverged would lose
//! the very values that say so.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// A float as JSON: a number, or a string for NaN and infinities.
struct Float(f64);

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FloatVisitor)
    }
}

struct FloatVisitor;

impl Visitor<'_> for FloatVisitor {
    type Value = Float;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Float, E> {
        Ok(Float(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Float, E> {
        Ok(Float(value as f64))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Float, E> {
        Ok(Float(value as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Float, E> {
        match text {
            "NaN" => Ok(Float(f64::NAN)),
            "inf" => Ok(Float(f64::INFINITY)),
            "-inf" => Ok(Float(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }
}

/// Write it.
///
/// # Errors
/// As the serializer.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Float(*value).serialize(serializer)
}

/// Read it.
///
/// # Errors
/// If it is neither a number nor one of the three names.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Float::deserialize(deserializer).map(|float| float.0)
}

/// The same for an optional float.
pub mod option {
    use super::{Deserialize, Deserializer, Float, Serialize, Serializer};

    /// Write it.
    ///
    /// # Errors
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Float).serialize(serializer)
    }

    /// Read it.
    ///
    /// # Errors
    /// If it is neither a number nor one of the three names.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Float>::deserialize(deserializer)?.map(|float| float.0))
    }
}

/// The same for named floats.
pub mod map {
    use super::{Deserialize, Deserializer, Float, Serializer};
    use std::collections::BTreeMap;

    type Map = BTreeMap<String, f64>;

    /// Write it.
    ///
    /// # Errors
    /// As the serializer.
    pub fn serialize<S: Serializer>(values: &Map, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(values.iter().map(|(name, value)| (name, Float(*value))))
    }

    /// Read it.
    ///
    /// # Errors
    /// If it is neither a number nor one of the three names.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
        let values = BTreeMap::<String, Float>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|(name, float)| (name, float.0)).collect())
    }
}

#[cfg(test)]
mod tests {
    #[derive(serde::Serialize, serde::Deserialize, Debug)]
    struct Numbers {
        #[serde(with = "super")]
        one: f64,
        #[serde(with = "super::option", default)]
        maybe: Option<f64>,
    }

    #[test]
    fn every_float_survives_json() {
        for (value, text) in [(0.1, "0.1"), (f64::NAN, "\"NaN\""), (f64::NEG_INFINITY, "\"-inf\"")] {
            let json = serde_json::to_string(&Numbers { one: value, maybe: Some(value) }).unwrap();
            assert_eq!(json, format!("{{\"one\":{text},\"maybe\":{text}}}"));
            let back: Numbers = serde_json::from_str(&json).unwrap();
            assert_eq!(
                (back.one.to_bits(), back.maybe.unwrap().to_bits()),
                (value.to_bits(), value.to_bits())
            );
        }
        assert!(serde_json::from_str::<Numbers>("{\"one\":\"infinite\"}").is_err());
    }
}
