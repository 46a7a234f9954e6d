"""A prediction server as people write it with FastAPI and torch: an image a request, a forward pass an image.

    uvicorn --app-dir scripts serve_peer:app --port 8001      # fastapi uvicorn python-multipart pillow torch torchvision
"""

import io

import torch
import torchvision
from fastapi import FastAPI, Request
from PIL import Image

model = torchvision.models.resnet18(num_classes=10).eval()
transform = torchvision.transforms.Compose(
    [
        torchvision.transforms.Resize((224, 224)),
        torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)
app = FastAPI()


def answer(body):
    image = transform(Image.open(io.BytesIO(body)).convert("RGB"))
    with torch.inference_mode():
        probabilities = model(image[None]).softmax(1)[0]
    values, classes = probabilities.topk(5)
    return {"top": [{"class": int(c), "probability": float(v)} for c, v in zip(classes, values)]}


@app.post("/predict")
async def predict(request: Request):
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(answer, await request.body())
