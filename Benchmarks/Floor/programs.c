// pipeline | ask epoll|blocking | worker posix_spawn: programs together, as C does it.
//
// pipeline   three stages by `sh -c`, their output read, their end waited for
// ask        a line to `cat` and a line back, again and again: waiting in read, or in epoll first
// worker     this program itself, started again with a socket, asked one thing, waited for
#include "floor.h"
#include <sys/epoll.h>
#include <sys/socket.h>

static pid_t start(char *const words[], int input, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (input >= 0) posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, 1);
    pid_t pid;
    place(CHILD);
    errno = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
    must(errno ? -1 : 0, words[0]);
    place(PARENT);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void end(pid_t pid) {
    int status;
    must(waitpid(pid, &status, 0), "waitpid");
    if (status != 0) must(-1, "child");
}

static void pipeline(void) {
    static char *const words[] = {"sh", "-c", "seq 1 10 | cat | wc -l", NULL};
    int ends[2];
    char text[64];
    must(pipe2(ends, O_CLOEXEC), "pipe2");
    pid_t pid = start(words, -1, ends[1]);
    close(ends[1]);
    while (must(read(ends[0], text, sizeof text), "read") > 0) {}
    close(ends[0]);
    end(pid);
}

static void worker(void) {
    static char *const words[] = {"/proc/self/exe", "worker-child", NULL};
    int ends[2];
    char answer;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    pid_t pid = start(words, ends[1], -1);
    close(ends[1]);
    must(write(ends[0], "x", 1), "write");
    must(read(ends[0], &answer, 1), "read");
    close(ends[0]);
    end(pid);
}

static long repeat(void (*once)(void), double *took) {
    long count = 0;
    double begin = now(), limit = seconds();
    do {
        once();
        count++;
        *took = now() - begin;
    } while (*took < limit);
    return count;
}

static void ask(int waits_in_epoll) {
    static char *const words[] = {"cat", NULL};
    static const char question[] = "what is the answer to this question\n";
    int in[2], out[2], set = (int)must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    must(pipe2(in, O_CLOEXEC), "pipe2");
    must(pipe2(out, O_CLOEXEC), "pipe2");
    pid_t pid = start(words, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    struct epoll_event event = {.events = EPOLLIN};
    must(epoll_ctl(set, EPOLL_CTL_ADD, out[0], &event), "epoll_ctl");
    long asked = 0;
    char line[256];
    double begin = now(), limit = seconds(), took;
    do {
        must(write(in[1], question, sizeof question - 1), "write");
        for (size_t have = 0; have == 0 || line[have - 1] != '\n';) {
            if (waits_in_epoll) must(epoll_wait(set, &event, 1, -1), "epoll_wait");
            have += (size_t)must(read(out[0], line + have, sizeof line - have), "read");
        }
        asked++;
        took = now() - begin;
    } while (took < limit);
    close(in[1]);
    end(pid);
    result("ask", (double)asked / took, "answers/s");
}

int main(int count, char **words) {
    if (count < 2) usage("programs pipeline|ask epoll|ask blocking|worker");
    if (!strcmp(words[1], "worker-child")) {
        char byte;
        return read(0, &byte, 1) == 1 && write(0, &byte, 1) == 1 ? 0 : 1;
    }
    place(PARENT);
    double took = 0;
    if (!strcmp(words[1], "pipeline")) {
        long done = repeat(pipeline, &took);
        result("pipeline", (double)done / took, "pipelines/s");
    } else if (!strcmp(words[1], "worker")) {
        long done = repeat(worker, &took);
        result("worker", (double)done / took, "workers/s");
    } else if (!strcmp(words[1], "ask") && count == 3) {
        ask(!strcmp(words[2], "epoll"));
    } else {
        usage("programs pipeline|ask epoll|ask blocking|worker");
    }
}
