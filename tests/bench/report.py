"""Medians and spread of the rounds, ratios to the null server beside them."""
import os
import pathlib
import platform
import statistics

from scenarios import COMPARED

CEILING = "null"


class Results:
    """What the rounds gave, in the order in which it came first."""

    def __init__(self):
        self.values = {}  # (measure, unit) -> contestant -> round -> value
        self.answers = []
        self.failures = []

    def add(self, round_number, contestant, measure, unit, value, answer):
        self.values.setdefault((measure, unit), {}).setdefault(
            contestant, {})[round_number] = value
        if answer is not None:
            self.answers.append({"round": round_number, "measure": measure,
                                 "contestant": contestant, **answer})

    def summary(self):
        """A list of measures, each with what it is for each contestant."""
        return [{"measure": measure, "unit": unit,
                 "contestants": {contestant: cell(rounds, by_contestant)
                                 for contestant, rounds
                                 in by_contestant.items()}}
                for (measure, unit), by_contestant in self.values.items()]


def cell(rounds, by_contestant):
    """Ratios are taken inside a round: what disturbs the machine disturbs both
    sides of it."""
    values = list(rounds.values())
    ceiling = by_contestant.get(CEILING, {})
    ratios = [value / ceiling[number] for number, value in rounds.items()
              if ceiling.get(number)]
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values), "values": values,
            "ratio_to_null": statistics.median(ratios) if ratios else None}


def machine():
    model = ""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"processors": os.cpu_count(), "model": model,
            "kernel": platform.release()}


def number(value):
    """Three digits, and no exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell_text(found, unit):
    if found is None:
        return ""
    text = number(found["median"])
    if len(found["values"]) > 1:
        text += f" ({number(found['min'])}–{number(found['max'])})"
    if unit in COMPARED and found["ratio_to_null"] is not None:
        text += f" ×{found['ratio_to_null']:.2f}"
    return text


def table(summary, contestants):
    """Markdown."""
    lines = ["| measure | unit | " + " | ".join(contestants) + " |",
             "|---|---|" + "---|" * len(contestants)]
    for entry in summary:
        cells = [cell_text(entry["contestants"].get(name), entry["unit"])
                 for name in contestants]
        lines.append(f"| {entry['measure']} | {entry['unit']} | "
                     + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
