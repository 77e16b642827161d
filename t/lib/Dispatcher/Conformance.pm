package Dispatcher::Conformance;

# The embedded cluster held to a real kube-apiserver: the same requests to both, one after the other, and every answer compared field by field.
# What chance and clock decide (uids, versions, times) is made equal first; what may differ is listed with its reason.
#
#   my $c = Dispatcher::Conformance->new;                      # starts both
#   $c->may_differ( 'what', qr/^\.message$/, 'why' );          # 'what' is a request's first word, '' for all; the path in the answer
#   $c->compare( [ 'what', GET => $path, $body, $content_type, $accept ], ... );
#   $c->forget;                                                # the history of both
#   $c->done;
#
# A path or a body that is code is called with the answers that its own server gave so far, by their requests' names: that is where a
# resourceVersion or a page's token comes from. A body that is a reference to text is sent as it is, any other as JSON. An answer of
# several lines of JSON, a watch, is compared as a list.
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Dispatcher::Kube;
use Dispatcher::Test;
use Dispatcher::Test::Http;

our $JE    = '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobexecutions';
our $JT    = '/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobtemplates';
our $JOBS  = '/apis/batch/v1/namespaces/default/jobs';
our $MERGE = 'application/merge-patch+json';

use Exporter qw(import);
our @EXPORT = qw($JE $JT $JOBS $MERGE je jt job);

my $JSON = JSON::PP->new->canonical->utf8->allow_nonref;

# --- objects --------------------------------------------------------------------------------------------------------

sub je {
    my ( $name, %more ) = @_;
    return {
        apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', metadata => { name => $name },
        spec => { jobTemplateName => 'a', payload => 'p' }, %more,
    };
}

sub jt {
    my ( $name, $spec ) = @_;
    return { apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobTemplate', metadata => { name => $name }, spec => $spec };
}

sub job {
    my ( $name, %spec ) = @_;
    return {
        apiVersion => 'batch/v1', kind => 'Job', metadata => { name => $name },
        spec => {
            suspend => JSON::PP::true,
            template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c', image => 'x', command => ['true'] } ] } }, %spec,
        },
    };
}

# --- the two servers ------------------------------------------------------------------------------------------------

sub new {
    my ($class) = @_;
    my $t = Dispatcher::Test->new;
    my $self = bless {
        t      => $t,
        server => { devcluster => $t->devcluster, real => Dispatcher::Kube->for_test($t) },
        seen   => { devcluster => {}, real => {} },
        may_differ => [
            [ '', qr/\.managedFields/,      'who set which field is known in outline only' ],
            [ '', qr/\.storageVersionHash$/, 'of the storage, nobody reads it' ],
        ],
        requests  => 0,
        different => 0,
    }, $class;
    return $self;
}

sub may_differ {
    my ( $self, $what, $path, $why ) = @_;
    push @{ $self->{may_differ} }, [ $what, $path, $why ];
    return;
}

sub compare {
    my ( $self, @requests ) = @_;
    for my $request (@requests) {
        my ( $what, @request ) = @$request;
        my %answer = map { $_ => flat( $self->ask( $_, $what, @request ) ) } sort keys %{ $self->{server} };
        my @found  = $self->differences( $what, @answer{qw(devcluster real)} );
        ok( !@found, $what ) or diag( map {"  $_\n"} @found );
        $self->{requests}++;
        $self->{different}++ if @found;
    }
    return;
}

sub done {
    my ($self) = @_;
    note("$self->{requests} requests, $self->{different} answered differently");
    $self->{t}->done_testing;
    return;
}

# Both forget the past. The real API server begins anew, for its cache of events outlives what etcd has.
sub forget {
    my ($self) = @_;
    my ( $dev, $real ) = @{ $self->{server} }{qw(devcluster real)};
    my ($control) = Dispatcher::Kube::slurp( $dev->{kubeconfig} ) =~ m{^# control: http://(\S+?)/_devcluster$}m or die 'no control URL';
    is( Dispatcher::Test::Http::request( $control, POST => '/_devcluster/compact' )->{status}, 200, 'devcluster forgets its history' );
    $real->compact;
    $real->restart_apiserver;
    return;
}

sub ask {
    my ( $self, $name, $what, $method, $path, $body, $type, $accept ) = @_;
    my $seen = $self->{seen}{$name};
    ( $path, $body ) = map { ref eq 'CODE' ? $_->($seen) : $_ } $path, $body;
    my @headers = ( Accept => $accept // 'application/json' );
    push @headers, 'Content-Type' => $type // 'application/json' if defined $body;
    my $text = ref $body eq 'SCALAR' ? $$body : defined $body ? $JSON->encode($body) : undef;
    my $answer = Dispatcher::Test::Http::request(
        $self->{server}{$name}{host}, $method => $path,
        headers => \@headers, defined $text ? ( body => $text ) : ()
    );
    $answer->{json} //= lines_of( $answer->{body} );
    $seen->{$what} = $answer->{json};
    return $answer;
}

# The lines of a watch.
sub lines_of {
    my ($body) = @_;
    my @lines = map { eval { $JSON->decode($_) } } split /\n/, $body;
    return @lines && !( grep { ref ne 'HASH' } @lines ) ? \@lines : undef;
}

# --- answers --------------------------------------------------------------------------------------------------------

# An answer as flat pairs of path and value, chance and clock made equal.
sub flat {
    my ($answer) = @_;
    my %flat = ( '.status code' => $answer->{status}, '.type' => ( $answer->{headers}{'content-type'} // '' ) =~ s/;.*//r );
    my $warning = $answer->{headers}{warning};
    $flat{'.warning'} = $warning if defined $warning;
    my $body = $answer->{json};
    if ( ref $body eq 'HASH' && ref $body->{resources} eq 'ARRAY' ) {    # sets, in no order
        @{ $body->{resources} } = sort { $a->{name} cmp $b->{name} } @{ $body->{resources} };
        @{ $_->{verbs} } = sort @{ $_->{verbs} } for @{ $body->{resources} };
    }
    flatten( '', $body // $answer->{body}, \%flat );
    for my $value ( values %flat ) {
        $value =~ s/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/UID/g;
        $value =~ s/\b20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/TIME/g;
        $value =~ s/(resource version: |current: |\()\d+\b/${1}VERSION/g;
    }
    for my $path ( keys %flat ) {
        $flat{$path} = 'VERSION' if $path =~ /resourceVersion$/ && $flat{$path} =~ /^\d+$/;
        $flat{$path} = 'TOKEN'   if $path =~ /metadata\.continue$/ && $flat{$path} =~ /^[\w-]+$/;
        $flat{$path} = 'AGE'     if $flat{$path} =~ /^\d+m?s$/;
    }
    return \%flat;
}

sub flatten {
    my ( $path, $value, $flat ) = @_;
    if ( ref $value eq 'HASH' ) {
        $flat->{$path} = '{}' unless %$value;
        flatten( "$path.$_", $value->{$_}, $flat ) for keys %$value;
    }
    elsif ( ref $value eq 'ARRAY' ) {
        $flat->{$path} = '[]' unless @$value;
        flatten( "$path.$_", $value->[$_], $flat ) for 0 .. $#$value;
    }
    else {
        $flat->{$path} = JSON::PP::is_bool($value) ? ( $value ? 'true' : 'false' ) : $value // 'null';
    }
    return;
}

sub differences {
    my ( $self, $what, $dev, $real ) = @_;
    my %all = ( %$dev, %$real );
    my @found;
    for my $path ( sort keys %all ) {
        next if ( $dev->{$path} // "\0" ) eq ( $real->{$path} // "\0" );
        next if grep { ( $_->[0] eq '' || $_->[0] eq $what ) && $path =~ $_->[1] } @{ $self->{may_differ} };
        push @found, sprintf '%s: real %s, devcluster %s', $path, map { defined ? substr( $_, 0, 300 ) : '(none)' } $real->{$path}, $dev->{$path};
    }
    return @found;
}

1;
