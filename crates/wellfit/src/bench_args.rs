//! The options of `bench`.

use crate::settings::one_of;
use clap::Args;
use wellfit::run::options::{OptimizerName, PrecisionName};

/// `wellfit bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// A model as for `train`; `mlp` or `dropout`, both networks of that lab; or `loader`, from image files to
    /// batches
    #[arg(default_value = "resnet50", value_name = "JOB")]
    pub job: String,
    /// Images in a batch [default: 32; mlp 512, dropout 50 points]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// Height and width of the images [default: 224; resnet20 and mlp 28]
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    pub image_size: Option<usize>,
    /// Steps to measure, after one to warm up; of the loader, epochs [default: 5; mlp and dropout 100]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub steps: Option<u32>,
    /// Optimiser [default: adam; mlp sgd]
    #[arg(long, value_name = "NAME", value_parser = one_of::<OptimizerName>(OptimizerName::NAMES))]
    pub optimizer: Option<OptimizerName>,
    /// How values are stored and multiplied: f32, bf16 or auto [default: f32]
    #[arg(long, value_name = "NAME", value_parser = one_of::<PrecisionName>(PrecisionName::NAMES))]
    pub precision: Option<PrecisionName>,
    /// Where to compute: cpu; wgpu, cuda or cuda:N in a build with that feature
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub device: String,
    /// Also show how a training step divides among the kinds of layers
    #[arg(long)]
    pub profile: bool,
    /// Images the loader reads: a folder as for `train` [default: JPEG files made for it]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Threads with which the loader makes batches [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub workers: Option<usize>,
}
