"""Training and predicting with a program that is built, also in a notebook; skipped where it is missing."""

import importlib.util
import json
import os
import struct
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

SOURCE = str(Path(__file__).parent.parent / "src")
sys.path.insert(0, SOURCE)
import wellfit


def found():
    try:
        return wellfit.find_binary()
    except wellfit.BinaryNotFound:
        return None


def png(path, grey, size=16):
    """A grey image without a library for images."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((grey + 7 * (x * y % 5)) % 256 for x in range(size)) for y in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


OPTIONS = dict(model="mlp", image_size=16, epochs=2, val_split=0.25, hflip=False)


@unittest.skipUnless(found(), "the program is missing")
class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for number in range(12):
            png(self.folder / f"data/dark/{number}.png", 10 + number)
            png(self.folder / f"data/light/{number}.png", 180 + number)

    def train(self, **options):
        return wellfit.train(self.folder / "data", out=self.folder / "run", **{**OPTIONS, **options})

    def test_a_run_is_trained_and_predicts(self):
        said = []
        run = self.train(progress=said.append)
        self.assertTrue(any("2/2" in line or "2 of 2" in line or "epoch 2" in line.lower() for line in said), said)
        self.assertEqual(Path(run.path), self.folder / "run")
        self.assertEqual([row["epoch"] for row in run.epochs], [1, 2])
        self.assertEqual(run.result["epochs"], 2)
        self.assertTrue(os.path.exists(run.report))
        self.assertIn("srcdoc", run._repr_html_())
        one = run.predict(self.folder / "data/dark/0.png", top=1)
        self.assertEqual([len(one), len(one[0]["top"])], [1, 1])
        (self.folder / "no.png").write_text("no image")
        both = wellfit.predict(run, [self.folder / "data/light/0.png", self.folder / "no.png"])
        self.assertEqual(sorted(found["class"] for found in both[0]["top"]), ["dark", "light"])
        self.assertIn("error", both[1])
        self.assertIn("findings", run.diagnose())

    def test_what_the_program_refuses_is_an_error_with_its_words(self):
        with self.assertRaises(wellfit.WellfitError) as refused:
            self.train(lr=-1, progress=False)
        self.assertEqual(refused.exception.code, 2)
        self.assertIn("--lr", str(refused.exception))

    @unittest.skipUnless(
        importlib.util.find_spec("nbclient") and importlib.util.find_spec("ipykernel"), "nbclient or ipykernel is missing"
    )
    def test_a_notebook_shows_progress_and_the_page(self):
        import nbclient
        import nbformat

        notebook = nbformat.read(Path(__file__).parent / "notebook.ipynb", as_version=4)
        os.environ["PYTHONPATH"] = os.pathsep.join([SOURCE, os.environ.get("PYTHONPATH", "")])
        os.environ["WELLFIT"] = os.path.abspath(found())
        nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(self.folder)}}).execute()
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        text = json.dumps(outputs)
        self.assertIn("<pre>", text, "progress in one place")
        self.assertIn("srcdoc", text, "the page of the run")
        self.assertIn("probability", text, "an answer")


if __name__ == "__main__":
    unittest.main()
