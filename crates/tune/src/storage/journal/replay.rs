//! From the lines of a journal to the study, by Optuna's rules: what cannot be (a second study of a name, a change of a finished
//! trial) is passed over, as its writer found out when it read its own line.

use super::line::{Operation, real};
use crate::distribution::Distribution;
use crate::trial::{Parameter, State, Trial};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type Fields = Map<String, Value>;

/// A study.
#[derive(Debug)]
pub struct Study {
    pub id: u64,
    pub name: String,
    pub directions: Vec<u64>,
    pub user: BTreeMap<String, Value>,
}

/// What is known after some lines.
#[derive(Debug)]
pub struct Replay {
    name: String,
    studies: Vec<Study>,
    next_study: u64,
    /// Of the study of that name.
    trials: Vec<Trial>,
    /// Of all studies: the place in `trials`, if it is of this one.
    places: Vec<Option<usize>>,
    /// By their text, for many trials have the same.
    distributions: HashMap<String, Arc<Distribution>>,
}

impl Replay {
    /// Of nothing yet; the trials of the study of that name will be kept.
    pub fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            studies: Vec::new(),
            next_study: 0,
            trials: Vec::new(),
            places: Vec::new(),
            distributions: HashMap::new(),
        }
    }

    pub fn study(&self) -> Option<&Study> {
        self.studies.iter().find(|study| study.name == self.name)
    }

    /// The names of all studies.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.studies.iter().map(|study| study.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The id that the next trial will have.
    pub fn next_trial(&self) -> i64 {
        self.places.len() as i64
    }

    /// A trial of this study.
    pub fn trial(&self, id: i64) -> Option<&Trial> {
        let place = *self.places.get(usize::try_from(id).ok()?)?;
        self.trials.get(place?)
    }

    /// Take a line.
    pub fn apply(&mut self, fields: &Fields) -> Result<(), String> {
        let code = fields.get("op_code").and_then(Value::as_u64).ok_or("it has no op_code")?;
        let Some(operation) = Operation::ALL.into_iter().find(|one| *one as u64 == code) else {
            // 10 is of another program, and Optuna passes it over as well.
            return if code == 10 { Ok(()) } else { Err(format!("op_code {code} is not known")) };
        };
        match operation {
            Operation::CreateStudy => self.create_study(fields),
            Operation::DeleteStudy => {
                let id = whole(fields, "study_id")?;
                if self.study().is_some_and(|study| study.id == id) {
                    self.trials.clear();
                    self.places.iter_mut().for_each(|place| *place = None);
                }
                self.studies.retain(|study| study.id != id);
                Ok(())
            }
            Operation::SetStudyUser | Operation::SetStudySystem => {
                let id = whole(fields, "study_id")?;
                if let (Operation::SetStudyUser, Some(study)) =
                    (operation, self.studies.iter_mut().find(|study| study.id == id))
                {
                    study.user.extend(table(fields, "user_attr")?);
                }
                Ok(())
            }
            Operation::CreateTrial => self.create_trial(fields),
            _ => self.change(operation, fields),
        }
    }

    fn create_study(&mut self, fields: &Fields) -> Result<(), String> {
        let name = text(fields, "study_name")?;
        let directions = fields.get("directions").and_then(Value::as_array).ok_or("it has no directions")?;
        if self.studies.iter().all(|study| study.name != name) {
            let (id, directions) = (self.next_study, directions.iter().filter_map(Value::as_u64).collect());
            self.studies.push(Study { id, name: name.to_owned(), directions, user: BTreeMap::new() });
            self.next_study += 1;
        }
        Ok(())
    }

    fn create_trial(&mut self, fields: &Fields) -> Result<(), String> {
        let study = whole(fields, "study_id")?;
        if self.studies.iter().all(|one| one.id != study) {
            return Ok(());
        }
        let id = self.next_trial();
        if self.study().is_none_or(|own| own.id != study) {
            self.places.push(None);
            return Ok(());
        }
        let state = fields.get("state").map_or(Ok(State::Running), |_| state(fields))?;
        let mut trial = Trial::new(id, self.trials.len() as u32, state);
        if fields.contains_key("params") {
            let distributions = table(fields, "distributions")?;
            for (name, internal) in table(fields, "params")? {
                let text = distributions
                    .get(&name)
                    .and_then(Value::as_str)
                    .ok_or("a parameter has no distribution")?;
                let internal = real(&internal).ok_or("a parameter is no number")?;
                let distribution = self.distribution(text)?;
                trial.parameters.insert(name, Parameter { internal, distribution });
            }
            trial.user = table(fields, "user_attrs")?;
            trial.system = table(fields, "system_attrs")?;
            for (step, value) in table(fields, "intermediate_values")? {
                let step = step.parse().map_err(|_| "an epoch is no number")?;
                trial.reports.insert(step, real(&value).ok_or("a report is no number")?);
            }
        }
        let values = fields.get("values").and_then(|values| values.get(0));
        trial.value = fields.get("value").or(values).and_then(real).or_else(|| values.and_then(real));
        self.places.push(Some(self.trials.len()));
        self.trials.push(trial);
        Ok(())
    }

    fn change(&mut self, operation: Operation, fields: &Fields) -> Result<(), String> {
        let id = whole(fields, "trial_id")?;
        let place = self.places.get(id as usize).copied().flatten();
        let Some(place) = place.filter(|place| !self.trials[*place].state.is_finished()) else {
            return Ok(());
        };
        match operation {
            Operation::SetParameter => {
                let name = text(fields, "param_name")?.to_owned();
                let internal =
                    fields.get("param_value_internal").and_then(real).ok_or("a parameter is no number")?;
                let distribution = self.distribution(text(fields, "distribution")?)?;
                let fits = |trial: &Trial| {
                    trial.parameters.get(&name).map(|before| before.distribution.goes_with(&distribution))
                };
                if self.trials.iter().find_map(fits) != Some(false) {
                    self.trials[place].parameters.insert(name, Parameter { internal, distribution });
                }
            }
            Operation::SetState => {
                let (trial, state) = (&mut self.trials[place], state(fields)?);
                if state == State::Running && trial.state == State::Running {
                    return Ok(());
                }
                trial.state = state;
                trial.value =
                    fields.get("values").and_then(|values| values.get(0)).and_then(real).or(trial.value);
            }
            Operation::SetReport => {
                let step = fields.get("step").and_then(Value::as_i64).ok_or("it has no step")?;
                let value = fields.get("intermediate_value").and_then(real).ok_or("a report is no number")?;
                self.trials[place].reports.insert(step, value);
            }
            Operation::SetUser => self.trials[place].user.extend(table(fields, "user_attr")?),
            _ => self.trials[place].system.extend(table(fields, "system_attr")?),
        }
        Ok(())
    }

    fn distribution(&mut self, text: &str) -> Result<Arc<Distribution>, String> {
        if let Some(known) = self.distributions.get(text) {
            return Ok(known.clone());
        }
        let read = Arc::new(Distribution::from_json(text)?);
        self.distributions.insert(text.to_owned(), read.clone());
        Ok(read)
    }
}

fn whole(fields: &Fields, key: &str) -> Result<u64, String> {
    fields.get(key).and_then(Value::as_u64).ok_or_else(|| format!("it has no {key}"))
}

fn text<'a>(fields: &'a Fields, key: &str) -> Result<&'a str, String> {
    fields.get(key).and_then(Value::as_str).ok_or_else(|| format!("it has no {key}"))
}

fn table(fields: &Fields, key: &str) -> Result<BTreeMap<String, Value>, String> {
    let found = fields.get(key).and_then(Value::as_object).ok_or_else(|| format!("it has no {key}"))?;
    Ok(found.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn state(fields: &Fields) -> Result<State, String> {
    let code = whole(fields, "state")?;
    State::ALL.get(code as usize).copied().ok_or_else(|| format!("state {code} is not known"))
}
