/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MOVES_H
#define MOVES_H

#define MOVES_MAX 2048	/* bytes of the packet */
#define MOVES_WRITE 32	/* bytes that bpf_dynptr_write() writes */

#endif
