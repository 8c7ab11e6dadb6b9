#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define RING_LINES 1000
#define LINE_MAX_BYTES 4096
#define SECRET_MIN_BYTES 4

/* Configured secrets are registered first and stay. Tokens follow by the hour: of these the last
 * ones are kept, since the older ones are worth nothing any more. */
#define SECRETS_KEPT 64
#define SECRETS_ROTATING 128

typedef enum { TO_FD, TO_SYSLOG, TO_NOWHERE } Target;

static GMutex log_lock; /* protects all of the log; taken after none, before none */
static struct {
    Target target;
    int fd;
    CfLogLevel level;
    char *ring[RING_LINES];
    guint next; /* the slot of the next line, and so of the oldest one */
    gint64 mtime_ns;
} the_log = {.target = TO_FD, .fd = STDERR_FILENO, .level = CF_LOG_INFO};

static GMutex secret_lock; /* protects all of the secrets; taken after none, before none */
static struct {
    GPtrArray *sets;         /* (nullable) (element-type GPtrArray): the forms of each secret */
    GPtrArray *by_byte[256]; /* (element-type utf8) (nullable): all forms, longest first */
    guint next_rotating;
} secrets;

static const char *const level_names[CF_LOG_N] = {
    [CF_LOG_ERROR] = "error",
    [CF_LOG_WARNING] = "warning",
    [CF_LOG_INFO] = "info",
    [CF_LOG_DEBUG] = "debug",
};

gboolean
cf_log_level_from_string(const char *text, CfLogLevel *ret_level)
{
    int i;

    for (i = 0; i < CF_LOG_N; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (CfLogLevel) i;
            return TRUE;
        }
    }
    return FALSE;
}

const char *
cf_log_level_to_string(CfLogLevel level)
{
    return (unsigned) level < CF_LOG_N ? level_names[level] : "unknown";
}

gboolean
cf_log_init(const char *target, CfLogLevel level, GError **error)
{
    Target kind = TO_FD;
    int fd = STDERR_FILENO;

    if (target && strcmp(target, "none") == 0) {
        kind = TO_NOWHERE;
    } else if (target && strcmp(target, "syslog") == 0) {
        kind = TO_SYSLOG;
        openlog("cirrusfs", LOG_PID, LOG_DAEMON);
    } else if (target && strcmp(target, "stderr") != 0) {
        fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (fd < 0) {
            g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "log file %s: %s", target,
                        g_strerror(errno));
            return FALSE;
        }
    }
    g_mutex_lock(&log_lock);
    if (the_log.fd != STDERR_FILENO)
        close(the_log.fd);
    the_log.target = kind;
    the_log.fd = fd;
    the_log.level = level;
    g_mutex_unlock(&log_lock);
    return TRUE;
}

/* --- secrets --------------------------------------------------------------------------------- */

static void
add_form(GPtrArray *forms, char *form)
{
    if (strlen(form) < SECRET_MIN_BYTES ||
        g_ptr_array_find_with_equal_func(forms, form, g_str_equal, NULL))
        cf_text_wipe(form);
    else
        g_ptr_array_add(forms, form);
}

static char *
percent_encode(const char *secret, const char *kept, gboolean upper)
{
    GString *out = g_string_new(NULL);

    for (; *secret; secret++) {
        if (g_ascii_isalnum(*secret) || strchr(kept, *secret))
            g_string_append_c(out, *secret);
        else
            g_string_append_printf(out, upper ? "%%%02X" : "%%%02x", (guchar) *secret);
    }
    return g_string_free(out, FALSE);
}

/* The part of the base64 text that depends on the secret alone, when before bytes (0 to 2) of the
 * group of three belong to what stands before it, as in base64("user:secret"). */
static char *
base64_part(const char *secret, gsize before, gboolean for_urls)
{
    gsize size = strlen(secret);
    g_autofree guchar *padded = g_malloc0(before + size);
    g_autofree char *whole = NULL;
    gsize from = (before * 8 + 5) / 6, to = (before + size) * 8 / 6;
    char *part;

    memcpy(padded + before, secret, size);
    whole = g_base64_encode(padded, before + size);
    part = g_strndup(whole + from, to - from);
    explicit_bzero(whole, strlen(whole));
    explicit_bzero(padded, before + size);
    return for_urls ? g_strdelimit(g_strdelimit(part, "+", '-'), "/", '_') : part;
}

static char *
json_encode(const char *secret)
{
    GString *out = g_string_new(NULL);
    char *inner;

    cf_text_append_json(out, secret);
    inner = g_strndup(out->str + 1, out->len - 2);
    explicit_bzero(out->str, out->len);
    g_string_free(out, TRUE);
    return inner;
}

static GPtrArray *
make_forms(const char *secret)
{
    static const char *const kept[] = {"-._~", "-._", "-._~/", "-_.!~*'()"};
    GPtrArray *forms = g_ptr_array_new_with_free_func((GDestroyNotify) cf_text_wipe);
    gsize i;

    add_form(forms, g_strdup(secret));
    add_form(forms, cf_name_encode(secret));
    add_form(forms, json_encode(secret));
    for (i = 0; i < G_N_ELEMENTS(kept); i++) {
        add_form(forms, percent_encode(secret, kept[i], TRUE));
        add_form(forms, percent_encode(secret, kept[i], FALSE));
    }
    for (i = 0; i < 3; i++) {
        add_form(forms, base64_part(secret, i, FALSE));
        add_form(forms, base64_part(secret, i, TRUE));
    }
    return forms;
}

static int
longer_first(gconstpointer a, gconstpointer b)
{
    gsize size_a = strlen(*(const char *const *) a), size_b = strlen(*(const char *const *) b);

    return size_a < size_b ? 1 : size_a > size_b ? -1 : 0;
}

/* Under secret_lock. */
static void
index_forms(void)
{
    guint i, k;

    for (i = 0; i < G_N_ELEMENTS(secrets.by_byte); i++)
        g_clear_pointer(&secrets.by_byte[i], g_ptr_array_unref);
    for (i = 0; i < secrets.sets->len; i++) {
        GPtrArray *forms = g_ptr_array_index(secrets.sets, i);

        for (k = 0; k < forms->len; k++) {
            char *form = g_ptr_array_index(forms, k);
            GPtrArray **slot = &secrets.by_byte[(guchar) form[0]];

            if (!*slot)
                *slot = g_ptr_array_new();
            g_ptr_array_add(*slot, form);
        }
    }
    for (i = 0; i < G_N_ELEMENTS(secrets.by_byte); i++) {
        if (secrets.by_byte[i])
            g_ptr_array_sort(secrets.by_byte[i], longer_first);
    }
}

/* Under secret_lock. */
static gboolean
is_known(const char *secret)
{
    guint i;

    for (i = 0; i < secrets.sets->len; i++) {
        GPtrArray *forms = g_ptr_array_index(secrets.sets, i);

        if (strcmp(g_ptr_array_index(forms, 0), secret) == 0)
            return TRUE;
    }
    return FALSE;
}

void
cf_log_add_secret(const char *secret)
{
    if (!secret || strlen(secret) < SECRET_MIN_BYTES)
        return;
    g_mutex_lock(&secret_lock);
    if (!secrets.sets)
        secrets.sets = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    if (!is_known(secret)) {
        GPtrArray *forms = make_forms(secret);

        if (secrets.sets->len < SECRETS_KEPT + SECRETS_ROTATING) {
            g_ptr_array_add(secrets.sets, forms);
        } else {
            GPtrArray **slot =
                (GPtrArray **) &secrets.sets->pdata[SECRETS_KEPT + secrets.next_rotating];

            g_ptr_array_unref(*slot);
            *slot = forms;
            secrets.next_rotating = (secrets.next_rotating + 1) % SECRETS_ROTATING;
        }
        index_forms();
    }
    g_mutex_unlock(&secret_lock);
}

/* Returns: the size of the secret that p begins with; 0 for none. Under secret_lock. */
static gsize
match(const char *p)
{
    const GPtrArray *forms = secrets.by_byte[(guchar) *p];
    guint i;

    for (i = 0; forms && i < forms->len; i++) {
        const char *form = g_ptr_array_index(forms, i);
        gsize size = strlen(form);

        if (strncmp(p, form, size) == 0)
            return size;
    }
    return 0;
}

char *
cf_log_redact(const char *text)
{
    GString *out = g_string_new(NULL);
    const char *p = text ? text : "";

    g_mutex_lock(&secret_lock);
    while (*p) {
        gsize size = match(p);

        if (size > 0)
            g_string_append(out, "***");
        else
            g_string_append_c(out, *p);
        p += MAX(size, 1);
    }
    g_mutex_unlock(&secret_lock);
    return g_string_free(out, FALSE);
}

/* --- lines ----------------------------------------------------------------------------------- */

static const int syslog_priorities[CF_LOG_N] = {
    [CF_LOG_ERROR] = LOG_ERR,
    [CF_LOG_WARNING] = LOG_WARNING,
    [CF_LOG_INFO] = LOG_INFO,
    [CF_LOG_DEBUG] = LOG_DEBUG,
};

/* Returns: (transfer full): what a caller said, fit for a line. */
static char *
make_harmless(const char *said)
{
    g_autofree char *safe = cf_log_redact(said);
    char *line = cf_text_one_line(safe);

    if (strlen(line) > LINE_MAX_BYTES) {
        char *end = g_utf8_find_prev_char(line, line + LINE_MAX_BYTES - 3);

        strcpy(end, "...");
    }
    return line;
}

/* Under log_lock, so that lines come whole and in the order of the ring. */
static void
emit(CfLogLevel level, const char *line, const char *text)
{
    if (the_log.target == TO_SYSLOG) {
        syslog(syslog_priorities[level], "%s", text);
    } else if (the_log.target == TO_FD) {
        g_autofree char *whole = g_strconcat(line, "\n", NULL);

        /* There is nowhere to tell of a log that cannot be written; the ring has the line. */
        if (write(the_log.fd, whole, strlen(whole)) < 0)
            return;
    }
}

void
cf_log(CfLogLevel level, const char *format, ...)
{
    g_autofree char *said = NULL;
    g_autofree char *text = NULL;
    g_autofree char *stamp = NULL;
    gboolean wanted;
    va_list args;
    char *line;

    g_mutex_lock(&log_lock);
    wanted = level <= the_log.level;
    g_mutex_unlock(&log_lock);
    if (!wanted)
        return;

    va_start(args, format);
    said = g_strdup_vprintf(format, args);
    va_end(args);
    text = make_harmless(said);
    explicit_bzero(said, strlen(said));

    g_mutex_lock(&log_lock);
    the_log.mtime_ns = cf_clock_real_ns();
    stamp = cf_text_time(the_log.mtime_ns / 1000);
    line = g_strdup_printf("%s %s %s", stamp, level_names[level], text);
    g_free(the_log.ring[the_log.next]);
    the_log.ring[the_log.next] = line;
    the_log.next = (the_log.next + 1) % RING_LINES;
    emit(level, line, text);
    g_mutex_unlock(&log_lock);
}

GString *
cf_log_dup_ring(void)
{
    GString *out = g_string_new(NULL);
    guint i;

    g_mutex_lock(&log_lock);
    for (i = 0; i < RING_LINES; i++) {
        const char *line = the_log.ring[(the_log.next + i) % RING_LINES];

        if (line)
            g_string_append_printf(out, "%s\n", line);
    }
    g_mutex_unlock(&log_lock);
    return out;
}

gint64
cf_log_get_mtime_ns(void)
{
    gint64 mtime_ns;

    g_mutex_lock(&log_lock);
    mtime_ns = the_log.mtime_ns;
    g_mutex_unlock(&log_lock);
    return mtime_ns;
}
