"""The version, in one place for the package, the wheel and saved files."""

__version__ = "0.1.0"
