//! A design as the text of a `trial.toml`, and back.

use crate::design::{Design, Pairs, Settings, Technique};
use crate::error::ProofError;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wellfit_policy::Mode;

/// What a reader of the file should know.
const HEADER: &str = "\
# The plan of a trial of paired runs, written before its first pair. A change after that would let the results choose their
# own test.
";

/// The keys of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    metric: String,
    mode: Mode,
    delta: f64,
    alpha: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seeds: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grown_to: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_sure: Option<usize>,
    #[serde(default)]
    first_seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    treat_at: Option<u32>,
    #[serde(default, skip_serializing_if = "is_off")]
    race: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contrasts: Option<Vec<Vec<String>>>,
    #[serde(default, deserialize_with = "settings")]
    baseline: Settings,
    techniques: Vec<FileTechnique>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTechnique {
    name: String,
    #[serde(default, deserialize_with = "settings")]
    settings: Settings,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_off(switch: &bool) -> bool {
    !*switch
}

/// A value of a setting: whoever writes a file by hand writes `dropout = 0.5`, not `"0.5"`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a single value: text, a number, true or false")]
enum Value {
    Text(String),
    Switch(bool),
    Whole(i64),
    Number(f64),
}

fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Settings, D::Error> {
    let values = std::collections::BTreeMap::<String, Value>::deserialize(deserializer)?;
    let text = |value| match value {
        Value::Text(text) => text,
        Value::Switch(on) => on.to_string(),
        Value::Whole(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
    };
    Ok(values.into_iter().map(|(name, value)| (name, text(value))).collect())
}

impl TryFrom<File> for Design {
    type Error = ProofError;

    fn try_from(file: File) -> Result<Self, ProofError> {
        let invalid = |key: &str, value: String, expected: &str| ProofError::Invalid {
            key: key.to_owned(),
            value,
            expected: expected.to_owned(),
        };
        let pairs = match (file.seeds, file.until_sure, file.grown_to) {
            (Some(seeds), None, grown_to) => Pairs::Fixed { seeds, grown_to },
            (None, Some(at_most), None) => Pairs::UntilSure { at_most },
            (None, Some(_), Some(grown)) => {
                return Err(invalid(
                    "grown_to",
                    grown.to_string(),
                    "only beside `seeds`: raise `until_sure` instead",
                ));
            }
            (seeds, _, _) => {
                let given =
                    seeds.map_or("neither of `seeds` and `until_sure`", |_| "both `seeds` and `until_sure`");
                return Err(invalid(
                    "seeds",
                    given.to_owned(),
                    "one of the two, such as seeds = 6 or until_sure = 30",
                ));
            }
        };
        let technique = |FileTechnique { name, settings }| Technique { name, settings };
        let design = Self {
            metric: file.metric,
            mode: file.mode,
            delta: file.delta,
            alpha: file.alpha,
            pairs,
            first_seed: file.first_seed,
            treat_at: file.treat_at,
            race: file.race,
            baseline: file.baseline,
            techniques: file.techniques.into_iter().map(technique).collect(),
            contrasts: file.contrasts,
        };
        design.validate()?;
        Ok(design)
    }
}

impl From<Design> for File {
    fn from(design: Design) -> Self {
        let (seeds, grown_to, until_sure) = match design.pairs {
            Pairs::Fixed { seeds, grown_to } => (Some(seeds), grown_to, None),
            Pairs::UntilSure { at_most } => (None, None, Some(at_most)),
        };
        let technique = |Technique { name, settings }| FileTechnique { name, settings };
        Self {
            metric: design.metric,
            mode: design.mode,
            delta: design.delta,
            alpha: design.alpha,
            seeds,
            grown_to,
            until_sure,
            first_seed: design.first_seed,
            treat_at: design.treat_at,
            race: design.race,
            contrasts: design.contrasts,
            baseline: design.baseline,
            techniques: design.techniques.into_iter().map(technique).collect(),
        }
    }
}

/// The keys are those of a `trial.toml`.
impl Serialize for Design {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        File::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Design {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        File::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl Design {
    /// Read a design from the text of a `trial.toml`.
    ///
    /// ```
    /// let text = "metric = \"val_accuracy\"\nmode = \"max\"\ndelta = 0.005\nalpha = 0.05\nseeds = 6\n\
    ///             [[techniques]]\nname = \"dropout\"\nsettings = { dropout = 0.5 }\n";
    /// let design = wellfit_proof::Design::from_toml(text)?;
    /// assert_eq!(design.techniques[0].settings["dropout"], "0.5");
    /// assert_eq!(wellfit_proof::Design::from_toml(&design.to_toml()?)?, design);
    /// # Ok::<(), wellfit_proof::ProofError>(())
    /// ```
    ///
    /// # Errors
    /// With the line, if the text is no TOML or a key is unknown, missing or not of its type; with the key, if its value cannot
    /// be.
    pub fn from_toml(text: &str) -> Result<Self, ProofError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
            let content = text.lines().nth(line).unwrap_or_default().trim().chars().take(80).collect();
            ProofError::Design { line: line + 1, content, problem: error.message().to_owned() }
        })?;
        file.try_into()
    }

    /// The text of its `trial.toml`.
    ///
    /// # Errors
    /// If the design is not valid.
    pub fn to_toml(&self) -> Result<String, ProofError> {
        self.validate()?;
        let text = toml::to_string(&File::from(self.clone()));
        let text = text.map_err(|error| ProofError::Design {
            line: 0,
            content: self.metric.clone(),
            problem: error.to_string(),
        })?;
        Ok(format!("{HEADER}{text}"))
    }
}
