//! The pictures, and which of them train, validate and judge.

use crate::conditions::Condition;
use std::path::PathBuf;
use std::sync::Arc;
use wellfit_data::{Dataset, Images};
use wellfit_rng::{Rng, Stream};

/// The folder of the sets.
pub struct Sets {
    folder: PathBuf,
}

/// A set of pictures of one size.
pub struct Set {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub classes: usize,
    labels: Vec<u8>,
    pixels: Vec<u8>,
}

/// What a training reads. Of `judge`, the first `visible` validate; the others judge, and no rule sees them.
pub struct Parts {
    pub train: Dataset,
    pub judge: Dataset,
    pub visible: usize,
}

/// The most pictures that validate and judge: a record lists the losses of so many.
const MOST_JUDGED: usize = 2000;

impl Sets {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        !self.folder.is_dir()
    }

    pub fn read(&self, name: &str) -> Set {
        let bytes = std::fs::read(self.folder.join(format!("{name}.bin"))).unwrap();
        let number =
            |place: usize| u32::from_le_bytes(bytes[4 * place..4 * place + 4].try_into().unwrap()) as usize;
        let [count, height, width, channels, classes] = [0, 1, 2, 3, 4].map(number);
        let labels = bytes[20..20 + count].to_vec();
        Set { height, width, channels, classes, labels, pixels: bytes[20 + count..].to_vec() }
    }
}

impl Set {
    /// The pictures of a training: drawn by its seed, so that a twin with the same seed has the same.
    pub fn parts(&self, condition: &Condition) -> Parts {
        let mut rng = Rng::new(u64::from(condition.seed) + 1, Stream::Split, 0, 0);
        let order = shuffled(self.labels.len(), &mut rng);
        let (train, rest) = order.split_at(condition.n_train);
        let mut train = train.to_vec();
        if let Some((classes, share)) = condition.keep {
            let mut seen = vec![0_usize; self.classes];
            train.retain(|&image| {
                let class = usize::from(self.labels[image]);
                seen[class] += 1;
                class >= classes
                    || (seen[class] as f64 * share).floor() > ((seen[class] - 1) as f64 * share).floor()
            });
        }
        let easy =
            |image: &usize| !condition.easy_val || usize::from(self.labels[*image]) >= self.classes / 2;
        let visible: Vec<usize> = rest.iter().copied().filter(easy).take(condition.n_val).collect();
        let hidden = rest.iter().copied().filter(|image| !visible.contains(image));
        let judge: Vec<usize> = visible
            .iter()
            .copied()
            .chain(hidden)
            .take(MOST_JUDGED.min(condition.n_val + condition.n_test))
            .collect();
        let mut labels: Vec<u32> = train.iter().map(|&image| u32::from(self.labels[image])).collect();
        let mut pixels = self.pixels_of(&train);
        let classes = self.classes as u32;
        let others = shuffled(labels.len(), &mut rng);
        if condition.shuffle_labels {
            labels = others.iter().map(|&other| labels[other]).collect();
        }
        let wrong = (condition.wrong_labels * labels.len() as f64) as usize;
        for &image in &others[..wrong] {
            labels[image] = (labels[image] + 1 + rng.below(classes - 1)) % classes;
        }
        let size = self.size();
        for &image in others.iter().take(condition.corrupt) {
            pixels[image * size..(image + 1) * size].fill_with(|| if rng.below(2) == 0 { 0 } else { 255 });
            labels[image] = (labels[image] + 1 + rng.below(classes - 1)) % classes;
        }
        let judged = judge.iter().map(|&image| u32::from(self.labels[image])).collect();
        Parts {
            train: self.dataset(labels, pixels),
            judge: self.dataset(judged, self.pixels_of(&judge)),
            visible: visible.len(),
        }
    }

    fn size(&self) -> usize {
        self.height * self.width * self.channels
    }

    fn pixels_of(&self, images: &[usize]) -> Vec<u8> {
        let size = self.size();
        images.iter().flat_map(|&image| &self.pixels[image * size..(image + 1) * size]).copied().collect()
    }

    fn dataset(&self, labels: Vec<u32>, pixels: Vec<u8>) -> Dataset {
        let Self { height, width, channels, .. } = *self;
        let images = Images::Memory { height, width, channels, pixels: Arc::new(pixels) };
        Dataset::new((0..self.classes).map(|class| class.to_string()).collect(), labels, images).unwrap()
    }
}

fn shuffled(count: usize, rng: &mut Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for place in (1..count).rev() {
        order.swap(place, rng.below(place as u32 + 1) as usize);
    }
    order
}
