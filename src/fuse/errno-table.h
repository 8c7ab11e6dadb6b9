/* The one table from our errors to errno. */
#pragma once

#include "util/error.h"

G_BEGIN_DECLS

/* 0 when the code is none of ours. */
int cf_errno_from_code(CfErrorCode code);
/* Returns: a positive errno; EIO for an error of another domain. error: (not nullable). */
int cf_errno_from_error(const GError *error);

G_END_DECLS
