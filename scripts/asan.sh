#!/bin/sh
# The kernels' tests under the address sanitizer: no kernel reads or writes past what it was given, whichever instructions it uses.
# x86-64 Linux, for which stable Rust ships the sanitizer's runtime; RUSTC_BOOTSTRAP only lifts the ban on the flag.
set -eu
cd "$(dirname "$0")/.."

# After the colon: how bf16 is multiplied. A name that the machine lacks would mean the best it has, once more.
ways="scalar: avx2:"
if grep -qw avx512bw /proc/cpuinfo; then ways="$ways avx512: avx512:widened avx512:amx_emulated"; fi
for way in $ways; do
    echo "WELLFIT_SIMD=${way%:*} WELLFIT_BF16=${way#*:}"
    WELLFIT_SIMD=${way%:*} WELLFIT_BF16=${way#*:} RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan \
        cargo test -p wellfit-simd -p wellfit-kernels --tests --locked --target x86_64-unknown-linux-gnu
done
