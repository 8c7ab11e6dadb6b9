#include "fuse/errno-table.h"

#include <errno.h>

static const int errno_by_code[CF_ERROR_N] = {
    [CF_ERROR_INVALID] = EINVAL,
    [CF_ERROR_TOO_BIG] = E2BIG,
    [CF_ERROR_NAME_TOO_LONG] = ENAMETOOLONG,
    [CF_ERROR_BUSY] = EBUSY,
    [CF_ERROR_NOT_FOUND] = ENOENT,
    [CF_ERROR_GONE] = ENODEV,
    [CF_ERROR_EXISTS] = EEXIST,
    [CF_ERROR_UNAUTHORIZED] = EKEYREJECTED,
    [CF_ERROR_EXPIRED] = EKEYEXPIRED,
    [CF_ERROR_DENIED] = EACCES,
    [CF_ERROR_NOT_YOURS] = EACCES,
    [CF_ERROR_REFUSED] = EPERM,
    [CF_ERROR_QUOTA] = EDQUOT,
    [CF_ERROR_CAPACITY] = ENOSPC,
    [CF_ERROR_THROTTLED] = EAGAIN,
    [CF_ERROR_TIMEOUT] = ETIMEDOUT,
    [CF_ERROR_UNREACHABLE] = EHOSTUNREACH,
    [CF_ERROR_NO_CONNECT] = ECONNREFUSED,
    [CF_ERROR_PROTOCOL] = EPROTO,
    [CF_ERROR_REMOTE] = EREMOTEIO,
    [CF_ERROR_CHANGED] = ESTALE,
    [CF_ERROR_UNSUPPORTED] = EOPNOTSUPP,
    [CF_ERROR_READ_ONLY] = EROFS,
    [CF_ERROR_FILE_TOO_BIG] = EFBIG,
    [CF_ERROR_NOT_EMPTY] = ENOTEMPTY,
    [CF_ERROR_CROSS] = EXDEV,
    [CF_ERROR_INTERRUPTED] = EINTR,
    [CF_ERROR_CONFIG] = EINVAL,
    [CF_ERROR_DRY_RUN] = ECANCELED,
    [CF_ERROR_INTERNAL] = EIO,
};

int
cf_errno_from_code(CfErrorCode code)
{
    return (guint) code < CF_ERROR_N ? errno_by_code[code] : 0;
}

int
cf_errno_from_error(const GError *error)
{
    int number = cf_errno_from_code(cf_error_code(error));

    return number ? number : EIO;
}
