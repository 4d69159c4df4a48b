"""Runs the benchmarks: every scenario for every contestant, round by round.

Loopback only, free ports, data below the build directory. Ends with 1 if a
load was not verified."""
import argparse
import datetime
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from chart import chart  # noqa: E402
from contestants import Failed, all_contestants  # noqa: E402
from report import Results, machine, table  # noqa: E402
from scenarios import all_scenarios  # noqa: E402

BUILD = ROOT / "build" / "release"
QUICK_SCALE = 0.1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true",
                        help="one round with a tenth of the messages")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--millions", type=float, default=1,
                        help="messages stored for replay and start-up")
    parser.add_argument("--other", action="append", default=[], metavar="PATH",
                        help="also a server that takes the Go server's flags")
    parser.add_argument("--contestant", action="append", default=[],
                        metavar="WORD", help="only those with it in the name")
    parser.add_argument("--scenario", action="append", default=[],
                        metavar="WORD", help="only those with it in the name")
    parser.add_argument("--streamd", default=BUILD / "streamd" / "streamd")
    parser.add_argument("--programs", default=BUILD / "tests" / "bench")
    parser.add_argument("--data", type=pathlib.Path,
                        default=BUILD / "tests" / "bench" / "data")
    return parser.parse_args()


def chosen(things, words):
    return [thing for thing in things
            if not words or any(word in thing.name for word in words)]


class Progress:
    """A bar, if there is somebody to see it."""

    def __init__(self, total):
        self.total = total
        self.done = 0
        self.shown = sys.stderr.isatty()

    def step(self, words):
        if self.shown:
            filled = 30 * self.done // self.total
            bar = "#" * filled + "." * (30 - filled)
            sys.stderr.write(f"\r\033[K[{bar}] {self.done}/{self.total} "
                             f"{words}")
            sys.stderr.flush()
        self.done += 1

    def end(self):
        if self.shown:
            sys.stderr.write("\r\033[K")


def measure(results, round_number, scenario, contestant, scale):
    try:
        contestant.start(scenario.flags)
        for name, unit, value, answer in scenario.run(contestant, scale):
            results.add(round_number, contestant.name, name, unit, value,
                        answer)
    except (Failed, AssertionError, OSError, subprocess.SubprocessError,
            ValueError) as failure:
        results.failures.append(f"round {round_number}, {scenario.name}, "
                                f"{contestant.name}: {failure}")
    finally:
        contestant.stop()


def run(options, contestants, scenarios):
    """Interleaved: each scenario goes through all contestants before the next,
    and all of that is a round."""
    rounds = 1 if options.quick else options.rounds
    scale = QUICK_SCALE if options.quick else 1
    results = Results()
    turns = [(number, scenario, contestant)
             for number in range(1, rounds + 1) for scenario in scenarios
             for contestant in contestants
             if contestant.streams or not scenario.streams_only]
    progress = Progress(len(turns))
    for number, scenario, contestant in turns:
        progress.step(f"round {number}: {scenario.name}, {contestant.name}")
        measure(results, number, scenario, contestant, scale)
    progress.end()
    return results


def write(options, results, names):
    summary = results.summary()
    whole = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(),
             "machine": machine(), "quick": options.quick,
             "measures": summary, "failures": results.failures,
             "answers": results.answers}
    options.data.mkdir(parents=True, exist_ok=True)
    for name, content in (("results.json", json.dumps(whole, indent=1)),
                          ("table.md", table(summary, names)),
                          ("chart.svg", chart(summary, names))):
        (options.data / name).write_text(content, encoding="utf-8")


def main():
    options = arguments()
    contestants = chosen(
        all_contestants(options.streamd, options.other, options.programs,
                        options.data), options.contestant)
    scenarios = chosen(all_scenarios(options.millions), options.scenario)
    if not contestants or not scenarios:
        sys.exit("nothing of that name to measure")
    results = run(options, contestants, scenarios)
    names = [contestant.name for contestant in contestants]
    write(options, results, names)
    print(table(results.summary(), names))
    print(f"In {options.data}: results.json, table.md, chart.svg")
    for failure in results.failures:
        print(f"FAILED {failure}")
    sys.exit(bool(results.failures))


if __name__ == "__main__":
    main()
