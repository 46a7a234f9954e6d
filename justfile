# The commands of this project; `just` lists them.

default:
    @just --list

# Format, lints and docs, as CI checks them
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# All tests
test:
    cargo test --workspace

# Everything CI runs
ci:
    .ci/run

# Licences, sources and known vulnerabilities of the dependencies (needs cargo-deny: `cargo install --locked cargo-deny`)
deny:
    cargo deny --all-features --locked check

# The first command of the README
sample:
    cargo run --release -- train sample

# Make all fixtures again from the real packages in a temporary copy; fails if they differ beyond rounding
parity python="python3":
    {{python}} parity/generate.py --check

# The same in place: for new cases, or new versions in parity/requirements.txt
parity-update python="python3":
    {{python}} parity/generate.py

# Print the parity tests' rows and write them into docs/parity.md
parity-table:
    WELLFIT_PARITY_TABLE=1 cargo test --workspace --no-fail-fast -- --nocapture | grep -o '| .* |$'

# Break one line after another: the parity tests must fail each time (writes the table in docs/parity.md)
mutants:
    python3 parity/mutants.py --write

# Damaged inputs for every parser, a million each unless told otherwise (docs/hostile-files.md)
fuzz inputs="1000000":
    WELLFIT_FUZZ={{inputs}} cargo test -p wellfit-images -p wellfit-data -p wellfit-weights -p wellfit-record -p wellfit-proof -p wellfit-diagnose -p wellfit-train --test fuzz -- --nocapture
    WELLFIT_FUZZ={{inputs}} cargo test -p wellfit-run --lib fuzz -- --nocapture
    WELLFIT_FUZZ={{inputs}} cargo test -p wellfit-diagnose --lib damaged -- --nocapture

# Command lines that nobody means, and all hostile file-system objects at all paths, through the binary (docs/hostile-files.md)
hostile lines="2000":
    WELLFIT_HOSTILE={{lines}} cargo test -p wellfit --test hostile -- --nocapture

# Damaged images only, 42,000 for each format unless told otherwise; a panic of ours fails, one of a foreign decoder must be an error
fuzz-images inputs="42000":
    WELLFIT_FUZZ={{inputs}} cargo test -p wellfit-images --test fuzz -- --nocapture --test-threads 1

# Pillow's own test images through the decoder: refused and differing ones (DIR is Tests/images of Pillow's source)
pillow-images dir python="python3":
    cargo build -p wellfit-images --example decode
    {{python}} scripts/pillow_images.py {{dir}}

# The same guided by coverage: `image`, `idx` or `weights` (needs nightly Rust and cargo-fuzz)
fuzz-coverage target="image" seeds="crates/images/tests/fixtures/pillow" inputs="1000000":
    mkdir -p fuzz/corpus/{{target}}
    cargo +nightly fuzz run -s none --fuzz-dir fuzz {{target}} fuzz/corpus/{{target}} {{seeds}} -- \
        -runs={{inputs}} -timeout=1 -rss_limit_mb=1024 -max_len=5000

# The kernels' tests under the address sanitizer (x86-64 Linux), with and without vectors
asan:
    for simd in scalar avx2; do \
        WELLFIT_SIMD=$simd RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan \
            cargo test -p wellfit-simd -p wellfit-kernels --tests --target x86_64-unknown-linux-gnu || exit 1; \
    done

# Kill -9 a small real run at 1,000 random moments, resume each time, compare weights and figures
kill-test kills="1000":
    cargo run -- verify-resume sample --model mlp --batch-size 128 --kills {{kills}}

# Let every write, fsync and rename of a run fail (full disk, I/O error, half a write), then resume it
fault-test:
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-record --test faults
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-train --test broken -- --nocapture disk

# Every truncation of a checkpoint and 100,000 flipped bits are found out; the run goes on from the one before
corruption-test:
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-train --test broken -- --nocapture checkpoint

# The same bits on 1, 2 and 4 threads, and from 200 random places of interruption
determinism-test:
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-train --test resume
    cargo test -p wellfit --test cli reproducible

# The same ten configurations with two binaries: weights, figures and pictures must be the same to the bit (five minutes)
same-bits old new *args:
    python3 scripts/same_bits.py {{old}} {{new}} {{args}}

# Ours and PyTorch in turn, written to benches/runs (benches/README.md): `just bench --python PATH [JOB …]`
bench *args:
    python3 benches/run.py {{args}}

# GFLOP/s of some layers on this machine
bench-layers:
    cargo run --release -p wellfit-kernels --features measure --example layers

# Make the embedded sample again from Fashion-MNIST's files
sample-asset dir="/usr/share/datasets/fashion-mnist":
    python3 scripts/make_sample.py {{dir}}

# What checkpoints cost a run, with a build that waits for them and one that does not, in turn (docs/durability.md)
checkpoint-cost old new data *args:
    python3 scripts/checkpoint_cost.py {{old}} {{new}} {{data}} {{args}}

# How often the verdicts of paired trials are wrong, and what they see: the tables of docs/prove.md
simulate-proof repetitions="100000":
    cargo run --release -p wellfit-proof --example simulate -- {{repetitions}}
