// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's BTF, parsed once for all objects that a process loads. libbpf parses its 127,000
 * types for each object, and looks through them for each kfunc: that takes an emulated processor
 * 0.2 s, more than the verifier takes for most of our programs. libbpf does not change this BTF,
 * nor does the kernel while it runs. That of modules is not kept.
 *
 * Linked to every runner, where it comes before libbpf's own functions of these names. With INSIDE
 * these are functions for an archive of libbpf, whose objects call them instead of btf.o's
 * (scripts/check/upstream-inner).
 */
#include <bpf/btf.h>
#include <dlfcn.h>
#include <pthread.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef INSIDE
#define OURS(name) once_##name
#define LIBBPFS(name) name
#else
#define OURS(name) name
#define LIBBPFS(name) ((typeof(name) *)dlsym(RTLD_NEXT, #name))
#endif

struct btf *OURS(btf__load_vmlinux_btf)(void);
void OURS(btf__free)(struct btf *btf);
__s32 OURS(btf__find_by_name_kind)(const struct btf *btf, const char *name, __u32 kind);

/* What was looked for in the kernel's BTF, found or not. */
struct answer {
	char *name;
	__u32 kind;
	__s32 id;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct btf *kept;
static void *answers;

static int compare(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

struct btf *OURS(btf__load_vmlinux_btf)(void)
{
	struct btf *btf;

	pthread_mutex_lock(&lock);
	if (!kept)
		kept = LIBBPFS(btf__load_vmlinux_btf)();
	btf = kept;
	pthread_mutex_unlock(&lock);
	return btf;
}

void OURS(btf__free)(struct btf *btf)
{
	if (!btf || btf != __atomic_load_n(&kept, __ATOMIC_RELAXED))
		LIBBPFS(btf__free)(btf);
}

/* Under the lock: the answer for this name, kept from now on; without memory it is not. */
static __s32 answer(const char *name, __u32 kind)
{
	struct answer *new, wanted = {(char *)name, kind, 0}, **found;

	found = tfind(&wanted, &answers, compare);
	if (found)
		return (*found)->id;
	wanted.id = LIBBPFS(btf__find_by_name_kind)(kept, name, kind);
	new = malloc(sizeof(*new));
	wanted.name = strdup(name);
	if (new && wanted.name) {
		*new = wanted;
		if (tsearch(new, &answers, compare))
			return wanted.id;
	}
	free(new);
	free(wanted.name);
	return wanted.id;
}

__s32 OURS(btf__find_by_name_kind)(const struct btf *btf, const char *name, __u32 kind)
{
	__s32 id;

	if (!btf || btf != __atomic_load_n(&kept, __ATOMIC_RELAXED))
		return LIBBPFS(btf__find_by_name_kind)(btf, name, kind);
	pthread_mutex_lock(&lock);
	id = answer(name, kind);
	pthread_mutex_unlock(&lock);
	return id;
}
