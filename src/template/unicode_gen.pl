#!/usr/bin/perl
# Makes unicode_tab.c from the Unicode Character Database as Debian packages it (unicode-data, 15.0.0: the version that
# Go 1.21 to 1.26 carry).
#
#     perl src/template/unicode_gen.pl > src/template/unicode_tab.c          # -d DIR: another copy of the database
#
# t/unicode_tab.t fails when the committed file is not what this prints.
use strict;
use warnings;

my $dir = '/usr/share/unicode';
$dir = $ARGV[1] if @ARGV == 2 && $ARGV[0] eq '-d';

use constant { MAX => 0x110000, BLOCK => 128 };

# One bit per question of Go's package unicode. Keep in step with unicode.h.
my %flag = (
    SPACE  => 0x001, LETTER => 0x002, UPPER => 0x004, LOWER  => 0x008, TITLE => 0x010,
    DIGIT  => 0x020, NUMBER => 0x040, MARK  => 0x080, PUNCT  => 0x100, SYMBOL => 0x200,
    PRINT  => 0x400, CONTROL => 0x800, OTHER => 0x1000,
);

sub lines {
    my ($name) = @_;
    open my $in, '<', "$dir/$name" or die "$dir/$name: $! (Debian package unicode-data)\n";
    my @lines = <$in>;
    close $in;
    return @lines;
}

# What a general category says.
sub category_flags {
    my ($category) = @_;
    my $flags = 0;
    $flags |= $flag{LETTER} | $flag{PRINT} if $category =~ /^L/;
    $flags |= $flag{UPPER} if $category eq 'Lu';
    $flags |= $flag{LOWER} if $category eq 'Ll';
    $flags |= $flag{TITLE} if $category eq 'Lt';
    $flags |= $flag{DIGIT} if $category eq 'Nd';
    $flags |= $flag{NUMBER} | $flag{PRINT} if $category =~ /^N/;
    $flags |= $flag{MARK} | $flag{PRINT} if $category =~ /^M/;
    $flags |= $flag{PUNCT} | $flag{PRINT} if $category =~ /^P/;
    $flags |= $flag{SYMBOL} | $flag{PRINT} if $category =~ /^S/;
    $flags |= $flag{CONTROL} if $category eq 'Cc';
    $flags |= $flag{OTHER} if $category =~ /^C[fos]$/;
    return $flags;
}

my @flags = (0) x MAX;
my (%upper, %lower, %title);    # rune → distance to its simple mapping

my $first;
for (lines('UnicodeData.txt')) {
    chomp;
    my ($hex, $name, $category, @rest) = split /;/, $_, -1;
    my $rune = hex $hex;
    my ($up, $low, $ti) = @rest[9, 10, 11];
    if ($name =~ /, First>$/) {
        $first = $rune;
        next;
    }
    my $from = $name =~ /, Last>$/ ? $first : $rune;
    my $bits = category_flags($category);
    $flags[$_] = $bits for $from .. $rune;
    $upper{$rune} = hex($up) - $rune  if $up ne '';
    $lower{$rune} = hex($low) - $rune if $low ne '';
    $title{$rune} = hex($ti) - $rune  if $ti ne '';
}
for (lines('PropList.txt')) {
    next unless /^([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*White_Space\b/;
    $flags[$_] |= $flag{SPACE} for hex $1 .. hex($2 // $1);
}
$flags[0x20] |= $flag{PRINT};    # the only space that Go calls printable

# Records, blocks of record numbers, and the list of blocks: a two-step table.
my (%record_number, @records, %block_number, @blocks, @index);
for (my $at = 0; $at < MAX; $at += BLOCK) {
    my @numbers;
    for my $rune ($at .. $at + BLOCK - 1) {
        my $record = join ', ', sprintf('0x%03x', $flags[$rune]), map { $_->{$rune} // 0 } \%upper, \%lower, \%title;
        $record_number{$record} //= push(@records, $record) - 1;
        push @numbers, $record_number{$record};
    }
    my $block = join ',', @numbers;
    $block_number{$block} //= push(@blocks, $block) - 1;
    push @index, $block_number{$block};
}
die "too many blocks\n" if @blocks > 65536;
my $record_type = @records > 256 ? 'uint16_t' : 'uint8_t';
my $index_type  = @blocks > 256  ? 'uint16_t' : 'uint8_t';

# Numbers in lines of at most 120 columns.
sub wrapped {
    my @out = ('   ');
    for my $number (@_) {
        push @out, '   ' if length($out[-1]) + length($number) + 2 > 120;
        $out[-1] .= " $number,";
    }
    return join("\n", @out) . "\n";
}

my ($version) = (lines('PropList.txt'))[0] =~ /PropList-([0-9.]+)\.txt/;
print "/* Made by unicode_gen.pl from the Unicode Character Database $version. Do not edit. */\n\n";
print "#include \"unicode.h\"\n\n";
print "/* clang-format off */\n";
printf "const struct gt_unicode_record gt_unicode_records[%d] = {\n", scalar @records;
print "    { $_ },\n" for @records;
print "};\n\n";
printf "const %s gt_unicode_blocks[%d][%d] = {\n", $record_type, scalar @blocks, BLOCK;
print "    {\n", wrapped(split /,/, $_), "    },\n" for @blocks;
print "};\n\n";
printf "const %s gt_unicode_index[%d] = {\n%s};\n", $index_type, scalar @index, wrapped(@index);
