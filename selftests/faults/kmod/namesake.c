// SPDX-License-Identifier: GPL-2.0
/* A function that is called as a kfunc of rust_dynptr is, for tests. It is not called. */
#include <linux/bug.h>
#include <linux/module.h>

struct bpf_dynptr;

void bpf_dynptr_put(struct bpf_dynptr *ptr);

/* Not static: the compiler might give it another name. */
noinline void bpf_dynptr_put(struct bpf_dynptr *ptr)
{
	WARN(1, "this is not the kfunc\n");
}

static int __init namesake_init(void)
{
	return 0;
}

static void __exit namesake_exit(void)
{
}

module_init(namesake_init);
module_exit(namesake_exit);
MODULE_DESCRIPTION("A function with a kfunc's name, for tests");
MODULE_LICENSE("GPL");
