// The other side in tests: a small program that behaves, and misbehaves, in one way for each verb.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// Under a sanitizer this program is ended by a fault's signal as without one: that is what it is asked to do.
#define WITHOUT_HANDLERS "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0"
#define EARLY __attribute__((disable_sanitizer_instrumentation))
EARLY const char *__asan_default_options(void) { return WITHOUT_HANDLERS; }
EARLY const char *__tsan_default_options(void) { return WITHOUT_HANDLERS; }

static void fail(const char *what) {
    fprintf(stderr, "TestChild: %s: %s\n", what, strerror(errno));
    exit(1);
}

// MARK: What several verbs need

static long number(const char *text) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        fprintf(stderr, "TestChild: not a number: %s\n", text);
        exit(64);
    }
    return value;
}

// A signal by its number or its name, with or without SIG.
static int signal_called(const char *text) {
    if (isdigit((unsigned char)*text)) return (int)number(text);
    if (strncmp(text, "SIG", 3) == 0) text += 3;
    for (int signal = 1; signal < NSIG; signal++) {
        const char *name = sigabbrev_np(signal);
        if (name != NULL && strcmp(name, text) == 0) return signal;
    }
    fprintf(stderr, "TestChild: not a signal: %s\n", text);
    exit(64);
}

static void sleep_for(double seconds) {
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {}
}

static void sleep_until_killed(void) {
    for (;;) pause();
}

static void write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t done = write(fd, bytes, count);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) fail("write");
        bytes += done;
        count -= (size_t)done;
    }
}

static void say_ready(void) { write_all(1, "ready\n", 6); }

// Lines of 63 letters, the alphabet over and over, so that a missing or doubled piece shows.
static void flood(int one, int other, long bytes) {
    char chunk[26 * 64 * 16];
    for (size_t i = 0; i < sizeof chunk; i++) chunk[i] = i % 64 == 63 ? '\n' : (char)('a' + i % 26);
    while (bytes > 0) {
        size_t count = bytes < (long)sizeof chunk ? (size_t)bytes : sizeof chunk;
        write_all(one, chunk, count);
        if (other >= 0) write_all(other, chunk, count);
        bytes -= (long)count;
    }
}

static int leave_grandchild(const char *seconds, int own_session) {
    int left[2];  // closed by the grandchild once it is where it is to be: only then does its parent end
    if (pipe(left) < 0) fail("pipe");
    pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
        if (own_session) setsid();
        close(left[0]);
        close(left[1]);
        sleep_for(atof(seconds));
        _exit(0);
    }
    close(left[1]);
    char none;
    while (read(left[0], &none, 1) < 0 && errno == EINTR) {}
    close(left[0]);
    printf("%d\n", pid);
    return 0;
}

static int compare(const void *one, const void *other) { return *(const int *)one - *(const int *)other; }

// MARK: Verbs

static int cat(char **arguments) {
    static char buffer[65536];
    for (;;) {
        ssize_t count = read(0, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("read");
        if (count == 0) return 0;
        write_all(1, buffer, (size_t)count);
    }
}

static int echo(char **arguments) {
    for (int i = 0; arguments[i] != NULL; i++) printf(i == 0 ? "%s" : " %s", arguments[i]);
    printf("\n");
    return 0;
}

static int do_sleep(char **arguments) {
    sleep_for(atof(arguments[0]));
    return 0;
}

static int do_exit(char **arguments) { return (int)number(arguments[0]); }

static int kill_self(char **arguments) {
    if (kill(getpid(), signal_called(arguments[0])) < 0) fail("kill");
    return 0;
}

static int ignore(char **arguments) {
    for (; *arguments != NULL; arguments++) signal(signal_called(*arguments), SIG_IGN);
    say_ready();
    sleep_until_killed();
    return 0;
}

static int do_flood(char **arguments) {
    int both = strcmp(arguments[0], "both") == 0;
    flood(strcmp(arguments[0], "err") == 0 ? 2 : 1, both ? 2 : -1, number(arguments[1]));
    return 0;
}

static int flood_then_cat(char **arguments) {
    flood(1, 2, number(arguments[0]));
    return cat(arguments);
}

static int grandchild(char **arguments) { return leave_grandchild(arguments[0], 0); }
static int grandchild_session(char **arguments) { return leave_grandchild(arguments[0], 1); }

static int answer_lines(int buffering, int (*change)(int)) {
    setvbuf(stdout, NULL, buffering, 1 << 20);
    int c;
    while ((c = getchar()) != EOF) putchar(change(c));
    return 0;
}

static int same(int c) { return c; }

static int unflushed(char **arguments) {
    return answer_lines(_IOFBF, same);
}

static int upcase(char **arguments) {
    return answer_lines(_IOLBF, toupper);
}

static int crash(char **arguments) {
    abort();
}

static int status(char **arguments) {
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL) fail("/proc/self/status");
    char line[256];
    while (fgets(line, sizeof line, file) != NULL)
        if (!strncmp(line, "SigBlk:", 7) || !strncmp(line, "SigIgn:", 7) || !strncmp(line, "SigCgt:", 7))
            fputs(line, stdout);
    fclose(file);
    return 0;
}

static int fds(char **arguments) {
    static int numbers[1 << 16];
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) fail("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != dirfd(folder) && count < 1 << 16)
            numbers[count++] = atoi(entry->d_name);
    closedir(folder);
    qsort(numbers, (size_t)count, sizeof *numbers, compare);
    for (int i = 0; i < count; i++) printf(i == 0 ? "%d" : " %d", numbers[i]);
    printf("\n");
    return 0;
}

static int env(char **arguments) {
    for (char **entry = environ; *entry != NULL; entry++) puts(*entry);
    return 0;
}

static int args(char **arguments) {
    for (; *arguments != NULL; arguments++) {
        for (const unsigned char *c = (unsigned char *)*arguments; *c != '\0'; c++) printf("%02x", *c);
        printf("\n");
    }
    return 0;
}

static int cwd(char **arguments) {
    char path[PATH_MAX];
    if (getcwd(path, sizeof path) == NULL) fail("getcwd");
    puts(path);
    return 0;
}

static int ids(char **arguments) {
    printf("%d %d %d %d %u %u\n", getpid(), getppid(), getpgid(0), getsid(0), getuid(), getgid());
    return 0;
}

static int close_stdin(char **arguments) {
    close(0);
    say_ready();
    sleep_until_killed();
    return 0;
}

static int read_exactly(char **arguments) {
    char byte;
    for (long left = number(arguments[0]); left > 0; left--)
        if (read(0, &byte, 1) != 1) return 1;
    return 3;
}

static int slow_lines(char **arguments) {
    double pause = (double)number(arguments[1]) / 1e6;
    for (long i = 1, count = number(arguments[0]); i <= count; i++) {
        char line[32];
        write_all(1, line, (size_t)snprintf(line, sizeof line, "line %ld\n", i));
        sleep_for(pause);
    }
    return 0;
}

static int stop(char **arguments) {
    raise(SIGSTOP);
    return 0;
}

static int close_output_then_sleep(char **arguments) {
    close(1);
    close(2);
    sleep_for(atof(arguments[0]));
    return 0;
}

static int tty(char **arguments) {
    for (int fd = 0; fd <= 2; fd++) printf("%d %s\n", fd, isatty(fd) ? "terminal" : "other");
    return 0;
}

// MARK: POSIX semaphores and queues, as C has them

static int use_semaphore(char **words) {
    const char *verb = words[1];
    int creates = strcmp(verb, "create") == 0;
    sem_t *semaphore = creates ? sem_open(words[0], O_CREAT | O_EXCL, 0600, 3) : sem_open(words[0], 0);
    if (semaphore == SEM_FAILED) fail("sem_open");
    if (strcmp(verb, "post") == 0 && sem_post(semaphore) < 0) fail("sem_post");
    if (strcmp(verb, "wait") == 0 && sem_wait(semaphore) < 0) fail("sem_wait");
    if (words[2] == NULL) return 0;
    puts("there");
    fflush(stdout);
    sleep_until_killed();
    return 0;
}

static int use_queue(char **words) {
    mqd_t queue = mq_open(words[0], O_RDWR);
    if (queue < 0) fail("mq_open");
    if (strcmp(words[1], "send") == 0) {
        if (words[2] == NULL || words[3] == NULL) return 64;
        if (mq_send(queue, words[3], strlen(words[3]), (unsigned)number(words[2])) < 0) fail("mq_send");
        return 0;
    }
    char message[8192];
    unsigned priority = 0;
    long size = mq_receive(queue, message, sizeof message, &priority);
    if (size < 0) fail("mq_receive");
    printf("%u %.*s\n", priority, (int)size, message);
    return 0;
}

// MARK: The list of verbs

static const struct verb {
    const char *name;
    int least;  // so many arguments at the least
    int (*run)(char **arguments);
    const char *usage;
} verbs[] = {
    {"cat", 0, cat, "copies its input to its output with read and write"},
    {"echo", 0, echo, "ARGS...: prints them with spaces between"},
    {"sleep", 1, do_sleep, "SECONDS, fractions too"},
    {"exit", 1, do_exit, "N: exits with that status"},
    {"kill-self", 1, kill_self, "SIG: sends itself the signal (a number or a name)"},
    {"ignore", 1, ignore, "SIG...: ignores them, says `ready`, sleeps until killed"},
    {"flood", 2, do_flood, "out|err|both BYTES: writes so many as fast as it can"},
    {"flood-then-cat", 1, flood_then_cat, "BYTES: floods both outputs, then does as cat"},
    {"grandchild", 1, grandchild, "SECONDS: leaves one that keeps the outputs, prints its pid, exits at once"},
    {"grandchild-session", 1, grandchild_session, "SECONDS: the same, in a session of its own"},
    {"unflushed", 0, unflushed, "answers each line, but only in its buffer until the input ends"},
    {"upcase", 0, upcase, "answers each line in capitals at once"},
    {"crash", 0, crash, "aborts"},
    {"status", 0, status, "prints SigBlk, SigIgn and SigCgt of /proc/self/status"},
    {"fds", 0, fds, "prints the numbers of its open descriptors in order"},
    {"env", 0, env, "prints its environment"},
    {"args", 0, args, "ARGS...: prints each in hexadecimal on a line"},
    {"cwd", 0, cwd, "prints its directory"},
    {"ids", 0, ids, "prints pid ppid pgid sid uid gid"},
    {"close-stdin", 0, close_stdin, "closes its input, says `ready`, sleeps until killed"},
    {"read", 1, read_exactly, "BYTES: reads so many from its input, exits with 3 (1 if there are fewer)"},
    {"slow-lines", 2, slow_lines, "COUNT MICROSECONDS: prints `line N`, with that pause after each"},
    {"stop", 0, stop, "stops itself; continued, it exits with 0"},
    {"close-output-then-sleep", 1, close_output_then_sleep, "SECONDS: closes 1 and 2 and sleeps"},
    {"semaphore", 2, use_semaphore, "NAME create|post|wait [rest]: of POSIX; rests until killed if asked to"},
    {"queue", 2, use_queue, "NAME send PRIORITY TEXT|receive: of POSIX; prints the priority and the text"},
    {"tty", 0, tty, "says for 0, 1 and 2 whether it is a `terminal` or `other`"},
};

int main(int count, char **arguments) {
    for (size_t i = 0; count > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(arguments[1], verbs[i].name) == 0 && count - 2 >= verbs[i].least) return verbs[i].run(arguments + 2);
    fprintf(stderr, "usage: TestChild VERB ARGUMENTS\n");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        fprintf(stderr, "  %-24s%s\n", verbs[i].name, verbs[i].usage);
    return 64;
}
