"""Run Lava's own LIF for one sample: JSON arguments in, spikes (T, neurons) out."""

from __future__ import annotations

import json
import sys

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    payload, weight = np.array(given["payload"]), np.array(given["weight"])
    steps, neurons = given["timesteps"], len(weight)
    source = Source(data=np.repeat(payload[:, None], steps, axis=1))
    dense = Dense(weights=weight, num_message_bits=24)
    # It already adds its bias in step 1, before the first payload arrives in step 2.
    lif = LIF(shape=(neurons,), du=4095, dv=0, vth=given["vth"], bias_mant=given["bias"], bias_exp=0, v=given["v_init"] - given["bias"])
    sink = Sink(shape=(neurons,), buffer=steps + 1)
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.s_out.connect(sink.a_in)
    try:
        lif.run(RunSteps(steps + 1), Loihi2SimCfg(select_tag="fixed_pt"))
        print(json.dumps(sink.data.get()[:, 1:].T.astype(int).tolist()))
    finally:
        lif.stop()
