/* What the answers of Nova and Glance mean when they are no success: faults as JSON, pages, plain
 * text. Pure. Thread: any. */
#pragma once

#include "util/error.h"

G_BEGIN_DECLS

typedef enum { CF_OS_COMPUTE, CF_OS_IMAGE, CF_OS_SERVICE_N } CfOsService;

/* What was asked for, as far as it decides what a refusal means. */
typedef struct {
    CfOsService service;
    const char *id;       /* (nullable) the resource that the path names */
    gboolean with_marker; /* a page behind a marker */
} CfOsQuestion;

/* The error that an answer of status 300 and above means, the cloud's words attached.
 * request_id: (nullable). retry_after: the header came. Returns: (transfer full). */
GError *cf_os_error(const CfOsQuestion *question, int http_status, const char *text, gsize len,
                    const char *request_id, gboolean retry_after);

G_END_DECLS
