/*
 * Keys, certificates and passwords, which differ from call to call: OpenSSL and crypt(3) say whether they are right.
 */
#include "unit.h"

#include <crypt.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "template/template.h"

#define NOW INT64_C(1600000000)

static int64_t fixed_now(void *context)
{
    (void) context;
    return NOW * 1000000000;
}

/* Random bytes that are the same in each run: the state is the context. */
static bool fixed_random(void *context, void *out, size_t n)
{
    uint64_t *state = context;

    for (size_t i = 0; i < n; i++) {
        *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
        ((unsigned char *) out)[i] = (unsigned char) (*state >> 56);
    }
    return true;
}

static bool no_random(void *context, void *out, size_t n)
{
    (void) context;
    (void) out;
    (void) n;
    return false;
}

static char *render_with(bool (*random)(void *, void *, size_t), uint64_t seed, unsigned cost, const char *text)
{
    dsp_template_options options = { .host = { .context = &seed, .now_ns = fixed_now, .random = random } };
    dsp_template_input   in = { .text = dsp_str_from(text), .name = DSP_STR("string"), .payload = DSP_STR("p") };
    dsp_template_error   error = { 0 };
    dsp_renderer        *r;
    dsp_buf              out;
    char                *result;

    options.limits.cost = cost;
    r = dsp_renderer_new(&options);
    assert_non_null(r);
    dsp_buf_init(&out, 1 << 20);
    result = dsp_str_dup(dsp_render(r, &in, &out, &error) ? dsp_buf_str(&out) : error.message);
    dsp_buf_free(&out);
    dsp_renderer_free(r);
    assert_non_null(result);
    return result;
}

static char *render(const char *text)
{
    return render_with(fixed_random, 1, 200, text);
}

/* --- randomness --------------------------------------------------------------------------------------------------- */

static void randomness_is_the_callers(void **state)
{
    static const char text[] = "{{ uuidv4 }} {{ randAlphaNum 9 }} {{ randAscii 9 }} {{ randBytes 9 }} {{ randInt 0 "
                               "1000000 }} {{ shuffle \"abcdefghij\" }} "
                               "{{ encryptAES \"k\" \"text\" }} {{ bcrypt \"p\" }}";
    char *a = render(text), *b = render(text), *c = render_with(fixed_random, 2, 200, text);

    (void) state;
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_int_equal(a[14], '4'); /* version and variant of the UUID */
    assert_non_null(strchr("89ab", a[19]));
    free(a);
    free(b);
    free(c);
    a = render_with(no_random, 1, 200, "{{ uuidv4 }}");
    assert_non_null(strstr(a, "error calling uuidv4: no random bytes to be had"));
    free(a);
}

static void every_character_comes(void **state)
{
    char *text = render("{{ randNumeric 2000 }}{{ randAscii 20000 }}");
    bool  seen[256] = { false };

    (void) state;
    for (size_t i = 0; text[i] != '\0'; i++) {
        assert_in_range(text[i], i < 2000 ? '0' : ' ', i < 2000 ? '9' : '~');
        seen[(unsigned char) text[i]] = true;
    }
    for (int ch = ' '; ch <= '~'; ch++) {
        assert_true(seen[ch]);
    }
    free(text);
}

/* --- passwords ---------------------------------------------------------------------------------------------------- */

static void hashes_verify(void **state)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    char *hash = render("{{ bcrypt \"p\xC3\xA4ss\" }}"), *entry = render("{{ htpasswd \"u\" \"secret\" }}");

    (void) state;
    assert_int_equal(strncmp(hash, "$2a$10$", 7), 0);
    assert_string_equal(crypt_r("p\xC3\xA4ss", hash, data), hash);
    assert_int_equal(strncmp(entry, "u:", 2), 0);
    assert_string_equal(crypt_r("secret", entry + 2, data), entry + 2);
    free(data);
    free(hash);
    free(entry);
}

static void costs_are_counted(void **state)
{
    char *text =
        render_with(fixed_random, 1, 8, "{{ bcrypt \"a\" | len }} {{ bcrypt \"a\" | len }} {{ bcrypt \"a\" | len }}");

    (void) state;
    assert_non_null(strstr(text, "limit of 8 units"));
    free(text);
    text = render_with(fixed_random, 1, 15, "{{ genCA \"x\" 1 }}");
    assert_non_null(strstr(text, "limit of 15 units"));
    free(text);
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

static EVP_PKEY *read_key(const char *pem)
{
    BIO      *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    return key;
}

static void private_keys(void **state)
{
    static const struct {
        const char *template, *head;
        int         id, bits;
    } cases[] = {
        { "{{ genPrivateKey \"ecdsa\" }}", "-----BEGIN EC PRIVATE KEY-----\n", EVP_PKEY_EC, 256 },
        { "{{ genPrivateKey \"ed25519\" }}", "-----BEGIN PRIVATE KEY-----\n", EVP_PKEY_ED25519, 256 },
        { "{{ genPrivateKey \"rsa\" }}", "-----BEGIN RSA PRIVATE KEY-----\n", EVP_PKEY_RSA, 4096 },
        { "{{ genPrivateKey \"dsa\" }}", "-----BEGIN DSA PRIVATE KEY-----\n", EVP_PKEY_DSA, 2048 },
        { "{{ (genCA \"x\" 1).Key }}", "-----BEGIN RSA PRIVATE KEY-----\n", EVP_PKEY_RSA, 2048 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char     *pem = render(cases[i].template);
        EVP_PKEY *key = read_key(pem);

        assert_non_null(key);
        assert_int_equal(strncmp(pem, cases[i].head, strlen(cases[i].head)), 0);
        assert_int_equal(EVP_PKEY_get_base_id(key), cases[i].id);
        assert_in_range(EVP_PKEY_get_bits(key), cases[i].bits - 4, cases[i].bits);
        EVP_PKEY_free(key);
        free(pem);
    }
}

/* --- certificates ------------------------------------------------------------------------------------------------- */

/* The PEM blocks of a text that was rendered, certificates and keys in their order. */
struct chain {
    X509     *certs[2];
    EVP_PKEY *key; /* of the first */
};

static struct chain read_chain(const char *text)
{
    struct chain ch = { .key = NULL };
    BIO         *bio = BIO_new_mem_buf(text, -1);

    ch.certs[0] = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ch.key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ch.certs[1] = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(ch.certs[0]);
    assert_non_null(ch.key);
    return ch;
}

static void free_chain(struct chain *ch)
{
    X509_free(ch->certs[0]);
    X509_free(ch->certs[1]);
    EVP_PKEY_free(ch->key);
}

static int verify(X509 *cert, X509 *root, const char *host)
{
    X509_STORE     *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int             error;

    X509_STORE_add_cert(store, root);
    X509_STORE_CTX_init(ctx, store, cert, NULL);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t) NOW + 60);
    X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(ctx), X509_PURPOSE_SSL_SERVER);
    if (host != NULL) {
        X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(ctx), host, 0);
    }
    X509_verify_cert(ctx);
    error = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return error;
}

static int64_t unix_time(const ASN1_TIME *t)
{
    struct tm tm;

    assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
    return timegm(&tm);
}

static void a_signed_certificate(void **state)
{
    char *text = render("{{ $ca := genCA \"My CA\" 10 }}{{ $c := genSignedCert \"me\" (list \"10.0.0.1\" "
                        "\"::ffff:10.0.0.2\" \"fe80::1\") "
                        "(list \"a.example\" \"b.example\") 7 $ca }}{{ $c.Cert }}{{ $c.Key }}{{ $ca.Cert }}");
    struct chain ch = read_chain(text);
    X509        *c = ch.certs[0], *ca = ch.certs[1];

    (void) state;
    assert_int_equal(verify(c, ca, "b.example"), X509_V_OK);
    assert_int_equal(verify(c, ca, "c.example"), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(X509_check_private_key(c, ch.key), 1);
    assert_int_equal(X509_check_ip_asc(c, "10.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(c, "10.0.0.2", 0), 1); /* mapped: four bytes, as Go writes it */
    assert_int_equal(X509_check_ip_asc(c, "fe80::1", 0), 1);
    assert_int_equal(X509_check_ca(c), 0);
    assert_int_equal(X509_check_ca(ca), 1);
    assert_int_equal(X509_get_version(c), X509_VERSION_3);
    assert_true(unix_time(X509_get0_notBefore(c)) == NOW);
    assert_true(unix_time(X509_get0_notAfter(c)) == NOW + 7 * 86400);
    assert_int_equal(X509_get_key_usage(c), X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_key_usage(ca),
                     X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_KEY_ENCIPHERMENT | X509v3_KU_KEY_CERT_SIGN);
    assert_int_equal(X509_get_extended_key_usage(c), XKU_SSL_SERVER | XKU_SSL_CLIENT);
    assert_null(X509_get0_subject_key_id(c));
    assert_int_equal(ASN1_STRING_length(X509_get0_subject_key_id(ca)), 20);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(c), X509_get0_subject_key_id(ca)), 0);
    free_chain(&ch);
    free(text);
}

static void keys_of_other_kinds(void **state)
{
    static const char *const kinds[] = { "ecdsa", "ed25519" };

    (void) state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char         template[256];
        char        *text;
        struct chain ch;

        snprintf(template, sizeof(template),
                 "{{ $c := genSelfSignedCertWithKey \"x\" nil (list \"h\") 1 (genPrivateKey \"%s\") }}{{ $c.Cert }}{{ "
                 "$c.Key }}",
                 kinds[i]);
        text = render(template);
        ch = read_chain(text);
        assert_int_equal(X509_verify(ch.certs[0], ch.key), 1);
        assert_int_equal(X509_check_private_key(ch.certs[0], ch.key), 1);
        free_chain(&ch);
        free(text);
    }
}

/* To check it would take minutes, and nothing could end them. */
static void a_huge_rsa_key_is_refused(void **state)
{
    char *text = render("{{ $der := print \"\\x30\\x82\\x10\\x15\\x02\\x01\\x00\\x02\\x82\\x10\\x00\" (repeat 4096 \"\\x7f\") "
                        "\"\\x02\\x03\\x01\\x00\\x01\\x02\\x01\\x01\\x02\\x01\\x03\\x02\\x01\\x05\" }}"
                        "{{ genCAWithKey \"x\" 1 (printf \"-----BEGIN RSA PRIVATE KEY-----\\n%s\\n-----END RSA PRIVATE KEY-----\\n\" (b64enc $der)) }}");

    (void) state;
    assert_non_null(strstr(text, "parsing RSA private key from PEM: RSA keys of more than 16384 bits are not supported"));
    free(text);
}

static void what_does_not_fit_is_refused(void **state)
{
    char *text = render(
        "{{ $a := genCA \"a\" 1 }}{{ $b := genCA \"b\" 1 }}{{ $m := buildCustomCert (b64enc $a.Cert) (b64enc $b.Key) }}"
        "{{ genSignedCert \"x\" nil nil 1 $m }}");

    (void) state;
    assert_non_null(strstr(text, "error calling genSignedCert: error creating certificate: x509: provided PrivateKey "
                                 "doesn't match parent's PublicKey"));
    free(text);
    text = render("{{ genSelfSignedCert \"x\" nil (list \"\xC3\xA9\") 1 }}");
    assert_non_null(strstr(text, "error creating certificate: x509: \"\xC3\xA9\" cannot be encoded as an IA5String"));
    free(text);
    text = render("{{ genSelfSignedCert \"\" nil (list \"h\") 1 | len }}");
    assert_non_null(strstr(text, "len of type sprig.certificate"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(randomness_is_the_callers), cmocka_unit_test(every_character_comes),
        cmocka_unit_test(hashes_verify),             cmocka_unit_test(costs_are_counted),
        cmocka_unit_test(private_keys),              cmocka_unit_test(a_signed_certificate),
        cmocka_unit_test(keys_of_other_kinds),       cmocka_unit_test(a_huge_rsa_key_is_refused), cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
