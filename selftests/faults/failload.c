// SPDX-License-Identifier: GPL-2.0
/*
 * failload KO FAILNTH_KO [SHARE]: loading the module with each allocation failing in turn that its
 * initialisation makes, the kernel's own on its behalf among them (kmod/failnth.c); then the same
 * for removing it. The module is refused or does without; each time the kernel must be as before.
 * Of allocations with the same call stack only the first fails; with a SHARE above 1, one of so
 * many call stacks, by chance. With 0, every allocation.
 */
#include "control.h"
#include "failnth.h"
#include "insert.h"
#include "stream.h"

#define MAX_FAILURES 4096

/* What became of the loads. */
static unsigned int failures, refused, endured, wrong_errno, not_as_before;

/* Whether programs load and run, with C. */
static bool serves(void)
{
	struct stream stream;
	bool right;

	open_stream(&stream);
	produce(&stream, 50);
	right = stream_is_right(&stream);
	close_stream(&stream);
	return right;
}

static void check_state(const char *before, int nth, const char *where)
{
	if (state_is(before))
		return;
	if (not_as_before++ < 5)
		ksft_print_msg("not as before, allocation %d: %.300s\n", nth, where);
}

/* One load of which allocation @nth fails. Whether there was one. */
static bool fail_load(const char *ko, int nth, const char *before)
{
	static char where[FAILNTH_WHERE];
	bool there;
	int err;

	failnth_set("nth", nth);
	err = module_insert(ko, "count=1");
	failnth_set("nth", 0);
	there = failnth_where(where);
	if (!there && err)
		ksft_exit_fail_msg("the module does not load: %s\n", strerror(err));
	failures += there;
	refused += !!err;
	endured += there && !err;
	if (err && err != ENOMEM && wrong_errno++ < 5)
		ksft_print_msg("errno %d of allocation %d: %.300s\n", err, nth, where);
	if (!err && control_unload())
		ksft_exit_fail_msg("the module does not unload after allocation %d failed\n", nth);
	check_state(before, nth, where);
	return there;
}

static void fail_loads(const char *ko, const char *before)
{
	int nth = 1;

	while (nth < MAX_FAILURES && fail_load(ko, nth, before))
		if (!(nth++ % 50))
			ksft_print_msg("%d loads\n", nth - 1);
	ksft_print_msg("%d allocations; errno other than ENOMEM for %u\n", nth - 1, wrong_errno);
	ksft_test_result(failures > 4 && refused > 2 && nth < MAX_FAILURES,
			 "failload: %u loads of which one allocation fails: %u refused, %u do without\n",
			 failures, refused, endured);
	ksft_test_result(!not_as_before,
			 "failload: after each the kernel is as before (%u are not)\n",
			 not_as_before);
	ksft_test_result(serves(), "failload: programs load and run after that, with C\n");
}

/* One removal of which allocation @nth fails. Whether there was one. */
static bool fail_removal(const char *ko, int nth, const char *before)
{
	static char where[FAILNTH_WHERE];
	bool there;
	int err = 0;

	if (module_insert(ko, "count=1"))
		ksft_exit_fail_msg("the module does not load\n");
	if (!livepatch_end() || !module_references_become(0))
		ksft_exit_fail_msg("the livepatch does not go\n");
	failnth_set("nth", nth);
	err = module_remove();
	failnth_set("nth", 0);
	there = failnth_where(where);
	failures += there;
	refused += !!err;
	if (err && module_remove())
		ksft_exit_fail_msg("the module is not removed after allocation %d failed\n", nth);
	check_state(before, nth, where);
	return there;
}

static void fail_removals(const char *ko, const char *before)
{
	int nth = 1;

	failures = 0;
	refused = 0;
	while (nth < MAX_FAILURES && fail_removal(ko, nth, before))
		nth++;
	ksft_test_result(!refused && !not_as_before,
			 "failload: %u removals of which one allocation fails: done, all as before\n",
			 failures);
	ksft_test_result(serves(), "failload: programs load and run after that, with C\n");
}

int main(int argc, char **argv)
{
	int once = argc > 3 ? atoi(argv[3]) : 1;
	static char before[STATE_SIZE];

	if (argc < 3) {
		fprintf(stderr, "usage: failload KO FAILNTH_KO [SHARE]\n");
		return 2;
	}
	ksft_print_header();
	ksft_set_plan(5);
	libbpf_set_print(NULL);
	failnth_start(argv[2], "call=%d from=do_one_initcall all=1 once=%d", SYS_finit_module,
		      once);
	state_read(before);
	fail_loads(argv[1], before);
	failnth_stop();
	failnth_start(argv[2], "call=%d all=1 once=%d", SYS_delete_module, once);
	state_read(before);
	fail_removals(argv[1], before);
	failnth_stop();
	ksft_finished();
}
