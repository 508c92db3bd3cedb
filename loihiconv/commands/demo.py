"""``loihiconv demo``: the whole way on digits that come with scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.conversion import Conversion, Steps
from loihiconv.commands.reports import check_reports, finish_reports
from loihiconv.commands.terminal import note, print_comparison, print_json
from loihiconv.core.files import make_folder, write_json


def demo(
    timesteps: Steps = 32,
    board: given.Board = "kapoho_point",
    lava_samples: Annotated[int, typer.Option(help="Digits that run in Lava's simulator.")] = 20,
    out: Annotated[Path, typer.Option(help="Folder for the network (digits.lnet) and the comparison (demo.json).")] = Path("demo-output"),
    html: given.Html = None,
    markdown: given.Markdown = None,
    as_json: given.Json = False,
) -> None:
    """The whole way on scikit-learn's handwritten digits: convert, emulate all held-out digits, run some in Lava where it is installed.

    Example: loihiconv demo --timesteps 32
    """
    check_reports(html, markdown)
    conversion = Conversion(board, timesteps, samples=None)
    make_folder(out)
    from loihiconv.backends.registry import without_unavailable
    from loihiconv.core.network import save
    from loihiconv.core.progress import Bars
    from loihiconv.demo import digits, digits_cnn
    from loihiconv.evaluation.compare import compare as run_compare

    names, missing = without_unavailable(["float", "emulator", "lava"])
    x_train, _, x_test, y_test = digits()
    model = digits_cnn()
    net = conversion.convert(model, x_train)
    with Bars() as progress:
        result = run_compare(
            model,
            net,
            (x_test, y_test),
            names,
            lava_samples=lava_samples,
            explain=bool(html or markdown),
            calibration=x_train,
            progress=progress,
        )
    save(net, out / "digits.lnet")
    write_json(out / "demo.json", result.to_json())
    print_json(result.to_json()) if as_json else print_comparison(result)
    finish_reports(result, html, markdown, quiet=as_json)
    for text in missing:
        note(text)
    note(f"written: {out / 'digits.lnet'} and {out / 'demo.json'}")
