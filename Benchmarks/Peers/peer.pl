# peer.pl WORKLOAD: the same work in Perl, as perlipc has it.
use strict;
use warnings;
use IPC::SysV qw(IPC_PRIVATE IPC_RMID);
use POSIX qw(:signal_h _exit);
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC ualarm);

$| = 1;
my ($workload, $script) = @ARGV;
sub now    { clock_gettime(CLOCK_MONOTONIC) }
sub report { printf "R - %.6g %s\n", @_ }

# How often in a second, in lots of some; the first lot does not count.
sub rate {
    my ($lot, $once) = @_;
    $once->() for 1 .. $lot;
    my ($start, $count, $end) = (now(), 0);
    do { $once->() for 1 .. $lot; $count += $lot; $end = now() } while $end - $start < ($ENV{BENCH_SECS} // 0.4);
    $count / ($end - $start);
}

# A child on the second CPU, if there is a choice of CPUs; this process on the first. The numbers are those of x86-64.
sub child {
    my ($work) = @_;
    my $pid = fork() // die "fork: $!";
    if ($ENV{BENCH_CPUS}) { syscall(203, 0, 8, pack('Q', 1 << (split /,/, $ENV{BENCH_CPUS})[$pid ? 0 : 1])) }
    return $pid if $pid;
    syscall(157, 1, 9);    # ended with its parent
    $work->();
    _exit(0);
}

my %workloads = (
    spawn   => sub { report(rate(2, sub { system('/bin/true') == 0 or die }), 'spawns/s') },
    capture => sub {
        my ($bytes, $start, $count) = ($ENV{BENCH_BYTES} // 1 << 30, now(), 0);
        open(my $head, '-|', 'head', '-c', $bytes, '/dev/zero') or die "head: $!";
        while (my $got = sysread($head, my $piece, 65536)) { $count += $got }
        close($head) && $count == $bytes or die;
        report($count / (now() - $start) / 1e9, 'GB/s');
    },
    lines => sub {
        my ($lines, $start, $count) = ($ENV{BENCH_LINES} // 10_000_000, now(), 0);
        open(my $seq, '-|', 'seq', $lines) or die "seq: $!";
        while (<$seq>) { $count++ }
        close($seq) && $count == $lines or die;
        report($count / (now() - $start) / 1e6, 'Mlines/s');
    },
    # A process for each client.
    echo => sub {
        $SIG{CHLD} = 'IGNORE';
        socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
        bind($server, sockaddr_in(0, INADDR_LOOPBACK)) && listen($server, 4096) or die "listen: $!";
        my ($port) = sockaddr_in(getsockname($server));
        print "port $port\n";
        while (accept(my $client, $server)) {
            defined(my $pid = fork()) or next;
            next if $pid;
            syscall(157, 1, 9);
            close($server);
            setsockopt($client, IPPROTO_TCP, TCP_NODELAY, 1);
            while (sysread($client, my $bytes, 65536)) { syswrite($client, $bytes) == length $bytes or last }
            _exit(0);
        }
    },
    signals => sub {
        my ($both, $none, $parent, $seen) = (POSIX::SigSet->new(SIGUSR1, SIGUSR2), POSIX::SigSet->new, $$, 0);
        sigprocmask(SIG_BLOCK, $both);
        my $pid = child(sub { $SIG{USR1} = sub { kill USR2 => $parent }; sigsuspend($none) while 1 });
        $SIG{USR2} = sub { $seen = 1 };
        report(rate(8, sub { $seen = 0; kill USR1 => $pid; sigsuspend($none) until $seen }), 'rt/s');
        kill KILL => $pid;
    },
    semaphore => sub {
        my $set = semget(IPC_PRIVATE, 1, 0600) // die "semget: $!";
        my ($more, $less) = (pack('s!3', 0, 1, 0), pack('s!3', 0, -1, 0));
        report(rate(64, sub { semop($set, $more); semop($set, $less) }), 'pairs/s');
        semctl($set, 0, IPC_RMID, 0);
    },
    left => sub { my $start = now(); `$script` eq "hi\n" or die; report(now() - $start, 's') },
    late => sub {
        my $start = now();
        eval {
            local $SIG{ALRM} = sub { die "late\n" };
            ualarm(500_000);
            my $output = `$script`;
        };
        report(now() - $start, 's');
    },
    gone => sub {
        open(my $program, '|-', 'true') or die;
        syswrite($program, "\0" x 65536) or last for 1 .. 64;
        print "R error 1 -\n";
    },
    # Perl closes what is above $^F itself; this one comes from elsewhere, as 0 to 2 do.
    descriptors => sub {
        syscall(2, my $path = '/dev/null', 0);
        report(scalar(grep { /\d/ } `ls /proc/self/fd`) - 4, 'descriptors');
    },
);
($workloads{ $workload // '' } // die "usage: peer.pl @{[sort keys %workloads]}\n")->();
