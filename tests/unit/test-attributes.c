/* doc/attributes.md says what the tables say: every row, and no other. */
#include <string.h>

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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attributes/the-page-says-what-the-tables-say", test_rows);
    return g_test_run();
}
