// SPDX-License-Identifier: GPL-2.0
/*
 * lifetime KO: programs at the edges of a dynptr's life (lifetime.bpf.c) are judged as they say,
 * with C and with Rust.
 */
#include <stdio.h>

#include "control.h"
#include "loader.h"
#include "ksft.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: lifetime KO\n");
		return 2;
	}
	ksft_print_header();
	loader_run("lifetime.bpf.o", "lifetime: C: ");
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	loader_run("lifetime.bpf.o", "lifetime: Rust: ");
	control_save_hits();
	ksft_test_result(!control_unload(), "lifetime: the module can be unloaded\n");
	ksft_finished();
}
