#!/usr/bin/env python3
"""Break one line at a time and require that the parity tests notice.

    python parity/mutants.py [NAME…]   # all, or those whose name contains one of the words
    python parity/mutants.py --write … # the same, and put what was found into the table in docs/parity.md

Works on a copy in target/mutants with a build of its own: cargo tells two copies of a workspace in one build directory
apart by the age of their files only, and would take what was built from a mutation for the real thing.
$CARGO may name another cargo.
"""
import os, pathlib, re, subprocess, sys, time
from generate import ROOT, copy

TREE = ROOT / "target/mutants"
BUILD = TREE / "target"
CARGO = os.environ.get("CARGO", "cargo")
OPTIM, LOSS, POOL = (f"kernels/src/{name}.rs" for name in ("optim", "loss", "pool"))
MOMENTS, NORM_BACKWARD = (f"kernels/src/norm/{name}.rs" for name in ("moments", "backward"))
NORM, CONV, LINEAR, PRODUCT, DROPOUT = (f"models/src/ops/{name}.rs" for name in ("batch_norm", "conv", "linear", "product", "dropout"))
BACKWARD, INIT = "models/src/passes/backward.rs", "models/src/graph/init.rs"
STOPPING, PLATEAU = "policy/src/early_stopping/mod.rs", "policy/src/reduce_on_plateau/mod.rs"
LAYERS, OPTIMIZERS, INITIAL = (f"models {name}" for name in ("layers", "optimizers", "initial"))
GOLDEN, PILLOW = "policy golden", "images pillow"
STEP, BF16 = "train/src/step.rs", "simd/src/vector/bf16.rs"
INT8, INTEGERS = "kernels/src/int8", "kernels int8"
TILES = "simd/src/tiles/emulated.rs"
PAIRED, CROSSED, BOUNDARY, SIGNS = (f"proof/src/{name}.rs" for name in ("paired", "crossed", "boundary", "sign_flip"))
STATISTICS, SIMULATED = "proof statistics", "proof simulated"

# What is broken, where, the line (found exactly once), what it becomes, the tests that must fail.
MUTANTS = [
    ("SGD without weight decay", OPTIM, "*w -= s.lr * (g + s.weight_decay * *w);", "*w -= s.lr * g;", OPTIMIZERS),
    ("SGD with momentum without weight decay", OPTIM, "let g = g + s.weight_decay * *w;", "", OPTIMIZERS),
    ("Nesterov ignored", OPTIM, "if s.nesterov { g + s.momentum * *b } else { *b }", "*b", OPTIMIZERS),
    ("dampening ignored", OPTIM, "1.0 - dampening as f32", "1.0", OPTIMIZERS),
    ("dampening of the first step", OPTIM, "if step == 1 { 1.0 }", "if step == 0 { 1.0 }", OPTIMIZERS),
    ("Adam without weight decay", OPTIM, "let g = g + s.decay * *w;", "", OPTIMIZERS),
    ("AdamW without weight decay", OPTIM, "(1.0 - lr * weight_decay) as f32", "1.0", OPTIMIZERS),
    ("AdamW's decay not scaled by the rate", OPTIM, "1.0 - lr * weight_decay", "1.0 - weight_decay", OPTIMIZERS),
    ("ε before the bias correction", OPTIM, "(v.sqrt() / s.root + s.eps)", "((v.sqrt() + s.eps) / s.root)", OPTIMIZERS),
    ("ε inside the root", OPTIM, "(v.sqrt() / s.root + s.eps)", "((*v + s.eps).sqrt() / s.root)", OPTIMIZERS),
    ("no bias correction of m", OPTIM, "(lr / power(beta1)) as f32", "lr as f32", OPTIMIZERS),
    ("no bias correction of v", OPTIM, "power(beta2).sqrt() as f32", "1.0", OPTIMIZERS),
    ("clipping without the 1e-6", OPTIM, "(limit / (norm + 1e-6)).min", "(limit / norm).min", OPTIMIZERS),
    ("gradients clipped tensor by tensor", BACKWARD,
     "self.0.iter_mut().flatten().for_each(|g| g.iter_mut().for_each(|g| *g *= factor));",
     "for g in self.0.iter_mut().flatten() { let f = optim::clip_factor(optim::global_norm([&**g].into_iter()), limit);"
     " g.iter_mut().for_each(|g| *g *= f); }", OPTIMIZERS),
    ("gradients not clipped in a step", STEP, "gradients.clip(limit);", "let _ = (limit, &mut gradients);", "train step"),
    ("dropout masks of the step before", STEP, "self.optimizer.step as u32 + 1", "self.optimizer.step as u32", "train step"),
    ("learning from a loss that is NaN", STEP, "updated: loss.value.is_finite()", "updated: true", "train step"),
    ("biased running variance", MOMENTS, "rows as f32 / (rows as f32 - 1.0)", "rows as f32 / rows as f32", LAYERS),
    ("unbiased variance normalises", MOMENTS, "(d / self.rows) as f32", "(d / (self.rows - 1.0)) as f32", LAYERS),
    ("statistics constant in the backward pass", NORM_BACKWARD, "let slope = if batch {", "let slope = if batch && rows < 0.0 {", LAYERS),
    ("BatchNorm's momentum the other way round", NORM, "momentum: 0.1", "momentum: 0.9", LAYERS),
    ("BatchNorm's ε as in Keras", NORM, "eps: 1e-5", "eps: 1e-3", LAYERS),
    ("frozen BatchNorm follows the batch", NORM, "let frozen = step.norm().is_some_and(|norm| norm.frozen || !training);", "let frozen = !training;", LAYERS),
    ("dropout not inverted", DROPOUT, "1.0 / (1.0 - p)", "1.0", LAYERS),
    ("dropout keeps what it should drop", DROPOUT, "*m = if *m < p {", "*m = if *m >= p {", LAYERS),
    ("dropout masks the same every step", DROPOUT, "Stream::Dropout, key.step, layer", "Stream::Dropout, 0, layer", LAYERS),
    ("no bias", PRODUCT, "&*network.parameters[place].value", "&network.parameters[place].value[..0]", LAYERS),
    ("label smoothing ignored", LOSS, "f64::from(self.label_smoothing)", "0.0", LAYERS),
    ("smoothing over the other classes only", LOSS, "weight(class) / classes as f64", "weight(class) / (classes - 1) as f64", LAYERS),
    ("smoothing without class weights", LOSS, "epsilon * weight(class) / classes", "epsilon / classes", LAYERS),
    ("class weights not in the mean", LOSS, "labels.iter().map(|&y| weight(y as usize)).sum()", "labels.len() as f64", LAYERS),
    ("squared error summed", LOSS, "let n = outputs.len() as f64;", "let n = 1.0;", LAYERS),
    ("max pooling padded with 0", POOL, "[f32::NEG_INFINITY; GROUP]", "[0.0; GROUP]", LAYERS),
    ("max pooling: the last of equal ones", POOL, "x > best || x.is_nan()", "x >= best || x.is_nan()", LAYERS),
    ("ReLU's gradient at 0", "kernels/src/elementwise.rs", "*dy = if y.to_f32() > 0.0 {", "*dy = if y.to_f32() >= 0.0 {", LAYERS),
    ("grouped convolution: weights' gradient from another group", "kernels/src/conv/grouped.rs", "let dy = self.gather(dy, self.group.channels_out, group);\n            dw.", "let dy = self.gather(dy, self.group.channels_out, 0);\n            dw.", LAYERS),
    ("kaiming_normal by a group's fan_out", "models/src/ops/grouped_conv.rs", "fan_out: channels * kernel", "fan_out: channels / groups * kernel", INITIAL),
    ("depth-wise convolution: a tap of the weights' gradient left out", "kernels/src/conv/depthwise/weight.rs", "for tap in 0..K {\n                    let Some(x) = self.input(tap) else { continue };\n                    let x = x.add(", "for tap in 1..K {\n                    let Some(x) = self.input(tap) else { continue };\n                    let x = x.add(", LAYERS),
    ("depth-wise convolution: the taps not turned round on the way back", "kernels/src/conv/depthwise/passes.rs", ".step_by(stride).rev().collect()", ".step_by(stride).collect()", LAYERS),
    ("SiLU's gradient without its second term", "kernels/src/activation.rs", "s * (1.0 + x * (1.0 - s))", "s", LAYERS),
    ("hard swish's slope behind a normalisation is its input's", "kernels/src/norm/swish.rs", "let g = dy.to_f32() * KIND.slope(x * scale + shift);", "let g = dy.to_f32() * KIND.slope(x);", LAYERS),
    ("hard sigmoid's slope at its kinks", "kernels/src/activation.rs", "if y > 0.0 && y < 1.0", "if y >= 0.0 && y <= 1.0", LAYERS),
    ("a gate's gradient without its input", "kernels/src/activation.rs", "*sum += dy.to_f32() * x.to_f32();", "*sum += dy.to_f32();", LAYERS),
    ("stochastic depth the same every step", "models/src/ops/stochastic_depth.rs", "dropout_mask(step.batch(), self.p, key,", "dropout_mask(step.batch(), self.p, crate::DropoutKey { step: 0, ..key },", LAYERS),
    ("stochastic depth not divided by the share kept", "models/src/ops/stochastic_depth.rs", "let factors = dropout_mask(step.batch(), self.p, key, step.step.node as u32);", "let mut factors = dropout_mask(step.batch(), self.p, key, step.step.node as u32);\n        factors.iter_mut().for_each(|f| *f *= 1.0 - self.p);", LAYERS),
    ("hard swish's gradient at -3", "kernels/src/activation.rs", "if x <= -3.0 {", "if x < -3.0 {", LAYERS),
    ("kaiming_normal by fan_in", CONV, "fan_out: channels * kernel", "fan_out: inputs[0].channels * kernel", INITIAL),
    ("kaiming_uniform", INIT, "deviation * rng.normal()", "deviation * rng.uniform_in(-1.732, 1.732)", INITIAL),
    ("linear bias 0", INIT, "*w = rng.uniform_in(-bound, bound)", "*w = if self.shape.len() == 1 { 0.0 } else { rng.uniform_in(-bound, bound) }", INITIAL),
    ("early stopping one epoch late", STOPPING, "counter >= self.config.patience", "counter > self.config.patience", GOLDEN),
    ("NaN improves at first", STOPPING, "map_or(!metric.is_nan(), |", "map_or(true, |", GOLDEN),
    ("NaN improves later", STOPPING, "metric == bar || mode.is_better(metric, bar)", "!mode.is_better(bar, metric)", GOLDEN),
    ("ties do not improve (book)", STOPPING, "metric == bar || mode", "mode", GOLDEN),
    ("baseline ignored", STOPPING, "if baseline.is_none() || self", "if baseline.is_none() || metric < 1e9 || self", GOLDEN),
    ("Lightning's metric in f64", STOPPING, "{ to_f32(metric) } else { metric }", "{ metric } else { metric }", GOLDEN),
    ("torch's plateau one epoch early", PLATEAU, "state.bad_epochs <= config.patience", "state.bad_epochs < config.patience", GOLDEN),
    ("Keras' plateau one epoch late", PLATEAU, "state.bad_epochs < config.patience ||", "state.bad_epochs <= config.patience ||", GOLDEN),
    ("threshold absolute, not relative", PLATEAU, "best * (1.0 - threshold)", "best - threshold", GOLDEN),
    ("no cooldown", PLATEAU, "state.cooldown_left = config.cooldown;\n        state.bad_epochs = 0;\n        let", "state.bad_epochs = 0;\n        let", GOLDEN),
    ("min_lr ignored", PLATEAU, "let lower = (state.lr * config.factor).max(config.min_lr);", "let lower = state.lr * config.factor;", GOLDEN),
    ("eps ignored", PLATEAU, "lower > config.eps", "lower > 0.0", GOLDEN),
    ("bilinear without antialiasing", "images/src/resize/taps.rs", "let filter_scale = scale.max(1.0);", "let filter_scale = 1.0_f64;", PILLOW),
    ("truncated between the passes", "images/src/resize/mod.rs", "const HALF: u32 = 1 << (PRECISION_BITS - 1);", "const HALF: u32 = 0;", PILLOW),
    ("always rows before columns", "images/src/resize/mod.rs", "height > 0 && height > 2 * width", "height > 0 && height > 1_000_000 * width.abs() + 1_000_000", PILLOW),
    ("int8: the input's zero not taken off", f"{INT8}/layer.rs", "-i32::from(scales.from.zero) * sum", "0 * i32::from(scales.from.zero) * sum", INTEGERS),
    ("int8: padding with the code 0", f"{INT8}/patches.rs", "Codes::filled(conv.channels_in.next_multiple_of(4), from.zero)", "Codes::filled(conv.channels_in.next_multiple_of(4), 0)", INTEGERS),
    ("int8: padding of few channels with the code 0", f"{INT8}/patches.rs", "pad(conv, x, wide, from.zero, &mut copy)", "pad(conv, x, wide, 0, &mut copy)", INTEGERS),
    ("int8: ties rounded up", f"{INT8}/affine.rs", "(x + ROUND).to_bits() as u8", "{ let _ = ROUND; (x + 0.5) as u8 }", INTEGERS),
    ("int8: AVX2's odd weights without a sign", f"{INT8}/x86.rs", "_mm256_srai_epi16::<8>(weights)]", "_mm256_srli_epi16::<8>(weights)]", INTEGERS),
    ("int8: the residual's zero added", f"{INT8}/layer.rs", "+ f64::from(zero) - residual_shift", "+ f64::from(zero) - 0.0 * residual_shift", INTEGERS),
    ("int8: normalisation not folded", "models/src/int8/quantised.rs", "(Some(scale), Some(shift))", "(Some(vec![1.0; scale.len()]), Some(shift))", "models int8"),
    ("int8: ReLU forgotten", "models/src/int8/pass.rs", "relu: step.relu,", "relu: false,", "models int8"),
    ("int8: weights in another layout in the file", "models/src/int8/file.rs", "weight.permute(&floats, &mut ours);", "ours.copy_from_slice(&floats);", "models int8"),
    ("chroma repeated, not interpolated", "images/src/jpeg/upsample.rs", "((3 * near + far + 8", "((4 * near + 0 * far + 8", PILLOW),
    ("bf16 cut off, not rounded", BF16, "bits.wrapping_add(0x7fff + (bits >> 16 & 1))", "bits", "kernels bf16"),
    ("ties of bf16 away from zero", BF16, "0x7fff + (bits >> 16 & 1)", "0x8000", "kernels bf16"),
    ("a NaN rounded to bf16 as a number", BF16, "if x.is_nan() { bits | 0x0040_0000 } else { rounded }", "rounded", "kernels bf16"),
    ("the second number of a lane left out", "kernels/src/product/pack.rs", "to[i] = E::lane(first[i], second[i]);",
     "to[i] = E::lane(first[i], E::default());", "kernels bf16"),
    ("the second weight of a lane left out", "kernels/src/product/panels.rs", ".filter(|second| !second.is_empty())",
     ".filter(|second| second.len() > columns)", "kernels bf16"),
    ("weights not rounded by Winograd's method", "kernels/src/conv/winograd/entry.rs", "let w = &E::rounded(w);", "", "kernels bf16"),
    ("outputs rounded to bf16", LINEAR, "if E::PER_LANE == 1 || !step.gives_outputs()", "if true || !step.gives_outputs()", "models bf16"),
    ("tiles keep numbers near zero", TILES, "if x.abs() < f32::MIN_POSITIVE", "if x.is_nan()", "simd tiles"),
    ("tiles sum both halves of a pair together", TILES, "*second = flushed(a[1].mul_add(b[1], *second));", "*first = flushed(a[1].mul_add(b[1], *first));", "simd tiles"),
    ("trial: deviation by n", PAIRED, "(squares / (count - 1.0)).sqrt()", "(squares / count).sqrt()", STATISTICS),
    ("trial: interval one-sided", "proof/src/distributions.rs", "t.inverse_cdf(1.0 - alpha / 2.0)", "t.inverse_cdf(1.0 - alpha)", STATISTICS),
    ("trial: sign flips one-sided", SIGNS, "2.0 * reached as f64", "reached as f64", STATISTICS),
    ("trial: equal sums not counted", SIGNS, ".abs() - TIE * total;", ".abs() + TIE * total;", STATISTICS),
    ("trial: images' variance left out", CROSSED, "let left = match (seeds.0 + rest.0 < 0.0, images.0 + rest.0 < 0.0) {", "let left = match (seeds.0 + rest.0 < 0.0, images.0 > -1.0) {", STATISTICS),
    ("trial: the rest counted twice", CROSSED, "(-rest / ((s - 1.0) * (n - 1.0)) / (s * n),", "(rest / ((s - 1.0) * (n - 1.0)) / (s * n),", STATISTICS),
    ("trial: e-value without its prior", BOUNDARY, "whole.powf(-0.5) * ratio", "ratio", STATISTICS),
    ("trial: margin at the two-sided level", BOUNDARY, "Boundary::Fixed => 2.0 * alpha,", "Boundary::Fixed => alpha,", STATISTICS),
    ("trial: McNemar one-sided", "proof/src/flips.rs", "(2.0 * coins_at_most(", "(1.0 * coins_at_most(", STATISTICS),
    ("trial: Holm without order", "proof/src/several.rs", "(p.len() - rank) as f64", "p.len() as f64", STATISTICS),
    ("trial: pairs for another power", "proof/src/power.rs", "pub const POWER: f64 = 0.8;", "pub const POWER: f64 = 0.9;", STATISTICS),
    ("trial: effects as coefficients", "proof/src/factorial.rs", "let half = cells as f64 / 2.0;", "let half = cells as f64;", STATISTICS),
    ("trial: sure too early", "proof/src/verdict/rule.rs", "Stage::Sequential => (e_value(paired) >= 1.0 / share, Boundary::Anytime),", "Stage::Sequential => (paired.t_p() <= share, Boundary::Anytime),", SIMULATED),
    ("trial: each technique at the whole α", "proof/src/verdict/rule.rs", "Stage::Complete => (adjusted <= design.alpha, Boundary::Fixed),", "Stage::Complete => (paired.t_p() <= design.alpha, Boundary::Fixed),", SIMULATED),
]


def cargo(target: str):
    crate, test = target.split()
    command = [CARGO, "test", "--quiet", "-p", f"wellfit-{crate}", "--test", test]
    environment = os.environ | {"CARGO_TARGET_DIR": str(BUILD), "RUST_BACKTRACE": "0", "PROPTEST_CASES": "1"}
    found = subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True, timeout=900)
    return found.returncode, found.stdout + found.stderr


def prepare(chosen):
    """Every mutation has its place, and the tests pass without one."""
    copy(TREE)
    for name, file, old, *_ in MUTANTS:
        count = (TREE / "crates" / file).read_text().count(old)
        if count != 1:
            sys.exit(f"{name}: {file} has `{old}` {count} times")
    for target in sorted({mutant[4] for mutant in chosen}):
        code, output = cargo(target)
        if code != 0:
            sys.exit(f"{target} fails without a mutation:\n{output}")


def try_one(name, file, old, new, target):
    """The tests that fail."""
    path = TREE / "crates" / file
    source = path.read_text()
    path.write_text(source.replace(old, new))
    try:
        code, output = cargo(target)
        if "\nrunning " not in output:
            sys.exit(f"{name} does not compile:\n{output}")
        failures = output.rpartition("\nfailures:\n")[2] if code else ""
        return re.findall(r"^    ([\w:]+)$", failures, re.M)
    finally:
        path.write_text(source)


def write(found: dict):
    """Put rows into the document's table; those of mutations not tried now stay."""
    page = ROOT / "docs/parity.md"
    head, title, rest = page.read_text().partition("| broken on purpose |")
    lines = rest.split("\n")
    end = next((i for i, line in enumerate(lines[2:], 2) if not line.startswith("|")), len(lines))
    rows = {line.split(" | ")[0][2:]: line for line in lines[2:end]}
    for name, file, *_ in MUTANTS:
        if name in found:
            rows[name] = f"| {name} | `{file}` | {', '.join(f'`{test}`' for test in found[name]) or '**none**'} |"
    table = [rows[mutant[0]] for mutant in MUTANTS if mutant[0] in rows]
    page.write_text(head + title + "\n".join(lines[:2] + table + lines[end:]))


def main():
    words = [word for word in sys.argv[1:] if word != "--write"]
    chosen = [m for m in MUTANTS if not words or any(word in m[0] for word in words)]
    prepare(chosen)
    alive = []
    for mutant in chosen:
        start, failed = time.monotonic(), try_one(*mutant)
        alive += [] if failed else [mutant[0]]
        print(f"{mutant[0]:45} {', '.join(failed) or 'LIVES':60} {time.monotonic() - start:5.1f} s", flush=True)
        if "--write" in sys.argv:
            write({mutant[0]: failed})
    print(f"{len(chosen) - len(alive)} of {len(chosen)} mutations are noticed", *alive, sep="\n")
    sys.exit(bool(alive))


if __name__ == "__main__":
    main()
