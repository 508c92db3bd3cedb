"""Lava processes of this project and their models.

Lava looks for the models of a process by executing every file next to it, so nothing else lives here.
"""
