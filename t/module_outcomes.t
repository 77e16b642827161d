#!/usr/bin/env perl
# Every outcome: what the API server may do, what the client then gets, and which calls were made.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Kube qw(kube what status not_found template created already_exists);
use Dispatcher::Test::Server qw(json reply);

my $page    = '<html><body>It works!</body></html>';
my $unknown = { name => 'x', kind => 'jobexecutions', group => 'dispatcher.ivan.vc' };
my $too_long = 'JobExecution.dispatcher.ivan.vc "x" is invalid: [spec.payload: Too long: may not be more than 1572864 bytes, <nil>: Invalid value: null: some validation rules were not checked]';
my $rbac    = 'jobexecutions.dispatcher.ivan.vc is forbidden: User "system:serviceaccount:a:b" cannot create resource "jobexecutions" in API group';

sub forbidden { return json( 403, status( 403, 'Forbidden', $_[0], $unknown ) ) }
sub refused   { my ( $code, $reason, $message, @headers ) = @_; return json( $code, status( $code, $reason, $message ), [@headers] ) }
sub slow_down { return json( 429, { %{ status( 429, 'TooManyRequests', 'slow down' ) }, details => { retryAfterSeconds => 7 } } ) }
sub limited   { return refused( 429, 'TooManyRequests', 'slow down', 'Retry-After' => $_[0] ) }
sub html      { return reply( $_[0], $page, [ 'Content-Type' => 'text/html' ] ) }
sub cut       { return ( "HTTP/1.1 $_[0] X\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"kind\":\"Par", 'close' ) }

# The POST is stored, and then the connection breaks in one way or another.
sub commit_and { my @steps = @_; return sub { created( $_[0] ); return @steps } }

my @scenarios = (
    # name, answers to the GET of the template ([] = the usual), answers to POSTs, answers to lookups, status, type, calls, more. The calls are
    # T, P and L; a + where nginx repeats a GET that met a kept connection's end.
    # --- GET of the JobTemplate
    [ 'get-404',        [ sub { not_found( 'jobtemplates', $_[1] ) } ],    [], [], 404, 'template-not-found', 'T' ],
    [ 'get-404-html',   [ sub { html(404) } ],                             [], [], 502, 'api-answer',         'T', log => qr/CustomResourceDefinitions/ ],
    [ 'get-404-other',  [ sub { not_found( 'jobtemplates', 'another' ) } ], [], [], 502, 'api-answer',         'T' ],
    [ 'get-404-plain',  [ sub { reply( 404, "404 page not found\n" ) } ],  [], [], 502, 'api-answer',         'T' ],
    [ 'get-401',        [ sub { refused( 401, 'Unauthorized', 'Unauthorized' ) } ], [], [], 502, 'api-credentials', 'T', log => qr/answered 401/ ],
    [ 'get-403',        [ sub { forbidden('User "x" cannot get') } ],      [], [], 502, 'api-credentials',    'T', hidden => qr/cannot get/ ],
    [ 'get-429',        [ \&slow_down ],                                   [], [], 429, 'too-many-requests',  'T', retry => 7 ],
    [ 'get-500',        [ sub { refused( 500, 'InternalError', 'oh-my-etcd' ) } ], [], [], 502, 'api-answer', 'T', hidden => qr/oh-my-etcd/, log => qr/oh-my-etcd/ ],
    [ 'get-503',        [ sub { refused( 503, 'ServiceUnavailable', 'no', 'Retry-After' => 11 ) } ], [], [], 503, 'api-busy', 'T', retry => 11 ],
    [ 'get-504',        [ sub { refused( 504, 'Timeout', 'no' ) } ],       [], [], 504, 'api-timeout',        'T' ],
    [ 'get-200-html',   [ sub { html(200) } ],                             [], [], 502, 'api-answer',         'T' ],
    [ 'get-200-empty',  [ sub { reply( 200, '' ) } ],                      [], [], 502, 'api-answer',         'T' ],
    [ 'get-204',        [ sub {"HTTP/1.1 204 No Content\r\n\r\n"} ],       [], [], 502, 'api-answer',         'T' ],
    [ 'get-301',        [ sub { reply( 301, '', [ Location => 'http://127.0.0.1:1/' ] ) } ], [], [], 502, 'api-answer', 'T' ],
    [ 'get-other-name', [ sub { template( 'default', 'another' ) } ],      [], [], 502, 'api-answer',         'T' ],
    [ 'get-no-uid',     [ sub { json( 200, { metadata => { name => $_[1] } } ) } ], [], [], 502, 'api-answer', 'T' ],
    [ 'get-array',      [ sub { json( 200, [] ) } ],                       [], [], 502, 'api-answer',         'T' ],
    [ 'get-nothing',    [ ( sub {'close'} ) x 9 ],                         [], [], 502, 'api-unreachable',    'T+' ],
    [ 'get-reset',      [ ( sub {'reset'} ) x 9 ],                         [], [], 502, 'api-unreachable',    'T+' ],
    [ 'get-garbage',    [ sub { ( "\x16\x03\x01\0\0nonsense\r\n\r\n", 'close' ) } ], [], [], 502, 'api-unreachable', 'T' ],
    [ 'get-half',       [ sub { cut(200) } ],                              [], [], 502, 'api-answer',         'T', log => qr/cut off/ ],
    [ 'get-hang',       [ sub {'hang'} ],                                  [], [], 504, 'api-timeout',        'T' ],
    [ 'get-half-hang',  [ sub { ( "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", 'hang' ) } ], [], [], 502, 'api-answer', 'T' ],
    [ 'get-megabytes',  [ sub { reply( 200, 'x' x 6_000_000 ) } ],         [], [], 502, 'api-answer',         'T' ],
    [ 'get-huge-json',  [ sub { template( 'default', $_[1], annotations => { a => 'x' x 6_000_000 } ) } ], [], [], 502, 'api-answer', 'T' ],
    [ 'get-redirect',   [ sub { reply( 200, '', [ 'X-Accel-Redirect' => '/secret' ] ) } ], [], [], 502, 'api-answer', 'T' ],
    [ 'get-limit-rate', [ sub { template( 'default', $_[1] ) =~ s/\r\n/\r\nX-Accel-Limit-Rate: 1\r\n/r } ], [], [], 201, undef, 'TP' ],

    # --- POST of the JobExecution
    [ 'post-quota',     [], [ sub { forbidden('exceeded quota: count, requested: 1, used: 5, limited: 5') } ], [], 403, 'forbidden', 'TP', detail => qr/exceeded quota/ ],
    [ 'post-webhook',   [], [ sub { forbidden('admission webhook "policy" denied the request: not today') } ], [], 403, 'forbidden', 'TP', detail => qr/not today/ ],
    [ 'post-rbac',      [], [ sub { forbidden($rbac) } ],                  [], 502, 'api-credentials',   'TP', hidden => qr/serviceaccount/, log => qr/cannot create resource/ ],
    [ 'post-403-html',  [], [ sub { html(403) } ],                         [], 502, 'api-credentials',   'TP' ],
    [ 'post-401',       [], [ sub { refused( 401, 'Unauthorized', 'Unauthorized' ) } ], [], 502, 'api-credentials', 'TP' ],
    [ 'post-400',       [], [ sub { refused( 400, 'BadRequest', 'the webhook says no' ) } ], [], 422, 'invalid-execution', 'TP', detail => qr/webhook says no/ ],
    [ 'post-422',       [], [ sub { refused( 422, 'Invalid', 'metadata.labels: Invalid value' ) } ], [], 422, 'invalid-execution', 'TP', detail => qr/Invalid value/ ],
    [ 'post-too-long',  [], [ sub { refused( 422, 'Invalid', $too_long ) } ], [], 413, 'payload-too-large', 'TP' ],
    [ 'post-413',       [], [ sub { refused( 413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728' ) } ], [], 413, 'payload-too-large', 'TP' ],
    [ 'post-413-html',  [], [ sub { html(413) } ],                         [], 413, 'payload-too-large', 'TP' ],
    [ 'post-429-html',  [], [ sub { html(429) } ],                         [], 429, 'too-many-requests', 'TP' ],
    [ 'post-etcd',      [], [ sub { refused( 500, 'InternalError', 'etcdserver: request is too large' ) } ], [], 413, 'payload-too-large', 'TP' ],
    [ 'post-404',       [], [ sub { reply( 404, "404 page not found\n" ) } ], [], 502, 'api-answer', 'TP' ],
    [ 'post-ns',        [], [ sub { not_found( 'namespaces', 'default' ) } ], [], 404, 'namespace-not-found', 'TP' ],
    [ 'post-415',       [], [ sub { refused( 415, 'UnsupportedMediaType', 'no' ) } ], [], 502, 'api-answer', 'TP' ],
    [ 'post-409',       [], [ sub { refused( 409, 'Conflict', 'the object has been modified' ) } ], [], 503, 'api-busy', 'TP', retry => 1 ],
    [ 'post-429',       [], [ \&slow_down ],                               [], 429, 'too-many-requests', 'TP', retry => 7 ],
    [ 'post-302',       [], [ sub { reply( 302, '', [ Location => '/login' ] ) } ], [], 502, 'api-answer', 'TP' ],
    [ 'retry-date',     [], [ sub { limited('Wed, 21 Oct 2099 07:28:00 GMT') } ], [], 429, 'too-many-requests', 'TP', retry => qr/^\d{9,10}$/ ],
    [ 'retry-past',     [], [ sub { limited('Wed, 21 Oct 2015 07:28:00 GMT') } ], [], 429, 'too-many-requests', 'TP', retry => 0 ],
    [ 'retry-word',     [], [ sub { limited('soon') } ],                    [], 429, 'too-many-requests', 'TP' ],
    [ 'retry-fraction', [], [ sub { limited('1.5') } ],                     [], 429, 'too-many-requests', 'TP' ],
    [ 'retry-negative', [], [ sub { limited('-5') } ],                      [], 429, 'too-many-requests', 'TP' ],
    [ 'retry-huge',     [], [ sub { limited( '9' x 30 ) } ],                [], 429, 'too-many-requests', 'TP' ],

    # --- a POST that may have been stored: a GET of its name tells
    [ 'post-500',       [], [ sub { refused( 500, 'InternalError', 'oh' ) } ],  [], 502, 'api-answer',  'TPL' ],
    [ 'post-503',       [], [ sub { refused( 503, 'ServiceUnavailable', 'no', 'Retry-After' => 3 ) } ], [], 503, 'api-busy', 'TPL', retry => 3 ],
    [ 'post-504',       [], [ sub { refused( 504, 'Timeout', 'no' ) } ],        [], 504, 'api-timeout', 'TPL' ],
    [ 'post-hang',      [], [ sub {'hang'} ],                                   [], 504, 'api-timeout', 'TPL' ],
    [ 'post-201-html',  [], [ sub { html(201) } ],                              [], 502, 'api-answer',  'TPL' ],
    [ 'post-nothing',   [], [ sub {'close'}, sub {'close'} ],                   [], 502, 'api-unreachable', 'TPLPL' ],
    [ 'post-once-more', [], [ sub {'close'} ],                                  [], 201, undef, 'TPLP' ],
    [ 'stored-500',     [], [ commit_and( refused( 500, 'InternalError', 'oh' ) ) ], [], 201, undef, 'TPL' ],
    [ 'stored-504',     [], [ commit_and( refused( 504, 'Timeout', 'oh' ) ) ],  [], 201, undef, 'TPL' ],
    [ 'stored-nothing', [], [ commit_and('close') ],                            [], 201, undef, 'TPL' ],
    [ 'stored-reset',   [], [ commit_and('reset') ],                            [], 201, undef, 'TPL' ],
    [ 'stored-half',    [], [ commit_and( cut(201) ) ],                         [], 201, undef, 'TPL' ],
    [ 'stored-hang',    [], [ commit_and('hang') ],                             [], 201, undef, 'TPL' ],
    [ 'stored-mega',    [], [ commit_and( reply( 201, 'x' x 6_000_000 ) ) ],    [], 201, undef, 'TPL' ],
    [ 'stored-chunks',  [], [ commit_and( "HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzzz\r\n", 'close' ) ], [], 201, undef, 'TPL' ],
    [ 'stored-header',  [], [ commit_and( reply( 201, '', [ X => 'x' x 100_000 ] ) ) ], [], 201, undef, 'TPL' ],
    [ 'stored-100',     [], [ commit_and( "HTTP/1.1 100 Continue\r\n\r\n", 'close' ) ], [], 201, undef, 'TPL' ],
    [ 'stored-101',     [], [ commit_and( "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 'close' ) ], [], 201, undef, 'TPL' ],
    [ 'stored-200',     [], [ commit_and( html(200) ) ],                        [], 201, undef, 'TPL' ],
    [ 'lost-close',     [], [ commit_and('close') ],  [ ( sub {'close'} ) x 9 ], 502, 'outcome-unknown', 'TPL+' ],
    [ 'lost-hang',      [], [ commit_and('close') ],  [ sub {'hang'} ],           504, 'outcome-unknown', 'TPL' ],
    [ 'lost-500',       [], [ commit_and('close') ],  [ sub { refused( 500, 'InternalError', 'oh' ) } ], 502, 'outcome-unknown', 'TPL' ],
    [ 'lost-404-html',  [], [ commit_and('close') ],  [ sub { html(404) } ],      502, 'outcome-unknown', 'TPL' ],

    # --- names that are taken
    [ 'exists-ours',    [], [ commit_and( already_exists('x') ) ],              [], 201, undef, 'TPL' ],
    [ 'exists-other',   [], [ sub { already_exists('x') } ], [ sub { json( 200, other( $_[1] ) ) } ], 201, undef, 'TPLP' ],
    [ 'exists-gone',    [], [ sub { already_exists('x') } ],                    [], 201, undef, 'TPLP' ],
    [ 'exists-always',  [], [ ( sub { already_exists('x') } ) x 3 ], [ ( sub { json( 200, other( $_[1] ) ) } ) x 3 ], 502, 'api-answer', 'TPLPLPL' ],
);

sub other { return { metadata => { name => $_[0], namespace => 'default', uid => 'theirs', annotations => {} } } }

my %answers = map { $_->[0] => { T => [ @{ $_->[1] } ], P => [ @{ $_->[2] } ], L => [ @{ $_->[3] } ] } } @scenarios;

sub scenario_of {
    my ($request) = @_;
    my ( $resource, undef, $name ) = what($request);
    return ( $name, 'T', $name ) if ( $resource // '' ) eq 'jobtemplates';
    return ( $name =~ s/-[0-9a-f]{10}$//r, 'L', $name ) if defined $name;
    return ( $request->{body} =~ /"jobTemplateName":"([^"]+)"/ ? $1 : '', 'P', undef );
}

my $t   = Dispatcher::Test->new;
my $api = $t->api( sub {
    my ($request) = @_;
    my ( $scenario, $call, $name ) = scenario_of($request);
    my $answer = shift @{ ( $answers{$scenario} // {} )->{$call} // [] };
    return $answer ? $answer->( $request, $name ) : kube($request);
} );
my $nginx = $t->nginx(
    $t->front(
        $api,
        server   => 'location = /secret { return 200 "secret"; }',
        api      => 'proxy_read_timeout 1s; proxy_next_upstream_tries 2;'
    ),
    log => 'info'
);

for (@scenarios) {
    my ( $name, undef, undef, undef, $status, $type, $calls, %more ) = @$_;
    my $before = length $t->read('nginx.error.log');
    my $answer = $nginx->http( PUT => "/execute/$name?token=hunter2", body => 'my secret payload' );
    my $json   = $answer->{json} // {};
    is( $answer->{status}, $status, "$name: $status" );
    like( join( '', map { ( scenario_of($_) )[1] } $api->seen ), qr/^$calls$/, 'the calls' );
    my $log = substr $t->read('nginx.error.log'), $before;
    like( $log, $more{log}, 'the log says why' ) if $more{log};
    unlike( $log, qr/my secret payload/, 'no payload in the log' );
    my $retry = $answer->{headers}{'retry-after'};
    ref $more{retry} ? like( $retry, $more{retry}, 'Retry-After' ) : is( $retry, $more{retry}, 'Retry-After' );
    if ( !defined $type ) {
        is( $json->{jobTemplateName}, $name, 'the execution' );
        next;
    }
    is( $answer->{headers}{'content-type'}, 'application/problem+json', 'a problem document' );
    is( $json->{type},     "tag:dispatcher.ivan.vc,2026:$type", $type );
    is( $json->{status},   $status,          'which repeats the status' );
    is( $json->{instance}, "/execute/$name", 'names the path without its query' );
    like( $json->{requestId}, qr/^[0-9a-f]{32}$/, 'and the request' );
    ok( length $json->{title},  'has a title' );
    ok( length $json->{detail}, 'and a detail' );
    like( $json->{detail}, $more{detail}, 'in the words of the API server' ) if $more{detail};
    unlike( $answer->{body}, $more{hidden}, 'and nothing that is only for us' ) if $more{hidden};
    like( $json->{execution}, qr/^$name-[0-9a-f]{10}$/, 'the name to look for' ) if $type eq 'outcome-unknown';
}

# --- no API server at all: nothing was sent, nothing is unknown ---

my $again = $nginx->http( PUT => '/execute/kept', body => '' );
is( $again->{status}, 201, 'the template is known now' );
$api->stop;
for my $name (qw(kept new)) {
    my $answer = $nginx->http( PUT => "/execute/$name", body => '' );
    is( $answer->{status},     502,                                           "down, template $name: 502" );
    is( $answer->{json}{type}, 'tag:dispatcher.ivan.vc,2026:api-unreachable', 'api-unreachable' );
}

$t->done_testing;
