/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only input of bindgen: the kernel's headers whose types the Rust code
 * uses, and our own. Sorted.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/buildid.h>
#include <linux/filter.h>
#include <linux/ftrace.h>
#include <linux/irq_work.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_trace.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <net/xdp.h>

#include "heap_kfuncs.h"
#include "iter_kfuncs.h"
#include "own_kfuncs.h"
#include "rust_dynptr.h"
#include "string_kfuncs.h"
#include "unexported.h"
