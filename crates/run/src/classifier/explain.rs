//! Which parts of an image speak for a class.

use super::finite::Finite;
use super::{Classifier, Prediction};
use crate::error::RunError;
use rayon::prelude::*;
use wellfit_data::{DataError, ImageRef};
use wellfit_images::RawImage;

/// Grad-CAM of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The network's answer.
    pub prediction: Prediction,
    /// The class that the map is for, as an output of the network.
    pub class: usize,
    /// Rows and columns of the map.
    pub size: (usize, usize),
    /// How much each place speaks for the class, at least 0, row by row; see
    /// [`GradCam`](wellfit_models::GradCam).
    pub map: Vec<f32>,
    /// The picture as it was decoded, or the part of it that the network saw.
    pub picture: RawImage,
}

impl Classifier {
    /// Grad-CAM of images for a class, or for what each is taken for: of each its map, or why it has none. The
    /// processor computes. All pictures are in memory at the same time, so give them in batches.
    ///
    /// # Errors
    /// If the network has no convolutions, or is in 8-bit integers, or gives what is no number.
    pub fn explain(
        &self,
        images: &[ImageRef],
        class: Option<usize>,
    ) -> Result<Vec<Result<Explanation, DataError>>, RunError> {
        if self.quantised.is_some() {
            let problem =
                "Grad-CAM needs gradients, which 8-bit integers have not: give the run, or weights in floats";
            return Err(RunError::Unusable(problem.to_owned()));
        }
        let depth = self.preprocessing.depth;
        let pictures: Vec<Result<RawImage, DataError>> =
            images.par_iter().map(|image| image.decode(depth)).collect();
        pictures
            .into_iter()
            .map(|picture| {
                picture.map_or_else(|why| Ok(Err(why)), |picture| self.one(picture, class).map(Ok))
            })
            .collect()
    }

    /// Grad-CAM of a picture for what it is taken for; none where the network has no convolutions, or gives no numbers.
    pub(crate) fn explanation(&self, picture: RawImage) -> Option<Explanation> {
        self.one(picture, None).ok()
    }

    fn one(&self, picture: RawImage, class: Option<usize>) -> Result<Explanation, RunError> {
        let choose = |outputs: &[f32]| class.unwrap_or_else(|| wellfit_kernels::loss::argmax(outputs));
        let found = self.network.grad_cam(&self.input(&picture), &choose)?.ok_or_else(|| {
            RunError::Unusable(format!(
                "Grad-CAM looks at the last convolutions, and a {} has none",
                self.network.name
            ))
        })?;
        let mut finite = Finite::default();
        finite.count(&found.outputs);
        finite.check(&self.network.name)?;
        let class = found.classes.first().copied().unwrap_or(0);
        let prediction = Prediction::new(&found.outputs);
        // What was cut off has no place on the map.
        let picture =
            if self.preprocessing.resize.is_some() { self.preprocessing.seen(&picture) } else { picture };
        Ok(Explanation { prediction, class, size: (found.height, found.width), map: found.maps, picture })
    }
}
