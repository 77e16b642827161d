#include "fn_cert.h"

#include <errno.h>
#include <openssl/err.h>

#include "cert.h"
#include "fmt.h"
#include "fn_encoding.h"
#include "gotime.h"
#include "privkey.h"
#include "wrap.h"

#define SECONDS_PER_DAY INT64_C(86400)

enum { COST_KEY = 16, COST_LARGE_KEY = 32 };

/* --- errors ------------------------------------------------------------------------------------------------------- */

/* The error's text, for what reads or makes keys and certificates: it begins so. */
static dsp_buf *begin_text(gt_ctx *c, const char *before)
{
    dsp_buf *error = gt_fail_text(c);

    dsp_buf_addz(error, before);
    errno = 0;
    return error;
}

/* They have refused. Where OpenSSL or a buffer of ours had no memory, what they say of the key is not true. */
static bool refused(gt_ctx *c)
{
    bool no_memory = errno == ENOMEM;

    ERR_clear_error();
    return no_memory ? gt_fail_memory(c) : gt_failed(c);
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

static EVP_PKEY *generate(gt_ctx *c, enum gt_key_type type, unsigned cost)
{
    EVP_PKEY *key;

    if (!gt_charge_cost(c, cost)) {
        return NULL;
    }
    key = gt_key_generate(type);
    ERR_clear_error();
    if (key == NULL) {
        gt_fail_memory(c);
    }
    return key;
}

/* Without the key there is no text, not an empty one. */
static bool write_key(gt_ctx *c, EVP_PKEY *key, dsp_buf *b)
{
    bool ok = gt_key_to_pem(key, b);

    ERR_clear_error();
    return ok || (gt_text_ok(c, b) && gt_fail_memory(c));
}

GT_BODY(gt_fn_gen_private_key)
{
    static const struct {
        const char      *name;
        enum gt_key_type type;
        unsigned         cost;
    } types[] = {
        { "", GT_KEY_RSA_4096, COST_LARGE_KEY },    { "rsa", GT_KEY_RSA_4096, COST_LARGE_KEY },
        { "dsa", GT_KEY_DSA, COST_LARGE_KEY },      { "ecdsa", GT_KEY_ECDSA, COST_KEY },
        { "ed25519", GT_KEY_ED25519, COST_KEY },
    };
    dsp_buf  *b = gt_text_begin(c);
    EVP_PKEY *key = NULL;
    bool      ok;

    (void) n;
    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (dsp_str_is(args[0].s, types[i].name)) {
            key = generate(c, types[i].type, types[i].cost);
            if (key == NULL) {
                return false;
            }
        }
    }
    if (key == NULL) {
        dsp_buf_addz(b, "Unknown type ");
        dsp_buf_adds(b, args[0].s);
        return gt_text_give(c, b, out);
    }
    ok = write_key(c, key, b);
    EVP_PKEY_free(key);
    return ok && gt_text_give(c, b, out);
}

/* --- arguments of certificates ------------------------------------------------------------------------------------ */

/* "error parsing ip: 1 is not a string" */
static bool not_a_string(gt_ctx *c, const char *before, gt_value v)
{
    dsp_buf *b = gt_text_begin(c);
    dsp_str  text;
    dsp_buf *error;

    if (b == NULL || !gt_fmt_value(c, b, v) || !gt_text_end(c, b, &text)) {
        return false;
    }
    error = gt_fail_text(c);
    dsp_buf_addz(error, before);
    dsp_buf_adds(error, text);
    dsp_buf_addz(error, " is not a string");
    return gt_failed(c);
}

static bool take_ips(gt_ctx *c, const gt_list *list, gt_cert_request *r)
{
    gt_ipaddr *ips = gt_alloc_n(c, gt_list_len(list), sizeof(*ips));

    if (ips == NULL) {
        return false;
    }
    for (size_t i = 0; i < gt_list_len(list); i++) {
        gt_value v = list->items[i];

        if (v.type != GT_STRING) {
            return not_a_string(c, "error parsing ip: ", v);
        }
        if (!gt_ipaddr_parse(v.s, &ips[i], NULL) || ips[i].zone) {
            dsp_buf *error = gt_fail_text(c);

            dsp_buf_addz(error, "error parsing ip: ");
            dsp_buf_adds(error, v.s);
            return gt_failed(c);
        }
    }
    r->ips = ips;
    r->n_ips = gt_list_len(list);
    return true;
}

static bool take_dns(gt_ctx *c, const gt_list *list, gt_cert_request *r)
{
    dsp_str *dns = gt_alloc_n(c, gt_list_len(list), sizeof(*dns));

    if (dns == NULL) {
        return false;
    }
    for (size_t i = 0; i < gt_list_len(list); i++) {
        if (list->items[i].type != GT_STRING) {
            return not_a_string(c, "error processing alternate dns name: ", list->items[i]);
        }
        dns[i] = list->items[i].s;
    }
    r->dns = dns;
    r->n_dns = gt_list_len(list);
    return true;
}

static bool take_template(gt_ctx *c, dsp_str cn, const gt_list *ips, const gt_list *dns, int64_t days,
                          gt_cert_request *r)
{
    int64_t valid = gt_wrap_mul(gt_wrap_mul(days, SECONDS_PER_DAY), GT_NS_PER_SEC); /* a Duration: it wraps around */
    gt_time from = gt_time_unix(0, gt_now_ns(c), NULL), to = gt_time_add(from, valid);

    r->cn = cn;
    r->not_before = gt_time_unix_sec(&from);
    r->not_after = gt_time_unix_sec(&to);
    return take_ips(c, ips, r) && take_dns(c, dns, r) && gt_charge(c, r->n_ips + r->n_dns) &&
           gt_random(c, r->serial, sizeof(r->serial));
}

/* The certificate's own key: given as PEM, or a new one. */
static bool take_key(gt_ctx *c, dsp_str pem, gt_cert_request *r)
{
    if (c->fn->mode != GT_MODE_WITH_KEY) {
        r->key = generate(c, GT_KEY_RSA_2048, COST_KEY);
        return r->key != NULL;
    }
    if (!gt_charge_cost(c, COST_KEY) || !gt_charge_bytes(c, pem.len)) {
        return false;
    }
    r->key = gt_key_from_pem(pem, begin_text(c, "parsing private key: "));
    return r->key != NULL || refused(c);
}

static bool make(gt_ctx *c, const gt_cert_request *r, gt_value *out)
{
    struct gt_cert *cert = gt_alloc(c, sizeof(*cert));
    dsp_buf        *b = cert == NULL ? NULL : gt_text_begin(c);

    if (b == NULL) {
        return false;
    }
    if (!gt_cert_make(r, b, begin_text(c, ""))) {
        return refused(c);
    }
    if (!gt_text_end(c, b, &cert->cert)) {
        return false;
    }
    b = gt_text_begin(c);
    if (b == NULL || !write_key(c, r->key, b) || !gt_text_end(c, b, &cert->key)) {
        return false;
    }
    *out = (gt_value){ .type = GT_CERT, .cert = cert };
    return true;
}

static void free_request(gt_cert_request *r)
{
    EVP_PKEY_free(r->key);
    EVP_PKEY_free(r->parent_key);
    X509_free(r->parent);
    ERR_clear_error();
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

GT_BODY(gt_fn_gen_ca)
{
    gt_cert_request r = { .ca = true };
    bool            ok;

    (void) n;
    ok = take_key(c, args[2].s, &r) && take_template(c, args[0].s, NULL, NULL, args[1].i, &r) && make(c, &r, out);
    free_request(&r);
    return ok;
}

GT_BODY(gt_fn_gen_self_signed)
{
    gt_cert_request r = { .ca = false };
    bool            ok;

    (void) n;
    ok = take_key(c, args[4].s, &r) &&
         take_template(c, args[0].s, args[1].list, args[2].list, args[3].i, &r) && make(c, &r, out);
    free_request(&r);
    return ok;
}

static bool take_parent(gt_ctx *c, const struct gt_cert *ca, gt_cert_request *r)
{
    r->parent = gt_cert_from_pem(ca->cert, "decodedSignerCert", begin_text(c, ""));
    if (r->parent == NULL) {
        return refused(c);
    }
    r->parent_key = gt_key_from_pem(ca->key, begin_text(c, "error parsing private key: "));
    return r->parent_key != NULL || refused(c);
}

GT_BODY(gt_fn_gen_signed)
{
    gt_cert_request r = { .ca = false };
    bool            ok;

    (void) n;
    ok = take_key(c, args[5].s, &r) && take_parent(c, args[4].cert, &r) &&
         take_template(c, args[0].s, args[1].list, args[2].list, args[3].i, &r) && make(c, &r, out);
    free_request(&r);
    return ok;
}

/* Base 64 into the arena. */
static bool decode(gt_ctx *c, dsp_str coded, const char *why, dsp_str *out)
{
    dsp_buf *b = gt_text_begin(c);
    size_t   bad;

    if (b == NULL || !gt_charge_bytes(c, coded.len)) {
        return false;
    }
    if (!gt_base64_decode(b, coded, &bad)) {
        return gt_text_ok(c, b) && gt_fail(c, "%s", why);
    }
    return gt_text_end(c, b, out);
}

GT_BODY(gt_fn_build_custom_cert)
{
    struct gt_cert *cert = gt_alloc(c, sizeof(*cert));

    (void) n;
    if (cert == NULL || !decode(c, args[0].s, "unable to decode base64 certificate", &cert->cert) ||
        !decode(c, args[1].s, "unable to decode base64 private key", &cert->key)) {
        return false;
    }
    if (!gt_cert_check(cert->cert, "decodedCert", begin_text(c, "")) ||
        !gt_key_check(cert->key, begin_text(c, "error parsing private key: "))) {
        return refused(c);
    }
    ERR_clear_error();
    *out = (gt_value){ .type = GT_CERT, .cert = cert };
    return true;
}
