#!/usr/bin/env python3
"""The whole path file → resize → normalise → network against torchvision.

    predict.py WELLFIT_BINARY [--model resnet50] IMAGE...

Makes weights of torchvision's network of that name (seed 0), saves them as .pth, runs `wellfit predict` on the images and compares the logits
with torchvision's: relative to the largest logit, and the order of the top five.
"""
import argparse, json, pathlib, subprocess, sys, tempfile
import torch, torchvision
from PIL import Image
from torchvision import transforms

arguments = argparse.ArgumentParser(description="The path from files to logits against torchvision.")
arguments.add_argument("binary")
arguments.add_argument("--model", default="resnet50")
arguments.add_argument("images", nargs="+")
given = arguments.parse_args()
images = given.images
torch.manual_seed(0)
model = torchvision.models.get_model(given.model, weights=None)
# Fresh running statistics make every logit alike; a few batches of noise give the network a spread of answers.
model.train()
with torch.no_grad():
    for _ in range(10):
        model(torch.randn(4, 3, 96, 96))
model.eval()
path = transforms.Compose([
    transforms.Resize((224, 224)), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])
with tempfile.TemporaryDirectory() as folder:
    weights = pathlib.Path(folder) / f"{given.model}.pth"
    torch.save(model.state_dict(), weights)
    command = [given.binary, "predict", str(weights), "--model", given.model, "--json", *images]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
worst, orders = 0.0, 0
for image, found in zip(images, json.loads(out.splitlines()[-1])["predictions"]):
    with torch.no_grad():
        logits = model(path(Image.open(image).convert("RGB")).unsqueeze(0))[0]
    ours = torch.tensor(found["logits"])
    worst = max(worst, ((ours - logits).abs().max() / logits.abs().max()).item())
    orders += [int(c["class"]) for c in found["top"]] == logits.topk(5).indices.tolist()
print(f"{len(images)} images: logits differ by at most {worst:.1e} of the largest, top-5 order equal on {orders}")
sys.exit(worst > 1e-4 or orders < len(images))
