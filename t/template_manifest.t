#!/usr/bin/env perl
# dispatcher-template --manifest as authors of JobTemplates use it: what the Job becomes, every error with its field, the
# exit status.
use strict;
use warnings;
use utf8;

use Digest::SHA 'sha256';
use File::Temp 'tempdir';
use FindBin '$Bin';
use JSON::PP;
use Test::More;

my $build = $ENV{DSP_BUILD} || "$Bin/../build";
my $tool  = "$build/dispatcher-template";
my $dir   = tempdir( CLEANUP => 1 );
my $json  = JSON::PP->new->utf8->canonical;

sub spill {
    my ( $name, $content ) = @_;
    open my $out, '>:raw', "$dir/$name" or die "$name: $!\n";
    utf8::encode($content) if utf8::is_utf8($content);
    print {$out} $content;
    close $out or die "$name: $!\n";
    return "$dir/$name";
}

sub slurp { open my $in, '<:raw', $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$in> // ''; }

# Exit status (negative: a signal), standard output and standard error; $stdin is a file.
my $stdin = '/dev/null';

sub run {
    my (@args) = @_;
    my $pid = fork // die "fork: $!\n";
    if ( !$pid ) {
        open STDIN,  '<', $stdin        or die "$!\n";
        open STDOUT, '>', "$dir/stdout" or die "$!\n";
        open STDERR, '>', "$dir/stderr" or die "$!\n";
        exec $tool, @args or die "$tool: $!\n";
    }
    waitpid $pid, 0;
    return ( $? & 127 ? -( $? & 127 ) : $? >> 8, slurp("$dir/stdout"), slurp("$dir/stderr") );
}

sub manifest { my ($file, @args) = @_; return run( '--manifest', $file, @args ) }

sub jobs { return map { $json->decode($_) } split /\n/, shift }

sub args_of { return $_[0]{spec}{template}{spec}{containers}[0]{args} }

my $yaml = spill( 'one.yaml', <<'YAML' );
# A comment stays out.
apiVersion: dispatcher.ivan.vc/v1beta1
kind: JobTemplate
metadata:
  name: greet
  namespace: team
spec:
  jobTemplate:
    metadata:
      generateName: hello-
      labels: { app: greet, "tmpl": "{{ .Payload }}" }
    spec:
      backoffLimit: 0
      ttlSecondsAfterFinished: 5
      activeDeadlineSeconds: 9007199254740993
      unknownField: [1.50]
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: main
              image: busybox
              args: ["{{ .Payload }}", "author's $(VAR)", "{{ .Name }}"]
              env: [{ name: P, value: "{{ .Payload }}" }]
              workingDir: "{{ .Payload }}"
YAML

# --- what the Job becomes ---------------------------------------------------------------------------------------------

my ( $status, $out, $err ) = manifest( $yaml, '--payload', 'a $(X) $$', '-o', 'json' );
is( $status, 0,  'one JobTemplate' );
is( $err,    '', 'nothing to complain of' );
my ($job) = jobs($out);
is( $job->{kind},                 'Job',  'it is a Job' );
is( $job->{metadata}{namespace}, 'team', 'in its namespace' );
is_deeply( args_of($job), [ 'a $$(X) $$$$', "author's \$(VAR)", 'greet-example' ], 'what actions write is literal, what the author wrote is not' );
my $container = $job->{spec}{template}{spec}{containers}[0];
is( $container->{env}[0]{value}, 'a $$(X) $$$$', 'in env as well' );
is( $container->{workingDir},    'a $(X) $$',    'but not where the kubelet expands nothing' );
is( $job->{metadata}{labels}{tmpl}, '{{ .Payload }}', 'labels are left alone' );
ok( !exists $job->{spec}{ttlSecondsAfterFinished}, 'the TTL waits' );
is( $job->{metadata}{annotations}{'dispatcher.ivan.vc/ttl-seconds-after-finished'}, '5', 'in an annotation' );
like( $out, qr/"activeDeadlineSeconds":9007199254740993\b/, 'integers stay exact' );
like( $out, qr/"unknownField":\[1\.50\]/,                    'unknown fields stay' );
is( $job->{metadata}{ownerReferences}[0]{uid}, '00000000-0000-0000-0000-000000000000', 'a uid of zeros' );
like( $job->{metadata}{name}, qr/^hello-[a-z2-7]{10}$/, 'the prefix is the generateName' );

( $status, $out ) = manifest( $yaml, '--name', 'run-7', '--uid', 'the-uid', '-o', 'json' );
($job) = jobs($out);
is( args_of($job)->[2],                       'run-7',   '--name is .Name' );
is( $job->{metadata}{ownerReferences}[0]{uid}, 'the-uid', '--uid is the owner' );
is( $job->{metadata}{labels}{'controller-uid'}, 'the-uid', 'and the label' );
is( $job->{metadata}{labels}{'job-execution-name'}, 'run-7', 'and so is the name' );
my $bits = unpack 'B*', sha256('the-uid');
my $want = join '', map { ( 'a' .. 'z', 2 .. 7 )[ oct "0b" . substr $bits, 5 * $_, 5 ] } 0 .. 9;
is( $job->{metadata}{name}, "hello-$want", "the Job's name comes from the uid" );

my $literal = slurp($yaml) =~ s/  namespace: team/  annotations: { dispatcher.ivan.vc\/expand-output: "true" }/r;
( $status, $out ) = manifest( spill( 'expand.yaml', $literal ), '--payload', '$(X)', '-o', 'json' );
($job) = jobs($out);
is( args_of($job)->[0], '$(X)', 'expand-output turns the doubling off' );
is( $job->{metadata}{namespace}, 'default', 'without a namespace it is default' );

# --- payloads ---------------------------------------------------------------------------------------------------------

( $status, $out ) = manifest( $yaml, '--payload', '@' . spill( 'payload', "l1\nl2 \x{263A}\n" ), '-o', 'json' );
is( args_of( jobs($out) )->[0], "l1\nl2 \x{263A}\n", 'a payload from a file, with its newlines' );
$stdin = spill( 'in', 'from stdin' );
( $status, $out ) = manifest( $yaml, '--payload', '@-', '-o', 'json' );
is( args_of( jobs($out) )->[0], 'from stdin', 'a payload from standard input' );
$stdin = $yaml;
( $status, $out ) = manifest( '-', '-o', 'json' );
is( scalar jobs($out), 1, 'a manifest from standard input' );
$stdin = '/dev/null';
( $status, $out, $err ) = manifest( $yaml, '--payload', '@' . spill( 'latin', "\xE9" ) );
is( $status, 2, 'a payload that is not UTF-8' );
like( $err, qr/payload is not valid UTF-8 at byte 0/, 'is refused as the HTTP interface does' );

# --- formats ----------------------------------------------------------------------------------------------------------

my ( undef, $as_json ) = manifest( $yaml, '--payload', "two\nlines", '-o', 'json' );
my ( undef, $as_yaml ) = manifest( $yaml, '--payload', "two\nlines" );
like( $as_yaml, qr/\A---\napiVersion: batch\/v1\nkind: Job\n/, 'YAML is the default' );
is( ( manifest( $yaml, '-o', 'yaml', '--payload', "two\nlines" ) )[1], $as_yaml, 'and can be asked for' );
my $wrapped = "kind: JobTemplate\nmetadata: {name: again}\nspec:\n  jobTemplate:\n" . join '', map {"    $_\n"} grep { $_ ne '---' } split /\n/, $as_yaml;
( $status, $out ) = manifest( spill( 'wrapped.yaml', $wrapped ), '-o', 'json' );
is_deeply( ( jobs($out) )[0]{spec}, ( jobs($as_json) )[0]{spec}, 'the YAML says the same as the JSON' );

my $object = { apiVersion => 'dispatcher.ivan.vc/v1alpha1', kind => 'JobTemplate', metadata => { name => 'j' },
    spec => { jobTemplate => { spec => { template => { spec => { containers => [ { name => 'c', args => ['{{ .Payload }}'] } ] } } } } } };
my $text = $json->encode($object);
is( scalar jobs( ( manifest( spill( 'one.json', $text ), '-o', 'json' ) )[1] ), 1, 'JSON' );
is( scalar jobs( ( manifest( spill( 'two.json', "$text\n$text" ), '-o', 'json' ) )[1] ), 2, 'JSON objects in a row' );
is( scalar jobs( ( manifest( spill( 'mixed', "---\n$text\n---\n" . slurp($yaml) ), '-o', 'json' ) )[1] ), 2, 'JSON and YAML documents' );
is( scalar jobs( ( manifest( spill( 'list.json', $json->encode( { kind => 'List', items => [ $object, $object, { kind => 'Secret' } ] } ) ), '-o', 'json' ) )[1] ),
    2, 'a List' );
( $status, $out ) = manifest( spill( 'several.yaml', "---\n---\nkind: ConfigMap\n" . '---' . "\n" . slurp($yaml) . "---\n# empty\n---\n" . slurp($yaml) ), '-o', 'json' );
is( $status,          0, 'empty documents and other kinds' );
is( scalar jobs($out), 2, 'are passed over' );

# --- errors -----------------------------------------------------------------------------------------------------------

my $bad = spill( 'bad.yaml', <<'YAML' );
kind: JobTemplate
metadata: { name: bad }
spec:
  jobTemplate:
    metadata: { name: "{{ .Payload }}" }
    spec:
      template:
        spec:
          containers:
            - name: a
              args: [ok, "{{ fail \"no\" }}", "{{ nosuch }}"]
            - name: b
              env: [{ name: X, value: "{{" }]
---
kind: JobTemplate
metadata: { name: good }
spec: { jobTemplate: { spec: { template: { spec: { containers: [ { name: c } ] } } } } }
---
kind: JobTemplate
metadata: { name: empty }
spec: {}
---
kind: JobTemplate
spec: {}
YAML
( $status, $out, $err ) = manifest( $bad, '--payload', 'No Name', '-o', 'json' );
is( $status,           1, 'templates that fail: 1' );
is( scalar jobs($out), 1, 'the good one is written all the same' );
my @lines = split /\n/, $err;
like( $lines[0], qr/^jobtemplate bad: metadata\.name: "No Name" is no name for a Job/, 'the name' );
like( $lines[1], qr/^jobtemplate bad: spec\.template\.spec\.containers\[0\]\.args\[1\]: template: string:1:3: .*error calling fail: no$/, 'the first argument' );
like( $lines[2], qr/^jobtemplate bad: spec\.template\.spec\.containers\[0\]\.args\[2\]: .*function "nosuch" not defined$/, 'the second' );
like( $lines[3], qr/^jobtemplate bad: spec\.template\.spec\.containers\[1\]\.env\[0\]\.value: .*unclosed action/, 'a variable' );
like( $lines[4], qr/^jobtemplate empty: spec: the JobTemplate has no spec\.jobTemplate\.spec$/, 'no spec' );
is( $lines[5], 'a JobTemplate without metadata.name', 'no name' );
is( scalar @lines, 6, 'each error has its line' );

for my $case (
    [ spill( 'none.yaml',  "kind: ConfigMap\n" ), qr/none\.yaml: no JobTemplate in it$/,             'another kind only' ],
    [ spill( 'empty.yaml', '' ),                   qr/empty\.yaml: no JobTemplate in it$/,            'an empty file' ],
    [ spill( 'docs.yaml',  "---\n---\n" ),         qr/docs\.yaml: no JobTemplate in it$/,             'empty documents only' ],
    [ spill( 'tab.yaml',   "a:\n\tb: 1\n" ),       qr/tab\.yaml: line 2: /,                           'what is no YAML' ],
    [ spill( 'cut.json',   substr $text, 0, 50 ),  qr/cut\.json: line \d+: /,                         'JSON that is cut off' ],
    [ spill( 'twice.yaml', "a: 1\na: 2\n" ),       qr/twice\.yaml: line 2: the key is there twice/,   'a key that is there twice' ],
    [ "$dir/absent",                               qr/absent: No such file or directory$/,            'no such file' ],
    [ $dir,                                        qr/\Q$dir\E: Is a directory$/,                      'a directory' ],
    )
{
    my ( $file, $why, $name ) = @$case;
    ( $status, $out, $err ) = manifest($file);
    is( $status, 2, "$name: 2" );
    is( $out, '', 'nothing is written' );
    like( $err, $why, 'and it says what is wrong' );
    like( $err, qr/\Adispatcher-template: [^\n]*\n\z/, 'in one line' );
}
is( ( manifest( $yaml, '-o', 'xml' ) )[0],                 2, 'another format: 2' );
is( ( manifest( $yaml, 'more' ) )[0],                      2, 'a file too many: 2' );
is( ( manifest( $yaml, '--payload', "\@$dir/absent" ) )[0], 2, 'no such payload: 2' );

SKIP: {
    skip 'no /dev/full', 2 unless -e '/dev/full';
    is( system("$tool --manifest $yaml >/dev/full 2>$dir/stderr") >> 8, 2, 'a full disk: 2' );
    like( slurp("$dir/stderr"), qr/No space left/, 'and it says so' );
}

done_testing;
