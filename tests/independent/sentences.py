"""Sentences that are nearly facts: drawn from the grammar, and then damaged."""

from __future__ import annotations

import random

TOKENS = [
    " ", "  ", "power", "small", "debt", "worth", "loan", "usd", "n", "pub", "age", "day", "kind",
    "fuel", "owner", "title", "huge", "at", ".", "..", ">=", "<=", "=", "in", "not", "@", "{", "}",
    ",", "(", ")", "abs(", "*", "+", "-", " - ", " + ", " * ", '"', "\\", "5", "0", "1", "10",
    "2.5", "0.01", "-3", "MW", "kW", "CNY", "万元", "HKD", "1.1", "HKD/CNY", "CNY/USD", "A", "GAS",
    "é", "ß", "Ａ", "\u0301", "\u200b", "²", "today", "sum(", "count(", "each", "x y", "2020-01-01",
    "2020-02-30", "%", "1e3", "\t", "\n", "元", "亿元", "港元", "W", "٣",
]  # fmt: skip
SENTENCES = [
    "power in 20..60 MW", "yield >= 0.08", "day >= 2019-01-01", "day in 2019-01-01..2020-01-01",
    "prov = Anhui", 'prov = "a b"', "fuel in @fuels", "owner not in @names", "owner in @few",
    "fuel in {GAS, WIND}", "kind in {A, B}", "kind in {A}", "kind = A", "kind in @kinds",
    "kind not in @kinds", "n in @nums", "n in {-3, 2, 10}", "power in {20, 30.5} MW",
    "power in @pows", "power in @powkw", "pub = 3 pc", "pub in @pubs", 'title = "abc def"',
    "day in {2020-01-01, 2021-01-01}", "day in @days", "age >= 18", "at >= 5 at", "big >= power",
    "huge >= -4611686018427387904", "power >= small - 0.0001 MW", "n >= yield + 0.5",
    "pub <= pub * 3", "-5 CNY - debt >= -50000 CNY", "abs(debt - worth) * 10 <= debt",
    "debt <= 5 HKD at 1.0832 HKD/CNY (HKMA, 2026-06-30)",
    'debt + loan <= 5000 HKD at 1.0832 HKD/CNY ("H K", 2026-06-30)',
    "usd * 3 >= debt at 7.1 CNY/USD (x, 2026-01-01)",
    "huge * 1" + "0" * 58 + " >= n",
]  # fmt: skip
FAMILIES = [
    (("power", "MW"), ("small", "kW"), ("big", "GW")),
    (("debt", "CNY"), ("worth", "万元")),
    (("n", ""), ("yield", ""), ("huge", "")),
    (("debt", "CNY"), ("worth", "万元"), ("loan", "HKD")),
    (("debt", "CNY"), ("worth", "万元"), ("usd", "USD")),
]
AMOUNTS = ["0", "1", "5", "10", "100", "12.5", "0.001", "-1", "99", "1000000", "0.0001"]
RATES = {
    "loan": [" at 1.1 HKD/CNY (x, 2026-01-01)", ' at 0.9 CNY/HKD ("H K", 2026-01-01)'],
    "usd": [" at 7.1 CNY/USD (x, 2026-01-01)", " at 0.14 USD/CNY (x, 2026-01-01)"],
}

Named = tuple[str, str]


class Drawer:
    """Draws lists of sentences from a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def texts(self) -> list[str]:
        """One damaged sentence, or several whole ones that may leave too little possible."""
        draw = self.draw.random()
        if draw < 0.4:
            found = [self.damaged(self.draw.choice(SENTENCES))]
        elif draw < 0.7:
            found = [self.linear()]
        elif draw < 0.8:
            found = [self.damaged(self.linear())]
        else:
            found = [
                self.draw.choice(SENTENCES) if self.draw.random() < 0.5 else self.linear()
                for _ in range(self.draw.randint(2, 5))
            ]
        return list(dict.fromkeys(found))

    def damaged(self, text: str) -> str:
        """A sentence with some of its characters or words exchanged."""
        for _ in range(self.draw.choice([0, 1, 1, 1, 2, 3])):
            at = self.draw.randrange(len(text) + 1)
            end = at + self.draw.choice([0, 0, 1, 1, 2, 4])
            if self.draw.random() < 0.8:
                text = text[:at] + self.draw.choice([*TOKENS, ""]) + text[end:]
            else:
                words = text.split(" ")
                words[self.draw.randrange(len(words))] = self.draw.choice([*words, *TOKENS])
                text = " ".join(words)
        return text or "n"

    def linear(self) -> str:
        """Sums on both sides, mostly of one kind of units, mostly in canonical form."""
        family = self.draw.choice(FAMILIES)
        left, unit = self._side(family)
        right = self._side(family)[0]
        if self.draw.random() < 0.5:
            right = self._amount(unit)
        comparison = self.draw.choice([" >= ", " <= "])
        if self.draw.random() < 0.2:
            times = self.draw.choice(["", " * 2", " * 10", " * 1"])
            left, comparison = f"abs({left}){times}", " <= "
        rates = [rate for name, _ in family for rate in RATES.get(name, [])]
        rate = self.draw.choice(rates) if rates and self.draw.random() < 0.9 else ""
        return left + comparison + right + rate

    def _side(self, family: tuple[Named, ...]) -> tuple[str, str]:
        chosen = self.draw.sample(family, self.draw.randint(1, len(family)))
        text = ""
        for name, _ in chosen:
            operator = self.draw.choice([" + ", " - "]) if text else ""
            factor = self.draw.choice(["", "", " * 2", " * 3", " * 100", " * 250"])
            text += operator + name + factor
        unit = chosen[0][1]
        if self.draw.random() < 0.3:
            text += self.draw.choice([" + ", " - "]) + self._amount(unit).lstrip("-")
        if self.draw.random() < 0.15:
            text = f"{self._amount(unit)} - {text}"
        return text, unit

    def _amount(self, unit: str) -> str:
        return self.draw.choice(AMOUNTS) + (f" {unit}" if unit else "")
