#!/usr/bin/env perl
# Cases that a controller meets rarely: refusals, names that are taken or too long, Jobs that ended or went while nobody
# looked, namespaces that go.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA 'sha256';
use JSON::PP ();
use Test::More;
use Time::HiRes ();

use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster( args => ['--quiet'] );
my $o    = Dispatcher::Objects->new( $t, $kube );
my $ctl  = $t->controller($kube);
$o->template('plain');

sub jobs_ever { my ($uid) = @_; return scalar @{ $o->control( GET => "/audit?owner=$uid" )->{byOwner}{$uid} // [] } }

sub job_name {
    my ( $prefix, $uid ) = @_;
    my $bits = unpack 'B*', sha256($uid);
    return "$prefix-" . join '', map { ( 'a' .. 'z', 2 .. 7 )[ oct '0b' . substr $bits, 5 * $_, 5 ] } 0 .. 9;
}

sub job {
    my ( $name, %meta ) = @_;
    return $o->must(
        POST => '/apis/batch/v1/namespaces/default/jobs',
        {
            apiVersion => 'batch/v1', kind => 'Job', metadata => { name => $name, %meta },
            spec => { backoffLimit => 0, template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c', image => 'i', command => ['true'] } ] } } },
        }
    );
}

sub owned_by {
    my ($je) = @_;
    return (
        labels          => { 'job-execution-name' => $je->{metadata}{name}, 'controller-uid' => $je->{metadata}{uid} },
        ownerReferences => [ {
            apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', name => $je->{metadata}{name}, uid => $je->{metadata}{uid},
            controller => JSON::PP::true(), blockOwnerDeletion => JSON::PP::true(),
        } ],
    );
}

my %refusals = (
    'a quota'   => { code => 403, reason => 'Forbidden', message => 'jobs.batch "x" is forbidden: exceeded quota: few' },
    'a webhook' => { code => 422, reason => 'Invalid',   message => 'admission webhook "w.example.com" denied the request: not today' },
    'a webhook that says 400' => { code => 400, reason => 'BadRequest', message => 'admission webhook "w.example.com" denied the request: no' },
    'a policy'  => { code => 422, reason => 'Invalid',   message => 'jobs.batch "x" is forbidden: ValidatingAdmissionPolicy "p" denied request: no' },
);
my $n = 0;
for my $what ( sort keys %refusals ) {
    subtest "refused by $what" => sub {
        my $name = 'refused-' . ++$n;
        my $rule = $o->control( POST => '/faults', { match => { userAgent => 'dispatcher-controller/*', method => 'POST', path => '/apis/batch/v1/namespaces/*/jobs' }, fault => 'status', %{ $refusals{$what} }, count => 0 } )->{id};
        my $uid  = $o->execution( $name, 'plain' )->{metadata}{uid};
        $o->wait_reason( $name, 'JobRefused' );
        my $waiting = $o->condition( $name, 'Waiting' );
        is $waiting->{status},  'True',                         'it waits';
        is $waiting->{message}, $refusals{$what}{message}, 'and says why';
        $t->wait_for( 'another try', sub { $o->control( GET => "/faults/$rule" )->{hits} >= 3 } );
        $o->control( DELETE => '/faults' );
        $o->wait_state( $name, 'Succeeded' );
        $t->wait_for( 'its Events', sub { join( ' ', $o->events($name) ) =~ /^Completed Created JobRefused(?: Started)?$/ } );
        is jobs_ever($uid), 1, 'one Job';
    };
}

subtest 'too many requests' => sub {
    my $rule = $o->control( POST => '/faults', { match => { userAgent => 'dispatcher-controller/*', method => 'POST', path => '/apis/batch/v1/namespaces/*/jobs' }, fault => 'status', code => 429, retryAfter => 1, count => 1 } )->{id};
    my $from = Time::HiRes::time();
    $o->execution( 'limited', 'plain' );
    $o->wait_state( 'limited', 'Succeeded' );
    is $o->control( GET => "/faults/$rule" )->{hits}, 1, 'asked once more only';
    cmp_ok Time::HiRes::time() - $from, '>=', 1, 'and not before the time';
    $o->control( DELETE => '/faults' );
};

subtest 'a generateName that is too long' => sub {
    $o->template( 'long', generate_name => 'g' x 90 . '-' );
    my $uid = $o->execution( 'long', 'long' )->{metadata}{uid};
    my $job = $o->wait_state( 'long', 'Succeeded' )->{status}{job}{name};
    is $job, job_name( 'g' x 52, $uid ), 'is cut, and the uid\'s part is whole';
};

# What dispatcher-template shows of a stored JobTemplate is what the controller sends, byte for byte.
subtest 'dispatcher-template shows the Job that is made' => sub {
    my $template = <<'JSON';
{"apiVersion":"dispatcher.ivan.vc/v1beta1","kind":"JobTemplate","metadata":{"name":"shown","namespace":"default"},"spec":{"jobTemplate":{
 "metadata":{"generateName":"made-of-","labels":{"a":"b"},"annotations":{"t":"{{ .Name }}"}},"spec":{"backoffLimit":0,"ttlSecondsAfterFinished":60,"activeDeadlineSeconds":600,
 "template":{"metadata":{"annotations":{"x":"{{ y }}"}},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i","command":["true","\u007b\u007b .Payload }}","${{ .Payload }}\ttab"],
 "env":[{"name":"N","value":"{{ .Name | upper }}"},{"name":"E","value":"\u00e9\u2028 yes 012 $(N)"}]}]}}}}}}
JSON
    my $payload = "(N) \$(N) \$\$ \"q\" \\ l1\nl2 \x{e9}";
    $o->must( POST => '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobtemplates', $template );
    $o->control( DELETE => '/requests' );
    my $je = $o->execution( 'shown', 'shown', $payload );
    $o->wait_state( 'shown', 'Succeeded' );
    my $list = $o->control( GET => '/requests' );
    my ($sent) = grep { $_->{method} eq 'POST' && $_->{target} =~ m{^/apis/batch/} } @$list;
    my $stored = $o->ask( GET => '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobtemplates/shown' )->{body};
    my @tool = ( $t->build . '/dispatcher-template', '--manifest', $t->write( 'shown.json', $stored ), '--payload', do { utf8::encode( my $bytes = $payload ); $bytes }, '--name', 'shown', '--uid', $je->{metadata}{uid} );
    my $shown = $t->run( @tool, '-o', 'json' );
    utf8::encode( my $body = $sent->{body} );
    is $shown->{out}, "$body\n", 'the same bytes';
    is $t->run(@tool)->{status}, 0, 'and as YAML';
};

subtest 'a Job that is deleted after its result takes the JobExecution along' => sub {
    $o->execution( 'tidied', 'plain' );
    my $job = $o->wait_state( 'tidied', 'Succeeded' )->{status}{job}{name};
    $o->must( DELETE => $o->job_path($job) . '?propagationPolicy=Background' );
    $o->wait_gone('tidied');
    ok 1, 'it is gone';
};

subtest 'while nobody looks' => sub {
    $ctl->stop;
    $o->template( 'fails', command => [ 'sh', '-c', 'exit 3' ] );
    my $early   = $o->execution( 'early',   'plain' );
    my $foreign = $o->execution( 'foreign', 'plain' );
    my $deleted = $o->execution( 'deleted', 'plain' );
    job( 'early-by-hand', owned_by($early) );
    $t->wait_for( 'a Job to end', sub { my $j = $o->get( $o->job_path('early-by-hand') ); $j && $j->{status}{succeeded} } );
    job( job_name( 'foreign', $foreign->{metadata}{uid} ) );
    $o->delete_je('deleted');
    $ctl = $t->controller( $kube, { name => 'next' } );

    my $je = $o->wait_state( 'early', 'Succeeded' );
    is $je->{status}{job}{name}, 'early-by-hand', 'a Job that ended before it was seen is adopted';
    ok $je->{status}{startTime} && $je->{status}{completionTime}, 'with its times';
    is jobs_ever( $early->{metadata}{uid} ), 1, 'and no other is made';

    $o->wait_reason( 'foreign', 'JobNameConflict' );
    like $o->condition( 'foreign', 'Waiting' )->{message}, qr/^Job "foreign-\w{10}" exists already and does not belong to this JobExecution$/, 'a foreign Job under our name';
    ok !( $o->get( $o->job_path( job_name( 'foreign', $foreign->{metadata}{uid} ) ) )->{metadata}{ownerReferences} ), 'is left alone';
    $o->must( DELETE => $o->job_path( job_name( 'foreign', $foreign->{metadata}{uid} ) ) . '?propagationPolicy=Background' );
    $o->wait_state( 'foreign', 'Succeeded' );

    is jobs_ever( $deleted->{metadata}{uid} ), 0, 'a JobExecution that went before it was seen gets nothing';
};

subtest 'an owner reference that no record can hold' => sub {
    my $je = $o->execution( 'neighbour', 'plain' );
    my %meta = owned_by($je);
    $meta{ownerReferences}[0]{uid} = 'u' x 300;
    $o->wait_state( 'neighbour', 'Succeeded' );
    job( 'overlong', %meta );
    $o->execution( 'unharmed', 'plain' );
    $o->wait_state( 'unharmed', 'Succeeded' );
    ok $ctl->alive, 'the controller lives on';
};

subtest 'a namespace that goes' => sub {
    $o->must( POST => '/api/v1/namespaces', { apiVersion => 'v1', kind => 'Namespace', metadata => { name => 'brief' } } );
    my $there = Dispatcher::Objects->new( $t, $kube, namespace => 'brief' );
    $there->execution( 'waiting', 'nowhere' );
    $there->wait_reason( 'waiting', 'TemplateNotFound' );
    $there->template( 'sleeps', command => [ 'sleep', '60' ] );
    $there->execution( 'running', 'sleeps' );
    $there->wait_state( 'running', 'Running' );
    $o->must( DELETE => '/api/v1/namespaces/brief' );
    $t->wait_for( 'all of it to go', sub { $there->state('waiting') eq '(gone)' && $there->state('running') eq '(gone)' } );
    $o->execution( 'elsewhere', 'plain' );
    $o->wait_state( 'elsewhere', 'Succeeded' );
    $t->wait_for( 'nothing to be left of it', sub { $o->metric( $ctl, 'dispatcher_job_executions_live' ) == 0 } );
    ok 1, 'and nothing is';
};

$t->done_testing;
