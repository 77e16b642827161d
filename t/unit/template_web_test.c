/*
 * Versions, URLs, addresses and paths without templates: what Go answers is in
 * t/vectors/own/pure_{semver,urls,paths}.jsonl; here is one of each kind, full arenas, and texts made to be slow.
 */
#include "unit.h"

#include "template/gopath.h"
#include "template/ipaddr.h"
#include "template/semver.h"
#include "template/url.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void constraints(void **state)
{
    static const struct {
        const char           *constraint, *version;
        enum gt_semver_result result;
        const char           *error;
    } cases[] = {
        { "^1.2", "1.9.0", GT_SEMVER_YES, "" },
        { "^1.2", "2.0.0", GT_SEMVER_NO, "" },
        { "1.2 - 2.0 || 5", "5.4.3", GT_SEMVER_YES, "" },
        { "1.2 - 2.0", "2.0.9", GT_SEMVER_YES, "" },
        { ">=1, <2", "1.5.0-rc.1", GT_SEMVER_NO, "" },
        { ">=1-0, <2", "1.5.0-rc.1", GT_SEMVER_YES, "" },
        { "", "1", GT_SEMVER_ERROR, "improper constraint: " },
        { ">=x1", "1", GT_SEMVER_ERROR, "constraint parser error" },
        { "1", "nope", GT_SEMVER_ERROR, "invalid semantic version" },
        { "1", "1.0.0-01", GT_SEMVER_ERROR, "version segment starts with 0" },
    };

    (void) state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        dsp_arena arena;
        dsp_buf   error;

        dsp_arena_init(&arena, 4096);
        dsp_buf_init(&error, 4096);
        assert_int_equal(
            gt_semver_check(&arena, dsp_str_from(cases[i].constraint), dsp_str_from(cases[i].version), &error),
            cases[i].result);
        assert_str(dsp_buf_str(&error), cases[i].error);
        dsp_buf_free(&error);
        dsp_arena_free(&arena);
    }
}

static void a_range_needs_memory(void **state)
{
    dsp_arena arena;
    dsp_buf   error;

    (void) state;
    dsp_arena_init(&arena, 4);
    dsp_buf_init(&error, 4096);
    assert_int_equal(gt_semver_check(&arena, DSP_STR("1 - 2"), DSP_STR("1"), &error), GT_SEMVER_NO_MEMORY);
    dsp_buf_free(&error);
    dsp_arena_free(&arena);
}

static void urls(void **state)
{
    dsp_arena arena;
    dsp_buf   b;
    gt_url    u;

    (void) state;
    dsp_arena_init(&arena, 65536);
    dsp_buf_init(&b, 4096);
    assert_true(
        gt_url_parse(&arena, DSP_STR("HTTPS://us%65r:p%40ss@[fe80::1%25eth0]:443/a%2Fb/c?q=%zz#f%20g"), &u, &b));
    assert_str(u.scheme, "https");
    assert_str(u.user, "user");
    assert_str(u.password, "p@ss");
    assert_str(u.host, "[fe80::1%eth0]:443");
    assert_str(gt_url_hostname(&u), "fe80::1%eth0");
    assert_str(u.path, "/a/b/c");
    assert_str(u.query, "q=%zz");
    assert_str(u.fragment, "f g");
    gt_url_string(&b, &u);
    assert_str(dsp_buf_str(&b), "https://user:p%40ss@[fe80::1%25eth0]:443/a%2Fb/c?q=%zz#f%20g");

    dsp_buf_reset(&b);
    assert_false(gt_url_parse(&arena, DSP_STR("http://a:b:c/"), &u, &b));
    assert_str(dsp_buf_str(&b), "parse \"http://a:b:c/\": invalid port \":b:c\" after host");
    dsp_arena_free(&arena);

    dsp_arena_init(&arena, 2); /* no room for the decoded path: false without a text */
    dsp_buf_reset(&b);
    assert_false(gt_url_parse(&arena, DSP_STR("/aaaaaaaaaaaaaaaaaaaaaaaa%41"), &u, &b));
    assert_int_equal(b.len, 0);
    dsp_buf_free(&b);
    dsp_arena_free(&arena);
}

static void addresses(void **state)
{
    static const unsigned char mapped[16] = { [10] = 0xFF, 0xFF, 1, 2, 3, 4 };
    gt_ipaddr                  ip;

    (void) state;
    assert_true(gt_ipaddr_parse(DSP_STR("::ffff:1.2.3.4"), &ip, NULL));
    assert_memory_equal(ip.bytes, mapped, 16);
    assert_false(ip.v4);
    assert_true(gt_ipaddr_parse(DSP_STR("1::2:0:3"), &ip, NULL));
    assert_int_equal(ip.bytes[1], 1);
    assert_int_equal(ip.bytes[11], 2);
    assert_int_equal(ip.bytes[15], 3);
    assert_true(gt_ipaddr_parse(DSP_STR("255.0.0.1"), &ip, NULL));
    assert_true(ip.v4);
    assert_false(gt_ipaddr_parse(DSP_STR("256.0.0.1"), &ip, NULL));
    assert_false(gt_ipaddr_parse(DSP_STR(""), &ip, NULL));
    assert_true(gt_ipaddr_parse(DSP_STR("::"), &ip, NULL));
    assert_false(gt_ipaddr_parse(DSP_STR("1::2::3"), &ip, NULL));
}

static dsp_str cleaned(const char *path)
{
    static dsp_buf b;

    dsp_buf_free(&b);
    dsp_buf_init(&b, 4096);
    gt_path_clean(&b, dsp_str_from(path));
    return dsp_buf_str(&b);
}

static void paths(void **state)
{
    (void) state;
    assert_str(cleaned(""), ".");
    assert_str(cleaned("/../a/./b//../c/"), "/a/c");
    assert_str(cleaned("../../a/../.."), "../../..");
    assert_str(gt_path_base(DSP_STR("/a/b//")), "b");
    assert_str(gt_path_base(DSP_STR("//")), "/");
    assert_str(gt_path_ext(DSP_STR("a.b/c")), "");
    assert_str(gt_path_ext(DSP_STR("a/.tar.gz")), ".gz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints), cmocka_unit_test(a_range_needs_memory), cmocka_unit_test(urls),
        cmocka_unit_test(addresses),   cmocka_unit_test(paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
