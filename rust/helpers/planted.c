// SPDX-License-Identifier: GPL-2.0
/* The parameter of rust/glue/planted.rs, and of its bugs the one in C: UBSAN knows no Rust. */
#include <linux/bpf_verifier.h>
#include <linux/module.h>

#include "../../include/rust_dynptr.h"

static unsigned int plant;
module_param(plant, uint, 0400);
MODULE_PARM_DESC(plant, "Which bug to have when loaded: see rust/glue/planted.rs");

unsigned int rust_dynptr_plant(void)
{
	return plant;
}

void rust_dynptr_plant_shift(void)
{
	unsigned int by = 30 + plant;

	pr_info("rust_dynptr: planted: shifted to %d\n", 1 << by);
}
