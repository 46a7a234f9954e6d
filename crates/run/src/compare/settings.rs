//! The settings in which runs differ.

use super::compared::Compared;
use crate::options::entries;
use std::collections::BTreeSet;
use toml::Value;

/// A setting that not all runs have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// Its name; `data` and `source` are no settings, but decide as much.
    pub name: String,
    /// What each run has; none where it is not set.
    pub values: Vec<Option<String>>,
}

/// The rows of what differs: the data, then settings in the order of their groups.
pub(super) fn differing(runs: &[Compared]) -> Vec<SettingRow> {
    let data = SettingRow {
        name: "data".to_owned(),
        values: runs.iter().map(|run| Some(run.info.data.name.clone())).collect(),
    };
    let known = entries().iter().map(|entry| entry.name.to_owned());
    let all: BTreeSet<String> = runs
        .iter()
        .filter_map(|run| run.info.config.as_table())
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    // Those of other versions come last.
    let known: Vec<String> = known.filter(|name| all.contains(name)).collect();
    let others = all.iter().filter(|name| !known.contains(name)).cloned().collect::<Vec<_>>();
    let rows = known.into_iter().chain(others).map(|name| SettingRow {
        values: runs.iter().map(|run| run.info.config.get(&name).map(text)).collect(),
        name,
    });
    std::iter::once(data).chain(rows).filter(|row| row.values.iter().any(|v| *v != row.values[0])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
