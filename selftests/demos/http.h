/* SPDX-License-Identifier: GPL-2.0 */
/* What http.bpf.c and http.c share. */
#ifndef HTTP_H
#define HTTP_H

/* Header lines of a request, at most. */
#define HTTP_HEADERS 64

enum http_verdict {
	HTTP_COMPLETE,		/* all of its head is in the packet */
	HTTP_INCOMPLETE,
	HTTP_MALFORMED,
	HTTP_OTHER,		/* no request */
};

/* A request, as it is in one packet. Text that is too long is cut. */
struct http_request {
	int verdict;
	int headers;
	unsigned long long minor;
	long long length;	/* of Content-Length; -1 without */
	char method[16];
	char target[128];
	char host[64];
	char agent[64];
};

#endif
