from __future__ import annotations


class CLoihiProcessModel:
    pass
