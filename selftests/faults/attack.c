// SPDX-License-Identifier: GPL-2.0
/*
 * attack KO FAULTS_KO: what users with few capabilities, or none, reach through the module that C
 * does not offer; see docs/attack-surface.md, which says what other tests show.
 * attack KO: the same on a kernel that is locked down, as it stays then until it is booted again.
 */
#include <dirent.h>
#include <regex.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "heaprun.h"
#include "heapstat.h"
#include "insert.h"
#include "rawheap.h"
#include "ringuser.h"

#define DEBUG "/sys/kernel/debug/rust_dynptr"
#define LOCKDOWN "/sys/kernel/security/lockdown"
#define NOBODY 65534
#define ADDRESSES "grep -cE '(0x)?ffff[0-9a-f]{12}' || true"
#define LOG_SIZE 0x10000
#define REFUSALS 50

static const unsigned long long only_bpf = 1ULL << CAP_BPF;
static char log_buffer[LOG_SIZE];

/* How many lines a command prints. */
static int count_lines(const char *command)
{
	FILE *pipe = popen(command, "r");
	int count = -1;

	if (!pipe || fscanf(pipe, "%d", &count) != 1)
		ksft_exit_fail_msg("%s fails\n", command);
	pclose(pipe);
	return count;
}

/* A new process without capabilities, as another user. */
static bool nobody_can_read(const char *path)
{
	int status;

	if (!fork()) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(2);
		_exit(open(path, O_RDONLY) >= 0);
	}
	if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		ksft_exit_fail_msg("no process without capabilities\n");
	return WEXITSTATUS(status);
}

/* Files of ours: only root can read them. */
static void try_files(const char *ko)
{
	unsigned int open_to_others = 0, count = 0;
	DIR *dir = opendir(DEBUG);
	struct dirent *entry;
	char path[512], command[1024];
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), DEBUG "/%s", entry->d_name);
		if (entry->d_name[0] == '.' || stat(path, &st))
			continue;
		count++;
		open_to_others += (st.st_mode & 0177) || st.st_uid || nobody_can_read(path);
	}
	ksft_test_result(count >= 4 && !open_to_others,
			 "attack: %u files in debugfs, %u for others too\n", count, open_to_others);
	ksft_test_result(access("/sys/module/rust_dynptr/parameters", F_OK),
			 "attack: parameters cannot be seen or changed once it is loaded\n");
	snprintf(command, sizeof(command),
		 "modinfo -F license '%s' >/dev/null && modinfo -F alias '%s' | wc -l", ko, ko);
	ksft_test_result(!count_lines(command),
			 "attack: no alias: nothing that a user does loads the module\n");
}

/* An address of the kernel: 16 digits that begin with ffff. */
static void no_addresses(void)
{
	int found = count_lines("{ cat " DEBUG "/*; dmesg | grep rust_dynptr; } | " ADDRESSES);

	ksft_test_result(!found,
			 "attack: no address of the kernel in debugfs and our lines of the log (%d)\n",
			 found);
}

static void alloc_and_detach(struct insns *insns)
{
	raw_alloc(insns, 64);
	put_stack(insns, 1, -16);
	raw_call(insns, "bpf_dynptr_detach");
	put(insns, BPF_JMP | BPF_JNE | BPF_K, 0, 0, 2, 0);
	put_return(insns, 0);
}

static void release(struct insns *insns)
{
	put_reg(insns, 1, 6);
	raw_call(insns, "bpf_dynptr_heap_release");
	put_return(insns, 0);
}

/* Whether a program that has an object in register 6 may do this with it. */
static int use_object(__u8 code, unsigned long long capabilities)
{
	struct insns insns = { .name = "object" };

	alloc_and_detach(&insns);
	put_reg(&insns, 6, 0);
	if (BPF_CLASS(code) == BPF_LDX)
		put(&insns, code, 0, 6, 0, 0);
	else
		put(&insns, code, 6, 0, 0, 0);
	release(&insns);
	return raw_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, capabilities, log_buffer, LOG_SIZE);
}

/* Objects: their header is not for all eyes, and for nobody's hands. */
static void objects(void)
{
	__u8 read = BPF_LDX | BPF_MEM | BPF_W, write = BPF_ST | BPF_MEM | BPF_W;
	unsigned long long both = only_bpf | 1ULL << CAP_PERFMON;

	ksft_test_result(!use_object(read, both),
			 "attack: with CAP_PERFMON an object's size can be read\n");
	ksft_test_result(use_object(read, only_bpf), "attack: with CAP_BPF alone it cannot\n");
	ksft_test_result(strstr(log_buffer, "CAP_PERFMON"), "attack: and the verifier says so\n");
	ksft_test_result(use_object(write, both),
			 "attack: nobody can write to an object's header\n");
	ksft_test_result(use_object(write, ~0ULL), "attack: not even with all capabilities\n");
}

/* With unprivileged BPF allowed, programs without CAP_BPF still have no kfuncs. */
static void without_capabilities(void)
{
	struct insns insns = { .name = "alloc" };
	int err;

	raw_alloc(&insns, 64);
	put_stack(&insns, 1, -16);
	raw_call(&insns, "bpf_dynptr_put");
	put_return(&insns, 0);
	if (write_file("/proc/sys/kernel/unprivileged_bpf_disabled", "0"))
		ksft_exit_fail_msg("unprivileged BPF cannot be allowed\n");
	err = raw_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, 0, log_buffer, LOG_SIZE);
	write_file("/proc/sys/kernel/unprivileged_bpf_disabled", "2");
	ksft_test_result(err == -EPERM && strstr(log_buffer, "CAP_BPF"),
			 "attack: unprivileged BPF has no heap dynptrs (%d): %.60s\n", err,
			 log_buffer);
}

/* Loads a program that writes to user memory. 0 or a negative errno. */
static int load_user_writer(unsigned long long capabilities)
{
	struct insns insns = { .name = "writer" };

	raw_alloc(&insns, 64);
	put_stack(&insns, 1, -16);
	put_imm(&insns, 2, 0);
	put_imm(&insns, 3, 8);
	put_imm(&insns, 4, 0);
	raw_call(&insns, "bpf_dynptr_copy_to_user");
	put_stack(&insns, 1, -16);
	raw_call(&insns, "bpf_dynptr_put");
	put_return(&insns, 0);
	return raw_load(&insns, BPF_PROG_TYPE_SYSCALL, capabilities, log_buffer, LOG_SIZE);
}

/* User memory, as by bpf_probe_write_user(). */
static void user_writers(void)
{
	unsigned long long root = 1ULL << CAP_SYS_ADMIN;

	ksft_test_result(!load_user_writer(only_bpf | root),
			 "attack: with CAP_SYS_ADMIN programs may write to user memory\n");
	ksft_test_result(load_user_writer(~root) && strstr(log_buffer, "bpf_dynptr_copy_to_user"),
			 "attack: without it, and all others, they may not\n");
}

static void locked_down(void)
{
	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	if (access(LOCKDOWN, F_OK)) {
		ksft_test_result_skip("attack: nor on a locked-down kernel: here is none\n");
		return;
	}
	if (write_file(LOCKDOWN, "integrity"))
		ksft_exit_fail_msg("the kernel cannot be locked down\n");
	ksft_test_result(load_user_writer(~0ULL) && strstr(log_buffer, "bpf_dynptr_copy_to_user"),
			 "attack: nor may anybody if the kernel is locked down\n");
}

/* Programs that are refused, and allocations that fail, say nothing in the kernel's log. */
static void no_flood(void)
{
	struct insns insns = { .name = "leak" };
	struct heap_bpf *skel = heap_load();
	unsigned int refused = 0, failed = 0;
	int before;

	raw_alloc(&insns, 64);
	put_return(&insns, 0);
	before = count_lines("dmesg | wc -l");
	for (int i = 0; i < REFUSALS; i++) {
		refused += !!raw_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, only_bpf,
				      log_buffer, LOG_SIZE);
		heap_run(skel, skel->progs.alloc_atomic, (struct heap_request){ .size = 1 << 20 });
		failed += skel->bss->result.alloc == -ENOMEM;
	}
	heap_bpf__destroy(skel);
	ksft_test_result(refused == REFUSALS && failed == REFUSALS &&
			 count_lines("dmesg | wc -l") == before,
			 "attack: %u refusals and %u failed allocations say nothing in the kernel's log\n",
			 refused, failed);
}

/*
 * The count of references does not wrap: with a block that has 2^31-3 from the beginning (fault 5
 * of a build for tests), two more are given, then none; and it is never freed.
 */
static void saturation(const char *ko)
{
	struct heap_request request = { .size = 64, .map = HEAP_ARRAY };
	unsigned int shared = 0;
	struct heap_bpf *skel;

	if (control_load(ko, "heap_fault=5"))
		ksft_exit_fail_msg("the module for tests does not load\n");
	skel = heap_load();
	for (int i = 0; i < 8; i++) {
		request.key = 2 * i;
		heap_run(skel, skel->progs.share, request);
	}
	/* Each run makes a block, and takes one more reference. */
	ksft_test_result(heap_stat("live") == 8, "attack: 8 blocks with 2^31-3 references each\n");
	heap_run(skel, skel->progs.hoard, request);
	shared = skel->bss->result.found;
	ksft_test_result(shared == 2 && skel->bss->result.wrong,
			 "attack: %u references more are given, then none\n", shared);
	heap_bpf__destroy(skel);
	usleep(500000);
	ksft_test_result(heap_stat("live") == 9,
			 "attack: a block with that many references is never freed\n");
	ksft_test_result(module_references_become(1) && !control_unload(),
			 "attack: the module unloads\n");
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: attack KO [FAULTS_KO]\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(NULL);
	if (argc == 3)
		saturation(argv[2]);
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module does not load\n");
	if (argc == 2) {
		locked_down();
		ksft_test_result(!control_unload(), "attack: the module unloads\n");
		ksft_finished();
	}
	try_files(argv[1]);
	objects();
	without_capabilities();
	no_flood();
	no_addresses();
	control_save_hits();
	user_writers();
	ksft_test_result(!control_unload(), "attack: the module unloads\n");
	ksft_finished();
}
