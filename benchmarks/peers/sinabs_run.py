"""sinabs: a NIR graph on constant samples, as sinabs reads it, or with what loihiconv wrote into its metadata.

    python sinabs_run.py GRAPH.nir JOB.npz RESULT.npz

The job has ``x`` (N, \\*shape), ``timesteps``, and ``metadata``: 0 runs the graph as sinabs reads it, with neurons that may spike several
times in a step and whose potentials stay above -v_threshold; 1 gives them one spike per step, no such floor, and the start potentials
of the file. The result has ``counts/NODE`` (N, \\*shape), spikes of each neuron, and ``output`` (N, classes), summed over the steps.
"""

from __future__ import annotations

import sys
from typing import Any

import nir
import numpy as np
import sinabs
import sinabs.layers as sl
import torch

BATCH = 32


def main(graph_path: str, job_path: str, result_path: str) -> None:
    graph = nir.read(graph_path)
    with np.load(job_path) as job:
        x, steps, metadata = torch.from_numpy(job["x"]), int(job["timesteps"]), bool(job["metadata"])
    neurons = {name: node for name, node in graph.nodes.items() if isinstance(node, nir.IF)}
    counts: dict[str, list[Any]] = {name: [] for name in neurons}
    outputs = []
    with torch.no_grad():
        for part in x.split(BATCH):
            model = sinabs.from_nir(graph, num_timesteps=steps)  # anew: its neurons keep their state
            layers = matched(model, neurons)
            for name, layer in layers.items():
                layer.register_forward_hook(
                    lambda _, __, spikes, name=name: counts[name].append(spikes.unflatten(0, (-1, steps)).sum(1).numpy())
                )
                if metadata:
                    as_written(layer, neurons[name], len(part))
            frames = part[:, None].expand(-1, steps, *part.shape[1:]).flatten(0, 1)
            result = model(frames)
            result = result[0] if isinstance(result, tuple) else result
            outputs.append(result.unflatten(0, (-1, steps)).sum(1).numpy())
    np.savez(result_path, output=np.concatenate(outputs), **{f"counts/{name}": np.concatenate(parts) for name, parts in counts.items()})


def matched(model: torch.nn.Module, neurons: dict[str, Any]) -> dict[str, Any]:
    """The layer of each IF node, by the name of its module."""
    found = {name.split(".")[-1].removeprefix("_"): layer for name, layer in model.named_modules() if isinstance(layer, sl.IAFSqueeze)}
    if found.keys() != neurons.keys():
        raise SystemExit(f"sinabs made {sorted(found)} of {sorted(neurons)}")
    return found


def as_written(layer: Any, node: Any, samples: int) -> None:
    """One spike per step, no lower bound, and v_init."""
    layer.spike_fn, layer.min_v_mem = sinabs.activation.SingleSpike, None
    start = np.broadcast_to(node.metadata.get("v_init", np.zeros(1, np.float32)), node.v_threshold.shape)
    layer.v_mem = torch.from_numpy(np.array(start, np.float32)).expand(samples, *start.shape).clone()


if __name__ == "__main__":
    main(*sys.argv[1:])
