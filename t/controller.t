#!/usr/bin/env perl
# The controller against the embedded cluster: what it makes of JobExecutions, and that none of the original's faults come back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Encode ();
use Test::More;

use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster;
my $o    = Dispatcher::Objects->new( $t, $kube );
my $ctl  = $t->controller($kube);

subtest 'an execution, its Job, its end' => sub {
    $o->template( 'echo', command => [ 'printf', '%s', '{{ .Name }}: {{ .Payload }}' ] );
    $o->execution( 'plain', 'echo', "quo\"te\nline \$HOME \$(HOME) \$\$ {{ .X }} \x{263a}" );
    my $je = $o->wait_state( 'plain', 'Succeeded' );
    is $o->conditions('plain'), 'Waiting=False/JobRunning Running=False/JobCompleted Succeeded=True/JobSucceeded', 'conditions';
    my ($job) = $o->jobs('plain');
    is $je->{status}{job}{uid},  $job->{metadata}{uid},  'the reference has the uid';
    is $je->{status}{job}{name}, $job->{metadata}{name}, 'and the name';
    like $job->{metadata}{name}, qr/^plain-[a-z2-7]{10}$/, 'which comes from the uid';
    is $job->{metadata}{labels}{'controller-uid'},     $je->{metadata}{uid}, 'label controller-uid';
    is $job->{metadata}{labels}{'job-execution-name'}, 'plain',              'label job-execution-name';
    my ($owner) = @{ $job->{metadata}{ownerReferences} };
    is $owner->{uid}, $je->{metadata}{uid}, 'owner';
    ok $owner->{controller} && $owner->{blockOwnerDeletion}, 'as controller';
    ok $je->{status}{startTime} && $je->{status}{completionTime}, 'times';
    is $je->{status}{attempts}, 1, 'attempts';
    is $o->log('plain'), Encode::encode_utf8("plain: quo\"te\nline \$HOME \$(HOME) \$\$ {{ .X }} \x{263a}"), 'the payload is literal';
    $t->wait_for( 'its Events', sub { join( ' ', $o->events('plain') ) =~ /^Completed Created(?: Started)?$/ } );    # it may be over before it is seen to run
    is $o->metric( $ctl, 'job_executions_total' ),         1, 'counted once';
    is $o->metric( $ctl, 'job_executions_success_total' ), 1, 'as a success';
};

subtest 'a failure says why' => sub {
    $o->template( 'fail', command => [ 'sh', '-c', 'exit 7' ], backoff => 1 );
    $o->execution( 'failing', 'fail' );
    my $je = $o->wait_state( 'failing', 'Failed' );
    is $je->{status}{reason}, 'BackoffLimitExceeded', 'reason';
    is $je->{status}{failure}{exitCode},  7,      'exit code';
    is $je->{status}{failure}{container}, 'main', 'container';
    like $o->condition( 'failing', 'Succeeded' )->{message}, qr/container main exited with code 7/, 'message';
    is $je->{status}{attempts}, 2, 'attempts';
    is scalar( $o->jobs('failing') ), 1, 'one Job';
    is $o->metric( $ctl, 'job_executions_failures_total' ), 1, 'counted';
};

subtest 'a deadline' => sub {
    $o->template( 'slow', command => [ 'sleep', '60' ], deadline => 1 );
    $o->execution( 'late', 'slow' );
    is $o->wait_state( 'late', 'Failed' )->{status}{reason}, 'DeadlineExceeded', 'the Job\'s own reason';
};

subtest 'a template that does not exist, and then does' => sub {
    $o->execution( 'early', 'later' );
    $o->wait_reason( 'early', 'TemplateNotFound' );
    like $o->condition( 'early', 'Waiting' )->{message}, qr/"later"/, 'its name is in the message';
    $o->template('later');
    $o->wait_state( 'early', 'Succeeded' );
    ok( ( grep { $_ eq 'JobTemplateNotFound' } $o->events('early') ), 'the original\'s Event' );
};

subtest 'a template error is final and has its field' => sub {
    $o->template( 'date', command => [ 'echo', '{{.Date}}' ] );
    $o->execution( 'wrong', 'date' );
    my $je = $o->wait_state( 'wrong', 'Failed' );
    is $je->{status}{reason}, 'TemplateError', 'reason';
    is $o->condition( 'wrong', 'Succeeded' )->{message},
        'spec.template.spec.containers[0].command[1]: template: string:1:2: executing "string" at <.Date>: '
        . 'can\'t evaluate field Date in type *template.Environment', 'message';
    is scalar( $o->jobs('wrong') ), 0, 'no Job';
};

subtest 'an invalid Job is final' => sub {
    $o->template( 'invalid', spec => { template => { spec => { containers => [] } } } );
    $o->execution( 'refused', 'invalid' );
    is $o->wait_state( 'refused', 'Failed' )->{status}{reason}, 'InvalidJob', 'reason';
};

subtest 'the TTL waits for the result, then the Job goes and takes the JobExecution along' => sub {
    for my $ttl ( 0, 1 ) {
        $o->template( "ttl$ttl", ttl => $ttl, command => [ 'sleep', '0.1' ] );
        $o->execution( "short$ttl", "ttl$ttl" );
        $o->wait_gone("short$ttl");
    }
    is $o->metric( $ctl, 'job_executions_success_total' ), 4, 'both were counted as successes';
};

subtest 'a Job that is deleted while it runs is not run again' => sub {
    $o->template( 'long', command => [ 'sleep', '60' ] );
    $o->execution( 'cancelled', 'long' );
    my $je = $o->wait_state( 'cancelled', 'Running' );
    $o->delete_job( $je->{status}{job}{name} );
    is $o->wait_state( 'cancelled', 'Failed' )->{status}{reason}, 'JobDeleted', 'reason';
    is scalar( $o->jobs('cancelled') ), 0, 'no new Job';
    ok $o->je('cancelled'), 'the JobExecution stays';
};

subtest 'a JobExecution that is deleted takes its Job along' => sub {
    $o->execution( 'gone', 'long' );
    my $job = $o->wait_state( 'gone', 'Running' )->{status}{job}{name};
    $t->wait_for( 'its Events', sub { join( ' ', $o->events('gone') ) eq 'Created Started' } );
    $o->delete_je('gone');
    $t->wait_for( 'the Job to go', sub { !$o->get( $o->job_path($job) ) } );
    ok !$o->je('gone'), 'and does not come back';
};

subtest 'suspended and resumed' => sub {
    $o->template( 'held', suspend => 1 );
    $o->execution( 'waiting', 'held' );
    my $je = $o->wait_reason( 'waiting', 'Suspended' );
    is $je->{status}{state}, 'Waiting', 'state';
    $o->patch_job( $je->{status}{job}{name}, { spec => { suspend => JSON::PP::false() } } );
    $o->wait_state( 'waiting', 'Succeeded' );
};

subtest 'a fixed name: one after the other' => sub {
    $o->template( 'single', name => 'only-one', command => [ 'sleep', '0.2' ], ttl => 0 );
    $o->execution( 'first', 'single' );
    $o->wait_state( 'first', 'Running' );
    $o->execution( 'second', 'single' );
    $o->wait_reason( 'second', 'JobNameConflict' );
    $o->wait_gone('first');
    $o->wait_gone('second');
    ok 1, 'both have run';
};

subtest 'a JobExecution with a long name' => sub {
    my $name = 'x' x 100;
    $o->execution( $name, 'echo', '' );
    $o->wait_state( $name, 'Succeeded' );
    my ($job) = $o->jobs($name);
    cmp_ok length $job->{metadata}{name}, '<=', 63, 'its Job\'s name is short enough';
    is $job->{metadata}{labels}{'job-execution-name'}, 'x' x 63, 'and so is the label';
};

subtest 'a template that is edited or deleted does not touch what has run' => sub {
    $o->template('brief');
    $o->execution( 'done', 'brief' );
    my $before = $o->wait_state( 'done', 'Succeeded' );
    $o->must( DELETE => '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobtemplates/brief' );
    $o->template( 'brief', command => ['false'] );
    $o->execution( 'after', 'brief' );
    $o->wait_state( 'after', 'Failed' );
    is $o->je('done')->{metadata}{resourceVersion}, $before->{metadata}{resourceVersion}, 'not a byte was written';
};

subtest 'stopped and started again' => sub {
    $o->execution( 'over', 'long' );
    $o->wait_state( 'over', 'Running' );
    my $job = $o->job('over');
    $ctl->stop;
    is $ctl->{status} // 0, 0, 'a clean end';
    $o->execution( 'meanwhile', 'echo', 'x' );
    $ctl = $t->controller( $kube, { name => 'controller2' } );
    $o->wait_state( 'meanwhile', 'Succeeded' );
    is $o->job('over')->{metadata}{uid}, $job->{metadata}{uid}, 'the running Job is the same';
    is $o->state('over'), 'Running', 'and still followed';
    $o->delete_job( $job->{metadata}{name} );
    $o->wait_reason( 'over', 'JobDeleted' );
};

subtest 'the Job is gone when the controller comes back' => sub {
    $o->execution( 'lost', 'long' );
    my $job = $o->wait_state( 'lost', 'Running' )->{status}{job}{name};
    $o->execution( 'forgotten', 'echo', 'x' );
    my $finished = $o->wait_state( 'forgotten', 'Succeeded' )->{status}{job}{name};
    $ctl->stop;
    $o->delete_job($_) for $job, $finished;
    $ctl = $t->controller( $kube, { name => 'controller3' } );
    $o->wait_reason( 'lost', 'JobDeleted' );
    $o->wait_gone('forgotten');
    is scalar( $o->jobs('lost') ), 0, 'not run again';
};

subtest 'probes and metrics' => sub {
    is( Dispatcher::Test::Http::request( $ctl->{probes}, GET => "/$_" )->{status}, 200, "/$_" ) for qw(healthz readyz);
    my $page = Dispatcher::Test::Http::request( $ctl->{metrics}, GET => '/metrics' );
    like $page->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'content type';
    is( Dispatcher::Test::Http::request( $ctl->{metrics}, GET => '/nothing' )->{status}, 404, 'nothing else' );
    my ($promtool) = grep { -x "$_/promtool" } split /:/, $ENV{PATH};
    SKIP: {
        skip 'no promtool (Debian package prometheus)', 1 unless $promtool;
        my $result = $t->run( 'promtool', 'check', 'metrics', { stdin => $page->{body} } );
        is "$result->{status}$result->{out}$result->{err}", '0', 'promtool finds nothing';
    }
};

$t->done_testing;
