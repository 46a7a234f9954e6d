"""The space that `tune` and Optuna search in tune_peer.py and tune_landscapes.py."""

SPACE = """lr = { low = 1e-4, high = 1e-1, log = true }
batch_size = { choices = [16, 32, 64, 128] }
weight_decay = { low = 1e-5, high = 1e-1, log = true }
label_smoothing = { low = 0.0, high = 0.2 }
optimizer = { choices = ["adamw", "sgd"] }
"""


def ask(trial):
    """The same space for Optuna."""
    return {
        "lr": trial.suggest_float("lr", 1e-4, 1e-1, log=True),
        "batch-size": trial.suggest_categorical("batch_size", [16, 32, 64, 128]),
        "weight-decay": trial.suggest_float("weight_decay", 1e-5, 1e-1, log=True),
        "label-smoothing": trial.suggest_float("label_smoothing", 0.0, 0.2),
        "optimizer": trial.suggest_categorical("optimizer", ["adamw", "sgd"]),
    }
