#!/usr/bin/env perl
# docs/templates.md: every example gives what the page says, and every function of the table has one.
#
# An example is a line `TEMPLATE → RESULT` in a block of ```tmpl. See the page for how results are written; a line
# `payload: …` sets the payload of those that follow in its block. In a block of ```tmpl policy the functions that ask
# the machine are off, as in the controller; in others all functions exist.
#
# ORACLE="path -runs 1" runs the examples with the oracle instead, which is how they were written.
use strict;
use warnings;
use utf8;
use open qw(:std :utf8);

use FindBin;
use IPC::Open2;
use JSON::PP ();
use Test::More;

my $top     = "$FindBin::Bin/..";
my $build   = $ENV{DSP_BUILD} // 'build';
my $program = $build =~ m{^/} ? "$build/dispatcher-template" : "$top/$build/dispatcher-template";
my $json    = JSON::PP->new->utf8;

my (@examples, $block, $payload);
open my $page, '<:utf8', "$top/docs/templates.md" or die "docs/templates.md: $!";
while (my $line = <$page>) {
    chomp $line;
    if ($line =~ /^```(?:tmpl ?(\w*))?/) {
        $block   = defined $block ? undef : $1;
        $payload = 'my test payload';
    }
    elsif (!defined $block) {
        next;
    }
    elsif ($line =~ /^payload: (.*)/) {
        $payload = $1;
    }
    elsif ($line =~ /^(.*?) → (.*)$/) {
        push @examples, { template => $1, want => $2, payload => $payload, block => $block, line => $. };
    }
    else {
        fail "docs/templates.md:$.: a line of ```tmpl without an arrow";
    }
}
cmp_ok scalar(@examples), '>', 150, 'the page has examples';

# Renders all of them in one process.
sub answers {
    my ($command, @cases) = @_;
    my $pid = open2(my $from, my $to, @$command);
    my $in = join '', map { $json->encode({ name => 'job-1', payload => $_->{payload}, template => $_->{template} }) . "\n" } @cases;
    my $writer = fork // die "fork: $!";
    if ($writer == 0) {
        binmode $to;
        print $to $in;
        close $to;
        require POSIX;
        POSIX::_exit(0);
    }
    close $to;
    binmode $from;
    my @lines = <$from>;
    waitpid $_, 0 for $writer, $pid;
    return map { $json->decode($_) } @lines;
}

# With the controller's policy: one process each, the error on standard error.
sub answer_by_policy {
    my ($example) = @_;
    my $pid = open2(my $from, my $to, 'sh', '-c', 'exec "$0" "$@" 2>&1', $program, '--name', 'job-1', '--payload', $example->{payload}, '-');
    print $to $example->{template};
    close $to;
    my $text = do { local $/; <$from> };
    waitpid $pid, 0;
    chomp $text;
    return $? == 0 ? { out => $text } : { err => $text };
}

my $command = $ENV{ORACLE} ? [ split " ", $ENV{ORACLE} ] : [ $program, '--jsonl' ];
my @all  = grep { $_->{block} ne 'policy' } @examples;
my @told = answers($command, @all);
is scalar(@told), scalar(@all), 'each has an answer';
$_->{got} = shift @told for @all;
for my $example (grep { $_->{block} eq 'policy' } @examples) {
    $example->{got} = answer_by_policy($example) unless $ENV{ORACLE};
}

for my $example (grep { $_->{got} } @examples) {
    my ($want, $got) = @$example{qw(want got)};
    my $is_error = $want =~ s/^error: //;
    my $text = $is_error ? $got->{err} : $got->{out};
    my $name = "line $example->{line}: $example->{template}";
    if (!defined $text) {
        fail $name;
        diag $is_error ? "no error, but: $got->{out}" : "error: " . ($got->{err} // $got->{skip} // 'no text');
        next;
    }
    $text =~ s/\n/⏎/g;
    $text =~ s/(^ +| +$|(?<=⏎) +| +(?=⏎))/'␣' x length $1/ge if $want =~ /␣/;
    if ($want =~ s/^~//) {
        like $text, $is_error ? qr/$want/ : qr/^(?:$want)$/, $name;
    }
    elsif ($is_error) {
        is substr($text, -length $want), $want, $name;
    }
    else {
        is $text, $want, $name;
    }
}

my $names = `'$program' --functions`;
my $text  = join "\n", map { $_->{template} } @examples;
my @missing = grep { $text !~ /(?<![\w.])\Q$_\E(?!\w)/ } split ' ', $names;
is "@missing", '', 'every function has an example';

done_testing;
