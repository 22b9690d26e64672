// SPDX-License-Identifier: GPL-2.0
// Stops all processors for good, with interrupts off: a hang, for the test of scripts/vm.
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/stop_machine.h>

static int stuck(void *unused)
{
	for (;;)
		udelay(5);
	return 0;
}

static int __init stuck_init(void)
{
	return stop_machine(stuck, NULL, cpu_online_mask);
}
module_init(stuck_init);

MODULE_DESCRIPTION("A kernel that hangs, on purpose");
MODULE_LICENSE("GPL");
