//! Training on a GPU, which may be Mesa's software renderer; fails where there is none.

use crate::bench::{Bench, Outcome};
use crate::material::RESNET;

fn animals() -> Bench {
    let bench = Bench::new();
    bench.animals();
    bench
}

/// The training losses of a run's steps, then the validation losses of its epochs.
fn losses(bench: &Bench, run: &str) -> Vec<f64> {
    let steps = bench.lines(&format!("{run}/steps.jsonl"));
    let epochs = bench.events(run, "epoch");
    let trained = steps.iter().map(|step| &step["losses"]["loss"]);
    let validated = epochs.iter().map(|epoch| &epoch["val_loss"]);
    trained.chain(validated).map(|loss| loss.as_f64().unwrap()).collect()
}

#[test]
fn a_run_on_the_gpu_loses_what_one_on_the_processor_loses() {
    let bench = animals();
    let line = format!("train animals {RESNET} --exact-conv --epochs 2 --batch-size 5 --lr 0.0001");
    bench.run(&format!("{line} --out cpu")).succeeds().says("Computation device: cpu");
    bench.run(&format!("{line} --out gpu --device wgpu")).succeeds().says("Computation device: wgpu (");
    let (cpu, gpu) = (losses(&bench, "cpu"), losses(&bench, "gpu"));
    assert_eq!(cpu.len(), gpu.len());
    for (step, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
        // Rounding grows from step to step: a hundred times as much as after one step is still little.
        assert!((cpu - gpu).abs() < 1e-3 * cpu.abs(), "{step}: {gpu} instead of {cpu}");
    }
    assert_ne!(cpu, gpu, "both were computed on the processor");

    let evaluate = |device: &str| {
        let outcome = bench.run(&format!("evaluate gpu animals --device {device} --json")).succeeds();
        outcome.json()["loss"].as_f64().unwrap()
    };
    let (cpu, gpu) = (evaluate("cpu"), evaluate("wgpu"));
    assert!((cpu - gpu).abs() < 1e-4 * cpu, "{gpu} instead of {cpu}");
}

#[test]
fn a_killed_run_goes_on_there_to_the_same_bits() {
    let bench = animals();
    let data = format!("animals {RESNET} --device wgpu --epochs 2 --batch-size 5 --checkpoint-every 1steps");
    bench.run(&format!("verify-resume {data} --kills 2 --out trial")).succeeds().says("IDENTICAL: 2 kills");
    assert_eq!(bench.toml("trial/run/run.toml")["config"]["device"].as_str(), Some("wgpu"));
}

#[test]
fn a_machine_without_a_driver_is_told_so() {
    let bench = animals();
    let line = "train animals --device wgpu --out run";
    let mut command = bench.command(line);
    command.env("VK_DRIVER_FILES", "/nowhere.json").env("VK_ICD_FILENAMES", "/nowhere.json");
    let outcome = Outcome::new(line, &command.output().unwrap()).exits(2);
    outcome.complains("error: no GPU can be used by --device wgpu: ");
    outcome.complains("its driver is installed");
    assert!(!outcome.to_string().contains("panicked") && !bench.has("run"), "{outcome}");
}

#[test]
fn a_measured_step_copies_images_and_outputs_only() {
    let bench = Bench::new();
    let line = "bench resnet20 --batch-size 4 --image-size 16 --steps 3 --device wgpu --json";
    let outcome = bench.run(line).succeeds();
    outcome.complains("3 steps after one to warm up (wgpu (");
    let result = outcome.json();
    let (images, outputs) = (4 * 4 * 16 * 16, 4 * 4 * 10);
    assert_eq!(result["step_uploads_bytes"], images + outputs, "{result}");
    assert_eq!(result["step_downloads_bytes"], outputs, "{result}");
    assert!(
        result["train_step_s"].as_f64().unwrap() > 0.0 && result["eval_forward_s"].as_f64().unwrap() > 0.0
    );
    assert!(result["forward_s"].is_null(), "{result}");
    bench.run("bench resnet20 --device wgpu --profile").exits(2).complains("--profile needs --device cpu");
}
