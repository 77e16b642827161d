#!/usr/bin/env perl
# docs/operate.md and docs/debug.md name what there is, and all of it: flags, metrics, conditions' reasons, Events, log messages; and
# every `make TARGET` of the documentation is a target.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Dispatcher::Test;

my $top = "$FindBin::Bin/..";

sub slurp { open my $in, '<', $_[0] or die "$_[0]: $!"; local $/; return scalar <$in> }
sub docs  { return slurp("$top/docs/$_[0].md") }
sub sources { return join "\n", map { slurp($_) } sort glob("$top/controller/*.[ch]"), glob("$top/src/model/*.[ch]") }

# The part of a document under a heading.
sub part {
    my ( $text, $heading ) = @_;
    my ($part) = $text =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
    return $part // die "no heading '$heading'";
}

sub is_set {
    my ( $got, $want, $name ) = @_;
    my ( %got, %want );
    @got{@$got}   = ();
    @want{@$want} = ();
    is_deeply( [ sort keys %got ], [ sort keys %want ], $name );
    return;
}

my ( $operate, $debug ) = ( docs('operate'), docs('debug') );
my $t       = Dispatcher::Test->new;
my $program = $t->build . '/dispatcher-controller';

subtest 'flags' => sub {
    my $options = slurp("$top/controller/options.c");
    my %known   = map { $_ => 1 } $options =~ /^    \{ "([a-z-]+)",/mg, 'help', 'version';
    my $help    = $t->run( $program, '--help' )->{out};
    my @listed  = $help =~ /^  --([a-z-]+)/mg;
    cmp_ok( scalar(@listed), '>', 15, 'the help was read' );
    ok( $known{$_}, "--$_ of the help is taken" ) for @listed;
    my $template = $t->run( $t->build . '/dispatcher-template', '--help' );
    my %template = map { $_ => 1 } "$template->{out}$template->{err}" =~ /(--?[a-z-]+)/g;
    for my $text ( $operate, $debug ) {
        while ( $text =~ /(?<![\w-])(--[a-z][a-z-]*)/g ) {
            my $flag = $1;
            next if $flag =~ /^--(?:zap-|(?:for|timeout|all-containers|prefix|tail|data-binary)$)/;    # the original's family; kubectl's and curl's
            ok( $known{ substr $flag, 2 } || $template{$flag}, "$flag is a flag" );
        }
    }
};

subtest 'metrics' => sub {
    my $kube       = $t->devcluster( args => ['--quiet'] );
    my $controller = $t->controller($kube);
    my $shown      = $t->http( $controller->{metrics}, GET => '/metrics' )->{body};
    my @names      = grep { !/^process_/ } $shown =~ /^# TYPE (\w+) /mg;
    my @described  = part( $operate, 'Metrics' ) =~ /^\| (`[^|]*`) \|/mg;
    my @table      = grep { !/^process_/ } map { /`(\w+)/g } @described;
    cmp_ok( scalar(@names), '>', 20, 'the metrics were read' );
    is_set( \@table, [ @names, grep { !/^(?:process_\w*|@{[ join '|', @names ]})$/ } () ], 'each is described, and none that is not there' );
};

subtest 'permissions' => sub {
    my ($manager) = slurp("$top/deploy/rbac/roles/cluster.yaml") =~ /^  name: dispatcher-manager\n(.*)/ms;
    my ( %granted, %told );
    for my $text ( $manager, slurp("$top/deploy/rbac/roles/lease.yaml") ) {
        push @{ $granted{$1} }, split /, /, $2 while $text =~ /resources: \[([^]]+)\]\n(?:  resourceNames: .*\n)?  verbs: \[([^]]+)\]/g;
    }
    my $table = part( $operate, 'Permissions' );
    $told{$1} = [ split /, /, $2 ] while $table =~ /^\| (?:`[^`]+` )?([a-z\/]+) \| ([a-z, ]+) \|/mg;
    delete $told{resource};    # the heading
    $_ = [ sort @$_ ] for values %granted, values %told;
    is_deeply( \%told, \%granted, 'those that deploy/rbac grants' );
};

subtest 'reasons' => sub {
    my @reasons = sources() =~ /^#define DSP_REASON_\w+ +"(\w+)"/mg;
    my %jobs    = map { $_ => 1 } qw(BackoffLimitExceeded DeadlineExceeded PodFailurePolicy);    # the Job's own
    my @rows    = part( $debug, 'Conditions' ) =~ /^\| (?:`|all )[^|]*\| ([^|]*) \|/mg;
    my @named   = grep { !$jobs{$_} && $_ ne 'Reconciling' } map { /`(\w+)`/g } @rows;
    cmp_ok( scalar(@reasons), '>', 10, 'the reasons were read' );
    is_set( \@named, \@reasons, 'each is described, and none that is not there' );
};

subtest 'Events' => sub {
    my $source = slurp("$top/controller/reconcile.c");
    my ($text) = $source =~ /\n(static const char \*waiting_event.*?)\ndsp_counted /s;
    my %reason = sources() =~ /^#define (DSP_REASON_\w+) +"(\w+)"/mg;
    my @made   = ( $text =~ /"([A-Z]\w+)"/g, map { $reason{$_} } grep { !/TEMPLATE_NOT_FOUND/ } $text =~ /\b(DSP_REASON_\w+)/g );
    my @rows   = part( $debug, 'Events' ) =~ /^\| (`[^|]*) \|/mg;
    cmp_ok( scalar(@made), '>', 8, 'the Events were read' );
    is_set( [ map { /`(\w+)`/g } @rows ], [ grep { $_ ne 'Created Job ' } @made ], 'each is described, and none that is not there' );
};

subtest 'log messages' => sub {
    my $sources = sources();
    for my $row ( part( $debug, "The controller's log" ) =~ /^\| (`[^|]*) \|/mg ) {
        like( $sources, qr/"\Q$_\E"/, "\"$_\" is logged" ) for $row =~ /`([^`]+)`/g;
    }
};

subtest 'make targets' => sub {
    my %target = map { $_ => 1 } map { split ' ' } slurp("$top/Makefile") =~ /^\.PHONY:(.*)$/mg;
    for my $path ( map { glob("$top/$_") } qw(README.md CONTRIBUTING.md CHANGELOG.md docs/*.md t/*/README.md deploy/*/README.md) ) {
        my $text = slurp($path);
        my %seen;
        for my $name ( grep { !$seen{$_}++ } $text =~ /(?:`|^|\n)make ([a-z][a-z-]*)/g ) {
            ok( $target{$name}, "make $name of " . $path =~ s{.*/}{}r );
        }
    }
};

$t->done_testing;
