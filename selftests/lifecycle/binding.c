// SPDX-License-Identifier: GPL-2.0
/*
 * binding KO: programs of many kinds that run: main and subprograms, callbacks, timers, programs
 * that replace another's function, tracing ones, also on another module's function, sleepable
 * ones, struct_ops. Loaded with the module each writes its record by Rust; loaded before, by C.
 * The module is held until the last of them is gone.
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/loop.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "binding.h"
#include "binding.skel.h"
#include "ringuser.h"

/* In the loop driver, which is a module; called by an ioctl of its control device. */
#define MODULE "loop"
#define MODULE_FUNCTION "loop_control_ioctl"

static const char *const kind_names[BINDING_KINDS] = {
	"main program", "static subprogram", "global subprogram", "callback", "timer callback",
	"global subprogram to replace", "freplace", "fentry", "fexit", "fmod_ret",
	"sleepable fentry", "lsm", "tp_btf", "kprobe", "tracepoint", "iterator",
	"fentry of another module", "struct_ops",
};

/* Those that attach by themselves. */
static const struct {
	const char *name;
	unsigned int kind;
} attached[] = {
	{ "fentry", BINDING_FENTRY },
	{ "fexit", BINDING_FEXIT },
	{ "fmod_ret", BINDING_FMOD_RET },
	{ "sleepable", BINDING_SLEEPABLE },
	{ "lsm", BINDING_LSM },
	{ "tp_btf", BINDING_TP_BTF },
	{ "kprobe", BINDING_KPROBE },
	{ "tracepoint", BINDING_TRACEPOINT },
	{ "module", BINDING_MODULE },
};

static unsigned long long seen[BINDING_KINDS], total;

static int on_record(void *context, void *data, size_t size)
{
	unsigned int kind = *(unsigned int *)data;

	if (kind < BINDING_KINDS && size == sizeof(kind))
		seen[kind]++;
	total++;
	return 0;
}

static int references_of(const char *module)
{
	char path[64];
	int count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &count) != 1)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	fclose(file);
	return count;
}

static bool references_become(const char *module, int count)
{
	for (int i = 0; i < 500; i++) {
		if (references_of(module) == count)
			return true;
		usleep(10000);
	}
	return false;
}

static unsigned int id_of(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len) ? 0 : info.id;
}

static struct bpf_program *program_of(struct binding_bpf *skel, size_t i)
{
	return bpf_object__find_program_by_name(skel->obj, attached[i].name);
}

static struct binding_bpf *load_kinds(void)
{
	struct binding_bpf *skel = binding_bpf__open();

	if (!skel)
		ksft_exit_fail_msg("binding.bpf.o: %s\n", strerror(errno));
	for (size_t i = 0; i < COUNT(attached); i++)
		bpf_program__set_autoload(program_of(skel, i), true);
	bpf_program__set_autoload(skel->progs.iter, true);
	bpf_program__set_autoload(skel->progs.init, true);
	bpf_program__set_autoload(skel->progs.ssthresh, true);
	bpf_program__set_autoload(skel->progs.cong_avoid, true);
	bpf_program__set_autoload(skel->progs.undo_cwnd, true);
	bpf_map__set_autocreate(skel->maps.congestion, true);
	if (bpf_program__set_attach_target(skel->progs.module, 0, MODULE_FUNCTION) ||
	    binding_bpf__load(skel))
		ksft_exit_fail_msg("cannot load binding.bpf.o: %s\n", strerror(errno));
	skel->bss->monitored = getpid();
	return skel;
}

/* A program that replaces a function of @target's. */
static struct binding_bpf *load_ext(struct binding_bpf *target)
{
	struct binding_bpf *skel = binding_bpf__open();

	if (!skel)
		ksft_exit_fail_msg("binding.bpf.o: %s\n", strerror(errno));
	bpf_program__set_autoload(skel->progs.calls, false);
	bpf_program__set_autoload(skel->progs.ext, true);
	if (bpf_map__reuse_fd(skel->maps.ring, bpf_map__fd(target->maps.ring)) ||
	    bpf_program__set_attach_target(skel->progs.ext,
					   bpf_program__fd(target->progs.calls), "replaced") ||
	    binding_bpf__load(skel))
		ksft_exit_fail_msg("cannot load the freplace program: %s\n", strerror(errno));
	return skel;
}

static void run_once(struct bpf_program *prog, const void *data, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = size);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
}

/* A connection to ourselves, with our congestion control. */
static void use_struct_ops(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (server < 0 || client < 0 || bind(server, (void *)&address, len) ||
	    listen(server, 1) || getsockname(server, (void *)&address, &len))
		ksft_exit_fail_msg("server: %s\n", strerror(errno));
	if (setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "rust_dynptr", 11) ||
	    connect(client, (void *)&address, len))
		ksft_exit_fail_msg("client: %s\n", strerror(errno));
	close(client);
	close(server);
}

/* Makes each program run. */
static void trigger(struct binding_bpf *skel)
{
	unsigned char packet[ETH_HLEN + 50] = {};
	struct bpf_link *links[COUNT(attached)], *iter, *ops;
	char bytes[64];
	int fd;

	for (size_t i = 0; i < COUNT(attached); i++) {
		links[i] = bpf_program__attach(program_of(skel, i));
		if (!links[i])
			ksft_exit_fail_msg("cannot attach %s: %s\n", attached[i].name,
					   strerror(errno));
	}
	run_once(skel->progs.calls, packet, sizeof(packet));
	run_once(skel->progs.fentry, NULL, 0);
	run_once(skel->progs.fmod_ret, NULL, 0);
	syscall(SYS_getppid);
	fd = open("/dev/loop-control", O_RDWR);
	if (fd < 0)
		ksft_exit_fail_msg("/dev/loop-control: %s\n", strerror(errno));
	ioctl(fd, LOOP_CTL_GET_FREE);
	close(fd);
	iter = bpf_program__attach_iter(skel->progs.iter, NULL);
	fd = iter ? bpf_iter_create(bpf_link__fd(iter)) : -1;
	if (fd < 0)
		ksft_exit_fail_msg("cannot attach the iterator: %s\n", strerror(errno));
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
	bpf_link__destroy(iter);
	ops = bpf_map__attach_struct_ops(skel->maps.congestion);
	if (!ops)
		ksft_exit_fail_msg("cannot attach struct_ops: %s\n", strerror(errno));
	use_struct_ops();
	bpf_link__destroy(ops);
	usleep(100000);	/* the timer */
	for (size_t i = 0; i < COUNT(attached); i++)
		bpf_link__destroy(links[i]);
}

static unsigned long long consume(struct binding_bpf *skel)
{
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_record, NULL,
						    NULL);

	if (!ring)
		ksft_exit_fail_msg("ring_buffer__new: %s\n", strerror(errno));
	memset(seen, 0, sizeof(seen));
	total = 0;
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return total;
}

/* Records of a run of everything: all that were loaded with the module are Rust's, or none. */
static void check_kinds(const char *name, struct binding_bpf *skel, bool rust)
{
	unsigned long long hits = rust ? hits_of("bpf_ringbuf_output") : 0, records;
	struct bpf_program *prog;
	size_t programs = 0, bound = 0;

	trigger(skel);
	if (rust)
		hits = hits_of("bpf_ringbuf_output") - hits;
	records = consume(skel);
	for (unsigned int kind = 0; kind < BINDING_KINDS; kind++)
		if (kind != BINDING_EXT)
			ksft_test_result(seen[kind] > 0, "binding: %s: %s ran\n", name,
					 kind_names[kind]);
	ksft_test_result(records && hits == (rust ? records : 0),
			 "binding: %s: of %llu records Rust wrote %llu\n", name, records, hits);
	bpf_object__for_each_program(prog, skel->obj) {
		/* Those that write nothing are not bound. */
		if (!bpf_program__autoload(prog) || prog == skel->progs.ssthresh ||
		    prog == skel->progs.cong_avoid || prog == skel->progs.undo_cwnd)
			continue;
		programs++;
		bound += control_is_bound(id_of(prog));
	}
	ksft_test_result(bound == (rust ? programs : 0),
			 "binding: %s: of %zu programs %zu are bound\n", name, programs, bound);
}

/* A program of ours in the place of a function of @target's, which may be C's. */
static void check_ext(const char *name, struct binding_bpf *target, unsigned int rust_hits)
{
	unsigned char packet[ETH_HLEN + 50] = {};
	int before = references_of("rust_dynptr");
	struct binding_bpf *skel = load_ext(target);
	unsigned long long hits;
	struct bpf_link *link;
	bool held;

	link = bpf_program__attach_freplace(skel->progs.ext, 0, NULL);
	if (!link)
		ksft_exit_fail_msg("freplace: %s\n", strerror(errno));
	held = control_is_bound(id_of(skel->progs.ext)) &&
	       references_of("rust_dynptr") == before + 1;
	hits = hits_of("bpf_ringbuf_output");
	run_once(target->progs.calls, packet, sizeof(packet));
	usleep(50000);	/* the timer */
	hits = hits_of("bpf_ringbuf_output") - hits;
	consume(target);
	ksft_test_result(held && seen[BINDING_EXT] == 1 && !seen[BINDING_REPLACED] &&
			 hits == rust_hits,
			 "binding: a freplace program in a program of %s: bound, ran, %llu hits\n",
			 name, hits);
	/* The link alone keeps it. */
	bpf_program__unload(skel->progs.ext);
	run_once(target->progs.calls, packet, sizeof(packet));
	usleep(50000);
	consume(target);
	held = references_of("rust_dynptr") == before + 1;
	bpf_link__destroy(link);
	binding_bpf__destroy(skel);
	ksft_test_result(held && seen[BINDING_EXT] == 1 && references_become("rust_dynptr", before),
			 "binding: a freplace program in a program of %s holds the module while attached\n",
			 name);
	run_once(target->progs.calls, packet, sizeof(packet));
	usleep(50000);
	consume(target);
	ksft_test_result(seen[BINDING_REPLACED] == 1 && !seen[BINDING_EXT],
			 "binding: then the function of %s is back\n", name);
}

static void check_module(int before)
{
	int loop = references_of(MODULE);
	struct binding_bpf *skel = load_kinds();
	bool held = references_of(MODULE) == loop + 1;

	check_kinds("Rust", skel, true);
	check_ext("Rust", skel, 6);
	held = held && references_of(MODULE) == loop + 1;
	binding_bpf__destroy(skel);
	ksft_test_result(held && references_become(MODULE, loop) &&
			 references_become("rust_dynptr", before),
			 "binding: a program on another module's function holds both\n");
}

int main(int argc, char **argv)
{
	struct binding_bpf *old;
	int before;

	if (argc != 2) {
		fprintf(stderr, "usage: binding KO\n");
		return 2;
	}
	ksft_print_header();
	if (system("modprobe " MODULE)) {
		if (system("[ ! -d /lib/modules/$(uname -r) ]"))
			ksft_exit_fail_msg("modprobe " MODULE " failed\n");
		ksft_exit_skip("this kernel has no modules, such as " MODULE "\n");
	}
	old = load_kinds();
	check_kinds("C", old, false);
	if (!ksft_test_result(!control_load(argv[1], "count=1"), "binding: the module loads\n"))
		ksft_finished();
	before = references_of("rust_dynptr");
	check_kinds("loaded before", old, false);
	check_ext("C", old, 1);
	check_module(before);
	ksft_test_result(references_become("rust_dynptr", before) && !control_unload(),
			 "binding: the module unloads when they are gone\n");
	check_kinds("C again", old, false);
	binding_bpf__destroy(old);
	ksft_finished();
}
