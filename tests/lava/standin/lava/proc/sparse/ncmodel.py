from __future__ import annotations

from lava.proc.sparse.models import PyDelaySparseModelBitAcc, PySparseModelBitAcc
from standin_log import note
from standin_models import Core, connection


@connection
class NcModelSparse(PySparseModelBitAcc, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcModelSparse")
        super().__init__(proc_params)


@connection
class NcModelDelaySparse(PyDelaySparseModelBitAcc, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcModelDelaySparse")
        super().__init__(proc_params)
