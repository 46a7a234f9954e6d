#!/usr/bin/env python3
"""`wellfit lab dropout` in PyTorch: regressors with and without dropout on a noisy line, a picture every 50 epochs.

1000 full-batch epochs of 50 points, Adam with learning rate 0.01. Prints one line of JSON; the whole process is what
is timed.
"""
import json
import tempfile
import time

import matplotlib
import torch
from torch import nn

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

EPOCHS, EVERY, POINTS, NOISE, RATE, UNITS, P = 1000, 50, 50, 0.3, 0.01, 100, 0.2


def regressor(p: float) -> nn.Sequential:
    def block(inputs: int) -> list[nn.Module]:
        return [nn.Linear(inputs, UNITS), *([nn.Dropout(p)] if p else []), nn.ReLU()]

    return nn.Sequential(*block(1), *block(UNITS), nn.Linear(UNITS, 1))


@torch.no_grad()
def look(twins: dict[str, nn.Module], x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the twins say in evaluation mode."""
    for twin in twins.values():
        twin.eval()
    fits = {name: twin(x) for name, twin in twins.items()}
    for twin in twins.values():
        twin.train()
    return fits


def picture(path: str, x, y, test, fits: dict[str, torch.Tensor], title: str) -> None:
    plt.figure()
    plt.scatter(x, y, label="train")
    plt.scatter(x, test, label="test")
    for (name, fit), style in zip(fits.items(), ("-", "--")):
        plt.plot(x, fit, style, label=name)
    plt.title(title)
    plt.legend()
    plt.savefig(path)
    plt.close()


def main() -> None:
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, POINTS).unsqueeze(1)
    y, test = (x + NOISE * torch.randn_like(x) for _ in range(2))
    twins = {"normal": regressor(0), "dropout": regressor(P)}
    optimizers = {name: torch.optim.Adam(twin.parameters(), lr=RATE) for name, twin in twins.items()}
    start, pictures_s, losses = time.perf_counter(), 0.0, {}
    with tempfile.TemporaryDirectory() as folder:
        for epoch in range(EPOCHS):
            for name, twin in twins.items():
                optimizers[name].zero_grad()
                nn.functional.mse_loss(twin(x), y).backward()
                optimizers[name].step()
            if epoch % EVERY == 0:
                began = time.perf_counter()
                fits = look(twins, x)
                losses = {name: nn.functional.mse_loss(fit, test).item() for name, fit in fits.items()}
                title = f"Epoch {epoch}, " + ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
                picture(f"{folder}/{epoch:04}.png", x, y, test, fits, title)
                pictures_s += time.perf_counter() - began
    train_s = time.perf_counter() - start - pictures_s
    print(json.dumps({"train_s": train_s, "pictures_s": pictures_s, "test_loss": losses}))


if __name__ == "__main__":
    main()
