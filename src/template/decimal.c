#include "decimal.h"

#include <math.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>

#include "strconv.h"

/* Places after the point of a quotient. */
#define DIVISION_PRECISION 16

/* coefficient × 10^exponent; BIGNUMs live on the heap until drop(). */
struct decimal {
    BIGNUM *coefficient;
    int64_t exponent;
};

/* One chain at work. */
struct chain {
    gt_ctx        *c;
    BN_CTX        *bn;
    struct decimal value, operand;
    BIGNUM        *scratch, *remainder;
};

static bool from_float(struct chain *chain, double f, struct decimal *d)
{
    char   digits[18];
    int    point;
    size_t n;

    if (isnan(f) || isinf(f)) {
        return gt_fail(chain->c, "Cannot create a Decimal from %s", isnan(f) ? "NaN" : f < 0 ? "-Inf" : "+Inf");
    }
    n = gt_float_digits(f, digits, &point);
    if (n == 0) {
        digits[n++] = '0';
    }
    digits[n] = '\0';
    d->exponent = point - (int) n;
    if (f == 0) {
        d->exponent = 0;
    }
    if (BN_dec2bn(&d->coefficient, digits) == 0) {
        return gt_fail_memory(chain->c);
    }
    BN_set_negative(d->coefficient, f < 0);
    return true;
}

/* Work on numbers of so many bytes: one step for 64 bytes of schoolbook multiplication. */
static bool charge(struct chain *chain, const BIGNUM *a, const BIGNUM *b)
{
    uint64_t x = (uint64_t) BN_num_bytes(a) / 8 + 1, y = (uint64_t) BN_num_bytes(b) / 8 + 1;

    return gt_charge(chain->c, x * y / 64 + 1);
}

/* a × 10^n */
static bool scale(struct chain *chain, BIGNUM *a, int64_t n)
{
    BIGNUM *ten = chain->scratch, *power = chain->remainder;

    if (n == 0 || BN_is_zero(a)) {
        return true;
    }
    if (BN_set_word(ten, (BN_ULONG) n) == 0 || BN_copy(power, ten) == NULL || BN_set_word(ten, 10) == 0 ||
        BN_exp(power, ten, power, chain->bn) == 0) {
        return gt_fail_memory(chain->c);
    }
    if (!charge(chain, a, power)) {
        return false;
    }
    return BN_mul(a, a, power, chain->bn) != 0 || gt_fail_memory(chain->c);
}

/* Both to the smaller exponent. */
static bool align(struct chain *chain)
{
    struct decimal *a = &chain->value, *b = &chain->operand;
    struct decimal *larger = a->exponent > b->exponent ? a : b;
    int64_t         exponent = larger == a ? b->exponent : a->exponent;

    if (!scale(chain, larger->coefficient, larger->exponent - exponent)) {
        return false;
    }
    a->exponent = b->exponent = exponent;
    return true;
}

/* The quotient cut to 16 places, and one more in the last place where the rest is half or over. */
static bool divide(struct chain *chain)
{
    struct decimal *a = &chain->value, *b = &chain->operand;
    int64_t         shift = a->exponent - b->exponent + DIVISION_PRECISION;
    bool            negative;

    if (BN_is_zero(b->coefficient)) {
        return gt_fail(chain->c, "decimal division by 0");
    }
    negative = !BN_is_zero(a->coefficient) && BN_is_negative(a->coefficient) != BN_is_negative(b->coefficient);
    if (!scale(chain, shift < 0 ? b->coefficient : a->coefficient, shift < 0 ? -shift : shift) ||
        !charge(chain, a->coefficient, b->coefficient)) {
        return false;
    }
    if (BN_div(chain->scratch, chain->remainder, a->coefficient, b->coefficient, chain->bn) == 0 ||
        BN_copy(a->coefficient, chain->scratch) == NULL || BN_lshift1(chain->remainder, chain->remainder) == 0) {
        return gt_fail_memory(chain->c);
    }
    a->exponent = -DIVISION_PRECISION;
    if (BN_ucmp(chain->remainder, b->coefficient) < 0) {
        return true;
    }
    return (negative ? BN_sub_word(a->coefficient, 1) : BN_add_word(a->coefficient, 1)) != 0 ||
           gt_fail_memory(chain->c);
}

static bool step(struct chain *chain, enum gt_decimal_op op)
{
    BIGNUM *a = chain->value.coefficient, *b = chain->operand.coefficient;

    switch (op) {
    case GT_DECIMAL_ADD:
        return align(chain) && (BN_add(a, a, b) != 0 || gt_fail_memory(chain->c));
    case GT_DECIMAL_SUB:
        return align(chain) && (BN_sub(a, a, b) != 0 || gt_fail_memory(chain->c));
    case GT_DECIMAL_MUL:
        chain->value.exponent += chain->operand.exponent;
        return charge(chain, a, b) && (BN_mul(a, a, b, chain->bn) != 0 || gt_fail_memory(chain->c));
    default:
        return divide(chain);
    }
}

/* The nearest float; too large is infinite. */
static bool to_float(struct chain *chain, double *out)
{
    dsp_buf *b;
    dsp_str  text;
    char    *digits;

    if (BN_is_zero(chain->value.coefficient)) {
        *out = 0;
        return true;
    }
    if (!charge(chain, chain->value.coefficient, chain->value.coefficient) || (b = gt_text_begin(chain->c)) == NULL) {
        return false;
    }
    digits = BN_bn2dec(chain->value.coefficient);
    if (digits == NULL) {
        return gt_fail_memory(chain->c);
    }
    dsp_buf_addf(b, "%se%lld", digits, (long long) chain->value.exponent);
    OPENSSL_free(digits);
    if (!gt_text_end(chain->c, b, &text)) {
        return false;
    }
    gt_parse_float(text, out);
    return true;
}

static bool run(struct chain *chain, enum gt_decimal_op op, double first, const double *rest, size_t n, double *out)
{
    if (chain->bn == NULL || chain->scratch == NULL || chain->remainder == NULL) {
        return gt_fail_memory(chain->c);
    }
    if (!from_float(chain, first, &chain->value)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!gt_charge(chain->c, 1) || !from_float(chain, rest[i], &chain->operand) || !step(chain, op)) {
            return false;
        }
    }
    return to_float(chain, out);
}

bool gt_decimal_chain(gt_ctx *c, enum gt_decimal_op op, double first, const double *rest, size_t n, double *out)
{
    struct chain chain = { .c = c, .bn = BN_CTX_new(), .scratch = BN_new(), .remainder = BN_new() };
    bool         good = run(&chain, op, first, rest, n, out);

    BN_free(chain.value.coefficient);
    BN_free(chain.operand.coefficient);
    BN_free(chain.scratch);
    BN_free(chain.remainder);
    BN_CTX_free(chain.bn);
    return good;
}
