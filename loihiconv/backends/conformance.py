"""A folder of conformance vectors for a neuron of one's own, with a script that checks it and needs numpy alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np

from loihiconv.backends.conformance_cases import conformance_cases
from loihiconv.core.files import check_free, new_folder, write_npz
from loihiconv.core.given import check_path

VECTORS, SCRIPT = "vectors.npz", "check.py"


def write_conformance(out: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write ``vectors.npz`` and ``check.py`` into a new folder; see ``docs/native_neuron.md``.

    Parameters
    ----------
    out : path
        A folder that does not exist.

    Returns
    -------
    tuple of str
        Names of the cases.

    Raises
    ------
    InvalidSetting
        If the folder exists or cannot be written.
    """
    check_path(out, "conformance")
    target = Path(os.path.abspath(out))
    check_free(target)
    cases = conformance_cases()
    arrays = {f"{case.name}/{key}": value for case in cases for key, value in (case.inputs | case.expected()).items()}
    about = json.dumps([{"name": case.name, "about": case.about, "optional": case.optional} for case in cases])
    with new_folder(target) as folder:
        write_npz(folder / VECTORS, {"cases": np.array(about), **arrays}, compressed=True)
        shutil.copyfile(Path(__file__).with_name("conformance_check.py"), folder / SCRIPT)
    return tuple(case.name for case in cases)
