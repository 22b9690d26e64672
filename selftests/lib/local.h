/* SPDX-License-Identifier: GPL-2.0 */
/* A local dynptr over LOCAL_BYTES of a map value, which who includes this defines. */
#ifndef BPF_LOCAL_H
#define BPF_LOCAL_H

struct value {
	unsigned char bytes[LOCAL_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct value);
} memory SEC(".maps");

/* Makes @ptr one; 0 or an error. */
static __always_inline int local(struct bpf_dynptr *ptr)
{
	u32 zero = 0;
	struct value *v = bpf_map_lookup_elem(&memory, &zero);

	if (!v)
		return -1;
	return bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), 0, ptr);
}

#endif
