package Dispatcher::Kube;

# A real Kubernetes control plane on loopback for one test: etcd, kube-apiserver and kube-controller-manager in a directory of its
# own, RBAC and ServiceAccount admission on. There is no kubelet and no scheduler; t/kube/kubelet stands in for both.
#
#   my $kube = Dispatcher::Kube->start( dir => $dir );      # dies when it does not come up
#   $kube->kubectl( 'apply', '-f', $file );                 # standard output; dies with kubectl's words
#   my ( $status, $out, $err ) = $kube->try_kubectl(...);   # the exit status, never dies
#   $kube->kubeconfig                                       # of an administrator (group system:masters)
#   $kube->mount_of( 'namespace', 'serviceaccount' )        # what a Pod gets of a ServiceAccount, and a kubeconfig of it
#   $kube->mount_of( 'namespace', 'serviceaccount', 20 )    # with a token that the API server takes for 20 s
#   Dispatcher::Kube->start( dir => $dir, audit => 1 )      # keeps what ServiceAccounts asked for; see audited()
#   $kube->stop;                                            # also done when $kube goes
#
# What it needs is made by t/kube/build; available() says why it cannot be had, if it cannot.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path     qw(make_path);
use File::Spec     ();
use IO::Socket::INET ();
use JSON::PP ();
use MIME::Base64 ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

my $TOP = File::Spec->rel2abs( dirname(__FILE__) . '/../../..' );

# The controllers that objects of these tests need.
my @CONTROLLERS = qw(
    clusterrole-aggregation-controller garbage-collector-controller job-controller namespace-controller
    resourcequota-controller root-ca-certificate-publisher-controller serviceaccount-controller ttl-after-finished-controller
    validatingadmissionpolicy-status-controller
);

my $START_DEADLINE_S = 60;
my $STOP_DEADLINE_S  = 20;

# The directory of the programs, built where they are not there yet.
sub assets {
    my $dir = qx('$TOP/t/kube/build' 2>/dev/null);
    die "t/kube/build failed\n" if $?;
    chomp $dir;
    return $dir;
}

# Why a control plane cannot be had, without building one; undef when it can.
sub unavailable {
    return undef if $ENV{KUBEBUILDER_ASSETS} || -x "$TOP/build/kube/kubectl";
    return 'make kube was not run, and KUBEBUILDER_ASSETS is not set';
}

sub start {
    my ( $class, %o ) = @_;
    my $self = bless {
        dir    => $o{dir} // die('dir'),
        assets => assets(),
        pids   => {},
        owner  => $$,
        apiserver_options => $o{apiserver_options} || [],
    }, $class;
    make_path( $self->{dir} );
    $self->{dir} = File::Spec->rel2abs( $self->{dir} );
    $self->audit if $o{audit};
    ( $self->{port}, $self->{etcd_port}, $self->{peer_port} ) = free_ports(3);
    $self->write_credentials;
    $self->start_etcd;
    $self->start_apiserver;
    $self->start_controllers;
    $self->await( 'the default ServiceAccount',
        sub { ( $self->try_kubectl(qw(get serviceaccount default -n default)) )[0] == 0 } );
    return $self;
}

# In the place of a devcluster, for the system tests that run against both (DSP_KUBE=1, see Dispatcher::Test): with the definitions
# installed, the kubelet stand-in, and plain HTTP on {host} by `kubectl proxy`. Ends with the test.
sub for_test {
    my ( $class, $test ) = @_;
    my $self = $class->start( dir => $test->dir . '/kube' );
    push @{ $test->{processes} }, bless { kube => $self, pid => 0 }, 'Dispatcher::Kube::Process';
    $test->{slow} *= 3;
    $self->kubectl( 'apply', map { ( '-f', "$TOP/deploy/crd/$_.dispatcher.ivan.vc.yaml" ) } qw(jobtemplates jobexecutions) );
    $self->established( map {"$_.dispatcher.ivan.vc"} qw(jobtemplates jobexecutions) );
    $self->{kubeconfig} = $self->kubeconfig;
    $self->{logs}       = $self->{dir};
    $test->start( 'kubelet', $test->build . '/kubelet', '--kubeconfig', $self->kubeconfig, '--logs', $self->{logs} );
    my $port = $test->port('proxy');
    $self->{host} = "127.0.0.1:$port";
    my $proxy = $test->start( 'proxy', "$self->{assets}/kubectl", '--kubeconfig', $self->kubeconfig, 'proxy', "--port=$port", '--accept-hosts=.*' );
    $proxy->{may_fail} = 1;
    $test->wait_for( 'kubectl proxy', sub { $proxy->must_live; $test->listening( $self->{host} ) } );
    $self->{proxy} = $proxy;
    return $self;
}

# What the first container of a Job's first Pod wrote.
sub log_of_job {
    my ( $self, $job, $namespace ) = @_;
    my ($pod) = split ' ', $self->kubectl( qw(get pods -o), 'jsonpath={.items[*].metadata.name}', '-n', $namespace, '-l', "batch.kubernetes.io/job-name=$job" );
    return slurp("$self->{logs}/${namespace}_$pod.log");
}

sub dir        { return $_[0]{dir} }
sub server     { return "https://127.0.0.1:$_[0]{port}" }
sub kubeconfig { return "$_[0]{dir}/kubeconfig" }
sub ca         { return "$_[0]{dir}/certs/apiserver.crt" }
sub admin_token { return $_[0]{token} }

# --- the processes --------------------------------------------------------------------------------------------------

sub start_etcd {
    my ($self) = @_;
    my ( $client, $peer ) = map { "http://127.0.0.1:$self->{$_}" } qw(etcd_port peer_port);
    $self->spawn(
        'etcd', '--data-dir', "$self->{dir}/etcd", '--unsafe-no-fsync',
        '--listen-client-urls', $client, '--advertise-client-urls', $client,
        '--listen-peer-urls', $peer, '--initial-advertise-peer-urls', $peer, '--initial-cluster', "default=$peer",
    );
    return;
}

sub start_apiserver {
    my ($self) = @_;
    my $issuer = 'https://kubernetes.default.svc';
    $self->spawn(
        'kube-apiserver', '--etcd-servers', "http://127.0.0.1:$self->{etcd_port}",
        '--bind-address', '127.0.0.1', '--secure-port', $self->{port}, '--cert-dir', "$self->{dir}/certs",
        '--token-auth-file', "$self->{dir}/tokens.csv", '--authorization-mode', 'RBAC',
        '--service-account-issuer', $issuer, '--service-account-key-file', "$self->{dir}/sa.key",
        '--service-account-signing-key-file', "$self->{dir}/sa.key",
        '--service-cluster-ip-range', '10.0.0.0/24', '--allow-privileged=true', '--shutdown-delay-duration=0s',
        @{ $self->{apiserver_options} },
    );
    $self->await( 'kube-apiserver', sub { $self->alive('kube-apiserver') && -s $self->ca && $self->ready } );
    $self->write_kubeconfig( $self->kubeconfig, "{token: \"$self->{token}\"}" );
    return;
}

sub start_controllers {
    my ($self) = @_;
    $self->spawn(
        'kube-controller-manager', '--kubeconfig', $self->kubeconfig, '--controllers', join( ',', @CONTROLLERS ),
        '--leader-elect=false', '--secure-port=0', '--kube-api-qps=2000', '--kube-api-burst=4000',
        '--concurrent-job-syncs=20', '--service-account-private-key-file', "$self->{dir}/sa.key",
        '--root-ca-file', $self->ca,
    );
    return;
}

sub ready {
    my ($self) = @_;
    return system(
        'curl', '-fsS', '-o', '/dev/null', '--max-time', '5', '--noproxy', '*', '--cacert', $self->ca,
        '-H', "Authorization: Bearer $self->{token}", $self->server . '/readyz', '--stderr', '/dev/null'
    ) == 0;
}

# As after a crash: connections are cut, then for some seconds nobody answers.
sub restart_apiserver {
    my ($self) = @_;
    $self->stop_one( 'kube-apiserver', 'KILL' );
    $self->start_apiserver;
    return;
}

# Throws away all history in etcd, so that a watch that must resume gets 410. etcd's own gateway of JSON to gRPC.
sub compact {
    my ($self) = @_;
    my $etcd = "http://127.0.0.1:$self->{etcd_port}/v3";
    my $get  = 'curl -fsS --noproxy "*" -X POST -d';
    my ($revision) = qx($get '{"key":"AA=="}' $etcd/kv/range) =~ /"revision":"(\d+)"/ or die 'etcd says no revision';
    qx($get '{"revision":"$revision","physical":true}' $etcd/kv/compaction);
    die 'etcd does not compact' if $?;
    return;
}

sub spawn {
    my ( $self, $name, @arguments ) = @_;
    my $pid = fork // die "fork: $!";
    if ( !$pid ) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/$name.log" or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT;
        delete @ENV{qw(HTTP_PROXY HTTPS_PROXY http_proxy https_proxy)};
        setpgrp;
        exec {"$self->{assets}/$name"} $name, @arguments or POSIX::_exit(127);
    }
    $self->{pids}{$name} = $pid;
    return;
}

sub alive {
    my ( $self, $name ) = @_;
    my $pid = $self->{pids}{$name} // return 0;
    return 1 if waitpid( $pid, WNOHANG ) == 0;
    delete $self->{pids}{$name};
    die "$name ended by itself:\n" . $self->log_end($name);
}

sub stop_one {
    my ( $self, $name, $signal ) = @_;
    my $pid = delete $self->{pids}{$name} // return;
    kill $signal // 'TERM', $pid;
    my $deadline = time + $STOP_DEADLINE_S;
    while ( waitpid( $pid, WNOHANG ) == 0 ) {
        kill 'KILL', $pid if time > $deadline;
        sleep 0.02;
    }
    return;
}

sub stop {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local $?;
    $self->{proxy}->stop if $self->{proxy};
    # Nothing here is worth an orderly end but that no process stays.
    $self->stop_one( $_, 'KILL' ) for qw(kube-controller-manager kube-apiserver etcd);
    return;
}

sub DESTROY { $_[0]->stop; return }

sub log_end {
    my ( $self, $name ) = @_;
    open my $in, '<', "$self->{dir}/$name.log" or return '';
    my @lines = <$in>;
    return join '', @lines > 15 ? @lines[ -15 .. -1 ] : @lines;
}

sub await {
    my ( $self, $what, $condition ) = @_;
    my $deadline = time + $START_DEADLINE_S;
    until ( $condition->() ) {
        die "waited $START_DEADLINE_S s for $what:\n" . $self->log_end('kube-apiserver') if time > $deadline;
        sleep 0.1;
    }
    return;
}

# --- credentials ----------------------------------------------------------------------------------------------------

sub write_credentials {
    my ($self) = @_;
    $self->{token} = random_hex(16);
    $self->write_file( 'tokens.csv', "$self->{token},admin,admin,system:masters\n" );
    my $key = "$self->{dir}/sa.key";
    if ( !-s $key ) {
        system("openssl genrsa -out '$key' 2048 2>/dev/null") == 0 or die "openssl genrsa failed\n";
    }
    return;
}

# user: what a kubeconfig says of a user, YAML in one line.
sub write_kubeconfig {
    my ( $self, $file, $user, $namespace ) = @_;
    $namespace //= 'default';
    open my $out, '>', "$file.new" or die "$file: $!";
    print $out <<"END";
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: "@{[ $self->server ]}", certificate-authority: "@{[ $self->ca ]}"}}]
contexts: [{name: test, context: {cluster: test, user: test, namespace: "$namespace"}}]
users: [{name: test, user: $user}]
END
    close $out or die "$file: $!";
    rename "$file.new", $file or die "$file: $!";
    return $file;
}

# A token as a kubelet would mount it. seconds: at least 600, the server's own limit.
sub token_of {
    my ( $self, $namespace, $account, $seconds ) = @_;
    my $token = $self->kubectl( 'create', 'token', $account, '-n', $namespace, '--duration', ( $seconds // 3600 ) . 's' );
    chomp $token;
    return $token;
}

# The shortest life that TokenRequest grants is 600 s. This one is the server's own, but for its end, and signed anew with the server's key.
sub expiring_token {
    my ( $self, $namespace, $account, $seconds ) = @_;
    my $leeway = 60;    # what the server forgives after `exp`
    my ( $header, $claims ) = split /\./, $self->token_of( $namespace, $account );
    $claims = JSON::PP::decode_json( MIME::Base64::decode_base64url($claims) );
    $claims->{exp} = int( time + $seconds - $leeway );
    my $signed = $header . '.' . MIME::Base64::encode_base64url( JSON::PP::encode_json($claims), '' );
    my $file   = $self->write_file( 'signed', $signed );
    my $signature = qx(openssl dgst -sha256 -sign '$self->{dir}/sa.key' '$file');
    die 'openssl dgst failed' if $?;
    return "$signed." . MIME::Base64::encode_base64url( $signature, '' );
}

# As a Pod has it: { dir, token, ca } with the files `token` and `ca.crt`, and a kubeconfig that names them. Called again it replaces the
# token, as the kubelet does before it expires. seconds: what it lives.
sub mount_of {
    my ( $self, $namespace, $account, $seconds ) = @_;
    my $dir = "$self->{dir}/mount.$namespace.$account";
    make_path($dir);
    my %mount = ( dir => $dir, token => "$dir/token", ca => "$dir/ca.crt", kubeconfig => "$dir/kubeconfig", host => "127.0.0.1:$self->{port}" );
    symlink $self->ca, $mount{ca} unless -l $mount{ca};
    my $token = $seconds ? $self->expiring_token( $namespace, $account, $seconds ) : $self->token_of( $namespace, $account );
    $self->write_file( "mount.$namespace.$account/token.new", $token );
    rename "$mount{token}.new", $mount{token} or die "$mount{token}: $!";
    $self->write_kubeconfig( $mount{kubeconfig}, "{tokenFile: \"$mount{token}\"}", $namespace );
    return \%mount;
}

# --- what was asked for -----------------------------------------------------------------------------------------------

sub audit {
    my ($self) = @_;
    my $policy = $self->write_file( 'audit.yaml', <<'END' );
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: Metadata, userGroups: ["system:serviceaccounts"], omitStages: [RequestReceived]}
- {level: None}
END
    push @{ $self->{apiserver_options} }, "--audit-policy-file=$policy", "--audit-log-path=$self->{dir}/audit.log";
    return;
}

# What the ServiceAccounts of a namespace were let do, { account => { "verb group/resource" => 1 } }, and a list of what RBAC forbade them. What it
# forbade once and granted another time is not among that: an API server that has just started does not know its roles yet.
sub audited {
    my ( $self, $namespace ) = @_;
    my ( %used, %granted, %forbidden );
    for my $line ( split /\n/, slurp("$self->{dir}/audit.log") ) {
        my $entry = JSON::PP::decode_json($line);
        my ($account) = $entry->{user}{username} =~ /^system:serviceaccount:\Q$namespace\E:(.*)/ or next;
        my $object = $entry->{objectRef} || {};
        my $right  = join '/', "$entry->{verb} " . ( $object->{apiGroup} // '' ), grep {defined} @$object{qw(resource subresource)};
        my $where  = "$account $right in " . ( $object->{namespace} // 'the cluster' );
        if ( ( $entry->{annotations}{'authorization.k8s.io/decision'} // '' ) eq 'forbid' ) {
            $forbidden{$where} = 1;
        }
        else {
            $used{$account}{$right} = $granted{$where} = 1;
        }
    }
    return ( \%used, [ grep { !$granted{$_} } sort keys %forbidden ] );
}

# --- nginx as in a Pod ------------------------------------------------------------------------------------------------

# deploy/nginx/nginx.conf for $test->nginx(), with that test's places and ports (http, probe), and the credentials of a mount_of(). What is in
# the test's directory extra/ is included, as from /etc/dispatcher.d/.
sub nginx_of_pod {
    my ( $self, $test, $mount ) = @_;
    my $conf = slurp("$TOP/deploy/nginx/nginx.conf");
    my $dir  = $test->dir;
    mkdir "$dir/run";
    $test->write( 'run/upstream.conf', "server $mount->{host} max_fails=0;\n" );
    $test->write( "run/listen-$_.conf", 'listen 127.0.0.1:' . $test->port($_) . ";\n" ) for qw(http probe);
    my $api = slurp("$TOP/deploy/nginx/dispatcher_api.conf");
    s{/var/run/secrets/kubernetes.io/serviceaccount}{$mount->{dir}}g for $api, $conf;
    $test->write( 'dispatcher_api.conf', $api );
    $conf =~ s{/run/dispatcher}{$dir/run}g;
    $conf =~ s{/etc/dispatcher/}{$dir/}g;
    $conf =~ s{/etc/dispatcher\.d/}{$dir/extra/}g;
    $conf =~ s{/dev/stdout}{$dir/access.log};
    $conf =~ s/^(?:load_module|pid|error_log) .*\n//mg;
    return "%%GLOBALS%%\n$conf";
}

# --- kubectl --------------------------------------------------------------------------------------------------------

# ( exit status, standard output, standard error ). A first argument that is a reference is standard input.
sub try_kubectl {
    my ( $self, @arguments ) = @_;
    my $input = ref $arguments[0] ? ${ shift @arguments } : '';
    my ( $in, $out, $err ) = map { "$self->{dir}/kubectl.$$.$_" } qw(in out err);
    open my $file, '>', $in or die "$in: $!";
    print $file $input;
    close $file;
    my $pid = fork // die "fork: $!";
    if ( !$pid ) {
        open STDIN,  '<', $in;
        open STDOUT, '>', $out;
        open STDERR, '>', $err;
        delete @ENV{qw(HTTP_PROXY HTTPS_PROXY http_proxy https_proxy)};
        $ENV{KUBECONFIG} = $self->kubeconfig;
        $ENV{HOME}       = $self->{dir};
        exec {"$self->{assets}/kubectl"} 'kubectl', @arguments or POSIX::_exit(127);
    }
    local $?;
    waitpid $pid, 0;
    my $status = $? >> 8 || $? & 127;
    my @text = map { slurp($_) } $out, $err;
    unlink $in, $out, $err;
    return ( $status, @text );
}

sub kubectl {
    my ( $self, @arguments ) = @_;
    my ( $status, $out, $err ) = $self->try_kubectl(@arguments);
    shift @arguments if ref $arguments[0];
    die "kubectl @arguments: $err" if $status != 0;
    return $out;
}

# Until these CustomResourceDefinitions are served. (`kubectl wait` fails on one that has no status yet.)
sub established {
    my ( $self, @crds ) = @_;
    my $path = 'jsonpath={.status.conditions[?(@.type=="Established")].status}';
    for my $crd (@crds) {
        $self->await( "$crd to be established", sub { ( $self->try_kubectl( 'get', 'crd', $crd, '-o', $path ) )[1] eq 'True' } );
        # Established comes before its storage is ready: "storage is (re)initializing".
        $self->await( "$crd to be served", sub { ( $self->try_kubectl( 'get', $crd ) )[0] == 0 } );
    }
    return;
}

# --- small things ---------------------------------------------------------------------------------------------------

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return scalar(<$in>) // '';
}

sub write_file {
    my ( $self, $name, $text ) = @_;
    open my $out, '>', "$self->{dir}/$name" or die "$name: $!";
    chmod 0600, $out;
    print $out $text;
    close $out or die "$name: $!";
    return "$self->{dir}/$name";
}

# All are held open until the last is found, so that they differ.
sub free_ports {
    my ($count) = @_;
    my @sockets = map { IO::Socket::INET->new( LocalAddr => '127.0.0.1', Listen => 1 ) // die "no free port: $!" } 1 .. $count;
    return map { $_->sockport } @sockets;
}

sub random_hex {
    my ($bytes) = @_;
    open my $in, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
    read( $in, my $raw, $bytes ) == $bytes or die "/dev/urandom: $!";
    return unpack 'H*', $raw;
}

package Dispatcher::Kube::Process;

# The control plane among the processes of a test: it is not a process, and ends with the test.
use strict;
use warnings;

sub alive { return !!%{ $_[0]{kube}{pids} } }
sub stop  { $_[0]{kube}->stop; return }
sub fault { return }

1;
