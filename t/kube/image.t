#!/usr/bin/env perl
# The image as its Pod runs it: built with buildah, its two containers under podman with the Deployment's own security settings, against a real
# control plane, with a ServiceAccount's token and CA mounted as in a Pod; one curl to a finished Job. Needs root, podman, buildah, debootstrap.
# IMG=name tests an image that is there already; DSP_REPRODUCIBLE=1 builds it twice and compares; DSP_REST=seconds waits before memory is read.
use strict;
use warnings;

use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);
use YAML::XS ();

use Dispatcher::Kube;
use Dispatcher::Test;

$YAML::XS::Boolean = 'JSON::PP';
my $top = "$FindBin::Bin/../..";
my @missing = grep { system("command -v $_ >/dev/null 2>&1") != 0 } qw(podman buildah runc debootstrap docker-registry);
unshift @missing, 'root' if $> != 0;
BAIL_OUT("the image cannot be tested without @missing") if @missing && $ENV{CI};
plan skip_all => "no @missing here" if @missing;

# A limit of the engine's own that a machine may not grant would keep every container from starting.
# (UNLINK: File::Temp would take it away before our END blocks have called podman.)
my $engine = File::Temp->new( UNLINK => 0 );
END { unlink "$engine" if $engine }
print $engine "[containers]\ndefault_ulimits=[]\n";
close $engine;
$ENV{CONTAINERS_CONF} = "$engine";

# --- the image ------------------------------------------------------------------------------------------------------

my @made;    # images that go with this test
END { local $?; system("podman rmi -f @made >/dev/null 2>&1") if @made }

# Builds an image of that name, which goes when the test ends; what the build said.
sub build {
    my ($name) = @_;
    local $ENV{DOCKER}     = 'buildah';
    local $ENV{BUILD_ARGS} = '--isolation chroot --no-cache';
    push @made, $name;
    my $start = time;
    my $out   = qx('$top/deploy/image/build' build $name 2>&1);
    is( $?, 0, "make docker-build IMG=$name" ) or BAIL_OUT($out);
    diag( sprintf 'make docker-build: %.0f s', time - $start );
    return $out;
}

my $image = $ENV{IMG};
if ( !$image ) {
    $image = "localhost/dispatcher:test-$$";
    my $start = time;
    is( system("'$top/t/kube/base-image'"), 0, 'the base image from packages' ) or BAIL_OUT('no base image');
    diag( sprintf 'the base image: %.0f s', time - $start );
    build($image);
}
if ( $ENV{DSP_REPRODUCIBLE} ) {
    local $ENV{SOURCE_DATE_EPOCH} = 1700000000;
    my @layers = map {
        build($_);
        scalar qx(podman image inspect --format '{{.RootFS.Layers}}' $_);
    } map {"localhost/dispatcher:again$_-$$"} 1, 2;
    like( $layers[0], qr/sha256:/, 'it has layers' );
    is( $layers[0], $layers[1], 'built twice, the same bytes' );
}
my $about = JSON::PP::decode_json( scalar qx(podman image inspect $image) )->[0];
my $base  = JSON::PP::decode_json( scalar qx(podman image inspect docker.io/library/debian:bookworm-slim) )->[0];
diag( sprintf 'image: %.0f MB, %.0f of them Debian', map { $_->{Size} / 1e6 } $about, $base );
cmp_ok( $about->{Size} - $base->{Size}, '<', 40e6, 'it adds less than 40 MB to its base' );
is( $about->{Config}{User}, '65532:65532', 'it is not root' );

sub inside {
    my ($command) = @_;
    return scalar qx(podman --runtime runc run --rm --network none --read-only --cap-drop all --security-opt no-new-privileges --entrypoint sh $image -c '$command' 2>&1);
}
is( inside('command -v cc gcc c++ g++ clang ld as make perl-doc; true'), '', 'no compiler inside' );
is( inside('find / -xdev -perm /6000 -type f 2>/dev/null | grep -v -E "/(mount|umount|su|chsh|chfn|newgrp|gpasswd|passwd|chage|expiry|unix_chkpwd)\$"; true'),
    '', 'no set-uid program but those of Debian' );
like( inside('dispatcher-controller --version; dispatcher-template --version'), qr/dispatcher-controller \d/, 'both programs start' );
like( inside('ls /usr/share/zoneinfo/Europe/Berlin'), qr/Berlin/, 'with time zones' );
like( inside('dispatcher-nginx'), qr/\Adispatcher-nginx: KUBERNETES_SERVICE_HOST is not set[^\n]*\n\z/, 'outside of a Pod it says why it does not start' );

# --- make docker-push -------------------------------------------------------------------------------------------------

my $t = Dispatcher::Test->new;
{
    my $host = '127.0.0.1:' . $t->port('registry');
    my $conf = $t->write( 'registry.yml', "version: 0.1\nstorage: {filesystem: {rootdirectory: @{[ $t->dir ]}/registry}}\nhttp: {addr: '$host'}\n" );
    local $ENV{CONTAINERS_REGISTRIES_CONF} = $t->write( 'registries.conf', "[[registry]]\nlocation = '$host'\ninsecure = true\n" );
    local $ENV{DOCKER} = 'buildah';
    my $registry = $t->start( 'registry', 'docker-registry', 'serve', $conf );
    $t->wait_for( 'the registry', sub { $registry->must_live; $t->listening($host) } );
    push @made, my $name = "$host/team/dispatcher:0.1";
    qx(podman tag '$image' '$name');
    my $said = qx('$top/deploy/image/build' push '$name' 2>&1);
    is( $?, 0, 'make docker-push' ) or diag($said);
    qx(podman rmi '$name');
    qx(podman pull -q '$name');
    is( qx(podman image inspect --format '{{.Id}}' '$name'), "$about->{Id}\n", 'what a cluster pulls is what was built' );
    $registry->stop;
    isnt( system("'$top/deploy/image/build' push '$name' >/dev/null 2>&1"), 0, 'a registry that is not there: it fails' );
}

# --- the Pod --------------------------------------------------------------------------------------------------------

my $kube   = Dispatcher::Kube->start( dir => $t->dir . '/kube' );
my $SYSTEM = 'dispatcher-system';
my $began  = time;
{
    local $ENV{KUBECONFIG} = $kube->kubeconfig;
    local $ENV{PATH}       = $kube->assets . ":$ENV{PATH}";
    my $out = qx('$top/deploy/tool' deploy $image 2>&1 </dev/null);
    is( $?, 0, 'make deploy' ) or diag($out);
}
my $deployment = JSON::PP::decode_json( $kube->kubectl( qw(get deployment dispatcher -o json -n), $SYSTEM ) );
my $config     = JSON::PP::decode_json( $kube->kubectl( qw(get configmap -o json -l app.kubernetes.io/part-of=dispatcher -n), $SYSTEM ) )->{items}[0];
$kube->kubectl( qw(scale deployment dispatcher --replicas=0 -n), $SYSTEM );
my $kubelet = $t->start( 'kubelet', $t->build . '/kubelet', '--kubeconfig', $kube->kubeconfig, '--logs', $t->dir );
my $mount   = $kube->mount_of( $SYSTEM, 'dispatcher' );
my %port    = map { $_ => $t->port($_) } qw(http probe metrics probes);

chmod 0755, $t->dir, $kube->dir;
my $account = $t->dir . '/account';
mkdir $account;
$t->write( 'account/ca.crt',    Dispatcher::Kube::slurp( $mount->{ca} ) );
$t->write( 'account/token',     Dispatcher::Kube::slurp( $mount->{token} ) );
$t->write( 'account/namespace', $SYSTEM );
mkdir $t->dir . '/nginx';
$t->write( "nginx/$_", $config->{data}{$_} ) for keys %{ $config->{data} };

my $pod = $t->write( 'pod.yaml', YAML::XS::Dump( podman_pod() ) );
my $out = qx(podman --runtime runc kube play '$pod' 2>&1);
is( $?, 0, 'podman plays the Pod of the Deployment' ) or diag($out);
END { qx(podman --runtime runc kube down '$pod' 2>&1) if $pod }

# The Deployment's Pod. What differs is where it is: the host's network, and the mounts that a kubelet makes.
sub podman_pod {
    my $spec = $deployment->{spec}{template}{spec};
    my %env  = ( KUBERNETES_SERVICE_HOST => '127.0.0.1', KUBERNETES_SERVICE_PORT => $mount->{host} =~ s/.*://r,
        HTTP_PORT => $port{http}, PROBE_PORT => $port{probe} );
    for my $container ( @{ $spec->{containers} } ) {
        # podman's probes want a curl inside, its kube play knows no hooks; both are tried from outside.
        delete @$container{qw(readinessProbe livenessProbe lifecycle ports terminationMessagePath terminationMessagePolicy)};
        $container->{imagePullPolicy} = 'Never';
        push @{ $container->{env} }, map { { name => $_, value => "$env{$_}" } } sort keys %env;
        push @{ $container->{volumeMounts} },
            { name => 'account', mountPath => '/var/run/secrets/kubernetes.io/serviceaccount', readOnly => JSON::PP::true };
        s/:8080$/127.0.0.1:$port{metrics}/, s/:8081$/127.0.0.1:$port{probes}/ for @{ $container->{args} || [] };
    }
    my ($run) = grep { $_->{name} eq 'run' } @{ $spec->{volumes} };
    return {
        apiVersion => 'v1',
        kind       => 'Pod',
        metadata   => { name => "dispatcher-test-$$" },
        spec       => {
            hostNetwork     => JSON::PP::true,
            securityContext => $spec->{securityContext},
            containers      => $spec->{containers},
            volumes         => [
                { name => 'run',     emptyDir => {} },
                { name => 'nginx',   hostPath => { path => $t->dir . '/nginx' } },
                { name => 'account', hostPath => { path => $account } },
            ],
        },
    };
}

sub logs { return scalar qx(podman logs dispatcher-test-$$-$_[0] 2>&1) }

sub answers {
    my ( $port, $path ) = @_;
    my $answer = eval { $t->http( "127.0.0.1:$port", GET => $path ) };
    return $answer && $answer->{status} == 200;
}

for my $probe ( [ 'nginx', $port{probe}, '/healthz' ], [ 'manager', $port{probes}, '/readyz' ] ) {
    my ( $name, $number, $path ) = @$probe;
    ok( eval { $t->wait_for( "$name to be ready", sub { answers( $number, $path ) }, 60 ); 1 }, "the probe of $name" ) or diag( logs($name) );
}

# --- one curl -------------------------------------------------------------------------------------------------------

$kube->kubectl( 'apply', '-f', "$top/deploy/samples/jobtemplate.yaml" );
my $answer = $t->http( "127.0.0.1:$port{http}", PUT => '/execute/default/jobtemplate-sample', body => 'my test payload' );
is( $answer->{status}, 201, 'PUT' ) or diag( $answer->{body}, logs('nginx') );
my $name = $answer->{json}{name} // 'none';
ok( eval { $t->wait_for( 'the JobExecution to succeed', sub { state($name) eq 'Succeeded' }, 60 ); 1 }, 'the Job succeeded' )
    or diag( $kube->kubectl( 'describe', 'je', $name ), logs('manager') );
diag( sprintf 'from the first object of make deploy to the first finished execution: %.1f s', time - $began );

sub state { return ( $kube->try_kubectl( 'get', 'je', $_[0], '-o', 'jsonpath={.status.state}' ) )[1] }

like( $t->http( "127.0.0.1:$port{probe}", GET => '/metrics' )->{body}, qr/^job_requests_success_total 1$/m, "nginx's counters" );
like( $t->http( "127.0.0.1:$port{metrics}", GET => '/metrics' )->{body}, qr/^job_executions_success_total 1$/m, "the controller's" );

# --- as safe as the Deployment says -----------------------------------------------------------------------------------

for my $container (qw(nginx manager)) {
    my $status = Dispatcher::Kube::slurp( '/proc/' . pid_of($container) . '/status' );
    like( $status, qr/^Uid:\s+65532\s/m,          "$container: its user" );
    like( $status, qr/^Cap(?:Eff):\s+0+$/m,       "$container: no capabilities" );
    like( $status, qr/^NoNewPrivs:\s+1$/m,        "$container: no new privileges" );
    like( qx(podman exec dispatcher-test-$$-$container sh -c 'echo x >/x' 2>&1), qr/Read-only file system/, "$container: its root is read-only" );
}
if ( $ENV{DSP_REST} ) {    # seconds: what start-up and the execution took is given back by and by
    sleep $ENV{DSP_REST};
}
diag( "$_ at rest: " . memory($_) ) for qw(nginx manager);

# The first process of a container, as seen from outside.
sub pid_of { return qx(podman inspect --format '{{.State.Pid}}' dispatcher-test-$$-$_[0]) =~ /(\d+)/ ? $1 : die "no container $_[0]\n" }

# All processes of a container, added up; and what its control group is charged with, where that can be read.
sub memory {
    my ($container) = @_;
    my $pid = pid_of($container);
    my %sum;
    for my $process ( $pid, Dispatcher::Test::Process::children($pid) ) {
        my $rollup = Dispatcher::Kube::slurp("/proc/$process/smaps_rollup");
        $sum{$1} += $2 / 1024 while $rollup =~ /^(Rss|Pss|Private_Dirty|Private_Clean):\s+(\d+)/mg;
    }
    my $group = charged($pid);
    return sprintf( '%.1f MiB private (%.1f of it dirty), %.1f MiB with its share of mapped files, %.1f MiB resident',
        $sum{Private_Dirty} + $sum{Private_Clean}, @sum{qw(Private_Dirty Pss Rss)} )
        . ( $group ? sprintf( ', %.1f MiB charged to its control group', $group / 1048576 ) : '' );
}

sub charged {
    my ($pid) = @_;
    my $groups = Dispatcher::Kube::slurp("/proc/$pid/cgroup");
    my @files;
    push @files, "/sys/fs/cgroup/memory$1/memory.usage_in_bytes" if $groups =~ /^\d+:memory:(.*)$/m;
    push @files, map {"$_$1/memory.current"} '/sys/fs/cgroup', '/sys/fs/cgroup/unified' if $groups =~ /^0::(.*)$/m;
    my ($bytes) = grep { defined && /^\d+$/ } map { Dispatcher::Kube::slurp($_) =~ s/\s+\z//r } @files;
    return $bytes;
}

is( system("podman exec dispatcher-test-$$-nginx dispatcher-nginx drain 0 2>/dev/null") & 0xff, 0, 'drain ends nginx' );
$t->wait_for( 'nginx to be gone', sub { !answers( $port{probe}, '/healthz' ) } );
qx(podman --runtime runc kube down '$pod' 2>&1);
undef $pod;
$kubelet->stop;
$kube->stop;
$t->done_testing;
