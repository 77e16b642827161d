#!/usr/bin/env perl
# The Debian packages: what is in them works, as it lies there; and in a Debian of its own they install, are removed and leave nothing.
#
#   make test-deb
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Dispatcher::Path;
use Dispatcher::Test;

my $t = Dispatcher::Test->new;

sub found { return grep { -x "$_/$_[0]" } split /:/, "$ENV{PATH}:/usr/sbin:/sbin" }

sub ran {
    my ( $what, @command ) = @_;
    my $result = $t->run(@command);
    is( $result->{status}, 0, $what ) or diag "$result->{out}$result->{err}";
    return $result;
}

# --- what is in them ---

my %deb;
for ( glob "$t->{build}/deb/*.deb" ) {
    my ($name) = m{/([^/_]+)_[^/]*$};
    $deb{$name} = $_;
}
is_deeply( [ sort keys %deb ], [qw(dispatcher-controller libnginx-mod-http-dispatcher)], 'two packages' );

my $root = $t->path('root');
ran( "$_ can be unpacked", 'dpkg-deb', '-x', $deb{$_}, $root ) for sort keys %deb;
sub field { return $t->run( 'dpkg-deb', '-f', @_ )->{out} =~ s/\n//r }
like( field( $deb{'libnginx-mod-http-dispatcher'}, 'Depends' ), qr/\bnginx-abi-[\d.]+-\d+/, "the module depends on nginx's ABI" );
my $version = $t->read("$t->{top}/VERSION") =~ s/\s+//r;
is( field( $deb{$_}, 'Version' ), $version, "$_ has our version" ) for sort keys %deb;
is( $t->read("$root/usr/share/nginx/modules-available/mod-http-dispatcher.conf"), "load_module modules/ngx_http_dispatcher_module.so;\n", 'a snippet loads it' );
for my $file ( qw(usr/share/doc/libnginx-mod-http-dispatcher/directives.md.gz usr/share/doc/libnginx-mod-http-dispatcher/examples/nginx.conf
    usr/share/doc/dispatcher-controller/examples/crd/jobexecutions.dispatcher.ivan.vc.yaml usr/share/doc/dispatcher-controller/examples/jobtemplate.yaml
    etc/nginx/snippets/dispatcher_api.conf) )
{
    ok( -s "$root/$file", $file );
}

# --- the manual, the unit, and what Debian's own checks say ---

for my $page (qw(man8/dispatcher-controller.8 man1/dispatcher-template.1)) {
SKIP: {
        skip 'no man', 2 unless found('man');
        my $result = ran( "$page can be read", 'env', 'LC_ALL=C.UTF-8', 'MANWIDTH=80', 'man', '--warnings', '-l', "$root/usr/share/man/$page.gz" );
        is( $result->{err}, '', 'without a warning' );
    }
}

SKIP: {
    skip 'no systemd-analyze', 1 unless found('systemd-analyze');

    # It looks for the program and for targets under the same root.
    $t->run( 'cp', '-r', '--no-clobber', '/usr/lib/systemd', "$root/usr/lib/" );
    $t->run( 'cp', '-r', '--no-clobber', '/lib/systemd', "$root/lib/" );
    my $result = $t->run( 'systemd-analyze', 'verify', '--man=no', "--root=$root", 'dispatcher-controller.service' );
    is( join( '', grep {/dispatcher/} split /^/, $result->{err} ), '', 'systemd-analyze verify' );
}

SKIP: {
    skip 'no lintian', 1 unless found('lintian');

    # Dispatcher has no address for its packages, and no bug of Debian's tracker to close.
    my $result = $t->run( 'lintian', '--allow-root', '--fail-on', 'error,warning', '--suppress-tags', 'bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs',
        map { $deb{$_} } sort keys %deb );
    is( "$result->{status} $result->{out}", '0 ', 'lintian' ) or diag $result->{err};
}

# --- from curl to a finished Job with the packages' own files ---

my $kube = $t->devcluster;
ran( "the packages' definitions", 'kubectl', "--kubeconfig=$kube->{kubeconfig}", 'apply', '--validate=false', '-k', "$root/usr/share/doc/dispatcher-controller/examples/crd" );
ran( 'the sample', 'kubectl', "--kubeconfig=$kube->{kubeconfig}", 'apply', '-f', "$root/usr/share/doc/dispatcher-controller/examples/jobtemplate.yaml" );

# The unit's own command line, with its own options, as systemd would expand it.
my ($command) = $t->read("$root/lib/systemd/system/dispatcher-controller.service") =~ /^ExecStart=(.*)$/m;
my ($options) = $t->read("$root/etc/default/dispatcher-controller") =~ /^DISPATCHER_OPTIONS="(.*)"$/m;
$t->run( 'cp', $kube->{kubeconfig}, $t->path('kubeconfig') );
$command =~ s/\$\{CREDENTIALS_DIRECTORY\}/$t->dir/ge;
$command =~ s/\$DISPATCHER_OPTIONS/$options/;
my %port = ( 8080 => $t->port('metrics'), 8081 => $t->port('probes') );
$command =~ s/127\.0\.0\.1:(808[01])/127.0.0.1:$port{$1}/g;
unlike( $command, qr/[\$"]/, 'the command of the unit' );
my $controller = $t->start( controller => split ' ', "$root$command" );
$t->wait_for( 'the controller', sub { $controller->must_live; my $answer = eval { $t->http( "127.0.0.1:$port{8081}", GET => '/readyz' ) }; $answer && $answer->{status} == 200 } );

local $ENV{DSP_MODULE} = "$root/usr/lib/nginx/modules/ngx_http_dispatcher_module.so";
my $nginx = $t->nginx( <<"END" );
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    upstream dispatcher_kube { server $kube->{host} max_fails=0; keepalive 8; }
    server {
        listen 127.0.0.1:%%PORT:http%%;
        location /execute/ { dispatcher_execute; dispatcher_api /_dispatcher/; }
        location /_dispatcher/ { internal; include $root/etc/nginx/snippets/dispatcher_api_http.conf; }
    }
}
END
my $curl = $t->run( 'curl', '-sS', '-X', 'PUT', '-d', 'from the packages', "http://$nginx->{host}/execute/default/jobtemplate-sample" );
my ($name) = $curl->{out} =~ /"name":"(jobtemplate-sample-[0-9a-f]{10})"/;
ok( $name, 'curl starts an execution' ) or diag "$curl->{out}$curl->{err}";
my $seen = $t->kubectl( $kube, 'wait', '--for=condition=Succeeded', '--timeout=60s', "jobexecution/$name" );
like( $seen, qr/condition met/, 'which succeeds' ) or diag $t->{error};
is( $t->kubectl( $kube, 'get', 'jobs', '-o', 'name' ) =~ tr/\n//, 1, 'with one Job' );

# --- in a Debian of its own ---

my $debian = $t->path('debian');

# Every file there, but what dpkg and apt write about themselves, and what nginx -t does.
sub files {
    my $list = $t->run( 'find', $debian, '-xdev', '(', '-path', "$debian/var/lib/dpkg", '-o', '-path', "$debian/var/cache", '-o', '-path', "$debian/var/lib/apt", '-o', '-path',
        "$debian/var/log", '-o', '-path', "$debian/tmp", '-o', '-path', "$debian/run", ')', '-prune', '-o', '-printf', '%P %y %l\n' );
    return [ sort split /\n/, $list->{out} ];
}

sub inside {
    my ( $what, @command ) = @_;
    return ran( $what, 'chroot', $debian, 'env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive',
        @command );
}

SKIP: {
    skip 'not root: no Debian of its own', 1 unless $> == 0 && found('debootstrap');
    my $mirror = $t->run("$t->{top}/t/lib/debian-mirror")->{out} =~ s/\s+//r;
    my $made = $t->run( 'debootstrap', '--variant=minbase', 'bookworm', $debian, $mirror );
    if ( $made->{status} && $made->{err} =~ /noexec or nodev|mknod|mount/ ) {
        diag "no Debian can be made here: $made->{err}";
        skip 'debootstrap cannot make a Debian here', 1;
    }
    is( $made->{status}, 0, 'debootstrap' ) or do { diag $made->{out}, $made->{err}; last SKIP };
    $t->run( 'sh', '-c', 'cp /etc/apt/apt.conf.d/* "$1/etc/apt/apt.conf.d/"; cp /etc/resolv.conf /etc/hosts "$1/etc/"; rm -f "$1"/etc/apt/apt.conf.d/20packagekit '
            . '"$1"/etc/apt/apt.conf.d/50appstream', 'sh', $debian );
    $t->write( "$debian/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n" );
    chmod 0755, "$debian/usr/sbin/policy-rc.d";
    $t->write( "$debian/etc/apt/sources.list", "deb $mirror bookworm main\n" );

    inside( 'apt-get update', qw(apt-get -qq update) );
    inside( 'nginx', qw(apt-get -qq -y --no-install-recommends install nginx) );

    # What comes with the packages from Debian stays there, so it is there before.
    my $depends = join ', ', map { field( $deb{$_}, 'Depends' ) } sort keys %deb;
    $depends =~ s/nginx-abi-[^,]*,?//;
    $depends =~ s/\([^)]*\)//g;
    inside( 'what they depend on', qw(apt-get -qq -y --no-install-recommends install), split /[,\s]+/, $depends );
    inside( 'nginx -t before', qw(nginx -t) );    # makes the directories of /var/lib/nginx
    my $before = files();

    $t->run( 'cp', values %deb, "$debian/tmp/" );
    my @local = map { '/tmp/' . s{.*/}{}r } map { $deb{$_} } sort keys %deb;
    inside( 'apt install', qw(apt-get -qq -y --no-install-recommends install), @local );
    is( readlink "$debian/etc/nginx/modules-enabled/50-mod-http-dispatcher.conf", '/usr/share/nginx/modules-available/mod-http-dispatcher.conf', 'the module is enabled' );
    $t->write( "$debian/etc/nginx/conf.d/dispatcher.conf", <<'END' );
dispatcher_zone zone=dispatcher:64k;
upstream dispatcher_kube { server 127.0.0.1:8001; keepalive 4; }
server {
    listen 127.0.0.1:8000;
    location /execute/ { dispatcher_execute; dispatcher_api /_dispatcher/; }
    location /_dispatcher/ { internal; include snippets/dispatcher_api_http.conf; }
    location = /metrics { dispatcher_metrics; }
}
END
    my $result = inside( 'nginx -t', qw(nginx -t) );
    like( $result->{err}, qr/syntax is ok/, 'says so' );
    like( inside( 'the controller', 'dispatcher-controller', '--version' )->{out}, qr/\Q$version\E/, 'is of this version' );
    is( inside( 'dispatcher-template', 'sh', '-c', 'dispatcher-template --help | head -n 1' )->{err}, '', 'starts' );
    inside( 'no file is lost or changed', 'sh', '-c', 'test -z "$(dpkg --verify libnginx-mod-http-dispatcher dispatcher-controller)"' );

    inside( 'apt remove', qw(apt-get -qq -y remove libnginx-mod-http-dispatcher dispatcher-controller) );
    unlink "$debian/etc/nginx/conf.d/dispatcher.conf";
    inside( 'nginx -t without the module', qw(nginx -t) );
    ok( -e "$debian/etc/default/dispatcher-controller", 'remove keeps the configuration' );
    inside( 'apt install once more', qw(apt-get -qq -y --no-install-recommends install), @local );
    ok( -l "$debian/etc/nginx/modules-enabled/50-mod-http-dispatcher.conf", 'is enabled again' );
    inside( 'apt purge', qw(apt-get -qq -y purge libnginx-mod-http-dispatcher dispatcher-controller) );
    my %was = map { $_ => 1 } @$before;
    is_deeply( [ grep { !$was{$_} } @{ files() } ], [], 'purge leaves nothing' );
}

$t->done_testing;
