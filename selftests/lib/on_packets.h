/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that give the dynptr of a packet, its metadata, a frame or a file to on_dynptr(),
 * on_file(), which who includes this has.
 */
#ifndef BPF_ON_PACKETS_H
#define BPF_ON_PACKETS_H

SEC("tc")
int skb(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	on_dynptr(&ptr);
	return 0;
}

/* May not write packets: its dynptrs are read-only. */
SEC("cgroup_skb/egress")
int skb_rdonly(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	on_dynptr(&ptr);
	return 1;
}

SEC("xdp.frags")
int xdp(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	on_dynptr(&ptr);
	return XDP_PASS;
}

/* Of the metadata before a packet that comes in. */
SEC("tcx/ingress")
int skb_meta(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb_meta(skb, 0, &ptr);
	on_dynptr(&ptr);
	return TCX_DROP;
}

/* Lets a frame become a packet, with its metadata. */
SEC("xdp.frags")
int pass(struct xdp_md *xdp)
{
	return XDP_PASS;
}

/* Not file_open, where the file cannot be read yet by a program that sleeps. */
SEC("lsm/file_lock")
int BPF_PROG(file, struct file *file)
{
	return on_file(file);
}

SEC("lsm.s/file_lock")
int BPF_PROG(file_sleepable, struct file *file)
{
	return on_file(file);
}

#endif
