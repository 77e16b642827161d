#!/usr/bin/env perl
# src/template/unicode_tab.c is what unicode_gen.pl makes of Debian's unicode-data.
use strict;
use warnings;

use FindBin;
use Test::More;

plan skip_all => 'Debian package unicode-data is not installed' unless -e '/usr/share/unicode/UnicodeData.txt';

my $room = "$FindBin::Bin/../src/template";
my $made = `$^X $room/unicode_gen.pl`;
is $?, 0, 'unicode_gen.pl runs';

open my $in, '<', "$room/unicode_tab.c" or die "unicode_tab.c: $!";
my $committed = do { local $/; <$in> };
ok $made eq $committed, 'unicode_tab.c is fresh' or diag 'perl src/template/unicode_gen.pl > src/template/unicode_tab.c';

done_testing;
