/* What the files of the attribute tables share. */
#pragma once

#include "tree/attr.h"

G_BEGIN_DECLS

/* Whether the cloud and this resource let it be done. */
gboolean cf_attr_can(const CfSubject *subject, CfActionKind kind);
/* text: (nullable); a newline follows unless there is one, or no text. */
void cf_attr_show_line(GString *out, const char *text);
CfAction *cf_attr_action_of(const CfSubject *subject, CfActionKind kind);

/* attr-more.c: columns of the rows. */
gboolean cf_attr_visible_locked_reason(const CfSubject *subject);
gboolean cf_attr_visible_metadata(const CfSubject *subject);
gboolean cf_attr_visible_console_log(const CfSubject *subject);
void cf_attr_show_console_log(const CfSubject *subject, GString *out);
CfAction *cf_attr_store_console_log(const CfSubject *subject, const char *text, GError **error);
CfAction *cf_attr_store_lock(const CfSubject *subject, const char *text, GError **error);
CfAction *cf_attr_store_locked_reason(const CfSubject *subject, const char *text, GError **error);

G_END_DECLS
