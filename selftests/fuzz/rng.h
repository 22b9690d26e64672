/* SPDX-License-Identifier: GPL-2.0 */
/* A small generator of random numbers: the same for a seed on every machine. */
#ifndef RNG_H
#define RNG_H

#include <linux/types.h>
#include <stdbool.h>

struct rng {
	__u64 state;
};

static inline void rng_seed(struct rng *rng, __u64 seed)
{
	/* splitmix64, so that neighbouring seeds give unrelated programs. */
	seed += 0x9e3779b97f4a7c15ULL;
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebULL;
	rng->state = (seed ^ (seed >> 31)) | 1;
}

static inline __u32 rng_next(struct rng *rng)
{
	rng->state ^= rng->state << 13;
	rng->state ^= rng->state >> 7;
	rng->state ^= rng->state << 17;
	return (rng->state * 0x2545f4914f6cdd1dULL) >> 32;
}

/* 0 to @bound - 1. */
static inline __u32 rng_below(struct rng *rng, __u32 bound)
{
	return ((__u64)rng_next(rng) * bound) >> 32;
}

/* True in @percent of 100 cases. */
static inline bool rng_chance(struct rng *rng, __u32 percent)
{
	return rng_below(rng, 100) < percent;
}

#define RNG_PICK(rng, array) ((array)[rng_below(rng, sizeof(array) / sizeof((array)[0]))])

#endif
