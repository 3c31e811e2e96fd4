"""The real livekit-server: installed once, on loopback alone, and skipped with the reason where it cannot be had."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.tests import livekit_server
from voiceapp.tests.livekit_server import API_KEY, PROGRAM, ROOT, VERSION, RealLiveKit, free_udp_port
from voiceapp.tests.servers import free_port
from voiceapp.tests.waiting import soon

SCRIPT = [sys.executable, "scripts/livekit_server.py"]
LOOPBACK = {"0100007F"}  # 127.0.0.1 as the kernel writes it


def listening_at(pid: int) -> set[str]:
    """The addresses of the sockets of a process that wait for others, TCP and UDP."""
    inodes = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(each)
        if target.startswith("socket:["):
            inodes.add(target[len("socket:[") : -1])
    found = set()
    for table, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == state and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


@pytest.mark.livekit_server
def test_it_listens_on_loopback_alone_and_names_no_other_machine(tmp_path: Path) -> None:
    if reason := livekit_server.why_not_there():
        pytest.skip(reason)
    with livekit_server.running(tmp_path) as server:
        assert f'"version": "{VERSION}"' in server.log.read_text()
        assert listening_at(server.pid) == LOOPBACK
    config = livekit_server.configuration(port=1, udp_port=2)
    rtc = config["rtc"]
    assert isinstance(rtc, dict)
    assert (rtc["stun_servers"], rtc["tcp_port"], rtc["use_external_ip"]) == (["127.0.0.1:3478"], 0, False)


@pytest.mark.livekit_server
def test_its_target_starts_it_in_the_foreground_and_says_what_the_product_needs() -> None:
    if reason := livekit_server.why_not_there():
        pytest.skip(reason)
    port = free_port()
    process = subprocess.Popen(
        [*SCRIPT, "run", "8080", str(port), str(free_udp_port())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        line = next(line for line in process.stdout if line.startswith("export"))
        exported = dict(word.split("=", 1) for word in line.split()[1:])
        assert exported["LIVEKIT_HOST"] == f"ws://127.0.0.1:{port}"
        assert len(exported["LIVEKIT_API_SECRET"]) >= 32
        client = LiveKitClient(
            url=exported["LIVEKIT_HOST"], api_key=exported["LIVEKIT_API_KEY"], api_secret=exported["LIVEKIT_API_SECRET"]
        )
        assert soon(lambda: answers(client), within_s=20)
    finally:
        livekit_server.end(process)
        process.communicate(timeout=5)
    assert stat.S_IMODE((livekit_server.FOLDER / "livekit.yaml").stat().st_mode) == 0o600


def answers(client: LiveKitClient) -> bool:
    try:
        return client.find_room("none") is None
    except LiveKitError:
        return False


def test_where_it_is_not_installed_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(livekit_server, "PROGRAM", tmp_path / "livekit-server")
    monkeypatch.setattr(livekit_server, "find_go", lambda: None)
    assert "Go is not installed here" in livekit_server.why_not_there()
    assert "make livekit-server" in livekit_server.why_not_there()
    with pytest.raises(livekit_server.NoGo, match="Go is not installed here"):
        livekit_server.install()
    monkeypatch.setattr(livekit_server, "find_go", lambda: "/usr/bin/go")
    assert "Go is not installed" not in livekit_server.why_not_there()


def test_it_is_built_once_by_its_version_into_an_ignored_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The Go here only writes down its arguments."""
    go = tmp_path / "go"
    go.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\ntouch "$GOBIN/server"\n')
    go.chmod(0o755)
    monkeypatch.setattr(livekit_server, "find_go", lambda: str(go))
    monkeypatch.setattr(livekit_server, "FOLDER", tmp_path / "var")
    monkeypatch.setattr(livekit_server, "PROGRAM", tmp_path / "var" / VERSION / "livekit-server")
    for _ in range(2):
        assert livekit_server.install(tmp_path / "log").exists()
    quickly = "-gcflags=all=-N -l -dwarf=false -ldflags=-s -w"
    arguments = f"install -p 2 {quickly} github.com/livekit/livekit-server/cmd/server@v{VERSION}"
    assert (tmp_path / "arguments").read_text().splitlines() == [arguments]
    ignored = subprocess.run(["git", "check-ignore", "-q", str(PROGRAM)], cwd=ROOT, check=False)
    assert ignored.returncode in (0, 128), "var/ is ignored, or this is no Git checkout"
    assert API_KEY == "devkey"


def test_a_running_server_has_settings_for_the_product() -> None:
    server = RealLiveKit("http://127.0.0.1:7880", 1, Path("log"))
    assert server.environment["LIVEKIT_HOST"] == "ws://127.0.0.1:7880"
    assert server.environment["LIVEKIT_INTERNAL_URL"] == "http://127.0.0.1:7880"
