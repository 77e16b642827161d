#include "fn_builtin.h"
#include "fn_cert.h"
#include "fn_crypto.h"
#include "fn_date.h"
#include "fn_dict.h"
#include "fn_encoding.h"
#include "fn_flow.h"
#include "fn_json.h"
#include "fn_list.h"
#include "fn_math.h"
#include "fn_os.h"
#include "fn_random.h"
#include "fn_regex.h"
#include "fn_semver.h"
#include "fn_string.h"
#include "fn_string_list.h"
#include "fn_url.h"

#define VAR     GT_F_VARIADIC
#define BUILTIN GT_F_BUILTIN

/*
 * Every name that a template can call, sorted bytewise.
 *
 *  name, body, mode, parameters, flags, result, steps, cost
 */
const gt_function gt_functions[] = {
    { "abbrev", gt_fn_abbrev, 0, GT_PARAMS(GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "abbrevboth", gt_fn_abbrevboth, 0, GT_PARAMS(GT_INT, GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "add", gt_fn_add, 0, GT_PARAMS(GT_ANY), VAR, GT_INT64, 1, 0 },
    { "add1", gt_fn_add1, 0, GT_PARAMS(GT_ANY), 0, GT_INT64, 1, 0 },
    { "add1f", gt_fn_add1f, 0, GT_PARAMS(GT_ANY), 0, GT_FLOAT64, 1, 0 },
    { "addf", gt_fn_addf, 0, GT_PARAMS(GT_ANY), VAR, GT_FLOAT64, 1, 0 },
    { "adler32sum", gt_fn_adler32sum, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "ago", gt_fn_ago, 0, GT_PARAMS(GT_ANY), GT_F_CLOCK, GT_STRING, 1, 0 },
    { "all", gt_fn_all, 0, GT_PARAMS(GT_ANY), VAR, GT_BOOL, 1, 0 },
    { "and", NULL, 0, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR | GT_F_AND_OR, GT_VALUE, 1, 0 },
    { "any", gt_fn_any, 0, GT_PARAMS(GT_ANY), VAR, GT_BOOL, 1, 0 },
    { "append", gt_fn_append, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "atoi", gt_fn_atoi, 0, GT_PARAMS(GT_STRING), 0, GT_INT, 1, 0 },
    { "b32dec", gt_fn_b32dec, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "b32enc", gt_fn_b32enc, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "b64dec", gt_fn_b64dec, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "b64enc", gt_fn_b64enc, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "base", gt_fn_base, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "bcrypt", gt_fn_bcrypt, 0, GT_PARAMS(GT_STRING), GT_F_RANDOM, GT_STRING, 1, 4 },
    { "biggest", gt_fn_max, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_INT64, 1, 0 },
    { "buildCustomCert", gt_fn_build_custom_cert, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_CERT, 1, 1 },
    { "call", NULL, 0, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR | GT_F_CALL, GT_VALUE, 1, 0 },
    { "camelcase", gt_fn_camelcase, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "cat", gt_fn_cat, 0, GT_PARAMS(GT_ANY), VAR, GT_STRING, 1, 0 },
    { "ceil", gt_fn_ceil, 0, GT_PARAMS(GT_ANY), 0, GT_FLOAT64, 1, 0 },
    { "chunk", gt_fn_chunk, 0, GT_PARAMS(GT_INT, GT_ANY), 0, GT_LIST_LIST, 1, 0 },
    { "clean", gt_fn_clean, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "coalesce", gt_fn_coalesce, 0, GT_PARAMS(GT_ANY), VAR, GT_ANY, 1, 0 },
    { "compact", gt_fn_compact, 0, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "concat", gt_fn_concat, 0, GT_PARAMS(GT_ANY), VAR, GT_ANY, 1, 0 },
    { "contains", gt_fn_contains, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_BOOL, 1, 0 },
    { "date", gt_fn_date, 0, GT_PARAMS(GT_STRING, GT_ANY), GT_F_CLOCK, GT_STRING, 1, 0 },
    { "dateInZone", gt_fn_date, GT_MODE_ZONE, GT_PARAMS(GT_STRING, GT_ANY, GT_STRING), GT_F_CLOCK, GT_STRING, 1, 0 },
    { "dateModify", gt_fn_date_modify, 0, GT_PARAMS(GT_STRING, GT_TIME), 0, GT_TIME, 1, 0 },
    { "date_in_zone", gt_fn_date, GT_MODE_ZONE, GT_PARAMS(GT_STRING, GT_ANY, GT_STRING), GT_F_CLOCK, GT_STRING, 1, 0 },
    { "date_modify", gt_fn_date_modify, 0, GT_PARAMS(GT_STRING, GT_TIME), 0, GT_TIME, 1, 0 },
    { "decryptAES", gt_fn_decrypt_aes, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "deepCopy", gt_fn_deep_copy, 0, GT_PARAMS(GT_ANY), 0, GT_ANY, 1, 0 },
    { "deepEqual", gt_fn_deep_equal, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_BOOL, 1, 0 },
    { "default", gt_fn_default, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_ANY, 1, 0 },
    { "derivePassword", gt_fn_derive_password, 0, GT_PARAMS(GT_UINT32, GT_STRING, GT_STRING, GT_STRING, GT_STRING),
      0, GT_STRING, 1, 4 },
    { "dict", gt_fn_dict, 0, GT_PARAMS(GT_ANY), VAR, GT_MAP_ANY, 1, 0 },
    { "dig", gt_fn_dig, 0, GT_PARAMS(GT_ANY), VAR, GT_ANY, 1, 0 },
    { "dir", gt_fn_dir, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "div", gt_fn_div, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_INT64, 1, 0 },
    { "divf", gt_fn_divf, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_FLOAT64, 1, 0 },
    { "duration", gt_fn_duration, 0, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "durationRound", gt_fn_duration_round, 0, GT_PARAMS(GT_ANY), GT_F_CLOCK, GT_STRING, 1, 0 },
    { "empty", gt_fn_empty, 0, GT_PARAMS(GT_ANY), 0, GT_BOOL, 1, 0 },
    { "encryptAES", gt_fn_encrypt_aes, 0, GT_PARAMS(GT_STRING, GT_STRING), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "env", gt_fn_env, 0, GT_PARAMS(GT_STRING), GT_F_ENV, GT_STRING, 1, 0 },
    { "eq", gt_fn_compare, GT_EQ, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR, GT_BOOL, 1, 0 },
    { "expandenv", gt_fn_expandenv, 0, GT_PARAMS(GT_STRING), GT_F_ENV, GT_STRING, 1, 0 },
    { "ext", gt_fn_ext, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "fail", gt_fn_fail, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "first", gt_fn_first, 0, GT_PARAMS(GT_ANY), 0, GT_ANY, 1, 0 },
    { "float64", gt_fn_float64, 0, GT_PARAMS(GT_ANY), 0, GT_FLOAT64, 1, 0 },
    { "floor", gt_fn_floor, 0, GT_PARAMS(GT_ANY), 0, GT_FLOAT64, 1, 0 },
    { "fromJson", gt_fn_from_json, 0, GT_PARAMS(GT_STRING), 0, GT_ANY, 1, 0 },
    { "ge", gt_fn_compare, GT_GE, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "genCA", gt_fn_gen_ca, 0, GT_PARAMS(GT_STRING, GT_INT), GT_F_RANDOM | GT_F_CLOCK, GT_CERT, 1, 0 },
    { "genCAWithKey", gt_fn_gen_ca, GT_MODE_WITH_KEY, GT_PARAMS(GT_STRING, GT_INT, GT_STRING),
      GT_F_RANDOM | GT_F_CLOCK, GT_CERT, 1, 0 },
    { "genPrivateKey", gt_fn_gen_private_key, 0, GT_PARAMS(GT_STRING), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "genSelfSignedCert", gt_fn_gen_self_signed, 0, GT_PARAMS(GT_STRING, GT_LIST_ANY, GT_LIST_ANY, GT_INT),
      GT_F_RANDOM | GT_F_CLOCK, GT_CERT, 1, 0 },
    { "genSelfSignedCertWithKey", gt_fn_gen_self_signed, GT_MODE_WITH_KEY, GT_PARAMS(GT_STRING, GT_LIST_ANY, GT_LIST_ANY, GT_INT, GT_STRING),
      GT_F_RANDOM | GT_F_CLOCK, GT_CERT, 1, 0 },
    { "genSignedCert", gt_fn_gen_signed, 0, GT_PARAMS(GT_STRING, GT_LIST_ANY, GT_LIST_ANY, GT_INT, GT_CERT),
      GT_F_RANDOM | GT_F_CLOCK, GT_CERT, 1, 0 },
    { "genSignedCertWithKey", gt_fn_gen_signed, GT_MODE_WITH_KEY, GT_PARAMS(GT_STRING, GT_LIST_ANY, GT_LIST_ANY, GT_INT, GT_CERT, GT_STRING),
      GT_F_RANDOM | GT_F_CLOCK, GT_CERT, 1, 0 },
    { "get", gt_fn_get, 0, GT_PARAMS(GT_MAP_ANY, GT_STRING), 0, GT_ANY, 1, 0 },
    { "getHostByName", gt_fn_get_host_by_name, 0, GT_PARAMS(GT_STRING), GT_F_NET | GT_F_RANDOM, GT_STRING, 1, 0 },
    { "gt", gt_fn_compare, GT_GT, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "has", gt_fn_has, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_BOOL, 1, 0 },
    { "hasKey", gt_fn_has_key, 0, GT_PARAMS(GT_MAP_ANY, GT_STRING), 0, GT_BOOL, 1, 0 },
    { "hasPrefix", gt_fn_has_prefix, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_BOOL, 1, 0 },
    { "hasSuffix", gt_fn_has_suffix, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_BOOL, 1, 0 },
    { "hello", gt_fn_hello, 0, GT_NO_PARAMS, 0, GT_STRING, 1, 0 },
    { "html", gt_fn_html, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "htmlDate", gt_fn_html_date, 0, GT_PARAMS(GT_ANY), GT_F_CLOCK, GT_STRING, 1, 0 },
    { "htmlDateInZone", gt_fn_html_date, GT_MODE_ZONE, GT_PARAMS(GT_ANY, GT_STRING), GT_F_CLOCK, GT_STRING, 1, 0 },
    { "htpasswd", gt_fn_htpasswd, 0, GT_PARAMS(GT_STRING, GT_STRING), GT_F_RANDOM, GT_STRING, 1, 4 },
    { "indent", gt_fn_indent, 0, GT_PARAMS(GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "index", gt_fn_index, 0, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR, GT_VALUE, 1, 0 },
    { "initial", gt_fn_initial, 0, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "initials", gt_fn_initials, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "int", gt_fn_int, 0, GT_PARAMS(GT_ANY), 0, GT_INT, 1, 0 },
    { "int64", gt_fn_int64, 0, GT_PARAMS(GT_ANY), 0, GT_INT64, 1, 0 },
    { "isAbs", gt_fn_is_abs, 0, GT_PARAMS(GT_STRING), 0, GT_BOOL, 1, 0 },
    { "join", gt_fn_join, 0, GT_PARAMS(GT_STRING, GT_ANY), 0, GT_STRING, 1, 0 },
    { "js", gt_fn_js, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "kebabcase", gt_fn_snakecase, GT_MODE_KEBAB, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "keys", gt_fn_keys, 0, GT_PARAMS(GT_MAP_ANY), VAR, GT_LIST_STRING, 1, 0 },
    { "kindIs", gt_fn_kind_is, 0, GT_PARAMS(GT_STRING, GT_ANY), 0, GT_BOOL, 1, 0 },
    { "kindOf", gt_fn_kind_of, 0, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "last", gt_fn_last, 0, GT_PARAMS(GT_ANY), 0, GT_ANY, 1, 0 },
    { "le", gt_fn_compare, GT_LE, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "len", gt_fn_len, 0, GT_PARAMS(GT_VALUE), BUILTIN, GT_INT, 1, 0 },
    { "list", gt_fn_list, 0, GT_PARAMS(GT_ANY), VAR, GT_LIST_ANY, 1, 0 },
    { "lower", gt_fn_lower, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "lt", gt_fn_compare, GT_LT, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "max", gt_fn_max, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_INT64, 1, 0 },
    { "maxf", gt_fn_maxf, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_FLOAT64, 1, 0 },
    { "merge", gt_fn_merge, 0, GT_PARAMS(GT_MAP_ANY, GT_MAP_ANY), VAR, GT_ANY, 1, 0 },
    { "mergeOverwrite", gt_fn_merge, GT_MODE_OVERWRITE, GT_PARAMS(GT_MAP_ANY, GT_MAP_ANY), VAR, GT_ANY, 1, 0 },
    { "min", gt_fn_min, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_INT64, 1, 0 },
    { "minf", gt_fn_minf, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_FLOAT64, 1, 0 },
    { "mod", gt_fn_mod, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_INT64, 1, 0 },
    { "mul", gt_fn_mul, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_INT64, 1, 0 },
    { "mulf", gt_fn_mulf, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_FLOAT64, 1, 0 },
    { "mustAppend", gt_fn_append, GT_MODE_MUST, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustChunk", gt_fn_chunk, GT_MODE_MUST, GT_PARAMS(GT_INT, GT_ANY), 0, GT_LIST_LIST, 1, 0 },
    { "mustCompact", gt_fn_compact, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustDateModify", gt_fn_date_modify, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_TIME), 0, GT_TIME, 1, 0 },
    { "mustDeepCopy", gt_fn_deep_copy, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_ANY, 1, 0 },
    { "mustFirst", gt_fn_first, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_ANY, 1, 0 },
    { "mustFromJson", gt_fn_from_json, GT_MODE_MUST, GT_PARAMS(GT_STRING), 0, GT_ANY, 1, 0 },
    { "mustHas", gt_fn_has, GT_MODE_MUST, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_BOOL, 1, 0 },
    { "mustInitial", gt_fn_initial, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustLast", gt_fn_last, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_ANY, 1, 0 },
    { "mustMerge", gt_fn_merge, GT_MODE_MUST, GT_PARAMS(GT_MAP_ANY, GT_MAP_ANY), VAR, GT_ANY, 1, 0 },
    { "mustMergeOverwrite", gt_fn_merge, GT_MODE_OVERWRITE | GT_MODE_MUST, GT_PARAMS(GT_MAP_ANY, GT_MAP_ANY), VAR,
      GT_ANY, 1, 0 },
    { "mustPrepend", gt_fn_prepend, GT_MODE_MUST, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustPush", gt_fn_append, GT_MODE_MUST, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustRegexFind", gt_fn_regex_find, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "mustRegexFindAll", gt_fn_regex_find_all, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_STRING, GT_INT),
      0, GT_LIST_STRING, 1, 0 },
    { "mustRegexMatch", gt_fn_regex_match, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_BOOL, 1, 0 },
    { "mustRegexReplaceAll", gt_fn_regex_replace_all, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_STRING, GT_STRING),
      0, GT_STRING, 1, 0 },
    { "mustRegexReplaceAllLiteral", gt_fn_regex_replace_all_literal, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_STRING, GT_STRING),
      0, GT_STRING, 1, 0 },
    { "mustRegexSplit", gt_fn_regex_split, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_STRING, GT_INT),
      0, GT_LIST_STRING, 1, 0 },
    { "mustRest", gt_fn_rest, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustReverse", gt_fn_reverse, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustSlice", gt_fn_slice, GT_MODE_MUST, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_ANY, 1, 0 },
    { "mustToDate", gt_fn_to_date, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_TIME, 1, 0 },
    { "mustToJson", gt_fn_to_json, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "mustToPrettyJson", gt_fn_to_pretty_json, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "mustToRawJson", gt_fn_to_raw_json, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "mustUniq", gt_fn_uniq, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "mustWithout", gt_fn_without, GT_MODE_MUST, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_LIST_ANY, 1, 0 },
    { "must_date_modify", gt_fn_date_modify, GT_MODE_MUST, GT_PARAMS(GT_STRING, GT_TIME), 0, GT_TIME, 1, 0 },
    { "ne", gt_fn_compare, GT_NE, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "nindent", gt_fn_indent, GT_MODE_NEWLINE, GT_PARAMS(GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "nospace", gt_fn_nospace, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "not", gt_fn_not, 0, GT_PARAMS(GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "now", gt_fn_now, 0, GT_NO_PARAMS, GT_F_CLOCK, GT_TIME, 1, 0 },
    { "omit", gt_fn_omit, 0, GT_PARAMS(GT_MAP_ANY, GT_STRING), VAR, GT_MAP_ANY, 1, 0 },
    { "or", NULL, 1, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR | GT_F_AND_OR, GT_VALUE, 1, 0 },
    { "osBase", gt_fn_base, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "osClean", gt_fn_clean, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "osDir", gt_fn_dir, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "osExt", gt_fn_ext, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "osIsAbs", gt_fn_is_abs, 0, GT_PARAMS(GT_STRING), 0, GT_BOOL, 1, 0 },
    { "pick", gt_fn_pick, 0, GT_PARAMS(GT_MAP_ANY, GT_STRING), VAR, GT_MAP_ANY, 1, 0 },
    { "pluck", gt_fn_pluck, 0, GT_PARAMS(GT_STRING, GT_MAP_ANY), VAR, GT_LIST_ANY, 1, 0 },
    { "plural", gt_fn_plural, 0, GT_PARAMS(GT_STRING, GT_STRING, GT_INT), 0, GT_STRING, 1, 0 },
    { "prepend", gt_fn_prepend, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "print", gt_fn_print, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "printf", gt_fn_printf, 0, GT_PARAMS(GT_STRING, GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "println", gt_fn_println, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "push", gt_fn_append, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "quote", gt_fn_quote, 0, GT_PARAMS(GT_ANY), VAR, GT_STRING, 1, 0 },
    { "randAlpha", gt_fn_rand_text, GT_MODE_RAND_ALPHA, GT_PARAMS(GT_INT), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "randAlphaNum", gt_fn_rand_text, GT_MODE_RAND_ALPHANUM, GT_PARAMS(GT_INT), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "randAscii", gt_fn_rand_text, GT_MODE_RAND_ASCII, GT_PARAMS(GT_INT), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "randBytes", gt_fn_rand_bytes, 0, GT_PARAMS(GT_INT), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "randInt", gt_fn_rand_int, 0, GT_PARAMS(GT_INT, GT_INT), GT_F_RANDOM, GT_INT, 1, 0 },
    { "randNumeric", gt_fn_rand_text, GT_MODE_RAND_NUMERIC, GT_PARAMS(GT_INT), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "regexFind", gt_fn_regex_find, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "regexFindAll", gt_fn_regex_find_all, 0, GT_PARAMS(GT_STRING, GT_STRING, GT_INT), 0, GT_LIST_STRING, 1, 0 },
    { "regexMatch", gt_fn_regex_match, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_BOOL, 1, 0 },
    { "regexQuoteMeta", gt_fn_regex_quote_meta, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "regexReplaceAll", gt_fn_regex_replace_all, 0, GT_PARAMS(GT_STRING, GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "regexReplaceAllLiteral", gt_fn_regex_replace_all_literal,
      0, GT_PARAMS(GT_STRING, GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "regexSplit", gt_fn_regex_split, 0, GT_PARAMS(GT_STRING, GT_STRING, GT_INT), 0, GT_LIST_STRING, 1, 0 },
    { "repeat", gt_fn_repeat, 0, GT_PARAMS(GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "replace", gt_fn_replace, 0, GT_PARAMS(GT_STRING, GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "rest", gt_fn_rest, 0, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "reverse", gt_fn_reverse, 0, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "round", gt_fn_round, 0, GT_PARAMS(GT_ANY, GT_INT, GT_FLOAT64), VAR, GT_FLOAT64, 1, 0 },
    { "semver", gt_fn_semver, 0, GT_PARAMS(GT_STRING), 0, GT_SEMVER_PTR, 1, 0 },
    { "semverCompare", gt_fn_semver_compare, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_BOOL, 1, 0 },
    { "seq", gt_fn_seq, 0, GT_PARAMS(GT_INT), VAR, GT_STRING, 1, 0 },
    { "set", gt_fn_set, 0, GT_PARAMS(GT_MAP_ANY, GT_STRING, GT_ANY), 0, GT_MAP_ANY, 1, 0 },
    { "sha1sum", gt_fn_sha1sum, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "sha256sum", gt_fn_sha256sum, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "sha512sum", gt_fn_sha512sum, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "shuffle", gt_fn_shuffle, 0, GT_PARAMS(GT_STRING), GT_F_RANDOM, GT_STRING, 1, 0 },
    { "slice", gt_fn_slice, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_ANY, 1, 0 },
    { "snakecase", gt_fn_snakecase, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "sortAlpha", gt_fn_sort_alpha, 0, GT_PARAMS(GT_ANY), 0, GT_LIST_STRING, 1, 0 },
    { "split", gt_fn_split, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_MAP_STRING, 1, 0 },
    { "splitList", gt_fn_split_list, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_LIST_STRING, 1, 0 },
    { "splitn", gt_fn_splitn, 0, GT_PARAMS(GT_STRING, GT_INT, GT_STRING), 0, GT_MAP_STRING, 1, 0 },
    { "squote", gt_fn_squote, 0, GT_PARAMS(GT_ANY), VAR, GT_STRING, 1, 0 },
    { "sub", gt_fn_sub, 0, GT_PARAMS(GT_ANY, GT_ANY), 0, GT_INT64, 1, 0 },
    { "subf", gt_fn_subf, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_FLOAT64, 1, 0 },
    { "substr", gt_fn_substr, 0, GT_PARAMS(GT_INT, GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "swapcase", gt_fn_swapcase, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "ternary", gt_fn_ternary, 0, GT_PARAMS(GT_ANY, GT_ANY, GT_BOOL), 0, GT_ANY, 1, 0 },
    { "title", gt_fn_title, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "toDate", gt_fn_to_date, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_TIME, 1, 0 },
    { "toDecimal", gt_fn_to_decimal, 0, GT_PARAMS(GT_ANY), 0, GT_INT64, 1, 0 },
    { "toJson", gt_fn_to_json, 0, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "toPrettyJson", gt_fn_to_pretty_json, 0, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "toRawJson", gt_fn_to_raw_json, GT_MODE_MUST, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "toString", gt_fn_to_string, 0, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "toStrings", gt_fn_to_strings, 0, GT_PARAMS(GT_ANY), 0, GT_LIST_STRING, 1, 0 },
    { "trim", gt_fn_trim, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "trimAll", gt_fn_trim_all, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "trimPrefix", gt_fn_trim_prefix, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "trimSuffix", gt_fn_trim_suffix, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "trimall", gt_fn_trim_all, 0, GT_PARAMS(GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
    { "trunc", gt_fn_trunc, 0, GT_PARAMS(GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "tuple", gt_fn_list, 0, GT_PARAMS(GT_ANY), VAR, GT_LIST_ANY, 1, 0 },
    { "typeIs", gt_fn_type_is, 0, GT_PARAMS(GT_STRING, GT_ANY), 0, GT_BOOL, 1, 0 },
    { "typeIsLike", gt_fn_type_is_like, 0, GT_PARAMS(GT_STRING, GT_ANY), 0, GT_BOOL, 1, 0 },
    { "typeOf", gt_fn_type_of, 0, GT_PARAMS(GT_ANY), 0, GT_STRING, 1, 0 },
    { "uniq", gt_fn_uniq, 0, GT_PARAMS(GT_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "unixEpoch", gt_fn_unix_epoch, 0, GT_PARAMS(GT_TIME), 0, GT_STRING, 1, 0 },
    { "unset", gt_fn_unset, 0, GT_PARAMS(GT_MAP_ANY, GT_STRING), 0, GT_MAP_ANY, 1, 0 },
    { "until", gt_fn_until, 0, GT_PARAMS(GT_INT), 0, GT_LIST_INT, 1, 0 },
    { "untilStep", gt_fn_until_step, 0, GT_PARAMS(GT_INT, GT_INT, GT_INT), 0, GT_LIST_INT, 1, 0 },
    { "untitle", gt_fn_untitle, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "upper", gt_fn_upper, 0, GT_PARAMS(GT_STRING), 0, GT_STRING, 1, 0 },
    { "urlJoin", gt_fn_url_join, 0, GT_PARAMS(GT_MAP_ANY), 0, GT_STRING, 1, 0 },
    { "urlParse", gt_fn_url_parse, 0, GT_PARAMS(GT_STRING), 0, GT_MAP_ANY, 1, 0 },
    { "urlquery", gt_fn_urlquery, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "uuidv4", gt_fn_uuidv4, 0, GT_NO_PARAMS, GT_F_RANDOM, GT_STRING, 1, 0 },
    { "values", gt_fn_values, 0, GT_PARAMS(GT_MAP_ANY), 0, GT_LIST_ANY, 1, 0 },
    { "without", gt_fn_without, 0, GT_PARAMS(GT_ANY, GT_ANY), VAR, GT_LIST_ANY, 1, 0 },
    { "wrap", gt_fn_wrap, 0, GT_PARAMS(GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },
    { "wrapWith", gt_fn_wrap_with, 0, GT_PARAMS(GT_INT, GT_STRING, GT_STRING), 0, GT_STRING, 1, 0 },
};

const size_t gt_n_functions = sizeof(gt_functions) / sizeof(gt_functions[0]);

static bool allowed(const gt_function *fn, unsigned policy)
{
    return ((fn->flags & GT_F_ENV) == 0 || (policy & DSP_TEMPLATE_ALLOW_ENV) != 0) &&
           ((fn->flags & GT_F_NET) == 0 || (policy & DSP_TEMPLATE_ALLOW_DNS) != 0);
}

const gt_function *gt_function_find(dsp_str name, unsigned policy)
{
    size_t low = 0;
    size_t high = gt_n_functions;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int    order = dsp_str_cmp(name, dsp_str_from(gt_functions[mid].name));
        if (order == 0) {
            return allowed(&gt_functions[mid], policy) ? &gt_functions[mid] : NULL;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

bool dsp_template_function_at(size_t i, dsp_template_function *out)
{
    if (i >= gt_n_functions) {
        return false;
    }
    out->name = gt_functions[i].name;
    out->builtin = (gt_functions[i].flags & GT_F_BUILTIN) != 0;
    out->policy = ((gt_functions[i].flags & GT_F_ENV) != 0 ? DSP_TEMPLATE_ALLOW_ENV : 0u) |
                  ((gt_functions[i].flags & GT_F_NET) != 0 ? DSP_TEMPLATE_ALLOW_DNS : 0u);
    return true;
}
