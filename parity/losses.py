"""Golden values of losses: prints Rust constants from torch, with autograd's gradients.

    python parity/losses.py
"""
import torch
import torch.nn.functional as F

LOGITS = [[1.0, -0.5, 0.25], [0.5, 2.0, -1.0], [-3.0, 8.0, 0.0]]
LABELS = [0, 1, 1]
WEIGHTS = [1.0, 2.0, 0.5]


def focal(logits, labels, gamma, weights, smoothing):
    """The softmax form of Lin et al. 2017; a smoothed target has a term for each class."""
    log_p = F.log_softmax(logits, 1)
    hot = F.one_hot(labels, logits.shape[1]).double()
    target = (1 - smoothing) * hot * weights + smoothing * weights / logits.shape[1]
    # The derivative of (1 - p)^gamma at p = 1 is no number for gamma < 1; no case here comes that near.
    terms = -target * (-torch.expm1(log_p)) ** gamma * log_p
    return terms.sum() / weights[labels].sum()


def show(name, value, logits):
    gradient, = torch.autograd.grad(value, logits)
    print(name, f"{value.item():.9f}", [round(g, 9) for g in gradient.flatten().tolist()])


logits = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
labels = torch.tensor(LABELS)
for gamma, weights, smoothing in [(2.0, [1.0] * 3, 0.0), (0.5, [1.0] * 3, 0.0), (2.0, WEIGHTS, 0.1)]:
    show(f"focal {gamma} {weights} {smoothing}", focal(logits, labels, gamma, torch.tensor(weights, dtype=torch.float64), smoothing), logits)
two = torch.tensor(LOGITS[:2], dtype=torch.float64, requires_grad=True)
own, other = F.one_hot(torch.tensor([0, 1]), 3).double(), F.one_hot(torch.tensor([1, 0]), 3).double()
mixed = F.cross_entropy(two, 0.3 * own + 0.7 * other, weight=torch.tensor(WEIGHTS, dtype=torch.float64), label_smoothing=0.1)
show("mixed", mixed, two)
