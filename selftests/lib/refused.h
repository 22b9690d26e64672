/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that the verifier must refuse, and what it must say: for selftests/lib/loader.h. */
#ifndef BPF_REFUSED_H
#define BPF_REFUSED_H

/* The program after this must be refused, and its log have @text. */
#define SAYS(text) __attribute__((btf_decl_tag("refused:" text)))

#endif
