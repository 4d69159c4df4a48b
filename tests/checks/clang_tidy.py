"""clang-tidy has nothing to say: clang_tidy.py BUILD-DIRECTORY, which holds
the compile commands. Two files at a time."""
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys

from tree import ROOT, files, prove, report

BUILD = pathlib.Path(sys.argv[1])
SERVER = ("streamd/", "proto/", "store/", "natsclient/", "monitor/")


def tidy(arguments):
    done = subprocess.run(["clang-tidy", "--quiet", *arguments],
                          capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return done.stdout or done.stderr


def check_planted(root):
    """For the proof: no compile commands there, one file alone."""
    shutil.copy(ROOT / ".clang-tidy", root)
    for path in files(root, {".c"}):
        found = tidy([str(root / path), "--", "-std=c11"])
        if found:
            yield found


def compiled_sources():
    """What the build compiles of ours (not what it generates)."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    paths = {pathlib.Path(c["directory"], c["file"]) for c in commands}
    return sorted(path for path in paths if path.is_relative_to(ROOT)
                  and not path.is_relative_to(BUILD))


def check(root):
    sources = compiled_sources()
    for path in files(root, {".c"}):
        if path.as_posix().startswith(SERVER) and root / path not in sources:
            yield f"{path}: no target compiles it"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(tidy, ["-p", str(BUILD), str(path)])
                for path in sources]
        for run in runs:
            if run.result():
                yield re.sub(re.escape(f"{root}/"), "", run.result())


LONG = "int x(int a);\nint x(int a)\n{\n" + "    a++;\n" * 71 + \
    "    return a;\n}\n"
prove(check_planted,
      good={"x.c": "int x(void);\nint x(void)\n{\n    return 1;\n}\n"},
      bad=[("x.c", LONG),
           ("x.c", "#include <stdlib.h>\nint x(const char *s);\n"
            "int x(const char *s)\n{\n    return atoi(s);\n}\n")])
report(check)
