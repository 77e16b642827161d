/* Classes and case mappings of runes, at the corners where other tables differ from Go's. */
#include "unit.h"

#include "template/unicode.h"

static void classes(void **state)
{
    static const struct {
        uint32_t rune;
        unsigned flags;
    } table[] = {
        { ' ', GT_UNI_SPACE | GT_UNI_PRINT },
        { '\t', GT_UNI_SPACE | GT_UNI_CONTROL },
        { 0x85, GT_UNI_SPACE | GT_UNI_CONTROL },
        { 0xA0, GT_UNI_SPACE },
        { 0x2028, GT_UNI_SPACE },
        { 0x3000, GT_UNI_SPACE },
        { 0x200B, GT_UNI_OTHER }, /* zero width space is none */
        { 0xFEFF, GT_UNI_OTHER },
        { 0xAD, GT_UNI_OTHER }, /* soft hyphen */
        { 'a', GT_UNI_LETTER | GT_UNI_LOWER | GT_UNI_PRINT },
        { 0xAA, GT_UNI_LETTER | GT_UNI_PRINT }, /* ª: a letter, but no longer lower case */
        { 0x1C5, GT_UNI_LETTER | GT_UNI_TITLE | GT_UNI_PRINT },
        { '7', GT_UNI_DIGIT | GT_UNI_NUMBER | GT_UNI_PRINT },
        { 0xBD, GT_UNI_NUMBER | GT_UNI_PRINT },
        { 0x663, GT_UNI_DIGIT | GT_UNI_NUMBER | GT_UNI_PRINT },
        { 0x301, GT_UNI_MARK | GT_UNI_PRINT },
        { '$', GT_UNI_SYMBOL | GT_UNI_PRINT },
        { '_', GT_UNI_PUNCT | GT_UNI_PRINT },
        { 0x4E2D, GT_UNI_LETTER | GT_UNI_PRINT }, /* inside of a First…Last range */
        { 0x31350, GT_UNI_LETTER | GT_UNI_PRINT }, /* new in 15.0 */
        { 0x2EBF0, 0 }, /* new in 15.1 */
        { 0xE000, GT_UNI_OTHER },
        { 0xD800, GT_UNI_OTHER },
        { 0x10FFFD, GT_UNI_OTHER }, /* private use */
        { 0x10FFFF, 0 },
        { 0x110000, 0 },
        { UINT32_MAX, 0 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (gt_unicode(table[i].rune)->flags != table[i].flags) {
            fail_msg("U+%04X: got %03x, want %03x", (unsigned) table[i].rune, gt_unicode(table[i].rune)->flags,
                     table[i].flags);
        }
    }
}

static void cases(void **state)
{
    static const struct {
        uint32_t rune, upper, lower, title;
    } table[] = {
        { 'a', 'A', 'a', 'A' },
        { 'Z', 'Z', 'z', 'Z' },
        { 0xDF, 0xDF, 0xDF, 0xDF },       /* ß has no single capital here */
        { 0x130, 0x130, 'i', 0x130 },     /* İ */
        { 0x131, 'I', 0x131, 'I' },       /* ı */
        { 0x17F, 'S', 0x17F, 'S' },       /* ſ */
        { 0x1C6, 0x1C4, 0x1C6, 0x1C5 },   /* ǆ */
        { 0x212A, 0x212A, 'k', 0x212A },  /* Kelvin */
        { 0x10D0, 0x1C90, 0x10D0, 0x10D0 },
        { 0x10400, 0x10400, 0x10428, 0x10400 },
        { 0x110000, 0x110000, 0x110000, 0x110000 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(gt_rune_upper(table[i].rune), table[i].upper);
        assert_int_equal(gt_rune_lower(table[i].rune), table[i].lower);
        assert_int_equal(gt_rune_title(table[i].rune), table[i].title);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(cases),
    };

    return cmocka_run_group_tests_name("template_unicode", tests, NULL, NULL);
}
