#!/usr/bin/env python3
"""Which networks of torchvision, timm and the usual papers go in, and what stops the rest.

    pip install torchvision timm
    python benchmarks/zoo.py                              # all lists
    python benchmarks/zoo.py --only resnet --board kapoho_point
    python benchmarks/zoo.py --json > zoo.json
    python benchmarks/zoo.py --cluster slurm:profile.yaml

One network of each family, the smallest, with seeded random weights and statistics of batch norms from one random batch, on small
images: `loihiconv.check` reads it, rewrites it and tries a conversion. That says whether a network goes in, and nothing of accuracy.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loihiconv.commands.clusters import on_cluster
from loihiconv.commands.options import Cluster
from loihiconv.core.errors import LoihiconvError

IMAGE = (3, 64, 64)
SIZES: dict[str, tuple[int, ...]] = {
    "inception_v3": (3, 299, 299),
    **dict.fromkeys(("inception_v4", "xception41"), (3, 160, 160)),
    **dict.fromkeys(("maxvit_t", "swin_t", "swin_v2_t", "vit_b_16"), (3, 224, 224)),
    **dict.fromkeys(("r3d_18", "mc3_18", "r2plus1d_18"), (3, 4, 24, 24)),
    "s3d": (3, 14, 64, 64),
}
TORCHVISION = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3", "maxvit_t"),
    *("mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "regnet_x_400mf", "regnet_y_400mf", "resnet18"),
    *("resnet50", "resnext50_32x4d", "wide_resnet50_2", "shufflenet_v2_x0_5", "squeezenet1_0", "squeezenet1_1", "swin_t", "vgg11"),
    *("vgg11_bn", "vit_b_16", "fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large", "r3d_18", "mc3_18", "r2plus1d_18"),
)
TIMM = (
    *("resnet18", "resnet26d", "resnet10t", "resnetblur18", "resnext50_32x4d", "wide_resnet50_2", "res2net50_26w_4s", "resnest14d"),
    *("seresnet18", "skresnet18", "cspresnet50", "cspdarknet53", "darknet17", "darknet21", "densenet121", "dla34", "dpn48b"),
    *("vgg11", "vgg11_bn", "repvgg_a0", "rexnet_100", "regnetx_002", "regnety_002", "selecsls42b", "vovnet39a", "ese_vovnet19b_dw"),
    *("hrnet_w18_small", "hardcorenas_a", "mnasnet_small", "mobilenetv2_050", "mobilenetv3_small_050", "mobilenetv4_conv_small_035"),
    *("fbnetc_100", "spnasnet_100", "tinynet_e", "ghostnet_050", "inception_v4", "xception41", "efficientnet_lite0", "nfnet_l0"),
    "convnext_atto",
)


@dataclass(frozen=True)
class Outcome:
    """What became of one network.

    Attributes
    ----------
    origin, name : str
    passed : bool
    problem : str
        The first one.
    populations, neurons : int
    seconds : float
    """

    origin: str
    name: str
    passed: bool
    problem: str
    populations: int
    neurons: int
    seconds: float


def tried(origin: str, name: str, board: str | None) -> Outcome:
    """Make a network, and check it."""
    import torch

    import loihiconv as lc

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    begin = time.monotonic()
    shape = SIZES.get(name, IMAGE)
    model = _made(origin, name)
    with torch.no_grad():
        model.train()
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.momentum = 1.0
        model(torch.rand(4, *shape))
    found = lc.check(model.eval(), shape, board)
    neurons = sum(layer.neurons for layer in found.layers)
    return Outcome(origin, name, found.ok, next(iter(found.problems), ""), len(found.layers), neurons, time.monotonic() - begin)


def _made(origin: str, name: str) -> Any:
    if origin == "timm":
        import timm

        return timm.create_model(name, pretrained=False)
    from torchvision import models

    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    plain = {"weights_backbone": None} if name.startswith(("fcn", "deeplab", "lraspp")) else {}
    return models.get_model(name, weights=None, **options, **plain)


def outcomes(names: list[tuple[str, str]], board: str | None, jobs: int, client: Any = None) -> Iterator[Outcome]:
    """Try networks, some at a time, or on a cluster; one that fails otherwise than by a refusal is an outcome too."""
    if client is not None:
        yield from _on_cluster(names, board, client)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        futures = {pool.submit(_outcome, origin, name, board): (origin, name) for origin, name in names}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenExecutor as error:
                yield _failed(*futures[future], error)


def _on_cluster(names: list[tuple[str, str]], board: str | None, client: Any) -> Iterator[Outcome]:
    from loihiconv.clusters.cluster import planned
    from loihiconv.clusters.farm import Farm
    from loihiconv.clusters.jobs import Job

    with Farm(client, planned=planned(client)) as farm:
        for origin, name in names:
            farm.add(Job(f"{origin} {name}", _outcome, (origin, name, board), (origin, name)))
        for done in farm:
            yield done.result if done.error is None else _failed(*done.job.about, done.error)


def _outcome(origin: str, name: str, board: str | None) -> Outcome:
    try:
        return tried(origin, name, board)
    except Exception as error:
        return _failed(origin, name, error)


def _failed(origin: str, name: str, error: Exception) -> Outcome:
    return Outcome(origin, name, False, f"{type(error).__name__}: {error}".splitlines()[0], 0, 0, 0.0)


def table(found: list[Outcome]) -> str:
    """How many of each list pass, then every network with its first problem."""
    lines = []
    for origin in dict.fromkeys(o.origin for o in found):
        of = sorted((o for o in found if o.origin == origin), key=lambda o: (not o.passed, o.name))
        lines.append(f"{origin}: {sum(o.passed for o in of)} of {len(of)} pass")
        lines += [
            f"  {o.name:28} {f'{o.populations} populations, {o.neurons:,} neurons' if o.passed else 'refused: ' + o.problem}" for o in of
        ]
    return "\n".join(lines)


def main(
    only: Annotated[str, typer.Option(help="Only networks whose name holds this.")] = "",
    origin: Annotated[str, typer.Option(help="torchvision or timm; both by default.")] = "",
    board: Annotated[str | None, typer.Option(help="Also say whether it fits a board.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Networks at a time; each takes one core and up to 4 GB.")] = 2,
    cluster: Cluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check networks of torchvision and timm."""
    lists: dict[str, tuple[str, ...]] = {"torchvision": TORCHVISION, "timm": TIMM}
    names = [(o, name) for o, all_names in lists.items() for name in all_names if only in name and origin in ("", o)]
    found = []
    try:
        with on_cluster(cluster) as client:
            for outcome in outcomes(names, board, jobs, client):
                found.append(outcome)
                print(
                    f"{len(found)}/{len(names)} {outcome.origin} {outcome.name}: {outcome.problem or 'passes'} ({outcome.seconds:.0f} s)",
                    file=sys.stderr,
                    flush=True,
                )
    except LoihiconvError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps([asdict(o) for o in found], indent=1) if as_json else table(found))


if __name__ == "__main__":
    typer.run(main)
