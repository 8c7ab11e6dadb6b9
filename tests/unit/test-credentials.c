/* What other programs' files give to a profile: which values, whose win, and what is refused. */
#include "config/credentials.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"

static const CfConfigKey qingcloud_keys[] = {
    {"endpoint", .fallback = "https://default.example/iaas/"},
    {"zone", .required = TRUE},
    {"access_key", .required = TRUE},
    {"secret_key", .secret = TRUE, .required = TRUE},
    {0},
};
static const CfConfigKey ucloudstack_keys[] = {
    {"endpoint", .required = TRUE},
    {"region", .required = TRUE},
    {"public_key", .required = TRUE},
    {"private_key", .secret = TRUE, .required = TRUE},
    {"project_id"},
    {0},
};
static const CfConfigKey openstack_keys[] = {
    {"auth_url"},
    {"username"},
    {"user_id"},
    {"password", .secret = TRUE},
    {"token", .secret = TRUE},
    {"application_credential_id"},
    {"application_credential_name"},
    {"application_credential_secret", .secret = TRUE},
    {"user_domain_name"},
    {"user_domain_id"},
    {"project_name"},
    {"project_id"},
    {"project_domain_name"},
    {"project_domain_id"},
    {"region"},
    {"interface", .fallback = "public"},
    {0},
};
static const CfConfigSchema schemas[] = {{"openstack", openstack_keys},
                                         {"qingcloud", qingcloud_keys},
                                         {"ucloudstack", ucloudstack_keys},
                                         {0}};

typedef struct {
    char *dir;  /* where the configuration lies */
    char *here; /* where we were */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("cf-credentials-XXXXXX", NULL);
    f->here = g_get_current_dir();
    g_assert_nonnull(f->dir);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"config",          "q.yaml",           "config.json",
                                        "credential.json", "elsewhere/q.yaml", "elsewhere",
                                        "clouds.yaml",     "secure.yaml"};

    g_assert_cmpint(g_chdir(f->here), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->dir, names[i], NULL);

        g_remove(path);
    }
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    g_free(f->here);
}

static void
write_mode(Fixture *f, const char *name, const char *text, mode_t mode)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t) strlen(text));
    g_assert_cmpint(fchmod(fd, mode), ==, 0);
    close(fd);
}

/* Returns: (transfer full) (nullable). */
static CfConfig *
load(Fixture *f, const char *text, const char *overrides, GError **error)
{
    g_autofree char *path = g_build_filename(f->dir, "config", NULL);
    g_autoptr(CfConfig) config = NULL;

    write_mode(f, "config", text, 0600);
    config = cf_config_load(path, schemas, overrides, error);
    if (!config ||
        !cf_profile_read_secrets(g_ptr_array_index(cf_config_get_profiles(config), 0), error))
        return NULL;
    return g_steal_pointer(&config);
}

static CfProfile *
first(CfConfig *config)
{
    return g_ptr_array_index(cf_config_get_profiles(config), 0);
}

static void
assert_refused(Fixture *f, const char *text, const char *format)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *in_config = g_strdup_printf("%s/config:", f->dir);
    g_auto(GStrv) pieces = g_strsplit(format, "DIR", -1);
    g_autofree char *message = g_strjoinv(f->dir, pieces);

    g_assert_null(load(f, text, NULL, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_assert_true(g_str_has_prefix(error->message, in_config));
    g_assert_cmpstr(error->message + strlen(in_config), ==, message);
}

/* --- QingCloud ------------------------------------------------------------------------------- */

#define Q "[q]\nprovider = qingcloud\ncredentials = q.yaml\n"
#define Q_KEYS                                                                                     \
    "qy_access_key_id: 'FAKEID'\nqy_secret_access_key: \"fake-secret\"\nzone: pek3a # so\n"

static const struct {
    const char *text;
    const char *endpoint;
} endpoints[] = {
    {"", "https://default.example/iaas/"},
    {"host: api.private.example\n", "https://api.private.example/iaas"},
    {"host: api.private.example\nport: 443\nprotocol: https\nuri: /iaas\n",
     "https://api.private.example/iaas"},
    {"host: 'h'\nport: 8080\nprotocol: 'http'\nuri: '/iaas/'\n", "http://h:8080/iaas/"},
    {"host: h\nport: '443'\nprotocol: http\n", "http://h:443/iaas"},
    {"host: h\nport: 80\nprotocol: http\nuri: x\n", "http://h/x"},
    {"host: '2001:db8::7'\nport: 7443\n", "https://[2001:db8::7]:7443/iaas"},
    {"host: '[::1]'\n", "https://[::1]/iaas"},
    {"host: ~\nport:\nprotocol: null\nuri: ''\n", "https://default.example/iaas/"},
    {"uri: /iaas/\n", "https://api.qingcloud.com/iaas/"},
};

static void
test_qingcloud(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(endpoints); i++) {
        g_autofree char *text = g_strconcat(Q_KEYS, endpoints[i].text,
                                            "log_level: 'warn'\nconnection_retries: 3\n", NULL);
        g_autoptr(CfConfig) config = NULL;
        g_autoptr(GError) error = NULL;

        write_mode(f, "q.yaml", text, 0600);
        config = load(f, Q, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(cf_profile_get(first(config), "access_key"), ==, "FAKEID");
        g_assert_cmpstr(cf_profile_get(first(config), "secret_key"), ==, "fake-secret");
        g_assert_cmpstr(cf_profile_get(first(config), "zone"), ==, "pek3a");
        g_assert_cmpstr(cf_profile_get(first(config), "endpoint"), ==, endpoints[i].endpoint);
    }
}

static void
test_profile_wins(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfConfig) config = NULL;
    g_autofree char *described = NULL;
    g_autofree char *from = g_strdup_printf("# from the file %s/q.yaml\nzone=pek3a\n", f->dir);
    g_autofree char *from_secret =
        g_strdup_printf("# from the file %s/q.yaml\nsecret_key=***\n", f->dir);

    write_mode(f, "q.yaml", Q_KEYS "host: theirs.example\n", 0600);
    config = load(f, Q "endpoint = https://ours.example/iaas/\n", "access_key=OURS", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get(first(config), "endpoint"), ==, "https://ours.example/iaas/");
    g_assert_cmpstr(cf_profile_get(first(config), "access_key"), ==, "OURS");
    described = cf_config_describe(config);
    g_assert_null(strstr(described, "fake-secret"));
    g_assert_nonnull(strstr(described, from));
    g_assert_nonnull(strstr(described, from_secret));
}

/* Nothing is read that the profile does not name. */
static void
test_not_named(Fixture *f, gconstpointer data)
{
    g_assert_cmpstr(cf_credentials_get_keys("qingcloud")->name, ==, "credentials");
    g_assert_null(cf_credentials_get_keys("inspur")->name);
    assert_refused(f, "[q]\nprovider = qingcloud\n", "1: [q] lacks ‘zone’");
    assert_refused(f, "[u]\nprovider = ucloudstack\n", "1: [u] lacks ‘endpoint’");
}

static const struct {
    const char *text;
    const char *message;
} q_refusals[] = {
    {"", "DIR/q.yaml:1: no ‘KEY: VALUE’ lines"},
    {"# only this\n", "DIR/q.yaml:1: no ‘KEY: VALUE’ lines"},
    {"just text\n", "DIR/q.yaml:1: no ‘KEY: VALUE’ lines"},
    {"\n- a\n- b\n", "DIR/q.yaml:2: no ‘KEY: VALUE’ lines"},
    {Q_KEYS "\tx: 1\n", "DIR/q.yaml:4: no YAML: found character that cannot start any token"},
    {Q_KEYS "host: [a\n", "DIR/q.yaml:5: no YAML: did not find expected ',' or ']'"},
    {Q_KEYS "x: 'unended\n", "DIR/q.yaml:5: no YAML: found unexpected end of stream"},
    {Q_KEYS "x: \xff\n", "DIR/q.yaml:4: no YAML: invalid leading UTF-8 octet"},
    {Q_KEYS "x: *nowhere\n", "DIR/q.yaml:4: no YAML: found undefined alias"},
    {Q_KEYS "---\nzone: b\n", "DIR/q.yaml:5: a second document begins: which one is meant?"},
    {Q_KEYS "zone: pek3b\n", "DIR/q.yaml:4: a key that stands at line 3 already"},
    {Q_KEYS "host: \"a\\0b\"\n", "DIR/q.yaml:4: a NUL in a value"},
    {Q_KEYS "host:\n  - a\n", "DIR/q.yaml:5: ‘host’ takes one value"},
    {Q_KEYS "protocol: ftp\n", "DIR/q.yaml:4: ‘protocol’ is neither https nor http"},
    {Q_KEYS "port: 0\n", "DIR/q.yaml:4: ‘port’ is not between 1 and 65535"},
    {Q_KEYS "port: 65536\n", "DIR/q.yaml:4: ‘port’ is not between 1 and 65535"},
    {Q_KEYS "port: 99999999999999999999\n", "DIR/q.yaml:4: ‘port’ is not between 1 and 65535"},
    {Q_KEYS "port: -1\n", "DIR/q.yaml:4: ‘port’ is not between 1 and 65535"},
    {"qy_access_key_id: {a: b}\n", "DIR/q.yaml:1: ‘qy_access_key_id’ takes one value"},
};

static void
test_qingcloud_refuses(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(q_refusals); i++) {
        g_autofree char *message =
            g_strconcat("3: ‘credentials’ of [q]: ", q_refusals[i].message, NULL);

        write_mode(f, "q.yaml", q_refusals[i].text, 0600);
        assert_refused(f, Q, message);
    }
    g_assert_cmpint(g_chdir(f->dir), ==, 0);
    g_assert_cmpint(g_remove("q.yaml"), ==, 0);
    assert_refused(f, Q, "3: ‘credentials’ of [q]: DIR/q.yaml: No such file or directory");
    write_mode(f, "q.yaml", "zone: pek3a\nqy_access_key_id: ''\n", 0600);
    assert_refused(f, Q, "1: [q] lacks ‘access_key’, and the files that it names do not give it");
}

static void
test_modes(Fixture *f, gconstpointer data)
{
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0666};

    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *message = g_strdup_printf(
            "3: ‘credentials’ of [q]: DIR/q.yaml can be read or written by others (mode %04o); "
            "mend it with: chmod 600 'DIR/q.yaml'",
            (guint) modes[i]);

        write_mode(f, "q.yaml", Q_KEYS, modes[i]);
        assert_refused(f, Q, message);
    }
}

/* A path in the configuration starts beside it; one in -o starts where the command runs. */
static void
test_paths(Fixture *f, gconstpointer data)
{
    g_autofree char *elsewhere = g_build_filename(f->dir, "elsewhere", NULL);
    g_autoptr(CfConfig) config = NULL;
    g_autoptr(CfConfig) other = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir(elsewhere, 0700), ==, 0);
    write_mode(f, "q.yaml", Q_KEYS, 0600);
    write_mode(f, "elsewhere/q.yaml", "qy_access_key_id: ELSE\nqy_secret_access_key: fake\nzone: z",
               0600);
    g_assert_cmpint(g_chdir(elsewhere), ==, 0);

    config = load(f, Q, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get(first(config), "access_key"), ==, "FAKEID");
    other = load(f, Q, "credentials=q.yaml", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get(first(other), "access_key"), ==, "ELSE");
}

/* --- UCloudStack ----------------------------------------------------------------------------- */

#define U "[u]\nprovider = ucloudstack\ncredentials = .\ncredentials_profile = lab\n"
#define U_CONFIG                                                                                   \
    "[{\"profile\":\"default\",\"active\":true,\"region\":\"cn-bj2\"},\n"                          \
    " {\"profile\":\"lab\",\"active\":false,\"project_id\":\"org-1\",\"region\":\"cn\",\n"         \
    "  \"base_url\":\"https:\\/\\/lab.example/api\",\"timeout_sec\":15,\"zone\":null}]\n"
#define U_CREDENTIAL                                                                               \
    "[{\"profile\":\"default\",\"public_key\":\"X\",\"private_key\":\"Y\"},\n"                     \
    " {\"profile\":\"lab\",\"public_key\":\"fake+pub/=\",\"private_key\":\"fake-private\"}]\n"

static void
test_ucloudstack(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfConfig) config = NULL;
    g_autoptr(CfConfig) alone = NULL;

    write_mode(f, "config.json", U_CONFIG, 0600);
    write_mode(f, "credential.json", U_CREDENTIAL, 0600);
    config = load(f, U, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get(first(config), "endpoint"), ==, "https://lab.example/api");
    g_assert_cmpstr(cf_profile_get(first(config), "region"), ==, "cn");
    g_assert_cmpstr(cf_profile_get(first(config), "project_id"), ==, "org-1");
    g_assert_cmpstr(cf_profile_get(first(config), "public_key"), ==, "fake+pub/=");
    g_assert_cmpstr(cf_profile_get(first(config), "private_key"), ==, "fake-private");

    /* One file will do, where the profile has the rest. */
    write_mode(f, "config.json", "[]", 0600);
    alone = load(f, U "region = own\nendpoint = http://own/api\n", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get(first(alone), "region"), ==, "own");
    g_assert_cmpstr(cf_profile_get(first(alone), "private_key"), ==, "fake-private");
    g_assert_null(cf_profile_get(first(alone), "project_id"));
}

static const struct {
    const char *config; /* (nullable): no such file */
    const char *credential;
    const char *message;
} u_refusals[] = {
    {NULL, NULL,
     "4: ‘credentials_profile’ of [u]: DIR has neither config.json nor credential.json"},
    {U_CONFIG, "[\n{\"profile\":\"lab\",}]",
     "4: ‘credentials_profile’ of [u]: DIR/credential.json:2: no JSON: a key is missing"},
    {U_CONFIG, "[\n{\"profile\":\"lab\"}\n",
     "4: ‘credentials_profile’ of [u]: DIR/credential.json:3: no JSON: the text ends too early"},
    {U_CONFIG, "",
     "4: ‘credentials_profile’ of [u]: DIR/credential.json:1: no JSON: the text ends too early"},
    {U_CONFIG, "\n{}\n",
     "4: ‘credentials_profile’ of [u]: DIR/credential.json:2: not an array of profiles"},
    {U_CONFIG, "[{},\n7]", "4: ‘credentials_profile’ of [u]: DIR/credential.json:2: not an object"},
    {U_CONFIG, "[{\"profile\":\"lab\",\n\"public_key\":{}}]",
     "4: ‘credentials_profile’ of [u]: DIR/credential.json:2: ‘public_key’ is not a string"},
    {"[{\"profile\":\"LAB\"}]", "[{\"profile\":\"x\"}, {\"profile\":7}, {}]",
     "4: ‘credentials_profile’ of [u]: no profile ‘lab’ in DIR/credential.json"},
    {U_CONFIG, "[{\"profile\":\"lab\",\"public_key\":\"\"}]",
     "1: [u] lacks ‘public_key’, and the files that it names do not give it"},
    {U_CONFIG, "[{\"profile\":\"lab\",\"public_key\":\"x\"}]",
     "1: [u] lacks ‘private_key’, and the files that it names do not give it"},
};

static void
test_ucloudstack_refuses(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(g_chdir(f->dir), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(u_refusals); i++) {
        g_remove("config.json");
        g_remove("credential.json");
        if (u_refusals[i].config)
            write_mode(f, "config.json", u_refusals[i].config, 0600);
        if (u_refusals[i].credential)
            write_mode(f, "credential.json", u_refusals[i].credential, 0600);
        assert_refused(f, U, u_refusals[i].message);
    }
    write_mode(f, "config.json", U_CONFIG, 0600);
    write_mode(f, "credential.json", U_CREDENTIAL, 0644);
    assert_refused(f, U,
                   "4: ‘credentials_profile’ of [u]: DIR/credential.json can be read or written by "
                   "others (mode 0644); mend it with: chmod 600 'DIR/credential.json'");
    assert_refused(f, "[u]\nprovider = ucloudstack\ncredentials = .\n",
                   "3: ‘credentials’ of [u]: which of its profiles? ‘credentials_profile’ names "
                   "one");
}

/* --- YAML ------------------------------------------------------------------------------------ */

static void
test_yaml(void)
{
    static const char text[] = "base: &base\n  a: 1\n  b: 'two'\n"
                               "first:\n  <<: *base\n  b: own\n"
                               "second:\n  <<: [*base, {c: 3}]\n  ~: x\n"
                               "round: &round\n  <<: *round\n"
                               "list: [x, null, 'null']\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(CfYaml) yaml = cf_yaml_parse("y", text, strlen(text), &error);
    const CfYamlNode *root, *node, *key;

    g_assert_no_error(error);
    root = cf_yaml_get_root(yaml);
    node = cf_yaml_get(yaml, root, "first");
    g_assert_cmpstr(cf_yaml_get_text(cf_yaml_get(yaml, node, "a")), ==, "1");
    g_assert_cmpstr(cf_yaml_get_text(cf_yaml_get(yaml, node, "b")), ==, "own");
    g_assert_cmpuint(cf_yaml_get_line(cf_yaml_get(yaml, node, "b")), ==, 6);
    node = cf_yaml_get(yaml, root, "second");
    g_assert_cmpstr(cf_yaml_get_text(cf_yaml_get(yaml, node, "b")), ==, "two");
    g_assert_cmpstr(cf_yaml_get_text(cf_yaml_get(yaml, node, "c")), ==, "3");
    g_assert_null(cf_yaml_get(yaml, node, "d"));
    g_assert_null(cf_yaml_get(yaml, cf_yaml_get(yaml, root, "round"), "a"));
    g_assert_null(cf_yaml_get(yaml, cf_yaml_get(yaml, node, "b"), "a"));
    g_assert_null(cf_yaml_get(yaml, NULL, "a"));

    node = cf_yaml_get(yaml, root, "list");
    g_assert_cmpint(cf_yaml_get_kind(node), ==, CF_YAML_SEQUENCE);
    g_assert_null(cf_yaml_get_text(node));
    g_assert_cmpstr(cf_yaml_get_text(cf_yaml_get_member(yaml, node, 0, &key)), ==, "x");
    g_assert_null(key);
    g_assert_null(cf_yaml_get_text(cf_yaml_get_member(yaml, node, 1, NULL)));
    g_assert_cmpstr(cf_yaml_get_text(cf_yaml_get_member(yaml, node, 2, NULL)), ==, "null");
    g_assert_null(cf_yaml_get_member(yaml, node, 3, NULL));
    g_assert_cmpstr(cf_yaml_get_text(cf_yaml_get_member(yaml, root, 1, &key)), ==, NULL);
    g_assert_cmpstr(cf_yaml_get_text(key), ==, "first");
}

/* Any bytes: a value or an error, never both, and nothing touched that is not ours. */
static void
test_yaml_noise(void)
{
    static const char alphabet[] = "ab:\n -[]{},&*'\"#<~!|>%@\t\xc3\xa9\xff\\";

    for (guint i = 0; i < 20000; i++) {
        char text[64];
        gsize size = (gsize) g_test_rand_int_range(0, sizeof text);
        g_autoptr(GError) error = NULL;
        g_autoptr(CfYaml) yaml = NULL;

        for (gsize k = 0; k < size; k++)
            text[k] = alphabet[g_test_rand_int_range(0, sizeof alphabet - 1)];
        yaml = cf_yaml_parse("y", text, size, &error);
        g_assert_true(!yaml == !!error);
        if (yaml)
            cf_yaml_get(yaml, cf_yaml_get_root(yaml), "a");
    }
}

static void
test_yaml_deep(void)
{
    g_autofree char *text = g_strnfill(5000, '[');
    g_autoptr(GError) error = NULL;

    g_assert_null(cf_yaml_parse("y", text, strlen(text), &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
}

/* --- OpenStack ------------------------------------------------------------------------------- */

#define O "[o]\nprovider = openstack\n"

static const char *const variables[] = {"OS_CLOUD",
                                        "OS_CLOUD_NAME",
                                        "OS_CLIENT_CONFIG_FILE",
                                        "OS_CLIENT_SECURE_FILE",
                                        "OS_AUTH_URL",
                                        "OS_USERNAME",
                                        "OS_PASSWORD",
                                        "OS_PROJECT_NAME",
                                        "OS_REGION_NAME",
                                        "OS_AUTH_TYPE",
                                        "OS_IDENTITY_API_VERSION",
                                        "OS_TENANT_NAME",
                                        "OS_INSECURE",
                                        "OS_DOMAIN_NAME",
                                        "OS_DOMAIN_ID",
                                        "OS_DEFAULT_DOMAIN",
                                        "OS_ENDPOINT_TYPE"};

/* In its directory, without a word of ours in the environment. */
static void
set_up_openstack(Fixture *f, gconstpointer data)
{
    set_up(f, data);
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++)
        g_unsetenv(variables[i]);
    g_assert_cmpint(g_chdir(f->dir), ==, 0);
}

static void
tear_down_openstack(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++)
        g_unsetenv(variables[i]);
    tear_down(f, data);
}

static void
write_clouds(Fixture *f)
{
    write_mode(
        f, "clouds.yaml",
        "clouds:\n"
        "  one:\n"
        "    auth: {auth_url: 'http://one:5000/v3', username: alice, password: fake-old,\n"
        "           tenant_name: demo, default_domain: default}\n"
        "    region_name: RegionOne\n"
        "    endpoint_type: internalURL\n"
        "    verify: false\n"
        "  app:\n"
        "    auth_type: v3applicationcredential\n"
        "    auth: {auth_url: 'http://app:5000', application_credential_id: '42',\n"
        "           application_credential_secret: fake-app, password: not-this}\n"
        "    regions: [{name: R1}, R2]\n"
        "    cacert: /ca.pem\n"
        "  ids: {verify: false,\n"
        "    auth: {auth_url: 'http://ids', user_id: u1, user_domain_id: d1, password: fake-x,\n"
        "           project_id: p1, project_domain_id: d2, token: fake-token}}\n"
        "  acme: {auth: {auth_url: 'http://acme', username: x, domain_name: Acme}}\n"
        "  both: {default_domain: dflt, project_name: top,\n"
        "         auth: {auth_url: 'http://both', username: x, domain_id: did,\n"
        "                user_domain_name: Mine}}\n"
        "  usual: {default_domain: dflt, auth: {auth_url: 'http://usual', username: x}}\n"
        "  vendor: {profile: acme}\n"
        "  odd: {auth_type: v3oidcpassword}\n"
        "  old: {identity_api_version: 2, auth: {}}\n"
        "  list: {auth: {auth_url: [a]}}\n"
        "  system: {auth: {system_scope: all}}\n"
        "  cert: {cert: /x.pem}\n"
        "  word: x\n",
        0600);
}

static void
assert_keys(CfProfile *profile, const char *const (*expected)[2])
{
    for (; (*expected)[0]; expected++) {
        g_test_message("%s", (*expected)[0]);
        g_assert_cmpstr(cf_profile_get(profile, (*expected)[0]), ==, (*expected)[1]);
    }
}

static void
test_clouds(Fixture *f, gconstpointer data)
{
    static const char *const one[][2] = {{"auth_url", "http://one:5000/v3"},
                                         {"username", "alice"},
                                         {"password", "fake-new"},
                                         {"project_name", "demo"},
                                         {"user_domain_id", "default"},
                                         {"project_domain_id", "default"},
                                         {"region", "RegionOne"},
                                         {"interface", "internalURL"},
                                         {"token", NULL},
                                         {NULL, NULL}};
    static const char *const app[][2] = {{"auth_url", "http://app:5000"},
                                         {"application_credential_id", "42"},
                                         {"application_credential_secret", "fake-app"},
                                         {"password", NULL}, /* of another way to authenticate */
                                         {"region", "R1"},
                                         {"interface", "public"},
                                         {NULL, NULL}};
    g_autoptr(CfConfig) first_config = NULL;
    g_autoptr(CfConfig) second_config = NULL;
    g_autoptr(GError) error = NULL;

    write_clouds(f);
    write_mode(f, "secure.yaml", "clouds: {one: {auth: {password: fake-new}}}\n", 0600);
    first_config = load(f, O "cloud = one\n", NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(first_config), one);
    g_assert_true(cf_profile_get_options(first(first_config))->insecure);
    second_config = load(f, O "cloud = one\n", "cloud=app", &error);
    g_assert_no_error(error);
    assert_keys(first(second_config), app);
    g_assert_cmpstr(cf_profile_get_options(first(second_config))->cacert, ==, "/ca.pem");
    g_assert_false(cf_profile_get_options(first(second_config))->insecure);
}

/* What the profile says of who and where it is wins, also when the file says it in other words. */
static void
test_clouds_own_words(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *keys[9][2];
    } rows[] = {
        {"cloud = ids\nproject_name = staging\n",
         {{"project_name", "staging"}, {"project_id", NULL}, {"user_id", "u1"}}},
        {"cloud = ids\nusername = bob\nuser_domain_name = Users\nproject_domain_name = Projects\n",
         {{"username", "bob"},
          {"user_id", NULL},
          {"user_domain_name", "Users"},
          {"user_domain_id", NULL},
          {"project_id", "p1"},
          {"project_domain_id", NULL},
          {"password", "fake-x"},
          {"token", NULL}}},
        {"cloud = app\nusername = bob\npassword = fake-own\n",
         {{"password", "fake-own"},
          {"application_credential_id", NULL},
          {"application_credential_secret", NULL}}},
        {"cloud = ids\napplication_credential_id = 7\napplication_credential_secret = fake-7\n",
         {{"application_credential_id", "7"}, {"password", NULL}, {"token", NULL}}},
        {"cloud = app\napplication_credential_name = mine\n",
         {{"application_credential_name", "mine"},
          {"application_credential_id", NULL},
          {"application_credential_secret", "fake-app"}}},
        {"cloud = acme\n",
         {{"user_domain_name", "Acme"},
          {"project_domain_name", "Acme"},
          {"user_domain_id", NULL},
          {"project_domain_id", NULL}}},
        {"cloud = both\n",
         {{"user_domain_name", "Mine"},
          {"user_domain_id", NULL},
          {"project_domain_id", "did"},
          {"project_name", "top"}}},
        {"cloud = usual\nproject_domain_name = P\n",
         {{"user_domain_id", "dflt"}, {"project_domain_id", NULL}, {"project_domain_name", "P"}}},
    };

    write_clouds(f);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat(O, rows[i].text, NULL);
        g_autoptr(CfConfig) config = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s", text);
        config = load(f, text, NULL, &error);
        g_assert_no_error(error);
        assert_keys(first(config), rows[i].keys);
    }
}

/* The file's "verify: false" is not said to somebody who names certificates. */
static void
test_clouds_verify(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *text;
        gboolean insecure;
    } rows[] = {
        {"cloud = ids\n", TRUE},
        {"cloud = ids\ncacert = /own.pem\n", FALSE},
        {"cloud = ids\ninsecure = false\n", FALSE},
        {"cloud = ids\ninsecure = true\n", TRUE},
    };

    write_clouds(f);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat(O, rows[i].text, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(CfConfig) config = load(f, text, NULL, &error);

        g_assert_no_error(error);
        g_assert_cmpint(cf_profile_get_options(first(config))->insecure, ==, rows[i].insecure);
    }
}

/* Names of domains as the openstack command knows them. */
static void
test_domains_of_variables(Fixture *f, gconstpointer data)
{
    static const char *const named[][2] = {{"user_domain_name", "Acme"},
                                           {"project_domain_name", "Acme"},
                                           {"user_domain_id", NULL},
                                           {NULL, NULL}};
    static const char *const usual[][2] = {
        {"user_domain_id", "dflt"}, {"project_domain_id", "dflt"}, {NULL, NULL}};
    static const char *const of_cloud[][2] = {
        {"user_domain_name", "Mine"}, {"project_domain_id", "did"}, {NULL, NULL}};
    g_autoptr(CfConfig) a = NULL;
    g_autoptr(CfConfig) b = NULL;
    g_autoptr(CfConfig) c = NULL;
    g_autoptr(CfConfig) d = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("OS_AUTH_URL", "http://env/v3", TRUE);
    g_setenv("OS_DOMAIN_NAME", "Acme", TRUE);
    g_setenv("OS_DEFAULT_DOMAIN", "dflt", TRUE);
    a = load(f, O, NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(a), named);
    g_unsetenv("OS_DOMAIN_NAME");
    b = load(f, O, NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(b), usual);
    /* What a cloud says goes before it; what none says it gives, too. */
    g_unsetenv("OS_AUTH_URL");
    write_clouds(f);
    g_setenv("OS_CLOUD", "both", TRUE);
    c = load(f, O, NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(c), of_cloud);
    g_setenv("OS_CLOUD", "app", TRUE);
    d = load(f, O, NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(d), usual);
}

static void
test_clouds_refused(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *cloud, *says;
    } rows[] = {
        {"none", "there is no cloud ‘none’"},
        {"word", "there is no cloud ‘word’"},
        {"vendor", "‘profile’"},
        {"odd", "v3oidcpassword"},
        {"old", "identity_api_version 2"},
        {"list", "‘auth_url’ takes one value"},
        {"system", "‘system_scope’"},
        {"cert", "‘cert’"},
    };
    g_autoptr(GError) readable = NULL;

    write_clouds(f);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat(O "cloud = ", rows[i].cloud, "\n", NULL);
        g_autoptr(GError) error = NULL;

        g_assert_null(load(f, text, NULL, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, rows[i].says));
        g_assert_null(strstr(error->message, "fake-"));
    }
    write_mode(f, "clouds.yaml", "clouds: {}", 0644);
    g_assert_null(load(f, O "cloud = one\n", NULL, &readable));
    g_assert_nonnull(strstr(readable->message, "chmod"));
}

static void
test_variables(Fixture *f, gconstpointer data)
{
    static const char *const bare[][2] = {{"auth_url", "http://env/v3"},
                                          {"username", "bob"},
                                          {"password", "fake-env"},
                                          {"project_name", "p"},
                                          {"region", "R9"},
                                          {"interface", "adminURL"},
                                          {NULL, NULL}};
    static const char *const with_cloud[][2] = {
        {"auth_url", "http://one:5000/v3"}, {"username", "alice"}, {"region", "R9"}, {NULL, NULL}};
    static const char *const own[][2] = {
        {"auth_url", "http://own/v3"}, {"username", NULL}, {"region", NULL}, {NULL, NULL}};
    g_autoptr(CfConfig) a = NULL;
    g_autoptr(CfConfig) b = NULL;
    g_autoptr(CfConfig) c = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("OS_AUTH_URL", "http://env/v3", TRUE);
    g_setenv("OS_USERNAME", "bob", TRUE);
    g_setenv("OS_PASSWORD", "fake-env", TRUE);
    g_setenv("OS_TENANT_NAME", "p", TRUE);
    g_setenv("OS_REGION_NAME", "R9", TRUE);
    g_setenv("OS_ENDPOINT_TYPE", "adminURL", TRUE);
    a = load(f, O, NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(a), bare);
    /* What the profile says is its own business. */
    b = load(f, O "auth_url = http://own/v3\n", NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(b), own);
    g_unsetenv("OS_AUTH_URL");
    g_unsetenv("OS_USERNAME");
    g_unsetenv("OS_PASSWORD");
    write_clouds(f);
    g_setenv("OS_CLOUD", "one", TRUE);
    c = load(f, O, NULL, &error);
    g_assert_no_error(error);
    assert_keys(first(c), with_cloud);
    g_setenv("OS_AUTH_TYPE", "v3kerberos", TRUE);
    g_assert_null(load(f, O, NULL, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
}

/* No configuration anywhere: -o or the environment says enough. */
static void
test_no_config(Fixture *f, gconstpointer data)
{
    g_autofree char *nowhere = g_build_filename(f->dir, "nowhere", NULL);
    g_autoptr(CfConfig) named = NULL;
    g_autoptr(CfConfig) unknown = NULL;
    g_autoptr(CfConfig) known = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("CIRRUSFS_CONFIG", nowhere, TRUE);
    write_clouds(f);
    named = cf_config_load(NULL, schemas, "cloud=one,ttl=5", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get_name(first(named)), ==, "one");
    g_assert_true(cf_profile_read_secrets(first(named), &error));
    g_assert_cmpstr(cf_profile_get(first(named), "password"), ==, "fake-old");
    g_assert_cmpint(cf_profile_get_options(first(named))->ttl_us, ==, 5 * G_USEC_PER_SEC);
    g_assert_null(cf_config_load(NULL, schemas, "ttl=5", &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_clear_error(&error);
    /* Of lines that nobody wrote there is no word. */
    unknown = cf_config_load(NULL, schemas, "cloud=none", &error);
    g_assert_no_error(error);
    g_assert_false(cf_profile_read_secrets(first(unknown), &error));
    g_assert_true(g_str_has_prefix(error->message, "‘cloud’ of [none]: "));
    g_assert_true(g_str_has_suffix(error->message, "there is no cloud ‘none’"));
    g_clear_error(&error);
    g_setenv("OS_CLOUD", "app", TRUE);
    known = cf_config_load(NULL, schemas, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get_name(first(known)), ==, "app");
    g_unsetenv("CIRRUSFS_CONFIG");
}

/* A configuration of other clouds: -o cloud=NAME is a profile of its own. */
static void
test_no_openstack_config(Fixture *f, gconstpointer data)
{
    g_autoptr(CfConfig) config = NULL;
    g_autoptr(CfConfig) bare = NULL;
    g_autoptr(GError) error = NULL;
    const char *text = "[defaults]\nttl = 7\n[prod]\nprovider = qingcloud\nzone = z\n"
                       "access_key = FAKE\nsecret_key = fake\n";

    write_clouds(f);
    config = load(f, text, "cloud=one", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(cf_config_get_profiles(config)->len, ==, 1);
    g_assert_cmpstr(cf_profile_get_name(first(config)), ==, "one");
    g_assert_cmpint(cf_profile_get_options(first(config))->ttl_us, ==, 7 * G_USEC_PER_SEC);
    g_assert_true(cf_profile_read_secrets(first(config), &error));
    g_assert_cmpstr(cf_profile_get(first(config), "password"), ==, "fake-old");
    bare = load(f, "[defaults]\nttl = 7\n", "cloud=one", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cf_profile_get_name(first(bare)), ==, "one");
    /* The environment is no order: it adds nothing to a configuration. */
    g_setenv("OS_CLOUD", "one", TRUE);
    g_assert_null(load(f, "[defaults]\nttl = 7\n", "ttl=9", &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
}

#define ADD_OPENSTACK(path, function)                                                              \
    g_test_add("/credentials/openstack/" path, Fixture, NULL, set_up_openstack, function,          \
               tear_down_openstack)
#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/credentials/qingcloud/fills", test_qingcloud);
    ADD("/credentials/qingcloud/refuses", test_qingcloud_refuses);
    ADD("/credentials/profile-wins", test_profile_wins);
    ADD("/credentials/only-what-is-named", test_not_named);
    ADD("/credentials/modes", test_modes);
    ADD("/credentials/paths", test_paths);
    ADD("/credentials/ucloudstack/fills", test_ucloudstack);
    ADD("/credentials/ucloudstack/refuses", test_ucloudstack_refuses);
    ADD_OPENSTACK("clouds", test_clouds);
    ADD_OPENSTACK("clouds-own-words", test_clouds_own_words);
    ADD_OPENSTACK("clouds-verify", test_clouds_verify);
    ADD_OPENSTACK("clouds-refused", test_clouds_refused);
    ADD_OPENSTACK("variables", test_variables);
    ADD_OPENSTACK("domains-of-variables", test_domains_of_variables);
    ADD_OPENSTACK("no-configuration", test_no_config);
    ADD_OPENSTACK("no-configuration-of-it", test_no_openstack_config);
    g_test_add_func("/credentials/yaml/looking", test_yaml);
    g_test_add_func("/credentials/yaml/noise", test_yaml_noise);
    g_test_add_func("/credentials/yaml/deep", test_yaml_deep);
    return g_test_run();
}
