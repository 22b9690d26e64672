// SPDX-License-Identifier: GPL-2.0
/* What of a verifier's log is the same in two loads of one program. */
#include <string.h>

#include "fuzz.h"

/*
 * The log names maps by their address, which is another for every map: each becomes a number, in
 * the order of their first appearance.
 */
void clean_log(char *log)
{
	static const char mark[] = "(18) r", is[] = " = 0xffff";
	char seen[MAPS * 8][17] = {}, number[17];
	size_t count = 0, i;

	for (char *at = strstr(log, mark); at; at = strstr(at, mark)) {
		at += sizeof(mark) - 1;
		at += strspn(at, "0123456789");
		if (strncmp(at, is, sizeof(is) - 1))
			continue;
		at += strlen(" = 0x");
		if (strspn(at, "0123456789abcdef") != 16)
			continue;
		for (i = 0; i < count && strncmp(seen[i], at, 16); i++)
			;
		if (i == COUNT(seen))
			continue;
		if (i == count)
			memcpy(seen[count++], at, 16);
		snprintf(number, sizeof(number), "address%09zu", i);
		memcpy(at, number, 16);
	}
}

/*
 * The hash of a log. With @but_slots, without " fp-24=dynptr_…(…)".
 *
 * C marks slots as changed by their number alone, not by their frame. If a callee changes the
 * first slot of a dynptr's place in its caller, and has a dynptr in the same place itself,
 * print_verifier_state() prints, instead of it, the slot behind it: of a spilled pointer, or past
 * the end of the stack's memory. That text is not the same in two loads with C either.
 */
__u64 hash_log(const char *log, bool but_slots)
{
	static const char mark[] = "=dynptr_";
	__u64 hash = 1;
	const char *end;

	for (const char *at = log; but_slots; log = end) {
		at = strstr(at, mark);
		end = at ? strchr(at, ')') : NULL;
		if (!end)
			break;
		while (at > log && at[-1] != ' ')
			at--;
		hash = hash_bytes(hash, log, at - log);
		at = end;
	}
	return hash_bytes(hash, log, strlen(log));
}
