"""Where a machine keeps what our program looks for when it opens a card.

cudarc loads libcuda.so and libnvrtc.so by name, or with the number of their major version behind it; CubeCL gives NVRTC
the headers in $CUDA_PATH/include. Both come with the CUDA toolkit; torch's packages have the library, in
site-packages/nvidia.
"""
from __future__ import annotations

import glob
import os
import sysconfig

TOOLKITS = ("/usr/local/cuda", "/usr/local/cuda-*", "/opt/cuda", "/usr")
LIBRARIES = ("lib64", "lib", "targets/*/lib", "lib/x86_64-linux-gnu")
HEADERS = ("cuda_runtime.h", "cuda_fp16.h")


def existing(patterns: list[str]) -> list[str]:
    found = [path for pattern in patterns for path in sorted(glob.glob(pattern), reverse=True)]
    return list(dict.fromkeys(os.path.realpath(path) for path in found))


def packages() -> list[str]:
    """The folders of NVIDIA's Python packages: nvidia/cu13, or one a library."""
    roots = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    return existing([f"{root}/nvidia/*" for root in roots if root])


def toolkits() -> list[str]:
    named = [os.environ[name] for name in ("CUDA_PATH", "CUDA_HOME") if name in os.environ]
    return named + existing(list(TOOLKITS))


def find() -> tuple[dict[str, str], dict[str, object]]:
    """The environment for our program, and what it was made of."""
    has_headers = [
        root for root in toolkits() + packages()
        if all(os.path.exists(f"{root}/include/{name}") for name in HEADERS)
    ]
    folders = existing([f"{root}/{lib}" for root in toolkits() + packages() for lib in LIBRARIES])
    nvrtc = [folder for folder in folders if glob.glob(f"{folder}/libnvrtc.so*")]
    driver = [folder for folder in folders if glob.glob(f"{folder}/libcuda.so*") and "stubs" not in folder]
    environment = dict(os.environ)
    if has_headers:
        environment["CUDA_PATH"] = has_headers[0]
    # The library of the headers' own toolkit first: both must be of one version.
    nvrtc.sort(key=lambda folder: not has_headers or not folder.startswith(os.path.realpath(has_headers[0])))
    path = nvrtc + [folder for folder in environment.get("LD_LIBRARY_PATH", "").split(":") if folder]
    environment["LD_LIBRARY_PATH"] = ":".join(path)
    names = [os.path.basename(name) for folder in nvrtc[:1] for name in glob.glob(f"{folder}/libnvrtc*.so*")]
    facts = {
        "CUDA_PATH": environment.get("CUDA_PATH"),
        "LD_LIBRARY_PATH": environment["LD_LIBRARY_PATH"],
        "nvrtc": sorted(names),
        "driver": driver,
    }
    return environment, facts
