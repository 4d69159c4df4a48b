"""Nothing names the machine it was written on, nor a package registry."""
import re

from tree import files, prove, report

# Written so that none of these lines is what it looks for.
PATTERNS = [re.compile(pattern) for pattern in (
    r"/[w]ork/", r"/[f]arm/", r"/[r]oot/", r"/[h]ome/\w", r"/[t]mp/build",
    r"registry\.[n]pmjs", r"https?://[^\s\"']*(regi[s]try|artifa[c]t|mir[r]or"
    r"|pro[x]y)", r'"resol[v]ed"\s*:')]


def check(root):
    for path in files(root):
        try:
            lines = (root / path).read_text().splitlines()
        except UnicodeDecodeError:
            continue  # no text
        for number, line in enumerate(lines, 1):
            for pattern in PATTERNS:
                match = pattern.search(line)
                if match:
                    yield f"{path}:{number}: names {match.group()}"


prove(check,
      good={"x.md": "a network/of roots, home-made, https://nats.io\n"},
      bad=[("x.c", "/* see /" + "work/x */"),
           ("x.md", "cd /" + "root/x"),
           ("x.md", "/" + "home/me"),
           ("x.sh", "cd /" + "tmp/build-me"),
           ("package-lock.json", '"resol' + 'ved": "x"'),
           ("a/.npmrc", "https://x.example/npm-regi" + "stry/")])
report(check)
