#!/usr/bin/env perl
# Clients that leave at each stage, reloads under load, graceful stops: what was sent is counted and logged, and nothing hangs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Http;
use Dispatcher::Test::Kube qw(kube what);

my $t = Dispatcher::Test->new;

# slow-get: the GET of the template waits for the file "get"; slow-post: the POST waits for the file "post".
my $api = $t->api( sub {
    my ($request) = @_;
    my ( $resource, undef, $name ) = what($request);
    return ( until => $t->path('get'), kube($request) ) if ( $name // '' ) eq 'slow-get';
    return ( until => $t->path('post'), kube($request) ) if $request->{body} =~ /"jobTemplateName":"slow-post"/;
    return kube($request);
} );

sub conf {
    my ($abort) = @_;
    return <<"END";
%%GLOBALS%%
worker_processes 2;
worker_shutdown_timeout 20s;
events { }
http {
    %%HTTP%%
    log_format names '\$status \$dispatcher_template \$dispatcher_execution';
    access_log %%DIR%%/names.log names;
    dispatcher_zone zone=d:64k;
    dispatcher_api /_dispatcher/;
    dispatcher_template_cache off;
    upstream kube { server $api->{host} max_fails=0; keepalive 8; }
    server {
        listen 127.0.0.1:%%PORT:http%%;
        listen 127.0.0.1:%%PORT:h2c%% http2;
        location /execute/ { dispatcher_execute; }
        location = /metrics { dispatcher_metrics; access_log off; }
        location /_dispatcher/ {
            internal;
            client_max_body_size 0;
            proxy_pass http://kube/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_ignore_client_abort $abort;
        }
    }
}
END
}

my $nginx = $t->nginx( conf('on') );

sub value {
    my ($name) = @_;
    my ($value) = $nginx->http( GET => '/metrics' )->{body} =~ /^\Q$name\E (\S+)$/m;
    return $value;
}

sub idle { $t->wait_for( 'no request in flight', sub { value('dispatcher_http_requests_in_flight') == 0 } ); return }
sub logged { my ($pattern) = @_; $t->wait_for( "$pattern in the access log", sub { $t->read('names.log') =~ $pattern } ); return pass("logged: $pattern") }

# Starts a request, waits until the API server has seen the call, and leaves in one way or another.
sub leave {
    my ( $template, $how ) = @_;
    my @before = $api->requests;
    my $c = Dispatcher::Test::Http->new( $nginx->{host} );
    $c->send("PUT /execute/$template HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
    my $calls = $template eq 'slow-get' ? 1 : 2;
    $t->wait_for( 'the call', sub { my @now = $api->requests; @now == @before + $calls } );
    $c->$how;
    return;
}

# --- clients that leave, and the execution is stored all the same ---

for my $how (qw(close reset shut)) {
    for my $stage (qw(get post)) {
        my $success = value('job_requests_success_total');
        unlink $t->path($stage);
        leave( "slow-$stage", $how );
        $t->write( $stage => '' );
        idle();
        is( value('job_requests_success_total'), $success + 1, "a client that leaves during the $stage ($how): counted as stored" );
    }
}
logged(qr/^201 slow-get slow-get-[0-9a-f]{10}$/m);
logged(qr/^201 slow-post slow-post-[0-9a-f]{10}$/m);

# Before the body is complete: nothing is done.
my $failed = value('job_requests_failures_total');
my @before = $api->requests;
my $c = Dispatcher::Test::Http->new( $nginx->{host} );
$c->send("PUT /execute/early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx");
$t->wait_for( 'the request', sub { value('dispatcher_http_requests_in_flight') == 1 } );
$c->reset;
idle();
is( value('job_requests_failures_total'), $failed + 1, 'a client that leaves before the end of its body: a failure' );
is( scalar( () = $api->requests ), @before, 'and no call' );

# HTTP/2: the stream is reset while the POST is on its way.
my $success = value('job_requests_success_total');
unlink $t->path('post');
@before = $api->requests;
my $curl = $t->start( 'curl', 'curl', '-sS', '--http2-prior-knowledge', '-X', 'PUT', '-d', 'x', 'http://127.0.0.1:' . $t->port('h2c') . '/execute/slow-post' );
$t->wait_for( 'the POST', sub { my @now = $api->requests; @now == @before + 2 } );
$curl->stop('KILL');
$t->write( post => '' );
idle();
is( value('job_requests_success_total'), $success + 1, 'a client of HTTP/2 that leaves during the POST: counted as stored' );
logged(qr/^499 slow-post slow-post-[0-9a-f]{10}$/m);

# --- where leaving ends the call ---

$t->write( 'nginx.conf', $t->read( $t->nginx_conf( conf('off') ) ) );
$nginx->reload;
unlink $t->path($_) for qw(get post);
my $classes = value('dispatcher_http_requests_total{class="4xx"}');
leave( 'slow-get',  'close' );
leave( 'slow-post', 'close' );
idle();
is( value('dispatcher_http_requests_total{class="4xx"}'), $classes + 2, 'proxy_ignore_client_abort off: 499' );
logged(qr/^499 slow-get -$/m);
logged(qr/^499 slow-post slow-post-/m);
$t->write( $_ => '' ) for qw(get post);

# --- reloads under load: every request is answered, every execution stored once ---

$t->write( 'nginx.conf', $t->read( $t->nginx_conf( conf('on') ) ) );
$nginx->reload;
my $total = value('job_requests_success_total');
my $sent  = 0;
my $bad   = 0;
for my $round ( 1 .. 4 ) {
    my @clients = map {
        my $client = Dispatcher::Test::Http->new( $nginx->{host} );
        $client->send("PUT /execute/load HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
        $client;
    } 1 .. 40;
    $nginx->signal('HUP');
    for my $client (@clients) {
        $sent++;
        $bad++ unless $client->response->{status} == 201;
        $client->close;
    }
}
is( $bad, 0, "$sent requests over 4 reloads: all 201" );
idle();
is( value('job_requests_success_total'), $total + $sent, 'all counted' );
my %stored;
for ( grep { $_->{method} eq 'POST' } $api->requests ) {
    my ($name) = $_->{body} =~ /"name":"(load-[^"]+)"/ or next;
    $stored{$name}++;
}
is( scalar( keys %stored ), $sent, 'all stored' );
is( scalar( grep { $_ > 1 } values %stored ), 0, 'once' );

# --- a graceful stop waits for what is in flight ---

unlink $t->path('post');
$c = Dispatcher::Test::Http->new( $nginx->{host} );
@before = $api->requests;
$c->send("PUT /execute/slow-post HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
$t->wait_for( 'the POST', sub { my @now = $api->requests; @now == @before + 2 } );
$nginx->signal('QUIT');
$t->wait_for( 'nginx to stop listening', sub { !$t->listening( $nginx->{host} ) } );
$t->write( post => '' );
is( $c->response->{status}, 201, 'a request in flight is served to its end' );
$c->close;
is( $nginx->wait_exit, 0, 'then nginx ends' );

$t->done_testing;
