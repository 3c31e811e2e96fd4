"""What the kernel knows of a process and its children: CPU time, memory; and the core each may use."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PREFERRED = -10
# Of another process, as clock_getcpuclockid(3) makes it: to the ns, where /proc counts ticks of 10 ms.
_CPU_CLOCK = 2
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@functools.cache
def cores() -> tuple[int, int]:
    """The core of the process under test and that of the load; the same one on a machine that has no two.

    As it is before this process keeps to one of them.
    """
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def why_void_here() -> str:
    """Why times of this machine mean nothing; empty if they do."""
    return "the load has no core of its own" if len(set(cores())) == 1 else ""


def prefer(pid: int) -> None:
    """Puts the leader of a session before the machine's other work, where that is allowed."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _PREFERRED)
        # Where the kernel groups processes by session, priorities count only within the group, and this between groups.
        Path(f"/proc/{pid}/autogroup").write_text(str(_PREFERRED))


def family(pid: int) -> list[int]:
    """The process and all its descendants, of which some may be ending."""
    found = [pid]
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += family(int(child))
    return found


def _sum_of_family(pid: int, own: Callable[[int], float]) -> float:
    """Of the process, which must be there, and of those of its descendants that have not ended."""
    total = own(pid)
    for each in family(pid)[1:]:
        with suppress(FileNotFoundError, ProcessLookupError):
            total += own(each)
    return total


def cpu_s(pid: int) -> float:
    """User and system time of the family so far, its threads and ended children included."""
    return _sum_of_family(pid, _own_cpu_s)


def _own_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    try:
        own_s = time.clock_gettime(~pid << 3 | _CPU_CLOCK)
    except OSError as exc:
        raise ProcessLookupError(pid) from exc
    return own_s + sum(map(int, fields[13:15])) / _TICKS_PER_S  # and that of ended children


def memory_kb(pid: int) -> int:
    """Resident memory of the family."""
    return int(_sum_of_family(pid, _own_memory_kb))


def peak_memory_kb(pid: int) -> int:
    """The most that was resident at a time, of each of the family."""
    return int(_sum_of_family(pid, _own_peak_kb))


def _own_peak_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _own_memory_kb(pid: int, kind: str = "Rss:") -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1])
    raise LookupError(f"no resident memory of process {pid}")


def pss_kb(pid: int) -> int:
    """Memory of the family, what its processes share counted once."""
    return int(_sum_of_family(pid, lambda each: _own_memory_kb(each, "Pss:")))


def machine_busy_s() -> float:
    """CPU time that all processes together have had since the machine started."""
    user, nice, system, _idle, _wait, irq, soft_irq, *_ = (
        int(ticks) for ticks in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + soft_irq) / _TICKS_PER_S
