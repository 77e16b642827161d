#!/usr/bin/env perl
# The example of the original's README, word for word, and its samples.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Dispatcher::Path;
use Test::More;

my $path = Dispatcher::Path->new;

my $jobtemplate = <<'END';
apiVersion: dispatcher.ivan.vc/v1alpha1
kind: JobTemplate
metadata:
  name: jobtemplate-sample
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: my-container
            image: alpine:latest
            command: ["echo", "$PAYLOAD"]
            env:
            - name: PAYLOAD
              value: "{{ .Payload }}"
          restartPolicy: Never
      backoffLimit: 0
END

my $jobexecution = <<'END';
apiVersion: dispatcher.ivan.vc/v1alpha1
kind: JobExecution
metadata:
  name: jobexecution-sample
spec:
  jobTemplateName: jobtemplate-sample
  payload: my test payload
END

subtest 'the JobTemplate and the JobExecution of the README' => sub {
    $path->apply($jobtemplate);
    $path->apply($jobexecution);
    my $je = $path->when( { name => 'jobexecution-sample' }, 'Succeeded', 'True' );
    is( $path->log_of($je), "\$PAYLOAD\n", 'Kubernetes expands $(PAYLOAD), not $PAYLOAD: the example prints its own text' );
    my ($job) = $path->jobs_of($je);
    is( $job->{spec}{template}{spec}{containers}[0]{env}[0]{value}, 'my test payload' );
    is( $job->{spec}{backoffLimit},                                  0 );
};

subtest 'its curl' => sub {
    # The README calls the JobTemplate jobexecution-sample by mistake: a 404 that says so.
    my $answer = $path->put( '/execute/default/jobexecution-sample', 'my test payload' );
    is( $answer->{status}, 404 );
    like( $answer->{json}{detail}, qr/jobexecution-sample/ );

    my $run = $path->t->run( 'curl', '-sS', "http://$path->{nginx}{host}/execute/default/jobtemplate-sample", '-X', 'PUT', '-d', 'my test payload' );
    my $je  = $path->when( JSON::PP::decode_json( $run->{out} ), 'Succeeded', 'True' );
    is( $je->{spec}{payload}, 'my test payload' );
};

subtest 'with the reference that Kubernetes knows, it prints the payload' => sub {
    $path->apply( $jobtemplate =~ s/\$PAYLOAD/\$(PAYLOAD)/r );
    my $je = $path->when( $path->put( '/execute/jobtemplate-sample', 'my test payload' )->{json}, 'Succeeded', 'True' );
    is( $path->log_of($je), "my test payload\n" );
};

$path->t->done_testing;
