/* SPDX-License-Identifier: GPL-2.0 */
/* What stringcost.bpf.c and stringcost.c share. */
#ifndef STRINGCOST_H
#define STRINGCOST_H

/* Rounds of a run, of which one is the mean. */
#define STRINGCOST_ROUNDS 20
#define STRINGCOST_PACKET 1500
#define STRINGCOST_COMPARED 64
#define STRINGCOST_HEADER "\r\nX-Trace:"

#endif
