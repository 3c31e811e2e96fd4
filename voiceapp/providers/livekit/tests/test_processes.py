"""All threads of a process share one loop thread and one session; a forked child has its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.loop import loop_thread
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, RunningLiveKit
from voiceapp.tests.dying import fork


def in_a_child(act: Callable[[], bool]) -> bool:
    """What it says in a forked process."""
    child = fork()
    if child == 0:
        said = False
        try:
            said = act()
        finally:
            os._exit(0 if said else 1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def test_many_threads_share_one_loop(client: LiveKitClient, livekit: RunningLiveKit) -> None:
    found: list[str] = []

    def create_room(number: int) -> None:
        own = LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)
        found.append(own.create_room(f"room-{number}").name)

    threads = [threading.Thread(target=create_room, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(found) == sorted(f"room-{number}" for number in range(16))
    assert [thread.name for thread in threading.enumerate()].count("livekit") == 1
    assert loop_thread() is loop_thread()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_its_own_connection_and_the_parents_lives_on(
    client: LiveKitClient, livekit: RunningLiveKit
) -> None:
    client.create_room("before")
    parents = loop_thread()
    assert in_a_child(lambda: client.find_room("before") is not None and loop_thread() is not parents)
    assert loop_thread() is parents
    assert client.find_room("before")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_while_the_lock_is_held_does_not_hang(client: LiveKitClient) -> None:
    client.find_room("any")
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with loop_thread.lock:
            held.set()
            let_go.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    try:
        assert in_a_child(lambda: client.find_room("any") is None)
    finally:
        let_go.set()
        thread.join(5)


def test_a_process_that_sent_requests_ends_silently(livekit: RunningLiveKit) -> None:
    code = (
        "from voiceapp.providers.livekit.client import LiveKitClient; "
        f"print(LiveKitClient(url={livekit.url!r}, api_key={API_KEY!r}, api_secret={API_SECRET!r}).find_room('none'))"
    )
    # Not `-X dev`, in which asyncio speaks of each task that a busy machine holds up.
    command = [sys.executable, "-W", "always::ResourceWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == ("None\n", "")
