// terminal epoll|blocking: a line to `cat` on a pseudo-terminal that shows nothing typed, and the line back.
//
//   epoll      as an event loop does it: read, wait when there is nothing
//   blocking   read waits
#include "floor.h"

#include <pty.h>
#include <sys/epoll.h>
#include <termios.h>

static int wait_on = -1;

// Reads until the line's end is there; 1 if the answer is the question.
static int answer(int master, const char *line, size_t length) {
    char seen[256];
    size_t got = 0;
    while (got == 0 || !memchr(seen, '\n', got)) {
        long count = read(master, seen + got, sizeof seen - got);
        if (count < 0 && errno == EAGAIN) {
            struct epoll_event event;
            must(epoll_wait(wait_on, &event, 1, -1), "epoll_wait");
            continue;
        }
        if (must(count, "read") == 0) return 0;
        got += (size_t)count;
    }
    return got == length + 1 && memcmp(seen, line, length - 1) == 0;  // CR LF for LF
}

int main(int count, char **words) {
    const char *how = count == 2 ? words[1] : "";
    if (strcmp(how, "epoll") && strcmp(how, "blocking")) usage("terminal epoll|blocking");
    struct termios modes;
    int master;
    place(CHILD);
    pid_t pid = (pid_t)must(forkpty(&master, NULL, NULL, NULL), "forkpty");
    if (pid == 0) {
        tcgetattr(0, &modes);
        modes.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(0, TCSANOW, &modes);
        write(1, "\n", 1);
        execlp("cat", "cat", NULL);
        _exit(127);
    }
    place(PARENT);
    char line[64];
    must(read(master, line, sizeof line), "read");
    if (!strcmp(how, "epoll")) {
        must(fcntl(master, F_SETFL, O_NONBLOCK), "F_SETFL");
        wait_on = (int)must(epoll_create1(0), "epoll_create1");
        struct epoll_event event = {.events = EPOLLIN};
        must(epoll_ctl(wait_on, EPOLL_CTL_ADD, master, &event), "epoll_ctl");
    }

    double begin = now(), limit = seconds(), end;
    long rounds = 0;
    do {
        int length = snprintf(line, sizeof line, "line %ld\n", rounds);
        must(write(master, line, (size_t)length), "write");
        if (!answer(master, line, (size_t)length)) return 1;
        rounds++;
        end = now();
    } while (end - begin < limit);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    result(how, (double)rounds / (end - begin), "answers/s");
}
