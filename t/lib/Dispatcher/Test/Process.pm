# One program that a test started, and the care that none outlives the test.
package Dispatcher::Test::Process;

use strict;
use warnings;

use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);

# Orphans of our children become our children (PR_SET_CHILD_SUBREAPER), so that orphans() sees them.
sub adopt_orphans {
    my %prctl = ( x86_64 => 157, aarch64 => 167 );
    my $number = $prctl{ ( POSIX::uname() )[4] } or return;
    syscall( $number, 36, 1, 0, 0, 0 );
    return;
}

# fork and exec; gives the pid. Options: in, out, err (paths), env, cwd.
sub spawn {
    my ( $command, %options ) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
    %ENV = ( %ENV, %{ $options{env} // {} } );
    open STDIN,  '<',  $options{in}  // '/dev/null' or die;
    open STDOUT, '>>', $options{out} // '/dev/null' or die;
    open STDERR, '>>', $options{err} // $options{out} // '/dev/null' or die;
    chdir $options{cwd} if defined $options{cwd};
    no warnings 'exec';
    exec { $command->[0] } @$command or print STDERR "$command->[0]: $!\n";
    POSIX::_exit(127);
}

# test, name, log, command, env, cwd
sub new {
    my ( $class, %self ) = @_;
    my $self = bless { %self, status => undef }, $class;
    $self->{pid} = spawn( $self->{command}, out => $self->{log}, env => $self->{env}, cwd => $self->{cwd} );
    return $self;
}

sub alive {
    my ($self) = @_;
    return 0 if defined $self->{status};
    return 1 unless waitpid( $self->{pid}, WNOHANG ) == $self->{pid};
    $self->{status} = $?;
    return 0;
}

sub must_live {
    my ($self) = @_;
    return if $self->alive;
    $self->{test}->explain;
    die "$self->{name} ended with status " . ( $self->{status} >> 8 ) . ( $self->{status} & 127 ? " by signal " . ( $self->{status} & 127 ) : '' ) . "\n";
}

sub signal { my ( $self, $signal ) = @_; kill $signal, $self->{pid}; return }

# Its exit status (128 + n for signal n), waiting for it.
sub wait_exit {
    my ( $self, $seconds ) = @_;
    $self->{test}->wait_for( "$self->{name} to end", sub { !$self->alive }, $seconds );
    return $self->{status} & 127 ? 128 + ( $self->{status} & 127 ) : $self->{status} >> 8;
}

# TERM or the given signal; KILL when that does not help. With KILL asked for, a death by signal is no fault.
sub stop {
    my ( $self, $signal ) = @_;
    return unless $self->alive;
    $signal //= 'TERM';
    $self->{killed} = 1 if $signal eq 'KILL';
    $self->signal($signal);
    return if eval { $self->wait_exit(15); 1 };
    $self->{stuck} = $signal;
    $self->signal('KILL');
    waitpid $self->{pid}, 0;
    $self->{status} = $?;
    return;
}

# What is wrong with how it ended; nothing when all is well.
sub fault {
    my ($self) = @_;
    return if $self->{killed};
    return "$self->{name} did not end on SIG$self->{stuck}" if $self->{stuck};
    my $signal = ( $self->{status} // 0 ) & 127;
    return "$self->{name} died by signal $signal" if $signal && $signal != 15;
    my $exit = ( $self->{status} // 0 ) >> 8;
    return "$self->{name} ended with status $exit" if $exit && !$self->{may_fail};
    return;
}

sub text {
    my ($self) = @_;
    return $self->{test}->read( $self->{log} );
}

# --- the process table ---

sub stat_of {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/stat" or return;
    my $line = <$in> // return;
    return unless $line =~ /^\d+ \((.*)\) (\S) (\d+) /s;
    return { name => $1, state => $2, parent => $3 };
}

sub children {
    my ($parent) = @_;
    opendir my $proc, '/proc' or return;
    return grep { my $stat = stat_of($_); $stat && $stat->{parent} == $parent } grep {/^\d+$/} readdir $proc;
}

sub title {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/cmdline" or return '';
    my $title = <$in> // '';
    $title =~ s/\0/ /g;
    $title =~ s/ +$//;
    return $title;
}

# Kills and names every descendant that is still there after a grace period of some seconds (default: 5).
sub orphans {
    my $end = time + ( $_[0] // 5 );
    while (1) {
        1 while waitpid( -1, WNOHANG ) > 0;
        my @left = children($$) or return;
        if ( time > $end ) {
            my @names = map { "left behind: $_ " . title($_) } @left;
            kill 'KILL', @left;
            waitpid $_, 0 for @left;
            return @names;
        }
        sleep 0.01;
    }
}

1;
