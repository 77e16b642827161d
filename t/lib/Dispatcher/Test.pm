# The harness of the system tests: starts the real programs on loopback, waits for conditions, speaks raw HTTP, plays
# API servers that misbehave, and at the end fails on what must never be in a log and on processes left behind.
# Perl's core modules only.
#
#     use FindBin;
#     use lib "$FindBin::Bin/lib";
#     use Dispatcher::Test;
#
#     my $t     = Dispatcher::Test->new;                  # a temporary directory; checks and cleans up in finish()
#     my $kube  = $t->devcluster;                         # build/devcluster; $kube->{kubeconfig}, {host} ("127.0.0.1:port"), {token}
#     my $ctl   = $t->controller( $kube, '--leader-elect=false' );
#     my $nginx = $t->nginx( $t->front($kube) );          # or any configuration text, see nginx()
#
#     my $answer = $nginx->http( PUT => '/execute/demo', body => 'hello' );
#     is( $answer->{status}, 201 );                       # {status} {reason} {headers}{lower-case} {body} {json} {raw}
#     my $name = $answer->{json}{name};
#     $t->wait_for( 'the Job to succeed', sub { $t->kubectl( $kube, 'get', "job/$name", '-o', 'name' ) } );
#     $t->done_testing;                                   # = finish() and Test::More's done_testing()
#
# Files of a test:   $t->dir, $t->write( name => text ), $t->read(name), $t->write_atomically( name => text )
# Ports:             $t->port(name): a free port of 127.0.0.1, held for this test until its end, the same for the same name
# Processes:         $t->start( name => command... ) → { pid, log, name }; ->alive, ->stop(signal), ->wait_exit, ->signal(sig), ->log
# Commands:          $t->run( command... ) → { status, out, err }; $t->kubectl( $kube, arguments... ) → out, or undef when it failed
#                    (the reason is in $t->{error})
# Waiting:           $t->wait_for( 'what', sub { true when there }, seconds = 20 ) gives what the sub gave; dies with the logs' ends
# API server:        $t->api( sub { my ($request) = @_; ... } ), see Dispatcher::Test::Server
# Known noise:       $t->allow(qr/.../): lines of a log that finish() must not mind
#
# Environment: DSP_BUILD (default: build), DSP_VALGRIND=1 (nginx under valgrind), DSP_KEEP=1 (keep the directory), DSP_NGINX (another
# nginx binary; it must match the module), DSP_MODULE (another module, or "static" when that nginx has it inside),
# DSP_KUBE=1 (a real control plane, t/kube, in the place of devcluster).
package Dispatcher::Test;

use strict;
use warnings;

use Cwd ();
use Errno qw(EINTR);
use File::Path qw(remove_tree);
use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw(:sys_wait_h);
use Socket;
use Test::More ();
use Time::HiRes qw(sleep time);

use Dispatcher::Test::Http;
use Dispatcher::Test::Process;
use Dispatcher::Test::Server;

my $top = Cwd::abs_path( __FILE__ =~ s{[^/]*$}{../../..}r );
my @open;    # tests that have not finished, for END

sub new {
    my ( $class, %options ) = @_;
    my $build = $ENV{DSP_BUILD} // 'build';
    my $self  = bless {
        build     => $build =~ m{^/} ? $build : "$top/$build",
        top       => $top,
        dir       => File::Temp::tempdir( 'dispatcher-test-XXXXXX', TMPDIR => 1 ),
        owner     => $$,
        processes => [],
        ports     => {},
        allowed   => [],
        slow      => $ENV{DSP_VALGRIND} ? 10 : $build =~ /\bsan\b/ ? 3 : 1,
        %options,
    }, $class;
    chmod 0755, $self->{dir};
    Dispatcher::Test::Process::adopt_orphans();
    delete @ENV{qw(HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy no_proxy KUBECONFIG NGINX)};
    push @open, $self;
    return $self;
}

sub dir   { $_[0]{dir} }
sub build { $_[0]{build} }

# --- files ---

sub path { my ( $self, $name ) = @_; return $name =~ m{^/} ? $name : "$self->{dir}/$name" }

sub write {
    my ( $self, $name, $text ) = @_;
    my $path = $self->path($name);
    open my $out, '>:raw', $path or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";
    return $path;
}

# As kubelet replaces a file: under another name, then rename(2).
sub write_atomically {
    my ( $self, $name, $text ) = @_;
    my $path = $self->path($name);
    $self->write( "$path.new", $text );
    rename "$path.new", $path or die "$path: $!";
    return $path;
}

sub read {
    my ( $self, $name ) = @_;
    open my $in, '<:raw', $self->path($name) or return '';
    local $/;
    return scalar(<$in>) // '';
}

# --- ports ---

# A bound socket that does not listen keeps the port from everybody who asks for a free one, while a server that binds
# it by number with SO_REUSEADDR (nginx, libevent, IO::Socket with ReuseAddr) gets it. So no test can lose its port.
sub port {
    my ( $self, $name ) = @_;
    $self->{ports}{$name} //= do {
        socket( my $socket, PF_INET, SOCK_STREAM, 0 ) or die "socket: $!";
        setsockopt( $socket, SOL_SOCKET, SO_REUSEADDR, 1 ) or die "SO_REUSEADDR: $!";
        bind( $socket, sockaddr_in( 0, INADDR_LOOPBACK ) ) or die "bind: $!";
        { socket => $socket, number => ( sockaddr_in( getsockname $socket ) )[0] };
    };
    return $self->{ports}{$name}{number};
}

# --- waiting ---

sub wait_for {
    my ( $self, $what, $condition, $seconds ) = @_;
    my $end = time + ( $seconds // 20 ) * $self->{slow};
    while (1) {
        my $result = $condition->();
        return $result if $result;
        last           if time > $end;
        sleep 0.01;
    }
    $self->explain;
    die "waited in vain for $what\n";
}

sub listening {
    my ( $self, $host ) = @_;
    my $socket = IO::Socket::INET->new( PeerAddr => $host, Timeout => 5 ) or return 0;
    close $socket;
    return 1;
}

# --- processes and commands ---

# The program's output goes to {dir}/{name}.log. A hash as last argument: env => {...}, cwd => path.
sub start {
    my ( $self, $name, @command ) = @_;
    my %options = ref $command[-1] ? %{ pop @command } : ();
    my $process = Dispatcher::Test::Process->new( test => $self, name => $name, log => "$self->{dir}/$name.log", command => \@command, %options );
    push @{ $self->{processes} }, $process;
    return $process;
}

sub run {
    my ( $self, @command ) = @_;
    my %options = ref $command[-1] ? %{ pop @command } : ();
    my $n       = ++$self->{runs};
    my ( $in, $out, $err ) = map { "$self->{dir}/run.$n.$_" } qw(in out err);
    $self->write( $in, $options{stdin} // '' );
    my $pid = Dispatcher::Test::Process::spawn( \@command, in => $in, out => $out, err => $err, %options );
    1 while waitpid( $pid, 0 ) < 0 && $! == EINTR;
    my %result = ( status => $? >> 8, signal => $? & 127, out => $self->read($out), err => $self->read($err) );
    unlink $in, $out, $err;
    return \%result;
}

sub kubectl {
    my ( $self, $kube, @arguments ) = @_;
    my $result = $self->run( 'kubectl', "--kubeconfig=$kube->{kubeconfig}", "--cache-dir=$self->{dir}/kubectl-cache", @arguments );
    $self->{error} = $result->{err};
    return $result->{status} == 0 ? $result->{out} : undef;
}

# --- the programs ---

# build/devcluster. Options: token => text, args => [...]
sub devcluster {
    my ( $self, %options ) = @_;
    if ( $ENV{DSP_KUBE} ) {
        require Dispatcher::Kube;
        return Dispatcher::Kube->for_test($self);
    }
    my $name = $options{name} // 'devcluster';
    my $host = '127.0.0.1:' . $self->port($name);
    my $kubeconfig = $self->path("$name.kubeconfig");
    unlink $kubeconfig;
    my @args = ( '--listen', $host, '--kubeconfig-out', $kubeconfig );
    push @args, '--token', $options{token} if defined $options{token};
    my $process = $self->start( $name, "$self->{build}/devcluster", @args, @{ $options{args} // [] } );
    $process->{kubeconfig} = $kubeconfig;
    $process->{host}       = $host;
    $process->{token}      = $options{token};
    $self->wait_for( "$name to listen", sub { $process->must_live; -s $kubeconfig && $self->listening($host) } );
    return $process;
}

# build/dispatcher-controller for a devcluster; waits until /readyz says yes. {metrics} and {probes} are host:port. A hash as last argument:
# name => 'controller', env => {...}, not_ready => 1 (do not wait).
sub controller {
    my ( $self, $kube, @args ) = @_;
    my %options = ref $args[-1] ? %{ pop @args } : ();
    my $name    = $options{name} // 'controller';
    my ( $metrics, $probes ) = map { '127.0.0.1:' . $self->port("$name-$_") } qw(metrics probes);
    my $process = $self->start(
        $name, "$self->{build}/dispatcher-controller", "--kubeconfig=$kube->{kubeconfig}",
        "--metrics-bind-address=$metrics", "--health-probe-bind-address=$probes", @args, { env => $options{env} }
    );
    @$process{qw(metrics probes)} = ( $metrics, $probes );
    return $process if $options{not_ready};
    $self->wait_for( "$name to be ready", sub {
        $process->must_live;
        my $answer = eval { Dispatcher::Test::Http::request( $probes, GET => '/readyz' ) };
        $answer && $answer->{status} == 200;
    } );
    return $process;
}

# Sets the clock of a program that has this environment so many seconds off, also while it runs: skewed( 'leader', 3600 ). Which clock: SKEW_CLOCK (t/tools/skew.c).
sub set_clock {
    my ( $self, $name, $seconds ) = @_;
    my $path = $self->path("$name.skew");
    open my $out, -e $path ? '+<:raw' : '>:raw', $path or die "$path: $!";    # in place: it is mapped
    syswrite $out, pack 'q', $seconds * 1_000_000;
    close $out;
    return $path;
}

sub skewed {
    my ( $self, $name, $seconds, %env ) = @_;
    return {
        SKEW_FILE => $self->set_clock( $name, $seconds ), LD_PRELOAD => "$self->{build}/skew.so",
        ( $self->{build} =~ m{\bsan$} ? ( ASAN_OPTIONS => 'verify_asan_link_order=0' ) : () ), %env
    };
}

# A certificate for 127.0.0.1 and its key: two files. A test of its own.
sub certificate {
    my ( $self, $name ) = @_;
    my ( $cert, $key ) = map { $self->path("$name.$_") } qw(crt key);
    my $made = $self->run( qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2),
        '-subj', "/CN=$name", qw(-addext subjectAltName=IP:127.0.0.1 -keyout), $key, '-out', $cert );
    Test::More::is( $made->{status}, 0, 'a certificate' ) or Test::More::diag( $made->{err} );
    return ( $cert, $key );
}

# An nginx that passes everything on to an API server, over TLS when it has a pair (certificate); NAME.asked has a line of this format for
# each request. Options: name, format, tls => [cert, key].
sub forwarder {
    my ( $self, $kube, %options ) = @_;
    my $tls = $options{tls} ? sprintf( "ssl_certificate %s;\nssl_certificate_key %s;", @{ $options{tls} } ) : '';
    return $self->nginx( <<"END", log => 'error', name => $options{name} );
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    log_format asked '$options{format}';
    access_log %%DIR%%/$options{name}.asked asked;
    server {
        listen 127.0.0.1:%%PORT:http%% @{[ $tls ? 'ssl' : '' ]};
        $tls
        location / {
            proxy_pass http://$kube->{host};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }
    }
}
END
}

# A configuration with the module before an API server (something with {host}, and perhaps {token}). Options:
# server => text for the server{}, execute => text for the location with dispatcher_execute, http => text for http{},
# api => text for the internal location, upstream => text for upstream{}.
sub front {
    my ( $self, $kube, %options ) = @_;
    my $token = $kube->{token};
    $self->write( 'token', $token ) if defined $token;
    $_ //= '' for @options{qw(http server execute api upstream globals)};
    my $bearer = defined $token ? "proxy_set_header Authorization \"Bearer $token\";" : '';
    return <<"END";
%%GLOBALS%%
$options{globals}
events { }
http {
    %%HTTP%%
    $options{http}
    upstream dispatcher_kube {
        server $kube->{host} max_fails=0;
        keepalive 8;
        $options{upstream}
    }
    server {
        listen 127.0.0.1:%%PORT:http%%;
        client_max_body_size 4m;
        $options{server}
        location /execute/ {
            dispatcher_execute;
            dispatcher_api /_dispatcher/;
            $options{execute}
        }
        location /_dispatcher/ {
            internal;
            client_max_body_size 0;
            proxy_pass http://dispatcher_kube/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host dispatcher-kube;
            proxy_ignore_client_abort on;
            proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
            $bearer
            $options{api}
        }
    }
}
END
}

# nginx with this configuration, in which %%GLOBALS%% (user, load_module, pid, error_log), %%HTTP%% (access log, temporary paths),
# %%DIR%% and %%PORT:name%% are filled in. Options: name => 'nginx', log => 'debug', single => 1 (no master process).
# {host} is PORT:http; ->http(METHOD => '/path', ...) asks it; ->reload, ->stop('QUIT').
sub nginx {
    my ( $self, $conf, %options ) = @_;
    my $name = $options{name} // 'nginx';
    my $path = $self->nginx_conf( $conf, %options );
    my $process = $self->start( $name, $self->nginx_command, '-p', $self->dir, '-e', "$self->{dir}/$name.error.log", '-c', $path,
        '-g', 'daemon off;', { env => $self->nginx_env } );
    bless $process, 'Dispatcher::Test::Nginx';
    $process->{host} = '127.0.0.1:' . $self->port('http');
    $self->wait_for( "$name to listen", sub { $process->must_live; $self->listening( $process->{host} ) } );
    return $process;
}

# What nginx -t says about a configuration: { status, err }.
sub nginx_check {
    my ( $self, $conf, %options ) = @_;
    my $path = $self->nginx_conf( $conf, name => 'check', %options );
    return $self->run( $self->nginx_binary, '-t', '-p', $self->dir, '-e', 'stderr', '-c', $path, { env => $self->nginx_env } );
}

sub nginx_conf {
    my ( $self, $conf, %options ) = @_;
    my $name    = $options{name} // 'nginx';
    my $level   = $options{log}  // 'debug';
    my $dir     = $self->{dir};
    my $module  = $ENV{DSP_MODULE} // "$self->{build}/ngx_http_dispatcher_module.so";
    my $globals = join "\n",
        ( $> == 0              ? 'user root;'  : () ),
        ( $module eq 'static'  ? ()            : "load_module $module;" ),
        ( $options{single}     ? 'master_process off;' : () ),
        "pid $dir/$name.pid;", "error_log $dir/$name.error.log $level;";
    my $http = join "\n", "access_log $dir/$name.access.log;",
        map { "${_}_temp_path $dir/$_;" } qw(client_body proxy fastcgi uwsgi scgi);
    $conf =~ s/%%GLOBALS%%/$globals/g;
    $conf =~ s/%%HTTP%%/$http/g;
    $conf =~ s/%%DIR%%/$dir/g;
    $conf =~ s/%%PORT:(\w+)%%/$self->port($1)/ge;
    return $self->write( "$name.conf", $conf );
}

sub nginx_binary { $ENV{DSP_NGINX} // ( -x '/usr/sbin/nginx' ? '/usr/sbin/nginx' : 'nginx' ) }

sub nginx_command {
    my ($self) = @_;
    return $self->nginx_binary unless $ENV{DSP_VALGRIND};
    return ( 'valgrind', '--quiet', '--error-exitcode=99', '--leak-check=full', '--errors-for-leak-kinds=definite',
        '--show-leak-kinds=definite', "--suppressions=$top/t/lib/nginx.supp", "--log-file=$self->{dir}/valgrind.%p.log", $self->nginx_binary );
}

# Debian's nginx is not sanitized: the module's runtime is loaded before it. What nginx itself does not free at its end is not ours to report
# (make valgrind looks for leaks).
sub nginx_env {
    my ($self) = @_;
    my %options = ( ASAN_OPTIONS => 'detect_leaks=0', UBSAN_OPTIONS => 'print_stacktrace=1' );
    return \%options if $ENV{DSP_MODULE} || $self->{build} !~ m{\bsan$};
    $self->{preload} //= $self->{build} =~ m{\bclang\b}
        ? qx(clang -print-file-name=libclang_rt.asan-\$(uname -m).so)
        : join ' ', map { qx(gcc -print-file-name=lib$_.so) } qw(asan ubsan);
    my $preload = join ' ', split ' ', $self->{preload};
    return { %options, LD_PRELOAD => $preload };
}

# Started in a process of its own: see Dispatcher::Test::Server.
sub api {
    my ( $self, $handler, %options ) = @_;
    my $name = $options{name} // 'api';
    my $server = Dispatcher::Test::Server->start( $self, $name, $handler, %options );
    push @{ $self->{processes} }, $server;
    return $server;
}

sub http { my ( $self, $host, @request ) = @_; return Dispatcher::Test::Http::request( $host, @request ) }

# --- the end ---

sub allow { my ( $self, $pattern ) = @_; push @{ $self->{allowed} }, $pattern; return }

my $forbidden = qr/\[(?:alert|emerg)\]|Sanitizer|runtime error:|stack smashing|double free|Assertion .* failed/;

sub bad_lines {
    my ($self) = @_;
    my @bad;
    for my $log ( glob("$self->{dir}/*.log") ) {
        open my $in, '<:raw', $log or die "$log: $!";
        while ( my $line = <$in> ) {
            next unless $line =~ $forbidden || $log =~ m{/valgrind\.[^/]*$};
            next if grep { $line =~ $_ } @{ $self->{allowed} };
            push @bad, $log =~ s{.*/}{}r . ": $line";
            last if @bad > 60;
        }
    }
    return @bad;
}

sub stop_all {
    my ($self) = @_;
    $_->stop for reverse grep { $_->alive } @{ $self->{processes} };
    return;
}

# Stops everything (first in, last out), then tests: nobody died by a signal, nothing forbidden in a log, nobody left behind.
sub finish {
    my ($self) = @_;
    @open = grep { $_ != $self } @open;
    $self->stop_all;
    my @faults = map { $_->fault } @{ $self->{processes} };
    my @bad    = $self->bad_lines;
    my @left   = Dispatcher::Test::Process::orphans();
    my $ok     = Test::More::ok( !@faults, 'every program ended as it should' );
    Test::More::diag($_) for @faults;
    $ok &= Test::More::ok( !@bad, 'no alert, emergency or sanitizer report in a log' );
    Test::More::diag($_) for @bad;
    $ok &= Test::More::ok( !@left, 'no process is left behind' );
    Test::More::diag($_) for @left;
    $self->explain unless Test::More->builder->is_passing;
    $self->clean;
    return $ok;
}

sub done_testing { my ($self) = @_; $self->finish; Test::More::done_testing(); return }

sub clean {
    my ($self) = @_;
    if ( $ENV{DSP_KEEP} ) {
        Test::More::diag("kept: $self->{dir}");
        return;
    }
    remove_tree( $self->{dir}, { safe => 0 } );
    return;
}

# The ends of all logs, for whoever reads the failure.
sub explain {
    my ($self) = @_;
    return if $self->{explained}++;
    for my $log ( glob("$self->{dir}/*.log") ) {
        my @lines = grep { !/\[debug\]/ } split /^/, $self->read($log);
        splice @lines, 0, -15 if @lines > 15;
        Test::More::diag( "--- the end of $log\n", @lines ) if @lines;
    }
    return;
}

END {
    my $status = $?;
    for my $test ( grep { $_->{owner} == $$ } @open ) {
        $test->explain;
        $test->stop_all;
        Dispatcher::Test::Process::orphans();
        $test->clean;
        $status ||= 1;
    }
    $? = $status;
}

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

package Dispatcher::Test::Nginx;

use strict;
use warnings;

our @ISA = ('Dispatcher::Test::Process');

sub http { my ( $self, @request ) = @_; return Dispatcher::Test::Http::request( $self->{host}, @request ) }

# Those that take connections; under valgrind, where a process cannot change its title, also those that are about to end.
sub workers {
    my ($self) = @_;
    return Dispatcher::Test::Process::children( $self->{pid} ) if $ENV{DSP_VALGRIND};
    return grep { Dispatcher::Test::Process::title($_) =~ /worker process$/ } Dispatcher::Test::Process::children( $self->{pid} );
}

# Returns when the new workers are there and no old one takes connections any more.
sub reload {
    my ($self) = @_;
    my %old = map { $_ => 1 } $self->workers;
    $self->signal('HUP');
    $self->{test}->wait_for( 'nginx to reload', sub {
        my @now = $self->workers;
        @now && !grep { $old{$_} } @now;
    } );
    return;
}

1;
