#!/usr/bin/env perl
# What can be said of deploy/ without a cluster: the rights of the namespaced variant are the others', the Deployment is as safe as it says, the
# dashboard is fresh and asks for metrics that the controller has, scripts are sound.
use strict;
use warnings;

use File::Temp ();
use FindBin;
use JSON::PP ();
use Test::More;
use YAML::XS ();

my $top = "$FindBin::Bin/..";

sub slurp {
    my ($file) = @_;
    open my $in, '<', "$top/$file" or die "$file: $!";
    local $/;
    return scalar <$in>;
}

sub load { return grep { ref $_ } YAML::XS::Load( slurp( $_[0] ) ) }

# --- rights ---------------------------------------------------------------------------------------------------------

my %rules = map { ( $_->{metadata}{name} => $_->{rules} ) } map { load("deploy/rbac/roles/$_.yaml") } qw(cluster lease);
my %namespaced = map { ( $_->{metadata}{name} => $_->{rules} ) } grep { $_->{kind} eq 'Role' } load('deploy/rbac/namespaced/rbac.yaml');
is_deeply( \%namespaced, \%rules, 'the namespaced Roles have the rules of the ClusterRoles' );
ok( !( grep { /\*/ } map { map { @$_ } @{$_}{qw(apiGroups resources verbs)} } map { @$_ } values %rules ), 'no right is a wildcard' );

# --- the Pod --------------------------------------------------------------------------------------------------------

my ($deployment) = load('deploy/manager/deployment.yaml');
my $pod = $deployment->{spec}{template}{spec};
ok( $pod->{securityContext}{runAsNonRoot}, 'the Pod is not root' );
is( $pod->{securityContext}{seccompProfile}{type}, 'RuntimeDefault', 'with seccomp' );
for my $container ( @{ $pod->{containers} } ) {
    my $security = $container->{securityContext};
    is_deeply( $security->{capabilities}, { drop => ['ALL'] }, "$container->{name}: no capabilities" );
    ok( $security->{readOnlyRootFilesystem} && !$security->{allowPrivilegeEscalation}, "$container->{name}: read-only, no escalation" );
    ok( $container->{readinessProbe} && $container->{livenessProbe} && $container->{lifecycle}{preStop}, "$container->{name}: probes, preStop" );
    ok( $container->{resources}{requests}{memory} && $container->{resources}{limits}{memory}, "$container->{name}: requests and limits" );
}

# --- what is generated ----------------------------------------------------------------------------------------------

my $dir = File::Temp->newdir;
system( $^X, "$top/deploy/monitoring/dashboard", $dir ) == 0 or die 'dashboard';
open my $made, '<', "$dir/dispatcher.json" or die $!;
is( do { local $/; scalar <$made> }, slurp('deploy/monitoring/dispatcher.json'), 'the dashboard is what make manifests writes' );

SKIP: {
    skip 'no controller/metrics.c yet', 1 unless -e "$top/controller/metrics.c";
    my $source = slurp('controller/metrics.c') . slurp('src/nginx/metrics.c');
    my %asked;
    for my $text ( map { slurp("deploy/monitoring/$_") } qw(dispatcher.json alerts.yaml) ) {
        $asked{$1} = 1 while $text =~ /\b((?:job_executions|dispatcher|controller_runtime|workqueue|rest_client|process|leader_election)_[a-z_]+)/g;
    }
    my @unknown = grep { my $m = s/_(?:bucket|sum|count)$//r; $source !~ /\Q"$m"/ && $source !~ /\Q"$_"/ } sort keys %asked;
    is_deeply( \@unknown, [], 'dashboard and alerts ask for metrics that the controller has' );
}

SKIP: {
    skip 'no promtool (Debian package prometheus)', 1 if system('command -v promtool >/dev/null 2>&1') != 0;
    my ($rules) = load('deploy/monitoring/alerts.yaml');
    YAML::XS::DumpFile( "$dir/rules.yaml", $rules->{spec} );
    my $said = qx(promtool check rules $dir/rules.yaml 2>&1);
    is( $?, 0, 'promtool takes the alerts' ) or diag($said);
}

# --- scripts --------------------------------------------------------------------------------------------------------

for my $script (qw(deploy/tool deploy/run deploy/image/build t/kube/build t/kube/openapi t/kube/base-image)) {
    is( system("bash -n '$top/$script'"), 0, "$script is bash" );
}
for my $script (qw(deploy/image/apt-install deploy/image/dispatcher-nginx)) {
    is( system("sh -n '$top/$script'"), 0, "$script is sh" );
}
my ( $out, $err ) = ( "$dir/out", "$dir/err" );
isnt( system("'$top/deploy/tool' deploy >$out 2>$err </dev/null"), 0, 'make deploy without IMG fails' );
open my $said, '<', $err or die;
is( do { local $/; scalar <$said> }, "make deploy: which image? make deploy IMG=registry/dispatcher:tag\n", 'with one line' );
isnt( system("'$top/deploy/image/build' build '' >$out 2>$err"), 0, 'make docker-build without IMG fails' );

done_testing();
