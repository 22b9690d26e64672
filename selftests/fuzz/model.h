/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is where at a point of a program, as far as the generator has to know to stay legal. It is
 * stricter than the verifier: what it calls legal should load; what it refuses may.
 */
#ifndef MODEL_H
#define MODEL_H

#include "fuzz.h"

enum dyn_type {
	DYN_NONE, DYN_LOCAL, DYN_RINGBUF, DYN_SKB, DYN_XDP, DYN_META, DYN_FILE, DYN_HEAP
};

#define TYPES(type) (1u << (type))
#define ANY_TYPE (~0u)

/* A dynptr on the stack. Clones of a referenced one share its group. */
struct inst {
	__u8 type, group, level;
	bool caller;	/* in the caller's frame */
	bool live;
	__s16 off;
};

enum ptr_kind {
	PTR_NONE, PTR_RDONLY, PTR_MEM, PTR_RECORD, PTR_FILE, PTR_PACKET, PTR_STACK, PTR_VALUE,
	PTR_CONST_DYNPTR,
	PTR_HEAP,	/* a heap object */
	PTR_HEAP_VALUE,	/* a value of a map of them; accessible are the eight bytes of data */
};

/* What P0, P1, or a spill slot holds. */
struct ptr {
	__u8 kind, level, id;
	bool maybe_null;
	bool packet;	/* a slice of a packet: gone when the packet changes */
	__s8 inst;	/* the dynptr that it is a slice of, or -1 */
	__s16 size;	/* accessible bytes; of PTR_STACK, the offset */
};

#define MAX_INSTS 40
#define NO_INST (-1)
#define CONST_INST (-2)

struct model {
	const struct program *p;
	__u8 func;		/* its kind */
	__u8 level;		/* blocks around this point */
	__u8 loop_level;	/* what is older than this must survive: it is a loop's body */
	__u8 groups, ids;
	bool skb;		/* the qdisc's packet is held */
	bool atomic;		/* must not sleep */
	__u8 insts;
	struct inst inst[MAX_INSTS];
	struct ptr ptr[2], spill[2];
};

bool has_context(const struct model *m);
bool has_caller(const struct model *m);
bool type_referenced(int type);
int model_find(const struct model *m, const struct opnd *o);
int model_type(const struct model *m, int inst);
bool model_holds(const struct model *m, int level);
bool ptr_owns(const struct model *m, const struct ptr *ptr);
bool model_may_overwrite(const struct model *m, bool caller, int off, int size);
bool model_legal(const struct model *m, const struct op *op);
void model_apply(struct model *m, const struct op *op);
void model_kill(struct model *m, int inst);
bool ptr_referenced(int kind);
/* The model at the start of the function that @call calls, of @kind, where @m holds. */
struct model model_entry(const struct model *m, int kind, const struct op *call);
/* After a branch: @m is what holds on both ways. */
void model_merge(struct model *m, const struct model *other);

/* heap_model.c: the part of heap dynptrs. */
bool heap_legal(const struct model *m, const struct op *op);
void heap_apply(struct model *m, const struct op *op);

/* For heap_model.c, of legal.c and model.c. */
bool memory_legal(const struct model *m, const struct opnd *o, int size, bool write);
bool target_legal(const struct model *m, const struct opnd *o);
bool free_reg(const struct model *m, const struct op *op);
bool release_legal(const struct model *m, const struct op *op, int type);
void model_construct(struct model *m, const struct opnd *o, int type, int group);
void model_kill_group(struct model *m, int group);
void model_kill_pointer(struct model *m, const struct ptr *ptr);
void model_set_ptr(struct model *m, const struct op *op, int kind, int size, int inst);

#endif
