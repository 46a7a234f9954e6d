# brew install --build-from-source ./wellfit.rb; `scripts/release.sh` fills in version and checksum.
class Wellfit < Formula
  desc "Trains image classifiers that neither under- nor overfit"
  url "file://#{File.dirname(__FILE__)}/wellfit-@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args(path: "crates/wellfit"), "--features", "full"
    generate_completions_from_executable(bin/"wellfit", "completions")
    system bin/"wellfit", "man", man1
  end

  test do
    system bin/"wellfit", "train", "sample", "--model", "mlp", "--epochs", "1", "--out", testpath/"run"
    assert_path_exists testpath/"run/report.html"
  end
end
