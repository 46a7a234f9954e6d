//! The command line: commands and their options. The settings of a training run are in `settings`.

pub use crate::bench_args::BenchArgs;
use crate::check_args::CheckArgs;
use crate::compare_args::CompareArgs;
pub use crate::data_args::{Data, DedupeArgs, PlaceArgs, ShowArgs, SplitArgs, StatsArgs, TableArgs};
pub use crate::diagnose_args::DiagnoseArgs;
use crate::error::CliError;
pub use crate::explain_args::ExplainArgs;
pub use crate::lab_args::{BatchnormArgs, DropoutArgs};
use crate::lr_find_args::LrFindArgs;
pub use crate::prove_args::ProveArgs;
use crate::settings::{Settings, one_of};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use wellfit::run::options::Group;
pub use wellfit::run::options::{OptimizerName, PrecisionName, SemanticsName, ServingPrecision};
use wellfit::run::{FileHints, class_list};

/// Train image classifiers that neither under- nor overfit.
#[derive(Debug, Parser)]
#[command(name = "wellfit", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print one JSON object as the last line of standard output; the rest goes to standard error
    #[arg(long, global = true, help_heading = OUTPUT)]
    pub json: bool,
    /// Print errors only
    #[arg(long, short, global = true, help_heading = OUTPUT)]
    pub quiet: bool,
    /// Threads for computing; 0 takes all cores. The results do not depend on it
    #[arg(
        long,
        global = true,
        default_value_t = 0,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = Group::Speed.title()
    )]
    pub threads: usize,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 verify-resume found a difference, 2 wrong option or configuration, or check --strict found something, 3 unusable data, 4 unusable weights \
or model, or weights that cannot be downloaded, 5 output cannot be written or a run cannot be read, 6 the loss became NaN or infinite, \
7 interrupted and saved: `wellfit resume` goes on, 8 predict or diagnose could not use some of what it was given";

/// The heading of what is printed and written.
const OUTPUT: &str = Group::Output.title();
/// Ends the short help of commands with many options.
const MORE: &str = "--help lists all options";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a classifier; write plots, a record and the best weights
    Train(Box<TrainArgs>),
    /// Look for settings and data that cannot work, before anything is trained
    Check(Box<CheckArgs>),
    /// Continue an interrupted run, to the same bits as without the interruption
    Resume(ResumeArgs),
    /// Check everything that a run has on the disk: checkpoints, weights, record, pictures, exports
    Verify(crate::verify_args::VerifyRunArgs),
    /// Prove on your own configuration that resumed runs end with the same bits: kill, resume, compare
    VerifyResume(Box<VerifyResumeArgs>),
    /// The three experiments
    #[command(subcommand)]
    Lab(Lab),
    /// Find out by pairs of runs whether a technique helps, with a stated chance of error
    Prove(Box<ProveArgs>),
    /// Improve settings within a budget: diagnose, test what is advised by pairs of runs, adopt what is proven, and again
    Improve(Box<crate::improve_args::ImproveArgs>),
    /// Search for good settings: many runs, each with settings that follow from how the others did
    #[cfg(feature = "tune")]
    Tune(Box<crate::tune_args::TuneArgs>),
    /// Search for good settings: not in this build
    #[cfg(not(feature = "tune"))]
    Tune(crate::absent::Absent),
    /// Classify images with a run's best weights
    Predict(PredictArgs),
    /// How good a run's best weights are on data: accuracy, scores of each class, confusion, calibration
    Evaluate(EvaluateArgs),
    /// Which parts of images speak for a class, as heat maps (Grad-CAM)
    Explain(ExplainArgs),
    /// Answer over HTTP: images in, classes out
    #[cfg(feature = "serve")]
    Serve(Box<crate::serve_args::ServeArgs>),
    /// Runs in a browser while they go on; stop one, or lower its rate
    #[cfg(feature = "serve")]
    Watch(crate::watch_args::WatchArgs),
    /// Answer over HTTP: not in this build
    #[cfg(not(feature = "serve"))]
    Serve(crate::absent::Absent),
    /// Runs in a browser: not in this build
    #[cfg(not(feature = "serve"))]
    Watch(crate::absent::Absent),
    /// Look where a run's record cannot: BatchNorm, labels that are probably wrong, images that are there more than once
    Probe(crate::probe_args::ProbeArgs),
    /// Weights for PyTorch, timm or onnxruntime, with class names and preprocessing; curves for TensorBoard and tables
    Export(ExportArgs),
    /// Look at data
    #[command(subcommand)]
    Data(Data),
    /// Pretrained weights by name: which there are, where they are, downloads
    #[command(subcommand)]
    Weights(Weights),
    /// The architectures: size, cost, published accuracy, and which weights are here
    Models,
    /// A table of runs
    Runs(RunsArgs),
    /// Runs side by side: their curves, the settings that differ, by how much their results do
    Compare(CompareArgs),
    /// Make the pictures of a run again from its record
    Plot(PlotArgs),
    /// Find a learning rate to begin with: train a few steps while it grows, and look where the loss falls
    LrFind(Box<LrFindArgs>),
    /// Apply early stopping and learning-rate rules to recorded metrics
    Replay(ReplayArgs),
    /// Read the curves of runs, or of other tools' logs: what went wrong, and what to change
    Diagnose(DiagnoseArgs),
    /// A page of a run, or of several beside each other: result, curves, mistakes, findings
    Report(crate::report_args::ReportArgs),
    /// Measure this machine: a training step, a forward pass, the loader
    Bench(BenchArgs),
    /// Print what makes a shell complete commands and options
    Completions(crate::shell_args::CompletionsArgs),
    /// Write the manual pages
    #[command(hide = true)]
    Man(crate::shell_args::ManArgs),
}

/// The experiments.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Two networks, with and without batch normalisation, on the same batches
    Batchnorm(BatchnormArgs),
    /// Two regressors, with and without dropout, on a noisy line
    Dropout(DropoutArgs),
    /// Fine-tune a ResNet-50 on an image folder; validates on test/
    Transfer(Box<TrainArgs>),
}

/// What can be done with pretrained weights.
#[derive(Debug, Subcommand)]
pub enum Weights {
    /// The names there are, and what of them is on this machine
    List,
    /// Download weights, unless they are on this machine, and print where they are
    Fetch(WeightsArgs),
    /// Print where weights are on this machine; never download
    Path(WeightsArgs),
    /// Compare the files in Wellfit's cache of weights, or those of one name, with their SHA-256
    Verify(VerifyArgs),
}

/// `wellfit weights fetch` and `path`.
#[derive(Debug, Args)]
pub struct WeightsArgs {
    /// imagenet, imagenet-v1 or imagenet-v2 (torchvision's, with --model), hf:ORG/NAME or hf:ORG/NAME@REVISION
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
    /// The architecture
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Do not download
    #[arg(long)]
    pub offline: bool,
}

/// `wellfit weights verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A name as for `fetch` [default: all files in Wellfit's cache]
    #[arg(value_name = "NAME")]
    pub name: Option<PathBuf>,
    /// The architecture
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
}

/// Where a run goes.
#[derive(Debug, Clone, Args)]
pub struct OutArgs {
    /// The run's directory [default: runs/<data>-<model>-<n>]
    #[arg(long, value_name = "DIR", help_heading = OUTPUT)]
    pub out: Option<PathBuf>,
    /// Replace the run that is in --out
    #[arg(long, help_heading = OUTPUT)]
    pub force: bool,
}

/// `wellfit train` and `wellfit lab transfer`.
#[derive(Debug, Args)]
#[command(after_help = MORE, after_long_help = "")]
pub struct TrainArgs {
    /// A folder with a sub-folder for each class, or with train/ and val/ or test/ in any common spelling; a folder of
    /// IDX files; `sample` or `fashion-mnist`
    #[arg(value_name = "DATA", required_unless_present = "resume")]
    pub data: Option<String>,
    // First, so that help has the groups in their order.
    #[command(flatten)]
    pub settings: Settings,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A TOML file with any of the options below (`batch_size = 64`), or a run for its settings; the command line wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more: layers, improvements, checkpoints
    #[arg(long, short, help_heading = OUTPUT)]
    pub verbose: bool,
    /// Continue that run; with auto, or without a name, the newest unfinished one of the same configuration and data, if
    /// there is one
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = AUTO, help_heading = Group::Checkpoints.title())]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub out: OutArgs,
}

/// `train --resume` with this looks for the run itself.
pub const AUTO: &str = "auto";

/// `wellfit resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run's directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The data, if they have moved since [default: where they were]
    #[arg(value_name = "DATA")]
    pub data: Option<String>,
    /// Where Fashion-MNIST's files may lie, if they have moved
    #[arg(long = "data", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Train so many epochs in all, also where the run had ended: by itself, or by early stopping
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub epochs: Option<u32>,
    /// Say more: layers, improvements, checkpoints
    #[arg(long, short)]
    pub verbose: bool,
}

/// `wellfit verify-resume`.
#[derive(Debug, Args)]
pub struct VerifyResumeArgs {
    /// Data as for `train`
    #[arg(value_name = "DATA")]
    pub data: String,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A TOML file as for `train`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How often to kill a run
    #[arg(long, default_value_t = 5, value_name = "N", allow_negative_numbers = true)]
    pub kills: u32,
    /// Keep the runs here [default: a temporary directory, removed in the end]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub settings: Settings,
}

/// What stands for standard output.
pub const STDOUT: &str = "-";

/// `wellfit predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A run's directory, an exported one, a weight file, or pretrained weights: imagenet (with --model), hf:ORG/NAME
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Images: files, folders, patterns such as 'photos/**/*.jpg', and - for a list on standard input, with a line or a
    /// NUL after each name; or data as for `train`, whose labels are not looked at: a table of files, Parquet, tar shards,
    /// .npz, MNIST's and CIFAR's files
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub table: TableArgs,
    /// Write a CSV table with a row an image, to FILE or standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = STDOUT)]
    pub csv: Option<PathBuf>,
    /// Write a JSON object a line, one an image, to FILE or standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = STDOUT)]
    pub jsonl: Option<PathBuf>,
    /// Replace FILE
    #[arg(long)]
    pub force: bool,
    /// Where to compute: cpu; wgpu, cuda or cuda:N in a build with that feature
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub device: String,
    /// How many classes to list
    #[arg(long, default_value_t = 5, value_name = "N", allow_negative_numbers = true)]
    pub top: usize,
    #[command(flatten)]
    pub numbers: NumberArgs,
    #[command(flatten)]
    pub file: FileArgs,
}

/// In what numbers a network is computed.
#[derive(Debug, Clone, Args)]
pub struct NumberArgs {
    /// In what numbers to compute: f32, bf16, auto (bf16 where the processor has instructions for it), or int8 for speed
    /// [default: those of the training, of a weight file alone f32, of an int8 file int8]
    #[arg(long, value_name = "NUMBERS", hide_possible_values = true, value_parser = one_of::<ServingPrecision>(ServingPrecision::NAMES))]
    pub precision: Option<ServingPrecision>,
    /// Data as for `train` whose training images calibrate int8 [default: those of the run]
    #[arg(long, value_name = "DATA")]
    pub calibrate: Option<String>,
    /// Test-time augmentation: hflip also looks at each image mirrored, and averages the probabilities
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    pub tta: Option<Tta>,
}

/// What else of an image is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tta {
    /// The image with left and right exchanged.
    Hflip,
}

/// What to take where a weight file does not say.
#[derive(Debug, Clone, Args)]
pub struct FileArgs {
    /// The architecture of a weight file [default: the one it names or looks like]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Height and width for a weight file that does not name its own [default: those of its weights, else 224]
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    pub image_size: Option<usize>,
    /// The names of a weight file's outputs, in their order: a,b,c or a file of names [default: those it has; ImageNet's
    /// for 1000 outputs]
    #[arg(long, value_name = "NAMES")]
    pub classes: Option<String>,
    /// Take weights by name from this machine only; never download
    #[arg(long)]
    pub offline: bool,
}

impl FileArgs {
    /// For the library.
    pub fn hints(&self) -> Result<FileHints, CliError> {
        let classes = self.classes.as_deref().map(class_list).transpose()?;
        let (model, image_size) = (self.model.clone(), self.image_size);
        Ok(FileHints { model, image_size, classes, offline: self.offline })
    }
}

/// `wellfit export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A run's directory, an exported one, a weight file, or pretrained weights: imagenet (with --model), hf:ORG/NAME
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The kind of file: weights, or the curves of a run
    #[arg(long, value_name = "FORMAT", required_unless_present = "int8")]
    pub format: Option<ExportFormat>,
    /// Write `model-int8.safetensors` instead, in 8-bit integers, for `predict` and `evaluate`
    #[arg(long)]
    pub int8: bool,
    /// Data as for `train` whose training images calibrate int8 [default: those of the run]
    #[arg(long, value_name = "DATA", requires = "int8")]
    pub calibrate: Option<String>,
    /// The directory for `model.<format>` and `config.json`, or for the curves [default: RUN/export]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace an earlier export
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub file: FileArgs,
}

/// The kinds of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// For PyTorch, timm and the Hugging Face hub; loading it runs no code
    Safetensors,
    /// PyTorch's own, as `torch.save(model.state_dict(), …)` writes it
    Pth,
    /// For onnxruntime and others, opset 17
    Onnx,
    /// The curves, as an event file that TensorBoard shows
    Tensorboard,
    /// The curves as a table, a row an epoch
    Csv,
    /// The curves as JSON lines, an object an epoch
    Jsonl,
}

/// `wellfit evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// A run's directory, an exported one, a weight file, or pretrained weights: imagenet (with --model), hf:ORG/NAME
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Data as for `train`; its test/ part if it has one, else val/, else all of it
    #[arg(value_name = "DATA")]
    pub data: String,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Images in a batch
    #[arg(long, default_value_t = 32, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: usize,
    /// Where to compute: cpu; wgpu, cuda or cuda:N in a build with that feature
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub device: String,
    /// Leave unusable image files out instead of stopping
    #[arg(long)]
    pub skip_bad: bool,
    /// Write all figures and the answer to each image into this directory
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace such files that are there
    #[arg(long, requires = "out")]
    pub force: bool,
    #[command(flatten)]
    pub numbers: NumberArgs,
    #[command(flatten)]
    pub file: FileArgs,
}

/// `wellfit runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// The folder of runs
    #[arg(default_value = "runs", value_name = "DIR")]
    pub root: PathBuf,
}

/// `wellfit plot`.
#[derive(Debug, Args)]
pub struct PlotArgs {
    /// The run's directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Only this kind of file [default: both]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<PlotFormat>,
    /// For dark pages as well: accuracy-dark.png beside accuracy.png
    #[arg(long)]
    pub dark: bool,
    /// The directory for the pictures [default: RUN]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace pictures that differ
    #[arg(long)]
    pub force: bool,
}

/// The kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlotFormat {
    /// Pixels, twice as many as they are shown with, for sharp screens
    Png,
    /// Lines and text that stay sharp at any size, for pages and papers
    Svg,
}

/// `wellfit replay`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("metrics").required(true)))]
pub struct ReplayArgs {
    /// A CSV or JSON file: one metric a line, columns below a line of names, or objects
    #[arg(long, value_name = "FILE", group = "metrics")]
    pub losses: Vec<PathBuf>,
    /// A run's directory: take the metrics of its record
    #[arg(long, value_name = "DIR", group = "metrics")]
    pub run: Vec<PathBuf>,
    /// The column, or the run's metric [default: val_loss, else the only column]
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// Stop early: patience=5,min_delta=0,mode=min,… over the defaults of --semantics; patience 5 if there are no
    /// options
    #[arg(long, value_name = "OPTIONS", num_args = 0..=1, default_missing_value = "")]
    pub early_stopping: Option<String>,
    /// Lower the rate on a plateau: mode=min,factor=0.5,patience=5,threshold=1e-4,… over the defaults of
    /// --semantics; patience 5, factor 0.5 and min_lr 1e-6 if there are no options
    #[arg(long, value_name = "OPTIONS", num_args = 0..=1, default_missing_value = "")]
    pub lr_scheduler: Option<String>,
    /// Move the rate with the epochs: one-cycle, cosine, step:step_size=10,gamma=0.1, …
    #[arg(long, value_name = "NAME:OPTIONS")]
    pub schedule: Option<String>,
    /// Whose rules early stopping and --lr-scheduler follow
    #[arg(long, value_name = "WHOSE", default_value = "torch", value_parser = one_of::<SemanticsName>(SemanticsName::NAMES))]
    pub semantics: SemanticsName,
    /// The learning rate at the start [default: that of --run, else 0.001]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub lr: Option<f64>,
    #[command(flatten)]
    pub family: crate::replay_args::FamilyArgs,
    #[command(flatten)]
    pub branch: crate::replay_args::BranchArgs,
    #[command(flatten)]
    pub place: crate::replay_args::ReplayOutArgs,
}
