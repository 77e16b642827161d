/*
 * An API server that answers at once and stores nothing, for t/bench/module: what is left of a request is the cost of nginx and the module.
 *
 *     null_api          prints its port, then serves until it is killed
 *
 * A GET gets the metadata of a JobTemplate of the path's last segment, a POST those of the object that was sent (its name, or one of its
 * generateName). One thread, level-triggered epoll; loopback only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_REQUEST 65536

typedef struct connection {
    int    fd;
    size_t len;
    char   in[MAX_REQUEST];
} connection;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof(address);
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *) &address, len) != 0 || listen(fd, 511) != 0
        || getsockname(fd, (struct sockaddr *) &address, &len) != 0) {
        die("listen");
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* The text between mark and the next byte `end`, within the request. */
static int between(const char *text, const char *mark, char end, const char **start)
{
    const char *p = strstr(text, mark), *q;

    if (p == NULL || (q = strchr(p + strlen(mark), end)) == NULL) {
        return 0;
    }
    *start = p + strlen(mark);
    return (int) (q - *start);
}

static void answer(connection *c, char *head_end)
{
    static unsigned long count;
    const char          *name = "x", *made = "";
    char                 body[1024], out[2048], number[24] = "";
    int                  len = 0, n;
    bool                 post = c->in[0] == 'P';

    if (post) {
        len = between(head_end, "\"name\":\"", '"', &name);
        if (len == 0) {
            len = between(head_end, "\"generateName\":\"", '"', &name);
            snprintf(number, sizeof(number), "%010lu", ++count);
            made = number;
        }
    } else if ((len = between(c->in, "/jobtemplates/", ' ', &name)) == 0) {
        name = "x";
        len = 1;
    }
    n = snprintf(body, sizeof(body),
                 "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"%.*s%s\",\"namespace\":\"default\","
                 "\"uid\":\"6b1a3f0e-0000-4000-8000-000000000000\",\"resourceVersion\":\"1\",\"creationTimestamp\":\"2026-11-22T18:00:00Z\","
                 "\"labels\":{\"app\":\"bench\"}}}\n",
                 len > 300 ? 300 : len, name, made);
    n = snprintf(out, sizeof(out), "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", post ? "201 Created" : "200 OK",
                 n, body);
    if (write(c->fd, out, (size_t) n) != n) {
        die("write");
    }
}

/* Answers every request that is whole; false when the connection has ended. */
static bool serve(connection *c)
{
    ssize_t n = read(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len);

    if (n <= 0) {
        return false;
    }
    c->len += (size_t) n;
    c->in[c->len] = '\0';
    for (;;) {
        char       *end = strstr(c->in, "\r\n\r\n");
        const char *length;
        size_t      whole;

        if (end == NULL) {
            return c->len < sizeof(c->in) - 1;
        }
        *end = '\0';
        length = strstr(c->in, "\r\nContent-Length: ");
        whole = (size_t) (end + 4 - c->in) + (length != NULL ? strtoul(length + 18, NULL, 10) : 0);
        if (c->len < whole) {
            *end = '\r';
            return whole < sizeof(c->in);
        }
        answer(c, end + 4);
        memmove(c->in, c->in + whole, c->len - whole + 1);
        c->len -= whole;
    }
}

int main(void)
{
    int                listener = listen_anywhere(), ep = epoll_create1(EPOLL_CLOEXEC), one = 1;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL }, events[64];

    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event) != 0) {
        die("epoll");
    }
    for (;;) {
        int n = epoll_wait(ep, events, 64, -1);

        for (int i = 0; i < n; i++) {
            connection *c = events[i].data.ptr;

            if (c == NULL) {
                c = calloc(1, sizeof(*c));
                if (c == NULL || (c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
                    die("accept");
                }
                setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                event = (struct epoll_event){ .events = EPOLLIN, .data.ptr = c };
                if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &event) != 0) {
                    die("epoll_ctl");
                }
            } else if (!serve(c)) {
                close(c->fd);
                free(c);
            }
        }
    }
}
