"""Accuracy and speed, one command each; every number in the README comes from here."""
