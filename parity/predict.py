#!/usr/bin/env python3
"""The whole path file → resize → normalise → ResNet-50 against torchvision.

    predict.py WELLFIT_BINARY IMAGE...

Makes ResNet-50 weights (seed 0), saves them as .pth, runs `wellfit predict` on the images and compares the logits
with torchvision's: relative to the largest logit, and the order of the top five.
"""
import json, pathlib, subprocess, sys, tempfile
import torch, torchvision
from PIL import Image
from torchvision import transforms

binary, images = sys.argv[1], sys.argv[2:]
torch.manual_seed(0)
model = torchvision.models.resnet50(weights=None)
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
    weights = pathlib.Path(folder) / "resnet50.pth"
    torch.save(model.state_dict(), weights)
    command = [binary, "predict", str(weights), "--model", "resnet50", "--json", *images]
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
