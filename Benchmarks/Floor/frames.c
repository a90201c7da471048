// frames: messages of 16 bytes behind a length of 4, from a pipe that a program of ours fills; counts them and sums their bytes.
#include "floor.h"
#include <arpa/inet.h>
#include <stdint.h>

enum { chunk = 64 << 10 };
static char buffer[2 * chunk];

int main(void) {
    long wanted = (long)setting("BENCH_LINES", 10e6);
    char script[160];
    // A block of 1,000 messages, again and again.
    snprintf(script, sizeof script,
             "my $b = pack('N a16', 16, 'x' x 16) x 1000; print $b for 1 .. %ld", wanted / 1000);
    char *arguments[] = {"perl", "-e", script, NULL};

    double begin = now();
    struct source perl = start_source(arguments, 0);
    long messages = 0, bytes = 0, held = 0, got;
    while ((got = must(read(perl.output, buffer + held, chunk), "read")) > 0) {
        char *at = buffer, *end = buffer + held + got;
        while (end - at >= 4) {
            uint32_t length;
            memcpy(&length, at, 4);
            length = ntohl(length);
            if (length > 1 << 16) return 1;
            if (end - at - 4 < (long)length) break;
            messages++;
            bytes += length;
            at += 4 + length;
        }
        held = end - at;
        memmove(buffer, at, (size_t)held);
    }
    end_source(perl);
    double took = now() - begin;

    if (messages != wanted || bytes != 16 * wanted) return 1;
    result("frames", (double)messages / took / 1e6, "M/s");
}
