"""A real livekit-server on this machine: installed with Go into var/livekit-server, listening on loopback alone.

usage: python scripts/livekit_server.py install [LOG]    install it, unless it is there
       python scripts/livekit_server.py run [PRODUCT [PORT [UDP]]]
                                                         … and run it until Ctrl-C or SIGTERM at PORT (7880) and UDP
                                                         (7882); its webhooks go to the product at port PRODUCT (8080)

Ends with 3 where Go is not installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from voiceapp.tests.livekit_server import API_KEY, FOLDER, NoGo, command, configuration, install

NO_GO = 3
PORTS = (8080, 7880, 7882)
SECRET = FOLDER / "secret"


def own_secret() -> str:
    """This machine's, made at the first start."""
    if not SECRET.exists():
        SECRET.touch(mode=0o600)
        SECRET.write_text(os.urandom(24).hex())
    return SECRET.read_text()


def run(product_port: int, port: int, udp_port: int) -> NoReturn:
    """Raises OSError."""
    secret = own_secret()
    webhook = f"http://127.0.0.1:{product_port}/api/voice/webhook"
    config = configuration(port=port, udp_port=udp_port, webhook_urls=[webhook], secret=secret)
    print(f"livekit-server on ws://127.0.0.1:{port}, webhooks to {webhook}. For the product:\n")
    print(f"export LIVEKIT_HOST=ws://127.0.0.1:{port} LIVEKIT_API_KEY={API_KEY} LIVEKIT_API_SECRET={secret}\n")
    sys.stdout.flush()
    arguments = command(config, FOLDER)
    # In this process' place: Ctrl-C and SIGTERM reach the server itself.
    os.execv(arguments[0], arguments)  # noqa: S606  # its arguments are ours


def main(arguments: list[str]) -> int:
    what, *rest = arguments or [""]
    if what not in ("install", "run") or len(rest) > len(PORTS):
        raise SystemExit(__doc__)
    try:
        install(Path(rest[0]) if what == "install" and rest else None)
    except NoGo as exc:
        print(exc, file=sys.stderr)
        return NO_GO
    except subprocess.CalledProcessError as exc:
        raise SystemExit(f"livekit-server was not built: {exc}. See the lines above, or the log.") from exc
    if what == "run":
        given = [int(each) for each in rest]
        run(*given, *PORTS[len(given) :])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
