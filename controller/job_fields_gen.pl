#!/usr/bin/perl
# Makes job_fields_tab.c from job_fields.tsv, which holds every string of k8s.io/api's batchv1.JobTemplateSpec as Go's reflection
# sees it: path, kind, name of the Go type, whether the original renders it.
#
#     perl controller/job_fields_gen.pl > controller/job_fields_tab.c
#
# t/job_fields.t fails when the committed file is not what this prints.
use strict;
use warnings;
use File::Basename qw(dirname);

my $tsv = dirname(__FILE__) . '/job_fields.tsv';

# Where the kubelet expands $(VAR): pkg/kubelet/container/helpers.go (command, args, environment, sub-paths) and pkg/kubelet/prober (commands
# of probes; those of lifecycle hooks are not expanded).
my $expanded = qr/ontainers\[\]\.(?:command|args|env\[\]\.value|volumeMounts\[\]\.subPathExpr|(?:liveness|readiness|startup)Probe\.exec\.command)$/;

my %row;
open my $in, '<', $tsv or die "$tsv: $!\n";
while (<$in>) {
    next if /^#/ || !/\S/;
    chomp;
    my ($path, $kind, $type) = split /\t/;
    $path =~ s/\.-$//;    # bytes of a struct without a name of their own
    my @flags;
    push @flags, 'DSP_FIELD_VERBATIM' if $kind eq 'map' || $kind eq 'struct' || $kind eq '[]uint8';
    push @flags, 'DSP_FIELD_EXPANDED' if $path =~ $expanded;
    $row{$path} = sprintf '    { "%s", "%s", %s },', $path, $type, @flags ? join(' | ', @flags) : '0';
}
close $in;

print "/* Made by job_fields_gen.pl from job_fields.tsv. Do not edit. */\n#include \"job_fields.h\"\n\n";
print "const dsp_job_field dsp_job_fields[] = {\n";
print "$row{$_}\n" for sort keys %row;
print "};\n\nconst size_t dsp_job_fields_count = sizeof(dsp_job_fields) / sizeof(dsp_job_fields[0]);\n";
