#!/usr/bin/env perl
# Every object that deploy/ makes is accepted by a real API server: overlays, samples, and the CustomResourceDefinitions by `make install`.
use strict;
use warnings;

use Fcntl;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use POSIX ();
use Test::More;

use Dispatcher::Kube;

my ( $TIOCSPTLCK, $TIOCGPTN ) = ( 0x40045431, 0x80045430 );    # <asm-generic/ioctls.h>

my $top  = "$FindBin::Bin/../..";
my $dir  = File::Temp->newdir;
my $kube = Dispatcher::Kube->start( dir => "$dir" );

# Kinds that a cluster has only with the Prometheus operator: anything goes, the objects' own form is checked elsewhere.
for my $kind (qw(ServiceMonitor PrometheusRule)) {
    my $plural = lc($kind) . 's';
    my $crd    = JSON::PP::encode_json( {
        apiVersion => 'apiextensions.k8s.io/v1',
        kind       => 'CustomResourceDefinition',
        metadata   => { name => "$plural.monitoring.coreos.com" },
        spec       => {
            group    => 'monitoring.coreos.com',
            scope    => 'Namespaced',
            names    => { kind => $kind, plural => $plural },
            versions => [ {
                    name    => 'v1',
                    served  => JSON::PP::true,
                    storage => JSON::PP::true,
                    schema  => { openAPIV3Schema => { type => 'object', 'x-kubernetes-preserve-unknown-fields' => JSON::PP::true } },
            } ],
        },
    } );
    $kube->kubectl( \$crd, 'apply', '-f', '-' );
}
for my $namespace (qw(dispatcher-system team-a team-web)) {
    $kube->kubectl( \"apiVersion: v1\nkind: Namespace\nmetadata: {name: $namespace}\n", 'apply', '-f', '-' );
}

# --- make install ---------------------------------------------------------------------------------------------------

sub tool {
    my (@arguments) = @_;
    local $ENV{KUBECONFIG} = $kube->kubeconfig;
    local $ENV{PATH}       = $kube->assets . ":$ENV{PATH}";
    my $out = qx('$top/deploy/tool' @arguments 2>&1 </dev/null);
    note($out);
    return ( $? >> 8, $out );
}

is( ( tool('install') )[0], 0, 'make install' );
is( ( tool('install') )[0], 0, 'and again: nothing to do' );
like( $kube->kubectl(qw(explain jobexecution.spec.payload)), qr/What the template sees/, 'kubectl explain' );
like( $kube->kubectl(qw(api-resources --api-group=dispatcher.ivan.vc)), qr/jobtemplates +jt /, 'short names' );

# --- samples, overlays ----------------------------------------------------------------------------------------------

sub accepted {
    my ( $what, @arguments ) = @_;
    my ( $status, $out, $err ) = $kube->try_kubectl( @arguments, '--dry-run=server', '--validate=strict' );
    ok( $status == 0, "$what is accepted" ) or diag($err);
    is( $err, '', 'without a warning' );
    return $out;
}

accepted( $_, 'apply', '-f', "$top/deploy/$_" ) for qw(samples samples/cluster);
for my $overlay ( 'samples/existing-nginx', 'samples/auth', map { "overlays/$_" } qw(base default with-prometheus-monitoring namespaced split) ) {
    my $out = accepted( $overlay, 'apply', '-k', "$top/deploy/$overlay" );
    cmp_ok( scalar( $out =~ tr/\n// ), '>', 8, 'with all its objects' );
}

# The Pods meet the strictest Pod Security Standard, which the Namespace of the default overlay enforces.
for my $overlay (qw(default split)) {
    my $pods = pods_of( $kube->kubectl( 'kustomize', "$top/deploy/overlays/$overlay" ) );
    $kube->kubectl(qw(label namespace dispatcher-system pod-security.kubernetes.io/enforce=restricted --overwrite));
    for my $account (qw(dispatcher dispatcher-web dispatcher-manager)) {
        $kube->try_kubectl( qw(create serviceaccount -n dispatcher-system), $account );
    }
    for my $pod (@$pods) {
        my ( $status, undef, $err ) = $kube->try_kubectl( \JSON::PP::encode_json($pod), qw(create --dry-run=server -f -) );
        ok( $status == 0, "a Pod of $pod->{metadata}{name} ($overlay) is let into a restricted namespace" ) or diag($err);
    }
}

sub pods_of {
    my ($manifests) = @_;
    my $list = JSON::PP::decode_json( $kube->kubectl( \$manifests, qw(create --dry-run=client -o json -f -) )
            =~ s/^\}\n\{/},{/mgr =~ s/\A/[/r =~ s/\z/]/r );
    my @objects = map { $_->{kind} eq 'List' ? @{ $_->{items} } : $_ } @$list;
    return [
        map {
            {
                apiVersion => 'v1',
                kind       => 'Pod',
                metadata   => { name => "$_->{metadata}{name}-x", namespace => 'dispatcher-system' },
                spec       => $_->{spec}{template}{spec},
            }
        } grep { $_->{kind} eq 'Deployment' } @objects
    ];
}

# --- make deploy, undeploy, uninstall ---------------------------------------------------------------------------------

$kube->kubectl(qw(delete namespace dispatcher-system));
my ( $status, $out ) = tool( 'deploy', 'registry.example.com:5000/dispatcher:0.1' );
is( $status, 0, 'make deploy' );
is( $kube->kubectl( qw(get deployment dispatcher -n dispatcher-system -o), 'jsonpath={.spec.template.spec.containers[*].image}' ),
    join( ' ', ('registry.example.com:5000/dispatcher:0.1') x 2 ), 'runs the image that it was given' );
is( ( tool( 'deploy', 'registry.example.com:5000/dispatcher@sha256:' . 'a' x 64 ) )[0], 0, 'make deploy with a digest, over it' );
like( $kube->kubectl( qw(get deployment dispatcher -n dispatcher-system -o), 'jsonpath={.spec.template.spec.containers[0].image}' ),
    qr/^registry.example.com:5000\/dispatcher\@sha256:a{64}$/, 'runs that' );

$kube->kubectl( 'apply', '-f', "$top/deploy/samples", '-n', 'dispatcher-system' );
( $status, $out ) = tool('undeploy');
is( $status, 0, 'make undeploy' );
like( $out, qr/^The namespace dispatcher-system stays, for it has 1 jobtemplates, 1 jobexecutions/m, 'keeps a namespace that is in use' );
is( names('all,configmap,pdb,serviceaccount,role,rolebinding -n dispatcher-system -l app.kubernetes.io/part-of=dispatcher'), '',
    'and leaves nothing of its own in it' );
is( names('clusterrole,clusterrolebinding -l app.kubernetes.io/part-of=dispatcher'), '', 'nor in the cluster' );
like( names('jobexecution -n dispatcher-system'), qr/jobexecution-sample/, 'The JobExecution is still there' );

( $status, $out ) = tool('uninstall');
isnt( $status, 0, 'make uninstall asks before it deletes objects' );
like( $out, qr/^make uninstall: 1 JobTemplates and 1 JobExecutions would be deleted.*FORCE=1/, 'and says what it would delete' );
like( names('jobexecution -n dispatcher-system'), qr/jobexecution-sample/, 'The JobExecution is still there' );
{
    local $ENV{FORCE} = 1;
    is( ( tool('uninstall') )[0], 0, 'make uninstall FORCE=1' );
    unlike( names('crd'), qr/dispatcher/, 'leaves no definition' );
    is( ( tool('undeploy') )[0], 0, 'make undeploy again' );
}
is( ( tool('uninstall') )[0], 0, 'make uninstall again: nothing to do' );

# Somebody else's program in the namespace, the original's manager for example, keeps it.
is( ( tool( 'deploy', 'dispatcher:test' ) )[0], 0, 'make deploy' );
$kube->kubectl(qw(create deployment dispatcher-controller-manager --image=x -n dispatcher-system));
( $status, $out ) = tool('undeploy');
like( $out, qr/^The namespace dispatcher-system stays, for it has 1 deployments /m, 'make undeploy keeps a namespace with another program' );
is( names('deployment -n dispatcher-system'), "deployment.apps/dispatcher-controller-manager\n", 'and that program' );
$kube->kubectl(qw(delete namespace dispatcher-system));
is( ( tool('uninstall') )[0], 0, 'make uninstall' );
is( names('namespace --field-selector metadata.name=dispatcher-system'), '', 'no namespace is left' );

sub names { return $kube->kubectl( 'get', split( ' ', $_[0] ), '-o', 'name' ) }

# The tool on a terminal of its own, where somebody gives that answer to its question.
sub on_terminal {
    my ( $answer, @arguments ) = @_;
    my ( $unlock, $number ) = ( pack( 'i', 0 ), pack( 'i', 0 ) );
    sysopen( my $master, '/dev/ptmx', O_RDWR | O_NOCTTY ) or die "/dev/ptmx: $!";
    ioctl( $master, $TIOCSPTLCK, $unlock ) && ioctl( $master, $TIOCGPTN, $number ) or die "/dev/ptmx: $!";
    my $name = '/dev/pts/' . unpack 'i', $number;
    my $pid  = fork // die "fork: $!";
    if ( !$pid ) {
        POSIX::setsid();
        sysopen( my $slave, $name, O_RDWR ) or POSIX::_exit(126);
        POSIX::dup2( fileno $slave, $_ ) for 0 .. 2;
        ( $ENV{KUBECONFIG}, $ENV{PATH} ) = ( $kube->kubeconfig, $kube->assets . ":$ENV{PATH}" );
        exec "$top/deploy/tool", @arguments or POSIX::_exit(127);
    }
    my $said = '';
    while ( sysread $master, my $bytes, 4096 ) {
        $said .= $bytes;
        syswrite $master, "$answer\n" if $said =~ s/(\[y\/N\]) \z/$1  /;
    }
    waitpid $pid, 0;
    return ( $? >> 8, $said );
}

# Each way in and out again: the cluster is as it was, object for object.
my $kinds;
$kube->await( 'the API server to know the kinds that are left', sub {
    my ( $status, $names ) = $kube->try_kubectl(qw(api-resources --verbs=list -o name));
    $kinds = join ',', grep { !/^(?:events|componentstatuses)\b/ } split ' ', $names;
    return $status == 0 && $names !~ /\.dispatcher\.ivan\.vc$/m;
} );

sub everything {
    my $each = '{range .items[*]}{.kind}{" "}{.metadata.namespace}{"/"}{.metadata.name}{"\n"}{end}';
    return [ sort split /\n/, $kube->kubectl( 'get', $kinds, '--all-namespaces', '-o', "jsonpath=$each" ) ];
}

for my $overlay (qw(default split namespaced with-prometheus-monitoring)) {
    local $ENV{OVERLAY} = $overlay;
    my $before = everything();
    is( ( tool( 'deploy', 'dispatcher:test' ) )[0], 0, "make deploy OVERLAY=$overlay" );
    cmp_ok( scalar @{ everything() }, '>', @$before + 8, 'there is something' );
    is( ( tool('undeploy') )[0],  0, 'make undeploy' );
    is( ( tool('uninstall') )[0], 0, 'make uninstall: nobody has objects, nobody is asked' );
    is_deeply( everything(), $before, 'nothing is left' );
}
$kube->await( 'the rights to go from the roles that aggregate', sub { $kube->kubectl( qw(get clusterrole view edit admin -o), 'jsonpath={.items[*].rules}' ) !~ /dispatcher/ } );

# --- no Job is lost without a word ----------------------------------------------------------------------------------------

is( ( tool( 'deploy', 'dispatcher:test' ) )[0], 0, 'make deploy' );
$kube->kubectl( 'apply', '-f', "$top/deploy/samples" );
my $owner = $kube->kubectl( qw(get je jobexecution-sample -o), 'jsonpath={.metadata.uid}' );
$kube->kubectl( \<<"END", qw(create -f -) );
apiVersion: batch/v1
kind: Job
metadata:
  name: work
  ownerReferences: [{apiVersion: dispatcher.ivan.vc/v1beta1, kind: JobExecution, name: jobexecution-sample, uid: $owner, controller: true}]
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}
END
( $status, $out ) = tool('undeploy');
like( $out, qr/JobTemplates and 1 JobExecutions with their Jobs stay/, 'make undeploy says what stays' );
like( names('job'), qr/work/, 'the Job is still there' );

( $status, $out ) = on_terminal( 'n', 'uninstall' );
isnt( $status, 0, 'make uninstall on a terminal, answered with n' );
like( $out, qr/1 JobTemplates and 1 JobExecutions would be deleted, and the Jobs of these with them\. Delete all that\? \[y\/N\] .*nothing was deleted/s, 'asks' );
like( names('job'), qr/work/, 'the Job is still there' );
( $status, $out ) = on_terminal( 'y', 'uninstall' );
is( $status, 0, 'answered with y' ) or diag($out);
$kube->await( 'the Job to go with its JobExecution', sub { names('job') eq '' } );
is( names('crd -l app.kubernetes.io/part-of=dispatcher'), '', 'nothing is left' );

$kube->stop;
for my $arguments ( 'install', 'uninstall', 'deploy dispatcher:test', 'undeploy' ) {
    my ($verb) = $arguments =~ /^(\w+)/;
    ( $status, $out ) = tool( split ' ', $arguments );
    is( $status, 1, "make $verb without a cluster fails" );
    like( $out, qr/\Amake $verb: no cluster answers in the current context \(test\)[^\n]*\n\z/, 'with one line' );
}

done_testing();
