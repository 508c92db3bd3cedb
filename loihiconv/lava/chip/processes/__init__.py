"""Lava processes of the chip's graph that are not Lava's own, and their models.

Lava looks for the models of a process by executing every file next to it, so nothing else lives here.
"""
