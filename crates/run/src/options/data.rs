//! The group of settings about the data.

/// Adds these settings to the list (see `super::collect`).
macro_rules! data_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Data {
        /// Height and width images are resized to
        image_size: usize {
            default: |given| match given.data {
                DataKind::Folder => given.architecture().and_then(|known| known.image_size).unwrap_or(224),
                DataKind::Idx { pixels } | DataKind::Sample { pixels } => pixels,
            },
            default_text: "224; IDX data their own size",
            value_name: "PIXELS",
            check: |spec| image_size(spec.image_size),
            common: true,
        }

        /// Keep the proportions of images: resize their shorter side to so many pixels, and cut `image_size` out of the middle
        ///
        /// torchvision's Resize(PIXELS) and CenterCrop: 256 or 232 for its ImageNet weights of 224; timm's crop_pct is
        /// 224 / PIXELS. Without it images are stretched. It travels with the weights; random crops in training are made
        /// from the whole image.
        resize: Option<usize> {
            default: |_| None,
            default_text: "off: stretched",
            value_name: "PIXELS",
            check: |spec| match spec.resize {
                Some(side) if side < spec.image_size => Err(format!(
                    "`resize` must be at least `image_size` {}, not {side}",
                    spec.image_size
                )),
                Some(side) => image_size(side),
                None => Ok(()),
            },
        }

        /// How pixels are resized
        ///
        /// bilinear, or bicubic as most of timm's weights and torchvision's of EfficientNet are meant, both as in Pillow. It
        /// travels with the weights.
        interpolation: Interpolation {
            default: |given| given.pretrained_interpolation(),
            default_text: "as the pretrained weights; else bilinear",
            value_name: "NAME",
        }

        /// How pixels become inputs
        ///
        /// minmax: from 0 to 1 over the training images. zscore: mean 0 and standard deviation 1 over them.
        /// imagenet: by the mean and standard deviation of each channel of ImageNet, as pretrained networks expect.
        /// lite: (level − 127) / 128, as EfficientNet-Lite expects.
        scaling: Scaling {
            default: |given| given.folder_or_idx(given.pretrained_scaling(), Scaling::ZScore),
            value_name: "NAME",
        }

        /// What becomes of grey image files of more than 8 bits
        ///
        /// clip: levels above 255 turn white, as in Pillow and torchvision. scale: levels are divided, so that the
        /// largest of the file's type (65535 for 16 bits, 1 for floating-point numbers) becomes 255. It travels with the
        /// weights: predict and evaluate decode alike.
        depth: Depth {
            default: |_| Depth::Clip,
            value_name: "NAME",
        }

        /// Decides which images are set aside for validation, in place of `seed`
        ///
        /// So runs whose seeds differ are judged on the same images.
        split_seed: Option<u64> {
            default: |_| None,
            default_text: "the seed",
            value_name: "N",
            check: |spec| require(spec.split_seed.is_none_or(|seed| i64::try_from(seed).is_ok()), || {
                format!("`split_seed` must be at most {}", i64::MAX)
            }),
        }

        /// Share of the training images set aside for validation, where the data have none
        val_split: f64 {
            default: |_| 0.2,
            value_name: "SHARE",
            check: |spec| require(spec.val_split > 0.0 && spec.val_split < 1.0, || {
                format!("`val_split` must be above 0 and below 1, not {}", spec.val_split)
            }),
        }

        /// Cut the training images into so many folds; `train` makes a run for each, which is validated on that fold and
        /// trained on the others
        ///
        /// As scikit-learn's StratifiedKFold: every image is validated once, each class has its share in every fold; copies
        /// of an image lie in one fold. The runs are the folders fold-1, fold-2, … of one directory, which predict and
        /// evaluate take as an ensemble: the mean of the folds' probabilities. A val/ part stays untouched, as test/ does.
        folds: Option<u32> {
            default: |_| None,
            default_text: "off",
            value_name: "K",
            check: |spec| require(spec.folds.is_none_or(|folds| folds >= 2), || {
                "`folds` must be at least 2".to_owned()
            }),
        }

        /// Of the folds, make the run of this one only, from 1
        fold: Option<u32> {
            default: |_| None,
            default_text: "all",
            value_name: "N",
            check: |spec| match (spec.fold, spec.folds) {
                (None, _) => Ok(()),
                (Some(_), None) => Err("`fold` belongs to `folds`".to_owned()),
                (Some(fold), Some(folds)) => require((1..=folds).contains(&fold), || {
                    format!("`fold` must be from 1 to {folds}, not {fold}")
                }),
            },
        }

        /// Leave unusable image files out instead of stopping
        skip_bad: bool {
            default: |_| false,
        }
    } } };
}
