#!/usr/bin/env perl
# The nginx configurations that deploy/ ships are taken by nginx with the module: the Pod's own, with every file that an overlay or a document
# adds, and the sample of a team's own nginx.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;

my $top = "$FindBin::Bin/..";
my $t   = Dispatcher::Test->new;

sub slurp {
    open my $in, '<', "$top/$_[0]" or die "$_[0]: $!";
    local $/;
    return scalar <$in>;
}

# With this test's places; the API server's certificate is any.
sub placed {
    my ($text) = @_;
    my $dir = $t->dir;
    $text =~ s{/var/run/secrets/kubernetes.io/serviceaccount/ca.crt}{/etc/ssl/certs/ca-certificates.crt}g;
    $text =~ s{/var/run/secrets/kubernetes.io/serviceaccount}{$dir}g;
    $text =~ s{/run/dispatcher}{$dir/run}g;
    $text =~ s{/etc/(?:dispatcher|web)/}{$dir/}g;
    $text =~ s{/etc/dispatcher\.d/}{$dir/extra/}g;
    $text =~ s{/dev/stdout}{$dir/access.log}g;
    $text =~ s{kubernetes\.default\.svc:443}{127.0.0.1:1}g;
    $text =~ s/^(?:load_module|pid|error_log) .*\n//mg;
    return $text;
}

mkdir $t->dir . "/$_" for qw(run extra);
$t->write( 'token',                 'not a token' );
$t->write( 'run/upstream.conf',     "server 127.0.0.1:1 max_fails=0;\n" );
$t->write( 'upstream.conf',         "server 127.0.0.1:1 max_fails=0;\n" );
$t->write( "run/listen-$_.conf",    'listen 127.0.0.1:' . $t->port($_) . ";\n" ) for qw(http probe);
$t->write( 'dispatcher_api.conf',   placed( slurp('deploy/nginx/dispatcher_api.conf') ) );

sub taken {
    my ( $what, $conf ) = @_;
    my $said = $t->nginx_check( "%%GLOBALS%%\n" . placed($conf) );
    is( $said->{status}, 0, "$what is taken" ) or diag( $said->{err} );
    unlike( $said->{err}, qr/\[warn\]/, 'without a warning' );
    return;
}

taken( "the Pod's nginx.conf", slurp('deploy/nginx/nginx.conf') );
taken( 'the existing nginx of a team', slurp('deploy/samples/existing-nginx/nginx.conf') );

$t->write( 'extra/execute-namespace.conf', slurp('deploy/overlays/namespaced/execute-namespace.conf') );
taken( 'with the overlay namespaced', slurp('deploy/nginx/nginx.conf') );

$t->write( "extra/$_", placed( slurp("deploy/samples/auth/$_") ) ) for qw(http-limit.conf execute-auth.conf);
$t->write( 'extra/users', "alice:x\n" );
taken( 'with the sample auth', slurp('deploy/nginx/nginx.conf') );

my ($shown) = slurp('docs/security.md') =~ /^```nginx\n(.*?)^```/ms;
$t->write( 'extra/execute-auth.conf', placed($shown) );
$t->write( 'extra/http-limit.conf',   "limit_req_zone \$binary_remote_addr zone=callers:1m rate=10r/s;\n" );
taken( 'with what docs/security.md shows', slurp('deploy/nginx/nginx.conf') );

$t->done_testing;
