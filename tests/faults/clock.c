/* A wall clock that is wrong by as many seconds as the file $FAULT_CLOCK says. Loaded before the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static const char *path;
    static __thread time_t looked, offset;
    if (!real) {
        path = getenv("FAULT_CLOCK");
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    }
    int outcome = real(clock, now);
    if (outcome == 0 && clock == CLOCK_REALTIME && path) {
        struct timespec steady;
        real(CLOCK_MONOTONIC, &steady);
        /* Once a second is soon enough, and a clock must be quick. */
        if (steady.tv_sec != looked) {
            FILE *file = fopen(path, "r");
            long read;
            looked = steady.tv_sec;
            if (file && fscanf(file, "%ld", &read) == 1)
                offset = read;
            if (file)
                fclose(file);
        }
        now->tv_sec += offset;
    }
    return outcome;
}
