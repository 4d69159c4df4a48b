"""clang-format would change nothing."""
import pathlib
import shutil
import subprocess

from tree import C_FILES, ROOT, files, prove, report


def check(root):
    style = root / ".clang-format"
    if not style.exists():
        shutil.copy(ROOT / ".clang-format", style)
    paths = [str(root / path) for path in files(root, C_FILES)]
    if not paths:
        yield "no source found"
        return
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield done.stderr.replace(f"{pathlib.Path(root)}/", "")


prove(check, good={"x.c": "int x(void)\n{\n    return 1;\n}\n"},
      bad=[("x.c", "int x(void) {\n  return 1;\n}\n")])
report(check)
