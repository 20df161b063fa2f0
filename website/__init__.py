"""The static site of the course and the slides, made from the lessons, the docstrings and the results."""

import logging
from importlib import import_module

# The colours of code: their package sets up the root logger, unless that has a handler already.
_handler = logging.NullHandler()
logging.getLogger().addHandler(_handler)
import_module("a11y_pygments")
logging.getLogger().removeHandler(_handler)
