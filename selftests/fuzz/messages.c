// SPDX-License-Identifier: GPL-2.0
/*
 * The messages that must be reached: those of the verifier that are about dynptrs or what hangs on
 * them, and every text of the module's own list (rust/logic/reject.rs).
 */
#include <string.h>

#include "fuzz.h"
#include "stats.h"
#include "ksft.h"

/* C's strings in the source of the module's messages, as the Makefile finds them. */
static const char *const reject_texts[] = {
#include "reject.h"
};

/* Of kernel/bpf/verifier.c; '%' stands for anything. */
static const char *const wanted[] = {
	/* stack_slot_obj_get_spi() and its three kinds of objects */
	"dynptr has to be at a constant offset",
	"iter has to be at a constant offset",
	"irq_flag has to be at a constant offset",
	"cannot pass in dynptr at an offset=%",
	"cannot pass in iter at an offset=%",
	"cannot pass in irq_flag at an offset=%",
	/* destroy_if_dynptr_stack_slot(), release_reference() */
	"cannot overwrite referenced dynptr",
	"Leaking reference id=% alloc_insn=%. Release it first.",
	/* process_dynptr_func() */
	"R1 expected pointer to stack or const struct bpf_dynptr",
	"R2 expected pointer to stack or const struct bpf_dynptr",
	"R3 expected pointer to stack or const struct bpf_dynptr",
	"Dynptr has to be an uninitialized dynptr",
	"CONST_PTR_TO_DYNPTR cannot be released",
	"Expected an initialized dynptr as R1",
	"Expected an initialized dynptr as R3",
	"Expected a dynptr of type ringbuf as R1",
	"Expected a dynptr of type file as R1",
	/* calls */
	"Unsupported reg type % for bpf_dynptr_from_mem data",
	"type=% expected=fp, dynptr_ptr",
	"type=% expected=ringbuf_mem",
	"the prog does not allow writes to packet data",
	"calling kernel function bpf_dynptr_from_skb is not allowed",
	"calling kernel function bpf_dynptr_from_xdp is not allowed",
	"calling kernel function bpf_dynptr_from_skb_meta is not allowed",
	"program must be sleepable to call sleepable kfunc bpf_copy_from_user_dynptr",
	"must have zero offset when passed to release func",
	"release kfunc % expects referenced PTR_TO_BTF_ID",
	"cannot pass map_type % into func bpf_ringbuf_reserve_dynptr",
	"cannot pass map_type % into func bpf_user_ringbuf_drain",
	"Possibly NULL pointer passed to trusted",
	"memory, len pair leads to invalid memory access",
	"must be a known constant",
	"Caller passes invalid args into func#%",
	"is a packet pointer, but func#% may change packet data",
	"expected pointer to ctx, but got",
	/* what becomes of slices, records, and slots */
	"invalid mem access 'scalar'",
	"invalid mem access 'mem_or_null'",
	"invalid mem access 'ringbuf_mem_or_null'",
	"invalid access to memory, mem_size=%",
	"cannot write into rdonly_mem",
	"invalid read from stack",
	"invalid write to stack",
	"pointer arithmetic on ringbuf_mem_or_null prohibited",
	"!read_ok",
	/* leaks */
	"Unreleased reference id=% alloc_insn=%",
	"BPF_EXIT instruction in main prog would lead to reference leak",
	"tail_call would lead to reference leak",
	"bpf_throw would lead to reference leak",
	"At callback return the register R0",
};

/* Messages of a refusal that only a parameter of the module turns on (soundness=strict). */
static const char *const on_request[] = {
	"dynptr slice over a stack buffer",
	"If the bytes are not contiguous, the slice is the buffer",
	"Use a buffer in a map value or a global variable",
};

/* The same with heap_mode, where C's own rules are not what is looked for. */
static const char *const wanted_heap[] = {
	"Expected a dynptr of type malloc as R1",
	"Expected a dynptr of type ringbuf as R1",
	"Expected a dynptr of type file as R1",
	"Expected an initialized dynptr as R1",
	"Expected an initialized dynptr as R3",
	"Dynptr has to be an uninitialized dynptr",
	"CONST_PTR_TO_DYNPTR cannot be released",
	"R1 expected pointer to stack or const struct bpf_dynptr",
	"R2 expected pointer to stack or const struct bpf_dynptr",
	"R3 expected pointer to stack or const struct bpf_dynptr",
	"dynptr has to be at a constant offset",
	"cannot pass in dynptr at an offset=%",
	"cannot overwrite referenced dynptr",
	"Unreleased reference id=% alloc_insn=%",
	"BPF_EXIT instruction in main prog would lead to reference leak",
	"tail_call would lead to reference leak",
	"bpf_throw would lead to reference leak",
	"Possibly NULL pointer passed to trusted R1",
	"Possibly NULL pointer passed to helper R2",
	"release kfunc bpf_dynptr_attach expects referenced PTR_TO_BTF_ID",
	"release kfunc bpf_dynptr_heap_release expects referenced PTR_TO_BTF_ID",
	"R1 must be referenced or trusted",
	"R2 type=untrusted_ptr_ expected=ptr_, trusted_ptr_, rcu_ptr_",
	"must have zero offset when passed to release func",
	"only read is supported",
	"invalid mem access 'scalar'",
	"access beyond the end of member size (mend:%) in struct bpf_dynptr_heap",
	"'struct bpf_dynptr_heap' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN",
	"store to referenced kptr disallowed",
	"kptr cannot be accessed indirectly by helper",
	"kptr access size must be BPF_DW",
	"doesn't have constant offset. kptr has to be at the constant offset",
	"off=% doesn't point to kptr",
	"has to have BTF in order to use bpf_kptr_xchg",
};

/* Whether @text has the parts of @pattern between its '%', in order. */
static bool matches(const char *text, const char *pattern)
{
	while (*pattern) {
		size_t length = strcspn(pattern, "%");
		const char *found = length ? memmem(text, strlen(text), pattern, length) : text;

		if (!found)
			return false;
		text = found + length;
		pattern += length;
		if (*pattern)
			pattern++;
	}
	return true;
}

static bool reached(const struct reason *reasons, size_t count, const char *pattern)
{
	for (size_t i = 0; i < count; i++)
		if (matches(reasons[i].text, pattern))
			return true;
	return false;
}

/* A text of the module's as a pattern: conversions ("%s", "{}") become '%', line ends go. */
static void make_pattern(char *to, size_t size, const char *text)
{
	char *start = to;

	while (*text && to < start + size - 1) {
		if (*text == '\n') {
			text++;
		} else if (*text == '%') {
			text++;
			text += strspn(text, "lu0123456789.-#");
			text += !!*text;
			*to++ = '%';
		} else if (*text == '{') {
			text += strcspn(text, "}");
			text += !!*text;
			*to++ = '%';
		} else {
			*to++ = *text++;
		}
	}
	*to = 0;
}

/* Whether programs can reach the message at all. A bug cannot be made from outside. */
static bool reachable(const char *pattern)
{
	for (size_t i = 0; i < COUNT(on_request); i++)
		if (!strncmp(pattern, on_request[i], strlen(on_request[i])))
			return false;
	return strncmp(pattern, "verifier bug", 12);
}

/* The module's messages that have words in them; how many were not reached. */
static unsigned int check_texts(const struct reason *reasons, size_t count, unsigned int *texts)
{
	unsigned int missing = 0;
	char pattern[1024];

	*texts = 0;
	for (size_t i = 0; i < COUNT(reject_texts); i++) {
		make_pattern(pattern, sizeof(pattern), reject_texts[i]);
		/* A word alone is a name, not a message. */
		if (!strchr(pattern, ' ') || !reachable(pattern))
			continue;
		++*texts;
		if (reached(reasons, count, pattern))
			continue;
		missing++;
		ksft_print_msg("  not reached, of reject.rs: %.200s\n", pattern);
	}
	return missing;
}

/* Which messages were reached; names those that were not. */
void report_coverage(const struct reason *reasons, size_t count, struct summary *summary)
{
	const char *const *list = heap_mode ? wanted_heap : wanted;

	summary->messages = heap_mode ? COUNT(wanted_heap) : COUNT(wanted);
	for (size_t i = 0; i < summary->messages; i++) {
		if (reached(reasons, count, list[i]))
			continue;
		summary->messages_missing++;
		ksft_print_msg("  not reached, of the verifier: %s\n", list[i]);
	}
	summary->texts_missing = check_texts(reasons, count, &summary->texts);
	ksft_print_msg("messages reached: %u of %u of the verifier, %u of %u of reject.rs\n",
		       summary->messages - summary->messages_missing, summary->messages,
		       summary->texts - summary->texts_missing, summary->texts);
}
