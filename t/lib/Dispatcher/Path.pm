# The whole path for a system test: devcluster, controller and nginx together, and short words for what tests do with them.
#
#     my $path = Dispatcher::Path->new( api => [...], controller => [...], front => {...} );   # extra arguments
#     $path->template( hello => { command => [ 'echo', '$(PAYLOAD)' ] } );     # a JobTemplate with one container; see template()
#     my $answer = $path->put( '/execute/hello', 'payload' );
#     my $je     = $path->finished( $answer->{json} );                         # the JobExecution once Succeeded is True or False
#     is( $path->log_of($je), "payload\n" );
#     $path->t->done_testing;
package Dispatcher::Path;

use strict;
use warnings;

use Dispatcher::Test;
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ( $class, %options ) = @_;
    my $t    = Dispatcher::Test->new;
    my $self = bless { t => $t, options => \%options }, $class;
    $self->{kube}  = $t->devcluster( args => $options{api} // [] );
    $self->{ctl}   = $self->start_controller unless $options{no_controller};
    $self->{nginx} = $t->nginx( $t->front( $self->{kube}, %{ $options{front} // {} } ) );
    return $self;
}

sub t     { $_[0]{t} }
sub kube  { $_[0]{kube} }
sub nginx { $_[0]{nginx} }

sub start_controller {
    my ($self) = @_;
    return $self->{ctl} = $self->{t}->controller( $self->{kube}, @{ $self->{options}{controller} // [] } );
}

sub stop_controller { my ( $self, $signal ) = @_; $self->{ctl}->stop( $signal // 'TERM' ); return }

sub kubectl { my ( $self, @arguments ) = @_; return $self->{t}->kubectl( $self->{kube}, @arguments ) }

# kubectl apply of YAML or of Perl data; dies with kubectl's words when it is refused.
sub apply {
    my ( $self, $object, @arguments ) = @_;
    my $text = ref $object ? $json->encode($object) : $object;
    my $file = $self->{t}->write( 'apply.' . ++$self->{applied} . ( ref $object ? '.json' : '.yaml' ), $text );
    return $self->kubectl( 'apply', '-f', $file, @arguments ) // die "kubectl apply: $self->{t}{error}\n";
}

# A JobTemplate in `namespace` (default) whose Job runs one container: name, image and an environment variable PAYLOAD are filled in
# where the container has none. Options: job => fields of the Job's spec, metadata => of the Job, labels and annotations of the JobTemplate.
sub template {
    my ( $self, $name, $container, %options ) = @_;
    return $self->apply( {
        apiVersion => 'dispatcher.ivan.vc/v1beta1',
        kind       => 'JobTemplate',
        metadata   => {
            name      => $name,
            namespace => $options{namespace} // 'default',
            ( $options{labels}      ? ( labels      => $options{labels} )      : () ),
            ( $options{annotations} ? ( annotations => $options{annotations} ) : () ),
        },
        spec => { jobTemplate => {
            ( $options{metadata} ? ( metadata => $options{metadata} ) : () ),
            spec => {
                backoffLimit => 0,
                template     => { spec => {
                    restartPolicy => 'Never',
                    containers    => [ {
                        name => 'main', image => 'debian:bookworm-slim',
                        env  => [ { name => 'PAYLOAD', value => '{{ .Payload }}' } ],
                        %$container,
                    } ],
                } },
                %{ $options{job} // {} },
            },
        } },
    } );
}

sub put  { my ( $self, $uri, $body, @more ) = @_; return $self->{nginx}->http( PUT  => $uri, body => $body, @more ) }
sub post { my ( $self, $uri, $body, @more ) = @_; return $self->{nginx}->http( POST => $uri, body => $body, @more ) }

# An object as Perl data, or undef.
sub get {
    my ( $self, $kind, $name, $namespace ) = @_;
    my $text = $self->kubectl( 'get', $kind, $name, '-n', $namespace // 'default', '-o', 'json' );
    return defined $text ? $json->decode($text) : undef;
}

sub list {
    my ( $self, $kind, @arguments ) = @_;
    return @{ $json->decode( $self->kubectl( 'get', $kind, @arguments, '-o', 'json' ) )->{items} };
}

# How many there are, without reading them.
sub count { my ( $self, $kind, @arguments ) = @_; return scalar( () = $self->kubectl( 'get', $kind, @arguments, '-o', 'name' ) =~ /\n/g ) }

sub condition {
    my ( $object, $type ) = @_;
    my ($condition) = grep { $_->{type} eq $type } @{ $object->{status}{conditions} // [] };
    return $condition;
}

# The JobExecution { name, namespace } when its condition has that status (and reason).
sub when {
    my ( $self, $ref, $type, $status, $reason ) = @_;
    return $self->{t}->wait_for( "$ref->{name} to say $type=$status" . ( $reason ? " $reason" : '' ), sub {
        # The status alone: a payload may be large.
        my $found = $self->kubectl( 'get', 'jobexecution', $ref->{name}, '-n', $ref->{namespace} // 'default', '-o', 'jsonpath={.status}' )
            or return;
        my $condition = condition( { status => $json->decode($found) }, $type ) or return;
        return if $condition->{status} !~ /^(?:$status)$/ || ( $reason && $condition->{reason} ne $reason );
        return $self->get( 'jobexecution', $ref->{name}, $ref->{namespace} );
    } );
}

sub finished { my ( $self, $ref ) = @_; return $self->when( $ref, 'Succeeded', 'True|False' ) }

# All Jobs that this JobExecution owns.
sub jobs_of {
    my ( $self, $je ) = @_;
    my $uid = $je->{metadata}{uid} // $je->{uid};
    return grep { grep { $_->{uid} eq $uid } @{ $_->{metadata}{ownerReferences} // [] } }
        $self->list( 'jobs', '-n', $je->{metadata}{namespace} // $je->{namespace} );
}

sub log_of {
    my ( $self, $je ) = @_;
    return $self->{kube}->log_of_job( $je->{status}{job}{name}, $je->{metadata}{namespace} ) if $self->{kube}{logs};
    return $self->kubectl( 'logs', "job/$je->{status}{job}{name}", '-n', $je->{metadata}{namespace} );
}

1;
