// SPDX-License-Identifier: GPL-2.0
/* The maps that programs use, and BPF_PROG_LOAD. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "heap.h"
#include "sides.h"
#include "ksft.h"

/* Ordinary programs take some milliseconds, also in an emulated guest. */
#define LOAD_SECONDS 10

static int maps[MAPS] = { [0 ... MAPS - 1] = -1 };
static void *memory[MAPS];
static int types_fd = -1;

/*
 * A difference on purpose, to see that it is found and reduced: on the side of Rust, programs that
 * call memset write another byte.
 */
bool planted;

/* A map whose values hold heap objects. */
static int make_heap_map(enum map_index map)
{
	static const int types[HEAP_MAPS] = {
		BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY,
		BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH,
	};
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	opts.btf_fd = types_fd;
	opts.btf_key_type_id = types_key();
	opts.btf_value_type_id = types_heap_value();
	opts.map_flags = map == MAP_HEAP_HASH ? BPF_F_NO_PREALLOC : 0;
	return bpf_map_create(types[map - MAP_HEAP], map_names[map], 4, HEAP_VALUE,
			      map == MAP_HEAP ? 1 : ARR_ENTRIES << (map >= MAP_HEAP_HASH), &opts);
}

/* How many maps there are: those of heap_mode are the last ones. */
static int map_count(void)
{
	return heap_mode ? MAPS : MAP_HEAP;
}

/* A string for kfuncs that ask for a constant one. */
static int make_delims(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_RDONLY_PROG);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, map_names[MAP_DELIMS], 4, 4, 1, &opts);
	__u32 zero = 0;

	if (fd < 0 || bpf_map_update_elem(fd, &zero, "k,\n", BPF_ANY) || bpf_map_freeze(fd))
		ksft_exit_fail_msg("no constant string: %s\n", strerror(errno));
	return fd;
}

static int make_map(enum map_index map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int type = BPF_MAP_TYPE_ARRAY, key = 4, value = 0, entries = 1;

	if (map >= MAP_HEAP && map < MAP_HEAP + HEAP_MAPS)
		return make_heap_map(map);
	if (map == MAP_DELIMS)
		return make_delims();

	switch (map) {
	case MAP_FAIL:
		value = 8 * FAILURES;
		opts.map_flags = BPF_F_MMAPABLE;
		break;
	case MAP_VAL:
		value = VAL_SIZE;
		opts.map_flags = BPF_F_MMAPABLE;
		break;
	case MAP_CTL:
		value = 64;
		break;
	case MAP_ARR:
		value = 16;
		entries = ARR_ENTRIES;
		opts.map_flags = BPF_F_MMAPABLE;
		break;
	case MAP_PROGS:
		type = BPF_MAP_TYPE_PROG_ARRAY;
		value = 4;
		break;
	default:
		type = map == MAP_USER_RING ? BPF_MAP_TYPE_USER_RINGBUF : BPF_MAP_TYPE_RINGBUF;
		key = 0;
		entries = 4096;
		opts.map_flags = map == MAP_RING_OVERWRITE ? BPF_F_RB_OVERWRITE : 0;
	}
	return bpf_map_create(type, map_names[map], key, value, entries, &opts);
}

static void renew(enum map_index map)
{
	if (maps[map] >= 0)
		close(maps[map]);
	maps[map] = make_map(map);
	if (maps[map] < 0)
		ksft_exit_fail_msg("cannot create the map %s: %s\n", map_names[map],
				   strerror(errno));
}

/* Everything that programs need, new. */
void world_open(void)
{
	types_fd = types_load();
	for (int i = 0; i < map_count(); i++)
		renew(i);
	for (int i = 0; i < map_count(); i++) {
		if (i != MAP_VAL && i != MAP_ARR && i != MAP_FAIL)
			continue;
		memory[i] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, maps[i], 0);
		if (memory[i] == MAP_FAILED)
			ksft_exit_fail_msg("cannot map %s\n", map_names[i]);
	}
	if (heap_mode)
		heap_world_open();
}

/* Rings without records: their positions start at 0 again. */
void world_renew_rings(void)
{
	renew(MAP_RING);
	renew(MAP_RING_OVERWRITE);
	renew(MAP_USER_RING);
}

void world_renew_entries(void)
{
	renew(MAP_HEAP_HASH);
	renew(MAP_HEAP_LRU);
}

int world_map(enum map_index map)
{
	return maps[map];
}

void *world_memory(enum map_index map)
{
	return memory[map];
}

/* Takes the effective capabilities that give CAP_PERFMON, or gives them back. */
static void set_perfmon(bool on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		ksft_exit_fail_msg("capget: %s\n", strerror(errno));
	if (on) {
		data[0].effective = data[0].permitted;
		data[1].effective = data[1].permitted;
	} else {
		data[0].effective &= ~(1u << CAP_SYS_ADMIN);
		data[1].effective &= ~(1u << (CAP_PERFMON - 32));
	}
	if (syscall(SYS_capset, &header, data))
		ksft_exit_fail_msg("capset: %s\n", strerror(errno));
}

/* Map indexes become file descriptors, kernel functions ids. Whether the program array is used. */
static bool resolve(struct image *image)
{
	bool progs = false;

	for (int i = 0; i < image->count; i++) {
		struct bpf_insn *insn = &image->insns[i];

		if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg <= 2 &&
		    insn->imm >= 0 && insn->imm < map_count() && insn->src_reg) {
			progs |= insn->imm == MAP_PROGS;
			insn->imm = maps[insn->imm];
		}
		if (insn->code == (BPF_JMP | BPF_CALL) &&
		    insn->src_reg == BPF_PSEUDO_KFUNC_CALL && insn->imm >= 0 &&
		    insn->imm < KFUNCS) {
			if (planted && side_now() == SIDE_RUST && insn->imm == KF_MEMSET)
				image->insns[i - 1].imm ^= 1;
			if (insn->imm >= KF_HEAP)
				insn->off = 1;
			insn->imm = types_kfunc(insn->imm);
		}
	}
	return progs;
}

static void set_kind(union bpf_attr *attr, const struct program *p)
{
	static const int types[PROG_KINDS] = {
		[PROG_CLS] = BPF_PROG_TYPE_SCHED_CLS, [PROG_XDP] = BPF_PROG_TYPE_XDP,
		[PROG_SYSCALL] = BPF_PROG_TYPE_SYSCALL,
		[PROG_RAW_TP] = BPF_PROG_TYPE_RAW_TRACEPOINT,
		[PROG_CGROUP_SKB] = BPF_PROG_TYPE_CGROUP_SKB,
		[PROG_SOCKET] = BPF_PROG_TYPE_SOCKET_FILTER,
		[PROG_LSM] = BPF_PROG_TYPE_LSM, [PROG_LSM_SLEEP] = BPF_PROG_TYPE_LSM,
		[PROG_QDISC] = BPF_PROG_TYPE_STRUCT_OPS,
	};
	int member;

	attr->prog_type = types[p->kind];
	switch (p->kind) {
	case PROG_XDP:
		attr->expected_attach_type = BPF_XDP;
		if (p->frags)
			attr->prog_flags = BPF_F_XDP_HAS_FRAGS;
		break;
	case PROG_SYSCALL:
		attr->prog_flags = BPF_F_SLEEPABLE;
		break;
	case PROG_CGROUP_SKB:
		attr->expected_attach_type = BPF_CGROUP_INET_INGRESS;
		break;
	case PROG_LSM_SLEEP:
		attr->prog_flags = BPF_F_SLEEPABLE;
		__attribute__((fallthrough));
	case PROG_LSM:
		attr->expected_attach_type = BPF_LSM_MAC;
		attr->attach_btf_id = types_lsm_hook();
		break;
	case PROG_QDISC:
		attr->attach_btf_id = types_qdisc(&member);
		attr->expected_attach_type = member;
		break;
	}
}

static volatile sig_atomic_t too_long;

static void on_limit(int signal)
{
	too_long = true;
}

/*
 * BPF_PROG_LOAD, for LOAD_SECONDS at most: -EAGAIN then, as the verifier gives up for a signal. C
 * does not see that a loop is endless which acquires a reference in each turn, and copies them all
 * for each state.
 */
static int limited_load(union bpf_attr *attr)
{
	struct sigaction action = { .sa_handler = on_limit };
	struct itimerval limit = { .it_value.tv_sec = LOAD_SECONDS }, none = {};
	int fd;

	too_long = false;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &limit, NULL);
	do {
		fd = syscall(SYS_bpf, BPF_PROG_LOAD, attr, sizeof(*attr));
		fd = fd < 0 ? -errno : fd;
	} while (fd == -EAGAIN && !too_long);
	setitimer(ITIMER_REAL, &none, NULL);
	return fd;
}

/*
 * Loads a program; a file descriptor or -errno. @log gets the verifier's log, LOG_SIZE bytes at
 * most, @cut whether that was too little.
 */
int load_image(const struct program *p, struct image *image, char *log, bool *cut)
{
	struct bpf_func_info records[MAX_FUNCS];
	int fds[2] = { -1, types_module() }, fd;
	union bpf_attr attr = {};

	if (resolve(image)) {
		/* The first program that names such a map decides who else may. */
		renew(MAP_PROGS);
		emit(p, image);
		resolve(image);
	}
	set_kind(&attr, p);
	attr.insns = (uintptr_t)image->insns;
	attr.insn_cnt = image->count;
	attr.license = (uintptr_t)"GPL";
	snprintf(attr.prog_name, sizeof(attr.prog_name), "s%llu", (unsigned long long)p->seed);
	/* Level 2, with diagnostics; a fixed buffer: the start is kept if it is too short. */
	attr.log_level = 2 | 8;
	attr.log_size = LOG_SIZE;
	attr.log_buf = (uintptr_t)log;
	if (image->subs > 1) {
		for (int i = 0; i < image->subs; i++) {
			records[i].insn_off = image->sub[i].insn;
			records[i].type_id = types_func(p, p->func[image->sub[i].func].kind);
		}
		attr.prog_btf_fd = types_fd;
		attr.func_info_rec_size = sizeof(records[0]);
		attr.func_info = (uintptr_t)records;
		attr.func_info_cnt = image->subs;
	}
	if (heap_mode)
		attr.fd_array = (uintptr_t)fds;
	log[0] = 0;
	if (p->no_perfmon)
		set_perfmon(false);
	fd = limited_load(&attr);
	if (p->no_perfmon)
		set_perfmon(true);
	*cut = attr.log_true_size > LOG_SIZE;
	log[LOG_SIZE - 1] = 0;
	/* How far it came is not the same twice. */
	if (fd == -EAGAIN) {
		log[0] = 0;
		*cut = false;
	}
	return fd;
}
