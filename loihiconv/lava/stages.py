"""The stages of a self-test: small networks, each of one part of a chip's graph, and then the network itself. Imports numpy alone.

A network that comes out wrong says little of why. So first come networks of a few neurons, made of the same stock parts, each with one
thing that the others do without: `loihiconv.backends.stages` makes them. What they find is said in one line each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loihiconv.core.artifact import load
from loihiconv.core.errors import BackendFailed, BackendUnavailable, InvalidSetting
from loihiconv.core.fingerprints import fingerprints
from loihiconv.core.given import did_you_mean
from loihiconv.core.network import Network, Recording
from loihiconv.lava.chip.netx_digests import NETX_DIGESTS, NETX_FILE, layer_digests
from loihiconv.lava.expected import Expected

FOLDER = "stages"
"""Of a deployed folder: ``NAME.lnet``, ``NAME.npz`` and, for lava-dl, ``NAME.net`` of each small network."""
NETWORK = "network"
"""The last stage."""
TESTS: Mapping[str, str] = {
    "dense": "neurons, and dense synapses between them",
    "convolution": "neurons, and convolutions between them",
    "sparse": "neurons, and sparse synapses between them",
    "delay": "synapses with a delay, of skip connections",
    "dense-payloads": "payloads from the host into dense synapses",
    "dense-spikes": "spikes from the host into dense synapses",
    "convolution-payloads": "payloads from the host into a convolution",
    "convolution-spikes": "spikes from the host into a convolution",
    "sparse-payloads": "payloads from the host into sparse synapses",
    "sparse-spikes": "spikes from the host into sparse synapses",
    "biases": "biases that the host loads for each sample",
    "reset": "neurons that begin every sample anew",
    NETWORK: "the deployed network",
}
"""What each stage tests, in the order in which they run."""
DIFFERENT, UNAVAILABLE = 1, BackendUnavailable.exit_code


@dataclass(frozen=True, eq=False)
class Stage:
    """A network of a deployed folder, and what it has to do."""

    name: str
    network: Network
    expected: Expected
    netx: Path

    @classmethod
    def read(cls, folder: Path, name: str) -> Stage:
        """The stage of a name, from a deployed folder.

        Raises
        ------
        ArtifactError
            If it cannot be read.
        """
        if name == NETWORK:
            network, expected, netx = folder / "network.lnet", folder / "selftest.npz", folder / NETX_FILE
        else:
            network, expected, netx = (folder / FOLDER / f"{name}.{kind}" for kind in ("lnet", "npz", "net"))
        loaded = load(network)
        return cls(name, loaded, Expected.read(expected, loaded), netx)

    def difference(self, found: Recording) -> str | None:
        """What is wrong with a recording, or with the network itself; None where nothing is."""
        text = self.expected.difference(self.network, found)
        if text is None and (other := self._altered()):
            text = f"population {other[0]}: its weights or parameters are not those that were deployed, though these samples do not show it"
        return text

    def _altered(self) -> list[str]:
        """Populations whose parameters or weights, in either of the files, are not those that were deployed."""
        deployed = self.expected.digests
        found = [name for name, digest in fingerprints(self.network).items() if str(deployed.get(name, digest)) != digest]
        if NETX_DIGESTS in deployed:
            names = [p.name for p in self.network.layers]
            layers = zip(names, deployed[NETX_DIGESTS].tolist(), layer_digests(self.netx), strict=False)
            found += [name for name, old, new in layers if old != new]
        return found


def chosen(all_stages: list[str], wanted: list[str] | None) -> list[str]:
    """Stages to run, in their order.

    Raises
    ------
    InvalidSetting
        If one was asked for that is not there.
    """
    for name in wanted or ():
        if name not in all_stages:
            what = f"no stage {name!r}{did_you_mean(name, all_stages)}"
            raise InvalidSetting(what, where="--stage", limit=f"one of {', '.join(all_stages)}")
    return [name for name in all_stages if not wanted or name in wanted]


def run_stages(folder: Path, names: list[str], run: Callable[[Stage], Recording], where: str, hint: str = "") -> int:
    """Run stages one after the other, all of them unless the first cannot run, and say of each in a line what it found.

    Parameters
    ----------
    folder : path
        A deployed one.
    names : list of str
    run : callable (stage)
        Runs its network on its samples.
    where : str
        What runs them, for messages.
    hint : str
        Added where spikes are right and potentials are not.

    Returns
    -------
    int
        0 where all are equal, 1 where one differs or breaks, else 3 where one could not run.
    """
    failed: list[str] = []
    code = ran = 0
    for number, name in enumerate(names, 1):
        stage, title = Stage.read(folder, name), f"{number}/{len(names)} {name}"
        try:
            difference = stage.difference(run(stage))
        except BackendUnavailable as error:
            difference, code = f"not run: {error}", code or UNAVAILABLE
        except BackendFailed as error:
            difference, code, ran = f"broke: {error}", DIFFERENT, ran + 1
        else:
            code, ran = code if difference is None else DIFFERENT, ran + 1
        if difference is None:
            print(f"{title}: passed, {stage.expected}", flush=True)
            continue
        difference += hint if "all spikes are equal" in difference else ""
        print(f"{title}: FAILED ({TESTS[name]}): {difference}", flush=True)
        failed.append(f"{name}: {difference}")
        if not ran:
            break  # whatever is missing, nothing else will run
    if failed:
        print(f"self-test FAILED on {where}: {failed[0]}")
        return code
    print(f"self-test passed on {where}")
    return 0
