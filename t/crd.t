#!/usr/bin/env perl
# The CustomResourceDefinitions in deploy/crd: fresh, small enough for `kubectl apply`, alike in both versions, and open to all
# that the original's accept (when its own are there: DSP_ORIGINAL, default ../shared/original).
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Temp ();
use FindBin;
use JSON::PP ();
use Test::More;
use YAML::XS ();

$YAML::XS::Boolean = 'JSON::PP';
my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;

my $top      = "$FindBin::Bin/..";
my $original = $ENV{DSP_ORIGINAL} // "$top/../shared/original";
my @NAMES    = map { "$_.dispatcher.ivan.vc" } qw(jobtemplates jobexecutions);
my %CRD      = map { $_ => YAML::XS::LoadFile("$top/deploy/crd/$_.yaml") } @NAMES;

# An annotation of at most 262144 bytes holds what was applied; other annotations and a coming Kubernetes need some room.
my $MAX_APPLIED = 230_000;

sub slurp {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!";
    local $/;
    return scalar <$in>;
}

sub without_descriptions {
    my ($value) = @_;
    return [ map { without_descriptions($_) } @$value ] if ref $value eq 'ARRAY';
    return $value unless ref $value eq 'HASH';
    return { map { $_ => without_descriptions( $value->{$_} ) } grep { $_ ne 'description' || ref $value->{$_} } keys %$value };
}

sub schema { my ( $crd, $version ) = @_; return $crd->{spec}{versions}[$version]{schema}{openAPIV3Schema} }

# --- what the original accepts and ours would not -------------------------------------------------------------------

# Both limits only meet objects that nobody can have: no JobTemplate has a longer name, no larger payload fits into etcd. That a
# condition's type is there once is what the original's controller keeps as well.
my %ALLOWED = map { $_ => 1 } (
    '.spec.jobTemplateName: maxLength',
    '.spec.payload: maxLength',
    '.status.conditions: x-kubernetes-list-type',
    '.status.conditions: x-kubernetes-list-map-keys',
);

# The constraints that can refuse a value that has the right type. x-kubernetes-validations are tested on the real API server.
my @CONSTRAINTS = qw(
    enum format maxItems maxLength maxProperties maximum minItems minLength minProperties minimum multipleOf pattern not oneOf
    allOf uniqueItems exclusiveMaximum exclusiveMinimum x-kubernetes-list-type x-kubernetes-list-map-keys
);

# ( path: what ) of everything in ours that is narrower than theirs.
sub narrower {
    my ( $theirs, $ours, $path ) = @_;
    my @found;
    for my $what (qw(type nullable x-kubernetes-int-or-string x-kubernetes-preserve-unknown-fields anyOf)) {
        my ( $t, $o ) = map { $JSON->encode( $_->{$what} ) } $theirs, $ours;
        push @found, "$path: $what" if $t ne $o && !( $what eq 'nullable' && $t eq 'null' );
    }
    for my $what ( grep { defined $ours->{$_} } @CONSTRAINTS ) {
        push @found, "$path: $what" if $JSON->encode( $ours->{$what} ) ne $JSON->encode( $theirs->{$what} );
    }
    my %theirs_required = map { $_ => 1 } @{ $theirs->{required} || [] };
    for my $name ( @{ $ours->{required} || [] } ) {
        push @found, "$path.$name: required" unless $theirs_required{$name} || !$theirs->{properties}{$name};
    }
    for my $name ( sort keys %{ $theirs->{properties} || {} } ) {
        my $member = $ours->{properties}{$name};
        push @found, $member ? narrower( $theirs->{properties}{$name}, $member, "$path.$name" ) : "$path.$name: gone";
        next unless $member && defined $theirs->{properties}{$name}{default};
        push @found, "$path.$name: default" unless defined $member->{default};
    }
    for my $what (qw(items additionalProperties)) {
        next unless ref $theirs->{$what};
        push @found, ref $ours->{$what} ? narrower( $theirs->{$what}, $ours->{$what}, "$path\[]" ) : "$path: $what";
    }
    return @found;
}

# --- tests ----------------------------------------------------------------------------------------------------------

my $by = 'deploy/crd/generate ' . substr sha256_hex( slurp("$top/deploy/crd/generate") ), 0, 16;
for my $name (@NAMES) {
    my $crd = $CRD{$name};
    is( $crd->{metadata}{annotations}{'dispatcher.ivan.vc/generated-by'}, $by, "$name was made by this generator (else: make manifests)" );

    my $applied = $JSON->encode($crd);
    $applied =~ s/[<>&]/\\u003c/g;
    cmp_ok( length $applied, '<', $MAX_APPLIED, "$name is small enough for kubectl apply" );

    is_deeply( [ map { $_->{name} } @{ $crd->{spec}{versions} } ], [qw(v1alpha1 v1beta1)], "$name has both versions" );
    is_deeply( [ map { $_->{storage} ? 1 : 0 } @{ $crd->{spec}{versions} } ], [ 0, 1 ], "$name stores v1beta1, as the original" );
    is( $JSON->encode( without_descriptions( schema( $crd, 0 ) ) ),
        $JSON->encode( without_descriptions( schema( $crd, 1 ) ) ), "$name has one schema" );
}

SKIP: {
    my ( $document, $version ) = split ' ', qx(GOPROXY=off '$top/t/kube/openapi' 2>/dev/null) // '';
    skip "Kubernetes' OpenAPI document is not in Go's module cache (make kube brings it)", scalar @NAMES unless defined $version;
    my $dir = File::Temp->newdir;
    system( $^X, "$top/deploy/crd/generate", $document, $version, $dir ) == 0 or die "generate failed\n";
    is( slurp("$dir/$_.yaml"), slurp("$top/deploy/crd/$_.yaml"), "$_ is what make manifests writes" ) for @NAMES;
}

SKIP: {
    skip 'the CRDs of ivanvc/dispatcher are not here', 2 * @NAMES unless -r "$original/dispatcher.ivan.vc_jobtemplates.yaml";
    for my $name (@NAMES) {
        ( my $plural = $name ) =~ s/\..*//;
        my $theirs = YAML::XS::LoadFile("$original/dispatcher.ivan.vc_$plural.yaml");
        my @narrower = grep { !$ALLOWED{$_} } map { narrower( schema( $theirs, $_ ), schema( $CRD{$name}, $_ ), '' ) } 0, 1;
        is_deeply( \@narrower, [], "$name accepts all that the original accepts" );

        # The comparison can fail.
        ok( narrower( schema( $CRD{$name}, 1 ), without( schema( $theirs, 1 ), 'spec' ), '' ), "and a schema without spec does not" );
    }
}

sub without {
    my ( $schema, $name ) = @_;
    my %rest = %{ $schema->{properties} };
    delete $rest{$name};
    return { %$schema, properties => \%rest };
}

done_testing();
