/* Lets an allocation of a program fail: LD_PRELOAD this, with FAIL_ALLOCATION=N for the Nth alone, or N+ for the Nth and
 * all after it. FAIL_ALLOCATION_COUNT names a file that gets the number of allocations. For glibc.
 *
 * In C because an allocator in Rust needs `unsafe`, which this project keeps to its kernels. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long counted;
static long first = -1;
static int lasts;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("FAIL_ALLOCATION");
    if (text) {
        char *end;
        first = strtol(text, &end, 10);
        lasts = *end == '+';
    }
    counted = 0;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAIL_ALLOCATION_COUNT");
    long total = counted;
    first = -1;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", total);
        fclose(file);
    }
}

static int fails(void) {
    long number = atomic_fetch_add(&counted, 1);
    int now = first >= 0 && (lasts ? number >= first : number == first);
    if (now) {
        errno = ENOMEM;
    }
    return now;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t many, size_t size) { return fails() ? NULL : __libc_calloc(many, size); }
void *realloc(void *old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
void *memalign(size_t align, size_t size) { return fails() ? NULL : __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }

int posix_memalign(void **place, size_t align, size_t size) {
    *place = memalign(align, size);
    return *place ? 0 : ENOMEM;
}
