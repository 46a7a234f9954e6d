"""EfficientNet-Lite0 of the package `efficientnet_lite_pytorch`, and our names for its arrays."""
import re

# Blocks of each stage.
DEPTHS = [1, 2, 2, 3, 3, 4, 1]
BLOCK_PARTS = {"expand_conv": (0, 0), "bn0": (0, 1), "depthwise_conv": (1, 0), "bn1": (1, 1), "project_conv": (2, 0), "bn2": (2, 1)}
ENDS = {"conv_stem": "features.0.0", "bn0": "features.0.1", "conv_head": "features.8.0", "bn1": "features.8.1", "fc": "classifier.1"}


def our_name(name: str) -> str:
    """`_blocks.3._bn1.weight` is `features.3.0.block.1.1.weight`."""
    found = re.fullmatch(r"_blocks\.(\d+)\._(\w+)\.(\w+)", name)
    if not found:
        layer, suffix = re.fullmatch(r"_(\w+)\.(\w+)", name).groups()
        return f"{ENDS[layer]}.{suffix}"
    block, (place, part), suffix = int(found[1]), BLOCK_PARTS[found[2]], found[3]
    stage = next(s for s in range(7) if block < sum(DEPTHS[: s + 1]))
    if stage == 0:  # its one block does not expand
        place -= 1
    return f"features.{stage + 1}.{block - sum(DEPTHS[:stage])}.block.{place}.{part}.{suffix}"


def lite0(classes: int, size: list[int] | None = None):
    """The package's network, without stochastic depth; its padding is that for images of `size`, else of any size."""
    from efficientnet_lite_pytorch import EfficientNet

    return EfficientNet.from_name("efficientnet-lite0", num_classes=classes, image_size=size, dropout_rate=0.0, drop_connect_rate=0.0)
