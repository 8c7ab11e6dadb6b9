#include "config/config.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/keyfile.h"
#include "util/error.h"

static const CfConfigKey acme_keys[] = {
    {"endpoint", .required = TRUE},
    {"auth", .fallback = "token"},
    {"token", .secret = TRUE},
    {"region"},
    {0},
};
static const CfConfigKey beta_keys[] = {
    {"zone", .required = TRUE},
    {"access_key", .required = TRUE},
    {"secret_key", .secret = TRUE, .required = TRUE},
    {0},
};
static const CfConfigSchema schemas[] = {{"acme", acme_keys}, {"beta", beta_keys}, {0}};

#define ACME "[prod]\nprovider = acme\nendpoint = http://x\n"
#define BETA "[b]\nprovider = beta\nzone = z\naccess_key = AK\nsecret_key = s3cret-key\n"

/* --- what is refused, and the words for it ---------------------------------------------------- */

static const struct {
    const char *name;
    const char *text;
    const char *overrides;
    const char *message;
} refusals[] = {
    {"empty", "", NULL, "conf: no profile: write a group such as [prod] with provider = acme"},
    {"only-defaults", "[defaults]\nttl = 5\n", NULL,
     "conf: no profile: write a group such as [prod] with provider = acme"},
    {"unknown-key", ACME "\n# so\ntll = 5\n", NULL,
     "conf:6: unknown key ‘tll’ in [prod]; did you mean ‘ttl’?"},
    {"unknown-provider-key", ACME "endpont = y\n", NULL,
     "conf:4: unknown key ‘endpont’ in [prod]; did you mean ‘endpoint’?"},
    {"unknown-secret-key", ACME "token-file = y\n", NULL,
     "conf:4: unknown key ‘token-file’ in [prod]; did you mean ‘token_file’?"},
    {"key-of-another-provider", ACME "zone = y\n", NULL, "conf:4: unknown key ‘zone’ in [prod]"},
    {"not-a-secret", ACME "region_file = y\n", NULL, "conf:4: unknown key ‘region_file’ in [prod]"},
    {"unknown-in-defaults", "[defaults]\nttl = 5\nendpoint = x\n" ACME, NULL,
     "conf:3: unknown option ‘endpoint’ in [defaults]"},
    {"typo-in-defaults", "[defaults]\nallow-other = yes\n" ACME, NULL,
     "conf:2: unknown option ‘allow-other’ in [defaults]; did you mean ‘allow_other’?"},
    {"unknown-provider", "[prod]\nprovider = acmee\n", NULL,
     "conf:2: unknown provider ‘acmee’ in [prod]; did you mean ‘acme’?"},
    {"unlike-any-provider", "[prod]\n\nprovider = amazon\n", NULL,
     "conf:3: unknown provider ‘amazon’ in [prod]; there are: acme, beta"},
    {"no-provider", ACME "[test]\nendpoint = http://y\n", NULL,
     "conf:4: [test] lacks ‘provider’; there are: acme, beta"},
    {"missing-key", "[prod]\nprovider = acme\n", NULL, "conf:1: [prod] lacks ‘endpoint’"},
    {"missing-secret", "\n[b]\nprovider = beta\nzone = z\naccess_key = AK\n", NULL,
     "conf:2: [b] lacks ‘secret_key’ (or ‘secret_key_file’, ‘secret_key_env’, "
     "‘secret_key_command’)"},
    {"empty-key", "[prod]\nprovider = acme\nendpoint =\n", NULL,
     "conf:3: ‘endpoint’ in [prod] has no value"},
    {"two-sources", ACME "token = aaaa\nttl = 1\ntoken_file = /x\n", NULL,
     "conf:6: ‘token_file’ in [prod] gives the ‘token’ that line 4 gives already: keep one of "
     "them"},
    {"two-other-sources", ACME "token_env = A\ntoken_command = b\n", NULL,
     "conf:5: ‘token_command’ in [prod] gives the ‘token’ that line 4 gives already: keep one of "
     "them"},
    {"key-twice", ACME "ttl = 1\nttl = 2\n", NULL,
     "conf:5: key ‘ttl’ of [prod] stands at line 4 already"},
    {"group-twice", ACME BETA "[prod]\nttl = 2\n", NULL,
     "conf:9: group [prod] stands at line 1 already"},
    {"bad-number", ACME "burst = many\n", NULL,
     "conf:4: ‘burst’ in [prod]: ‘many’ is not a whole number"},
    {"bad-number-in-defaults", "[defaults]\nburst = 0\n" ACME, NULL,
     "conf:2: ‘burst’ in [defaults]: ‘0’ is not between 1 and 10000"},
    {"bad-mount-option", "[defaults]\numask = 9\n" ACME, NULL,
     "conf:2: ‘umask’ in [defaults]: ‘9’ is not an octal number"},
    {"mount-option-in-profile", ACME "allow_other = true\n", NULL,
     "conf:4: ‘allow_other’ is of the whole mount: it belongs under [defaults], not into [prod]"},
    {"key-before-group", "# x\nttl = 5\n", NULL, "conf:2: a key before the first [GROUP]"},
    {"no-key", ACME "= 5\n", NULL, "conf:4: neither [GROUP] nor KEY = VALUE nor # comment"},
    {"no-value", ACME "s3cret\n", NULL, "conf:4: neither [GROUP] nor KEY = VALUE nor # comment"},
    {"half-a-group", "[prod\n", NULL, "conf:1: a group is written [NAME]"},
    {"brackets", "[a[b]\n", NULL, "conf:1: a group is written [NAME]"},
    {"no-name", "[]\n", NULL, "conf:1: a group is written [NAME]"},
    {"more-than-a-group", "[prod] x\n", NULL, "conf:1: a group is written [NAME]"},
    {"escape", ACME "token = a\\b\n", NULL,
     "conf:4: ‘token’ holds a \\ that begins no escape: write \\\\ for one"},
    {"escape-at-end", ACME "token = ab\\", NULL,
     "conf:4: ‘token’ holds a \\ that begins no escape: write \\\\ for one"},
    {"not-utf8", ACME "token = \xff\n", NULL, "conf:4: not UTF-8"},
    {"slash-in-name", "[a/b]\nprovider = acme\n", NULL,
     "conf:1: profile [a/b] becomes a directory, and holds a slash"},
    {"dot-in-name", "[.cirrusfs]\nprovider = acme\n", NULL,
     "conf:1: profile [.cirrusfs] becomes a directory, and begins with a dot"},
    {"control-in-name", "[a\tb]\nprovider = acme\n", NULL,
     "conf:1: profile [a b] becomes a directory, and holds a control character"},
    {"del-in-name", "[a\x7f]\nprovider = acme\n", NULL,
     "conf:1: profile [a ] becomes a directory, and holds a control character"},
    /* -o */
    {"unknown-option", ACME, "tll=5", "-o: unknown option ‘tll’; did you mean ‘ttl’?"},
    {"unlike-any-option", ACME, "frobnicate", "-o: unknown option ‘frobnicate’"},
    {"key-typo-option", ACME, "regio=x", "-o: unknown option ‘regio’; did you mean ‘region’?"},
    {"option-range", ACME, "deadline=0",
     "-o: ‘deadline’: ‘0’ is not between 0.001 and 86400 seconds"},
    {"option-without-value", ACME, "ttl", "-o: ‘ttl’: needs a value: ttl=SECONDS"},
    {"key-without-value", ACME, "region", "-o: ‘region’ needs a value"},
    {"secret-option", ACME, "token=abcdef",
     "-o: ‘token’ would show in ps and in the mount table: it belongs into conf"},
    {"secret-source-option", ACME, "token_command=cat x",
     "-o: ‘token_command’ would show in ps and in the mount table: it belongs into conf"},
    {"proxy-password-option", ACME, "proxy=http://u:p@h",
     "-o: ‘proxy’ with a password would show in ps and in the mount table: it belongs into conf"},
    {"option-not-utf8", ACME, "\xff=1", "-o: not UTF-8"},
};

static void
test_refusal(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    g_autoptr(GError) error = NULL;
    CfConfig *config =
        cf_config_load_data("conf", refusals[i].text, schemas, refusals[i].overrides, &error);

    g_assert_null(config);
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, refusals[i].message);
}

static void
test_long_name(void)
{
    g_autofree char *name = g_strnfill(256, 'x');
    g_autofree char *text = g_strdup_printf("[%s]\nprovider = acme\n", name);
    g_autoptr(GError) error = NULL;

    g_assert_null(cf_config_load_data("conf", text, schemas, NULL, &error));
    g_assert_nonnull(strstr(error->message, "becomes a directory, and is longer than 255 bytes"));
}

/* --- what is taken -----------------------------------------------------------------------------
 */

static CfConfig *
load(const char *text, const char *overrides)
{
    g_autoptr(GError) error = NULL;
    CfConfig *config = cf_config_load_data("conf", text, schemas, overrides, &error);

    g_assert_no_error(error);
    return config;
}

static void
test_values(void)
{
    g_autoptr(CfConfig) config =
        load("\xef\xbb\xbf# windows\r\n[prod eu]\r\n  provider=acme  \r\n\tendpoint = "
             "https://x/y?z=1&k=[a];#b \r\nregion = a\\sb\\\\\\t\r\ntoken = tok-1234\r\n\r\n",
             NULL);
    CfProfile *profile = cf_config_find_profile(config, "prod eu");

    g_assert_nonnull(profile);
    g_assert_cmpstr(cf_profile_get_name(profile), ==, "prod eu");
    g_assert_cmpstr(cf_profile_get_provider(profile), ==, "acme");
    g_assert_cmpstr(cf_profile_get(profile, "endpoint"), ==, "https://x/y?z=1&k=[a];#b");
    g_assert_cmpstr(cf_profile_get(profile, "region"), ==, "a b\\\t");
    g_assert_cmpstr(cf_profile_get(profile, "auth"), ==, "token");
    g_assert_null(cf_profile_get(profile, "zone"));
    g_assert_null(cf_profile_get(profile, "token_file"));
    g_assert_null(cf_profile_get(profile, "token"));
    g_assert_true(cf_profile_read_secrets(profile, NULL));
    g_assert_cmpstr(cf_profile_get(profile, "token"), ==, "tok-1234");
    g_assert_null(cf_config_find_profile(config, "prod"));
}

static void
test_order(void)
{
    g_autoptr(CfConfig) config =
        load(BETA "[defaults]\n" ACME "[a]\nprovider=acme\nendpoint=y", "");
    GPtrArray *profiles = cf_config_get_profiles(config);

    g_assert_cmpuint(profiles->len, ==, 3);
    g_assert_cmpstr(cf_profile_get_name(profiles->pdata[0]), ==, "b");
    g_assert_cmpstr(cf_profile_get_name(profiles->pdata[1]), ==, "prod");
    g_assert_cmpstr(cf_profile_get_name(profiles->pdata[2]), ==, "a");
}

static void
test_precedence(void)
{
    g_autoptr(CfConfig) config =
        load(ACME "ttl = 7\nrate = 3\nro = yes\n" BETA
                  "[defaults]\nttl = 5\nburst = 9\nrate = 4\nallow_other = true\nuid = 7\n",
             "rate=2.5,ro=no,region=eu,uid=8,rw,noauto");
    CfProfile *prod = cf_config_find_profile(config, "prod");
    CfProfile *b = cf_config_find_profile(config, "b");
    const CfMountOptions *mount = cf_config_get_mount_options(config);

    g_assert_cmpint(cf_profile_get_options(prod)->ttl_us, ==, 7000000);
    g_assert_cmpint(cf_profile_get_options(b)->ttl_us, ==, 5000000);
    g_assert_cmpuint(cf_profile_get_options(prod)->burst, ==, 9);
    g_assert_cmpfloat(cf_profile_get_options(prod)->rate, ==, 2.5);
    g_assert_cmpfloat(cf_profile_get_options(b)->rate, ==, 2.5);
    g_assert_false(cf_profile_get_options(prod)->ro);
    g_assert_cmpstr(cf_profile_get(prod, "region"), ==, "eu");
    g_assert_true(mount->allow_other);
    g_assert_true(mount->uid_set);
    g_assert_cmpuint(mount->uid, ==, 8);
    g_assert_false(mount->gid_set);
}

/* What mount(8) hands over from fstab means nothing to us; rw is its default, not a wish. */
static void
test_fstab(void)
{
    g_autoptr(CfConfig) config =
        load(ACME "ro = true\n",
             "rw,nofail,_netdev,x-systemd.automount,x-systemd.requires=network-online.target,"
             "noauto,auto,user,users,nosuid,nodev,noexec,suid,dev,exec,relatime,noatime,defaults,"
             "X-mount.mkdir=0755,comment=x,,");

    g_assert_true(cf_profile_get_options(cf_config_get_profiles(config)->pdata[0])->ro);
}

static void
test_override_escapes(void)
{
    g_autoptr(CfConfig) config = load(ACME, "cacert=/a\\,b\\\\c,proxy=,dry_run");
    const CfOptions *options = cf_profile_get_options(cf_config_get_profiles(config)->pdata[0]);

    g_assert_cmpstr(options->cacert, ==, "/a,b\\c");
    g_assert_null(options->proxy);
    g_assert_true(options->dry_run);
}

static void
test_required_by_override(void)
{
    g_autoptr(CfConfig) config = load("[prod]\nprovider = acme\n", "endpoint=http://y");

    g_assert_cmpstr(cf_profile_get(cf_config_get_profiles(config)->pdata[0], "endpoint"), ==,
                    "http://y");
}

/* --- describe ----------------------------------------------------------------------------------
 */

static void
test_describe(void)
{
    g_autoptr(CfConfig) config =
        load(BETA ACME "token_command = curl -u me:hunter2 x\nproxy = http://me:passw0rd@p:1/\n"
                       "tags = sweep\nttl = 1500ms\n[defaults]\numask = 027\nlog = none\n",
             NULL);
    g_autofree char *text = cf_config_describe(config);
    g_autoptr(GKeyFile) file = g_key_file_new();

    g_assert_true(g_key_file_load_from_data(file, text, (gsize) -1, 0, NULL));
    g_assert_null(strstr(text, "s3cret"));
    g_assert_null(strstr(text, "hunter2"));
    g_assert_null(strstr(text, "passw0rd"));
    g_assert_true(g_str_has_prefix(text, "# conf\n"));
    g_assert_nonnull(strstr(text, "\n# from line 5\nsecret_key=***\n"));
    g_assert_nonnull(strstr(text, "\n# from the command at line 9\ntoken=***\n"));
    g_assert_nonnull(strstr(text, "\nproxy=http://***@p:1/\n"));
    g_assert_nonnull(strstr(text, "\nttl=1.5\n"));
    g_assert_nonnull(strstr(text, "\ntags=sweep\n"));
    g_assert_nonnull(strstr(text, "\numask=027\n"));
    g_assert_nonnull(strstr(text, "\nauth=token\n"));
    g_assert_nonnull(strstr(text, "\naccess_key=AK\n"));
    g_assert_null(strstr(text, "\nuid="));
}

/* What it says can be read again and says the same, except for the secrets. */
static void
test_describe_again(void)
{
    g_autoptr(CfConfig) config = load(BETA "deadline = 0.25\n[defaults]\nallow_other=1\n", "ro");
    g_autofree char *text = cf_config_describe(config);
    g_autoptr(CfConfig) again = load(text, NULL);
    CfProfile *profile = cf_config_find_profile(again, "b");

    g_assert_true(cf_profile_get_options(profile)->ro);
    g_assert_cmpint(cf_profile_get_options(profile)->deadline_us, ==, 250000);
    g_assert_true(cf_config_get_mount_options(again)->allow_other);
}

/* --- files -------------------------------------------------------------------------------------
 */

typedef struct {
    char *directory;
    char *path;
} Fixture;

static void
write_file(const char *path, const char *data, gsize size, mode_t mode)
{
    g_assert_true(g_file_set_contents(path, data, (gssize) size, NULL));
    g_assert_cmpint(chmod(path, mode), ==, 0);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = g_dir_make_tmp("cirrusfs-config-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "config", NULL);
    g_unsetenv("CIRRUSFS_CONFIG");
    g_setenv("XDG_CONFIG_HOME", fixture->directory, TRUE);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_autofree char *sub = g_build_filename(fixture->directory, "cirrusfs", NULL);
    g_autofree char *file = g_build_filename(sub, "config", NULL);

    g_unlink(file);
    g_rmdir(sub);
    g_unlink(fixture->path);
    g_rmdir(fixture->directory);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static void
assert_refused(const char *path, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(cf_config_load(path, schemas, NULL, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_finding(Fixture *fixture, gconstpointer data)
{
    g_autofree char *sub = g_build_filename(fixture->directory, "cirrusfs", NULL);
    g_autofree char *file = g_build_filename(sub, "config", NULL);
    g_autofree char *message =
        g_strdup_printf("there is no configuration %s: write one (cirrusfs help config), name one "
                        "with -c, or a cloud of clouds.yaml in OS_CLOUD, or try: cirrusfs demo "
                        "MNT",
                        file);
    CfConfig *config;

    assert_refused(NULL, message);

    g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
    write_file(file, ACME, strlen(ACME), 0600);
    config = cf_config_load(NULL, schemas, NULL, NULL);
    g_assert_nonnull(cf_config_find_profile(config, "prod"));
    cf_config_free(config);

    write_file(fixture->path, BETA, strlen(BETA), 0600);
    g_setenv("CIRRUSFS_CONFIG", fixture->path, TRUE);
    config = cf_config_load(NULL, schemas, NULL, NULL);
    g_assert_nonnull(cf_config_find_profile(config, "b"));
    cf_config_free(config);

    config = cf_config_load(file, schemas, NULL, NULL);
    g_assert_nonnull(cf_config_find_profile(config, "prod"));
    cf_config_free(config);
}

static void
test_modes(Fixture *fixture, gconstpointer data)
{
    g_autofree char *missing = g_strdup_printf("%s: No such file or directory", fixture->path);
    g_autofree char *directory = g_strdup_printf("%s is not a file", fixture->directory);

    assert_refused(fixture->path, missing);
    assert_refused(fixture->directory, directory);
    for (guint bit = 1; bit < 0100; bit <<= 1) {
        g_autofree char *message = g_strdup_printf(
            "%s can be read or written by others (mode %04o); mend it with: chmod 600 '%s'",
            fixture->path, 0600 | bit, fixture->path);

        write_file(fixture->path, ACME, strlen(ACME), 0600 | bit);
        assert_refused(fixture->path, message);
    }
}

static void
test_owner(Fixture *fixture, gconstpointer data)
{
    g_autofree char *message =
        g_strdup_printf("%s belongs to another user (uid 65534); mend it with: chown 0 '%s'",
                        fixture->path, fixture->path);

    if (geteuid() != 0) {
        g_test_skip("only root can give files away");
        return;
    }
    write_file(fixture->path, ACME, strlen(ACME), 0600);
    g_assert_cmpint(chown(fixture->path, 65534, (gid_t) -1), ==, 0);
    assert_refused(fixture->path, message);
}

static void
test_hostile(Fixture *fixture, gconstpointer data)
{
    g_autofree char *nul = g_strdup_printf("%s:3: a NUL byte", fixture->path);
    g_autofree char *large = g_strdup_printf("%s is larger than 1048576 bytes", fixture->path);
    g_autofree char *line =
        g_strdup_printf("%s:1: neither [GROUP] nor KEY = VALUE nor # comment", fixture->path);
    g_autofree char *many = g_strnfill(10 * 1024 * 1024, 'x');

    write_file(fixture->path, "[prod]\nprovider = acme\na\0b\n", 27, 0600);
    assert_refused(fixture->path, nul);
    write_file(fixture->path, many, 10 * 1024 * 1024, 0600);
    assert_refused(fixture->path, large);
    write_file(fixture->path, many, 1024 * 1024, 0600);
    assert_refused(fixture->path, line);
}

/* Noise is refused or taken, and never more than that. */
static void
test_noise(void)
{
    static const char alphabet[] = "[]=\\\n\r \tab#\xc3\xa9\xff;s";
    GRand *random = g_rand_new_with_seed(1);

    for (int i = 0; i < 20000; i++) {
        char text[24] = {0};
        g_autoptr(GError) error = NULL;
        CfConfig *config;

        for (guint k = 0; k < sizeof text - 1; k++)
            text[k] = alphabet[g_rand_int_range(random, 0, sizeof alphabet - 1)];
        config = cf_config_load_data("conf", text, schemas, text, &error);
        g_assert_true((config == NULL) == (error != NULL));
        cf_config_free(config);
    }
    g_rand_free(random);
}

/* Where both take a text, we read what GKeyFile reads, but for white space at the end. */
static void
test_as_gkeyfile(void)
{
    static const char alphabet[] = "[]=\\\n\r \tab#\xc3\xa9n;s";
    GRand *random = g_rand_new_with_seed(2);
    guint compared = 0;

    for (int i = 0; i < 200000; i++) {
        char text[16] = "[g]\nk=";
        g_autoptr(GKeyFile) file = g_key_file_new();
        g_autoptr(GPtrArray) groups = NULL;
        const CfKeyfileGroup *group;

        for (guint k = 6; k < sizeof text - 1; k++)
            text[k] = alphabet[g_rand_int_range(random, 0, sizeof alphabet - 1)];
        groups = cf_keyfile_parse("conf", text, strlen(text), NULL);
        if (!groups || !g_key_file_load_from_data(file, text, (gsize) -1, 0, NULL))
            continue;
        group = groups->pdata[0];
        for (guint k = 0; k < group->entries->len; k++) {
            const CfKeyfileEntry *entry = group->entries->pdata[k];
            g_autofree char *value = g_key_file_get_string(file, "g", entry->key, NULL);
            g_autofree char *ours = g_strchomp(g_strdup(entry->value));

            if (strchr(entry->key, '['))
                continue; /* a translation */
            g_assert_cmpstr(g_strchomp(value), ==, ours);
            compared++;
        }
    }
    g_assert_cmpuint(compared, >, 1000);
    g_rand_free(random);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv("CREDENTIALS_DIRECTORY");
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path = g_strconcat("/config/refuses/", refusals[i].name, NULL);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_refusal);
    }
    g_test_add_func("/config/refuses/long-name", test_long_name);
    g_test_add_func("/config/values", test_values);
    g_test_add_func("/config/profiles-in-order", test_order);
    g_test_add_func("/config/precedence", test_precedence);
    g_test_add_func("/config/fstab-options-mean-nothing", test_fstab);
    g_test_add_func("/config/escapes-in-options", test_override_escapes);
    g_test_add_func("/config/required-by-override", test_required_by_override);
    g_test_add_func("/config/describe-shows-no-secret", test_describe);
    g_test_add_func("/config/describe-can-be-read-again", test_describe_again);
    g_test_add("/config/file/finding", Fixture, NULL, set_up, test_finding, tear_down);
    g_test_add("/config/file/modes", Fixture, NULL, set_up, test_modes, tear_down);
    g_test_add("/config/file/owner", Fixture, NULL, set_up, test_owner, tear_down);
    g_test_add("/config/file/hostile", Fixture, NULL, set_up, test_hostile, tear_down);
    g_test_add_func("/config/noise", test_noise);
    g_test_add_func("/config/reads-as-gkeyfile", test_as_gkeyfile);
    return g_test_run();
}
