"""Jobs on a folder of photographs with train/ and test/ (`--photos DIR`): accuracy and seconds, a seed a round."""
import shlex

from jobs import Contender, Job, Place, Target

ACCURACY = {"accuracy": "right on test/", "process_s": "whole process, s"}


def ours(place: Place, name: str, *options) -> Contender:
    """Trains, then judges the images of test/: the peers do both in one process."""
    words = [place.wellfit, "train", place.photos, "--seed", "{seed}", "--out", "run", "--quiet", *options]
    judge = [place.wellfit, "evaluate", "run", f"{place.photos}/test", "--json", "--quiet"]
    return Contender(name, ["sh", "-c", f"{shlex.join(map(str, words))} >&2 && {shlex.join(judge)}"])


def peer(place: Place, script: str, *words) -> Contender:
    return Contender("torch", place.peer(script, place.photos, *words, "--seed", "{seed}"))


def few(place: Place) -> list:
    return ["--epochs", 1] if place.quick else []


def job(name: str, about: str, contenders: list[Contender], at_most: float | None = None) -> Job:
    targets = [] if at_most is None else [Target(f"{about}, whole process", "process_s", ["torch"], at_most)]
    return Job(name, about, [(None, contenders)], targets, metrics=ACCURACY)


def probe(place: Place) -> Job:
    contenders = [ours(place, "wellfit", "--recipe", "linear-probe", *few(place)), peer(place, "lite0.py", "probe")]
    return job("probe", "a linear probe on EfficientNet-Lite0", contenders, 0.25)


def finetune(place: Place) -> Job:
    contenders = [ours(place, "wellfit", *few(place)), peer(place, "lite0.py", "finetune")]
    return job("finetune", "fine-tuning EfficientNet-Lite0, the default beside six epochs of a script", contenders, 0.5)


def scratch(place: Place) -> Job:
    recipe = ["--recipe", "scratch", "--model", "resnet18", "--image-size", 64]
    contenders = [ours(place, "wellfit", *recipe, *few(place)), peer(place, "scratch.py", *few(place))]
    return job("scratch", "resnet18 at 64 pixels from random weights, 40 epochs", contenders, 0.5)


def first(place: Place) -> Job:
    others = [Contender(tool, place.peer("first.py", place.photos, tool, "--seed", "{seed}", *few(place)))
              for tool in ("fastai", "ultralytics")]
    return job("first", "from the command to a classifier, with defaults", [ours(place, "wellfit", *few(place)), *others])


ALL = (probe, finetune, scratch, first)
