"""Includes go one way between the rooms, and each library of others has one
owner. tests/ may include everything."""
import re

from tree import C_FILES, files, prove, report

# Room -> the rooms whose headers it may include, besides its own.
MAY_INCLUDE = {
    "streamd/base": (),
    "streamd/conf": ("streamd/base",),
    "proto": ("streamd/base",),
    "store": ("streamd/base", "proto"),
    "natsclient": ("streamd/base", "proto"),
    "streamd/engine": ("streamd/base", "proto", "store", "natsclient"),
    "monitor": ("streamd/base", "proto", "store", "natsclient",
                "streamd/engine/view.h", "streamd/engine/admin.h"),
    "streamd": ("streamd/base", "streamd/conf", "proto", "store", "natsclient",
                "streamd/engine", "monitor"),
}

# Header of others -> the files that may include it; both regular expressions.
OWNERS = {
    r"nats(/nats)?\.h": r"natsclient/(connection\.c|(link|dial\w*)\.[ch])",
    r"leveldb/.*": r"store/leveldb/.*",
    r"microhttpd\.h": r"monitor/.*",
    r"jansson\.h": r"monitor/(json|admin_json|admin_parse)\.c|natsclient/info\.c",
    r"ut(hash|list|array)\.h": r"streamd/base/table\.c",
    r"protobuf-c/.*|.*\.pb-c\.h": r"proto/.*",
    r"uv\.h": r"natsclient/.*|streamd/(?!base/|conf/).*",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def room_of(path):
    """The innermost room a path lies in; None outside of all."""
    rooms = [room for room in MAY_INCLUDE if path.startswith(room + "/")]
    return max(rooms, key=len, default=None)


def allowed(room, header):
    target = room_of(header)
    if target in (None, room):
        return target == room
    return any(header == may or target == may for may in MAY_INCLUDE[room])


def wrong_owner(path, header):
    return any(re.fullmatch(headers, header) and not re.fullmatch(owner, path)
               for headers, owner in OWNERS.items())


def check(root):
    for relative in files(root, C_FILES):
        path = relative.as_posix()
        room = room_of(path)
        if room is None:
            continue
        for quote, header in INCLUDE.findall((root / path).read_text()):
            if wrong_owner(path, header):
                yield f"{path}: {header} is not its to include"
            elif (quote == '"' and not header.endswith(".pb-c.h")
                  and not allowed(room, header)):
                yield f"{path}: {header} is not below {room}"


def including(header):
    return f"#include {header}\n"


prove(check,
      good={"streamd/base/x.c": including('"streamd/base/x.h"'),
            "proto/x.c": including('"proto/protocol.pb-c.h"'),
            "natsclient/connection.c": including("<nats/nats.h>"),
            "streamd/engine/x.c": including('"store/store.h"'),
            "monitor/x.c": including('"streamd/engine/view.h"'),
            "streamd/x.c": including('"monitor/monitor.h"'),
            "tests/x.c": including('"store/store.h"')},
      bad=[("streamd/base/x.c", including('"proto/codec.h"')),
           ("streamd/conf/x.c", including('"streamd/options.h"')),
           ("proto/x.h", including('"store/store.h"')),
           ("store/x.c", including('"natsclient/connection.h"')),
           ("store/leveldb/x.c", including(' "streamd/engine/view.h"')),
           ("streamd/engine/x.c", including('"streamd/options.h"')),
           ("streamd/engine/x.c", including('"monitor/monitor.h"')),
           ("monitor/x.c", including('"streamd/engine/core.h"')),
           ("monitor/x.c", including('"streamd/server.h"')),
           ("streamd/x.c", including('"tests/x.h"')),
           ("streamd/x.c", including('"options.h"')),
           ("natsclient/other.c", including("<nats/nats.h>")),
           ("store/memory.c", including("<leveldb/c.h>")),
           ("streamd/engine/x.c", including("<uthash.h>")),
           ("store/x.c", including("<uv.h>")),
           ("streamd/base/x.c", including("<uv.h>")),
           ("streamd/x.c", including("<jansson.h>")),
           ("streamd/x.c", including("<microhttpd.h>")),
           ("store/x.c", including('"proto/records.pb-c.h"')),
           ("store/x.c", including("<protobuf-c/protobuf-c.h>"))])
report(check)
