#!/usr/bin/env perl
# What must not get through: paths, bodies and methods that are refused before anything is sent to the API server.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Kube qw(kube);

my $t     = Dispatcher::Test->new;
my $api   = $t->api( sub { kube( $_[0] ) } );
my $nginx = $t->nginx( $t->front( $api, execute => 'client_body_buffer_size 1k;', server => <<'END' ), log => 'info' );
dispatcher_api /_dispatcher/;
location /lost/ { dispatcher_execute; client_max_body_size 1; error_page 413 = @run; }
location /kept/ { deny all; error_page 403 = @run; }
location @run { dispatcher_execute fallback; client_max_body_size 0; }
END

sub nothing_sent { is( scalar( () = $api->seen ), 0, 'nothing was sent' ) }

# --- paths ---

my ( $path, $name ) = ( 'invalid-path', 'invalid-name' );
for (
    [ '/execute/'                         => $path ],
    [ '/execute/ns/'                      => $path ],
    [ '/execute/a/b/c'                    => $path ],
    [ '/execute//a'                       => $path ],
    [ '/execute/a//b'                     => $path ],
    [ '//execute/a'                       => $path ],
    [ '/execute/a/'                       => $path ],
    [ '/execute/%61'                      => $path ],
    [ '/execute/a%2Fb'                    => $path ],
    [ '/execute/a%2fb'                    => $path ],
    [ '/execute/a%3Fb'                    => $path ],
    [ '/execute/a%23b'                    => $path ],
    [ '/execute/x/../a'                   => $path ],
    [ '/execute/./a'                      => $path ],
    [ '/execute/a/%2e%2e/b'               => $path ],
    [ '/execute/%252e%252e/a'             => $path ],
    [ '/other/../execute/a'               => $path ],
    [ "/execute/caf%C3%A9"                => $path ],
    [ "/execute/caf\xc3\xa9"              => $name ],
    [ '/execute/a;b'                      => $name ],
    [ '/execute/a:b'                      => $name ],
    [ '/execute/Demo'                     => $name ],
    [ '/execute/a_b'                      => $name ],
    [ '/execute/-a'                       => $name ],
    [ '/execute/a-'                       => $name ],
    [ '/execute/a..b'                     => $name ],
    [ '/execute/a.b/c'                    => $name ],
    [ '/execute/' . 'a' x 254             => $name ],
    [ '/execute/' . 'a' x 64 . '/b'       => $name ],
    [ '/execute/$(id)'                    => $name ],
    [ '/execute/{{.Payload}}'             => $name ],
    [ '/execute/a\\b'                     => $name ],
    [ '/execute/"'                        => $name ],
) {
    my ( $target, $type ) = @$_;
    my $answer = $nginx->http( PUT => $target, body => 'x' );
    is( $answer->{status},                  400,                                "$target: 400" );
    is( $answer->{headers}{'content-type'}, 'application/problem+json',         'a problem document' );
    is( $answer->{json}{type},              "tag:dispatcher.ivan.vc,2026:$type", $type );
    ok( length $answer->{json}{detail}, 'with a detail' );
    nothing_sent();
}

# nginx's own parser refuses these; the location is not even found.
for ( '/execute/a%00b', '/execute/a%zz', '/execute/../../etc', "/execute/a\0b", 'execute/a' ) {
    my $answer = $nginx->http( PUT => $_, body => 'x' );
    is( $answer->{status}, 400, 'malformed: 400' );
    nothing_sent();
}

# --- what is served stays served ---

for ( '/execute/a?b=c', '/execute/a?', '/execute/a?../..', '/execute/ns/a?%2e%2e' ) {
    is( $nginx->http( PUT => $_, body => 'x' )->{status}, 201, "$_: 201" );
}
my @targets = map { $_->{target} } $api->seen;
is( scalar( grep {m{\.\.|b=c|%}} @targets ), 0, "nothing of the client's query is passed on" );

# --- methods ---

for my $method (qw(GET DELETE PATCH TRACE FOO PROPFIND)) {
    my $answer = $nginx->http( $method => '/execute/a', body => 'x' );
    is( $answer->{status}, 405, "$method: 405" );
    next if $method eq 'TRACE';    # nginx answers it before any location
    is( $answer->{headers}{allow}, 'PUT, POST', 'Allow' );
    is( $answer->{json}{type}, 'tag:dispatcher.ivan.vc,2026:method-not-allowed', 'a problem document' );
}
like( $nginx->http( 'M' x 3000 => '/execute/a' )->{json}{detail}, qr/^M+ does nothing here; PUT or POST runs a JobTemplate\.$/, 'a long method is cut' );
my $answer = $nginx->http( HEAD => '/execute/a' );
is( "$answer->{status} $answer->{headers}{allow} $answer->{body}", '405 PUT, POST ', 'HEAD: 405 without a body' );
$answer = $nginx->http( OPTIONS => '/execute/a' );
is( "$answer->{status} $answer->{headers}{allow} $answer->{body}", '204 PUT, POST ', 'OPTIONS: 204 and what is allowed' );
nothing_sent();

# --- payloads that are not text, in memory and in a temporary file ---

for (
    [ "\xff",                           qr/^The payload is not UTF-8: byte 1 is 0xff\.$/ ],
    [ "abc\x80",                        qr/byte 4 is 0x80/ ],
    [ "\xc3",                           qr/byte 1 is 0xc3/ ],
    [ "\xc0\xaf",                       qr/byte 1 is 0xc0/ ],
    [ "\xed\xa0\x80",                   qr/byte 1 is 0xed/ ],
    [ "\xf4\x90\x80\x80",               qr/byte 1 is 0xf4/ ],
    [ "ab\0c",                          qr/^The payload has a NUL at byte 3, / ],
    [ ( 'x' x 5000 ) . "\xff",          qr/byte 5001 is 0xff/ ],
    [ ( "\xe2\x82\xac" x 2000 ) . "\0", qr/NUL at byte 6001/ ],
) {
    my ( $payload, $detail ) = @$_;
    for my $how ( [ body => $payload ], [ chunked => [ unpack '(a700)*', $payload ] ] ) {
        $answer = $nginx->http( PUT => '/execute/a', @$how );
        is( $answer->{status},     400,                                           'not text: 400' );
        is( $answer->{json}{type}, 'tag:dispatcher.ivan.vc,2026:invalid-payload', 'invalid-payload' );
        like( $answer->{json}{detail}, $detail, 'at this byte' );
    }
}
nothing_sent();

# --- bodies that are too large or broken ---

$answer = $nginx->http( PUT => '/execute/a', body => 'x' x ( 4 * 1024 * 1024 + 1 ) );
is( "$answer->{status} $answer->{json}{type}", '413 tag:dispatcher.ivan.vc,2026:payload-too-large', 'over client_max_body_size' );
$answer = $nginx->http( PUT => '/execute/a', chunked => [ ( 'x' x 65536 ) x 65 ] );
is( "$answer->{status} $answer->{json}{type}", '413 tag:dispatcher.ivan.vc,2026:payload-too-large', 'the same, chunked' );
$answer = $nginx->http( PUT => '/execute/a', body => 'x' x ( 3 * 1024 * 1024 + 1 ) );
is( "$answer->{status} $answer->{json}{type}", '413 tag:dispatcher.ivan.vc,2026:payload-too-large', 'over what an API server takes' );
$answer = $nginx->http( PUT => '/execute/a', body => "\n" x ( 2 * 1024 * 1024 ) );
is( "$answer->{status} $answer->{json}{type}", '413 tag:dispatcher.ivan.vc,2026:payload-too-large', 'the same, once it is quoted' );
is( scalar( grep { $_->{method} eq 'POST' } $api->seen ), 0, 'none of them was sent' );

# An error_page may lead here after nginx has thrown the body away, or some of it: half a payload is not executed.
for my $how ( [ body => 'abcdef' ], [ chunked => [ 'a', 'bcdef' ] ], [ chunked => ['abcdef'] ] ) {
    $answer = $nginx->http( PUT => '/lost/a', @$how );
    is( "$answer->{status} $answer->{json}{type}", '500 tag:dispatcher.ivan.vc,2026:misconfigured', "a body that is gone, $how->[0]" );
    nothing_sent();
    $answer = $nginx->http( PUT => '/kept/a', @$how );
    is( $answer->{status}, 201, 'one that is not' );
    like( ( $api->seen )[-1]{body}, qr/"payload":"abcdef"/, 'is the payload' );
}
is( $nginx->http( PUT => '/kept/a', body => '' )->{status}, 201, 'no body is a body, too' );
like( $t->read('nginx.error.log'), qr/the body of the request was thrown away before "dispatcher_execute" was reached/, 'the log says why' );
$api->seen;

my $c = Dispatcher::Test::Http->new( $nginx->{host} );
$c->send("PUT /execute/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
$answer = $c->response;
is( $answer->{status}, 413, 'too large is said before the body comes' );
is_deeply( $answer->{interim}, [], 'and without asking for it' );
$c->close;

$c = Dispatcher::Test::Http->new( $nginx->{host} );
$c->send("PUT /execute/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n");
$answer = $c->response;
is( "$answer->{status} $answer->{json}{type}", '400 about:blank', 'a bad chunk' );
$c->close;

$c = Dispatcher::Test::Http->new( $nginx->{host} );
$c->send("PUT /execute/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
$c->shut;
is( $c->response->{status}, 0, 'a body that is cut short: the connection is closed' );
$c->close;

$c = Dispatcher::Test::Http->new( $nginx->{host} );
$c->send("PUT /execute/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
$c->shut;
is( $c->response->{status}, 0, 'the same, chunked' );
$c->close;
$t->wait_for( 'the log', sub { ( () = $t->read('nginx.access.log') =~ /" 400 0 "/g ) == 2 } );
nothing_sent();

$t->done_testing;
