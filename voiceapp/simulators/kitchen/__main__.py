"""`python -m voiceapp.simulators.kitchen --port 9200`: the kitchen of the demo until SIGTERM or Ctrl-C."""

from __future__ import annotations

from voiceapp.simulators.kitchen import KitchenSimulator
from voiceapp.simulators.serving import parser_of, run


def main() -> int:
    parser = parser_of("kitchen", port=9200, description="Prints order tickets.")
    options = parser.parse_args()
    try:
        kitchen = KitchenSimulator(host=options.host, port=options.port)
    except ValueError as exc:
        parser.error(str(exc))
    return run(kitchen, options, address=lambda: kitchen.base_url)


if __name__ == "__main__":
    raise SystemExit(main())
