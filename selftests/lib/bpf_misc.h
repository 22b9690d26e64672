/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a BPF program says of itself, for selftests/lib/loader.h: whether the verifier accepts it,
 * what the log has, what it returns. The names, and the tags that they become, are those of the
 * kernel's tools/testing/selftests/bpf/progs/bpf_misc.h, as far as the tests here need them.
 *
 *	__success		is accepted
 *	__failure		is refused, and the log has each __msg()
 *	__msg(text)		is in the log, behind what the __msg() before it says
 *	__not_msg(text)		is not in the log, between the __msg() before and after it
 *	__retval(number)	returns that when it is run (and is accepted)
 *	__log_level(number)	of the log; without it only what is refused has one, of level 1
 *	__description(text)	what the test is about
 *
 * These are of a process with all capabilities, those in _unpriv of one without CAP_SYS_ADMIN,
 * CAP_NET_ADMIN, CAP_PERFMON and CAP_BPF, but for those in __caps_unpriv(CAP_BPF | …); a program
 * with both kinds is judged twice. Each must have one verdict at least.
 */
#ifndef BPF_MISC_H
#define BPF_MISC_H

#define TEST_STRING_OF(text) #text
#define TEST_STRING(text) TEST_STRING_OF(text)
/* The number keeps their order, which BTF does not. */
#define TEST_TAG(text) \
	__attribute__((btf_decl_tag("comment:" TEST_STRING(__COUNTER__) ":test_" text)))

#define __success		TEST_TAG("expect_success")
#define __failure		TEST_TAG("expect_failure")
#define __msg(text)		TEST_TAG("expect_msg=" text)
#define __not_msg(text)		TEST_TAG("expect_not_msg=" text)
#define __retval(number)	TEST_TAG("retval=" TEST_STRING(number))
#define __log_level(number)	TEST_TAG("log_level=" TEST_STRING(number))
#define __description(text)	TEST_TAG("description=" text)

#define __success_unpriv	TEST_TAG("expect_success_unpriv")
#define __failure_unpriv	TEST_TAG("expect_failure_unpriv")
#define __msg_unpriv(text)	TEST_TAG("expect_msg_unpriv=" text)
#define __not_msg_unpriv(text)	TEST_TAG("expect_not_msg_unpriv=" text)
#define __retval_unpriv(number)	TEST_TAG("retval_unpriv=" TEST_STRING(number))
#define __caps_unpriv(caps)	TEST_TAG("caps_unpriv=" TEST_STRING(caps))

/* Of a packet that a program is run with. */
#define TEST_DATA_LEN 64

/* <linux/capability.h> cannot be had beside vmlinux.h. */
#define CAP_NET_ADMIN 12
#define CAP_SYS_ADMIN 21
#define CAP_PERFMON 38
#define CAP_BPF 39

#endif
