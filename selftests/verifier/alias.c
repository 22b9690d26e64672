// SPDX-License-Identifier: GPL-2.0
/*
 * alias KO: a slice that is the caller's stack buffer lets a program forge a pointer, or read one
 * that it must not know (see alias.bpf.c). C accepts that, and so does Rust, which accepts what C
 * does; with refuse_stack_slices=1 it is refused.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alias.skel.h"
#include "alias.h"
#include "control.h"
#include "tap.h"

#define PACKET 9000
#define KERNEL_ADDRESSES 0xffff000000000000ULL
#define REFUSAL "R3 must not point to the stack: the slice may be that buffer"

static char packet[PACKET];
static char log_buffer[1 << 20];

/* Takes CAP_PERFMON and CAP_SYS_ADMIN, which implies it, away; or gives them back. */
static void may_see_pointers(bool may)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		tap_bail("capget: %s", strerror(errno));
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = data[i].permitted;
	if (!may) {
		data[CAP_TO_INDEX(CAP_PERFMON)].effective &= ~CAP_TO_MASK(CAP_PERFMON);
		data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	}
	if (syscall(SYS_capset, &header, data))
		tap_bail("capset: %s", strerror(errno));
}

/* Loads the program @name alone, with the log. The skeleton, or NULL. */
static struct alias_bpf *load(const char *name, bool see_pointers)
{
	struct alias_bpf *skel = alias_bpf__open();
	struct bpf_program *prog;
	int err;

	if (!skel)
		tap_bail("cannot open alias.bpf.o: %s", strerror(errno));
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	prog = bpf_object__find_program_by_name(skel->obj, name);
	bpf_program__set_log_buf(prog, log_buffer, sizeof(log_buffer));
	log_buffer[0] = 0;
	may_see_pointers(see_pointers);
	err = alias_bpf__load(skel);
	may_see_pointers(true);
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
			tap_bail("test run: %s", strerror(errno));
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
	if (tap_ok(skel, "alias: %s accepts a writable slice over a stack buffer", side)) {
		seen = try_offsets(skel, "alias", &aliased);
		tap_ok(aliased && seen == ALIAS_SECOND,
		       "alias: with %s a verified pointer to cell %d reads cell %llu", side,
		       ALIAS_FIRST, seen);
		alias_bpf__destroy(skel);
	}
	skel = load("leak", false);
	if (tap_ok(skel, "alias: %s accepts a slice over a stack buffer without CAP_PERFMON",
		   side)) {
		seen = try_offsets(skel, "leak", &aliased);
		tap_ok(seen >= KERNEL_ADDRESSES, "alias: with %s it reads a kernel pointer", side);
		alias_bpf__destroy(skel);
	}
}

static void must_be_refused(const char *name, bool see_pointers)
{
	struct alias_bpf *skel = load(name, see_pointers);

	tap_ok(!skel && strstr(log_buffer, REFUSAL),
	       "alias: on request %s is not loaded, and told why", name);
	if (skel)
		alias_bpf__destroy(skel);
}

static void still_accepted(const char *name, bool see_pointers, const char *what)
{
	struct alias_bpf *skel = load(name, see_pointers);

	tap_ok(skel, "alias: %s is accepted still", what);
	if (skel)
		alias_bpf__destroy(skel);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: alias KO\n");
		return 2;
	}
	accepted("C");
	tap_ok(!control_load(argv[1], ""), "alias: the module loads");
	accepted("Rust");
	tap_ok(!control_unload(), "alias: the module unloads");

	tap_ok(!control_load(argv[1], "refuse_stack_slices=1"), "alias: the module loads again");
	must_be_refused("alias", true);
	must_be_refused("leak", false);
	still_accepted("leak", true, "reading one's own pointers, with CAP_PERFMON,");
	still_accepted("no_alias", true, "a buffer that is not on the stack");
	tap_ok(!control_unload(), "alias: the module unloads again");
	return tap_done();
}
