#!/usr/bin/env perl
# The payload is data to the end: what was sent is what the process gets, or a clear refusal.
use strict;
use warnings;

use Digest::SHA 'sha256_hex';
use FindBin;
use lib "$FindBin::Bin/lib";

use Dispatcher::Path;
use Test::More;

my $path = Dispatcher::Path->new( front => { execute => 'client_max_body_size 2m;' } );
$path->template( echo => { command => [ 'printf', '%s', '$(PAYLOAD)' ] } );
$path->template( digest => { command => [ 'echo', '{{ len .Payload }}', '{{ sha256sum .Payload }}' ], env => [] } );
$path->template(
    secret => {
        command => [ 'printf', '%s|%s|%s', '{{ .Payload }}', '$(SECRET)', '$(PAYLOAD)' ],
        env     => [ { name => 'SECRET', value => 'hunter2' }, { name => 'PAYLOAD', value => '{{ .Payload }}' } ],
    } );

my %payloads = (
    quotes             => q{"double" 'single' \back\\slash},
    newlines           => "one\ntwo\r\nthree\n\n",
    emoji              => "caf\xC3\xA9 \xF0\x9F\x98\x80 \xE2\x80\xA8",
    'template actions' => '{{ .Name }} {{/* no */}} {{ fail "no" }} }}',
    JSON               => '{"a":[1,2.50,12345678901234567890],"b":"<&>\u2028"}',
    'control bytes'    => join( '', map { chr } 1 .. 31, 127 ),
    'shell'            => '$(id) `id` ; rm -rf / && ${HOME} $$ $$$',
);

for my $what ( sort keys %payloads ) {
    subtest "a payload with $what" => sub {
        my $answer = $path->put( '/execute/echo', $payloads{$what} );
        is( $answer->{status}, 201 );
        is( $path->log_of( $path->finished( $answer->{json} ) ), $payloads{$what} );
    };
}

subtest 'a payload cannot read the environment of the container' => sub {
    my $je = $path->finished( $path->put( '/execute/secret', 'a $(SECRET) $$(SECRET) $$' )->{json} );
    is( $path->log_of($je), 'a $(SECRET) $$(SECRET) $$|hunter2|a $(SECRET) $$(SECRET) $$' );
};

subtest 'a payload of one MiB' => sub {
    my $payload = substr( join( '', map { "line $_ of a payload that is larger than any buffer\n" } 1 .. 25000 ), 0, 1 << 20 );
    for my $chunks ( [], [ unpack '(a65536)*', $payload ] ) {
        my $answer = $path->put( '/execute/digest', $payload, @$chunks ? ( chunked => $chunks ) : () );
        is( $answer->{status}, 201 ) or diag( $answer->{body} );
        my $je = $path->finished( $answer->{json} );
        is( $path->log_of($je), '1048576 ' . sha256_hex($payload) . "\n" );
    }
};

subtest 'a payload over the limit (the definition\'s, nginx\'s) is refused, and nothing is created' => sub {
    my $before = $path->count('jobexecutions');
    for my $size ( 1_572_865, ( 2 << 20 ) + 1 ) {
        my $answer = $path->put( '/execute/digest', 'x' x $size );
        is( $answer->{status}, 413 );
        is( $answer->{headers}{'content-type'}, 'application/problem+json' );
        is( $answer->{json}{type}, 'tag:dispatcher.ivan.vc,2026:payload-too-large' );
    }
    is( $path->count('jobexecutions'), $before );
};

subtest 'bytes that are no text are refused, and nothing is created' => sub {
    my $before = $path->count('jobexecutions');
    for my $body ( "ab\xFFcd", "ab\0cd", "\xC3", "\xED\xA0\x80" ) {
        my $answer = $path->put( '/execute/echo', $body );
        is( $answer->{status}, 400 );
        is( $answer->{headers}{'content-type'}, 'application/problem+json' );
        like( $answer->{json}{detail}, qr/byte \d/ );
    }
    is( $path->count('jobexecutions'), $before );
};

$path->t->done_testing;
