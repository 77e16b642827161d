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
my ( $key, $cert ) = map { $t->path("server.$_") } qw(key crt);
my $made = $t->run( qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=server -addext subjectAltName=IP:127.0.0.1 -keyout), $key, '-out', $cert );
is $made->{status}, 0, 'a certificate' or diag $made->{err};
my $tls = $t->nginx( <<"END", log => 'error' );
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    log_format token '\$request_method \$http_authorization';
    access_log %%DIR%%/tokens token;
    server {
        listen 127.0.0.1:%%PORT:http%% ssl;
        ssl_certificate $cert;
        ssl_certificate_key $key;
        location / {
            proxy_pass http://$kube->{host};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }
    }
}
END

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

# The clock that everything waits by, which a test can push: a 401 runs a plugin again that has not run for 10 s.
my $clock = 0;

sub pass_time {
    my ($seconds) = @_;
    $clock += $seconds;
    open my $out, -e $t->path('skew') ? '+<:raw' : '>:raw', $t->path('skew') or die "skew: $!";    # in place: it is mapped
    syswrite $out, pack 'q', $clock * 1_000_000;
    close $out;
    return;
}

sub refuse_once { return $o->control( POST => '/faults', { match => { userAgent => 'dispatcher-controller/*', method => 'POST' }, fault => 'status', code => 401 } ) }

pass_time(0);
my %env = ( SKEW_FILE => $t->path('skew'), SKEW_CLOCK => 'boot', LD_PRELOAD => "$t->{build}/skew.so" );
$env{ASAN_OPTIONS} = 'verify_asan_link_order=0' if $t->{build} =~ m{\bsan$};
my $ctl = $t->controller( { kubeconfig => $kubeconfig }, { env => \%env } );
$o->execution( 'a', 'x' );
$o->wait_state( 'a', 'Succeeded' );
is $t->read('plugin.runs'), "run\n", 'the plugin runs once';
refuse_once();
pass_time(11);
$o->execution( 'b', 'x' );
$o->wait_state( 'b', 'Succeeded' );
is $t->read('plugin.runs'), "run\nrun\n", 'once more after a 401';
like $t->read('tokens'), qr/\nPOST Bearer token-1\n.*\nPOST Bearer token-2\n/s, 'and its new token is sent';

$t->write( 'plugin.hang', '' );
refuse_once();
pass_time(11);
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
