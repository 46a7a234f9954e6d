"""The log and the plain loop, with nothing installed."""

import json
import math
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))
import wellfit


class LogTest(unittest.TestCase):
    def setUp(self):
        self._dir = tempfile.TemporaryDirectory()
        self.addCleanup(self._dir.cleanup)
        self.path = os.path.join(self._dir.name, "log.jsonl")

    def rows(self):
        return [json.loads(line) for line in Path(self.path).read_text().splitlines()]

    def test_a_row_an_epoch(self):
        with wellfit.Log(self.path, n_val=50, classes=3) as log:
            log.epoch(train_loss=1.5, val_loss=1.25, lr=None)
            self.assertEqual(len(self.rows()), 1, "written at once")
            log.epoch(train_loss=math.nan)
        first, second = self.rows()
        self.assertEqual(first, {"epoch": 1, "train_loss": 1.5, "val_loss": 1.25, "n_val": 50, "classes": 3})
        self.assertEqual(second["epoch"], 2)
        self.assertTrue(math.isnan(second["train_loss"]))

    def test_what_makes_no_sense_is_refused(self):
        with wellfit.Log(self.path) as log:
            with self.assertRaisesRegex(ValueError, "no series 'accuracy'; known are train_loss"):
                log.epoch(accuracy=0.5)
            with self.assertRaisesRegex(ValueError, "epoch 1 has no figures"):
                log.epoch(train_loss=None)
            log.epoch(train_loss=1.0)
        with self.assertRaisesRegex(FileExistsError, "append=True"):
            wellfit.Log(self.path)

    def test_a_training_goes_on_after_a_kill(self):
        with wellfit.Log(self.path) as log:
            log.epoch(train_loss=1.0)
        with open(self.path, "a") as file:
            file.write('{"epoch": 2, "train_l')
        with wellfit.Log(self.path, append=True) as log:
            log.epoch(train_loss=0.5)
        self.assertEqual([row["epoch"] for row in self.rows()], [1, 2])
        with wellfit.Log(self.path, overwrite=True) as log:
            log.epoch(train_loss=0.25)
        self.assertEqual(self.rows(), [{"epoch": 1, "train_loss": 0.25}])


class Vector(list):
    """As little of a tensor as the loop needs."""

    @property
    def shape(self):
        return (len(self), len(self[0]))

    def argmax(self, _axis):
        return Vector(row.index(max(row)) for row in self)

    def __eq__(self, other):
        return Sum(a == b for a, b in zip(self, other))


class Sum(list):
    def sum(self):
        return sum(self)


class LoopTest(unittest.TestCase):
    def test_means_are_over_images(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.jsonl")
            with wellfit.Loop(path) as loop:
                loop.train_step(1.0, Vector([[1, 0], [1, 0], [0, 1]]), [0, 1, 1])
                loop.train_step(2.0, Vector([[1, 0]]), [1])
                loop.val_step(0.5, Vector([[1, 0], [0, 1]]), [0, 1])
                loop.end_epoch(lr=0.1)
                loop.train_step(1.0)
                loop.end_epoch()
            first, second = [json.loads(line) for line in Path(path).read_text().splitlines()]
        self.assertEqual(first["train_loss"], 1.25)
        self.assertEqual((first["train_accuracy"], first["val_accuracy"]), (0.5, 1.0))
        self.assertEqual((first["n_val"], first["classes"], first["lr"]), (2, 2, 0.1))
        self.assertEqual(second["train_loss"], 1.0)
        self.assertNotIn("val_loss", second)


FAKE = """#!{python}
import json, sys
if sys.argv[-1].endswith("bad.jsonl"):
    sys.exit(print("error: no metrics", file=sys.stderr) or 3)
print("a warning on the way")
print(json.dumps({{"findings": [], "arguments": sys.argv[1:]}}))
"""


class BinaryTest(unittest.TestCase):
    def setUp(self):
        self._dir = tempfile.TemporaryDirectory()
        self.addCleanup(self._dir.cleanup)
        self.fake = os.path.join(self._dir.name, "wellfit")
        Path(self.fake).write_text(FAKE.format(python=sys.executable))
        os.chmod(self.fake, 0o755)
        before = {name: os.environ.get(name) for name in ("PATH", "WELLFIT")}
        self.addCleanup(lambda: [os.environ.pop(n, None) if v is None else os.environ.__setitem__(n, v) for n, v in before.items()])
        os.environ.pop("WELLFIT", None)
        os.environ["PATH"] = ""

    def test_a_missing_program_is_told(self):
        with self.assertRaisesRegex(wellfit.BinaryNotFound, "not on the search path: .*build it .* WELLFIT="):
            wellfit.diagnose("log.jsonl")
        os.environ["WELLFIT"] = "/nowhere/wellfit"
        with self.assertRaisesRegex(wellfit.BinaryNotFound, "variable WELLFIT says '/nowhere/wellfit'"):
            wellfit.diagnose("log.jsonl")

    @unittest.skipIf(os.name == "nt", "a script is no program there")
    def test_the_program_hears_what_the_log_knows(self):
        path = os.path.join(self._dir.name, "log.jsonl")
        with wellfit.Log(path, n_val=50, classes=3) as log:
            log.epoch(train_loss=1.0)
            found = log.diagnose(binary=self.fake, columns={"val_loss": "my loss"})
        expected = ["diagnose", "--json", "--n-val", "50", "--classes", "3", "--columns", "val_loss=my loss", "--", path]
        self.assertEqual(found["arguments"], expected)
        os.environ["WELLFIT"] = self.fake
        self.assertEqual(wellfit.diagnose(path, n_val=7)["arguments"][3], "7")
        with self.assertRaisesRegex(wellfit.WellfitError, "no metrics") as caught:
            wellfit.diagnose(os.path.join(self._dir.name, "bad.jsonl"))
        self.assertEqual(caught.exception.code, 3)


if __name__ == "__main__":
    unittest.main()
