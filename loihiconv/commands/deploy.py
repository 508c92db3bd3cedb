"""``loihiconv deploy``: a folder that runs on the host of a board."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.data import FORMS, Said, read_data, training_samples, with_preprocessing
from loihiconv.commands.terminal import note, print_json
from loihiconv.core.files import check_free


@with_preprocessing
def deploy(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    samples: Annotated[str, typer.Option(help=f"{FORMS[0].upper()}{FORMS[1:]}: the first samples go into the self-test.", metavar="DATA")],
    out: Annotated[Path, typer.Option(help="Folder to write; must not exist.")],
    said: Said,
    board: Annotated[
        str | None, typer.Option("--board", help="Another board than it was converted for.", autocompletion=given.complete_board)
    ] = None,
    realization: given.Realize = None,
    lif_ratio: given.LifRatio = None,
    calibration: given.Calibration = None,
    slurm: Annotated[str | None, typer.Option("--slurm", "--partition", help="SLURM partition of the board.")] = None,
    ethernet: given.Ethernet = None,
    chip: given.Chip = None,
    neurocore_model: given.NeurocoreModel = None,
    selftest_samples: Annotated[int, typer.Option(help="Samples of the self-test.")] = 3,
    run: Annotated[bool, typer.Option(help="Run the self-test at once, where a board is within reach.")] = True,
    as_json: given.Json = False,
) -> None:
    """Write a self-contained folder: network, worker without torch, requirements, instructions and a self-test; run it if a board is there.

    Example: loihiconv deploy lenet.lnet --board kapoho_point --samples mnist.npz --slurm oheogulch --out bundle
    """
    given.at_least_one(selftest_samples, "--selftest-samples")
    from loihiconv.backends.deploy import deploy as write
    from loihiconv.backends.selftest import command as selftest_command
    from loihiconv.core.artifact import load
    from loihiconv.lava.chip.settings import BoardAccess
    from loihiconv.lava.detection import detect
    from loihiconv.lava.interpreter import interpreter_environment

    check_free(out.absolute())
    access = BoardAccess(partition=slurm, host=ethernet, chip=chip, neurocore_model=neurocore_model)
    net = load(network)
    data = read_data(samples, "test", given.shapes_of(net))
    net, x = said.fitted(net, data.x)
    done = write(
        net,
        x,
        out,
        y=data.y,
        board=board,
        realization=realization,
        lif_ratio=lif_ratio,
        calibration=training_samples(calibration, samples, said, net),
        access=access,
        samples=selftest_samples,
    )
    detection = detect(access)
    outcome = None
    if run and detection.ready and detection.python is not None:
        environment = interpreter_environment(detection.python) | {"PYTHON": detection.python}
        command, told = selftest_command(done.folder, simulate=False), sys.stderr if as_json else None
        outcome = subprocess.run(command, env=environment, stdout=told, check=False).returncode
    if as_json:
        print_json(
            {
                "path": str(out),
                "realization": done.realization,
                "why": done.why,
                "cost": done.cost.to_json(),
                "samples": done.samples,
                "board_ready": detection.ready,
                "selftest": outcome,
            }
        )
    else:
        note(f'written: {out}, realization "{done.realization}", a self-test of {done.samples} samples; see {out / "README.md"}')
        note(f"why {done.realization}: {done.why}")
        note(f"what it costs: {done.cost}")
        if outcome is None:
            simulated = shlex.join(selftest_command(out, simulate=True))
            note(f"no board was tried; this runs the same process graph on a CPU: {simulated}")
    if outcome:
        raise typer.Exit(outcome)
