/*
 * The network side: listens on a loopback address, with TLS if asked, reads requests, sends answers.
 * Between the two stands the fault room (fault.h), which may hold, delay, alter or drop.
 */
#ifndef DC_SERVER_H
#define DC_SERVER_H

#include <openssl/ssl.h>

#include "request.h"

typedef struct dc_server dc_server;

/* Listens; port 0: a free one; tls may be NULL; control: serves control.h instead of the API. NULL: see error. */
dc_server *dc_server_new(dc_cluster *c, const char *host, int port, SSL_CTX *tls, bool control, char *error,
                         size_t error_size);
void       dc_server_free(dc_server *s);
int        dc_server_port(const dc_server *s);

/* Stops listening and cuts all connections, so that clients are refused; and listens again on the same port. */
void dc_server_down(dc_server *s);
bool dc_server_up(dc_server *s);

/* Serves a request whose turn has come, then hands it to dc_server_answer() unless it streams. */
void dc_server_serve(dc_request *r);

/* Sends the answer as it is; the request is freed when it has left. */
void dc_server_answer(dc_request *r);

/* Sends only the first part of the answer under a Content-Length of all of it, then closes. */
void dc_server_answer_cut(dc_request *r, size_t bytes);

/* Who is to know when the client goes away before it is answered. */
void dc_server_on_gone(dc_request *r, void (*gone)(dc_request *r));

/* Closes the connection without a word, by a reset; frees the request. */
void dc_server_drop(dc_request *r);

/* No request refers to this rule any more. s may be NULL. */
void dc_server_forget_rule(dc_server *s, const struct dc_rule *rule);

/*
 * Streaming: begins an answer of unknown length; adds to it; ends it. `gone` is called once when the client goes away
 * or the server closes the connection (not after dc_stream_end); the request is freed after it.
 */
void   dc_stream_begin(dc_request *r, const char *content_type, void (*gone)(dc_request *r));
void   dc_stream_send(dc_request *r, struct evbuffer *data);
size_t dc_stream_pending(const dc_request *r); /* bytes that the client has not taken yet */
void   dc_stream_end(dc_request *r);
/* Closes the connection in the middle of the stream, when what was sent so far has left. */
void dc_stream_cut(dc_request *r);
/* Calls drained(r) whenever all was taken. */
void dc_stream_on_drain(dc_request *r, void (*drained)(dc_request *r));

#endif
