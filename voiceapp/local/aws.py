"""`python -m voiceapp.local.aws --port 9400`: AWS on this machine, played by moto in memory, until it is stopped."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from types import FrameType

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class QuietRequests(MotoRequestHandler):
    """No line of log per request: consumers ask all the time."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m voiceapp.local.aws", description="AWS, kept in memory")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9400, help="0 takes a free one")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(options.host, options.port, application, threaded=True, request_handler=QuietRequests)

    def stop(number: int, frame: FrameType | None) -> None:
        # From the thread that serves, shutdown() would wait for itself.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # A consumer's long poll must not hold the end up.
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    sys.stdout.write(f"listening on http://{options.host}:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
