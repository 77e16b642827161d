#!/usr/bin/env perl
# devcluster's control URL: faults, holds, audit, request log.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Devcluster;
use Dispatcher::Test;

plan skip_all => 'about devcluster itself' if $ENV{DSP_KUBE};
my $t = Dispatcher::Test->new;
my $d = Dispatcher::Devcluster->new( $t, args => ['--no-jobs'] );
my $JE   = $Dispatcher::Devcluster::JE;
my $JOBS = $Dispatcher::Devcluster::JOBS;

sub fault { my (%rule) = @_; return $d->control( POST => '/faults', \%rule ) }
sub stored { my ($name) = @_; return $d->ask( GET => "$JE/$name" )->{status} == 200 }
sub create { my ($name) = @_; return eval { $d->ask( POST => $JE, $d->execution($name) ) } // { status => 0 } }

my %posts = ( match => { method => 'POST', path => '/apis/dispatcher.ivan.vc/*/namespaces/*/jobexecutions' } );

subtest 'answers in the place of the real one' => sub {
    fault( %posts, fault => 'status', code => 429, retryAfter => 2 );
    my $answer = create('a1');
    is "$answer->{status} $answer->{headers}{'retry-after'} $answer->{json}{reason} $answer->{json}{details}{retryAfterSeconds}", '429 2 TooManyRequests 2', 'slow down';
    ok !stored('a1'), 'nothing was done';
    is create('a1')->{status}, 201, 'once only';
    fault( %posts, fault => 'status', code => 504, stage => 'served' );
    is create('a2')->{status}, 504, 'a timeout';
    ok stored('a2'), 'after it was done';
    fault( %posts, fault => 'html', stage => 'served' );
    like create('a3')->{body}, qr/^<html>/, 'HTML';
    fault( %posts, fault => 'redirect', location => 'http://127.0.0.1:1/' );
    my $redirect = create('a4');
    is "$redirect->{status} $redirect->{headers}{location}", '307 http://127.0.0.1:1/', 'a redirect';
    fault( %posts, fault => 'garble' );
    my $garbled = create('a5');
    ok !defined $garbled->{json}, 'garbled';
    ok stored('a5'), 'but done';
};

subtest 'connections that end' => sub {
    fault( %posts, fault => 'drop' );
    is create('b1')->{status} // 0, 0, 'dropped';
    ok !stored('b1'), 'before';
    fault( %posts, fault => 'drop', stage => 'served' );
    is create('b2')->{status} // 0, 0, 'dropped';
    ok stored('b2'), 'after';
    fault( %posts, fault => 'cut', bytes => 10 );
    my $cut = $t->run( 'curl', '-sS', '-H', 'Content-Type: application/json', '-d', JSON::PP->new->encode( $d->execution('b3') ), "http://$d->{host}$JE" );
    is length $cut->{out}, 10, 'cut';
    like $cut->{err}, qr/with \d+ bytes remaining|transfer closed/, 'in the middle';
    ok stored('b3'), 'after it was done';
    $d->control( POST => '/down' );
    ok !eval { $d->ask( GET => $JE ); 1 }, 'refused';
    $d->control( POST => '/up' );
    ok stored('b3'), 'and back on the same port';
};

subtest 'skip, count, match' => sub {
    my $rule = fault( match => { method => 'GET', path => "$JE/x" }, skip => 1, count => 2, fault => 'status', code => 500 );
    is join( ' ', map { $d->ask( GET => "$JE/x" )->{status} } 1 .. 4 ), '404 500 500 404', 'the second and third';
    my $seen = $d->control( GET => "/faults/$rule->{id}" );
    is "$seen->{seen} $seen->{hits}", '4 2', 'counted';
    $d->control( DELETE => '/faults' );
    fault( match => { userAgent => 'odd/*' }, count => 0, fault => 'status', code => 503 );
    is $d->ask( GET => $JE, undef, undef, headers => [ 'User-Agent' => 'odd/1' ] )->{status}, 503, 'by user agent';
    is $d->ask( GET => $JE )->{status}, 200, 'and nobody else';
    is_deeply [ map { $_->{fault} } @{ $d->control( GET => '/faults' ) } ], ['status'], 'listed';
    $d->control( DELETE => '/faults' );
    ok !eval { fault( fault => 'nonsense' ); 1 }, 'an unknown fault is refused';
};

# A request that goes on by itself.
sub posting {
    my ($name) = @_;
    return $t->start( "post-$name", 'curl', '-sS', '-o', $t->path("answer-$name"), '-H', 'Content-Type: application/json', '-d', JSON::PP->new->encode( $d->execution($name) ), "http://$d->{host}$JE" );
}

subtest 'hold and release' => sub {
    for my $stage (qw(arrived served)) {
        my $rule    = fault( %posts, fault => 'hold', stage => $stage );
        my $request = posting("h-$stage");
        is $d->control( GET => "/faults/$rule->{id}/wait" )->{held}, 1, "held when it has $stage";
        is stored("h-$stage") ? 1 : 0, $stage eq 'served' ? 1 : 0, 'as far as that';
        ok $request->alive, 'the client waits';
        is scalar( @{ $d->control( GET => "/requests?pending=1&text=h-$stage" ) } ), $stage eq 'arrived' ? 1 : 0, 'not served yet, or served';
        $d->control( POST => "/faults/$rule->{id}/release" );
        $t->wait_for( 'the answer', sub { !$request->alive } );
        like $t->read("answer-h-$stage"), qr/"name":"h-$stage"/, 'answered in the end';
    }
    my $rule = fault( match => { path => "$JE*" }, fault => 'hold', stage => 'answered' );
    is create('h3')->{status}, 201, 'answered';
    $d->control( GET => "/faults/$rule->{id}/wait" );
    my $next = posting('h4');
    $t->wait_for( 'the next request to be held', sub { $d->control( GET => "/faults/$rule->{id}" )->{held} == 1 } );
    $d->control( DELETE => "/faults/$rule->{id}" );
    $t->wait_for( 'it to go on', sub { !$next->alive } );
    ok stored('h4'), 'when the rule is gone';
    my $never = fault( %posts, fault => 'hold' );
    ok !eval { $d->control( GET => "/faults/$never->{id}/wait?timeoutMs=50" ); 1 }, 'waiting has an end';
    $d->control( DELETE => '/faults' );
};

subtest 'delay' => sub {
    fault( %posts, fault => 'delay', ms => 300 );
    my $request = posting('slow');
    ok $request->alive, 'waits';
    $t->wait_for( 'the answer', sub { !$request->alive } );
    ok stored('slow'), 'and is done';
};

subtest 'stale reads' => sub {
    my $before = $d->must( GET => $JE );
    fault( match => { method => 'GET', path => $JE }, fault => 'stale' );
    fault( match => { method => 'GET', path => "$JE/s1" }, fault => 'stale' );
    $d->must( POST => $JE, $d->execution('s1') );
    is scalar @{ $d->must( GET => $JE )->{items} }, scalar @{ $before->{items} }, 'a list of the past';
    is scalar @{ $d->must( GET => $JE )->{items} }, 1 + @{ $before->{items} }, 'and of the present';
};

subtest 'watches that misbehave' => sub {
    my $rv = $d->must( GET => $JE )->{metadata}{resourceVersion};
    my @names = map {"w$_"} 1 .. 3;
    my %watching = ( match => { query => '*watch=1*' } );
    fault( %watching, fault => 'duplicate' );
    my $double = $d->watch("$JE?watch=1&resourceVersion=$rv");
    fault( %watching, fault => 'cutLine', line => 2, bytes => 20 );
    my $cut = $d->watch("$JE?watch=1&resourceVersion=$rv");
    fault( %watching, fault => 'garbleLine', line => 2 );
    my $garbled = $d->watch("$JE?watch=1&resourceVersion=$rv");
    fault( %watching, fault => 'lag', ms => 400 );
    my $late = $d->watch("$JE?watch=1&resourceVersion=$rv");
    $d->must( POST => $JE, $d->execution($_) ) for @names;
    is $double->brief(6), 'ADDED w1, ADDED w1, ADDED w2, ADDED w2, ADDED w3, ADDED w3', 'everything twice';
    is $late->text, '', 'late';
    $t->wait_for( 'the cut watch to end', sub { $cut->ended } );
    is( ( split /\n/, $cut->text )[1], substr( '{"type":"ADDED","object":{', 0, 20 ), 'cut in the second line' );
    $t->wait_for( 'three lines', sub { scalar( my @all = $garbled->lines ) == 3 } );
    is join( ' ', map { eval { JSON::PP->new->utf8->decode($_); 1 } ? 'good' : 'bad' } $garbled->lines ), 'good bad good', 'a garbled line';
    is $late->brief(3), 'ADDED w1, ADDED w2, ADDED w3', 'in the end';
    $_->stop for $double, $garbled, $late;
    my $open = $d->watch("$JE?watch=1&resourceVersion=$rv");
    $d->control( POST => '/compact' );
    my $old = $d->ask( GET => "$JE?watch=1&resourceVersion=$rv" )->{json};
    is "$old->{type} $old->{object}{code}", 'ERROR 410', 'compacted';
    is $d->control( POST => '/kill-watches?kind=jobexecutions' )->{killed}, 1, 'killed';
    $t->wait_for( 'it to end', sub { $open->ended } );
};

subtest 'the audit and the log' => sub {
    $d->control( POST => '/reset' );
    my $owner = $d->must( POST => $JE, $d->execution('owner') )->{metadata}{uid};
    my $reference = { apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', name => 'owner', uid => $owner };
    $d->must( POST => $JOBS, $d->job( "j$_", metadata => { ownerReferences => [$reference] } ) ) for 1, 2;
    $d->must( POST => $JOBS, $d->job('free') );
    $d->must( DELETE => "$JOBS/j1?propagationPolicy=Background" );
    my $audit = $d->control( GET => '/audit' );
    is "$audit->{jobs} $audit->{owners}", '3 1', 'Jobs and owners';
    is_deeply $audit->{repeated}, [$owner], 'more than one';
    my %jobs = map { $_->{name} => $_ } @{ $audit->{byOwner}{$owner} };
    ok $jobs{j1}{deleted} && !$jobs{j2}{deleted}, 'deleted ones are remembered';
    is_deeply [ keys %{ $d->control( GET => "/audit?owner=$owner" )->{byOwner} } ], [$owner], 'of one owner';
    my ($post) = grep { $_->{method} eq 'POST' && $_->{target} eq $JE } @{ $d->control( GET => '/requests' ) };
    is_deeply( JSON::PP->new->decode( $post->{body} ), $d->execution('owner'), 'the body as it came' );
    is $post->{headers}{'Content-Type'}, 'application/json', 'headers';
    is $post->{code}, 201, 'and the answer';
    is_deeply [ sort map {"$_->{method} $_->{target}"} @{ $d->control( GET => "/requests?text=$owner" ) } ], [ ("POST $JOBS") x 2 ], 'those with a text in the body';
    is_deeply [ map { $_->{method} } @{ $d->control( GET => '/requests?text=j1' ) } ], [qw(POST DELETE)], 'or in the target';
    is_deeply $d->control( GET => '/requests?pending=1' ), [], 'those not served: none';
    is $d->control( GET => '/counters' )->{requests}{'create jobs 201'}, 3, 'counters';
    $d->control( DELETE => '/requests' );
    is_deeply $d->control( GET => '/requests' ), [], 'forgotten';
};

$t->done_testing;
