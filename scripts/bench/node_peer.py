"""The peer: an equivalent of Twilio's Node sample, if this machine has Node 20 and npm can install its one package."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import server

HERE = Path(__file__).resolve().parent
OLDEST_NODE = 20
PACKAGE = "ws@8.23.0"
INSTALL_WITHIN_S = 60


class NodeUnavailable(Exception):
    """Without Node there is no such figure; the message says what is missing."""


def install(folder: Path) -> Path:
    """The script beside its package, in a folder of its own. Raises NodeUnavailable."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise NodeUnavailable("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise NodeUnavailable(f"node is {version}, older than {OLDEST_NODE}")
    home = folder / "node"
    home.mkdir()
    options = ("--no-save", "--no-audit", "--no-fund", "--no-update-notifier", "--silent")
    try:
        subprocess.run([npm, "install", *options, PACKAGE], cwd=home, check=True, timeout=INSTALL_WITHIN_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as exc:
        raise NodeUnavailable(f"npm could not install {PACKAGE}") from exc
    return Path(shutil.copy(HERE / "node_bridge.mjs", home))


@contextmanager
def serve(script: Path, *, port: int, provider: str, core: int) -> Iterator[subprocess.Popen[bytes]]:
    command = ["node", str(script), str(port), provider]
    with server(command, port=port, core=core, environment=os.environ, log=script.with_suffix(".log")) as process:
        yield process
