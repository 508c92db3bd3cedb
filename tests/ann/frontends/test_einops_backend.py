"""Models whose forward calls functions of einops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.frontends.nets import IMAGE, Net, assert_read_and_lowered

einops = pytest.importorskip("einops", reason="einops is not installed")

from einops import rearrange, reduce, repeat  # noqa: E402  once it is known to be there


class Patches(nn.Module):
    """Functions by their own names and by the package's, sizes by name, and a layer."""

    def __init__(self) -> None:
        super().__init__()
        from einops.layers.torch import Rearrange

        self.patch, self.mix = nn.Linear(4 * 7 * 2, 6), nn.Conv1d(3, 4, 1)
        self.back, self.head = Rearrange("b t d -> b (t d)"), nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Tensor:
        patches = rearrange(x, "b c h (t w) -> b t (c h w)", w=2)
        mixed = self.mix(self.patch(patches).relu())
        sizes = einops.parse_shape(mixed, "b t d")
        assert sizes["t"] == 4
        mixed = mixed + repeat(einops.reduce(mixed, "b t d -> b d", "mean"), "b d -> b t d", t=sizes["t"])
        y: Tensor = self.head(self.back(mixed.relu()))
        return y


FUNCTIONS = {
    "mean": lambda m, x: m.l(reduce(m.c(x).relu(), "b c h w -> b c", "mean")),
    "sum": lambda m, x: m.l(reduce(m.c(x).relu(), "b c h w -> b c", "sum")),
    "windows": lambda m, x: m.l(reduce(m.c(x).relu(), "b c (h i) (w j) -> b (h c w)", "max", i=5, j=2)[:, ::2]),
    "products": lambda m, x: einops.einsum(m.c(x).relu().mean(2), m.l.weight, "b c w, o c -> b w o"),
}


def test_reads_functions_and_layers() -> None:
    assert_read_and_lowered(Patches(), IMAGE)


@pytest.mark.parametrize("case", FUNCTIONS)
def test_reads_functions(case: str) -> None:
    torch.manual_seed(0)
    assert_read_and_lowered(Net(FUNCTIONS[case], c=nn.Conv2d(4, 3, 3), l=nn.Linear(3, 2)), IMAGE)


def test_refuses_what_mixes_samples() -> None:
    with pytest.raises(UnsupportedLayer, match=r"reshape: reshape gives shape .* which mixes samples"):
        read_torch(Net(lambda m, x: rearrange(m.l(x), "b c -> (b c) 1"), l=nn.Linear(4, 3)), (4,))
