/* A wire with a delay, for kernels without netem: what one TAP device sends reaches the other so many microseconds later, and back.

     delay TAP TAP MICROSECONDS

   Prints a line when both devices are there; another process gives them addresses. Packets that do not fit into the queue are lost, as on
   any wire. Large segments pass whole (virtio headers), so that a gigabit does not take a processor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = 1024, LARGEST = 65536 + 64 };

struct packet { int64_t due; ssize_t length; char bytes[LARGEST]; };
struct way { int from, to; unsigned first, count; struct packet *packets; };

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what) { perror(what); exit(1); }

static int tap(const char *name) {
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    if (device < 0) fail("/dev/net/tun");
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(device, TUNSETIFF, &request) < 0) fail(name);
    if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) fail("TUNSETOFFLOAD");
    return device;
}

/* Take in all that waits. */
static void receive(struct way *way, int64_t delay) {
    while (way->count < QUEUE) {
        struct packet *packet = &way->packets[(way->first + way->count) % QUEUE];
        packet->length = read(way->from, packet->bytes, LARGEST);
        if (packet->length < 0) return;
        packet->due = now() + delay;
        way->count++;
    }
}

/* Pass on what is due. */
static void pass(struct way *way) {
    while (way->count && way->packets[way->first].due <= now()) {
        struct packet *packet = &way->packets[way->first];
        if (write(way->to, packet->bytes, packet->length) < 0 && errno == EAGAIN) return;
        way->first = (way->first + 1) % QUEUE;
        way->count--;
    }
}

int main(int count, char **words) {
    if (count != 4) { fputs("usage: delay TAP TAP MICROSECONDS\n", stderr); return 2; }
    int64_t delay = atoll(words[3]) * 1000;
    int a = tap(words[1]), b = tap(words[2]);
    struct way ways[2] = { { .from = a, .to = b }, { .from = b, .to = a } };
    for (int i = 0; i < 2; i++)
        if (!(ways[i].packets = malloc(QUEUE * sizeof(struct packet)))) fail("memory");
    prctl(PR_SET_TIMERSLACK, 1);
    /* A wire does not wait for a processor that computes. */
    struct sched_param first = { .sched_priority = 50 };
    if (sched_setscheduler(0, SCHED_FIFO, &first) < 0) fail("real-time priority");
    puts("ready");
    fflush(stdout);
    for (;;) {
        int64_t next = INT64_MAX;
        struct pollfd waits[2];
        for (int i = 0; i < 2; i++) {
            receive(&ways[i], delay);
            pass(&ways[i]);
            waits[i] = (struct pollfd){ .fd = ways[i].count < QUEUE ? ways[i].from : -1, .events = POLLIN };
            if (ways[i].count && ways[i].packets[ways[i].first].due < next) next = ways[i].packets[ways[i].first].due;
        }
        int64_t left = next == INT64_MAX ? 1000000000 : next - now();
        if (left < 0) left = 0;
        struct timespec wait = { .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
        if (ppoll(waits, 2, &wait, NULL) < 0 && errno != EINTR) fail("ppoll");
    }
}
