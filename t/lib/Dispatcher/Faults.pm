# What the controller asks of an API server, and what can go wrong with it: for t/controller_faults.t and t/soak/controller.
#
#   %calls:    name => { match => what a rule of devcluster matches, kind => the execution that makes such a request }
#   %watches:  resource => { match => …, kinds => what /kill-watches takes }
#   @faults, @watch_faults:  { name => …, the rest of a rule }
#   rule( match, fault, more )    the rule, for the controller's requests only
package Dispatcher::Faults;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(%calls %watches @faults @watch_faults rule);

my $DISPATCHER = '/apis/dispatcher.ivan.vc/v1beta1';

our %calls = (
    'create a Job'         => { match => { method => 'POST',   path => '/apis/batch/v1/namespaces/*/jobs' },     kind => 'plain' },
    'store a status'       => { match => { method => 'PATCH',  path => "$DISPATCHER/namespaces/*/jobexecutions/*/status" }, kind => 'plain' },
    'read the pods'        => { match => { method => 'GET',    path => '/api/v1/namespaces/*/pods' },            kind => 'failing' },
    'store the TTL'        => { match => { method => 'PATCH',  path => '/apis/batch/v1/namespaces/*/jobs/*' },   kind => 'ttl' },
    'read a Job'           => { match => { method => 'GET',    path => '/apis/batch/v1/namespaces/*/jobs/*' },   kind => 'ttl' },
    'delete the execution' => { match => { method => 'DELETE', path => "$DISPATCHER/namespaces/*/jobexecutions/*" }, kind => 'ttl' },
    'record an Event'      => { match => { method => 'POST',   path => '/api/v1/namespaces/*/events' },          kind => 'plain' },
);

our %watches = (
    jobtemplates  => { match => { path => "$DISPATCHER/jobtemplates" },  kinds => 'jobtemplates.dispatcher.ivan.vc' },
    jobexecutions => { match => { path => "$DISPATCHER/jobexecutions" }, kinds => 'jobexecutions.dispatcher.ivan.vc' },
    jobs          => { match => { path => '/apis/batch/v1/jobs' },       kinds => 'jobs.batch' },
);

our @faults = (
    ( map { { name => "dropped at $_", fault => 'drop', stage => $_ } } qw(arrived served) ),
    ( map { { name => "$_ before",     fault => 'status', code => $_ } } 401, 409, 410, 429, 500, 503, 504 ),
    ( map { { name => "$_ after",      fault => 'status', code => $_, stage => 'served' } } 500, 504 ),
    { name => '429 with Retry-After',    fault => 'status', code => 429, retryAfter => 1 },
    { name => 'slow before',             fault => 'delay',  ms   => 300 },
    { name => 'slow after',              fault => 'delay',  ms   => 300, stage => 'served' },
    { name => 'cut',                     fault => 'cut',    stage => 'served' },
    { name => 'garbled',                 fault => 'garble', stage => 'served' },
    { name => 'a proxy\'s page before',  fault => 'html' },
    { name => 'a proxy\'s 404 before',   fault => 'html', code => 404 },
    { name => 'a proxy\'s page after',   fault => 'html', stage => 'served' },
);

our @watch_faults = (
    { name => 'dropped',                fault => 'drop' },
    { name => 'answer 410',                    fault => 'status', code => 410 },
    { name => 'answer 429',                    fault => 'status', code => 429 },
    { name => 'answer 500',                    fault => 'status', code => 500 },
    { name => 'a proxy\'s page',        fault => 'html' },
    { name => 'late events',            fault => 'lag', ms => 200 },
    { name => 'events twice',           fault => 'duplicate' },
    { name => 'a cut line',             fault => 'cutLine' },
    { name => 'a garbled line',         fault => 'garbleLine' },
);

sub rule {
    my ( $match, $fault, %more ) = @_;
    my %rule = ( %$fault, match => { %$match, userAgent => 'dispatcher-controller/*' }, %more );
    delete $rule{name};
    return \%rule;
}

1;
