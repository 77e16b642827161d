#!/usr/bin/env perl
# curl -> JobExecution -> Job -> its end, as users do it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Dispatcher::Path;
use Test::More;

my $path = Dispatcher::Path->new;
$path->template( hello => { command => [ 'echo', '$(PAYLOAD)' ] }, labels => { team => 'blue', 'example.com/tier' => 'one' } );

sub condition { my ($c) = grep { $_->{type} eq $_[1] } @{ $_[0]{status}{conditions} }; return "$c->{status} $c->{reason}" }

for my $method (qw(PUT POST)) {
    subtest "$method runs a JobTemplate of the default namespace" => sub {
        my $answer = $path->nginx->http( $method => '/execute/hello', body => "my $method payload" );
        is( $answer->{status}, 201 );
        is( $answer->{headers}{'content-type'}, 'application/json' );
        my $stored = $answer->{json};
        is_deeply( [ sort keys %$stored ], [qw(creationTimestamp jobTemplateName name namespace uid)] );
        is( $stored->{namespace},       'default' );
        is( $stored->{jobTemplateName}, 'hello' );
        like( $stored->{name},              qr/^hello-[a-z0-9]{10}$/ );
        like( $stored->{creationTimestamp}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ );

        my $je = $path->finished($stored);
        is( $je->{metadata}{uid}, $stored->{uid} );
        is_deeply( $je->{spec}, { jobTemplateName => 'hello', payload => "my $method payload" } );
        is( condition( $je, 'Succeeded' ), 'True JobSucceeded' );
        is( condition( $je, 'Running' ),   'False JobCompleted' );
        like( condition( $je, 'Waiting' ), qr/^False / );
        like( $je->{status}{startTime},      qr/^\d{4}-/ );
        like( $je->{status}{completionTime}, qr/^\d{4}-/ );

        my @jobs = $path->jobs_of($je);
        is( scalar @jobs, 1, 'one Job' );
        my $job = $jobs[0];
        is( $je->{status}{job}{uid},  $job->{metadata}{uid} );
        is( $je->{status}{job}{name}, $job->{metadata}{name} );
        is( $je->{status}{job}{kind}, 'Job' );
        like( $job->{metadata}{name}, qr/^\Q$stored->{name}\E-[a-z2-7]{10}$/ );
        is( $job->{metadata}{labels}{'controller-uid'},     $stored->{uid} );
        is( $job->{metadata}{labels}{'job-execution-name'}, $stored->{name} );
        is_deeply(
            $job->{metadata}{ownerReferences},
            [ {
                apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', name => $stored->{name}, uid => $stored->{uid},
                controller => JSON::PP::true, blockOwnerDeletion => JSON::PP::true,
            } ] );
        is( $path->log_of($je), "my $method payload\n" );
    };
}

subtest 'labels of the JobTemplate are copied to the JobExecution' => sub {
    my $je = $path->get( 'jobexecution', $path->put( '/execute/hello', '' )->{json}{name} );
    is( $je->{metadata}{labels}{team},               'blue' );
    is( $je->{metadata}{labels}{'example.com/tier'}, 'one' );
    $path->finished( $je->{metadata} );
};

subtest 'an explicit namespace' => sub {
    $path->apply( { apiVersion => 'v1', kind => 'Namespace', metadata => { name => 'batch' } } );
    $path->template( there => { command => [ 'echo', 'in', 'batch' ] }, namespace => 'batch' );
    is( $path->put( '/execute/there', 'x' )->{status}, 404, 'it is not in the default namespace' );
    my $answer = $path->put( '/execute/batch/there', 'x' );
    is( $answer->{status},          201 );
    is( $answer->{json}{namespace}, 'batch' );
    my $je = $path->finished( $answer->{json} );
    is( condition( $je, 'Succeeded' ), 'True JobSucceeded' );
    is( $path->log_of($je),            "in batch\n" );
};

subtest 'an empty body is an empty payload' => sub {
    for my $request ( [ body => '' ], [] ) {
        my $answer = $path->nginx->http( PUT => '/execute/hello', @$request );
        is( $answer->{status}, 201 );
        my $je = $path->finished( $answer->{json} );
        is( $je->{spec}{payload} // '', '' );
        is( $path->log_of($je),         "\n" );
    }
};

subtest 'a JobExecution made by hand' => sub {
    $path->apply( {
        apiVersion => 'dispatcher.ivan.vc/v1alpha1', kind => 'JobExecution', metadata => { name => 'by-hand' },
        spec       => { jobTemplateName => 'hello', payload => 'made by hand' },
    } );
    my $je = $path->finished( { name => 'by-hand' } );
    is( condition( $je, 'Succeeded' ), 'True JobSucceeded' );
    is( $path->log_of($je),            "made by hand\n" );
};

subtest 'a Job that fails says why' => sub {
    $path->template( fails => { command => [ 'sh', '-c', 'echo before; exit 3' ] } );
    my $je = $path->finished( $path->put( '/execute/fails', 'x' )->{json} );
    is( condition( $je, 'Succeeded' ), 'False BackoffLimitExceeded' );
    is( condition( $je, 'Running' ),   'False JobCompleted' );
    my ($succeeded) = grep { $_->{type} eq 'Succeeded' } @{ $je->{status}{conditions} };
    like( $succeeded->{message}, qr/backoff limit/ );
    like( $succeeded->{message}, qr/main exited with code 3/ );
    is( $path->log_of($je),              "before\n" );
    is( scalar $path->jobs_of($je), 1, 'it is not run again' );
};

subtest 'the name of the JobExecution is there for the template' => sub {
    $path->template( named => { command => [ 'echo', '{{ .Name }}', '{{ .Payload | upper | quote }}', '{{ len .Payload }}' ] } );
    my $answer = $path->put( '/execute/named', 'abc' );
    my $je     = $path->finished( $answer->{json} );
    is( $path->log_of($je), "$answer->{json}{name} \"ABC\" 3\n" );
};

$path->t->done_testing;
