#!/usr/bin/env perl
# Every fuzzer builds without libFuzzer, too, and goes through its committed corpus, where the inputs are that once broke something. SANITIZE=1 makes it count.
use strict;
use warnings;

use FindBin qw($Bin);
use Test::More;

my $build = $ENV{DSP_BUILD} // "$Bin/../build";
my @fuzzers = map { m{([^/]+)\.c$} } glob "$Bin/fuzz/*_fuzz.c";
cmp_ok( scalar @fuzzers, '>', 0, 'there are fuzzers' );

for my $fuzzer (@fuzzers) {
    my @inputs = glob "$Bin/fuzz/corpus/$fuzzer/*";
    my $status = system "$build/replay/$fuzzer", @inputs;
    is( $status, 0, sprintf '%s: %d inputs', $fuzzer, scalar @inputs );
}

for my $corpus ( map { m{([^/]+?)(?:\.dict)?$} } glob "$Bin/fuzz/corpus/*" ) {
    ok( ( grep { $_ eq $corpus } @fuzzers ), "corpus $corpus has a fuzzer" );
}
done_testing();
