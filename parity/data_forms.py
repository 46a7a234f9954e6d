"""Small datasets in the forms that Hugging Face's datasets, WebDataset and NumPy write, and what is in them."""

import io
import json
import pathlib

import numpy as np
import pyarrow.parquet
import webdataset
from datasets import ClassLabel, Dataset, Features, Image, Value
from PIL import Image as Picture

FIXTURES = pathlib.Path(__file__).parent.parent / "crates/data/tests/fixtures/forms"
CLASSES = ["dog", "cat", "bird"]
HEIGHT, WIDTH = 3, 4


def images(count: int, first: int) -> list[tuple[np.ndarray, int]]:
    """Pictures whose pixels follow from their number, with a label each."""
    place = np.arange(HEIGHT * WIDTH * 3).reshape(HEIGHT, WIDTH, 3)
    return [((place * 7 + number * 31).astype(np.uint8), number % 3) for number in range(first, first + count)]


def png(pixels: np.ndarray) -> bytes:
    """A file of it."""
    out = io.BytesIO()
    Picture.fromarray(pixels).save(out, "png")
    return out.getvalue()


def parquet(train: list, test: list) -> None:
    """As `datasets` writes a split; and kinds that are refused."""
    features = Features({"image": Image(), "label": ClassLabel(names=CLASSES), "note": Value("string")})
    (FIXTURES / "parquet/data").mkdir(parents=True, exist_ok=True)
    for part, rows in [("train", train), ("test", test)]:
        columns = {
            "image": [{"bytes": png(pixels), "path": f"{number}.png"} for number, (pixels, _) in enumerate(rows)],
            "label": [label for _, label in rows],
            "note": ["x"] * len(rows),
        }
        data = Dataset.from_dict(columns, features=features)
        data.to_parquet(FIXTURES / f"parquet/data/{part}-00000-of-00001.parquet")
        if part == "train":
            table = data.with_format("arrow")[:]
            pyarrow.parquet.write_table(table, FIXTURES / "zstd.parquet", compression="zstd")
            pyarrow.parquet.write_table(table, FIXTURES / "gzip.parquet", compression="gzip", data_page_version="2.0")
            pyarrow.parquet.write_table(table, FIXTURES / "lz4.parquet", compression="lz4")
    paths = {"file_name": ["1.png", "2.png"], "label": ["a", "b"]}
    Dataset.from_dict(paths).to_parquet(FIXTURES / "paths.parquet")


def shards(train: list, test: list) -> None:
    """As webdataset writes shards: the label as a number, and as JSON."""
    (FIXTURES / "webdataset").mkdir(parents=True, exist_ok=True)
    files = [("train-000000", train[:5]), ("train-000001", train[5:]), ("test-000000", test)]
    for name, rows in files:
        # Owner and time would differ from one machine to the next.
        with webdataset.TarWriter(str(FIXTURES / f"webdataset/{name}.tar"), mtime=0, user="u", group="g") as out:
            for number, (pixels, label) in enumerate(rows):
                sample = {"__key__": f"{name}/{number:06}", "png": png(pixels)}
                sample |= {"json": {"label": label}} if name == "test-000000" else {"cls": label}
                out.write(sample)


def arrays(train: list, test: list) -> None:
    """As NumPy writes them: stored and packed, in both orders, and objects."""
    x = [np.stack([pixels for pixels, _ in rows]) for rows in (train, test)]
    y = [np.array([label for _, label in rows]) for rows in (train, test)]
    named = {"x_train": x[0], "y_train": y[0], "x_test": x[1], "y_test": y[1].astype(np.uint8)}
    np.savez(FIXTURES / "stored.npz", **named)
    turned = {name: np.asfortranarray(array) for name, array in named.items()}
    np.savez_compressed(FIXTURES / "packed.npz", **turned)
    names = np.array(CLASSES)
    np.savez_compressed(
        FIXTURES / "names.npz",
        train_images=x[0], train_labels=names[y[0]][:, None], test_images=x[1], test_labels=names[y[1]], class_names=names,
    )
    np.savez(FIXTURES / "objects.npz", x_train=np.array([*x[0], None], dtype=object)[:-1], y_train=y[0])
    hot = np.eye(3, dtype=np.uint8)[y[0]]
    np.savez_compressed(FIXTURES / "one_hot.npz", images=x[0], labels=hot)
    hot[0] = 1
    np.savez_compressed(FIXTURES / "multi.npz", images=x[0], labels=hot)
    np.savez_compressed(FIXTURES / "floats.npz", images=x[0] / 255, labels=y[0])
    np.savez_compressed(FIXTURES / "first.npz", images=np.zeros((9, 3, 8, 8), np.uint8), labels=y[0])


def main() -> None:
    """Write all."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    train, test = images(9, 0), images(3, 9)
    parquet(train, test)
    shards(train, test)
    arrays(train, test)
    rows = [
        {"part": part, "label": label, "pixels": pixels.ravel().tolist()}
        for part, rows in [("train", train), ("test", test)]
        for pixels, label in rows
    ]
    (FIXTURES / "expected.json").write_text(json.dumps({"classes": CLASSES, "images": rows}) + "\n")


if __name__ == "__main__":
    main()
