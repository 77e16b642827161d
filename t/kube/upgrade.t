#!/usr/bin/env perl
# From ivanvc/dispatcher's definitions to ours and back, with objects in the cluster: none is lost, changed or refused. Needs the original's own
# files (DSP_ORIGINAL, default ../shared/original).
use strict;
use warnings;

use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;

use Dispatcher::Kube;

my $top      = "$FindBin::Bin/../..";
my $original = $ENV{DSP_ORIGINAL} // "$top/../shared/original";
plan skip_all => 'the CRDs of ivanvc/dispatcher are not here' unless -r "$original/dispatcher.ivan.vc_jobtemplates.yaml";

my $dir  = File::Temp->newdir;
my $kube = Dispatcher::Kube->start( dir => "$dir" );
my $JSON = JSON::PP->new->canonical->utf8;
my @CRDS = qw(jobtemplates.dispatcher.ivan.vc jobexecutions.dispatcher.ivan.vc);

sub install_original {
    $kube->kubectl( qw(apply --server-side --force-conflicts -f), "$original/dispatcher.ivan.vc_jobtemplates.yaml",
        '-f', "$original/dispatcher.ivan.vc_jobexecutions.yaml" );
    $kube->established(@CRDS);
    return;
}

sub install_ours {
    local $ENV{KUBECONFIG} = $kube->kubeconfig;
    local $ENV{PATH}       = $kube->assets . ":$ENV{PATH}";
    my $out = qx('$top/deploy/tool' install 2>&1 </dev/null);
    is( $?, 0, 'make install' ) or diag($out);
    return;
}

# What a user wrote or a controller recorded, of every object.
sub snapshot {
    my ($version) = @_;
    my $items = $JSON->decode( $kube->kubectl( 'get', "jobtemplates.$version.dispatcher.ivan.vc,jobexecutions.$version.dispatcher.ivan.vc", '-o', 'json' ) )
        ->{items};
    return { map { ( "$_->{kind}/$_->{metadata}{name}" => $JSON->encode( { spec => $_->{spec}, status => $_->{status}, uid => $_->{metadata}{uid} } ) ) } @$items };
}

# A JobTemplate that uses much of what the original's schema has.
my $rich = <<'END';
apiVersion: dispatcher.ivan.vc/v1beta1
kind: JobTemplate
metadata: {name: rich, labels: {team: a}}
spec:
  jobTemplate:
    metadata: {labels: {a: "{{ .Name }}"}, annotations: {x: "{{ raw }}"}, name: fixed-name}
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: 9007199254740993
      ttlSecondsAfterFinished: 3
      completionMode: Indexed
      completions: 2
      parallelism: 2
      podFailurePolicy:
        rules:
        - {action: FailJob, onExitCodes: {operator: In, values: [3, 42]}}
        - {action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "True"}]}
      template:
        spec:
          restartPolicy: "{{ .Payload }}"
          nodeSelector: {disk: ssd}
          imagePullSecrets: [{}]
          securityContext: {runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
          affinity:
            nodeAffinity:
              requiredDuringSchedulingIgnoredDuringExecution:
                nodeSelectorTerms: [{matchExpressions: [{key: k, operator: In, values: [v]}]}]
          tolerations: [{operator: Exists}]
          initContainers: [{name: init, image: a, restartPolicy: Always}]
          containers:
          - name: "{{ .Name }}"
            image: "{{ .Payload }}"
            imagePullPolicy: "{{ .Payload }}"
            args: ["{{ .Payload }}"]
            ports: [{containerPort: 80}]
            env:
            - {name: A, value: "{{ .Payload }}"}
            - {name: B, valueFrom: {secretKeyRef: {key: k}}}
            resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: "0.5"}}
            livenessProbe: {httpGet: {port: http}, initialDelaySeconds: 3}
            volumeMounts: [{name: v, mountPath: /v}]
          volumes:
          - {name: v, emptyDir: {sizeLimit: 1Gi}}
          - {name: c, configMap: {items: [{key: k, path: p, mode: 420}]}}
          - name: e
            ephemeral: {volumeClaimTemplate: {metadata: {labels: {a: b}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}
          - {name: s, csi: {driver: d, volumeAttributes: {a: "{{ b }}"}}}
END
my $running = '{"status":{"conditions":[{"type":"Waiting","status":"False","reason":"JobRunning","message":"",'
    . '"lastTransitionTime":"2024-01-01T00:00:00Z"},{"type":"Running","status":"True","reason":"JobRunning","message":"",'
    . '"lastTransitionTime":"2024-01-01T00:00:00Z"}],"job":{"apiVersion":"batch/v1","kind":"Job","name":"j","namespace":"default","uid":"u",'
    . '"resourceVersion":"12"}}}';

install_original();
for my $sample ( glob "$original/samples/*_v1beta1_*.yaml" ) {
    $kube->kubectl( 'apply', '-f', $sample );
}
$kube->kubectl( \$rich, qw(apply -f -) );
$kube->kubectl( qw(patch jobexecution jobexecution-sample --subresource=status --type=merge -p), $running );
my $no_spec = '{"apiVersion":"dispatcher.ivan.vc/v1beta1","kind":"JobExecution","metadata":{"name":"no-spec"}}';
$kube->kubectl( \$no_spec, qw(create --validate=strict -f -) );
my ( $before, $old_before ) = map { snapshot($_) } qw(v1beta1 v1alpha1);
is( keys %$before, 4, 'four objects made by the original' );

install_ours();
is_deeply( snapshot('v1beta1'),  $before,     'our definitions show them as they were' );
is_deeply( snapshot('v1alpha1'), $old_before, 'in the old version as well' );
my $finished = '{"status":{"state":"Succeeded","reason":"JobSucceeded","attempts":1}}';
$kube->kubectl( qw(patch jobexecution jobexecution-sample --subresource=status --type=merge -p), $finished );
like( $kube->kubectl(qw(get je jobexecution-sample)), qr/Succeeded +JobSucceeded +j /, 'an execution that was running gets its end' );
my @all = ( 'annotate', 'jobtemplate,jobexecution', '--all', 'touched=yes' );
is( ( $kube->try_kubectl(@all) )[0], 0, 'every object can be written' );
for my $sample ( glob("$original/samples/*.yaml"), ) {
    my ( $status, undef, $err ) = $kube->try_kubectl( 'apply', '--validate=strict', '-f', $sample );
    ok( $status == 0, "the original's $sample is accepted" ) or diag($err);
}
is( ( $kube->try_kubectl( \$rich, qw(apply --validate=strict -f -) ) )[0], 0, 'a rich JobTemplate is accepted' );

# What our definitions add.
my ( $status, undef, $err ) = $kube->try_kubectl( qw(patch je jobexecution-sample --type=merge -p), '{"spec":{"payload":"other"}}' );
isnt( $status, 0, 'the spec of a JobExecution cannot be changed' );
like( $err, qr/the spec of a JobExecution cannot be changed: create another/, 'and the answer says so' );
isnt( ( $kube->try_kubectl( qw(patch je jobexecution-sample --type=json -p), '[{"op":"remove","path":"/spec"}]' ) )[0], 0, 'nor removed' );
( $status, undef, $err ) = $kube->try_kubectl( \( $rich =~ s/restartPolicy: "/restartPolcy: "/r ), qw(apply --validate=strict -f -) );
like( $err, qr/unknown field "spec.jobTemplate.spec.template.spec.restartPolcy"/, 'a misspelt field is refused, with its path' );
( $status, undef, $err ) = $kube->try_kubectl( \( $rich =~ s/backoffLimit: 2/backoffLimit: two/r ), qw(apply -f -) );
like( $err, qr/spec.jobTemplate.spec.backoffLimit.*must be of type integer/, 'a wrong type too' );
my $null = $kube->kubectl(qw(create job x --image=y --dry-run=client -o json));
like( $null, qr/"kind": "Job"/, 'kubectl makes a Job' );
my $job  = $JSON->decode($null);
$job->{spec}{template}{metadata}{creationTimestamp} = undef;
my $jt = $JSON->encode( {
    apiVersion => 'dispatcher.ivan.vc/v1beta1',
    kind       => 'JobTemplate',
    metadata   => { name => 'from-kubectl' },
    spec       => { jobTemplate => { metadata => { creationTimestamp => undef }, spec => $job->{spec} } },
} );
( $status, undef, $err ) = $kube->try_kubectl( \$jt, qw(create --validate=strict -f -) );
ok( $status == 0, 'what kubectl create job --dry-run prints goes into a JobTemplate as it is' ) or diag($err);
$kube->kubectl(qw(delete jobtemplate from-kubectl));

# And back.
my $after = snapshot('v1beta1');
install_original();
my $back = snapshot('v1beta1');
is_deeply( [ sort keys %$back ], [ sort keys %$after ], "under the original's definitions every object is still there" );
is( $back->{'JobTemplate/rich'}, $before->{'JobTemplate/rich'}, 'and a JobTemplate is as it was' );
is( ( $kube->try_kubectl( @all, '--overwrite' ) )[0], 0, 'and can be written' );

done_testing();
