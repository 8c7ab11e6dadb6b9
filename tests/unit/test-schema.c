#include "model/schema.h"

#include <string.h>

/* The contract's words, in its order; scripts depend on them. */
static const char *const server_names[] = {
    "id",
    "name",
    "status",
    "state",
    "task",
    "created",
    "updated",
    "description",
    "zone",
    "region",
    "host",
    "key_name",
    "flavor",
    "vcpus",
    "ram_mb",
    "root_disk_gb",
    "addresses",
    "private_addresses",
    "public_addresses",
    "security_groups",
    "charge_type",
    "expires",
    "tags",
    "image",
    "lock",
    "locked_reason",
    "fault",
    "metadata",
};
static const char *const image_names[] = {
    "id",          "name",       "status", "state",     "tags",     "description", "size",
    "min_disk_gb", "min_ram_mb", "os",     "os_family", "platform", "arch",        "visibility",
    "owner",       "provider",   "format", "checksum",  "created",  "updated",
};

static void
check_names(CfCollection collection, const char *const *names, guint n_names)
{
    guint n;
    const CfField *fields = cf_schema_get(collection, &n);

    g_assert_cmpuint(n, ==, n_names);
    g_assert_cmpuint(n, <=, CF_FIELD_MAX);
    for (guint i = 0; i < n; i++) {
        g_assert_cmpstr(fields[i].name, ==, names[i]);
        g_assert_cmpint(cf_schema_find(collection, names[i]), ==, (int) i);
        g_assert_cmpuint(strlen(fields[i].doc), >, 10);
        g_assert_true(g_str_has_suffix(fields[i].doc, "."));
    }
    g_assert_cmpint(cf_schema_find(collection, "power"), ==, -1);
    g_assert_cmpint(cf_schema_find(collection, ""), ==, -1);
}

static void
test_names(void)
{
    check_names(CF_SERVERS, server_names, G_N_ELEMENTS(server_names));
    check_names(CF_IMAGES, image_names, G_N_ELEMENTS(image_names));
    g_assert_cmpstr(cf_collection_name(CF_SERVERS), ==, "servers");
    g_assert_cmpstr(cf_collection_name(CF_IMAGES), ==, "images");
}

static void
test_types(void)
{
    const CfField *servers = cf_schema_get(CF_SERVERS, NULL);
    const CfField *images = cf_schema_get(CF_IMAGES, NULL);

    g_assert_cmpint(servers[CF_SERVER_TAGS].type, ==, CF_FIELD_LIST);
    g_assert_cmpint(servers[CF_SERVER_EXPIRES].type, ==, CF_FIELD_TIME);
    g_assert_cmpint(servers[CF_SERVER_RAM_MB].type, ==, CF_FIELD_NUMBER);
    g_assert_cmpstr(servers[CF_SERVER_RAM_MB].unit, ==, "MiB");
    g_assert_cmpstr(images[CF_IMAGE_SIZE].unit, ==, "bytes");
    g_assert_null(servers[CF_SERVER_NAME].unit);
}

static void
test_states(void)
{
    static const struct {
        CfState state;
        const char *name;
        gboolean transitional;
        const char *power;
    } rows[] = {
        {CF_STATE_UNKNOWN, "unknown", FALSE, "unknown"},
        {CF_STATE_RUNNING, "running", FALSE, "on"},
        {CF_STATE_STOPPED, "stopped", FALSE, "off"},
        {CF_STATE_PAUSED, "paused", FALSE, "paused"},
        {CF_STATE_SUSPENDED, "suspended", FALSE, "suspended"},
        {CF_STATE_STARTING, "starting", TRUE, "changing"},
        {CF_STATE_STOPPING, "stopping", TRUE, "changing"},
        {CF_STATE_REBOOTING, "rebooting", TRUE, "changing"},
        {CF_STATE_BUILDING, "building", TRUE, "changing"},
        {CF_STATE_RESIZING, "resizing", TRUE, "changing"},
        {CF_STATE_REBUILDING, "rebuilding", TRUE, "changing"},
        {CF_STATE_DELETING, "deleting", TRUE, "changing"},
        {CF_STATE_DELETED, "deleted", FALSE, "unknown"},
        {CF_STATE_ERROR, "error", FALSE, "unknown"},
        {CF_STATE_CREATING, "creating", TRUE, "unknown"},
        {CF_STATE_AVAILABLE, "available", FALSE, "unknown"},
        {CF_STATE_DEPRECATED, "deprecated", FALSE, "unknown"},
        {CF_STATE_DISABLED, "disabled", FALSE, "unknown"},
    };
    CfState state;

    g_assert_cmpuint(G_N_ELEMENTS(rows), ==, CF_STATE_N);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpstr(cf_state_to_string(rows[i].state), ==, rows[i].name);
        g_assert_true(cf_state_from_string(rows[i].name, &state));
        g_assert_cmpint(state, ==, rows[i].state);
        g_assert_cmpint(cf_state_is_transitional(rows[i].state), ==, rows[i].transitional);
        g_assert_cmpstr(cf_power_to_string(cf_power_of_state(rows[i].state)), ==, rows[i].power);
    }
    g_assert_false(cf_state_from_string("Running", &state));
    g_assert_false(cf_state_from_string("", &state));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schema/names", test_names);
    g_test_add_func("/schema/types", test_types);
    g_test_add_func("/schema/states", test_states);
    return g_test_run();
}
