"""A timer finer than the event loop's own, whose milliseconds would let the frames of several calls set out at once."""

from __future__ import annotations

import ctypes
import os
import time

_TFD_NONBLOCK = os.O_NONBLOCK
_libc = ctypes.CDLL(None, use_errno=True)


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Interval(ctypes.Structure):
    _fields_ = (("every", _TimeSpec), ("first", _TimeSpec))


def interval_timer(interval_s: float) -> int:
    """A file descriptor that becomes readable every `interval_s` (Linux's timerfd); the caller closes it."""
    timer: int = _libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK)
    if timer < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create")
    span = _TimeSpec(int(interval_s), int(interval_s % 1 * 1e9))
    if _libc.timerfd_settime(timer, 0, ctypes.byref(_Interval(span, span)), None):
        os.close(timer)
        raise OSError(ctypes.get_errno(), "timerfd_settime")
    return timer


def forget_ticks(timer: int) -> None:
    """Makes the descriptor wait for its next tick again."""
    os.read(timer, 8)
