#include "streamd/conf/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- what is read ---- */

static struct conf *parsed(const char *text)
{
    struct conf *conf = NULL;
    struct error err = {0};
    if (conf_parse(bytes_text(text), "x.conf", &conf, &err) != STATUS_OK)
        print_message("%s\n%s\n", text, err.detail);
    assert_non_null(conf);
    return conf;
}

static void append(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    (void)snprintf(out + used, size - used, "%s", text);
}

/* One value, as "type text". */
static void scalar_write(const struct conf_value *value, char *out, size_t size)
{
    char shown[CONF_SHOWN_MAX];
    if (value->key.size > 0) {
        append(out, size, (const char *)value->key.data);
        append(out, size, "=");
    }
    if (value->type == CONF_DATETIME) {
        (void)snprintf(shown, sizeof shown, "%lld",
                       (long long)value->as.datetime);
    } else {
        (void)conf_show(value, shown);
    }
    append(out, size, conf_type_name(value->type));
    append(out, size, " ");
    append(out, size, shown);
}

/* All of a container, two levels deep, which is all the tests need. */
static void tree_write(const struct conf_value *top, char *out, size_t size)
{
    const struct conf_value *value = conf_first(top);
    for (; value != NULL; value = conf_next(top, value)) {
        append(out, size, out[0] == '\0' ? "" : "; ");
        scalar_write(value, out, size);
        if (value->type != CONF_MAP && value->type != CONF_ARRAY)
            continue;
        append(out, size, " (");
        const struct conf_value *inner = conf_first(value);
        for (; inner != NULL; inner = conf_next(value, inner)) {
            append(out, size, inner == conf_first(value) ? "" : ", ");
            scalar_write(inner, out, size);
        }
        append(out, size, ")");
    }
}

static void gives(const char *text, const char *tree)
{
    struct conf *conf = parsed(text);
    char got[2048] = "";
    tree_write(conf_root(conf), got, sizeof got);
    if (strcmp(got, tree) != 0)
        print_message("%s\n", text);
    assert_string_equal(got, tree);
    conf_free(conf);
}

static void fails(const char *text, const char *want)
{
    struct conf *conf = NULL;
    struct error err = {0};
    assert_int_equal(conf_parse(bytes_text(text), "x.conf", &conf, &err),
                     STATUS_INVALID);
    assert_null(conf);
    if (strcmp(err.detail, want) != 0)
        print_message("%s\n", text);
    assert_string_equal(err.detail, want);
}

/* Fails on that line with that message. */
static void breaks(const char *text, int line, const char *message)
{
    char want[256];
    (void)snprintf(want, sizeof want, "Parse error on line %d: '%s'", line,
                   message);
    fails(text, want);
}

/* ---- values ---- */

/* C22 */
static void c22_each_kind_of_value_has_its_type(void **s)
{
    (void)s;
    gives("foo='1'; bar=2.2; baz=true; boo=22",
          "foo=string 1; bar=float64 2.2; baz=bool true; boo=int64 22");
    gives("a = -1.5\nb: -7", "a=float64 -1.5; b=int64 -7");
    gives("a=TRUE;b=False;c=on;d=OFF;e=yes;f=No",
          "a=bool true; b=bool false; c=bool true; d=bool false; e=bool true; "
          "f=bool false");
    gives("a='true'\nb=\"yes\"\nc=truest",
          "a=string true; b=string yes; c=string truest");
}

/* C23 */
static void c23_addresses_are_strings_and_dates_are_dates(void **s)
{
    (void)s;
    gives("foo = 127.0.0.1:4222", "foo=string 127.0.0.1:4222");
    gives("foo = 127.0.0.1:-1", "foo=string 127.0.0.1:-1");
    gives("foo = :-1", "foo=string :-1");
    gives("foo = nats.io:-1", "foo=string nats.io:-1");
    gives("foo = -1", "foo=int64 -1");
    gives("foo = 2016-05-04T18:53:41Z", "foo=struct 1462388021");
    gives("foo = nats://a:4222", "foo=string nats://a:4222");
    gives("foo = 0.0.0.0", "foo=string 0.0.0.0");
}

/* C24 */
static void c24_sizes_have_suffixes_of_1000_and_of_1024(void **s)
{
    (void)s;
    gives("k=8k", "k=int64 8000");
    gives("k=4kb\nl=4ki\nm=4KiB", "k=int64 4096; l=int64 4096; m=int64 4096");
    gives("k=1m,l=2MB,m=2Mi,n=64MiB", "k=int64 1000000; l=int64 2097152; "
                                      "m=int64 2097152; n=int64 67108864");
    gives("k=1g;l=1GB", "k=int64 1000000000; l=int64 1073741824");
    gives("k=1t;l=1TB", "k=int64 1000000000000; l=int64 1099511627776");
    gives("k=22PiB", "k=int64 24769797950537728");
    gives("k=1e;l=1eb",
          "k=int64 1000000000000000000; l=int64 1152921504606846976");
    gives("k=-2k", "k=int64 -2000");
}

static void numbers_that_do_not_fit_are_errors(void **s)
{
    (void)s;
    gives("k=9223372036854775807", "k=int64 9223372036854775807");
    gives("k=-9223372036854775808", "k=int64 -9223372036854775808");
    fails("k=9223372036854775808",
          "integer '9223372036854775808' is out of the range");
    fails("k=9eb", "integer '9eb' is out of the range");
    char huge[343] = "k="; /* no double is as big */
    char refused[160];
    memset(huge + 2, '9', 338);
    (void)snprintf(huge + 340, 3, ".0");
    (void)snprintf(refused, sizeof refused,
                   "float '%.120s' is out of the range", huge + 2);
    fails(huge, refused);
    fails("k=1kbb", "expected integer, but got '1kbb'");
    fails("k=1ibi x", "Parse error on line 1: 'Expected a top-level value to "
                      "end with a new line, comment or EOF, but got 'x' "
                      "instead.'");
}

/* C30 */
static void c30_an_unquoted_duration_may_look_like_a_number(void **s)
{
    (void)s;
    gives("a: 10m", "a=int64 10000000");
    gives("a: 24h", "a=string 24h");
    gives("a: \"1.5h\"", "a=string 1.5h");
    gives("a: 90s, b: 5ms, c: 1h30m, d: 3xyz",
          "a=string 90s; b=string 5ms; c=string 1h30m; d=string 3xyz");
    gives("a: 100a\nb: 5mx", "a=string 100a; b=string 5mx");
    breaks("a: 1.5h", 1,
           "Expected a top-level value to end with a new line, comment or "
           "EOF, but got 'h' instead.");
    breaks("a: 1m30s", 1,
           "Expected a top-level value to end with a new line, comment or "
           "EOF, but got '3' instead.");
    breaks("a = -5x", 1,
           "Expected a top-level value to end with a new line, comment or "
           "EOF, but got 'x' instead.");
}

static void what_is_almost_a_number_or_date_is_an_error(void **s)
{
    (void)s;
    breaks("x=.", 1, "Floats must start with a digit"); /* C19 */
    breaks("x=.5", 1, "Floats must start with a digit");
    breaks("x=1.", 1,
           "Floats must have a digit after the '.', but got 'EOF' instead.");
    breaks("x=1.a", 1,
           "Floats must have a digit after the '.', but got 'a' instead.");
    breaks("x=-a", 1, "Expected a digit but got 'a'.");
    breaks("x=20-16", 1, "All ISO8601 dates must be in full Zulu form.");
    breaks("x=2016-5-4", 1,
           "Expected digit in ISO8601 datetime, but found '-' instead.");
    breaks("x=2016-05-04 18", 1,
           "Expected 'T' in ISO8601 datetime, but found ' ' instead.");
    fails("x=2016-02-30T00:00:00Z", "expected Zulu formatted DateTime, but "
                                    "got '2016-02-30T00:00:00Z'");
}

static void only_double_quotes_have_escapes(void **s)
{
    (void)s;
    gives("a = \"x\\t\\n\\r\\\"\\\\\\x41y\"", "a=string x\t\n\r\"\\Ay");
    gives("a = 'x\\t'", "a=string x\\t");
    gives("a = 'two\nlines'", "a=string two\nlines");
    gives("a = \"two\nlines\"", "a=string two\nlines");
    gives("a = x\\x41y", "a=string xAy");
    gives("a = \\x74rue", "a=string true"); /* not a boolean */
    gives("a = \"\"\nb=''", "a=string ; b=string ");
    breaks("a = \"\\q\"", 1,
           "Invalid escape character 'q'. Only the following escape "
           "characters are allowed: \\xXX, \\t, \\n, \\r, \\\", \\\\.");
    breaks("a = \"\\x4", 1,
           "Expected two hexadecimal digits after '\\x', but got 'EOF' "
           "instead.");
    breaks("a = \"x", 1, "Unexpected EOF.");
    breaks("a = 'x\n", 2, "Unexpected EOF.");
}

static void a_bare_string_ends_at_blanks_and_punctuation(void **s)
{
    (void)s;
    gives("m { a = x, b = y; c = z }",
          "m=map {...} (a=string x, b=string y, c=string z)");
    gives("a = x;b = y", "a=string x; b=string y");
    gives("a = x#y\nb = x//y # gone", "a=string x#y; b=string x//y");
    gives("a = x'\nb = 1", "a=string x; b=int64 1");
    gives("a =", "a=string ");
}

/* C27 */
static void c27_a_block_ends_with_a_parenthesis_on_its_own_line(void **s)
{
    (void)s;
    gives("numbers (\n1234567890\n)\n", "numbers=string \n1234567890\n");
    gives("a (x\n  )\n)x\n)\nb = 1", "a=string x\n  )\n)x\n; b=int64 1");
    gives("a (\n)", "a=string \n");
    gives("a (\r\nx\r\n)\r\nb=1", "a=string \r\nx\r\n; b=int64 1");
    breaks("a (\nx )", 2, "Unexpected EOF processing block.");
}

/* ---- structure ---- */

/* C28 */
static void c28_files_may_be_empty_or_wrapped_in_braces(void **s)
{
    (void)s;
    gives("", "");
    gives(" \n\t\r\n", "");
    gives("# one\n// two", "");
    gives("{}", "");
    gives("{\n \"a\": 1,\n \"b\": {\"c\": true},\n \"d\": [\"x\"]\n}\n",
          "a=int64 1; b=map {...} (c=bool true); d=slice [...] (string x)");
    gives("a = 1\n}\n", "a=int64 1");
    fails("foo", "config is invalid (x.conf:1:1)");
    fails("a = 1\n  foo \n", "config is invalid (x.conf:2:3)");
}

static void text_behind_a_nul_is_not_there(void **s)
{
    (void)s;
    struct conf *conf = NULL;
    assert_int_equal(conf_parse(bytes_of("a=1\n\0b=2", 8), "x", &conf, NULL),
                     STATUS_OK);
    assert_non_null(conf_find(conf_root(conf), "a"));
    assert_null(conf_find(conf_root(conf), "b"));
    conf_free(conf);
}

static void keys_may_be_quoted_and_separated_in_three_ways(void **s)
{
    (void)s;
    gives("a=1\nb: 2\nc 3\nd = 4\n'e f' 5\n\"g=h\":6",
          "a=int64 1; b=int64 2; c=int64 3; d=int64 4; e f=int64 5; "
          "g=h=int64 6");
    gives("a\n\n= 1", "a=int64 1");
    gives("m {\n a =\n\n 1\n}", "m=map {...} (a=int64 1)");
    breaks("a =\n 1", 1, "Expected value but found new line");
    breaks(": 1", 1, "Unexpected key separator ':'");
    breaks("m { = 1 }", 1, "Unexpected key separator '='");
}

static void the_last_of_two_equal_keys_stays_with_its_case(void **s)
{
    (void)s;
    gives("a=1\nb=2\na=3", "b=int64 2; a=int64 3");
    gives("a=1\nA=2", "a=int64 1; A=int64 2");
    struct conf *conf = parsed("Foo=1\nfOO=2");
    assert_int_equal(conf_find(conf_root(conf), "foo")->as.integer, 2);
    assert_null(conf_find(conf_root(conf), "fo"));
    conf_free(conf);
}

static void maps_take_three_separators_and_comments(void **s)
{
    (void)s;
    gives("m { a 1, b 2; c 3\n d 4 # x\n // y\n e 5,\n }",
          "m=map {...} (a=int64 1, b=int64 2, c=int64 3, d=int64 4, "
          "e=int64 5)");
    gives("m {}\nn = {}", "m=map {...} (); n=map {...} ()");
    breaks("m { a 1", 1, "Unexpected EOF processing map.");
    breaks("m { a", 1, "Unexpected EOF processing map.");
    breaks("m {\n a = \n", 3, "Unexpected EOF processing map.");
    breaks("m { a 'x' y }", 1,
           "Expected a map value terminator ',' or a map terminator '}', but "
           "got 'y' instead.");
    breaks("m { , }", 1, "Unexpected map value terminator ','.");
    breaks("m { a = , }", 1, "Unexpected map value terminator ','.");
    breaks("m { a 'x' / }", 1,
           "Expected a map value terminator ',' or a map terminator '}', but "
           "got '/' instead.");
}

/* C31 */
static void c31_arrays_take_commas_or_lines_and_comments(void **s)
{
    (void)s;
    gives("peers: [\"b\", \"c\"]", "peers=slice [...] (string b, string c)");
    gives("peers: [\n 'a' # one\n // two\n b\n c,\n]",
          "peers=slice [...] (string a, string b, string c)");
    gives("a [1, 2]", "a=slice [...] (int64 1, int64 2)");
    gives("a [1,2]", "a=slice [...] (int64 1, int64 2)");
    gives("a [1.5]", "a=slice [...] (float64 1.5)");
    gives("a []", "a=slice [...] ()");
    gives("a [{b: 1}, [2], true]",
          "a=slice [...] (map {...}, slice [...], bool true)");
    breaks("a [1,,2]", 1, "Unexpected array value terminator ','.");
    breaks("a [1", 1,
           "Expected an array value terminator ',' or an array terminator "
           "']', but got 'EOF' instead.");
    breaks("a [\n", 2, "Unexpected EOF processing array.");
    breaks("a ['x' y]", 1,
           "Expected an array value terminator ',' or an array terminator "
           "']', but got 'y' instead.");
}

static void a_value_at_the_top_ends_its_line(void **s)
{
    (void)s;
    gives("a = 1, b = 2; c = 3 # x\nd = 4 // y\n",
          "a=int64 1; b=int64 2; c=int64 3; d=int64 4");
}

static void behind_a_value_at_the_top_text_is_an_error(void **s)
{
    (void)s;
    breaks("a = 'x' y", 1,
           "Expected a top-level value to end with a new line, comment or "
           "EOF, but got 'y' instead.");
    breaks("a = 1\nb = 'x' \xc3\xa9", 2,
           "Expected a top-level value to end with a new line, comment or "
           "EOF, but got '\xc3\xa9' instead.");
}

static void maps_nest_up_to_a_limit(void **s)
{
    (void)s;
    char text[140] = "";
    for (int i = 0; i < 64; i++)
        append(text, sizeof text, i == 0 ? "a [" : "[");
    for (int i = 0; i < 64; i++)
        append(text, sizeof text, "]");
    struct conf *conf = parsed(text);
    conf_free(conf);
    char deeper[80] = "a ";
    for (int i = 0; i < 65; i++)
        append(deeper, sizeof deeper, "[");
    breaks(deeper, 1, "Maps and arrays are nested too deeply (limit 64)");
}

static void a_value_knows_where_it_stands(void **s)
{
    (void)s;
    struct conf *conf = parsed("a = 1\n  m {\n    b = x\n  }");
    const struct conf_value *map = conf_find(conf_root(conf), "m");
    const struct conf_value *b = conf_find(map, "b");
    assert_string_equal(b->file, "x.conf");
    assert_int_equal(b->line, 3);
    assert_int_equal(b->column, 9);
    assert_int_equal(map->line, 2);
    assert_int_equal(map->column, 5);
    conf_free(conf);
}

/* ---- variables ---- */

static void c25_a_variable_is_looked_up_in_the_maps_around_it(void **s)
{
    (void)s;
    gives("index=22\nnest {index=11, foo=$index}\nbar=$index",
          "index=int64 22; nest=map {...} (index=int64 11, foo=int64 11); "
          "bar=int64 22");
    gives("index=22\nnest {foo=$index, index=11}",
          "index=int64 22; nest=map {...} (foo=int64 22, index=int64 11)");
    gives("a=[1, 2]\nb=$a", "a=slice [...] (int64 1, int64 2); "
                            "b=slice [...] (int64 1, int64 2)");
    gives("a=x\nb=[$a, $a]", "a=string x; b=slice [...] (string x, string x)");
    fails("x = $streamd_test_nowhere",
          "variable reference for 'streamd_test_nowhere' on line 1 can not be "
          "found");
    fails("\nm { a = $m }",
          "variable reference for 'm' on line 2 can not be found");
}

/* C25 */
static void c25_a_variable_of_the_environment_is_parsed(void **s)
{
    (void)s;
    (void)setenv("STREAMD_TEST", "22", 1);
    gives("x = $STREAMD_TEST\ny = 1", "x=int64 22; y=int64 1");
    (void)setenv("STREAMD_TEST", "xyz", 1);
    gives("m { x: $STREAMD_TEST }", "m=map {...} (x=string xyz)");
    (void)setenv("STREAMD_TEST", "'3xyz'", 1);
    gives("x = [$STREAMD_TEST]", "x=slice [...] (string 3xyz)");
    (void)setenv("STREAMD_TEST", "nats://a:4222", 1);
    gives("x = $STREAMD_TEST", "x=string nats://a:4222");
    (void)setenv("STREAMD_TEST", "", 1);
    gives("x = $STREAMD_TEST", "x=string ");
    (void)setenv("STREAMD_TEST", "'a' b", 1);
    fails("x = $STREAMD_TEST",
          "variable reference for 'STREAMD_TEST' on line 1 could not be "
          "parsed: Parse error on line 1: 'Expected a top-level value to end "
          "with a new line, comment or EOF, but got 'b' instead.'");
    (void)setenv("STREAMD_TEST", "$STREAMD_TEST", 1);
    struct conf *conf = NULL;
    struct error err = {0};
    assert_int_equal(
        conf_parse(bytes_text("x = $STREAMD_TEST"), "x.conf", &conf, &err),
        STATUS_INVALID);
    assert_non_null(strstr(err.detail, "nested too deeply (limit 32)"));
    (void)unsetenv("STREAMD_TEST");
}

/* C26 */
static void c26_a_hashed_password_is_no_variable(void **s)
{
    (void)s;
    gives("password: $2a$11$ooo", "password=string $2a$11$ooo");
    gives("a: '$x'\nb: x$y", "a=string $x; b=string x$y");
}

static void variables_of_variables_take_no_memory(void **s)
{
    (void)s;
    char text[4096] = "v0=[x,x]\n";
    for (int i = 1; i < 60; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "v%d=[$v%d,$v%d]\n", i, i - 1, i - 1);
        append(text, sizeof text, line);
    }
    struct conf *conf = parsed(text);
    assert_non_null(conf_find(conf_root(conf), "v59"));
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c22_each_kind_of_value_has_its_type),
        cmocka_unit_test(c23_addresses_are_strings_and_dates_are_dates),
        cmocka_unit_test(c24_sizes_have_suffixes_of_1000_and_of_1024),
        cmocka_unit_test(numbers_that_do_not_fit_are_errors),
        cmocka_unit_test(c30_an_unquoted_duration_may_look_like_a_number),
        cmocka_unit_test(what_is_almost_a_number_or_date_is_an_error),
        cmocka_unit_test(only_double_quotes_have_escapes),
        cmocka_unit_test(a_bare_string_ends_at_blanks_and_punctuation),
        cmocka_unit_test(c27_a_block_ends_with_a_parenthesis_on_its_own_line),
        cmocka_unit_test(c28_files_may_be_empty_or_wrapped_in_braces),
        cmocka_unit_test(text_behind_a_nul_is_not_there),
        cmocka_unit_test(keys_may_be_quoted_and_separated_in_three_ways),
        cmocka_unit_test(the_last_of_two_equal_keys_stays_with_its_case),
        cmocka_unit_test(maps_take_three_separators_and_comments),
        cmocka_unit_test(c31_arrays_take_commas_or_lines_and_comments),
        cmocka_unit_test(a_value_at_the_top_ends_its_line),
        cmocka_unit_test(behind_a_value_at_the_top_text_is_an_error),
        cmocka_unit_test(maps_nest_up_to_a_limit),
        cmocka_unit_test(a_value_knows_where_it_stands),
        cmocka_unit_test(c25_a_variable_is_looked_up_in_the_maps_around_it),
        cmocka_unit_test(c25_a_variable_of_the_environment_is_parsed),
        cmocka_unit_test(c26_a_hashed_password_is_no_variable),
        cmocka_unit_test(variables_of_variables_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
