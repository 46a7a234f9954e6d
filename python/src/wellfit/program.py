"""Training and predicting with the program: its options are keyword arguments, its JSON is the result."""

import html
import json
import os
import signal
import subprocess
import sys
import threading

from wellfit.binary import WellfitError, diagnose, find_binary


class Run:
    """A trained run. `result` is what `wellfit train --json` printed; `path` is the run's directory."""

    def __init__(self, path, result=None, binary=None):
        self.path = os.fspath(path)
        self.result = {} if result is None else result
        self._binary = binary

    @property
    def epochs(self):
        """The figures of each epoch, as dictionaries; of an epoch that was trained again, the last ones."""
        rows = {}
        with open(os.path.join(self.path, "events.jsonl"), encoding="utf-8") as events:
            for line in events:
                event = json.loads(line) if line.endswith("\n") else {}
                if event.get("event") == "epoch":
                    rows[event["epoch"]] = event
        return [rows[epoch] for epoch in sorted(rows)]

    @property
    def report(self):
        """The path of the run's page."""
        return os.path.join(self.path, "report.html")

    def predict(self, images, **options):
        """The classes of images by the run's best weights: see `predict`."""
        return predict(self.path, images, binary=self._binary, **options)

    def diagnose(self, **options):
        """What the run's curves say: see `wellfit.diagnose`."""
        return diagnose(self.path, binary=self._binary, **options)

    def __repr__(self):
        return f"Run({self.path!r})"

    def _repr_html_(self):
        # A page in a page: its own policy lets nothing in or out.
        try:
            with open(self.report, encoding="utf-8") as page:
                text = page.read()
        except OSError:
            return f"<pre>{html.escape(repr(self))}</pre>"
        return f'<iframe title="{html.escape(repr(self))}" sandbox="allow-scripts" width="100%" height="640" srcdoc="{html.escape(text)}"></iframe>'


def train(data, *, progress=True, binary=None, **options):
    """Train a classifier on `data`, a folder with a sub-folder for each class, and return the `Run`.

    Options are those of `wellfit train`, with underscores: `train("photos", epochs=5, early_stopping=True, out="runs/a")`.
    What the program says is shown while it trains: in a notebook in one place, else on standard error. `progress=False` is
    silent; a function is called with each line. Interrupting saves the run and raises `WellfitError` with code 7.
    """
    result = _ask(["train", *_options(options), "--", os.fspath(data)], progress, binary)
    return Run(result["run"], result, binary)


def predict(run, images, *, top=5, binary=None, **options):
    """The most likely classes of images: a dictionary for each, with `image` and `top`, a list of `class` and `probability`.

    `run` is a run's directory, a `Run`, a weight file or a name of pretrained weights; `images` is a path, or several, of files or
    folders. An image that cannot be read has `error` in place of `top`.
    """
    run = run.path if isinstance(run, Run) else os.fspath(run)
    images = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    line = ["predict", "--top", str(int(top)), *_options(options), "--", run, *map(os.fspath, images)]
    # 8: some images could not be used, and say so.
    return _ask(line, False, binary, codes=(0, 8))["predictions"]


def _options(options):
    """Keyword arguments as words of a command line; None leaves an option out."""
    words = []
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None:
            continue
        if value is True:
            words.append(option)
        elif value is False:
            words.append(f"{option}=false")
        elif isinstance(value, (list, tuple)):
            words.append(f"{option}={','.join(map(str, value))}")
        else:
            words.append(f"{option}={value}")
    return words


def _ask(line, progress, binary, codes=(0,)):
    """Run the program and return the JSON it prints."""
    command = [find_binary(binary), line[0], "--json", *line[1:]]
    show = _shower(progress)
    # In a group of its own, so that an interrupt reaches it once, from here, and it saves its run.
    program = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", start_new_session=True
    )
    said = []

    def listen():
        for text in program.stderr:
            said.append(text.rstrip("\n"))
            show(said)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    interrupted = False
    while True:
        try:
            printed = program.stdout.read()
            program.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
            program.send_signal(signal.SIGINT)
    listener.join()
    program.stdout.close()
    program.stderr.close()
    if program.returncode in codes and not interrupted:
        return json.loads(printed.strip().splitlines()[-1])
    first = next((place for place, text in enumerate(said) if text.startswith("error: ")), -5)
    raise WellfitError("\n".join(said[first:]).strip() or f"wellfit ended with exit code {program.returncode}", program.returncode)


def _shower(progress):
    """What shows the lines so far."""
    if not progress:
        return lambda said: None
    if callable(progress):
        return lambda said: progress(said[-1])
    if _in_notebook():
        from IPython.display import HTML, display

        handle = display(HTML(""), display_id=True)
        return lambda said: handle.update(HTML(f"<pre>{html.escape(chr(10).join(said[-20:]))}</pre>"))
    return lambda said: print(said[-1], file=sys.stderr, flush=True)


def _in_notebook():
    """Whether a display can be updated in place."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"
