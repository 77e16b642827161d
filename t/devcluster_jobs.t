#!/usr/bin/env perl
# devcluster runs Jobs: processes, logs, retries, ends, deletion. The steps of a Job's status are those of Kubernetes 1.36.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Devcluster;
use Dispatcher::Test;

plan skip_all => 'about devcluster itself' if $ENV{DSP_KUBE};
my $t = Dispatcher::Test->new;
my $d = Dispatcher::Devcluster->new( $t, args => [ '--job-backoff', '10' ] );
my $JE    = $Dispatcher::Devcluster::JE;
my $JOBS  = $Dispatcher::Devcluster::JOBS;
my $PODS  = $Dispatcher::Devcluster::PODS;
my $MERGE = $Dispatcher::Devcluster::MERGE;

sub sh { return [ 'sh', '-c', @_ ] }
sub gone { my ($path) = @_; return $t->wait_for( "$path to go", sub { $d->ask( GET => $path )->{status} == 404 } ) }

# Whether a process is there whose command line has this text.
sub runs {
    my ($text) = @_;
    for my $file ( glob '/proc/[0-9]*/cmdline' ) {
        open my $in, '<', $file or next;
        local $/;
        return 1 if index( <$in> // '', $text ) >= 0;
    }
    return 0;
}

subtest 'a Job that succeeds, step by step' => sub {
    my $watch = $d->watch("$JOBS?watch=1&fieldSelector=metadata.name%3Dok");
    $d->must( POST => $JOBS, $d->job( 'ok', command => sh('echo out; echo err >&2; printf end') ) );
    my $job = $d->wait_job( ok => 'Complete' );
    $t->wait_for( 'its end in the watch', sub { my @all = $watch->events; @all && $d->conditions( $all[-1]{object} ) =~ /Complete/ } );
    my @steps = map { $_->{object}{status} } $watch->events;
    my ($started) = grep { $_->{active} } @steps;
    ok $started->{startTime}, 'started with a time';
    my ($interim) = grep { $d->conditions( { status => $_ } ) eq 'SuccessCriteriaMet=True/CompletionsReached' } @steps;
    is scalar @{ $interim->{uncountedTerminatedPods}{succeeded} }, 1, 'first the pod is named';
    ok !$interim->{succeeded}, 'and not counted';
    is $d->conditions($job), 'SuccessCriteriaMet=True/CompletionsReached Complete=True/CompletionsReached', 'then the end';
    is_deeply [ @{ $job->{status} }{qw(succeeded active ready terminating)} ], [ 1, undef, 0, 0 ], 'counts';
    ok $job->{status}{completionTime}, 'time';
    my ($pod) = $d->pods_of('ok');
    is $pod->{status}{phase}, 'Succeeded', 'the pod';
    is_deeply [ @{ $pod->{status}{containerStatuses}[0]{state}{terminated} }{qw(exitCode reason)} ], [ 0, 'Completed' ], 'its container';
    is $pod->{metadata}{finalizers}, undef, 'no finalizer is left';
    is $d->log_of( $pod->{metadata}{name} ), "out\nerr\nend", 'the log';
    is $d->log_of( $pod->{metadata}{name}, '?tailLines=1' ), 'end', 'its tail';
    is $d->log_of( $pod->{metadata}{name}, '?limitBytes=3' ), 'out', 'some bytes of it';
    like $d->log_of( $pod->{metadata}{name}, '?timestamps=true' ), qr/^\S+Z out\n\S+Z err\n\S+Z end$/, 'with times';
    is $d->ask( GET => "$PODS/$pod->{metadata}{name}/log?container=x" )->{status}, 400, 'no such container';
    is join( ' ', map { $_->{reason} } @{ $d->must( GET => '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dok' )->{items} } ), 'SuccessfulCreate Completed', 'Events';
    $watch->stop;
};

subtest 'environment' => sub {
    my $env = [
        { name => 'A', value => 'a$(NONE)$$(B)' }, { name => 'B', value => '$(A)-$(PATH)' }, { name => 'POD', valueFrom => { fieldRef => { fieldPath => 'metadata.name' } } },
    ];
    $d->must( POST => $JOBS, $d->job( 'env', command => [ 'sh', '-c', 'printf "%s|%s|%s|%s|%s" "$A" "$B" "$POD" "$1" "$(pwd)"', 'x', 'arg $(A) $$(A) $(C)' ], env => $env ) );
    $d->wait_job( env => 'Complete' );
    my ($pod) = $d->pods_of('env');
    my @out = split /\|/, $d->log_of( $pod->{metadata}{name} );
    is $out[0], 'a$(NONE)$(B)', 'expanded once';
    is $out[1], 'a$(NONE)$(B)-$(PATH)', 'only what the container itself sets';
    is $out[2], $pod->{metadata}{name}, 'a field of the pod';
    is $out[3], 'arg a$(NONE)$(B) $(A) $(C)', 'arguments';
    like $out[4], qr/devcluster-\w+$/, 'a directory of its own';
    ok !-e $out[4], 'which is gone';
};

subtest 'failures' => sub {
    $d->must( POST => $JOBS, $d->job( 'fails', command => sh('exit 3'), backoffLimit => 2 ) );
    my $job = $d->wait_job( fails => 'Failed' );
    is $d->conditions($job), 'FailureTarget=True/BackoffLimitExceeded Failed=True/BackoffLimitExceeded', 'conditions';
    is $job->{status}{conditions}[1]{message}, 'Job has reached the specified backoff limit';
    is $job->{status}{failed}, 3, 'retried as often as allowed';
    is scalar( my @pods = $d->pods_of('fails') ), 3, 'a pod each';
    is_deeply [ map { $_->{status}{containerStatuses}[0]{state}{terminated}{exitCode} } @pods ], [ 3, 3, 3 ], 'exit codes';

    $d->must( POST => $JOBS, $d->job( 'restarts', command => sh('echo again; exit 1'), backoffLimit => 2, policy => 'OnFailure' ) );
    is $d->wait_job( restarts => 'Failed' )->{status}{conditions}[0]{reason}, 'BackoffLimitExceeded', 'restarts in place count as well';

    $d->must( POST => $JOBS, $d->job( 'nocommand', backoffLimit => 0 ) );
    $d->wait_job( nocommand => 'Failed' );
    my ($pod) = $d->pods_of('nocommand');
    my $end = $pod->{status}{containerStatuses}[0]{state}{terminated};
    is "$end->{exitCode} $end->{reason}", '128 StartError', 'an image alone is not run';
    like $end->{message}, qr/^container "c" has no command: devcluster runs no images/;

    $d->must( POST => $JOBS, $d->job( 'notthere', backoffLimit => 0, command => ['surely-not-there'] ) );
    $d->wait_job( notthere => 'Failed' );
    like $d->log_of( ( $d->pods_of('notthere') )[0]{metadata}{name} ), qr/exec: "surely-not-there": executable file not found in \$PATH/, 'says so in its log';

    $d->must( POST => $JOBS, $d->job( 'killed', backoffLimit => 0, command => sh('kill -9 $$$$') ) );
    $d->wait_job( killed => 'Failed' );
    is( ( $d->pods_of('killed') )[0]{status}{containerStatuses}[0]{state}{terminated}{exitCode}, 137, 'a signal' );
};

subtest 'deadline, suspension, several pods' => sub {
    $d->must( POST => $JOBS, $d->job( 'late', command => sh('sleep 1000.1'), activeDeadlineSeconds => 1 ) );
    my $late = $d->wait_job( late => 'Failed' );
    is $d->conditions($late), 'FailureTarget=True/DeadlineExceeded Failed=True/DeadlineExceeded', 'deadline';
    is $late->{status}{conditions}[1]{message}, 'Job was active longer than specified deadline';
    $t->wait_for( 'its process to end', sub { !runs('1000.1') } );

    $d->must( POST => $JOBS, $d->job( 'pause', command => sh('sleep 1000.2'), suspend => JSON::PP::true ) );
    my $paused = $d->wait_job( pause => 'Suspended' );
    ok !$paused->{status}{startTime}, 'suspended: not started';
    $d->must( PATCH => "$JOBS/pause", { spec => { suspend => JSON::PP::false } }, $MERGE );
    $t->wait_for( 'it to run', sub { runs('1000.2') } );
    is $d->conditions( $d->must( GET => "$JOBS/pause" ) ), 'Suspended=False/JobResumed', 'resumed';
    $d->must( PATCH => "$JOBS/pause", { spec => { suspend => JSON::PP::true } }, $MERGE );
    $d->wait_job( pause => 'Suspended' );
    $t->wait_for( 'its process to end', sub { !runs('1000.2') } );
    is $d->must( GET => "$JOBS/pause" )->{status}{failed}, undef, 'that is no failure';

    $d->must( POST => $JOBS, $d->job( 'many', command => ['true'], parallelism => 2, completions => 5 ) );
    is $d->wait_job( many => 'Complete' )->{status}{succeeded}, 5, 'completions';
};

subtest 'deletion' => sub {
    $d->must( POST => $JOBS, $d->job( 'bg', command => sh('sleep 1000.3 & sleep 1000.4') ) );
    $t->wait_for( 'it to run', sub { runs('1000.3') && runs('1000.4') } );
    $d->must( DELETE => "$JOBS/bg?propagationPolicy=Background" );
    gone("$JOBS/bg");
    $t->wait_for( 'the whole group to end', sub { !runs('1000.3') && !runs('1000.4') } );
    $t->wait_for( 'the pod to go', sub { !$d->pods_of('bg') } );

    $d->must( POST => $JOBS, $d->job( 'fg', command => ['true'] ) );
    $d->wait_job( fg => 'Complete' );
    is_deeply $d->must( DELETE => "$JOBS/fg?propagationPolicy=Foreground" )->{metadata}{finalizers}, ['foregroundDeletion'], 'foreground';
    gone("$JOBS/fg");
    is scalar( my @left = $d->pods_of('fg') ), 0, 'with its pods';

    $d->must( POST => $JOBS, $d->job( 'orphans', command => ['true'] ) );
    $d->wait_job( orphans => 'Complete' );
    $d->must( DELETE => "$JOBS/orphans?propagationPolicy=Orphan" );
    gone("$JOBS/orphans");
    my ($orphan) = $d->pods_of('orphans');
    is $orphan->{metadata}{ownerReferences}, undef, 'orphaned pods stay, without owner';

    $d->must( POST => $JOBS, $d->job( 'ttl', command => ['true'], ttlSecondsAfterFinished => 0 ) );
    gone("$JOBS/ttl");
    $t->wait_for( 'its pods to go', sub { !$d->pods_of('ttl') } );

    my $owner = $d->must( POST => $JE, $d->execution('owner') );
    my $reference = { apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', name => 'owner', uid => $owner->{metadata}{uid} };
    $d->must( POST => $JOBS, $d->job( 'owned', command => sh('sleep 1000.5'), metadata => { ownerReferences => [$reference] } ) );
    $t->wait_for( 'it to run', sub { runs('1000.5') } );
    $d->must( DELETE => "$JE/owner" );
    gone("$JOBS/owned");
    $t->wait_for( 'its process to end', sub { !runs('1000.5') } );
    $d->must( POST => $JOBS, $d->job( 'late-owned', command => ['true'], metadata => { ownerReferences => [$reference] } ) );
    gone("$JOBS/late-owned");
};

subtest 'a namespace is emptied' => sub {
    my $path = '/api/v1/namespaces';
    $d->must( POST => $path, { metadata => { name => 'short' } } );
    $d->must( POST => $JOBS =~ s/default/short/r, $d->job( 'in', command => sh('sleep 1000.6') ) );
    $t->wait_for( 'it to run', sub { runs('1000.6') } );
    is $d->must( DELETE => "$path/short" )->{status}{phase}, 'Terminating', 'Terminating';
    my $refused = $d->ask( POST => $JOBS =~ s/default/short/r, $d->job('more') );
    if ( $refused->{status} != 404 ) {
        is $refused->{status}, 403, 'takes nothing new';
        is $refused->{json}{details}{causes}[0]{reason}, 'NamespaceTerminating';
    }
    gone("$path/short");
    $t->wait_for( 'its process to end', sub { !runs('1000.6') } );
};

subtest 'following a log, simulated pods' => sub {
    my $gate = $t->path('gate');
    $d->must( POST => $JOBS, $d->job( 'talks', command => sh("echo one; while [ ! -e $gate ]; do sleep 0.02; done; echo two") ) );
    $t->wait_for( 'its pod to run', sub { ( map { $_->{status}{phase} } $d->pods_of('talks') )[0] // '' eq 'Running' } );
    my $out = $t->path('followed');
    my $follow = $t->start( 'follow', 'curl', '-sN', '-o', $out, "http://$d->{host}$PODS/" . ( $d->pods_of('talks') )[0]{metadata}{name} . '/log?follow=true' );
    $t->wait_for( 'the first line', sub { -e $out && $t->read($out) eq "one\n" } );
    $t->write( gate => '' );
    $t->wait_for( 'the end of the log', sub { !$follow->alive } );
    is $t->read($out), "one\ntwo\n", 'all of it';
    my $simulated = { 'devcluster.dispatcher.ivan.vc/simulate' => 'exit=7,after=1' };
    $d->must( POST => $JOBS, $d->job( 'simulated', annotations => $simulated, backoffLimit => 0 ) );
    $d->wait_job( simulated => 'Failed' );
    is( ( $d->pods_of('simulated') )[0]{status}{containerStatuses}[0]{state}{terminated}{exitCode}, 7, 'no process, but an end' );
};

subtest 'the end of devcluster is the end of all' => sub {
    my $short = Dispatcher::Devcluster->new( $t, name => 'short' );
    $short->must( POST => $JOBS, $short->job( 'stays', command => sh('trap "" TERM; setsid sleep 1000.7 & sleep 1000.8') ) );
    $t->wait_for( 'it to run', sub { runs('1000.7') && runs('1000.8') } );
    $short->process->stop('TERM');
    ok !runs('1000.7') && !runs('1000.8'), 'no process is left, not even one in a session of its own';
};

$t->done_testing;
