#!/usr/bin/env perl
# A credential plugin (user.exec of a kubeconfig), as it runs in production: its token is sent, a 401 runs it again, and it ends with the controller even when it hangs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Dispatcher::Objects;
use Dispatcher::Test;

my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster( args => ['--quiet'] );
my $o    = Dispatcher::Objects->new( $t, $kube );
$o->template( 'x', command => ['true'] );

# Over plain http no credentials are sent: nginx gives the API server its TLS.
my ( $cert, $key ) = $t->certificate('server');
my $tls = $t->forwarder( $kube, name => 'tls', format => '$request_method $http_authorization', tls => [ $cert, $key ] );

# Gives token-1, token-2 and so on, and hangs when it is told to.
my $plugin = $t->write( 'plugin', <<'END' );
#!/bin/sh
echo run >>"$0.runs"
[ ! -e "$0.hang" ] || exec sleep 1000
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-%s"}}' "$(grep -c . "$0.runs")"
END
chmod 0755, $plugin;
my $kubeconfig = $t->write( 'plugin.kubeconfig', JSON::PP::encode_json( {
    clusters => [ { name => 'c', cluster => { server => "https://$tls->{host}", 'certificate-authority' => $cert } } ],
    users => [ { name => 'u', user => { exec => { apiVersion => 'client.authentication.k8s.io/v1', command => $plugin, interactiveMode => 'Never' } } } ],
    contexts => [ { name => 'x', context => { cluster => 'c', user => 'u' } } ],
    'current-context' => 'x',
} ) );

sub refuse_once { return $o->control( POST => '/faults', { match => { userAgent => 'dispatcher-controller/*', method => 'POST' }, fault => 'status', code => 401 } ) }

# The clock that everything waits by, which a test can push: a 401 runs a plugin again that has not run for 10 s.
my $ctl = $t->controller( { kubeconfig => $kubeconfig }, { env => $t->skewed( 'controller', 0, SKEW_CLOCK => 'boot' ) } );
$o->execution( 'a', 'x' );
$o->wait_state( 'a', 'Succeeded' );
is $t->read('plugin.runs'), "run\n", 'the plugin runs once';
refuse_once();
$t->set_clock( 'controller', 11 );
$o->execution( 'b', 'x' );
$o->wait_state( 'b', 'Succeeded' );
is $t->read('plugin.runs'), "run\nrun\n", 'once more after a 401';
like $t->read('tls.asked'), qr/\nPOST Bearer token-1\n.*\nPOST Bearer token-2\n/s, 'and its new token is sent';

$t->write( 'plugin.hang', '' );
refuse_once();
$t->set_clock( 'controller', 22 );
$o->execution( 'c', 'x' );
my $hanging = sub { return grep { Dispatcher::Test::Process::title($_) eq 'sleep 1000' } Dispatcher::Test::Process::children( $_[0] ) };
$t->wait_for( 'the plugin to hang', sub { $hanging->( $ctl->{pid} ) } );
$ctl->signal('TERM');
$t->wait_for( 'it to stop', sub { $ctl->text =~ /msg=stopping/ } );
$ctl->{may_fail} = 1;
$ctl->signal('TERM');
is $ctl->wait_exit, 1, 'a second signal ends the controller at once';
is scalar( my @left = $hanging->($$) ), 0, 'and a plugin that hangs with it';

unlike $t->read( $t->path($_) ), qr/token-\d/, "no token in $_" for map { m{([^/]+)$} } glob( $t->dir . '/*.log' );

$t->done_testing;
