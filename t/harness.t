#!/usr/bin/env perl
# The harness itself: what it promises to catch, it catches.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Process;
use Dispatcher::Test::Server qw(json reply);

local $ENV{DSP_MODULE} = 'static';    # nginx without the module

my $t   = Dispatcher::Test->new;
my $api = $t->api( sub {
    my ($request) = @_;
    return ( "HTTP/1.1 200 OK\r\nContent-Le", wait => 0.05, "ngth: 2\r\n\r\nok" ) if $request->{target} eq '/slow';
    return ( "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\ncut", 'close' ) if $request->{target} eq '/cut';
    return json( 201, { n => $request->{number} } );
} );

my $nginx = $t->nginx( <<"END" );
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    server {
        listen 127.0.0.1:%%PORT:http%%;
        location / { proxy_pass http://$api->{host}; }
    }
}
END

my $answer = $nginx->http( PUT => '/x', body => "a\0b", headers => [ 'X-Test' => 'yes' ] );
is( $answer->{status},  201, 'status' );
is( $answer->{json}{n}, 1,   'JSON' );
my ($request) = $api->requests;
is( $request->{body},              "a\0b", 'the body arrives byte for byte' );
is( $request->{headers}{'x-test'}, 'yes',  'and the headers' );
is( $nginx->http( PUT => '/x', chunked => [ 'ab', 'c' ] )->{status}, 201, 'a chunked request' );
is( ( $api->requests )[1]{body},                    'abc', 'and its body' );
is( $nginx->http( GET => '/slow' )->{body},         'ok',  'steps with a pause' );
is( $t->http( $api->{host}, GET => '/cut' )->{cut}, 1,     'a cut body is seen' );

my ($old) = $nginx->workers;
$nginx->reload;
isnt( ( $nginx->workers )[0], $old, 'reload brings a new worker' );
is( $nginx->http( GET => '/' )->{status}, 201, 'which serves' );

my $result = $t->run( 'sh', '-c', 'cat; echo no >&2; exit 3', { stdin => 'hello' } );
is( "$result->{status} $result->{out} $result->{err}", "3 hello no\n", 'a command with input, output, errors and a status' );
is( $t->port('a'), $t->port('a'), 'a port keeps its number' );
isnt( $t->port('a'), $t->port('b'), 'another name, another port' );

$t->write( 'x.log', "fine\n2026 [alert] 1#1: oh\n==1==ERROR: AddressSanitizer: oh\n" );
is( scalar( $t->bad_lines ), 2, 'forbidden lines are seen' );
$t->allow(qr/oh/);
is( scalar( $t->bad_lines ), 0, 'allowed ones are not' );

$t->run( 'sh', '-c', 'setsid sleep 1000 >/dev/null 2>&1 &' );
$t->wait_for( 'an orphan', sub { grep { Dispatcher::Test::Process::title($_) eq 'sleep 1000' } Dispatcher::Test::Process::children($$) } );
$t->stop_all;
my @left = Dispatcher::Test::Process::orphans(0.1);
is( scalar(@left), 1, 'an orphan is seen' );
like( $left[0], qr/sleep 1000/, 'and named' );

my $crash = $t->start( crash => 'sh', '-c', 'kill -SEGV $$' );
is( $crash->wait_exit, 139, 'a crash has a status' );
like( $crash->fault, qr/crash died by signal 11/, 'and is a fault' );
$crash->{killed} = 1;    # this one was meant

$t->done_testing;
