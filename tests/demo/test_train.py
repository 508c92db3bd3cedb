"""How the demo's network was trained."""

import torch

from loihiconv.demo.train import shifted


def test_training_shifts_by_at_most_one_pixel():
    torch.manual_seed(0)
    images = torch.zeros(500, 1, 8, 8)
    images[:, 0, 4, 4] = 1
    _, _, rows, columns = shifted(images).nonzero(as_tuple=True)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(r, c) for r in (3, 4, 5) for c in (3, 4, 5)}
