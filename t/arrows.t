#!/usr/bin/env perl
# The arrows between rooms (docs/architecture.md): an include that the design does not draw fails here.
use strict;
use warnings;

use File::Find;
use FindBin;
use Test::More;

my %ARROWS = (
    'base'       => [],
    'model'      => ['base'],
    'template'   => ['base'],
    'kube'       => ['base'],
    'nginx'      => [ 'model', 'base' ],
    'controller' => [ 'kube', 'template', 'model', 'base' ],
);

# Headers of packages, and the rooms that may see them. A header that is not listed belongs to the C library.
my @PACKAGES = (
    [ qr{^ngx_},                  ['nginx'] ],
    [ qr{^curl/},                 ['kube'] ],
    [ qr{^event2?/|^event\.h},    [ 'kube', 'controller' ] ],
    [ qr{^yaml\.h},               [ 'kube', 'controller' ] ],
    [ qr{^re2/},                  ['template'] ],
    [ qr{^(?:cjson/)?cJSON\.h},   [ 'model', 'kube', 'controller' ] ],
);

my $top = "$FindBin::Bin/..";

sub room_of {
    my ($path) = @_;
    return $1 if $path =~ m{^src/([^/]+)/};
    return 'controller' if $path =~ m{^controller/};
    return 'nginx' if $path eq 'ngx_http_dispatcher_module.c';
    return;
}

# The room that `#include "name"` in this file points into.
sub room_included {
    my ( $path, $name ) = @_;
    ( my $dir = $path ) =~ s{[^/]*$}{};
    my $full = -e "$top/$dir$name" ? "$dir$name" : -e "$top/src/$name" ? "src/$name" : $name;
    1 while $full =~ s{(^|/)(?!\.\.)[^/]+/\.\./}{$1};
    return room_of($full);
}

sub faults_of {
    my ( $path, $room, $text ) = @_;
    my @faults;
    while ( $text =~ /^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]/mg ) {
        my ( $quote, $name ) = ( $1, $2 );
        my $to = $quote eq '"' ? room_included( $path, $name ) : undef;
        if ( defined $to ) {
            push @faults, "$path includes $name: no arrow $room -> $to"
                unless $to eq $room || grep { $_ eq $to } @{ $ARROWS{$room} };
            next;
        }
        for my $package (@PACKAGES) {
            push @faults, "$path includes $name: not a header for $room"
                if $name =~ $package->[0] && !grep { $_ eq $room } @{ $package->[1] };
        }
        push @faults, "$path includes $name, which is not in the tree"
            if $quote eq '"' && $name !~ /^ngx_/ && $name =~ m{^(?:base|model|template|kube|nginx|controller|t)/};
        push @faults, "$path includes $name: tests are not for the product" if $name =~ m{^t/};
    }
    return @faults;
}

my ( @faults, $files );
find( {
    no_chdir => 1,
    wanted   => sub {
        ( my $path = $File::Find::name ) =~ s{^\Q$top\E/}{};
        return unless $path =~ /\.(?:c|cc|h)$/;
        my $room = room_of($path) or return;
        if ( !$ARROWS{$room} ) {
            push @faults, "$path: the design has no room $room";
            return;
        }
        open my $in, '<', "$top/$path" or die "$path: $!";
        local $/;
        push @faults, faults_of( $path, $room, scalar <$in> );
        $files++;
    },
}, grep { -e } "$top/src", "$top/controller", "$top/ngx_http_dispatcher_module.c" );

cmp_ok( $files, '>', 20, 'the tree was read' );
is_deeply( \@faults, [], 'every include is an arrow of the design' );

# The check itself can fail.
is( scalar faults_of( 'src/base/x.c', 'base', qq{#include "model/name.h"\n} ) > 0, 1, 'an arrow back is seen' )
    if -e "$top/src/model/name.h";
ok( faults_of( 'src/base/x.c', 'base', "#  include <curl/curl.h>\n" ), 'a package in the wrong room is seen' );
ok( !faults_of( 'src/base/x.c', 'base', qq{#include "buf.h"\n#include <stdio.h>\n} ), 'the usual is not' );

done_testing();
