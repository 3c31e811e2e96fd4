"""How soon 50 open order boards show a move that another process has made."""

from __future__ import annotations

import http.client
import json
import threading
import time
from array import array
from collections.abc import Iterator

from figures import Figure, Table
from load import percentile
from options import Options
from processes import cores, why_void_here
from product import Product

BOARDS, PEOPLE, ORDERS = 50, 10, 60
MOVES, EVERY_S = 20, 0.4
OPEN_WITHIN_S, LAST_EVENTS_S = 6.0, 2.0
BAR = "under 300"
SCRIPT = "scripts/bench/board_orders.py"


class Board:
    """One open stream: when each order's card came, the last time."""

    def __init__(self, port: int, path: str, session: str) -> None:
        self.came_at: dict[str, float] = {}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        order = ""
        for line in self._connection.getresponse():
            if line.startswith(b"id: "):
                order = line[4:].strip().decode()
            elif line.startswith(b"data: ") and order:
                self.came_at[order] = time.time()
                order = ""


def measure(product: Product, options: Options) -> Iterator[Table]:
    product = product.another("board")
    sessions = json.loads(product.run(SCRIPT, "fill", product.line.org_id, str(PEOPLE), str(ORDERS)).splitlines()[-1])
    path = f"/admin/orders/board/{product.line.org_id}/feed"
    with product.serve(cores()[0]):
        boards = [Board(product.port, path, sessions[number % PEOPLE]) for number in range(BOARDS)]
        time.sleep(OPEN_WITHIN_S)
        moved = json.loads(product.run(SCRIPT, "move", product.line.org_id, str(MOVES), str(EVERY_S)).splitlines()[-1])
        time.sleep(LAST_EVENTS_S)
        late_ms = array("d")
        for board in boards:
            late_ms.extend((board.came_at.get(order, 0) - at) * 1000 for order, at in moved.items())
    missed = sum(each < 0 for each in late_ms)
    yield Table(
        f"{BOARDS} open order boards show what another process has moved within 300 ms",
        [
            Figure("order_board.shown.p50_ms", percentile(late_ms, 50), bar=BAR, void=why_void_here()),
            Figure("order_board.shown.p95_ms", percentile(late_ms, 95), bar=BAR, void=why_void_here()),
            Figure("order_board.missed", missed, bar="0", wrong=missed > 0),
        ],
    )
