"""Ties a process to the one that started it: it ends when that one has ended, however that ended.

A process that is killed cannot end its children. Each child therefore watches a pipe that its parent alone
holds open: the system closes the pipe with the parent. Unlike a signal at the parent's death, which Linux
ties to the thread that started the child, this holds whichever thread that was.

``python -m backend.infra.tether FD MODULE ...`` runs a module so tied to whoever holds the other end of FD.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
import threading
import time

GRACE_SECONDS = 10
"""What a process has to end by itself, once its parent has, before it is ended."""


def end_with_parent() -> None:
    """Tie a process that ``multiprocessing`` has spawned to its parent; any other stays as it is."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        end_with(parent.sentinel)


def end_with(descriptor: int) -> None:
    """End this process once the other end of a pipe is closed."""
    threading.Thread(target=_watch, args=(descriptor,), name="tether", daemon=True).start()


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 4096):
        pass  # nothing is ever written; what counts is the end
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(128 + signal.SIGTERM)


def main() -> None:
    """Run the module that the arguments name, tied to the pipe that they name."""
    descriptor, module = int(sys.argv[1]), sys.argv[2]
    end_with(descriptor)
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
