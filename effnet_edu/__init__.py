"""EfficientNet as data, as modules, and as an interactive course.

Public names stand in `__init__.pyi` and are imported when they are first used, so that `import effnet_edu`
alone loads neither torch nor matplotlib nor ipywidgets.
"""

import lazy_loader

from effnet_edu.ground.openmp import bound_spin

__version__ = "0.1.0"

bound_spin()  # before torch is loaded, which reads it

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
