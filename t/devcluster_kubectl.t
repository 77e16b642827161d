#!/usr/bin/env perl
# kubectl against devcluster: what a user of the demo types. KUBECTLS names further kubectl programs to try (a colon between).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Devcluster;
use Dispatcher::Test;

plan skip_all => 'about devcluster itself' if $ENV{DSP_KUBE};
my $t = Dispatcher::Test->new;
my ($first) = grep { -x } map {"$_/kubectl"} split /:/, $ENV{PATH};
my @kubectls = grep { defined && -x } $first, split /:/, $ENV{KUBECTLS} // '';
@kubectls or plan skip_all => 'no kubectl';

my $template = <<'END';
apiVersion: dispatcher.ivan.vc/v1beta1
kind: JobTemplate
metadata: {name: t, labels: {a: b}}
spec:
  jobTemplate:
    spec:
      backoffLimit: 3
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: c, image: x, command: ["echo", "{{ .Payload }}"]}
END

for my $kubectl (@kubectls) {
    subtest $kubectl => sub {
        my $kube = $t->devcluster( name => 'd' . ( $kubectl =~ s/\W+/-/gr ), args => [] );
        my $k = sub {
            my @arguments = @_;
            my $r = $t->run( $kubectl, "--kubeconfig=$kube->{kubeconfig}", "--cache-dir=$t->{dir}/cache$kube->{host}", @arguments );
            diag "@arguments: $r->{err}" if $r->{status};
            return $r->{out};
        };
        my $file = $t->write( 't.yaml' => $template );
        is $k->( 'apply', '-f', $file ), "jobtemplate.dispatcher.ivan.vc/t created\n", 'apply';
        is $k->( 'apply', '-f', $file ), "jobtemplate.dispatcher.ivan.vc/t unchanged\n", 'again';
        $t->write( 't.yaml' => $template =~ s/backoffLimit: 3/backoffLimit: 4/r );
        is $k->( 'apply', '-f', $file ), "jobtemplate.dispatcher.ivan.vc/t configured\n", 'changed';
        like $k->( 'apply', '--server-side', '--force-conflicts', '-f', $file ), qr/serverside-applied/, 'apply --server-side';
        like $k->( 'get', 'jt' ), qr/^NAME .*\nt /, 'get';
        like $k->( 'get', 'jt', '-o', 'wide', '--show-labels' ), qr/a=b/, 'labels';
        like $k->( 'get', 'jt', 't', '-o', 'yaml' ), qr/backoffLimit: 4/, 'yaml';
        like $k->( 'describe', 'jt', 't' ), qr/Backoff Limit:\s+4/, 'describe';
        like $k->( 'label', 'jt', 't', 'x=y' ), qr/labeled/, 'label';
        like $k->( 'annotate', 'jt', 't', 'x=y' ), qr/annotated/, 'annotate';
        like $k->( 'patch', 'jt', 't', '--type=json', '-p', '[{"op":"remove","path":"/metadata/labels/x"}]' ), qr/patched/, 'patch';
        is $k->( 'get', 'jt', '-l', 'a in (b)', '-o', 'name' ), "jobtemplate.dispatcher.ivan.vc/t\n", 'selectors';
        like $k->('api-resources'), qr/^jobexecutions\s+je\s/m, 'api-resources';
        is $k->( 'create', 'job', 'j', '--image=x', '--', 'sh', '-c', 'echo hello' ), "job.batch/j created\n", 'create job';
        is $k->( 'wait', '--for=condition=complete', 'job/j', '--timeout=20s' ), "job.batch/j condition met\n", 'wait';
        is $k->( 'logs', 'job/j' ), "hello\n", 'logs';
        like $k->( 'get', 'jobs,pods' ), qr{job.batch/j .*1/1.*pod/j-\w+\s+0/1\s+Completed}s, 'get of several kinds';
        like $k->( 'describe', 'job', 'j' ), qr/SuccessfulCreate .*Completed /s, 'describe with its events';
        like $k->( 'get', 'events' ), qr{Normal\s+Completed\s+job/j\s+Job completed}, 'events';
        like $k->( 'create', 'namespace', 'ns1' ), qr/created/, 'create namespace';
        like $k->( 'create', 'configmap', 'cm', '--from-literal=a=b', '-n', 'ns1' ), qr/created/, 'create configmap';
        like $k->( 'create', 'secret', 'generic', 's', '--from-literal=a=b', '-n', 'ns1' ), qr/created/, 'create secret';
        is $k->( 'get', 'secret', 's', '-n', 'ns1', '-o', 'jsonpath={.data.a}' ), 'Yg==', 'jsonpath';
        like $k->( 'delete', 'namespace', 'ns1' ), qr/deleted/, 'delete namespace';
        unlike $k->( 'get', 'ns' ), qr/ns1/, 'which is gone';
        is $k->( 'auth', 'can-i', 'create', 'jobs' ), "yes\n", 'auth can-i';
        like $k->( 'delete', 'job', 'j' ), qr/deleted/, 'delete';
        is $k->( 'get', 'pods', '-o', 'name' ), '', 'with its pods';
        my $crds = "$t->{top}/deploy/crd";
        like $k->( 'apply', '--server-side', '--force-conflicts', '-f', "$crds/jobexecutions.dispatcher.ivan.vc.yaml", '-f', "$crds/jobtemplates.dispatcher.ivan.vc.yaml" ), qr/serverside-applied.*serverside-applied/s, 'our CRDs';
        is $k->( 'delete', '-f', $file ), qq{jobtemplate.dispatcher.ivan.vc "t" deleted\n}, 'delete -f';
        $kube->stop('TERM');
    };
}

subtest 'over TLS, with a token' => sub {
    my $kube = $t->devcluster( name => 'tls', token => 'secret', args => ['--tls'] );
    like $t->kubectl( $kube, 'get', 'ns' ) // $t->{error}, qr/^default\s+Active/m, 'kubectl trusts the kubeconfig';
};

$t->done_testing;
