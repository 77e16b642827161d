/* The patch formats, field sets and schemas of devcluster: pure functions on trees. */
#include "unit.h"

#include "t/devcluster/fieldset.h"
#include "t/devcluster/patch.h"
#include "t/devcluster/schema.h"
#include "t/devcluster/tree.h"

static cJSON *parse(const char *text)
{
    const char *error = NULL;
    cJSON      *tree = dc_parse(dsp_str_from(text), &error, NULL);

    if (tree == NULL) {
        fail_msg("%s: %s", text, error);
    }
    return tree;
}

/* Takes the tree. */
static void assert_tree(cJSON *tree, const char *expected)
{
    dsp_buf out;

    dsp_buf_init(&out, 1 << 20);
    dc_print(&out, tree);
    assert_string_equal(dsp_buf_cstr(&out), expected);
    dsp_buf_free(&out);
    cJSON_Delete(tree);
}

/* RFC 7386, appendix A. */
static void test_merge_patch(void **state)
{
    static const char *const cases[][3] = {
        { "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
        { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
        { "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
        { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
        { "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
        { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
        { "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
        { "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
        { "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
        { "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
        { "{\"a\":\"foo\"}", "null", "null" },
        { "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
        { "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
        { "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
        { "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cJSON *patch = parse(cases[i][1]);
        assert_tree(dc_merge_patch(parse(cases[i][0]), patch), cases[i][2]);
        cJSON_Delete(patch);
    }
}

/* NULL: it must fail. */
static void check_json_patch(const char *target, const char *patch_text, const char *expected)
{
    cJSON  *tree = parse(target), *patch = parse(patch_text);
    dc_fail f = { 0 };
    bool    good = dc_json_patch(&tree, patch, &f);

    if (good != (expected != NULL)) {
        fail_msg("%s on %s", patch_text, target);
    }
    if (expected != NULL) {
        assert_tree(tree, expected);
    } else {
        assert_int_not_equal(f.code, 0);
        cJSON_Delete(tree);
    }
    dc_fail_free(&f);
    cJSON_Delete(patch);
}

static void test_json_patch(void **state)
{
    (void) state;
    check_json_patch("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}");
    check_json_patch("{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]", "{\"a\":[1,2,3]}");
    check_json_patch("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]", "{\"a\":[1,2]}");
    check_json_patch("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]", "{\"a\":[1,2]}");
    check_json_patch("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":2}]", NULL);
    check_json_patch("{\"a\":[1,2]}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]", "{\"a\":[2]}");
    check_json_patch("{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL);
    check_json_patch("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{}}]", "{\"a\":{}}");
    check_json_patch("{\"a\":[1,2,3]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":9}]", "{\"a\":[1,9,3]}");
    check_json_patch("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", NULL);
    check_json_patch("{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c\"}]", "{\"a\":{},\"c\":1}");
    check_json_patch("{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":1}");
    check_json_patch("{\"a/b\":1,\"m~n\":2}", "[{\"op\":\"test\",\"path\":\"/a~1b\",\"value\":1},"
                     "{\"op\":\"remove\",\"path\":\"/m~0n\"}]", "{\"a/b\":1}");
    check_json_patch("{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", NULL);
    check_json_patch("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"b\":1}}]", "{\"b\":1}");
    check_json_patch("{\"a\":1}", "[{\"op\":\"boo\",\"path\":\"/a\"}]", NULL);
    check_json_patch("{\"a\":1}", "{}", NULL);
}

static void check_strategic(const char *target, const char *patch_text, const char *expected)
{
    cJSON  *tree = parse(target), *patch = parse(patch_text);
    dc_fail f = { 0 };

    assert_true(dc_strategic_patch(tree, patch, &f));
    assert_tree(tree, expected);
    cJSON_Delete(patch);
}

static void test_strategic_patch(void **state)
{
    (void) state;
    check_strategic("{\"a\":1,\"b\":{\"c\":1}}", "{\"a\":null,\"b\":{\"d\":2}}", "{\"b\":{\"c\":1,\"d\":2}}");
    check_strategic("{\"containers\":[{\"name\":\"a\",\"image\":\"x\"},{\"name\":\"b\"}]}",
                    "{\"containers\":[{\"name\":\"a\",\"image\":\"y\"},{\"name\":\"c\"}]}",
                    "{\"containers\":[{\"name\":\"a\",\"image\":\"y\"},{\"name\":\"b\"},{\"name\":\"c\"}]}");
    check_strategic("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
                    "{\"containers\":[{\"$patch\":\"delete\",\"name\":\"a\"}]}", "{\"containers\":[{\"name\":\"b\"}]}");
    check_strategic("{\"containers\":[{\"name\":\"a\"}]}",
                    "{\"containers\":[{\"$patch\":\"replace\"},{\"name\":\"z\"}]}", "{\"containers\":[{\"name\":\"z\"}]}");
    check_strategic("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
                    "{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}],\"containers\":[{\"name\":\"b\",\"image\":\"x\"}]}",
                    "{\"containers\":[{\"name\":\"b\",\"image\":\"x\"},{\"name\":\"a\"}]}");
    check_strategic("{\"finalizers\":[\"a\"]}", "{\"finalizers\":[\"b\",\"a\"]}", "{\"finalizers\":[\"a\",\"b\"]}");
    check_strategic("{\"finalizers\":[\"a\",\"b\"]}", "{\"$deleteFromPrimitiveList/finalizers\":[\"a\"]}",
                    "{\"finalizers\":[\"b\"]}");
    check_strategic("{\"command\":[\"a\",\"b\"]}", "{\"command\":[\"c\"]}", "{\"command\":[\"c\"]}");
    check_strategic("{\"m\":{\"a\":1}}", "{\"m\":{\"$patch\":\"replace\",\"b\":2}}", "{\"m\":{\"b\":2}}");
    check_strategic("{\"conditions\":[{\"type\":\"A\",\"status\":\"True\"}]}",
                    "{\"conditions\":[{\"type\":\"B\",\"status\":\"True\"}]}",
                    "{\"conditions\":[{\"type\":\"A\",\"status\":\"True\"},{\"type\":\"B\",\"status\":\"True\"}]}");
}

static dc_schema *schema(void)
{
    char       error[256];
    cJSON     *openapi = parse(
        "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{"
        "\"name\":{\"type\":\"string\",\"maxLength\":5,\"pattern\":\"^[a-z\\\\d]+$\"},\"n\":{\"type\":\"integer\",\"minimum\":1},"
        "\"e\":{\"type\":\"string\",\"enum\":[\"A\",\"B\"]},\"d\":{\"type\":\"string\",\"default\":\"x\"},"
        "\"any\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},"
        "\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
        "\"list\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"k\"],\"items\":"
        "{\"type\":\"object\",\"properties\":{\"k\":{\"type\":\"string\"},\"v\":{\"type\":\"integer\"}}}},"
        "\"fixed\":{\"type\":\"string\",\"x-kubernetes-validations\":[{\"rule\":\"self == oldSelf\",\"message\":\"no\"}]}}}}}");
    dc_schema *s = dc_schema_new(openapi, NULL, error, sizeof(error));

    cJSON_Delete(openapi);
    assert_non_null(s);
    return s;
}

/* What validation says of an object, the fields of the errors joined. */
static void check_schema(const char *object, const char *old_text, const char *pruned, const char *fields)
{
    dc_kind   kind = { .kind = "X", .plural = "xs", .group = "g", .custom = true, .n_versions = 1 };
    cJSON    *tree = parse(object), *old = old_text != NULL ? parse(old_text) : NULL, *problems = cJSON_CreateArray();
    dc_errors errors = { NULL };
    dc_fail   f = { 0 };
    dsp_buf   found;

    kind.versions[0].name = "v1";
    kind.versions[0].schema = schema();
    assert_true(dc_schema_prune(&kind, 0, tree, problems, &f));
    dc_schema_validate(&kind, 0, tree, old, &errors);
    dsp_buf_init(&found, 4096);
    for (const cJSON *p = problems->child; p != NULL; p = p->next) {
        dsp_buf_addf(&found, "?%s ", p->valuestring);
    }
    for (const cJSON *c = errors.causes != NULL ? errors.causes->child : NULL; c != NULL; c = c->next) {
        dsp_buf_addf(&found, "%s=%s ", dc_str(c, "field"), dc_str(c, "reason") + 10);
    }
    assert_string_equal(dsp_buf_cstr(&found), fields);
    dsp_buf_free(&found);
    assert_tree(tree, pruned);
    dc_schema_free(kind.versions[0].schema);
    cJSON_Delete(errors.causes);
    cJSON_Delete(problems);
    cJSON_Delete(old);
}

static void test_schema(void **state)
{
    static const char rules[] = "<nil>=Invalid ";
    char              expected[256];

    (void) state;
    check_schema("{\"spec\":{\"name\":\"a\"}}", NULL, "{\"spec\":{\"name\":\"a\",\"d\":\"x\"}}", "");
    check_schema("{\"spec\":{\"name\":\"a\",\"zz\":1,\"any\":{\"q\":1},\"d\":null}}", NULL,
                 "{\"spec\":{\"name\":\"a\",\"any\":{\"q\":1},\"d\":\"x\"}}", "?unknown field \"spec.zz\" ");
    snprintf(expected, sizeof(expected), "spec.name=Required spec.n=Invalid %s", rules);
    check_schema("{\"spec\":{\"n\":0}}", NULL, "{\"spec\":{\"n\":0,\"d\":\"x\"}}", expected);
    snprintf(expected, sizeof(expected), "spec.name=TooLong spec.name=Invalid %s", rules);
    check_schema("{\"spec\":{\"name\":\"TOOLONG\"}}", NULL, "{\"spec\":{\"name\":\"TOOLONG\",\"d\":\"x\"}}", expected);
    snprintf(expected, sizeof(expected), "spec.e=NotSupported spec.map.a=TypeInvalid %s", rules);
    check_schema("{\"spec\":{\"name\":\"a\",\"e\":\"C\",\"map\":{\"a\":1}}}", NULL,
                 "{\"spec\":{\"name\":\"a\",\"e\":\"C\",\"map\":{\"a\":1},\"d\":\"x\"}}", expected);
    snprintf(expected, sizeof(expected), "spec.list=Duplicate %s", rules);
    check_schema("{\"spec\":{\"name\":\"a\",\"list\":[{\"k\":\"1\"},{\"k\":\"1\"}]}}", NULL,
                 "{\"spec\":{\"name\":\"a\",\"list\":[{\"k\":\"1\"},{\"k\":\"1\"}],\"d\":\"x\"}}", expected);
    check_schema("{\"spec\":{\"name\":\"a\",\"fixed\":\"1\"}}", "{\"spec\":{\"name\":\"a\",\"fixed\":\"2\"}}",
                 "{\"spec\":{\"name\":\"a\",\"fixed\":\"1\",\"d\":\"x\"}}", "spec.fixed=Invalid ");
}

static void test_fieldsets(void **state)
{
    dc_schema *s = schema();
    cJSON     *object = parse("{\"apiVersion\":\"g/v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\"}},"
                              "\"spec\":{\"name\":\"a\",\"list\":[{\"k\":\"1\",\"v\":2}]}}");
    cJSON     *set = dc_fieldset_of(object, s);
    cJSON     *live = parse("{\"metadata\":{\"labels\":{\"z\":\"y\"}},\"spec\":{\"name\":\"b\",\"n\":4,\"list\":[{\"k\":\"0\"},"
                            "{\"k\":\"1\",\"v\":1}]}}");
    cJSON     *found = cJSON_CreateArray(), *part = parse("{\"f:spec\":{\"f:name\":{}}}");

    (void) state;
    dc_fieldset_conflicts(set, set, object, live, found);
    assert_tree(found, "[\".metadata.labels.a\",\".spec.name\",\".spec.list[{\\\"k\\\":\\\"1\\\"}].v\"]");
    dc_fieldset_merge(live, object, s);
    dc_del(live, "apiVersion");
    dc_del(live, "kind");
    assert_tree(dc_copy(live), "{\"metadata\":{\"labels\":{\"z\":\"y\",\"a\":\"b\"},\"name\":\"n\"},\"spec\":{\"name\":\"a\",\"n\":4,"
                               "\"list\":[{\"k\":\"0\"},{\"k\":\"1\",\"v\":2}]}}");
    dc_fieldset_prune(live, set, part);
    assert_tree(live, "{\"metadata\":{\"labels\":{\"z\":\"y\"},\"name\":\"n\"},\"spec\":{\"name\":\"a\",\"n\":4,\"list\":[{\"k\":\"0\"}]}}");
    dc_fieldset_remove(set, part);
    assert_tree(set, "{\"f:metadata\":{\"f:labels\":{\"f:a\":{}}},\"f:spec\":{\"f:list\":{\"k:{\\\"k\\\":\\\"1\\\"}\":{\".\":{},"
                     "\"f:k\":{},\"f:v\":{}}}}}");
    cJSON_Delete(part);
    cJSON_Delete(object);
    dc_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge_patch), cmocka_unit_test(test_json_patch), cmocka_unit_test(test_strategic_patch),
        cmocka_unit_test(test_schema),      cmocka_unit_test(test_fieldsets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
