/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The random dynptr program generator: what its files share.
 *
 * A program is a short list of operations for each of its functions (struct program), made from a
 * seed by gen.c, which follows what is legal in model.c and breaks it on purpose. emit.c turns it
 * into instructions. load.c loads them, run.c runs them, pass.c does so for many seeds and keeps a
 * digest of each, once with C and once with Rust. reduce.c shrinks a program; show.c prints one.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MAX_FUNCS 4
#define MAX_OPS 48	/* of a function */
#define MAX_INSNS 1024	/* of a program */
#define LOG_SIZE (512 << 10)

/* The kinds of programs. */
enum prog_kind {
	PROG_CLS, PROG_XDP, PROG_SYSCALL, PROG_RAW_TP, PROG_CGROUP_SKB, PROG_SOCKET,
	PROG_LSM, PROG_LSM_SLEEP, PROG_QDISC, PROG_KINDS
};

/* The kinds of functions: how one is called decides what its arguments are. */
enum func_kind {
	FUNC_MAIN,
	FUNC_STATIC,	/* (frame of the caller, scalar, the caller's P0) */
	FUNC_LOOP,	/* callback of bpf_loop() */
	FUNC_DRAIN,	/* callback of bpf_user_ringbuf_drain(): gets a const dynptr */
	FUNC_EACH,	/* callback of bpf_for_each_map_elem() */
	FUNC_GLOBAL_DYNPTR,
	FUNC_GLOBAL_CTX,
	FUNC_GLOBAL_MEM,
	FUNC_KINDS
};

/* What an operand starts from. */
enum base {
	BASE_FP, BASE_CALLER, BASE_P0, BASE_P1, BASE_VAL, BASE_CTX, BASE_NULL, BASE_NUM,
	BASE_MAP, BASES,
	BASE_HEAP = BASES,	/* the value of MAP_HEAP */
	ALL_BASES
};

/* An address: base + off, and with OPND_VAR + (0 or 8), which only run time tells. */
struct opnd {
	__u8 base;
	__u8 flags;
	__s16 off;
};

#define OPND_VAR 1

/* Operations. Those that is_call() names are one call each, described by op_info[]. */
enum op_kind {
	OP_FROM_MEM, OP_RESERVE_DYNPTR, OP_FROM_SKB, OP_FROM_XDP, OP_FROM_META, OP_FROM_FILE,
	OP_CLONE, OP_SUBMIT_DYNPTR, OP_DISCARD_DYNPTR, OP_FILE_DISCARD,
	OP_READ, OP_WRITE, OP_DATA, OP_SLICE, OP_SLICE_RDWR, OP_ADJUST, OP_IS_NULL, OP_IS_RDONLY,
	OP_SIZE, OP_COPY, OP_MEMSET,
	OP_PROBE_USER, OP_PROBE_KERNEL, OP_PROBE_USER_STR, OP_PROBE_KERNEL_STR,
	OP_COPY_USER, OP_COPY_USER_STR, OP_COPY_TASK, OP_COPY_TASK_STR,
	OP_RESERVE, OP_SUBMIT, OP_DISCARD, OP_OUTPUT, OP_QUERY,
	OP_LOOKUP, OP_UPDATE, OP_TAIL_CALL, OP_THROW, OP_GET_FILE, OP_PUT_FILE,
	OP_SKB_PULL, OP_SKB_TAIL, OP_SKB_STORE, OP_XDP_HEAD, OP_XDP_TAIL, OP_XDP_META,
	OP_QDISC_DROP, OP_FREE_SKB,
	OP_CALLS_END,
	/* Pointers P0 and P1, the stack, the scalar. */
	OP_LOAD = OP_CALLS_END, OP_STORE, OP_ADD, OP_MOVE, OP_ZERO, OP_SPILL, OP_FILL,
	OP_STACK_PTR, OP_PACKET, OP_STACK_STORE, OP_STACK_STORE_REG, OP_STACK_LOAD, OP_STORE_VAL,
	OP_MIX,
	/* Blocks: up to the matching OP_END. */
	OP_IF, OP_LOOP, OP_ITER, OP_MAY_GOTO, OP_RCU, OP_PREEMPT, OP_IRQ,
	OP_ELSE, OP_END,
	OP_EXIT, OP_CALL,
	/* Only with heap_mode: calls again. */
	OP_HEAP,
	OP_ALLOC = OP_HEAP, OP_ATTACH, OP_PUT, OP_DETACH, OP_ACQUIRE, OP_HEAP_RELEASE, OP_XCHG,
	OP_HEAP_LOOKUP, OP_HEAP_UPDATE, OP_HEAP_DELETE,
	OPS
};

/*
 * What OP_ITER goes through, in size: numbers; with heap_mode also the dynptr m, in steps or
 * tokens.
 */
enum { ITER_NUM, ITER_STEPS, ITER_TOKENS };

/* One operation; op_info[].args says which fields a call uses. */
struct op {
	__u8 kind;
	__u8 reg;	/* which of P0 and P1 */
	__u8 size;	/* of an access: 1, 2, 4, 8; of a call: which ring or map of heap objects */
	__u8 flags;
	struct opnd d;	/* the dynptr or stack slot */
	struct opnd m;	/* the other memory */
	__s32 a, b, c;
};

#define OP_VAR_A 1	/* not a, but a number of run time, masked with a */
#define OP_VAR_B 2
#define OP_CHECK 4	/* what it did is checked when it runs: heap_emit.c */

/* Conditions of OP_IF, in a; b is the number. */
enum { IF_BITS, IF_ABOVE, IF_NOT_NULL, IF_NULL };

struct func {
	__u8 kind;
	__u8 ret;	/* of callbacks: 0 returns 0, 1 one bit of the scalar, 2 the scalar */
	__u8 count;
	struct op ops[MAX_OPS];
};

/* A change of one instruction after everything else: what, at which, to what. */
enum { TWEAK_NONE, TWEAK_DST, TWEAK_SRC, TWEAK_OFF, TWEAK_IMM, TWEAK_SKIP, TWEAKS };

struct program {
	__u64 seed;
	__u8 kind;
	__u8 no_perfmon;	/* loaded without CAP_PERFMON */
	__u8 frags;		/* the packet is not linear */
	__u8 no_init;	/* the stack buffer is not zeroed first */
	__u16 packet;	/* bytes */
	__u8 tweak, funcs;
	__s16 tweak_at, tweak_to;
	struct func func[MAX_FUNCS];
};

/* The maps that programs name; load.c makes them. */
enum map_index {
	MAP_VAL,	/* one value of VAL_SIZE bytes */
	MAP_CTL,	/* loop counters, out of reach of the operations */
	MAP_ARR,	/* ARR_ENTRIES values of 16 bytes */
	MAP_RING, MAP_RING_OVERWRITE, MAP_USER_RING,
	MAP_PROGS,	/* an empty program array */
	/* Only with heap_mode. Values of HEAP_VALUE bytes: eight of data, two heap objects. */
	MAP_HEAP,	/* an array with one value */
	MAP_HEAP_ARR, MAP_HEAP_PERCPU, MAP_HEAP_HASH, MAP_HEAP_LRU,
	MAP_FAIL,	/* enum failure: which instruction found it */
	MAP_DELIMS,	/* a string that no program can write to */
	MAPS
};

#define HEAP_MAPS 5
#define HEAP_VALUE 24
#define HEAP_FIELD(i) (8 + 8 * (i))	/* where the objects are in a value */

/* What a running program finds wrong. */
enum failure {
	FAIL_FRESH,	/* new memory is not zero */
	FAIL_FREED,	/* what was read is what freed memory is filled with */
	FAIL_WRITE,	/* what was written is not there */
	FAIL_STAMP,	/* nor is it after it was in a map */
	FAILURES
};

#define VAL_SIZE 256
#define VAL_RESULT 248	/* where a program that returns nothing useful leaves its scalar */
#define ARR_ENTRIES 4
#define USER_PAGE 0x20000000	/* an address in this process that programs read */

/* Kernel functions, as indexes until load.c knows their ids. */
enum kfunc {
	KF_FROM_SKB, KF_FROM_XDP, KF_FROM_META, KF_FROM_FILE, KF_CLONE, KF_FILE_DISCARD,
	KF_SLICE, KF_SLICE_RDWR, KF_ADJUST, KF_IS_NULL, KF_IS_RDONLY, KF_SIZE, KF_COPY, KF_MEMSET,
	KF_PROBE_USER, KF_PROBE_KERNEL, KF_PROBE_USER_STR, KF_PROBE_KERNEL_STR,
	KF_COPY_USER, KF_COPY_USER_STR, KF_COPY_TASK, KF_COPY_TASK_STR,
	KF_THROW, KF_GET_FILE, KF_PUT_FILE, KF_QDISC_DROP, KF_FREE_SKB,
	KF_ITER_NEW, KF_ITER_NEXT, KF_ITER_DESTROY, KF_RCU_LOCK, KF_RCU_UNLOCK,
	KF_PREEMPT_DISABLE, KF_PREEMPT_ENABLE, KF_IRQ_SAVE, KF_IRQ_RESTORE,
	/* of the module */
	KF_HEAP,
	KF_ALLOC = KF_HEAP, KF_ATTACH, KF_PUT, KF_DETACH, KF_ACQUIRE, KF_HEAP_RELEASE,
	KF_STEPS_NEW, KF_STEPS_NEXT, KF_STEPS_DESTROY,
	KF_TOKENS_NEW, KF_TOKENS_NEXT, KF_TOKENS_DESTROY,
	KFUNCS
};

/*
 * A call: @args has a letter for each argument, in order: d m the operands; a b c the numbers;
 * p the pointer; x the context; R the ring; V the array map; J the program array; k a key;
 * q the qdisc's list; T the current task; o the other pointer; h the pointer, or null if c is set;
 * H the map of heap objects.
 * @result: 64 bits (i), 32 (w), or a bool (b) that are added to the scalar, or what becomes the
 * pointer (p), or nothing (v).
 */
struct op_info {
	const char *name;
	const char *args;
	char result;
	__s16 helper;	/* -1: @kfunc */
	__s16 kfunc;
};

extern const struct op_info op_info[OPS];
extern const char *const kfunc_names[KFUNCS];
extern const char *const prog_names[PROG_KINDS];
extern const char *const func_names[FUNC_KINDS];
extern const char *const map_names[MAPS];

/* A program as instructions. */
struct image {
	struct bpf_insn insns[MAX_INSNS];
	int count;
	int subs;
	struct {
		int insn;
		int func;
	} sub[MAX_FUNCS];
	bool leaky;	/* what it computes may depend on addresses or stale stack bytes */
	bool no_run;	/* stock C could let it corrupt the kernel (docs/differences.md, L1) */
	bool rings, user_ring;
	bool pure;	/* heap objects have one owner, dynptrs show all of them: heap_emit.c */
	bool reaches;	/* a callee reaches into its caller's stack: see hash_log() */
};

/* The stack of every function: where things are by default, as offsets from the frame pointer. */
#define SLOT_OFF(i) (-16 * ((i) + 1))	/* the dynptrs */
#define SLOTS 4
#define SPILL_OFF(i) (-72 - 8 * (i))
#define BUFFER_OFF (-112)		/* memory to read from and write to */
#define BUFFER_SIZE 32
#define ITER_OFF (-120)
#define IRQ_OFF (-128)
#define COUNTER_OFF(depth) (-136 - 8 * (depth))
#define STEPS_OFF (-248)	/* iterators over dynptrs */
#define TOKENS_OFF (-304)

void generate(__u64 seed, struct program *p);
void emit(const struct program *p, struct image *image);
bool is_block(int kind);
/* Where OP_ITER has its iterator, and how many bytes that takes. */
int iter_off(const struct op *op);
int iter_bytes(const struct op *op);
bool is_call(int kind);
/* Whether @kind makes a dynptr in d. */
bool is_constructor(int kind);

/*
 * Programs use heap dynptrs too, which only the module has: there is no C to compare with, and
 * heap.c says what must hold.
 */
extern bool heap_mode;

/* The map that a call of FUNC_EACH goes over. */
enum map_index each_map(const struct op *op);

/* What came of one program on one side. */
struct outcome {
	__s32 verdict;	/* 0 or the errno of the load */
	__u32 flags;		/* OUTCOME_* */
	__u64 log;		/* hash of the verifier's log */
	__u64 log_but_slots;	/* of the log without the states of dynptrs on the stack */
	__u64 run;		/* hash of all that the run left */
	__u32 wrong;		/* enum wrong, a bit each: of heap_mode */
};

#define OUTCOME_DONE 1
#define OUTCOME_RAN 2
#define OUTCOME_COMPARED 4	/* the run's hash means something */
#define OUTCOME_CUT 8		/* the log did not fit in LOG_SIZE */
#define OUTCOME_REACHES 16	/* struct image, reaches */

__u64 hash_bytes(__u64 hash, const void *data, size_t size);

/* log.c */
void clean_log(char *log);
__u64 hash_log(const char *log, bool but_slots);

/* load.c: one world a process: maps, types, ids. */
void world_open(void);
void world_renew_rings(void);
/* The maps of heap objects whose entries come and go: what is in them is freed, some time. */
void world_renew_entries(void);
int world_map(enum map_index map);
void *world_memory(enum map_index map);
int load_image(const struct program *p, struct image *image, char *log, bool *cut);
extern bool planted;	/* a difference on purpose: see load.c */

/* types.c: BTF. */
int types_load(void);
/* Of the map values that hold heap objects. */
__u32 types_heap_value(void);
__u32 types_key(void);
/* The module's BTF, for kernel functions from KF_HEAP on. */
int types_module(void);
__u32 types_func(const struct program *p, int kind);
int types_kfunc(enum kfunc kfunc);
int types_lsm_hook(void);
int types_qdisc(int *member);

/* run.c */
void run_program(const struct program *p, const struct image *image, int fd, struct outcome *out);
void run_share(void);
void run_again(const struct program *p, int fd);

/* What a whole run reached. */
struct summary {
	unsigned int programs, accepted;
	unsigned int ops_missing;	/* in no accepted program */
	unsigned int messages, messages_missing;	/* of the verifier */
	unsigned int texts, texts_missing;	/* of rust/logic/reject.rs */
};

/* Programs and differences of all runs that a state file joins. */
struct tally {
	__u64 programs, differences, verdicts, logs, runs, misprints, hits;
};

/*
 * stats.c: what was reached; in memory that all processes share. It can go on from, and is left
 * in, the file @state.
 */
struct tally *stats_share(const char *state);
void stats_save(const char *state);
void stats_add(const struct program *p, const struct outcome *out, const char *log);
struct summary stats_report(void);

/* pass.c */
void process_program(const struct program *p, struct outcome *out, char *log, bool count);
/* A single one, with all checks. */
void process_alone(const struct program *p, struct outcome *out, char *log);
void pass_batch(const struct program *programs, size_t count, struct outcome *out);
void pass_seeds(__u64 first, size_t count, struct outcome *out, const struct outcome *expected,
		const char *dir);
bool outcome_same(const struct outcome *a, const struct outcome *b);
bool outcome_misprint(const struct outcome *a, const struct outcome *b);

/* reduce.c; the predicate is evaluated for many candidates at once. */
typedef void (*holds_fn)(const struct program *programs, size_t count, bool *holds);
/* How many operations it has. */
size_t program_size(const struct program *p);
void reduce(struct program *p, holds_fn holds);

/* check.c */
size_t check_images(size_t seeds);

/* show.c */
void show_program(FILE *out, const struct program *p);
void show_insns(FILE *out, const struct image *image);
void save_program(const char *path, const struct program *p);
bool restore_program(const char *path, struct program *p);

#endif
