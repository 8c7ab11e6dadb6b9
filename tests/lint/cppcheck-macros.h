/* What cppcheck, which reads no system headers, must know of the macros in them. */
#define G_BEGIN_DECLS
#define G_END_DECLS
#define G_GNUC_PRINTF(format, first)
#define G_STATIC_ASSERT(condition)
#define G_DEFINE_AUTOPTR_CLEANUP_FUNC(type, free)
#define G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(type, clear)
#define G_DEFINE_EXTENDED_ERROR(type, prefix)
#define g_auto(type) type
#define g_autofree
#define g_autoptr(type) type *
#define cJSON_ArrayForEach(item, list)                                                             \
    for (item = (list) ? (list)->child : NULL; item; item = item->next)
