// fifo plain|yield: reads what `head -c BENCH_BYTES /dev/zero` writes to a FIFO, 64 KiB at a time.
//
//   plain   read after read
//   yield   after a read that did not fill the buffer the other side gets the processor
#include "floor.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

static char buffer[64 << 10];

int main(int count, char **words) {
    const char *how = count == 2 ? words[1] : "";
    int yields = !strcmp(how, "yield");
    if (!yields && strcmp(how, "plain")) usage("fifo plain|yield");
    long wanted = (long)setting("BENCH_BYTES", 1 << 30);
    char folder[] = "/tmp/ipc-bench-XXXXXX", path[64], script[160];
    must(mkdtemp(folder) ? 0 : -1, "mkdtemp");
    snprintf(path, sizeof path, "%s/fifo", folder);
    snprintf(script, sizeof script, "exec head -c %ld /dev/zero >%s", wanted, path);
    must(mkfifo(path, 0600), "mkfifo");
    char *arguments[] = {"sh", "-c", script, NULL};

    double begin = now();
    struct source head = start_source(arguments, 0);
    int input = must(open(path, O_RDONLY | O_CLOEXEC), "open");
    long bytes = 0, got;
    while ((got = must(read(input, buffer, sizeof buffer), "read")) > 0) {
        bytes += got;
        if (yields && got < (long)sizeof buffer) sched_yield();
    }
    close(input);
    end_source(head);
    double took = now() - begin;

    unlink(path);
    rmdir(folder);
    if (bytes != wanted) return 1;
    result(how, (double)bytes / took / 1e9, "GB/s");
}
