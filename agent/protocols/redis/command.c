/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: those that Redis 7.0 lists (COMMAND LIST), and a few younger ones. */
#include "protocols/redis/command.h"

#include "base/macro.h"

/* Sorted by name, for the binary search. */
static const struct command commands[] = {
    {"ACL", COMMAND_CONTAINER, false},
    {"APPEND", COMMAND_PLAIN, true},
    {"ASKING", COMMAND_PLAIN, true},
    {"AUTH", COMMAND_PLAIN, false},
    {"BGREWRITEAOF", COMMAND_PLAIN, false},
    {"BGSAVE", COMMAND_PLAIN, false},
    {"BITCOUNT", COMMAND_PLAIN, false},
    {"BITFIELD", COMMAND_PLAIN, false},
    {"BITFIELD_RO", COMMAND_PLAIN, false},
    {"BITOP", COMMAND_PLAIN, false},
    {"BITPOS", COMMAND_PLAIN, false},
    {"BLMOVE", COMMAND_PLAIN, false},
    {"BLMPOP", COMMAND_PLAIN, false},
    {"BLPOP", COMMAND_PLAIN, false},
    {"BRPOP", COMMAND_PLAIN, false},
    {"BRPOPLPUSH", COMMAND_PLAIN, false},
    {"BZMPOP", COMMAND_PLAIN, false},
    {"BZPOPMAX", COMMAND_PLAIN, false},
    {"BZPOPMIN", COMMAND_PLAIN, false},
    {"CLIENT", COMMAND_CLIENT, false},
    {"CLUSTER", COMMAND_CONTAINER, true},
    {"COMMAND", COMMAND_CONTAINER, true},
    {"CONFIG", COMMAND_CONTAINER, true},
    {"COPY", COMMAND_PLAIN, true},
    {"DBSIZE", COMMAND_PLAIN, false},
    {"DEBUG", COMMAND_CONTAINER, true},
    {"DECR", COMMAND_PLAIN, false},
    {"DECRBY", COMMAND_PLAIN, false},
    {"DEL", COMMAND_PLAIN, false},
    {"DISCARD", COMMAND_PLAIN, true},
    {"DUMP", COMMAND_PLAIN, true},
    {"ECHO", COMMAND_PLAIN, true},
    {"EVAL", COMMAND_PLAIN, false},
    {"EVALSHA", COMMAND_PLAIN, false},
    {"EVALSHA_RO", COMMAND_PLAIN, false},
    {"EVAL_RO", COMMAND_PLAIN, false},
    {"EXEC", COMMAND_PLAIN, false},
    {"EXISTS", COMMAND_PLAIN, true},
    {"EXPIRE", COMMAND_PLAIN, true},
    {"EXPIREAT", COMMAND_PLAIN, false},
    {"EXPIRETIME", COMMAND_PLAIN, false},
    {"FAILOVER", COMMAND_PLAIN, true},
    {"FCALL", COMMAND_PLAIN, false},
    {"FCALL_RO", COMMAND_PLAIN, false},
    {"FLUSHALL", COMMAND_PLAIN, false},
    {"FLUSHDB", COMMAND_PLAIN, false},
    {"FUNCTION", COMMAND_CONTAINER, true},
    {"GEOADD", COMMAND_PLAIN, false},
    {"GEODIST", COMMAND_PLAIN, false},
    {"GEOHASH", COMMAND_PLAIN, false},
    {"GEOPOS", COMMAND_PLAIN, false},
    {"GEORADIUS", COMMAND_PLAIN, false},
    {"GEORADIUSBYMEMBER", COMMAND_PLAIN, false},
    {"GEORADIUSBYMEMBER_RO", COMMAND_PLAIN, false},
    {"GEORADIUS_RO", COMMAND_PLAIN, false},
    {"GEOSEARCH", COMMAND_PLAIN, false},
    {"GEOSEARCHSTORE", COMMAND_PLAIN, false},
    {"GET", COMMAND_PLAIN, false},
    {"GETBIT", COMMAND_PLAIN, false},
    {"GETDEL", COMMAND_PLAIN, false},
    {"GETEX", COMMAND_PLAIN, false},
    {"GETRANGE", COMMAND_PLAIN, false},
    {"GETSET", COMMAND_PLAIN, false},
    {"HDEL", COMMAND_PLAIN, false},
    {"HELLO", COMMAND_PLAIN, false},
    {"HEXISTS", COMMAND_PLAIN, false},
    {"HEXPIRE", COMMAND_PLAIN, false},
    {"HGET", COMMAND_PLAIN, false},
    {"HGETALL", COMMAND_PLAIN, false},
    {"HINCRBY", COMMAND_PLAIN, false},
    {"HINCRBYFLOAT", COMMAND_PLAIN, false},
    {"HKEYS", COMMAND_PLAIN, false},
    {"HLEN", COMMAND_PLAIN, false},
    {"HMGET", COMMAND_PLAIN, false},
    {"HMSET", COMMAND_PLAIN, false},
    {"HPERSIST", COMMAND_PLAIN, false},
    {"HPEXPIRE", COMMAND_PLAIN, false},
    {"HPTTL", COMMAND_PLAIN, false},
    {"HRANDFIELD", COMMAND_PLAIN, false},
    {"HSCAN", COMMAND_PLAIN, false},
    {"HSET", COMMAND_PLAIN, false},
    {"HSETNX", COMMAND_PLAIN, false},
    {"HSTRLEN", COMMAND_PLAIN, false},
    {"HTTL", COMMAND_PLAIN, false},
    {"HVALS", COMMAND_PLAIN, false},
    {"INCR", COMMAND_PLAIN, false},
    {"INCRBY", COMMAND_PLAIN, false},
    {"INCRBYFLOAT", COMMAND_PLAIN, false},
    {"INFO", COMMAND_PLAIN, false},
    {"KEYS", COMMAND_PLAIN, true},
    {"LASTSAVE", COMMAND_PLAIN, false},
    {"LATENCY", COMMAND_CONTAINER, true},
    {"LCS", COMMAND_PLAIN, false},
    {"LINDEX", COMMAND_PLAIN, false},
    {"LINSERT", COMMAND_PLAIN, false},
    {"LLEN", COMMAND_PLAIN, false},
    {"LMOVE", COMMAND_PLAIN, false},
    {"LMPOP", COMMAND_PLAIN, false},
    {"LOLWUT", COMMAND_PLAIN, false},
    {"LPOP", COMMAND_PLAIN, false},
    {"LPOS", COMMAND_PLAIN, false},
    {"LPUSH", COMMAND_PLAIN, false},
    {"LPUSHX", COMMAND_PLAIN, false},
    {"LRANGE", COMMAND_PLAIN, false},
    {"LREM", COMMAND_PLAIN, false},
    {"LSET", COMMAND_PLAIN, false},
    {"LTRIM", COMMAND_PLAIN, false},
    {"MEMORY", COMMAND_CONTAINER, true},
    {"MGET", COMMAND_PLAIN, false},
    {"MIGRATE", COMMAND_PLAIN, true},
    {"MODULE", COMMAND_CONTAINER, true},
    {"MONITOR", COMMAND_STREAM, true},
    {"MOVE", COMMAND_PLAIN, true},
    {"MSET", COMMAND_PLAIN, false},
    {"MSETNX", COMMAND_PLAIN, false},
    {"MULTI", COMMAND_PLAIN, true},
    {"OBJECT", COMMAND_CONTAINER, true},
    {"PERSIST", COMMAND_PLAIN, true},
    {"PEXPIRE", COMMAND_PLAIN, false},
    {"PEXPIREAT", COMMAND_PLAIN, false},
    {"PEXPIRETIME", COMMAND_PLAIN, false},
    {"PFADD", COMMAND_PLAIN, false},
    {"PFCOUNT", COMMAND_PLAIN, false},
    {"PFDEBUG", COMMAND_PLAIN, false},
    {"PFMERGE", COMMAND_PLAIN, false},
    {"PING", COMMAND_KEEP, false},
    {"PSETEX", COMMAND_PLAIN, false},
    {"PSUBSCRIBE", COMMAND_SUBSCRIBE, true},
    {"PSYNC", COMMAND_STREAM, false},
    {"PTTL", COMMAND_PLAIN, false},
    {"PUBLISH", COMMAND_PUBLISH, true},
    {"PUBSUB", COMMAND_CONTAINER, false},
    {"PUNSUBSCRIBE", COMMAND_UNSUBSCRIBE, true},
    {"QUIT", COMMAND_KEEP, true},
    {"RANDOMKEY", COMMAND_PLAIN, false},
    {"READONLY", COMMAND_PLAIN, true},
    {"READWRITE", COMMAND_PLAIN, true},
    {"RENAME", COMMAND_PLAIN, true},
    {"RENAMENX", COMMAND_PLAIN, false},
    {"REPLCONF", COMMAND_PLAIN, false},
    {"REPLICAOF", COMMAND_PLAIN, false},
    {"RESET", COMMAND_RESET, true},
    {"RESTORE", COMMAND_PLAIN, true},
    {"ROLE", COMMAND_PLAIN, true},
    {"RPOP", COMMAND_PLAIN, false},
    {"RPOPLPUSH", COMMAND_PLAIN, false},
    {"RPUSH", COMMAND_PLAIN, false},
    {"RPUSHX", COMMAND_PLAIN, false},
    {"SADD", COMMAND_PLAIN, false},
    {"SAVE", COMMAND_PLAIN, true},
    {"SCAN", COMMAND_PLAIN, true},
    {"SCARD", COMMAND_PLAIN, false},
    {"SCRIPT", COMMAND_CONTAINER, true},
    {"SDIFF", COMMAND_PLAIN, false},
    {"SDIFFSTORE", COMMAND_PLAIN, false},
    {"SELECT", COMMAND_SELECT, false},
    {"SET", COMMAND_PLAIN, false},
    {"SETBIT", COMMAND_PLAIN, false},
    {"SETEX", COMMAND_PLAIN, false},
    {"SETNX", COMMAND_PLAIN, false},
    {"SETRANGE", COMMAND_PLAIN, false},
    {"SHUTDOWN", COMMAND_PLAIN, true},
    {"SINTER", COMMAND_PLAIN, false},
    {"SINTERCARD", COMMAND_PLAIN, false},
    {"SINTERSTORE", COMMAND_PLAIN, false},
    {"SISMEMBER", COMMAND_PLAIN, false},
    {"SLAVEOF", COMMAND_PLAIN, false},
    {"SLOWLOG", COMMAND_CONTAINER, false},
    {"SMEMBERS", COMMAND_PLAIN, false},
    {"SMISMEMBER", COMMAND_PLAIN, false},
    {"SMOVE", COMMAND_PLAIN, false},
    {"SORT", COMMAND_PLAIN, true},
    {"SORT_RO", COMMAND_PLAIN, false},
    {"SPOP", COMMAND_PLAIN, false},
    {"SPUBLISH", COMMAND_PUBLISH, false},
    {"SRANDMEMBER", COMMAND_PLAIN, false},
    {"SREM", COMMAND_PLAIN, false},
    {"SSCAN", COMMAND_PLAIN, false},
    {"SSUBSCRIBE", COMMAND_SUBSCRIBE, true},
    {"STRLEN", COMMAND_PLAIN, false},
    {"SUBSCRIBE", COMMAND_SUBSCRIBE, true},
    {"SUBSTR", COMMAND_PLAIN, false},
    {"SUNION", COMMAND_PLAIN, false},
    {"SUNIONSTORE", COMMAND_PLAIN, false},
    {"SUNSUBSCRIBE", COMMAND_UNSUBSCRIBE, true},
    {"SWAPDB", COMMAND_PLAIN, false},
    {"SYNC", COMMAND_STREAM, true},
    {"TIME", COMMAND_PLAIN, true},
    {"TOUCH", COMMAND_PLAIN, true},
    {"TTL", COMMAND_PLAIN, false},
    {"TYPE", COMMAND_PLAIN, true},
    {"UNLINK", COMMAND_PLAIN, false},
    {"UNSUBSCRIBE", COMMAND_UNSUBSCRIBE, true},
    {"UNWATCH", COMMAND_PLAIN, false},
    {"WAIT", COMMAND_PLAIN, true},
    {"WAITAOF", COMMAND_PLAIN, false},
    {"WATCH", COMMAND_PLAIN, true},
    {"XACK", COMMAND_PLAIN, false},
    {"XADD", COMMAND_PLAIN, false},
    {"XAUTOCLAIM", COMMAND_PLAIN, false},
    {"XCLAIM", COMMAND_PLAIN, false},
    {"XDEL", COMMAND_PLAIN, false},
    {"XGROUP", COMMAND_CONTAINER, false},
    {"XINFO", COMMAND_CONTAINER, false},
    {"XLEN", COMMAND_PLAIN, false},
    {"XPENDING", COMMAND_PLAIN, false},
    {"XRANGE", COMMAND_PLAIN, false},
    {"XREAD", COMMAND_PLAIN, false},
    {"XREADGROUP", COMMAND_PLAIN, false},
    {"XREVRANGE", COMMAND_PLAIN, false},
    {"XSETID", COMMAND_PLAIN, false},
    {"XTRIM", COMMAND_PLAIN, false},
    {"ZADD", COMMAND_PLAIN, false},
    {"ZCARD", COMMAND_PLAIN, false},
    {"ZCOUNT", COMMAND_PLAIN, false},
    {"ZDIFF", COMMAND_PLAIN, false},
    {"ZDIFFSTORE", COMMAND_PLAIN, false},
    {"ZINCRBY", COMMAND_PLAIN, false},
    {"ZINTER", COMMAND_PLAIN, false},
    {"ZINTERCARD", COMMAND_PLAIN, false},
    {"ZINTERSTORE", COMMAND_PLAIN, false},
    {"ZLEXCOUNT", COMMAND_PLAIN, false},
    {"ZMPOP", COMMAND_PLAIN, false},
    {"ZMSCORE", COMMAND_PLAIN, false},
    {"ZPOPMAX", COMMAND_PLAIN, false},
    {"ZPOPMIN", COMMAND_PLAIN, false},
    {"ZRANDMEMBER", COMMAND_PLAIN, false},
    {"ZRANGE", COMMAND_PLAIN, false},
    {"ZRANGEBYLEX", COMMAND_PLAIN, false},
    {"ZRANGEBYSCORE", COMMAND_PLAIN, false},
    {"ZRANGESTORE", COMMAND_PLAIN, false},
    {"ZRANK", COMMAND_PLAIN, false},
    {"ZREM", COMMAND_PLAIN, false},
    {"ZREMRANGEBYLEX", COMMAND_PLAIN, false},
    {"ZREMRANGEBYRANK", COMMAND_PLAIN, false},
    {"ZREMRANGEBYSCORE", COMMAND_PLAIN, false},
    {"ZREVRANGE", COMMAND_PLAIN, false},
    {"ZREVRANGEBYLEX", COMMAND_PLAIN, false},
    {"ZREVRANGEBYSCORE", COMMAND_PLAIN, false},
    {"ZREVRANK", COMMAND_PLAIN, false},
    {"ZSCAN", COMMAND_PLAIN, false},
    {"ZSCORE", COMMAND_PLAIN, false},
    {"ZUNION", COMMAND_PLAIN, false},
    {"ZUNIONSTORE", COMMAND_PLAIN, false},
};

static const struct bytes module_prefixes[] = {
    {(const uint8_t *)"JSON.", 5}, {(const uint8_t *)"FT.", 3},   {(const uint8_t *)"BF.", 3},
    {(const uint8_t *)"CF.", 3},   {(const uint8_t *)"CMS.", 4},  {(const uint8_t *)"TOPK.", 5},
    {(const uint8_t *)"TS.", 3},   {(const uint8_t *)"TDIGEST.", 8}, {(const uint8_t *)"GRAPH.", 6},
};

static uint8_t to_upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* memcmp's answer for `name` in upper case against the command's. */
static int compare(struct bytes name, const char *command)
{
    for (size_t i = 0; i < name.len; i++) {
        int difference = to_upper(name.ptr[i]) - (uint8_t)command[i];

        if (difference || !command[i])
            return difference ? difference : 1;
    }
    return -(uint8_t)command[name.len];
}

const struct command *command_find(struct bytes name)
{
    size_t first = 0, end = ELEMENTSOF(commands);

    while (name.len && first < end) {
        size_t middle = first + (end - first) / 2;
        int difference = compare(name, commands[middle].name);

        if (difference == 0)
            return &commands[middle];
        if (difference < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return NULL;
}

static bool is_of_module(struct bytes name)
{
    for (size_t i = 0; i < ELEMENTSOF(module_prefixes); i++)
        if (name.len > module_prefixes[i].len &&
            bytes_equal_nocase(bytes_slice(name, 0, module_prefixes[i].len), module_prefixes[i]))
            return true;
    return false;
}

static bool is_upper(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (to_upper(name.ptr[i]) != name.ptr[i])
            return false;
    return true;
}

bool command_is_telling(struct bytes name)
{
    const struct command *command = command_find(name);

    return command ? !command->word || is_upper(name) : is_of_module(name);
}

bool command_is_known(struct bytes name)
{
    return command_find(name) || is_of_module(name);
}
