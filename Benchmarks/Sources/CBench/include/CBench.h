// What the benchmarks need of the system before any Swift task runs: pairs, a fork, a place to run.
#ifndef CBENCH_H
#define CBENCH_H
#include <stdint.h>

int32_t bench_socket_pair(int32_t *one, int32_t *other);
int32_t bench_tcp_pair(int32_t *one, int32_t *other);
int32_t bench_connected_sender(int32_t port);
void bench_send_batch(int32_t sender);  // 32 datagrams of 64 bytes
// Never returns: sends as fast as it can, until it is killed.
void bench_send_descriptors(int32_t socket);
int32_t bench_pipe(int32_t *reader, int32_t *writer);
// fork; the child dies with its parent. BENCH_CPUS="a,b" puts the parent on a and the child on b. Only before any thread.
int32_t bench_fork(void);
void bench_hold_signals(int32_t hold);  // SIGUSR1 and SIGUSR2, blocked in this thread or not
void bench_end(int32_t pid);
void bench_pin(void);
double bench_now(void);
void bench_touch(int64_t mebibytes);
#endif
