"""What is measured: jobs with a target against PyTorch, and studies of how ours grows."""
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import typing

HERE = pathlib.Path(__file__).resolve().parent
Result = dict[str, typing.Any]


@dataclasses.dataclass
class Contender:
    """A command that prints one JSON object as its last line; `derive` adds figures to those of a run.

    `{seed}` in a word stands for the number of the round, from 0.
    """

    name: str
    command: list[str]
    derive: typing.Callable[[Result], Result] = lambda result: {}


@dataclasses.dataclass
class Target:
    """Ours / the best of `against` in `metric` is to be `at_most`."""

    work: str
    metric: str
    against: list[str]
    at_most: float


@dataclasses.dataclass
class Job:
    """Contenders at one point, or at each point of an axis."""

    name: str
    about: str
    points: list[tuple[typing.Any, list[Contender]]]
    targets: list[Target] = dataclasses.field(default_factory=list)
    axis: str = ""
    metrics: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Place:
    """Where things are, and how much of them to use."""

    wellfit: str
    python: str
    fashion_mnist: str
    photos: str
    folder: pathlib.Path
    quick: bool
    needs: dict[pathlib.Path, typing.Callable[[], typing.Any]] = dataclasses.field(default_factory=dict)

    def peer(self, script: str, *words) -> list[str]:
        return [self.python, str(HERE / "peers" / script), *map(str, words)]

    def ours(self, *words) -> list[str]:
        return [self.wellfit, *map(str, words), "--json", "--quiet"]

    def images(self, name: str, count: int, width: int = 500, height: int = 375) -> pathlib.Path:
        """A folder that will have so many JPEG files in two classes."""
        folder = self.folder / name
        make = self.peer("images.py", folder, count, width, height)
        self.needs[folder] = lambda: subprocess.run(make, check=True)
        return folder

    def linked(self, count: int) -> pathlib.Path:
        """A folder that will have so many small images: links to a thousand files, which take no room."""
        source, folder = self.images("small", 1000, 64, 64), self.folder / f"linked-{count}"
        self.needs[folder] = lambda: link(sorted(source.rglob("*.jpg"), key=by_name), folder, count)
        return folder

    def prepare(self) -> None:
        """Make the folders that are needed and not there."""
        for folder, make in self.needs.items():
            if not folder.exists():
                print(f"making the images in {folder}", file=sys.stderr)
                make()


def by_name(path: pathlib.Path) -> str:
    """An order in which the classes take turns."""
    return path.name


def link(files: list[pathlib.Path], folder: pathlib.Path, count: int) -> None:
    for number in range(count):
        file = files[number % len(files)]
        path = folder / file.parent.name / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, path)


def steps(place: Place, model: str, modes: list[str], **options) -> list[Contender]:
    """Training steps of a network, by us and by PyTorch in some modes."""
    few = {"batch_size": 2, "image_size": 32, "steps": 1} if place.quick else {"steps": 3}
    options = few | options
    words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", value)]
    peers = [Contender(mode, place.peer("resnet.py", mode, "--model", model, *words)) for mode in modes]
    return [Contender("wellfit", place.ours("bench", model, *words)), *peers]


def resnet50(place: Place) -> Job:
    name = "resnet18" if place.quick else "resnet50"
    fast = ["channels_last", "compile"]
    step = "ResNet-50 training step, batch 32, 224², Adam"
    points = [(None, steps(place, name, ["eager", *fast]))]
    return Job("resnet50", "random pixels, two classes, cross-entropy", points, [
        Target(step, "train_step_s", ["eager"], 0.35),
        Target(step, "train_step_s", fast, 0.60),
        Target("ResNet-50 forward, evaluation, batch 32", "eval_forward_s", ["eager", *fast], 0.75),
        Target("peak memory of the ResNet-50 step", "peak_rss_mib", ["eager"], 1.00),
    ])


def bf16(place: Place) -> Job:
    name = "resnet18" if place.quick else "resnet50"
    modes = ["bf16", "bf16_compile"]
    ours, *peers = steps(place, name, modes)
    contenders = [Contender(ours.name, [*ours.command, "--precision", "bf16"]), Contender("wellfit_f32", ours.command)]
    step = "ResNet-50 training step in bf16, batch 32, 224², Adam"
    return Job("bf16", "as resnet50, in bf16; PyTorch's is autocast on channels_last", [(None, contenders + peers)], [
        Target(step, "train_step_s", modes, 0.60),
        Target("ResNet-50 forward in bf16, evaluation, batch 32", "eval_forward_s", modes, 0.60),
        Target("peak memory of the step in bf16, beside ours in f32", "peak_rss_mib", ["wellfit_f32"], 0.60),
    ])


def mobilenet(place: Place) -> Job:
    return mobile(place, "mobilenet", "mobilenet_v3_large", "MobileNetV3 Large")


def efficientnet(place: Place) -> Job:
    return mobile(place, "efficientnet", "efficientnet_b0", "EfficientNet-B0")


def mobile(place: Place, name: str, model: str, title: str) -> Job:
    fast = ["channels_last", "compile"]
    ours, *peers = steps(place, model, ["eager", *fast, "bf16", "bf16_compile"])
    half = Contender("wellfit_bf16", [*ours.command, "--precision", "bf16"])
    return Job(name, f"{title}, random pixels, two classes", [(None, [ours, half, *peers])], [
        Target(f"{title} training step, batch 32, 224², Adam", "train_step_s", ["eager", *fast], 0.60),
    ])


def batchnorm(place: Place) -> Job:
    data = place.fashion_mnist
    contenders = [
        Contender("wellfit", place.ours("lab", "batchnorm", "--data", data)),
        Contender("torch", place.peer("batchnorm.py", data)),
    ]
    work = "`lab batchnorm`, whole process, real Fashion-MNIST"
    return Job("batchnorm", "twin MLPs, 2 epochs", [(None, contenders)], [Target(work, "process_s", ["torch"], 0.05)])


def dropout(place: Place) -> Job:
    contenders = [
        Contender("wellfit", place.ours("lab", "dropout")),
        Contender("torch", place.peer("dropout.py")),
    ]
    work = "`lab dropout`, whole process with its 20 pictures"
    return Job("dropout", "twin regressors, 1000 epochs", [(None, contenders)],
               [Target(work, "process_s", ["torch"], 0.05)])


def freeze(place: Place) -> Job:
    train, val, epochs = (8, 4, 2) if place.quick else (400, 100, 20)
    folder = place.folder / "freeze"
    place.images("freeze/train", train)
    place.images("freeze/val", val)
    size = ["--image-size", 32] if place.quick else []
    ours = place.ours("train", folder, "--model", "resnet50", "--freeze", "--vflip", "--epochs", epochs, *size)
    peer = place.peer("freeze.py", folder, "--epochs", 2, *size)
    missing = epochs - 2
    contenders = [
        Contender("wellfit", ours, lambda result: {"total_s": result["process_s"]}),
        Contender("torch", peer, lambda result: {
            "total_s": result["process_s"] + missing * statistics.median(result["epoch_s"]),
        }),
    ]
    work = f"`train --freeze` ResNet-50, {train} + {val} images, {epochs} epochs (PyTorch: 2, scaled)"
    return Job("freeze", "a new head on a frozen backbone", [(None, contenders)],
               [Target(work, "total_s", ["torch"], 0.10)])


def loader(place: Place) -> Job:
    count, epochs, workers = (8, 1, 2) if place.quick else (512, 5, 2)
    folder = place.images("photos", count)
    ours = place.ours("bench", "loader", "--data", folder, "--steps", epochs, "--workers", workers)
    peer = place.peer("loader.py", folder, workers, epochs)
    contenders = [
        Contender("wellfit", ours, lambda result: {"image_s": 1 / result["images_per_s"]}),
        Contender("torchvision", peer, lambda result: {"image_s": 1 / result["images_per_second"]}),
    ]
    work = f"loader: JPEG to batch, {workers} workers, time an image"
    return Job("loader", f"{count} JPEG files of 500×375 to 224²", [(None, contenders)],
               [Target(work, "image_s", ["torchvision"], 0.333)])


STEP = {"train_step_s": "training step, s", "peak_rss_mib": "peak memory, MiB"}


def batch(place: Place) -> Job:
    sizes = (2, 4) if place.quick else (8, 16, 32, 64)
    points = [(size, steps(place, "resnet50", ["eager"], batch_size=size)) for size in sizes]
    return Job("batch", "ResNet-50, 224²", points, axis="images in a batch", metrics=STEP)


def image(place: Place) -> Job:
    sizes = (32, 64) if place.quick else (64, 128, 160, 224, 288)
    points = [(size, steps(place, "resnet50", ["eager"], image_size=size)) for size in sizes]
    return Job("image", "ResNet-50, batch 32", points, axis="height and width, pixels", metrics=STEP)


def model(place: Place) -> Job:
    depths = (18, 34) if place.quick else (18, 34, 50, 101, 152)
    points = [(depth, steps(place, f"resnet{depth}", ["eager"])) for depth in depths]
    return Job("model", "ResNets, batch 32, 224²", points, axis="layers", metrics=STEP)


def threads(place: Place) -> Job:
    counts = range(1, (os.cpu_count() or 1) + 1)
    points = [(count, steps(place, "resnet50", ["eager"], threads=count)) for count in counts]
    return Job("threads", "ResNet-50, batch 32, 224²", points, axis="threads", metrics=STEP)


def dataset(place: Place) -> Job:
    counts = (100, 200) if place.quick else (1_000, 3_000, 10_000, 30_000, 100_000)

    def contender(count: int) -> Contender:
        command = place.ours("train", place.linked(count), "--model", "mlp-bn", "--image-size", 32, "--epochs", 1)
        return Contender("wellfit", command, lambda result: {"image_ms": 1e3 * result["process_s"] / count})

    points = [(count, [contender(count)]) for count in counts]
    return Job("dataset", "`train` with a small network, one epoch of JPEG files of 64×64, whole process", points,
               axis="images", metrics={"image_ms": "ms an image", "process_rss_mib": "peak memory, MiB"})


ALL = (resnet50, bf16, mobilenet, efficientnet, batchnorm, dropout, freeze, loader, batch, image, model, threads, dataset)
