/* ~/.ucloud, as the ucloud CLI keeps it: config.json and credential.json, in both an array with an
 * object for each profile. They are made for the public UCloud; so they are looked at only where a
 * profile of ours names one of theirs. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config/credentials.h"
#include "util/error.h"
#include "util/text.h"

#define DIRECTORY "credentials"
#define PROFILE "credentials_profile"

static const CfCredentialsKey keys[] = {
    {PROFILE, "A profile of the ucloud program that gives what this one lacks."},
    {DIRECTORY, "The directory with its config.json and credential.json.", "~/.ucloud"},
    {0},
};

typedef struct {
    const char *theirs;
    const char *ours;
} Names;

static const Names of_config[] = {
    {"base_url", "endpoint"}, {"region", "region"}, {"project_id", "project_id"}, {0}};
static const Names of_credential[] = {
    {"public_key", "public_key"}, {"private_key", "private_key"}, {0}};

/* One of the files, read. */
typedef struct {
    char *path;
    char *text; /* (nullable): there is no such file */
    CfJsonSpan all;
    CfJsonSpan entry; /* of the wanted profile; empty: it has none */
} File;

static void
file_clear(File *file)
{
    cf_text_wipe(file->text);
    g_free(file->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(File, file_clear)

static gboolean
file_fail(const File *file, CfJsonSpan at, GError **error, const char *message)
{
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "%s:%u: %s", file->path,
                cf_credentials_find_line(file->text, (gsize) (at.text - file->text)), message);
    return FALSE;
}

static gboolean
find_entry(File *file, const char *name, GError **error)
{
    CfJsonSpan entry, value;
    CfJsonIter iter;

    if (cf_json_kind(file->all) != CF_JSON_ARRAY)
        return file_fail(file, file->all, error, "not an array of profiles");
    cf_json_iter_init(&iter, file->all);
    while (cf_json_iter_next(&iter, NULL, &entry)) {
        if (cf_json_kind(entry) != CF_JSON_OBJECT)
            return file_fail(file, entry, error, "not an object");
        if (cf_json_get(entry, "profile", FALSE, &value) && cf_json_is(value, name, FALSE))
            file->entry = entry;
    }
    return TRUE;
}

/* Reads a file, if it is there. */
static gboolean
file_read(File *file, const char *directory, const char *name, const char *profile, GError **error)
{
    *file = (File){.path = g_build_filename(directory, name, NULL)};
    if (access(file->path, F_OK) < 0 && errno == ENOENT)
        return TRUE;
    return cf_credentials_read_json(file->path, &file->text, &file->all, error) &&
           find_entry(file, profile, error);
}

static gboolean
take(CfProfile *profile, const File *file, const Names *names, GError **error)
{
    for (; file->entry.len > 0 && names->theirs; names++) {
        CfJsonSpan value;
        char *text;

        if (!cf_json_get(file->entry, names->theirs, FALSE, &value) ||
            cf_json_kind(value) == CF_JSON_NULL)
            continue;
        text = cf_json_kind(value) == CF_JSON_STRING ? cf_json_string(value) : NULL;
        if (!text) {
            g_autofree char *message = g_strdup_printf("‘%s’ is not a string", names->theirs);

            return file_fail(file, value, error, message);
        }
        cf_profile_fill(profile, names->ours, text, file->path);
        cf_text_wipe(text);
    }
    return TRUE;
}

static gboolean
read_directory(CfProfile *profile, const char *directory, const char *name, GError **error)
{
    g_auto(File) config = {0};
    g_auto(File) credential = {0};

    if (!file_read(&config, directory, "config.json", name, error) ||
        !file_read(&credential, directory, "credential.json", name, error))
        return FALSE;
    if (!config.text && !credential.text) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG,
                    "%s has neither config.json nor credential.json", directory);
        return FALSE;
    }
    if (config.entry.len == 0 && credential.entry.len == 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "no profile ‘%s’ in %s", name,
                    credential.text ? credential.path : config.path);
        return FALSE;
    }
    return take(profile, &config, of_config, error) &&
           take(profile, &credential, of_credential, error);
}

static gboolean
read_files(CfProfile *profile, GError **error)
{
    const char *name = cf_profile_get(profile, PROFILE);
    g_autofree char *directory = cf_profile_get_path(profile, DIRECTORY);
    g_autoptr(GError) own_error = NULL;

    if (!name)
        return cf_profile_fail(profile, DIRECTORY, error,
                               "which of its profiles? ‘" PROFILE "’ names one");
    if (read_directory(profile, directory, name, &own_error))
        return TRUE;
    return cf_profile_fail(profile, PROFILE, error, own_error->message);
}

const CfCredentials cf_credentials_ucloudstack = {
    .provider = "ucloudstack",
    .keys = keys,
    .read = read_files,
};
