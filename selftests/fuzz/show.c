// SPDX-License-Identifier: GPL-2.0
/* Programs for people: as operations, as instructions, and as a file. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"

static const char *const base_names[ALL_BASES] = {
	[BASE_FP] = "fp", [BASE_CALLER] = "caller", [BASE_P0] = "p0", [BASE_P1] = "p1",
	[BASE_VAL] = "val", [BASE_CTX] = "ctx", [BASE_NULL] = "null", [BASE_NUM] = "user",
	[BASE_MAP] = "map", [BASE_HEAP] = "heap",
};

static void show_operand(FILE *out, const struct opnd *o)
{
	fprintf(out, "%s", o->base < ALL_BASES ? base_names[o->base] : "?");
	if (o->off)
		fprintf(out, "%+d", o->off);
	if (o->flags & OPND_VAR)
		fprintf(out, "+var");
}

static void show_argument(FILE *out, char arg, const struct op *op)
{
	switch (arg) {
	case 'd':
		show_operand(out, &op->d);
		break;
	case 'm':
		show_operand(out, &op->m);
		break;
	case 'a':
		fprintf(out, op->flags & OP_VAR_A ? "acc&%d" : "%d", op->a);
		break;
	case 'b':
		fprintf(out, op->flags & OP_VAR_B ? "acc&%d" : "%d", op->b);
		break;
	case 'c':
		fprintf(out, "%d", op->c);
		break;
	case 'p':
		fprintf(out, "p%d", op->reg);
		break;
	case 'o':
		fprintf(out, "p%d", !op->reg);
		break;
	case 'h':
		if (op->c)
			fprintf(out, "null");
		else
			fprintf(out, "p%d", op->reg);
		break;
	case 'H':
		fprintf(out, "%s", map_names[MAP_HEAP + op->size % HEAP_MAPS]);
		break;
	case 'R':
		fprintf(out, "ring%d", op->size);
		break;
	default:
		fprintf(out, "%c", arg);
	}
}

static void show_if(FILE *out, const struct op *op)
{
	if (op->a == IF_BITS)
		fprintf(out, "if (acc & %d)", op->b);
	else if (op->a == IF_ABOVE)
		fprintf(out, "if (acc > %d)", op->b);
	else
		fprintf(out, "if (p%d %c= null)", op->reg, op->a == IF_NULL ? '=' : '!');
}

/* An operation that is not a call of the kernel. */
static void show_plain(FILE *out, const struct op *op)
{
	fprintf(out, "%s", op_info[op->kind].name);
	switch (op->kind) {
	case OP_LOAD:
	case OP_STORE:
		fprintf(out, "%d p%d%+d", op->size, op->reg, op->a);
		if (op->kind == OP_STORE)
			fprintf(out, op->flags & OP_VAR_B ? " = acc" : " = %d", op->b);
		break;
	case OP_ADD:
	case OP_PACKET:
		fprintf(out, " p%d ", op->reg);
		show_argument(out, 'a', op);
		break;
	case OP_MOVE:
	case OP_ZERO:
		fprintf(out, " p%d", op->reg);
		break;
	case OP_SPILL:
	case OP_FILL:
	case OP_STACK_PTR:
		fprintf(out, " p%d ", op->reg);
		show_operand(out, &op->d);
		break;
	case OP_STACK_STORE:
	case OP_STACK_STORE_REG:
	case OP_STACK_LOAD:
		fprintf(out, "%d ", op->size);
		show_operand(out, &op->d);
		if (op->kind == OP_STACK_STORE)
			fprintf(out, " = %d", op->b);
		break;
	case OP_STORE_VAL:
	case OP_LOOP:
	case OP_MAY_GOTO:
		fprintf(out, " %d", op->a);
		break;
	case OP_ITER:
	case OP_IRQ:
		fprintf(out, " %d ", op->a);
		show_operand(out, &op->d);
		if (op->kind != OP_ITER || !op->size)
			break;
		fprintf(out, " over %s of ", op->size == ITER_TOKENS ? "tokens" : "steps");
		show_operand(out, &op->m);
		fprintf(out, ", flags %x", op->b);
		break;
	case OP_CALL:
		fprintf(out, " #%d (count ", op->a);
		show_argument(out, 'b', op);
		fprintf(out, ", memory ");
		show_operand(out, &op->m);
		fprintf(out, ", dynptr ");
		show_operand(out, &op->d);
		fprintf(out, ", flags %d, ring %d)", op->c, op->size);
		break;
	}
}

static void show_op(FILE *out, const struct op *op)
{
	const struct op_info *info = &op_info[op->kind];

	if (op->kind == OP_IF) {
		show_if(out, op);
	} else if (is_call(op->kind)) {
		if (info->result == 'p')
			fprintf(out, "p%d = ", op->reg);
		fprintf(out, "%s(", info->name);
		for (int i = 0; info->args[i]; i++) {
			fprintf(out, i ? ", " : "");
			show_argument(out, info->args[i], op);
		}
		fprintf(out, op->flags & OP_CHECK ? ") checked" : ")");
	} else {
		show_plain(out, op);
	}
	fprintf(out, "\n");
}

/* The program as its operations. */
void show_program(FILE *out, const struct program *p)
{
	fprintf(out, "seed %llu: %s, packet of %d bytes%s", (unsigned long long)p->seed,
		prog_names[p->kind], p->packet, p->frags ? ", fragments" : "");
	if (p->no_perfmon)
		fprintf(out, ", without CAP_PERFMON");
	if (p->no_init)
		fprintf(out, ", stack not zeroed");
	if (p->tweak)
		fprintf(out, ", tweak %d at %d to %d", p->tweak, p->tweak_at, p->tweak_to);
	fprintf(out, "\n");
	for (int i = 0; i < p->funcs; i++) {
		const struct func *f = &p->func[i];
		int depth = 1;

		fprintf(out, "#%d %s", i, func_names[f->kind]);
		fprintf(out, f->ret ? " (returns way %d)\n" : "\n", f->ret);
		for (int j = 0; j < f->count; j++) {
			int kind = f->ops[j].kind;

			depth -= (kind == OP_END || kind == OP_ELSE) && depth > 1;
			fprintf(out, "%*s", depth * 4, "");
			show_op(out, &f->ops[j]);
			depth += is_block(kind) || kind == OP_ELSE;
		}
	}
}

static void show_call(FILE *out, const struct bpf_insn *insn, int at)
{
	if (insn->src_reg == BPF_PSEUDO_CALL)
		fprintf(out, "call insn %d", at + 1 + insn->imm);
	else if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		fprintf(out, "call %s",
			insn->imm >= 0 && insn->imm < KFUNCS ? kfunc_names[insn->imm] : "kfunc");
	else
		fprintf(out, "call helper %d", insn->imm);
}

static void show_jump(FILE *out, const struct bpf_insn *insn, int at)
{
	static const char *const ops[] = {
		"", "==", ">", ">=", "&", "!=", "s>", "s>=", "", "", "<", "<=", "s<", "s<=", "may",
	};
	int op = BPF_OP(insn->code);

	if (op == BPF_EXIT) {
		fprintf(out, "exit");
	} else if (op == BPF_CALL) {
		show_call(out, insn, at);
	} else {
		if (op == BPF_JCOND)
			fprintf(out, "may_goto ");
		else if (op == BPF_JA)
			fprintf(out, "goto ");
		else if (BPF_SRC(insn->code) == BPF_X)
			fprintf(out, "if r%d %s r%d goto ", insn->dst_reg, ops[op >> 4],
				insn->src_reg);
		else
			fprintf(out, "if r%d %s %d goto ", insn->dst_reg, ops[op >> 4], insn->imm);
		fprintf(out, "%d", at + 1 + insn->off);
	}
}

static void show_memory(FILE *out, const struct bpf_insn *insn)
{
	static const char *const sizes[] = { "u32", "u16", "u8", "u64" };
	const char *size = sizes[BPF_SIZE(insn->code) >> 3];

	if (BPF_CLASS(insn->code) == BPF_LDX)
		fprintf(out, "r%d = *(%s *)(r%d %+d)", insn->dst_reg, size, insn->src_reg,
			insn->off);
	else if (BPF_CLASS(insn->code) == BPF_STX)
		fprintf(out, "*(%s *)(r%d %+d) = r%d", size, insn->dst_reg, insn->off,
			insn->src_reg);
	else
		fprintf(out, "*(%s *)(r%d %+d) = %d", size, insn->dst_reg, insn->off, insn->imm);
}

static void show_alu(FILE *out, const struct bpf_insn *insn)
{
	static const char *const ops[] = {
		"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=",
	};
	int op = BPF_OP(insn->code) >> 4;

	fprintf(out, "r%d %s ", insn->dst_reg, op < (int)COUNT(ops) ? ops[op] : "?");
	if (BPF_SRC(insn->code) == BPF_X)
		fprintf(out, "r%d", insn->src_reg);
	else
		fprintf(out, "%d", insn->imm);
}

static void show_wide(FILE *out, const struct bpf_insn *insn, int at)
{
	const char *map = insn->imm >= 0 && insn->imm < MAPS ? map_names[insn->imm] : "?";

	if (insn->src_reg == BPF_PSEUDO_MAP_FD)
		fprintf(out, "r%d = map %s", insn->dst_reg, map);
	else if (insn->src_reg == BPF_PSEUDO_MAP_VALUE)
		fprintf(out, "r%d = value of %s %+d", insn->dst_reg, map, insn[1].imm);
	else
		fprintf(out, "r%d = function at %d", insn->dst_reg, at + 1 + insn->imm);
}

/* The program as its instructions, before load.c has put ids in. */
void show_insns(FILE *out, const struct image *image)
{
	for (int i = 0; i < image->count; i++) {
		const struct bpf_insn *insn = &image->insns[i];

		for (int j = 0; j < image->subs; j++)
			if (image->sub[j].insn == i)
				fprintf(out, "function #%d\n", image->sub[j].func);
		fprintf(out, "%4d: ", i);
		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
			show_wide(out, insn, i);
			i++;
			break;
		case BPF_LDX:
		case BPF_ST:
		case BPF_STX:
			show_memory(out, insn);
			break;
		case BPF_ALU:
		case BPF_ALU64:
			show_alu(out, insn);
			break;
		default:
			show_jump(out, insn, i);
		}
		fprintf(out, "\n");
	}
}

void save_program(const char *path, const struct program *p)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(p, sizeof(*p), 1, file) != 1)
		fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno));
	if (file)
		fclose(file);
}

bool restore_program(const char *path, struct program *p)
{
	FILE *file = fopen(path, "r");
	bool good = file && fread(p, sizeof(*p), 1, file) == 1;

	if (file)
		fclose(file);
	return good && p->kind < PROG_KINDS && p->funcs <= MAX_FUNCS;
}
