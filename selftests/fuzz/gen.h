/* SPDX-License-Identifier: GPL-2.0 */
/* The generator's state, and its parts. */
#ifndef GEN_H
#define GEN_H

#include "model.h"
#include "rng.h"

struct gen {
	struct rng rng;
	struct program *p;
	int func;	/* that operations are added to */
	int misuse;	/* of 100 operations, how many need not be legal */
	int depth;	/* of blocks in this function */
	bool full;	/* the function can take no more operations */
};

struct op *gen_add(struct gen *g, const struct op *op);
struct op *gen_kind(struct gen *g, int kind);
bool gen_wrong(struct gen *g);

/* propose.c: one operation with random operands that suit the model. */
void propose(struct gen *g, const struct model *m, struct op *op);
void propose_kind(struct gen *g, const struct model *m, int kind, struct op *op);
struct opnd pick_dynptr(struct gen *g, const struct model *m, unsigned int types);
struct opnd pick_slot(struct gen *g);
struct opnd pick_odd_slot(struct gen *g);

/* scenario.c */
void gen_scenario(struct gen *g, struct model *m);

#endif
