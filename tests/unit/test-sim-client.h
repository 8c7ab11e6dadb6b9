/* The least HTTP client that the tests of the simulator need: one request a connection. */
#pragma once

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sim/sim.h"

typedef struct {
    guint status;  /* 0: no answer */
    GString *head; /* status line and headers */
    GString *body;
    cJSON *json; /* (nullable): the body, if it is JSON */
} Reply;

static inline void
reply_free(Reply *reply)
{
    if (!reply)
        return;
    g_string_free(reply->head, TRUE);
    g_string_free(reply->body, TRUE);
    cJSON_Delete(reply->json);
    g_free(reply);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reply, reply_free)

static inline int
client_connect(CfSim *sim)
{
    const char *colon = strrchr(cf_sim_get_url(sim), ':');
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((guint16) atoi(colon + 1));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof address), ==, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static inline void
client_send(int fd, const char *method, const char *path, const char *headers, const char *body)
{
    g_autofree char *text = g_strdup_printf(
        "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
        method, path, body ? strlen(body) : 0, headers ? headers : "", body ? body : "");
    gsize len = strlen(text);

    g_assert_cmpint(send(fd, text, len, MSG_NOSIGNAL), ==, (gssize) len);
}

static inline Reply *
client_receive(int fd)
{
    Reply *reply = g_new0(Reply, 1);
    GString *all = g_string_new(NULL);
    char buffer[65536];
    const char *blank;
    ssize_t n;

    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        g_string_append_len(all, buffer, n);
    close(fd);
    blank = strstr(all->str, "\r\n\r\n");
    if (blank) {
        reply->status = (guint) atoi(all->str + strlen("HTTP/1.1 "));
        reply->head = g_string_new_len(all->str, blank - all->str);
        reply->body = g_string_new_len(blank + 4, (gssize) all->len - (blank + 4 - all->str));
        reply->json = cJSON_Parse(reply->body->str);
    } else {
        reply->head = g_string_new(NULL);
        reply->body = g_string_new(NULL);
    }
    g_string_free(all, TRUE);
    return reply;
}

/* headers: (nullable): each with its line end. body: (nullable) */
static inline Reply *
call_with(CfSim *sim, const char *method, const char *path, const char *headers, const char *body)
{
    int fd = client_connect(sim);

    client_send(fd, method, path, headers, body);
    return client_receive(fd);
}

static inline Reply *
call(CfSim *sim, const char *method, const char *path, const char *body)
{
    return call_with(sim, method, path, NULL, body);
}

/* An administrator's request, which must succeed. */
static inline void
admin(CfSim *sim, const char *method, const char *path, const char *body)
{
    g_autoptr(Reply) reply = call(sim, method, path, body);

    if (reply->status / 100 != 2)
        g_error("%s %s: %u %s", method, path, reply->status, reply->body->str);
}

/* A member of the answer, "data.server.status"; NULL: there is none. */
static inline const cJSON *
member(const Reply *reply, const char *path)
{
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);
    const cJSON *item = reply->json;

    for (guint i = 0; item && keys[i]; i++)
        item = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, atoi(keys[i]))
                                   : cJSON_GetObjectItemCaseSensitive(item, keys[i]);
    return item;
}

static inline const char *
text(const Reply *reply, const char *path)
{
    return cJSON_GetStringValue(member(reply, path));
}

static inline double
number(const Reply *reply, const char *path)
{
    const cJSON *item = member(reply, path);

    return cJSON_IsNumber(item) ? item->valuedouble : -1;
}
