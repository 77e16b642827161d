#!/usr/bin/env perl
# Starting and ending: what is wrong is one clear line and an exit status, and what was asked for is done.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

use Dispatcher::Objects;
use Dispatcher::Test;

my $t       = Dispatcher::Test->new;
my $program = $t->build . '/dispatcher-controller';
my $kube    = $t->devcluster( args => ['--quiet'] );
my $o       = Dispatcher::Objects->new( $t, $kube );
my @quiet   = qw(--metrics-bind-address=0 --health-probe-bind-address=0);

# It ends by itself, with this status and a line like that.
sub refuses {
    my ( $what, $status, $line, @args ) = @_;
    my %options = ref $args[-1] ? %{ pop @args } : ();
    my $result = $t->run( $program, @args, { env => { KUBECONFIG => '', HOME => $t->dir, KUBERNETES_SERVICE_HOST => '', %{ $options{env} // {} } } } );
    is $result->{status}, $status, "$what: status $status";
    like $result->{err}, $line, '... and why';
    return;
}

refuses( 'an unknown flag',    2, qr/^dispatcher-controller: flag provided but not defined: --nope \(see --help\)$/m, '--nope' );
refuses( 'no kubeconfig',      1, qr/msg="cannot start" error=".*kubeconfig/i,                                      @quiet );
refuses( 'a missing one',      1, qr/msg="cannot start" error=".*\/no\/such/,                                       @quiet, '--kubeconfig=/no/such' );
refuses( 'a wrong address',    1, qr/cannot serve metrics on .*nonsense/,                                           "--kubeconfig=$kube->{kubeconfig}", '--metrics-bind-address=nonsense' );
refuses( 'a host that is none',  1, qr/\A(?:[^\n]*msg=[^\n]*\n)*[^\n]*cannot serve metrics on no-such\.invalid:80: (?!No such file)[^\n]+\n\z/, "--kubeconfig=$kube->{kubeconfig}", '--metrics-bind-address=no-such.invalid:80' );
refuses( 'an unusable lease',  1, qr/msg="cannot start"/, @quiet, "--kubeconfig=$kube->{kubeconfig}", '--leader-elect', '--leader-elect-renew-deadline=20s' );

my $taken = IO::Socket::INET->new( LocalAddr => '127.0.0.1', Listen => 1 );
refuses( 'an address in use', 1, qr/cannot serve probes on .*Address already in use/,
    "--kubeconfig=$kube->{kubeconfig}", '--metrics-bind-address=0', '--health-probe-bind-address=127.0.0.1:' . $taken->sockport );

my $empty = $t->api( sub {
    my ($request) = @_;
    return Dispatcher::Test::Server::json( 404, { kind => 'Status', reason => 'NotFound', message => 'the server could not find the requested resource', code => 404 } );
} );
$t->write( 'empty.kubeconfig', <<"END" );
{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],
 clusters: [{name: a, cluster: {server: "http://$empty->{host}"}}], users: [{name: a, user: {token: very-secret}}]}
END
refuses( 'no CRDs', 1, qr/install the CustomResourceDefinitions \(make install\)/, @quiet, '--kubeconfig=' . $t->path('empty.kubeconfig') );

is $t->run( $program, '--version' )->{out} =~ /^dispatcher-controller \d/ ? 1 : 0, 1, '--version';
like $t->run( $program, '--help' )->{out}, qr/--leader-elect .*\n.*--leader-elect-namespace/s, '--help';

subtest 'one namespace and no more' => sub {
    $o->must( POST => '/api/v1/namespaces', { apiVersion => 'v1', kind => 'Namespace', metadata => { name => $_ } } ) for qw(mine yours);
    my ( $mine, $yours ) = map { Dispatcher::Objects->new( $t, $kube, namespace => $_ ) } qw(mine yours);
    $_->template('x') for $mine, $yours, $o;
    my $ctl = $t->controller( $kube, '--namespace=mine', '--namespace', 'default', '--log-format=json', '--log-level=debug' );
    $_->execution( 'a', 'x', 'not to be logged' ) for $mine, $yours, $o;
    $_->wait_state( 'a', 'Succeeded' ) for $mine, $o;
    is $yours->state('a'), '', 'the other namespace is left alone';
    my @lines = split /\n/, $ctl->text;
    my @bad   = grep { !eval { JSON::PP::decode_json($_); 1 } } @lines;
    is "@bad", '', 'every line of the log is JSON';
    unlike $ctl->text, qr/not to be logged/, 'no payload in the log';
    $ctl->stop;
    is $ctl->{status}, 0, 'a clean end';
};

subtest 'payloads in the log, when asked for' => sub {
    my $ctl = $t->controller( $kube, '--log-job-execution-payloads' );
    $o->execution( 'b', 'x', 'please log this' );
    $o->wait_state( 'b', 'Succeeded' );
    like $ctl->text, qr/please log this/, 'there it is';
    $ctl->stop;
};

subtest 'metrics over TLS' => sub {
    my ( $cert, $key ) = map { $t->path($_) } qw(tls.crt tls.key);
    my $make = sub {
        my ($cn) = @_;
        my $r = $t->run( 'openssl', qw(req -x509 -newkey rsa:2048 -nodes -days 1 -subj), "/CN=$cn", '-keyout', $key, '-out', $cert );
        die $r->{err} if $r->{status};
    };
    $make->('first');
    my $ctl = $t->controller( $kube, '--metrics-secure', "--metrics-cert-file=$cert", "--metrics-key-file=$key" );
    my $curl = sub { return $t->run( 'curl', '-sSkv', '--noproxy', '*', "https://$ctl->{metrics}/metrics" ) };
    my $answer = $curl->();
    like $answer->{out}, qr/^job_executions_total \d/m, 'metrics';
    like $answer->{err}, qr/CN=first/, 'its certificate';
    $make->('second');
    like $curl->()->{err}, qr/CN=second/, 'a new certificate is taken';
    $t->write( 'tls.key', 'broken' );
    like $curl->()->{err}, qr/CN=second/, 'a broken pair is not';
    like $ctl->text, qr/new certificate not taken/, 'and that is said';
    $ctl->stop;
};

subtest 'ready when all has been listed, and not before' => sub {
    my $rule = $o->control( POST => '/faults', { match => { userAgent => 'dispatcher-controller/*', path => '/apis/batch/v1/jobs' }, fault => 'hold', count => 0 } )->{id};
    my $ctl = $t->controller( $kube, { name => 'unready', not_ready => 1 } );
    my $ready = sub { return $t->http( $ctl->{probes}, GET => '/readyz' ) };
    $t->wait_for( 'the Jobs to be asked for', sub { $o->control( GET => "/faults/$rule" )->{held} } );
    my $answer = $ready->();
    is "$answer->{status} $answer->{body}", "500 jobs are not listed yet\n", '/readyz says what is missing';
    is $t->http( $ctl->{probes}, GET => '/healthz' )->{status}, 200, '/healthz is well';
    $o->execution( 'early', 'x' );
    $o->control( DELETE => '/faults' );
    $t->wait_for( 'it to be ready', sub { $ready->()->{status} == 200 } );
    $o->wait_state( 'early', 'Succeeded' );
    is scalar( my @jobs = $o->jobs('early') ), 1, 'what came meanwhile runs';
    $ctl->stop;
};

subtest 'signals' => sub {
    my $ctl = $t->controller($kube);
    $ctl->signal('HUP');
    $t->wait_for( 'a reload', sub { $ctl->text =~ /credentials reloaded/ } );
    $o->execution( 'c', 'x' );
    $o->wait_state( 'c', 'Succeeded' );
    $ctl->signal('INT');
    is $ctl->wait_exit, 0, 'INT is as good as TERM';

    $ctl = $t->controller( $kube, { name => 'stubborn' } );
    my $rule = $o->control( POST => '/faults', { match => { userAgent => 'dispatcher-controller/*', method => 'POST' }, fault => 'hold', count => 0 } )->{id};
    $o->execution( 'd', 'x' );
    $t->wait_for( 'a request to hang', sub { $o->control( GET => "/faults/$rule" )->{held} } );
    $ctl->signal('TERM');
    $t->wait_for( 'it to stop', sub { $ctl->text =~ /msg=stopping/ } );
    ok $ctl->alive, 'it waits for what is under way';
    $ctl->{may_fail} = 1;
    $ctl->signal('TERM');
    is $ctl->wait_exit, 1, 'a second signal ends it at once';
    $o->control( DELETE => '/faults' );
};

unlike $t->read( $t->path($_) ), qr/very-secret/, "no secret in $_" for map { m{([^/]+)$} } glob( $t->dir . '/*.log' );

$t->done_testing;
