/*
 * The n-th allocation fails, for every n: each rendering either says so or gives what it gives otherwise. Linked with
 * --wrap for malloc, calloc, realloc and free (Makefile); libcrypto is given functions of ours. Under ASan this also finds
 * what would leak. And how much memory hostile templates get.
 *
 * DSP_EVERY_ALLOCATION=1 lets each of libcrypto's thousands fail (make test-memory); else some hundred of them do.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "template/template.h"
#include "unit.h"

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void  __wrap_free(void *p);
void  __real_free(void *p);
int   __wrap_X509_sign(X509 *x, EVP_PKEY *key, const EVP_MD *md);
int   __real_X509_sign(X509 *x, EVP_PKEY *key, const EVP_MD *md);

static long until_failure; /* allocations that still succeed; negative: all */

static bool fails_now(void)
{
    if (until_failure < 0) {
        return false;
    }
    if (until_failure == 0) {
        errno = ENOMEM;
        return true;
    }
    until_failure--;
    return false;
}

static size_t live, peak; /* bytes */

static void *counted(void *p)
{
    live += malloc_usable_size(p);
    peak = live > peak ? live : peak;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    size_t before = malloc_usable_size(p);

    if (fails_now()) {
        return NULL;
    }
    p = __real_realloc(p, size);
    live -= before;
    return counted(p);
}

void __wrap_free(void *p)
{
    live -= malloc_usable_size(p);
    __real_free(p);
}

/* --- libcrypto's ---------------------------------------------------------------------------------------------------- */

static bool crypto_too; /* they fail as ours do; else they are not counted */

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void) file, (void) line;
    return crypto_too && fails_now() ? NULL : __real_malloc(size);
}

static void *crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void) file, (void) line;
    return crypto_too && fails_now() ? NULL : __real_realloc(p, size);
}

static void crypto_free(void *p, const char *file, int line)
{
    (void) file, (void) line;
    __real_free(p);
}

/* When memory is out inside of it, OpenSSL frees a member of the certificate as if it stood alone, and crashes: its issue
 * 27736. We cannot keep it from that, so there is memory. */
int __wrap_X509_sign(X509 *x, EVP_PKEY *key, const EVP_MD *md)
{
    long budget = until_failure;
    int  size;

    until_failure = -1;
    size = __real_X509_sign(x, key, md);
    until_failure = budget;
    return size;
}

static const char payload[] = "{\"a\":[1,2.5,\"x\",{\"y\":null,\"z\":{}}],\"s\":\"text\\u00e9\",\"n\":12345678}";

/* As they stand in a template's string. */
#define ED25519 \
    "-----BEGIN PRIVATE KEY-----\\n" \
    "MC4CAQAwBQYDK2VwBCIEIGHMz8Zcg8cJv0L0dZ2xB+1aznbxt3b0tXb86GIig4wv\\n" \
    "-----END PRIVATE KEY-----\\n"
#define RSA \
    "-----BEGIN RSA PRIVATE KEY-----\\n" \
    "MIIBOgIBAAJBAKUpJV+eG/NG4OaiyCKTQM089TXKvHtM4Xh5epxoc4fvhzuz2sgA\\n" \
    "L5l3A4lma+kYwuLoy1VlTeCDI4Pl2wrpySECAwEAAQJAQD7KJ/Cj5LUchPqrKS/o\\n" \
    "lC1zIRKU0M2uIyP1+uNylVyKIkNjs8pblUdqfPNIPSKmCeT9kV1/UpNopvTaNGW1\\n" \
    "lQIhANlEGyXEZ8W9C72mxXuEYVxMskqnKpAUSSGbXFKCkFa/AiEAwpr788ZJ3Iiw\\n" \
    "Z334YfQyflSg5IjNaFRtthZ5ZO5quB8CIH3LQhCe5BqIN1kKS0MVxa1ENuKkYS9k\\n" \
    "n2cW5eBb+ihPAiBft/GTXwW3dngl/1zreTxYzPFyVyOJXHW2KWm+TlKpiwIhALfs\\n" \
    "N2eeYm5B4q16HXCnKNTm3b9i4IPkuEwpXi2VSMQW\\n" \
    "-----END RSA PRIVATE KEY-----\\n"

static const char *const texts[] = {
    "plain {{ .Payload }} and {{ .Name | printf \"%-20s|%q\" }}",
    "{{ $p := fromJson .Payload }}{{ range $i, $e := $p.a }}{{ $i }}={{ $e }} {{ kindOf $e }};{{ end }}{{ $p | toPrettyJson }}",
    "{{ define \"t\" }}{{ range until 200 }}{{ . }},{{ end }}{{ end }}{{ template \"t\" }}{{ block \"b\" . }}{{ .Name }}{{ end }}",
    "{{ $d := dict \"a\" 1 \"b\" (list 1 2 3) }}{{ range untilStep 0 40 1 }}{{ $_ := set $d (print .) . }}{{ end }}{{ $d }}"
    "{{ merge (dict \"q\" 1) $d | toJson | sha256sum }}{{ keys $d | sortAlpha | join \"-\" | b64enc }}",
    "{{ repeat 2000 \"abc\" | replace \"b\" \"xyz\" | wrap 40 | len }} {{ splitList \"\" .Payload | uniq | reverse }}",
    "{{ toDate \"2006-01-02\" \"2021-02-03\" | date \"Mon Jan _2 15:04:05 MST 2006\" }} {{ dateInZone \"15:04 MST\" 0 \"Asia/Tokyo\" }}"
    " {{ duration 3725 }} {{ (semver \"1.2.3-a+b\").IncMinor }} {{ semverCompare \"^1.2 || ~2\" \"1.5.0\" }} {{ semverCompare \"1.2 - 2.0\" \"1.5.0\" }}",
    "{{ regexFindAll \"[a-z]+\" .Payload -1 }} {{ regexReplaceAll \"(a)(.)\" .Payload \"$2$1\" }} {{ urlParse \"http://u:p@h:1/p?q#f\" }}",
    "{{ addf 0.1 0.2 | mulf 3 }} {{ divf 1 3 }} {{ round 1.005 2 }} {{ int64 \"42\" | add 1 }} {{ printf \"%#v %x\" (list 1 \"a\") \"z\" }}",
    "{{ regexMatch \"(\" \"x\" }}{{ fromJson \"{\" }}{{ toJson (fromJson \"[1,{\\\"b\\\":2}]\") }}{{ b64dec \"!\" }}{{ urlJoin (dict \"host\" \"h\") }}",
    "{{ snakecase \"HTTPServer fooBar\" | camelcase | title | swapcase | nospace }} {{ initials \"a b\" }} {{ abbrev 5 \"longer text\" }}",
    "{{ encryptAES \"key\" \"text\" | decryptAES \"key\" }} {{ uuidv4 | len }}",
    "{{ bcrypt \"x\" | len }}",
    "{{ derivePassword 1 \"long\" \"p\" \"u\" \"s\" }}",
    "{{ $c := genCAWithKey \"x\" 1 \"" ED25519 "\" }}{{ $c.Key }}{{ $s := genSignedCertWithKey \"y\" (list \"1.2.3.4\") (list \"a.b\") 1 $c $c.Key }}{{ $s.Key }}"
    "{{ (buildCustomCert (b64enc $c.Cert) (b64enc $c.Key)).Key }}",
    "{{ $c := genSelfSignedCertWithKey \"x\" nil nil 1 \"" RSA "\" }}{{ $c.Key }}{{ (buildCustomCert (b64enc $c.Cert) (b64enc $c.Key)).Cert | len }}",
};

static bool fixed_random(void *context, void *out, size_t n)
{
    (void) context;
    memset(out, 42, n);
    return true;
}

/* Has room for an error's text: another error than that of memory is not hidden by it. */
static void prepare_error(dsp_renderer *r)
{
    dsp_template_input in = { .text = DSP_STR("{{ repeat 200 \"x\" | fail }}"), .name = DSP_STR("string") };
    dsp_buf            out;

    dsp_buf_init(&out, 0);
    assert_false(dsp_render(r, &in, &out, NULL));
}

/* false: out of memory. Any other failure is the test's. */
static bool render(const char *text, bool prepared, dsp_buf *out)
{
    static const dsp_template_options options = { .limits = { .time_ms = PATIENT_MS }, .host = { .random = fixed_random, .local_zone = "UTC" } };
    dsp_template_input                in = {
        .text = dsp_str_from(text), .name = DSP_STR("string"), .data_name = DSP_STR("job"), .payload = dsp_str_from(payload),
    };
    dsp_template_error error = { 0 };
    dsp_renderer      *r;
    bool               ok;
    long               budget = until_failure;

    until_failure = prepared ? -1 : budget;
    r = dsp_renderer_new(&options);
    if (r == NULL) {
        return false;
    }
    if (prepared) {
        prepare_error(r);
        until_failure = budget;
    }
    ok = dsp_render(r, &in, out, &error);
    budget = until_failure;
    until_failure = -1;
    if (!ok && error.kind != DSP_TEMPLATE_MEMORY) {
        fail_msg("%s: kind %d: %.*s", text, (int) error.kind, DSP_STR_ARG(error.message));
    }
    if (!ok) {
        assert_int_equal(out->len, 0);
        assert_true(dsp_render(r, &in, out, &error)); /* the same renderer works when there is memory again */
        dsp_buf_reset(out);
    }
    dsp_renderer_free(r);
    until_failure = budget;
    return ok;
}

/* How many allocations a rendering makes, when nothing is new to libcrypto. */
static long count_allocations(const char *text, bool prepared, dsp_buf *out)
{
    const long plenty = 1L << 40;

    for (int i = 0; i < 2; i++) {
        dsp_buf_free(out);
        dsp_buf_init(out, 1 << 20);
        until_failure = plenty;
        assert_true(render(text, prepared, out));
    }
    long n = plenty - until_failure;
    until_failure = -1;
    return n;
}

static void fail_at(const char *text, bool prepared, long n, const char *want)
{
    dsp_buf got;
    bool    ok;

    dsp_buf_init(&got, 1 << 20);
    until_failure = n;
    ok = render(text, prepared, &got);
    until_failure = -1;
    if (ok) { /* it did without */
        assert_str(dsp_buf_str(&got), want);
    }
    dsp_buf_free(&got);
}

/* At most so many tries for each text, evenly over its allocations; fewer where each one takes a tenth of a second. */
static void fail_each(long most)
{
    for (size_t i = 0; i < 2 * sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = texts[i / 2];
        bool        prepared = i % 2 != 0;
        long        tries = strstr(text, "derivePassword") != NULL ? 1 + most / 20 : most;
        dsp_buf     want;

        dsp_buf_init(&want, 1 << 20);
        long count = count_allocations(text, prepared, &want), step = 1 + count / tries;
        assert_true(count > 0);
        for (long n = prepared ? step / 2 : 0; n < count; n += step) {
            fail_at(text, prepared, n, dsp_buf_cstr(&want));
        }
        dsp_buf_free(&want);
    }
}

static void every_allocation(void **state)
{
    (void) state;
    crypto_too = false;
    fail_each(1 << 20);
}

static void allocations_of_libcrypto(void **state)
{
    (void) state;
    crypto_too = true;
    fail_each(getenv("DSP_EVERY_ALLOCATION") != NULL ? 1 << 20 : 200);
    crypto_too = false;
}

/* One after the other in one renderer: what one took, the next does not find gone. */
static void memory_is_bounded_and_given_back(void **state)
{
    static const char *const hostile[] = {
        "{{ repeat 7000000 \"x\" | len }}",
        "{{ fail (repeat 7000000 \"x\") }}",
        "{{ html (list (list (repeat 2500000 \"<\"))) }}",
        "{{ join \"\" (list (list (repeat 2000000 \"x\")) (list (repeat 2000000 \"y\"))) }}",
        "{{ $s := \"x\" }}{{ range until 100 }}{{ $s = print $s $s }}{{ end }}",
        "{{ $l := list 1 }}{{ range until 100 }}{{ $l = concat $l $l }}{{ end }}",
        "{{ $d := dict }}{{ range until 1000000 }}{{ $_ := set $d (toString .) . }}{{ end }}",
    };
    static const dsp_template_options options = { .limits = { .arena_bytes = 8 << 20, .time_ms = PATIENT_MS } };
    const size_t  before = live, one_more = 8 << 20, kept = 3 << 20; /* a text, or the error's */
    dsp_renderer *r = dsp_renderer_new(&options);
    dsp_buf       out;

    (void) state;
    until_failure = -1;
    dsp_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        dsp_template_input in = { .text = dsp_str_from(hostile[i]), .name = DSP_STR("string") };

        peak = live;
        dsp_render(r, &in, &out, NULL);
        if (peak - before > options.limits.arena_bytes + one_more + kept) {
            fail_msg("%s takes %zu bytes", hostile[i], peak - before);
        }
        in.text = DSP_STR("{{ .Name }}");
        assert_true(dsp_render(r, &in, &out, NULL));
        if (live - before > kept) {
            fail_msg("%zu bytes stay of %s", live - before, hostile[i]);
        }
    }
    dsp_buf_free(&out);
    dsp_renderer_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation),
        cmocka_unit_test(allocations_of_libcrypto),
        cmocka_unit_test(memory_is_bounded_and_given_back),
    };

    /* Before its first allocation */
    if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free)) {
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
