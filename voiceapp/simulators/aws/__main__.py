"""`python -m voiceapp.simulators.aws --port 9400`: AWS, simulated by moto in memory, until it is stopped.

Google Cloud Storage is below /google (voiceapp/simulators/google/storage.py).
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from voiceapp.simulators.google.storage import GoogleStorage

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class QuietRequests(MotoRequestHandler):
    """Does not log each request: consumers poll all the time."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main() -> int:
    options = read_options()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    application = GoogleStorage(DomainDispatcherApplication(create_backend_app))
    server = make_server(options.host, options.port, application, threaded=True, request_handler=QuietRequests)
    # A consumer's long poll must not delay the stop.
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]

    def stop(number: int, frame: FrameType | None) -> None:
        # From the thread that serves, shutdown() would wait for itself.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    url = f"http://{options.host}:{server.server_port}"
    threading.Thread(target=create_resources, args=(url, options), daemon=True).start()
    server.serve_forever(poll_interval=0.1)
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m voiceapp.simulators.aws", description="AWS, simulated in memory")
    parser.add_argument("--host", default="127.0.0.1", choices=LOOPBACK)
    parser.add_argument("--port", type=int, default=9400, help="0 takes a free one")
    parser.add_argument("--queue", default="", help="create this queue in AWS_REGION")
    parser.add_argument(
        "--table", default="", help="create this table of voice sessions: key sessionId, expiring by ttl"
    )
    parser.add_argument("--bucket", default="", help="create this bucket")
    return parser.parse_args()


def create_resources(url: str, options: argparse.Namespace) -> None:
    """Create the resources of the options, also after a restart; then report that the server is ready."""
    region = os.environ.get("AWS_REGION", "us-east-1")

    def client(service: str) -> Any:
        keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "local")
        return boto3.client(service, endpoint_url=url, region_name=region, **keys)

    if options.queue:
        client("sqs").create_queue(QueueName=options.queue)
    if options.table:
        table = client("dynamodb")
        table.create_table(
            TableName=options.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
        )
        table.update_time_to_live(
            TableName=options.table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
        )
    if options.bucket:
        placed = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client("s3").create_bucket(Bucket=options.bucket, **placed)
    sys.stdout.write(f"listening on {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
