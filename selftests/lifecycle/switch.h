/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SWITCH_H
#define SWITCH_H

/* At most: below the verifier's limit of a million instructions. */
#define SWITCH_TURNS 100000

#endif
