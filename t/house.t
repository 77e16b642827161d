#!/usr/bin/env perl
# What the house promises about itself: links that lead somewhere, samples that are shown as they are, targets that help lists.
use strict;
use warnings;

use File::Basename 'dirname';
use FindBin;
use Test::More;

my $top = "$FindBin::Bin/..";

sub slurp {
    open my $in, '<', "$top/$_[0]" or die "$_[0]: $!";
    local $/;
    return scalar <$in>;
}

sub docs {
    return sort map { s{^\Q$top\E/}{}r } glob("$top/*.md $top/docs/*.md $top/t/*/README.md $top/deploy/*/README.md $top/deploy/README.md");
}

# Headings as anchors, the way that forges make them.
sub anchors {
    my ($text) = @_;
    my %anchors;
    while ( $text =~ /^#+\s+(.*?)\s*$/mg ) {
        my $anchor = lc $1;
        $anchor =~ s/[^\w\- ]//g;
        $anchor =~ s/ /-/g;
        $anchors{$anchor} = 1;
    }
    $anchors{$1} = 1 while $text =~ /(?:id|name)="([^"]+)"/g;
    return \%anchors;
}

subtest 'links in the documentation lead somewhere' => sub {
    my @faults;
    for my $doc ( grep { -e "$top/$_" } docs() ) {
        my $text = slurp($doc);
        $text =~ s/^```.*?^```//msg;
        while ( $text =~ /\]\(([^)\s]+)\)/g ) {
            my $link = $1;
            next if $link =~ /^[a-z]+:/;
            my ( $path, $anchor ) = $link =~ /^([^#]*)(?:#(.*))?$/;
            my $file = $path eq '' ? $doc : dirname($doc) . "/$path";
            if ( !-e "$top/$file" ) {
                push @faults, "$doc: $link";
            }
            elsif ( defined $anchor && $file =~ /\.md$/ && !anchors( slurp($file) )->{$anchor} ) {
                push @faults, "$doc: $link has no such heading";
            }
        }
    }
    is_deeply( \@faults, [] );
};

subtest 'the README shows the sample as it is' => sub {
    my $sample = slurp('deploy/samples/jobtemplate.yaml');
    $sample =~ s/^#.*\n//mg;
    ok( index( slurp('README.md'), "```yaml\n$sample```" ) >= 0 );
};

subtest 'make help lists every target' => sub {
    my $makefile = slurp('Makefile');
    local $ENV{MAKEFLAGS} = '';
    my %help     = map { $_ => 1 } `make -s -C '$top' help` =~ /^  ([a-z][a-z-]*) /mg;
    my @missing;
    for my $line ( $makefile =~ /^\.PHONY:(.*)$/mg ) {
        push @missing, grep { !$help{$_} && !/-programs$/ } split ' ', $line;
    }
    is_deeply( \@missing, [] );
};

done_testing();
