"""The tasks: which labels each takes, and what it judges outputs by.

Each is a `TaskKind`. Its figures equal those of scikit-learn's functions, which the docstrings name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData
from loihiconv.core.labels import numbered
from loihiconv.core.linear import Array
from loihiconv.core.metric import ACCURACY, AUROC, F1, IOU, MAE, PIXELS, R2, RMSE, SIGN_ACCURACY, Metric
from loihiconv.core.network import assert_never
from loihiconv.evaluation.metrics import agreement
from loihiconv.evaluation.tasks.answers import Answers, End
from loihiconv.evaluation.tasks.auroc import auroc
from loihiconv.evaluation.tasks.bootstrap import interval, replicates
from loihiconv.evaluation.tasks.labels import class_indices, numbers, signs
from loihiconv.evaluation.tasks.metric import Figure, Mean
from loihiconv.evaluation.tasks.scores import Scores

IGNORED = 255
"""Label of pixels that are not judged, as are those below 0, where there are fewer classes."""


@dataclass(frozen=True)
class TaskKind(ABC):
    """What a network is for.

    Attributes
    ----------
    end : End
        Of the network.
    name : str
        As users name it.
    metric : Metric
        What verdicts, chains, curves and sweeps look at.
    """

    end: End

    name: ClassVar[Task]
    metric: ClassVar[Metric]

    @abstractmethod
    def labels(self, y: Array) -> Array:
        """Labels as `score` takes them; raises `InvalidData` for what are none."""

    @abstractmethod
    def score(self, answers: Answers, y: Array) -> Scores:
        """How answers do on labels."""

    def unit(self, y: Array) -> float:
        """What a noticeable loss is measured by: 1 for shares; of numbers the error of always answering their mean."""
        return 1.0

    def decisions(self, answers: Answers) -> Array | None:
        """What a user would act on, one or more per sample; None where outputs are numbers."""
        return None

    def agreement(self, answers: Answers, reference: Answers) -> float | None:
        """Share of decisions in which two networks agree; None where nothing is decided."""
        mine, theirs = self.decisions(answers), self.decisions(reference)
        return None if mine is None or theirs is None else agreement(mine, theirs)


class Classification(TaskKind):
    """One class per sample (`sklearn.metrics.accuracy_score`)."""

    name = "classification"
    metric = ACCURACY

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.end.indices or int(np.prod(self.end.shape))

    def labels(self, y: Array) -> Array:
        return class_indices(numbered(y, self.classes), self.classes)

    def decisions(self, answers: Answers) -> Array:
        if answers.named is not None:
            return answers.named
        flat = answers.outputs.reshape(len(answers), -1)
        return flat[:, 0].astype(np.int64) if self.end.indices else _largest(flat, self.end)

    def score(self, answers: Answers, y: Array) -> Scores:
        return _counted(self.metric, self.decisions(answers) == y)


class Binary(TaskKind):
    """Yes or no from one output: right signs, and AUROC (`sklearn.metrics.roc_auc_score`)."""

    name = "binary"
    metric = SIGN_ACCURACY

    def labels(self, y: Array) -> Array:
        return signs(y, (), "binary")

    def decisions(self, answers: Answers) -> Array:
        return answers.outputs.reshape(len(answers)) > self.end.threshold

    def score(self, answers: Answers, y: Array) -> Scores:
        return replace(_counted(self.metric, self.decisions(answers) == y), figures_of=partial(self._figures, answers, y))

    def _figures(self, answers: Answers, y: Array) -> tuple[Figure, ...]:
        area, around = auroc(answers.outputs.reshape(len(answers)), y)
        return (Figure(AUROC, area, around),) if np.isfinite(area) else ()


class Multilabel(TaskKind):
    """Any number of labels per sample: F1 of each and their mean (`sklearn.metrics.f1_score`, 0 for what never occurs)."""

    name = "multilabel"
    metric = F1

    def labels(self, y: Array) -> Array:
        return signs(y, (int(np.prod(self.end.shape)),), "multilabel")

    def decisions(self, answers: Answers) -> Array:
        return answers.outputs.reshape(len(answers), -1) > self.end.threshold

    def score(self, answers: Answers, y: Array) -> Scores:
        said = self.decisions(answers)
        rows = np.concatenate([said & y, said & ~y, ~said & y], axis=1)
        return Scores(F1, rows, lambda means: _f1(means).mean(axis=1), lambda means: tuple(_f1(means[None])[0].tolist()))


class Regression(TaskKind):
    """Numbers: RMSE, MAE and R², each the mean over targets (`sklearn.metrics`); of images, over all values."""

    name = "regression"
    metric = RMSE

    def labels(self, y: Array) -> Array:
        return numbers(y, self.end.shape)

    def score(self, answers: Answers, y: Array) -> Scores:
        error = self._columns(answers.outputs.astype(np.float64)) - self._columns(y)
        pooled = len(self._shape) > 1
        square = (error**2).mean(axis=1, keepdims=True) if pooled else error**2
        return Scores(RMSE, square, lambda means: np.sqrt(means).mean(axis=1), figures_of=partial(self._figures, error, y))

    def unit(self, y: Array) -> float:
        return float(self._columns(y).std(axis=0).mean()) or 1.0

    @property
    def _shape(self) -> tuple[int, ...]:
        return tuple(size for size in self.end.shape if size != 1)

    def _columns(self, values: Array) -> Array:
        return values.reshape(len(values), -1)

    def _figures(self, error: Array, y: Array) -> tuple[Figure, ...]:
        targets = self._columns(y) - self._columns(y).mean(axis=0)
        targets[:, np.ptp(self._columns(y), axis=0) == 0] = 0  # rounding would leave a constant some variance
        parts = [np.abs(error), error**2, targets, targets**2]
        if len(self._shape) > 1:
            targets = y.reshape(len(y), -1) - y.mean()
            parts = [part.mean(axis=1, keepdims=True) for part in (np.abs(error), error**2, targets, targets**2)]
        absolute, rows = parts[0], np.concatenate(parts[1:], axis=1)
        means = (Mean(MAE, absolute, lambda m: m.mean(axis=1)), Mean(R2, rows, _r2))
        return tuple(_figure(mean) for mean in means)


class Dense(TaskKind):
    """A class for every pixel: mean IoU (`sklearn.metrics.jaccard_score`, classes that occur), and the share of pixels that are right."""

    name = "dense"
    metric = IOU

    @property
    def classes(self) -> int:
        """Number of classes: two for one channel, which says yes or no."""
        return self.end.indices or max(2, self.end.shape[0])

    @property
    def space(self) -> tuple[int, ...]:
        """Pixels of one sample."""
        return self.end.shape if self.end.indices else self.end.shape[1:]

    def labels(self, y: Array) -> Array:
        size = int(np.prod(self.space))
        classes = self.classes
        if y.ndim > 1 and y[0].size == classes * size and np.isin(y, (0, 1)).all():
            y = y.reshape(len(y), classes, size).argmax(axis=1)
        if not y.ndim or not len(y) or y[0].size != size:
            limit = f"a class for each of {'x'.join(map(str, self.space))} pixels expected"
            raise InvalidData(f"labels of shape {y.shape}", where="labels", limit=limit, remedy=_ANOTHER)
        flat = y.reshape(len(y), -1)
        if flat.dtype.kind not in "biu" and (not np.isfinite(flat).all() or (flat != np.rint(flat)).any()):
            raise InvalidData("labels that are no whole numbers", where="labels", limit="classes of pixels expected", remedy=_ANOTHER)
        flat = flat.astype(np.int64)
        flat = np.where((flat < 0) | ((flat == IGNORED) & (classes <= IGNORED)), -1, flat)
        if (flat < 0).all():
            raise InvalidData("no pixel has a class", where="labels", limit=f"below 0 and {IGNORED} are not judged")
        if flat.max() >= classes:
            limit = f"0 to {classes - 1}, as the network has {classes} classes, expected"
            raise InvalidData(
                f"labels up to {flat.max()}", where="labels", limit=limit, remedy=f"count classes from 0; {IGNORED} is not judged"
            )
        return flat

    def decisions(self, answers: Answers) -> Array:
        outputs = answers.outputs
        if self.end.indices:
            return outputs.reshape(len(outputs), -1).astype(np.int64)
        channels = outputs.reshape(len(outputs), self.end.shape[0], -1)
        if channels.shape[1] == 1:
            return (channels[:, 0] > self.end.threshold).astype(np.int64)
        return _largest(channels, self.end)

    def score(self, answers: Answers, y: Array) -> Scores:
        said, judged = self.decisions(answers), y >= 0
        both = _per_class(said, judged & (said == y), self.classes)
        either: Array = _per_class(said, judged, self.classes) + _per_class(y, judged, self.classes) - both
        right = Mean(PIXELS, np.stack([both.sum(axis=1), judged.sum(axis=1)], axis=1), lambda m: m[:, 0] / m[:, 1])
        rows = np.concatenate([both, either], axis=1)
        return Scores(IOU, rows, _mean_iou, lambda means: tuple(_iou(means[None])[0].tolist()), lambda: (_figure(right),))


def kind_of(task: Task, end: End) -> TaskKind:
    """The task of this name, for a network that ends so."""
    match task:
        case "classification":
            _check_several(end)
            return Classification(end)
        case "binary":
            _check_single(end)
            return Binary(end)
        case "multilabel":
            return Multilabel(end)
        case "regression":
            return Regression(end)
        case "dense":
            return Dense(end)
        case _:
            assert_never(task)


_ANOTHER = "or give another task"


def _check_single(end: End) -> None:
    if int(np.prod(end.shape)) != 1:
        limit = f"the network has {int(np.prod(end.shape))} outputs, one expected"
        raise InvalidData('task "binary"', where="task", limit=limit, remedy='take "classification", or "multilabel"')


def _check_several(end: End) -> None:
    if not end.indices and int(np.prod(end.shape)) == 1:
        limit = "the network has 1 output, so that its largest is always the same"
        raise InvalidData('task "classification"', where="task", limit=limit, remedy='take "binary" or "regression"')


def _largest(outputs: Array, end: End) -> Array:
    """Index of the largest along axis 1; probabilities as float32 has them, in which a model finds several to be 1."""
    bounded = np.isfinite(end.low) or np.isfinite(end.high)
    return np.asarray((outputs.astype(np.float32) if bounded else outputs).argmax(axis=1))


def _counted(metric: Metric, right: Array) -> Scores:
    return Scores(metric, np.asarray(right, bool)[:, None], lambda means: means[:, 0])


def _figure(mean: Mean) -> Figure:
    value = float(mean.of(mean.rows.mean(axis=0, dtype=np.float64)[None])[0])
    return Figure(mean.metric, value, interval(replicates(mean.rows, mean.of)))


def _f1(means: Array) -> Array:
    """2 TP / (2 TP + FP + FN) of every label (B, L), 0 where there are none of them."""
    hits, false, missed = np.split(means, 3, axis=1)
    total = 2 * hits + false + missed
    return np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0)


def _r2(means: Array) -> Array:
    """1 - mean square error / variance, the mean over targets; of a constant target 1 if it is met, else 0."""
    square, first, second = np.split(means, 3, axis=1)
    variance = second - first**2
    known = variance > 1e-12 * np.maximum(second, 1e-300)
    share = np.divide(square, variance, out=np.where(square > 0, 1.0, 0.0).astype(variance.dtype), where=known)
    return np.asarray((1 - share).mean(axis=1))


def _per_class(classes: Array, counted: Array, number: int) -> Array:
    """How many pixels of each sample have which class: float32 (N, classes)."""
    rows = np.broadcast_to(np.arange(len(classes))[:, None], classes.shape)[counted]
    counts = np.bincount(rows * number + classes[counted], minlength=len(classes) * number)
    return counts.reshape(len(classes), number).astype(np.float32)


def _iou(means: Array) -> Array:
    """Intersection over union of every class (B, C); NaN where neither labels nor answers have it."""
    both, either = np.split(means, 2, axis=1)
    return np.divide(both, either, out=np.full(both.shape, np.nan, both.dtype), where=either > 0)


def _mean_iou(means: Array) -> Array:
    return np.asarray(np.nanmean(_iou(means), axis=1))
