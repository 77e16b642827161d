#!/usr/bin/env perl
# Answers that do not leave at once (limit_rate, a window of HTTP/2 that is closed), and what the API server's own words may do to an answer and to the log.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use JSON::PP ();
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Http;
use Dispatcher::Test::Kube qw(kube what status);
use Dispatcher::Test::Server qw(json);

my $t    = Dispatcher::Test->new;
my $long = 'field ' . 'x' x 100_000;
my $evil = "denied\n2026/11/22 22:00:00 [crit] 1#1: forged\r\n\x1b[31mred\x7f";

my $api = $t->api( sub {
    my ($request) = @_;
    my ( $resource, undef, $name ) = what($request);
    return kube($request) if $request->{method} eq 'GET';
    return json( 422, status( 422, 'Invalid', $long ) ) if $request->{body} =~ /"jobTemplateName":"long"/;
    return json( 403, status( 403, 'Forbidden', $evil ) ) if $request->{body} =~ /"jobTemplateName":"evil"/;
    return kube($request);
} );

my $nginx = $t->nginx( <<"END" );
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    dispatcher_api /_dispatcher/;
    client_max_body_size 0;
    server {
        listen 127.0.0.1:%%PORT:http%%;
        listen 127.0.0.1:%%PORT:h2c%% http2;
        location /execute/ { dispatcher_execute; add_header X-Id \$request_id; }
        location /early/ { set \$early \$request_id; dispatcher_execute; add_header X-Early \$early; add_header X-Id \$request_id; }
        location /slow/ { dispatcher_execute; limit_rate 200; }
        location /_dispatcher/ { internal; client_max_body_size 0; proxy_pass http://$api->{host}/; }
    }
}
END

sub posts { return scalar grep { $_->{method} eq 'POST' } $api->seen }

# --- an answer that the connection does not take at once is sent once ---

for my $path ( '/slow/a', '/slow/missing' ) {
    my $answer = $t->http( $nginx->{host}, PUT => $path, body => 'x' );
    is( $answer->{status}, $path eq '/slow/a' ? 201 : 404, "limit_rate: $path" );
    is( length $answer->{body}, $answer->{headers}{'content-length'}, 'the whole answer, and nothing behind it' );
    ok( $answer->{json}, 'which is JSON' );
    is( posts(), $path eq '/slow/a' ? 1 : 0, 'the execution is stored once' );
}

# HTTP/2 by hand: a frame is length, type, flags, stream, payload.
sub frame { my ( $type, $flags, $stream, $payload ) = @_; return substr( pack( 'N', length $payload ), 1 ) . pack( 'CCN', $type, $flags, $stream ) . $payload }
sub field { my ( $name, $value ) = @_; return "\0" . chr( length $name ) . $name . chr( length $value ) . $value }

my $h2  = Dispatcher::Test::Http->new( '127.0.0.1:' . $t->port('h2c') );
my $got = '';

# The frames of one type on stream 1, or another one, once sub says that they are enough.
sub frames {
    my ( $wanted, $enough, $on ) = @_;
    return $t->wait_for( "frames of type $wanted", sub {
        my ( $rest, @found ) = ($got);
        while ( length $rest >= 9 ) {
            my ( $high, $low, $type, $flags, $stream ) = unpack 'CnCCN', $rest;
            my $len = $high << 16 | $low;
            last if length $rest < 9 + $len;
            push @found, { flags => $flags, payload => substr $rest, 9, $len } if $type == $wanted && $stream == ( $on // 1 );
            $rest = substr $rest, 9 + $len;
        }
        return \@found if $enough->(@found);
        sysread( $h2->{socket}, $got, 65536, length $got ) or die "the connection has ended\n" if IO::Select->new( $h2->{socket} )->can_read(0.2);
        return;
    } );
}

$h2->send( "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame( 4, 0, 0, pack 'nN', 4, 0 )    # SETTINGS: no byte may be sent on a stream
        . frame( 1, 4, 1, field( ':method', 'PUT' ) . field( ':scheme', 'http' ) . field( ':authority', 'x' ) . field( ':path', '/execute/h2' ) )
        . frame( 0, 1, 1, 'x' ) );
is( scalar @{ frames( 1, sub { @_ >= 1 } ) }, 1, 'HTTP/2: the head of the answer' );
$h2->send( frame( 8, 0, 1, pack 'N', 10 ) );                                         # WINDOW_UPDATE
is( length( join '', map { $_->{payload} } @{ frames( 0, sub { @_ >= 1 } ) } ), 10, 'HTTP/2: as much of the body as the window takes' );
$h2->send( frame( 8, 0, 1, pack 'N', 60_000 ) );
my $data = frames( 0, sub { grep { $_->{flags} & 1 } @_ } );
like( join( '', map { $_->{payload} } @$data ), qr/\A\{"namespace":"default","name":"h2-[0-9a-f]{10}",.*\}\n\z/, 'HTTP/2: the whole body, once' );
is( scalar @{ frames( 1, sub {1} ) }, 1, 'HTTP/2: one head' );
is( posts(), 1, 'HTTP/2: one POST' );

# Where a small body is refused unread, nginx resets the stream behind the answer, and curl 7.88 then shows no answer at all.
$h2  = Dispatcher::Test::Http->new( '127.0.0.1:' . $t->port('h2c') );
$got = '';
$h2->send( "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame( 4, 0, 0, '' )
        . frame( 1, 4, 1, field( ':method', 'PUT' ) . field( ':scheme', 'http' ) . field( ':authority', 'x' ) . field( ':path', '/execute/Bad' ) . field( 'content-length', 1 ) )
        . frame( 0, 1, 1, 'x' ) );
$data = frames( 0, sub { grep { $_->{flags} & 1 } @_ } );
like( join( '', map { $_->{payload} } @$data ), qr/invalid-name/, 'HTTP/2: a bad name' );
$h2->send( frame( 6, 0, 0, 'pingpong' ) );
frames( 6, sub {@_}, 0 );
is( scalar @{ frames( 3, sub {1} ) }, 0, 'HTTP/2: and no RST_STREAM' );

# --- the API server's words ---

my $answer = $t->http( $nginx->{host}, PUT => '/execute/long', body => 'x' );
is( $answer->{status}, 422, 'a message that is longer than an answer should be: the status stays' );
like( $answer->{json}{detail}, qr/\Afield x{1000}/, 'and the beginning of the message' );

$answer = $t->http( $nginx->{host}, PUT => '/execute/evil', body => 'x' );
is( $answer->{status},       403,   'a message with control characters' );
is( $answer->{json}{detail}, $evil, 'goes to the client as it is, quoted' );
my $log = $t->wait_for( 'the log', sub { my $text = $t->read('nginx.error.log'); $text =~ /the API server answered 403/ ? $text : undef } );
unlike( $log, qr/^2026\S+ \S+ \[crit\] 1#1: forged/m, 'and cannot forge a line of the log' );
my ($line) = $log =~ /^(.*the API server answered 403.*)$/m;
like( $line, qr/denied.*forged.*red/, 'it is one line' );
like( $line, qr/ of request $answer->{json}{requestId}: /, 'which has the id that the answer has' );
unlike( $line, qr/[\x00-\x1f\x7f]/, 'without control characters' );

# --- a payload that is too large, and whose length was not said ---

$answer = $t->http( $nginx->{host}, PUT => '/execute/a', chunked => [ ( 'x' x 1_000_000 ) x 4 ] );
is( $answer->{status}, 413, 'a chunked body of 4 MB where nginx has no limit' );

# --- the id of a request: never the same, and the same everywhere ---

$api->seen;
my @ids = map { $t->http( $nginx->{host}, PUT => '/execute/id', body => 'x', headers => [ 'X-Request-Id' => 'mine' ] )->{headers}{'x-id'} } 1 .. 40;
my @sent = map { JSON::PP::decode_json( $_->{body} )->{metadata} } grep { $_->{method} eq 'POST' } $api->seen;
is( scalar( grep {/\A[0-9a-f]{32}\z/} @ids ), 40, '$request_id is 32 hexadecimal digits' );
is( scalar( keys %{ { map { $_ => 1 } @ids } } ), 40, 'another one for each request' );
is_deeply( [ map { $_->{annotations}{'dispatcher.ivan.vc/request-id'} } @sent ], \@ids, 'and the annotation says the same' );
is_deeply( [ map { $_->{name} } @sent ], [ map { 'id-' . substr $_, 0, 10 } @ids ], 'as does the name' );
my $early = $t->http( $nginx->{host}, PUT => '/early/id', body => 'x' )->{headers};
my ($post) = grep { $_->{method} eq 'POST' } $api->seen;
is( $early->{'x-early'}, $early->{'x-id'}, 'an id that was asked for before stays' );
like( $post->{body}, qr/"dispatcher.ivan.vc\/request-id":"$early->{'x-id'}"/, 'and is the execution\'s' );

# --- a location without a name ---

my $said = $t->nginx_check("%%GLOBALS%%\nevents { }\nhttp { server { listen 127.0.0.1:1; location \"\" { dispatcher_execute; dispatcher_api /_dispatcher/; } } }\n");
isnt( $said->{status}, 0, 'location "" is refused' );
like( $said->{err}, qr/"dispatcher_execute" directive needs a location that ends with "\/"/, 'with the reason' );

$t->done_testing;
