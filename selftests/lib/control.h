/* SPDX-License-Identifier: GPL-2.0 */
/* Loading and unloading the module from a test, and reading what it served. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ROWS 128
/* The file in which hits are kept, for the shell; lib/guest.sh wants them. */
#define CONTROL_HITS "\"${RUST_DYNPTR_HITS:-/dev/null}\""

/* A line of debugfs rust_dynptr/takeover. */
struct row {
	char name[64];
	char kind[16];
	unsigned long long hits;
};

/* The path of the file @name beside this program, until the next call. */
static inline const char *control_beside(const char *name)
{
	static char path[512];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *end;

	path[len > 0 ? len : 0] = '\0';
	end = strrchr(path, '/');
	if (!end)
		return name;
	snprintf(end + 1, sizeof(path) - (end + 1 - path), "%s", name);
	return path;
}

/* The shell's command for the tool, which is beside this program, until the next call. */
static inline const char *control_command(const char *arguments)
{
	static char command[2048];

	snprintf(command, sizeof(command), "'%s' %s", control_beside("rust-dynptr"), arguments);
	return command;
}

/* Loads the module @ko with @parameters. 0 or the tool's status. */
static inline int control_load(const char *ko, const char *parameters)
{
	char arguments[512];

	snprintf(arguments, sizeof(arguments), "load '%s' %s", ko, parameters);
	return system(control_command(arguments));
}

/* Unloads the module. 0 or the tool's status. */
static inline int control_unload(void)
{
	return system(control_command("unload"));
}

/*
 * Adds the table with its hits to what scripts/test checks at its end: every row must have been
 * served by Rust in some part. Call it before control_unload(). 0 or the shell's status.
 */
static inline int control_save_hits(void)
{
	return system("cat /sys/kernel/debug/rust_dynptr/takeover >>" CONTROL_HITS);
}

/* Reads the table into @rows, MAX_ROWS long. The number of rows, -1 if it cannot be read. */
static inline int control_rows(struct row *rows)
{
	FILE *file = fopen("/sys/kernel/debug/rust_dynptr/takeover", "r");
	int count = 0;

	if (!file)
		return -1;
	while (count < MAX_ROWS && fscanf(file, "%63s %15s %llu%*[^\n]", rows[count].name,
					  rows[count].kind, &rows[count].hits) == 3)
		count++;
	fclose(file);
	return count;
}

/* Whether the BPF program @id is bound to Rust. */
static inline bool control_is_bound(unsigned int id)
{
	FILE *file = fopen("/sys/kernel/debug/rust_dynptr/programs", "r");
	bool found = false;
	unsigned int bound;

	if (!file)
		return false;
	while (!found && fscanf(file, "%u%*[^\n]", &bound) == 1)
		found = bound == id;
	fclose(file);
	return found;
}

#endif
