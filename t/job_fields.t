#!/usr/bin/env perl
# controller/job_fields_tab.c is what job_fields_gen.pl makes of job_fields.tsv.
use strict;
use warnings;

use FindBin;
use Test::More;

my $room = "$FindBin::Bin/../controller";
my $made = `$^X $room/job_fields_gen.pl`;
is $?, 0, 'job_fields_gen.pl runs';

open my $in, '<', "$room/job_fields_tab.c" or die "job_fields_tab.c: $!";
my $committed = do { local $/; <$in> };
ok $made eq $committed, 'job_fields_tab.c is fresh' or diag 'perl controller/job_fields_gen.pl > controller/job_fields_tab.c';

done_testing;
