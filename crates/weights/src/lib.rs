//! Weight files as data: safetensors and PyTorch .pth, read and written without running anything
