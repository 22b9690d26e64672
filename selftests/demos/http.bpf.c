// SPDX-License-Identifier: GPL-2.0
/*
 * An HTTP/1 parser on packets: request line and headers of what comes in for a TCP port, wherever
 * in the packet its bytes are, in one part or in fragments.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "rust_dynptr_strings.bpf.h"
#include "http.h"

char LICENSE[] SEC("license") = "GPL";

#define ETH_P_IP 0x0800

const volatile unsigned short port;
unsigned long long lost;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} requests SEC(".maps");

/* @len bytes of the packet as a string of at most @size bytes with its NUL. */
static __always_inline void keep(char *to, u32 size, struct bpf_dynptr *p, u64 offset, u64 len)
{
	u32 bytes = len < size - 1 ? len : size - 1;

	bpf_dynptr_read_upto(to, bytes, p, offset);
}

/* The bytes of a line at @at up to its end, which is CR LF; an errno if there is none. */
static __always_inline int line_at(struct bpf_dynptr *p, u64 at)
{
	return bpf_dynptr_strnstr(p, at, BPF_DYNPTR_ALL, "\r\n");
}

/* "METHOD target HTTP/1.x": where the next line is, or minus a verdict. */
static __always_inline int request_line(struct bpf_dynptr *p, struct http_request *r)
{
	int line, method, target;

	method = bpf_dynptr_strnspn(p, 0, sizeof(r->method), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (method <= 0 || bpf_dynptr_strnchr(p, method, 1, ' '))
		return -HTTP_OTHER;
	line = line_at(p, 0);
	if (line < 0)
		return -HTTP_INCOMPLETE;
	target = bpf_dynptr_strncspn(p, method + 1, line, " \r\n");
	if (target <= 0 || method + 1 + target + 9 != line)
		return -HTTP_MALFORMED;
	if (bpf_dynptr_strncmp_const(p, method + 1 + target, 8, " HTTP/1.") ||
	    bpf_dynptr_strntoul(p, line - 1, 1, 10, &r->minor) != 1)
		return -HTTP_MALFORMED;
	keep(r->method, sizeof(r->method), p, 0, method);
	keep(r->target, sizeof(r->target), p, method + 1, target);
	return line + 2;
}

/* Whether the name of @len bytes at @at is this one, of @size, in small or capital letters. */
static __always_inline bool is_name(struct bpf_dynptr *p, u64 at, int len, const char *name,
				    int size)
{
	return len == size - 1 && !bpf_dynptr_strncasecmp_const(p, at, len, name);
}

#define IS_NAME(p, at, len, name) is_name(p, at, len, name, sizeof(name))

/* "Name: value" of @line bytes at @at. False if it is none. */
static __always_inline bool header(struct bpf_dynptr *p, u64 at, int line, struct http_request *r)
{
	int name = bpf_dynptr_strnchr(p, at, line, ':'), space;
	u64 value, length;

	if (name <= 0)
		return false;
	value = at + name + 1;
	space = bpf_dynptr_strnspn(p, value, line - name - 1, " \t");
	if (space < 0)
		return false;
	value += space;
	line -= name + 1 + space;
	if (IS_NAME(p, at, name, "host")) {
		keep(r->host, sizeof(r->host), p, value, line);
	} else if (IS_NAME(p, at, name, "user-agent")) {
		keep(r->agent, sizeof(r->agent), p, value, line);
	} else if (IS_NAME(p, at, name, "content-length")) {
		if (bpf_dynptr_strntoul(p, value, line, 10, &length) != line)
			return false;
		r->length = length;
	}
	r->headers++;
	return true;
}

/* The request that @p shows, from its start. */
static __noinline int parse(struct bpf_dynptr *p, struct http_request *r)
{
	int at, line, i;

	if (!r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	r->length = -1;
	at = request_line(p, r);
	r->verdict = at > 0 ? HTTP_INCOMPLETE : -at;
	if (at <= 0)
		return 0;
	bpf_for(i, 0, HTTP_HEADERS + 1) {
		line = line_at(p, at);
		if (line < 0)
			break;
		if (!line) {
			r->verdict = HTTP_COMPLETE;
			break;
		}
		if (!header(p, at, line, r)) {
			r->verdict = HTTP_MALFORMED;
			break;
		}
		at += line + 2;
	}
	return 0;
}

/* Makes @p the bytes of a TCP segment for the port. False if there are none. */
static __always_inline bool payload(struct bpf_dynptr *p)
{
	struct tcphdr *tcp, tcp_copy;
	struct iphdr *ip, ip_copy;
	struct ethhdr *eth, eth_copy;
	u32 start, end;

	eth = bpf_dynptr_slice(p, 0, &eth_copy, sizeof(eth_copy));
	if (!eth || eth->h_proto != bpf_htons(ETH_P_IP))
		return false;
	ip = bpf_dynptr_slice(p, sizeof(*eth), &ip_copy, sizeof(ip_copy));
	if (!ip || ip->protocol != IPPROTO_TCP)
		return false;
	start = sizeof(*eth) + ip->ihl * 4;
	end = sizeof(*eth) + bpf_ntohs(ip->tot_len);
	tcp = bpf_dynptr_slice(p, start, &tcp_copy, sizeof(tcp_copy));
	if (!tcp || tcp->dest != bpf_htons(port))
		return false;
	start += tcp->doff * 4;
	return start < end && !bpf_dynptr_adjust(p, start, end);
}

SEC("tcx/ingress")
int http(struct __sk_buff *skb)
{
	struct http_request *request;
	struct bpf_dynptr packet;

	if (bpf_dynptr_from_skb(skb, 0, &packet) || !payload(&packet))
		return TCX_NEXT;
	request = bpf_ringbuf_reserve(&requests, sizeof(*request), 0);
	if (!request) {
		__sync_fetch_and_add(&lost, 1);
		return TCX_NEXT;
	}
	parse(&packet, request);
	bpf_ringbuf_submit(request, 0);
	return TCX_NEXT;
}
