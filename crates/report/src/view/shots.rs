//! Pictures on the page.

use crate::pictures::Shot;
use crate::read::RunReport;

/// A picture.
#[derive(Debug, Clone)]
pub struct ShotView {
    /// JPEG in Base64.
    pub jpeg: String,
    /// The same with a heat map; empty for none.
    pub heat: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// What it was taken for, or its class where nothing was answered.
    pub answer: String,
    /// How sure the answer is; empty for none.
    pub sure: String,
    /// What it is.
    pub label: String,
    /// The name of its file; empty for none.
    pub file: String,
}

/// The most confident mistakes.
pub fn mistakes(run: &RunReport) -> Vec<ShotView> {
    run.pictures.mistakes.iter().map(view).collect()
}

/// What training saw first.
pub fn seen(run: &RunReport) -> Vec<ShotView> {
    run.pictures.seen.iter().map(view).collect()
}

/// The file and its folder: enough to find it by, in the data of the run.
fn short(file: &str) -> String {
    let parts: Vec<&str> = file.split(['/', '\\']).collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

fn view(shot: &Shot) -> ShotView {
    ShotView {
        jpeg: shot.jpeg.clone(),
        heat: shot.heat.clone().unwrap_or_default(),
        size: shot.size,
        answer: shot.predicted.clone().unwrap_or_else(|| shot.label.clone()),
        sure: shot.probability.map_or_else(String::new, |share| format!("{:.0} % sure", 100.0 * share)),
        label: shot.label.clone(),
        file: shot.file.as_deref().map(short).unwrap_or_default(),
    }
}
