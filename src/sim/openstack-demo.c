/* A small world to look at: the same imagined company, in its OpenStack. */
#include <string.h>

#include "sim/openstack.h"

static const struct {
    const char *name, *distribution, *description;
    gboolean own;
} images[] = {
    {"debian-12", "debian", "Debian 12 generic cloud", FALSE},
    {"ubuntu-22.04", "ubuntu", "Ubuntu Server 22.04 LTS", FALSE},
    {"windows-2022", "windows", "Windows Server 2022 Datacenter", FALSE},
    {"backup-appliance", "debian", "the backup server, patched February", TRUE},
    {"before_upgrade_备份", "debian", "ledger-db before the upgrade", TRUE},
};

static const struct {
    const char *name, *status;
    guint image;
    const char *flavor;
    guint vcpus, ram, disk;
    const char *fixed, *floating; /* floating: (nullable) */
    const char *tags;             /* JSON */
    const char *description;      /* (nullable) */
} servers[] = {
    {"backup-1", "ACTIVE", 3, "m1.large", 4, 8192, 80, "10.20.0.11", NULL, "\"backup\",\"ops\"",
     "nightly backups"},
    {"backup-2", "SHUTOFF", 3, "m1.large", 4, 8192, 80, "10.20.0.12", NULL, "\"backup\",\"ops\"",
     "spare"},
    {"ledger-db", "ACTIVE", 0, "m1.xlarge", 8, 16384, 160, "10.21.0.21", NULL,
     "\"finance\",\"prod\"", NULL},
    {"ledger-web", "ACTIVE", 1, "m1.medium", 2, 4096, 40, "10.21.0.31", "203.0.113.31",
     "\"finance\",\"prod\",\"web\"", NULL},
    {"报表服务器", "ACTIVE", 2, "m1.xlarge", 8, 16384, 160, "10.21.0.51", NULL, "\"finance\"",
     "monthly reports"},
    {"print-server", "SUSPENDED", 2, "m1.medium", 2, 4096, 40, "10.20.0.61", NULL, "", NULL},
    {"old-intranet", "ERROR", 4, "m1.small", 1, 2048, 20, "10.20.0.62", NULL, "", NULL},
    {"gateway", "ACTIVE", 1, "m1.small", 1, 2048, 20, "10.20.0.2", "203.0.113.2", "\"ops\"", "vpn"},
};

static void
populate_images(CfSim *sim)
{
    for (guint i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autofree char *plain = cf_sim_os_make(sim, CF_SIM_IMAGES, i);
        g_autofree char *changes = g_strdup_printf(
            "{\"name\":\"%s\",\"status\":\"active\",\"visibility\":\"%s\",\"owner\":\"%s\","
            "\"protected\":false,\"os_distro\":\"%s\",\"os_type\":\"%s\",\"description\":\"%s\","
            "\"tags\":[]}",
            images[i].name, images[i].own ? "private" : "public",
            images[i].own ? CF_SIM_OS_PROJECT : CF_SIM_OS_OTHER_PROJECT, images[i].distribution,
            strcmp(images[i].distribution, "windows") == 0 ? "windows" : "linux",
            images[i].description);

        cf_sim_world_add(sim->world, CF_SIM_IMAGES, cf_sim_raw_merge(plain, cf_sim_span(changes)),
                         NULL);
    }
}

/* Returns: (transfer full): what makes a plain server this one. */
static char *
describe(CfSim *sim, guint i)
{
    const char *status = servers[i].status;
    g_autoptr(GString) image = g_string_new(NULL);
    GString *out = g_string_new(NULL);

    cf_sim_os_append_id(sim, CF_SIM_IMAGES, servers[i].image, image);
    g_string_append_printf(
        out,
        "{\"name\":\"%s\",\"status\":\"%s\",\"OS-EXT-STS:vm_state\":\"%s\","
        "\"OS-EXT-STS:power_state\":%u,\"image\":{\"id\":\"%s\"},\"flavor\":{"
        "\"original_name\":\"%s\",\"vcpus\":%u,\"ram\":%u,\"disk\":%u,\"ephemeral\":0,"
        "\"swap\":0,\"extra_specs\":{}},\"tags\":[%s],\"metadata\":{},\"description\":",
        servers[i].name, status, cf_sim_os_vm_state(status), cf_sim_os_power_state(status),
        image->str, servers[i].flavor, servers[i].vcpus, servers[i].ram, servers[i].disk,
        servers[i].tags);
    cf_sim_raw_quote(out, servers[i].description);
    g_string_append_printf(out,
                           ",\"addresses\":{\"office\":[{\"version\":4,\"addr\":\"%s\","
                           "\"OS-EXT-IPS:type\":\"fixed\"}",
                           servers[i].fixed);
    if (servers[i].floating)
        g_string_append_printf(out,
                               ",{\"version\":4,\"addr\":\"%s\",\"OS-EXT-IPS:type\":\"floating\"}",
                               servers[i].floating);
    g_string_append(out, "]}");
    if (strcmp(status, "ERROR") == 0)
        g_string_append(out, ",\"fault\":{\"code\":500,\"created\":\"2024-02-21T09:12:40Z\","
                             "\"message\":\"the host broke down\"}");
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}

void
cf_sim_os_populate_demo(CfSim *sim)
{
    populate_images(sim);
    for (guint i = 0; i < G_N_ELEMENTS(servers); i++) {
        g_autofree char *plain = cf_sim_os_make(sim, CF_SIM_SERVERS, i);
        g_autofree char *changes = describe(sim, i);

        cf_sim_world_add(sim->world, CF_SIM_SERVERS, cf_sim_raw_merge(plain, cf_sim_span(changes)),
                         NULL);
    }
}
