"""Figures of merit: what they are called, which way is better, and in which unit they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One figure of merit.

    Attributes
    ----------
    key : str
        In JSON.
    title : str
        In tables and plots.
    share : bool
        Whether it is a share, from 0 to 1, which is shown in per cent; else it is in units of the targets.
    rises : bool
        Whether larger is better.
    counted : bool
        Whether it is the share of samples that are right, so that intervals of proportions hold.
    """

    key: str
    title: str
    share: bool = True
    rises: bool = True
    counted: bool = False

    def loss(self, before: float, after: float) -> float:
        """What a step loses: positive where it is worse after than before."""
        return before - after if self.rises else after - before


ACCURACY = Metric("accuracy", "accuracy", counted=True)
SIGN_ACCURACY = Metric("accuracy", "sign accuracy", counted=True)
AUROC = Metric("auroc", "AUROC")
F1 = Metric("macro_f1", "macro F1")
RMSE = Metric("rmse", "RMSE", share=False, rises=False)
MAE = Metric("mae", "MAE", share=False, rises=False)
R2 = Metric("r2", "R²", share=False)
IOU = Metric("mean_iou", "mean IoU")
PIXELS = Metric("pixel_accuracy", "pixel accuracy")
BY_KEY = {metric.key: metric for metric in (AUROC, F1, RMSE, MAE, R2, IOU, PIXELS, SIGN_ACCURACY, ACCURACY)}
"""Metrics as files name them; "accuracy" is both that of classes and that of signs."""
