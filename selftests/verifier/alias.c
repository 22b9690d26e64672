// SPDX-License-Identifier: GPL-2.0
/*
 * alias KO: a slice that is the caller's stack buffer lets a program forge a pointer, or read one
 * that it must not know (see alias.bpf.c). C accepts that, and so does Rust, which accepts what C
 * does; with soundness=strict it is refused.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>

#include "alias.skel.h"
#include "alias.h"
#include "capabilities.h"
#include "control.h"
#include "loader.h"
#include "ksft.h"

#define PACKET 9000
#define KERNEL_ADDRESSES 0xffff000000000000ULL

static char packet[PACKET];

/* Loads the program @name alone, without CAP_PERFMON unless it may @see_pointers. Or NULL. */
static struct alias_bpf *load(const char *name, bool see_pointers)
{
	struct alias_bpf *skel = alias_bpf__open();
	int err;

	if (!skel)
		ksft_exit_fail_msg("cannot open alias.bpf.o: %s\n", strerror(errno));
	loader_only(skel->obj, name);
	/* CAP_SYS_ADMIN implies it. */
	if (!see_pointers)
		keep_capabilities(~(CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_SYS_ADMIN)));
	err = alias_bpf__load(skel);
	keep_capabilities(CAP_ALL);
	if (!err)
		return skel;
	alias_bpf__destroy(skel);
	return NULL;
}

/* Runs the program over all offsets, from one that gives @value on. What it saw, 0 if never. */
static unsigned long long try_offsets(struct alias_bpf *skel, const char *name,
				      bool *aliased)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, name);
	unsigned long long seen = 0;
	__u64 value;

	for (__u32 key = 0; key < 2; key++) {
		value = key ? ALIAS_SECOND : ALIAS_FIRST;
		bpf_map__update_elem(skel->maps.cells, &key, sizeof(key), &value, sizeof(value),
				     BPF_ANY);
	}
	*aliased = false;
	for (skel->bss->offset = 0; skel->bss->offset < PACKET; skel->bss->offset += 8) {
		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
			ksft_exit_fail_msg("test run: %s\n", strerror(errno));
		*aliased |= skel->bss->aliased;
		if (skel->bss->aliased || skel->bss->seen >= KERNEL_ADDRESSES)
			seen = skel->bss->seen;
	}
	return seen;
}

/* What C and Rust accept, and what comes of it. */
static void accepted(const char *side)
{
	struct alias_bpf *skel;
	unsigned long long seen;
	bool aliased;

	skel = load("alias", true);
	if (ksft_test_result(skel, "alias: %s accepts a writable slice over a stack buffer\n",
			     side)) {
		seen = try_offsets(skel, "alias", &aliased);
		ksft_test_result(aliased && seen == ALIAS_SECOND,
				 "alias: with %s a verified pointer to cell %d reads cell %llu\n",
				 side, ALIAS_FIRST, seen);
		alias_bpf__destroy(skel);
	}
	skel = load("leak", false);
	if (ksft_test_result(skel,
			     "alias: %s accepts a slice over a stack buffer without CAP_PERFMON\n",
			     side)) {
		seen = try_offsets(skel, "leak", &aliased);
		ksft_test_result(seen >= KERNEL_ADDRESSES,
				 "alias: with %s it reads a kernel pointer\n", side);
		alias_bpf__destroy(skel);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: alias KO\n");
		return 2;
	}
	ksft_print_header();
	accepted("C");
	ksft_test_result(!control_load(argv[1], ""), "alias: the module loads\n");
	accepted("Rust");
	ksft_test_result(!control_unload(), "alias: the module unloads\n");

	ksft_test_result(!control_load(argv[1], "soundness=strict"),
			 "alias: the module loads again\n");
	loader_run("alias.bpf.o", "alias: on request: ");
	ksft_test_result(!control_unload(), "alias: the module unloads again\n");
	ksft_test_result(!control_load(argv[1], "refuse_stack_slices=1"),
			 "alias: the module loads with the parameter's former name\n");
	loader_run("alias.bpf.o", "alias: by its former name: ");
	ksft_test_result(!control_unload(), "alias: the module unloads after that\n");
	ksft_finished();
}
