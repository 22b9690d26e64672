// SPDX-License-Identifier: GPL-2.0
/*
 * stringcost KO [JSON [TURNS]]: instructions of finding a header in a packet of 1,500 bytes, and of
 * comparing a string of 64, by a kfunc and by a loop that a program has today (stringcost.bpf.c);
 * and instructions that the verifier processes for each. The kfunc must take a fifth at most. Where
 * the clock counts instructions (vm -i).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "stringcost.h"
#include "control.h"
#include "packets.h"
#include "samples.h"
#include "stringcost.skel.h"
#include "ksft.h"

#define REPEATS 5
#define TIMES 5		/* as many as a kfunc must be less */
#define LINEAR 700	/* of a packet in parts */
#define FOUND_AT 1400

static struct stringcost_bpf *skel;
static char packet[STRINGCOST_PACKET];

/* What does the same: by a kfunc, and by a loop. */
static const struct pair {
	const char *what, *kfunc, *loop;
	unsigned int start, len;
	int result;
	bool is_held;
} pairs[] = {
	{ "header, loop over bpf_dynptr_slice", "find_kfunc", "find_slice", 0,
	  STRINGCOST_PACKET, FOUND_AT, true },
	{ "header, loop over bpf_dynptr_read", "find_kfunc", "find_read", 0, STRINGCOST_PACKET,
	  FOUND_AT, true },
	{ "header, ignoring case, loop over bpf_dynptr_slice", "find_case_kfunc", "find_slice", 0,
	  STRINGCOST_PACKET, FOUND_AT, true },
	{ "64 bytes, loop over bpf_dynptr_slice", "compare_kfunc", "compare_slice", LINEAR - 32,
	  STRINGCOST_COMPARED, 0, true },
	{ "64 bytes, loop over bpf_dynptr_read", "compare_kfunc", "compare_read", LINEAR - 32,
	  STRINGCOST_COMPARED, 0, true },
	{ "64 bytes of a constant, loop over bpf_dynptr_slice", "compare_const_kfunc",
	  "compare_slice", LINEAR - 32, STRINGCOST_COMPARED, 0, true },
	/* Where the length is known when the program is written. */
	{ "64 bytes, loop over one slice", "compare_kfunc", "compare_one_slice", LINEAR - 32,
	  STRINGCOST_COMPARED, 0, false },
};

static struct bpf_program *find_program(const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, name);

	if (!prog)
		ksft_exit_fail_msg("no program %s\n", name);
	return prog;
}

/* The least of some runs on a packet with @linear bytes in its first part. */
static double least(const char *name, const struct pair *pair, unsigned int linear, int *result)
{
	unsigned long long found = ~0ULL;

	skel->bss->start = pair->start;
	skel->bss->len = pair->len;
	for (int i = 0; i < REPEATS; i++) {
		if (packet_run(bpf_program__fd(find_program(name)), false, packet, sizeof(packet),
			       linear))
			ksft_exit_fail_msg("%s: %s\n", name, strerror(errno));
		if (skel->bss->spent < found)
			found = skel->bss->spent;
	}
	*result = skel->bss->result;
	return found;
}

static unsigned int verified(const char *name)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(find_program(name)), &info, &len))
		ksft_exit_fail_msg("%s: %s\n", name, strerror(errno));
	return info.verified_insns;
}

static void compare(const struct pair *pair, unsigned int linear, FILE *json, int turns)
{
	static bool is_further;
	const char *where = linear < sizeof(packet) ? "in two parts" : "in one part";
	struct samples kfunc = {}, loop = {};
	int of_kfunc, of_loop, of_nothing;
	double base = least("nothing", pair, linear, &of_nothing);
	char name[128];

	for (int i = 0; i < turns; i++) {
		sample_add(&loop, least(pair->loop, pair, linear, &of_loop) - base);
		sample_add(&kfunc, least(pair->kfunc, pair, linear, &of_kfunc) - base);
	}
	snprintf(name, sizeof(name), "%s, %s", pair->what, where);
	ksft_print_msg("%s: %.0f instructions, not %.0f (%.1f times)\n", name, sample_least(&kfunc),
		       sample_least(&loop), sample_least(&loop) / sample_least(&kfunc));
	ksft_test_result(of_kfunc == pair->result && of_loop == pair->result,
			 "stringcost: %s: results %d and %d\n", name, of_kfunc, of_loop);
	if (pair->is_held)
		ksft_test_result(sample_least(&kfunc) * TIMES <= sample_least(&loop),
				 "stringcost: %s: at least %d times fewer instructions\n", name,
				 TIMES);
	if (json)
		samples_result(json, !is_further, name, "loop", &loop, &kfunc);
	is_further = true;
}

static void compare_verified(const struct pair *pair)
{
	unsigned int base = verified("nothing"), kfunc = verified(pair->kfunc);
	unsigned int loop = verified(pair->loop);

	/* What is there without either is not counted, but for one call. */
	kfunc = kfunc > base ? kfunc - base : 1;
	loop = loop > base ? loop - base : 1;
	ksft_print_msg("%s: %u instructions verified, not %u (%.1f times)\n", pair->what, kfunc,
		       loop, (double)loop / kfunc);
	if (pair->is_held)
		ksft_test_result(kfunc * TIMES <= loop,
				 "stringcost: %s: at least %d times fewer instructions verified\n",
				 pair->what, TIMES);
}

int main(int argc, char **argv)
{
	int turns = argc > 3 ? atoi(argv[3]) : 1;
	FILE *json = NULL;

	if (argc < 2 || turns < 1) {
		fprintf(stderr, "usage: stringcost KO [JSON [TURNS]]\n");
		return 2;
	}
	ksft_print_header();
	if (control_load(argv[1], ""))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = i % 40 ? 'a' + i % 23 : '\r';
	memcpy(packet + FOUND_AT, STRINGCOST_HEADER, strlen(STRINGCOST_HEADER));
	skel = stringcost_bpf__open();
	if (!skel)
		ksft_exit_fail_msg("stringcost.bpf.o: %s\n", strerror(errno));
	memcpy((void *)skel->rodata->compared_const, packet + LINEAR - 32, STRINGCOST_COMPARED);
	memcpy(skel->bss->compared, packet + LINEAR - 32, STRINGCOST_COMPARED);
	if (stringcost_bpf__load(skel))
		ksft_exit_fail_msg("stringcost.bpf.o cannot be loaded: %s\n", strerror(errno));
	if (argc > 2)
		json = samples_open(argv[2], "strings", "instructions a call");
	for (size_t i = 0; i < COUNT(pairs); i++) {
		compare(&pairs[i], sizeof(packet), json, turns);
		compare(&pairs[i], LINEAR, json, turns);
		compare_verified(&pairs[i]);
	}
	if (json)
		samples_close(json);
	stringcost_bpf__destroy(skel);
	ksft_test_result(!control_unload(), "stringcost: the module can be unloaded\n");
	ksft_finished();
}
