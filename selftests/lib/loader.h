/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BPF programs that say themselves how they are judged (bpf_misc.h): each is loaded alone, and its
 * verdict, its log and what it returns are compared with that.
 */
#ifndef LOADER_H
#define LOADER_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capabilities.h"
#include "control.h"
#include "ksft.h"

#define LOADER_TAGS 16
#define LOADER_MSGS 8
#define LOADER_BYTES 64	/* of a packet that a program is run with: TEST_DATA_LEN */
#define LOADER_DROPPED \
	(CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_BPF))

/* Who loads a program: with all capabilities, or without some. */
enum loader_who { LOADER_PRIV, LOADER_UNPRIV, LOADER_WHOS };

struct loader_msg {
	const char *text;
	bool absent;
};

/* What becomes of a program. */
struct loader_verdict {
	bool success, failure;
	struct loader_msg msgs[LOADER_MSGS];
	int count;
	bool run;
	int retval;
};

/* What a program says of itself. The texts are those of the object that it was read from. */
struct loader_spec {
	const char *object, *name, *description;
	struct loader_verdict verdicts[LOADER_WHOS];
	unsigned long long caps;	/* that are not dropped */
	int log_level;
	char fault[128];	/* of the tags themselves */
};

/* Of the last program that was judged: why it is not as it says, empty if it is; and the log. */
static char loader_reason[256];
static char loader_log[1 << 20];

/* Always false. */
__printf(1, 2) static inline bool loader_is_wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(loader_reason, sizeof(loader_reason), fmt, args);
	va_end(args);
	return false;
}

static inline struct bpf_object *loader_open(const char *object)
{
	struct bpf_object *obj = bpf_object__open_file(control_beside(object), NULL);

	if (!obj)
		ksft_exit_fail_msg("cannot open %s: %s\n", object, strerror(errno));
	return obj;
}

/* The program @name of @obj, which is loaded then and no other. */
static inline struct bpf_program *loader_only(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog, *only = NULL;

	bpf_object__for_each_program(prog, obj) {
		bool found = !strcmp(bpf_program__name(prog), name);

		bpf_program__set_autoload(prog, found);
		if (found)
			only = prog;
	}
	if (!only)
		ksft_exit_fail_msg("no program %s\n", name);
	return only;
}

/* "39 | 12": a mask of these. */
static inline unsigned long long loader_caps(const char *text)
{
	unsigned long long caps = 0;

	for (; *text; text += strcspn(text, "0123456789"))
		caps |= CAP_BIT(strtoul(text, (char **)&text, 10));
	return caps;
}

static inline bool loader_number(const char *text, int *number)
{
	char *end;

	*number = strtol(text, &end, 0);
	return *text && !*end;
}

static inline bool loader_message(struct loader_verdict *verdict, const char *text, bool absent)
{
	if (verdict->count == LOADER_MSGS || !*text)
		return false;
	verdict->msgs[verdict->count++] = (struct loader_msg){ text, absent };
	return true;
}

/* One tag, without its number. Whether it is known and right. */
static inline bool loader_tag(struct loader_spec *spec, const char *tag)
{
	const char *value = tag + strcspn(tag, "=");
	struct loader_verdict *verdict = &spec->verdicts[LOADER_PRIV];
	char key[64], *suffix;

	snprintf(key, sizeof(key), "%.*s", (int)(value - tag), tag);
	value += *value == '=';
	suffix = strstr(key, "_unpriv");
	if (suffix) {
		*suffix = '\0';
		verdict = &spec->verdicts[LOADER_UNPRIV];
	}
	if (!strcmp(key, "test_expect_success")) {
		verdict->success = true;
	} else if (!strcmp(key, "test_expect_failure")) {
		verdict->failure = true;
	} else if (!strcmp(key, "test_expect_msg")) {
		return loader_message(verdict, value, false);
	} else if (!strcmp(key, "test_expect_not_msg")) {
		return loader_message(verdict, value, true);
	} else if (!strcmp(key, "test_retval")) {
		verdict->run = true;
		return loader_number(value, &verdict->retval);
	} else if (!strcmp(key, "test_caps")) {
		spec->caps = loader_caps(value);
	} else if (!strcmp(key, "test_log_level")) {
		return loader_number(value, &spec->log_level);
	} else if (!strcmp(key, "test_description")) {
		spec->description = value;
	} else {
		return false;
	}
	return true;
}

/* Whether somebody must find what the verdict says, and all of it makes sense. */
static inline const char *loader_fault(const struct loader_verdict *verdict)
{
	bool says = false;

	for (int i = 0; i < verdict->count; i++)
		says |= !verdict->msgs[i].absent;
	if (verdict->success && verdict->failure)
		return "it says that it is accepted and refused";
	if (verdict->failure && !says)
		return "it does not say why it is refused";
	if (!verdict->success && (verdict->run || (verdict->count && !verdict->failure)))
		return "it does not say that it is accepted";
	return NULL;
}

struct loader_numbered {
	unsigned long number;
	const char *tag;
};

static inline int loader_order(const void *a, const void *b)
{
	const struct loader_numbered *first = a, *second = b;

	return (first->number > second->number) - (first->number < second->number);
}

/* The tags of the function @id in the order of the source. How many. */
static inline int loader_tags(const struct btf *btf, __u32 id, struct loader_numbered *tags)
{
	int count = 0;

	for (__u32 i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *type = btf__type_by_id(btf, i);
		const char *text;
		char *end;

		if (!btf_is_decl_tag(type) || type->type != id ||
		    btf_decl_tag(type)->component_idx != -1)
			continue;
		text = btf__name_by_offset(btf, type->name_off);
		if (strncmp(text, "comment:", strlen("comment:")))
			continue;
		if (count == LOADER_TAGS)
			ksft_exit_fail_msg("a program has more than %d tags\n", LOADER_TAGS);
		tags[count].number = strtoul(text + strlen("comment:"), &end, 10);
		tags[count++].tag = end + (*end == ':');
	}
	qsort(tags, count, sizeof(*tags), loader_order);
	return count;
}

/* What the program @name says of itself. */
static inline void loader_read(struct loader_spec *spec, struct bpf_object *obj, const char *name)
{
	struct loader_numbered tags[LOADER_TAGS];
	const struct btf *btf = bpf_object__btf(obj);
	int count = loader_tags(btf, btf__find_by_name_kind(btf, name, BTF_KIND_FUNC), tags);
	const char *fault = "it does not say whether it is accepted";

	spec->name = name;
	for (int i = 0; i < count; i++)
		if (!loader_tag(spec, tags[i].tag))
			snprintf(spec->fault, sizeof(spec->fault), "the tag \"%.90s\" is wrong",
				 tags[i].tag);
	for (int who = 0; who < LOADER_WHOS; who++)
		if (spec->verdicts[who].success || spec->verdicts[who].failure)
			fault = NULL;
	for (int who = 0; who < LOADER_WHOS; who++)
		fault = fault ?: loader_fault(&spec->verdicts[who]);
	if (fault && !spec->fault[0])
		snprintf(spec->fault, sizeof(spec->fault), "%s", fault);
}

/* Whether none of the messages from @first to before @last, which must be absent, is there. */
static inline bool loader_absent(const struct loader_msg *first, const struct loader_msg *last,
				 const char *from, const char *end)
{
	for (; first < last; first++) {
		const char *at = strstr(from, first->text);

		if (at && at + strlen(first->text) <= end)
			return loader_is_wrong("its log has \"%s\"", first->text);
	}
	return true;
}

/* Each message is looked for behind the one before it. */
static inline bool loader_log_is_right(const struct loader_verdict *verdict)
{
	const struct loader_msg *end = verdict->msgs + verdict->count, *absent = verdict->msgs;
	const char *from = loader_log;

	for (const struct loader_msg *msg = verdict->msgs; msg < end; msg++) {
		const char *at = strstr(from, msg->text);

		if (msg->absent)
			continue;
		if (!at)
			return loader_is_wrong("its log lacks \"%s\"%s", msg->text,
					       strstr(loader_log, msg->text) ? " there" : "");
		if (!loader_absent(absent, msg, from, at))
			return false;
		from = at + strlen(msg->text);
		absent = msg + 1;
	}
	return loader_absent(absent, end, from, from + strlen(from));
}

static inline bool loader_runs(const struct bpf_program *prog, int retval)
{
	unsigned char in[LOADER_BYTES] = {}, out[4 * LOADER_BYTES];

	LIBBPF_OPTS(bpf_test_run_opts, opts);
	if (bpf_program__type(prog) != BPF_PROG_TYPE_SYSCALL) {
		opts.data_in = in;
		opts.data_size_in = sizeof(in);
		opts.data_out = out;
		opts.data_size_out = sizeof(out);
	}
	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		return loader_is_wrong("it cannot be run: %s", strerror(errno));
	return (int)opts.retval == retval ||
	       loader_is_wrong("it returns %d, not %d", (int)opts.retval, retval);
}

/* Loads it with the log, as a process that keeps the capabilities @kept. 0 or an errno. */
static inline int loader_load(struct bpf_object *obj, struct bpf_program *prog, int log_level,
			      unsigned long long kept)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err;

	bpf_program__set_log_buf(prog, loader_log, sizeof(loader_log));
	bpf_program__set_log_level(prog, log_level);
	keep_capabilities(kept);
	err = -bpf_object__load(obj);
	keep_capabilities(CAP_ALL);
	libbpf_set_print(print);
	return err;
}

/* Loads it, and runs it if it says what it returns. Whether all is as it says. */
static inline bool loader_judge(const struct loader_spec *spec, enum loader_who who)
{
	const struct loader_verdict *verdict = &spec->verdicts[who];
	struct bpf_object *obj = loader_open(spec->object);
	struct bpf_program *prog = loader_only(obj, spec->name);
	bool right = false;
	int err;

	loader_log[0] = '\0';
	loader_reason[0] = '\0';
	if (spec->fault[0]) {
		loader_is_wrong("%s", spec->fault);
		goto out;
	}
	err = loader_load(obj, prog, spec->log_level,
			  who == LOADER_PRIV ? CAP_ALL : ~LOADER_DROPPED | spec->caps);
	if (err && verdict->success)
		loader_is_wrong("it is refused: %s", strerror(err));
	else if (!err && verdict->failure)
		loader_is_wrong("it is accepted");
	else
		right = loader_log_is_right(verdict) &&
			(!verdict->run || loader_runs(prog, verdict->retval));
out:
	bpf_object__close(obj);
	return right;
}

/* Why it is not as it says, and the last lines of its log. */
static inline void loader_show(void)
{
	const char *from = loader_log + strlen(loader_log);

	for (int lines = 0; from > loader_log && lines < 30; from--)
		lines += from[-1] == '\n';
	ksft_print_msg("%s; the end of its log:\n", loader_reason);
	ksft_print_msg("%s\n", from);
}

/* Calls @fn for each program of the object file @object. */
static inline void loader_each(const char *object, void (*fn)(const struct loader_spec *, void *),
			       void *context)
{
	struct bpf_object *obj = loader_open(object);
	struct bpf_program *prog;
	int count = 0;

	bpf_object__for_each_program(prog, obj) {
		struct loader_spec spec = { .object = object };

		loader_read(&spec, obj, bpf_program__name(prog));
		fn(&spec, context);
		count++;
	}
	if (!count)
		ksft_exit_fail_msg("%s has no programs\n", object);
	bpf_object__close(obj);
}

/* What its test is called: all that it says. */
static inline void loader_name(const struct loader_spec *spec, enum loader_who who, FILE *name)
{
	const struct loader_verdict *verdict = &spec->verdicts[who];

	fprintf(name, "%s: %s%s",
		verdict->success ? "accepted" : verdict->failure ? "refused" : "unsaid",
		spec->name, who == LOADER_UNPRIV ? " @unpriv" : "");
	for (int i = 0; i < verdict->count; i++)
		fprintf(name, ", %s \"%s\"", verdict->msgs[i].absent ? "without" : "with",
			verdict->msgs[i].text);
	if (verdict->run)
		fprintf(name, ", returns %d", verdict->retval);
	if (spec->description)
		fprintf(name, " (%s)", spec->description);
}

/* One test for a program and who loads it. */
static inline void loader_test_as(const struct loader_spec *spec, enum loader_who who,
				  const char *prefix)
{
	char text[1024] = "";
	FILE *name = fmemopen(text, sizeof(text), "w");

	if (!name)
		ksft_exit_fail_msg("fmemopen: %s\n", strerror(errno));
	loader_name(spec, who, name);
	fclose(name);
	if (!ksft_test_result(loader_judge(spec, who), "%s%s\n", prefix, text))
		loader_show();
}

/* The tests of one program. One that says nothing fails. */
static inline void loader_test(const struct loader_spec *spec, void *prefix)
{
	const struct loader_verdict *unpriv = &spec->verdicts[LOADER_UNPRIV];
	const struct loader_verdict *priv = &spec->verdicts[LOADER_PRIV];
	bool limited = unpriv->success || unpriv->failure;

	if (priv->success || priv->failure || !limited)
		loader_test_as(spec, LOADER_PRIV, prefix);
	if (limited)
		loader_test_as(spec, LOADER_UNPRIV, prefix);
}

/* The tests of all programs of the object file @object, whose names begin with @prefix. */
static inline void loader_run(const char *object, const char *prefix)
{
	loader_each(object, loader_test, (void *)prefix);
}

#endif
