#!/usr/bin/env bash
# Makes everything that a release is installed from, in target/dist, with SHA256SUMS:
#
#   wellfit-VERSION-x86_64-linux.tar.gz        the program, manual pages, completions
#   wellfit-VERSION-x86_64-linux-musl.tar.gz   the same without any library, where Rust's musl target is installed
#   wellfit_VERSION-1_amd64.deb                for Debian and Ubuntu
#   wellfit-VERSION-py3-none-….whl             for pip, with the Python package
#   wellfit-VERSION.tar.gz                     the source, from which Homebrew and conda build
#   wellfit.rb, meta.yaml                      for these two, with the source's checksum
#
# Needs: Rust, git, python3 with venv; on the way it installs cargo-deb and maturin into target/tools.
# For the static program: rustup target add x86_64-unknown-linux-musl; apt-get install musl-tools.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
arch=$(uname -m)
features=full
dist=target/dist share=target/dist/share tools=target/tools
epoch=$(git log -1 --format=%ct)
rm -rf "$dist"
mkdir -p "$share/man" "$tools"

archive() { # NAME PROGRAM: the same bytes from the same files
    local folder="$dist/$1"
    mkdir -p "$folder"
    cp "$2" "$folder/wellfit"
    cp -r "$share/man" "$share"/{wellfit.bash,_wellfit,wellfit.fish} README.md LICENSE-MIT LICENSE-APACHE "$folder/"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$dist" -c "$1" | gzip -9n >"$dist/$1.tar.gz"
    rm -r "$folder"
}

echo "== the program"
cargo build --profile release-lto --locked -p wellfit --features "$features"
program=target/release-lto/wellfit
"$program" man "$share/man" --quiet
"$program" completions bash >"$share/wellfit.bash"
"$program" completions zsh >"$share/_wellfit"
"$program" completions fish >"$share/wellfit.fish"
strip -o "$share/wellfit" "$program"
archive "wellfit-$version-$arch-linux" "$share/wellfit"

echo "== Debian"
if command -v dpkg-deb >/dev/null; then
    [ -x "$tools/bin/cargo-deb" ] || CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --quiet --locked --root "$tools" cargo-deb@3.8.0
    "$tools/bin/cargo-deb" -p wellfit --profile release-lto --no-build --strip --output "$dist/"
fi

echo "== Python"
[ -x "$tools/python/bin/maturin" ] || { python3 -m venv "$tools/python" && "$tools/python/bin/pip" install --quiet 'maturin>=1.9,<2'; }
(cd python && "../$tools/python/bin/maturin" build --profile release-lto --locked --features "$features" --out "../$dist")

echo "== static"
musl=x86_64-unknown-linux-musl
if [ "$arch" = x86_64 ] && [ -d "$(rustc --print sysroot)/lib/rustlib/$musl" ]; then
    cargo build --profile release-lto --locked -p wellfit --features "$features" --target "$musl"
    strip -o "$share/wellfit" "target/$musl/release-lto/wellfit"
    archive "wellfit-$version-$arch-linux-musl" "$share/wellfit"
else
    echo "left out: rustup target add $musl"
fi

echo "== source"
git archive --format=tar --prefix="wellfit-$version/" HEAD | gzip -9n >"$dist/wellfit-$version.tar.gz"
sum=$(sha256sum "$dist/wellfit-$version.tar.gz" | cut -d' ' -f1)
for recipe in packaging/homebrew/wellfit.rb packaging/conda/meta.yaml; do
    sed "s/@VERSION@/$version/g; s/@SHA256@/$sum/g" "$recipe" >"$dist/$(basename "$recipe")"
done

rm -r "$share"
(cd "$dist" && sha256sum -- * >SHA256SUMS)
cat "$dist/SHA256SUMS"
