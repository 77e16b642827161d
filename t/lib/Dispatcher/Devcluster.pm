# Short words for the tests of devcluster itself: requests to its API and to its control URL, watches.
#
#   my $d = Dispatcher::Devcluster->new( $t, args => [...], token => text );    # starts one
#   my $answer = $d->ask( GET => '/api/v1/namespaces' );                        # {status} {headers} {json} {body}
#   $d->ask( POST => $path, $object );  $d->ask( PATCH => $path, $object, $type );  further: headers => [...]
#   my $rule = $d->control( POST => '/faults', {...} );
#   my $watch = $d->watch("$path?watch=1");  $watch->events → [ { type, object } ]  (of the whole lines so far);  $watch->ended
package Dispatcher::Devcluster;

use strict;
use warnings;

use JSON::PP ();

use Dispatcher::Test::Http;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

our $JE = '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobexecutions';
our $JT = '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobtemplates';
our $JOBS = '/apis/batch/v1/namespaces/default/jobs';
our $PODS = '/api/v1/namespaces/default/pods';
our $MERGE = 'application/merge-patch+json';

sub new {
    my ( $class, $t, %options ) = @_;
    my $process = $t->devcluster(%options);
    my ($control) = $t->read( $process->{kubeconfig} ) =~ m{^# control: http://(\S+?)/_devcluster$}m;
    return bless { t => $t, process => $process, host => $process->{host}, control => $control, token => $options{token} }, $class;
}

sub process    { return $_[0]{process} }
sub kubeconfig { return $_[0]{process}{kubeconfig} }

sub ask {
    my ( $self, $method, $path, $object, $type, %options ) = @_;
    my @headers = @{ $options{headers} // [] };
    push @headers, 'Content-Type'  => $type // 'application/json' if defined $object;
    push @headers, 'Authorization' => "Bearer $self->{token}" if defined $self->{token} && !$options{anonymous};
    my $body = ref $object ? $json->encode($object) : $object;
    return Dispatcher::Test::Http::request( $self->{host}, $method => $path, headers => \@headers, defined $body ? ( body => $body ) : () );
}

# The object of an answer that must be good.
sub must {
    my ( $self, @request ) = @_;
    my $answer = $self->ask(@request);
    die "$request[0] $request[1]: $answer->{status} $answer->{body}\n" unless $answer->{status} =~ /^2/;
    return $answer->{json};
}

sub control {
    my ( $self, $method, $path, $object ) = @_;
    my $answer = Dispatcher::Test::Http::request( $self->{control}, $method => "/_devcluster$path", defined $object ? ( body => $json->encode($object) ) : () );
    die "control $method $path: $answer->{status} $answer->{body}\n" unless $answer->{status} =~ /^2/;
    return $answer->{json} // $answer->{body};
}

sub execution { my ( $self, $name, %spec ) = @_; return { apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', metadata => { name => $name }, spec => { jobTemplateName => 't', %spec } } }

# Options of the spec, and of the first container by command => [...], env => {...}; policy => 'OnFailure'; metadata => {...}
sub job {
    my ( $self, $name, %spec ) = @_;
    my ( $command, $env, $policy, $metadata, $annotations ) = delete @spec{qw(command env policy metadata annotations)};
    return {
        apiVersion => 'batch/v1', kind => 'Job', metadata => { name => $name, %{ $metadata // {} } },
        spec => {
            template => {
                $annotations ? ( metadata => { annotations => $annotations } ) : (),
                spec => {
                    restartPolicy => $policy // 'Never', terminationGracePeriodSeconds => 1,
                    containers => [ { name => 'c', image => 'none', $command ? ( command => $command ) : (), $env ? ( env => $env ) : () } ],
                },
            },
            %spec,
        },
    };
}

# Conditions of a Job: "Suspended=True/JobSuspended Complete=True/..."
sub conditions { my ( $self, $o ) = @_; return join ' ', map {"$_->{type}=$_->{status}/$_->{reason}"} @{ $o->{status}{conditions} // [] } }

# Waits until the Job has this condition, and gives it.
sub wait_job {
    my ( $self, $name, $condition ) = @_;
    return $self->{t}->wait_for( "Job $name to be $condition", sub {
        my $job = $self->ask( GET => "$JOBS/$name" )->{json};
        return $self->conditions($job) =~ /\b\Q$condition\E=True/ ? $job : undef;
    } );
}

sub pods_of { my ( $self, $name ) = @_; return @{ $self->must( GET => "$PODS?labelSelector=job-name%3D$name" )->{items} } }
sub log_of { my ( $self, $pod, $query ) = @_; return $self->ask( GET => "$PODS/$pod/log" . ( $query // '' ) )->{body} }

my $watches = 0;

sub watch {
    my ( $self, $path ) = @_;
    my $out = $self->{t}->path( 'watch' . ++$watches );
    my @auth = defined $self->{token} ? ( '-H', "Authorization: Bearer $self->{token}" ) : ();
    my $begun = sub { my $n = 0; my $all = $self->control( GET => '/counters' )->{requests}; $n += $all->{$_} for grep {/^watch /} keys %$all; return $n };
    my $before  = $begun->();
    my $process = $self->{t}->start( "watch$watches", 'curl', '-sS', '-N', '-o', $out, @auth, "http://$self->{host}$path" );
    $process->{may_fail} = 1; # it may be cut
    $self->{t}->wait_for( 'the watch to begin', sub { $begun->() > $before } );
    return bless { process => $process, out => $out, t => $self->{t} }, 'Dispatcher::Devcluster::Watch';
}

package Dispatcher::Devcluster::Watch;

sub text { my ($self) = @_; open my $in, '<:raw', $self->{out} or return ''; local $/; return scalar(<$in>) // '' }
sub lines { my ($self) = @_; return $self->text =~ /([^\n]*)\n/g }
sub events { my ($self) = @_; return map { $json->decode($_) } $self->lines }
sub ended  { my ($self) = @_; return !$self->{process}->alive }
sub stop   { my ($self) = @_; $self->{process}->stop('TERM'); return }

# Waits for n lines and gives them as "ADDED name" and so on.
sub brief {
    my ( $self, $n ) = @_;
    $self->{t}->wait_for( "$n watch events", sub { scalar( my @all = $self->lines ) >= $n } );
    return join ', ', map { $_->{type} . ( $_->{object}{metadata}{name} ? " $_->{object}{metadata}{name}" : '' ) } $self->events;
}

1;
