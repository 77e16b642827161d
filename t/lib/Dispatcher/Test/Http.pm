# A client that sends exactly what it is told and hides nothing.
#
#     request( 'host:port', PUT => '/path', body => $bytes, headers => [ Name => value, ... ] ) → answer
#
# An answer: {status} {reason} {headers}{lower-case name} {fields} ([name, value] as received) {body} {json} (undef: not JSON) {raw};
# {status} is 0 when the server closed without a word. Options: chunked => [chunks], http => '1.0', host => 'name', timeout => seconds,
# no_length => 1.
#
#     my $c = Dispatcher::Test::Http->new('host:port');    # a connection by hand
#     $c->send($bytes); $c->response('PUT'); $c->shut; $c->reset; $c->close
package Dispatcher::Test::Http;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

sub request {
    my ( $host, $method, $target, %options ) = @_;
    my $connection = __PACKAGE__->new( $host, $options{timeout} );
    $connection->send( message( $method, $target, host => $host, close => 1, %options ) );
    my $answer = $connection->response($method);
    $connection->close;
    return $answer;
}

# The bytes of a request.
sub message {
    my ( $method, $target, %options ) = @_;
    my $text = "$method $target HTTP/" . ( $options{http} // '1.1' ) . "\r\n";
    $text .= "Host: $options{host}\r\n" if defined $options{host};
    my @headers = @{ $options{headers} // [] };
    while ( my ( $name, $value ) = splice @headers, 0, 2 ) {
        $text .= "$name: $value\r\n";
    }
    $text .= "Connection: close\r\n" if $options{close};
    if ( $options{chunked} ) {
        $text .= "Transfer-Encoding: chunked\r\n\r\n";
        $text .= sprintf( '%x', length ) . "\r\n$_\r\n" for grep {length} @{ $options{chunked} };
        return "${text}0\r\n\r\n";
    }
    $text .= 'Content-Length: ' . length( $options{body} ) . "\r\n" if defined $options{body} && !$options{no_length};
    return "$text\r\n" . ( $options{body} // '' );
}

sub new {
    my ( $class, $host, $timeout ) = @_;
    my $socket = IO::Socket::INET->new( PeerAddr => $host, Timeout => 10 ) or die "connect to $host: $!\n";
    binmode $socket;
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    return bless { socket => $socket, buffer => '', timeout => $timeout // 120 }, $class;
}

# Writes all of it; false when the server no longer listens (it may have answered before).
sub send {
    my ( $self, $bytes ) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $done = 0;
    while ( $done < length $bytes ) {
        my $n = syswrite $self->{socket}, $bytes, length($bytes) - $done, $done;
        return 0 unless defined $n;
        $done += $n;
    }
    return 1;
}

# More bytes into the buffer; false at the end of the stream.
sub fill {
    my ( $self, $deadline ) = @_;
    my $left = $deadline - time;
    die "no answer within $self->{timeout} s\n" if $left <= 0 || !IO::Select->new( $self->{socket} )->can_read($left);
    return sysread( $self->{socket}, $self->{buffer}, 65536, length $self->{buffer} ) ? 1 : 0;
}

# The next final response (1xx are collected in {interim}).
sub response {
    my ( $self, $method ) = @_;
    my $deadline = time + $self->{timeout};
    my @interim;
    while (1) {
        my $answer = $self->head($deadline);
        if ( $answer->{status} && $answer->{status} < 200 ) {
            push @interim, $answer->{status};
            next;
        }
        $answer->{interim} = \@interim;
        $self->body( $answer, $method // 'GET', $deadline ) if $answer->{status};
        $answer->{json} = eval { JSON::PP->new->utf8->decode( $answer->{body} ) } if length $answer->{body};
        return $answer;
    }
}

sub head {
    my ( $self, $deadline ) = @_;
    while ( index( $self->{buffer}, "\r\n\r\n" ) < 0 ) {
        next if $self->fill($deadline);
        return { status => 0, reason => '', headers => {}, fields => [], body => '', raw => $self->{buffer} };
    }
    $self->{buffer} =~ s/^(.*?\r\n)\r\n//s;
    my $raw = $1;
    my ( $line, @lines ) = split /\r\n/, $raw;
    my ( $status, $reason ) = $line =~ m{^HTTP/1\.[01] (\d{3}) ?(.*)} or die "not HTTP: $line\n";
    my @fields = map { [ split /:[ \t]*/, $_, 2 ] } @lines;
    my %headers;
    for (@fields) {
        my $name = lc $_->[0];
        $headers{$name} = defined $headers{$name} ? "$headers{$name}, $_->[1]" : $_->[1];
    }
    return { status => $status, reason => $reason, headers => \%headers, fields => \@fields, body => '', raw => $raw };
}

sub body {
    my ( $self, $answer, $method, $deadline ) = @_;
    return if $method eq 'HEAD' || $answer->{status} == 204 || $answer->{status} == 304;
    if ( ( $answer->{headers}{'transfer-encoding'} // '' ) =~ /chunked/i ) {
        while (1) {
            my $start;
            while ( ( $start = index( $self->{buffer}, "\r\n" ) + 2 ) < 2 ) {
                return $answer->{cut} = 1 unless $self->fill($deadline);
            }
            my $size = hex substr $self->{buffer}, 0, $start - 2;
            while ( length $self->{buffer} < $start + $size + 2 ) {
                return $answer->{cut} = 1 unless $self->fill($deadline);
            }
            $answer->{body} .= substr $self->{buffer}, $start, $size;
            substr $self->{buffer}, 0, $start + $size + 2, '';
            return unless $size;
        }
    }
    my $length = $answer->{headers}{'content-length'};
    while ( !defined $length || length $self->{buffer} < $length ) {
        next if $self->fill($deadline);
        $answer->{cut} = 1 if defined $length;
        last;
    }
    $answer->{body} = substr $self->{buffer}, 0, $length // length $self->{buffer}, '';
    return;
}

# Whether the server has closed (waits for it).
sub closed {
    my ($self) = @_;
    my $deadline = time + $self->{timeout};
    1 while $self->fill($deadline);
    return $self->{buffer} eq '';
}

sub shut { my ($self) = @_; shutdown $self->{socket}, 1; return }
sub close { my ($self) = @_; CORE::close $self->{socket}; return }

# Ends the connection with RST.
sub reset {
    my ($self) = @_;
    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack( 'ii', 1, 0 );
    CORE::close $self->{socket};
    return;
}

1;
