"""Shapes of tensors as ONNX infers them, for what cannot be carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loihiconv.core.linear import Shape

if TYPE_CHECKING:
    import onnx


class InferredShapes:
    """Shapes of all tensors of a model for batches of some shapes, one for each input; the model is not changed.

    Parameters
    ----------
    model : onnx.ModelProto
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model

    def __deepcopy__(self, memo: Any) -> InferredShapes:
        return self

    def __call__(self, batches: Sequence[Shape]) -> Mapping[str, Shape]:
        import onnx

        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        constants = {tensor.name for tensor in model.graph.initializer}
        entries = [value for value in model.graph.input if value.name not in constants]
        for entry, batch in zip(entries, batches, strict=True):
            entry.type.tensor_type.shape.CopyFrom(onnx.TensorShapeProto())
            for size in batch:
                entry.type.tensor_type.shape.dim.add().dim_value = size
        del model.graph.value_info[:]
        try:
            inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
        except Exception:  # a damaged file may break it in any way; then nothing is known
            return {}
        found = {}
        for value in (*inferred.graph.value_info, *inferred.graph.output):
            sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            if sizes and min(sizes) > 0:
                found[value.name] = (batches[0][0], *sizes[1:])
        return found
