"""Write docs/sessions.md: what Wellfit looks like on terminals of 80 and of 120 columns.

    python3 scripts/sessions.py target/release/wellfit > docs/sessions.md

The real program runs on a pseudo-terminal of that width, in a folder of its own with generated pictures. What the
terminal shows in the end is written down: a bar that was drawn over is gone. Times and speeds are those of the machine.
A line that is wider than the terminal is an error. Needs nothing but Python on Linux or a Mac.
"""

import fcntl
import os
import pty
import random
import re
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata
import zlib
from pathlib import Path

COLUMNS = (80, 120)
# What a session shows; the first word is the program.
SESSIONS = (
    ("A folder of pictures", "wellfit data show photos"),
    (
        "Training",
        "wellfit train photos --model resnet18 --image-size 32 --epochs 4 --patience 2 --min-delta 0.5",
    ),
    ("With nothing to know, from the network in the program", "wellfit train photos --time 1min"),
    ("The same, all that there is to say", "wellfit train photos --model mlp --image-size 16 --epochs 1 --verbose"),
    ("Going on after the end", "wellfit resume runs/photos-mlp-1 --epochs 2"),
    ("Nothing left to do", "wellfit resume runs/photos-mlp-1"),
    ("Evaluating", "wellfit evaluate runs/photos-resnet18-1 photos"),
    ("A few pictures", "wellfit predict runs/photos-resnet18-1 photos/cat/1.png 'photos/dog/?.png' --top 1"),
    ("Many pictures, one of them damaged", "wellfit predict runs/photos-resnet18-1 photos more --csv answers.csv"),
    ("What the curves say", "wellfit diagnose runs/photos-resnet18-1"),
    ("Is all of a run as it was written?", "wellfit verify runs/photos-resnet18-1"),
    ("Runs", "wellfit runs"),
    ("Proving that a run can be resumed", "wellfit verify-resume photos --model mlp --image-size 16 --kills 2"),
    ("A measurement", "wellfit bench resnet20 --steps 3"),
    ("Words of other programs", "wellfit train photos --bs 8 --img-size 16 --arch mlp --max_epochs 1 --no-hflip --lr-schedule cosine"),
    ("What is not there", "wellfit train photos --mosaic 0.2"),
    ("A wrong number", "wellfit train photos --lr 0,01"),
    ("A wrong word", "wellfit train photos --optimizer lamb"),
    ("No data", "wellfit train pictures"),
)


def png(path, colour, seed):
    """A noisy picture of 24 × 24 pixels whose main colour is `colour`."""
    noise, side = random.Random(seed), 24
    rows = b"".join(
        b"\0" + bytes(min(255, max(0, base + noise.randint(-60, 60))) for _ in range(side) for base in colour)
        for _ in range(side)
    )
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pictures(folder):
    for label, (name, colour) in enumerate((("cat", (150, 110, 90)), ("dog", (100, 130, 110)))):
        for number in range(40):
            png(folder / "photos" / name / f"{number}.png", colour, 1000 * label + number)
    png(folder / "more" / "new.png", (150, 110, 90), 7)
    (folder / "more" / "damaged.png").write_text("no picture")


def run(command, program, folder, columns):
    """What the command writes to a terminal of that width, and its exit code."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8", XDG_CACHE_HOME=str(folder / "cache"), NO_COLOR="1")
    for name in ("COLUMNS", "CARGO"):
        environment.pop(name, None)
    # The program is named as on the search path.
    words = ["bash", "-c", command.replace("wellfit", f"exec -a wellfit '{program}'", 1)]
    process = subprocess.Popen(
        words, cwd=folder, env=environment, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    output = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    os.close(terminal)
    return output.decode("utf-8", "replace"), process.wait()


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shown(output):
    """The lines that stay on the screen: what a terminal does with returns, cursor moves and erasures."""
    lines, row, column = [[]], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]", output):
        if part == "\n":
            row, column = row + 1, 0
            while len(lines) <= row:
                lines.append([])
        elif part == "\r":
            column = 0
        elif part.startswith("\x1b"):
            amount = int(re.sub(r"\D", "", part[2:-1]) or 1)
            if part[-1] == "A":
                row = max(0, row - amount)
            elif part[-1] == "B":
                row += amount
            elif part[-1] == "K":
                lines[row] = [] if part[2:-1] == "2" else lines[row][:column]
            elif part[-1] == "J":
                lines[row] = lines[row][:column]
                del lines[row + 1 :]
        else:
            line = lines[row]
            line.extend(" " * (column + 1 - len(line)))
            line[column] = part
            column += 1
    return "\n".join("".join(line).rstrip() for line in lines).strip("\n")


def main():
    program = Path(sys.argv[1]).resolve()
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print("# Sessions on a terminal\n")
    print(f"Written by `python3 scripts/sessions.py` with {version}: what a terminal shows in the end, on the left what was")
    print("typed. Bars are gone when their work is done. Times are those of the machine that wrote this page. Colours (green")
    print("for the best epoch, yellow and red for warnings and errors) are off with `NO_COLOR` and away from terminals.")
    wide = []
    for columns in COLUMNS:
        print(f"\n## {columns} columns")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            pictures(folder)
            for title, command in SESSIONS:
                output, code = run(command, program, folder, columns)
                text = shown(output).replace(str(folder) + "/", "")
                print(f"\n### {title}\n\n```text\n$ {command}\n{text}\n```" + (f"\n\nExit code {code}." if code else ""))
                # The layers of --verbose are a table for wide terminals.
                longest = max(map(width, text.splitlines() or [""]))
                if longest > columns and "--verbose" not in command:
                    wide.append(f"{columns}: {command}: {longest}")
    print("\n".join(["", *wide]) if wide else "", file=sys.stderr)


if __name__ == "__main__":
    main()
