/* SPDX-License-Identifier: GPL-2.0 */
/* Which program of binding.bpf.c wrote a record: one of each kind. */
#ifndef BINDING_H
#define BINDING_H

enum binding_kind {
	BINDING_MAIN,
	BINDING_STATIC,	/* a subprogram */
	BINDING_GLOBAL,	/* a subprogram that is verified alone */
	BINDING_CALLBACK,
	BINDING_TIMER,
	BINDING_REPLACED,	/* a global subprogram, unless it is replaced */
	BINDING_EXT,	/* what replaces it */
	BINDING_FENTRY,
	BINDING_FEXIT,
	BINDING_FMOD_RET,
	BINDING_SLEEPABLE,	/* fentry */
	BINDING_LSM,
	BINDING_TP_BTF,
	BINDING_KPROBE,
	BINDING_TRACEPOINT,
	BINDING_ITER,
	BINDING_MODULE,	/* fentry on a function of another module */
	BINDING_STRUCT_OPS,
	BINDING_KINDS,
};

#endif
