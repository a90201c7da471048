// shared increment|increments|posix-queue: what processes share by a name.
//
//   increment     a counter behind a robust mutex in shared memory, nobody else there
//   increments    the same by two processes at once; what both did
//   posix-queue   64 bytes to another process and back
#include "floor.h"

#include <mqueue.h>
#include <pthread.h>
#include <sys/mman.h>

struct shared {
    pthread_mutex_t mutex;
    long counter;
};

static struct shared *make(void) {
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) must(-1, "mmap");
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->mutex, &attributes);
    return shared;
}

static void increment(struct shared *shared) {
    if (pthread_mutex_lock(&shared->mutex) == EOWNERDEAD) pthread_mutex_consistent(&shared->mutex);
    shared->counter++;
    pthread_mutex_unlock(&shared->mutex);
}

static mqd_t queue(const char *name, int flags) {
    struct mq_attr attributes = {.mq_maxmsg = 8, .mq_msgsize = 64};
    return (mqd_t)must(mq_open(name, O_RDWR | flags, 0600, &attributes), "mq_open");
}

int main(int count, char **words) {
    const char *kind = count == 2 ? words[1] : "";
    int alone = !strcmp(kind, "increment"), queues = !strcmp(kind, "posix-queue");
    if (!alone && !queues && strcmp(kind, "increments")) usage("shared increment|increments|posix-queue");
    struct shared *shared = queues ? NULL : make();
    mqd_t there = 0, back = 0;
    if (queues) {
        char name[32];
        snprintf(name, sizeof name, "/floor-%d", (int)getpid());
        there = queue(name, O_CREAT | O_EXCL);
        mq_unlink(name);
        back = queue(name, O_CREAT | O_EXCL);
        mq_unlink(name);
    }
    pid_t child = alone ? 0 : (pid_t)must(fork(), "fork");
    place(child || alone ? PARENT : CHILD);
    char bytes[64] = {0};
    if (!alone && child == 0) {
        must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
        for (;;) {
            if (queues) {
                must(mq_receive(there, bytes, sizeof bytes, NULL), "mq_receive");
                must(mq_send(back, bytes, sizeof bytes, 0), "mq_send");
            } else {
                increment(shared);
            }
        }
    }
    double begin = now(), limit = seconds(), took;
    long rounds = 0;
    do {
        for (int i = 0; i < 1000; i++, rounds++) {
            if (queues) {
                must(mq_send(there, bytes, sizeof bytes, 0), "mq_send");
                must(mq_receive(back, bytes, sizeof bytes, NULL), "mq_receive");
            } else {
                increment(shared);
            }
        }
        took = now() - begin;
    } while (took < limit);
    if (!queues) rounds = shared->counter;
    if (child) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    result(kind, (double)rounds / took, queues ? "rt/s" : "increments/s");
}
