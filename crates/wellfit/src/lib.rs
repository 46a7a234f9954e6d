//! Train image classifiers that neither under- nor overfit, and prove which technique did it.
//!
//! This is the facade of the toolkit: each part is a crate of its own, found here under one name. The
//! `wellfit` command is built from the same parts.
//!
//! | module | from → to |
//! |---|---|
//! | [`run`] | settings → run; run → classifier |
//! | [`images`] | bytes → pixels |
//! | [`data`] | files → batches |
//! | [`models`] | batches → logits, and back to gradients |
//! | [`fetch`] | names of pretrained weights → files |
//! | [`policy`] | metrics → decisions: early stopping, learning rates |
//! | [`proof`] | paired runs → verdicts |
//! | `tune` | search space → trials |
//! | [`train`] | model + data → record |
//! | [`record`] | the run on disk |
//! | [`cluster`] | processes that train one network: sums and messages |
//! | [`diagnose`] | curves, ours or another tool's → findings |
//! | `serve` | classifier → answers over HTTP |
//! | [`plot`] | numbers → pictures |
//! | [`report`] | record and findings → a page, CSV, TensorBoard |
//! | [`gpu`] | the passes of a network on a GPU |
//! | [`base`], [`simd`], [`kernels`], [`rng`], [`weights`] | what they use: files, vectors, arithmetic, random numbers, weight files |
//!
//! # Every part by an example
//!
//! ## [`run`]: settings → run; run → classifier
//!
//! ```
//! use wellfit::data::{OpenOptions, open};
//! use wellfit::run::{Classifier, RunSpec, train};
//!
//! let folder = tempfile::tempdir()?;
//! let spec = RunSpec { model: "mlp-bn".to_owned(), epochs: 2, ..RunSpec::for_sample() };
//! let run = train(&spec, &"sample".into(), &folder.path().join("run").as_path().into(), &mut ())?;
//!
//! let classifier = Classifier::open(&run.run)?;
//! let test = open("sample", &OpenOptions::default(), &|_| ())?.test.ok_or("the sample has a test part")?;
//! let found = classifier.evaluate(&test, 100, &mut ())?;
//! assert!(found.accuracy > 0.7, "{}", found.accuracy);
//! let (class, probability) = classifier.predict(&[test.image(0)?])?[0].ranks()[0];
//! println!("{} with probability {probability:.2}", classifier.classes[class]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`cluster`]: processes that train one network
//!
//! ```
//! use wellfit::cluster::{Link, threads};
//!
//! // Four members of a group, here threads; under an MPI launcher they are processes.
//! let sum = |group| Link::new(group).map(|link| link.sum(vec![0.25, 1.0]).wait());
//! let members: Vec<_> = threads(4).into_iter().map(|group| std::thread::spawn(move || sum(group))).collect();
//! for member in members {
//!     assert_eq!(member.join().map_err(|_| "a member failed")???, [1.0, 4.0]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`data`]: files → batches
//!
//! ```
//! use wellfit::data::{Augmentations, Loader, LoaderOptions, OpenOptions, Preprocessing, open, stratified};
//!
//! let splits = open("sample", &OpenOptions::default(), &|_| ())?;
//! let (train, val) = stratified(&splits.train.labels, splits.train.classes.len(), 0.2, 0)?;
//! assert_eq!((train.len(), val.len()), (4640, 1160));
//! let preprocessing = Preprocessing::new((28, 28), 1, vec![0.286], vec![0.353]);
//! let augmentations = Augmentations::named(["horizontal_flip"])?;
//! let options = LoaderOptions { batch_size: 4, shuffle: true, ..LoaderOptions::default() };
//! let loader = Loader::new(splits.train.subset(&train), preprocessing, augmentations, options)?;
//! let batch = loader.epoch(0).next().ok_or("an empty epoch")??;
//! assert_eq!((batch.shape, batch.labels.len()), ([4, 28, 28, 1], 4));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`images`]: bytes → pixels
//!
//! ```
//! use std::path::Path;
//! use wellfit::images::{Interpolation, decode_bytes, resize, with_channels};
//!
//! let image = decode_bytes(b"P5 2 1 255\n\x0a\x14", Path::new("two.pgm"))?;
//! assert_eq!((image.height, image.width, image.channels), (1, 2, 3));
//! assert_eq!(resize(&image.pixels, (1, 2), 3, (1, 1), Interpolation::Bilinear), [15; 3]);
//! assert_eq!(with_channels(&image.pixels, 3, 1)[..], [10, 20]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`models`]: batches → logits, and back to gradients
//!
//! ```
//! use wellfit::kernels::{loss::CrossEntropy, optim::Rule};
//! use wellfit::models::{DropoutKey, MODELS, Optimizer, Shape, build};
//!
//! assert!(MODELS.contains(&"resnet50"));
//! let mut network = build("mlp-bn", Shape::image(28, 28, 1), 10)?;
//! network.initialise(0);
//! let mut optimizer = Optimizer::new(Rule::ADAM, &network);
//! let (images, labels) = (vec![0.5; 2 * 784], [3, 7]);
//! let mut step = |number| {
//!     let tape = network.forward(&images, DropoutKey { seed: 0, step: number, row: 0 })?;
//!     let loss = CrossEntropy::default().loss(tape.outputs(), &labels, 10);
//!     let gradients = network.backward(tape, loss.gradient);
//!     optimizer.update(&mut network, &gradients, 0.001);
//!     Ok::<f64, wellfit::models::ModelError>(loss.value)
//! };
//! assert!(step(0)? > step(1)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`train`]: a training step by hand
//!
//! ```
//! use wellfit::kernels::optim::Rule;
//! use wellfit::models::arch::mlp::regressor;
//! use wellfit::train::{MeanSquaredError, Trainer};
//!
//! // One number in, one out: the step that all training takes, with a loss of one's own choice.
//! let mut network = regressor(16, None);
//! network.initialise(0);
//! let mut trainer = Trainer::new(network, Rule::ADAM, MeanSquaredError, 0);
//! let mut losses = Vec::new();
//! for _ in 0..200 {
//!     losses.push(trainer.step(&[0.5, 1.0], &[1.0, 2.0], 0.01)?.loss);
//! }
//! assert!(losses[199] < 0.01 * losses[0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`policy`]: metrics → decisions
//!
//! ```
//! use wellfit::policy::{EarlyStopping, EarlyStoppingConfig, PlateauConfig, ReduceLrOnPlateau, Semantics};
//!
//! let patient = EarlyStoppingConfig { patience: 2, ..EarlyStoppingConfig::default() };
//! let mut stopping = EarlyStopping::new(patient)?;
//! let mut plateau = ReduceLrOnPlateau::new(PlateauConfig::textbook(Semantics::Torch).with("patience=1")?, 0.1)?;
//! let mut ends = 0;
//! for (epoch, loss) in (1..).zip([0.9, 0.5, 0.6, 0.7, 0.8]) {
//!     plateau.observe(loss);
//!     if stopping.observe(epoch, loss).stop.is_some() {
//!         ends = epoch;
//!         break;
//!     }
//! }
//! assert_eq!((ends, plateau.lr()), (4, 0.05));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`record`]: the run on disk
//!
//! ```
//! use wellfit::record::{CheckpointInfo, EpochRecord, Event, Metric, Metrics, RunDir, RunWriter, epochs};
//!
//! let folder = tempfile::tempdir()?;
//! let place = folder.path().join("run");
//! let mut run = RunWriter::create(Some(&place), "mlp", false)?;
//! run.write_run_toml(&std::collections::BTreeMap::from([("seed", 7)]))?;
//! run.checkpoint("last", &[("model.bin", b"weights")], CheckpointInfo { epoch: 1, ..Default::default() })?;
//! let metrics = Metric::ALL.into_iter().map(|metric| (metric, 0.5)).collect::<Metrics>();
//! run.event(&Event::Epoch(EpochRecord { epoch: 1, metrics, ..Default::default() }))?;
//!
//! let run = RunDir::open(&place)?;
//! assert_eq!(epochs(&run.events()?.rows).len(), 1);
//! let last = run.newest_good(Some("last"))?.found.ok_or("no checkpoint")?;
//! assert_eq!(last.files["model.bin"], b"weights");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`diagnose`]: curves → findings
//!
//! ```
//! use wellfit::diagnose::{Asked, Name, diagnose, log};
//!
//! let csv = "epoch,train_loss,val_loss\n1,0.9,0.8\n2,0.5,0.6\n3,0.4,0.5\n4,0.3,0.6\n5,0.2,0.7\n6,0.1,0.8\n7,0.05,0.9\n";
//! let diagnosis = diagnose(&log::of_bytes(csv.into(), "log.csv", &Asked::default())?);
//! let finding = &diagnosis.findings[0];
//! assert_eq!((finding.name, finding.onset), (Name::Overfitting, Some(3)));
//! assert_eq!(finding.advice[0].flag.name(), "--early-stopping");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`proof`]: paired runs → verdicts
//!
//! ```
//! use wellfit::proof::{Boundary, Paired, equivalent, fewest_pairs, sign_flip_p};
//!
//! // Accuracies of six seeds, without and with a technique.
//! let pairs = Paired::of_arms(&[0.80, 0.79, 0.81, 0.80, 0.78, 0.80], &[0.82, 0.82, 0.83, 0.82, 0.81, 0.83])?;
//! assert!((pairs.mean() - 0.025).abs() < 1e-9);
//! assert_eq!((sign_flip_p(&pairs), fewest_pairs(0.05)?), (2.0 / 64.0, 6));
//! let interval = pairs.t_interval(0.05);
//! assert!(interval.low > 0.0 && !equivalent(&pairs, Boundary::Fixed, 0.005, 0.05));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## `tune`: search space → trials
//!
//! ```
//! use wellfit::tune::{Direction, Known, Sampler, Space};
//!
//! let (space, _fixed) = Space::parse("lr = { low = 1e-4, high = 1e-1, log = true }\nepochs = 3\n")?;
//! let given = serde_json::Map::new();
//! let known = Known { trials: &[], direction: Direction::Maximize, seed: 0, given: &given };
//! let values = Sampler::Random.suggest(&space, &known, 0).ok_or("a trial")?;
//! assert_eq!((space.parameters[0].name.as_str(), values.len()), ("lr", 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`plot`]: numbers → pictures
//!
//! ```
//! use wellfit::plot::{Look, Mark, Theme, loss_chart};
//!
//! let mut chart = loss_chart(&[0.9, 0.5, 0.3, 0.2], &[0.8, 0.6, 0.55, 0.7]);
//! chart.marks.push(Mark { x: 3.0, label: "best epoch".to_owned() });
//! assert!(chart.svg(Theme::Light).contains("best epoch"));
//! assert!(chart.draw(Look::PLAIN).to_png_bytes()?.starts_with(b"\x89PNG"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`report`]: a run → a page
//!
//! ```
//! use wellfit::report::{MOST_BYTES, RunReport, rows, run_page};
//! use wellfit::run::{RunSpec, train};
//!
//! let folder = tempfile::tempdir()?;
//! let spec = RunSpec { model: "mlp".to_owned(), epochs: 1, ..RunSpec::for_sample() };
//! let place = folder.path().join("run");
//! train(&spec, &"sample".into(), &place.as_path().into(), &mut ())?;
//!
//! let run = RunReport::read(&place)?;
//! let page = run_page(&run)?;
//! assert!(page.starts_with("<!DOCTYPE html>") && page.len() < MOST_BYTES);
//! assert_eq!(rows::json_lines(&run).iter().filter(|&&byte| byte == b'\n').count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## `serve`: a classifier → answers over HTTP
//!
//! ```no_run
//! use wellfit::run::Classifier;
//! use wellfit::serve::{Server, Settings};
//!
//! let server = Server::bind(Classifier::open("runs/first".as_ref())?, Settings::default())?;
//! println!("http://{}", server.address());
//! server.run(&|| false, &mut |_| ())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`fetch`]: names of weights → files
//!
//! ```
//! use wellfit::fetch::{Name, Settings, Store};
//!
//! assert!(matches!(Name::parse("hf:timm/resnet18.a1_in1k".as_ref())?, Some(Name::Hub(_))));
//! // Only on this machine: what is not there is an error, with the places that were looked at.
//! let folder = tempfile::tempdir()?;
//! let store = Store::new(Settings::from_env(Some(folder.path().into()), true));
//! assert!(store.torchvision("resnet18-f37072fd.pth", &mut |_| ()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`weights`]: weight files
//!
//! ```
//! use wellfit::weights::{Array, Data, WeightFile, from_bytes, to_pth_bytes, to_safetensors_bytes};
//!
//! let mut weights = WeightFile::default();
//! weights.arrays.push(("fc.bias".into(), Array { shape: vec![2], data: Data::F32(vec![0.5, -1.0]) }));
//! assert_eq!(from_bytes(&to_pth_bytes(&weights)?)?, weights);
//! assert_eq!(from_bytes(&to_safetensors_bytes(&weights)?)?, weights);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`kernels`]: the arithmetic
//!
//! ```
//! use wellfit::kernels::loss::{CrossEntropy, argmax, softmax};
//! use wellfit::kernels::{elementwise, optim};
//!
//! // Two images, three classes.
//! let logits = [2.0, 0.0, 1.0, 0.0, 3.0, 0.0];
//! let loss = CrossEntropy::default().loss(&logits, &[0, 1], 3);
//! assert!((loss.value - 0.2513).abs() < 1e-4);
//! assert_eq!((argmax(&logits[..3]), softmax(&[0.0, 0.0])), (0, vec![0.5, 0.5]));
//! assert_eq!(elementwise::relu(&[-1.0, 2.0])[..], [0.0, 2.0]);
//! assert_eq!(optim::global_norm([&[3.0][..], &[4.0]].into_iter()), 5.0);
//! ```
//!
//! ## [`simd`]: vectors and threads
//!
//! ```
//! use wellfit::simd::{Bf16, Buffer, InstructionSet, Threads, parallel};
//!
//! let threads = Threads::new(2)?;
//! assert_eq!(threads.run(parallel::threads), 2);
//! assert!(InstructionSet::available().contains(&InstructionSet::current()));
//! assert_eq!(Bf16::rounded(1.0 + 1.0 / 512.0).widened(), 1.0);
//! assert_eq!(Buffer::<f32>::zeroed(3)[..], [0.0; 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`gpu`]: devices
//!
//! ```
//! use wellfit::gpu::{Device, open};
//!
//! let device: Device = "cpu".parse()?;
//! assert_eq!(device, Device::Cpu);
//! let engine = open(device)?;
//! // What it computes is in ordinary memory: nothing has to be uploaded.
//! let network = wellfit::models::build("mlp", wellfit::models::Shape::image(8, 8, 1), 2)?;
//! assert!(engine.upload(&network)?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## [`rng`]: random numbers
//!
//! ```
//! use wellfit::rng::{Rng, Stream};
//!
//! let draw = |epoch| Rng::new(0, Stream::Shuffle, epoch, 0).permutation(10);
//! assert_eq!(draw(3), draw(3));
//! assert_ne!(draw(3), draw(4));
//! ```
//!
//! ## [`base`]: files, hashes, words
//!
//! ```
//! use std::path::Path;
//! use wellfit::base::{Shown, figures, hash, words};
//!
//! assert_eq!((figures::percent(0.876), words::plural(5, "image")), ("87.6 %".into(), "5 images".into()));
//! assert!(hash::sha256(b"weights").starts_with("9a129038"));
//! // A name from a file cannot steer a terminal.
//! assert_eq!(Path::new("cat\u{1b}[2J.png").shown(), r"cat\u{1b}[2J.png");
//! ```

pub use wellfit_base as base;
pub use wellfit_cluster as cluster;
pub use wellfit_data as data;
pub use wellfit_diagnose as diagnose;
pub use wellfit_fetch as fetch;
pub use wellfit_gpu as gpu;
pub use wellfit_images as images;
pub use wellfit_kernels as kernels;
pub use wellfit_models as models;
pub use wellfit_plot as plot;
pub use wellfit_policy as policy;
pub use wellfit_proof as proof;
pub use wellfit_record as record;
pub use wellfit_report as report;
pub use wellfit_rng as rng;
pub use wellfit_run as run;
#[cfg(feature = "serve")]
pub use wellfit_serve as serve;
pub use wellfit_simd as simd;
pub use wellfit_train as train;
#[cfg(feature = "tune")]
pub use wellfit_tune as tune;
pub use wellfit_weights as weights;
