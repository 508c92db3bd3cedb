"""Every notebook of ``tutorials/`` runs from top to bottom, and holds the outputs of such a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import data

nbformat = pytest.importorskip("nbformat", reason="comes with loihiconv[tutorials]")

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "tutorials").glob("*.ipynb"))
DATA = {"4_figure_2": "cifar10"}
LAVA = {"1_first_conversion", "2_your_own_network"}
FEWER = {"4_figure_2": ("SAMPLES = 50", "SAMPLES = 5")}
"""What runs here on fewer samples than its kept outputs are of."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    nbclient = pytest.importorskip("nbclient", reason="comes with loihiconv[tutorials]")
    pytest.importorskip("ipykernel", reason="comes with loihiconv[tutorials]")
    pytest.importorskip("matplotlib", reason="comes with loihiconv[tutorials]")
    needed = DATA.get(path.stem)
    if needed and not (data.folder() / f"{needed}.npz").exists():
        pytest.skip(f"{needed}.npz is missing: python benchmarks/get_data.py {needed}")
    if path.stem in LAVA:
        request.getfixturevalue("lava_python")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(path, as_version=4)
    for many, few in [FEWER[path.stem]] if path.stem in FEWER else []:
        assert any(many in cell.source for cell in notebook.cells)
        for cell in notebook.cells:
            cell.source = cell.source.replace(many, few)
    nbclient.NotebookClient(notebook, timeout=1700, resources={"metadata": {"path": str(path.parent)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_kept_and_say_nothing_of_the_machine(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
    for cell in code:
        for output in cell.outputs:
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert output.output_type != "error"
            assert output.get("name") != "stderr", text
            assert str(Path.home()) not in text
            assert "/tmp" not in text
