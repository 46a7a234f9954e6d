//! Settings that follow from the weights a run starts from.

use crate::classifier::{Opened, model_in, open_weights};
use crate::embedded::{EMBEDDED, EMBEDDED_MODEL, embedded};
use crate::error::RunError;
use crate::observer::Observer;
use crate::options::{Options, RecipeName, RunSpec};
use crate::pretrained;
use crate::weights_name::{pinned, weights_name};
use std::path::Path;
use wellfit_data::{Preprocessing, Scaling};
use wellfit_fetch::Name;

impl Options {
    /// For a folder of photographs, where no network is asked for: the pretrained one in the program, if this build has
    /// it, the recipe is for a pretrained network, and the processor trains (a GPU's passes lack its operations).
    pub(crate) fn with_network_at_hand(mut self) -> Self {
        let fits = !matches!(self.recipe, Some(Some(RecipeName::Scratch | RecipeName::Textbook)));
        let processor = self.device.as_deref().is_none_or(|device| device == "cpu");
        if self.model.is_none() && self.weights.is_none() && fits && processor && embedded().is_some() {
            self.model = Some(EMBEDDED_MODEL.to_owned());
            self.weights = Some(Some(EMBEDDED.into()));
        }
        self
    }
}

/// The options with the architecture of the weights they name, if they name no other; and these weights.
pub(crate) fn follow_weights(
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<(Options, Option<Opened>), RunError> {
    let mut options = options.clone();
    // ImageNet's weights for this architecture are in the program; torchvision has none.
    let for_embedded = options.model.as_deref() == Some(EMBEDDED_MODEL);
    if let Some(Some(weights)) = options.weights.as_mut().filter(|_| for_embedded)
        && weights.as_path() == Path::new("imagenet")
    {
        *weights = EMBEDDED.into();
    }
    if let Some(path) = options.weights.clone().flatten()
        && let Some(name) = weights_name(&path)?
    {
        let opened = follow_name(&mut options, &name, observer)?;
        return Ok((options, opened));
    }
    let Some(path) = options.weights.clone().flatten().filter(|_| options.model.is_none()) else {
        return Ok((options, None));
    };
    let opened = open_weights(&path)?;
    options.model = Some(model_in(&opened, observer)?);
    Ok((options, Some(opened)))
}

/// Settings that were not given become those that weights of a name are for: the architecture, the size of pictures, how
/// pixels become inputs.
fn follow_name(
    options: &mut Options,
    name: &Name,
    observer: &mut dyn Observer,
) -> Result<Option<Opened>, RunError> {
    // A run that is resumed has all of them: it needs the weights only if it has no checkpoint yet.
    let all = options.model.is_some() && options.image_size.is_some() && options.scaling.is_some();
    let Name::Hub(repository) = name else {
        options.scaling.get_or_insert(Scaling::ImageNet);
        // That they cannot be had is said before the data are read.
        let Some(model) = options.model.clone().filter(|_| !all) else { return Ok(None) };
        let store = pretrained::store(options.offline.unwrap_or_default());
        return open_weights(&pretrained::fetch(name, Some(&model), &store, observer)?.path).map(Some);
    };
    if all && repository.is_pinned() {
        return Ok(None);
    }
    let store = pretrained::store(options.offline.unwrap_or_default());
    let fetched = pretrained::fetch(name, None, &store, observer)?;
    options.weights = Some(Some(fetched.pinned.to_string().into()));
    let opened = open_weights(&fetched.path)?;
    if options.model.is_none() {
        options.model = Some(model_in(&opened, observer)?);
    }
    if let Some(theirs) = fetched.preprocessing {
        follow_preprocessing(options, &theirs)?;
    }
    Ok(Some(opened))
}

fn follow_preprocessing(options: &mut Options, theirs: &Preprocessing) -> Result<(), RunError> {
    let imagenet = Preprocessing::imagenet(theirs.size);
    if options.scaling.is_none() && (&theirs.mean, &theirs.std) != (&imagenet.mean, &imagenet.std) {
        let problem = format!(
            "the weights expect pixels less {:?} by {:?}, which is none of the scalings: choose one with `scaling`",
            theirs.mean, theirs.std
        );
        return Err(RunError::setting("scaling", problem));
    }
    options.scaling.get_or_insert(Scaling::ImageNet);
    options.interpolation.get_or_insert(theirs.interpolation);
    if theirs.size.0 == theirs.size.1 {
        options.image_size.get_or_insert(theirs.size.0);
    }
    Ok(())
}

/// A name of weights with its version, so that the run's settings say what it began with.
pub(crate) fn pin_weights(spec: &mut RunSpec) -> Result<(), RunError> {
    if let Some(path) = &spec.weights
        && let Some(name) = weights_name(path)?
    {
        spec.weights = Some(pinned(&name, &spec.model)?.to_string().into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn network(pairs: &[(&str, &str)]) -> Option<String> {
        let mut options = Options::default();
        pairs.iter().for_each(|(name, value)| options.set(name, OsStr::new(value)).unwrap());
        options.with_network_at_hand().model
    }

    #[test]
    fn photographs_get_the_embedded_network_unless_something_else_is_asked_for() {
        let embedded = embedded().map(|_| EMBEDDED_MODEL.to_owned());
        for pairs in [&[][..], &[("epochs", "3")], &[("recipe", "linear-probe")], &[("device", "cpu")]] {
            assert_eq!(network(pairs), embedded, "{pairs:?}");
        }
        for pairs in [("recipe", "scratch"), ("weights", "a.pth"), ("device", "cuda")] {
            assert_eq!(network(&[pairs]), None, "{pairs:?}");
        }
        assert_eq!(network(&[("model", "resnet18")]).as_deref(), Some("resnet18"));
    }
}
