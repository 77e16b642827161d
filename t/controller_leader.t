#!/usr/bin/env perl
# Two controllers: fighting without an election, and taking turns with one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster( args => ['--quiet'] );
my $o    = Dispatcher::Objects->new( $t, $kube );

$o->template( 'plain', command => [ 'echo', '{{ .Payload }}' ] );
$o->template( 'failing', command => ['false'], backoff => 1 );
$o->template( 'ttl', ttl => 0, command => [ 'sleep', '0.1' ] );

my $counter = 0;
my %uids;

sub executions {
    my ($n) = @_;
    my @names;
    for ( 1 .. $n ) {
        for my $kind (qw(plain failing ttl)) {
            my $name = "$kind-" . ++$counter;
            $uids{$name} = $o->execution( $name, $kind, "payload $counter" )->{metadata}{uid};
            push @names, $name;
        }
    }
    return @names;
}

sub ends_well {
    my ( $what, @names ) = @_;
    my %end = ( plain => 'Succeeded', failing => 'Failed', ttl => '(gone)' );
    my @wrong;
    for my $name (@names) {
        my ($kind) = $name =~ /^(\w+)-/;
        eval { $t->wait_for( "$name to end", sub { $o->state($name) eq $end{$kind} }, 30 ); 1 } or push @wrong, "$name: " . $o->state($name);
        my $jobs = @{ $o->control( GET => "/audit?owner=$uids{$name}" )->{byOwner}{ $uids{$name} } // [] };
        push @wrong, "$name: $jobs Jobs" if $jobs != 1;
    }
    is "@wrong", '', $what;
    return;
}

subtest 'two controllers that know nothing of each other' => sub {
    my @ctl = map { $t->controller( $kube, { name => "rival$_" } ) } 1 .. 2;
    ends_well( 'one Job each, the right end', executions(15) );
    my $sum = 0;
    $sum += $o->metric( $_, 'job_executions_total' ) for @ctl;
    cmp_ok $sum, '>=', 45, 'and each is counted (by both, where both wanted to store the same in the same moment)';
    $_->stop for @ctl;
};

# Long enough for a busy machine: who cannot renew in time ends, as it must.
my @LEASE = qw(--leader-elect --leader-elect-lease-duration=8s --leader-elect-renew-deadline=7s --leader-elect-retry-period=400ms);

sub leads { my ($ctl) = @_; return $ctl->alive && $o->metric( $ctl, 'leader_election_master_status{name="b7a548ab.ivan.vc"}' ) }

sub holder { return $o->get('/apis/coordination.k8s.io/v1/namespaces/default/leases/b7a548ab.ivan.vc')->{spec}{holderIdentity} // '' }

# The requests that left the Lease without a holder.
sub given_back { return grep { $_->{target} =~ m{/leases/} && $_->{code} == 200 } @{ $o->control( GET => '/requests?text=%22holderIdentity%22:%22%22' ) } }

subtest 'with an election' => sub {
    my $first = $t->controller( $kube, @LEASE, { name => 'first' } );
    $t->wait_for( 'the first to lead', sub { leads($first) } );
    my $second = $t->controller( $kube, @LEASE, { name => 'second' } );
    ends_well( 'the leader works', executions(2) );
    ok !leads($second), 'the second stands by';
    is $o->metric( $second, 'job_executions_total' ), 0, 'and does nothing';

    $first->stop;
    is $first->{status}, 0, 'a clean end';
    is scalar( given_back() ), 1, 'the Lease was given back: nobody waits for its end';
    $t->wait_for( 'the second to lead', sub { leads($second) } );
    ends_well( 'the second works', executions(2) );

    my $third = $t->controller( $kube, @LEASE, { name => 'third' } );
    $second->stop('KILL');
    my @names = executions(1);
    $t->wait_for( 'the third to lead', sub { leads($third) } );
    ends_well( 'after a sudden death', @names );

    my $fourth = $t->controller( $kube, @LEASE, { name => 'fourth' } );
    $third->signal('STOP');    # frozen for longer than its Lease
    @names = executions(1);
    $t->wait_for( 'the fourth to lead', sub { leads($fourth) } );
    $third->{may_fail} = 1;
    $third->signal('CONT');
    is $third->wait_exit, 1, 'the one that was frozen ends by itself';
    ends_well( 'after a freeze', @names, executions(1) );
    like holder(), qr/_[0-9a-f-]{36}$/, 'the Lease has an identity as controller-runtime makes it';
    $fourth->stop;
    is holder(), '', 'given back at the end';
};

my $audit = $o->control( GET => '/audit' );
is scalar( @{ $audit->{repeated} } ), 0, "the audit: $audit->{jobs} Jobs, no owner has two";

$t->done_testing;
