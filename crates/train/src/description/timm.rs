//! timm's `config.json`, the form in which the Hugging Face hub and `timm.create_model("local-dir:…")` expect
//! a description. It follows what timm's `save_config_for_hf` writes.

use super::{Description, Hints};
use serde::Deserialize;
use serde_json::{Value, json};
use wellfit_data::{Depth, Interpolation, Preprocessing};
use wellfit_models::{Network, Op};

/// Stretch to the input size, and cut nothing off.
const STRETCH: &str = "squash";
/// Keep the proportions, and cut the middle out.
const MIDDLE: &str = "center";

impl Description {
    /// The text of a timm-style `config.json` for `network`.
    #[must_use]
    pub fn timm_config(&self, network: &Network) -> String {
        let Preprocessing { size: (height, width), channels, mean, std, depth, resize, interpolation } =
            &self.preprocessing;
        let (crop, mode) = resize.map_or((1.0, STRETCH), |side| (crop_pct(*height.max(width), side), MIDDLE));
        let find = |wanted: fn(&Op) -> bool| network.nodes.iter().find(|node| wanted(&node.op));
        let first_conv = find(|op| matches!(op, Op::Conv(_))).map(|node| node.name.as_str());
        let pooled =
            find(|op| matches!(op, Op::GlobalAveragePool(_))).map(|node| network.shape(node.inputs[0]));
        let features = network.nodes.last().map_or(0, |head| network.shape(head.inputs[0]).len());
        let classes = self.classes.len();
        let mut config = json!({
            "architecture": self.model,
            "num_classes": classes,
            "num_features": features,
            "label_names": self.classes,
            "model_args": { "num_classes": classes, "in_chans": channels },
            "pretrained_cfg": {
                "custom_load": false,
                "input_size": [channels, height, width],
                "fixed_input_size": pooled.is_none(),
                "interpolation": interpolation.to_string(),
                "crop_pct": crop,
                "crop_mode": mode,
                "mean": decimals(mean),
                "std": decimals(std),
                "num_classes": classes,
                "pool_size": pooled.map(|shape| [shape.height, shape.width]),
                "first_conv": first_conv,
                "classifier": network.head().trim_end_matches('.'),
            },
        });
        // Not in `pretrained_cfg`, of which timm refuses keys that it does not know.
        if *depth != Depth::default() {
            config["depth"] = depth.to_string().into();
        }
        if pooled.is_some() {
            config["global_pool"] = "avg".into();
            config["model_args"]["global_pool"] = "avg".into();
        }
        format!("{config:#}\n")
    }
}

/// The share of the shorter side that is cut out, so that timm, which rounds `size / share` down, gets that side again.
fn crop_pct(size: usize, side: usize) -> f64 {
    let share = size as f64 / side as f64;
    if shorter_side(size, share) == side { share } else { share.next_down() }
}

/// timm's `scale_size`.
fn shorter_side(size: usize, share: f64) -> usize {
    (size as f64 / share).floor() as usize
}

/// The shortest decimals that mean these floats: 0.485, not the f64 nearest to the f32.
fn decimals(values: &[f32]) -> Vec<Value> {
    values.iter().map(|value| serde_json::from_str(&value.to_string()).unwrap_or(Value::Null)).collect()
}

/// timm's default of `crop_pct`.
const CROP: f64 = 0.875;

/// The part of a configuration that is read.
#[derive(Deserialize)]
struct Config {
    architecture: Option<String>,
    label_names: Option<Value>,
    depth: Option<Value>,
    pretrained_cfg: Option<Pretrained>,
}

#[derive(Deserialize)]
struct Pretrained {
    input_size: Option<(usize, usize, usize)>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    interpolation: Option<String>,
    crop_pct: Option<f64>,
    crop_mode: Option<String>,
}

pub(super) fn hints(text: &str) -> Result<Hints, serde_json::Error> {
    let config: Config = serde_json::from_str(text)?;
    let (Some(model), Some(pretrained)) = (config.architecture, config.pretrained_cfg) else {
        return Ok(Hints::default());
    };
    let unlike = pretrained.unlike();
    // Another program's key of that name means something else.
    let depth = config.depth.and_then(|depth| serde_json::from_value(depth).ok()).unwrap_or_default();
    // timm also knows names by sparse class numbers; those are left.
    let classes = config.label_names.and_then(|names| serde_json::from_value(names).ok());
    Ok(Hints { model: Some(model), classes, preprocessing: pretrained.preprocessing(depth), unlike })
}

impl Pretrained {
    /// timm's default stands for what is missing.
    fn interpolation(&self) -> &str {
        self.interpolation.as_deref().unwrap_or("bicubic")
    }

    fn preprocessing(self, depth: Depth) -> Option<Preprocessing> {
        let (channels, height, width) = self.input_size?;
        let share = self.crop_pct.unwrap_or(CROP);
        // What is larger than the picture timm fills up with black, which nothing here does.
        let is_middle = self.crop_mode.as_deref().unwrap_or(MIDDLE) == MIDDLE && share > 0.0 && share <= 1.0;
        let resize = is_middle.then(|| shorter_side(height.max(width), share));
        let interpolation = self.interpolation().parse().unwrap_or_default();
        let plain = Preprocessing::new((height, width), channels, self.mean?, self.std?);
        Some(Preprocessing { depth, resize, interpolation, ..plain })
    }

    /// What differs from resizing as we do; timm's defaults stand for what is missing.
    fn unlike(&self) -> Option<String> {
        let interpolation = self.interpolation();
        let (crop, mode) = (self.crop_pct.unwrap_or(CROP), self.crop_mode.as_deref().unwrap_or(MIDDLE));
        let same_part = match mode {
            MIDDLE => crop > 0.0 && crop <= 1.0,
            STRETCH => crop == 1.0,
            _ => false,
        };
        match (interpolation.parse::<Interpolation>().is_ok(), same_part) {
            (true, true) => None,
            (false, true) => Some(format!("interpolation {interpolation}")),
            (true, false) => Some(format!("crop_mode {mode}, crop_pct {crop}")),
            (false, false) => {
                Some(format!("interpolation {interpolation}, crop_mode {mode}, crop_pct {crop}"))
            }
        }
    }
}
