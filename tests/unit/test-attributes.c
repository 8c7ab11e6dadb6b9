/* doc/attributes.md says what the tables say: every row, and no other. */
#include <string.h>

#include "providers/provider.h"
#include "tree/tree.h"

static char *
read_doc(void)
{
    g_autofree char *path = g_build_filename(g_getenv("CF_DOC"), "attributes.md", NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static void
test_rows(void)
{
    g_autofree char *doc = read_doc();
    g_autofree char *table = cf_tree_describe_attributes();
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    g_auto(GStrv) doc_lines = g_strsplit(doc, "\n", -1);
    guint rows = 0;
    guint doc_rows = 0;

    for (guint i = 1; lines[i] && *lines[i]; i++, rows++) {
        g_auto(GStrv) cells = g_strsplit(lines[i], "\t", -1);
        g_autofree char *row = NULL;

        g_assert_cmpuint(g_strv_length(cells), ==, 5);
        row = g_strdup_printf("| `%s` | %s | %s | %s | %s |\n", cells[0], cells[1], cells[2],
                              cells[3], cells[4]);
        if (!strstr(doc, row))
            g_error("doc/attributes.md lacks: %s", row);
    }
    for (guint i = 0; doc_lines[i]; i++)
        if (g_str_has_prefix(doc_lines[i], "| `") && strstr(doc_lines[i], "` | ") &&
            (strstr(doc_lines[i], " | 0") != NULL))
            doc_rows++;
    g_assert_cmpuint(rows, >, 80);
    g_assert_cmpuint(doc_rows, ==, rows);
}

/* --- what each cloud can do, and what it tells ------------------------------------------------ */

#define HEAD_ACTIONS "| action | file |"
#define HEAD_TOLD "| attribute |"

/* The cells of a table's line, without the outer bars. Returns: (transfer full). */
static char **
split_row(const char *line)
{
    char **cells = g_strsplit(line + 1, "|", -1);

    for (guint i = 0; cells[i]; i++)
        g_strstrip(cells[i]);
    return cells;
}

typedef void (*RowFunc)(const CfProviderOps *ops, const char *first, gboolean yes, guint *counter);

/* Goes through a table: for each provider and row, whether the cell says yes.
 * first_column: the first one that is a provider's. Returns: the rows. */
static guint
each_cell(const char *heading, guint first_column, RowFunc check, guint *counter)
{
    g_autofree char *doc = read_doc();
    g_auto(GStrv) lines = g_strsplit(doc, "\n", -1);
    g_auto(GStrv) head = NULL;
    guint rows = 0;
    guint i = 0;

    while (lines[i] && !g_str_has_prefix(lines[i], heading))
        i++;
    g_assert_nonnull(lines[i]);
    head = split_row(lines[i]);
    for (i += 2; g_str_has_prefix(lines[i], "|"); i++, rows++) {
        g_auto(GStrv) cells = split_row(lines[i]);

        g_assert_cmpuint(g_strv_length(cells), ==, g_strv_length(head));
        for (guint c = first_column; *head[c]; c++) {
            const CfProviderOps *ops = cf_providers_find(head[c]);
            gboolean yes = g_str_has_prefix(cells[c], "yes");

            if (!ops)
                g_error("doc/attributes.md: there is no provider %s", head[c]);
            if (!yes && !g_str_has_prefix(cells[c], "no"))
                g_error("doc/attributes.md: %s of %s is neither yes nor no", cells[0], head[c]);
            check(ops, cells[0], yes, counter);
        }
    }
    /* Every provider has a column. */
    for (const CfProviderOps *const *ops = cf_providers_get(); *ops; ops++)
        g_assert_true(g_strv_contains((const char *const *) head, (*ops)->name));
    return rows;
}

static const struct {
    const char *action;
    int verb; /* -1: not of power */
    CfCollection collection;
    CfActionKind kind;
} actions[] = {
    {"start", CF_VERB_ON, CF_SERVERS, CF_ACTION_POWER},
    {"stop", CF_VERB_OFF, CF_SERVERS, CF_ACTION_POWER},
    {"stop hard", CF_VERB_OFF_HARD, CF_SERVERS, CF_ACTION_POWER},
    {"reboot", CF_VERB_REBOOT, CF_SERVERS, CF_ACTION_POWER},
    {"reboot hard", CF_VERB_REBOOT_HARD, CF_SERVERS, CF_ACTION_POWER},
    {"pause, unpause", CF_VERB_PAUSE, CF_SERVERS, CF_ACTION_POWER},
    {"suspend, resume", CF_VERB_SUSPEND, CF_SERVERS, CF_ACTION_POWER},
    {"shelve, unshelve", CF_VERB_SHELVE, CF_SERVERS, CF_ACTION_POWER},
    {"lock a server", -1, CF_SERVERS, CF_ACTION_LOCK},
    {"say why it is locked", -1, CF_SERVERS, CF_ACTION_LOCK_REASON},
    {"metadata of a server", -1, CF_SERVERS, CF_ACTION_METADATA},
    {"what the console printed", -1, CF_SERVERS, CF_ACTION_CONSOLE_LOG},
    {"rename a server", -1, CF_SERVERS, CF_ACTION_RENAME},
    {"describe a server", -1, CF_SERVERS, CF_ACTION_DESCRIBE},
    {"tags of a server", -1, CF_SERVERS, CF_ACTION_TAGS},
    {"console", -1, CF_SERVERS, CF_ACTION_CONSOLE},
    {"image from a server", -1, CF_SERVERS, CF_ACTION_CAPTURE},
    {"rename an image", -1, CF_IMAGES, CF_ACTION_RENAME},
    {"describe an image", -1, CF_IMAGES, CF_ACTION_DESCRIBE},
    {"tags of an image", -1, CF_IMAGES, CF_ACTION_TAGS},
    {"delete an image", -1, CF_IMAGES, CF_ACTION_DELETE},
};

static void
check_action(const CfProviderOps *ops, const char *action, gboolean yes, guint *counter)
{
    gboolean can;
    guint i = 0;

    if (strcmp(action, "many at once") == 0) {
        can = ops->batch_max > 1;
    } else {
        while (i < G_N_ELEMENTS(actions) && strcmp(actions[i].action, action) != 0)
            i++;
        if (i == G_N_ELEMENTS(actions))
            g_error("doc/attributes.md: no action is called ‘%s’", action);
        can = (ops->can[actions[i].collection] & CF_CAN(actions[i].kind)) != 0 &&
              (actions[i].verb < 0 || ops->verbs & 1u << actions[i].verb);
    }
    if (can != yes)
        g_error("doc/attributes.md: ‘%s’ of %s is %s in its table", action, ops->name,
                can ? "yes" : "no");
    (*counter)++;
}

static void
test_can(void)
{
    guint cells = 0;

    g_assert_cmpuint(each_cell(HEAD_ACTIONS, 2, check_action, &cells), ==,
                     G_N_ELEMENTS(actions) + 1);
    g_assert_cmpuint(cells, >=, 2 * (G_N_ELEMENTS(actions) + 1));
}

/* first: "`task` of servers". counter: the cells that say no. */
static void
check_told(const CfProviderOps *ops, const char *first, gboolean yes, guint *counter)
{
    g_auto(GStrv) words = g_strsplit(first, "` of ", 2);
    CfCollection collection = g_strcmp0(words[1], "images") == 0 ? CF_IMAGES : CF_SERVERS;
    int field = cf_schema_find(collection, words[0] + 1);

    if (field < 0)
        g_error("doc/attributes.md: there is no %s", first);
    if (yes != !(ops->lacks[collection] & CF_FIELD_BIT(field)))
        g_error("doc/attributes.md: %s is otherwise in the table of %s", first, ops->name);
    *counter += !yes;
}

static void
test_told(void)
{
    guint lacking = 0;
    guint said = 0;

    for (const CfProviderOps *const *ops = cf_providers_get(); *ops; ops++)
        for (guint c = 0; c < CF_COLLECTION_N; c++)
            for (guint field = 0; field < CF_FIELD_MAX; field++)
                lacking += ((*ops)->lacks[c] & CF_FIELD_BIT(field)) != 0;
    g_assert_cmpuint(each_cell(HEAD_TOLD, 1, check_told, &said), >, 5);
    g_assert_cmpuint(said, ==, lacking); /* what no row names, no cloud lacks */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attributes/the-page-says-what-the-tables-say", test_rows);
    g_test_add_func("/attributes/what-each-cloud-can-do", test_can);
    g_test_add_func("/attributes/what-each-cloud-tells", test_told);
    return g_test_run();
}
