"""From a trained model, in whatever form it comes, to a `FloatModel`: an `Ann`, and a reference to hold it against.

Nothing beyond this package knows where a network comes from. Importing it imports no framework.
"""

from loihiconv.ann.frontends.formats import Content
from loihiconv.ann.frontends.model import FloatModel, Source, Stored
from loihiconv.ann.frontends.sources import FrontEnd, readable, register, unregister

__all__ = ["Content", "FloatModel", "FrontEnd", "Source", "Stored", "readable", "register", "unregister"]
