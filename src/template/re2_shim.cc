#include "re2_shim.h"

#include <exception>
#include <new>
#include <string>
#include <vector>

#include <re2/re2.h>

struct gt_re2 {
    re2::RE2 re;

    gt_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options) : re(pattern, options) {}
};

struct gt_re2 *gt_re2_new(const char *pattern, size_t len, size_t max_mem)
{
    try {
        re2::RE2::Options options;

        options.set_log_errors(false);
        options.set_max_mem(static_cast<int64_t>(max_mem));
        return new gt_re2(re2::StringPiece(pattern, len), options);
    } catch (const std::exception &) {
        return nullptr;
    }
}

void gt_re2_free(struct gt_re2 *re)
{
    delete re;
}

enum gt_re2_error gt_re2_error(const struct gt_re2 *re)
{
    switch (re->re.error_code()) {
    case re2::RE2::NoError: return GT_RE2_OK;
    case re2::RE2::ErrorBadEscape: return GT_RE2_BAD_ESCAPE;
    case re2::RE2::ErrorBadCharClass: return GT_RE2_BAD_CHAR_CLASS;
    case re2::RE2::ErrorBadCharRange: return GT_RE2_BAD_CHAR_RANGE;
    case re2::RE2::ErrorMissingBracket: return GT_RE2_MISSING_BRACKET;
    case re2::RE2::ErrorMissingParen: return GT_RE2_MISSING_PAREN;
    case re2::RE2::ErrorUnexpectedParen: return GT_RE2_UNEXPECTED_PAREN;
    case re2::RE2::ErrorTrailingBackslash: return GT_RE2_TRAILING_BACKSLASH;
    case re2::RE2::ErrorRepeatArgument: return GT_RE2_REPEAT_ARGUMENT;
    case re2::RE2::ErrorRepeatSize: return GT_RE2_REPEAT_SIZE;
    case re2::RE2::ErrorRepeatOp: return GT_RE2_REPEAT_OP;
    case re2::RE2::ErrorBadPerlOp: return GT_RE2_BAD_PERL_OP;
    case re2::RE2::ErrorBadUTF8: return GT_RE2_BAD_UTF8;
    case re2::RE2::ErrorBadNamedCapture: return GT_RE2_BAD_NAMED_CAPTURE;
    case re2::RE2::ErrorPatternTooLarge: return GT_RE2_TOO_LARGE;
    default: return GT_RE2_INTERNAL;
    }
}

const char *gt_re2_error_arg(const struct gt_re2 *re, size_t *len)
{
    const std::string &arg = re->re.error_arg();

    *len = arg.size();
    return arg.data();
}

size_t gt_re2_groups(const struct gt_re2 *re)
{
    return static_cast<size_t>(re->re.NumberOfCapturingGroups());
}

size_t gt_re2_group(const struct gt_re2 *re, const char *name, size_t len)
{
    try {
        const auto &names = re->re.NamedCapturingGroups();
        const auto  found = names.find(std::string(name, len));

        return found == names.end() ? 0 : static_cast<size_t>(found->second);
    } catch (const std::exception &) {
        return 0;
    }
}

int gt_re2_match(const struct gt_re2 *re, const char *text, size_t len, size_t from, ptrdiff_t *caps, size_t n)
{
    try {
        std::vector<re2::StringPiece> groups(n);

        if (!re->re.Match(re2::StringPiece(text, len), from, len, re2::RE2::UNANCHORED, groups.data(),
                          static_cast<int>(n))) {
            return GT_RE2_NO_MATCH;
        }
        for (size_t i = 0; i < n; i++) {
            caps[2 * i] = groups[i].data() == nullptr ? -1 : groups[i].data() - text;
            caps[2 * i + 1] = groups[i].data() == nullptr ? -1 : caps[2 * i] + static_cast<ptrdiff_t>(groups[i].size());
        }
        return GT_RE2_MATCH;
    } catch (const std::exception &) {
        return GT_RE2_FAILED;
    }
}
