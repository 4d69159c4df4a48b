"""A strict reader of OpenMetrics text: what breaks a rule is an error."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf|NaN)")
SUFFIXES = {"gauge": ("",), "unknown": ("",), "info": ("_info",),
            "counter": ("_total",),
            "histogram": ("_bucket", "_count", "_sum")}


class Malformed(Exception):
    """Not OpenMetrics."""


class Family:
    def __init__(self, name, kind):
        self.name = name
        self.kind = kind
        self.samples = {}  # (name, frozenset of labels) -> value

    def values(self, **labels):
        """Of the samples that have these labels."""
        wanted = set(labels.items())
        return [value for (_, found), value in self.samples.items()
                if wanted <= found]


def need(condition, what, line):
    if not condition:
        raise Malformed(f"{what}: {line!r}")


def read_labels(text, line):
    labels = {}
    at = 0
    while at < len(text):
        found = LABEL.match(text, at)
        need(found, "label", line)
        need(found[1] not in labels, "label twice", line)
        labels[found[1]] = re.sub(
            r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], found[2])
        at = found.end()
        need(at == len(text) or text[at] == ",", "between labels", line)
        at += 1
    return labels


def check_histogram(family):
    """Cumulative, with +Inf, which is the count."""
    buckets = [(dict(labels)["le"], value)
               for (name, labels), value in family.samples.items()
               if name.endswith("_bucket")]
    bounds = [float(bound) for bound, _ in buckets]
    counts = [value for _, value in buckets]
    need(bounds == sorted(bounds) and bounds[-1] == float("inf"),
         "bounds", family.name)
    need(counts == sorted(counts), "counts", family.name)
    count = family.samples[family.name + "_count", frozenset()]
    need(count == counts[-1], "count", family.name)
    need((family.name + "_sum", frozenset()) in family.samples, "sum",
         family.name)


def parse(text):
    """{family name: Family}, in order."""
    need(text.endswith("\n# EOF\n"), "end", text[-40:])
    families = {}
    family = None
    helped = None
    for line in text[:-len("# EOF\n")].splitlines():
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
            need(helped not in families, "family twice", line)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            need(name == helped and kind in SUFFIXES, "type", line)
            family = families[name] = Family(name, kind)
        else:
            read_sample(family, line)
    for family in families.values():
        if family.kind == "histogram":
            check_histogram(family)
    names = [name + suffix for name, family in families.items()
             for suffix in SUFFIXES[family.kind]]
    need(len(names) == len(set(names)), "families share a name", names)
    return families


def read_sample(family, line):
    found = SAMPLE.fullmatch(line)
    need(found and family, "sample", line)
    name, labels, number = found.groups()
    need(name in [family.name + suffix for suffix in SUFFIXES[family.kind]],
         "name of another family", line)
    need(NUMBER.fullmatch(number), "number", line)
    value = float(number)
    need(family.kind not in ("counter", "histogram") or value >= 0,
         "below 0", line)
    need(family.kind != "info" or value == 1, "info", line)
    key = name, frozenset(read_labels(labels or "", line).items())
    need(key not in family.samples, "sample twice", line)
    family.samples[key] = value
