# Answers as a real API server gives them, for handlers of Dispatcher::Test::Server.
#
#     my $api = $t->api( sub { my ($request) = @_; return kube($request) } );
#
# kube() knows every JobTemplate whose name does not begin with "missing" and stores every JobExecution; it remembers them, so that a
# GET finds them. status(code, reason, message, details) is a metav1.Status.
package Dispatcher::Test::Kube;

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();

use Dispatcher::Test::Server qw(json reply);

our @EXPORT_OK = qw(kube stored status not_found template created already_exists what);

my $group = 'dispatcher.ivan.vc';
my %stored;

# [resource, namespace, name] of a request's path.
sub what {
    my ($request) = @_;
    return $request->{target} =~ m{^/apis/dispatcher\.ivan\.vc/v1beta1/namespaces/([^/?]+)/(jobtemplates|jobexecutions)(?:/([^/?]+))?(?:\?.*)?$}
        ? ( $2, $1, $3 ) : ();
}

sub status {
    my ( $code, $reason, $message, $details ) = @_;
    return {
        kind    => 'Status', apiVersion => 'v1', metadata => {}, status => 'Failure',
        message => $message, reason     => $reason, code  => $code, ( $details ? ( details => $details ) : () ),
    };
}

sub not_found {
    my ( $resource, $name ) = @_;
    my $full = $resource eq 'namespaces' ? $resource : "$resource.$group";
    my $details = { name => $name, kind => $resource, ( $resource eq 'namespaces' ? () : ( group => $group ) ) };
    return json( 404, status( 404, 'NotFound', qq{$full "$name" not found}, $details ) );
}

sub already_exists {
    my ($name) = @_;
    return json( 409, status( 409, 'AlreadyExists', qq{jobexecutions.$group "$name" already exists}, { name => $name, group => $group, kind => 'jobexecutions' } ) );
}

sub metadata {
    my ( $ns, $name, %more ) = @_;
    return { name => $name, namespace => $ns, uid => "uid-of-$name", resourceVersion => '7', creationTimestamp => '2026-11-22T18:00:00Z', %more };
}

sub partial {
    my ($metadata) = @_;
    return { kind => 'PartialObjectMetadata', apiVersion => 'meta.k8s.io/v1', metadata => $metadata };
}

sub template {
    my ( $ns, $name, %more ) = @_;
    return json( 200, partial( metadata( $ns, $name, %more ) ) );
}

# The answer to a POST of a JobExecution, which is stored.
sub created {
    my ( $request, $answer ) = @_;
    my ( undef, $ns ) = what($request);
    my $sent = JSON::PP->new->utf8->decode( $request->{body} =~ s/,"payload":".*/}}/sr );
    my $name = $sent->{metadata}{name};
    return already_exists($name) if $stored{"$ns/$name"};
    my $metadata = metadata( $ns, $name, map { $_ => $sent->{metadata}{$_} } grep { $sent->{metadata}{$_} } qw(labels annotations) );
    $stored{"$ns/$name"} = $metadata;
    return json( 201, partial($metadata) );
}

sub kube {
    my ($request) = @_;
    my ( $resource, $ns, $name ) = what($request) or return reply( 404, "404 page not found\n" );
    return created($request) if $request->{method} eq 'POST' && $resource eq 'jobexecutions' && !defined $name;
    return json( 405, status( 405, 'MethodNotAllowed', 'no' ) ) if $request->{method} ne 'GET' || !defined $name;
    if ( $resource eq 'jobtemplates' ) {
        return $name =~ /^missing/ ? not_found( $resource, $name ) : template( $ns, $name );
    }
    my $metadata = $stored{"$ns/$name"} or return not_found( $resource, $name );
    return json( 200, partial($metadata) );
}

# The handler's own view of what is stored, by "namespace/name".
sub stored { return \%stored }

1;
