#include "control/server.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/loop.h"

/* Connections that the kernel keeps for us between two wakeups. */
#define BACKLOG 16

struct client {
	struct hw_control_server *server;
	struct hw_loop_source source; /* fd -1: free */
	hw_time deadline;
	uint64_t ticket; /* of the request whose reply comes later; 0: none */
	size_t in_bytes;
	char *out; /* the reply being sent; owned */
	size_t out_bytes, out_sent;
	char in[HW_CONTROL_LINE_MAX_BYTES + 1]; /* with the newline */
};

struct hw_control_server {
	struct hw_loop *loop;
	struct hw_control_handler handler;
	struct hw_control_counters counters;
	struct hw_loop_source listener;
	struct sockaddr_un address;
	hw_time idle;
	uint64_t last_ticket;
	uint32_t client_count;
	struct client clients[HW_CONTROL_MAX_CLIENTS];
};

static void close_client(struct client *client)
{
	hw_loop_remove(client->server->loop, &client->source);
	close(client->source.fd);
	client->source.fd = -1;
	free(client->out);
	client->out = NULL;
	client->server->client_count--;
}

json_t *hw_control_error_reply(const char *text)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *answer_status(struct hw_control_server *server)
{
	json_t *status = server->handler.status(server->handler.ctx);

	if (!status)
		return hw_control_error_reply("out of memory");
	return json_pack("{s:b, s:o}", "ok", 1, "status", status);
}

/* NULL: out of memory, or the client has a ticket for it now. */
static json_t *answer(struct client *client, const char *line, size_t len)
{
	struct hw_control_server *server = client->server;
	struct hw_control_request request;
	json_t *reply;
	int err = hw_control_request_parse(line, len, &request);

	if (err == 0 && request.kind != HW_CONTROL_STATUS && !server->handler.act)
		err = HW_E_NOT_FOUND;
	if (err < 0) {
		server->counters.bad_requests++;
		return hw_control_error_reply(hw_control_request_error(err));
	}
	if (request.kind == HW_CONTROL_STATUS)
		return answer_status(server);

	const struct hw_control_ticket ticket = {++server->last_ticket};

	reply = server->handler.act(server->handler.ctx, &request, ticket);
	if (!reply)
		client->ticket = ticket.number;
	return reply;
}

/* Put the reply, which is taken, in the client's output. False: it cannot be sent. */
static bool queue_reply(struct client *client, json_t *reply)
{
	char *text = reply ? json_dumps(reply, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(reply);
	if (!text || len + 1 > HW_CONTROL_OUTPUT_MAX_BYTES) {
		free(text);
		client->server->counters.dropped_output++;
		return false;
	}
	text[len] = '\n'; /* in place of the terminator: the length is kept */
	client->out = text;
	client->out_bytes = len + 1;
	client->out_sent = 0;
	return true;
}

/* Send what waits. False: the client is gone. */
static bool flush(struct client *client)
{
	while (client->out_sent < client->out_bytes) {
		ssize_t n = send(client->source.fd, client->out + client->out_sent,
				 client->out_bytes - client->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0)
			return false;
		client->out_sent += (size_t)n;
	}
	free(client->out);
	client->out = NULL;
	client->out_bytes = client->out_sent = 0;
	return true;
}

/*
 * Answer the lines that are whole. The next one waits until the reply to the one before it has
 * gone, so a client that does not read makes one reply, never more.
 */
static bool serve_lines(struct client *client, hw_time now)
{
	while (!client->out && !client->ticket) {
		char *end = memchr(client->in, '\n', client->in_bytes);
		size_t len;

		if (!end) {
			if (client->in_bytes < sizeof(client->in))
				return true;
			client->server->counters.dropped_line++;
			/* A last word; if it does not fit in the socket's buffer it is lost. */
			if (queue_reply(client, hw_control_error_reply(
							hw_control_request_error(HW_E_LIMIT))))
				(void)flush(client);
			return false;
		}
		len = (size_t)(end - client->in);

		json_t *reply = answer(client, client->in, len);

		client->in_bytes -= len + 1;
		memmove(client->in, end + 1, client->in_bytes);
		client->deadline = hw_time_add(now, client->server->idle);
		if (client->ticket)
			return true;
		if (!queue_reply(client, reply) || !flush(client))
			return false;
	}
	return true;
}

static bool receive(struct client *client)
{
	ssize_t n;

	if (client->in_bytes == sizeof(client->in))
		return true;
	n = recv(client->source.fd, client->in + client->in_bytes,
		 sizeof(client->in) - client->in_bytes, MSG_DONTWAIT);
	if (n > 0) {
		client->in_bytes += (size_t)n;
		return true;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* What the client waits for: while a reply is on its way to be made or read, nothing is read. */
static uint32_t awaited(const struct client *client)
{
	if (client->out)
		return EPOLLOUT;
	return client->ticket ? 0 : EPOLLIN;
}

static void serve_client(struct client *client, bool alive, uint32_t before, hw_time now)
{
	if (alive)
		alive = serve_lines(client, now);
	if (alive && awaited(client) != before)
		alive = hw_loop_change(client->server->loop, &client->source, awaited(client)) == 0;
	if (!alive)
		close_client(client);
}

static void on_client(void *ctx, uint32_t events, hw_time now)
{
	struct client *client = ctx;
	uint32_t before = awaited(client);
	bool alive = true;

	if (client->out)
		alive = flush(client);
	else if (client->ticket)
		alive = false; /* nothing was asked for: it hung up */
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = receive(client);
	serve_client(client, alive, before, now);
}

void hw_control_server_reply(struct hw_control_server *server, struct hw_control_ticket ticket,
			     json_t *reply, hw_time now)
{
	for (uint32_t i = 0; ticket.number != 0 && i < HW_CONTROL_MAX_CLIENTS; i++) {
		struct client *client = &server->clients[i];

		if (client->source.fd < 0 || client->ticket != ticket.number)
			continue;

		uint32_t before = awaited(client);

		client->ticket = 0;
		client->deadline = hw_time_add(now, server->idle);
		serve_client(client, queue_reply(client, reply) && flush(client), before, now);
		return;
	}
	json_decref(reply);
}

/* The file's mode has let it connect; a looser mode than ours admits nobody more. */
static bool peer_allowed(int fd, const char *path)
{
	struct ucred peer;
	struct stat file;
	gid_t groups[256];
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	if (stat(path, &file) < 0)
		return false;
	if (peer.gid == file.st_gid)
		return true;
	len = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
		if (groups[i] == file.st_gid)
			return true;
	}
	return false;
}

static struct client *free_slot(struct hw_control_server *server)
{
	for (uint32_t i = 0; i < HW_CONTROL_MAX_CLIENTS; i++) {
		if (server->clients[i].source.fd < 0)
			return &server->clients[i];
	}
	return NULL;
}

static void refuse(int fd)
{
	static const char text[] =
		"{\"ok\":false,\"error\":\"too many clients: try again in a moment\"}\n";

	(void)send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void admit(struct hw_control_server *server, int fd, hw_time now)
{
	struct client *client = free_slot(server);

	if (!peer_allowed(fd, server->address.sun_path)) {
		server->counters.refused_peer++;
		close(fd);
		return;
	}
	if (!client) {
		server->counters.refused_full++;
		refuse(fd);
		return;
	}
	client->source = (struct hw_loop_source){
		.fd = fd, .priority = HW_LOOP_OTHER, .ready = on_client, .ctx = client};
	client->deadline = hw_time_add(now, server->idle);
	client->in_bytes = client->out_bytes = client->out_sent = 0;
	client->ticket = 0;
	server->client_count++;
	server->counters.accepted++;
	if (hw_loop_add(server->loop, &client->source, EPOLLIN) < 0)
		close_client(client);
}

static void on_listener(void *ctx, uint32_t events, hw_time now)
{
	struct hw_control_server *server = ctx;

	(void)events;
	/* As many as the backlog holds: a storm of connections must not hold up the tunnel. */
	for (int i = 0; i < BACKLOG; i++) {
		int fd = accept4(server->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		admit(server, fd, now);
	}
}

/* Remove a socket file that nobody listens behind any more. HW_E_STATE: somebody does. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat file;
	int fd, err = 0;

	if (lstat(address->sun_path, &file) < 0 || !S_ISSOCK(file.st_mode))
		return 0; /* what is there and is no socket makes bind fail */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return HW_E_SYSTEM;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		err = HW_E_STATE;
	else if (errno == ECONNREFUSED && unlink(address->sun_path) < 0)
		err = HW_E_SYSTEM;
	close(fd);
	return err;
}

static int listen_at(struct hw_control_server *server)
{
	mode_t before;
	int fd, err;

	err = remove_stale(&server->address);
	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return HW_E_SYSTEM;
	/* The mode must hold from the first moment: chmod after bind would leave a gap. */
	before = umask(0117);
	err = bind(fd, (const struct sockaddr *)&server->address, sizeof(server->address));
	umask(before);
	if (err < 0 || listen(fd, BACKLOG) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return HW_E_SYSTEM;
	}
	server->listener.fd = fd;
	return hw_loop_add(server->loop, &server->listener, EPOLLIN);
}

int hw_control_server_new(struct hw_loop *loop, const char *path, hw_time idle,
			  const struct hw_control_handler *handler,
			  struct hw_control_server **ret_server)
{
	struct hw_control_server *server;
	int err;

	if (strlen(path) >= sizeof(server->address.sun_path))
		return HW_E_INVAL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return HW_E_NOMEM;
	server->loop = loop;
	server->idle = idle;
	server->handler = *handler;
	server->address.sun_family = AF_UNIX;
	strcpy(server->address.sun_path, path);
	server->listener = (struct hw_loop_source){
		.fd = -1, .priority = HW_LOOP_OTHER, .ready = on_listener, .ctx = server};
	for (uint32_t i = 0; i < HW_CONTROL_MAX_CLIENTS; i++) {
		server->clients[i].server = server;
		server->clients[i].source.fd = -1;
	}
	err = listen_at(server);
	if (err < 0) {
		hw_control_server_free(server);
		return err;
	}
	*ret_server = server;
	return 0;
}

void hw_control_server_free(struct hw_control_server *server)
{
	int saved = errno;

	if (!server)
		return;
	for (uint32_t i = 0; i < HW_CONTROL_MAX_CLIENTS; i++) {
		if (server->clients[i].source.fd >= 0)
			close_client(&server->clients[i]);
	}
	if (server->listener.fd >= 0) {
		hw_loop_remove(server->loop, &server->listener);
		close(server->listener.fd);
		(void)unlink(server->address.sun_path);
	}
	free(server);
	errno = saved;
}

void hw_control_server_tick(struct hw_control_server *server, hw_time now)
{
	if (server->client_count == 0)
		return;
	for (uint32_t i = 0; i < HW_CONTROL_MAX_CLIENTS; i++) {
		struct client *client = &server->clients[i];

		if (client->source.fd < 0 || client->deadline > now)
			continue;
		if (client->out)
			server->counters.dropped_output++;
		else
			server->counters.dropped_idle++;
		close_client(client);
	}
}

hw_time hw_control_server_next_deadline(const struct hw_control_server *server)
{
	hw_time next = HW_TIME_NEVER;

	if (server->client_count == 0)
		return next;
	for (uint32_t i = 0; i < HW_CONTROL_MAX_CLIENTS; i++) {
		if (server->clients[i].source.fd >= 0)
			next = hw_time_min(next, server->clients[i].deadline);
	}
	return next;
}

uint32_t hw_control_server_clients(const struct hw_control_server *server)
{
	return server->client_count;
}

const struct hw_control_counters *
hw_control_server_counters(const struct hw_control_server *server)
{
	return &server->counters;
}
