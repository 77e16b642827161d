#!/usr/bin/env perl
# What can go wrong on the whole path, and that every failure is explained.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Dispatcher::Path;
use Test::More;

my $path = Dispatcher::Path->new;
my $t    = $path->t;
$path->template( hello => { command => [ 'echo', '$(PAYLOAD)' ] } );

sub problem {
    my ( $answer, $status, $detail ) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is( $answer->{status}, $status );
    is( $answer->{headers}{'content-type'}, 'application/problem+json' );
    is( $answer->{json}{status}, $status );
    ok( length $answer->{json}{$_}, $_ ) for qw(type title detail instance);
    like( $answer->{json}{detail}, $detail );
    return;
}

subtest 'a JobTemplate that is not there' => sub {
    problem( $path->put( '/execute/no-such-template', 'x' ), 404, qr/no-such-template/ );
    problem( $path->put( '/execute/no-such-namespace/hello', 'x' ), 404, qr/hello/ );
};

subtest 'names that are none' => sub {
    for my $uri (
        '/execute/',       '/execute/UPPER',     '/execute/a_b',         '/execute/-a',   '/execute/a-', '/execute/a/b/c', '/execute//hello',
        '/execute/a%2Fb',  '/execute/hello%00',    '/execute/h%C3%A9', '/execute/' . 'a' x 254, '/execute/a.b/hello',
        '/execute/default/',
        )
    {
        my $answer = $path->put( $uri, 'x' );
        is( $answer->{status}, 400, $uri );
    }
    like( $path->put( '/execute/%2e%2e/x', 'x' )->{status}, qr/^4/, 'a path that leads out of the location' );
    is( $path->count('jobexecutions'), 0, 'nothing was created' );
};

subtest 'methods' => sub {
    for my $method (qw(GET DELETE PATCH)) {
        my $answer = $path->nginx->http( $method => '/execute/hello' );
        problem( $answer, 405, qr/$method/ );
        is( $answer->{headers}{allow}, 'PUT, POST' );
    }
};

subtest 'a JobTemplate that appears later' => sub {
    $path->apply( {
        apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', metadata => { name => 'early' },
        spec       => { jobTemplateName => 'later', payload => 'patience' },
    } );
    my $je = $path->when( { name => 'early' }, 'Waiting', 'True', 'TemplateNotFound' );
    is( scalar $path->jobs_of($je), 0 );
    $path->template( later => { command => [ 'echo', '$(PAYLOAD)' ] } );
    $je = $path->when( { name => 'early' }, 'Succeeded', 'True' );
    is( $path->log_of($je), "patience\n" );
};

subtest 'a template that is wrong ends at once, and says where' => sub {
    $path->template( wrong => { command => [ 'echo', 'fine', '{{ .Payload | nosuchfunction }}' ] } );
    my $je = $path->finished( $path->put( '/execute/wrong', 'x' )->{json} );
    my $c  = Dispatcher::Path::condition( $je, 'Succeeded' );
    is( "$c->{status} $c->{reason}", 'False TemplateError' );
    like( $c->{message}, qr/spec\.template\.spec\.containers\[0\]\.command\[2\]/ );
    like( $c->{message}, qr/function "nosuchfunction" not defined/ );
    is( scalar $path->jobs_of($je), 0 );
};

subtest 'the controller is away for a while' => sub {
    my @started;
    $path->template( slow => { command => [ 'sh', '-c', 'until [ -e ' . $t->path('go') . ' ]; do sleep 0.05; done; echo done' ] } );
    push @started, $path->put( '/execute/slow', 'x' )->{json};
    $path->when( $started[0], 'Running', 'True' );
    $path->stop_controller;
    push @started, $path->put( '/execute/hello', 'meanwhile' )->{json};
    $t->write( 'go', '' );
    my ($job) = $path->jobs_of( $started[0] );
    $t->wait_for( 'the Job to complete',
        sub { my $j = $path->get( job => $job->{metadata}{name} ); grep { $_->{type} eq 'Complete' } @{ $j->{status}{conditions} // [] } } );
    $path->start_controller;
    for my $started (@started) {
        my $je = $path->when( $started, 'Succeeded', 'True' );
        is( scalar $path->jobs_of($je), 1, 'one Job' );
    }
};

subtest 'the controller is killed in between' => sub {
    my @started = map { $path->put( '/execute/hello', "number $_" )->{json} } 1 .. 5;
    $path->stop_controller('KILL');
    push @started, map { $path->put( '/execute/hello', "number $_" )->{json} } 6 .. 10;
    $path->start_controller;
    for my $started (@started) {
        my $je = $path->when( $started, 'Succeeded', 'True' );
        is( scalar $path->jobs_of($je), 1, 'one Job' );
    }
};

subtest 'the API server is away' => sub {
    $path->kube->stop;
    problem( $path->put( '/execute/hello', 'x' ), 502, qr/./ );
    unlike( $path->put( '/execute/hello', 'x' )->{body}, qr/127\.0\.0\.1/, 'nothing of the inside is told' );
};

$t->done_testing;
