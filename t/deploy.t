#!/usr/bin/env perl
# What can be said of deploy/ without a cluster: the rights of the namespaced variant are the others', the Deployment is as safe as it says, the
# dashboard is fresh, scripts are sound and refuse in one line. What the dashboard and the alerts ask for: t/deploy_metrics.t.
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
    open my $in, '<', $file or die "$file: $!";
    local $/;
    return scalar <$in>;
}

sub load { return grep { ref $_ } YAML::XS::Load( slurp("$top/$_[0]") ) }

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
is( slurp("$dir/dispatcher.json"), slurp("$top/deploy/monitoring/dispatcher.json"), 'the dashboard is what make manifests writes' );

# --- scripts --------------------------------------------------------------------------------------------------------

for my $script (qw(deploy/tool deploy/run deploy/image/build t/kube/build t/kube/openapi t/kube/base-image)) {
    is( system("bash -n '$top/$script'"), 0, "$script is bash" );
}
for my $script (qw(deploy/image/apt-install deploy/image/dispatcher-nginx)) {
    is( system("sh -n '$top/$script'"), 0, "$script is sh" );
}
my ( $out, $err ) = ( "$dir/out", "$dir/err" );
isnt( system("'$top/deploy/tool' deploy >$out 2>$err </dev/null"), 0, 'make deploy without IMG fails' );
is( slurp($err), "make deploy: which image? make deploy IMG=registry/dispatcher:tag\n", 'with one line' );

# What it says, and that it is one line.
sub refused {
    my ( $what, $command, $expected, %env ) = @_;
    local @ENV{ keys %env } = values %env;
    isnt( system("$command >$out 2>$err </dev/null"), 0, "$what fails" );
    like( slurp($err), qr/\A$expected\n\z/, 'with one line' );
    return;
}
for my $verb (qw(build push)) {
    refused( "make docker-$verb without IMG", "'$top/deploy/image/build' $verb ''", qr/make docker-$verb: which image\? make docker-$verb IMG=\S+/ );
}
refused( 'make deploy with an OVERLAY that is not there', "'$top/deploy/tool' deploy x", qr/make deploy: no overlay "none": OVERLAY is one of .*default.*/, OVERLAY => 'none' );

# Goals named together: one after the other, though make runs others at once.
for my $goals ( [qw(install run)], [qw(docker-build docker-push)], [qw(docker-push deploy)], [qw(undeploy uninstall)] ) {
    local @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
    delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
    my $plan  = qx(make -C '$top' -n --no-print-directory @{[ reverse @$goals ]} IMG=x 2>&1);
    my @lines = map { index $plan, line_of(s/^docker-//r) } @$goals;
    ok( $lines[0] >= 0 && $lines[0] < $lines[1], "make @$goals" ) or diag($plan);
}

# How the recipe begins.
sub line_of {
    my ($verb) = @_;
    return $verb eq 'run' ? 'deploy/run ' : $verb =~ /^(?:build|push)$/ ? "deploy/image/build $verb" : "deploy/tool $verb";
}

my $bin = "$dir/bin";
mkdir $bin;
symlink "/usr/bin/$_", "$bin/$_" for qw(bash dirname env mkdir sed head tail cat mktemp rm awk grep);
refused( "make $_ without kubectl", "'$top/deploy/tool' $_ x", qr/make $_: no kubectl in PATH[^\n]*/, PATH => $bin ) for qw(install uninstall deploy undeploy);

sub kubectl_is {
    my ($script) = @_;
    open my $kubectl, '>', "$bin/kubectl" or die $!;
    print $kubectl "#!/bin/bash\n$script";
    close $kubectl;
    chmod 0755, "$bin/kubectl";
    return;
}

kubectl_is(qq(printf '{\n  "clientVersion": {\n    "major": "1",\n    "minor": "20+",\n    "gitVersion": "v1.20.2"\n  }\n}\n'\n));
refused( "make $_ with an old kubectl", "'$top/deploy/tool' $_ x", qr/make $_: kubectl 1\.20 is too old for these kustomizations: 1\.22 or newer is needed/, PATH => $bin )
    for qw(deploy undeploy);

# `kubectl api-resources` writes line by line to whoever may have gone after the first, and ends with 1 when another group has just gone.
kubectl_is(<<'END');
case "$*" in
version*--client*) printf '{\n  "clientVersion": {\n    "minor": "36"\n  }\n}\n' ;;
kustomize*) printf 'apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\n' ;;
auth*) exit 1 ;;
api-resources*) for _ in {1..20000}; do printf 'jobexecutions.dispatcher.ivan.vc\n' || exit 2; done; exit 1 ;;
apply*) cat >/dev/null && echo applied ;;
esac
END
{
    local @ENV{qw(PATH OVERLAY)} = ( $bin, 'with-prometheus-monitoring' );
    is( system("'$top/deploy/tool' deploy x >$out 2>$err </dev/null"), 0, 'make deploy where the kinds are served, but not each group is' ) or diag(slurp($err));
    like( slurp($out), qr/^The CustomResourceDefinitions stay as they are.*^applied$/ms, 'applies' );
}

done_testing();
