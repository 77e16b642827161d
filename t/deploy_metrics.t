#!/usr/bin/env perl
# What dashboard and alerts ask for is what the running programs say: every metric and every label of theirs is there after one execution.
# The alerts fire when they should and are quiet otherwise (promtool).
use strict;
use warnings;

use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use YAML::XS ();

use Dispatcher::Path;

my $top   = "$FindBin::Bin/..";
my ($rule) = YAML::XS::LoadFile("$top/deploy/monitoring/alerts.yaml");
open my $in, '<', "$top/deploy/monitoring/dispatcher.json" or die "dispatcher.json: $!";
my $dashboard = JSON::PP::decode_json( do { local $/; scalar <$in> } );

my %expressions = ( map { ( $_->{alert} => $_->{expr} ) } map { @{ $_->{rules} } } @{ $rule->{spec}{groups} } );
for my $panel ( @{ $dashboard->{panels} } ) {
    $expressions{"$panel->{title} $_->{refId}"} = $_->{expr} for @{ $panel->{targets} };
}

# --- what the programs say ------------------------------------------------------------------------------------------

my $path = Dispatcher::Path->new(
    front => { http => 'dispatcher_zone zone=dispatcher:64k;', server => 'location = /metrics { dispatcher_metrics; access_log off; }' } );
my $t    = $path->t;
$path->template( hello => { command => [ 'echo', '$(PAYLOAD)' ] } );
$path->template( wrong => { command => ['{{ fail "no" }}'] } );
$path->finished( $path->put( "/execute/$_", 'x' )->{json} ) for qw(hello wrong);
is( $path->put( '/execute/none', 'x' )->{status}, 404, 'one that is not there' );

# name => { label => 1 }, of both programs.
sub metrics {
    my %metrics;
    for my $text ( $t->http( $path->{ctl}{metrics}, GET => '/metrics' )->{body}, $path->nginx->http( GET => '/metrics' )->{body} ) {
        while ( $text =~ /^([a-z_]+)(?:\{([^}]*)\})? \S+$/mg ) {
            my ( $name, $labels ) = ( $1, $2 // '' );
            $metrics{$name} //= {};
            $metrics{$name}{$1} = 1 while $labels =~ /([a-z_]+)="/g;
        }
    }
    return \%metrics;
}
my $metrics = metrics();
cmp_ok( scalar keys %$metrics, '>', 20, 'the programs have metrics' );

# What Prometheus adds on its own.
my %ADDED = map { $_ => 1 } qw(job pod namespace instance);
my %WORDS = map { $_ => 1 } qw(sum rate increase absent histogram_quantile by and or le up);

for my $name ( sort keys %expressions ) {
    my $expression = $expressions{$name} =~ s/\bby \(([^)]*)\)//gr;
    my @grouped    = map { split /\s*,\s*/ } $expressions{$name} =~ /\bby \(([^)]*)\)/g;
    my ( @unknown, %labels );
    while ( $expression =~ /\b([a-z_]+)\b(?:\{([^}]*)\})?(?![\w"(=])/g ) {
        my ( $metric, $selected ) = ( $1, $2 // '' );
        next if $WORDS{$metric};
        next if $metric !~ /_/ || $metric eq '__rate_interval';
        push @unknown, $metric and next unless $metrics->{$metric};
        $labels{$_} = 1 for keys %{ $metrics->{$metric} };
        push @unknown, map {"$metric\{$_}"} grep { !$metrics->{$metric}{$_} && !$ADDED{$_} } $selected =~ /([a-z_]+)[=!]/g;
    }
    push @unknown, grep { !$labels{$_} && !$ADDED{$_} } @grouped;
    is_deeply( \@unknown, [], "$name: metrics and labels are there" );
}

# --- what Prometheus makes of it --------------------------------------------------------------------------------------

# Input series that make an alert fire. A rate of n/s is n*60 a minute.
my %FIRES = (
    DispatcherAbsent          => [],
    DispatcherNoLeader        => [ [ 'leader_election_master_status{job="dispatcher-manager",pod="a"}', '0x60' ] ],
    DispatcherExecutionsFail  => [ [ 'job_executions_total', '0+1x60' ], [ 'job_executions_failures_total', '0+1x60' ] ],
    DispatcherReconcileErrors => [ [ 'controller_runtime_reconcile_errors_total{controller="jobexecution"}', '0+60x60' ] ],
    DispatcherSlowToStart     => [
        [ 'dispatcher_job_create_delay_seconds_bucket{le="5"}', '0x60' ], [ 'dispatcher_job_create_delay_seconds_bucket{le="10"}', '0+60x60' ],
        [ 'dispatcher_job_create_delay_seconds_bucket{le="+Inf"}', '0+60x60' ],
    ],
    DispatcherApiRefuses => [ [ 'rest_client_requests_total{job="dispatcher-manager",code="403",method="POST"}', '0+60x60' ] ],
);
my @QUIET = (
    [ 'up{job="dispatcher-manager",pod="a"}', '1x60' ],
    [ 'leader_election_master_status{job="dispatcher-manager",pod="a"}', '1x60' ],
    [ 'leader_election_master_status{job="dispatcher-manager",pod="b"}', '0x60' ],
    [ 'job_executions_total', '0+100x60' ], [ 'job_executions_failures_total', '0+1x60' ],
    [ 'controller_runtime_reconcile_errors_total{controller="jobexecution"}', '0x60' ],
    [ 'dispatcher_job_create_delay_seconds_bucket{le="5"}', '0+60x60' ], [ 'dispatcher_job_create_delay_seconds_bucket{le="+Inf"}', '0+60x60' ],
    [ 'rest_client_requests_total{job="dispatcher-manager",code="201",method="POST"}', '0+60x60' ],
);

SKIP: {
    skip 'no promtool (Debian package prometheus)', 1 if system('command -v promtool >/dev/null 2>&1') != 0;
    my @alerts = grep {/^Dispatcher[A-Z]\w+$/} sort keys %expressions;
    is_deeply( [ sort keys %FIRES ], \@alerts, 'each alert is tried' );
    my @all = map { @{ $_->{rules} } } @{ $rule->{spec}{groups} };
    YAML::XS::DumpFile( $t->path('alerts.yaml'), $rule->{spec} );
    my $count = 0;
    YAML::XS::DumpFile(
        $t->path('panels.yaml'),
        { groups => [ { name => 'panels', rules => [ map { { record => 'panel_' . $count++, expr => $_ =~ s/\$__rate_interval/5m/gr } } @expressions{ sort keys %expressions } ] } ] }
    );
    my $said = qx(promtool check rules '@{[ $t->path('panels.yaml') ]}' 2>&1);
    is( $?, 0, 'every expression is one of Prometheus' ) or diag($said);

    my @tests = map { fires($_) } @all;
    push @tests, { input_series => series(@QUIET), interval => '1m', name => 'quiet',
        alert_rule_test => [ map { { eval_time => '50m', alertname => $_, exp_alerts => [] } } @alerts ] };
    YAML::XS::DumpFile( $t->path('test.yaml'), { rule_files => ['alerts.yaml'], evaluation_interval => '1m', tests => \@tests } );
    $said = qx(promtool test rules '@{[ $t->path('test.yaml') ]}' 2>&1);
    is( $?, 0, 'each alert fires when it should, and only then' ) or diag($said);
}

sub series { return [ map { { series => $_->[0], values => $_->[1] } } @_ ] }

sub fires {
    my ($alert) = @_;
    return {
        name => $alert->{alert}, interval => '1m', input_series => series( @{ $FIRES{ $alert->{alert} } } ),
        alert_rule_test => [ { eval_time => '50m', alertname => $alert->{alert},
            exp_alerts => [ { exp_labels => $alert->{labels}, exp_annotations => $alert->{annotations} } ] } ],
    };
}

$t->done_testing;
