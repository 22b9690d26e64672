/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ALIAS_H
#define ALIAS_H

#define ALIAS_FIRST 1
#define ALIAS_SECOND 2

#endif
