// SPDX-License-Identifier: GPL-2.0
/* holder SECONDS: loads the rows programs, says so, and holds them. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rows.h"
#include "rows.skel.h"

int main(int argc, char **argv)
{
	struct rows_bpf *skel = rows_bpf__open_and_load();

	if (!skel) {
		perror("holder: load");
		return 1;
	}
	printf("loaded\n");
	fflush(stdout);
	sleep(argc > 1 ? atoi(argv[1]) : 1);
	rows_bpf__destroy(skel);
	return 0;
}
