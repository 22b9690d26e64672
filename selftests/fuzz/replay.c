// SPDX-License-Identifier: GPL-2.0
/* Single programs on both sides: their logs, and the predicates of reduce.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sides.h"
#include "ksft.h"

const char *wanted_text;
__u32 wanted_wrong;

static void log_name(char *to, size_t size, const char *dir, const struct program *p, enum side s)
{
	snprintf(to, size, "%s/%llu.%s.log", dir, (unsigned long long)p->seed, side_names[s]);
}

/* On the side that serves now, in a process of its own: the log goes to the file @name. */
void record(const struct program *p, const char *name, struct outcome *result)
{
	struct outcome out;
	int pipes[2];
	FILE *file;
	pid_t pid;
	char *log;

	if (pipe(pipes))
		ksft_exit_fail_msg("pipe\n");
	fflush(stdout);
	pid = fork();
	if (pid) {
		close(pipes[1]);
		if (read(pipes[0], result, sizeof(*result)) != sizeof(*result))
			*result = (struct outcome){};
		close(pipes[0]);
		waitpid(pid, NULL, 0);
		return;
	}
	log = malloc(LOG_SIZE);
	file = fopen(name, "w");
	if (!log || !file)
		_exit(3);
	world_open();
	process_alone(p, &out, log);
	fputs(log, file);
	fprintf(file, "verdict: %d (%s)\n", out.verdict, strerror(out.verdict));
	if (out.flags & OUTCOME_COMPARED)
		fprintf(file, "run: %016llx\n", (unsigned long long)out.run);
	else
		fprintf(file, "run: %s\n", out.flags & OUTCOME_RAN ? "not compared" : "none");
	fclose(file);
	_exit(write(pipes[1], &out, sizeof(out)) != sizeof(out));
}

/*
 * Shows a program with what both sides say of it; whole logs stay in @dir. The side that serves
 * now goes first.
 */
void replay(const struct program *p, const char *dir, bool verbose)
{
	static struct image image;
	char first[256], second[256], command[1024];
	struct outcome out;

	show_program(stdout, p);
	emit(p, &image);
	show_insns(stdout, &image);
	log_name(first, sizeof(first), dir, p, SIDE_C);
	log_name(second, sizeof(second), dir, p, SIDE_RUST);
	record(p, side_now() == SIDE_C ? first : second, &out);
	side_take(!side_now());
	record(p, side_now() == SIDE_C ? first : second, &out);
	if (verbose)
		snprintf(command, sizeof(command),
			 "echo '== C'; cat %s; echo '== Rust'; diff -U2 %s %s && echo equal",
			 first, first, second);
	else
		snprintf(command, sizeof(command), "tail -n 25 %s; diff -U2 %s %s | head -n 60",
			 first, first, second);
	fflush(stdout);
	if (system(command) < 0)
		ksft_print_msg("cannot compare %s and %s\n", first, second);
}

/* For reduce(): C and Rust differ. */
void holds_difference(const struct program *programs, size_t count, bool *holds)
{
	struct outcome *out = calloc(count * SIDES, sizeof(*out));
	enum side first = side_now();

	if (!out)
		ksft_exit_fail_msg("no memory\n");
	pass_batch(programs, count, out + first * count);
	side_take(!first);
	pass_batch(programs, count, out + !first * count);
	for (size_t i = 0; i < count; i++)
		holds[i] = !outcome_same(&out[i], &out[count + i]);
	free(out);
}

/*
 * Whether the log has the wanted text, or that is "verdict: " and the errno; without one, whether
 * the wanted is wrong.
 */
static bool is_wanted(const struct outcome *out, const char *log)
{
	char verdict[32];

	if (!wanted_text)
		return out->wrong & wanted_wrong;
	snprintf(verdict, sizeof(verdict), "verdict: %d", out->verdict);
	return strstr(log, wanted_text) || !strcmp(verdict, wanted_text);
}

/* For reduce(): what is_wanted() says, on the side that serves now. */
void holds_text(const struct program *programs, size_t count, bool *holds)
{
	int pipes[2];
	ssize_t got = 0;

	if (pipe(pipes))
		ksft_exit_fail_msg("pipe\n");
	fflush(stdout);
	if (!fork()) {
		char *log = malloc(LOG_SIZE);
		struct outcome out;

		world_open();
		for (size_t i = 0; i < count; i++) {
			process_alone(&programs[i], &out, log);
			holds[i] = is_wanted(&out, log);
		}
		_exit(write(pipes[1], holds, count) != (ssize_t)count);
	}
	close(pipes[1]);
	while (got < (ssize_t)count) {
		ssize_t more = read(pipes[0], holds + got, count - got);

		if (more <= 0)
			ksft_exit_fail_msg("a process ended early\n");
		got += more;
	}
	close(pipes[0]);
	wait(NULL);
}
