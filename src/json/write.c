#include "json/write.h"

#include "util/text.h"

void
cf_json_writer_init(CfJsonWriter *writer, GString *out)
{
    *writer = (CfJsonWriter){.out = out};
}

static void
begin_member(CfJsonWriter *writer, const char *key)
{
    if (writer->comma)
        g_string_append_c(writer->out, ',');
    writer->comma = TRUE;
    if (key) {
        cf_text_append_json(writer->out, key);
        g_string_append_c(writer->out, ':');
    }
}

void
cf_json_open(CfJsonWriter *writer, const char *key, char bracket)
{
    begin_member(writer, key);
    g_string_append_c(writer->out, bracket);
    writer->comma = FALSE;
}

void
cf_json_close(CfJsonWriter *writer, char bracket)
{
    g_string_append_c(writer->out, bracket);
    writer->comma = TRUE;
}

void
cf_json_put(CfJsonWriter *writer, const char *key, const char *value)
{
    begin_member(writer, key);
    cf_text_append_json(writer->out, value);
}
