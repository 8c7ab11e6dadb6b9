/* What an administrator sets while the simulator runs: one row a setting. */
#include <string.h>

#include "sim/private.h"

typedef enum {
    SETTING_NUMBER,
    SETTING_OFFSET, /* a number with a sign */
    SETTING_FLAG,
    SETTING_WORD,
    SETTING_TRISTATE, /* "either", false, true */
} SettingType;

typedef struct {
    const char *name;
    SettingType type;
    gsize offset;
    const char *const *words; /* (nullable): of a SETTING_WORD, by value, up to a NULL */
} Setting;

static const char *const code_styles[CF_SIM_CODE_N + 1] = {
    [CF_SIM_CODE_DOTTED] = "dotted",
    [CF_SIM_CODE_BARE] = "bare",
    [CF_SIM_CODE_NUMBER] = "number",
};
static const char *const batch_paths[CF_SIM_BATCH_N + 1] = {
    [CF_SIM_BATCH_ACTION] = "action",
    [CF_SIM_BATCH_PLAIN] = "plain",
    [CF_SIM_BATCH_BOTH] = "both",
};
static const char *const cells[] = {"skipped", "told", NULL};
static const char *const listings[] = {"up", "down", NULL};
static const char *const api_versions[CF_SIM_API_N + 1] = {
    [CF_SIM_API_NEWEST] = "newest",
    [CF_SIM_API_FIRST] = "first",
};
static const char *const empty_bodies[CF_SIM_EMPTY_BODY_N + 1] = {
    [CF_SIM_EMPTY_BODY_EITHER] = "\"either\"",
    [CF_SIM_EMPTY_BODY_LEFT_OUT] = "false",
    [CF_SIM_EMPTY_BODY_SIGNED] = "true",
};

static const char *const unknowns[CF_SIM_UNKNOWN_N + 1] = {
    [CF_SIM_UNKNOWN_ERROR] = "error",
    [CF_SIM_UNKNOWN_EMPTY] = "empty",
};

static const Setting settings[] = {
    {"latency_ms", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, latency_ms), NULL},
    {"transition_ms", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, transition_ms), NULL},
    {"clock_skew_s", SETTING_OFFSET, G_STRUCT_OFFSET(CfSimSettings, clock_skew_s), NULL},
    {"max_page", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, max_page), NULL},
    {"task_state_visible", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, task_state_visible), NULL},
    {"http_200_errors", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, http_200_errors), NULL},
    {"freeze", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, freeze), NULL},
    {"image_tags_joined", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, image_tags_joined), NULL},
    {"image_tagging", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, image_tagging), NULL},
    {"job_lead_ms", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, job_lead_ms), NULL},
    {"image_quota", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, image_quota), NULL},
    {"tag_quota", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, tag_quota), NULL},
    {"rate_limit", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, rate_limit), NULL},
    {"unknown_instance", SETTING_WORD, G_STRUCT_OFFSET(CfSimSettings, unknown_instance), unknowns},
    {"code_style", SETTING_WORD, G_STRUCT_OFFSET(CfSimSettings, code_style), code_styles},
    {"batch_delete_path", SETTING_WORD, G_STRUCT_OFFSET(CfSimSettings, batch_delete_path),
     batch_paths},
    {"api_version", SETTING_WORD, G_STRUCT_OFFSET(CfSimSettings, api_version), api_versions},
    {"referer_needed", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, referer_needed), NULL},
    {"microversion", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, microversion), NULL},
    {"admin", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, admin), NULL},
    {"image_service", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, image_service), NULL},
    {"project_in_url", SETTING_FLAG, G_STRUCT_OFFSET(CfSimSettings, project_in_url), NULL},
    {"down_cells", SETTING_WORD, G_STRUCT_OFFSET(CfSimSettings, tells_apart), cells},
    {"console_lines", SETTING_NUMBER, G_STRUCT_OFFSET(CfSimSettings, console_lines), NULL},
    {"listing", SETTING_WORD, G_STRUCT_OFFSET(CfSimSettings, down), listings},
    {"sign_empty_body", SETTING_TRISTATE, G_STRUCT_OFFSET(CfSimSettings, sign_empty_body),
     empty_bodies},
};

static guint
get_value(const CfSimSettings *from, const Setting *setting)
{
    return G_STRUCT_MEMBER(guint, from, setting->offset);
}

void
cf_sim_admin_get_settings(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer(call, 200, "{");
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        const Setting *setting = &settings[i];
        guint value = get_value(&sim->settings, setting);

        g_string_append_printf(call->answer, "%s\"%s\":", i ? "," : "", setting->name);
        switch (setting->type) {
        case SETTING_NUMBER:
            g_string_append_printf(call->answer, "%u", value);
            break;
        case SETTING_OFFSET:
            g_string_append_printf(call->answer, "%d", (gint) value);
            break;
        case SETTING_FLAG:
            g_string_append(call->answer, value ? "true" : "false");
            break;
        case SETTING_WORD:
            cf_sim_raw_quote(call->answer, setting->words[value]);
            break;
        case SETTING_TRISTATE:
            g_string_append(call->answer, setting->words[value]);
            break;
        }
    }
    g_string_append_c(call->answer, '}');
}

static gboolean
parse_word(const char *word, const char *const *words, guint *value)
{
    for (guint i = 0; word && words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            *value = i;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
parse_value(const Setting *setting, const cJSON *item, guint *value)
{
    switch (setting->type) {
    case SETTING_NUMBER:
        *value = cJSON_IsNumber(item) ? (guint) item->valuedouble : 0;
        return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < G_MAXUINT;
    case SETTING_OFFSET:
        *value = cJSON_IsNumber(item) ? (guint) item->valueint : 0;
        return cJSON_IsNumber(item) && ABS(item->valuedouble) < G_MAXINT;
    case SETTING_FLAG:
        *value = cJSON_IsTrue(item);
        return cJSON_IsBool(item);
    case SETTING_WORD:
        return parse_word(cJSON_GetStringValue(item), setting->words, value);
    case SETTING_TRISTATE:
        *value = CF_SIM_EMPTY_BODY_EITHER;
        if (cJSON_IsBool(item))
            *value = cJSON_IsTrue(item) ? CF_SIM_EMPTY_BODY_SIGNED : CF_SIM_EMPTY_BODY_LEFT_OUT;
        return cJSON_IsBool(item) || g_strcmp0(cJSON_GetStringValue(item), "either") == 0;
    }
    return FALSE;
}

/* Returns: FALSE: no such setting, or no such value. */
static gboolean
set_one(CfSimSettings *to, const cJSON *item)
{
    guint value = 0;

    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (strcmp(settings[i].name, item->string) != 0)
            continue;
        if (!parse_value(&settings[i], item, &value))
            return FALSE;
        G_STRUCT_MEMBER(guint, to, settings[i].offset) = value;
        return TRUE;
    }
    return FALSE;
}

void
cf_sim_admin_set_settings(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);
    CfSimSettings fresh = sim->settings;
    const cJSON *item;
    gboolean good = cJSON_IsObject(body);

    cJSON_ArrayForEach (item, body) {
        good = good && set_one(&fresh, item);
        if (!good) {
            g_autofree char *why =
                g_strdup_printf("unknown setting or value: %s", item->string ? item->string : "");

            cf_sim_admin_refuse(call, 400, why);
            cJSON_Delete(body);
            return;
        }
    }
    cJSON_Delete(body);
    if (!good) {
        cf_sim_admin_refuse(call, 400, "the settings must be an object");
        return;
    }
    sim->settings = fresh;
    cf_sim_world_freeze(sim->world, fresh.freeze);
    cf_sim_admin_get_settings(sim, call);
}
