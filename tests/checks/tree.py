"""What the checks share: which files they read, and how they report.

Every check first proves on planted files that it can fail."""
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEFT_OUT = {".git", "build", "data", "node_modules", "__pycache__"}
C_FILES = {".c", ".h"}


def files(root, suffixes=None):
    """Files below root, as paths relative to it; not what tools made."""
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if (path.is_file() and not LEFT_OUT & set(relative.parts)
                and (suffixes is None or path.suffix in suffixes)):
            yield relative


def prove(check, good, bad):
    """check(root) must find nothing in the files of good, and something in
    each of bad; both map a path to a text."""
    for expected, planted in [(False, good)] + [(True, {path: text})
                                                for path, text in bad]:
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for path, text in planted.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            found = list(check(root))
        if bool(found) != expected:
            sys.exit(f"this check does not work: of {planted!r} it says "
                     f"{found!r}")


def report(check, root=ROOT):
    """Prints what check(root) finds; exits 1 if there is anything."""
    found = list(check(root))
    print("\n".join(found) if found else "nothing found")
    sys.exit(bool(found))
