"""Configuration files, word for word (cli-config.md 5 to 8): every key with
the right and the wrong type, files that cannot be read, what is told."""
import os
import re
import unittest

from support.invocation import Invocation, InvocationCase, refused

# section: {type: keys}; "" is the streaming section itself.
KEYS = {
    "": {
        "string": """id cid cluster_id discover_prefix dir datastore ns
            nats_server nats_server_url credentials username user password pass
            token nkey_seed_file ft_group ft_group_name syslog_name
            encryption_cipher encryption_key""",
        "store": "st store store_type storetype",
        "bool": """sd stan_debug sv stan_trace secure partitioning encrypt
            replace_durable replace_durables replace_duplicate_durable
            replace_duplicate_durables""",
        "int64": "hbf hb_fail_count server_to_client_hb_fail_count",
        "duration": """hbi hb_interval server_to_client_hb_interval hbt
            hb_timeout server_to_client_hb_timeout""",
    },
    "tls": {
        "string": """client_cert client_key client_ca client_cacert server_name
            server_hostname""",
        "bool": "skip_verify insecure",
    },
    "store_limits": {
        "int64": """mc max_channels maxchannels msu max_subs max_subscriptions
            maxsubscriptions mm max_msgs maxmsgs max_count maxcount mb
            max_bytes maxbytes""",
        "duration": "ma max_age maxage mi max_inactivity maxinactivity",
    },
    "limits { channels { foo": {
        "int64": """msu max_subs max_subscriptions maxsubscriptions mm max_msgs
            maxmsgs max_count maxcount mb max_bytes maxbytes""",
        "duration": "ma max_age maxage mi max_inactivity maxinactivity",
    },
    "file_options": {
        "bool": "compact compact_enabled crc do_crc sync do_sync sync_on_flush",
        "int64": """compact_frag compact_fragmentation compact_interval
            compact_min_size buffer_size crc_poly slice_max_msgs
            slice_max_count slice_msgs slice_count slice_max_bytes
            slice_max_size slice_bytes slice_size file_descriptors_limit
            fds_limit parallel_recovery file_read_buffer_size
            read_buffer_size""",
        "duration": """slice_max_age slice_age slice_max_time slice_time_limit
            file_auto_sync auto_sync""",
        "string": "slice_archive_script slice_archive slice_script",
    },
    "sql_options": {
        "string": "driver source",
        "bool": "no_caching",
        "int64": "max_open_conns max_conns bulk_insert_limit",
    },
    "cluster": {
        "string": "node_id log_path",
        "bool": """bootstrap sync proceed_on_restore_failure
            allow_add_remove_node raft_logging bolt_free_list_sync
            bolt_free_list_map nodes_connections""",
        "slice": "peers",
        "int64": "log_cache_size log_snapshots trailing_logs",
        "duration": """raft_heartbeat_timeout raft_election_timeout
            raft_lease_timeout raft_commit_timeout""",
    },
}
VALUES = {
    "string": '"x"', "store": "memory", "bool": "true", "int64": "7",
    "duration": '"1h"', "slice": '["a", "b"]', "map": "{ a: 1 }",
    "float64": "1.5", "struct": "2016-05-04T18:53:41Z",
}
MAPS = {
    "tls": "TLS", "limits": "store limits", "store_limits": "store limits",
    "storelimits": "store limits", "file": "file options",
    "file_options": "file options", "sql": "SQL options",
    "sql_options": "SQL options", "cluster": "cluster",
}


def kind_of(value_type):
    """The name of what a value of this type is to be in the file."""
    return ("string" if value_type in ("store", "duration") else value_type)


def every_key():
    for section, types in KEYS.items():
        for value_type, keys in types.items():
            for key in keys.split():
                yield section, value_type, key


def inside(section, line):
    """A file with that line in the section of the streaming side."""
    braces = section.count("{") + (1 if section else 0)
    opening = f"{section} {{\n" if section else ""
    return f"streaming {{\n{opening}{line}\n{'}' * braces}\n}}\n"


class ConfigurationCase(InvocationCase):
    def checked(self, text, *words):
        """-t: the files alone; without a nats-server's opinion."""
        name = self.file(text)
        program = os.path.basename(os.environ["STREAMD"])
        return Invocation(["-t", "-c", name, "-ns", "nats://127.0.0.1:1",
                           *words], 0, "", f"{program}: configuration file "
                          f"{name} is valid\n")

    def refuses(self, text, pattern, flag="-sc"):
        """With a text that begins like pattern and says where."""
        name = self.file(text)
        return Invocation([flag, name, "-ns", "nats://127.0.0.1:1"], 1, "",
                          re.compile(r"\A" + pattern + r".*" + name
                                     + r"[:)][^\n]*\n\Z"))


class Types(ConfigurationCase):
    def test_every_key_takes_its_type_in_any_case(self):
        """C20"""
        self.check(self.checked(inside(section, "\n".join(
            f"{key}: {VALUES[value_type]}\n{key.upper()} = "
            f"{VALUES[value_type]}" for key in keys.split())))
            for section, types in KEYS.items()
            for value_type, keys in types.items())

    def test_every_key_refuses_another_type(self):
        """C13"""
        wrong = {"string": "int64", "store": "bool", "bool": "int64",
                 "int64": "bool", "duration": "int64", "slice": "string"}
        self.check(self.refuses(
            inside(section, f"{key.upper()}: {VALUES[wrong[value_type]]}"),
            f'parameter "{key if section == "sql_options" else key.upper()}" '
            f"value is expected to be {kind_of(value_type)}, got "
            f"{kind_of(wrong[value_type])} ")
            for section, value_type, key in every_key())

    def test_the_kinds_have_their_names(self):
        self.check(
            self.refuses(inside(section, f"{key}: {VALUES[have]}"),
                         f'parameter "{key}" value is expected to be {want}, '
                         f"got {have} ")
            for section, key, want in (("", "id", "string"),
                                       ("", "sd", "bool"),
                                       ("", "hbf", "int64"),
                                       ("", "hbi", "string"),
                                       ("cluster", "peers", "slice"))
            for have in ("string", "bool", "int64", "slice", "map", "float64",
                         "struct") if have != want)

    def test_durations(self):
        """C15, C30"""
        keys = [(section, key) for section, value_type, key in every_key()
                if value_type == "duration"]
        self.check([self.refuses(inside(section, f"{key}: '1h:0m'"),
                                 'time: unknown unit "h:" in duration '
                                 '"1h:0m"')
                    for section, key in keys]
                   + [self.refuses(inside("limits", f"max_age: {value}"), text)
                      for value, text in (
                          ('"foo"', 'time: invalid duration "foo"'),
                          ('""', 'time: invalid duration ""'),
                          ('"10"', 'time: missing unit in duration "10"'),
                          ('"1d"', 'time: unknown unit "d" in duration "1d"'),
                          ('"1L0m"', 'time: unknown unit "L" in duration'),
                          ("10m", 'parameter "max_age" value is expected to '
                           "be string, got int64"),
                          ("1.5h", "Parse error on line 3: '"),
                          ("1m30s", "Parse error on line 3: '"))]
                   + [self.checked(inside("limits", f"max_age: {value}"))
                      for value in ("24h", "1h30m", "90s", '"1.5h"', '"0"')])

    def test_maps(self):
        """C14"""
        self.check(
            [self.refuses(f"streaming {{ {key}: xxx }}",
                          f"expected {what} to be a map/struct, got xxx")
             for key, what in MAPS.items()]
            + [self.refuses(f"streaming {{ limits {{ {key}: xxx }} }}",
                            "expected per channel limits to be a map/struct, "
                            "got xxx")
               for key in ("channels", "channels_limits", "channelslimits",
                           "per_channel", "per_channel_limits")]
            + [self.refuses("streaming: xxx", "expected streaming section to "
                            "be a map/struct, got xxx"),
               self.refuses('limits { channels { "foo": xxx } }',
                            "expected channel limits to be a map/struct, got "
                            "xxx")])

    def test_stores_and_channels(self):
        """C16, C17"""
        self.check(
            [self.refuses(f"streaming {{ store: {name} }}",
                          f"unknown store type: {name}")
             for name in ("xyz", "files", "MEMORYx")]
            + [self.checked(f"streaming {{ store: {name} }}")
               for name in ("memory", "FILE", "Sql", '"File"')]
            + [self.refuses(f'limits {{ channels {{ "{name}": {{}} }} }}',
                            f'invalid channel name "{re.escape(name)}"')
               for name in ("foo.*bar", "foo.>.>", "foo..bar", "foo/bar",
                            ".foo", "foo.", "foo.*.>x", "")]
            + [self.checked(f'limits {{ channels {{ "{name}": {{}} }} }}')
               for name in ("foo", "foo.*.bar", "foo.>", ">", "*", "a b")])

    def test_unknown_keys_are_nothing_at_any_level(self):
        self.check(self.checked(inside(section, f"bogus: {value}"))
                   for section in KEYS for value in ("1", "{ a: [1, 2] }"))


class Sides(ConfigurationCase):
    """cli-config.md 5, 8"""

    def test_keys_of_the_nats_side_of_the_wrong_type(self):
        self.check(self.refuses(f"streaming {{}}\n{line}", text, "-c")
                   for line, text in (
            ("port: x", 'parameter "port" value is expected to be int64'),
            ("listen: x", 'could not parse address string "x"'),
            ('listen: "127.0.0.1:x"', 'could not parse port "x"'),
            ("http: x", 'could not parse address string "x"'),
            ("http_port: x", 'parameter "http_port" value is expected to be'),
            ("monitor_port: x", 'parameter "monitor_port" value is expected'),
            ("debug: 1", 'parameter "debug" value is expected to be bool'),
            ("trace: 1", 'parameter "trace" value is expected to be bool'),
            ("logtime: 1", 'parameter "logtime" value is expected to be bool'),
            ("logfile: 1", 'parameter "logfile" value is expected to be str'),
            ("log_file: 1", 'parameter "log_file" value is expected to be st'),
            ("logfile_size_limit: x", 'parameter "logfile_size_limit" value'),
            ("syslog: 1", 'parameter "syslog" value is expected to be bool'),
            ("remote_syslog: 1", 'parameter "remote_syslog" value is expect'),
            ("pid_file: 1", 'parameter "pid_file" value is expected to be st'),
            ("pidfile: 1", 'parameter "pidfile" value is expected to be stri'),
            ("ports_file_dir: 1", 'parameter "ports_file_dir" value is exp'),
            ("authorization: 1", "expected authorization to be a map/struct"),
            ("authorization { user: 1 }", 'parameter "user" value is expec'),
            ("tls: 1", "expected TLS to be a map/struct, got 1"),
            ("tls { cert_file: 1 }", 'parameter "cert_file" value is expec'),
        ))

    def test_each_file_for_its_side(self):
        """C8: a key of the other side is not looked at"""
        streaming = self.file("port: wrong\nstreaming { id: x }")
        nats = self.file("port: 4222\nstreaming { id: 1 }")
        both = self.file("port: wrong\nstreaming { id: 1 }")
        self.check([
            Invocation(["-t", "-c", nats, "-sc", streaming, "-ns",
                        "nats://127.0.0.1:1"], 0, "", re.compile("is valid")),
            Invocation(["-t", "-c", streaming, "-sc", streaming, "-ns",
                        "nats://127.0.0.1:1"], 1, "", re.compile("port")),
            Invocation(["-t", "-c", nats, "-sc", both, "-ns",
                        "nats://127.0.0.1:1"], 1, "", re.compile('"id"')),
        ])

    def test_the_nats_server_judges_its_keys(self):
        """cli-config.md 8: top-level keys it does not know are tolerated"""
        program = os.path.basename(os.environ["STREAMD"])
        good, bad = (self.file("streaming {}\nmy_own: 1\ncluster_id: x\n"
                               f"max_payload: {value}")
                     for value in ("1MB", "x"))
        self.check([
            Invocation(["-t", "-c", good], 0, "", f"{program}: configuration "
                       f"file {good} is valid\n"),
            Invocation(["-t", "-c", bad], 1, "", re.compile(
                f"{bad}:4:")),
        ])


class Files(ConfigurationCase):
    def test_files_that_cannot_be_read(self):
        """C3, C19"""
        good = self.file("streaming {}")
        os.mkdir(os.path.join(self.folder, "directory"))
        self.check(
            [refused(words, "error opening config file: open missing.conf: no "
                     "such file or directory")
             for words in (["-sc", "missing.conf"], ["-c", "missing.conf"],
                           ["-sc", "missing.conf", "-c", good],
                           ["-c", "missing.conf", "-sc", good],
                           ["-t", "-c", "missing.conf"])]
            + [Invocation([flag, place], 1, "", re.compile(
                f"file.*{place}.*\n")) for flag in ("-sc", "-c") for place in
               ("directory", f"{good}/x")])

    def test_files_with_nothing_in_them(self):
        """C28"""
        self.check(self.checked(text) for text in (
            "", "\n\n", "# only\n// comments\n", "{}", "{ streaming { } }",
            "streaming {}", "streaming { }\r\n", "\t \n"))

    def test_the_grammar(self):
        """C19, C23, C24, C28"""
        self.check(
            [self.refuses(text, f"Parse error on line {line}: '")
             for text, line in (("x=.", 1), ("\n\nx: .5", 3), ("x: {", 1),
                                ('a: 1\nx: "abc', 2), ("x: [1,,2]", 1),
                                ("x: 1 2", 1), (": 1", 1), ("x: 1.", 1),
                                ("x: -x", 1), ('x: "\\q"', 1),
                                ("x: (\nabc", 2), ("x: 2016-05-04", 1),
                                ("a\n= \n", 2), (b"a: 1\nb: \xff\xfe {", 2))]
            + [self.refuses("x: $NOT_THERE_1", "variable reference for "
                            "'NOT_THERE_1' on line 1 can not be found"),
               self.refuses("x: 99999999999999999999", "integer '9{20}' is "
                            "out of the range"),
               self.refuses("word", "config is invalid")]
            + [self.checked(text) for text in (
                "x = 127.0.0.1:4222", "x: :-1", "x: -1", "k: 8k; l: 22PiB",
                "a: 1, b: 2; c: 3", "x: [1, 2]", "x: [\n1\n2 # c\n]",
                "password: $2a$11$ooo", "x: (\nnumbers\n)\n", "a: 1\nb: $a",
                'x: "\\x41\\t\\"\\\\"', "a 1\nb { c 2 }", "'q k': 1")])

    def test_includes(self):
        """C29"""
        inner = self.file("streaming { id: 1 }")
        self.file("include f3.conf")
        self.file("include f2.conf")
        self.check([
            Invocation(["-sc", self.file(f"include {inner}")], 1, "",
                       re.compile(rf'parameter "id".*{inner}:1:')),
            Invocation(["-sc", self.file("include 'gone.conf'")], 1, "",
                       re.compile("error parsing include file 'gone.conf', ")),
            Invocation(["-sc", self.file("include [1]")], 1, "",
                       re.compile("Expected include value but found")),
            Invocation(["-sc", "f2.conf"], 1, "",
                       re.compile("include file")),
            self.checked(f"x {{ include ./{self.file('a: 1')} }}"),
        ])


if __name__ == "__main__":
    unittest.main()
