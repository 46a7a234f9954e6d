//! `wellfit verify-resume`: proves on the user's own configuration that a killed run ends with the same bits.
//!
//! The run is made once without interruption. Then it is made again and again by processes that are killed (SIGKILL) at
//! random moments and resumed, until there were enough kills; each must end with the same weights and figures.

use crate::args::VerifyResumeArgs;
use crate::bar::Bar;
use crate::config::require;
use crate::error::CliError;
use crate::output::{self, Output};
use crate::parent;
use crate::signals::Signals;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wellfit::base::Shown;
use wellfit::base::words::plural;
use wellfit::base::{atomic, file};
use wellfit::record::{EpochRecord, RunDir, epochs, sha256};
use wellfit::rng::{Rng, Stream};
use wellfit::run::{Options, SavedRun, duration};

/// A few epochs prove as much as many.
const EPOCHS: u32 = 2;
/// Often enough that kills hit the middle of an epoch.
const CHECKPOINT_EVERY: &str = "10steps";
/// The threads of resumed runs in turn: the bits do not depend on them.
const THREADS: [usize; 3] = [1, 2, 4];
/// The run under trial, in its folder.
const RUN: &str = "run";
/// The most bytes read of what a process under trial says of its failure.
const MOST_ERRORS: u64 = 1 << 20;
/// How often to look whether a process is done.
const GLANCE: Duration = Duration::from_millis(1);

/// Run the command.
pub fn run(args: &VerifyResumeArgs, threads: usize, out: Output) -> Result<(), CliError> {
    require(args.kills > 0, || "--kills must be at least 1".to_owned())?;
    let options = args.settings.over_file(args.config.as_deref())?;
    let seed = options.seed.unwrap_or(0);
    let scratch = Scratch::new(args.out.as_deref())?;
    let mut trial = Trial::new(args, options, threads, &scratch)?;
    let begun = Instant::now();
    out.say(format!(
        "Training once without interruption, then again with {} in all",
        plural(args.kills as usize, "kill")
    ));
    trial.whole()?;
    let (mut time, whole) = (begun.elapsed(), Ending::of(&trial.run)?);
    let (count, hash) = (whole.epochs.len(), whole.hash());
    let epochs = plural(count, "epoch");
    out.say(format!("Uninterrupted: {epochs} in {}, weights {hash}", duration(time.as_secs_f64())));

    let mut rng = Rng::new(seed, Stream::Noise, 0, 0);
    let (mut kills, mut runs) = (0, 0);
    let mut bar = Bar::new(out, "Verifying", "kills", Some(args.kills.into()));
    while kills < args.kills {
        let (begun, limit) = (Instant::now(), time);
        let mut delay = || limit.mul_f64(f64::from(rng.uniform()));
        let killed = trial.killed(args.kills - kills, &mut delay)?;
        runs += 1;
        kills += killed;
        if killed == 0 {
            time = time.min(begun.elapsed()); // the first time there was more to do: a download, cold files
        }
        if let Some(difference) = whole.difference(&Ending::of(&trial.run)?) {
            let place = scratch.keep().shown().to_string();
            out.result(&json!({ "identical": false, "kills": kills, "runs": runs }));
            return Err(CliError::Different(format!(
                "DIFFERENT after {}: {difference}. Please report this; the run is kept in {place}",
                plural(killed as usize, "kill")
            )));
        }
        bar.above(|| {
            let times = plural(killed as usize, "time");
            out.say(format!(
                "Killed {times} and resumed: the same ({kills} of {})",
                plural(args.kills as usize, "kill")
            ));
        });
        bar.set(kills.into());
    }
    drop(bar);
    let (in_all, made) = (plural(kills as usize, "kill"), plural(runs as usize, "run"));
    out.say(format!("IDENTICAL: {in_all} in {made}, the same weights and figures every time"));
    let kept = args.out.as_deref().map(output::path);
    out.result(
        &json!({ "identical": true, "kills": kills, "runs": runs, "weights_sha256": hash, "out": kept }),
    );
    Ok(())
}

/// Where the runs are made, and a folder of this process alone for what it needs besides.
struct Scratch {
    path: PathBuf,
    private: TempDir,
}

impl Scratch {
    fn new(out: Option<&Path>) -> Result<Self, CliError> {
        let private = tempfile::Builder::new().prefix("wellfit-verify-resume-").tempdir();
        let private = private.map_err(CliError::write(std::env::temp_dir()))?;
        let path = out.unwrap_or(private.path()).to_path_buf();
        // What cannot be looked at may be a run, and `--force` would replace it.
        if file::may_exist(&path.join(RUN)) {
            return Err(CliError::Output(format!(
                "{} is there already: choose another --out",
                path.join(RUN).shown()
            )));
        }
        // The folder is left to the first run, which makes none before its settings and its data are right.
        Ok(Self { path, private })
    }

    fn keep(self) -> PathBuf {
        if self.path == self.private.path() { self.private.keep() } else { self.path }
    }
}

/// The run under trial, made by processes of this very program.
struct Trial<'a> {
    args: &'a VerifyResumeArgs,
    threads: usize,
    config: PathBuf,
    run: PathBuf,
    errors: PathBuf,
    signals: Signals,
    started: usize,
}

impl<'a> Trial<'a> {
    fn new(
        args: &'a VerifyResumeArgs,
        mut options: Options,
        threads: usize,
        scratch: &Scratch,
    ) -> Result<Self, CliError> {
        options.epochs.get_or_insert(EPOCHS);
        options.checkpoint_every.get_or_insert_with(|| Some(CHECKPOINT_EVERY.to_owned()));
        let private = scratch.private.path();
        let config = private.join("config.toml");
        let text = toml::to_string(&options).map_err(|error| CliError::Output(error.to_string()))?;
        atomic::replace(&config, text.as_bytes()).map_err(CliError::write(config.clone()))?;
        let (run, errors) = (scratch.path.join(RUN), private.join("errors.txt"));
        Ok(Self { args, threads, config, run, errors, signals: Signals::install()?, started: 0 })
    }

    /// Make the run in one go.
    fn whole(&mut self) -> Result<(), CliError> {
        let command = self.train();
        self.finish(command)
    }

    /// Make the run anew with at most so many kills, each some `delay` after a process began; gives how many.
    fn killed(&mut self, most: u32, delay: &mut dyn FnMut() -> Duration) -> Result<u32, CliError> {
        let mut command = self.train();
        for kills in 0..most {
            let mut child = self.spawn(command)?;
            if let Some(status) = self.wait(&mut child, Some(delay()))? {
                return self.judge(status).map(|()| kills);
            }
            // A process that was killed before it described its run left nothing to resume.
            command = if self.run.join("run.toml").is_file() { self.resume() } else { self.train() };
        }
        self.finish(command).map(|()| most)
    }

    fn train(&self) -> Command {
        let mut command = self.command(self.threads);
        command
            .args(["train", &self.args.data, "--force", "--config"])
            .arg(&self.config)
            .arg("--out")
            .arg(&self.run);
        command.args(self.args.place.words());
        command
    }

    fn resume(&self) -> Command {
        let threads = if self.threads == 0 { THREADS[self.started % THREADS.len()] } else { self.threads };
        let mut command = self.command(threads);
        command.arg("resume").arg(&self.run);
        command
    }

    fn command(&self, threads: usize) -> Command {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("wellfit"));
        let mut command = Command::new(program);
        command
            .args(["--quiet", "--threads", &threads.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        parent::bind(&mut command);
        command
    }

    fn spawn(&mut self, mut command: Command) -> Result<Child, CliError> {
        self.started += 1;
        let errors = fs::File::create(&self.errors).map_err(CliError::write(self.errors.clone()))?;
        command.stderr(errors);
        command.spawn().map_err(|error| CliError::Output(format!("cannot start another wellfit: {error}")))
    }

    fn finish(&mut self, command: Command) -> Result<(), CliError> {
        let mut child = self.spawn(command)?;
        match self.wait(&mut child, None)? {
            Some(status) => self.judge(status),
            None => Ok(()),
        }
    }

    /// Wait until a process ends; kill it after `limit`, which gives `None`.
    fn wait(&self, child: &mut Child, limit: Option<Duration>) -> Result<Option<ExitStatus>, CliError> {
        let start = Instant::now();
        let lost = |error| CliError::Output(format!("lost another wellfit: {error}"));
        loop {
            if let Some(status) = child.try_wait().map_err(lost)? {
                return Ok(Some(status));
            }
            let interrupted = self.signals.caught();
            if interrupted.is_some() || limit.is_some_and(|limit| start.elapsed() >= limit) {
                child.kill().and_then(|()| child.wait()).map_err(lost)?;
                return interrupted
                    .map_or(Ok(None), |name| Err(CliError::Interrupted(format!("interrupted by {name}"))));
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// A process that ended by itself must have succeeded.
    fn judge(&self, status: ExitStatus) -> Result<(), CliError> {
        if status.success() {
            return Ok(());
        }
        let errors = file::read_text(&self.errors, MOST_ERRORS).unwrap_or_default();
        let told = errors.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it said nothing");
        Err(CliError::from_code(status.code(), format!("the run under trial failed: {told}")))
    }
}

/// What must not depend on the kills.
struct Ending {
    weights: Vec<u8>,
    steps: Vec<u8>,
    epochs: Vec<EpochRecord>,
}

impl Ending {
    fn of(run: &Path) -> Result<Self, CliError> {
        let dir = RunDir::open(run)?;
        let model = SavedRun::read(&dir)?.info.model_file();
        let read = |name: &str| {
            let path = run.join(name);
            file::read_whole(&path)
                .map_err(|error| CliError::Output(format!("cannot read {}: {error}", path.shown())))
        };
        Ok(Self { weights: read(&model)?, steps: read("steps.jsonl")?, epochs: epochs(&dir.events()?.rows) })
    }

    fn hash(&self) -> String {
        sha256(&self.weights)
    }

    /// The first thing in which `other` differs.
    fn difference(&self, other: &Self) -> Option<String> {
        let figures = |of: &Self| {
            let row = |e: &EpochRecord| {
                let figures = [e.train_loss(), e.train_accuracy(), e.val_loss(), e.val_accuracy(), e.lr];
                (e.epoch, e.step, figures.map(f64::to_bits))
            };
            of.epochs.iter().map(row).collect::<Vec<_>>()
        };
        if self.weights != other.weights {
            Some(format!("the weights are {} instead of {}", other.hash(), self.hash()))
        } else if figures(self) != figures(other) {
            Some("the figures of an epoch differ".to_owned())
        } else if self.steps != other.steps {
            Some("the losses of the steps differ".to_owned())
        } else {
            None
        }
    }
}
