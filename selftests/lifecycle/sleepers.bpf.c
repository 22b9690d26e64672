// SPDX-License-Identifier: GPL-2.0
/* Programs that sleep in dynptr functions: in files that do not answer, in absent user memory. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "sleepers.h"

char LICENSE[] SEC("license") = "GPL";

int monitored;
struct sleepers_result results[SLEEPERS_SLOTS];
unsigned long long attached_address;	/* of user memory */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLEEPERS_SLOTS);
	__type(key, u32);
	__type(value, unsigned long long);
} values SEC(".maps");

static __always_inline long copy_file(struct bpf_dynptr *file, u64 offset, u32 slot, u64 *value)
{
	u64 *place = bpf_map_lookup_elem(&values, &slot);
	struct bpf_dynptr ptr;
	long ret;

	if (!place)
		return -1;
	bpf_dynptr_from_mem(place, sizeof(*place), 0, &ptr);
	ret = bpf_dynptr_copy(&ptr, 0, file, offset, sizeof(*place));
	*value = *place;
	return ret;
}

SEC("lsm.s/file_ioctl")
int BPF_PROG(read_file, struct file *file, unsigned int command, unsigned long argument)
{
	u64 buffer = 0, offset = argument & ~0xfffULL, *slice;
	u32 slot = argument & (SLEEPERS_SLOTS - 1);
	struct sleepers_result *result = &results[slot];
	struct bpf_dynptr ptr;

	if (bpf_get_current_pid_tgid() >> 32 != monitored || command < SLEEPERS_READ ||
	    command > SLEEPERS_COPY)
		return 0;
	result->ret = bpf_dynptr_from_file(file, 0, &ptr);
	switch (command) {
	case SLEEPERS_READ:
		result->ret = bpf_dynptr_read(&buffer, sizeof(buffer), &ptr, offset, 0);
		break;
	case SLEEPERS_SLICE:
		slice = bpf_dynptr_slice(&ptr, offset, &buffer, sizeof(buffer));
		buffer = slice ? *slice : 0;
		result->ret = !slice;
		break;
	case SLEEPERS_COPY:
		result->ret = copy_file(&ptr, offset, slot, &buffer);
		break;
	}
	bpf_dynptr_file_discard(&ptr);
	result->value = buffer;
	result->done++;
	return 0;
}

/* A record is held while its bytes are fetched. */
static __always_inline long copy(u64 address, u64 *value)
{
	struct bpf_dynptr ptr;
	long ret;

	bpf_ringbuf_reserve_dynptr(&ring, sizeof(*value), 0, &ptr);
	ret = bpf_copy_from_user_dynptr(&ptr, 0, sizeof(*value), (void *)address);
	bpf_dynptr_read(value, sizeof(*value), &ptr, 0, 0);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return ret;
}

SEC("syscall")
int copy_user(struct sleepers_copy *ctx)
{
	u64 value = 0;

	ctx->ret = copy(ctx->address, &value);
	ctx->value = value;
	return 0;
}

SEC("fentry.s/__x64_sys_getpgid")
int BPF_PROG(copy_attached)
{
	u64 value = 0;

	if (bpf_get_current_pid_tgid() >> 32 != monitored)
		return 0;
	results[0].ret = copy(attached_address, &value);
	results[0].value = value;
	results[0].done++;
	return 0;
}
