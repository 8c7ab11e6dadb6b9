#include "config/private.h"

#include <string.h>

#include "util/error.h"
#include "util/text.h"

typedef enum {
    TYPE_FLAG,
    TYPE_DURATION,
    TYPE_NUMBER,
    TYPE_LIMIT, /* a number, or none, which is 0 */
    TYPE_OCTAL,
    TYPE_RATE,
    TYPE_CHOICE,
    TYPE_WORD,
    TYPE_TEXT,
    TYPE_PATH
} Type;

struct _CfOption {
    CfOptionDoc doc;
    Type type;
    gsize offset;               /* in CfOptions; in CfMountOptions when doc.mount_only */
    double min, max;            /* durations in seconds */
    const char *const *choices; /* of TYPE_CHOICE (stored as index) and TYPE_WORD (as text) */
    gsize set_offset;           /* of a gboolean that tells that it was given; 0: none */
};

static const char *const tags_choices[] = {"demand", "sweep", NULL};
static const char *const raw_choices[] = {"owner", "world", NULL};
static const char *const level_choices[] = {"error", "warning", "info", "debug", NULL};

G_STATIC_ASSERT(CF_TAGS_DEMAND == 0 && CF_TAGS_SWEEP == 1);

#define AT(member) .offset = offsetof(CfOptions, member)
#define MOUNT_AT(member) .offset = offsetof(CfMountOptions, member)
#define DAY (24.0 * 3600)

static const CfOption table[] = {
    {{"ro", NULL, "false", FALSE, "Nothing can be changed: every file is read-only."},
     TYPE_FLAG,
     AT(ro)},
    {{"allow_delete", NULL, "false", FALSE, "Images can be deleted."}, TYPE_FLAG, AT(allow_delete)},
    {{"edit_views", NULL, "false", FALSE,
      "Servers and images are renamed and tagged by mv, ln -s and rm in by-name and by-tag."},
     TYPE_FLAG,
     AT(edit_views)},
    {{"dry_run", NULL, "false", FALSE, "Actions are checked and journalled, not sent."},
     TYPE_FLAG,
     AT(dry_run)},
    {{"ttl", "SECONDS", "30", FALSE, "A listing younger than this is served as it is."},
     TYPE_DURATION,
     AT(ttl_us),
     .max = 365 * DAY},
    {{"max_stale", "SECONDS", "120", FALSE,
      "A reader waits for a refresh when the listing is older than this."},
     TYPE_DURATION,
     AT(max_stale_us),
     .max = 365 * DAY},
    {{"patience", "SECONDS", "2", FALSE,
      "How long a reader waits for a refresh after the ttl; 0: not at all."},
     TYPE_DURATION,
     AT(patience_us),
     .max = DAY},
    {{"deadline", "SECONDS", "30", FALSE, "After this an operation fails with ETIMEDOUT."},
     TYPE_DURATION,
     AT(deadline_us),
     .min = 0.001,
     .max = DAY},
    {{"rate", "NUMBER", "10", FALSE, "Requests a second to the cloud; 0: no limit."},
     TYPE_RATE,
     AT(rate),
     .max = 10000},
    {{"burst", "NUMBER", "20", FALSE, "Requests that may be sent at once after a pause."},
     TYPE_NUMBER,
     AT(burst),
     .min = 1,
     .max = 10000},
    {{"connections", "NUMBER", "8", FALSE, "Requests under way side by side."},
     TYPE_NUMBER,
     AT(connections),
     .min = 1,
     .max = 256},
    {{"page_size", "NUMBER", "0", FALSE, "Records a page of a listing; 0: as suits the cloud."},
     TYPE_NUMBER,
     AT(page_size),
     .max = 10000},
    {{"tags", "demand|sweep", "demand", FALSE,
      "Where listings have no server tags: fetch them when asked for, or all in the background."},
     TYPE_CHOICE,
     AT(tags),
     .choices = tags_choices},
    {{"tags_ttl", "SECONDS", "600", FALSE, "How long tags are kept that are fetched singly."},
     TYPE_DURATION,
     AT(tags_ttl_us),
     .max = 365 * DAY},
    {{"watch", NULL, "false", FALSE, "Refresh at the ttl also when nobody reads."},
     TYPE_FLAG,
     AT(watch)},
    {{"batch_limit", "NUMBER", "100", FALSE,
      "Servers or images that one batch may name without a line expect."},
     TYPE_NUMBER,
     AT(batch_limit),
     .min = 1,
     .max = 1000000},
    {{"action_limit", "NUMBER|none", "100", FALSE,
      "Writes a minute that start, stop, capture, rename or take tags away; none: no limit."},
     TYPE_LIMIT,
     AT(action_limit),
     .max = 1000000},
    {{"raw", "owner|world", "owner", FALSE, "Who may read raw/, raw.json and list.jsonl."},
     TYPE_CHOICE,
     AT(raw_world),
     .choices = raw_choices},
    {{"cacert", "FILE", "", FALSE, "Certificates that the cloud's is checked against."},
     TYPE_PATH,
     AT(cacert)},
    {{"insecure", NULL, "false", FALSE, "Certificates are not checked: anybody may be the cloud."},
     TYPE_FLAG,
     AT(insecure),
     .set_offset = offsetof(CfOptions, insecure_set)},
    {{"proxy", "URL", "", FALSE, "The proxy to the cloud."}, TYPE_TEXT, AT(proxy)},
    {{"allow_other", NULL, "false", TRUE, "Other users may enter the mount."},
     TYPE_FLAG,
     MOUNT_AT(allow_other)},
    {{"uid", "NUMBER", "", TRUE, "The owner of all files; without it who mounts."},
     TYPE_NUMBER,
     MOUNT_AT(uid),
     .max = 4294967294.0,
     .set_offset = offsetof(CfMountOptions, uid_set)},
    {{"gid", "NUMBER", "", TRUE, "The group of all files; without it the group of who mounts."},
     TYPE_NUMBER,
     MOUNT_AT(gid),
     .max = 4294967294.0,
     .set_offset = offsetof(CfMountOptions, gid_set)},
    {{"umask", "OCTAL", "", TRUE, "Mode bits that no file has."},
     TYPE_OCTAL,
     MOUNT_AT(umask),
     .max = 0777,
     .set_offset = offsetof(CfMountOptions, umask_set)},
    {{"log", "stderr|syslog|none|FILE", "stderr", TRUE, "Where log lines go."},
     TYPE_TEXT,
     MOUNT_AT(log)},
    {{"log_level", "error|warning|info|debug", "info", TRUE, "The least weighty lines logged."},
     TYPE_WORD,
     MOUNT_AT(log_level),
     .choices = level_choices},
    {{"state_dir", "DIRECTORY", "", TRUE,
      "Where actions of several calls are written down, so that a crash ends none half-way."},
     TYPE_TEXT,
     MOUNT_AT(state_dir)},
    {{"offline_ok", NULL, "false", TRUE, "Mount also when the first call to a cloud fails."},
     TYPE_FLAG,
     MOUNT_AT(offline_ok)},
    {{"kernel_open", NULL, "false", TRUE,
      "For debugging: open(2) is answered each time, not waived once and for all."},
     TYPE_FLAG,
     MOUNT_AT(kernel_open)},
};

const CfOption *
cf_option_get(guint i)
{
    return i < G_N_ELEMENTS(table) ? &table[i] : NULL;
}

const CfOption *
cf_option_find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].doc.name, name) == 0)
            return &table[i];
    return NULL;
}

const char *
cf_option_get_name(const CfOption *option)
{
    return option->doc.name;
}

gboolean
cf_option_is_of_mount(const CfOption *option)
{
    return option->doc.mount_only;
}

const CfOptionDoc *
cf_options_get_docs(void)
{
    static CfOptionDoc docs[G_N_ELEMENTS(table) + 1];
    static gsize ready = 0;

    if (g_once_init_enter(&ready)) {
        for (guint i = 0; i < G_N_ELEMENTS(table); i++)
            docs[i] = table[i].doc;
        g_once_init_leave(&ready, 1);
    }
    return docs;
}

/* --- from text ------------------------------------------------------------------------------- */

static gboolean G_GNUC_PRINTF(2, 3) fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_propagate_error(error, g_error_new_valist(CF_ERROR, CF_ERROR_CONFIG, format, args));
    va_end(args);
    return FALSE;
}

static gboolean
check_range(const CfOption *option, const char *text, double value, GError **error)
{
    if (value >= option->min && value <= option->max)
        return TRUE;
    if (option->type == TYPE_OCTAL)
        return fail(error, "‘%s’ is not between 0 and 0%o", text, (guint) option->max);
    return fail(error, "‘%s’ is not between %.10g and %.10g%s", text, option->min, option->max,
                option->type == TYPE_DURATION ? " seconds" : "");
}

static gboolean
set_flag(const char *text, gboolean *ret_flag, GError **error)
{
    static const char *const words[][2] = {{"false", "true"}, {"no", "yes"}, {"0", "1"}};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        for (int flag = 0; flag < 2; flag++)
            if (g_ascii_strcasecmp(text, words[i][flag]) == 0) {
                *ret_flag = flag;
                return TRUE;
            }
    return fail(error, "‘%s’ is neither true nor false", text);
}

static gboolean
set_duration(const CfOption *option, const char *text, gint64 *ret_us, GError **error)
{
    gint64 us;

    if (!cf_text_parse_duration(text, &us, NULL))
        return fail(error, "‘%s’ is not a duration: write seconds, or 500ms, 10s, 2m, 1h", text);
    if (!check_range(option, text, (double) us / 1e6, error))
        return FALSE;
    *ret_us = us;
    return TRUE;
}

static gboolean
set_number(const CfOption *option, const char *text, guint *ret_number, GError **error)
{
    gboolean octal = option->type == TYPE_OCTAL;
    const char *digits = octal ? "01234567" : "0123456789";
    guint64 number;

    if (!*text || text[strspn(text, digits)])
        return fail(error, "‘%s’ is not %s number", text, octal ? "an octal" : "a whole");
    number = g_ascii_strtoull(text, NULL, octal ? 8 : 10);
    if (!check_range(option, text, (double) number, error))
        return FALSE;
    *ret_number = (guint) number;
    return TRUE;
}

static gboolean
set_rate(const CfOption *option, const char *text, double *ret_rate, GError **error)
{
    char *end;
    double rate = g_ascii_strtod(text, &end);

    if (!*text || *end || text[strspn(text, "0123456789.")])
        return fail(error, "‘%s’ is not a number", text);
    if (!check_range(option, text, rate, error))
        return FALSE;
    *ret_rate = rate;
    return TRUE;
}

/* Returns: the index; -1 with an error. */
static int
find_choice(const CfOption *option, const char *text, GError **error)
{
    g_autofree char *all = NULL;

    for (int i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], text) == 0)
            return i;
    all = g_strjoinv(", ", (char **) option->choices);
    fail(error, "‘%s’ is none of %s", text, all);
    return -1;
}

static gboolean
set_choice(const CfOption *option, const char *text, gpointer slot, GError **error)
{
    int choice = find_choice(option, text, error);

    if (choice < 0)
        return FALSE;
    if (option->type == TYPE_CHOICE) {
        *(int *) slot = choice; /* a gboolean or an enum */
    } else {
        g_free(*(char **) slot);
        *(char **) slot = g_strdup(text);
    }
    return TRUE;
}

static void
set_text(const CfOption *option, const char *text, const char *directory, char **slot)
{
    if (!*text)
        text = option->doc.fallback;
    g_free(*slot);
    *slot = NULL;
    if (*text)
        *slot = option->type == TYPE_PATH ? cf_config_expand_path(directory, text) : g_strdup(text);
}

static gboolean
set_value(const CfOption *option, const char *text, const char *directory, gpointer slot,
          GError **error)
{
    switch (option->type) {
    case TYPE_FLAG:
        return set_flag(text, slot, error);
    case TYPE_DURATION:
        return set_duration(option, text, slot, error);
    case TYPE_LIMIT:
        return set_number(option, strcmp(text, "none") == 0 ? "0" : text, slot, error);
    case TYPE_NUMBER:
    case TYPE_OCTAL:
        return set_number(option, text, slot, error);
    case TYPE_RATE:
        return set_rate(option, text, slot, error);
    case TYPE_CHOICE:
    case TYPE_WORD:
        return set_choice(option, text, slot, error);
    case TYPE_TEXT:
    case TYPE_PATH:
        set_text(option, text, directory, slot);
        return TRUE;
    }
    g_assert_not_reached();
}

gboolean
cf_option_set(const CfOption *option, gpointer options, const char *text, const char *directory,
              GError **error)
{
    if (!text && option->type != TYPE_FLAG)
        return fail(error, "needs a value: %s=%s", option->doc.name, option->doc.argument);
    if (!set_value(option, text ? text : "true", directory, (char *) options + option->offset,
                   error))
        return FALSE;
    if (option->set_offset)
        G_STRUCT_MEMBER(gboolean, options, option->set_offset) = TRUE;
    return TRUE;
}

/* --- to text --------------------------------------------------------------------------------- */

static char *
duration_to_text(gint64 us)
{
    g_autofree char *fraction = g_strdup_printf("%06" G_GINT64_FORMAT, us % G_USEC_PER_SEC);

    if (us % G_USEC_PER_SEC == 0)
        return g_strdup_printf("%" G_GINT64_FORMAT, us / G_USEC_PER_SEC);
    for (char *end = fraction + 5; *end == '0'; end--)
        *end = '\0';
    return g_strdup_printf("%" G_GINT64_FORMAT ".%s", us / G_USEC_PER_SEC, fraction);
}

char *
cf_option_to_text(const CfOption *option, gconstpointer options)
{
    gconstpointer slot = (const char *) options + option->offset;
    char rate[G_ASCII_DTOSTR_BUF_SIZE];

    /* A flag is false until somebody, maybe another program's file, says something else. */
    if (option->set_offset && option->type != TYPE_FLAG &&
        !G_STRUCT_MEMBER(gboolean, options, option->set_offset))
        return g_strdup("");
    switch (option->type) {
    case TYPE_FLAG:
        return g_strdup(*(const gboolean *) slot ? "true" : "false");
    case TYPE_DURATION:
        return duration_to_text(*(const gint64 *) slot);
    case TYPE_LIMIT:
        if (*(const guint *) slot == 0)
            return g_strdup("none");
        return g_strdup_printf("%u", *(const guint *) slot);
    case TYPE_NUMBER:
        return g_strdup_printf("%u", *(const guint *) slot);
    case TYPE_OCTAL:
        return g_strdup_printf("0%o", *(const guint *) slot);
    case TYPE_RATE:
        return g_strdup(g_ascii_formatd(rate, sizeof rate, "%.10g", *(const double *) slot));
    case TYPE_CHOICE:
        return g_strdup(option->choices[*(const int *) slot]);
    case TYPE_WORD:
    case TYPE_TEXT:
    case TYPE_PATH:
        return g_strdup(*(char *const *) slot ? *(char *const *) slot : "");
    }
    g_assert_not_reached();
}

/* --- whole structs --------------------------------------------------------------------------- */

static void
init(gpointer options, gboolean of_mount)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].doc.mount_only == of_mount && *table[i].doc.fallback) {
            gboolean good = cf_option_set(&table[i], options, table[i].doc.fallback, NULL, NULL);

            g_assert(good);
            if (table[i].set_offset) /* nobody said so */
                G_STRUCT_MEMBER(gboolean, options, table[i].set_offset) = FALSE;
        }
}

static void
clear(gpointer options, gboolean of_mount)
{
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].doc.mount_only == of_mount &&
            (table[i].type == TYPE_TEXT || table[i].type == TYPE_PATH ||
             table[i].type == TYPE_WORD)) {
            cf_text_wipe(G_STRUCT_MEMBER(char *, options, table[i].offset)); /* proxy passwords */
            G_STRUCT_MEMBER(char *, options, table[i].offset) = NULL;
        }
}

void
cf_options_init(CfOptions *options)
{
    *options = (CfOptions){0};
    init(options, FALSE);
}

void
cf_options_clear(CfOptions *options)
{
    clear(options, FALSE);
}

void
cf_mount_options_init(CfMountOptions *options)
{
    *options = (CfMountOptions){0};
    init(options, TRUE);
}

void
cf_mount_options_clear(CfMountOptions *options)
{
    clear(options, TRUE);
}

/* --- names ----------------------------------------------------------------------------------- */

gboolean
cf_option_is_of_fstab(const char *name)
{
    static const char *const names[] = {
        "rw",         "defaults", "auto",       "noauto",      "user",          "nouser",
        "users",      "nousers",  "owner",      "noowner",     "group",         "nogroup",
        "nofail",     "fail",     "_netdev",    "suid",        "nosuid",        "dev",
        "nodev",      "exec",     "noexec",     "atime",       "noatime",       "diratime",
        "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime",
        "nolazytime", "sync",     "async",      "dirsync",     "silent",        "loud",
        "comment",    "iversion", "noiversion", NULL};

    return g_strv_contains(names, name) || g_str_has_prefix(name, "x-") ||
           g_str_has_prefix(name, "X-");
}

/* How many characters must be put in, left out, changed or swapped to make b of a. */
static guint
edit_distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    guint cost[MAX + 1][MAX + 1];
    gsize size_a = strlen(a);
    gsize size_b = strlen(b);

    if (size_a > MAX || size_b > MAX)
        return G_MAXUINT;
    for (gsize i = 0; i <= size_a; i++)
        cost[i][0] = (guint) i;
    for (gsize j = 0; j <= size_b; j++)
        cost[0][j] = (guint) j;
    for (gsize i = 1; i <= size_a; i++)
        for (gsize j = 1; j <= size_b; j++) {
            guint same = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            cost[i][j] = MIN(same, MIN(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = MIN(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    return cost[size_a][size_b];
}

const char *
cf_option_suggest(const char *text, const char *const *candidates)
{
    g_autofree char *wanted = g_strdelimit(g_ascii_strdown(text, -1), "-. ", '_');
    guint least = MAX(1, MIN(2, (guint) strlen(text) / 2)) + 1;
    const char *best = NULL;

    for (; *candidates; candidates++) {
        guint distance = edit_distance(wanted, *candidates);

        if (distance < least) {
            least = distance;
            best = *candidates;
        }
    }
    return best;
}
