// SPDX-License-Identifier: GPL-2.0
/* fentry SECONDS: attaches a fentry program to bpf_dynptr_size(), says so, and holds it. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fentry.skel.h"

int main(int argc, char **argv)
{
	struct fentry_bpf *skel = fentry_bpf__open_and_load();
	int err;

	if (!skel) {
		perror("fentry: load");
		return 1;
	}
	err = fentry_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "fentry: attach: %s\n", strerror(-err));
		return 1;
	}
	printf("attached\n");
	fflush(stdout);
	sleep(argc > 1 ? atoi(argv[1]) : 1);
	fentry_bpf__destroy(skel);
	return 0;
}
