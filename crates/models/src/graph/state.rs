//! Weights in and out, under torch's names and in torch's layouts.

use crate::{ModelError, Network, Optimizer};
use std::collections::BTreeMap;
use wellfit_weights::{Array, Data, WeightFile};

/// What loading weights did besides copying them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The file's head had this many classes and was left out: the network keeps its own fresh head.
    pub replaced_head: Option<usize>,
}

/// Problems named in an error; a wrong file has hundreds.
const NAMED_PROBLEMS: usize = 5;

impl Network {
    /// The state dict, as torch names and lays it out: weights, running statistics and
    /// `num_batches_tracked`.
    #[must_use]
    pub fn state(&self) -> WeightFile {
        self.state_where(|_| true)
    }

    /// The part of [`state`](Self::state) that training leaves as it is.
    #[must_use]
    pub fn frozen_state(&self) -> WeightFile {
        self.state_where(|frozen| frozen)
    }

    /// The part of [`state`](Self::state) that training changes.
    #[must_use]
    pub fn trained_state(&self) -> WeightFile {
        self.state_where(|frozen| !frozen)
    }

    fn state_where(&self, wanted: impl Fn(bool) -> bool) -> WeightFile {
        let mut arrays: Vec<(String, Array)> = Vec::new();
        for parameter in self.parameters.iter().filter(|parameter| wanted(!parameter.trainable)) {
            let data = Data::F32(parameter.to_torch(&parameter.value));
            arrays.push((parameter.name.clone(), Array { shape: parameter.shape.clone(), data }));
        }
        for norm in self.norms.iter().filter(|norm| wanted(norm.frozen)) {
            let vector =
                |values: &[f32]| Array { shape: vec![values.len()], data: Data::F32(values.to_vec()) };
            arrays.push((format!("{}.running_mean", norm.name), vector(&norm.mean)));
            arrays.push((format!("{}.running_var", norm.name), vector(&norm.variance)));
            let count = Array { shape: Vec::new(), data: Data::I64(vec![norm.batches]) };
            arrays.push((format!("{}.num_batches_tracked", norm.name), count));
        }
        WeightFile { arrays, ..WeightFile::default() }
    }

    /// Take over a state dict. When `replace_head` and only the head's class count differs, the head stays
    /// as it is and [`Loaded`] says so. A `num_batches_tracked` may be missing (torch before 0.4.1).
    ///
    /// # Errors
    /// Names the first keys that are missing, unexpected or of another shape; nothing is changed then.
    pub fn load(&mut self, file: &WeightFile, replace_head: bool) -> Result<Loaded, ModelError> {
        let mut given: BTreeMap<&str, &Array> = file.arrays.iter().map(|(n, a)| (n.as_str(), a)).collect();
        let replaced_head = if replace_head { self.other_head(&given) } else { None };
        if replaced_head.is_some() {
            let head = self.head();
            given.retain(|name, _| !name.starts_with(&head));
        }
        let problems = self.problems(&given, replaced_head.is_some());
        if !problems.is_empty() {
            return Err(ModelError::WeightsDoNotFit { model: self.name.clone(), problems });
        }
        for parameter in &mut self.parameters {
            if let Some(values) = given.get(parameter.name.as_str()).and_then(|array| floats(array)) {
                parameter.set_from_torch(values);
            }
        }
        for norm in &mut self.norms {
            let find = |part: &str| given.get(format!("{}.{part}", norm.name).as_str()).copied();
            let copy = |from: Option<&Array>, to: &mut [f32]| {
                if let Some(values) = from.and_then(floats) {
                    to.copy_from_slice(values);
                }
            };
            copy(find("running_mean"), &mut norm.mean);
            copy(find("running_var"), &mut norm.variance);
            if let Some(Array { data: Data::I64(count), .. }) = find("num_batches_tracked") {
                norm.batches = count.first().copied().unwrap_or(0);
            }
        }
        Ok(Loaded { replaced_head })
    }

    /// The class count of the file's head, if it fits ours in all but that.
    fn other_head(&self, given: &BTreeMap<&str, &Array>) -> Option<usize> {
        let name = format!("{}weight", self.head());
        let ours = &self.parameters.iter().find(|p| p.name == name)?.shape;
        let theirs = &given.get(name.as_str())?.shape;
        (theirs.len() == 2 && theirs[1] == ours[1] && theirs[0] != ours[0]).then(|| theirs[0])
    }

    /// The first keys and shapes that do not fit.
    fn problems(&self, given: &BTreeMap<&str, &Array>, without_head: bool) -> Vec<String> {
        let mut expected: BTreeMap<String, (Vec<usize>, bool)> = BTreeMap::new();
        let head = self.head();
        for parameter in self.parameters.iter().filter(|p| !(without_head && p.name.starts_with(&head))) {
            expected.insert(parameter.name.clone(), (parameter.shape.clone(), true));
        }
        for norm in &self.norms {
            for part in ["running_mean", "running_var"] {
                expected.insert(format!("{}.{part}", norm.name), (vec![norm.mean.len()], true));
            }
            expected.insert(format!("{}.num_batches_tracked", norm.name), (Vec::new(), false));
        }
        let mut problems = Vec::new();
        for (name, (shape, required)) in &expected {
            match given.get(name.as_str()) {
                None if *required => problems.push(format!("`{name}` {shape:?} is missing from the file")),
                Some(array) if array.shape != *shape => {
                    problems.push(format!("`{name}` is {:?} in the file, {shape:?} here", array.shape));
                }
                Some(array) if *required && floats(array).is_none() => {
                    problems.push(format!("`{name}` holds whole numbers, floats are needed"));
                }
                _ => {}
            }
        }
        let unknown = given.keys().filter(|name| !expected.contains_key(**name));
        problems.extend(unknown.map(|name| format!("`{name}` is in the file only")));
        if problems.len() > NAMED_PROBLEMS {
            let more = problems.len() - NAMED_PROBLEMS;
            problems.truncate(NAMED_PROBLEMS);
            problems.push(format!("and {more} more"));
        }
        problems
    }
}

impl Optimizer {
    /// The optimiser's moments, as arrays `<moment>.<parameter>` in torch's layouts.
    #[must_use]
    pub fn state(&self, network: &Network) -> WeightFile {
        let mut file = WeightFile::default();
        for (parameter, moments) in network.parameters.iter().zip(&self.moments) {
            for (place, moment) in moments.iter().enumerate().filter(|(_, moment)| !moment.is_empty()) {
                let array =
                    Array { shape: parameter.shape.clone(), data: Data::F32(parameter.to_torch(moment)) };
                file.arrays.push((format!("{place}.{}", parameter.name), array));
            }
        }
        file.metadata.insert("step".to_owned(), self.step.to_string());
        file
    }

    /// Take over what [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// When a tensor is missing or of another shape.
    pub fn load(&mut self, network: &Network, file: &WeightFile) -> Result<(), ModelError> {
        let given: BTreeMap<&str, &Array> = file.arrays.iter().map(|(n, a)| (n.as_str(), a)).collect();
        for (parameter, moments) in network.parameters.iter().zip(&mut self.moments) {
            for (place, moment) in moments.iter_mut().enumerate().filter(|(_, moment)| !moment.is_empty()) {
                let name = format!("{place}.{}", parameter.name);
                let found = given.get(name.as_str()).filter(|array| array.shape == parameter.shape);
                let Some(values) = found.and_then(|array| floats(array)) else {
                    return Err(ModelError::WeightsDoNotFit {
                        model: format!("the optimiser of {}", network.name),
                        problems: vec![format!("`{name}` {:?} is missing", parameter.shape)],
                    });
                };
                parameter.permute(values, moment);
            }
        }
        self.step = file.metadata.get("step").and_then(|step| step.parse().ok()).unwrap_or(0);
        Ok(())
    }
}

fn floats(array: &Array) -> Option<&[f32]> {
    match &array.data {
        Data::F32(values) => Some(values),
        Data::I64(_) | Data::I8(_) => None,
    }
}
