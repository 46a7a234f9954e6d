"""Make the fonts that pictures are lettered with, from those of Debian 12.

    apt install fonts-dejavu-core fonts-droid-fallback fonts-nanum fonts-noto-core
    pip install fonttools
    python make.py

Each font is reduced to what names are written with, loses its hinting (pictures are drawn at twice the pixels, where
it has nothing to add), and is packed with zlib.
"""

import io
import zlib
from pathlib import Path

from fontTools.subset import Options, Subsetter, load_font, save_font

SYSTEM = Path("/usr/share/fonts/truetype")
LATIN = (
    "0020-007E,00A0-024F,02B0-036F,0370-03FF,0400-052F,1E00-1EFF,2000-206F,2070-209F,20A0-20BF,2100-214F,"
    "2190-21FF,2200-22FF,2500-257F,25A0-25FF,2600-26FF,2700-27BF,FFFD,"
    "0530-058F,0590-05FF,0600-06FF,10A0-10FF,FB1D-FDFF,FE70-FEFF"
)
CJK = "2E80-312F,3190-9FFF,F900-FAFF,FE30-FE4F,FF00-FFEF"
HANGUL = "1100-11FF,3130-318F,AC00-D7AF"
NOTO = (
    "Thai Lao Khmer Myanmar Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala "
    "Ethiopic"
).split()


def characters(ranges):
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def make(source, name, ranges=None, features="*", rename=False):
    options = Options(hinting=False, notdef_outline=True, legacy_kern=True, recalc_timestamp=False)
    options.layout_features = features
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    font = load_font(str(SYSTEM / source), options)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=list(characters(ranges)) if ranges else list(font.getBestCmap()))
    subsetter.subset(font)
    if rename:
        for record in font["name"].names:
            record.string = name if record.nameID in (1, 3, 4, 6) else str(record)
    out = io.BytesIO()
    save_font(font, out, options)
    packed = zlib.compress(out.getvalue(), 9)
    Path(__file__).with_name(f"{name}.ttf.zz").write_bytes(packed)
    print(f"{name}: {len(font.getBestCmap())} characters, {len(out.getvalue())} bytes, packed {len(packed)}")


make(
    "dejavu/DejaVuSans.ttf",
    "DejaVuSans",
    LATIN,
    ["kern", "mark", "mkmk", "ccmp", "locl", "init", "medi", "fina", "isol", "rlig", "liga"],
)
make("droid/DroidSansFallbackFull.ttf", "DroidSansFallback", CJK, [])
# A changed NanumGothic may not bear that name: its licence reserves it.
make("nanum/NanumGothic.ttf", "Hangul", HANGUL, [], rename=True)
for script in NOTO:
    make(f"noto/NotoSans{script}-Regular.ttf", f"NotoSans{script}")
