"""Workers of Lava that start fast, as the tests of its room have them."""

from tests.lava.conftest import fork_server, forked

__all__ = ["fork_server", "forked"]
