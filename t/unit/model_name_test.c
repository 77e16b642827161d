/* Names and the path of an execution. */
#include "unit.h"

#include "model/execute_path.h"
#include "model/name.h"

static void check(bool (*is)(dsp_str, dsp_buf *), const char *name, const char *reason)
{
    dsp_buf why;

    dsp_buf_init(&why, 1024);
    assert_int_equal(is(dsp_str_from(name), NULL), reason == NULL);
    assert_int_equal(is(dsp_str_from(name), &why), reason == NULL);
    assert_string_equal(dsp_buf_cstr(&why), reason == NULL ? "" : reason);
    dsp_buf_free(&why);
}

static void label(const char *name, const char *reason) { check(dsp_name_is_label, name, reason); }
static void subdomain(const char *name, const char *reason) { check(dsp_name_is_subdomain, name, reason); }

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void labels(void **state)
{
    (void) state;
    label("a", NULL);
    label("0", NULL);
    label("kube-system", NULL);
    label("a--b", NULL);
    label(A63, NULL);
    label("", "must not be empty");
    label(A63 "a", "has 64 bytes, 63 are allowed");
    label("-a", "has '-' at position 1, where a-z or 0-9 must be");
    label("a-", "has '-' at position 2, where a-z or 0-9 must be");
    label("aB", "has 'B' at position 2, only a-z, 0-9 and '-' are allowed");
    label("a.b", "has '.' at position 2, only a-z, 0-9 and '-' are allowed");
    label("a\x7f", "has the byte 0x7f at position 2, only a-z, 0-9 and '-' are allowed");
    label("\xc3\xa9", "has the byte 0xc3 at position 1, only a-z, 0-9 and '-' are allowed");
}

static void subdomains(void **state)
{
    (void) state;
    subdomain("a.b", NULL);
    subdomain("a-b.c-d.0", NULL);
    subdomain(A63 "." A63 "." A63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
    subdomain(A63 "." A63 "." A63 "." A63, "has 255 bytes, 253 are allowed");
    subdomain(".a", "has '.' at position 1, where a-z or 0-9 must be");
    subdomain("a.", "has '.' at position 2, where a-z or 0-9 must be");
    subdomain("a..b", "has '.' at position 3, where a-z or 0-9 must be");
    subdomain("a-.b", "has '-' at position 2, where a-z or 0-9 must be");
    subdomain("a.-b", "has '-' at position 3, where a-z or 0-9 must be");
    subdomain("..", "has '.' at position 1, where a-z or 0-9 must be");
    subdomain("a_b", "has '_' at position 2, only a-z, 0-9, '-' and '.' are allowed");
    subdomain("a;b", "has ';' at position 2, only a-z, 0-9, '-' and '.' are allowed");
    subdomain("a b", "has the byte 0x20 at position 2, only a-z, 0-9, '-' and '.' are allowed");
}

static void path(const char *text, enum dsp_execute_path_fault fault, const char *ns, const char *name, const char *reason)
{
    dsp_buf          why;
    dsp_execute_path out;

    dsp_buf_init(&why, 1024);
    assert_int_equal(dsp_execute_path_parse(dsp_str_from(text), &out, &why), fault);
    assert_string_equal(dsp_buf_cstr(&why), reason);
    if (fault == DSP_EXECUTE_PATH_OK) {
        assert_str(out.ns, ns);
        assert_str(out.template_name, name);
    }
    dsp_buf_free(&why);
}

static void paths(void **state)
{
    (void) state;
    path("demo", DSP_EXECUTE_PATH_OK, "", "demo", "");
    path("ns/demo.v2", DSP_EXECUTE_PATH_OK, "ns", "demo.v2", "");
    path("", DSP_EXECUTE_PATH_FORM, "", "", "The path has no template; it must be [namespace/]template.");
    path("ns/", DSP_EXECUTE_PATH_FORM, "", "", "The path has no template; it must be [namespace/]template.");
    path("/demo", DSP_EXECUTE_PATH_FORM, "", "", "The path has no namespace before its '/'; it must be [namespace/]template.");
    path("a/b/c", DSP_EXECUTE_PATH_FORM, "", "", "The path has too many segments; it must be [namespace/]template.");
    path("a.b/c", DSP_EXECUTE_PATH_NAME, "", "", "The namespace has '.' at position 2, only a-z, 0-9 and '-' are allowed.");
    path("a/C", DSP_EXECUTE_PATH_NAME, "", "",
         "The template's name has 'C' at position 1, only a-z, 0-9, '-' and '.' are allowed.");
    path("..", DSP_EXECUTE_PATH_NAME, "", "", "The template's name has '.' at position 1, where a-z or 0-9 must be.");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(labels), cmocka_unit_test(subdomains), cmocka_unit_test(paths) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
