#!/usr/bin/env perl
# Faults: every kind of request that the controller makes × everything that can go wrong with one. Whatever it is, the execution comes to its right end, with one Job,
# and the controller lives on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Dispatcher::Faults;
use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster( args => ['--quiet'] );
my $o    = Dispatcher::Objects->new( $t, $kube );
my $ctl  = $t->controller($kube);

my %templates = ( plain => {}, failing => { command => ['false'] }, ttl => { ttl => 0 } );
$o->template( $_, %{ $templates{$_} } ) for keys %templates;

my $counter = 0;
my %uids;

sub execution {
    my ($kind) = @_;
    my $name = "$kind-" . ++$counter;
    $uids{$name} = $o->execution( $name, $kind, 'x' )->{metadata}{uid};
    return $name;
}

sub ended {
    my ($name) = @_;
    my ($kind) = $name =~ /^(\w+)-/;
    my $state = $o->state($name);
    return $state eq { plain => 'Succeeded', failing => 'Failed', ttl => '(gone)' }->{$kind};
}

# What is wrong with how it ended; nothing when all is well.
sub wrong {
    my ($name) = @_;
    return "$name: " . ( $t->{error} // '' ) . $o->conditions($name) if !eval { $t->wait_for( "$name to end", sub { ended($name) }, 20 ); 1 };
    my $jobs = @{ $o->control( GET => "/audit?owner=$uids{$name}" )->{byOwner}{ $uids{$name} } // [] };
    return "$name: $jobs Jobs" if $jobs != 1;
    return "$name: reason " . $o->je($name)->{status}{reason} if $name =~ /^failing/ && $o->je($name)->{status}{reason} ne 'BackoffLimitExceeded';
    return;
}

my $all = $ENV{DSP_LONG};    # everything once and three times in a row; else every second, once
my $turn = 0;

for my $call ( sort keys %calls ) {
    subtest $call => sub {
        for my $fault (@faults) {
            for my $count ( $all ? ( 1, 3 ) : 1 ) {
                next if !$all && $turn++ % 2;
                my $rule = $o->control( POST => '/faults', rule( $calls{$call}{match}, $fault, count => $count ) )->{id};
                my $name = execution( $calls{$call}{kind} );
                my @wrong = wrong($name);
                my $hits = $call eq 'record an Event' ? 1 : $o->control( GET => "/faults/$rule" )->{hits};
                $o->control( DELETE => '/faults' );
                is "@wrong", '', "$fault->{name}, $count times";
                ok $hits, '... which happened' if !@wrong;
            }
        }
    };
}

for my $watch ( sort keys %watches ) {
    subtest "watch $watch" => sub {
        for my $fault (@watch_faults) {
            next if !$all && $turn++ % 2;
            $o->control( POST => '/faults', rule( $watches{$watch}{match}, $fault, count => 2 ) );
            $o->control( POST => "/kill-watches?kind=$watches{$watch}{kinds}" );
            my @names = map { execution('plain') } 1 .. 3;
            is join( ' ', map { wrong($_) } @names ), '', $fault->{name};
            $o->control( DELETE => '/faults' );
        }
    };
}

subtest 'the API server goes away and comes back' => sub {
    my @names = map { execution('plain') } 1 .. 3;
    $o->control( POST => '/down' );
    sleep 0.3;
    $o->control( POST => '/up' );
    push @names, execution('ttl');
    is join( ' ', map { wrong($_) } @names ), '', 'all come to their ends';
};

subtest 'the history is gone' => sub {
    $o->control( POST => '/compact' );
    $o->control( POST => '/kill-watches' );
    my @names = map { execution($_) } qw(plain failing ttl);
    is join( ' ', map { wrong($_) } @names ), '', 'all come to their ends';
};

subtest 'an old list' => sub {
    $o->control( POST => '/faults', rule( { method => 'GET', path => '/apis/batch/v1/jobs' }, { fault => 'stale' }, count => 1 ) );
    my @names = map { execution('plain') } 1 .. 3;
    $o->wait_state( $_, 'Succeeded' ) for @names;
    $o->control( POST => '/compact' );
    $o->control( POST => '/kill-watches?kind=jobs.batch' );
    push @names, execution('plain');
    is join( ' ', map { wrong($_) } @names ), '', 'finished ones stay, new ones run';
    $o->control( DELETE => '/faults' );
    sleep 0.2;
    is join( ' ', map { $o->state($_) } @names ), join( ' ', ('Succeeded') x @names ), 'and nothing is taken for deleted';
};

ok $ctl->alive, 'the controller has lived through all that';
my $audit = $o->control( GET => '/audit' );
is scalar( @{ $audit->{repeated} } ), 0, "the audit: $audit->{jobs} Jobs, no owner has two";

# Each execution was counted once, whatever happened to the answers.
my $plain = grep {/^(?:plain|ttl)/} keys %uids;
is $o->metric( $ctl, 'job_executions_success_total' ), $plain, "$plain successes counted";
is $o->metric( $ctl, 'job_executions_total' ), scalar( keys %uids ), 'all executions counted';

$t->done_testing;
