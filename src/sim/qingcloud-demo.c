/* A small world to look at: eight servers and five images of an imagined company. */
#include "sim/qingcloud.h"

static const struct {
    const char *id, *name, *family, *platform, *status, *description; /* (nullable): description */
    gboolean own;
    guint size;
    const char *tags; /* joined with commas */
} images[] = {
    {"centos76x64a", "CentOS 7.6 64bit", "centos", "linux", "available", NULL, FALSE, 20, ""},
    {"jammy1x64", "Ubuntu Server 22.04 LTS 64bit", "ubuntu", "linux", "available", NULL, FALSE, 20,
     ""},
    {"win2k19dtc", "Windows Server 2019 数据中心版", "windows", "windows", "available", NULL, FALSE,
     50, ""},
    {"img-shopweb1", "shop_web_golden", "ubuntu", "linux", "available",
     "web tier of the shop, patched February", TRUE, 20, "shop,web"},
    {"img-oldwiki1", "wiki before the move", "centos", "linux", "deleted", "", TRUE, 40, ""},
};

static const struct {
    const char *id, *name, *status;
    guint image;
    const char *type;
    guint vcpus, memory;
    const char *private_ip, *public_ip; /* public_ip: (nullable) */
    const char *created, *tags;         /* tags: joined with commas */
} servers[] = {
    {"i-shopweb1", "shop-web-1", "running", 3, "c2m4", 2, 4096, "10.1.0.11", "203.0.113.11",
     "2024-02-21T08:12:40Z", "shop,web,prod"},
    {"i-shopweb2", "shop-web-2", "running", 3, "c2m4", 2, 4096, "10.1.0.12", "203.0.113.12",
     "2024-02-21T08:13:02Z", "shop,web,prod"},
    {"i-shopweb3", "shop-web-3", "stopped", 3, "c2m4", 2, 4096, "10.1.0.13", NULL,
     "2024-02-21T08:13:30Z", "shop,web,spare"},
    {"i-shopdb01", "shop-db-1", "running", 0, "c8m32", 8, 32768, "10.1.1.21", NULL,
     "2023-06-14T02:45:00Z", "shop,db,prod"},
    {"i-build001", "build-1", "stopped", 1, "c16m16", 16, 16384, "10.2.0.41", NULL,
     "2023-11-02T07:30:00Z", "ci"},
    {"i-bastion1", "bastion", "running", 1, "c1m1", 1, 1024, "10.2.0.2", "203.0.113.2",
     "2023-05-20T00:00:00Z", "access"},
    {"i-finance1", "财务系统", "running", 2, "c8m16", 8, 16384, "10.2.0.51", NULL,
     "2023-07-07T01:20:00Z", "finance,windows"},
    {"i-oldwiki1", "old-wiki", "suspended", 0, "c1m1", 1, 1024, "10.2.0.61", NULL,
     "2022-01-17T13:00:00Z", ""},
};

static char *
make_image(guint i)
{
    g_autoptr(GString) description = g_string_new(NULL);

    cf_sim_raw_quote(description, images[i].description);
    return g_strdup_printf(
        "{\"image_id\":\"%s\",\"image_name\":\"%s\",\"description\":%s,\"size\":%u,"
        "\"processor_type\":\"64bit\",\"platform\":\"%s\",\"os_family\":\"%s\",\"visibility\":"
        "\"%s\",\"provider\":\"%s\",\"owner\":\"%s\",\"recommended_type\":\"small_b\","
        "\"sub_code\":0,\"status\":\"%s\",\"transition_status\":\"\",\"create_time\":"
        "\"2023-03-07T12:14:25Z\",\"status_time\":\"2024-02-20T09:00:00Z\",\"tags\":[]}",
        images[i].id, images[i].name, description->str, images[i].size, images[i].platform,
        images[i].family, images[i].own ? "private" : "public", images[i].own ? "self" : "system",
        images[i].own ? CF_SIM_QINGCLOUD_OWNER : "system", images[i].status);
}

static void
append_server_network(guint i, GString *out)
{
    g_string_append_printf(out,
                           ",\"vxnets\":[{\"vxnet_id\":\"vxnet-demo%03u\",\"vxnet_name\":"
                           "\"office\",\"vxnet_type\":1,\"nic_id\":\"52:54:00:dc:d1:%02x\","
                           "\"private_ip\":\"%s\",\"role\":1}]",
                           i % 3, i, servers[i].private_ip);
    if (servers[i].public_ip)
        g_string_append_printf(out,
                               ",\"eip\":{\"eip_id\":\"eip-demo%04u\",\"eip_addr\":\"%s\","
                               "\"bandwidth\":\"10\"}",
                               i, servers[i].public_ip);
}

static char *
make_server(guint i)
{
    guint image = servers[i].image;
    GString *out = g_string_new(NULL);

    g_string_append_printf(
        out,
        "{\"instance_id\":\"%s\",\"instance_name\":\"%s\",\"description\":null,\"instance_type\":"
        "\"%s\",\"instance_class\":0,\"vcpus_current\":%u,\"memory_current\":%u,\"status\":\"%s\","
        "\"transition_status\":\"\",\"sub_code\":0,\"create_time\":\"%s\",\"status_time\":\"%s\","
        "\"owner\":\"%s\",\"zone_id\":\"pek3%c\"",
        servers[i].id, servers[i].name, servers[i].type, servers[i].vcpus, servers[i].memory,
        servers[i].status, servers[i].created, servers[i].created, CF_SIM_QINGCLOUD_OWNER,
        "ab"[i % 2]);
    g_string_append_printf(
        out,
        ",\"image\":{\"image_id\":\"%s\",\"image_name\":\"%s\",\"image_size\":%u,\"platform\":"
        "\"%s\",\"os_family\":\"%s\",\"processor_type\":\"64bit\",\"provider\":\"%s\"}",
        images[image].id, images[image].name, images[image].size, images[image].platform,
        images[image].family, images[image].own ? "self" : "system");
    append_server_network(i, out);
    g_string_append_printf(out,
                           ",\"graphics_protocol\":\"vnc\",\"graphics_passwd\":\"fake%04u\","
                           "\"security_group\":{\"is_default\":1,\"security_group_name\":"
                           "\"default\",\"security_group_id\":\"sg-demo0001\"},\"volume_ids\":[],"
                           "\"keypair_ids\":[\"kp-demo0001\"],\"extra\":{\"os_disk_size\":%u},"
                           "\"tags\":[]}",
                           i, images[image].size);
    return g_string_free(out, FALSE);
}

static void
set_tags(CfSim *sim, CfSimRecord *record, const char *joined)
{
    g_auto(GStrv) words = g_strsplit(joined, ",", -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; words[i]; i++)
        g_ptr_array_add(names, words[i]);
    cf_sim_qingcloud_set_tags(sim, record, names);
}

void
cf_sim_qingcloud_populate_demo(CfSim *sim)
{
    for (guint i = 0; i < G_N_ELEMENTS(images); i++)
        set_tags(sim, cf_sim_world_add(sim->world, CF_SIM_IMAGES, make_image(i), NULL),
                 images[i].tags);
    for (guint i = 0; i < G_N_ELEMENTS(servers); i++)
        set_tags(sim, cf_sim_world_add(sim->world, CF_SIM_SERVERS, make_server(i), NULL),
                 servers[i].tags);
}
