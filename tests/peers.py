"""Imports of other people's networks that need more than `import`."""

import importlib
from types import ModuleType

import torch

_OPERATORS = (
    "qnms nms roi_align _roi_align_backward roi_pool _roi_pool_backward ps_roi_align _ps_roi_align_backward "
    "ps_roi_pool _ps_roi_pool_backward deform_conv2d _deform_conv2d_backward"
)
_declared: list[torch.library.Library] = []  # a library forgets its operators when it is collected


def import_torchvision() -> ModuleType:
    """Return torchvision, also where its compiled part does not match this build of torch.

    Its detection operators are then declared without code; the classification networks call none of them.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared:
            raise
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _OPERATORS.split():
        library.define(operator + "() -> ()")
    _declared.append(library)
    return importlib.import_module("torchvision")
