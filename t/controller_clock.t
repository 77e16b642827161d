#!/usr/bin/env perl
# Clocks: the controller's wall clock jumps by an hour, forward and back, while it leads and works; and two controllers whose clocks are two hours apart share a Lease.
# Nothing that waits may wait for another time, the Lease is neither lost nor stolen, one execution still gets one Job.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);

use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster( args => ['--quiet'] );
my $o    = Dispatcher::Objects->new( $t, $kube );
$o->template( 'plain', command => [ 'echo', '{{ .Payload }}' ] );
$o->template( 'failing', command => ['false'] );
$o->template( 'ttl', ttl => 1 );
$o->template( 'wrong', command => ['{{ .Nope }}'] );

my $HOUR  = 3600;
# Long enough for a busy machine: who cannot renew in time ends, as it must.
my @LEASE = qw(--leader-elect --leader-elect-lease-duration=6s --leader-elect-renew-deadline=5500ms --leader-elect-retry-period=400ms);

# --- words ---

sub controller {
    my ( $name, $seconds, %more ) = @_;
    return $t->controller( $kube, @{ $more{flags} // \@LEASE }, { name => $name, env => $t->skewed( $name, $seconds, %{ $more{env} // {} } ) } );
}

sub lease { return $o->get('/apis/coordination.k8s.io/v1/namespaces/default/leases/b7a548ab.ivan.vc') }
sub leads { my ($ctl) = @_; return $ctl->alive && $o->metric( $ctl, 'leader_election_master_status{name="b7a548ab.ivan.vc"}' ) }
sub seconds_of { my ($text) = @_; my @f = $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/ or return 0; return timegm( @f[ 5, 4, 3, 2 ], $f[1] - 1, $f[0] ) }

# Whether the leader has renewed its Lease so many times: more of them than a Lease lasts.
sub renewed {
    my ($times) = @_;
    my ( $seen, $last ) = ( 0, '' );
    $t->wait_for( "$times renewals", sub {
        my $version = lease()->{metadata}{resourceVersion};
        $seen++ if $version ne $last;
        $last = $version;
        return $seen > $times;
    } );
    return;
}

my ( $counter, %uids ) = (0);

sub executions {
    my @names;
    for my $kind (qw(plain failing ttl wrong)) {
        my $name = "$kind-" . ++$counter;
        $uids{$name} = $o->execution( $name, $kind, 'x' )->{metadata}{uid};
        push @names, $name;
    }
    return @names;
}

sub ends_well {
    my ( $what, @names ) = @_;
    my %end = ( plain => 'Succeeded', failing => 'Failed', ttl => '(gone)', wrong => 'Failed', held => 'Succeeded', retried => 'Succeeded' );
    my @wrong;
    for my $name (@names) {
        my ($kind) = $name =~ /^(\w+)-/;
        eval { $t->wait_for( "$name to end", sub { $o->state($name) eq $end{$kind} }, 30 ); 1 } or push @wrong, "$name: " . $o->state($name);
        my $jobs = @{ $o->control( GET => "/audit?owner=$uids{$name}" )->{byOwner}{ $uids{$name} } // [] };
        push @wrong, "$name: $jobs Jobs" if $jobs != ( $kind eq 'wrong' ? 0 : 1 );
    }
    is "@wrong", '', $what;
    return;
}

# The requests for a Job.
sub posts {
    my $list = $o->control( GET => '/requests' );
    return grep { $_->{method} eq 'POST' && $_->{target} =~ m{^/apis/batch/} } @$list;
}

# --- one clock that jumps ---

subtest 'the clock of the leader jumps' => sub {
    my $leader = controller( 'leader', 0 );
    $t->wait_for( 'the leader to lead', sub { leads($leader) } );
    my $standby = $t->controller( $kube, @LEASE, { name => 'standby' } );
    my $was = lease()->{spec};
    ends_well( 'before', executions() );

    for my $jump ( [ 'an hour forward' => $HOUR ], [ 'two hours back' => -$HOUR ], [ 'back to the right time' => 0 ] ) {
        my ( $what, $skew ) = @$jump;
        my @begun = executions();
        $t->set_clock( 'leader', $skew );
        my @later = executions();
        $t->wait_for( 'a renewal by the new clock', sub { abs( seconds_of( lease()->{spec}{renewTime} ) - time - $skew ) < 60 } );
        pass "$what: the Lease is renewed by the new clock";
        renewed(16);    # 6.4 s: the standby has had the time to be deceived
        ends_well( "$what: executions come to their ends", @begun, @later );
        my $now = lease()->{spec};
        is "$now->{holderIdentity} $now->{leaseTransitions}", "$was->{holderIdentity} $was->{leaseTransitions}", "$what: the Lease is neither lost nor stolen";
        ok leads($leader), "$what: the leader leads";
        ok !leads($standby), "$what: the standby stands by";

        my $status = $o->je( ( grep {/^plain/} @later )[0] )->{status};
        my ( $begin, $end ) = map { seconds_of( $status->{$_} ) } qw(startTime completionTime);
        ok $begin <= $end && abs( $end - time ) < 120, "$what: start and end are the Job's, by the server's clock";
        my ($wrong) = grep {/^wrong/} @later;
        my $decided = seconds_of( $o->je($wrong)->{status}{completionTime} );
        cmp_ok abs( $decided - time - $skew ), '<', 120, "$what: what the controller decides bears the time of its clock";
    }

    # What waits does not wait for an hour longer or shorter.
    my %agent = ( userAgent => 'dispatcher-controller/*' );
    my %post = ( method => 'POST', path => '/apis/batch/v1/namespaces/*/jobs', %agent );
    for my $skew ( $HOUR, -$HOUR ) {
        $o->control( DELETE => '/requests' );
        my $rule = $o->control( POST => '/faults', { match => \%post, fault => 'status', code => 503, retryAfter => 1, count => 2 } )->{id};
        my $name = 'retried-' . ++$counter;
        $uids{$name} = $o->execution( $name, 'plain', 'x' )->{metadata}{uid};
        $o->control( GET => "/faults/$rule/wait?hits=1&timeoutMs=20000" );
        $t->set_clock( 'leader', $skew );
        ends_well( "a wait of seconds is one still, with a jump of $skew s in it", $name );
        my @tries = map { $_->{arrivedUs} } posts();
        is scalar( grep { $tries[$_] - $tries[ $_ - 1 ] < 900_000 } 1 .. $#tries ), 0, '... and not shorter: ' . @tries . ' tries, Retry-After 1';
        $o->control( DELETE => '/faults' );

        $o->control( DELETE => '/requests' );
        $rule = $o->control( POST => '/faults', { match => \%post, fault => 'hold' } )->{id};
        $name = 'held-' . ++$counter;
        $uids{$name} = $o->execution( $name, 'plain', 'x' )->{metadata}{uid};
        $o->control( GET => "/faults/$rule/wait?hits=1&timeoutMs=20000" );
        $t->set_clock( 'leader', 0 );
        renewed(2);
        $o->control( POST => '/release' );
        ends_well( 'a request under way is not given up when the clock jumps', $name );
        is scalar( posts() ), 1, '... and made once';
        $o->control( DELETE => '/faults' );
    }
    my $page = Dispatcher::Test::Http::request( $leader->{metrics}, GET => '/metrics' )->{body};
    my %sum = $page =~ /^(dispatcher_\w+_delay_seconds_sum) (\S+)/mg;
    is scalar( grep { $_ < 0 || $_ > 600 } values %sum ), 0, 'no delay of an hour, none below zero, in the metrics';
    $_->stop for $standby, $leader;
    is $leader->{status}, 0, 'a clean end';
};

# --- two clocks ---

subtest 'two controllers whose clocks are two hours apart' => sub {
    my @ctl = ( controller( 'ahead', $HOUR ), controller( 'behind', -$HOUR ) );
    my $both = 0;
    my $one_leads = sub {
        my @leads = grep { leads($_) } @ctl;
        $both++ if @leads > 1;
        return @leads == 1 ? $leads[0] : undef;
    };
    my %led;
    for my $round ( 1 .. 2 ) {
        my @names  = executions();
        my $leader = $t->wait_for( 'one to lead', $one_leads );
        $led{ $leader->{name} =~ /^(ahead|behind)/ ? $1 : '?' }++;
        ends_well( "round $round: the work is done", @names );
        renewed(16);
        is $one_leads->(), $leader, "round $round: the other does not take the Lease from it";
        $leader->stop('KILL');    # the record stays, with a time that is far off for who reads it
        my ($other) = grep { $_ != $leader } @ctl;
        $t->wait_for( 'the other to lead', sub { leads($other) } );
        pass "round $round: the other takes it when it has expired";
        my $name = $leader->{name} =~ /^ahead/ ? 'ahead' : 'behind';
        @ctl = ( $other, controller( $name, ( $name eq 'ahead' ? 1 : -1 ) * $HOUR ) );
    }
    is $both, 0, 'never did both lead';
    is join( ' ', sort keys %led ), 'ahead behind', 'each has had its turn';
};

# --- a loop that stands still ---

subtest 'a controller that did not run for half a minute' => sub {
    my $frozen = controller( 'frozen', 0, env => { SKEW_CLOCK => 'boot' }, flags => [] );
    my $health = sub { return Dispatcher::Test::Http::request( $frozen->{probes}, GET => '/healthz' ) };
    is $health->()->{status}, 200, 'healthy before';
    $t->set_clock( 'frozen', 33 );
    my $said;
    $t->wait_for( 'health to know', sub { $said = $health->(); $said->{status} != 200 } );
    like $said->{body}, qr/the event loop stood still for 3\d{4} ms/, "/healthz says it: $said->{status}";
    $t->wait_for( 'health to forget', sub { $health->()->{status} == 200 } );
    ends_well( 'and it works on', executions() );
    $frozen->stop;
};

my $audit = $o->control( GET => '/audit' );
is scalar( @{ $audit->{repeated} } ), 0, "the audit: $audit->{jobs} Jobs, no owner has two";

$t->done_testing;
