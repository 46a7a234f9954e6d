//! A search space: parameters, the values they may have, and the values of others that they depend on.

mod file;
mod ready;

pub use file::SpaceError;
pub(crate) use file::text;

use crate::distribution::Distribution;
use crate::trial::Parameter;
use serde_json::Value;
use std::sync::Arc;

/// A parameter that is searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Searched {
    /// The setting's name, such as `lr`.
    pub name: String,
    /// Its values.
    pub distribution: Arc<Distribution>,
    /// It is there only where another parameter, before it, has one of these values.
    pub when: Option<Condition>,
}

/// What a parameter depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The other parameter's name.
    pub name: String,
    /// The values with which the parameter is there.
    pub values: Vec<Value>,
}

/// All parameters that are searched. One stands behind those that it depends on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Space {
    /// The parameters.
    pub parameters: Vec<Searched>,
}

impl Space {
    /// The parameters with the values that a sampler chose for them, by their names.
    pub fn parameters_of(&self, chosen: Vec<Option<f64>>) -> impl Iterator<Item = (String, Parameter)> {
        self.parameters.iter().zip(chosen).filter_map(|(one, internal)| {
            let parameter = Parameter { internal: internal?, distribution: Arc::clone(&one.distribution) };
            Some((one.name.clone(), parameter))
        })
    }

    /// Whether the parameter is there, where those before it have values as `chosen` says (by place; none if not there).
    pub(crate) fn is_there(&self, place: usize, chosen: &[Option<f64>]) -> bool {
        let Some(condition) = &self.parameters[place].when else { return true };
        let other = self.parameters[..place].iter().position(|one| one.name == condition.name);
        let value = other.and_then(|other| Some(self.parameters[other].distribution.value(chosen[other]?)));
        value.is_some_and(|value| condition.values.contains(&value))
    }
}
