/* SPDX-License-Identifier: GPL-2.0 */
/* C or Rust: the module is loaded when Rust is to serve. */
#ifndef SIDES_H
#define SIDES_H

#include "fuzz.h"

enum side { SIDE_C, SIDE_RUST, SIDES };

extern const char *const side_names[SIDES];

void side_init(const char *ko);
void side_take(enum side side);
enum side side_now(void);
unsigned long long side_hits(unsigned int *rows, bool save);

/* replay.c: single programs on both sides. */
void replay(const struct program *p, const char *dir, bool verbose);
void holds_difference(const struct program *programs, size_t count, bool *holds);
void holds_text(const struct program *programs, size_t count, bool *holds);
extern const char *wanted_text;
/* Bits of enum wrong. */
extern __u32 wanted_wrong;
void record(const struct program *p, const char *name, struct outcome *result);

/* What the module is loaded with. */
extern const char *side_parameters;

/* heap_main.c: fuzz --heap */
void heap_seeds(__u64 first, __u64 last, size_t block, const char *dir);
void heap_single(const struct program *p, const char *dir);
void heap_reduce(struct program *p, const char *dir);

#endif
