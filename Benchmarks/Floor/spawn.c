// spawn MIB posix_spawn|clone: starts /bin/true and waits for it, one after the other.
//
// MIB of touched memory in this process show what a spawn costs a large parent: nothing, unless it copies page tables.
#include "floor.h"
#include <sys/mman.h>

static char *const arguments[] = {"/bin/true", NULL};
static char stack[64 << 10] __attribute__((aligned(16)));

static int become_true(void *unused) {
    (void)unused;
    execve(arguments[0], arguments, environ);
    _exit(127);
}

static void with_posix_spawn(void) {
    pid_t pid;
    int status;
    errno = posix_spawn(&pid, arguments[0], NULL, NULL, arguments, environ);
    must(errno ? -1 : 0, "posix_spawn");
    must(waitpid(pid, &status, 0), "waitpid");
}

static void with_clone(void) {
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, pidfd;
    siginfo_t status;
    must(clone(become_true, stack + sizeof stack, flags, NULL, &pidfd), "clone");
    must(waitid(P_PIDFD, (id_t)pidfd, &status, WEXITED), "waitid");
    close(pidfd);
}

// Small pages, as in a heap of many small objects.
static void hold(size_t bytes) {
    if (bytes == 0) return;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(memory == MAP_FAILED ? -1 : 0, "mmap");
    must(madvise(memory, bytes, MADV_NOHUGEPAGE), "madvise");
    for (size_t page = 0; page < bytes; page += 4096) memory[page] = 1;
}

int main(int count, char **words) {
    if (count != 3) usage("spawn MIB posix_spawn|clone");
    void (*spawn)(void) = NULL;
    if (!strcmp(words[2], "posix_spawn")) spawn = with_posix_spawn;
    if (!strcmp(words[2], "clone")) spawn = with_clone;
    if (!spawn) usage("spawn MIB posix_spawn|clone");
    place(PARENT);
    hold((size_t)atol(words[1]) << 20);

    long spawned = 0;
    double begin = now(), limit = seconds(), took;
    do {
        spawn();
        spawned++;
        took = now() - begin;
    } while (took < limit);
    result(words[2], (double)spawned / took, "spawns/s");
}
