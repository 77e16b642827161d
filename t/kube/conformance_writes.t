#!/usr/bin/env perl
# The embedded cluster held to a real kube-apiserver: the ways of writing. Trials, strict fields, each kind of patch, server-side apply, PUT, finalizers,
# collections, names and metadata that are refused. How it is compared: t/lib/Dispatcher/Conformance.pm.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();

use Dispatcher::Conformance;

my $c         = Dispatcher::Conformance->new;
my $APPLY     = 'application/apply-patch+yaml';
my $JSONPATCH = 'application/json-patch+json';
my $STRATEGIC = 'application/strategic-merge-patch+json';
my $LEASES    = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
my $lease     = { apiVersion => 'coordination.k8s.io/v1', kind => 'Lease', metadata => { name => 'l' }, spec => { holderIdentity => 'me', leaseDurationSeconds => 15 } };

sub with { my ( $object, %metadata ) = @_; return { %$object, metadata => { %{ $object->{metadata} }, %metadata } } }
# The object that this server gave, changed.
sub again { my ( $what, $change ) = @_; return sub { my $o = JSON::PP::decode_json( JSON::PP::encode_json( $_[0]{$what} ) ); $change->($o); return $o } }

# What may differ, and why.
$c->may_differ( $_, qr/^\.(?:message|details\.causes\.0\.message)$/, 'the object is quoted, with its managedFields or as Go prints it' )
    for ( map {"Strict: a field $_"} 'by merge-patch', 'by json-patch', 'by strategic merge', 'of a status' ), 'strategic: a container by its name', 'metadata: two controllers';
$c->may_differ( $_, qr/^\.(?:message$|details\.causes)/, 'the same cause twice or more, or the remark that others were not looked for' )
    for 'merge: another uid', 'merge: a bad label', 'another finalizer', 'metadata: annotations that are too large';
$c->may_differ( 'merge: a wrong type', qr/^\.(?:message|details\.causes\.0\.message)$/, 'a status subresource is validated from its own root' );
$c->may_differ( 'Warn: a field by merge-patch', qr/^\.warning$/, 'what is not of the subresource is dropped before its fields are looked at' );
$c->may_differ( 'metadata: a bad finalizer', qr/^\.warning$/, 'advice to those who write finalizers' );
$c->may_differ( 'apply: an unknown field', qr/./, 'both refuse it; the real one calls that 500' );
$c->may_differ( 'a Lease with a wrong type', qr/./, 'both refuse it; devcluster sees first that there is one of the name' );
$c->may_differ( $_, qr/^\.message$/, 'the words of a parser' ) for 'options that are none', 'a collection by a bad selector';
$c->may_differ( 'a collection of Jobs', qr/^\.items\.\d+\.(?:apiVersion|kind)$/, 'items of built-in kinds say what they are; a client must not need it' );

# --- trials ---------------------------------------------------------------------------------------------------------

$c->compare(
    [ 'create',                POST => $JE, with( je('a'), labels => { l => 'x' } ) ],
    [ 'a Job',                 POST => $JOBS, job('j') ],
    [ 'a trial of a patch',    PATCH => "$JE/a?dryRun=All", { metadata => { labels => { l => 'y' } } }, $MERGE ],
    [ 'a trial of a status',   PATCH => "$JE/a/status?dryRun=All", { status => { state => 'x' } }, $MERGE ],
    [ 'a trial of a PUT',      PUT => "$JE/a?dryRun=All", again( 'create', sub { $_[0]{metadata}{labels} = { l => 'z' } } ) ],
    [ 'a trial of what exists', POST => "$JE?dryRun=All", je('a') ],
    [ 'a trial of a Job',      POST => "$JOBS?dryRun=All", job('trial') ],
    [ 'a trial of what is refused', POST => "$JE?dryRun=All", je( 'x', spec => {} ) ],
    [ 'a trial of a collection', DELETE => "$JE?dryRun=All" ],
    [ 'a trial that is none',  POST => "$JE?dryRun=x", je('x') ],
    [ 'a trial of a delete in the body', DELETE => "$JE/a", { apiVersion => 'v1', kind => 'DeleteOptions', dryRun => ['All'] } ],
    [ 'nothing has changed',   GET => "$JE/a" ],
);

# --- fields ---------------------------------------------------------------------------------------------------------

my $unknown   = je( 'u', spec => { jobTemplateName => 'a', zz => 1 } );
my $duplicate = \'{"apiVersion":"dispatcher.ivan.vc/v1beta1","kind":"JobExecution","metadata":{"name":"u"},"spec":{"jobTemplateName":"a","jobTemplateName":"b"}}';
my $nested    = jt( 'u', { jobTemplate => { spec => { template => { spec => { containers => [ { name => 'c', imag => 'x' } ], restartPolcy => 'Never' } } } } } );
for my $how (qw(Strict Warn Ignore)) {
    my $try = "fieldValidation=$how&dryRun=All";
    $c->compare(
        [ "$how: a field of a custom kind",   POST  => "$JE?$try",     $unknown ],
        [ "$how: a field twice",              POST  => "$JE?$try",     $duplicate ],
        [ "$how: fields deep inside",         POST  => "$JT?$try",     $nested ],
        [ "$how: a field of a Job",           POST  => "$JOBS?$try",   job( 'x', zz => 1 ) ],
        [ "$how: a field of metadata",        POST  => "$JE?$try",     with( je('x'), zz => 1 ) ],
        [ "$how: a field beside metadata",    POST  => "$JE?$try",     { %{ je('x') }, zz => 1 } ],
        [ "$how: a field by merge-patch",     PATCH => "$JE/a?$try",   { status => { zz => 1 }, zz => 1 }, $MERGE ],
        [ "$how: a field by json-patch",      PATCH => "$JE/a?$try",   [ { op => 'add', path => '/zz', value => 1 } ], $JSONPATCH ],
        [ "$how: a field by strategic merge", PATCH => "$JOBS/j?$try", { spec => { zz => 1 } }, $STRATEGIC ],
        [ "$how: a field of a status",        PATCH => "$JE/a/status?$try", { status => { zz => 1 } }, $MERGE ],
        [ "$how: a field by PUT",             PUT   => "$JE/a?$try",   again( 'create', sub { $_[0]{zz} = 1 } ) ],
    );
}
$c->compare( [ 'validation that is none', POST => "$JE?fieldValidation=x", je('x') ] );

# --- patches --------------------------------------------------------------------------------------------------------

$c->compare(
    [ 'merge: null takes away', PATCH => "$JE/a", { metadata => { labels => { l => undef }, annotations => { x => 'y' } } }, $MERGE ],
    [ 'merge: no object',      PATCH => "$JE/a", [1], $MERGE ],
    [ 'merge: text',           PATCH => "$JE/a", \'"x"', $MERGE ],
    [ 'merge: another name',   PATCH => "$JE/a", { metadata => { name => 'b' } }, $MERGE ],
    [ 'merge: another kind',   PATCH => "$JE/a", { kind => 'Other' }, $MERGE ],
    [ 'merge: another uid',    PATCH => "$JE/a", { metadata => { uid => 'x' } }, $MERGE ],
    [ 'merge: nothing',        PATCH => "$JE/a", {}, $MERGE ],
    [ 'merge: its own version', PATCH => "$JE/a", sub { { metadata => { resourceVersion => $_[0]{'merge: nothing'}{metadata}{resourceVersion}, labels => { m => 'n' } } } }, $MERGE ],
    [ 'merge: an empty version', PATCH => "$JE/a", { metadata => { resourceVersion => '' } }, $MERGE ],
    [ 'merge: a bad version',  PATCH => "$JE/a", { metadata => { resourceVersion => 'x' } }, $MERGE ],
    [ 'merge: a wrong type',   PATCH => "$JE/a/status", { status => { attempts => 'x' } }, $MERGE ],
    [ 'merge: a bad label',    PATCH => "$JE/a", { metadata => { labels => { 'no good' => '_' } } }, $MERGE ],
    [ 'json: several',         PATCH => "$JE/a", [ { op => 'add', path => '/metadata/labels/o', value => 'p' }, { op => 'copy', from => '/metadata/labels/o', path => '/metadata/labels/q' },
        { op => 'move', from => '/metadata/labels/o', path => '/metadata/labels/r' }, { op => 'remove', path => '/metadata/labels/m' } ], $JSONPATCH ],
    [ 'json: remove what is not there', PATCH => "$JE/a", [ { op => 'remove', path => '/metadata/labels/none' } ], $JSONPATCH ],
    [ 'json: an unknown operation', PATCH => "$JE/a", [ { op => 'x', path => '/metadata' } ], $JSONPATCH ],
    [ 'json: no list',         PATCH => "$JE/a", { a => 1 }, $JSONPATCH ],
    [ 'json: none',            PATCH => "$JE/a", [], $JSONPATCH ],
    [ 'strategic: a Job',      PATCH => "$JOBS/j", { metadata => { labels => { l => 'x' } }, spec => { ttlSecondsAfterFinished => 9 } }, $STRATEGIC ],
    [ 'strategic: a container by its name', PATCH => "$JOBS/j?dryRun=All", { spec => { template => { spec => { containers => [ { name => 'c', image => 'y' } ] } } } }, $STRATEGIC ],
    [ 'strategic: a Lease',    PATCH => "$LEASES/none", {}, $STRATEGIC ],
    [ 'a patch of another type', PATCH => "$JE/a", \'{}', 'application/json' ],
    [ 'a patch without a type', PATCH => "$JE/a", \'{}', '' ],
    [ 'a patch of a collection', PATCH => $JE, {}, $MERGE ],
    [ 'a patch of an unknown subresource', PATCH => "$JE/a/none", {}, $MERGE ],
    [ 'a status of a kind that has none', PATCH => "$JT/none/status", {}, $MERGE ],
);

# --- server-side apply ----------------------------------------------------------------------------------------------

my $applied = { apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', metadata => { name => 's', labels => { l => 'x' } }, spec => { jobTemplateName => 'a' } };
$c->compare(
    [ 'apply: create',         PATCH => "$JE/s?fieldManager=one", $applied, $APPLY ],
    [ 'apply: the same',       PATCH => "$JE/s?fieldManager=one", $applied, $APPLY ],
    [ 'apply: another conflicts', PATCH => "$JE/s?fieldManager=two", with( $applied, labels => { l => 'y' } ), $APPLY ],
    [ 'apply: another forces', PATCH => "$JE/s?fieldManager=two&force=true", with( $applied, labels => { l => 'y' } ), $APPLY ],
    [ 'apply: a field goes',   PATCH => "$JE/s?fieldManager=two", with( $applied, labels => {} ), $APPLY ],
    [ 'apply: without a manager', PATCH => "$JE/s", $applied, $APPLY ],
    [ 'apply: another name',   PATCH => "$JE/other?fieldManager=one", $applied, $APPLY ],
    [ 'apply: managedFields',  PATCH => "$JE/s?fieldManager=one", with( $applied, managedFields => [ { manager => 'x', operation => 'Apply' } ] ), $APPLY ],
    [ 'apply: on trial',       PATCH => "$JE/t?fieldManager=one&dryRun=All", with( $applied, name => 't' ), $APPLY ],
    [ 'apply: an unknown field', PATCH => "$JE/t?fieldManager=one&fieldValidation=Strict", { %{ with( $applied, name => 't' ) }, zz => 1 }, $APPLY ],
    [ 'apply: not there',      GET => "$JE/t" ],
    [ 'force of another patch', PATCH => "$JE/a?force=true", {}, $MERGE ],
);

# --- PUT ------------------------------------------------------------------------------------------------------------

$c->compare(
    [ 'before PUT',            GET => "$JE/a" ],
    [ 'PUT',                   PUT => "$JE/a", again( 'before PUT', sub { $_[0]{metadata}{labels} = { p => 'q' } } ) ],
    [ 'PUT of the same',       PUT => "$JE/a", again( 'PUT', sub { } ) ],
    [ 'PUT of the old',        PUT => "$JE/a", again( 'before PUT', sub { } ) ],
    [ 'PUT of another uid',    PUT => "$JE/a", again( 'PUT', sub { $_[0]{metadata}{uid} = 'x' } ) ],
    [ 'PUT of another spec',   PUT => "$JE/a", again( 'PUT', sub { $_[0]{spec}{payload} = 'x' } ) ],
    [ 'PUT of a status',       PUT => "$JE/a/status", again( 'PUT', sub { $_[0]{status} = { state => 'x' }; $_[0]{metadata}{labels} = {} } ) ],
    [ 'PUT of what is not there', PUT => "$JE/none", je('none') ],
    [ 'PUT of a Job',          PUT => "$JOBS/none", job('none') ],
    [ 'PUT of a collection',   PUT => $JE, je('a') ],
    [ 'a Lease',               POST => $LEASES, $lease ],
    [ 'a Lease by PUT',        PUT => "$LEASES/l", again( 'a Lease', sub { $_[0]{spec}{holderIdentity} = 'you' } ) ],
    [ 'a Lease without a name', PUT => "$LEASES/l", { %$lease, metadata => {} } ],
    [ 'a Lease with a wrong type', POST => $LEASES, { %$lease, spec => { leaseDurationSeconds => 'x' } } ],
    [ 'a Lease of 0 s',        POST => $LEASES, { %$lease, metadata => { name => 'm' }, spec => { leaseDurationSeconds => 0 } } ],
    [ 'a Lease with a time that is none', POST => $LEASES, { %$lease, metadata => { name => 'm' }, spec => { renewTime => 'x' } } ],
);

# --- names and metadata ---------------------------------------------------------------------------------------------

$c->compare(
    ( map { [ "metadata: $_->[0]", POST => "$JE?dryRun=All", with( je('x'), @{ $_->[1] } ) ] }
        [ 'a bad label', [ labels => { a => 'b c' } ] ],
        [ 'a bad label key', [ labels => { 'a b/c' => 'x' } ] ],
        [ 'a label that is a number', [ labels => { a => 1 } ] ],
        [ 'labels that are none', [ labels => 'x' ] ],
        [ 'a bad annotation', [ annotations => { 'a b' => 'x' } ] ],
        [ 'an owner without uid', [ ownerReferences => [ { apiVersion => 'v1', kind => 'Pod', name => 'p' } ] ] ],
        [ 'two controllers', [ ownerReferences => [ map { { apiVersion => 'v1', kind => 'Pod', name => $_, uid => $_, controller => JSON::PP::true } } qw(p q) ] ] ],
        [ 'a bad finalizer', [ finalizers => ['x'] ] ],
        [ 'a name with a dot', [ name => 'a.b' ] ],
        [ 'a long name', [ name => 'n' x 254 ] ],
        [ 'what the server sets', [ uid => 'x', creationTimestamp => '2020-01-01T00:00:00Z', generation => 7, selfLink => '/x' ] ],
        [ 'annotations that are too large', [ annotations => { a => 'x' x 262145 } ] ] ),
    [ 'metadata: a resourceVersion', POST => $JE, with( je('x'), resourceVersion => '1' ) ],
    [ 'a Job with a bad label', POST => $JOBS, with( job('x'), labels => { a => '_' } ) ],
    [ 'a Job with its template\'s labels', POST => "$JOBS?dryRun=All", job( 'x', template => { metadata => { labels => { p => 'q' } }, spec => job('y')->{spec}{template}{spec} } ) ],
    [ 'a Job with a container twice', POST => "$JOBS?dryRun=All", job( 'x', template => { spec => { restartPolicy => 'Never', containers => [ map { { name => 'c', image => $_ } } qw(x y) ] } } ) ],
    [ 'a Job with a bad image', POST => "$JOBS?dryRun=All", job( 'x', template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c' } ] } } ) ],
    [ 'a Job with a bad container name', POST => "$JOBS?dryRun=All", job( 'x', template => { spec => { restartPolicy => 'Never', containers => [ { name => 'C_', image => 'x' } ] } } ) ],
    [ 'a Job without restartPolicy', POST => "$JOBS?dryRun=All", job( 'x', template => { spec => { containers => [ { name => 'c', image => 'x' } ] } } ) ],
    [ 'a Job with quantities', POST => "$JOBS?dryRun=All", job( 'x', template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c', image => 'x', resources => { limits => { cpu => 'much' } } } ] } } ) ],
    [ 'a Job with an env without a name', POST => "$JOBS?dryRun=All", job( 'x', template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c', image => 'x', env => [ { value => 'v' } ] } ] } } ) ],
    [ 'an object that is too large', POST => $JE, \( '{"a":"' . 'x' x 3_200_000 . '"}' ) ],
    [ 'a JobExecution too large for etcd', POST => "$JE", je( 'large', spec => { jobTemplateName => 'a', payload => 'x' x 1_572_000 } ) ],
    [ 'a payload over its limit', POST => "$JE", je( 'large', spec => { jobTemplateName => 'a', payload => 'x' x 1_572_865 } ) ],
);

# --- deletion -------------------------------------------------------------------------------------------------------

$c->compare(
    [ 'with a finalizer',      POST => $JE, with( je('f'), finalizers => ['example.com/f'] ) ],
    [ 'delete it',             DELETE => "$JE/f" ],
    [ 'delete it again',       DELETE => "$JE/f" ],
    [ 'it is going',           GET => "$JE/f" ],
    [ 'another finalizer',     PATCH => "$JE/f", { metadata => { finalizers => [ 'example.com/f', 'example.com/g' ] } }, $MERGE ],
    [ 'its last finalizer goes', PATCH => "$JE/f", { metadata => { finalizers => undef } }, $MERGE ],
    [ 'it has gone',           GET => "$JE/f" ],
    [ 'two policies',          DELETE => "$JE/a", { apiVersion => 'v1', kind => 'DeleteOptions', orphanDependents => JSON::PP::false, propagationPolicy => 'Background' } ],
    [ 'options that are none', DELETE => "$JE/a", \'{' ],
    [ 'an old version as a precondition', DELETE => "$JE/a", { apiVersion => 'v1', kind => 'DeleteOptions', preconditions => { resourceVersion => '1' } } ],
    [ 'a grace period',        DELETE => "$JE/a?gracePeriodSeconds=5&dryRun=All" ],
    [ 'a grace period that is none', DELETE => "$JE/a?gracePeriodSeconds=x&dryRun=All" ],
    [ 'a collection of nothing', DELETE => "$JE?labelSelector=no%3Dthing" ],
    [ 'a collection by a field', DELETE => "$JE?fieldSelector=metadata.name%3Da" ],
    [ 'a collection of Jobs',  DELETE => "$JOBS?propagationPolicy=Background" ],
    [ 'a collection by a bad selector', DELETE => "$JE?labelSelector=%21%21" ],
    [ 'all that is left',      DELETE => $JE ],
    [ 'and nothing is',        GET => $JE ],
);
$c->done;
