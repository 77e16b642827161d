#!/usr/bin/env perl
# Dispatcher on a real control plane: the Pod's own nginx.conf, and exactly the rights that deploy/ grants. What only a real API server does:
# RBAC, quota, admission policies, restarts, compaction, refused tokens, garbage collection, TTL, kubectl's view of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;

use Dispatcher::Kube;
use Dispatcher::Test;

my $top  = "$FindBin::Bin/../..";
my $t    = Dispatcher::Test->new;
my $kube = Dispatcher::Kube->start( dir => $t->dir . '/kube', audit => 1 );
my $JSON = JSON::PP->new->canonical->utf8;
my $SYSTEM = 'dispatcher-system';

# --- as a Pod of the overlay `split` has it ---------------------------------------------------------------------------

{
    local $ENV{KUBECONFIG} = $kube->kubeconfig;
    local $ENV{OVERLAY}    = 'split';
    local $ENV{PATH}       = $kube->assets . ":$ENV{PATH}";
    my $out = qx('$top/deploy/tool' deploy dispatcher:test 2>&1 </dev/null);
    is( $?, 0, 'make deploy OVERLAY=split' ) or diag($out);
}
# There are no nodes, and the stand-in is not to run these Pods: it cannot, their programs run here.
$kube->kubectl( qw(scale deployment --all --replicas=0 -n), $SYSTEM );
$kube->kubectl( 'apply', '-f', "$top/deploy/samples/jobtemplate.yaml" );

my $kubelet = $t->start( 'kubelet', $t->build . '/kubelet', '--kubeconfig', $kube->kubeconfig, '--logs', $t->dir );
my $web     = $kube->mount_of( $SYSTEM, 'dispatcher-web' );
my $manager = $kube->mount_of( $SYSTEM, 'dispatcher-manager' );
my $controller;
controller_runs();
my $nginx = $t->nginx( $kube->nginx_of_pod( $t, $web ) );

# Starts it when it does not run, as the kubelet does: a leader that cannot renew its Lease for 10 s exits.
sub controller_runs {
    return if $controller && $controller->alive;
    $controller->{may_fail} = 1 if $controller;
    $controller = $t->controller( $manager, '--leader-elect', "--leader-elect-namespace=$SYSTEM" );
    return;
}

# --- helpers --------------------------------------------------------------------------------------------------------

sub run_template {
    my ( $name, $payload ) = @_;
    my $answer = $nginx->http( PUT => "/execute/default/$name", body => $payload );
    is( $answer->{status}, 201, "PUT $name" ) or diag( $answer->{body} );
    return $answer->{json}{name};
}

sub get {
    my ( $kind, $name, $path, $namespace ) = @_;
    return ( $kube->try_kubectl( 'get', $kind, $name, '-n', $namespace // 'default', '-o', "jsonpath=$path" ) )[1];
}

sub ends {
    my ( $name, $state, $what ) = @_;
    my $now = '';
    my $ok  = eval {
        $t->wait_for( "$name to be $state", sub { controller_runs(); ( $now = get( 'je', $name, '{.status.state}' ) ) eq $state }, 30 );
        1;
    };
    ok( $ok, "$what: $state" ) or diag( "it is $now\n", $kube->kubectl( 'describe', 'je', $name ), $controller->text );
    return;
}

sub template {
    my ( $name, $command, $spec, %metadata ) = @_;
    my $object = {
        apiVersion => 'dispatcher.ivan.vc/v1beta1',
        kind       => 'JobTemplate',
        metadata   => { name => $name },
        spec       => { jobTemplate => { metadata => {%metadata}, spec => {
            backoffLimit => 0, %{ $spec || {} },
            template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c', image => 'x', command => $command } ] } },
        } } },
    };
    $kube->kubectl( \$JSON->encode($object), qw(apply -f -) );
    return;
}

sub jobs_of {
    my ($name) = @_;
    return split ' ', $kube->kubectl( 'get', 'jobs', '-l', "job-execution-name=$name", '-o', 'name' );
}

# --- the main job ---------------------------------------------------------------------------------------------------

my $name = run_template( 'jobtemplate-sample', q{my "test" $(HOME) {{ payload }} ü} );
ends( $name, 'Succeeded', 'the sample' );
is( scalar jobs_of($name), 1, 'one Job was made' );
my ($log) = glob( $t->dir . "/default_${name}*.log" ), glob( $t->dir . '/default_jobtemplate-sample*.log' );
is( $t->read($log), qq{my "test" \$(HOME) {{ payload }} ü\n}, 'with the payload as it was' );
like( $kube->kubectl( 'get', 'je', $name ), qr/^\S+ +jobtemplate-sample +Succeeded +JobSucceeded +\S+ +\d+s$/m, 'kubectl get' );
like( $kube->kubectl( 'describe', 'je', $name ), qr/Events:.*Completed/s, 'kubectl describe shows Events' );
like( $kube->kubectl( 'wait', '--for=condition=Succeeded', "je/$name" ), qr/condition met/, 'kubectl wait' );

template( 'fails', [qw(sh -c), 'exit 3'] );
$name = run_template( 'fails', '' );
ends( $name, 'Failed', 'a failing Job' );
is( get( 'je', $name, '{.status.failure.reason} {.status.failure.container} {.status.failure.exitCode}' ), 'BackoffLimitExceeded c 3', 'says why' );

is( $nginx->http( PUT => '/execute/default/no-such-template', body => 'x' )->{status}, 404, 'no such JobTemplate' );
is( $nginx->http( PUT => '/execute/no-such-namespace/x',      body => 'x' )->{status}, 404, 'no such namespace' );

# --- rights ---------------------------------------------------------------------------------------------------------

sub may {
    my ( $account, $verb, $what, @more ) = @_;
    return ( $kube->try_kubectl( 'auth', 'can-i', $verb, $what, "--as=system:serviceaccount:$SYSTEM:$account", '-n', 'default', @more ) )[0] == 0;
}
for my $refused (
    [qw(dispatcher-web create jobs)],         [qw(dispatcher-web list jobexecutions)],    [qw(dispatcher-web delete jobexecutions)],
    [qw(dispatcher-web update jobtemplates)], [qw(dispatcher-web get secrets)],           [qw(dispatcher-manager get secrets)],
    [qw(dispatcher-manager delete jobs)],     [qw(dispatcher-manager create pods)],       [qw(dispatcher-manager update jobtemplates)],
    [qw(dispatcher-manager create jobexecutions)], [qw(dispatcher-manager get leases)],
    )
{
    ok( !may(@$refused), "@$refused: no" );
}
ok( may(qw(dispatcher-manager create jobs)), 'dispatcher-manager create jobs: yes' );
ok( may( qw(dispatcher-manager update leases.coordination.k8s.io/b7a548ab.ivan.vc -n), $SYSTEM ), 'its Lease: yes' );
unlike( $controller->text, qr/forbidden|Forbidden|\b403\b/, 'the controller needed no right that it does not have' );

# The same roles bound to somebody else: aggregation.
$kube->kubectl(qw(create serviceaccount someone));
$kube->kubectl(qw(create rolebinding someone --clusterrole=view --serviceaccount=default:someone));
$t->wait_for( 'the roles to be aggregated', sub { ( $kube->try_kubectl(qw(auth can-i get je --as=system:serviceaccount:default:someone)) )[0] == 0 } );
isnt( ( $kube->try_kubectl(qw(auth can-i create je --as=system:serviceaccount:default:someone)) )[0], 0, 'view may look, not run' );

# A name that is taken: the right to read a Job.
template( 'named', ['true'], {}, name => 'taken' );
$kube->kubectl(qw(create job taken --image=x -- true));
$name = run_template( 'named', '' );
$t->wait_for( 'the conflict to be seen', sub { get( 'je', $name, '{.status.reason}' ) eq 'JobNameConflict' } );
$kube->kubectl(qw(delete job taken));
ends( $name, 'Succeeded', 'a Job of a name that was taken' );

# --- quota and admission --------------------------------------------------------------------------------------------

template( 'plain', ['true'] );
$kube->kubectl(qw(create quota jobs --hard=count/jobs.batch=0));
$t->wait_for( 'the quota to be in force', sub { get( 'quota', 'jobs', '{.status.hard}' ) ne '' } );
$name = run_template( 'plain', '' );
$t->wait_for( 'the refusal to be seen', sub { get( 'je', $name, '{.status.reason}' ) eq 'JobRefused' } );
like( get( 'je', $name, '{.status.conditions[?(@.type=="Waiting")].message}' ), qr/exceeded quota/, 'a quota is in the condition' );
$kube->kubectl(qw(delete quota jobs));
ends( $name, 'Succeeded', 'when the quota is gone' );
is( scalar jobs_of($name), 1, 'one Job was made' );

$kube->kubectl( \<<'END', qw(apply -f -) );
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: payloads}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [dispatcher.ivan.vc], apiVersions: ["*"], operations: [CREATE], resources: [jobexecutions]}]
  validations: [{expression: "object.spec.payload != 'forbidden'", message: this payload is not allowed here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: payloads}
spec: {policyName: payloads, validationActions: [Deny]}
END
my $answer;
$t->wait_for( 'the policy to be in force', sub {
    $answer = $nginx->http( PUT => '/execute/default/plain', body => 'forbidden' );
    $answer->{status} != 201;
} );
is( $answer->{status}, 422, 'a policy refuses' ) or diag( $answer->{body} );
like( $answer->{json}{detail}, qr/this payload is not allowed here/, 'in its own words' );

# --- the API server's bad days ----------------------------------------------------------------------------------------

template( 'slow', [qw(sleep 3)] );
$name = run_template( 'slow', '' );
$t->wait_for( 'it to run', sub { get( 'je', $name, '{.status.state}' ) eq 'Running' } );
$kube->restart_apiserver;
ends( $name, 'Succeeded', 'over a restart of the API server' );
is( scalar jobs_of($name), 1, 'one Job was made' );
$name = run_template( 'plain', '' );
ends( $name, 'Succeeded', 'after it' );

$kube->compact;
$name = run_template( 'plain', '' );
ends( $name, 'Succeeded', 'after a compaction' );

# Tokens that expire while both programs hold them, as when a kubelet was away for long. What comes meanwhile is refused and says so, what is
# stored waits; with the next token in the file both go on by themselves.
$kube->mount_of( $SYSTEM, $_, 20 ) for qw(dispatcher-web dispatcher-manager);
$name = run_template( 'plain', '' );
ends( $name, 'Succeeded', 'with a token of 20 s' );
$t->wait_for( "nginx's token to expire", sub { controller_runs(); ( $answer = $nginx->http( PUT => '/execute/default/plain', body => '' ) )->{status} != 201 }, 60 );
is( $answer->{status}, 502, 'an expired token is a 502' ) or diag( $answer->{body} );
unlike( $answer->{body}, qr/eyJ/, 'and stays a secret' );
$t->wait_for( "the controller's token to expire", sub { ( $kube->try_kubectl( '--kubeconfig', $manager->{kubeconfig}, qw(get jobexecutions) ) )[0] != 0 }, 60 );
$kube->kubectl( \$JSON->encode( {
    apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', metadata => { name => 'meanwhile' },
    spec => { jobTemplateName => 'plain', payload => '' },
} ), qw(create -f -) );
is( scalar jobs_of('meanwhile'), 0, 'nothing is made with an expired token' );
$kube->mount_of( $SYSTEM, $_ ) for qw(dispatcher-web dispatcher-manager);
ends( 'meanwhile', 'Succeeded', 'what was stored meanwhile' );
is( scalar jobs_of('meanwhile'), 1, 'one Job was made' );
$t->wait_for( 'nginx to take the new token', sub { $nginx->http( PUT => '/execute/default/plain', body => '' )->{status} == 201 }, 30 );
unlike( join( '', map { $_->text } $controller, $nginx ), qr/eyJ/, 'no token is in a log' );

# A ServiceAccount that is made anew has another uid: tokens of the old one are refused, as expired ones are.
for my $account (qw(dispatcher-web dispatcher-manager)) {
    $kube->kubectl( 'delete', 'serviceaccount', $account, '-n', $SYSTEM );
    $kube->kubectl( 'create', 'serviceaccount', $account, '-n', $SYSTEM );
    $kube->mount_of( $SYSTEM, $account );
}
$t->wait_for( 'the new tokens to be taken', sub { $nginx->http( PUT => '/execute/default/plain', body => '' )->{status} == 201 }, 30 );
$name = run_template( 'plain', '' );
ends( $name, 'Succeeded', 'with new tokens' );

# --- garbage collection and TTL ---------------------------------------------------------------------------------------

template( 'long', [qw(sleep 1000)] );
$name = run_template( 'long', '' );
$t->wait_for( 'it to run', sub { get( 'je', $name, '{.status.state}' ) eq 'Running' } );
$kube->kubectl( 'delete', 'je', $name );
$t->wait_for( 'its Job to be collected', sub { !jobs_of($name) } );
$t->wait_for( 'its Pods to go', sub { $kube->kubectl( qw(get pods -o name), '-l', "batch.kubernetes.io/job-name" ) !~ /long/ } );
pass('deleting a JobExecution ends its Job');

# The Job may go the moment that its end is recorded: only a watch sees that for certain. The Job ends when there is one.
template( 'short-lived', [ 'sh', '-c', "until test -e $t->{dir}/watched; do sleep 0.1; done" ], { ttlSecondsAfterFinished => 1 } );
$name = run_template( 'short-lived', '' );
my $watch = $t->start( 'watch', "$kube->{assets}/kubectl", "--kubeconfig=@{[ $kube->kubeconfig ]}", qw(get je --watch -o), 'jsonpath={.status.state}{"\n"}', $name, { may_fail => 1 } );
$t->wait_for( 'the watch to show that it runs', sub { $watch->text =~ /Running/ } );
$t->write( watched => '' );
$t->wait_for( 'the JobExecution to go with its Job', sub { ( $kube->try_kubectl( 'get', 'je', $name ) )[0] != 0 }, 60 );
$watch->stop('KILL');
like( $watch->text, qr/Running\nSucceeded/, 'a TTL of 1 s: the end was seen before the Job went' );
is( scalar jobs_of($name), 0, 'and nothing is left' );

# --- kubectl's own ways -----------------------------------------------------------------------------------------------

$kube->kubectl( 'apply', '-f', "$top/deploy/samples/jobexecution.yaml" );
ends( 'jobexecution-sample', 'Succeeded', 'a JobExecution by kubectl' );
$kube->kubectl( 'delete', 'job', get( 'je', 'jobexecution-sample', '{.status.job.name}' ) );
$t->wait_for( 'the JobExecution to go with its Job', sub { ( $kube->try_kubectl(qw(get je jobexecution-sample)) )[0] != 0 } );
$name = run_template( 'long', '' );
$t->wait_for( 'it to run', sub { get( 'je', $name, '{.status.state}' ) eq 'Running' } );
$kube->kubectl( 'delete', jobs_of($name) );
ends( $name, 'Failed', 'a Job deleted by hand' );
is( get( 'je', $name, '{.status.reason}' ), 'JobDeleted', 'says so' );

# --- what ivanvc/dispatcher left --------------------------------------------------------------------------------------

# Its Jobs have random names; that they are ours is said by label and owner reference. One JobExecution with the Job recorded, as the original
# records it, one whose Job was not recorded yet, one that never started.
$controller->stop;
my %left = map { $_ => 1 } qw(recorded unrecorded unstarted);
for my $name ( sort keys %left ) {
    $kube->kubectl( \$JSON->encode( {
        apiVersion => 'dispatcher.ivan.vc/v1alpha1', kind => 'JobExecution', metadata => { name => $name },
        spec => { jobTemplateName => 'plain', payload => '' },
    } ), qw(create -f -) );
    next if $name eq 'unstarted';
    my $uid = get( 'je', $name, '{.metadata.uid}' );
    $kube->kubectl( \$JSON->encode( {
        apiVersion => 'batch/v1', kind => 'Job',
        metadata => {
            name => "$name-x7k2p", labels => { 'controller-uid' => $uid, 'job-execution-name' => $name },
            ownerReferences => [ {
                apiVersion => 'dispatcher.ivan.vc/v1beta1', kind => 'JobExecution', name => $name, uid => $uid,
                controller => JSON::PP::true, blockOwnerDeletion => JSON::PP::true,
            } ],
        },
        spec => { backoffLimit => 0, template => { spec => { restartPolicy => 'Never', containers => [ { name => 'c', image => 'x', command => [qw(sleep 1)] } ] } } },
    } ), qw(create -f -) );
    next if $name eq 'unrecorded';
    my $status = { status => {
        conditions => [ map { { type => $_->[0], status => $_->[1], reason => 'JobRunning', message => '', lastTransitionTime => '2024-01-01T00:00:00Z' } }
            [ Waiting => 'False' ], [ Running => 'True' ] ],
        job => { apiVersion => 'batch/v1', kind => 'Job', name => "$name-x7k2p", namespace => 'default', uid => get( 'job', "$name-x7k2p", '{.metadata.uid}' ) },
    } };
    $kube->kubectl( 'patch', 'je', $name, '--subresource=status', '--type=merge', '-p', $JSON->encode($status) );
}
controller_runs();
for my $name ( sort keys %left ) {
    ends( $name, 'Succeeded', "the original's $name" );
    is( scalar jobs_of($name), 1, 'with one Job' );
}

$nginx->stop('QUIT');
$controller->stop;
is( get( 'lease', 'b7a548ab.ivan.vc', '{.spec.holderIdentity}', $SYSTEM ), '', 'the Lease was given back' );
$kubelet->stop;

# --- least privilege --------------------------------------------------------------------------------------------------

# Granted, but not certain to be needed here. Each has a test elsewhere, or a cluster that wants it.
my %NOT_SEEN = (
    'dispatcher-web get dispatcher.ivan.vc/jobexecutions'                => 'when the answer to a POST was lost: t/module_outcomes.t',
    'dispatcher-manager get dispatcher.ivan.vc/jobexecutions'            => 'when the answer to a PATCH was lost: t/controller_faults.t',
    'dispatcher-manager update dispatcher.ivan.vc/jobexecutions/finalizers' => 'an admission plugin of OpenShift asks for it',
    ( map { ( "dispatcher-manager list $_" => 'where watches do not begin with the list (Kubernetes before 1.34)' ) }
            qw(dispatcher.ivan.vc/jobtemplates dispatcher.ivan.vc/jobexecutions batch/jobs) ),
);
my ( $used, $forbidden ) = $kube->audited($SYSTEM);
is_deeply( $forbidden, [], 'nothing that they asked for was forbidden' );
for my $account (qw(dispatcher-web dispatcher-manager)) {
    my @granted = granted($account);
    cmp_ok( scalar @granted, '>', 2, "$account has rights" );
    for my $right (@granted) {
        next if $NOT_SEEN{"$account $right"};
        ok( $used->{$account}{$right}, "$account needs its right to $right" );
    }
}

# "verb group/resource" of every rule that is bound to it.
sub granted {
    my ($account) = @_;
    my @roles = ( [ clusterrole => $account ], $account eq 'dispatcher-manager' ? [ role => 'dispatcher-leader-election' ] : () );
    my @rules = map { @{ $JSON->decode( $kube->kubectl( 'get', @$_, '-n', $SYSTEM, '-o', 'json' ) )->{rules} } } @roles;
    my %rights;
    for my $rule (@rules) {
        for my $group ( @{ $rule->{apiGroups} } ) {
            for my $resource ( @{ $rule->{resources} } ) {
                $rights{"$_ $group/$resource"} = 1 for @{ $rule->{verbs} };
            }
        }
    }
    return sort keys %rights;
}

$kube->stop;
$t->done_testing;
