from __future__ import annotations

import numpy as np
from lava.magma.core.callback_fx import NxSdkCallbackFx
from standin_log import note


class _Callback(NxSdkCallbackFx):
    def __init__(self, **given) -> None:
        note("callback", name=type(self).__name__, given=given)

    def pre_run_callback(self, board=None, var_id_to_var_model_map=None) -> None:
        pass

    def post_run_callback(self, board=None, var_id_to_var_model_map=None) -> None:
        pass


class Loihi2Power(_Callback):
    """Of a board with eight chips, each of which uses 0.25 W idle."""

    total_power = np.array([2.4, 2.6])
    static_total_power = 2.0
    vdd_power = np.array([1.2, 1.2])
    static_vdd_power = 0.8
    label = "not a number"


class Loihi2ExecutionTime(_Callback):
    avg_time_per_step = 12.5
    execution_time_per_step = np.arange(2000.0)


class Loihi2Memory(_Callback):
    pass


class Loihi2Activity(_Callback):
    pass
