#!/usr/bin/env perl
# Together with what nginx users already have: TLS, HTTP/2, authentication, limits, mirror, filters, rewrites, error pages.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Http;
use Dispatcher::Test::Kube qw(kube);

my $t   = Dispatcher::Test->new;
my $api = $t->api( sub { kube( $_[0] ) } );

my $openssl = $t->run( qw(openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout), $t->path('key.pem'), '-out', $t->path('cert.pem') );
is( $openssl->{status}, 0, 'a certificate' ) or diag $openssl->{err};
$t->write( users => "alice:{PLAIN}wonder\n" );

my $nginx = $t->nginx( <<"END", log => 'info' );
%%GLOBALS%%
worker_processes 3;
events { }
http {
    %%HTTP%%
    log_format j escape=json '{"status":\$status,"ns":"\$dispatcher_namespace","template":"\$dispatcher_template","execution":"\$dispatcher_execution","user":"\$remote_user","addr":"\$remote_addr"}';
    access_log %%DIR%%/json.log j;
    limit_req_zone \$binary_remote_addr zone=slow:64k rate=20r/s;
    limit_req_zone \$server_port zone=none:64k rate=1r/m;
    limit_conn_zone \$server_port zone=conn:64k;
    limit_req_status 429;
    limit_conn_status 429;
    dispatcher_api /_dispatcher/;
    gzip on; gzip_types *; gzip_min_length 1;
    sub_filter_types *; sub_filter_once off;
    sub_filter default DEFAULT;
    upstream kube { server $api->{host} max_fails=0; keepalive 8; }
    server {
        listen 127.0.0.1:%%PORT:http%%;
        listen 127.0.0.1:%%PORT:tls%% ssl http2;
        ssl_certificate cert.pem; ssl_certificate_key key.pem;
        client_max_body_size 2m;
        client_body_buffer_size 8k;
        add_header X-Site yes always;
        add_header X-Id \$request_id always;
        set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;
        addition_types *;

        location /execute/   { dispatcher_execute; }
        location /basic/     { dispatcher_execute; auth_basic site; auth_basic_user_file users; }
        location /auth/      { dispatcher_execute; auth_request /_auth; }
        location = /_auth    { internal; if (\$http_x_pass) { return 204; } return 403; }
        location /delay/     { dispatcher_execute; limit_req zone=slow burst=100; }
        location /limited/   { dispatcher_execute; limit_req zone=none; }
        location /conn/      { dispatcher_execute; limit_conn conn 1; }
        location /mirror/    { dispatcher_execute; mirror /_mirror; }
        location = /_mirror  { internal; proxy_pass http://kube/mirrored; }
        location /denied/    { dispatcher_execute; deny all; }
        location /allowed/   { dispatcher_execute; allow 127.0.0.1; allow 10.0.0.0/8; deny all; }
        location /satisfy/   { dispatcher_execute; satisfy any; allow 10.0.0.1; deny all; auth_basic site; auth_basic_user_file users; }
        location /page/      { dispatcher_execute; deny all; error_page 403 =200 /page.html; }
        location = /page.html { return 200 "please ask"; }
        location /named/     { dispatcher_execute; error_page 413 \@toobig; client_max_body_size 1; }
        location \@toobig    { return 413 "too big for us"; }
        location /rewritten/ { rewrite ^/rewritten/(\\w+)/(\\w+)\$ /execute/\$1/\$2; }
        rewrite ^/old/(.*) /all/\$1;
        location /all/ {
            limit_req zone=slow burst=100; limit_conn conn 100;
            allow 10.0.0.0/8; deny all; auth_basic site; auth_basic_user_file users; auth_request /_auth;
            mirror /_mirror; ssi on; ssi_types *; charset utf-8; charset_types *;
            dispatcher_execute;
        }
        location /after/     { dispatcher_execute; add_after_body /tail; add_before_body /tail; }
        location = /tail     { return 200 tail; }
        location = /around   { add_after_body /inner; return 200 around; }
        location = /inner    { dispatcher_execute inner; }
        location /_dispatcher/ {
            internal;
            client_max_body_size 0;
            proxy_pass http://kube/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
}
END

sub put { my ( $path, @more ) = @_; return $nginx->http( PUT => $path, body => 'x', @more ) }
sub posts { return scalar grep { $_->{method} eq 'POST' } $api->seen }

sub served {
    my ( $name, $answer ) = @_;
    is( $answer->{status},  201, "$name: 201" ) or diag $answer->{body};
    is( posts(),            1,   'one POST' );
    return;
}

sub refused {
    my ( $name, $answer, $status ) = @_;
    is( $answer->{status},                  $status,                    "$name: $status" );
    is( $answer->{headers}{'content-type'}, 'application/problem+json', 'as a problem document' );
    is( $answer->{json}{status},            $status,                    'with its status' );
    is( $answer->{json}{type},              'about:blank',              'and no type of ours' );
    is( $answer->{json}{requestId},         $answer->{headers}{'x-id'}, 'and the id of the request' );
    is( posts(),                            0,                          'nothing was stored' );
    return;
}

# --- filters: the API's JSON is not touched, our own answer is as any ---

my $answer = put('/execute/demo');
served( 'sub_filter, gzip and add_header', $answer );
is( $answer->{json}{namespace},       'DEFAULT', 'sub_filter sees our answer' );
is( $answer->{headers}{'x-site'},     'yes',     'add_header' );
$answer = put( '/execute/missing', headers => [ 'Accept-Encoding' => 'gzip' ] );
is( "$answer->{status} $answer->{headers}{'content-encoding'}", '404 gzip', 'gzip compresses what it always does, 404 but not 201' );
$api->seen;
served( 'addition', put('/after/demo') );

is( $nginx->http( GET => '/around' )->{reason}, 'OK', 'a subrequest of another module to dispatcher_execute' );
is( $nginx->http( PUT => '/around', body => 'x' )->{status}, 200, 'whatever the method' );
is( scalar( () = $api->seen ), 0, 'executes nothing' );
like( $t->read('nginx.error.log'), qr/"dispatcher_execute" cannot serve a subrequest/, 'and the log says why' );

# --- access ---

my $alice = 'Basic YWxpY2U6d29uZGVy';
$answer = put('/basic/demo');
refused( 'auth_basic', $answer, 401 );
like( $answer->{headers}{'www-authenticate'}, qr/Basic realm="site"/, 'WWW-Authenticate stays' );
served( 'auth_basic with a password', put( '/basic/demo', headers => [ Authorization => $alice ] ) );
refused( 'auth_request', put('/auth/demo'), 403 );
served( 'auth_request that agrees', put( '/auth/demo', headers => [ 'X-Pass' => 1 ] ) );
refused( 'deny', put('/denied/demo'), 403 );
served( 'allow', put('/allowed/demo') );
served( 'realip and allow', put( '/allowed/demo', headers => [ 'X-Forwarded-For' => '10.1.2.3' ] ) );
refused( 'realip and deny', put( '/allowed/demo', headers => [ 'X-Forwarded-For' => '11.1.2.3' ] ), 403 );
refused( 'satisfy any', put('/satisfy/demo'), 401 );
served( 'satisfy any, by address', put( '/satisfy/demo', headers => [ 'X-Forwarded-For' => '10.0.0.1' ] ) );

# --- limits ---

my @connections = map {
    my $c = Dispatcher::Test::Http->new( $nginx->{host} );
    $c->send("PUT /delay/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
    $c;
} 1 .. 6;
is( $_->response->{status}, 201, 'limit_req with delay' ) for @connections;
$_->close for @connections;
is( posts(), 6, 'all are served' );
put('/limited/demo') for 1 .. 2;
$api->seen;
refused( 'limit_req', put('/limited/demo'), 429 );
served( 'limit_conn', put('/conn/demo') );

# --- others ---

is( put('/mirror/demo')->{status}, 201, 'mirror' );
$t->wait_for( 'the mirrored request', sub { grep { $_->{target} eq '/mirrored' } $api->requests } );
my ($mirrored) = grep { $_->{target} eq '/mirrored' } $api->requests;
is( $mirrored->{body}, 'x', 'the mirror gets the payload' );
$api->seen;
$answer = put('/page/demo');
is( "$answer->{status} $answer->{body}", '200 please ask', 'error_page' );
$answer = put( '/named/demo', body => 'xx' );
is( "$answer->{status} $answer->{body}", '413 too big for us', 'error_page with a named location' );
is( posts(), 0, 'nothing was stored' );
served( 'rewrite', put('/rewritten/team/demo') );

# --- TLS and HTTP/2, with a client that knows them ---

my $tls = 'https://127.0.0.1:' . $t->port('tls');
my $big = $t->write( big => '0123456789' x 100_000 );
for my $version ( '--http1.1', '--http2' ) {
    for ( [ small => '-d', 'x' ], [ large => '-T', $big ], [ chunked => '-T', $big, '-H', 'Transfer-Encoding: chunked' ], [ empty => '-d', '' ] ) {
        my ( $name, @body ) = @$_;
        next if $version eq '--http2' && $name eq 'chunked';
        my $result = $t->run( 'curl', '-sSk', $version, '-X', 'PUT', @body, '-w', '%{http_code} %{http_version}', "$tls/execute/demo" );
        like( $result->{out}, qr/"name":"demo-[0-9a-f]{10}".* 201 @{[ $version eq '--http2' ? 2 : '1\.1' ]}$|"\}\n201 /s, "curl $version, $name" ) or diag $result->{err};
        is( posts(), 1, 'one POST' );
    }
    my $result = $t->run( 'curl', '-sSk', $version, '-X', 'PUT', '-d', "a\xff", '-w', '%{http_code}', "$tls/execute/demo" );
    like( $result->{out}, qr/invalid-payload.*400$/s, "curl $version, a payload that is not text" );
    $result = $t->run( 'curl', '-sSk', $version, '-I', "$tls/execute/demo", '-w', '%{http_code}' );
    like( $result->{out}, qr/allow: PUT, POST.*405$/si, "curl $version, HEAD" );
}

# --- all of them at once ---

my @all = ( '-u', 'alice:wonder', '-H', 'X-Pass: 1', '-H', 'X-Forwarded-For: 10.1.1.1', '--compressed' );
for my $version ( '--http1.1', '--http2' ) {
    my $result = $t->run( 'curl', '-sSk', $version, '-X', 'PUT', '-d', 'x', @all, '-w', '%{http_code}', "$tls/old/team/demo" );
    like( $result->{out}, qr/\A\{"namespace":"team","name":"demo-[0-9a-f]{10}",.*\}\n201\z/, "curl $version, through all of them" ) or diag $result->{err};
    $t->wait_for( 'the mirrored request', sub { 3 == grep { $_->{target} eq '/mirrored' } $api->requests } ) if $version eq '--http2';
    is( posts(), 1, 'one POST' );
}

# --- the access log ---

$answer = put( '/basic/team/demo', headers => [ Authorization => $alice ] );
my $name = $answer->{json}{name};
$t->wait_for( 'the access log', sub { $t->read('json.log') =~ /\Q$name\E/ } );
my ($line) = grep {/\Q$name\E/} split /\n/, $t->read('json.log');
is_deeply(
    JSON::PP->new->decode($line),
    { status => 201, ns => 'team', template => 'demo', execution => $name, user => 'alice', addr => '127.0.0.1' },
    'a JSON access log with our variables'
);

$t->done_testing;
