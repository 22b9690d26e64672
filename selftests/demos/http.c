// SPDX-License-Identifier: GPL-2.0
/*
 * http: HTTP requests parsed in packets (bpf/http.bpf.c): such as a client sends to a server over
 * the loopback device, and packets in one part or two, cut at each byte. Prints what it saw;
 * status 1 if a request is not what was sent. Needs the module.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "http.skel.h"
#include "packets.h"
#include "ksft.h"

#define PORT 8080
#define ETHERNET 14
#define HEAD (ETHERNET + sizeof(struct iphdr) + sizeof(struct tcphdr))
#define PACKET_MAX 4096
/* What a test run wants in the first part. */
#define FIRST (ETHERNET + sizeof(struct iphdr))
#define LONG_TARGET 200

struct example {
	const char *text;
	struct http_request parsed;
};

static char long_text[PACKET_MAX];

static struct example examples[] = {
	{ "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	  { HTTP_COMPLETE, 1, 1, -1, "GET", "/", "localhost" } },
	{ "GET /a?q=a%20b HTTP/1.0\r\nUSER-AGENT:curl/8.14\r\nhost:\t 127.0.0.1:8080\r\n\r\n",
	  { HTTP_COMPLETE, 2, 0, -1, "GET", "/a?q=a%20b", "127.0.0.1:8080", "curl/8.14" } },
	{ "POST /form HTTP/1.1\r\nHost: b\r\nContent-Length: 11\r\nX-Empty:\r\n\r\nhi\r\nbody",
	  { HTTP_COMPLETE, 3, 1, 11, "POST", "/form", "b" } },
	{ "OPTIONS * HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: an agent (text)\r\n\r\n",
	  { HTTP_COMPLETE, 3, 1, -1, "OPTIONS", "*", "a", "an agent (text)" } },
	{ "PUT /unfinished HTTP/1.1\r\nHost: b\r\nContent-Le",
	  { HTTP_INCOMPLETE, 1, 1, -1, "PUT", "/unfinished", "b" } },
	{ "GET /no-end-of-line", { HTTP_INCOMPLETE, 0, 0, -1 } },
	{ "GET /two words HTTP/1.1\r\n\r\n", { HTTP_MALFORMED, 0, 0, -1 } },
	{ "GET / HTTP/2.0\r\n\r\n", { HTTP_MALFORMED, 0, 0, -1 } },
	{ "GET / HTTP/1.1\r\nno colon\r\n\r\n", { HTTP_MALFORMED, 0, 1, -1, "GET", "/" } },
	{ "POST / HTTP/1.1\r\nContent-Length: 12x\r\n\r\n",
	  { HTTP_MALFORMED, 0, 1, -1, "POST", "/" } },
	{ "\x16\x03\x01\x02 no text", { HTTP_OTHER, 0, 0, -1 } },
	{ long_text, { HTTP_COMPLETE, 41, 1, -1, "DELETE", "", "long.example" } },
};

static const char *const verdicts[] = { "complete", "incomplete", "malformed", "no request" };

static int bad;

static void fail(const char *what)
{
	fprintf(stderr, "http: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A request of several kilobytes: a target that is cut, and many headers before the host. */
static void make_long_text(void)
{
	char *to = long_text, *target = examples[COUNT(examples) - 1].parsed.target;

	to += sprintf(to, "DELETE /");
	memset(to, 'x', LONG_TARGET);
	to += LONG_TARGET;
	memcpy(target, "/", 1);
	memset(target + 1, 'x', sizeof(examples[0].parsed.target) - 2);
	to += sprintf(to, " HTTP/1.1\r\n");
	for (int i = 0; i < 40; i++)
		to += sprintf(to, "X-Header-%d: some value or other, number %d\r\n", i, i * i);
	sprintf(to, "Host: long.example\r\n\r\n");
}

static void show(const struct http_request *r)
{
	const char *more = strlen(r->target) > 40 ? "..." : "";

	printf("    %-10s", verdicts[r->verdict & 3]);
	if (r->method[0])
		printf(" %s %.40s%s HTTP/1.%llu", r->method, r->target, more, r->minor);
	if (r->headers)
		printf(" host=%s agent=\"%s\" length=%lld headers=%d", r->host, r->agent, r->length,
		       r->headers);
	printf("\n");
}

/* Whether the request was parsed as it should be. */
static bool same(const struct http_request *r, const struct http_request *wanted)
{
	return !memcmp(r, wanted, sizeof(*r));
}

static const struct example *expected;
static unsigned int seen, wrong;
static bool prints;

static int on_request(void *context, void *data, size_t size)
{
	if (prints)
		show(data);
	seen++;
	if (!same(data, &expected->parsed)) {
		wrong++;
		printf("FAILED: not as sent:\n");
		show(&expected->parsed);
		show(data);
	}
	return 0;
}

/* The packet with that text; its bytes. */
static unsigned int make_packet(unsigned char *packet, const char *text)
{
	struct iphdr *ip = (void *)(packet + ETHERNET);
	struct tcphdr *tcp = (void *)(ip + 1);
	unsigned int len = strlen(text);

	memset(packet, 0, HEAD);
	packet[12] = 8;
	ip->version = 4;
	ip->ihl = 5;
	ip->protocol = IPPROTO_TCP;
	ip->tot_len = htons(HEAD - ETHERNET + len);
	tcp->dest = htons(PORT);
	tcp->doff = 5;
	memcpy(packet + HEAD, text, len);
	return HEAD + len;
}

/* Each request in packets whose first part ends at each byte: some thousand packets. */
static void cut_everywhere(struct http_bpf *skel, struct ring_buffer *ring)
{
	static unsigned char packet[PACKET_MAX + HEAD];
	int prog = bpf_program__fd(skel->progs.http);
	unsigned int packets = 0;

	seen = 0;
	wrong = 0;
	for (size_t i = 0; i < COUNT(examples); i++) {
		unsigned int len = make_packet(packet, examples[i].text);

		expected = &examples[i];
		for (unsigned int linear = FIRST; linear <= len; linear++) {
			if (packet_run(prog, false, packet, len, linear))
				fail("test run");
			packets++;
			ring_buffer__consume(ring);
		}
	}
	printf("%zu requests in %u packets, cut at each byte: %u parsed, %u wrong\n",
	       COUNT(examples), packets, seen, wrong);
	bad |= wrong || seen != packets;
}

/* Answers each connection. */
static void *serve(void *listener)
{
	static const char answer[] = "HTTP/1.0 204 No Content\r\n\r\n";
	char text[PACKET_MAX];

	for (;;) {
		int fd = accept((long)listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		if (recv(fd, text, sizeof(text), 0) > 0)
			send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
		close(fd);
	}
}

static int connect_to(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (void *)address, sizeof(*address)))
		fail("connect");
	return fd;
}

static int listen_at(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (void *)address, sizeof(*address)) || listen(fd, 8))
		fail("listen");
	return fd;
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		fail("the loopback device");
	close(fd);
}

/* Each request by a connection of its own, whose packets the kernel makes. */
static void over_loopback(struct http_bpf *skel, struct ring_buffer *ring)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct bpf_link *link;
	pthread_t server;
	char answer[64];
	long listener;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	loopback_up();
	listener = listen_at(&address);
	pthread_create(&server, NULL, serve, (void *)listener);
	link = bpf_program__attach_tcx(skel->progs.http, if_nametoindex("lo"), NULL);
	if (!link)
		fail("attach");
	seen = 0;
	wrong = 0;
	prints = true;
	for (size_t i = 0; i < COUNT(examples); i++) {
		size_t len = strlen(examples[i].text);
		int fd = connect_to(&address);

		expected = &examples[i];
		if (send(fd, examples[i].text, len, 0) != (ssize_t)len ||
		    recv(fd, answer, sizeof(answer), 0) <= 0)
			fail("no answer");
		close(fd);
		ring_buffer__consume(ring);
	}
	bpf_link__destroy(link);
	shutdown(listener, SHUT_RDWR);
	pthread_join(server, NULL);
	printf("%zu requests over the loopback device: %u parsed, %u not as they were sent\n",
	       COUNT(examples), seen, wrong);
	bad |= wrong || seen != COUNT(examples);
}

int main(void)
{
	struct http_bpf *skel = http_bpf__open();
	struct ring_buffer *ring;

	if (!skel)
		fail("http.bpf.o");
	skel->rodata->port = PORT;
	if (http_bpf__load(skel))
		fail("loading http.bpf.o");
	ring = ring_buffer__new(bpf_map__fd(skel->maps.requests), on_request, NULL, NULL);
	if (!ring)
		fail("ring buffer");
	make_long_text();
	over_loopback(skel, ring);
	prints = false;
	cut_everywhere(skel, ring);
	bad |= skel->bss->lost != 0;
	ring_buffer__free(ring);
	http_bpf__destroy(skel);
	return bad;
}
