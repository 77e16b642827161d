#!/usr/bin/env perl
# The directives: contexts, inheritance, what nginx -t refuses and how, and the kinds of locations that dispatcher_execute works in.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Kube qw(kube what status);
use Dispatcher::Test::Server qw(json reply);

my $t   = Dispatcher::Test->new;
my $api = $t->api( sub {
    my ($request) = @_;
    if ( $request->{body} =~ /"jobTemplateName":"(stored|lost)-(\w+)"/ ) {
        kube($request) if $1 eq 'stored';
        return $2 eq 'close' ? 'close' : json( 409, status( 409, 'AlreadyExists', 'oh' ) );
    }
    return $request->{target} =~ m{^/accel/} ? reply( 200, '', [ 'X-Accel-Redirect' => '/landing' ] ) : kube($request);
} );

# --- what nginx -t says ---

sub check {
    my (%text) = @_;
    $_ //= '' for @text{qw(http server location)};
    return $t->nginx_check(<<"END");
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    $text{http}
    server {
        listen 127.0.0.1:%%PORT:http%%;
        $text{server}
        location /_dispatcher/ { internal; proxy_pass http://$api->{host}/; }
        $text{location}
    }
}
END
}

my $execute = 'dispatcher_execute; dispatcher_api /_dispatcher/;';

for (
    [ 'all directives in http', http => 'dispatcher_api /.dispatcher/; dispatcher_default_namespace a; dispatcher_namespaces a b; '
            . 'dispatcher_template_cache 10s; dispatcher_log_payloads on; dispatcher_token_file token; dispatcher_zone zone=d:64k;',
        location => 'location /x/ { dispatcher_execute; } location = /m { dispatcher_metrics; }' ],
    [ 'all in server', server => 'dispatcher_api /_dispatcher/; dispatcher_default_namespace a; dispatcher_namespaces a b; '
            . 'dispatcher_template_cache off; dispatcher_log_payloads off; dispatcher_token_file off;', location => 'location /x/ { dispatcher_execute; }' ],
    [ 'a nested location',            location => "location /x/ { location /x/y/ { $execute } }" ],
    [ 'an exact location',            location => 'location = /x { dispatcher_execute a/b; dispatcher_api /_dispatcher/; }' ],
    [ 'a regex location',             location => 'location ~ ^/x/(.*) { dispatcher_execute $1; dispatcher_api /_dispatcher/; }' ],
    [ 'a named location',             location => 'location @x { dispatcher_execute $arg_t; dispatcher_api /_dispatcher/; }' ],
    [ 'an if with its own handler',   location => "location /x/ { $execute if (\$arg_a) { proxy_pass http://$api->{host}; } }" ],
    [ 'a path whose namespace is served', location => 'location = /x { dispatcher_execute a/b; dispatcher_api /_dispatcher/; dispatcher_namespaces a; }' ],
    [ 'limit_except',                 location => "location /x/ { $execute limit_except PUT { deny all; } }" ],
) {
    my ( $name, %text ) = @$_;
    my $result = check(%text);
    is( $result->{status}, 0, "accepted: $name" ) or diag $result->{err};
}

my $line = qr{ in \S+/check\.conf:\d+$}m;
for (
    [ 'execute without api', qr/location "\/x\/" has "dispatcher_execute" but no "dispatcher_api": set it to the prefix of an internal location.*,$line/, location => 'location /x/ { dispatcher_execute; }' ],
    [ 'execute in server',   qr/"dispatcher_execute" directive is not allowed here$line/, server   => 'dispatcher_execute;' ],
    [ 'execute in if',       qr/"dispatcher_execute" directive is not allowed here$line/, location => "location /x/ { if (\$arg_a) { $execute } }" ],
    [ 'execute twice',       qr/"dispatcher_execute" directive is duplicate$line/,        location => "location /x/ { $execute dispatcher_execute; }" ],
    [ 'execute, two values', qr/invalid number of arguments in "dispatcher_execute" directive$line/, location => 'location /x/ { dispatcher_execute a b; }' ],
    [ 'exact location',      qr/"dispatcher_execute" directive needs a parameter here.*$line/, location => "location = /x/ { $execute }" ],
    [ 'regex location',      qr/"dispatcher_execute" directive needs a parameter here.*$line/, location => "location ~ ^/x/ { $execute }" ],
    [ 'named location',      qr/"dispatcher_execute" directive needs a parameter here.*$line/, location => "location \@x { $execute }" ],
    [ 'no slash',            qr/"dispatcher_execute" directive needs a location that ends with "\/"$line/, location => "location /x { $execute }" ],
    [ 'unknown variable',    qr/unknown "nothing" variable$/m,                           location => 'location = /x { dispatcher_execute $nothing; dispatcher_api /_dispatcher/; }' ],
    [ 'a path that is none', qr/"dispatcher_execute" value "a\/b\/c" must be "\[namespace\/\]template": .*$line/, location => 'location = /x { dispatcher_execute a/b/c; }' ],
    [ 'a name that is none', qr/"dispatcher_execute" value "A" must be "\[namespace\/\]template": .*$line/, location => 'location = /x { dispatcher_execute A; }' ],
    [ 'after proxy_pass',    qr/"dispatcher_execute" directive cannot share its location with another directive that answers .*$line/, location => "location /x/ { proxy_pass http://$api->{host}; $execute }" ],
    [ 'before proxy_pass',   qr/"dispatcher_execute" cannot share location "\/x\/" with another directive that answers .*$line/, location => "location /x/ { $execute proxy_pass http://$api->{host}; }" ],
    [ 'before metrics',      qr/"dispatcher_metrics" directive cannot share its location .*$line/, location => "location /x/ { $execute dispatcher_metrics; }" ],
    [ 'api without slash',   qr/"dispatcher_api" value "\/a" must begin and end with "\/".*$line/, server => 'dispatcher_api /a;' ],
    [ 'api as URL',          qr/"dispatcher_api" value "http:\/\/a\/" must begin and end with "\/".*$line/, server => 'dispatcher_api http://a/;' ],
    [ 'api with a variable', qr/"dispatcher_api" value "\/a\$b\/" must be a plain path, .*: it is the prefix of an internal location$line/, server => 'dispatcher_api /a$b/;' ],
    [ 'api with a query',    qr/"dispatcher_api" value "\/a\/\?b=\/" must be a plain path/, server => 'dispatcher_api /a/?b=/;' ],
    [ 'api with a blank',    qr/"dispatcher_api" value "\/a b\/" must be a plain path/, server => 'dispatcher_api "/a b/";' ],
    [ 'api with dots',       qr/"dispatcher_api" value "\/a\/..\/" must be a plain path/, server => 'dispatcher_api /a/../;' ],
    [ 'api, empty segment',  qr/"dispatcher_api" value "\/\/" must be a plain path/, server => 'dispatcher_api //;' ],
    [ 'api twice',           qr/"dispatcher_api" directive is duplicate$line/,           server => 'dispatcher_api /a/; dispatcher_api /b/;' ],
    [ 'default namespace',   qr/"dispatcher_default_namespace": the namespace "Team_A" has 'T' at position 1, .*$line/, server => 'dispatcher_default_namespace Team_A;' ],
    [ 'default ns twice',    qr/"dispatcher_default_namespace" directive is duplicate$line/, server => 'dispatcher_default_namespace a; dispatcher_default_namespace a;' ],
    [ 'namespaces',          qr/"dispatcher_namespaces": the namespace "b\*" has '\*' at position 2, .*$line/, server => 'dispatcher_namespaces a b*;' ],
    [ 'no namespaces',       qr/invalid number of arguments in "dispatcher_namespaces" directive$line/, server => 'dispatcher_namespaces;' ],
    [ 'namespaces twice',    qr/"dispatcher_namespaces" directive is duplicate$line/,    server => 'dispatcher_namespaces a; dispatcher_namespaces b;' ],
    [ 'default not served',  qr/"dispatcher_default_namespace" "default" of location "\/x\/" is not among its "dispatcher_namespaces": add it there, or set another default,$line/, location => "location /x/ { $execute dispatcher_namespaces a; }" ],
    [ 'path not served',     qr/the namespace "b" of "dispatcher_execute" in location "\/x" is not among its "dispatcher_namespaces",$line/, location => 'location = /x { dispatcher_execute b/c; dispatcher_api /_dispatcher/; dispatcher_namespaces default; }' ],
    [ 'cache',               qr/"dispatcher_template_cache" value "soon" must be a time or "off"$line/, server => 'dispatcher_template_cache soon;' ],
    [ 'cache twice',         qr/"dispatcher_template_cache" directive is duplicate$line/, server => 'dispatcher_template_cache 1s; dispatcher_template_cache off;' ],
    [ 'payloads',            qr/invalid value "yes" in "dispatcher_log_payloads" directive, it must be "on" or "off"$line/, server => 'dispatcher_log_payloads yes;' ],
    [ 'token without name',  qr/"dispatcher_token_file" directive needs the name of a file, or "off"$line/, server => 'dispatcher_token_file "";' ],
    [ 'token twice',         qr/"dispatcher_token_file" directive is duplicate$line/,    server => 'dispatcher_token_file a; dispatcher_token_file b;' ],
    [ 'zone in server',      qr/"dispatcher_zone" directive is not allowed here$line/,   server => 'dispatcher_zone zone=a:64k;' ],
    [ 'zone without size',   qr/"dispatcher_zone" value "zone=a" must be "zone=name:size"$line/, http => 'dispatcher_zone zone=a;' ],
    [ 'zone without name',   qr/"dispatcher_zone" value "zone=:64k" must be "zone=name:size"$line/, http => 'dispatcher_zone zone=:64k;' ],
    [ 'zone, odd size',      qr/"dispatcher_zone" value "zone=a:big" must be "zone=name:size"$line/, http => 'dispatcher_zone zone=a:big;' ],
    [ 'zone too small',      qr/"dispatcher_zone" zone "a" is too small: at least \d+ bytes$line/, http => 'dispatcher_zone zone=a:4k;' ],
    [ 'zone twice',          qr/"dispatcher_zone" directive is duplicate$line/,          http => 'dispatcher_zone zone=a:64k; dispatcher_zone zone=b:64k;' ],
    [ 'metrics, no zone',    qr/"dispatcher_metrics" has nothing to show: add "dispatcher_zone zone=dispatcher:64k;" to http\{\}$line/, location => 'location /m { dispatcher_metrics; }' ],
    [ 'metrics twice',       qr/"dispatcher_metrics" directive is duplicate$line/,       http => 'dispatcher_zone zone=a:64k;', location => 'location /m { dispatcher_metrics; dispatcher_metrics; }' ],
) {
    my ( $name, $message, %text ) = @$_;
    my $result = check(%text);
    isnt( $result->{status}, 0, "refused: $name" );
    like( $result->{err}, $message, 'with this message' );
}

for (
    [ 'no file yet',   qr/\[warn\] .*"dispatcher_token_file" "\S+\/nowhere" is not a file yet: no call can be made before it is$line/, server => 'dispatcher_token_file nowhere;' ],
    [ 'a directory',   qr/\[warn\] .*"dispatcher_token_file" "\/etc" is not a file yet/, server => 'dispatcher_token_file /etc;' ],
    [ 'execute on',    qr/\[warn\] .*"dispatcher_execute on" executes a template of the name "on": .*$line/, location => 'location /x/ { dispatcher_execute on; dispatcher_api /_dispatcher/; }' ],
) {
    my ( $name, $message, %text ) = @$_;
    my $result = check(%text);
    is( $result->{status}, 0, "warned of: $name" );
    like( $result->{err}, $message, 'with this message' );
}

# --- each directive in each context: allowed where docs/directives.md says so, and nowhere else ---

my %value = (
    dispatcher_api         => '/a/',  dispatcher_default_namespace => 'a',   dispatcher_namespaces => 'a',   dispatcher_template_cache => '1s',
    dispatcher_token_file  => 'off',  dispatcher_zone => 'zone=b:64k',       dispatcher_log_payloads => 'on',
);
my %context = (
    main     => sub {"$_[0] events { } http { %%HTTP%% }"},
    http     => sub {"events { } http { %%HTTP%% $_[0] }"},
    server   => sub {"events { } http { %%HTTP%% server { listen 127.0.0.1:1; $_[0] } }"},
    location => sub {"events { } http { %%HTTP%% dispatcher_api /a/; $_[1] server { listen 127.0.0.1:1; location /x/ { $_[0] } } }"},
    map { my $in = $_; ( $in => sub { "events { } http { %%HTTP%% dispatcher_api /a/; $_[1] server { listen 127.0.0.1:1; " . sprintf( $in, $_[0] ) . ' } }' } ) }
        'if ($arg_a) { %s }', 'location /x/ { if ($arg_a) { %s } }', 'location /x/ { limit_except GET { %s } }'
);
my ( %documented, $directive );
for ( split /\n/, $t->read("$t->{top}/docs/directives.md") ) {
    $directive = $1 if /^### (dispatcher_\w+)$/;
    $documented{$directive} = { map { $_ => 1 } split /, /, $1 } if /^\| Context: \| (.*) \|$/;
}
is( scalar keys %documented, 9, 'nine directives with their contexts' );
for my $name ( sort keys %documented ) {
    my $zone = $name eq 'dispatcher_metrics' ? 'dispatcher_zone zone=a:64k;' : '';
    for my $in ( sort keys %context ) {
        my $said = $t->nginx_check( "%%GLOBALS%%\n" . $context{$in}->( join( ' ', $name, $value{$name} // () ) . ';', $zone ) . "\n" );
        my $got = $said->{status} == 0 ? 1 : $said->{err} =~ /"$name" directive is not allowed here/ ? 0 : $said->{err};
        is( $got, $documented{$name}{$in} // 0, "$name in $in" );
    }
}

# --- locations ---

my $nginx = $t->nginx( <<"END", log => 'info' );
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    dispatcher_api /_dispatcher/;
    dispatcher_default_namespace from-http;
    upstream other { server $api->{host} max_fails=0; }
    upstream two { server $api->{host} max_fails=0; server 127.0.0.1:@{[ $t->port('nobody') ]} backup max_fails=0; }
    server {
        listen 127.0.0.1:%%PORT:http%%;
        location /execute/ { dispatcher_execute; }
        location ^~ /jobs/run/ {
            dispatcher_execute;
            dispatcher_default_namespace runs;
            dispatcher_namespaces runs team-a;
            location /jobs/run/nested/ { dispatcher_execute; }
        }
        location = /nightly { dispatcher_execute reports/nightly; }
        location ~ ^/re/(?<what>[a-z/]+)\\.job\$ { dispatcher_execute \$what; }
        location /variable/ { dispatcher_execute \$arg_ns/\$http_x_template; }
        location /old/ { rewrite ^/old/(.*)\$ /execute/\$1 last; }
        location /break/ { rewrite ^/break/(.*)\$ /break/team-b/\$1 break; dispatcher_execute; }
        location /astray/ { rewrite ^/astray/(.*)\$ /elsewhere/\$1 break; dispatcher_execute; }
        location /try/ { try_files /nothing \@run; }
        location \@run { dispatcher_execute tried/\$arg_t; }
        location /if/ {
            set \$limited 0;
            if (\$arg_x) { set \$limited 1; }
            dispatcher_execute;
        }
        location /own/ { dispatcher_execute; if (\$arg_x) { return 418; } if (\$arg_y) { proxy_pass http://other; } }
        location /only-put/ { limit_except PUT { deny all; } dispatcher_execute; }
        location /missing-api/ { dispatcher_execute; dispatcher_api /nowhere/; }
        location /open-api/ { dispatcher_execute; dispatcher_api /open/; }
        location /open/ { proxy_pass http://other/; }
        location /small-api/ { dispatcher_execute; dispatcher_api /small/; }
        location /small/ { internal; client_max_body_size 10; proxy_pass http://other/; }
        location /page-api/ { dispatcher_execute; dispatcher_api /page/; }
        location /page/ { internal; proxy_pass http://other/none/; proxy_intercept_errors on; error_page 404 = /landing; }
        location /hide-api/ { dispatcher_execute; dispatcher_api /hide/; }
        location /hide/ { internal; client_max_body_size 0; proxy_pass http://other/; proxy_intercept_errors on; error_page 409 /landing; }
        location /twice-api/ { dispatcher_execute; dispatcher_api /twice/; }
        location /twice/ { internal; client_max_body_size 0; proxy_pass http://two/; proxy_next_upstream error non_idempotent; }
        location /self-api/ { dispatcher_execute; dispatcher_api /self-api/; }
        location = /landing { return 200 '{"metadata":{"name":"demo","uid":"u"}}'; }
        location /accel-api/ { dispatcher_execute; dispatcher_api /accel/; }
        location /accel/ { internal; proxy_pass http://other/accel/; }
        location /_dispatcher/ { internal; client_max_body_size 0; proxy_pass http://other/; }
        client_max_body_size 100;
    }
}
END

# [namespace, template] of what was stored last.
sub stored {
    my ($post) = grep { $_->{method} eq 'POST' } reverse $api->seen or return 'nothing';
    my ($template) = $post->{body} =~ /"jobTemplateName":"([^"]*)"/;
    return ( what($post) )[1] . "/$template";
}

for (
    [ '/execute/a'               => 'from-http/a' ],
    [ '/execute/b/a'             => 'b/a' ],
    [ '/execute/a?x=y'           => 'from-http/a' ],
    [ '/jobs/run/a'              => 'runs/a' ],
    [ '/jobs/run/team-a/a'       => 'team-a/a' ],
    [ '/jobs/run/nested/a'       => 'runs/a' ],
    [ '/nightly'                 => 'reports/nightly' ],
    [ '/re/a.job'                => 'from-http/a' ],
    [ '/re/b/a.job'              => 'b/a' ],
    [ '/variable/?ns=v'          => 'v/from-header' ],
    [ '/old/b/a'                 => 'b/a' ],
    [ '/break/a'                 => 'team-b/a' ],
    [ '/try/x?t=a'               => 'tried/a' ],
    [ '/if/a'                    => 'from-http/a' ],
    [ '/if/a?x=1'                => 'from-http/a' ],
    [ '/only-put/a'              => 'from-http/a' ],
) {
    my ( $path, $want ) = @$_;
    my $answer = $nginx->http( PUT => $path, body => 'x', headers => [ 'X-Template' => 'from-header' ] );
    is( $answer->{status}, 201,   "$path: 201" ) or diag $answer->{body};
    is( stored(),          $want, "runs $want" );
}

my $answer = $nginx->http( POST => '/only-put/a', body => 'x' );
is( $answer->{status},                  403,                        'limit_except holds' );
is( $answer->{headers}{'content-type'}, 'application/problem+json', 'with a problem document' );
is( $nginx->http( PUT => '/own/a?x=1', body => 'x' )->{status}, 418, 'if with return' );
is( $nginx->http( PUT => '/own/a?y=1', body => 'x' )->{status}, 404, 'an if that leads elsewhere' );
is( join( ' ', map { $_->{target} } $api->seen ), '/own/a?y=1', 'leads there' );
$answer = $nginx->http( PUT => '/jobs/run/team-b/a', body => 'x' );
is( $answer->{status},       403, 'a namespace that is not served' );
is( $answer->{json}{type},   'tag:dispatcher.ivan.vc,2026:namespace-not-served', 'says so' );
is( $answer->{json}{detail}, 'The namespace "team-b" is not served here.',       'and names it' );
$answer = $nginx->http( PUT => '/variable/?ns=..%2f', body => 'x', headers => [ 'X-Template' => 'a' ] );
is( $answer->{status}, 400, 'what comes out of a variable is checked' );
$answer = $nginx->http( PUT => '/execute/a', body => 'x' x 101 );
is( $answer->{status}, 413, 'client_max_body_size' );
is( $answer->{json}{type}, 'tag:dispatcher.ivan.vc,2026:payload-too-large', 'as a problem' );
is( $nginx->http( GET => '/_dispatcher/apis' )->{status}, 404, 'the way to the API server is closed to clients' );
is( stored(), 'nothing', 'and nothing of this was stored' );

# --- internal locations that are not right: nothing is sent, and the log says what to do ---

for (
    [ missing => qr{the API call "/nowhere/apis/.*" ends in location "" without a proxy_pass: set "dispatcher_api" to an internal location} ],
    [ self    => qr{the API call "/self-api/apis/.*" ends in location "/self-api/" without a proxy_pass: set} ],
    [ open    => qr{location "/open/" leads to the API server with our credentials but is open to clients: add "internal;" to it} ],
) {
    my ( $name, $message ) = @$_;
    $answer = $nginx->http( PUT => "/$name-api/a", body => 'x' );
    is( $answer->{status},     500,                                         "$name: 500" );
    is( $answer->{json}{type}, 'tag:dispatcher.ivan.vc,2026:misconfigured', 'misconfigured' );
    is( scalar( () = $api->seen ), 0,                                         'nothing was sent' );
    like( $t->read('nginx.error.log'), $message, 'the log says what to do' );
}
$answer = $nginx->http( PUT => '/small-api/a', body => 'x' );
is( $answer->{status}, 500, 'an internal location with a small body limit' );
like( $t->read('nginx.error.log'), qr/ended with 413 before it reached its location: check "client_max_body_size 0;" there/, 'is explained' );
$answer = $nginx->http( PUT => '/page-api/demo', body => 'x' );
is( $answer->{status}, 500, 'an internal location with an error_page' );
like( $t->read('nginx.error.log'), qr{nginx itself answered the API call "/page/\S+" with 404: no "proxy_intercept_errors"}, 'is explained' );

$answer = $nginx->http( PUT => '/accel-api/demo', body => 'x' );
is( $answer->{status}, 500, 'an API server that redirects inside nginx' );
like( $t->read('nginx.error.log'), qr{was redirected to "/landing": add "proxy_ignore_headers X-Accel-Redirect;"}, 'is explained' );

# --- such a location must not hide what became of a POST that was sent ---

for ( [ 'hide-api/stored-409' => 201, 'GPG' ], [ 'hide-api/lost-409' => 500, 'GPG' ], [ 'twice-api/stored-close' => 201, 'GPG' ], [ 'twice-api/lost-close' => 502, 'GPGPG' ] ) {
    my ( $path, $status, $calls ) = @$_;
    $api->seen;
    is( $nginx->http( PUT => "/$path", body => 'x' )->{status}, $status, "$path: $status" );
    is( join( '', map { $_->{method} =~ /(.)/ } $api->seen ), $calls, 'the calls' );
}

# --- a rewrite that leaves the location: what to execute is not known ---

$answer = $nginx->http( PUT => '/astray/demo', body => 'x' );
is( $answer->{status},     500,                                         'a URI that is no longer of its location' );
is( $answer->{json}{type}, 'tag:dispatcher.ivan.vc,2026:misconfigured', 'misconfigured' );
is( scalar( () = $api->seen ), 0,                                       'nothing was sent' );
like( $t->read('nginx.error.log'), qr{"/elsewhere/demo" does not begin with location "/astray/": .*"dispatcher_execute \[namespace/\]template"}, 'the log says what to do' );

$t->done_testing;
