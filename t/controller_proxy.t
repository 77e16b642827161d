#!/usr/bin/env perl
# proxy-url of a kubeconfig: socks5 (which also resolves the name, as with Go), http and https proxies; and what is said when there is none.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster( args => ['--quiet'] );
my $o    = Dispatcher::Objects->new( $t, $kube );
my ($port) = $kube->{host} =~ /:(\d+)$/;
$o->template( 'plain', command => [ 'echo', '{{ .Payload }}' ] );

# The API server has a name that only the proxy knows.
sub kubeconfig {
    my ( $name, $proxy, $more ) = @_;
    return $t->write( "$name.kubeconfig", <<"END" );
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
clusters: [{name: c, cluster: {server: "http://kube.invalid:$port", proxy-url: "$proxy"@{[ $more // '' ]}}}]
END
}

my $counter = 0;

sub works {
    my ( $name, $proxy, $more ) = @_;
    my $ctl = $t->controller( { kubeconfig => kubeconfig( $name, $proxy, $more ) }, { name => $name } );
    my $execution = "plain-" . ++$counter;
    $o->execution( $execution, 'plain', "through $name" );
    $o->wait_state( $execution, 'Succeeded' );
    is $o->log($execution), "through $name\n", "$name: list, watch and writes go through the proxy";
    $ctl->stop;
    is $ctl->{status}, 0, "$name: a clean end";
    return;
}

# --- socks5 (RFC 1928), in a process of its own; what it was asked for goes to a file ---

sub relay {
    my ( $one, $other ) = @_;
    my $select = IO::Select->new( $one, $other );
    while (1) {
        for my $from ( $select->can_read ) {
            my $n = sysread $from, my $bytes, 65536;
            return if !$n;
            syswrite( ( $from == $one ? $other : $one ), $bytes ) or return;
        }
    }
    return;
}

sub take {
    my ( $socket, $n ) = @_;
    my $bytes = '';
    while ( length $bytes < $n ) {
        sysread( $socket, $bytes, $n - length $bytes, length $bytes ) or POSIX::_exit(0);
    }
    return $bytes;
}

sub socks_client {
    my ( $client, $record ) = @_;
    my ( $version, $methods ) = unpack 'CC', take( $client, 2 );
    take( $client, $methods );
    syswrite $client, pack 'CC', 5, 0;
    my ( undef, $command, undef, $type ) = unpack 'CCCC', take( $client, 4 );
    my $name = $type == 3 ? take( $client, unpack 'C', take( $client, 1 ) ) : join '.', unpack 'C4', take( $client, 4 );
    my $to = unpack 'n', take( $client, 2 );
    open my $out, '>>', $record or die "$record: $!";
    print $out "$version $command $type $name:$to\n";
    close $out;
    my $server = IO::Socket::INET->new( PeerAddr => "127.0.0.1:$to" ) or die "connect: $!";
    syswrite $client, pack 'CCCC a4 n', 5, 0, 0, 1, "\0\0\0\0", 0;
    relay( $client, $server );
    return;
}

sub socks_proxy {
    my ($record) = @_;
    my $listener = IO::Socket::INET->new( LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 64 ) or die "listen: $!";
    my $pid = fork // die "fork: $!";
    return ( $listener->sockport, $pid ) if $pid;
    $SIG{CHLD} = 'IGNORE';
    while ( my $client = $listener->accept ) {
        next if fork;
        $listener->close;
        socks_client( $client, $record );
        POSIX::_exit(0);
    }
    POSIX::_exit(0);
}

subtest socks5 => sub {
    my $record = $t->path('socks.asked');
    my ( $at, $pid ) = socks_proxy($record);
    works( 'socks5', "socks5://127.0.0.1:$at" );
    my %asked = map { $_ => 1 } split /\n/, $t->read($record);
    is_deeply [ keys %asked ], ["5 1 3 kube.invalid:$port"], 'it is asked for the name, and resolves it';
    kill 'KILL', Dispatcher::Test::Process::children($pid), $pid;
    waitpid $pid, 0;
};

# --- http and https: nginx ---

sub forward { return $t->forwarder( $kube, format => '$request', @_ ) }

subtest http => sub {
    my $proxy = forward( name => 'http-proxy' );
    works( 'http', "http://$proxy->{host}" );
    like $t->read('http-proxy.asked'), qr{^GET http://kube\.invalid:$port/apis}m, 'it is asked as a proxy is';
    $proxy->stop('QUIT');
};

subtest https => sub {
    my ( $cert, $key ) = $t->certificate('proxy');
    my $proxy = forward( name => 'https-proxy', tls => [ $cert, $key ] );
    works( 'https', "https://$proxy->{host}", qq(, certificate-authority: "$cert") );
    like $t->read('https-proxy.asked'), qr{^GET http://kube\.invalid:$port/apis}m, 'it is asked as a proxy is';

    my $ctl = $t->controller( { kubeconfig => kubeconfig( 'stranger', "https://$proxy->{host}" ) }, { name => 'stranger', not_ready => 1 } );
    $t->wait_for( 'a word', sub { $ctl->text =~ /certificate/i } );
    like $ctl->text, qr/certificate/i, 'a proxy with a certificate that nobody vouches for is not trusted';
    $ctl->stop;
    $proxy->stop('QUIT');
};

subtest 'no proxy there' => sub {
    my $free = $t->port('nobody');
    my $ctl  = $t->controller( { kubeconfig => kubeconfig( 'nobody', "socks5://127.0.0.1:$free" ) }, { name => 'nobody', not_ready => 1 } );
    $t->wait_for( 'a word', sub { $ctl->text =~ /port $free/ } );
    like $ctl->text, qr/port $free/, 'the log says what could not be reached';
    $ctl->stop;
};

$t->done_testing;
