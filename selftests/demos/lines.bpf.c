// SPDX-License-Identifier: GPL-2.0
/*
 * The lines that the processes of one cgroup write, whole: each is a ring buffer record of just its
 * size, however many calls of write() and writev() it came in.
 *
 * What is written between two newlines collects in a heap dynptr. A map keeps the unfinished lines,
 * one a thread and file descriptor; when a line outgrows its block, it moves to one twice as large.
 *
 * The limits of lines.h bound the work of a call and the memory. What they, a lack of memory or a
 * full ring buffer exclude is counted as lost, with its whole line: none is shipped with a hole.
 * (Only if there are too many unfinished lines, the end of such a one may come as a line.)
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"
#include "lines.h"

char LICENSE[] SEC("license") = "GPL";

#define HEADER 32	/* bytes of a block that are not the program's */
#define SMALLEST (256 - HEADER)
#define LARGEST (32768 - HEADER)	/* what a program that may not sleep can have */
#define WRITEV 20	/* __NR_writev of x86-64 */
#define SCAN 16		/* bytes of a slice; divides the size of every block */

#if LINES_MAX + LINES_PIECE > LARGEST
#error "an unfinished line and a piece of text must fit in a block"
#endif

struct open_line {
	struct bpf_dynptr_heap __kptr * heap;
	u32 used;	/* bytes of the line so far */
	bool skip;	/* the rest, up to the newline, is not wanted */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LINES_OPEN);
	__type(key, struct lines_key);
	__type(value, struct open_line);
} lines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

/* What was written: @left bytes, of which @size are at @from and the others where @vector says. */
struct text {
	const struct iovec *vector;
	const char *from;
	u64 size;
	u64 left;
};

const volatile unsigned long long cgroup;
struct lines_stats stats;

static void count(unsigned long long *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/* Text of the line is missing: goes on after the next newline. */
static void lose(struct open_line *line)
{
	count(&stats.lost);
	line->skip = true;
	line->used = 0;
}

/*
 * Bytes of the block for a line of @bytes: it and its header are a power of two. This function and
 * others here are not static: the verifier checks them once, not on every way that leads to them.
 */
__noinline u32 block_size(u32 bytes)
{
	u32 size = SMALLEST;
	int i;

	for (i = 0; i < 7 && size < bytes; i++)
		size = 2 * (size + HEADER) - HEADER;
	return size;
}

/*
 * A block of at least @bytes that begins with the first @used bytes of @old, which may be NULL and
 * is not the caller's any more. NULL if there is no memory.
 */
static __always_inline struct bpf_dynptr_heap *with_room(struct bpf_dynptr_heap *old, u32 used,
							 u32 bytes)
{
	struct bpf_dynptr small, large;

	if (old && old->size >= bytes)
		return old;
	count(&stats.blocks);
	/* If it fails, @large is null, the copy does nothing, and there is nothing to detach. */
	bpf_dynptr_alloc(block_size(bytes), 0, &large);
	if (old) {
		bpf_dynptr_attach(old, &small);
		bpf_dynptr_copy(&large, 0, &small, 0, used);
		bpf_dynptr_put(&small);
	}
	return bpf_dynptr_detach(&large);
}

/* Where the first newline of @block in [@from, @end) is; @end if there is none. */
__noinline u32 find_newline(const struct bpf_dynptr *block, u32 from, u32 end)
{
	const char *bytes = NULL;
	u32 at;

	bpf_for(at, from, end) {
		if (!bytes || at % SCAN == 0)
			bytes = bpf_dynptr_slice(block, at - at % SCAN, NULL, SCAN);
		if (!bytes)
			break;
		if (bytes[at % SCAN] == '\n')
			return at;
	}
	return end;
}

/* One record: the line of @size bytes of @block from @start. */
__noinline int ship(const struct bpf_dynptr *block, u32 start, u32 size, u32 fd, u32 flags)
{
	u64 ids = bpf_get_current_pid_tgid();
	struct lines_record header = {
		.pid = ids >> 32,
		.key = { .tid = ids, .fd = fd },
		.flags = flags,
	};
	struct bpf_dynptr record;

	if (size > LINES_MAX) {
		size = LINES_MAX;
		header.flags |= LINES_CUT;
	}
	bpf_get_current_comm(header.comm, sizeof(header.comm));
	if (bpf_ringbuf_reserve_dynptr(&records, sizeof(header) + size, 0, &record) ||
	    bpf_dynptr_write(&record, 0, &header, sizeof(header), 0) ||
	    bpf_dynptr_copy(&record, sizeof(header), block, start, size)) {
		count(&stats.lost);
		bpf_ringbuf_discard_dynptr(&record, 0);
	} else {
		bpf_ringbuf_submit_dynptr(&record, 0);
	}
	return 0;
}

/*
 * Ships the lines that end in @block, of which @end bytes are used; moves the rest to its front.
 * Up to line->used there is no newline.
 */
static __always_inline void ship_lines(struct open_line *line, const struct bpf_dynptr *block,
				       u32 end, u32 fd)
{
	u32 start = 0, from = line->used, at;
	int i;

	bpf_for(i, 0, LINES_PIECE + 1) {
		at = find_newline(block, from, end);
		if (at == end)
			break;
		if (!line->skip)
			ship(block, start, at - start, fd, 0);
		line->skip = false;
		start = at + 1;
		from = start;
	}
	if (!line->skip && end - start > LINES_MAX) {
		ship(block, start, end - start, fd, 0);
		line->skip = true;
	}
	line->used = line->skip ? 0 : end - start;
	if (start && line->used)
		bpf_dynptr_copy(block, 0, block, start, line->used);
}

/* Appends @size bytes, at most LINES_PIECE, at @from in the process to its line. */
static __always_inline void append(struct open_line *line, const void *from, u32 size, u32 fd)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr block;

	heap = bpf_kptr_xchg(&line->heap, NULL);
	heap = with_room(heap, line->used, line->used + size);
	if (!heap) {
		lose(line);
		return;
	}
	bpf_dynptr_attach(heap, &block);
	if (bpf_probe_read_user_dynptr(&block, line->used, size, from))
		lose(line);
	else
		ship_lines(line, &block, line->used + size, fd);
	/* A deleted entry would keep its block until it is used anew: see on_text(). */
	if (!line->used) {
		bpf_dynptr_put(&block);
		return;
	}
	heap = bpf_dynptr_detach(&block);
	if (heap)
		heap = bpf_kptr_xchg(&line->heap, heap);
	if (heap)
		bpf_dynptr_heap_release(heap);
}

/* Goes on to the next element of writev(). */
static __always_inline bool next_vector(struct text *text)
{
	struct iovec vector;

	if (!text->vector || bpf_probe_read_user(&vector, sizeof(vector), text->vector))
		return false;
	text->vector++;
	text->from = vector.iov_base;
	text->size = vector.iov_len;
	return true;
}

static struct open_line *find_or_open(const struct lines_key *key)
{
	struct open_line *line = bpf_map_lookup_elem(&lines, key), empty = {};

	if (line)
		return line;
	if (bpf_map_update_elem(&lines, key, &empty, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&lines, key);
}

/* A thread's own lines are nobody else's business: there is no race for an entry of the map. */
static __always_inline int on_text(u32 fd, struct text *text)
{
	struct lines_key key = { .tid = bpf_get_current_pid_tgid(), .fd = fd };
	struct open_line *line;
	u64 size, end;
	int i;

	count(&stats.writes);
	line = find_or_open(&key);
	if (!line) {
		count(&stats.lost);
		return 0;
	}
	end = text->left > LINES_WRITE ? text->left - LINES_WRITE : 0;
	bpf_for(i, 0, LINES_VECTORS + LINES_WRITE / LINES_PIECE) {
		if (text->left <= end || (!text->size && !next_vector(text)))
			break;
		size = text->size < LINES_PIECE ? text->size : LINES_PIECE;
		if (size > text->left - end)
			size = text->left - end;
		if (size)
			append(line, text->from, size, fd);
		text->from += size;
		text->size -= size;
		text->left -= size;
	}
	if (text->left)
		lose(line);
	if (!line->used && !line->skip)
		bpf_map_delete_elem(&lines, &key);
	return 0;
}

/*
 * When write() or writev() returns, the process's text is in memory: the kernel has just read it.
 * This type of program runs with preemption off, so that no other task finds it busy on its
 * processor, which would cost that task its turn.
 */
SEC("kretprobe.multi/__x64_sys_write*")
int on_write(struct pt_regs *ctx)
{
	struct pt_regs *user = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	long written = PT_REGS_RC(ctx);
	struct text text = {};

	if (written <= 0 || bpf_get_current_cgroup_id() != cgroup)
		return 0;
	text.left = written;
	if (user->orig_ax == WRITEV) {
		text.vector = (const struct iovec *)PT_REGS_PARM2_SYSCALL(user);
	} else {
		text.from = (const char *)PT_REGS_PARM2_SYSCALL(user);
		text.size = written;
	}
	return on_text(PT_REGS_PARM1_SYSCALL(user), &text);
}

/* Ships what the current thread has written without a newline. */
static long finish(struct bpf_map *map, const struct lines_key *key, struct open_line *line,
		   void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr block;

	if (key->tid != (u32)bpf_get_current_pid_tgid())
		return 0;
	heap = bpf_kptr_xchg(&line->heap, NULL);
	if (heap) {
		bpf_dynptr_attach(heap, &block);
		if (line->used)
			ship(&block, 0, line->used, key->fd, LINES_UNFINISHED);
		bpf_dynptr_put(&block);
	}
	bpf_map_delete_elem(map, key);
	return 0;
}

SEC("kprobe/do_exit")
int on_exit(struct pt_regs *ctx)
{
	if (bpf_get_current_cgroup_id() == cgroup)
		bpf_for_each_map_elem(&lines, finish, NULL, 0);
	return 0;
}
