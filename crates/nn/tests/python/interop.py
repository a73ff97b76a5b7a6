"""Files between PyTorch, NumPy and this crate. Needs torch, numpy and safetensors.

    python interop.py make FOLDER     writes nets of PyTorch with inputs and their logits
    python interop.py check FOLDER    reads `ours.safetensors` and `ours.npz`, which this crate wrote, and compares logits
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file


def net():
    """A net with names and numbers as Sequential gives them."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)).double()


def inputs():
    return torch.sin(torch.arange(20, dtype=torch.float64).reshape(5, 4))


def make(folder):
    model, x = net(), inputs()
    logits = model(x).detach()
    save_file({**model.state_dict(), "x": x, "logits": logits}, folder / "torch_f64.safetensors")
    for name, dtype in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)]:
        small = {key: value.to(dtype) for key, value in model.state_dict().items()}
        # The logits of the rounded weights, in double precision.
        rounded = net()
        rounded.load_state_dict({key: value.double() for key, value in small.items()})
        save_file({**small, "x": x, "logits": rounded(x).detach()}, folder / f"torch_{name}.safetensors")
    np.savez(folder / "torch.npz", **{key: value.numpy() for key, value in model.state_dict().items()}, x=x, logits=logits)

    torch.manual_seed(1)
    conv = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.Flatten(),
                               torch.nn.Linear(48, 2)).double()
    images = torch.cos(torch.arange(80, dtype=torch.float64).reshape(5, 1, 4, 4))
    conv(images)  # moves the running values
    conv.eval()
    save_file({**conv.state_dict(), "x": images, "logits": conv(images).detach()}, folder / "torch_conv.safetensors")


def check(folder):
    x = inputs()
    for name in ["ours.safetensors", "ours.npz"]:
        path = folder / name
        tensors = load_file(path) if name.endswith("safetensors") else {k: torch.tensor(v) for k, v in np.load(path).items()}
        model = net()
        ours = {"0.weight": "layers.0.weight", "0.bias": "layers.0.bias", "2.weight": "layers.1.weight", "2.bias": "layers.1.bias"}
        model.load_state_dict({key: tensors[path] for key, path in ours.items()})
        gap = (model(x) - tensors["logits"]).abs().max().item()
        print(f"{name}: logits differ by {gap:.1e} at most")
        assert gap < 1e-12, name


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](Path(sys.argv[2]))
