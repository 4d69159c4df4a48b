"""The command line, word for word (cli-config.md 1 to 4, 7.7, 11.3): every
flag in every form, what is wrong with it, and what is printed where."""
import re
import unittest

from support.invocation import (USAGE, Invocation, InvocationCase,
                                fails_to_start, refused, usage_error)

STRINGS = """cid cluster_id st store dir ns nats_server sc stan_config ft_group
ft_group_name encryption_cipher encryption_key syslog_name tls_client_cert
tls_client_key tls_client_cacert cluster_node_id cluster_peers cluster_log_path
file_slice_archive_script sql_driver sql_source a addr net n name server_name
client_advertise c config sl signal P pid ports_file_dir l log r remote_syslog
user pass auth tlscert tlskey tlscacert routes cluster cluster_listen
cluster_name cluster_advertise sd store_dir credentials
nkey_seed_file""".split()
INTEGERS = """mc max_channels msu max_subs mm max_msgs hbf hb_fail_count
io_batch_size io_sleep_time cluster_log_cache_size cluster_log_snapshots
cluster_trailing_logs file_compact_frag file_compact_interval file_crc_poly
file_slice_max_msgs file_fds_limit file_parallel_recovery sql_max_open_conns
sql_bulk_insert_limit p port m http_port ms https_port log_size_limit
max_traced_msg_len connect_retries profile""".split()
SIZES = """mb max_bytes file_compact_min_size file_buffer_size
file_slice_max_bytes file_read_buffer_size""".split()
DURATIONS = """ma max_age mi max_inactivity hbi hb_interval hbt hb_timeout
file_slice_max_age file_auto_sync""".split()
BOOLEANS = """encrypt replace_durable SD stan_debug SV stan_trace SDV secure
clustered cluster_bootstrap cluster_sync cluster_raft_logging
cluster_proceed_on_restore_failure cluster_allow_add_remove_node
file_compact_enabled file_crc file_sync file_truncate_bad_eof sql_no_caching t s
syslog T logtime logtime_utc D debug V trace DV VV DVV tls tlsverify no_advertise
js jetstream""".split()
SECTIONS = """Streaming Server Options
Streaming Server Clustering Options
Streaming Server File Store Options
Streaming Server SQL Store Options
Streaming Server TLS Options
Streaming Server Logging Options
Embedded NATS Server Options
Logging Options
Authorization Options
TLS Options
NATS Clustering Options
Common Options""".split("\n")

# Nobody listens there: what gets that far ends soon.
NOWHERE = ["-ns", "nats://127.0.0.1:1"]
A_NUMBER = re.compile(r"\Anats-streaming-server version 0\.25\.6|"
                      r"\Astreamd version \d")


def shows_usage(*words):
    return Invocation(list(words), 0, USAGE + "...")


def bad_value(name, value, reason="parse error"):
    return usage_error([f"-{name}={value}"],
                       f'invalid value "{value}" for flag -{name}: {reason}')


class Forms(InvocationCase):
    """C1, C10, C11"""

    def test_one_dash_or_two_with_a_blank_or_an_equals_sign(self):
        kinds = ((STRINGS, "x"), (INTEGERS, "17"), (SIZES, "2MB"),
                 (DURATIONS, "1m30s"))
        self.check(shows_usage(f"-{name}", value, f"--{name}", value,
                               f"-{name}={value}", f"--{name}={value}", "-h")
                   for names, value in kinds for name in names)

    def test_a_boolean_is_bare_or_has_its_value_behind_an_equals_sign(self):
        values = "1 t T TRUE true True 0 f F FALSE false False".split()
        self.check(shows_usage(f"-{name}", f"--{name}",
                               *(f"-{name}={value}" for value in values),
                               *(f"--{name}={value}" for value in values), "-h")
                   for name in BOOLEANS)

    def test_a_boolean_takes_no_word(self):
        self.check(refused([f"-{name}", word],
                           f'unrecognized command: "{word}"')
                   for name in BOOLEANS for word in ("false",))

    def test_a_value_may_look_like_anything(self):
        self.check(shows_usage("-cid", value, "-h") for value in
                   ("", "-x", "--", "=", "a=b", "a b", "\u00e9", "%s%n", "'"))

    def test_numbers(self):
        good = ("0", "-1", "+5", "0x1F", "0XfF", "0b101", "0o17", "017",
                "1_000", "0x_1f")
        bad = ("", "x", "1.5", "10K", "1e3", "0x", "08", "1__0", "_1", "1_",
               " 1", "1 ", "--1", "1,000", "\u0663")
        self.check(
            [shows_usage("-mc", value, "-h") for value in good]
            + [bad_value("mc", value) for value in bad]
            + [bad_value("mc", value, "value out of range") for value in
               ("9223372036854775808", "-9223372036854775809", "1" * 30)])

    def test_durations(self):
        good = ("0", "-0", "+0", "1h", "1.5h", ".5s", "1.s", "1m1h", "-1s",
                "5ns", "5us", "5\u00b5s", "5\u03bcs", "5ms", "1h1m1s1ms1us1ns")
        bad = ("", "10", "1d", "1h:0m", "1L0m", "foo", ".", "s", "1 s", "1h ",
               "9999999h", "--1s", "1s-")
        self.check(
            [shows_usage("-ma", value, "-h") for value in good]
            + [bad_value("ma", value) for value in bad])

    def test_sizes(self):
        """C4, C5"""
        good = ("0", "1024", "1K", "1k", "1KB", "1kb", "1Ki", "1KiB", "3M",
                "3MB", "3mib", "1G", "1GB", "1T", "1TiB", "1P", "1Pi", "1E",
                "7EB", "-1")
        self.check(
            [shows_usage("-max_bytes", value, "-h") for value in good]
            + [refused(["-max_bytes", value],
                       f"max_bytes should be a size, got '{value}'")
               for value in ("", "12abc", "100a", "x1x", "true", "1kbb", "1Z")]
            + [Invocation(["-mb", value], 1, "",
                          "Parse error on line 1: '...")
               for value in ("1.5MB", "10 KB")]
            + [refused([f"-mb={'9' * 20}"],
                       f"integer '{'9' * 20}' is out of the range")])


class Faults(InvocationCase):
    def test_a_flag_at_the_end_without_its_value(self):
        self.check(usage_error(["-SD", f"--{name}"],
                               f"flag needs an argument: -{name}")
                   for names in (STRINGS, INTEGERS, SIZES, DURATIONS)
                   for name in names)

    def test_a_bad_value_for_each_flag(self):
        self.check(
            [bad_value(name, "12abc") for name in INTEGERS + DURATIONS]
            + [refused([f"--{name}=12abc"],
                       f"{name} should be a size, got '12abc'")
               for name in SIZES]
            + [usage_error([f"--{name}={value}"],
                           f'invalid boolean value "{value}" for -{name}: '
                           "parse error")
               for name in BOOLEANS for value in ("yes",)])

    def test_an_unknown_flag(self):
        """C2; case counts, and no two of them in one"""
        self.check(
            usage_error([word, "foo"],
                        f"flag provided but not defined: -{name}")
            for name in ("xxx", "CID", "Store", "SDD", "sdv", "cluster-id",
                         "max-msgs", "hbI", "cid ", "x" * 60, "no_such.flag")
            for word in (f"-{name}", f"--{name}", f"-{name}=1"))

    def test_bad_syntax(self):
        self.check(usage_error([word], f"bad flag syntax: {word}")
                   for word in ("---x", "---", "-=x", "--=x", "--=", "-="))

    def test_the_first_fault_is_told(self):
        self.check([
            usage_error(["-xxx", "-yyy"],
                        "flag provided but not defined: -xxx"),
            usage_error(["-mc", "x", "-h"],
                        'invalid value "x" for flag -mc: parse error'),
            shows_usage("-h", "--", "-xxx"),
        ])


class Words(InvocationCase):
    def test_help(self):
        titles = "".join(f"(?=[\\s\\S]*^{title}:$)" for title in SECTIONS)
        self.check(Invocation(words, 0, re.compile(
            r"(?m)\A" + re.escape(USAGE) + titles)) for words in
            (["-h"], ["--h"], ["-help"], ["--help"], ["help"], ["HELP"],
             ["Help", "x"], ["-h=true"], ["-cid", "x", "-h"], ["--", "help"],
             ["-help_tls", "-h"]))

    def test_help_names_every_flag_in_80_columns(self):
        _, out, _ = Invocation(["-h"], 0).run(self.folder)
        shown = set(re.findall(r"(?<![\w\"])-(\w+)", out))
        self.assertEqual(set(STRINGS + INTEGERS + SIZES + DURATIONS + BOOLEANS)
                         - shown, set())
        self.assertLessEqual(max(map(len, out.split("\n"))), 80)

    def test_version(self):
        self.check(Invocation(words, 0, A_NUMBER) for words in
                   (["-v"], ["--v"], ["-version"], ["--version"], ["version"],
                    ["VERSION"], ["-v", "-h"], ["-h", "-v"], ["-v", "foo"],
                    ["-sl", "bogus", "-v"], ["-c", "missing", "-v"],
                    ["-SD", "version", "-xxx"]))

    def test_help_about_tls(self):
        self.check(Invocation(words, 0, re.compile("-tlscert"))
                   for words in (["-help_tls"], ["--help_tls=true"]))

    def test_other_words(self):
        self.check(refused([word], f'unrecognized command: "{word}"')
                   for word in ("foo", "-", "h", "start", "stop", "-help"[1:4],
                                "version2"))

    def test_a_false_one_is_not_asked_for(self):
        self.check([refused(["-v=false", "-h=false", "-help_tls=false", "x"],
                            'unrecognized command: "x"')])


class Signal(InvocationCase):
    """C36; without any process id: test_process_signal.py"""

    COMMANDS = "stop quit term reopen reload ldm".split()
    NOBODY = "4194305"  # above what the kernel gives

    def test_every_command_with_what_is_no_process(self):
        self.check(
            [refused(["-sl", f"{command}={self.NOBODY}"], "no such process")
             for command in self.COMMANDS]
            + [refused([f"--signal={command}={pid}"], f"invalid pid: {pid}")
               for command in self.COMMANDS for pid in ("abc", "-1", "0")])

    def test_pid_files(self):
        good = self.file(self.NOBODY)
        self.check([
            refused(["-sl", f"quit={good}"], "no such process"),
            refused(["-sl", f"quit={self.file('x1')}"], "invalid pid: x1"),
            refused(["-sl", f"quit={self.file('')}"], "invalid pid: "),
            refused(["-sl", "quit=missing.pid"], "invalid pid: missing.pid"),
        ])

    def test_other_words(self):
        self.check(
            [refused(["-sl", word], f'unknown signal "{word}"')
             for word in ("bogus", "QUIT", "kill", "quit ", "9")]
            + [refused(["-sl", "bogus=1"], 'unknown signal "bogus"'),
               refused(["-sl", "a=b=c"], "invalid signal parameters: [c]"),
               refused(["-sl", "quit=1=2=3"],
                       "invalid signal parameters: [2 3]")])

    def test_no_file_is_read_before(self):
        self.check([refused(["-c", "missing", "-sl", "bogus"],
                            'unknown signal "bogus"')])


class StartUp(InvocationCase):
    def test_modes_the_go_server_refuses_on_stdout(self):
        """cli-config.md 7.7"""
        both = self.file("streaming { cluster {}, partitioning: true }")
        self.check([
            Invocation(["-clustered"], 1, "stan: clustering mode not supported "
                       "with MEMORY store type\n"),
            Invocation(["-clustered", "-st", "memory"], 1, "stan: clustering "
                       "mode not supported with MEMORY store type\n"),
            Invocation(["-sc", both, "-st", "file"], 1, "stan: channels "
                       "partitioning in clustering mode is not supported\n"),
        ])

    def test_stores(self):
        """C17"""
        file = ["-st", "file", "-dir", "d"]
        self.check([fails_to_start(words + NOWHERE, text) for words, text in (
            (["-st", "xyz"], "unsupported store type: XYZ"),
            (["-st", ""], "unsupported store type: "),
            (["-st", "FILE"], "for FILE stores, root directory must be "
             "specified"),
            (["-st", "File", "-dir", ""], "for FILE stores, root directory "
             "must be specified"),
            (["-ft_group", "x"], "ft: only FILE or SQL stores supported in FT "
             "mode"),
            (["-encrypt"], "encryption key required"),
            (["-encryption_key", "k", "-encryption_cipher", "des"],
             "encryption cipher not supported"),
            (file + ["-file_buffer_size", "-1"],
             "buffer size value must be a positive number"),
            (file + ["-file_read_buffer_size", "-1"],
             "read buffer size value must be a positive number"),
            (file + ["-file_compact_frag", "0"],
             "compact fragmentation value must at least be 1"),
            (file + ["-file_compact_interval", "0"],
             "compact interval value must at least be 1 seconds"),
            (file + ["-file_compact_min_size", "-1"],
             "compact minimum file size value must be a positive number"),
            (file + ["-file_crc_poly", "0"],
             "crc polynomial should be between 1 and 4294967295"),
            (file + ["-file_crc_poly", "4294967296"],
             "crc polynomial should be between 1 and 4294967295"),
            (file + ["-file_slice_max_msgs", "-1"],
             "slice max values must be positive numbers"),
            (file + ["-file_slice_max_bytes", "-1"],
             "slice max values must be positive numbers"),
            (file + ["-file_slice_max_age", "-1s"],
             "slice max values must be positive numbers"),
            (file + ["-file_fds_limit", "-1"],
             "file descriptor limit must be a positive number"),
            (file + ["-file_parallel_recovery", "0"],
             "parallel recovery value must be at least 1"),
        )])

    def test_limits(self):
        """S19"""
        self.check([fails_to_start(words + NOWHERE, text) for words, text in (
            (["-mc", "-1"], "max channels limit cannot be negative (-1)"),
            (["-msu", "-2"], "max subscriptions limit cannot be negative (-2)"),
            (["-mm", "-3"], "max messages limit cannot be negative (-3)"),
            (["-mb", "-4"], "max bytes limit cannot be negative (-4)"),
            (["-ma", "-1m"], "max age limit cannot be negative (-1m0s)"),
            (["-mi", "-1.5s"], "max inactivity limit cannot be negative "
             "(-1.5s)"),
            (["-mc", "1", "-sc", self.file("store_limits { channels { a {}, "
                                           "b {}, c.* {} } }")],
             "too many channels defined (2). The max channels limit is set to "
             "1"),
        )])

    def test_places_that_cannot_be(self):
        plain = self.file("")
        self.check([
            Invocation(["-st", "file", "-dir", f"{plain}/x", *NOWHERE], 1, "",
                       re.compile(r"Failed to start: unable to create the "
                                  rf"root directory \[{plain}/x\]: ")),
            Invocation(["-l", "/nonexistent/x", *NOWHERE], 1, "",
                       re.compile(r"/nonexistent/x: [Nn]o such file")),
        ])

    def test_security_of_its_nats_server(self):
        """cli-config.md 4"""
        self.check(refused(words, text) for words, text in (
            (["-routes", "nats://127.0.0.1:1"], "solicited routes require "
             "cluster capabilities, e.g. --cluster"),
            (["-cluster", "nats://u@127.0.0.1:0"],
             "expected cluster password to be set"),
            (["-tls"], "TLS Server certificate must be present and valid"),
            (["-tlsverify"], "TLS Server certificate must be present and "
             "valid"),
            (["-tlscert", "c"], "TLS Server private key must be present and "
             "valid"),
            (["-tlskey", "k"], "TLS Server certificate must be present and "
             "valid"),
            (["-tlscacert", "k"], "TLS Server certificate must be present and "
             "valid"),
        ))

    def test_monitoring(self):
        self.check(fails_to_start(words + NOWHERE, text) for words, text in (
            (["-ms", "8222"], "TLS cert and key required for HTTPS"),
            (["-m", "8222", "-ms", "8223"],
             "can't specify both HTTP (8222) and HTTPs (8223) ports"),
        ))


if __name__ == "__main__":
    unittest.main()
