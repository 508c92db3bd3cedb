"""The one logger: what is being done, and remarks that are no warnings. Python shows nothing of it unless it is asked to.

``logging.basicConfig(level="INFO")`` shows it; the name is ``loihiconv``.
"""

from __future__ import annotations

import logging

LOG = logging.getLogger("loihiconv")
LOG.addHandler(logging.NullHandler())
