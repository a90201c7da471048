// What every floor shares: settings from the environment, the clock, the line it prints.
//
//   BENCH_SECS   how long to measure, in seconds (0.4)
//   BENCH_CPUS   "a,b": the parent on CPU a, the child on CPU b (unset: the scheduler's choice)
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// Ends the program if the call failed: a floor has no other way to deal with an error.
static inline long must(long value, const char *call) {
    if (value >= 0) return value;
    perror(call);
    exit(71);
}

static inline _Noreturn void usage(const char *text) {
    fprintf(stderr, "usage: %s\n", text);
    exit(64);
}

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// A positive number from the environment.
static inline double setting(const char *name, double otherwise) {
    const char *text = getenv(name);
    if (!text) return otherwise;
    double value = atof(text);
    if (value > 0) return value;
    fprintf(stderr, "%s=%s is not a positive number\n", name, text);
    exit(64);
}

static inline double seconds(void) { return setting("BENCH_SECS", 0.4); }

enum side { PARENT, CHILD };

// Moves the calling process to its side's CPU; what it starts afterwards begins there too.
static inline void place(enum side side) {
    const char *text = getenv("BENCH_CPUS");
    if (!text) return;
    int cpu[2];
    if (sscanf(text, "%d,%d", &cpu[PARENT], &cpu[CHILD]) != 2) usage("BENCH_CPUS=a,b");
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu[side], &set);
    must(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

static inline void result(const char *name, double value, const char *unit) {
    printf("R %s %.6g %s\n", name, value, unit);
}

// A child that writes into a pipe of ours.
struct source {
    pid_t pid;
    int output;
};

// Starts a program whose standard output is a new pipe; `capacity` 0 leaves the pipe at its usual 64 KiB.
// Should we die, its next write ends it (SIGPIPE).
static inline struct source start_source(char *const arguments[], int capacity) {
    int ends[2];
    must(pipe2(ends, O_CLOEXEC), "pipe2");
    if (capacity) must(fcntl(ends[1], F_SETPIPE_SZ, capacity), "F_SETPIPE_SZ");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    struct source source = {.output = ends[0]};
    place(CHILD);
    errno = posix_spawnp(&source.pid, arguments[0], &actions, NULL, arguments, environ);
    must(errno ? -1 : 0, arguments[0]);
    place(PARENT);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    return source;
}

// Waits for the program; ends this one if it failed.
static inline void end_source(struct source source) {
    int status;
    close(source.output);
    must(waitpid(source.pid, &status, 0), "waitpid");
    if (status == 0) return;
    fprintf(stderr, "the child failed (wait status %#x)\n", (unsigned)status);
    exit(71);
}
