/* A small world to look at: twelve servers and six images of an imagined company. */
#include "sim/inspur.h"

static const struct {
    const char *id, *name, *system, *type, *visibility, *created, *description;
    guint64 size;
} images[] = {
    {"1f0c8a52-6a3e-4d0b-9a11-0c5d2e7f1a01", "centos7.6_x86_64", "centos7.6", "linux", "public",
     "2023-03-07T12:14:25.000+0000", "CentOS 7.6 minimal", 1257963520},
    {"1f0c8a52-6a3e-4d0b-9a11-0c5d2e7f1a02", "ubuntu22.04_x86_64", "ubuntu22.04", "linux", "public",
     "2023-05-11T08:02:10.000+0000", "Ubuntu Server 22.04 LTS", 2361393152},
    {"1f0c8a52-6a3e-4d0b-9a11-0c5d2e7f1a03", "windows2019_x64_cn", "windows2019", "windows",
     "public", "2023-04-19T03:40:00.000+0000", "Windows Server 2019 数据中心版", 11811160064},
    {"1f0c8a52-6a3e-4d0b-9a11-0c5d2e7f1a04", "debian12_x86_64", "debian12", "linux", "public",
     "2023-09-02T17:21:33.000+0000", "Debian 12", 1073741824},
    {"1f0c8a52-6a3e-4d0b-9a11-0c5d2e7f1a05", "shop_web_golden", "ubuntu22.04", "linux", "private",
     "2024-02-20T09:00:00.000+0000", "web tier of the shop, patched February", 4294967296},
    {"1f0c8a52-6a3e-4d0b-9a11-0c5d2e7f1a06", "before_upgrade_备份", "centos7.6", "linux", "private",
     "2024-01-05T21:30:00.000+0000", "db-1 before the upgrade", 21474836480},
};

static const struct {
    const char *name, *status;
    guint image;
    const char *flavor;
    guint vcpus, ram, disk;
    const char *vpc, *private_ip, *public_ip; /* public_ip: (nullable) */
    const char *created, *tags;               /* tags: joined with commas */
} servers[] = {
    {"shop-web-1", "ACTIVE", 4, "s1.medium.2", 2, 4096, 50, "vpc-shop", "10.1.0.11", "203.0.113.11",
     "2024-02-21T08:12:40Z", "shop,web,prod"},
    {"shop-web-2", "ACTIVE", 4, "s1.medium.2", 2, 4096, 50, "vpc-shop", "10.1.0.12", "203.0.113.12",
     "2024-02-21T08:13:02Z", "shop,web,prod"},
    {"shop-web-3", "SHUTOFF", 4, "s1.medium.2", 2, 4096, 50, "vpc-shop", "10.1.0.13", NULL,
     "2024-02-21T08:13:30Z", "shop,web,spare"},
    {"shop-db-1", "ACTIVE", 0, "m1.xlarge.4", 8, 32768, 100, "vpc-shop", "10.1.1.21", NULL,
     "2023-06-14T02:45:00Z", "shop,db,prod"},
    {"shop-db-2", "ACTIVE", 0, "m1.xlarge.4", 8, 32768, 100, "vpc-shop", "10.1.1.22", NULL,
     "2023-06-14T02:45:09Z", "shop,db,prod"},
    {"shop-cache", "ACTIVE", 3, "m1.large.4", 4, 16384, 40, "vpc-shop", "10.1.1.31", NULL,
     "2023-10-30T11:11:11Z", "shop,cache,prod"},
    {"build-1", "SHUTOFF", 3, "c1.2xlarge.1", 16, 16384, 200, "vpc-office", "10.2.0.41", NULL,
     "2023-11-02T07:30:00Z", "ci"},
    {"build-2", "ACTIVE", 3, "c1.2xlarge.1", 16, 16384, 200, "vpc-office", "10.2.0.42", NULL,
     "2023-11-02T07:31:00Z", "ci"},
    {"bastion", "ACTIVE", 1, "s1.small.1", 1, 1024, 40, "vpc-office", "10.2.0.2", "203.0.113.2",
     "2023-05-20T00:00:00Z", "access"},
    {"财务系统", "ACTIVE", 2, "s1.xlarge.2", 8, 16384, 100, "vpc-office", "10.2.0.51", NULL,
     "2023-07-07T01:20:00Z", "finance,windows"},
    {"old-wiki", "ERROR", 5, "s1.small.1", 1, 1024, 40, "vpc-office", "10.2.0.61", NULL,
     "2022-01-17T13:00:00Z", ""},
    {"test-upgrade", "PAUSED", 5, "m1.xlarge.4", 8, 32768, 100, "vpc-test", "10.3.0.71", NULL,
     "2024-01-06T06:06:06Z", "test"},
};

static char *
make_image(guint i)
{
    return g_strdup_printf(
        "{\"id\":\"%s\",\"name\":\"%s\",\"tags\":[\"ECS\",\"%s\"],\"status\":\"active\","
        "\"checksum\":\"%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x\","
        "\"owner\":\"35ee734f83814f039084c9b55228e671\",\"visibility\":\"%s\",\"size\":"
        "%" G_GUINT64_FORMAT ",\"self\":\"/v2/images/%s\",\"file\":\"/v2/images/%s/file\","
        "\"schema\":\"/v2/schemas/image\",\"description\":\"%s\",\"system\":\"%s\","
        "\"systemType\":\"%s\",\"container_format\":\"bare\",\"disk_format\":\"%s\","
        "\"created_at\":\"%s\",\"updated_at\":\"%s\",\"min_disk\":40,\"min_ram\":0,"
        "\"protected\":false}",
        images[i].id, images[i].name, images[i].system, cf_sim_mix(11, i), cf_sim_mix(12, i),
        images[i].visibility, images[i].size, images[i].id, images[i].id, images[i].description,
        images[i].system, images[i].type, i < 4 ? "qcow2" : "raw", images[i].created,
        images[i].created);
}

static void
append_server_network(guint i, GString *out)
{
    g_string_append_printf(out,
                           ",\"security_groups\":[{\"name\":\"default\"}],\"vpcid\":"
                           "\"0dae26c9-9a70-4392-93f3-87d53115d1%02x\",\"vpcname\":\"%s\","
                           "\"nics\":[{\"subnet_id\":\"157ee789-03ea-45b1-a698-76c92660dd83\","
                           "\"subnet_name\":\"%s-a\",\"subnet_cidr\":\"%.4s.0.0/16\","
                           "\"network_id\":\"5d0180c1-ddaa-4582-9111-6332e0b091e1\","
                           "\"mac_address\":\"fa:16:3e:dc:d1:%02x\",\"fixed_ip\":\"%s\","
                           "\"portid\":\"7bd0c0de-0000-4000-8000-0000000000%02x\"}]",
                           servers[i].vpc[4], servers[i].vpc, servers[i].vpc, servers[i].private_ip,
                           i, servers[i].private_ip, i);
    if (servers[i].public_ip)
        g_string_append_printf(out,
                               ",\"eip\":{\"eipid\":\"e1b00000-0000-4000-8000-0000000000%02x\","
                               "\"iptype\":\"5_bgp\",\"bandwidth\":10,\"chargemode\":"
                               "\"Bandwidth\",\"ip_addr\":\"%s\"}",
                               i, servers[i].public_ip);
}

static char *
make_server(guint i)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(
        out,
        "{\"regionID\":\"cn-north-3\",\"availability_zone\":\"cn-north-3%c\",\"name\":\"%s\","
        "\"id\":\"9168b536-cd40-4630-b43f-b259807c6e%02x\",\"status\":\"%s\",\"task_state\":null,"
        "\"image\":{\"id\":\"%s\",\"name\":\"%s\",\"system\":\"%s\",\"systemType\":\"%s\","
        "\"tags\":[\"ECS\"]}",
        "ab"[i % 2], servers[i].name, 0x10 + i, servers[i].status, images[servers[i].image].id,
        images[servers[i].image].name, images[servers[i].image].system,
        images[servers[i].image].type);
    g_string_append_printf(out,
                           ",\"root_volume\":{\"volumetype\":\"SSD\",\"size\":%u},\"flavor\":"
                           "{\"disk\":%u,\"ephemeral\":0,\"extra_specs\":{\"hw:cpu_policy\":"
                           "\"dedicated\"},\"original_name\":\"%s\",\"ram\":%u,\"swap\":0,"
                           "\"vcpus\":%u}",
                           servers[i].disk, servers[i].disk, servers[i].flavor, servers[i].ram,
                           servers[i].vcpus);
    append_server_network(i, out);
    g_string_append_printf(out,
                           ",\"key_name\":\"ops\",\"feeData\":{\"chargetype\":\"%s\","
                           "\"startFeeTime\":\"2024-01-01 08:00:00\",\"nextFeeTime\":"
                           "\"2027-01-01 08:00:00\"},\"created\":\"%s\",\"hostId\":"
                           "\"12efd5567jklu%u\",\"host\":\"node-%02u\"}",
                           i % 3 ? "prePaid" : "monthly", servers[i].created, i % 4, i % 4);
    return g_string_free(out, FALSE);
}

static GPtrArray *
split_tags(const char *joined)
{
    g_auto(GStrv) words = g_strsplit(joined, ",", -1);
    GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; words[i]; i++)
        g_ptr_array_add(tags, g_strdup(words[i]));
    return tags;
}

void
cf_sim_inspur_populate_demo(CfSim *sim)
{
    for (guint i = 0; i < G_N_ELEMENTS(images); i++)
        cf_sim_world_add(sim->world, CF_SIM_IMAGES, make_image(i), NULL);
    for (guint i = 0; i < G_N_ELEMENTS(servers); i++) {
        CfSimRecord *record = cf_sim_world_add(sim->world, CF_SIM_SERVERS, make_server(i), NULL);

        record->tags = split_tags(servers[i].tags);
    }
}
