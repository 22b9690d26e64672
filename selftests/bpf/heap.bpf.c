// SPDX-License-Identifier: GPL-2.0
/* Heap dynptrs used rightly: what the first series' own tests did, and more. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"
#include "heap.h"

char LICENSE[] SEC("license") = "GPL";

struct heap_request request;
struct heap_result result;

SEC("syscall")
int basic(void *ctx)
{
	char in[64] = "a line of text", out[64] = {};
	struct bpf_dynptr ptr;

	result.alloc = bpf_dynptr_alloc(request.size, request.flags, &ptr);
	result.null_after = bpf_dynptr_is_null(&ptr);
	result.size = bpf_dynptr_size(&ptr);
	result.write = bpf_dynptr_write(&ptr, 0, in, sizeof(in), 0);
	result.read = bpf_dynptr_read(out, sizeof(out), &ptr, 0, 0);
	result.same = !__builtin_memcmp(in, out, sizeof(in));
	bpf_dynptr_put(&ptr);
	return 0;
}
