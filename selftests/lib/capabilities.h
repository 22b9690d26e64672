/* SPDX-License-Identifier: GPL-2.0 */
/* A test that does without some of its capabilities for a while. */
#ifndef CAPABILITIES_H
#define CAPABILITIES_H

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ksft.h"

#define CAP_BIT(cap) (1ULL << (cap))
#define CAP_ALL (~0ULL)

/* Keeps only the capabilities @kept (a mask) in effect. */
static inline void keep_capabilities(unsigned long long kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		ksft_exit_fail_msg("capget: %s\n", strerror(errno));
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = data[i].permitted & (kept >> (32 * i));
	if (syscall(SYS_capset, &header, data))
		ksft_exit_fail_msg("capset: %s\n", strerror(errno));
}

#endif
