// SPDX-License-Identifier: GPL-2.0
/*
 * loader: that lib/loader.h finds what a program (planted.bpf.c) says wrongly of itself, or leaves
 * out, and nothing else.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader.h"
#include "ksft.h"

/* What the comment behind `not ok' must have; NULL if the program is right. */
static const struct planted {
	const char *name, *reason;
} planted[] = {
	{ "right_accepted" },
	{ "right_accepted_with_log" },
	{ "right_refused" },
	{ "right_by_capabilities" },
	{ "accepted", "it is accepted" },
	{ "refused", "it is refused" },
	{ "wrong_msg", "its log lacks \"Unreleased dynptr\";" },
	{ "wrong_order", "its log lacks \"Unreleased reference\" there" },
	{ "wrong_not_msg", "its log has \"bpf_ringbuf_reserve\"" },
	{ "no_log", "its log lacks \"processed\"" },
	{ "wrong_retval", "it returns 7, not 8" },
	{ "cannot_be_run", "it cannot be run" },
	{ "refused_by_capabilities", "it is refused" },
	{ "no_tag", "it does not say whether it is accepted" },
	{ "no_verdict", "it does not say whether it is accepted" },
	{ "no_msg", "it does not say why it is refused" },
	{ "only_not_msg", "it does not say why it is refused" },
	{ "both", "it says that it is accepted and refused" },
	{ "retval_of_refused", "it does not say that it is accepted" },
	{ "unknown_tag", "the tag \"test_expect_xlated=0: r0 = 0\" is wrong" },
	{ "no_number", "the tag \"test_retval=seven\" is wrong" },
};

/* What the loader prints of a program, in a process whose tests do not count here. */
static int print_of(const struct loader_spec *spec, char *text, size_t size)
{
	int channel[2], status = -1;
	size_t length;
	FILE *file;
	pid_t pid;

	if (pipe(channel))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(channel[1], STDOUT_FILENO);
		ksft_count = (struct ksft_count){};
		loader_test(spec, "");
		ksft_finished();
	}
	close(channel[1]);
	file = fdopen(channel[0], "r");
	length = fread(text, 1, size - 1, file);
	text[length] = '\0';
	fclose(file);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void try(const struct loader_spec *spec, void *count)
{
	const struct planted *end = planted + COUNT(planted), *p = planted;
	static char text[1 << 16];
	bool failed, found;
	int status;

	while (p < end && strcmp(p->name, spec->name))
		p++;
	if (p == end)
		ksft_exit_fail_msg("%s: not known whether it is right\n", spec->name);
	status = print_of(spec, text, sizeof(text));
	failed = !strncmp(text, "not ok 1 - ", strlen("not ok 1 - ")) && status == 1;
	found = !strncmp(text, "ok 1 - ", strlen("ok 1 - ")) && !strstr(text, "not ok") && !status;
	if (!ksft_test_result(p->reason ? failed && strstr(text, p->reason) : found,
			      "loader: %s: %s\n", spec->name, p->reason ?: "it is as it says"))
		ksft_print_msg("status %d: %.900s\n", status, text);
	++*(size_t *)count;
}

int main(void)
{
	size_t count = 0;

	ksft_print_header();
	ksft_set_plan(COUNT(planted) + 1);
	loader_each("planted.bpf.o", try, &count);
	ksft_test_result(count == COUNT(planted), "loader: all %zu programs were tried\n",
			 COUNT(planted));
	ksft_finished();
}
