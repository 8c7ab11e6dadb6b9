/* A small world to look at: the same imagined company, in its private cloud. */
#include <string.h>

#include "sim/ucloudstack.h"

static const struct {
    const char *id, *name, *os, *type, *distribution, *description;
    gboolean custom;
    guint size, created;
} images[] = {
    {"image-7f00c0de0001", "CentOS 7.6 64位", "CentOS 7.6 x86_64", "Linux", "Centos",
     "CentOS 7.6 minimal", FALSE, 20, 1678190065},
    {"image-7f00c0de0002", "Ubuntu 22.04 64位", "Ubuntu 22.04 x86_64", "Linux", "Ubuntu",
     "Ubuntu Server 22.04 LTS", FALSE, 20, 1683792130},
    {"image-7f00c0de0003", "Windows 2019 64位", "Windows 2019 x86_64", "Windows", "Windows",
     "Windows Server 2019 数据中心版", FALSE, 40, 1681875600},
    {"image-7f00c0de0004", "backup-appliance", "CentOS 7.6 x86_64", "Linux", "Centos",
     "the backup server, patched February", TRUE, 40, 1708419600},
    {"image-7f00c0de0005", "before_upgrade_备份", "CentOS 7.6 x86_64", "Linux", "Centos",
     "ledger-db before the upgrade", TRUE, 100, 1704490200},
};

static const struct {
    const char *name, *state;
    guint image, cpus, memory, disk;
    const char *vpc, *private_ip, *public_ip; /* public_ip: (nullable) */
    const char *remark, *project;
    guint created;
} servers[] = {
    {"backup-1", "Running", 3, 4, 8192, 40, "vpc-office", "10.20.0.11", NULL, "nightly backups",
     "ops", 1708503160},
    {"backup-2", "Stopped", 3, 4, 8192, 40, "vpc-office", "10.20.0.12", NULL, "spare", "ops",
     1708503182},
    {"ledger-db", "Running", 0, 8, 32768, 100, "vpc-finance", "10.21.0.21", NULL, "", "finance",
     1686710700},
    {"ledger-web", "Running", 1, 2, 4096, 40, "vpc-finance", "10.21.0.31", "203.0.113.31", "",
     "finance", 1686710709},
    {"报表服务器", "Running", 2, 8, 16384, 100, "vpc-finance", "10.21.0.51", NULL,
     "monthly reports", "finance", 1688692800},
    {"print-server", "Stopped", 2, 2, 4096, 40, "vpc-office", "10.20.0.61", NULL, "", "ops",
     1642424400},
    {"old-intranet", "Failed", 4, 1, 2048, 100, "vpc-office", "10.20.0.62", NULL, "host broke down",
     "ops", 1642424411},
    {"gateway", "Running", 1, 1, 1024, 40, "vpc-office", "10.20.0.2", "203.0.113.2", "vpn", "ops",
     1684540800},
};

static char *
make_image(guint i)
{
    return g_strdup_printf(
        "{\"Region\":\"%s\",\"CompanyID\":%u,\"Email\":\"ops@example.com\",\"ProjectID\":"
        "\"org-ops\",\"ProjectName\":\"ops\",\"ImageID\":\"%s\",\"Name\":\"%s\","
        "\"ImageDescription\":\"%s\",\"ImageSize\":%u,\"ImageType\":\"%s\",\"OSType\":\"%s\","
        "\"OSName\":\"%s\",\"SetArch\":\"x86_64\",\"OSDistribution\":\"%s\",\"ImageStatus\":"
        "\"Used\",\"CreateTime\":%u,\"UpdateTime\":%u,\"RegionAlias\":\"华北\",\"Reason\":\"\","
        "\"Remarkable\":%s}",
        CF_SIM_UCLOUD_REGION, CF_SIM_UCLOUD_COMPANY, images[i].id, images[i].name,
        images[i].description, images[i].size, images[i].custom ? "Custom" : "Base", images[i].type,
        images[i].os, images[i].distribution, images[i].created, images[i].created + 600,
        images[i].custom ? "true" : "false");
}

static void
append_address(const char *ip, const char *type, gboolean public, GString *out)
{
    g_string_append_printf(out,
                           "{\"IP\":\"%s\",\"Type\":\"%s\",\"IPVersion\":\"IPv4\",\"SGID\":"
                           "\"sg-1\",\"SGName\":\"default\",\"IsElastic\":\"%s\",\"IsVIP\":\"N\","
                           "\"ISDefaultGW\":%d,\"NicType\":\"%s\"}",
                           ip, type, public ? "Y" : "N", public, public ? "WAN" : "LAN");
}

static void
append_hardware(guint i, GString *out)
{
    g_string_append_printf(out,
                           ",\"VMType\":\"Normal\",\"VMTypeAlias\":\"普通\",\"CPU\":%u,\"Memory\":"
                           "%u,\"GPU\":0,\"DiskInfos\":[{\"Type\":\"Boot\",\"DiskID\":"
                           "\"disk-7f00%04x\",\"Name\":\"boot\",\"Drive\":\"vda\",\"Size\":%u,"
                           "\"IsElastic\":\"N\",\"StorageSetType\":\"StorageNormal\"}],"
                           "\"IPInfos\":[",
                           servers[i].cpus, servers[i].memory, i, servers[i].disk);
    append_address(servers[i].private_ip, "Private", FALSE, out);
    if (servers[i].public_ip) {
        g_string_append_c(out, ',');
        append_address(servers[i].public_ip, "Public", TRUE, out);
    }
    g_string_append_c(out, ']');
}

static char *
make_server(guint i)
{
    guint image = servers[i].image;
    GString *out = g_string_new(NULL);

    g_string_append_printf(
        out,
        "{\"Region\":\"%s\",\"RegionAlias\":\"华北\",\"CompanyID\":%u,\"Email\":"
        "\"ops@example.com\",\"ProjectID\":\"org-%s\",\"ProjectName\":\"%s\",\"VMID\":"
        "\"vm-7f00c0de%04x\",\"Name\":\"%s\",\"State\":\"%s\",\"Remark\":\"%s\"",
        CF_SIM_UCLOUD_REGION, CF_SIM_UCLOUD_COMPANY, servers[i].project, servers[i].project,
        0x10 + i, servers[i].name, servers[i].state, servers[i].remark);
    g_string_append_printf(
        out,
        ",\"ImageID\":\"%s\",\"BasicImageName\":\"%s\",\"OSName\":\"%s\","
        "\"OSType\":\"%s\",\"SetID\":\"set-1\",\"SetArch\":\"x86_64\",\"HostIP\":"
        "\"172.16.0.%u\"",
        images[image].id, images[image].name, images[image].os, images[image].type, i % 3 + 1);
    append_hardware(i, out);
    g_string_append_printf(out,
                           ",\"VPCID\":\"%s\",\"VPCName\":\"%s\",\"SubnetID\":\"subnet-1\","
                           "\"SubnetName\":\"servers\",\"CreateTime\":%u,\"UpdateTime\":%u,"
                           "\"ExpireTime\":%u,\"ChargeType\":\"%s\",\"CanLogin\":true,\"Reason\":"
                           "\"%s\"}",
                           servers[i].vpc, servers[i].vpc, servers[i].created,
                           servers[i].created + 600, i % 2 ? 1830268800 : 0,
                           i % 2 ? "Year" : "Dynamic",
                           strcmp(servers[i].state, "Failed") == 0 ? "宿主机故障" : "");
    return g_string_free(out, FALSE);
}

void
cf_sim_ucloud_populate_demo(CfSim *sim)
{
    for (guint i = 0; i < G_N_ELEMENTS(images); i++)
        cf_sim_world_add(sim->world, CF_SIM_IMAGES, make_image(i), NULL);
    for (guint i = 0; i < G_N_ELEMENTS(servers); i++)
        cf_sim_world_add(sim->world, CF_SIM_SERVERS, make_server(i), NULL);
}
