#!/usr/bin/env perl
# The Helm chart: linted, its values checked by its schema, its objects those of the overlays, accepted by a real API server.
use strict;
use warnings;

use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use YAML::XS ();

use Dispatcher::Kube;

$YAML::XS::Boolean = 'JSON::PP';
my $top    = "$FindBin::Bin/../..";
my $chart  = "$top/deploy/helm";
my $dir    = File::Temp->newdir;
my $assets = Dispatcher::Kube::assets();
my $JSON   = JSON::PP->new->canonical->utf8;

sub helm {
    my (@arguments) = @_;
    my $quoted = join ' ', map { s/'/'\\''/gr =~ s/.*/'$&'/sr } @arguments;
    my $out    = qx(HELM_CACHE_HOME=$dir/c HELM_CONFIG_HOME=$dir/f HELM_DATA_HOME=$dir/d '$assets/helm' $quoted 2>$dir/err);
    my $status = $? >> 8;
    open my $err, '<', "$dir/err" or die;
    local $/;
    return ( $status, $out, scalar <$err> );
}

sub objects {
    my ($text) = @_;
    my %objects;
    for my $object ( grep { ref $_ eq 'HASH' } YAML::XS::Load($text) ) {
        ( my $name = $object->{metadata}{name} ) =~ s/-[a-z0-9]{10}$//;    # the hash that kustomize adds
        $objects{"$object->{kind}/$name"} = normal($object);
    }
    return \%objects;
}

# Without what each of the two ways adds on its own.
sub normal {
    my ($object) = @_;
    delete @{ $object->{metadata} }{qw(namespace creationTimestamp)};
    delete @{ $object->{metadata}{labels} }{ qw(app.kubernetes.io/managed-by app.kubernetes.io/instance app.kubernetes.io/version helm.sh/chart) };
    $object->{metadata}{name} =~ s/-[a-z0-9]{10}$// if $object->{kind} eq 'ConfigMap';
    if ( my $template = $object->{spec}{template} ) {
        delete $template->{metadata}{annotations}{'checksum/nginx'};
        for my $container ( @{ $template->{spec}{containers} } ) {
            delete $container->{imagePullPolicy};
            $container->{image} =~ s/:.*//;
            sort_by_name( $container->{volumeMounts} );
        }
        sort_by_name( $template->{spec}{volumes} );
        for my $volume ( @{ $template->{spec}{volumes} || [] } ) {
            $volume->{configMap}{name} =~ s/-[a-z0-9]{10}$// if $volume->{configMap};
        }
    }
    delete $object->{metadata}{labels}{'app.kubernetes.io/name'}, delete $object->{metadata}{labels}{'app.kubernetes.io/part-of'};
    s/\s+\z// for values %{ $object->{data} || {} };
    return $object;
}

# In place. The order of volumes means nothing.
sub sort_by_name {
    my ($list) = @_;
    @$list = sort { $a->{name} cmp $b->{name} } @$list if $list;
    return;
}

my ( $status, $out, $err ) = helm( 'lint', '--strict', $chart );
is( $status, 0, 'helm lint' ) or diag( $out, $err );

my %SAME = (
    base                         => [],
    split                        => ['split=true'],
    namespaced                   => ['namespaced=true'],
    'with-prometheus-monitoring' => ['monitoring.enabled=true'],
);
for my $overlay ( sort keys %SAME ) {
    my ( $namespace ) = $overlay eq 'namespaced' ? 'team-a' : 'dispatcher-system';
    my ( $failed, $rendered, $why ) =
        helm( 'template', 'dispatcher', $chart, '-n', $namespace, map { ( '--set', $_ ) } @{ $SAME{$overlay} } );
    is( $failed, 0, "helm template for $overlay" ) or diag($why);
    my $theirs = objects($rendered);
    my $ours   = objects( scalar qx('$assets/kubectl' kustomize '$top/deploy/overlays/$overlay') );
    delete $ours->{'Namespace/dispatcher-system'};
    is_deeply( [ sort keys %$theirs ], [ sort keys %$ours ], "the objects of the overlay $overlay" );
    for my $name ( sort keys %$ours ) {
        is( $JSON->encode( $theirs->{$name} || {} ), $JSON->encode( $ours->{$name} ), "$overlay: $name" );
    }
}

# --- values ---------------------------------------------------------------------------------------------------------

for my $bad ( 'replica=3', 'replicas=0', 'image.digest=sha256:12', 'web.resources.limit.memory=1Gi', 'ingress.enabled=true', 'name=Upper',
    'manager.extraArgs[0]=flag' )
{
    ( $status, $out, $err ) = helm( 'template', 'x', $chart, '--set', $bad );
    isnt( $status, 0, "--set $bad is refused" );
    my ($key) = $bad =~ /^([a-z]+)/i;
    like( $err, qr/\Q$key/, 'and the message names it' );
}

# --- the API server ---------------------------------------------------------------------------------------------------

my $kube = Dispatcher::Kube->start( dir => "$dir/kube" );
$kube->kubectl(qw(create namespace dispatcher-system));
my %VARIANTS = (
    'everything that can be switched on' => [
        'split=true', 'ingress.enabled=true', 'ingress.host=jobs.example.com', 'ingress.tlsSecret=tls', 'ingress.className=nginx',
        'networkPolicy.enabled=true', 'web.extraConfig.execute-x\.conf=allow all;', 'priorityClassName=high', 'imagePullSecrets[0].name=s',
        'tolerations[0].operator=Exists', 'nodeSelector.disk=ssd', 'podAnnotations.a=b', 'serviceAccount.annotations.a=b',
        'web.service.type=LoadBalancer', 'image.digest=sha256:' . 'a' x 64, 'manager.extraArgs[0]=--max-in-flight=8',
    ],
    'the default' => [],
    'a namespace' => ['namespaced=true'],
    'another name' => ['name=jobs'],
);
for my $variant ( sort keys %VARIANTS ) {
    my ( undef, $rendered ) = helm( 'template', 'x', $chart, '-n', 'dispatcher-system', '--include-crds', map { ( '--set', $_ ) } @{ $VARIANTS{$variant} } );
    my ( $failed, undef, $why ) =
        $kube->try_kubectl( \$rendered, qw(apply --dry-run=server --validate=strict -n dispatcher-system -f -) );
    ok( $failed == 0, "the API server accepts $variant" ) or diag($why);
    is( $why, '', 'without a warning' );
}

$ENV{KUBECONFIG} = $kube->kubeconfig;
( $status, $out, $err ) = helm( 'install', 'dispatcher', $chart, '-n', 'dispatcher-system', '--set', 'image.repository=example.com/dispatcher' );
is( $status, 0, 'helm install' ) or diag($err);
$kube->established(qw(jobexecutions.dispatcher.ivan.vc jobtemplates.dispatcher.ivan.vc));
$kube->kubectl( 'apply', '-f', "$top/deploy/samples" );
( $status, $out, $err ) = helm(qw(uninstall dispatcher -n dispatcher-system));
is( $status, 0, 'helm uninstall' ) or diag($err);
is( $kube->kubectl("get", "all,cm,pdb,role,rolebinding,sa,secret", qw(-n dispatcher-system -l app.kubernetes.io/part-of=dispatcher -o name)),
    '', 'leaves nothing of its own' );
like( $kube->kubectl(qw(get jobexecutions -o name)), qr/jobexecution-sample/, 'and keeps the JobExecutions' );

done_testing();
