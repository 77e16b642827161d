# The objects of Dispatcher on an API server, over plain HTTP: what a test of the controller makes and looks at.
#
#   my $o = Dispatcher::Objects->new( $t, $kube );             # Dispatcher::Test, and its devcluster
#   $o->template( 'hello', command => [ 'echo', '{{ .Payload }}' ], ttl => 3, name => 'fixed' );
#   $o->execution( 'one', 'hello', 'payload' );                # dies unless it is stored
#   $o->wait_state( 'one', 'Succeeded' );                      # gives the JobExecution
#   $o->je('one'), $o->job('one'), $o->jobs('one'), $o->condition( 'one', 'Succeeded' ), $o->events('one')
#   $o->ask( METHOD => path, object, content type )            # { status, json, … }
#   $o->control( METHOD => path, object )                      # devcluster's control URL (t/devcluster/README.md)
package Dispatcher::Objects;

use strict;
use warnings;

use Dispatcher::Test::Http;
use JSON::PP ();

my $json  = JSON::PP->new->canonical->utf8;
my $GROUP = '/apis/dispatcher.ivan.vc/v1beta1/namespaces';

sub new {
    my ( $class, $test, $kube, %options ) = @_;
    my $self = bless { t => $test, kube => $kube, ns => $options{namespace} // 'default' }, $class;
    my ($control) = $test->read( $kube->{kubeconfig} ) =~ m{^# control: http://([^/\s]+)}m;
    $self->{control} = $control;
    return $self;
}

sub ask {
    my ( $self, $method, $path, $object, $type ) = @_;
    my @headers;
    push @headers, 'Content-Type'  => $type // 'application/json' if defined $object;
    push @headers, 'Authorization' => "Bearer $self->{kube}{token}" if defined $self->{kube}{token};
    return Dispatcher::Test::Http::request(
        $self->{kube}{host}, $method => $path, headers => \@headers,
        defined $object ? ( body => ref $object ? $json->encode($object) : $object ) : ()
    );
}

sub must {
    my ( $self, @request ) = @_;
    my $answer = $self->ask(@request);
    die "$request[0] $request[1]: $answer->{status} $answer->{body}\n" if $answer->{status} >= 300 || !$answer->{status};
    return $answer->{json};
}

sub control {
    my ( $self, $method, $path, $object ) = @_;
    my $answer = Dispatcher::Test::Http::request(
        $self->{control}, $method => "/_devcluster$path", headers => [ 'Content-Type' => 'application/json' ],
        defined $object ? ( body => $json->encode($object) ) : ()
    );
    die "control $method $path: $answer->{status} $answer->{body}\n" if $answer->{status} >= 300 || !$answer->{status};
    return $answer->{json};
}

# --- making ---

# Options: command, args, ttl, name, generate_name, backoff, suspend, deadline, annotations, spec (a whole Job spec).
sub template {
    my ( $self, $name, %o ) = @_;
    my %container = ( name => 'main', image => 'busybox', command => $o{command} // ['true'] );
    $container{args} = $o{args} if $o{args};
    $container{env}  = $o{env}  if $o{env};
    my $spec = $o{spec} // {
        backoffLimit => ( $o{backoff} // 0 ) + 0,
        template     => { spec => { restartPolicy => 'Never', containers => [ \%container ] } },
    };
    $spec->{ttlSecondsAfterFinished} = $o{ttl} + 0      if defined $o{ttl};
    $spec->{suspend}                 = JSON::PP::true() if $o{suspend};
    $spec->{activeDeadlineSeconds}   = $o{deadline} + 0 if defined $o{deadline};
    my %meta;
    $meta{name}         = $o{name}          if defined $o{name};
    $meta{generateName} = $o{generate_name} if defined $o{generate_name};
    return $self->must(
        POST => "$GROUP/$self->{ns}/jobtemplates",
        {
            apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobTemplate',
            metadata => { name => $name, $o{annotations} ? ( annotations => $o{annotations} ) : () },
            spec => { jobTemplate => { metadata => \%meta, spec => $spec } },
        }
    );
}

sub execution {
    my ( $self, $name, $template, $payload ) = @_;
    return $self->must(
        POST => "$GROUP/$self->{ns}/jobexecutions",
        {
            apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', metadata => { name => $name },
            spec => { jobTemplateName => $template, defined $payload ? ( payload => $payload ) : () },
        }
    );
}

# --- looking ---

# undef when it is not there.
sub get {
    my ( $self, $path ) = @_;
    my $answer = $self->ask( GET => $path );
    return $answer->{json} if $answer->{status} == 200;
    die "GET $path: $answer->{status} $answer->{body}\n" if $answer->{status} != 404;
    return;
}

sub je { my ( $self, $name ) = @_; return $self->get("$GROUP/$self->{ns}/jobexecutions/$name") }

sub state {
    my ( $self, $name ) = @_;
    my $je = $self->je($name) or return '(gone)';
    return $je->{status}{state} // '';
}

sub condition {
    my ( $self, $name, $type ) = @_;
    my $je = $self->je($name) or return;
    my ($found) = grep { $_->{type} eq $type } @{ $je->{status}{conditions} // [] };
    return $found;
}

# "Waiting=False/JobRunning Running=…", in the order Waiting, Running, Succeeded.
sub conditions {
    my ( $self, $name ) = @_;
    return join ' ', map { my $c = $self->condition( $name, $_ ); $c ? "$_=$c->{status}/$c->{reason}" : () } qw(Waiting Running Succeeded);
}

sub wait_state {
    my ( $self, $name, $state, $seconds ) = @_;
    $self->{t}->wait_for( "$name to be $state", sub { $self->state($name) eq $state }, $seconds );
    return $self->je($name);
}

sub wait_reason {
    my ( $self, $name, $reason, $seconds ) = @_;
    $self->{t}->wait_for( "$name to say $reason", sub { ( ( $self->je($name) // {} )->{status}{reason} // '' ) eq $reason }, $seconds );
    return $self->je($name);
}

sub wait_gone {
    my ( $self, $name, $seconds ) = @_;
    return $self->{t}->wait_for( "$name to go", sub { !$self->je($name) }, $seconds );
}

# The Jobs that name this JobExecution as their owner.
sub jobs {
    my ( $self, $name ) = @_;
    my $list = $self->get("/apis/batch/v1/namespaces/$self->{ns}/jobs");
    return grep {
        grep { $_->{kind} eq 'JobExecution' && $_->{name} eq $name } @{ $_->{metadata}{ownerReferences} // [] }
    } @{ $list->{items} };
}

# The one that is recorded.
sub job {
    my ( $self, $name ) = @_;
    my $je = $self->je($name) // return;
    my $job = $je->{status}{job}{name} // return;
    return $self->get("/apis/batch/v1/namespaces/$self->{ns}/jobs/$job");
}

sub job_path { my ( $self, $job ) = @_; return "/apis/batch/v1/namespaces/$self->{ns}/jobs/$job" }

sub patch_job {
    my ( $self, $job, $patch ) = @_;
    return $self->must( PATCH => $self->job_path($job), $patch, 'application/merge-patch+json' );
}

sub delete_job {
    my ( $self, $job ) = @_;
    return $self->must( DELETE => $self->job_path($job) . '?propagationPolicy=Background' );
}

sub delete_je {
    my ( $self, $name ) = @_;
    return $self->must( DELETE => "$GROUP/$self->{ns}/jobexecutions/$name" );
}

# What a Job's first pod wrote.
sub log {
    my ( $self, $name ) = @_;
    my $je = $self->je($name) // return;
    return $self->{kube}->log_of_job( $je->{status}{job}{name}, $self->{ns} ) if $self->{kube}{logs};
    my $list = $self->get("/api/v1/namespaces/$self->{ns}/pods?labelSelector=job-name%3D$je->{status}{job}{name}");
    my ($pod) = @{ $list->{items} };
    return unless $pod;
    return $self->ask( GET => "/api/v1/namespaces/$self->{ns}/pods/$pod->{metadata}{name}/log" )->{body};
}

sub events {
    my ( $self, $name ) = @_;
    my $list = $self->get("/api/v1/namespaces/$self->{ns}/events");
    return sort map { $_->{reason} } grep { $_->{involvedObject}{name} eq $name } @{ $list->{items} };
}

# A metric's value of a controller, by its name with labels.
sub metric {
    my ( $self, $controller, $name ) = @_;
    my $page = Dispatcher::Test::Http::request( $controller->{metrics}, GET => '/metrics' )->{body};
    return $page =~ /^\Q$name\E (\S+)$/m ? $1 : undef;
}

1;
