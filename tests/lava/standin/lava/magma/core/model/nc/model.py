from __future__ import annotations


class AbstractNcProcessModel:
    pass
