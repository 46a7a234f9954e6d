"""A training step of torchvision's network by DistributedDataParallel over Gloo: `ddp_peer.py MODEL IMAGE_SIZE IMAGES`, one process a
machine (scripts/mpi_network.py). Prints the median seconds of a step; images are random and in memory."""

import statistics
import sys
import time

import torch
import torchvision

model, size, images = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.distributed.init_process_group("gloo")
torch.manual_seed(0)
network = getattr(torchvision.models, model)(num_classes=4).to(memory_format=torch.channels_last)
network = torch.nn.parallel.DistributedDataParallel(network)
optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
pictures = torch.randn(images, 3, size, size).contiguous(memory_format=torch.channels_last)
labels = torch.randint(0, 4, (images,))
times = []
for step in range(25):
    began = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    torch.nn.functional.cross_entropy(network(pictures), labels).backward()
    optimizer.step()
    times.append(time.perf_counter() - began)
print(statistics.median(times[5:]))
torch.distributed.destroy_process_group()
