#!/usr/bin/env perl
# Kill points: the controller is killed (SIGKILL) right after its k-th request was sent, right after it was carried out, and right after it was answered,
# for every k, and started again. At the end there is one Job per JobExecution ever stored, its fate is on the JobExecution, and nothing is left over.
#
# A request that was sent when its sender died is carried out later: when the next controller has made its Job, or come to the end. (Not after that Job has gone again:
# a request that is on its way for longer than a whole Job lives is one of the windows that docs/operate.md names.)
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster( args => ['--quiet'] );
my $o    = Dispatcher::Objects->new( $t, $kube );
my $AGENT = { userAgent => 'dispatcher-controller/*' };

# The paths: what the template is, how the execution ends ('gone': the JobExecution goes with its Job), what happens meanwhile.
my %paths = (
    plain     => { template => {}, end => 'Succeeded' },
    failing   => { template => { command => ['false'] }, end => 'Failed', reason => 'BackoffLimitExceeded', every => 2 },
    ttl0      => { template => { ttl => 0, command => [ 'sleep', '0.3' ] }, end => 'gone' },
    ttl1      => { template => { ttl => 1 }, end => 'gone', every => 3 },
    ttl3      => { template => { ttl => 3 }, end => 'gone', every => 6 },
    suspended => { template => { suspend => 1 }, end => 'Succeeded', meanwhile => \&resume, every => 3 },
    adopted   => { template => {}, end => 'Succeeded', before => \&make_job, every => 2 },
    wrong     => { template => { command => ['{{ .Nope }}'] }, end => 'Failed', reason => 'TemplateError', jobs => 0, every => 2 },
);
$o->template( $_, %{ $paths{$_}{template} } ) for keys %paths;

sub resume {
    my ($name) = @_;
    my ($job) = $o->jobs($name) or return;
    return if !$job->{spec}{suspend};
    $o->ask( PATCH => $o->job_path( $job->{metadata}{name} ), { spec => { suspend => JSON::PP::false() } }, 'application/merge-patch+json' );
    return;
}

# As the original, or an older controller, would have left it: a Job with our owner reference that no status tells of.
sub make_job {
    my ($name) = @_;
    my $je = $o->je($name);
    $o->must(
        POST => '/apis/batch/v1/namespaces/default/jobs',
        {
            apiVersion => 'batch/v1', kind => 'Job',
            metadata => {
                name => "old-$name", labels => { 'job-execution-name' => $name, 'controller-uid' => $je->{metadata}{uid} },
                ownerReferences => [ {
                    apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', name => $name, uid => $je->{metadata}{uid},
                    controller => JSON::PP::true(), blockOwnerDeletion => JSON::PP::true(),
                } ],
            },
            spec => { backoffLimit => 0, template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c', image => 'i', command => ['true'] } ] } } },
        }
    );
    return;
}

sub ended {
    my ( $path, $name ) = @_;
    $path->{meanwhile}->($name) if $path->{meanwhile};
    my $state = $o->state($name);
    return $path->{end} eq 'gone' ? $state eq '(gone)' : $state eq $path->{end};
}

my $counter = 0;

sub begin {
    my ( $kind, $path ) = @_;
    my $name = "$kind-" . ++$counter;
    $o->execution( $name, $kind, 'x' );
    $path->{before}->($name) if $path->{before};
    return ( $name, $o->je($name)->{metadata}{uid} );
}

sub controller { return $t->controller( $kube, { not_ready => 1 } ) }

# A controller and an execution. What is there before the controller is: it would make a Job of its own before ours.
sub controller_and {
    my ( $kind, $path ) = @_;
    my @begun = $path->{before} ? begin( $kind, $path ) : ();
    my $ctl = controller();
    @begun = begin( $kind, $path ) if !@begun;
    return ( $ctl, @begun );
}

# How many requests the path takes when nobody dies.
sub requests_of {
    my ( $kind, $path ) = @_;
    $o->control( DELETE => '/requests' );
    my ( $ctl, $name ) = controller_and( $kind, $path );
    $t->wait_for( "$name to end", sub { ended( $path, $name ) } );
    my $count = sub { scalar grep { ( $_->{headers}{'User-Agent'} // '' ) =~ /^dispatcher-controller/ } @{ requests() } };
    my ( $n, $since ) = ( $count->(), time );
    while ( time < $since + 0.3 ) {    # Events come last
        sleep 0.05;
        my $now = $count->();
        ( $n, $since ) = ( $now, time ) if $now != $n;
    }
    $ctl->stop('KILL');
    return $n;
}

sub requests { return $o->control( GET => '/requests' ) }

# What is wrong after one death; nothing when all is well.
sub one_death {
    my ( $kind, $path, $stage, $k ) = @_;
    my $rule = $o->control( POST => '/faults', { match => $AGENT, skip => $k - 1, fault => 'hold', stage => $stage } )->{id};
    my ( $ctl, $name, $uid ) = controller_and( $kind, $path );
    my $limit = time + 5;
    while ( time < $limit && !$o->control( GET => "/faults/$rule" )->{hits} ) {
        last if ended( $path, $name ) && $limit - time < 4;
        sleep 0.002;
    }
    $ctl->stop('KILL');
    $o->control( DELETE => '/faults' ) if $stage ne 'arrived';
    $ctl = controller();
    if ( $stage eq 'arrived' ) {    # what the dead one sent is carried out now
        my $job = sub { @{ $o->control( GET => "/audit?owner=$uid" )->{byOwner}{$uid} // [] } };
        eval { $t->wait_for( 'a Job', sub { $job->() || ended( $path, $name ) }, 10 ) };
        $o->control( DELETE => '/faults' );
    }
    my $ok = eval { $t->wait_for( "$name to end", sub { ended( $path, $name ) }, 15 ); 1 };
    my @wrong = faults_of( $kind, $path, $name, $uid, $ok );
    $ctl->stop('KILL');
    $o->delete_je($name) if $path->{end} ne 'gone' && $o->je($name);
    return @wrong;
}

sub faults_of {
    my ( $kind, $path, $name, $uid, $ok ) = @_;
    my @wrong;
    push @wrong, 'no end: ' . $o->conditions($name) if !$ok;
    my $jobs = @{ $o->control( GET => "/audit?owner=$uid" )->{byOwner}{$uid} // [] };
    push @wrong, "$jobs Jobs" if $jobs != ( $path->{jobs} // 1 );
    my $je = $o->je($name);
    push @wrong, 'left over' if $path->{end} eq 'gone' && $je;
    push @wrong, "reason $je->{status}{reason}" if $path->{reason} && $je && ( $je->{status}{reason} // '' ) ne $path->{reason};
    push @wrong, 'another Job is recorded'
        if $je && $je->{status}{job} && !grep { $_->{metadata}{uid} eq $je->{status}{job}{uid} } $o->jobs($name);
    return @wrong;
}

my $all   = $ENV{DSP_LONG};    # every k of every path; else every n-th
my $total = 0;
for my $kind ( sort keys %paths ) {
    my $path  = $paths{$kind};
    my $n     = requests_of( $kind, $path );
    my @wrong;
    my $tried = 0;
    for my $k ( 1 .. $n ) {
        next if !$all && $path->{every} && $k % $path->{every};
        for my $stage (qw(arrived served answered)) {
            push @wrong, map {"after request $k was $stage: $_"} one_death( $kind, $path, $stage, $k );
            $tried++;
        }
    }
    is join( "\n", @wrong ), '', "$kind: $tried deaths, at each of $n requests";
    $total += $tried;
}
cmp_ok $total, '>', 50, "$total deaths in all";
my $audit = $o->control( GET => '/audit' );
is scalar( @{ $audit->{repeated} } ), 0, "the audit: $audit->{jobs} Jobs, no owner has two";

$t->done_testing;
