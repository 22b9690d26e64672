/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that must be refused (bpf/refused.h): each is loaded alone, and its log searched. */
#ifndef REFUSED_H
#define REFUSED_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "tap.h"

#define REFUSED_TAG "refused:"

/* What the log of the program @name must have, NULL if it has no such tag. */
static const char *refused_text(const struct btf *btf, const char *name)
{
	__s32 function = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *tag;

		if (!btf_is_decl_tag(type) || (__s32)type->type != function)
			continue;
		tag = btf__name_by_offset(btf, type->name_off);
		if (!strncmp(tag, REFUSED_TAG, strlen(REFUSED_TAG)))
			return tag + strlen(REFUSED_TAG);
	}
	return NULL;
}

/* The last lines of the log as comments. */
static void refused_show(const char *log)
{
	const char *from = log + strlen(log);

	for (int lines = 0; from > log && lines < 12; from--)
		lines += from[-1] == '\n';
	tap_note("%s", from);
}

/* One program of the object file @path. */
static void refused_one(const char *path, const char *name)
{
	static char log[1 << 20];
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	const char *text;
	int err;

	if (!obj)
		tap_bail("cannot open %s", path);
	prog = bpf_object__find_program_by_name(obj, name);
	text = refused_text(bpf_object__btf(obj), name);
	if (!text)
		tap_bail("%s: no tag says why it is refused", name);
	bpf_program__set_autoload(prog, true);
	bpf_program__set_log_buf(prog, log, sizeof(log));
	log[0] = 0;
	err = bpf_object__load(obj);
	if (!tap_ok(err && strstr(log, text), "refused: %s, with \"%s\"", name, text)) {
		tap_note(err ? "refused, but:" : "it was loaded");
		refused_show(log);
	}
	bpf_object__close(obj);
}

/* All programs of the object file @path. */
static inline void refused_all(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;

	if (!obj)
		tap_bail("cannot open %s", path);
	bpf_object__for_each_program(prog, obj)
		refused_one(path, bpf_program__name(prog));
	bpf_object__close(obj);
}

#endif
