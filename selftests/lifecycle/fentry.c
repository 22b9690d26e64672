// SPDX-License-Identifier: GPL-2.0
/*
 * fentry SECONDS [FUNCTION]: attaches a fentry program to bpf_dynptr_size() or FUNCTION, says so,
 * and holds it, until a signal at most; then says how often it ran.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fentry.skel.h"

static void wake_up(int signal)
{
}

int main(int argc, char **argv)
{
	struct fentry_bpf *skel = fentry_bpf__open();
	int err;

	if (skel && argc > 2)
		bpf_program__set_attach_target(skel->progs.on_size, 0, argv[2]);
	if (!skel || fentry_bpf__load(skel)) {
		perror("fentry: load");
		return 1;
	}
	signal(SIGTERM, wake_up);
	err = fentry_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "fentry: attach: %s\n", strerror(-err));
		return 1;
	}
	printf("attached\n");
	fflush(stdout);
	sleep(argc > 1 ? atoi(argv[1]) : 1);
	printf("%llu calls\n", skel->bss->calls);
	fentry_bpf__destroy(skel);
	return 0;
}
