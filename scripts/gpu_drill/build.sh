#!/usr/bin/env bash
# Makes target/gpu-drill: all that a machine with an NVIDIA card needs to measure this tree, without network or Rust.
#
#     scripts/gpu_drill/build.sh
#     target/gpu-drill/run.py --dry-run /tmp/drill            # here, on the processor
#     python3 target/gpu-drill/run.py DIRECTORY               # there; python3 must have torch and torchvision
#
# CUDARC_CUDA_VERSION names the CUDA whose calls are compiled in (13000 is 13.0): any newer driver has them.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CUDARC_CUDA_VERSION=${CUDARC_CUDA_VERSION:-13000}
place=target/gpu-drill
tests=$(cargo build --release --locked -p wellfit -p wellfit-gpu --features wellfit/cuda \
    --bin wellfit --test parity --message-format json-render-diagnostics |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "parity":
        print(message["executable"])')
rm -rf "$place"
mkdir -p "$place"
strip -o "$place/wellfit" target/release/wellfit
strip -o "$place/parity" "$tests"
xz -T0 -2 "$place/wellfit" "$place/parity"
cp scripts/gpu_drill/{run,peer,places}.py "$place/"
{
    git rev-parse HEAD
    git diff HEAD --quiet || echo "with changes that are not committed"
    echo "CUDA $CUDARC_CUDA_VERSION"
    rustc --version
} >"$place/version.txt"
du -sh "$place"
