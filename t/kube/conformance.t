#!/usr/bin/env perl
# The embedded cluster held to a real kube-apiserver, object by object: what clients read, write and are refused. Lists, pages and watches:
# conformance_lists.t; the ways of writing: conformance_writes.t. How it is compared: t/lib/Dispatcher/Conformance.pm.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();

use Dispatcher::Conformance;

my $c = Dispatcher::Conformance->new;

my $lease = {
    apiVersion => 'coordination.k8s.io/v1', kind => 'Lease', metadata => { name => 'l' },
    spec => { holderIdentity => 'me', leaseDurationSeconds => 15, acquireTime => '2024-01-02T03:04:05.000006Z', renewTime => '2024-01-02T03:04:05.000006Z', leaseTransitions => 0 },
};
my $event = {
    apiVersion => 'v1', kind => 'Event', metadata => { name => 'a.1' }, type => 'Normal', reason => 'Created', message => 'm', count => 1,
    involvedObject => { apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', namespace => 'default', name => 'a', uid => 'u' },
    firstTimestamp => '2024-01-02T03:04:05Z', lastTimestamp => '2024-01-02T03:04:05Z', source => { component => 'x' },
};
my $conditions = [ { type => 'Waiting', status => 'True', reason => 'R', message => '', lastTransitionTime => '2024-01-02T03:04:05Z' } ];

# What may differ, and why.
$c->may_differ( $_, qr/^\.message$/, 'the words of a parser' ) for 'a bad selector', 'a patch that is no JSON', 'no JSON', 'a page that is none';
$c->may_differ( 'a condition type twice', qr/^\.(?:message|details\.causes)/, 'the key is quoted in another form; status and reason are the same' );
$c->may_differ( $_, qr/^\.items\.\d+\.(?:apiVersion|kind)$/, 'items of built-in kinds say what they are; a client must not need it' )
    for 'a Job by its label', 'Events of an object';

# what, method, path, body, content type, Accept
$c->compare(
    [ 'create',                    POST   => $JE, je('a') ],
    [ 'create again',              POST   => $JE, je('a') ],
    [ 'get',                       GET    => "$JE/a" ],
    [ 'get in the other version',  GET    => "$JE/a" =~ s/v1beta1/v1alpha1/r ],
    [ 'get what is not there',     GET    => "$JE/nothing" ],
    [ 'get of an unknown kind',    GET    => '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/nothings' ],
    [ 'get of an unknown group',   GET    => '/apis/nothing.example.com/v1/namespaces/default/nothings/a' ],
    [ 'metadata only',             GET    => "$JE/a", undef, undef, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' ],
    [ 'list',                      GET    => $JE ],
    [ 'list of all namespaces',    GET    => '/apis/dispatcher.ivan.vc/v1beta1/jobexecutions' ],
    [ 'list of nothing',           GET    => "$JE?labelSelector=no%3Dthing" ],
    [ 'a bad selector',            GET    => "$JE?labelSelector=%3D%3D" ],
    [ 'a field selector',          GET    => "$JE?fieldSelector=metadata.name%3Da" ],
    [ 'a field that cannot select', GET   => "$JE?fieldSelector=spec.payload%3Da" ],
    [ 'a table',                   GET    => $JE, undef, undef, 'application/json;as=Table;v=v1;g=meta.k8s.io' ],
    [ 'status is dropped on create', POST => $JE, je( 'b', status => { state => 'Running' } ) ],
    [ 'status by merge-patch',     PATCH  => "$JE/b/status", { status => { conditions => $conditions, state => 'Waiting' } }, $MERGE ],
    [ 'the spec by the status subresource is ignored', PATCH => "$JE/b/status", { spec => { payload => 'other' } }, $MERGE ],
    [ 'a status that the schema refuses', PATCH => "$JE/b/status", { status => { conditions => [ { type => 'x' } ] } }, $MERGE ],
    [ 'a condition type twice',    PATCH  => "$JE/b/status", { status => { conditions => [ $conditions->[0], $conditions->[0] ] } }, $MERGE ],
    [ 'an old resourceVersion',    PATCH  => "$JE/b/status", { metadata => { resourceVersion => '1' }, status => { state => 'x' } }, $MERGE ],
    [ 'a change of the spec',      PATCH  => "$JE/b", { spec => { payload => 'other' } }, $MERGE ],
    [ 'a label by merge-patch',    PATCH  => "$JE/b", { metadata => { labels => { a => 'b' } } }, $MERGE ],
    [ 'a label by json-patch',     PATCH  => "$JE/b", [ { op => 'replace', path => '/metadata/labels/a', value => 'c' } ], 'application/json-patch+json' ],
    [ 'a json-patch whose test fails', PATCH => "$JE/b", [ { op => 'test', path => '/metadata/labels/a', value => 'x' } ], 'application/json-patch+json' ],
    [ 'a strategic merge of a custom kind', PATCH => "$JE/b", {}, 'application/strategic-merge-patch+json' ],
    [ 'a patch of what is not there', PATCH => "$JE/nothing", {}, $MERGE ],
    [ 'a patch that is no JSON',   PATCH  => "$JE/b", \'{', $MERGE ],
    [ 'by its label',              GET    => "$JE?labelSelector=a%3Dc" ],
    [ 'PUT without resourceVersion', PUT  => "$JE/b", je('b') ],
    [ 'PUT of another name',       PUT    => "$JE/b", je('c') ],
    [ 'no name',                   POST   => $JE, { %{ je('x') }, metadata => {} } ],
    [ 'a bad name',                POST   => $JE, je('Upper_Case') ],
    [ 'another namespace in the object', POST => $JE, { %{ je('x') }, metadata => { name => 'x', namespace => 'other' } } ],
    [ 'a wrong type',              POST   => $JE, je( 'x', spec => { jobTemplateName => 1 } ) ],
    [ 'a missing field',           POST   => $JE, je( 'x', spec => { payload => 'p' } ) ],
    [ 'a long template name',      POST   => $JE, je( 'x', spec => { jobTemplateName => 'n' x 300 } ) ],
    [ 'an unknown field',          POST   => $JE, je( 'unknown', spec => { jobTemplateName => 'a', zz => 1 } ) ],
    [ 'an unknown field, strictly', POST  => "$JE?fieldValidation=Strict", je( 'x', spec => { jobTemplateName => 'a', zz => 1 } ) ],
    [ 'dry run',                   POST   => "$JE?dryRun=All", je('dry') ],
    [ 'and nothing is stored',     GET    => "$JE/dry" ],
    [ 'no JSON',                   POST   => $JE, \'{"a":' ],
    [ 'an empty body',             POST   => $JE, \'' ],
    [ 'another kind',              POST   => $JE, { %{ je('x') }, kind => 'Other' } ],
    [ 'an unknown content type',   POST   => $JE, je('x'), 'text/plain' ],
    [ 'a namespace that is not there', POST => $JE =~ s/default/nowhere/r, je('x') ],
    [ 'a method that is none',     POST   => "$JE/a", je('a') ],
    [ 'a JobTemplate',             POST   => $JT, jt( 'a', { jobTemplate => { spec => job('x')->{spec} } } ) ],
    [ 'a JobTemplate without spec', POST  => $JT, { %{ jt( 'x', {} ) }, spec => {} } ],
    [ 'a JobTemplate with a wrong type', POST => $JT, jt( 'x', { jobTemplate => { spec => { backoffLimit => 'two', template => {} } } } ) ],
    [ 'a Job',                     POST   => $JOBS, job('j') ],
    [ 'a Job again',               POST   => $JOBS, job('j') ],
    [ 'an invalid Job',            POST   => $JOBS, job( 'x', backoffLimit => -1 ) ],
    [ 'a Job without containers',  POST   => $JOBS, job( 'x', template => { spec => { restartPolicy => 'Never', containers => [] } } ) ],
    [ 'a Job that restarts always', POST  => $JOBS, job( 'x', template => { spec => { restartPolicy => 'Always', containers => [ { name => 'c', image => 'x' } ] } } ) ],
    [ 'a Job with a wrong type',   POST   => $JOBS, job( 'x', backoffLimit => 'two' ) ],
    [ 'a Job with a long name',    POST   => $JOBS, job( 'n' x 64 ) ],
    [ 'a TTL by merge-patch',      PATCH  => "$JOBS/j", { spec => { ttlSecondsAfterFinished => 5 } }, $MERGE ],
    [ 'an immutable field',        PATCH  => "$JOBS/j", { spec => { completions => 7 } }, $MERGE ],
    [ 'a Job by its label',        GET    => "$JOBS?labelSelector=batch.kubernetes.io%2Fjob-name%3Dj" ],
    [ 'a Lease',                   POST   => '/apis/coordination.k8s.io/v1/namespaces/default/leases', $lease ],
    [ 'PUT of a Lease without resourceVersion', PUT => '/apis/coordination.k8s.io/v1/namespaces/default/leases/l', $lease ],
    [ 'an Event',                  POST   => '/api/v1/namespaces/default/events', $event ],
    [ 'an Event again',            POST   => '/api/v1/namespaces/default/events', $event ],
    [ 'a Lease by its name',       GET    => '/apis/coordination.k8s.io/v1/namespaces/default/leases/l' ],
    [ 'PUT of a Lease with an old resourceVersion', PUT => '/apis/coordination.k8s.io/v1/namespaces/default/leases/l',
        { %$lease, metadata => { name => 'l', resourceVersion => '1' } } ],
    [ 'Events of an object',       GET    => '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Da' ],
    [ 'a JobTemplate by merge-patch', PATCH => "$JT/a", { metadata => { annotations => { x => '{{ y }}' } } }, $MERGE ],
    [ 'a list in pages',           GET    => "$JE?limit=1" ],
    [ 'a page that is none',       GET    => "$JE?limit=1&continue=x" ],
    [ 'an unknown subresource',    GET    => "$JE/a/nothing" ],
    [ 'a Job without saying what of its Pods', POST => $JOBS, job('k') ],
    [ 'delete a Job without saying what of its Pods', DELETE => "$JOBS/k" ],
    [ 'delete with a wrong policy', DELETE => "$JE/a?propagationPolicy=x" ],
    [ 'delete on trial',           DELETE => "$JE/a?dryRun=All" ],
    [ 'delete a Job',              DELETE => "$JOBS/j?propagationPolicy=Background" ],
    [ 'delete with a wrong uid',   DELETE => "$JE/a", { apiVersion => 'v1', kind => 'DeleteOptions', preconditions => { uid => 'x' } } ],
    [ 'delete',                    DELETE => "$JE/a" ],
    [ 'delete again',              DELETE => "$JE/a" ],
    [ 'delete a collection',       DELETE => "$JE?labelSelector=a%3Dc" ],
    [ 'a watch that cannot resume', GET   => "$JE?watch=1&resourceVersion=999999999&timeoutSeconds=1" ],
    [ 'a bad resourceVersion',     GET    => "$JE?resourceVersion=x" ],
    [ 'the resources of the group', GET   => '/apis/dispatcher.ivan.vc/v1beta1' ],
    [ 'the group',                 GET    => '/apis/dispatcher.ivan.vc' ],
);
$c->done;
