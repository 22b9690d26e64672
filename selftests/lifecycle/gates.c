// SPDX-License-Identifier: GPL-2.0
/*
 * gates KO: which processes and which types of programs may use the ring buffer helpers, first
 * with C, then with the module loaded. Every ring buffer helper in programs of every type, by
 * processes with several sets of capabilities, with and without unprivileged BPF: errno and
 * verifier log must be the same. With the module, whatever was loaded is bound, and holds the
 * module until it is gone.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "insert.h"
#include "insns.h"
#include "ringuser.h"

#define LOG_SIZE 8192
#define UNPRIVILEGED "/proc/sys/kernel/unprivileged_bpf_disabled"

static const struct type {
	const char *name;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
} types[] = {
	{ "socket_filter", BPF_PROG_TYPE_SOCKET_FILTER, 0 },
	{ "kprobe", BPF_PROG_TYPE_KPROBE, 0 },
	{ "sched_cls", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "sched_act", BPF_PROG_TYPE_SCHED_ACT, 0 },
	{ "tracepoint", BPF_PROG_TYPE_TRACEPOINT, 0 },
	{ "xdp", BPF_PROG_TYPE_XDP, 0 },
	{ "perf_event", BPF_PROG_TYPE_PERF_EVENT, 0 },
	{ "cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS },
	{ "cgroup_sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
	{ "lwt_in", BPF_PROG_TYPE_LWT_IN, 0 },
	{ "lwt_out", BPF_PROG_TYPE_LWT_OUT, 0 },
	{ "lwt_xmit", BPF_PROG_TYPE_LWT_XMIT, 0 },
	{ "sock_ops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS },
	{ "sk_skb", BPF_PROG_TYPE_SK_SKB, 0 },
	{ "cgroup_device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE },
	{ "sk_msg", BPF_PROG_TYPE_SK_MSG, 0 },
	{ "raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT, 0 },
	{ "cgroup_sock_addr", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT },
	{ "lwt_seg6local", BPF_PROG_TYPE_LWT_SEG6LOCAL, 0 },
	{ "lirc_mode2", BPF_PROG_TYPE_LIRC_MODE2, 0 },
	{ "sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT },
	{ "flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, 0 },
	{ "cgroup_sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL },
	{ "raw_tp_writable", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0 },
	{ "cgroup_sockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT },
	{ "sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP },
	{ "syscall", BPF_PROG_TYPE_SYSCALL, 0 },
	{ "netfilter", BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER },
};

#define CAP(cap) (1ULL << (cap))

static const struct who {
	const char *name;
	unsigned long long caps;
} whos[] = {
	{ "all", ~0ULL },
	{ "none", 0 },
	{ "bpf", CAP(CAP_BPF) },
	{ "bpf, perfmon", CAP(CAP_BPF) | CAP(CAP_PERFMON) },
	{ "bpf, net_admin", CAP(CAP_BPF) | CAP(CAP_NET_ADMIN) },
	{ "net_admin", CAP(CAP_NET_ADMIN) },
	{ "sys_admin", CAP(CAP_SYS_ADMIN) },
};

#define NOBODY 1	/* in the list: no dynptrs for those */
#define CASES (2 * COUNT(whos) * (COUNT(types) * BY_HELPERS + 2))

/* What a process with some capabilities found. */
struct answer {
	int err;
	unsigned int log;	/* a hash of it */
	int loaded;
};

enum { WITH_C, WITH_RUST, SIDES };
static struct answer *answers[SIDES];
static int ring, user_ring;

static unsigned int hash(const char *text)
{
	unsigned int sum = 0;

	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 16777619U;
	return sum;
}

/* The map's address is in the log. */
static void hide_addresses(char *log)
{
	for (char *at = log; (at = strstr(at, "0xffff"));)
		for (at += 2; strchr("0123456789abcdef", *at) && *at; at++)
			*at = 'x';
}

static __u32 id_of(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static struct answer try(const struct type *type, int helper)
{
	struct insns insns = insns_of(helper, ring, user_ring);
	static char log[LOG_SIZE];
	struct answer answer = {};
	int fd = insns_load(&insns, type->type, type->attach, log, sizeof(log));

	hide_addresses(log);
	answer.err = fd < 0 ? fd : 0;
	answer.log = hash(log);
	answer.loaded = fd >= 0;
	if (fd >= 0)
		close(fd);
	return answer;
}

static void set_caps(unsigned long long caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (caps == ~0ULL)
		return;
	data[0].effective = caps;
	data[0].permitted = caps;
	data[1].effective = caps >> 32;
	data[1].permitted = caps >> 32;
	if (syscall(SYS_capset, &header, data))
		_exit(2);
}

/* All types and helpers, and both maps, as a child with these capabilities. */
static struct answer *ask(const struct who *who, struct answer *out)
{
	size_t count = COUNT(types) * BY_HELPERS + 2;
	int channel[2], status;
	char *at = (char *)out;
	ssize_t got;

	if (pipe(channel))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	if (!fork()) {
		struct answer answer;
		size_t sent = 0;
		int fd;

		set_caps(who->caps);
		for (size_t i = 0; i < COUNT(types); i++)
			for (int helper = 0; helper < BY_HELPERS; helper++) {
				answer = try(&types[i], helper);
				sent += write(channel[1], &answer, sizeof(answer));
			}
		for (int user = 0; user < 2; user++) {
			memset(&answer, 0, sizeof(answer));
			fd = ring_create(user ? BPF_MAP_TYPE_USER_RINGBUF : BPF_MAP_TYPE_RINGBUF,
					 4096, 0);
			answer.err = fd < 0 ? -errno : 0;
			sent += write(channel[1], &answer, sizeof(answer));
		}
		_exit(sent != count * sizeof(answer));
	}
	close(channel[1]);
	while (at < (char *)(out + count) &&
	       (got = read(channel[0], at, (char *)(out + count) - at)) > 0)
		at += got;
	close(channel[0]);
	if (wait(&status) < 0 || status)
		ksft_exit_fail_msg("a process with capabilities '%s' ended with %x\n", who->name,
				   status);
	return out + count;
}

static void set_unprivileged(const char *value)
{
	int fd = open(UNPRIVILEGED, O_WRONLY);

	if (fd < 0 || write(fd, value, 1) != 1)
		ksft_exit_fail_msg("%s: %s\n", UNPRIVILEGED, strerror(errno));
	close(fd);
}

static void ask_all(struct answer *out)
{
	for (const char *disabled = "02"; *disabled; disabled++) {
		char value[] = { *disabled, 0 };

		set_unprivileged(value);
		for (size_t i = 0; i < COUNT(whos); i++)
			out = ask(&whos[i], out);
	}
}

static void compare(void)
{
	size_t differences = 0, refused[COUNT(whos)] = {}, loaded[COUNT(whos)] = {}, dynptrs = 0;
	size_t each = COUNT(types) * BY_HELPERS + 2;

	for (size_t i = 0; i < CASES; i++) {
		const struct answer *c = &answers[WITH_C][i], *rust = &answers[WITH_RUST][i];
		size_t who = i / each % COUNT(whos), what = i % each;

		refused[who] += c->err < 0;
		loaded[who] += c->loaded;
		dynptrs += who == NOBODY && what < each - 2 &&
			   what % BY_HELPERS >= BY_SUBMIT_DYNPTR && c->loaded;
		if (!memcmp(c, rust, sizeof(*c)))
			continue;
		if (differences++ < 5)
			ksft_print_msg("%s, %s, program %zu: C %d log %x, Rust %d log %x\n",
				       whos[who].name,
				       what < each - 2 ? types[what / BY_HELPERS].name : "map",
				       what % BY_HELPERS, c->err, c->log, rust->err, rust->log);
	}
	for (size_t i = 0; i < COUNT(whos); i++)
		ksft_print_msg("capabilities '%s': %zu loaded, %zu refused\n", whos[i].name,
			       loaded[i], refused[i]);
	ksft_test_result(!differences && loaded[0] > 100 && refused[NOBODY] > 300 && !dynptrs,
			 "gates: %zu loads, %zu differences between C and Rust\n", CASES,
			 differences);
}

/* Each type on its own: bound when loaded, one reference, and none when it is gone. */
static void check_pins(void)
{
	size_t bound = 0, wrong = 0, returned = 0, loaded = 0;

	/* The livepatch's own, when all programs of before are gone. */
	module_references_become(1);
	for (size_t i = 0; i < COUNT(types); i++)
		for (int helper = 0; helper < BY_DRAIN; helper++) {
			struct insns insns = insns_of(helper, ring, user_ring);
			int fd = insns_load(&insns, types[i].type, types[i].attach, NULL, 0);

			if (fd < 0)
				continue;
			loaded++;
			bound += control_is_bound(id_of(fd));
			wrong += module_references() != 2;
			close(fd);
			returned += module_references_become(1);
		}
	ksft_test_result(loaded > 100 && bound == loaded && !wrong && returned == loaded,
			 "gates: of %zu programs %zu are bound, %zu hold the module wrongly, %zu give it back\n",
			 loaded, bound, wrong, returned);
}

/* Refused programs, and those that call nothing of ours, hold nothing. */
static void check_no_pins(void)
{
	struct insns insns = { .name = "other" }, refused = { .name = "refused" };
	int before = module_references(), fd, err;

	put_call(&insns, BPF_FUNC_ktime_get_ns);
	put_return(&insns, 1);
	put_output(&refused, ring);
	put_reg(&refused, 0, 9);	/* never set */
	put_return(&refused, 1);
	fd = insns_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 0);
	err = insns_load(&refused, BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 0);
	ksft_test_result(fd >= 0 && !control_is_bound(id_of(fd)) && err < 0 &&
			 module_references() == before,
			 "gates: a program without our functions and a refused one do not hold the module\n");
	close(fd);
}

/*
 * A program that fails after it was bound: the room for compiled programs is used up, which counts
 * for those without privilege.
 */
static void check_failed_load(void)
{
	struct insns insns = insns_of(BY_OUTPUT, ring, user_ring);
	int before = module_references(), status = 0;

	if (system("echo 1 >/proc/sys/net/core/bpf_jit_limit"))
		ksft_exit_fail_msg("bpf_jit_limit\n");
	set_unprivileged("0");
	if (!fork()) {
		set_caps(0);
		_exit(-insns_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 0));
	}
	wait(&status);
	set_unprivileged("2");
	system("echo 264241152 >/proc/sys/net/core/bpf_jit_limit");
	ksft_test_result(WEXITSTATUS(status) && module_references_become(before),
			 "gates: a program that cannot be compiled (%d) does not hold the module\n",
			 WEXITSTATUS(status));
}

/* The kernel's own answer to rmmod, without the tool's care. */
static void check_rmmod(void)
{
	struct insns insns = insns_of(BY_OUTPUT, ring, user_ring);
	int fd = insns_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 0);
	int ret = 0, err = 0;

	if (fd < 0 || !livepatch_end())
		ksft_exit_fail_msg("livepatch: %s\n", strerror(errno));
	module_references_become(1);
	ret = syscall(SYS_delete_module, "rust_dynptr", O_NONBLOCK);
	err = errno;
	ksft_test_result(ret && err == EWOULDBLOCK && module_references() == 1,
			 "gates: without the livepatch, the program's is the last reference: rmmod refuses\n");
	close(fd);
	module_references_become(0);
	for (int i = 0; i < 100; i++) {
		ret = syscall(SYS_delete_module, "rust_dynptr", O_NONBLOCK);
		if (!ret)
			break;
		usleep(50000);
	}
	ksft_test_result(!ret, "gates: when it is gone, rmmod works\n");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: gates KO\n");
		return 2;
	}
	ksft_print_header();
	ring = ring_create(BPF_MAP_TYPE_RINGBUF, 4096, 0);
	user_ring = ring_create(BPF_MAP_TYPE_USER_RINGBUF, 4096, 0);
	for (int side = 0; side < SIDES; side++) {
		answers[side] = calloc(CASES, sizeof(*answers[side]));
		if (!answers[side] || ring < 0 || user_ring < 0)
			ksft_exit_fail_msg("cannot create maps: %s\n", strerror(errno));
	}
	ask_all(answers[WITH_C]);
	if (!ksft_test_result(!control_load(argv[1], ""), "gates: the module loads\n"))
		ksft_finished();
	ask_all(answers[WITH_RUST]);
	compare();
	check_pins();
	check_no_pins();
	check_failed_load();
	check_rmmod();
	ksft_finished();
}
