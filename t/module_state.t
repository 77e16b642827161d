#!/usr/bin/env perl
# What a worker remembers: templates, the token; what is counted; what the logs say.
use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use POSIX ();
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Kube qw(kube what status not_found template already_exists);
use Dispatcher::Test::Server qw(json);

my $t = Dispatcher::Test->new;

# The test changes what the API server says by these files.
$t->write( labels => 'one' );
$t->write( token  => "first\n" );
$t->write( valid  => 'first' );
$t->write( restless => 'token-0' );
POSIX::mkfifo( $t->path('fifo'), 0600 ) or die "mkfifo: $!";
$t->write( rotating => 'second' );
$t->write( rewritten => 'second' );
utime 1_700_000_000, 1_700_000_000, $t->path('rotating'), $t->path('rewritten');
my $collided = 0;
my $api = $t->api( sub {
    my ($request) = @_;
    my ( $resource, $ns, $name ) = what($request);
    my $bearer = $request->{headers}{authorization};
    if ( ( $name // '' ) eq 'restless' ) {
        $t->write_atomically( restless => "token-$request->{number}" );
        return json( 401, status( 401, 'Unauthorized', 'Unauthorized' ) );
    }
    if ( defined $bearer && !grep { $bearer eq "Bearer $_" } split ' ', $t->read('valid') ) {
        return json( 401, status( 401, 'Unauthorized', 'Unauthorized' ) );
    }
    if ( $resource eq 'jobtemplates' && $name =~ /^labelled/ ) {
        my $label = $t->read('labels');
        return $label eq 'gone' ? not_found( $resource, $name ) : template( $ns, $name, labels => { is => $label } );
    }
    return template( $ns, $name, labels => { map { ( "l$_" => 'x' x 60 ) } 1 .. 900 } ) if ( $name // '' ) =~ /^large/;
    return ( wait => 0.3, kube($request) ) if ( $name // '' ) eq 'slow';
    return ( until => $t->path('relabelled'), already_exists('x') ) if $request->{body} =~ /"payload":"collide"/ && !$collided++;
    return kube($request);
} );

my $nginx = $t->nginx( <<"END", log => 'info' );
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    log_format names '\$status \$dispatcher_namespace/\$dispatcher_template=\$dispatcher_execution id=\$request_id';
    access_log %%DIR%%/names.log names;
    dispatcher_zone zone=d:64k;
    upstream kube { server $api->{host} max_fails=0; keepalive 8; }
    server {
        listen 127.0.0.1:%%PORT:http%%;
        dispatcher_api /_dispatcher/;
        location /short/   { dispatcher_execute; dispatcher_template_cache 200ms; }
        location /while/   { dispatcher_execute; dispatcher_template_cache 3s; }
        location /long/    { dispatcher_execute; dispatcher_template_cache 1h; }
        location /off/     { dispatcher_execute; dispatcher_template_cache off; }
        location /token/   { dispatcher_execute; dispatcher_api /_token/; dispatcher_template_cache off; }
        location /no-token/ { dispatcher_execute; dispatcher_api /_no_token/; }
        location /fifo/     { dispatcher_execute; dispatcher_api /_fifo/; }
        location /restless/ { dispatcher_execute; dispatcher_api /_restless/; }
        location /rotating/ { dispatcher_execute; dispatcher_api /_rotating/; }
        location /rewritten/ { dispatcher_execute; dispatcher_api /_rewritten/; }
        location /loud/    { dispatcher_execute; dispatcher_api /_token/; error_log %%DIR%%/loud.log debug; }
        location /way/     { dispatcher_execute; dispatcher_api /_way/; }
        location /payload/ { dispatcher_execute; dispatcher_log_payloads on; }
        location /error/   { dispatcher_execute; error_page 413 /error.html; client_max_body_size 10; }
        location = /gone     { error_page 404 \@run; return 404; }
        location \@run       { dispatcher_execute fallback; }
        location = /error.html { return 413 "a page of the site"; }
        location = /metrics { dispatcher_metrics; access_log off; }
        location /_dispatcher/ { internal; client_max_body_size 0; proxy_pass http://kube/; }
        location /_token/ {
            internal;
            dispatcher_token_file token;
            proxy_set_header Authorization "Bearer \$dispatcher_token";
            proxy_pass http://kube/;
        }
        location /_no_token/ {
            internal;
            dispatcher_token_file no-such-file;
            proxy_set_header Authorization "Bearer \$dispatcher_token";
            proxy_pass http://kube/;
        }
        location /_fifo/ {
            internal;
            dispatcher_token_file fifo;
            proxy_set_header Authorization "Bearer \$dispatcher_token";
            proxy_pass http://kube/;
        }
        location /_restless/ {
            internal;
            dispatcher_token_file restless;
            proxy_set_header Authorization "Bearer \$dispatcher_token";
            proxy_pass http://kube/;
        }
        location /_rotating/ {
            internal;
            dispatcher_token_file rotating;
            proxy_set_header Authorization "Bearer \$dispatcher_token";
            proxy_pass http://kube/;
        }
        location /_rewritten/ {
            internal;
            dispatcher_token_file rewritten;
            proxy_set_header Authorization "Bearer \$dispatcher_token";
            proxy_pass http://kube/;
        }
        location /_way/ { internal; client_max_body_size 0; proxy_pass http://kube/; }
    }
    server {
        listen 127.0.0.1:%%PORT:other%%;
        dispatcher_api /_dispatcher/;
        dispatcher_template_cache 1h;
        location /long/ { dispatcher_execute; }
        location /_dispatcher/ { internal; client_max_body_size 0; proxy_pass http://kube/; }
    }
}
END

sub put { my ( $path, $body ) = @_; return $nginx->http( PUT => $path, body => $body // 'x' ) }

# G for each GET of a template, P for each POST, since the last time.
sub calls { return join '', map { $_->{method} eq 'POST' ? 'P' : 'G' } $api->seen }

# --- the template cache ---

put('/long/a') for 1 .. 3;
is( calls(), 'GPPP', 'one GET for a template that is remembered' );
put('/long/other/a');
is( calls(), 'GP', 'another namespace is another template' );
put('/way/a');
is( calls(), 'GP', 'so is one of another API' );
$t->http( '127.0.0.1:' . $t->port('other'), PUT => '/long/a', body => 'x' );
is( calls(), 'GP', 'and one of another server' );
put('/off/a') for 1 .. 2;
is( calls(), 'GPGP', 'off: one GET each time' );
put('/long/missing') for 1 .. 3;
is( calls(), 'GGG', 'what does not exist is not remembered' );

put('/short/labelled');
like( ( $api->seen )[1]{body}, qr/"labels":\{"is":"one"\}/, 'labels' );
$t->write_atomically( labels => 'two' );
$t->wait_for( 'the new labels', sub { put('/short/labelled'); ( $api->seen )[-1]{body} =~ /"is":"two"/ } );
pass('new labels are seen');
$t->write_atomically( labels => 'gone' );
$t->wait_for( 'the template to be gone', sub { put('/short/labelled')->{status} == 404 } );
is( put('/short/labelled')->{status}, 404, 'a deleted template stays unknown' );
$t->write_atomically( labels => 'back' );
is( put('/short/labelled')->{status}, 201, 'until it is back' );

# A request that is under way keeps the labels it began with, whatever becomes of what is remembered: its name is taken, and the template's labels have
# changed before it tries another one.
$t->write_atomically( labels => 'x' x 60 );
put('/while/labelled-too');
calls();
my $first = IO::Socket::INET->new( '127.0.0.1:' . $t->port('http') ) or die "connect: $!";
print {$first} "PUT /while/labelled-too HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 7\r\n\r\ncollide";
$t->wait_for( 'its POST', sub { ( $api->requests )[-1]{body} =~ /collide/ } );
is( calls(), 'P', 'the labels were remembered' );
$t->write_atomically( labels => 'y' x 60 );
$t->wait_for( 'the new labels', sub { put('/while/labelled-too'); ( $api->seen )[-1]{body} =~ /"is":"y{60}"/ } );
$t->write( relabelled => '' );
like( join( '', <$first> ), qr{^HTTP/1.1 201}, 'created under another name' );
like( ( $api->requests )[-1]{body}, qr/"labels":\{"is":"x{60}"\},.*"payload":"collide"/, 'with the labels it began with' );
calls();
put("/long/t$_") for 1 .. 1100;
is( calls(), 'GP' x 1100, '1100 templates' );
put('/long/t1100');
put('/long/t77');
put('/long/fresh');
put('/long/t77');
put('/long/t78');
is( calls(), 'PPGPPGP', 'the one that was not used for longest is forgotten, and no other' );
put("/long/large$_") for 1 .. 70;
calls();
put('/long/large70');
put('/long/large1');
put('/long/t1100');
is( calls(), 'PGPGP', '70 templates with 60 kB of labels: more than 4 MB, and the oldest are forgotten' );

# --- the token ---

is( put('/token/a')->{status}, 201, 'with the token' );
is( ( $api->seen )[0]{headers}{authorization}, 'Bearer first', 'which is sent' );
$t->write_atomically( token => 'second' );
$t->write_atomically( valid => 'second' );
is( put('/token/a')->{status}, 201, 'a token that was replaced is read again when the old one is refused' );
is( join( ' ', map { $_->{headers}{authorization} =~ s/Bearer //r } $api->seen ), 'first second second', 'once' );
$t->write_atomically( valid => 'third' );
is( put('/token/a')->{json}{type}, 'tag:dispatcher.ivan.vc,2026:api-credentials', 'a token that is refused for good' );
is( calls(), 'G', 'is not tried twice' );
for ( "\n \n", "a b", "a\r\nX-Evil: 1", "\xff", 'x' x 17000 ) {
    $t->write_atomically( token => $_ );
    $t->write_atomically( valid => 'second' );
    is( put('/token/a')->{status}, 201, 'a file that holds no token leaves the last one' );
    $t->write_atomically( valid => 'third' );
    is( put('/token/a')->{status}, 502, 'and is looked at' );
}
unlink $t->path('token');
is( put('/token/a')->{status}, 502, 'a file that is gone' );
$t->write_atomically( valid => 'second' );
is( put('/token/a')->{status}, 201, 'leaves it, too' );
calls();
my $answer = put('/no-token/a');
is( "$answer->{status} $answer->{json}{type}", '500 tag:dispatcher.ivan.vc,2026:misconfigured', 'no token at all' );
is( calls(), '', 'nothing is sent without it' );
is( put('/fifo/a')->{json}{type}, 'tag:dispatcher.ivan.vc,2026:misconfigured', 'nor with a FIFO, which nobody waits for' );
$t->write_atomically( 'no-such-file' => 'second' );
is( put('/no-token/a')->{status}, 201, 'until there is one, which is seen at once' );
calls();
is( put('/restless/restless')->{json}{type}, 'tag:dispatcher.ivan.vc,2026:api-credentials', 'a token that changes and is refused each time' );
is( calls(), 'GG', 'is tried twice' );
my $log = $t->read('nginx.error.log');
like( $log, qr/dispatcher_token_file: open\(\) "\S+no-such-file" failed \(2: No such file/, 'the log says which file' );
like( $log, qr/dispatcher_token_file: "\S+token" is empty/,                    'empty' );
like( $log, qr/dispatcher_token_file: "\S+token" has a character at byte 2 /,  'blank' );
like( $log, qr/dispatcher_token_file: "\S+token" is longer than 16384 bytes/,  'too long' );
unlike( $log, qr/second|Bearer/, 'no token in the log' );

# Where nobody says 401, a new token is seen within 10 seconds: by the file's number where its time stays the same, by its time where it is the same file.
$t->write_atomically( valid => 'second fourth' );
put("/$_/a") for qw(rotating rewritten);
my ($inode) = ( stat $t->path('rewritten') )[1];
$t->write( 'rotating.next' => 'fourth' );
utime 1_700_000_000, 1_700_000_000, $t->path('rotating.next');
rename $t->path('rotating.next'), $t->path('rotating') or die "rename: $!";
$t->write( rewritten => 'fourth' );
is( ( stat $t->path('rewritten') )[1], $inode, 'still the same file' );
calls();
for my $file (qw(rotating rewritten)) {
    $t->wait_for( "the new token of $file", sub { put("/$file/a"); ( $api->seen )[-1]{headers}{authorization} eq 'Bearer fourth' }, 30 );
}
pass('a token that is replaced is read again, also when the old one is still good');

# Even at nginx's debug level it is nginx's own lines that show the token, none of ours.
$t->write_atomically( token => 'shibboleth' );
$t->write_atomically( valid => 'shibboleth' );
is( put('/loud/a')->{status}, 201, 'with all that nginx can log' );
my @loud = grep {/shibboleth/} split /\n/, $t->read('loud.log');
is( scalar( grep { !/http script (?:var|copy)|http proxy header|^Authorization: Bearer/ } @loud ), 0, 'no line of ours shows the token' ) or diag @loud;

# --- payloads ---

put( '/long/a', 'my secret payload' );
unlike( $t->read('nginx.error.log'), qr/my secret payload/, 'payloads are not logged' );
put( '/payload/a', "line 1\n2026 [alert] forged" . 'x' x 5000 );
like( $t->read('nginx.error.log'), qr/dispatcher payload for default\/a, 5026 bytes: "line 1\\n2026 \[alert\] forgedxxx/, 'unless asked for, on one line' );
$t->allow(qr/dispatcher payload for/);

# --- variables ---

$answer = put('/long/team/a');
$t->wait_for( 'the access log', sub { $t->read('names.log') =~ /=\Q$answer->{json}{name}\E / } );
my ($line) = grep {/=\Q$answer->{json}{name}\E /} split /\n/, $t->read('names.log');
my ($id) = $answer->{json}{name} =~ /-(.*)/;
like( $line, qr/^201 team\/a=\Q$answer->{json}{name}\E id=$id[0-9a-f]{22}$/, 'the variables' );
put('/long/Bad');
$t->wait_for( 'the access log', sub { $t->read('names.log') =~ /^400 /m } );
like( $t->read('names.log'), qr/^400 -\/-=- id=/m, 'are empty where there is nothing to say' );

# --- counters ---

sub values_of {
    my %value;
    for ( split /\n/, $nginx->http( GET => '/metrics' )->{body} ) {
        $value{$1} = $2 if /^([^# ].*) ([0-9.]+)$/;
    }
    return \%value;
}

$answer = $nginx->http( GET => '/metrics' );
is( $answer->{status}, 200, 'metrics' );
is( $answer->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', 'in Prometheus\' format' );
is( $nginx->http( HEAD => '/metrics' )->{headers}{'content-length'}, length $answer->{body}, 'HEAD' );
is( $nginx->http( POST => '/metrics', body => '' )->{status}, 405, 'nothing else' );

sub counts_after {
    my ( $do, $requests ) = @_;
    my $before = values_of();
    $do->();

    # A request is counted when it is over, which may be after its answer.
    my $after;
    $t->wait_for( 'the count', sub { $after = values_of(); $after->{job_requests_total} >= $before->{job_requests_total} + ( $requests // 1 ) } );
    my %delta = map { $_ => $after->{$_} - $before->{$_} } grep { $after->{$_} != $before->{$_} } keys %$after;
    delete $delta{$_} for grep {/_duration_seconds_/} keys %delta;
    return \%delta;
}

is_deeply(
    counts_after( sub { put('/off/a') } ),
    {
        job_requests_total                                                         => 1,
        job_requests_success_total                                                 => 1,
        'dispatcher_http_requests_total{class="2xx"}'                              => 1,
        'dispatcher_api_calls_total{call="get_template",outcome="ok"}'             => 1,
        'dispatcher_api_calls_total{call="create_execution",outcome="ok"}'         => 1,
    },
    'a success'
);
is_deeply(
    counts_after( sub { put('/long/missing') } ),
    {
        job_requests_total                                                         => 1,
        job_requests_failures_total                                                => 1,
        job_requests_not_found_failures_total                                      => 1,
        dispatcher_template_cache_misses_total                                     => 1,
        'dispatcher_http_requests_total{class="4xx"}'                              => 1,
        'dispatcher_api_calls_total{call="get_template",outcome="not_found"}'      => 1,
    },
    'a missing template'
);
my $refused = { job_requests_total => 1, job_requests_failures_total => 1, 'dispatcher_http_requests_total{class="4xx"}' => 1 };
is_deeply( counts_after( sub { put('/long/Bad') } ),                             $refused, 'a bad name' );
is_deeply( counts_after( sub { $nginx->http( GET => '/long/a' ) } ),             $refused, 'a bad method' );
is_deeply( counts_after( sub { put( '/long/a', 'x' x 2_000_000 ) } ),            $refused, 'a body that nginx refuses' );
is_deeply( counts_after( sub { $nginx->http( OPTIONS => '/long/a' ) } ), { job_requests_total => 1, 'dispatcher_http_requests_total{class="2xx"}' => 1 }, 'OPTIONS' );
is_deeply(
    counts_after( sub { put('/gone') } ),
    {
        job_requests_total                                                 => 1,
        job_requests_success_total                                         => 1,
        dispatcher_template_cache_misses_total                             => 1,
        'dispatcher_http_requests_total{class="4xx"}'                      => 1,
        'dispatcher_api_calls_total{call="get_template",outcome="ok"}'     => 1,
        'dispatcher_api_calls_total{call="create_execution",outcome="ok"}' => 1,
    },
    'an execution that an error_page asks for is none that was not found'
);
is_deeply( counts_after( sub { $nginx->http( GET => '/nothing' ) }, 0 ), {}, 'what is not ours' );
is_deeply( counts_after( sub { $nginx->http( PUT => '/error/a', chunked => [ 'x' x 11 ] ) } ), $refused, 'a body that is found too large, and an error_page that leads elsewhere' );
is( put( '/error/a', 'x' x 11 )->{body}, 'a page of the site', 'an error_page goes before our problem documents' );

$t->wait_for( 'nothing in flight', sub { values_of()->{dispatcher_http_requests_in_flight} == 0 } );

my $slow = Dispatcher::Test::Http->new( $nginx->{host} );
$slow->send("PUT /off/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
$t->wait_for( 'a request in flight', sub { values_of()->{dispatcher_http_requests_in_flight} == 1 } );
is( $slow->response->{status},                               201, 'a slow request' );
$slow->close;
$t->wait_for( 'nothing in flight', sub { values_of()->{dispatcher_http_requests_in_flight} == 0 } );

# Over a reload, and the death of a worker with a request in flight.
my $before = values_of();
$nginx->reload;
is( values_of()->{job_requests_total}, $before->{job_requests_total}, 'a reload loses no count' );
$slow = Dispatcher::Test::Http->new( $nginx->{host} );
$slow->send("PUT /off/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
$t->wait_for( 'a request in flight', sub { values_of()->{dispatcher_http_requests_in_flight} == 1 } );
my ($worker) = $nginx->workers;
$t->allow(qr/worker process $worker exited on signal 9/);
kill 'KILL', $worker;
$t->wait_for( 'another worker', sub { my ($now) = $nginx->workers; $now && $now != $worker } );
my $after = values_of();
is( $after->{job_requests_total},                    $before->{job_requests_total}, 'nor does a worker that dies' );
is( $after->{dispatcher_http_requests_in_flight}, 0,                                 'and its requests are not in flight for ever' );
$slow->close;

# The histogram adds up.
my $count = $after->{'dispatcher_http_request_duration_seconds_count'};
is( $count, $after->{'dispatcher_http_request_duration_seconds_bucket{le="+Inf"}'}, '+Inf is the count' );
is( $count, $after->{job_requests_total}, 'of all requests' );

SKIP: {
    skip 'no promtool', 1 unless grep { -x "$_/promtool" } split /:/, $ENV{PATH};
    my $result = $t->run( 'promtool', 'check', 'metrics', { stdin => $nginx->http( GET => '/metrics' )->{body} } );
    is( "$result->{status} $result->{out}$result->{err}", '0 ', 'promtool check metrics' );
}

$t->done_testing;
