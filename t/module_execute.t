#!/usr/bin/env perl
# dispatcher_execute with an API server that behaves: what the client gets, and exactly what the API server sees.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Dispatcher::Test;
use Dispatcher::Test::Kube qw(kube template what);

my $t   = Dispatcher::Test->new;
my $api = $t->api( sub {
    my ($request) = @_;
    my ( $resource, $ns, $name ) = what($request);
    if ( ( $name // '' ) eq 'labelled' ) {
        return template( $ns, $name, labels => { app => 'x', 'example.com/tier' => "\x{e9}" }, annotations => { big => 'y' x 100_000 } );
    }
    return kube($request);
} );

# A header without a value is not sent: in the internal location nothing is known of the client's.
my $nginx = $t->nginx( $t->front(
    $api,
    http => 'client_body_buffer_size 16k;',
    api  => 'proxy_set_header X-Client "$http_cookie$http_authorization$http_x_forwarded_for$http_range$http_te$remote_user";',
) );

sub seen { return $api->seen }

sub sent_object { return JSON::PP->new->utf8->decode( $_[0]{body} ) }

# --- 201 ---

for my $method (qw(PUT POST)) {
    my $answer = $nginx->http( $method => '/execute/demo', body => 'hello' );
    is( $answer->{status},                  201,                "$method: 201" );
    is( $answer->{headers}{'content-type'}, 'application/json', 'JSON' );
    like( $answer->{json}{name}, qr/^demo-[0-9a-f]{10}$/, 'a name of the template and the request id' );
    is_deeply(
        $answer->{json},
        {
            namespace         => 'default',
            name              => $answer->{json}{name},
            uid               => "uid-of-$answer->{json}{name}",
            jobTemplateName   => 'demo',
            creationTimestamp => '2026-11-22T18:00:00Z',
        },
        'the members of the answer'
    );
    my @requests = seen();
    my $post     = pop @requests;
    my $object   = sent_object($post);
    my $id       = $object->{metadata}{annotations}{'dispatcher.ivan.vc/request-id'};
    like( $id, qr/^[0-9a-f]{32}$/, 'the request id goes along' );
    is( $answer->{json}{name}, 'demo-' . substr( $id, 0, 10 ), 'and the name is made of it' );
    is_deeply(
        $object,
        {
            apiVersion => 'dispatcher.ivan.vc/v1beta1',
            kind       => 'JobExecution',
            metadata   => { name => $answer->{json}{name}, namespace => 'default', annotations => { 'dispatcher.ivan.vc/request-id' => $id } },
            spec       => { jobTemplateName => 'demo', payload => 'hello' },
        },
        'the JobExecution'
    );
}

# --- exactly what the API server sees ---

my $answer = $nginx->http( PUT => '/execute/team-a/bare?secret=1', body => 'x', headers => [
    Authorization      => 'Bearer client',          Cookie          => 'a=b',   'Impersonate-User' => 'root',
    'Accept-Encoding'  => 'gzip',                   Range           => 'bytes=0-1', 'If-None-Match' => '*',
    'Content-Type'     => 'text/weird',             'X-Forwarded-For' => '1.2.3.4', Expect => '100-continue',
    'X-Remote-User'    => 'root',                   TE              => 'trailers', 'User-Agent' => 'client',
] );
is( $answer->{status}, 201, 'a request full of headers' );
my ( $get, $post ) = seen();
my $version = $t->read("$t->{top}/VERSION") =~ s/\s+//r;
my $accept  = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
is( $get->{raw}, <<"END" =~ s/\n/\r\n/gr, 'the GET, byte for byte' );
GET /apis/dispatcher.ivan.vc/v1beta1/namespaces/team-a/jobtemplates/bare HTTP/1.1
Host: dispatcher-kube
Accept: $accept
User-Agent: dispatcher/$version

END
my $length = length $post->{body};
is( $post->{raw} =~ s/\r\n\r\n\K.*//sr, <<"END" =~ s/\n/\r\n/gr, 'the head of the POST, byte for byte' );
POST /apis/dispatcher.ivan.vc/v1beta1/namespaces/team-a/jobexecutions?fieldManager=dispatcher HTTP/1.1
Host: dispatcher-kube
Content-Length: $length
Accept: $accept
User-Agent: dispatcher/$version
Content-Type: application/json

END
is( sent_object($post)->{metadata}{namespace}, 'team-a', 'the namespace of the path' );

# --- labels ---

$answer = $nginx->http( PUT => '/execute/labelled', body => '' );
is( $answer->{status}, 201, 'a template with labels, and a page of annotations' );
is_deeply( sent_object( ( seen() )[-1] )->{metadata}{labels}, { app => 'x', 'example.com/tier' => "\x{e9}" }, 'the labels are copied' );

# --- payloads ---

# A JSON string as the module writes it.
sub quoted {
    my ($text) = @_;
    my %short = ( "\b" => 'b', "\f" => 'f', "\n" => 'n', "\r" => 'r', "\t" => 't' );
    $text =~ s/([\\"])/\\$1/g;
    $text =~ s{([\0-\x1f])}{'\\' . ( $short{$1} // sprintf 'u%04x', ord $1 )}ge;
    return qq("$text");
}

my $all_ascii = join '', map {chr} 1 .. 127;
my @payloads  = (
    [ 'empty'                 => '' ],
    [ 'all ASCII but NUL'     => $all_ascii ],
    [ 'quotes and templates'  => qq({"a":"{{ .Payload }}\\n"}\r\n\$(HOME)) ],
    [ 'emoji'                 => "\xf0\x9f\x98\x80\xe2\x80\xa8\xc3\xa9" ],
    [ 'one buffer'            => 'x' x 16384 ],
    [ 'a temporary file'      => "0123456789abcde\n" x 8192 ],
    [ 'a megabyte of quotes'  => '"' x 1048576 ],
    [ 'runes over buffer ends' => "\xe2\x82\xac" x 100_000 ],
);
for (@payloads) {
    my ( $name, $payload ) = @$_;
    for my $how ( [ body => $payload ], [ chunked => [ unpack '(a1000)*', $payload ] ] ) {
        $answer = $nginx->http( PUT => '/execute/demo', @$how );
        is( $answer->{status}, 201, "$name, $how->[0]: 201" );
        my $body = ( seen() )[-1]{body};
        my $end  = '"payload":' . quoted($payload) . '}}';
        ok( substr( $body, -length $end ) eq $end, 'byte for byte' );
    }
}

# --- a connection that is used again, and trickled bodies ---

my $c = Dispatcher::Test::Http->new( $nginx->{host} );
for my $i ( 1 .. 3 ) {
    $c->send("POST /execute/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    $c->send('cde');
    is( $c->response->{status}, 201, "request $i of one connection" );
}
$c->send( "POST /execute/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na" x 3 );
is( $c->response->{status}, 201, 'pipelined' ) for 1 .. 3;
$c->send("PUT /execute/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
$c->send('abc');
$answer = $c->response;
is( $answer->{status}, 201, 'Expect: 100-continue' );
is_deeply( $answer->{interim}, [100], 'is told to continue' );
$c->close;

# --- long names ---

my $long = join '.', ( 'a' x 60 ) x 4;
$answer = $nginx->http( PUT => "/execute/$long", body => 'x' );
is( $answer->{status},              201, 'a template with a long name' );
is( length $answer->{json}{name},   63,  'the name fits into a label' );
like( $answer->{json}{name}, qr/^a{52}-[0-9a-f]{10}$/, 'and keeps its id' );
$answer = $nginx->http( PUT => '/execute/' . ( 'a' x 51 ) . '.b', body => 'x' );
like( $answer->{json}{name}, qr/^a{51}-[0-9a-f]{10}$/, 'a cut at a dot leaves no dot' );
is( sent_object( ( seen() )[-1] )->{spec}{jobTemplateName}, ( 'a' x 51 ) . '.b', 'the template keeps its name' );

$t->done_testing;
