#include "util/append.h"

#include <string.h>

#include "util/clock.h"

typedef struct {
    GString *text; /* (nullable): no such file */
    gint64 mtime_ns;
} File;

struct _CfAppend {
    gsize max_bytes;
    GMutex lock; /* protects all below; never held across a call out of this file */
    guint32 number;
    File present;
    File previous;
};

CfAppend *
cf_append_new(gsize max_bytes)
{
    CfAppend *append = g_new0(CfAppend, 1);

    append->max_bytes = max_bytes;
    append->number = 1;
    append->present.text = g_string_new(NULL);
    append->present.mtime_ns = cf_clock_real_ns();
    g_mutex_init(&append->lock);
    return append;
}

static void
file_clear(File *file)
{
    if (file->text)
        g_string_free(file->text, TRUE);
    file->text = NULL;
}

void
cf_append_free(CfAppend *append)
{
    if (!append)
        return;
    file_clear(&append->present);
    file_clear(&append->previous);
    g_mutex_clear(&append->lock);
    g_free(append);
}

gboolean
cf_append_line(CfAppend *append, const char *line)
{
    gsize size = strlen(line) + 1;
    gboolean full;

    g_mutex_lock(&append->lock);
    /* A line that is longer than a whole file still goes somewhere: into a file of its own. */
    full = append->present.text->len > 0 && append->present.text->len + size > append->max_bytes;
    if (full) {
        file_clear(&append->previous);
        append->previous = append->present;
        append->present.text = g_string_new(NULL);
        append->number++;
    }
    g_string_append_len(append->present.text, line, size - 1);
    g_string_append_c(append->present.text, '\n');
    append->present.mtime_ns = cf_clock_real_ns();
    g_mutex_unlock(&append->lock);
    return full;
}

guint32
cf_append_get_number(CfAppend *append)
{
    guint32 number;

    g_mutex_lock(&append->lock);
    number = append->number;
    g_mutex_unlock(&append->lock);
    return number;
}

/* Returns: (nullable): under the lock. */
static const File *
find(const CfAppend *append, guint32 number)
{
    if (number == append->number)
        return &append->present;
    if (number == append->number - 1 && append->previous.text)
        return &append->previous;
    return NULL;
}

gboolean
cf_append_stat(CfAppend *append, guint32 number, gsize *ret_size, gint64 *ret_mtime_ns)
{
    const File *file;

    g_mutex_lock(&append->lock);
    file = find(append, number);
    if (file) {
        *ret_size = file->text->len;
        *ret_mtime_ns = file->mtime_ns;
    }
    g_mutex_unlock(&append->lock);
    return file != NULL;
}

GBytes *
cf_append_read(CfAppend *append, guint32 number, gsize offset, gsize size)
{
    GBytes *bytes = NULL;
    const File *file;

    g_mutex_lock(&append->lock);
    file = find(append, number);
    if (file) {
        offset = MIN(offset, file->text->len);
        bytes = g_bytes_new(file->text->str + offset, MIN(size, file->text->len - offset));
    }
    g_mutex_unlock(&append->lock);
    return bytes;
}
