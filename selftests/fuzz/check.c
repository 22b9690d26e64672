// SPDX-License-Identifier: GPL-2.0
/* What reduce.c relies on: whatever operations are left, the jumps and calls are valid. */
#include "fuzz.h"
#include "rng.h"

#define WIDE (BPF_LD | BPF_IMM | BPF_DW)

/* Where the function ends that has the instruction @at. */
static int func_end(const struct image *image, int at)
{
	for (int i = 0; i < image->subs; i++)
		if (image->sub[i].insn > at)
			return image->sub[i].insn;
	return image->count;
}

static int func_start(const struct image *image, int at)
{
	int start = 0;

	for (int i = 0; i < image->subs; i++)
		if (image->sub[i].insn <= at)
			start = image->sub[i].insn;
	return start;
}

static bool starts_func(const struct image *image, int at)
{
	for (int i = 0; i < image->subs; i++)
		if (image->sub[i].insn == at)
			return true;
	return false;
}

/* Whether an instruction, and not the second half of one, is at @to in the function of @from. */
static bool target(const struct image *image, int from, int to)
{
	return to >= func_start(image, from) && to < func_end(image, from) &&
	       image->insns[to].code;
}

static bool insn_valid(const struct image *image, int at)
{
	const struct bpf_insn *insn = &image->insns[at];
	int class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if (insn->code == WIDE && insn->src_reg == BPF_PSEUDO_FUNC)
		return starts_func(image, at + insn->imm + 1);
	if (class != BPF_JMP || op == BPF_EXIT)
		return true;
	if (op != BPF_CALL)
		return target(image, at, at + insn->off + 1);
	return insn->src_reg != BPF_PSEUDO_CALL || starts_func(image, at + insn->imm + 1);
}

static bool image_valid(const struct image *image)
{
	if (image->count >= MAX_INSNS)
		return false;
	for (int i = 0; i < image->count; i++)
		if (!insn_valid(image, i))
			return false;
	return true;
}

/* Leaves each operation out in one of four cases. */
static void thin_out(struct program *p, struct rng *rng)
{
	for (int i = 0; i < p->funcs; i++) {
		struct func *f = &p->func[i];
		int kept = 0;

		for (int j = 0; j < f->count; j++)
			if (rng_below(rng, 4))
				f->ops[kept++] = f->ops[j];
		f->count = kept;
	}
}

/* How many of @seeds programs, or of what thinning them out makes, are not valid. */
size_t check_images(size_t seeds)
{
	static struct image image;
	struct program p;
	size_t bad = 0;
	struct rng rng;

	rng_seed(&rng, 1);
	for (size_t seed = 1; seed <= seeds; seed++) {
		generate(seed, &p);
		p.tweak = TWEAK_NONE;
		for (int i = 0; i < 4; i++) {
			emit(&p, &image);
			bad += !image_valid(&image);
			thin_out(&p, &rng);
		}
	}
	return bad;
}
