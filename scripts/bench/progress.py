"""What the bench is doing, on the error output, so that figures can be read from the other one."""

from __future__ import annotations

import sys
import time


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)
