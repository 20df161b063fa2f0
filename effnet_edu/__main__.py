"""The course without a notebook: `python -m effnet_edu COMMAND`, from `list` to `lab`."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Commands that start without torch.
LIGHT = ("list", "cost", "lab", "start", "demo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: The words after the program's name; those of this process if None.
    """
    if arguments is None:
        _listen_to_ctrl_c(_stop_at_once)
    words = sys.argv[1:] if arguments is None else arguments
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # the shell closed it, by `>&-`
            setattr(sys, stream, Path(os.devnull).open("w"))  # noqa: SIM115 - until the program ends
    from effnet_edu.course.command_line import parser, run

    command = words[0] if words else ""
    chosen = parser(command).parse_args(words)
    if command not in LIGHT:
        import torch  # noqa: F401
    if arguments is None:
        _listen_to_ctrl_c(signal.default_int_handler)
    return run(chosen)


def _listen_to_ctrl_c(handler: Any) -> None:
    """Set what Ctrl-C does, unless whoever started the program wants it to be ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _stop_at_once(*_: object) -> None:
    """End the program: while libraries load, one of them may swallow KeyboardInterrupt."""
    os.write(2, b"effnet_edu: stopped.\n")
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
