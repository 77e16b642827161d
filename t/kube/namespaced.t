#!/usr/bin/env perl
# The overlay `namespaced` as docs/install.md has it: a cluster admin stores the definitions, and the admin of a namespace does the rest, with no right
# outside of it. Then the programs run with what that admin granted, and reach nothing else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;

use Dispatcher::Kube;
use Dispatcher::Test;

my $top  = "$FindBin::Bin/../..";
my $t    = Dispatcher::Test->new;
my $kube = Dispatcher::Kube->start( dir => $t->dir . '/kube', audit => 1 );
my $JSON = JSON::PP->new->canonical->utf8;
my $TEAM = 'team-a';    # as the overlay says

sub tool {
    my ( $kubeconfig, @arguments ) = @_;
    local $ENV{KUBECONFIG} = $kubeconfig;
    local $ENV{OVERLAY}    = 'namespaced';
    local $ENV{PATH}       = $kube->assets . ":$ENV{PATH}";
    my $out = qx('$top/deploy/tool' @arguments 2>&1 </dev/null);
    return ( $? >> 8, $out );
}

{
    local $ENV{KUBECONFIG} = $kube->kubeconfig;
    local $ENV{PATH}       = $kube->assets . ":$ENV{PATH}";
    local $ENV{OVERLAY}    = 'with-prometheus-monitoring';
    is( scalar qx('$top/deploy/tool' deploy x 2>&1 </dev/null),
        "make deploy: the overlay with-prometheus-monitoring needs the Prometheus operator, whose CustomResourceDefinitions are not in this cluster\n",
        'an overlay that this cluster cannot have is refused before anything is made'
    );
}

# --- a namespace and its admin ----------------------------------------------------------------------------------------

$kube->kubectl( 'create', 'namespace', $_ ) for $TEAM, 'people';
$kube->kubectl(qw(create serviceaccount alice -n people));
$kube->kubectl( qw(create rolebinding alice --clusterrole=admin --serviceaccount=people:alice -n), $TEAM );
my $alice = $kube->mount_of( 'people', 'alice' )->{kubeconfig};

my ( $status, $out ) = tool( $alice, 'deploy', 'dispatcher:test' );
is( $status, 1, 'without the definitions' );
is( $out, "make deploy: you may not store the CustomResourceDefinitions: a cluster admin does that once, by make install\n", 'it says who can help' );

is( ( tool( $kube->kubeconfig, 'install' ) )[0], 0, 'the cluster admin: make install' );
$kube->kubectl( 'apply', '-f', "$top/deploy/rbac/roles/users.yaml" );
$t->wait_for( 'the roles to be aggregated', sub {
    ( $kube->try_kubectl( qw(auth can-i patch jobexecutions/status --as=system:serviceaccount:people:alice -n), $TEAM ) )[0] == 0;
} );
( $status, $out ) = tool( $alice, 'deploy', 'dispatcher:test' );
is( $status, 0, "the namespace's admin: make deploy OVERLAY=namespaced" ) or diag($out);
like( $out, qr/^The CustomResourceDefinitions stay as they are/m, 'says that the definitions are not hers' );
$kube->kubectl( qw(scale deployment dispatcher --replicas=0 -n), $TEAM );

# --- the programs -----------------------------------------------------------------------------------------------------

my $kubelet = $t->start( 'kubelet', $t->build . '/kubelet', '--kubeconfig', $kube->kubeconfig, '--logs', $t->dir );
my $mount   = $kube->mount_of( $TEAM, 'dispatcher' );
my ($args)  = map { $_->{args} } grep { $_->{name} eq 'manager' }
    @{ $JSON->decode( $kube->kubectl( qw(get deployment dispatcher -o json -n), $TEAM ) )->{spec}{template}{spec}{containers} };
my $controller = $t->controller( $mount, "--leader-elect-namespace=$TEAM", map { s/\$\(NAMESPACE\)/$TEAM/r } grep { !/-bind-address=/ } @$args );
mkdir $t->dir . '/extra';
$t->write( 'extra/execute-namespace.conf', Dispatcher::Kube::slurp("$top/deploy/overlays/namespaced/execute-namespace.conf") );
my $nginx = $t->nginx( $kube->nginx_of_pod( $t, $mount ) );

for my $namespace ( $TEAM, 'default' ) {
    $kube->kubectl( 'apply', '-f', "$top/deploy/samples/jobtemplate.yaml", '-n', $namespace );
}
my $answer = $nginx->http( PUT => '/execute/jobtemplate-sample', body => 'x' );
is( $answer->{status}, 201, 'PUT without a namespace' ) or diag( $answer->{body} );
is( $answer->{json}{namespace}, $TEAM, 'is for this one' );
my $path = 'jsonpath={.status.state}';
$t->wait_for( 'it to succeed', sub { $kube->kubectl( 'get', 'je', $answer->{json}{name}, '-n', $TEAM, '-o', $path ) eq 'Succeeded' } );
is( $nginx->http( PUT => '/execute/default/jobtemplate-sample', body => 'x' )->{status}, 403, 'PUT for another namespace' );

$kube->kubectl( 'apply', '-f', "$top/deploy/samples/jobexecution.yaml" );
$kube->kubectl( 'apply', '-f', "$top/deploy/samples/jobexecution.yaml", '-n', $TEAM );
$t->wait_for( 'the one here to succeed', sub { $kube->kubectl( qw(get je jobexecution-sample -n), $TEAM, '-o', $path ) eq 'Succeeded' } );
is( $kube->kubectl( qw(get je jobexecution-sample -o), $path ), '', 'one in another namespace is not touched' );
$nginx->stop('QUIT');
$controller->stop;
is_deeply( ( $kube->audited($TEAM) )[1], [], 'nothing that they asked for was forbidden' );

# --- and away ---------------------------------------------------------------------------------------------------------

( $status, $out ) = tool( $alice, 'undeploy' );
is( $status, 0, "the namespace's admin: make undeploy" ) or diag($out);
is( $kube->kubectl( 'get', 'all,configmap,pdb,serviceaccount,role,rolebinding,lease', qw(-l app.kubernetes.io/part-of=dispatcher -o name -n), $TEAM ),
    '', 'leaves nothing of its own' );
like( $kube->kubectl( qw(get je -o name -n), $TEAM ), qr/jobexecution-sample/, 'The JobExecutions are still there' );
$kubelet->stop;
$kube->stop;
$t->done_testing;
