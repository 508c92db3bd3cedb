"""Vectors of numbers as values in numba's kernels: what a compiler keeps in registers if it is told so.

Left to itself LLVM makes vectors of half the width of AVX-512's and writes potentials back after every step, 2 times slower. Code made
of vectors reads like code made of numbers, and LLVM cuts them to what a processor has, down to single numbers.

numba notices a change of the file a kernel is in, and not of this one: after a change here, delete the kernels' ``__pycache__``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic as annotated_intrinsic
from numba.extending import lower_builtin, models, register_model, type_callable

intrinsic: Any = annotated_intrinsic  # numba's annotation takes the typing context for an argument of the call


class Vector(types.Type):
    """The type of ``lanes`` numbers of one type."""

    def __init__(self, element: Any, lanes: int) -> None:
        self.element, self.lanes = element, lanes
        super().__init__(name=f"Vector({element}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, _llvm(vector))


def _llvm(vector: Vector) -> ir.VectorType:
    element = vector.element
    if isinstance(element, types.Float):
        return ir.VectorType(ir.FloatType() if element.bitwidth == 32 else ir.DoubleType(), vector.lanes)
    return ir.VectorType(ir.IntType(1 if element == types.boolean else element.bitwidth), vector.lanes)


def _place(context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: Vector) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _llvm(vector).as_pointer())


@intrinsic
def load(typing_context: Any, array: Any, index: Any, lanes: Any) -> Any:
    """``lanes`` consecutive numbers of a contiguous one-dimensional array, from ``index`` on; nothing checks where it ends."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None
    vector = Vector(array.dtype, lanes.literal_value)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_place(context, builder, signature.args[0], values[0], values[1], vector), align=1)

    return vector(array, types.intp, lanes), generate


@intrinsic
def store(typing_context: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write a vector to where `load` would read it."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature.args[0], values[0], values[1], vector), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def fill(typing_context: Any, number: Any, lanes: Any) -> Any:
    """The same number in all lanes."""
    if not isinstance(lanes, types.IntegerLiteral):
        return None
    vector = Vector(types.unliteral(number), lanes.literal_value)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        blank, first = ir.Constant(_llvm(vector), ir.Undefined), ir.Constant(ir.IntType(32), 0)
        one = builder.insert_element(blank, values[0], first)
        return builder.shuffle_vector(one, blank, ir.Constant(ir.VectorType(ir.IntType(32), vector.lanes), [0] * vector.lanes))

    return vector(number, lanes), generate


@intrinsic
def select(typing_context: Any, mask: Any, yes: Any, no: Any) -> Any:
    """Lane by lane one of two vectors."""
    return yes(mask, yes, no), lambda context, builder, signature, values: builder.select(*values)


@intrinsic
def shifted(typing_context: Any, vector: Any, bits: Any) -> Any:
    """Integers times 2^bits; floating-point numbers stay as they are."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return values[0] if isinstance(vector.element, types.Float) else builder.shl(*values)

    return vector(vector, Vector(types.int32, vector.lanes)), generate


@intrinsic
def converted(typing_context: Any, vector: Any, like: Any) -> Any:
    """The same numbers in the type of ``like``'s; from floating point their whole parts. What is true becomes 1."""
    source, target = vector.element, like.element
    result = Vector(target, vector.lanes)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if source == target:
            return values[0]
        if isinstance(source, types.Float):
            return builder.fptosi(values[0], _llvm(result))
        unsigned = source == types.boolean or not source.signed
        if isinstance(target, types.Float):
            return (builder.uitofp if unsigned else builder.sitofp)(values[0], _llvm(result))
        if source != types.boolean and target.bitwidth <= source.bitwidth:
            return builder.trunc(values[0], _llvm(result))
        return (builder.zext if unsigned else builder.sext)(values[0], _llvm(result))

    return result(vector, like), generate


@intrinsic
def bits(typing_context: Any, mask: Any) -> Any:
    """Which lanes of a mask are true, up to 64: bit i stands for lane i."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        packed = builder.bitcast(values[0], ir.IntType(mask.lanes))
        return packed if mask.lanes == 64 else builder.zext(packed, ir.IntType(64))

    return types.uint64(mask), generate


@intrinsic
def first_one(typing_context: Any, number: Any) -> Any:
    """The lowest bit of a number that is one; there must be one."""
    return types.int64(types.uint64), lambda context, builder, signature, values: builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))


def _define(
    function: Any, result: Callable[[Vector], Vector], floats: Callable[..., Any] | None, integers: Callable[..., Any] | None
) -> None:
    """Give an operator between two vectors of one type its meaning; with None there is none for such numbers."""
    meanings = {floating: meaning for floating, meaning in ((True, floats), (False, integers)) if meaning is not None}

    @type_callable(function)
    def typer_of(context: Any) -> Callable[[Any, Any], Any]:
        def known(a: Any) -> bool:
            return isinstance(a, Vector) and isinstance(a.element, types.Float) in meanings

        return lambda a, b: result(a) if known(a) and a == b else None

    @lower_builtin(function, Vector, Vector)
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return meanings[isinstance(signature.args[0].element, types.Float)](builder, *values)


def _same(vector: Vector) -> Vector:
    return vector


def _truth(vector: Vector) -> Vector:
    return Vector(types.boolean, vector.lanes)


_define(operator.add, _same, lambda b, x, y: b.fadd(x, y), lambda b, x, y: b.add(x, y))
_define(operator.sub, _same, lambda b, x, y: b.fsub(x, y), lambda b, x, y: b.sub(x, y))
_define(operator.mul, _same, lambda b, x, y: b.fmul(x, y), lambda b, x, y: b.mul(x, y))
_define(operator.truediv, _same, lambda b, x, y: b.fdiv(x, y), None)
_define(operator.or_, _same, None, lambda b, x, y: b.or_(x, y))
_define(operator.gt, _truth, lambda b, x, y: b.fcmp_ordered(">", x, y), lambda b, x, y: b.icmp_signed(">", x, y))
_define(operator.ne, _truth, lambda b, x, y: b.fcmp_unordered("!=", x, y), lambda b, x, y: b.icmp_signed("!=", x, y))
