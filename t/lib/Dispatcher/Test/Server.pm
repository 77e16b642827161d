# An API server that does what a test says, in a process of its own; many connections at once.
#
#     my $api = $t->api( sub {
#         my ($request) = @_;      # {method} {target} {version} {fields} ([name, value]) {headers}{lower-case} {body} {raw}
#                                  # {number} (1, 2, … over all) {connection} (1, 2, … the connection it came on)
#         return json( 201, {...} );                  # status, data, extra headers
#         return reply( 404, "text", [ Name => value ] );
#         return ( "raw bytes", wait => 0.5, "more", 'close' );
#     } );
#
# What a handler gives is a list of steps: bytes to send; `wait => seconds`; `until => path` (waits for a file to be there);
# 'close'; 'reset'; 'hang' (never anything more). After the last step the connection is ready for the next request.
# The handler keeps its state between requests; the test itself sees only:
#
#     $api->requests       every request so far, as above (read from a file that is written before the answer is)
#     $api->seen           those since the last call of seen()
#     $api->{host}         127.0.0.1:port
package Dispatcher::Test::Server;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Storable qw(freeze thaw);
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use Dispatcher::Test::Process;

our @ISA = ('Dispatcher::Test::Process');

use Exporter 'import';
our @EXPORT_OK = qw(json reply);

my %reasons = ( 200 => 'OK', 201 => 'Created', 404 => 'Not Found', 409 => 'Conflict' );

sub reply {
    my ( $status, $body, $headers ) = @_;
    my $text = "HTTP/1.1 $status " . ( $reasons{$status} // 'Status' ) . "\r\n";
    my @headers = @{ $headers // [] };
    while ( my ( $name, $value ) = splice @headers, 0, 2 ) {
        $text .= "$name: $value\r\n";
    }
    return $text . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

sub json {
    my ( $status, $data, $headers ) = @_;
    return reply( $status, JSON::PP->new->utf8->canonical->encode($data), [ 'Content-Type' => 'application/json', @{ $headers // [] } ] );
}

sub start {
    my ( $class, $test, $name, $handler, %options ) = @_;
    my $self = bless { test => $test, name => $name, log => "$test->{dir}/$name.log", record => "$test->{dir}/$name.requests", status => undef }, $class;
    my $port = $test->port($name);
    my $listener = IO::Socket::INET->new( LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 511, ReuseAddr => 1 ) or die "listen: $!";
    $self->{host} = "127.0.0.1:$port";
    unlink $self->{record};
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};

    $SIG{$_} = 'DEFAULT' for qw(INT HUP);
    $SIG{TERM} = sub { POSIX::_exit(0) };
    open STDERR, '>>', $self->{log};
    eval { serve( $listener, $handler, $options{silent} ? undef : $self->{record} ); 1 } or print STDERR "[alert] $name: $@";
    POSIX::_exit(1);
}

sub requests { my ($self) = @_; $self->update; return @{ $self->{requests} } }

sub seen {
    my ($self) = @_;
    $self->update;
    my $from = $self->{seen} // 0;
    $self->{seen} = @{ $self->{requests} };
    return @{ $self->{requests} }[ $from .. $self->{seen} - 1 ];
}

# Reads what the record has gained: records of a length and a frozen request.
sub update {
    my ($self) = @_;
    $self->{requests} //= [];
    open my $in, '<:raw', $self->{record} or return;
    seek $in, $self->{read} // 0, 0;
    while ( read( $in, my $length, 4 ) == 4 ) {
        read( $in, my $frozen, unpack 'N', $length ) == unpack( 'N', $length ) or return;
        push @{ $self->{requests} }, thaw $frozen;
        $self->{read} = tell $in;
    }
    return;
}

sub serve {
    my ( $listener, $handler, $record ) = @_;
    my ( %connections, $out, $number, $accepted );
    if ( defined $record ) {
        open $out, '>>:raw', $record or die "$record: $!";
        $out->autoflush;
    }
    my $set = IO::Select->new($listener);
    while (1) {
        my $pause = step_all( \%connections, $set );
        for my $socket ( $set->can_read($pause) ) {
            if ( $socket == $listener ) {
                my $new = $listener->accept or next;
                setsockopt $new, IPPROTO_TCP, TCP_NODELAY, 1;
                $connections{$new} = { socket => $new, buffer => '', steps => [], number => ++$accepted };
                $set->add($new);
                next;
            }
            my $c = $connections{$socket};
            if ( !sysread $socket, $c->{buffer}, 65536, length $c->{buffer} ) {
                drop( \%connections, $set, $socket );
                next;
            }
            while ( !@{ $c->{steps} } && ( my $request = next_request($c) ) ) {
                $request->{number}     = ++$number;
                $request->{connection} = $c->{number};
                print $out pack 'N/a*', freeze $request if $out;
                $c->{steps} = [ $handler->($request) ];
                step( \%connections, $set, $c );
            }
        }
    }
}

sub next_request {
    my ($c) = @_;
    my $end = index( $c->{buffer}, "\r\n\r\n" ) + 4;
    return if $end < 4;
    my $head = substr $c->{buffer}, 0, $end - 2;
    my ( $line, @lines ) = split /\r\n/, $head;
    my @fields  = map { [ split /:[ \t]*/, $_, 2 ] } @lines;
    my %headers = map { lc $_->[0] => $_->[1] } @fields;
    my $length  = $headers{'content-length'} // 0;
    return if length $c->{buffer} < $end + $length;
    my $raw = substr $c->{buffer}, 0, $end + $length, '';
    my ( $method, $target, $version ) = split / /, $line;
    return { method => $method, target => $target, version => $version, fields => \@fields, headers => \%headers, body => substr( $raw, $end ), raw => $raw };
}

# Runs what is due everywhere; gives the seconds until something is.
sub step_all {
    my ( $connections, $set ) = @_;
    my $pause = 60;
    for my $c ( values %$connections ) {
        my $next = step( $connections, $set, $c ) // next;
        $pause = $next if $next < $pause;
    }
    return $pause;
}

# Runs the connection's steps until one must wait; gives the seconds to wait.
sub step {
    my ( $connections, $set, $c ) = @_;
    while ( @{ $c->{steps} } ) {
        my $step = $c->{steps}[0];
        if ( $step eq 'hang' ) {
            return;
        }
        if ( $step eq 'close' || $step eq 'reset' ) {
            setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack( 'ii', 1, 0 ) if $step eq 'reset';
            drop( $connections, $set, $c->{socket} );
            return;
        }
        if ( $step eq 'wait' ) {
            my $due = $c->{due} //= time + $c->{steps}[1];
            return $due - time if $due > time;
            delete $c->{due};
            splice @{ $c->{steps} }, 0, 2;
            next;
        }
        if ( $step eq 'until' ) {
            return 0.01 unless -e $c->{steps}[1];
            splice @{ $c->{steps} }, 0, 2;
            next;
        }
        shift @{ $c->{steps} };
        my $done = 0;
        while ( $done < length $step ) {
            my $n = syswrite $c->{socket}, $step, length($step) - $done, $done;
            if ( !defined $n ) {
                drop( $connections, $set, $c->{socket} );
                return;
            }
            $done += $n;
        }
    }
    return;
}

sub drop {
    my ( $connections, $set, $socket ) = @_;
    $set->remove($socket);
    my $c = delete $connections->{$socket};
    $c->{steps} = [] if $c;
    close $socket;
    return;
}

1;
