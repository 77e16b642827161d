#!/usr/bin/env perl
# The embedded cluster held to a real kube-apiserver: lists, their pages and revisions, watches event by event, and what a client is told when history is
# gone. How it is compared: t/lib/Dispatcher/Conformance.pm.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Dispatcher::Conformance;

my $c        = Dispatcher::Conformance->new;
my $METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
my $METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
my $TABLE    = 'application/json;as=Table;v=v1;g=meta.k8s.io';

sub labelled { my ( $name, $label ) = @_; return je( $name, metadata => { name => $name, labels => { l => $label } } ) }

# A resourceVersion or a token that this server gave.
sub of { my ( $what, $path, $key ) = @_; return sub { my $value = $_[0]{$what}{metadata}{ $key // 'resourceVersion' } // 'none'; return $path =~ s/%s/$value/r } }
sub page { my ( $what, $path ) = @_; return of( $what, $path, 'continue' ) }

# What may differ, and why.
$c->may_differ( 'exactly', qr/./, 'an old state is kept only while nothing of the kind has changed (t/devcluster/README.md)' );
$c->may_differ( 'a table of Jobs', qr/^\.columnDefinitions\.\d+\.description$/, 'shorter' );

# --- lists and pages ------------------------------------------------------------------------------------------------

$c->compare(
    [ 'an empty list', GET => $JE ],
    ( map { [ "create $_", POST => $JE, labelled( $_, $_ =~ /[ac]/ ? 'x' : 'y' ) ] } qw(a b c d) ),
    [ 'the first page',        GET => "$JE?limit=2" ],
    [ 'create between pages',  POST => $JE, labelled( 'bb', 'x' ) ],
    [ 'the second page',       GET => page( 'the first page', "$JE?limit=2&continue=%s" ) ],
    [ 'the rest at once',      GET => page( 'the first page', "$JE?continue=%s" ) ],
    [ 'a page with a selector', GET => "$JE?limit=1&labelSelector=l%3Dx" ],
    [ 'its second page',       GET => page( 'a page with a selector', "$JE?limit=1&labelSelector=l%3Dx&continue=%s" ) ],
    [ 'a page and a resourceVersion', GET => page( 'the first page', "$JE?limit=2&resourceVersion=5&continue=%s" ) ],
    [ 'a page and a match',    GET => page( 'the first page', "$JE?limit=2&resourceVersionMatch=Exact&continue=%s" ) ],
    [ 'a limit that is as long as the list', GET => "$JE?limit=5" ],
    [ 'a limit at resourceVersion 0', GET => "$JE?limit=2&resourceVersion=0" ],
    [ 'a limit that is none',  GET => "$JE?limit=x" ],
    [ 'a negative limit',      GET => "$JE?limit=-1" ],
    [ 'pages as tables',       GET => "$JE?limit=2", undef, undef, $TABLE ],
    [ 'pages as metadata',     GET => "$JE?limit=2", undef, undef, $METADATA_LIST ],
    [ 'pages of all namespaces', GET => '/apis/dispatcher.ivan.vc/v1beta1/jobexecutions?limit=2' ],
    [ 'not older than',        GET => of( 'the first page', "$JE?resourceVersion=%s&resourceVersionMatch=NotOlderThan" ) ],
    [ 'not older than, a page', GET => of( 'the first page', "$JE?resourceVersion=%s&resourceVersionMatch=NotOlderThan&limit=1" ) ],
    [ 'exactly',               GET => of( 'the second page', "$JE?resourceVersion=%s&resourceVersionMatch=Exact" ) ],
    [ 'exactly 0',             GET => "$JE?resourceVersion=0&resourceVersionMatch=Exact" ],
    [ 'a match without a resourceVersion', GET => "$JE?resourceVersionMatch=Exact" ],
    [ 'a match that is none',  GET => "$JE?resourceVersion=1&resourceVersionMatch=x" ],
    [ 'a list from the future', GET => "$JE?resourceVersion=99999999" ],
    [ 'a get from the future', GET => "$JE/a?resourceVersion=99999999" ],
    [ 'a get at 0',            GET => "$JE/a?resourceVersion=0" ],
    [ 'a get of a bad resourceVersion', GET => "$JE/a?resourceVersion=x" ],
    ( map { [ "selected by $_->[0]", GET => "$JE?labelSelector=$_->[1]" ] } [ 'a set', 'l%20in%20(x,z)' ], [ 'not in', 'l%20notin%20(x)' ], [ 'there', 'l' ],
        [ 'not there', '!l' ], [ 'unequal', 'l%21%3Dx' ], [ 'two at once', 'l%3Dx,l' ], [ 'a bad value', 'l%3D_x_' ], [ 'a bad key', '-%3Dx' ] ),
    [ 'two fields',            GET => "$JE?fieldSelector=metadata.name%3Da,metadata.namespace%3Ddefault" ],
    [ 'a field unequal',       GET => "$JE?fieldSelector=metadata.name%21%3Da" ],
    [ 'a field of Events that is none', GET => '/api/v1/namespaces/default/events?fieldSelector=nothing%3Da' ],
    [ 'sendInitialEvents of a list', GET => "$JE?sendInitialEvents=true&resourceVersionMatch=NotOlderThan" ],
    [ 'an Accept that is none', GET => $JE, undef, undef, 'text/plain' ],
    [ 'an Accept of anything', GET => "$JE/a", undef, undef, '*/*' ],
    [ 'a table of one',        GET => "$JE/a", undef, undef, $TABLE ],
    [ 'a table with whole objects', GET => "$JE/a?includeObject=Object", undef, undef, $TABLE ],
    [ 'a table without objects', GET => "$JE/a?includeObject=None", undef, undef, $TABLE ],
    [ 'a table of JobTemplates', GET => $JT, undef, undef, $TABLE ],
    [ 'a table of Jobs',       GET => $JOBS, undef, undef, $TABLE ],
    [ 'a table of what is not there', GET => "$JE/nothing", undef, undef, $TABLE ],
);

# --- watches --------------------------------------------------------------------------------------------------------

sub watch { my ( $from, $more ) = @_; return of( $from, "$JE?watch=1&timeoutSeconds=1&resourceVersion=%s" . ( $more // '' ) ) }

$c->compare(
    [ 'the start',             GET => $JE ],
    [ 'w is made',             POST => $JE, labelled( 'w', 'x' ) ],
    [ 'w gets a status',       PATCH => "$JE/w/status", { status => { state => 'Running' } }, $MERGE ],
    [ 'nothing is changed',    PATCH => "$JE/w/status", { status => { state => 'Running' } }, $MERGE ],
    [ 'w leaves the selection', PATCH => "$JE/w", { metadata => { labels => { l => 'y' } } }, $MERGE ],
    [ 'w comes back',          PATCH => "$JE/w", { metadata => { labels => { l => 'x' } } }, $MERGE ],
    [ 'w2 is made',            POST => $JE, labelled( 'w2', 'y' ) ],
    [ 'w is deleted',          DELETE => "$JE/w" ],
    [ 'a trial is no event',   POST => "$JE?dryRun=All", labelled( 'w3', 'x' ) ],
    [ 'all of it',             GET => watch('the start') ],
    [ 'by a label',            GET => watch( 'the start', '&labelSelector=l%3Dx' ) ],
    [ 'by a name',             GET => watch( 'the start', '&fieldSelector=metadata.name%3Dw2' ) ],
    [ 'in the middle',         GET => of( 'w leaves the selection', "$JE?watch=1&timeoutSeconds=1&resourceVersion=%s" ) ],
    [ 'of all namespaces',     GET => of( 'the start', '/apis/dispatcher.ivan.vc/v1beta1/jobexecutions?watch=true&timeoutSeconds=1&resourceVersion=%s' ) ],
    [ 'in the other version',  GET => of( 'the start', "$JE?watch=1&timeoutSeconds=1&resourceVersion=%s" =~ s/v1beta1/v1alpha1/r ) ],
    [ 'as metadata',           GET => watch('the start'), undef, undef, $METADATA ],
    [ 'as tables',             GET => watch('the start'), undef, undef, $TABLE ],
    [ 'from now',              GET => of( 'w is deleted', "$JE?watch=1&timeoutSeconds=1" ) ],
    [ 'from any time',         GET => "$JE?watch=1&timeoutSeconds=1&resourceVersion=0" ],
    [ 'with the list first',   GET => "$JE?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true" ],
    [ 'with the list first, without bookmarks', GET => "$JE?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan" ],
    [ 'with the list first, without match', GET => "$JE?watch=1&timeoutSeconds=1&sendInitialEvents=true" ],
    [ 'with the list first, exactly', GET => "$JE?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1" ],
    [ 'without the list',      GET => "$JE?watch=1&timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan" ],
    [ 'with a match only',     GET => of( 'the start', "$JE?watch=1&timeoutSeconds=1&resourceVersion=%s&resourceVersionMatch=NotOlderThan" ) ],
    [ 'from a bad resourceVersion', GET => "$JE?watch=1&timeoutSeconds=1&resourceVersion=x" ],
    [ 'by a bad selector',     GET => "$JE?watch=1&timeoutSeconds=1&fieldSelector=spec.payload%3Dp" ],
    [ 'of an unknown kind',    GET => '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/nothings?watch=1&timeoutSeconds=1' ],
    [ 'a limit means nothing', GET => watch( 'the start', '&limit=1' ) ],
    [ 'a timeout that is none', GET => "$JE?watch=1&timeoutSeconds=x" ],
);

# --- Jobs -----------------------------------------------------------------------------------------------------------

$c->compare(
    [ 'the start of Jobs',     GET => $JOBS ],
    [ 'j is made',             POST => $JOBS, job('j') ],
);
$c->compare(
    [ 'j as metadata',         GET => "$JOBS/j", undef, undef, $METADATA ],
    [ 'j is deleted',          DELETE => "$JOBS/j?propagationPolicy=Background" ],
);

# --- history that is gone -------------------------------------------------------------------------------------------

$c->compare(
    [ 'a page before',         GET => "$JE?limit=2" ],
    [ 'something happens',     PATCH => "$JE/a", { metadata => { labels => { m => '1' } } }, $MERGE ],
);
$c->forget;
$c->compare(
    [ 'the next page, too late', GET => page( 'a page before', "$JE?limit=2&continue=%s" ) ],
    [ 'with the token of that', GET => page( 'the next page, too late', "$JE?limit=2&continue=%s" ) ],
    [ 'exactly, too late',     GET => of( 'the start', "$JE?resourceVersion=%s&resourceVersionMatch=Exact" ) ],
    [ 'a limit too late',      GET => of( 'the start', "$JE?resourceVersion=%s&resourceVersionMatch=Exact&limit=1" ) ],
    [ 'a list not older than', GET => of( 'the start', "$JE?resourceVersion=%s" ) ],
    [ 'a watch too late',      GET => "$JE?watch=1&timeoutSeconds=1&resourceVersion=1" ],
    [ 'a watch too late as a table', GET => "$JE?watch=1&timeoutSeconds=1&resourceVersion=1", undef, undef, $TABLE ],
);
$c->done;
