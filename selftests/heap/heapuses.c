// SPDX-License-Identifier: GPL-2.0
/*
 * heapuses KO: heap dynptrs and other subsystems: objects that go with the file, socket, task or
 * cgroup whose storage holds them, and what of other subsystems takes dynptrs: ciphers, extended
 * attributes, signatures.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "heap.h"
#include "heap_uses.h"
#include "control.h"
#include "heap_uses.skel.h"
#include "heaprun.h"
#include "heapstat.h"
#include "ksft.h"

#define OWNED_FILE "/tmp/heapuses"
#define OWNED_CGROUP "/sys/fs/cgroup/heapuses"

static struct heap_uses_bpf *skel;

static struct heap_uses_bpf *load_uses(void)
{
	struct heap_uses_bpf *loaded = heap_uses_bpf__open_and_load();

	if (!loaded || heap_uses_bpf__attach(loaded))
		ksft_exit_fail_msg("heap_uses.bpf.o cannot be had: %s\n", strerror(errno));
	loaded->bss->uses.pid = getpid();
	loaded->bss->request.size = 300;
	loaded->bss->request.fill = 0x5a;
	return loaded;
}

static void open_file(void)
{
	int fd = open(OWNED_FILE, O_CREAT | O_RDWR, 0600);

	if (fd < 0)
		ksft_exit_fail_msg("open " OWNED_FILE ": %s\n", strerror(errno));
	close(fd);
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		ksft_exit_fail_msg("socket: %s\n", strerror(errno));
	return fd;
}

/* Something that has a storage: its name, and how to have the programs act on it. */
struct owner {
	const char *name;
	void (*act)(int fd);
	int (*make)(void);
	void (*end)(int fd);
};

static void act_on_file(int fd)
{
	open_file();
}

static int make_file(void)
{
	open_file();
	return -1;
}

static void end_file(int fd)
{
	unlink(OWNED_FILE);
}

static void act_on_socket(int fd)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	/* The second time it fails, after the programs have run. */
	bind(fd, (struct sockaddr *)&any, sizeof(any));
}

static void end_socket(int fd)
{
	close(fd);
}

static const struct owner owners[] = {
	{ "a file", act_on_file, make_file, end_file },
	{ "a socket", act_on_socket, open_socket, end_socket },
};

static void act(const struct owner *owner, int fd, enum uses_action action)
{
	skel->bss->uses.action = action;
	owner->act(fd);
	skel->bss->uses.action = USES_NONE;
}

/* In the storage of a file or socket. */
static void owned(const struct owner *owner)
{
	struct heap_result *r = &skel->bss->result;
	int fd = owner->make();

	act(owner, fd, USES_STORE);
	ksft_test_result(!r->alloc && r->object_size == 300 && heap_stat("live") == 1,
			 "heapuses: kept with %s\n", owner->name);
	act(owner, fd, USES_TAKE);
	ksft_test_result(r->found && r->size == 300 && !r->wrong && heap_is_empty(),
			 "heapuses: taken out of %s\n", owner->name);
	act(owner, fd, USES_STORE);
	act(owner, fd, USES_DROP);
	ksft_test_result(heap_is_empty(), "heapuses: freed when it is deleted from %s\n",
			 owner->name);
	act(owner, fd, USES_STORE);
	ksft_test_result(heap_stat("live") == 1, "heapuses: kept with %s again\n", owner->name);
	owner->end(fd);
	ksft_test_result(heap_is_empty(), "heapuses: freed with %s\n", owner->name);
	fd = owner->make();
	act(owner, fd, USES_STORE);
	heap_uses_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heapuses: freed with the map, and %s stays\n",
			 owner->name);
	owner->end(fd);
	skel = load_uses();
}

static void run_once(struct bpf_program *prog)
{
	int err = heap_test_run(prog);

	if (err)
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(err));
}

/* In the storage of a task, which ends. */
static void of_task(struct heap_bpf *heap)
{
	pid_t pid;

	heap->bss->request = (struct heap_request){ .size = 300, .map = HEAP_TASK };
	run_once(heap->progs.store);
	ksft_test_result(heap_stat("live") == 1, "heapuses: kept with a task\n");
	run_once(heap->progs.forget);
	ksft_test_result(heap_is_empty(), "heapuses: freed when it is deleted from a task\n");
	pid = fork();
	if (!pid) {
		run_once(heap->progs.store);
		_exit(heap_stat("live") != 1);
	}
	int status = -1;

	waitpid(pid, &status, 0);
	ksft_test_result(!status && heap_is_empty(), "heapuses: freed with a task\n");
}

/* In the storage of a cgroup, which is removed. */
static void of_cgroup(struct heap_bpf *heap)
{
	struct stat st;

	if ((mkdir(OWNED_CGROUP, 0755) && errno != EEXIST) || stat(OWNED_CGROUP, &st))
		ksft_exit_fail_msg("mkdir " OWNED_CGROUP ": %s\n", strerror(errno));
	heap->bss->request = (struct heap_request){
		.size = 300, .map = HEAP_CGROUP, .cgroup = st.st_ino,
	};
	run_once(heap->progs.store);
	ksft_test_result(heap_stat("live") == 1, "heapuses: kept with a cgroup\n");
	run_once(heap->progs.forget);
	ksft_test_result(heap_is_empty(), "heapuses: freed when it is deleted from a cgroup\n");
	run_once(heap->progs.store);
	ksft_test_result(heap_stat("live") == 1, "heapuses: kept with a cgroup again\n");
	rmdir(OWNED_CGROUP);
	ksft_test_result(heap_is_empty(), "heapuses: freed with a cgroup\n");
}

static bool same_bytes(void)
{
	return !memcmp(skel->bss->plain.bytes, skel->bss->heap.bytes, USES_BYTES);
}

static void ciphers(void)
{
	unsigned char (*text)[USES_BYTES] = skel->bss->plain_bytes;
	struct uses_result *r = &skel->bss->heap;

	run_once(skel->progs.make_cipher);
	if (skel->bss->plain.err)
		ksft_exit_fail_msg("no cipher: %s\n", strerror(-skel->bss->plain.err));
	for (int i = 0; i < USES_BYTES; i++)
		text[0][i] = 'a' + i % 26;
	run_once(skel->progs.encrypt);
	ksft_test_result(!r->err && !skel->bss->plain.err && same_bytes() &&
			 memcmp(r->bytes, text[0], USES_BYTES),
			 "heapuses: bpf_crypto_encrypt() as with another dynptr\n");
	ksft_test_result(!r->undone && !memcmp(r->back, text[0], USES_BYTES),
			 "heapuses: bpf_crypto_decrypt() gives it back\n");
}

static void attributes(void)
{
	static const char value[] = "an attribute of some length";
	struct uses_result *r = &skel->bss->heap;

	open_file();
	if (setxattr(OWNED_FILE, "user.heap", value, sizeof(value), 0))
		ksft_exit_fail_msg("setxattr: %s\n", strerror(errno));
	act(&owners[0], -1, USES_XATTR);
	ksft_test_result(r->err == sizeof(value) && r->err == skel->bss->plain.err &&
			 !memcmp(r->bytes, value, sizeof(value)),
			 "heapuses: bpf_get_file_xattr() into a heap dynptr\n");
	unlink(OWNED_FILE);
}

static void signatures(void)
{
	struct uses_result *r = &skel->bss->heap;

	/* A sequence of more bytes than there are: only who looks can tell. */
	memcpy(skel->bss->uses.signature, "\x30\x82\xff\xff", 4);
	act(&owners[0], -1, USES_SIGNATURE);
	ksft_test_result(r->err == -EBADMSG && r->err == skel->bss->plain.err && same_bytes(),
			 "heapuses: bpf_verify_pkcs7_signature() as with another dynptr\n");
	unlink(OWNED_FILE);
}

int main(int argc, char **argv)
{
	struct heap_bpf *heap;

	if (argc < 2) {
		fprintf(stderr, "usage: heapuses KO\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(NULL);
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	skel = load_uses();
	for (size_t i = 0; i < COUNT(owners); i++)
		owned(&owners[i]);
	ciphers();
	attributes();
	signatures();
	heap_uses_bpf__destroy(skel);
	heap = heap_load();
	of_task(heap);
	of_cgroup(heap);
	heap_bpf__destroy(heap);
	ksft_test_result(heap_is_empty(), "heapuses: nothing is left\n");
	control_save_hits();
	ksft_test_result(!control_unload(), "heapuses: the module can be unloaded\n");
	ksft_finished();
}
