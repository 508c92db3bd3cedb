from __future__ import annotations

import numpy as np
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from standin_log import note


class CyclicBuffer(AbstractProcess):
    """Sends its first frame, and then the others again and again; that the first one does not come back is a guess."""

    def __init__(self, *, first_frame, replay_frames) -> None:
        super().__init__(shape=first_frame.shape, frames=np.concatenate([first_frame[..., None], replay_frames], axis=-1))
        note("buffer", shape=list(first_frame.shape), frames=replay_frames.shape[-1])
        self.s_out = OutPort(shape=first_frame.shape)
