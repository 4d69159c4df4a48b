"""A link from one of our pages to a file leads somewhere."""
import re

from tree import files, prove, report

LINK = re.compile(r"\]\(([^)#:\s]+)(#[^)]*)?\)")


def check(root):
    for path in files(root, {".md"}):
        text = (root / path).read_text()
        for target, _ in LINK.findall(text):
            if not (root / path).parent.joinpath(target).exists():
                yield f"{path}: {target} is not there"


prove(check,
      good={"a/x.md": "[y](y.md#z) [w](https://x.example)", "a/y.md": ""},
      bad=[("a/x.md", "[y](y.md)")])
report(check)
