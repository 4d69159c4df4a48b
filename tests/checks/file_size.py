"""No file is over 1,000 lines. (clang-tidy sees to functions: 70.)"""
from tree import files, prove, report

LIMIT = 1000
SUFFIXES = {".c", ".h", ".py", ".js", ".sh", ".proto", ".cmake", ".md"}


def check(root):
    for path in files(root, SUFFIXES):
        lines = (root / path).read_text().count("\n")
        if lines > LIMIT:
            yield f"{path}: {lines} lines; split it by role"


prove(check, good={"x.c": "\n" * LIMIT}, bad=[("a/x.py", "\n" * (LIMIT + 1))])
report(check)
