#include "gateway/probe.h"

#include "gateway/ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

static int read_disabled(void) {
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file == NULL)
        return -1;
    char line[16] = "";
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    return read ? (int)strtol(line, NULL, 10) : -1;
}

static int read_seccomp(void) {
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL)
        return -1;
    int mode = -1;
    char line[256];
    while (mode < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "Seccomp:", 8) == 0)
            mode = (int)strtol(line + 8, NULL, 10);
    fclose(file);
    return mode;
}

void probe_gather(struct probe_facts *ret_facts) {
    struct ring *ring = NULL;
    struct utsname name;
    *ret_facts = (struct probe_facts){.disabled = read_disabled(), .seccomp = read_seccomp()};
    if (uname(&name) == 0)
        (void)snprintf(ret_facts->kernel, sizeof ret_facts->kernel, "%.63s", name.release);
    ret_facts->error = -ring_create(&(struct ring_options){.entries = 8, .buffers = 8, .buffer_bytes = 4096}, &ring);
    ring_destroy(ring);
}

struct probe_verdict probe_judge(const struct probe_facts *facts) {
    switch (facts->error) {
    case 0:
        return (struct probe_verdict){.usable = true};
    case EPERM:
    case EACCES:
        if (facts->disabled == 2)
            return (struct probe_verdict){false, "io_uring is switched off on this host: kernel.io_uring_disabled is 2",
                                          "run on the host: sysctl -w kernel.io_uring_disabled=0"};
        if (facts->disabled == 1)
            return (struct probe_verdict){false,
                                          "io_uring is kept to one group on this host: kernel.io_uring_disabled is 1",
                                          "run on the host: sysctl -w kernel.io_uring_disabled=0, or put the user in "
                                          "kernel.io_uring_group"};
        return (struct probe_verdict){
            false, "a seccomp filter refuses the io_uring system calls, as Docker's default profile does from 25 on",
            "start the container with a seccomp profile that allows io_uring_setup, io_uring_enter and "
            "io_uring_register: compose/gateway/seccomp.json, by --security-opt seccomp=FILE"};
    case ENOSYS:
        if (facts->seccomp == 2)
            return (struct probe_verdict){
                false,
                "io_uring_setup doesn't exist for this process: a seccomp filter hides it, or the kernel has none",
                "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile; "
                "the kernel must be 6.1 or newer with CONFIG_IO_URING"};
        return (struct probe_verdict){false, "this kernel has no io_uring",
                                      "use Linux 6.1 or newer with CONFIG_IO_URING"};
    case EINVAL:
        return (struct probe_verdict){
            false, "this kernel's io_uring is too old for single-issuer rings with deferred task work",
            "use Linux 6.1 or newer"};
    case ENOMEM:
        return (struct probe_verdict){
            false, "no memory for the ring: the locked-memory limit or the container's memory limit is too low",
            "raise memlock (ulimits: memlock in compose, LimitMEMLOCK in systemd) or the memory limit"};
    case EMFILE:
    case ENFILE:
        return (struct probe_verdict){false, "no file descriptor is left for the ring",
                                      "raise nofile (ulimits: nofile in compose)"};
    default:
        return (struct probe_verdict){false, "io_uring can't be set up; the error number says why",
                                      "use Linux 6.1 or newer and look at dmesg"};
    }
}
