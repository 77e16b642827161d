/*
 * What the tables of t/vectors cannot say about functions: that none uses more than its limits, whatever it is asked
 * for, and what env, expandenv and getHostByName do where they are allowed.
 */
#include "unit.h"

#include "base/buf.h"
#include "template/decimal.h"
#include "template/template.h"

struct result {
    bool                      ok;
    enum dsp_template_failure kind;
    char                      text[512]; /* output or error, cut */
};

static struct result render(const dsp_template_options *options, const char *text)
{
    dsp_template_options patient = options == NULL ? (dsp_template_options){ 0 } : *options;
    dsp_template_input   in = { .text = dsp_str_from(text), .name = DSP_STR("string"), .payload = DSP_STR("p") };
    dsp_renderer        *r;
    dsp_template_error error = { 0 };
    struct result      result = { 0 };
    dsp_buf            out;
    dsp_str            s;

    patient.limits.time_ms = PATIENT_MS;
    r = dsp_renderer_new(&patient);
    assert_non_null(r);
    dsp_buf_init(&out, (size_t) 16 << 20);
    result.ok = dsp_render(r, &in, &out, &error);
    result.kind = error.kind;
    s = result.ok ? dsp_buf_str(&out) : error.message;
    snprintf(result.text, sizeof(result.text), "%.*s", s.len > 500 ? 500 : (int) s.len, s.data == NULL ? "" : s.data);
    dsp_buf_free(&out);
    dsp_renderer_free(r);
    return result;
}

/* $l: 65,536 times the same text of a million bytes */
#define BIG                                                                                                            \
    "{{ $x := upper (repeat 1000000 \"x\") }}{{ $l := list $x }}"                                                      \
    "{{ range 16 }}{{ $l = concat $l $l }}{{ end }}"

/* Each asks for more than there is, most of them for more than any machine has. */
static void hazards(void **state)
{
    static const char *const templates[] = {
        "{{ repeat 4000000000 \"abcd\" }}",
        "{{ repeat 100000000000000 \"x\" }}",
        "{{ until 1000000000 }}",
        "{{ until -1000000000 }}",
        "{{ untilStep -9223372036854775808 9223372036854775807 1 }}",
        "{{ untilStep 9223372036854775800 9223372036854775807 3 }}", /* the counter wraps around */
        "{{ seq 1000000000 }}",
        "{{ seq 0 -1 -9223372036854775807 }}",
        "{{ indent 100000000000 \"x\" }}",
        "{{ nindent 1000000 (repeat 1000 \"\\n\") }}",
        "{{ wrapWith 1 (repeat 100000 \"x\") (repeat 100000 \"y\") }}",
        "{{ replace \"\" (repeat 100000 \"x\") (repeat 100000 \"y\") }}",
        "{{ replace \"y\" (repeat 100000 \"x\") (repeat 100000 \"y\") }}",
        "{{ join (repeat 1000000 \"x\") (until 1000) }}",
        "{{ $x := repeat 1000000 \"x\" }}{{ range until 20 }}{{ $x = b64enc $x }}{{ end }}",
        "{{ $x := repeat 1000000 \"\\x00\" }}{{ range until 20 }}{{ $x = quote $x }}{{ end }}",
        "{{ $x := repeat 100000 \"\\x01\" }}{{ range until 20 }}{{ $x = toJson $x }}{{ end }}",
        "{{ $l := list 1 }}{{ range until 40 }}{{ $l = concat $l $l }}{{ end }}",
        "{{ $l := list 1 }}{{ range until 100000 }}{{ $l = prepend $l . }}{{ end }}",
        "{{ $l := until 100000 }}{{ uniq $l }}",
        "{{ $l := until 10000 }}{{ range $l }}{{ $_ := without $l -1 -2 -3 -4 }}{{ end }}",
        "{{ $l := until 10000 }}{{ range $l }}{{ $_ := has -1 $l }}{{ end }}",
        "{{ $s := repeat 1000000 \"a,\" }}{{ range until 100 }}{{ $_ := splitList \",\" $s }}{{ end }}",
        "{{ $s := repeat 1000000 \"a,\" }}{{ range until 100 }}{{ $_ := split \",\" $s }}{{ end }}",
        "{{ $s := repeat 1000000 \"aB\" }}{{ range until 1000 }}{{ $_ := snakecase $s }}{{ end }}",
        "{{ $s := repeat 1000000 \"ab\" }}{{ range until 1000 }}{{ $_ := contains \"abc\" $s }}{{ end }}",
        "{{ $s := repeat 1000000 \" \" }}{{ range until 100 }}{{ $_ := trim $s }}{{ end }}",
        "{{ $s := repeat 100000 \"x\" }}{{ trimAll (print (repeat 100000 \"y\") \"x\") $s }}",
        "{{ $s := repeat 1000000 \"ab\" }}{{ range until 1000 }}{{ $_ := sha512sum $s }}{{ end }}",
        "{{ $d := dict }}{{ range until 2000000 }}{{ $_ := set $d (toString .) . }}{{ end }}",
        "{{ $d := dict }}{{ range 20000 }}{{ $_ := set $d (toString .) . }}{{ $_ := keys $d }}{{ end }}",
        "{{ $d := dict \"a\" 1 }}{{ range 100 }}{{ $d = dict \"l\" $d \"r\" $d }}{{ end }}{{ $_ := deepCopy $d }}",
        "{{ $d := dict \"a\" 1 }}{{ range 100 }}{{ $d = dict \"l\" $d \"r\" $d }}{{ end }}{{ $_ := toJson $d }}",
        "{{ $d := dict \"a\" 1 }}{{ range 60 }}{{ $d = dict \"l\" $d \"r\" $d }}{{ end }}{{ $_ := toString $d }}",
        "{{ chunk 1 (until 3000000) }}",
        /* long texts that are looked at again and again and never copied */
        BIG "{{ sortAlpha $l }}",
        BIG "{{ has (print (trunc 999999 $x) \"Y\") $l }}",
        BIG "{{ uniq $l }}",
        BIG "{{ range $l }}{{ $_ := float64 (first $l) }}{{ end }}",
        BIG "{{ range $l }}{{ $_ := hasPrefix . . }}{{ end }}",
        BIG "{{ range $l }}{{ $_ := ext . }}{{ end }}",
        BIG "{{ range $l }}{{ $_ := eq . \"X\" }}{{ end }}{{ range $l }}{{ $_ := lt . $x }}{{ end }}",
        "{{ $x := repeat 1000000 \"1h\" }}{{ range 1000000 }}{{ $_ := durationRound $x }}{{ end }}",
        BIG "{{ $d := dict }}{{ range $l }}{{ $_ := hasKey $d . }}{{ end }}",
        /* dicts that hold themselves, which kill the Go engine */
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ deepCopy $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := dict }}{{ $_ := set $e \"d\" $e }}{{ deepEqual $d $e }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := dict }}{{ $_ := set $e \"d\" $e }}{{ merge $d $e }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ quote $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ cat $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ dict $d 1 }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ join \",\" (list $d) }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ uniq (list $d (deepCopy $d)) }}",
    };

    /* a quarter of the usual memory: four times as fast, and the same paths */
    const dsp_template_options options = { .limits = { .arena_bytes = (size_t) 16 << 20 } };

    (void) state;
    for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
        struct result result = render(&options, templates[i]);

        if (result.ok || result.kind != DSP_TEMPLATE_LIMIT) {
            fail_msg("%s: %s", templates[i], result.text);
        }
    }
}

/* Large work that is within the limits is done. */
static void within_limits(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        { "{{ len (repeat 1000000 \"x\") }}", "1000000" },
        { "{{ len (until 1000000) }}", "1000000" },
        { "{{ len (splitList \",\" (repeat 100000 \"a,\")) }}", "100001" },
        { "{{ len (toJson (until 10000)) }}", "48891" },
        { "{{ untilStep 3 13 9223372036854775807 }}", "[3 -9223372036854775806 1 -9223372036854775808 -1]" }, /* as Go */
        { "{{ sub 0 -9223372036854775808 }}", "-9223372036854775808" },
        { "{{ div -9223372036854775808 -1 }}", "-9223372036854775808" },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_string_equal(render(NULL, table[i].text).text, table[i].want);
    }
}

/* --- the machine -------------------------------------------------------------------------------------------------- */

static dsp_str variable(void *context, dsp_str name)
{
    (void) context;
    if (dsp_str_is(name, "HOME")) {
        return DSP_STR("/home");
    }
    if (dsp_str_is(name, "1")) {
        return DSP_STR("one");
    }
    if (dsp_str_is(name, "a b")) {
        return DSP_STR("spaced");
    }
    return (dsp_str){ NULL, 0 };
}

static size_t lookup(void *context, dsp_str host, char (*out)[46], size_t n)
{
    (void) context;
    assert_true(n >= 2);
    if (!dsp_str_is(host, "db")) {
        return 0;
    }
    strcpy(out[0], "10.0.0.1");
    strcpy(out[1], "10.0.0.2");
    return 2;
}

static bool no_chance(void *context, void *out, size_t n)
{
    (void) context;
    memset(out, 1, n); /* an odd number: the second of two */
    return true;
}

static void machine(void **state)
{
    const dsp_template_options options = {
        .policy = DSP_TEMPLATE_ALLOW_ENV | DSP_TEMPLATE_ALLOW_DNS,
        .host = { .env = variable, .lookup = lookup, .random = no_chance },
    };
    /* as Go 1.26's os.ExpandEnv gives for the same variables */
    static const struct {
        const char *text, *want;
    } table[] = {
        { "{{ env \"HOME\" }}|{{ env \"NOT_SET\" }}|{{ env \"\" }}", "/home||" },
        { "{{ expandenv \"$HOME/${HOME}x\" }}", "/home//homex" },
        { "{{ expandenv \"$HOMEx $ HOME $\" }}", " $ HOME $" },
        { "{{ expandenv \"${\" }}|{{ expandenv \"${}\" }}|{{ expandenv \"${HOME\" }}", "||HOME" },
        { "{{ expandenv \"$1x ${1} $12 $* ${*}y $$\" }}", "onex one one2  y " },
        { "{{ expandenv \"${a b}$é-$_\" }}", "spaced$é-" },
        { "{{ getHostByName \"db\" }}", "10.0.0.2" },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct result result = render(&options, table[i].text);

        assert_string_equal(result.text, table[i].want);
    }
    assert_non_null(strstr(render(&options, "{{ getHostByName \"nowhere\" }}").text,
                           "error calling getHostByName: invalid argument to Intn"));
}

/* --- decimals that templates rarely reach ------------------------------------------------------------------------- */

static void decimals(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        { "{{ addf 0.1 0.2 }}", "0.3" },
        { "{{ addf 1e308 1e308 }}", "+Inf" },
        { "{{ addf 1e308 5e-324 -1e308 }}", "5e-324" },
        { "{{ mulf 1e308 10 0.1 }}", "1e+308" },
        { "{{ mulf 5e-324 0.5 }}", "5e-324" },
        { "{{ mulf -5e-324 0.1 }}", "-0" },
        { "{{ mulf -0.0 1 }}", "0" },
        { "{{ divf 1 7 }}", "0.1428571428571429" },
        { "{{ divf -2 3 }} {{ divf 2 -3 }}", "-0.6666666666666667 -0.6666666666666667" },
        { "{{ divf 1 1e20 }} {{ divf 5 1e17 }} {{ divf 4 1e17 }}", "0 1e-16 0" },
        { "{{ divf 1e308 1e-308 }}", "+Inf" },
    };
    struct result result;
    dsp_buf       text;

    (void) state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_string_equal(render(NULL, table[i].text).text, table[i].want);
    }
    assert_non_null(strstr(render(NULL, "{{ divf 1 0 }}").text, "decimal division by 0"));
    assert_non_null(strstr(render(NULL, "{{ addf \"-inf\" }}").text, "Cannot create a Decimal from -Inf"));

    /* a product of as many digits as a template can ask for */
    dsp_buf_init(&text, 1 << 20);
    dsp_buf_addz(&text, "{{ mulf 1");
    for (int i = 0; i < 10000; i++) {
        dsp_buf_addz(&text, " 1.7976931348623157");
    }
    dsp_buf_addz(&text, " }}");
    result = render(NULL, dsp_buf_cstr(&text));
    dsp_buf_free(&text);
    assert_string_equal(result.text, "+Inf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hazards),
        cmocka_unit_test(within_limits),
        cmocka_unit_test(machine),
        cmocka_unit_test(decimals),
    };

    return cmocka_run_group_tests_name("template_functions", tests, NULL, NULL);
}
