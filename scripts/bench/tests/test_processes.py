"""What the bench knows of processes, and gives them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import pytest
from processes import cpu_s, family, memory_kb, prefer, pss_kb


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process that works for a moment and then sleeps, as the leader of a session."""
    work = "import time; sum(range(3_000_000)); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", work], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_process_that_is_preferred_goes_before_others(sleeper: int) -> None:
    prefer(sleeper)
    if os.getpriority(os.PRIO_PROCESS, sleeper) != -10:
        pytest.skip("this user may not raise priorities")
    group = Path(f"/proc/{sleeper}/autogroup")
    assert not group.exists() or group.read_text().strip().endswith("nice -10")


def test_cpu_time_and_memory_of_a_process_are_known(sleeper: int) -> None:
    assert cpu_s(sleeper) > 0
    assert memory_kb(sleeper) > 1000


def test_cpu_time_counts_more_finely_than_the_kernels_ticks() -> None:
    before_s, began_s = cpu_s(os.getpid()), process_time()
    while process_time() - began_s < 0.001:
        pass
    assert 0.001 <= cpu_s(os.getpid()) - before_s < 1


def test_shared_memory_counts_less_than_resident_memory(sleeper: int) -> None:
    assert 0 < pss_kb(sleeper) <= memory_kb(sleeper)


def test_a_child_that_has_ended_and_is_not_waited_for_takes_no_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert ended.pid in family(os.getpid())
        assert memory_kb(os.getpid()) > 1000
        assert pss_kb(os.getpid()) > 0
        assert cpu_s(os.getpid()) > 0
