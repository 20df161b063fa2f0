"""How long the threads that compute together wait for each other at full speed. No torch.

OpenMP's threads spin at the end of every operation until the last one is there. Where another program holds
the core of one of them, the others burn theirs for a whole time slice, operation by operation, and a network
takes a hundred times as long. Those that spin for a bounded time go to sleep instead.
"""

import os
import sys

#: Rounds that GNU's threads spin (without a bound: for ever where each has a core of its own), chosen so that
#: a quiet machine loses little; and milliseconds for Intel's and LLVM's, which spin for 200 by themselves.
BOUNDED = {"GOMP_SPINCOUNT": "3000", "KMP_BLOCKTIME": "1"}
#: Whoever sets one of these has decided.
_DECIDED = ("OMP_WAIT_POLICY", *BOUNDED)


def spin_is_bounded() -> bool:
    """Return whether threads that torch starts in this process stop spinning after a while."""
    return any(name in os.environ for name in _DECIDED)


def bound_spin() -> None:
    """Let threads spin for a bounded time only, here and in every program that this one starts.

    OpenMP reads it when torch is loaded, so after that nothing is done; what the user has set stays.
    """
    if "torch" not in sys.modules and not spin_is_bounded():
        os.environ.update(BOUNDED)
