#include "tree/node.h"

CfIno
cf_node_pack(CfNode node)
{
    return (CfIno) node.kind << 60 | (CfIno) node.collection << 59 | (CfIno) node.profile << 49 |
           (CfIno) node.handle << 19 | node.sub;
}

gboolean
cf_node_unpack(CfIno ino, CfNode *ret_node)
{
    ret_node->kind = (CfKind) (ino >> 60);
    ret_node->collection = (CfCollection) (ino >> 59 & 1);
    ret_node->profile = ino >> 49 & CF_NODE_PROFILES;
    ret_node->handle = ino >> 19 & ((1u << CF_HANDLE_BITS) - 1);
    ret_node->sub = ino & CF_NODE_SUB_MAX;
    return ret_node->kind < CF_KIND_N;
}
