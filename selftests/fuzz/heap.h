/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs with heap dynptrs (heap_mode). The module alone knows them, so nothing is compared with
 * C. Instead:
 *
 *   heap_judge.c  says from the operations alone, for many programs, whether they are legal;
 *   heap_emit.c   has programs check when they run that new memory is zero, that what was written
 *                 is there, also after it was in a map, and that nothing reads freed memory;
 *   heap_run.c    runs each accepted program several times, on two processors, and then takes all
 *                 objects out of the maps: no block may live, none be damaged, and two runs from
 *                 the same start leave the same.
 */
#ifndef HEAP_H
#define HEAP_H

#include "gen.h"

/* What can be wrong with a program; bits of struct outcome, wrong. */
enum wrong {
	WRONG_ACCEPTED,		/* although it is illegal */
	WRONG_REFUSED,		/* although it is legal */
	WRONG_LEAK,		/* blocks live on */
	WRONG_DAMAGE,		/* a block was written behind its end, or when it was free */
	WRONG_FRESH, WRONG_FREED, WRONG_WRITE, WRONG_STAMP,	/* enum failure */
	WRONG_REPEAT,		/* a second run left something else */
	WRONGS
};

extern const char *const wrong_names[WRONGS];

/* heap_judge.c */
enum judgement { JUDGED_LEGAL, JUDGED_ILLEGAL, JUDGED_UNKNOWN };
enum judgement heap_judge(const struct program *p);
__u32 heap_check_verdict(const struct program *p, int verdict, const char *log);

/* heap_propose.c */
int heap_weight(int kind);
void heap_propose(struct gen *g, const struct model *m, struct op *op);
/* Makes the loop @op one over a dynptr, if there is any. */
void heap_walk(struct gen *g, const struct model *m, struct op *op);
void heap_scenario(struct gen *g, struct model *m);
/* Has the program check @op, which is legal, at run time. */
void heap_mark(struct gen *g, const struct model *m, struct op *op);

/* heap_run.c */
struct heap_counts {
	unsigned long long live, bytes, allocated, failed, damaged;
};

void heap_world_open(void);
void heap_run(const struct program *p, const struct image *image, int fd, struct outcome *out);
/* After the programs of a window: whether one of them has damaged a block that is free now. */
bool heap_damaged(void);
bool heap_counts(struct heap_counts *counts);
/* Whether nothing lives, within some seconds. */
bool heap_settled(void);

#endif
