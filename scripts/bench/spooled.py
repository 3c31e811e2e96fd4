"""How much this server has written of the calls that it recorded, in KB per second of a call: spooled.py FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

from recordings.spool.blocks import RATE, read_blocks, read_header


def kb_per_call_second(folder: Path) -> float:
    """Of all spool files, by the place of the last sound of each."""
    written, seconds = 0, 0.0
    for path in folder.glob("*"):
        with path.open("rb") as file:
            read_header(file)
            ends = [at + sum(map(len, part.audio())) for block in read_blocks(file) for at, part in block.caller]
        seconds += max(ends, default=0) / RATE
        written += path.stat().st_size
    return written / 1000 / seconds if seconds else 0.0


if __name__ == "__main__":
    print(kb_per_call_second(Path(sys.argv[1])))
