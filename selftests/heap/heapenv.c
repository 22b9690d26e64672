// SPDX-License-Identifier: GPL-2.0
/*
 * heapenv KO SECONDS: heap dynptrs and what is around them: types of programs, capabilities,
 * contexts that cannot wait, and who is charged for the memory.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "heap_contexts.h"
#include "control.h"
#include "events.h"
#include "heap.skel.h"
#include "heap_contexts.skel.h"
#include "heapstat.h"
#include "loader.h"
#include "rawheap.h"
#include "ksft.h"

#define CGROUP "/sys/fs/cgroup/heap"
/* Of the memory that is charged in the test: a cgroup's own figure lags behind by less. */
#define CHARGED (8 << 20)
#define LAG (CHARGED / 8)

static char log_buffer[1 << 18];

/* alloc and put. 0 or an errno. */
static int load_raw(enum bpf_prog_type type, unsigned long long capabilities)
{
	struct insns insns = {};

	raw_alloc(&insns, 64);
	put_stack(&insns, 1, -16);
	raw_call(&insns, "bpf_dynptr_put");
	put_return(&insns, 0);
	return raw_load(&insns, type, capabilities, log_buffer, sizeof(log_buffer));
}

static void capabilities(void)
{
	unsigned long long bpf = 1ULL << CAP_BPF, net = 1ULL << CAP_NET_ADMIN;
	unsigned long long perfmon = 1ULL << CAP_PERFMON;

	ksft_test_result(!load_raw(BPF_PROG_TYPE_SCHED_CLS, bpf | net),
			 "heapenv: CAP_BPF and CAP_NET_ADMIN will do\n");
	ksft_test_result(!load_raw(BPF_PROG_TYPE_RAW_TRACEPOINT, bpf | perfmon),
			 "heapenv: CAP_BPF and CAP_PERFMON will do\n");
	ksft_test_result(!load_raw(BPF_PROG_TYPE_SOCKET_FILTER, bpf),
			 "heapenv: CAP_BPF alone will do\n");
	ksft_test_result(load_raw(BPF_PROG_TYPE_SCHED_CLS, net | perfmon),
			 "heapenv: not without CAP_BPF\n");
	ksft_test_result(load_raw(BPF_PROG_TYPE_SOCKET_FILTER, 0), "heapenv: not without any\n");
}

static unsigned long long read_number(const char *path)
{
	unsigned long long value = 0;
	FILE *file = fopen(path, "r");

	if (!file || fscanf(file, "%llu", &value) != 1)
		ksft_exit_fail_msg("cannot read %s\n", path);
	fclose(file);
	return value;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ksft_exit_fail_msg("cannot write %s to %s: %s\n", text, path, strerror(errno));
	close(fd);
}

static void enter_cgroup(void)
{
	write_text(CGROUP "/cgroup.procs", "0");
}

static void leave_cgroup(void)
{
	write_text("/sys/fs/cgroup/cgroup.procs", "0");
}

static void make_cgroup(void)
{
	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		ksft_exit_fail_msg("mkdir " CGROUP ": %s\n", strerror(errno));
}

/* The program is loaded in the cgroup, and run from outside. */
static struct heap_bpf *load_in_cgroup(void)
{
	struct heap_bpf *skel;

	enter_cgroup();
	skel = heap_bpf__open_and_load();
	leave_cgroup();
	if (!skel)
		ksft_exit_fail_msg("cannot load heap.bpf.o\n");
	return skel;
}

static void run_once(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
}

/*
 * The cgroup's memory goes up and down with that of the program's dynptrs, of @size bytes, for each
 * of which the allocator takes @taken.
 */
static void try_charge(unsigned int size, unsigned int taken, const char *how)
{
	struct heap_bpf *skel = load_in_cgroup();
	unsigned long long before, during, after;

	skel->bss->request = (struct heap_request){ .size = size, .map = HEAP_ARRAY };
	skel->bss->request.offset = CHARGED / taken < HEAP_ENTRIES ? CHARGED / taken : HEAP_ENTRIES;
	before = read_number(CGROUP "/memory.current");
	run_once(skel->progs.store_many);
	during = read_number(CGROUP "/memory.current");
	ksft_print_msg("%s: %llu blocks, %llu bytes; memory.current %llu -> %llu\n", how,
		       heap_stat("live"), heap_stat("live_bytes"), before, during);
	ksft_test_result(heap_stat("live") && during >= before + heap_stat("live") * taken - LAG,
			 "heapenv: %s is charged to the cgroup that the program was loaded in\n",
			 how);
	heap_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heapenv: %s is freed\n", how);
	for (int i = 0; i < 100; i++) {
		after = read_number(CGROUP "/memory.current");
		if (after < before + LAG)
			break;
		usleep(50000);
	}
	ksft_test_result(after < before + LAG, "heapenv: and %s is charged no more (%llu)\n", how,
			 after);
}

/* More than the cgroup may have is refused, as all of its memory is. */
static void limited(void)
{
	struct heap_bpf *skel = load_in_cgroup();

	write_text(CGROUP "/memory.max", "4M");
	skel->bss->request = (struct heap_request){ .size = 8000, .map = HEAP_ARRAY,
						     .offset = HEAP_ENTRIES };
	run_once(skel->progs.store_many);
	ksft_print_msg("limit: %llu bytes live, %llu allocations failed\n", heap_stat("live_bytes"),
		       heap_stat("failed"));
	ksft_test_result(heap_stat("live_bytes") < (5 << 20) && heap_stat("failed"),
			 "heapenv: the cgroup's limit holds\n");
	heap_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heapenv: all is freed at the limit\n");
	write_text(CGROUP "/memory.max", "max");
}

static void accounting(void)
{
	try_charge(4000, 4096, "memory of the slab allocator");
	try_charge(4100, 8192, "memory that is rounded up");
	try_charge(1 << 20, 1 << 20, "memory that may be waited for");
	limited();
}

static const char *const context_names[CONTEXTS] = {
	[CONTEXT_CLOCK] = "a clock interrupt", [CONTEXT_NMI] = "an NMI",
	[CONTEXT_KMALLOC] = "kmalloc()", [CONTEXT_KFREE] = "kfree()",
	[CONTEXT_PAGE_ALLOC] = "the page allocator",
	[CONTEXT_PAGE_LOCKED] = "the page allocator's lock",
	[CONTEXT_CONTENTION] = "a contended lock",
};

/* Each context has allocated, but for the one that is up to chance. */
static bool all_called(const struct context_counts *counts)
{
	for (int i = 0; i < CONTEXTS; i++) {
		if (!counts[i].calls && i != CONTEXT_CONTENTION)
			return false;
	}
	return true;
}

/*
 * Something that allocates much; and processors that are asked for their traces, by NMI. For so
 * many @seconds, and on, for two minutes at most, until each context has had its turn.
 */
static void make_work(unsigned int seconds, const struct context_counts *counts)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c",
		      "while :; do cat /proc/*/maps /proc/slabinfo >/dev/null 2>&1; "
		      "dd if=/dev/zero of=/tmp/work bs=1M count=8 2>/dev/null; done", NULL);
		_exit(1);
	}
	for (unsigned int i = 0; i < seconds * 4 || (i < 480 && !all_called(counts)); i++) {
		write_text("/proc/sysrq-trigger", "l");
		usleep(250000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Everywhere at once; if @limit, with so little memory for the programs that much is refused. */
static void contexts(unsigned int seconds, const char *limit)
{
	struct heap_contexts_bpf *skel;
	const char *how = limit ? ", with little memory" : "";
	unsigned long long failed = 0;
	int clocks[EVENT_CPUS];

	enter_cgroup();
	skel = heap_contexts_bpf__open_and_load();
	leave_cgroup();
	if (!skel)
		ksft_exit_fail_msg("cannot load heap_contexts.bpf.o\n");
	if (limit)
		write_text(CGROUP "/memory.max", limit);
	bpf_program__set_autoattach(skel->progs.on_clock, false);
	for (int cpu = 0; cpu < event_cpus(); cpu++)
		clocks[cpu] = open_clock(cpu, skel->progs.on_clock);
	if (heap_contexts_bpf__attach(skel))
		ksft_exit_fail_msg("cannot attach: %s\n", strerror(errno));
	make_work(seconds, skel->bss->counts);
	heap_contexts_bpf__detach(skel);
	close_events(clocks);
	for (int i = 0; i < CONTEXTS; i++) {
		struct context_counts *c = &skel->bss->counts[i];

		ksft_print_msg("%s: %llu calls, %llu allocated, %llu -ENOMEM, %llu other errors\n",
			       context_names[i], c->calls, c->done, c->failed, c->wrong);
		failed += c->failed;
		ksft_test_result((c->calls || i == CONTEXT_CONTENTION) && !c->wrong &&
				 c->done + c->failed == c->calls,
				 "heapenv: allocations in %s%s: memory, or -ENOMEM\n",
				 context_names[i], how);
	}
	if (limit)
		ksft_test_result(failed, "heapenv: and -ENOMEM it was, at times\n");
	heap_contexts_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heapenv: all of that is freed\n");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: heapenv KO SECONDS\n");
		return 2;
	}
	ksft_print_header();
	if (control_load(argv[1], ""))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	loader_run("heap_types.bpf.o", "heapenv: ");
	capabilities();
	make_cgroup();
	accounting();
	ksft_test_result(!control_unload(), "heapenv: the module can be unloaded after that\n");
	if (control_load(argv[1], "heap_red_zones=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	contexts(strtoul(argv[2], NULL, 0), NULL);
	ksft_test_result(!heap_stat("damaged"),
			 "heapenv: nobody wrote behind a block or to a freed one\n");
	ksft_test_result(!control_unload(), "heapenv: the module can be unloaded\n");
	if (control_load(argv[1], ""))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	contexts(strtoul(argv[2], NULL, 0), "256K");
	rmdir(CGROUP);
	ksft_test_result(!control_unload(), "heapenv: the module can be unloaded at last\n");
	ksft_finished();
}
