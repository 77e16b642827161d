#!/usr/bin/env perl
# devcluster as an API server: what it stores, answers, refuses and watches. What is expected here was seen on kube-apiserver 1.36.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Devcluster;
use Dispatcher::Test;

plan skip_all => 'about devcluster itself' if $ENV{DSP_KUBE};
my $t  = Dispatcher::Test->new;
my $d  = Dispatcher::Devcluster->new( $t, args => [ '--no-jobs', '--history', 50 ] );
my $JE = $Dispatcher::Devcluster::JE;
my $JT = $Dispatcher::Devcluster::JT;
my $JOBS  = $Dispatcher::Devcluster::JOBS;
my $MERGE = $Dispatcher::Devcluster::MERGE;

sub causes { my ($answer) = @_; return join ' ', map { ( $_->{field} // '' ) . ":$_->{reason}" } @{ $answer->{json}{details}{causes} // [] } }

subtest 'create, get, versions' => sub {
    my $made = $d->ask( POST => $JE, $d->execution( 'one', payload => "<a>&\x{e9}" ) );
    is $made->{status}, 201, 'created';
    like $made->{json}{metadata}{uid}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-4/, 'a uid';
    like $made->{json}{metadata}{creationTimestamp}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'a time';
    is $made->{json}{metadata}{generation}, 1, 'generation';
    like $made->{body}, qr/\\u003ca\\u003e\\u0026/, 'escaped as Go escapes';
    my $old = $d->ask( GET => $JE =~ s/v1beta1/v1alpha1/r . '/one' );
    is $old->{json}{apiVersion}, 'dispatcher.ivan.vc/v1alpha1', 'the other version of the same object';
    is $old->{json}{metadata}{uid}, $made->{json}{metadata}{uid}, 'it is the same';
    my $again = $d->ask( POST => $JE, $d->execution('one') );
    is $again->{status}, 409;
    is $again->{json}{reason}, 'AlreadyExists';
    is_deeply $again->{json}{details}, { name => 'one', group => 'dispatcher.ivan.vc', kind => 'jobexecutions' }, 'details';
    is $d->ask( GET => "$JE/none" )->{json}{message}, 'jobexecutions.dispatcher.ivan.vc "none" not found';
    is $d->ask( POST => $JE =~ s/default/nowhere/r, $d->execution('x') )->{json}{message}, 'namespaces "nowhere" not found';
    is $d->ask( GET => '/apis/nothing/v1/x' )->{status}, 404;
    my $generated = $d->must( POST => $JE, { %{ $d->execution('x') }, metadata => { generateName => 'g-' } } );
    like $generated->{metadata}{name}, qr/^g-[bcdfghjklmnpqrstvwxz2456789]{5}$/, 'generateName';
};

subtest 'integers survive' => sub {
    my $body = '{"apiVersion":"dispatcher.ivan.vc/v1beta1","kind":"JobTemplate","metadata":{"name":"big","annotations":{"n":"9007199254740993"}},'
        . '"spec":{"jobTemplate":{"spec":{"activeDeadlineSeconds":9007199254740993,"template":{"spec":{"containers":[]}}}}}}';
    like $d->ask( POST => $JT, $body )->{body}, qr/"activeDeadlineSeconds":9007199254740993\b/, 'in the answer';
    like $d->ask( GET => "$JT/big" )->{body}, qr/"activeDeadlineSeconds":9007199254740993\b/, 'in the store';
};

subtest 'what is refused' => sub {
    my $bad = $d->ask( POST => $JE, { %{ $d->execution('B!') }, spec => { payload => 3 } } );
    is $bad->{status}, 422;
    is causes($bad), 'metadata.name:FieldValueInvalid spec.jobTemplateName:FieldValueRequired spec.payload:FieldValueTypeInvalid <nil>:FieldValueInvalid';
    my $unknown = $d->execution( 'warned', zz => 1, yy => 2 );
    my $warned = $d->ask( POST => $JE, $unknown );
    is $warned->{status}, 201, 'unknown fields are pruned';
    like $warned->{raw}, qr/299 - "unknown field \\"spec.yy\\""/, 'with a warning';
    ok !exists $warned->{json}{spec}{zz}, 'and gone';
    $unknown->{metadata}{name} = 'strict';
    my $strict = $d->ask( POST => "$JE?fieldValidation=Strict", $unknown );
    is $strict->{status}, 400, 'Strict refuses them';
    like $strict->{json}{message}, qr/strict decoding error: unknown field "spec\.yy", unknown field "spec\.zz"$/;
    is $d->ask( GET => "$JE/strict" )->{status}, 404, 'nothing was stored';
    is $d->ask( POST => "$JE?fieldValidation=Strict", '{"apiVersion":"dispatcher.ivan.vc/v1beta1","kind":"JobExecution","metadata":{"name":"dup"},"spec":{"jobTemplateName":"a","jobTemplateName":"b"}}' )->{status}, 400, 'duplicates too';
    is $d->ask( POST => $JE, '{nope' )->{status}, 400, 'no JSON';
    is $d->ask( POST => $JE, 'x', 'text/plain' )->{status}, 415, 'no media type of ours';
    is $d->ask( GET => $JE, undef, undef, headers => [ Accept => 'text/html' ] )->{status}, 406, 'nothing acceptable';
    is $d->ask( DELETE => "$JE/one/status" )->{status}, 405, 'no such method';
    is $d->ask( POST => $JE, 'x' x ( 3 * 1024 * 1024 + 1 ) )->{status}, 413, 'too large';
    is $d->ask( POST => $JE, { %{ $d->execution('x') }, apiVersion => 'dispatcher.ivan.vc/v1' } )->{status}, 400, 'another version in the body';
    my $dry = $d->ask( POST => "$JE?dryRun=All", $d->execution('dry') );
    is $dry->{status}, 201, 'dry run';
    is $d->ask( GET => "$JE/dry" )->{status}, 404, 'stores nothing';
};

subtest 'Jobs: defaults and rules' => sub {
    my $job = $d->must( POST => $JOBS, $d->job( 'defaults', command => ['true'], suspend => JSON::PP::true ) );
    my %spec = %{ $job->{spec} };
    is_deeply [ @spec{qw(parallelism completions backoffLimit completionMode)} ], [ 1, 1, 6, 'NonIndexed' ], 'defaults';
    my $uid = $job->{metadata}{uid};
    is_deeply $spec{selector}{matchLabels}, { 'batch.kubernetes.io/controller-uid' => $uid }, 'selector';
    my $labels = { 'batch.kubernetes.io/controller-uid' => $uid, 'batch.kubernetes.io/job-name' => 'defaults', 'controller-uid' => $uid, 'job-name' => 'defaults' };
    is_deeply $spec{template}{metadata}{labels}, $labels, 'labels of the pods';
    is_deeply $job->{metadata}{labels}, $labels, 'and of the Job, which had none';
    is causes( $d->ask( POST => $JOBS, { apiVersion => 'batch/v1', kind => 'Job', metadata => { name => 'x' }, spec => {} } ) ),
        'spec.template.spec.containers:FieldValueRequired spec.template.spec.restartPolicy:FieldValueRequired', 'required';
    is causes( $d->ask( POST => $JOBS, $d->job( 'x', backoffLimit => -1, ttlSecondsAfterFinished => -2 ) ) ),
        'spec.backoffLimit:FieldValueInvalid spec.ttlSecondsAfterFinished:FieldValueInvalid', 'negative';
    is causes( $d->ask( POST => $JOBS, $d->job( 'j' x 64 ) ) ), 'spec.template.labels:FieldValueInvalid spec.template.labels:FieldValueInvalid', 'a name too long for a label';
    for my $value ( '"x"', '1.5', '1e3', '99999999999', 'true' ) {
        my $answer = $d->ask( POST => $JOBS, JSON::PP->new->encode( $d->job( 'x', backoffLimit => 'HERE' ) ) =~ s/"HERE"/$value/r );
        is $answer->{status}, 400, "backoffLimit: $value";
        like $answer->{json}{message}, qr/Go struct field JobSpec\.spec\.backoffLimit of type int32/;
    }
    is causes( $d->ask( PATCH => "$JOBS/defaults", { spec => { template => { spec => { restartPolicy => 'OnFailure' } } } }, $MERGE ) ), 'spec.template.spec:FieldValueInvalid', 'the template stays';
    my $patched = $d->must( PATCH => "$JOBS/defaults", { spec => { ttlSecondsAfterFinished => 30 } }, $MERGE );
    is $patched->{spec}{ttlSecondsAfterFinished}, 30, 'the TTL may change';
    is $patched->{metadata}{generation}, 2, 'and counts';
};

subtest 'status, patches, conflicts' => sub {
    my $one = $d->must( GET => "$JE/one" );
    my $rv  = $one->{metadata}{resourceVersion};
    my $now = $d->must( PATCH => "$JE/one/status", { metadata => { resourceVersion => $rv, labels => { x => 'y' } }, spec => { payload => 'no' }, status => { state => 'Running' } }, $MERGE );
    is $now->{status}{state}, 'Running', 'the status';
    is $now->{metadata}{labels}, undef, 'and nothing else';
    is $now->{metadata}{generation}, 1, 'does not count';
    my $conflict = $d->ask( PATCH => "$JE/one/status", { metadata => { resourceVersion => $rv }, status => { state => 'x' } }, $MERGE );
    is $conflict->{status}, 409;
    is $conflict->{json}{reason}, 'Conflict';
    like $conflict->{json}{message}, qr/the object has been modified; please apply your changes to the latest version and try again$/;
    my $same = $d->must( PATCH => "$JE/one/status", { status => { state => 'Running' } }, $MERGE );
    is $same->{metadata}{resourceVersion}, $now->{metadata}{resourceVersion}, 'no change, no revision';
    is $d->ask( PATCH => "$JE/one/status", { metadata => { uid => 'other' }, status => { state => 'Running' } }, $MERGE )->{status}, 200, 'the uid in a status patch is not looked at';
    is $d->must( PATCH => "$JE/one", { status => { state => 'x' } }, $MERGE )->{status}{state}, 'Running', 'the status only by its subresource';
    is causes( $d->ask( PATCH => "$JE/one", { spec => { payload => 'z' } }, $MERGE ) ), 'spec:FieldValueInvalid', 'a spec that never changes';
    is $d->ask( PATCH => "$JE/one", {}, 'application/strategic-merge-patch+json' )->{status}, 415, 'no strategic merge for custom kinds';
    is $d->ask( PATCH => "$JE/one", [ { op => 'test', path => '/metadata/name', value => 'x' } ], 'application/json-patch+json' )->{status}, 422, 'a test that fails';
    is $d->ask( PUT => "$JE/one", $d->execution('one') )->{status}, 422, 'PUT without a revision';
    is $d->ask( PUT => "$JE/one", { %{ $d->execution('one') }, metadata => { name => 'one', resourceVersion => '1' } } )->{status}, 409, 'PUT of an old one';
};

subtest 'server-side apply' => sub {
    my $type = 'application/apply-patch+yaml';
    my $with = sub { my ($labels) = @_; return { %{ $d->execution('applied') }, metadata => { name => 'applied', $labels ? ( labels => $labels ) : () } } };
    is $d->ask( PATCH => "$JE/applied", $with->(), $type )->{status}, 422, 'wants a field manager';
    is $d->ask( PATCH => "$JE/applied?fieldManager=a", $with->( { x => '1', y => '1' } ), $type )->{status}, 201, 'creates';
    my $conflict = $d->ask( PATCH => "$JE/applied?fieldManager=b", $with->( { x => '2' } ), $type );
    is $conflict->{status}, 409;
    is $conflict->{json}{message}, 'Apply failed with 1 conflict: conflict with "a": .metadata.labels.x';
    is causes($conflict), '.metadata.labels.x:FieldManagerConflict';
    is $d->must( PATCH => "$JE/applied?fieldManager=b&force=true", $with->( { x => '2' } ), $type )->{metadata}{labels}{x}, '2', 'forced';
    is_deeply $d->must( PATCH => "$JE/applied?fieldManager=a", $with->( { z => '3' } ), $type )->{metadata}{labels}, { x => '2', z => '3' }, 'what one no longer says goes';
};

subtest 'deletion' => sub {
    $d->must( POST => $JE, { %{ $d->execution('held') }, metadata => { name => 'held', finalizers => ['example.com/x'] } } );
    is $d->ask( DELETE => "$JE/held", { preconditions => { uid => 'other' } } )->{status}, 409, 'precondition';
    my $dying = $d->must( DELETE => "$JE/held" );
    ok $dying->{metadata}{deletionTimestamp}, 'finalizers hold it';
    is causes( $d->ask( PATCH => "$JE/held", { metadata => { finalizers => [ 'example.com/x', 'example.com/y' ] } }, $MERGE ) ), 'metadata.finalizers:FieldValueForbidden', 'no new ones';
    $d->must( PATCH => "$JE/held", { metadata => { finalizers => [] } }, $MERGE );
    is $d->ask( GET => "$JE/held" )->{status}, 404, 'gone with the last one';
    my $gone = $d->must( DELETE => "$JE/warned" );
    is "$gone->{status} $gone->{details}{name}", 'Success warned', 'a Status for what is gone';
    my $orphaning = $d->ask( DELETE => "$JOBS/defaults" );
    like $orphaning->{raw}, qr/299 - "child pods are preserved by default when jobs are deleted/, 'a Job is deleted with a warning';
    is_deeply $orphaning->{json}{metadata}{finalizers}, ['orphan'], 'because its pods stay';
};

subtest 'lists and pages' => sub {
    $d->must( POST => $JE, { %{ $d->execution("p$_") }, metadata => { name => "p$_", labels => { odd => $_ % 2 ? 'yes' : 'no' } } } ) for 1 .. 5;
    my $first = $d->must( GET => "$JE?limit=2&labelSelector=odd" );
    is_deeply [ map { $_->{metadata}{name} } @{ $first->{items} } ], [qw(p1 p2)], 'a page';
    $d->must( DELETE => "$JE/p3" );
    $d->must( POST => $JE, { %{ $d->execution('p9') }, metadata => { name => 'p9', labels => { odd => 'new' } } } );
    my $second = $d->must( GET => "$JE?limit=2&labelSelector=odd&continue=$first->{metadata}{continue}" );
    is_deeply [ map { $_->{metadata}{name} } @{ $second->{items} } ], [qw(p3 p4)], 'the next shows the state of the first';
    is $second->{metadata}{resourceVersion}, $first->{metadata}{resourceVersion}, 'and its revision';
    $d->control( POST => '/compact' );
    my $expired = $d->ask( GET => "$JE?limit=2&continue=$second->{metadata}{continue}" );
    is $expired->{status}, 410;
    is $expired->{json}{reason}, 'Expired';
    my $fresh = $d->must( GET => "$JE?limit=9&labelSelector=odd&continue=$expired->{json}{metadata}{continue}" );
    is_deeply [ map { $_->{metadata}{name} } @{ $fresh->{items} } ], [qw(p5 p9)], 'goes on inconsistently with the fresh token';
    is scalar @{ $d->must( GET => "$JE?fieldSelector=metadata.name%3Dp1" )->{items} }, 1, 'field selector';
    is $d->ask( GET => "$JE?fieldSelector=spec.x%3D1" )->{status}, 400, 'an unknown field';
    my $partial = $d->ask( GET => "$JE/p1", undef, undef, headers => [ Accept => 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' ] )->{json};
    is "$partial->{kind} $partial->{metadata}{name}", 'PartialObjectMetadata p1';
    ok !exists $partial->{spec}, 'without the rest';
    my $table = $d->ask( GET => $JE, undef, undef, headers => [ Accept => 'application/json;as=Table;g=meta.k8s.io;v=v1' ] )->{json};
    is $table->{kind}, 'Table';
    is $table->{columnDefinitions}[1]{name}, 'Template', 'columns of the CRD';
    my $late = $d->ask( GET => "$JE?resourceVersion=99999999" );
    is $late->{status}, 504, 'a revision of the future';
    is causes($late) =~ s/^://r, 'ResourceVersionTooLarge';
};

subtest 'watches' => sub {
    $d->must( DELETE => $JE );
    my $start = $d->must( GET => $JE )->{metadata}{resourceVersion};
    my $all   = $d->watch("$JE?watch=1&resourceVersion=$start");
    my $odd   = $d->watch("$JE?watch=1&resourceVersion=$start&labelSelector=odd");
    $d->must( POST => $JE, $d->execution('w1') );
    $d->must( PATCH => "$JE/w1", { metadata => { labels => { odd => 'y' } } }, $MERGE );
    $d->must( PATCH => "$JE/w1", { metadata => { labels => { odd => undef } } }, $MERGE );
    $d->must( DELETE => "$JE/w1" );
    is $all->brief(4), 'ADDED w1, MODIFIED w1, MODIFIED w1, DELETED w1', 'all of it';
    is $odd->brief(2), 'ADDED w1, DELETED w1', 'entering and leaving a selection';
    my @events = $all->events;
    ok $events[3]{object}{metadata}{resourceVersion} > $events[2]{object}{metadata}{resourceVersion}, 'a deletion has its own revision';
    $all->stop;
    $odd->stop;
    $d->must( POST => $JE, $d->execution('w2') );
    my $list = $d->watch("$JE?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
    is $list->brief(2), 'ADDED w2, BOOKMARK', 'a list by watch';
    is( ( $list->events )[1]{object}{metadata}{annotations}{'k8s.io/initial-events-end'}, 'true', 'with its end' );
    $d->control( POST => '/kill-watches' );
    $t->wait_for( 'the watch to end', sub { $list->ended } );
    my $short = $d->watch("$JE?watch=1&timeoutSeconds=1");
    $t->wait_for( 'a watch to end by its own time', sub { $short->ended } );
    my $old = $d->ask( GET => "$JE?watch=1&resourceVersion=1" );
    is $old->{status}, 200, 'too old is said in the stream';
    is $old->{json}{type} . $old->{json}{object}{code} . $old->{json}{object}{reason}, 'ERROR410Expired';
    is $d->ask( GET => "$JE?watch=1&sendInitialEvents=true" )->{status}, 422, 'options that do not go together';
};

subtest 'events have two faces' => sub {
    my $core = '/api/v1/namespaces/default/events';
    my $new  = '/apis/events.k8s.io/v1/namespaces/default/events';
    $d->must( POST => $core, { metadata => { name => 'e1' }, involvedObject => { kind => 'Job', namespace => 'default', name => 'j' }, reason => 'R', message => 'm', type => 'Normal', count => 2 } );
    my $seen = $d->must( GET => "$new/e1" );
    is "$seen->{regarding}{name} $seen->{note} $seen->{deprecatedCount}", 'j m 2';
    $d->must( PATCH => "$new/e1", { note => 'changed' }, $MERGE );
    is $d->must( GET => "$core/e1" )->{message}, 'changed';
};

subtest 'definitions make kinds' => sub {
    my $schema = { openAPIV3Schema => { type => 'object', properties => { spec => { type => 'object', properties => { n => { type => 'integer' } } } } } };
    my $crd = {
        apiVersion => 'apiextensions.k8s.io/v1', kind => 'CustomResourceDefinition', metadata => { name => 'things.example.com' },
        spec => { group => 'example.com', scope => 'Namespaced', names => { plural => 'things', kind => 'Thing' }, versions => [ { name => 'v1', served => JSON::PP::true, storage => JSON::PP::true, schema => $schema } ] },
    };
    my $crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    my $things = '/apis/example.com/v1/namespaces/default/things';
    is $d->ask( GET => $things )->{status}, 404, 'not yet';
    like $d->conditions( $d->must( POST => $crds, $crd ) ), qr/Established=True/;
    is $d->ask( POST => $things, { apiVersion => 'example.com/v1', kind => 'Thing', metadata => { name => 'a' }, spec => { n => 'x' } } )->{status}, 422, 'its schema holds';
    $d->must( POST => $things, { apiVersion => 'example.com/v1', kind => 'Thing', metadata => { name => 'a' }, spec => { n => 1 } } );
    $d->must( DELETE => "$crds/things.example.com" );
    is $d->ask( GET => $things )->{status}, 404, 'gone with it';
};

subtest 'tokens, TLS and addresses' => sub {
    my $secret = Dispatcher::Devcluster->new( $t, name => 'secret', token => 's3cret' );
    is $secret->ask( GET => '/api/v1/namespaces', undef, undef, anonymous => 1 )->{status}, 401, 'no token';
    is $secret->ask( GET => '/api/v1/namespaces' )->{status}, 200, 'the token';
    my $refused = $t->run( "$t->{build}/devcluster", '--listen', '0.0.0.0:0' );
    is $refused->{status} >> 8 || $refused->{status}, 2, 'nothing but loopback';
    like $refused->{err}, qr/refusing to listen on "0\.0\.0\.0"/;
};

subtest 'a snapshot' => sub {
    my $data = $t->path('data');
    my $first = Dispatcher::Devcluster->new( $t, name => 'snap1', args => [ '--data', $data ] );
    my $made = $first->must( POST => $JE, $first->execution('kept') );
    $first->process->stop('TERM');
    my $second = Dispatcher::Devcluster->new( $t, name => 'snap2', args => [ '--data', $data ] );
    my $kept = $second->must( GET => "$JE/kept" );
    is $kept->{metadata}{uid}, $made->{metadata}{uid}, 'objects survive a restart';
    ok $second->must( GET => $JE )->{metadata}{resourceVersion} > $made->{metadata}{resourceVersion}, 'and revisions go on';
};

$t->done_testing;
