#!/usr/bin/env perl
# make install run: the programs on this machine for the cluster of kubectl's current context.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;

my $top  = "$FindBin::Bin/..";
my $t    = Dispatcher::Test->new;
my $kube = $t->devcluster;
my %env  = (
    %{ $t->nginx_env },    # a sanitized module in Debian's nginx
    KUBECONFIG => $kube->{kubeconfig}, HOME => $t->dir,
    PORT => $t->port('web'), METRICS_PORT => $t->port('metrics'), PROBES_PORT => $t->port('probes'),
);

my $install = $t->run( "$top/deploy/tool", 'install', { env => \%env } );
is( $install->{status}, 0, 'make install' ) or diag( $install->{out}, $install->{err} );

my $run = $t->start( 'run', "$top/deploy/run", $t->build, { env => \%env } );
$t->wait_for( 'make run to be ready', sub { $run->must_live; $run->text =~ /^Dispatcher runs for context/m } );
$t->wait_for( 'nginx', sub { $t->listening("127.0.0.1:$env{PORT}") } );
ok( $t->kubectl( $kube, 'apply', '-f', "$top/deploy/samples/jobtemplate.yaml" ), 'the sample' );
my $answer = $t->http( "127.0.0.1:$env{PORT}", PUT => '/execute/default/jobtemplate-sample', body => 'my test payload' );
is( $answer->{status}, 201, 'curl' ) or diag( $answer->{body}, $run->text );
ok( $t->kubectl( $kube, 'wait', '--for=condition=Succeeded', '--timeout=30s', "jobexecution/$answer->{json}{name}" ), 'it succeeded' )
    or diag( $t->{error}, $run->text );

my $second = $t->run( "$top/deploy/run", $t->build, { env => \%env } );
is( $second->{status}, 1, 'a second one fails' );
like( $second->{err}, qr/\Amake run: port $env{PORT} is taken: PORT=NUMBER make run takes another\n\z/, 'with one line' );
$run->stop('INT');
is( $run->{status}, 0, 'Ctrl-C ends it' );

my $uninstall = $t->run( "$top/deploy/tool", 'uninstall', { env => \%env } );
is( $uninstall->{status}, 1, 'make uninstall asks' );
like( $uninstall->{err}, qr/1 JobTemplates and 1 JobExecutions would be deleted/, 'with numbers' );
is( $t->run( "$top/deploy/tool", 'uninstall', { env => { %env, FORCE => 1 } } )->{status}, 0, 'make uninstall FORCE=1' );
$second = $t->run( "$top/deploy/run", $t->build, { env => \%env } );
like( $second->{err}, qr/make install run/, 'without the definitions it says what to do' );

$t->done_testing;
