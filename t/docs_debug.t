#!/usr/bin/env perl
# The commands at the head of docs/debug.md do what the page says, as they are written there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Path;

my $path = Dispatcher::Path->new;
my ($head) = $path->t->read("$FindBin::Bin/../docs/debug.md") =~ /\A(.*?)^\| state /ms;
my @commands = map {s/ +# .*//r} $head =~ /^    (\S(?:.*\|\n +)?.*)/mg;

# What the command of the page prints that looks so, for this execution.
sub shown {
    my ( $like, $je ) = @_;
    my ($command) = grep {/$like/} @commands or die "docs/debug.md has no command like $like";
    my %is = ( NAME => $je->{metadata}{name}, JOB => $je->{status}{job}{name}, NAMESPACE => 'default', TEMPLATE => $je->{spec}{jobTemplateName} );
    $is{'5d0f4c2a91'}                           = substr $je->{metadata}{name}, -10;
    $is{'http://dispatcher-web.dispatcher-system'} = 'http://' . $path->nginx->{host};
    my $any = join '|', map {quotemeta} keys %is;
    local $ENV{KUBECONFIG} = $path->kube->{kubeconfig};
    return $path->t->run( 'sh', '-c', $command =~ s/\b($any)\b/$is{$1}/gr )->{out};
}

$path->template( fails => { command => [ 'sh', '-c', 'echo "$PAYLOAD"; exit 3' ] } );
$path->template( long  => { command => [ 'sleep', '600' ] } );
my $failed = $path->finished( $path->put( '/execute/fails', "a\nb" )->{json} );
my $name   = $failed->{metadata}{name};

like( shown( qr/Failed/, $failed ), qr/ $name .* BackoffLimitExceeded .* 3 /, 'what failed' );
like( shown( qr/get je -A \| grep/, $failed ), qr/ $name /, 'the execution of a request' );
is( shown( qr/payload}'$/, $failed ), "a\nb", 'what was sent' );
is( shown( qr/logs job/, $failed ), "a\nb\n", 'its output' );

my ($again) = shown( qr/curl/, $failed ) =~ /"name":"(fails-[0-9a-f]{10})"/;
isnt( $again, $name, 'once more' );
is( $path->kubectl( 'get', 'je', $again, '-o', 'jsonpath={.spec.payload}' ), "a\nb", 'with the same payload' );

my $running = $path->when( $path->put( '/execute/long', '' )->{json}, Running => 'True' );
shown( qr/delete job/, $running );
is( $path->finished( $running->{metadata} )->{status}{reason}, 'JobDeleted', 'a cancelled one' );

$path->t->done_testing;
