"""Run a command beside throw-away PostgreSQL, Redis and RabbitMQ servers from Debian's packages.

usage: python scripts/with_servers.py COMMAND…

They are there for that command alone (voiceapp/tests/servers.py).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from voiceapp.tests.servers import postgres, rabbitmq, redis


def main(command: list[str]) -> int:
    if not command:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory(prefix="voiceapp-servers-") as name, contextlib.ExitStack() as servers:
        folder = Path(name)
        folder.chmod(0o755)
        environment = os.environ | {
            "DATABASE_URL": servers.enter_context(postgres(folder)),
            "REDIS_URL": servers.enter_context(redis(folder)).url,
            "CELERY_BROKER_URL": servers.enter_context(rabbitmq(folder)).url,
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
