#!/usr/bin/env perl
# docs/http-api.md describes every problem type, with its status, and no other; docs/directives.md every directive, variable and metric.
use strict;
use warnings;

use FindBin;
use Test::More;

sub slurp { open my $in, '<', "$FindBin::Bin/../$_[0]" or die "$_[0]: $!"; local $/; return scalar <$in> }

my $source = slurp('src/model/problem.c');
my %kind   = map { @$_ } map { [ $_->[0] => $_->[1] ] } grep { length $_->[0] } map { [/"([a-z-]*)", (\d+), /] } $source =~ /(\{ "[a-z-]*", \d+, )/g;
my $docs   = slurp('docs/http-api.md');
my ($part) = $docs =~ /^## Errors(.*?)^## /ms;
my %described = $part =~ /^### ([a-z-]+)\n\n(\d+)/mg;

cmp_ok( scalar( keys %kind ), '>=', 15, 'the types were read' );
is_deeply( \%described, \%kind, 'every type is described, with its status' );

my $module     = slurp('ngx_http_dispatcher_module.c');
my $directives = slurp('docs/directives.md');
my @named      = $module =~ /\{ ngx_string\("(dispatcher_\w+)"\)/g;
cmp_ok( scalar(@named), '>=', 9, 'the directives were read' );
is_deeply( [ sort $directives =~ /^### (\w+)/mg ], [ sort @named ], 'every directive is described' );
like( $directives, qr/^\| Syntax: \| \*\*$_\*\*/m, "$_ has its syntax" ) for @named;
like( $directives, qr/`\$$_`/, "variable $_" ) for slurp('src/nginx/variables.c') =~ /ngx_string\("(\w+)"\)/g;
like( $directives, qr/`$_[`\{]/, "metric $_" ) for slurp('src/nginx/metrics.c') =~ /"((?:job|dispatcher)_\w+_(?:total|seconds|in_flight))"/g;

done_testing();
