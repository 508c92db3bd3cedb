#!/usr/bin/env python3
"""Train one of the benchmark networks from scratch and write its weights.

    python benchmarks/train.py cifar10_cnn       # -> benchmarks/models/cifar10_cnn.safetensors and .json

Stochastic gradient descent with Nesterov momentum 0.9 and a one-cycle learning rate, random shifts and flips, label
smoothing. The test set is read once, after the last epoch, and decides nothing; whoever wants to change a recipe
compares with ``--validate``, which keeps 5,000 training images aside and writes nothing. One seed, one number of
threads and one machine give the same weights again; other machines round differently.
"""

from __future__ import annotations

import json
import math
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import typer
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import data, nets
from loihiconv.evaluation.metrics import wilson
from loihiconv.finetuning.augmentation import moved

HELD_OUT = 5_000
LARGE = 4_096


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Parameters
    ----------
    data : str
        Data set, as `benchmarks.data.load` names it.
    epochs, batch : int
        Passes over the training images; images per step.
    rate : float
        Peak of the one-cycle learning rate.
    decay : float
        Weight decay, on all parameters.
    smoothing : float
        Label smoothing.
    shift : int
        Largest random shift in pixels, each way and axis.
    padding : {"reflect", "constant"}
        What comes in from the border: the mirrored image, or zeros.
    flip : bool
        Mirror every other image, left to right.
    bfloat16 : bool
        On a CPU, autocast to bfloat16 where it multiplies that natively. Off where it is slower: depthwise convolutions.
    half : bool
        Store the large weights as float16. They are rounded before the network is scored.
    """

    data: str
    epochs: int
    batch: int = 128
    rate: float = 0.1
    decay: float = 5e-4
    smoothing: float = 0.05
    shift: int = 2
    padding: Literal["reflect", "constant"] = "constant"
    flip: bool = False
    bfloat16: bool = True
    half: bool = False


RECIPES = {
    "mnist_cnn": Recipe("mnist", epochs=20, rate=0.05),
    "mnist_maxpool": Recipe("mnist", epochs=20),
    "fashion_cnn": Recipe("fashion_mnist", epochs=25, flip=True),
    "fashion_gap": Recipe("fashion_mnist", epochs=6, flip=True),
    "fashion_flat": Recipe("fashion_mnist", epochs=5, rate=0.05, flip=True, half=True),
    "fashion_mlp": Recipe("fashion_mnist", epochs=12, rate=0.05, shift=0, flip=True, half=True),
    "cifar10_cnn": Recipe("cifar10", epochs=32, batch=256, rate=0.2, shift=4, padding="reflect", flip=True, half=True),
    "mobilenet": Recipe("cifar10", epochs=70, rate=0.15, shift=4, padding="reflect", flip=True, bfloat16=False),
    "resnet20": Recipe("cifar10", epochs=80, batch=256, rate=0.3, shift=4, padding="reflect", flip=True, half=True),
    "vowels_dscnn": Recipe("vowels", epochs=120, batch=32, rate=0.05, shift=0, bfloat16=False),
    "vgg11": Recipe("cifar10", epochs=60, batch=256, rate=0.1, shift=4, padding="reflect", flip=True, half=True),
}


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Shift every image by its own random offset, and mirror about half of them; (N, C, H, W) in and out. Series stay as they are."""
    if images.ndim == 3:
        return images
    n = len(images)
    corners = torch.randint(2 * recipe.shift + 1, (2, n, 1), generator=generator)
    mirrored = torch.rand(n, 1, generator=generator) < 0.5 if recipe.flip else None
    return moved(images, recipe.shift, corners, mirrored, recipe.padding)


def native_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; emulated it would be slower than float32. Old versions of torch cannot tell."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16"))


def autocasts(recipe: Recipe, device: torch.device) -> bool:
    """Whether a network is trained in bfloat16 there."""
    return recipe.bfloat16 and device.type == "cpu" and native_bfloat16()


def fit(model: nn.Module, x: Tensor, y: Tensor, recipe: Recipe, seed: int) -> None:
    """Train `model` in place, where images `x` and labels `y` lie, printing one line per epoch with the time that is left."""
    model.to(x.device)
    if x.ndim == 4:
        model.to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(seed)
    steps = math.ceil(len(x) / recipe.batch)
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=recipe.epochs * steps, cycle_momentum=False)
    bfloat16 = autocasts(recipe, x.device)
    begin = time.monotonic()
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        total = torch.zeros((), device=x.device)
        for chosen in torch.randperm(len(x), generator=generator).to(x.device).split(recipe.batch):
            with torch.autocast("cpu", torch.bfloat16) if bfloat16 else nullcontext():
                scores = model(augment(x[chosen], recipe, generator))
            loss = F.cross_entropy(scores.float(), y[chosen], label_smoothing=recipe.smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach() * len(chosen)
        spent = time.monotonic() - begin
        left = spent / epoch * (recipe.epochs - epoch)
        print(f"epoch {epoch}/{recipe.epochs}  loss {float(total) / len(x):.4f}  {spent:.0f} s, {left:.0f} s left", flush=True)


@torch.no_grad()
def count_correct(model: nn.Module, x: Tensor, y: Tensor) -> int:
    """How many of the images get the right class, in float32."""
    model.eval()
    return sum(int((model(xs).argmax(1) == ys).sum()) for xs, ys in zip(x.split(500), y.split(500), strict=True))


def weights(model: nn.Module, half: bool) -> dict[str, Tensor]:
    """What is stored of a network: its state, weights of `LARGE` values or more as float16 if `half`."""
    state = {key: value.detach().contiguous() for key, value in model.state_dict().items()}
    return {key: value.half() if half and value.numel() >= LARGE else value for key, value in state.items()}


def write(state: dict[str, Tensor], record: dict[str, Any], folder: Path, name: str) -> None:
    """Write NAME.safetensors and NAME.json; neither is touched before both are complete on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {f"{name}.safetensors": save(state), f"{name}.json": (json.dumps(record, indent=2) + "\n").encode()}
    try:
        for file, content in contents.items():
            (folder / f".{file}.part").write_bytes(content)
        for file in contents:
            (folder / f".{file}.part").replace(folder / file)
    finally:
        for file in contents:
            (folder / f".{file}.part").unlink(missing_ok=True)


def train(
    name: str, recipe: Recipe, seed: int, threads: int, limit: int | None, validate: bool, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Build, fit and score one network; returns its weights and the record that goes into its JSON."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(seed)
    model: nn.Module = getattr(nets, name)()
    x, y, x_test, y_test = (torch.from_numpy(array)[:limit] for array in data.load(recipe.data))
    if validate:
        x, y, x_test, y_test = x[:-HELD_OUT], y[:-HELD_OUT], x[-HELD_OUT:], y[-HELD_OUT:]
    x, y = x.to(device, memory_format=torch.channels_last if x.ndim == 4 else torch.contiguous_format), y.to(device)
    begin = time.monotonic()
    fit(model, x, y, recipe, seed)
    seconds = time.monotonic() - begin
    model.cpu()
    state = weights(model, recipe.half)
    model.load_state_dict(state)
    correct, n = count_correct(model, x_test, y_test), len(y_test)
    record = {
        "network": name,
        "accuracy": correct / n,
        "n": n,
        "wilson95": wilson(correct, n),
        "seed": seed,
        "epochs": recipe.epochs,
        "settings": asdict(recipe) | {"autocast": autocasts(recipe, x.device), "training_images": len(x)},
        "seconds": round(seconds),
        "threads": threads,
        "device": torch.cuda.get_device_name(x.device) if x.is_cuda else "cpu",
        "torch": torch.__version__,
        "date": date.today().isoformat(),
    }
    return state, record


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(RECIPES)}.")],
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the training images; the recipe's by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order, shifts, flips and dropout.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder that gets the weights and JSON.", show_default="benchmarks/models")] = nets.MODELS,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first images of both sets, to try things out; needs --out.")] = None,
    validate: Annotated[bool, typer.Option("--validate", help="Score 5,000 training images kept aside; writes nothing.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch; part of what makes a run repeatable.")] = 2,
    device: Annotated[str, typer.Option(help="Torch device to train on: cpu, cuda, ...")] = "cpu",
) -> None:
    """Train a benchmark network from scratch; prints its test accuracy with a 95 % Wilson interval."""
    if name not in RECIPES:
        fail(f"unknown network '{name}'; known are {', '.join(RECIPES)}")
    if limit is not None and out.resolve() == nets.MODELS.resolve():
        fail("--limit would replace the shipped weights by worse ones; name another folder with --out")
    if validate and limit is not None and limit <= HELD_OUT:
        fail(f"--validate keeps {HELD_OUT} training images aside; --limit {limit} leaves none to train on")
    recipe = RECIPES[name] if epochs is None else replace(RECIPES[name], epochs=epochs)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        fail(f"--device {device}: {str(error).splitlines()[0]}")
    try:
        state, record = train(name, recipe, seed, threads, limit, validate, device)
        if not validate:
            write(state, record, out, name)
    except OSError as error:
        fail(str(error))
    low, high = record["wilson95"]
    kind = "held-out training" if validate else "test"
    print(f"{name}: {record['accuracy']:.2%} of {record['n']} {kind} images, 95 % interval {low:.2%} to {high:.2%}")


def fail(message: str) -> None:
    """Print one line and leave with code 2."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    typer.run(main)
