// capture plain|yield|1m-pipe|keep: reads everything that `head -c BENCH_BYTES /dev/zero` writes, 64 KiB at a time.
//
//   plain     reads again at once
//   yield     after a short read lets the writer run first, so that the pipe fills and fewer wake-ups are needed
//   1m-pipe   a pipe of 1 MiB
//   keep      as yield, and keeps all the bytes, in memory that is new to this process
#include "floor.h"

enum { chunk = 64 << 10 };

int main(int count, char **words) {
    const char *how = count == 2 ? words[1] : "";
    int yields = !strcmp(how, "yield"), big = !strcmp(how, "1m-pipe"), keeps = !strcmp(how, "keep");
    if (!yields && !big && !keeps && strcmp(how, "plain")) usage("capture plain|yield|1m-pipe|keep");

    size_t wanted = (size_t)setting("BENCH_BYTES", 1 << 30), total = 0, room = chunk;
    char number[32];
    snprintf(number, sizeof number, "%zu", wanted);
    char *arguments[] = {"head", "-c", number, "/dev/zero", NULL};
    char *bytes = malloc(room);

    double begin = now();
    struct source head = start_source(arguments, big ? 1 << 20 : 0);
    for (;;) {
        if (keeps && room - total < chunk) bytes = realloc(bytes, room *= 2);
        if (!bytes) must(-1, "realloc");
        long got = must(read(head.output, keeps ? bytes + total : bytes, chunk), "read");
        if (got == 0) break;
        total += (size_t)got;
        if (got < chunk && (yields || keeps)) sched_yield();
    }
    end_source(head);
    double took = now() - begin;

    free(bytes);
    if (total != wanted) return 1;
    result(how, (double)total / took / 1e9, "GB/s");
}
