"""The English of ordering by telephone: the rules of rules.jsgf, the habits of habits.txt, and two lists of words."""

from __future__ import annotations

from pathlib import Path

RULES = Path(__file__).with_name("rules.jsgf").read_text(encoding="utf-8")
HABITS = [
    line
    for line in Path(__file__).with_name("habits.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

INGREDIENTS = (
    "onions", "garlic", "ice", "cheese", "tomatoes", "pickles", "mayo", "sauce", "lettuce", "olives", "peppers",
    "mushrooms", "salt", "butter", "sugar", "cream", "basil", "ham", "bacon", "nuts", "mustard", "ketchup",
    "cucumber", "anchovies", "dressing",
)  # fmt: skip
QUANTITIES = {"a couple of": 2, "a pair of": 2, "half a dozen": 6, "a dozen": 12}
