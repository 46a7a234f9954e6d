//! The settings of what is done to training images at random.

/// Adds these settings to the list (see `super::collect`).
macro_rules! augmentation_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Augmentation {
        /// How much training images are changed at random: sets the options below, each of which may still be given
        ///
        /// none: not at all. light: `random_resized_crop` 0.5, and `hflip` for image folders. strong:
        /// `random_resized_crop` 0.35, `hflip` for image folders, `trivial_augment`, `erasing` 0.1.
        augment: Option<AugmentName> {
            default: |_| None,
            default_text: "by the options below",
            value_name: "HOW",
            common: true,
        }

        /// Mirror training images left to right at random
        hflip: bool {
            default: |given| !given.is_idx() && given.options.augment.flatten() != Some(AugmentName::None),
        }

        /// Mirror training images top to bottom at random
        ///
        /// For pictures without a top, such as those of a microscope or from above: in a photograph a cat stands on its
        /// feet.
        vflip: bool {
            default: |_| false,
            default_text: "false; `lab transfer`: true, for IDX data false",
        }

        /// Crop training images at random, down to this share of their area, and resize the part
        ///
        /// torchvision's RandomResizedCrop(scale=(SHARE, 1)), with proportions from 3:4 to 4:3. 0 turns it off.
        random_resized_crop: f64 {
            default: |given| given.by_augment(0.5, 0.35).unwrap_or(0.0),
            default_text: "0; `augment` light 0.5, strong 0.35",
            value_name: "SHARE",
            check: |spec| probability("random_resized_crop", spec.random_resized_crop),
        }

        /// Change brightness, contrast and saturation at random by a factor up to this far from 1
        ///
        /// One number for all three, or four: brightness, contrast, saturation and hue, such as 0.4,0.4,0.4,0.1. The
        /// hue turns by up to so much of a whole turn, 0.5 at most. torchvision's ColorJitter.
        color_jitter: JitterSetting {
            default: |_| JitterSetting::default(),
            value_name: "STRENGTH",
            check: |spec| spec.color_jitter.check(),
        }

        /// Take the colours of training images away with this probability
        grayscale: f64 {
            default: |_| 0.0,
            value_name: "PROBABILITY",
            check: |spec| probability("grayscale", spec.grayscale),
        }

        /// Turn training images at random by up to so many degrees either way
        rotation: f64 {
            default: |_| 0.0,
            value_name: "DEGREES",
            check: |spec| degrees("rotation", spec.rotation, 180.0),
        }

        /// Move training images at random by up to this share of their width and height
        translate: f64 {
            default: |_| 0.0,
            value_name: "SHARE",
            check: |spec| probability("translate", spec.translate),
        }

        /// Enlarge or shrink training images at random by a factor up to this far from 1
        zoom: f64 {
            default: |_| 0.0,
            value_name: "STRENGTH",
            check: |spec| share("zoom", spec.zoom),
        }

        /// Shear training images at random by up to so many degrees either way
        shear: f64 {
            default: |_| 0.0,
            value_name: "DEGREES",
            check: |spec| degrees("shear", spec.shear, 80.0),
        }

        /// Show half of the training images from another side: each corner moves towards the middle by up to this share
        ///
        /// torchvision's RandomPerspective(SHARE): of half the width and of half the height. 0 turns it off.
        perspective: f64 {
            default: |_| 0.0,
            value_name: "SHARE",
            check: |spec| probability("perspective", spec.perspective),
        }

        /// Change training images by two random operations of this strength, from 0 to 30: RandAugment
        randaugment: Option<u32> {
            default: |_| None,
            default_text: "off",
            value_name: "MAGNITUDE",
            check: |spec| require(spec.randaugment.is_none_or(|strength| strength < BINS), || {
                format!("`randaugment` must be at most {}, not {}", BINS - 1, spec.randaugment.unwrap_or(0))
            }),
        }

        /// Change training images by a random operation of random strength: TrivialAugment
        trivial_augment: bool {
            default: |given| given.by_augment(false, true).unwrap_or(false),
            default_text: "false; `augment` strong: true",
        }

        /// Set a random part of a training image to the mean colour with this probability
        ///
        /// torchvision's RandomErasing(PROBABILITY): from 2 to 33 % of the image.
        erasing: f64 {
            default: |given| given.by_augment(0.0, 0.1).unwrap_or(0.0),
            default_text: "0; `augment` strong: 0.1",
            value_name: "PROBABILITY",
            check: |spec| probability("erasing", spec.erasing),
        }

        /// Mix each training image with another one, and their labels, by shares of the distribution Beta(ALPHA, ALPHA)
        ///
        /// mixup; usual is 0.2. 0 turns it off. With `cutmix` each batch undergoes one of the two. The accuracy in
        /// training then counts the class with the larger share.
        mixup: f64 {
            default: |_| 0.0,
            value_name: "ALPHA",
            check: |spec| zero_or_more("mixup", spec.mixup),
        }

        /// Paste a part of another training image into each, and mix their labels by area, by Beta(ALPHA, ALPHA)
        ///
        /// CutMix; usual is 1. 0 turns it off.
        cutmix: f64 {
            default: |_| 0.0,
            value_name: "ALPHA",
            check: |spec| zero_or_more("cutmix", spec.cutmix),
        }
    } } };
}
