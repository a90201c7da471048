// lines getline|memchr: counts the lines that `seq BENCH_LINES` writes, reading 64 KiB at a time.
//
//   getline   each line copied out, as C programs do it
//   memchr    line ends only, nothing copied: what a span of bytes for each line could cost at best
#include "floor.h"

enum { chunk = 64 << 10 };
static char buffer[chunk];

static long with_getline(int input) {
    FILE *file = fdopen(input, "r");
    must(file ? 0 : -1, "fdopen");
    setvbuf(file, buffer, _IOFBF, sizeof buffer);
    char *line = NULL;
    size_t room = 0;
    long lines = 0;
    while (getline(&line, &room, file) >= 0) lines++;
    free(line);
    return lines;
}

static long with_memchr(int input) {
    long lines = 0, got;
    while ((got = must(read(input, buffer, sizeof buffer), "read")) > 0) {
        char *at = buffer, *end = buffer + got;
        while ((at = memchr(at, '\n', (size_t)(end - at)))) {
            lines++;
            at++;
        }
    }
    return lines;
}

int main(int count, char **words) {
    const char *how = count == 2 ? words[1] : "";
    long (*read_lines)(int) = NULL;
    if (!strcmp(how, "getline")) read_lines = with_getline;
    if (!strcmp(how, "memchr")) read_lines = with_memchr;
    if (!read_lines) usage("lines getline|memchr");

    long wanted = (long)setting("BENCH_LINES", 10e6);
    char number[32];
    snprintf(number, sizeof number, "%ld", wanted);
    char *arguments[] = {"seq", number, NULL};

    double begin = now();
    struct source seq = start_source(arguments, 0);
    long lines = read_lines(seq.output);
    end_source(seq);
    double took = now() - begin;

    if (lines != wanted) return 1;
    result(how, (double)lines / took / 1e6, "Mlines/s");
}
