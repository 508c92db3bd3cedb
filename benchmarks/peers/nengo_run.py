"""nengo-loihi's emulator of Loihi 1: one sample at a time, built once; samples follow each other without a reset.

Convolutions without padding or groups only: nengo has no others.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import nengo
import nengo_loihi
import numpy as np

SAMPLES = 2


def build(specs: list[dict[str, Any]], weights: list[np.ndarray], biases: list[np.ndarray], x: np.ndarray, steps: int) -> nengo.Network:
    """A chain of ensembles without encoders' noise: neuron to neuron connections with the given weights."""
    with nengo.Network(seed=0) as model:
        nengo_loihi.add_params(model)
        source: Any = nengo.Node(nengo.processes.PresentInput(x.reshape(len(x), -1), steps * 0.001))
        shape = x.shape[1:]
        for spec, weight, bias in zip(specs, weights, biases, strict=True):
            size = int(np.prod(spec["shape"]))
            if spec["kind"] == "conv":
                if any(spec["padding"]) or spec["groups"] != 1 or list(spec["dilation"]) != [1, 1]:
                    raise SystemExit("nengo has no convolution with padding, groups or dilation")
                transform: Any = nengo.Convolution(
                    n_filters=weight.shape[0],
                    input_shape=shape,
                    kernel_size=weight.shape[2:],
                    strides=spec["stride"],
                    channels_last=False,
                    init=weight.transpose(2, 3, 1, 0),
                )
            else:
                transform = weight
            if "vth" in spec:
                ensemble = nengo.Ensemble(
                    size,
                    1,
                    neuron_type=nengo.SpikingRectifiedLinear(amplitude=0.001),
                    gain=np.full(size, 1000.0),
                    bias=1000.0 * np.broadcast_to(bias, spec["shape"]).ravel(),
                )
                target: Any = ensemble.neurons
                if isinstance(source, nengo.Node):
                    model.config[ensemble].on_chip = False  # it takes analog values
            else:
                target = nengo.Node(size_in=size)
            nengo.Connection(source, target, transform=transform, synapse=None if isinstance(source, nengo.Node) else 0.001)
            source, shape = target, tuple(spec["shape"])
        nengo.Probe(source)
    return model


with np.load(sys.argv[1]) as job:
    specs = json.loads(str(job["layers"]))
    weights, biases = ([job[f"{key}{i}"] for i in range(len(specs))] for key in "wb")
    x, steps = job["x"][:SAMPLES], int(job["timesteps"])
    total = len(job["x"])
model = build(specs, weights, biases, x, steps)
with nengo_loihi.Simulator(model, target="sim", progress_bar=False) as simulator:
    simulator.run_steps(2)
    print(f"{SAMPLES} samples, scaled up", flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        simulator.run_steps(SAMPLES * steps)
        print((time.perf_counter() - begin) * total / SAMPLES, flush=True)
