#!/usr/bin/env perl
# dispatcher-template as its users call it: output, exit status, lines of cases.
use strict;
use warnings;
use utf8;

use File::Temp 'tempdir';
use FindBin '$Bin';
use JSON::PP;
use Test::More;

my $build = $ENV{DSP_BUILD} || "$Bin/../build";
my $tool = "$build/dispatcher-template";
my $dir = tempdir(CLEANUP => 1);
my $json = JSON::PP->new->utf8->canonical;

sub spill {
    my ($name, $content) = @_;
    open my $out, '>:raw', "$dir/$name" or die "$name: $!\n";
    print {$out} $content;
    close $out or die "$name: $!\n";
    return "$dir/$name";
}

sub slurp { open my $in, '<:raw', $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$in> // ''; }

# Runs the tool; gives exit status (negative: a signal), standard output and standard error.
sub run {
    my (@args) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', "$dir/stdin" or die "$!\n" if -e "$dir/stdin";
        open STDOUT, '>', "$dir/stdout" or die "$!\n";
        open STDERR, '>', "$dir/stderr" or die "$!\n";
        exec $tool, @args or die "$tool: $!\n";
    }
    waitpid $pid, 0;
    return ($? & 127 ? -($? & 127) : $? >> 8, slurp("$dir/stdout"), slurp("$dir/stderr"));
}

my $template = spill('template', '{{ .Name }}: {{ .Payload | upper }} $');
is_deeply([ run('--payload', 'hello', '--name', 'job-1', $template) ], [ 0, 'job-1: HELLO $', '' ], 'a payload from the command line');
is_deeply([ run('--payload', '@' . spill('payload', "from\0a file"), $template) ], [ 0, ": FROM\0A FILE \$", '' ], 'a payload from a file');
is_deeply([ run('--literal', '--payload', '$(X)', $template) ], [ 0, ': $$(X) $', '' ], '--literal doubles what actions write');

my ($status, $out, $err) = run('--field', 'PullPolicy', spill('bad', "a\n{{ fail \"no\" }}"));
is_deeply([ $status, $out ], [ 1, '' ], 'a template that fails: status 1, no output');
is($err, "template: PullPolicy:2:3: executing \"PullPolicy\" at <fail \"no\">: error calling fail: no\n", 'and where and why');

for my $args ([], ['--nonsense'], [ $template, $template ], [$dir], [ '--jsonl', $dir ], [ '--jsonl', '--manifest', $template ], [ '--payload', '@-', '-' ], ["$dir/absent"], [ '--payload', '@/nonexistent', $template ]) {
    ($status, $out, $err) = run(@$args);
    is($status, 2, "wrong use: @$args");
    is($out, '', 'and writes nothing');
    isnt($err, '', 'and says what is wrong');
}

# Nothing may be lost silently, and no signal ends it: not even that of a reader which has gone.
sub run_into {
    my ($open, @args) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $open->();
        open STDERR, '>', "$dir/stderr" or die "$!\n";
        exec $tool, @args or die "$tool: $!\n";
    }
    waitpid $pid, 0;
    return ($? & 127 ? -($? & 127) : $? >> 8, slurp("$dir/stderr"));
}

my $full = sub { open STDOUT, '>', '/dev/full' or die "$!\n" };
my $gone = sub { pipe my $reader, my $writer or die "$!\n"; open STDOUT, '>&', $writer or die "$!\n"; close $reader };
spill('line', qq({"template": "x"}\n));
for my $args ([$template], ['--functions'], ['--help'], ['--version'], [ '--jsonl', "$dir/line" ]) {
    is_deeply([ run_into($full, @$args) ], [ 2, "dispatcher-template: standard output: No space left on device\n" ], "@$args: a full disk");
    is_deeply([ run_into($gone, @$args) ], [ 2, "dispatcher-template: standard output: Broken pipe\n" ], "@$args: nobody reads");
}

($status, $out) = run('--functions');
my @names = split /\n/, $out;
is($status, 0, '--functions');
is(scalar @names, 229, 'and lists 211 of Sprig and 18 built-ins');
is_deeply(\@names, [ sort @names ], 'and sorted');
for my $more ('x', '--jsonl', '--allow-env') {
    ($status, $out, $err) = run('--functions', $more);
    is_deeply([ $status, $out ], [ 2, '' ], "--functions $more: wrong use");
    like($err, qr/^usage: /, 'and how to use it');
}

my @cases = (
    { id => 12345678901234567890, template => '{{ .Payload }}', payload => "é\x{2028}", name => 'n', out => 'old', skip => 'old' },
    { template => '{{ nope }}', field => 'DNSPolicy', more => [ 1, { x => undef } ] },
    { template => '{{ "\xff" }}', err => 'old', out_b64 => 'old' },
    { template => '{{ fail "\xff" }}' },
);
spill('stdin', join '', map { $json->encode($_) . "\n" } @cases);
($status, $out, $err) = run('--jsonl');
is($status, 0, '--jsonl: status 0 whatever the templates do');
is($err, '', 'and no complaint');
my @answers = map { $json->decode($_) } split /\n/, $out;
is_deeply($answers[0], { id => 12345678901234567890, template => '{{ .Payload }}', payload => "é\x{2028}", name => 'n', out => "é\x{2028}" },
    'and the other members stay, old answers go');
is($answers[1]{err}, 'template: DNSPolicy:1: function "nope" not defined', 'and an error, with the template\'s name');
is_deeply($answers[1]{more}, [ 1, { x => undef } ], 'and nested members stay');
is_deeply($answers[2], { template => '{{ "\xff" }}', out_b64 => '/w==' }, 'and bytes that are not UTF-8');
like($answers[3]{err_b64}, qr/^[\w+\/]+=*$/, 'and in errors too');

spill('stdin', "{\"template\": \"x\"}\nnonsense\n");
($status, $out, $err) = run('--jsonl');
is($status, 2, '--jsonl: a line that is no case');
like($err, qr/line 2/, 'and is named');

done_testing;
